package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// waiting is how many events a watch may be behind before it is cut off, as a real server cuts off slow clients.
const waiting = 200_000

const bookmarkEvery = time.Minute

// watch is one client's stream of a table.
type watch struct {
	kind     *kind
	selected selection

	mu      sync.Mutex
	lines   [][]byte
	over    bool
	arrived chan struct{}
}

// offer appends the event that c is to this client, if it is any; the store's lock is held.
func (w *watch) offer(c change) {
	if line := w.line(c); line != nil {
		w.append(line)
	}
}

func (w *watch) append(line []byte) {
	w.mu.Lock()
	w.lines = append(w.lines, line)
	if len(w.lines) > waiting {
		w.over = true
	}
	w.mu.Unlock()
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// line is the change as the client sees it: what leaves a selection is deleted for it, what enters it is added.
func (w *watch) line(c change) []byte {
	was := c.before != nil && w.selected.matches(c.before.obj)
	is := c.after != nil && w.selected.matches(c.after.obj)
	switch {
	case is && was:
		return event("MODIFIED", shown(w.kind, c.after))
	case is:
		return event("ADDED", shown(w.kind, c.after))
	case was && c.after != nil:
		return event("DELETED", shown(w.kind, c.after))
	case was:
		return event("DELETED", shownRaw(w.kind, c.gone))
	}
	return nil
}

// begin registers a watch from a version on, with what is there first where the client asked for it.
func (s *store) begin(w *watch, from string, initial bool) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return &refusal{http.StatusServiceUnavailable, "ServiceUnavailable", "the server is shutting down"}
	}
	t := s.tables[w.kind.table()]
	version, err := strconv.ParseUint(from, 10, 64)
	if from != "" && err != nil {
		return badRequest("resourceVersion: Invalid value: %q", from)
	}
	if version > s.rv {
		return &refusal{http.StatusGatewayTimeout, "Timeout", "Too large resource version: " + from}
	}
	if initial || version == 0 {
		_, entries := t.sorted(w.selected)
		for _, e := range entries {
			w.lines = append(w.lines, event("ADDED", shown(w.kind, e)))
		}
		if initial {
			w.lines = append(w.lines, bookmark(w.kind, s.rv, true))
		}
	} else if refused := t.replay(w, version); refused != nil {
		return refused
	}
	t.watches[w] = struct{}{}
	return nil
}

// replay appends what happened after a version. Expired when the history does not go back so far.
func (t *table) replay(w *watch, version uint64) *refusal {
	if version < t.base {
		return expired("too old resource version: " + strconv.FormatUint(version, 10))
	}
	for _, c := range t.history {
		if c.rv > version {
			w.offer(c)
		}
	}
	return nil
}

func (s *store) finish(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tables[w.kind.table()].watches, w)
}

func (s *store) endWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, t := range s.tables {
		for w := range t.watches {
			w.mu.Lock()
			w.over = true
			w.mu.Unlock()
			w.append(nil)
		}
	}
}

// serve writes events until the client goes, its time is over, or it is too slow.
func (w *watch) serve(s *store, out http.ResponseWriter, r *http.Request, limit time.Duration, bookmarks bool) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusOK)
	flusher := out.(http.Flusher)
	flusher.Flush()
	ends := time.NewTimer(limit)
	defer ends.Stop()
	marks := time.NewTicker(bookmarkEvery)
	defer marks.Stop()
	var buffer []byte
	for {
		w.mu.Lock()
		lines, over := w.lines, w.over
		w.lines = nil
		w.mu.Unlock()
		buffer = buffer[:0]
		for _, line := range lines {
			buffer = append(buffer, line...)
		}
		if len(buffer) > 0 {
			if _, err := out.Write(buffer); err != nil {
				return
			}
			flusher.Flush()
		}
		if over {
			return
		}
		select {
		case <-w.arrived:
		case <-marks.C:
			if bookmarks {
				s.mu.Lock() // no change can come between the version and the line
				w.append(bookmark(w.kind, s.rv, false))
				s.mu.Unlock()
			}
		case <-ends.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func event(what string, raw []byte) []byte {
	line := make([]byte, 0, len(raw)+len(what)+24)
	line = append(line, `{"type":"`...)
	line = append(line, what...)
	line = append(line, `","object":`...)
	line = append(line, raw...)
	return append(line, "}\n"...)
}

func bookmark(k *kind, rv uint64, initialEnd bool) []byte {
	metadata := object{"resourceVersion": strconv.FormatUint(rv, 10), "creationTimestamp": nil}
	if initialEnd {
		metadata["annotations"] = object{"k8s.io/initial-events-end": "true"}
	}
	raw, _ := json.Marshal(object{"kind": k.name, "apiVersion": k.apiVersion(), "metadata": metadata})
	return event("BOOKMARK", raw)
}
