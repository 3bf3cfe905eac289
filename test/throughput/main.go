// SPDX-License-Identifier: Apache-2.0

// Command throughput measures the gateway beside a plain reverse proxy that checks
// nothing (httputil.ReverseProxy) and beside the store alone, in turns, with the
// same clients: small objects by the second, large ones by the byte. Every party is
// a process of its own, and all share the machine.
//
//	go run ./throughput [-store versitygw|memory] [-n 20000] [-c 16] [-rounds 5] [-large 1024]
package main

import (
	"cmp"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/test/server"
	"github.com/innkeeper-iam/innkeeper/test/versity"
)

const (
	bucket = "throughput"
	small  = 1 << 10 // bytes
)

// A party is one way to the store.
type party struct {
	name    string
	address string     // that is connected to
	host    string     // that is signed
	key     server.Key // that signs
	pid     int        // whose processor time counts; 0: nobody's
	memory  func() (now, peak int64, err error)
}

func main() {
	store := flag.String("store", "versitygw", "versitygw, or memory: a store that does nothing but answer")
	n := flag.Int("n", 20000, "small requests a round")
	c := flag.Int("c", 16, "connections")
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	large := flag.Int64("large", 1024, "size of the large object, in MiB; 0: none")
	be := flag.String("be", "", "be a part of it: proxy or memory")
	at := flag.String("at", "", "its address")
	to := flag.String("to", "", "the store's address")
	flag.Parse()
	var err error
	switch *be {
	case "proxy":
		err = serveProxy(*at, *to)
	case "memory":
		err = serveMemory(*at)
	default:
		err = compare(*store, *n, *c, *rounds, *large<<20)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "throughput:", err)
		os.Exit(1)
	}
}

