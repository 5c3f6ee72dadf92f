package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
)

const address = "10.9.0.21"

// wish is what a request is made of; the zero values are those of a sound one.
type wish struct {
	user, name, signer string
	organizations      []string
	names              []string
	addresses          []string
	uris               []*url.URL
	usages, groups     []any
	conditions         []any
	text               string
}

func request(t *testing.T, w wish) object {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: or(w.name, "system:node:w1"), Organization: w.organizations},
		DNSNames: w.names, URIs: w.uris,
	}
	if w.organizations == nil {
		template.Subject.Organization = []string{"system:nodes"}
	}
	for _, each := range w.addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(each))
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	text := or(w.text, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})))
	usages, groups := w.usages, w.groups
	if usages == nil {
		usages = []any{"digital signature", "server auth"}
	}
	if groups == nil {
		groups = []any{"system:nodes", "system:authenticated"}
	}
	return object{
		"metadata": object{"name": "csr-1"},
		"spec": object{
			"signerName": or(w.signer, signer), "username": or(w.user, "system:node:w1"), "groups": groups, "usages": usages,
			"request": base64.StdEncoding.EncodeToString([]byte(text)),
		},
		"status": object{"conditions": w.conditions},
	}
}

func or(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

func judged(t *testing.T, w wish) error {
	found, err := read(request(t, w))
	if err == nil {
		err = found.check(address)
	}
	return err
}

func TestARequestOfAHostForItselfIsSound(t *testing.T) {
	for _, w := range []wish{{names: []string{"w1"}, addresses: []string{address}}, {addresses: []string{address}}} {
		if err := judged(t, w); err != nil {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

func TestWhatIsNotForItselfAloneIsRefused(t *testing.T) {
	own := []string{address}
	for said, w := range map[string]wish{
		"not by a node":                  {user: "system:serviceaccount:a:b", addresses: own},
		"not for its own node":           {name: "system:node:w2", addresses: own},
		"not for its own node ":          {organizations: []string{"system:masters"}, addresses: own},
		"not in group system:nodes":      {groups: []any{"system:authenticated"}, addresses: own},
		"it names \"api\"":               {names: []string{"w1", "api"}, addresses: own},
		"it names 10.9.0.100":            {addresses: []string{address, "10.9.0.100"}},
		"it names no host":               {},
		"it names mail addresses or UR":  {addresses: own, uris: []*url.URL{{Scheme: "spiffe", Host: "x"}}},
		"it is also for \"client auth\"": {addresses: own, usages: []any{"server auth", "client auth"}},
		"it is not for a server":         {addresses: own, usages: []any{"digital signature"}},
		"not one PEM block":              {addresses: own, text: "nothing"},
	} {
		if err := judged(t, w); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(said)) {
			t.Errorf("%s: %v", said, err)
		}
	}
}

func TestWhatIsAnsweredOrOfAnotherSignerIsPassedOver(t *testing.T) {
	for _, w := range []wish{
		{conditions: []any{object{"type": "Denied"}}}, {signer: "kubernetes.io/kube-apiserver-client-kubelet"},
	} {
		if _, err := read(request(t, w)); !errors.Is(err, errClosed) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}
