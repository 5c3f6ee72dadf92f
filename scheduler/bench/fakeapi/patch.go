package main

import (
	"mime"
	"net/http"
	"strings"
)

// patch applies a merge patch, or a strategic one as far as conditions go, which is what schedulers send.
func (s *store) patch(to *target, given object, contentType string) (*entry, *refusal) {
	media, _, _ := mime.ParseMediaType(contentType)
	strategic := media == "application/strategic-merge-patch+json"
	if !strategic && media != "application/merge-patch+json" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/merge-patch+json, application/strategic-merge-patch+json"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace(to, func(old object) (object, *refusal) {
		shownAs := old
		if to.kind.plural == "events" {
			shownAs = converted(to.kind, old)
		}
		fresh := merged(shownAs, given, strategic)
		if to.kind.plural == "events" {
			fresh = stored(to.kind, fresh)
		}
		return fresh, nil
	})
}

// merged is RFC 7396; with strategic, lists of conditions are merged by their type, and directives left out.
func merged(old, patch object, strategic bool) object {
	fresh := make(object, len(old)+len(patch))
	for name, value := range old {
		fresh[name] = value
	}
	for name, value := range patch {
		if strategic && strings.HasPrefix(name, "$") {
			continue
		}
		switch value := value.(type) {
		case nil:
			delete(fresh, name)
		case object:
			inner, _ := fresh[name].(object)
			fresh[name] = merged(inner, value, strategic)
		case []any:
			fresh[name] = value
			if strategic && name == "conditions" {
				fresh[name] = mergedConditions(old[name], value)
			}
		default:
			fresh[name] = value
		}
	}
	return fresh
}

func mergedConditions(old any, patch []any) []any {
	conditions := old
	for _, one := range patch {
		if condition, is := one.(object); is {
			if before := ofType(conditions, text(condition, "type")); before != nil {
				condition = merged(before, condition, true)
			}
			conditions = withCondition(conditions, condition)
		}
	}
	list, _ := conditions.([]any)
	return list
}

// withCondition is the list with the condition in place of the one of its type, or added.
func withCondition(conditions any, condition object) []any {
	old, _ := conditions.([]any)
	fresh := make([]any, 0, len(old)+1)
	for _, one := range old {
		if one, is := one.(object); !is || text(one, "type") != text(condition, "type") {
			fresh = append(fresh, one)
		}
	}
	return append(fresh, condition)
}

func ofType(conditions any, name string) object {
	list, _ := conditions.([]any)
	for _, one := range list {
		if one, is := one.(object); is && text(one, "type") == name {
			return one
		}
	}
	return nil
}
