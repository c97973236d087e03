// Command bench is what the guard's webhook is measured with: `serve` is a controller-runtime webhook that makes the same
// check, `load` the client of both.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 4 && args[0] == "serve":
		port, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return serve(ctx, port, args[2], args[3])
	case len(args) == 6 && args[0] == "load":
		concurrency, err := strconv.Atoi(args[4])
		if err != nil {
			return err
		}
		duration, err := time.ParseDuration(args[5])
		if err != nil {
			return err
		}
		return load(ctx, args[1], args[2], args[3], concurrency, duration)
	}
	return fmt.Errorf("usage: bench serve PORT CERTIFICATES VIEW | bench load URL CA REVIEWS CONCURRENCY DURATION")
}
