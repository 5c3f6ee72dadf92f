package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// serve answers until it is told to end. What it is asked for it also logs, a line each.
func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	port := flags.Int("port", 8080, "for HTTP, and for UDP datagrams, which are sent back")
	delay := flags.Duration("delay", 0, "begin to serve only after this long")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	time.Sleep(*delay)
	datagrams, err := net.ListenPacket("udp", fmt.Sprintf(":%d", *port))
	if err != nil {
		return err
	}
	go sendBack(datagrams)
	server := &http.Server{Addr: fmt.Sprintf(":%d", *port), Handler: logged(handler()), ReadHeaderTimeout: limit}
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-ending
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		_ = server.Shutdown(ctx)
	}()
	fmt.Printf("serving on port %d\n", *port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func sendBack(datagrams net.PacketConn) {
	buffer := make([]byte, 65536)
	for {
		n, from, err := datagrams.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = datagrams.WriteTo(buffer[:n], from)
	}
}

func handler() http.Handler {
	var broken, unready atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		name, _ := os.Hostname()
		fmt.Fprintln(w, name)
	})
	mux.HandleFunc("/client", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintln(w, host)
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, os.Getenv(value(r, "name"))) })
	mux.HandleFunc("/fetch", asked("url", fetch))
	mux.HandleFunc("/lookup", asked("name", lookup))
	mux.HandleFunc("/dial", asked("address", func(address string) (string, error) { return "", dial(address) }))
	mux.HandleFunc("/echo", asked("address", func(address string) (string, error) { return "", echo(address) }))
	mux.HandleFunc("/pull", asked("url", pull))
	mux.HandleFunc("/read", asked("file", read))
	mux.HandleFunc("/put", put)
	mux.HandleFunc("/bytes", sendBytes)
	mux.HandleFunc("/exit", asked("code", func(code string) (string, error) { return "", fail(code) }))
	state(mux, "/healthz", &broken)
	state(mux, "/readyz", &unready)
	return mux
}

// state answers 200 or 500; a POST with `fail=true` or `fail=false` decides which.
func state(mux *http.ServeMux, path string, failing *atomic.Bool) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			failing.Store(value(r, "fail") == "true")
			return
		}
		if failing.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintln(w, !failing.Load())
	})
}

// asked does something with a parameter of the request; an error is a 502 with its text.
func asked(name string, do func(string) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := do(value(r, name))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, strings.TrimSuffix(text, "\n"))
	}
}

// put writes the body of a request into a file.
func put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = write([]string{value(r, "file"), string(body)})
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// sendBytes sends as many bytes as are asked for, for another's pull.
func sendBytes(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.ParseInt(value(r, "count"), 10, 64)
	if err != nil || count < 0 {
		http.Error(w, "count is wanted, of bytes", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(count, 10))
	_, _ = io.Copy(w, io.LimitReader(zeros{}, count))
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

func value(r *http.Request, name string) string {
	return r.URL.Query().Get(name)
}

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s from %s\n", r.Method, r.URL, r.RemoteAddr)
		next.ServeHTTP(w, r)
	})
}
