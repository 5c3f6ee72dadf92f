// Approves the serving certificates that kubelets ask for, when they are of a host of the inventory and for its own
// name and address. What a node says of itself in its status is not asked: a stolen node could say anything there.
package main

import (
	"errors"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const pause = 2 * time.Second

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	api, err := inCluster()
	if err != nil {
		log.Fatalf("csr-approver: %v", err)
	}
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for {
			if err := follow(api); err != nil {
				log.Printf("asking anew in %v: %v", pause, err)
				time.Sleep(pause)
			}
		}
	}()
	<-ending
}

// follow judges the requests there are, then those that come; it returns when the server ends the watch.
func follow(api *api) error {
	listed, err := api.list()
	if err != nil {
		return err
	}
	for _, request := range listed.Items {
		answer(api, request)
	}
	return api.watch(listed.Metadata.ResourceVersion, func(request object) { answer(api, request) })
}

func answer(api *api, request object) {
	asked, err := read(request)
	if errors.Is(err, errClosed) {
		return
	}
	if err == nil {
		var address string
		if address, err = api.addressOf(asked.node); err == nil {
			err = asked.check(address)
		}
	}
	if err == nil {
		err = api.approve(request)
	}
	if err != nil {
		log.Printf("%s is not approved: %v", asked.name, err)
		return
	}
	log.Printf("%s of node %s is approved", asked.name, asked.node)
}
