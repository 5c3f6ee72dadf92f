// Writes the host's CNI configuration when flannel has said which pods' addresses are this host's, and whenever that
// changes: pods on a bridge, addresses by host-local. So the kubelet calls the network ready when it is.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const interval = 200 * time.Millisecond

type object = map[string]any

func main() {
	lease := flag.String("lease", "/run/flannel/subnet.env", "what flanneld writes")
	target := flag.String("target", "/etc/cni/net.d/10-flannel.conflist", "what the container runtime reads")
	once := flag.Bool("once", false, "write it and end")
	flag.Parse()
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM)
	tick := time.NewTicker(interval)
	for {
		wrote, err := follow(*lease, *target)
		switch {
		case wrote:
			fmt.Printf("wrote %s\n", *target)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			fmt.Fprintf(os.Stderr, "cni-conf: %v\n", err)
			os.Exit(1)
		}
		if *once && err == nil {
			return
		}
		select {
		case <-ending:
			return
		case <-tick.C:
		}
	}
}

// follow writes the target when it is not what the lease asks for.
func follow(lease, target string) (bool, error) {
	text, err := os.ReadFile(lease)
	if err != nil {
		return false, err
	}
	wanted, err := configuration(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", lease, err)
	}
	if there, err := os.ReadFile(target); err == nil && string(there) == string(wanted) {
		return false, nil
	}
	fresh := filepath.Join(filepath.Dir(target), "."+filepath.Base(target))
	if err := os.WriteFile(fresh, wanted, 0o644); err != nil {
		return false, err
	}
	return true, os.Rename(fresh, target)
}

// configuration is what the flannel CNI plugin would hand to bridge, made once instead of for each pod.
func configuration(lease string) ([]byte, error) {
	said := map[string]string{}
	for _, line := range strings.Split(lease, "\n") {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			said[name] = value
		}
	}
	mtu, wrong := strconv.Atoi(said["FLANNEL_MTU"])
	own, err := netip.ParsePrefix(said["FLANNEL_SUBNET"]) // the host's own address in it
	all, failed := netip.ParsePrefix(said["FLANNEL_NETWORK"])
	if err := errors.Join(wrong, err, failed); err != nil {
		return nil, fmt.Errorf("FLANNEL_SUBNET, FLANNEL_NETWORK and FLANNEL_MTU are wanted: %w", err)
	}
	bridge := object{
		"type":             "bridge",
		"bridge":           "cni0",
		"mtu":              mtu,
		"isDefaultGateway": true,
		"hairpinMode":      true,
		"ipMasq":           said["FLANNEL_IPMASQ"] != "true", // flannel does it, or else the bridge
		"ipam": object{
			"type":   "host-local",
			"ranges": [][]object{{{"subnet": own.Masked().String()}}},
			"routes": []object{{"dst": all.String()}},
		},
	}
	ports := object{"type": "portmap", "capabilities": object{"portMappings": true}}
	whole := object{"cniVersion": "0.4.0", "name": "cbr0", "plugins": []object{bridge, ports}}
	text, err := json.MarshalIndent(whole, "", "  ")
	return append(text, '\n'), err
}
