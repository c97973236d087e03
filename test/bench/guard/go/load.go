package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

// load sends the reviews of a file to a webhook, over and over and `concurrency` at once, as an API server does: kept-alive
// connections, TLS checked against a CA. It prints what it measured as one line of JSON.
func load(ctx context.Context, url, caFile, reviewsFile string, concurrency int, duration time.Duration) error {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	text, err := os.ReadFile(reviewsFile)
	if err != nil {
		return err
	}
	var reviews []struct {
		Allowed bool            `json:"allowed"`
		Review  json.RawMessage `json:"review"`
	}
	if err := json.Unmarshal(text, &reviews); err != nil {
		return err
	}
	// HTTP/1.1 for both: what the Node server speaks.
	client := &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: concurrency,
			TLSClientConfig:     &tls.Config{RootCAs: roots, ServerName: "localhost"},
			TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
	}
	var next atomic.Int64
	var together sync.WaitGroup
	latencies := make([][]time.Duration, concurrency)
	failures := make([]error, concurrency)
	began := time.Now()
	for worker := range concurrency {
		together.Go(func() {
			for time.Since(began) < duration {
				one := reviews[int(next.Add(1))%len(reviews)]
				sent := time.Now()
				allowed, err := ask(ctx, client, url, one.Review)
				if err == nil && allowed != one.Allowed {
					err = fmt.Errorf("allowed is %t, expected %t, for %s", allowed, one.Allowed, one.Review)
				}
				if err != nil {
					failures[worker] = err
					return
				}
				latencies[worker] = append(latencies[worker], time.Since(sent))
			}
		})
	}
	together.Wait()
	took := time.Since(began)
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	at := func(share float64) float64 {
		return float64(all[min(len(all)-1, int(share*float64(len(all))))].Microseconds()) / 1000
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests":  len(all),
		"perSecond": float64(len(all)) / took.Seconds(),
		"p50":       at(0.5),
		"p99":       at(0.99),
	})
}

func ask(ctx context.Context, client *http.Client, url string, review []byte) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(review))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err
	}
	var answer admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &answer); err != nil || answer.Response == nil {
		return false, fmt.Errorf("status %d: %s", response.StatusCode, body)
	}
	return answer.Response.Allowed, nil
}
