package main

import "encoding/json"

// Events have two faces, v1 and events.k8s.io/v1, and one storage; it is kept in the newer form.
var eventFields = map[string]string{
	"involvedObject":     "regarding",
	"message":            "note",
	"reportingComponent": "reportingController",
	"source":             "deprecatedSource",
	"firstTimestamp":     "deprecatedFirstTimestamp",
	"lastTimestamp":      "deprecatedLastTimestamp",
	"count":              "deprecatedCount",
}

var coreEvents, newEvents = byPath["v1/events"], byPath["events.k8s.io/v1/events"]

// stored is an event of either kind as it is kept.
func stored(k *kind, obj object) object {
	if k != coreEvents {
		return obj
	}
	fresh := copied(obj)
	for old, name := range eventFields {
		if value, there := fresh[old]; there {
			delete(fresh, old)
			fresh[name] = value
		}
	}
	fresh["apiVersion"] = newEvents.apiVersion()
	return fresh
}

// converted is a kept event as clients of the kind see it.
func converted(k *kind, obj object) object {
	if k != coreEvents {
		return obj
	}
	fresh := copied(obj)
	for old, name := range eventFields {
		if value, there := fresh[name]; there {
			delete(fresh, name)
			fresh[old] = value
		}
	}
	fresh["apiVersion"] = k.apiVersion()
	return fresh
}

// shown is the JSON of an object for clients of the kind.
func shown(k *kind, e *entry) []byte {
	if k != coreEvents {
		return e.raw
	}
	raw, _ := json.Marshal(converted(k, e.obj))
	return raw
}

func shownRaw(k *kind, raw []byte) []byte {
	if k != coreEvents {
		return raw
	}
	var obj object
	if err := json.Unmarshal(raw, &obj); err != nil {
		panic(err) // it was made here
	}
	shown, _ := json.Marshal(converted(k, obj))
	return shown
}
