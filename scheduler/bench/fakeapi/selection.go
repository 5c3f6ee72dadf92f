package main

import (
	"fmt"
	"net/url"
	"strings"
)

// requirement is one line of a field or label selector.
type requirement struct {
	path   []string
	values map[string]bool
	negate bool
	exists bool // only whether it is there counts
}

// selection is what a list or a watch is limited to.
type selection struct {
	namespace string
	lines     []requirement
}

func (s *selection) all() bool { return s.namespace == "" && len(s.lines) == 0 }

func (s *selection) matches(obj object) bool {
	if s.namespace != "" && text(obj, "metadata", "namespace") != s.namespace {
		return false
	}
	for _, line := range s.lines {
		value, there := at(obj, line.path...).(string)
		holds := line.values[value]
		if line.exists {
			holds = there
		} else if line.path[0] == "metadata" && len(line.path) == 3 && !there {
			holds = false // a label that is not there is in no set
		}
		if holds == line.negate {
			return false
		}
	}
	return true
}

// selectionOf reads namespace, fieldSelector and labelSelector.
func selectionOf(namespace string, query url.Values) (selection, *refusal) {
	s := selection{namespace: namespace}
	for _, part := range split(query.Get("fieldSelector")) {
		line, err := compared(part)
		if err != nil {
			return s, badRequest("field selector %q: %v", part, err)
		}
		s.lines = append(s.lines, line)
	}
	for _, part := range split(query.Get("labelSelector")) {
		line, err := labelled(part)
		if err != nil {
			return s, badRequest("label selector %q: %v", part, err)
		}
		s.lines = append(s.lines, line)
	}
	return s, nil
}

// split cuts at the commas that are not within brackets.
func split(selector string) []string {
	var parts []string
	depth, begun := 0, 0
	for i, c := range selector {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, selector[begun:i])
			begun = i + 1
		}
	}
	if strings.TrimSpace(selector[begun:]) != "" {
		parts = append(parts, selector[begun:])
	}
	return parts
}

func compared(part string) (requirement, error) {
	name, value, found := strings.Cut(part, "!=")
	negate := found
	if !found {
		if name, value, found = strings.Cut(part, "=="); !found {
			name, value, found = strings.Cut(part, "=")
		}
	}
	if !found {
		return requirement{}, fmt.Errorf("wanted NAME=VALUE or NAME!=VALUE")
	}
	return requirement{path: strings.Split(strings.TrimSpace(name), "."), values: map[string]bool{strings.TrimSpace(value): true}, negate: negate}, nil
}

func labelled(part string) (requirement, error) {
	part = strings.TrimSpace(part)
	if name, rest, found := strings.Cut(part, "("); found {
		words := strings.Fields(name)
		if len(words) != 2 || (words[1] != "in" && words[1] != "notin") {
			return requirement{}, fmt.Errorf("wanted KEY in (A,B) or KEY notin (A,B)")
		}
		values := map[string]bool{}
		for _, value := range strings.Split(strings.TrimSuffix(rest, ")"), ",") {
			values[strings.TrimSpace(value)] = true
		}
		return requirement{path: []string{"metadata", "labels", words[0]}, values: values, negate: words[1] == "notin"}, nil
	}
	if !strings.ContainsAny(part, "=") {
		return requirement{path: []string{"metadata", "labels", strings.TrimPrefix(part, "!")}, exists: true, negate: strings.HasPrefix(part, "!")}, nil
	}
	line, err := compared(part)
	line.path = []string{"metadata", "labels", strings.Join(line.path, ".")}
	return line, err
}
