package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

const (
	signer    = "kubernetes.io/kubelet-serving"
	userStart = "system:node:"
	group     = "system:nodes"
)

var (
	usages    = []string{"digital signature", "key encipherment", "server auth"}
	errClosed = errors.New("answered already, or not a kubelet's")
)

// asked is what one request is for.
type asked struct {
	name, node     string
	usages, groups []string
	request        *x509.CertificateRequest
}

// read takes a CertificateSigningRequest apart; errClosed when there is nothing to answer.
func read(given object) (found asked, err error) {
	found.name = text(given, "metadata", "name")
	if text(given, "spec", "signerName") != signer || text(given, "status", "certificate") != "" ||
		len(list[any](given, "status", "conditions")) > 0 {
		return found, errClosed
	}
	user := text(given, "spec", "username")
	if !strings.HasPrefix(user, userStart) {
		return found, fmt.Errorf("asked for by %q, not by a node", user)
	}
	found.node = strings.TrimPrefix(user, userStart)
	found.usages, found.groups = list[string](given, "spec", "usages"), list[string](given, "spec", "groups")
	encoded, err := base64.StdEncoding.DecodeString(text(given, "spec", "request"))
	if err != nil {
		return found, err
	}
	block, rest := pem.Decode(encoded)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(bytes.TrimSpace(rest)) > 0 {
		return found, errors.New("its request is not one PEM block")
	}
	if found.request, err = x509.ParseCertificateRequest(block.Bytes); err == nil {
		err = found.request.CheckSignature()
	}
	return found, err
}

// check says why the request is not for a server of the node at this address alone.
func (a asked) check(address string) error {
	subject := a.request.Subject
	switch {
	case !slices.Contains(a.groups, group):
		return fmt.Errorf("its user is not in group %s", group)
	case subject.CommonName != userStart+a.node || !slices.Equal(subject.Organization, []string{group}):
		return fmt.Errorf("it is for %q of %q, not for its own node", subject.CommonName, subject.Organization)
	case len(a.request.EmailAddresses)+len(a.request.URIs) > 0:
		return errors.New("it names mail addresses or URIs")
	case len(a.request.DNSNames)+len(a.request.IPAddresses) == 0:
		return errors.New("it names no host")
	case !slices.Contains(a.usages, "server auth"):
		return errors.New("it is not for a server")
	}
	for _, usage := range a.usages {
		if !slices.Contains(usages, usage) {
			return fmt.Errorf("it is also for %q", usage)
		}
	}
	for _, name := range a.request.DNSNames {
		if name != a.node {
			return fmt.Errorf("it names %q, the node is %q", name, a.node)
		}
	}
	for _, each := range a.request.IPAddresses {
		if !each.Equal(net.ParseIP(address)) {
			return fmt.Errorf("it names %s, the node has %s in the inventory", each, address)
		}
	}
	return nil
}

// at gives what lies at a path of an object, nil when there is nothing.
func at(given object, path ...string) any {
	for _, name := range path[:len(path)-1] {
		given, _ = given[name].(object)
	}
	return given[path[len(path)-1]]
}

func text(given object, path ...string) string {
	found, _ := at(given, path...).(string)
	return found
}

func list[T any](given object, path ...string) (found []T) {
	listed, _ := at(given, path...).([]any)
	for _, each := range listed {
		if one, ok := each.(T); ok {
			found = append(found, one)
		}
	}
	return found
}
