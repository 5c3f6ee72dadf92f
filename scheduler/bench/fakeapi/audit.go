package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	auditStamp = "2006-01-02T15:04:05.000000Z"
	flushEvery = 20 * time.Millisecond
)

// audit writes a line per change of pods and events, with the fields and stamps of a real audit log at level Metadata.
type audit struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	stop chan struct{}
}

func newAudit(path string) (*audit, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	a := &audit{file: file, out: bufio.NewWriterSize(file, 1<<16), stop: make(chan struct{})}
	go a.flushing()
	return a, nil
}

func (a *audit) flushing() {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			a.mu.Lock()
			a.out.Flush()
			a.mu.Unlock()
		case <-a.stop:
			return
		}
	}
}

// wrote notes that a request was answered. Names are of the API's alphabet and need no quoting.
func (a *audit) wrote(verb string, to *target, name string, code int, received time.Time) {
	if a == nil || (to.kind.plural != "pods" && to.kind.plural != "events") {
		return
	}
	now := time.Now().UTC()
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.out, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","stage":"ResponseComplete","verb":"%s",`+
		`"objectRef":{"resource":"%s","subresource":"%s","namespace":"%s","name":%q},"responseStatus":{"code":%d},`+
		`"requestReceivedTimestamp":"%s","stageTimestamp":"%s"}`+"\n",
		verb, to.kind.plural, to.subresource, to.namespace, name, code,
		received.UTC().Format(auditStamp), now.Format(auditStamp))
}

func (a *audit) close() error {
	if a == nil {
		return nil
	}
	close(a.stop)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.out.Flush(); err != nil {
		return err
	}
	return a.file.Close()
}
