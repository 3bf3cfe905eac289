// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	repetitions = 15
	fewest      = 256 // requests timed of a workload, however slow the engine

	// countedDecisions are enough for the few allocations of the run time not
	// to show.
	countedDecisions = 2048

	loadBudget = 300 * time.Millisecond
	mostLoads  = 50
)

// A cell is what one engine did with one workload.
type cell struct {
	Workload string `json:"workload"`
	Engine   string `json:"engine"`

	Best   float64 `json:"best_ns"`         // of a decision, in the fastest repetition
	Median float64 `json:"median_ns"`       // over the repetitions
	Ratio  float64 `json:"ratio,omitempty"` // of Best to that of innkeeper; 0 if it was not asked
	Allocs float64 `json:"allocs"`          // a decision
	Bytes  float64 `json:"bytes"`           // allocated, a decision

	Load time.Duration `json:"load_ns"`    // from text to ready
	Heap int64         `json:"heap_bytes"` // kept after loading

	Requests  int    `json:"requests"`                  // all of them were asked and checked
	Timed     int    `json:"timed_requests"`            // evenly spread
	Different int    `json:"different"`                 // requests not decided as wanted, at least once
	First     string `json:"different_first,omitempty"` // what the first of them was
}

// A contest is the engines that take turns on one workload.
type contest struct {
	w        *workload
	each     time.Duration // of processor time an engine is timed for, roughly
	progress func(format string, args ...any)
	players  []*player
}

type player struct {
	cell
	engine *engine
	ask    ask
	sample []int            // requests that are timed
	want   []policy.Outcome // of each of sample
	rounds int              // over the sample in a repetition
	times  []float64
	wrong  map[int]bool
}

// run measures engines on w.
func run(w *workload, engines []*engine, each time.Duration, progress func(string, ...any)) ([]cell, error) {
	c := &contest{w: w, each: each, progress: progress}
	for _, e := range engines {
		progress("%s: %s: loading", w.name, e.name)
		p := &player{engine: e, cell: cell{Workload: w.name, Engine: e.label()}, wrong: map[int]bool{}}
		if err := p.load(w); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", w.name, e.name, err)
		}
		progress("%s: %s: checking %d decisions", w.name, e.name, len(w.requests))
		p.check(w, each/repetitions)
		c.players = append(c.players, p)
	}
	for round := range repetitions {
		for i := range c.players {
			p := c.players[(i+round)%len(c.players)]
			progress("%s: repetition %d of %d: %s", w.name, round+1, repetitions, p.engine.name)
			p.repeat(w)
		}
	}
	return c.results(), nil
}

// load translates, loads as often as the budget lets it, and takes the requests.
func (p *player) load(w *workload) error {
	docs, err := p.engine.write(w)
	if err != nil {
		return err
	}
	var ready prepare
	best := time.Duration(math.MaxInt64)
	begin := time.Now()
	for n := 0; n == 0 || n < mostLoads && time.Since(begin) < loadBudget; n++ {
		ready = nil
		before := heap()
		text := clone(docs)
		start := processorTime()
		if ready, err = p.engine.load(text); err != nil {
			return err
		}
		best = min(best, processorTime()-start)
		text = nil
		p.Heap = max(0, heap()-before)
	}
	p.Load = best
	p.ask, err = ready(w.requests)
	return err
}

// check asks every request, chooses those to be timed, and counts allocations.
func (p *player) check(w *workload, each time.Duration) {
	start := processorTime()
	for i := range w.requests {
		p.compare(w, i)
	}
	p.Requests = len(w.requests)
	took := max(1, (processorTime()-start)/time.Duration(len(w.requests)))
	p.Timed = min(p.Requests, max(fewest, int(each/took/2)))
	for i := range p.Timed {
		at := i * p.Requests / p.Timed
		p.sample = append(p.sample, at)
		p.want = append(p.want, w.requests[at].want)
	}
	p.rounds = max(1, int(each/took)/p.Timed-1)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rounds := max(1, countedDecisions/p.Timed)
	for range rounds {
		for _, i := range p.sample {
			p.ask(i)
		}
	}
	runtime.ReadMemStats(&after)
	p.Allocs = float64(after.Mallocs-before.Mallocs) / float64(rounds*p.Timed)
	p.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(rounds*p.Timed)
}

// compare asks one request and notes an answer that is not the one wanted.
func (p *player) compare(w *workload, i int) {
	q := &w.requests[i]
	got := p.ask(i)
	if got == q.want || p.wrong[i] {
		return
	}
	p.wrong[i] = true
	if p.First == "" {
		p.First = fmt.Sprintf("request %d: %s on %s by %s: %v, want %v", i, q.action, q.resource, q.principal, got, q.want)
	}
}

// repeat times the sample. Before, it collects what others left and asks the
// sample once, so that the caches hold as much of it as they can.
func (p *player) repeat(w *workload) {
	runtime.GC()
	for _, i := range p.sample {
		p.ask(i)
	}
	different := 0
	start := processorTime()
	for range p.rounds {
		for j, i := range p.sample {
			if p.ask(i) != p.want[j] {
				different++
			}
		}
	}
	took := processorTime() - start
	p.times = append(p.times, float64(took)/float64(p.rounds*p.Timed))
	if different > 0 {
		for _, i := range p.sample {
			p.compare(w, i)
		}
	}
}

func (c *contest) results() []cell {
	var cells []cell
	for _, p := range c.players {
		slices.Sort(p.times)
		p.Best, p.Median = p.times[0], p.times[len(p.times)/2]
		if first := c.players[0]; first.engine == engines[0] {
			p.Ratio = p.Best / first.times[0]
		}
		p.Different = len(p.wrong)
		cells = append(cells, p.cell)
	}
	return cells
}

// heap returns the bytes in use after two collections: the first one only
// demotes what pools hold.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
