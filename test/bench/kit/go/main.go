// Command bench fills a controller-runtime cache with all Nodes, with an index by provider ID and one by the label
// "pool", and prints one line of JSON: how long the sync took in ms, the CPU
// time meanwhile, and the process's memory in KiB.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	nodes, err := cache.New(config, cache.Options{})
	if err != nil {
		return err
	}
	indexes := map[string]client.IndexerFunc{
		"providerID": func(o client.Object) []string { return []string{o.(*corev1.Node).Spec.ProviderID} },
		"pool":       func(o client.Object) []string { return []string{o.GetLabels()["pool"]} },
	}
	for field, index := range indexes {
		if err := nodes.IndexField(ctx, &corev1.Node{}, field, index); err != nil {
			return err
		}
	}
	before := cpu()
	began := time.Now()
	failed := make(chan error, 1)
	go func() { failed <- nodes.Start(ctx) }()
	if !nodes.WaitForCacheSync(ctx) {
		return <-failed
	}
	took, used := time.Since(began), cpu()-before
	var list corev1.NodeList
	if err := nodes.List(ctx, &list); err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"items":   len(list.Items),
		"ms":      float64(took.Microseconds()) / 1000,
		"cpuMs":   float64(used.Microseconds()) / 1000,
		"peakKiB": peak(string(status)),
	})
}

// cpu is the CPU time that this process has used.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peak is VmHWM, the most memory that was ever resident.
func peak(status string) int {
	var kib int
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Sscanf(line, "VmHWM: %d kB", &kib)
		}
	}
	return kib
}
