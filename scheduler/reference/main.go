// What kube-scheduler itself makes of a pod: reads cases from stdin, one JSON object per line, and answers each with
// a line: which nodes pass, who refused the others and why, every score before and after normalising, the total, the
// node that would be chosen and, where asked for, whom preemption would evict. The plugins, their order, defaults and
// the code that calls them are those of the Kubernetes release that this is built from; nothing here decides.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/component-base/version"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Printf("Kubernetes %s\n", version.Get().GitVersion)
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "--plugins" {
		if err := json.NewEncoder(os.Stdout).Encode(defaultPlugins(context.Background())); err != nil {
			os.Exit(1)
		}
		return
	}
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// defaultPlugins tells what runs at each extension point without a configuration, in order, with weights.
func defaultPlugins(ctx context.Context) map[string][]config.Plugin {
	b, err := newWorld(ctx).brain(nil)
	if err != nil {
		panic(err)
	}
	all := b.framework.ListPlugins()
	return map[string][]config.Plugin{"preFilter": all.PreFilter.Enabled, "filter": all.Filter.Enabled,
		"postFilter": all.PostFilter.Enabled, "score": all.Score.Enabled}
}

// serve answers until stdin ends. A case that cannot be answered is answered with its error; the next one follows.
func serve(ctx context.Context) error {
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	writer := bufio.NewWriterSize(os.Stdout, 1<<16)
	world := newWorld(ctx)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			if err := json.NewEncoder(writer).Encode(answerLine(ctx, world, line)); err != nil {
				return err
			}
			// the caller may wait for this answer before it sends the next case
			if reader.Buffered() == 0 {
				if err := writer.Flush(); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return writer.Flush()
		}
	}
}

func answerLine(ctx context.Context, world *world, line []byte) (result *answer) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return &answer{Error: "the case is not readable: " + err.Error()}
	}
	defer func() {
		if what := recover(); what != nil {
			result = &answer{ID: asked.ID, Error: fmt.Sprintf("panic: %v", what)}
		}
	}()
	result, err := world.answer(ctx, &asked)
	if err != nil {
		return &answer{ID: asked.ID, Error: err.Error()}
	}
	return result
}
