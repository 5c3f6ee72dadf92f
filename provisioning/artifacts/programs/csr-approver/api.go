package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	account  = "/var/run/secrets/kubernetes.io/serviceaccount/"
	requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	hosts    = "/api/v1/namespaces/kube-system/configmaps/idcbench-hosts"
	limit    = 5 * time.Minute
)

type object = map[string]any

type listed struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Items []object `json:"items"`
}

// api is the API server, reached as pods reach it.
type api struct {
	base   string
	client *http.Client
}

func inCluster() (*api, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("not in a pod: KUBERNETES_SERVICE_HOST is not set")
	}
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("ca.crt of the service account holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, TLSHandshakeTimeout: 10 * time.Second}
	return &api{"https://" + net.JoinHostPort(host, port), &http.Client{Transport: transport, Timeout: limit}}, nil
}

func (a *api) list() (found listed, err error) {
	return found, a.decode(http.MethodGet, requests+"?"+query(nil), nil, &found)
}

// watch gives every request that is added or changed after version.
func (a *api) watch(version string, judge func(object)) error {
	more := url.Values{"watch": {"true"}, "resourceVersion": {version}, "timeoutSeconds": {"240"}}
	body, err := a.call(http.MethodGet, requests+"?"+query(more), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	for events := json.NewDecoder(body); ; {
		var event struct {
			Type   string `json:"type"`
			Object object `json:"object"`
		}
		if err := events.Decode(&event); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if event.Type == "ERROR" {
			return fmt.Errorf("the watch ended: %s", text(event.Object, "message"))
		}
		if event.Type != "DELETED" {
			judge(event.Object)
		}
	}
}

// addressOf gives the address of a host of the inventory.
func (a *api) addressOf(node string) (string, error) {
	var found struct {
		Data map[string]string `json:"data"`
	}
	if err := a.decode(http.MethodGet, hosts, nil, &found); err != nil {
		return "", err
	}
	if found.Data[node] == "" {
		return "", fmt.Errorf("node %q is not in the inventory", node)
	}
	return found.Data[node], nil
}

func (a *api) approve(request object) error {
	request["status"] = object{"conditions": []object{{
		"type": "Approved", "status": "True", "reason": "HostOfTheInventory",
		"message": "approved by idcbench: a server of this node, at its address in the inventory",
	}}}
	encoded, err := json.Marshal(request)
	if err != nil {
		return err
	}
	name := url.PathEscape(text(request, "metadata", "name"))
	return a.decode(http.MethodPut, requests+"/"+name+"/approval", encoded, &object{})
}

func (a *api) decode(method, path string, content []byte, into any) error {
	body, err := a.call(method, path, content)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

func (a *api) call(method, path string, content []byte) (io.ReadCloser, error) {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(method, a.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	request.Header.Set("Content-Type", "application/json")
	answer, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, said)
	}
	return answer.Body, nil
}

func query(more url.Values) string {
	values := url.Values{"fieldSelector": {"spec.signerName=" + signer}}
	for name, each := range more {
		values[name] = each
	}
	return values.Encode()
}
