// An API server in memory for benchmarks of schedulers: JSON only, one process, nothing on disk while it serves.
//
// It keeps the promises a scheduler relies on: one order of all changes, lists and watches that agree, optimistic
// concurrency, a pod bound at most once, and it refuses what a real API server refuses. It has no authentication.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	state := flag.String("state", "", "file with the objects to begin with, as -save wrote it")
	save := flag.String("save", "", "file to write all objects to at SIGTERM")
	auditLog := flag.String("audit", "", "file for the audit log")
	flag.Parse()
	if err := run(*listen, *state, *save, *auditLog); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(address, state, save, auditLog string) error {
	debug.SetGCPercent(400) // memory for speed: what is measured is the scheduler
	objects := newStore()
	if state != "" {
		if err := objects.load(state); err != nil {
			return fmt.Errorf("state %s: %w", state, err)
		}
	}
	log, err := newAudit(auditLog)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &api{store: objects, audit: log}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Println(listener.Addr()) // whoever started us reads where we are, and that we are ready
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-ended:
		return err
	case <-asked:
	}
	objects.endWatches()
	limited, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		server.Close()
	}
	if save != "" {
		err = objects.save(save)
	}
	return errors.Join(err, log.close())
}
