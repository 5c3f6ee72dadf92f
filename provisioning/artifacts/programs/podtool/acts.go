package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

const limit = 5 * time.Second

// Each fetch has a connection of its own, so that a Service may choose anew.
var client = &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}}

// fetch gives the body of an answer; one that is no success is an error.
func fetch(url string) (string, error) {
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(body)))
	}
	return string(body), err
}

// lookup gives the addresses of a name, sorted, a line each.
func lookup(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, name)
	sort.Strings(found)
	return strings.Join(found, "\n"), err
}

// dial succeeds when something accepts a connection.
func dial(address string) error {
	connection, err := net.DialTimeout("tcp", address, limit)
	if err == nil {
		err = connection.Close()
	}
	return err
}

// echo sends a datagram and wants it back.
func echo(address string) error {
	connection, err := net.DialTimeout("udp", address, limit)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	sent := strconv.FormatInt(time.Now().UnixNano(), 10)
	if _, err := connection.Write([]byte(sent)); err != nil {
		return err
	}
	back := make([]byte, len(sent))
	n, err := connection.Read(back)
	if err == nil && string(back[:n]) != sent {
		err = fmt.Errorf("sent %q, got %q", sent, back[:n])
	}
	return err
}

// pull reads a body to its end and gives bytes and seconds: `/bytes?count=N` of another pod makes it a bandwidth.
func pull(url string) (string, error) {
	began := time.Now()
	answer, err := http.Get(url) //nolint:noctx // as long as it takes; the caller has a limit
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", errors.New(answer.Status)
	}
	count, err := io.Copy(io.Discard, answer.Body)
	return fmt.Sprintf("%d %.6f", count, time.Since(began).Seconds()), err
}

func read(file string) (string, error) {
	text, err := os.ReadFile(file)
	return string(text), err
}

// write puts a text into a file, on the disk when it returns.
func write(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("two arguments are wanted: FILE TEXT")
	}
	file, err := os.OpenFile(arguments[0], os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(arguments[1])
	return errors.Join(err, file.Sync(), file.Close())
}

func sleep(seconds string) error {
	count, err := strconv.ParseFloat(seconds, 64)
	if err == nil {
		time.Sleep(time.Duration(count * float64(time.Second)))
	}
	return err
}

func fail(code string) error {
	number, err := strconv.Atoi(code)
	if err == nil {
		os.Exit(number)
	}
	return err
}
