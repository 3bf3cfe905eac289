// SPDX-License-Identifier: Apache-2.0

// Command load measures requests end to end, verified, decided, recorded and
// answered, over loopback. Beside each operation it measures the floor, in turns:
// a bare net/http handler that verifies the same kind of signature and answers.
//
//	go run ./load [-n 4000] [-c 16] [-rounds 3] [-users 1000] [-only CreateUser]
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const account = "111122223333" // that everything happens in

// users are how many are in the account before anything is measured, 1000 at least.
var users = 1000

// An operation is one row of the table.
type operation struct {
	name, service string
	form          func(i int) string // body of request i
	share         int                // of the requests of other operations: one in so many
}

var operations = []operation{
	{"GetCallerIdentity", "sts", func(int) string { return sts("GetCallerIdentity") }, 1},
	{"GetUser", "iam", func(i int) string { return iam("GetUser", "UserName", fmt.Sprint("user", i%users)) }, 1},
	{"AssumeRole", "sts", func(int) string {
		return sts("AssumeRole", "RoleArn", "arn:aws:iam::"+account+":role/bench", "RoleSessionName", "bench")
	}, 1},
	{"CreateUser (durable)", "iam", func(i int) string {
		return iam("CreateUser", "UserName", fmt.Sprintf("new-%d-%d", time.Now().UnixNano(), i))
	}, 4},
	{"ListUsers (1000)", "iam", func(int) string { return iam("ListUsers", "MaxItems", "1000") }, 8},
	{"SimulatePrincipalPolicy", "iam", func(int) string {
		return iam("SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::"+account+":user/user0",
			"ActionNames.member.1", "s3:GetObject", "ActionNames.member.2", "s3:PutObject", "ResourceArns.member.1", "arn:aws:s3:::bench/a")
	}, 1},
}

func main() {
	n := flag.Int("n", 4000, "requests a round")
	c := flag.Int("c", 16, "connections")
	rounds := flag.Int("rounds", 3, "rounds, of which the median counts")
	only := flag.String("only", "", "measure only operations whose name begins with this")
	floor := flag.String("floor", "", "be the floor, with this secret")
	flag.IntVar(&users, "users", users, "users in the account before anything is measured, 1000 at least")
	flag.Parse()
	var err error
	switch {
	case users < 1000:
		err = fmt.Errorf("-users %d must be at least 1000, which is a page of ListUsers", users)
	case *floor != "":
		err = serveFloor(*floor)
	default:
		err = compare(*n, *c, *rounds, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// compare measures every operation and prints the table.
func compare(n, connections, rounds int, only string) error {
	data, err := os.MkdirTemp("", "innkeeper-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	inn, err := server.Run(server.Options{Data: data, Args: []string{"--account-id", account}})
	if err != nil {
		return err
	}
	defer inn.Kill()
	base, err := startFloor(inn.Admin)
	if err != nil {
		return err
	}
	defer base.stop()
	program, err := server.Program()
	if err != nil {
		return err
	}
	quota := exec.Command(program, "account", "quota", "--data", data, account, fmt.Sprint("UsersPerAccount=", 10*(users+n*rounds)))
	if out, err := quota.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	host := target{inn.URL, inn.Admin, inn.CPU}
	if err := prepare(host, connections); err != nil {
		return err
	}
	now, peak, err := inn.RSS()
	if err != nil {
		return err
	}
	fmt.Printf("%d users; ready in %v; resident %d MiB, %d at most so far; %d connections; median of %d rounds\n",
		users, inn.Took.Round(time.Millisecond), now>>20, peak>>20, connections, rounds)
	fmt.Printf("%-24s %9s %8s %8s %10s %10s %10s %7s %7s\n", "", "req/s", "p50 ms", "p99 ms", "CPU µs", "floor/s", "floor CPU", "rate", "CPU")
	for _, op := range operations {
		if !strings.HasPrefix(op.name, only) {
			continue
		}
		var got, floor []result
		for range rounds {
			f, err := measure(base.target, operations[0], n, connections)
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			r, err := measure(host, op, n/op.share, connections)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			floor, got = append(floor, f), append(got, r)
		}
		f, r := median(floor), median(got)
		fmt.Printf("%-24s %9.0f %8.2f %8.2f %10.1f %10.0f %10.1f %6.0f%% %6.1fx\n",
			op.name, r.rate, r.p50, r.p99, r.cpu, f.rate, f.cpu, 100*r.rate/f.rate, r.cpu/f.cpu)
	}
	return nil
}

// median returns the result in the middle by rate.
func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.rate, b.rate) })
	return all[len(all)/2]
}

// prepare fills the account.
func prepare(host target, connections int) error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bench/*"}]}`
	for _, step := range []struct {
		n    int
		form func(i int) string
	}{
		{1, func(int) string { return iam("CreateRole", "RoleName", "bench", "AssumeRolePolicyDocument", trust) }},
		{users - 1, func(i int) string { return iam("CreateUser", "UserName", fmt.Sprint("user", i+1)) }},
		{1, func(int) string { return iam("CreateUser", "UserName", "user0") }},
		{1, func(int) string {
			return iam("PutUserPolicy", "UserName", "user0", "PolicyName", "p", "PolicyDocument", allow)
		}},
	} {
		if _, err := measure(host, operation{"prepare", "iam", step.form, 1}, step.n, connections); err != nil {
			return err
		}
	}
	return nil
}
