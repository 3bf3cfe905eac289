// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	principalsAPolicy = 100 // for each policy, so 10,000 policies for 1,000,000
	policiesAttached  = 4
	statementsAPolicy = 5
	millionRequests   = 1 << 16 // at most; two a principal
	millionChecked    = 2000    // requests that are explained too
	millionAccount    = "111122223333"
)

// A crowd is many principals with shared policies. Which ones follows from a
// principal's number, so that nothing is in memory but what is measured.
type crowd struct {
	principals int
	policies   []*policy.Policy
	sets       map[string]*policy.Set // by ARN
}

// A millionReport is what --million found.
type millionReport struct {
	machine
	Clock      string `json:"clock"`
	Principals int    `json:"principals"`
	Policies   int    `json:"policies"`
	Statements int    `json:"statements_of_policies"`

	Compile       time.Duration `json:"compile_ns"` // all policies, from JSON
	PoliciesHeap  int64         `json:"policies_heap_bytes"`
	Attach        time.Duration `json:"attach_ns"`           // all principals: a set and an entry in a map each
	Heap          int64         `json:"heap_bytes"`          // principals and policies
	Resident      int64         `json:"resident_bytes"`      // of the whole process; 0 if the system does not tell
	Decide        float64       `json:"decide_best_ns"`      // best; the set at hand
	DecideMedian  float64       `json:"decide_median_ns"`    //
	Find          float64       `json:"find_decide_best_ns"` // best; the set is looked up by the principal's ARN
	FindMedian    float64       `json:"find_decide_median_ns"`
	Lowered       float64       `json:"lowered_decide_best_ns"` // best; the set at hand, the request lowered
	LoweredMedian float64       `json:"lowered_decide_median_ns"`
	Requests      int           `json:"requests"` // random
	Allowed       int           `json:"allowed"`
	Denied        int           `json:"explicitly_denied"`
	Checked       int           `json:"checked"`   // against policy.Explain
	Different     int           `json:"different"` // of those
}

// runMillion reports; right is false if a decision was not as explained.
func runMillion(o *options, stdout io.Writer, progress func(string, ...any)) (right bool, err error) {
	r, err := measureMillion(o.principals, o.each, progress)
	if err != nil {
		return false, err
	}
	progress("")
	return r.Different == 0, write(stdout, o.output, r, []table{r.table()}, []string{r.machine.String(), "time: " + r.Clock})
}

// measureMillion spends about each of processor time on either way to decide.
func measureMillion(principals int, each time.Duration, progress func(string, ...any)) (*millionReport, error) {
	c := &crowd{principals: principals}
	r := &millionReport{machine: thisMachine(), Clock: clock, Principals: principals}
	r.Policies = max(policiesAttached, principals/principalsAPolicy)
	r.Statements = r.Policies * statementsAPolicy

	progress("compiling %d policies", r.Policies)
	texts := make([]string, r.Policies)
	for i := range texts {
		texts[i] = crowdPolicy(i)
	}
	empty := heap()
	start := processorTime()
	for i, text := range texts {
		p, err := compile(fmt.Sprintf("managed-%d", i), strings.Clone(text), policy.Identity)
		if err != nil {
			return nil, err
		}
		c.policies = append(c.policies, p)
	}
	r.Compile = processorTime() - start
	r.PoliciesHeap = heap() - empty

	progress("attaching them to %d principals", principals)
	start = processorTime()
	c.load()
	r.Attach = processorTime() - start
	r.Heap = heap() - empty
	runtime.KeepAlive(texts) // so that the heap is not less for want of them
	texts = nil
	debug.FreeOSMemory()
	r.Resident = resident()

	progress("deciding")
	questions, sets := c.questions()
	r.Requests = len(questions)
	for i, q := range questions {
		d := policy.Decide(q, sets[i])
		switch d.Outcome {
		case policy.Allowed:
			r.Allowed++
		case policy.ExplicitDeny:
			r.Denied++
		}
		if i%max(1, r.Requests/millionChecked) == 0 {
			r.Checked++
			if policy.Explain(q, sets[i]).Decision.Outcome != d.Outcome {
				r.Different++
			}
		}
	}
	r.Decide, r.DecideMedian = timeDecisions(len(questions), each/repetitions, func(i int) { policy.Decide(questions[i], sets[i]) })
	r.Find, r.FindMedian = timeDecisions(len(questions), each/repetitions, func(i int) {
		q := questions[i]
		policy.Decide(q, c.sets[q.Principal.ARN])
	})
	lowered := make([]*policy.Lowered, len(questions))
	for i, q := range questions {
		lowered[i] = policy.Lower(q)
	}
	r.Lowered, r.LoweredMedian = timeDecisions(len(questions), each/repetitions, func(i int) { lowered[i].Decide(sets[i]) })
	return r, nil
}

// timeDecisions returns the best and the median time of one of n decisions, in
// ns, of repetitions that take about each or once through all.
func timeDecisions(n int, each time.Duration, decide func(i int)) (best, median float64) {
	runtime.GC()
	var times []float64
	for range repetitions {
		count := 0
		start := processorTime()
		for count == 0 || processorTime()-start < each {
			for i := range n {
				decide(i)
			}
			count += n
		}
		times = append(times, float64(processorTime()-start)/float64(count))
	}
	slices.Sort(times)
	return times[0], times[len(times)/2]
}