// compare measures every party in turns and prints the tables.
func compare(store string, n, connections, rounds int, large int64) error {
	dir, err := os.MkdirTemp("", "innkeeper-throughput-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	parties, end, err := open(dir, store)
	defer end()
	if err != nil {
		return err
	}
	if err := fill(parties, large); err != nil {
		return err
	}
	fmt.Printf("store: %s; %d connections; medians of %d rounds in turns\n\n", store, connections, rounds)
	if err := compareSmall(parties, n, connections, rounds); err != nil {
		return err
	}
	if large == 0 {
		return nil
	}
	fmt.Println()
	return compareLarge(parties, large, rounds)
}

func compareSmall(parties []party, n, connections, rounds int) error {
	results := make([][]result, len(parties))
	for range rounds {
		for i, p := range parties {
			r, err := measure(p, request(p, "GET", "small", nil), n, connections)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			results[i] = append(results[i], r)
		}
	}
	fmt.Printf("%-12s %10s %9s %9s %9s %12s\n", "GET of 1 KiB", "a second", "of plain", "p50 µs", "p99 µs", "CPU µs")
	var plain result
	for i, p := range parties {
		m := median(results[i])
		if p.name == "plain proxy" {
			plain = m
		}
		share := "-"
		if plain.rate > 0 {
			share = fmt.Sprintf("%.0f %%", 100*m.rate/plain.rate)
		}
		fmt.Printf("%-12s %10.0f %9s %9.0f %9.0f %12.1f\n", p.name, m.rate, share, m.p50, m.p99, m.cpu)
	}
	gate := median(results[len(results)-1])
	fmt.Printf("added to the plain proxy: p50 %+.0f µs, p99 %+.0f µs\n", gate.p50-plain.p50, gate.p99-plain.p99)
	return nil
}

func compareLarge(parties []party, size int64, rounds int) error {
	fmt.Printf("%-12s %14s %9s %14s %9s %18s\n", fmt.Sprintf("%d MiB", size>>20), "GET MiB/s", "of plain", "PUT MiB/s", "of plain", "memory, peak MiB")
	type rates struct{ get, put []float64 }
	all := make([]rates, len(parties))
	for range rounds {
		for i, p := range parties {
			get, err := download(p, size)
			if err != nil {
				return fmt.Errorf("%s: GET: %w", p.name, err)
			}
			put, err := upload(p, "copy", size)
			if err != nil {
				return fmt.Errorf("%s: PUT: %w", p.name, err)
			}
			all[i].get, all[i].put = append(all[i].get, get), append(all[i].put, put)
		}
	}
	var plain [2]float64
	for i, p := range parties {
		get, put := middle(all[i].get), middle(all[i].put)
		if p.name == "plain proxy" {
			plain = [2]float64{get, put}
		}
		share := func(v, of float64) string {
			if of == 0 {
				return "-"
			}
			return fmt.Sprintf("%.0f %%", 100*v/of)
		}
		memory := "-"
		if p.memory != nil {
			_, peak, err := p.memory()
			if err != nil {
				return err
			}
			memory = fmt.Sprintf("%.0f", float64(peak)/(1<<20))
		}
		fmt.Printf("%-12s %14.0f %9s %14.0f %9s %18s\n", p.name, get, share(get, plain[0]), put, share(put, plain[1]), memory)
	}
	return nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func median(rs []result) result {
	slices.SortFunc(rs, func(a, b result) int { return cmp.Compare(a.rate, b.rate) })
	return rs[len(rs)/2]
}

// open starts the store, the proxy and the gateway.
func open(dir, store string) (parties []party, end func(), err error) {
	var ends []func()
	end = func() {
		for _, f := range slices.Backward(ends) {
			f()
		}
	}
	key, address := server.Key{ID: "AKIASTORE", Secret: "the store's own secret"}, ""
	pid := 0
	switch store {
	case "versitygw":
		s, err := versity.Run(dir, free())
		if err != nil {
			return nil, end, err
		}
		ends = append(ends, s.Kill)
		key, address, pid = s.Key, s.URL[len("http://"):], s.PID()
	case "memory":
		address = free()
		cmd, err := self("-be", "memory", "-at", address)
		if err != nil {
			return nil, end, err
		}
		ends = append(ends, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		pid = cmd.Process.Pid
	default:
		return nil, end, fmt.Errorf("no store is named %q", store)
	}
	credentials := filepath.Join(dir, "store.credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key.ID, key.Secret)
	if err := os.WriteFile(credentials, []byte(text), 0o600); err != nil {
		return nil, end, err
	}
	proxy := free()
	cmd, err := self("-be", "proxy", "-at", proxy, "-to", address)
	if err != nil {
		return nil, end, err
	}
	ends = append(ends, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	inn, err := server.Run(server.Options{Data: filepath.Join(dir, "inn"), Args: []string{
		"--upstream", "http://" + address, "--upstream-credentials", credentials, "--gateway-listen", "127.0.0.1:0",
		"--upstream-keys", "strict", // the store in memory cannot be probed
	}})
	if err != nil {
		return nil, end, err
	}
	ends = append(ends, inn.Kill)
	gate := inn.Gateway[len("http://"):]
	return []party{
		{name: "store alone", address: address, host: address, key: key, pid: pid},
		{name: "plain proxy", address: proxy, host: address, key: key, pid: cmd.Process.Pid, memory: memoryOf(cmd.Process.Pid)},
		{name: "gateway", address: gate, host: gate, key: inn.Admin, pid: inn.PID(), memory: inn.RSS},
	}, end, nil
}

// fill makes the bucket, through the gateway, and its objects.
func fill(parties []party, large int64) error {
	gate := parties[len(parties)-1]
	if err := wait(parties[1].address); err != nil {
		return err
	}
	if err := once(gate, request(gate, "PUT", "", nil)); err != nil {
		return fmt.Errorf("making the bucket: %w", err)
	}
	if err := once(gate, request(gate, "PUT", "small", make([]byte, small))); err != nil {
		return fmt.Errorf("storing the small object: %w", err)
	}
	if large > 0 {
		if _, err := upload(gate, "large", large); err != nil {
			return fmt.Errorf("storing the large object: %w", err)
		}
	}
	return nil
}

// self runs this program as a part of the comparison.
func self(args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	return cmd, cmd.Start()
}

// free returns an address that nobody listens on.
func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0" // whoever listens there says what is wrong
	}
	defer l.Close()
	return l.Addr().String()
}

// wait returns once somebody listens on the address.
func wait(address string) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
