package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const watchLimit = 45 * time.Minute

func (a *api) get(w http.ResponseWriter, r *http.Request, to *target) {
	query := r.URL.Query()
	if to.name != "" && query.Get("watch") == "" {
		if to.subresource == "binding" {
			refuse(w, methodNotAllowed())
			return
		}
		a.store.mu.Lock()
		e := a.store.tables[to.kind.table()].items[key(to.namespace, to.name)]
		a.store.mu.Unlock()
		if e == nil {
			refuse(w, notFound(to.kind, to.name))
			return
		}
		answer(w, http.StatusOK, shown(to.kind, e))
		return
	}
	selected, refused := selectionOf(to.namespace, query)
	if refused != nil {
		refuse(w, refused)
		return
	}
	if watching := query.Get("watch"); watching == "true" || watching == "1" {
		a.watch(w, r, to, selected, query)
		return
	}
	body, refused := a.store.list(to.kind, selected, query)
	if refused != nil {
		refuse(w, refused)
		return
	}
	answer(w, http.StatusOK, body)
}

func (a *api) watch(w http.ResponseWriter, r *http.Request, to *target, selected selection, query url.Values) {
	bookmarks := query.Get("allowWatchBookmarks") == "true"
	initial := query.Get("sendInitialEvents") == "true"
	if initial && (!bookmarks || query.Get("resourceVersionMatch") != "NotOlderThan") {
		refuse(w, &refusal{http.StatusUnprocessableEntity, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents needs allowWatchBookmarks and resourceVersionMatch NotOlderThan"})
		return
	}
	stream := &watch{kind: to.kind, selected: selected, arrived: make(chan struct{}, 1)}
	if refused := a.store.begin(stream, query.Get("resourceVersion"), initial); refused != nil {
		if refused.code != http.StatusGone {
			refuse(w, refused)
			return
		}
		body, _ := json.Marshal(refused.status()) // an expired version is told within the stream
		answer(w, http.StatusOK, event("ERROR", body))
		return
	}
	defer a.store.finish(stream)
	limit := watchLimit
	if seconds, err := strconv.Atoi(query.Get("timeoutSeconds")); err == nil && seconds > 0 {
		limit = time.Duration(seconds) * time.Second
	}
	stream.serve(a.store, w, r, limit, bookmarks)
}

// list answers a page: whole unless the client asks for pages. A page is continued only while nothing has changed.
func (s *store) list(k *kind, selected selection, query url.Values) ([]byte, *refusal) {
	s.mu.Lock()
	t := s.tables[k.table()]
	keys, entries := t.sorted(selected)
	version, changed := s.rv, t.changed
	s.mu.Unlock()
	begin, limit := 0, len(entries)
	if token := query.Get("continue"); token != "" {
		at, last, found := strings.Cut(token, "~")
		since, err := strconv.ParseUint(at, 10, 64)
		if !found || err != nil {
			return nil, badRequest("continue key is not valid: %q", token)
		}
		if changed > since {
			return nil, expired("The provided continue parameter is too old: the list has changed since")
		}
		version = since
		for begin < len(keys) && keys[begin] <= last {
			begin++
		}
	}
	if asked, err := strconv.Atoi(query.Get("limit")); err == nil && asked > 0 {
		limit = asked
	}
	end := min(begin+limit, len(entries))
	metadata := object{"resourceVersion": strconv.FormatUint(version, 10)}
	if end < len(entries) {
		metadata["continue"] = strconv.FormatUint(version, 10) + "~" + keys[end-1]
		metadata["remainingItemCount"] = len(entries) - end
	}
	head, _ := json.Marshal(metadata)
	body := make([]byte, 0, 1024*(end-begin)+len(head)+100)
	body = append(body, `{"kind":"`+k.name+`List","apiVersion":"`+k.apiVersion()+`","metadata":`...)
	body = append(body, head...)
	body = append(body, `,"items":[`...)
	for i, e := range entries[begin:end] {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, shown(k, e)...)
	}
	return append(body, "]}\n"...), nil
}
