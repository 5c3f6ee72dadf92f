package main

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// What can be timed: each is one request, with a connection of its own.
var timed = map[string]func(argument string) error{
	"fetch":  func(url string) error { _, err := fetch(url); return err },
	"lookup": func(name string) error { _, err := lookup(name); return err },
	"dial":   dial,
}

func chosen(arguments []string) (func() error, error) {
	do := timed[arguments[0]]
	if do == nil {
		return nil, errors.New("fetch, lookup or dial is wanted")
	}
	return func() error { return do(arguments[1]) }, nil
}

// times does something so often, one after the other, and gives how long each took in microseconds, a line each.
func times(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("three arguments are wanted: COUNT fetch|lookup|dial WHAT")
	}
	count, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	do, err := chosen(arguments[1:])
	if err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		began := time.Now()
		if err := do(); err != nil {
			return err
		}
		fmt.Printf("%.1f\n", float64(time.Since(began).Nanoseconds())/1000)
	}
	return nil
}

// rate does something as often as so many at once can, for some seconds; gives how often it went well, how often not,
// and the seconds.
func rate(arguments []string) error {
	if len(arguments) != 4 {
		return errors.New("four arguments are wanted: SECONDS AT-ONCE fetch|lookup|dial WHAT")
	}
	seconds, err := strconv.ParseFloat(arguments[0], 64)
	atOnce, err2 := strconv.Atoi(arguments[1])
	do, err3 := chosen(arguments[2:])
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	var well, ill atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	until := began.Add(time.Duration(seconds * float64(time.Second)))
	for i := 0; i < atOnce; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(until) {
				if do() == nil {
					well.Add(1)
				} else {
					ill.Add(1)
				}
			}
		}()
	}
	all.Wait()
	fmt.Printf("%d %d %.6f\n", well.Load(), ill.Load(), time.Since(began).Seconds())
	return nil
}
