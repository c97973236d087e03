package main

import (
	"context"
	"encoding/json"
	"os"

	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// serve answers reviews at /validate until ctx ends, with the certificate and key in a directory (tls.crt, tls.key), about the
// world that a file describes.
func serve(ctx context.Context, port int, certificates, worldFile string) error {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	text, err := os.ReadFile(worldFile)
	if err != nil {
		return err
	}
	var described world
	if err := json.Unmarshal(text, &described); err != nil {
		return err
	}
	server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: port, CertDir: certificates})
	server.Register("/validate", &webhook.Admission{Handler: newGuard(described, admission.NewDecoder(scheme.Scheme))})
	return server.Start(ctx)
}
