package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
)

type object = map[string]any

// entry is a stored object. Neither it nor its object is ever changed: a change makes a new one.
type entry struct {
	obj object
	raw []byte
	rv  uint64
}

// change is one step in the history of a table; before is nil when the object is new, after when it is gone.
type change struct {
	rv            uint64
	before, after *entry
	gone          []byte // the object as it was deleted, at the version of its deletion
}

// kept is how many changes of a table a watch can go back; older ones are expired (410).
const kept = 200_000

type table struct {
	items   map[string]*entry // by namespace/name, or name
	history []change
	watches map[*watch]struct{}
	changed uint64 // the version of the last change
	base    uint64 // all changes after this version are in history
}

// store holds all objects in one order of changes: the resource version.
type store struct {
	mu     sync.Mutex
	rv     uint64
	tables map[string]*table
	ended  bool
}

func newStore() *store {
	s := &store{tables: map[string]*table{}, rv: 1}
	for _, k := range kinds {
		s.tables[k.table()] = &table{items: map[string]*entry{}, watches: map[*watch]struct{}{}}
	}
	for _, name := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		k := byPath["v1/namespaces"]
		obj := object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name}}
		if _, refused := s.create(k, "", obj); refused != nil {
			panic(refused.message)
		}
	}
	return s
}

// key names an object in its table.
func key(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// put stores obj (which becomes the store's) in place of what is under key; the lock is held.
func (s *store) put(t *table, key string, obj object) *entry {
	s.rv++
	metadata := obj["metadata"].(object)
	metadata["resourceVersion"] = strconv.FormatUint(s.rv, 10)
	raw, err := json.Marshal(obj)
	if err != nil {
		panic(err) // it came from JSON
	}
	before := t.items[key]
	after := &entry{obj: obj, raw: raw, rv: s.rv}
	t.items[key] = after
	s.record(t, change{rv: s.rv, before: before, after: after})
	return after
}

// drop deletes what is under key; the lock is held.
func (s *store) drop(t *table, key string) *entry {
	before := t.items[key]
	s.rv++
	obj := copied(before.obj)
	obj["metadata"].(object)["resourceVersion"] = strconv.FormatUint(s.rv, 10)
	raw, _ := json.Marshal(obj)
	delete(t.items, key)
	s.record(t, change{rv: s.rv, before: before, gone: raw})
	return &entry{obj: obj, raw: raw, rv: s.rv}
}

func (s *store) record(t *table, c change) {
	t.changed = c.rv
	if len(t.history) >= 2*kept {
		t.base = t.history[kept-1].rv
		t.history = append([]change(nil), t.history[kept:]...)
	}
	t.history = append(t.history, c)
	for w := range t.watches {
		w.offer(c)
	}
}

// sorted gives the entries of a table in the order of their keys, as etcd does; the lock is held.
func (t *table) sorted(selected selection) ([]string, []*entry) {
	keys := make([]string, 0, len(t.items))
	for k, e := range t.items {
		if selected.matches(e.obj) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	entries := make([]*entry, len(keys))
	for i, k := range keys {
		entries[i] = t.items[k]
	}
	return keys, entries
}

// copied is the object with its own maps down to two levels, which is as deep as anything here writes.
func copied(obj object) object {
	fresh := make(object, len(obj))
	for name, value := range obj {
		if inner, ok := value.(object); ok {
			own := make(object, len(inner)+1)
			for n, v := range inner {
				own[n] = v
			}
			value = own
		}
		fresh[name] = value
	}
	return fresh
}

// child is the map under a name, made when it is not there. obj must be the caller's own.
func child(obj object, name string) object {
	if inner, ok := obj[name].(object); ok {
		return inner
	}
	inner := object{}
	obj[name] = inner
	return inner
}

// at follows names down; nil when the way ends.
func at(obj object, names ...string) any {
	var value any = obj
	for _, name := range names {
		inner, ok := value.(object)
		if !ok {
			return nil
		}
		value = inner[name]
	}
	return value
}

func text(obj object, names ...string) string {
	value, _ := at(obj, names...).(string)
	return value
}

type saved struct {
	Table, Key string
	Object     object
}

// save writes all objects, and the version they are at, one a line.
func (s *store) save(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	encoder := json.NewEncoder(buffered)
	if err := encoder.Encode(saved{Key: strconv.FormatUint(s.rv, 10)}); err != nil {
		return err
	}
	for name, t := range s.tables {
		for k, e := range t.items {
			if err := encoder.Encode(saved{name, k, e.obj}); err != nil {
				return err
			}
		}
	}
	return buffered.Flush()
}

// load reads what save wrote. Versions are kept; what happened before cannot be watched any more.
func (s *store) load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<20))
	var head saved
	if err := decoder.Decode(&head); err != nil {
		return err
	}
	if s.rv, err = strconv.ParseUint(head.Key, 10, 64); err != nil {
		return err
	}
	for _, t := range s.tables {
		t.items, t.history, t.changed, t.base = map[string]*entry{}, nil, s.rv, s.rv
	}
	for decoder.More() {
		var one saved
		if err := decoder.Decode(&one); err != nil {
			return err
		}
		t, known := s.tables[one.Table]
		if !known {
			return fmt.Errorf("it holds %q, which is not served", one.Table)
		}
		raw, err := json.Marshal(one.Object)
		if err != nil {
			return err
		}
		rv, _ := strconv.ParseUint(text(one.Object, "metadata", "resourceVersion"), 10, 64)
		t.items[one.Key] = &entry{one.Object, raw, rv}
	}
	return nil
}