// principal returns the ARN of the i-th user and the numbers of its policies,
// each of which differs from the others.
func (c *crowd) principal(i int) (arn string, attached [policiesAttached]int) {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	for j := 0; j < len(attached); {
		p := random.IntN(len(c.policies))
		if !slices.Contains(attached[:j], p) {
			attached[j] = p
			j++
		}
	}
	return fmt.Sprintf("arn:aws:iam::%s:user/crowd/u%07d", millionAccount, i), attached
}

// load makes every principal's set.
func (c *crowd) load() {
	c.sets = make(map[string]*policy.Set, c.principals)
	for i := range c.principals {
		arn, attached := c.principal(i)
		list := make([]*policy.Policy, policiesAttached)
		for j, p := range attached {
			list[j] = c.policies[p]
		}
		c.sets[arn] = &policy.Set{Identity: list}
	}
}

// crowdPolicy returns the document of the i-th policy.
func crowdPolicy(i int) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [
  {"Sid": "Data", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::p%[1]d-data/app-%[1]d/*"},
  {"Sid": "Logs", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::p%[1]d-logs-*/app-%[1]d/*.gz"},
  {"Sid": "Home", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
   "Resource": "arn:aws:s3:::p%[1]d-home/${aws:username}/*"},
  {"Sid": "Secure", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::p%[1]d-secure/*",
   "Condition": {"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "192.168.0.0/16"]}}},
  {"Sid": "Restricted", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::p%[1]d-data/*/restricted/*",
   "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}`, i)
}

// crowdActions are what the requests ask for.
var crowdActions = []string{"s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:DeleteObject"}

// questions draws principals and what they ask for: mostly resources of their
// own policies.
func (c *crowd) questions() ([]*policy.Request, []*policy.Set) {
	random := rand.New(rand.NewPCG(2, 2))
	var questions []*policy.Request
	var sets []*policy.Set
	for range min(millionRequests, 2*c.principals) {
		name, attached := c.principal(random.IntN(c.principals))
		of := attached[random.IntN(policiesAttached)]
		if random.IntN(8) == 0 {
			of = random.IntN(len(c.policies)) // somebody else's
		}
		user := username(name)
		paths := []string{"data/app-%[1]d/d3/obj-%[2]d.dat", "data/app-%[1]d/restricted/obj-%[2]d.dat", "data/elsewhere/obj-%[2]d",
			"logs-w%[2]d/app-%[1]d/w%[2]d.gz", "home/" + user + "/obj-%[2]d", "home/somebody/obj-%[2]d", "secure/obj-%[2]d"}
		ip := fmt.Sprintf("10.%d.%d.%d", random.IntN(256), random.IntN(256), random.IntN(256))
		if random.IntN(8) == 0 {
			ip = fmt.Sprintf("203.0.113.%d", random.IntN(256))
		}
		questions = append(questions, &policy.Request{
			Principal: policy.Principal{Type: policy.User, ARN: name, Account: millionAccount},
			Action:    crowdActions[random.IntN(len(crowdActions))],
			Resource:  fmt.Sprintf("arn:aws:s3:::p%[1]d-"+paths[random.IntN(len(paths))], of, random.IntN(1000)),
			Context: map[string]string{
				"aws:username": user, "aws:userid": "AIDA" + strings.ToUpper(user), "aws:SourceIp": ip,
				"aws:SecureTransport": []string{"true", "true", "true", "false"}[random.IntN(4)],
				"aws:CurrentTime":     "2026-08-30T10:00:00Z", "aws:UserAgent": "aws-cli/2.17.1",
			},
			ResourceAccount: millionAccount,
		})
		sets = append(sets, c.sets[name])
	}
	return questions, sets
}

func (r *millionReport) table() table {
	each := func(total int64, n int) string { return number(float64(total)/float64(n)) + " bytes" }
	rows := [][]string{
		{"what", "all", "each"},
		{"policies compiled, by time", duration(r.Compile), number(float64(r.Compile)/float64(r.Statements)) + " ns a statement"},
		{"policies compiled, by heap", size(r.PoliciesHeap), each(r.PoliciesHeap, r.Statements) + " a statement"},
		{"principals loaded, by time", duration(r.Attach), number(float64(r.Attach)/float64(r.Principals)) + " ns a principal"},
		{"principals loaded, by heap", size(r.Heap - r.PoliciesHeap), each(r.Heap-r.PoliciesHeap, r.Principals) + " a principal"},
		{"heap of both", size(r.Heap), ""},
	}
	if r.Resident > 0 {
		rows = append(rows, []string{"resident, the whole process", size(r.Resident), ""})
	}
	rows = append(rows,
		[]string{"decide, the principal's set at hand", "", fmt.Sprintf("%s ns (median %s)", number(r.Decide), number(r.DecideMedian))},
		[]string{"decide, likewise, the request lowered", "", fmt.Sprintf("%s ns (median %s)", number(r.Lowered), number(r.LoweredMedian))},
		[]string{"find the set by ARN and decide", "", fmt.Sprintf("%s ns (median %s)", number(r.Find), number(r.FindMedian))},
		[]string{"random requests", fmt.Sprintf("%s: %s allowed, %s denied explicitly", number(float64(r.Requests)),
			number(float64(r.Allowed)), number(float64(r.Denied))), ""},
		[]string{"decided otherwise than policy.Explain", fmt.Sprintf("%d of %s", r.Different, number(float64(r.Checked))), ""},
	)
	return table{
		title: fmt.Sprintf("%s principals with %d policies each of %s shared ones, which have %d statements each",
			number(float64(r.Principals)), policiesAttached, number(float64(r.Policies)), statementsAPolicy),
		rows: rows,
	}
}
