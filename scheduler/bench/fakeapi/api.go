package main

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const mostBytes = 3 << 20 // what a real API server takes at most

type api struct {
	store *store
	audit *audit
}

// target is what a path names.
type target struct {
	kind                         *kind
	namespace, name, subresource string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch path {
	case "/readyz", "/livez", "/healthz":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, "ok")
		return
	}
	if found := discovery(path); found != nil && r.Method == http.MethodGet {
		body, _ := json.Marshal(found)
		answer(w, http.StatusOK, body)
		return
	}
	to := parsed(path)
	if to == nil {
		refuse(w, &refusal{http.StatusNotFound, "NotFound", "the server could not find the requested resource"})
		return
	}
	if !acceptsJSON(r.Header.Get("Accept")) {
		refuse(w, &refusal{http.StatusNotAcceptable, "NotAcceptable", "only the following media types are accepted: application/json"})
		return
	}
	if r.Method == http.MethodGet {
		a.get(w, r, to)
		return
	}
	verb, name, code, body := a.change(r, to)
	a.audit.wrote(verb, to, name, code, received)
	answer(w, code, body)
}

// parsed is what the path names, nil when nothing that is served.
func parsed(path string) *target {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var version string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		version, parts = parts[1]+"/"+parts[2], parts[3:]
	default:
		return nil
	}
	to := &target{}
	if parts[0] == "namespaces" && len(parts) >= 3 && parts[2] != "status" && parts[2] != "finalize" {
		to.namespace, parts = parts[1], parts[2:]
	}
	plural := parts[0]
	if plural == "bindings" && version == "v1" && to.namespace != "" && len(parts) == 1 {
		to.kind, to.subresource = byPath["v1/pods"], "binding"
		return to
	}
	to.kind = byPath[version+"/"+plural]
	if to.kind == nil || len(parts) > 3 || (to.namespace != "" && !to.kind.namespaced) {
		return nil
	}
	if len(parts) > 1 {
		to.name = parts[1]
		if to.kind.namespaced && to.namespace == "" {
			return nil
		}
	}
	if len(parts) > 2 {
		to.subresource = parts[2]
		for _, sub := range to.kind.subresources {
			if sub == to.subresource {
				return to
			}
		}
		return nil
	}
	return to
}

func acceptsJSON(accept string) bool {
	if accept == "" {
		return true
	}
	for _, one := range strings.Split(accept, ",") {
		media, parameters, _ := mime.ParseMediaType(one)
		if parameters["as"] == "" && (media == "application/json" || media == "*/*" || media == "application/*") {
			return true
		}
	}
	return false
}

// change does what a request asks for: the verb, the name of the object, and the answer.
func (a *api) change(r *http.Request, to *target) (verb, name string, code int, body []byte) {
	given, refused := read(r)
	var result *entry
	verb, name, code = map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.Method], to.name, http.StatusOK
	if refused == nil {
		switch {
		case r.Method == http.MethodPost && to.subresource == "binding":
			name, refused = a.store.bind(to, given)
			if refused == nil {
				return verb, name, http.StatusCreated, bound
			}
		case r.Method == http.MethodPost && to.name == "":
			code = http.StatusCreated
			result, refused = a.store.create(to.kind, to.namespace, given)
			name = text(given, "metadata", "name")
		case r.Method == http.MethodPut && to.name != "" && to.subresource != "binding":
			result, refused = a.store.update(to, given)
		case r.Method == http.MethodPatch && to.name != "" && to.subresource != "binding":
			result, refused = a.store.patch(to, given, r.Header.Get("Content-Type"))
		case r.Method == http.MethodDelete && to.name != "" && to.subresource == "":
			result, refused = a.store.remove(to, given, r.URL.Query())
		default:
			refused = methodNotAllowed()
		}
	}
	if refused != nil {
		return verb, name, refused.code, refused.body()
	}
	return verb, name, code, shown(to.kind, result)
}

var bound = []byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}` + "\n")

func methodNotAllowed() *refusal {
	return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource"}
}

func read(r *http.Request) (object, *refusal) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !strings.HasSuffix(media, "json") && media != "" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, mostBytes))
	if err != nil {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request entity too large: limit is " + strconv.Itoa(mostBytes)}
	}
	given := object{}
	if len(body) == 0 {
		return given, nil
	}
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, badRequest("couldn't get version/kind; json parse error: %v", err)
	}
	return given, nil
}

func refuse(w http.ResponseWriter, r *refusal) { answer(w, r.code, r.body()) }

func answer(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	w.Write(body)
}
