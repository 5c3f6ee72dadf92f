package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an answer that is no success, in the words of a real API server.
type refusal struct {
	code    int
	reason  string
	message string
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...)}
}

func notFound(k *kind, name string) *refusal {
	return &refusal{http.StatusNotFound, "NotFound", fmt.Sprintf("%s %q not found", k.qualified(), name)}
}

func exists(k *kind, name string) *refusal {
	return &refusal{http.StatusConflict, "AlreadyExists", fmt.Sprintf("%s %q already exists", k.qualified(), name)}
}

func conflict(resource, name, why string) *refusal {
	return &refusal{http.StatusConflict, "Conflict", fmt.Sprintf("Operation cannot be fulfilled on %s %q: %s", resource, name, why)}
}

const stale = "the object has been modified; please apply your changes to the latest version and try again"

func forbidden(k *kind, name, why string) *refusal {
	return &refusal{http.StatusForbidden, "Forbidden", fmt.Sprintf("%s %q is forbidden: %s", k.qualified(), name, why)}
}

func invalid(k *kind, name string, fault string) *refusal {
	return &refusal{http.StatusUnprocessableEntity, "Invalid", fmt.Sprintf("%s %q is invalid: %s", k.name, name, fault)}
}

func internal(format string, args ...any) *refusal {
	return &refusal{http.StatusInternalServerError, "InternalError", fmt.Sprintf(format, args...)}
}

func expired(message string) *refusal {
	return &refusal{http.StatusGone, "Expired", message}
}

func (r *refusal) status() object {
	return object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"message": r.message, "reason": r.reason, "code": r.code,
	}
}

func (r *refusal) body() []byte {
	body, _ := json.Marshal(r.status())
	return append(body, '\n')
}
