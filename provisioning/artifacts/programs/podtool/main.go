// What a test asks a pod to do, without a shell in its image: `podtool serve` answers HTTP and echoes UDP, the other
// commands do one thing and end, for `kubectl exec`, Jobs and probes.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

var commands = map[string]func(arguments []string) error{
	"serve":  serve,
	"fetch":  one("URL", func(url string) error { return show(fetch(url)) }),
	"lookup": one("NAME", func(name string) error { return show(lookup(name)) }),
	"dial":   one("ADDRESS:PORT", dial),
	"echo":   one("ADDRESS:PORT", echo),
	"pull":   one("URL", func(url string) error { return show(pull(url)) }),
	"read":   one("FILE", func(file string) error { return show(read(file)) }),
	"write":  write,
	"sleep":  one("SECONDS", sleep),
	"fail":   one("CODE", fail),
	"times":  times,
	"rate":   rate,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		names := make([]string, 0, len(commands))
		for name := range commands {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: podtool %s …\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "podtool %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// one makes a command out of a function of a single argument.
func one(what string, do func(string) error) func([]string) error {
	return func(arguments []string) error {
		if len(arguments) != 1 {
			return fmt.Errorf("one argument is wanted: %s", what)
		}
		return do(arguments[0])
	}
}

func show(text string, err error) error {
	if err == nil {
		fmt.Println(strings.TrimSuffix(text, "\n"))
	}
	return err
}
