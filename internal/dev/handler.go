// SPDX-License-Identifier: Apache-2.0

package dev

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	prefix  = "/_innkeeper"
	maxBody = 4 << 10 // of a request to these paths
)

// handler serves the server's own paths beside the API.
func (s *Server) handler() http.Handler {
	own := http.NewServeMux()
	own.HandleFunc("GET "+prefix, s.getStatus)
	own.HandleFunc("POST "+prefix+"/reset", s.postReset)
	own.HandleFunc("POST "+prefix+"/clock", s.postClock)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && !local(origin) {
			tell(w, http.StatusForbidden, problem{"a web page of " + origin + " asks: nothing is answered to it"})
			return
		}
		if r.URL.Path != prefix && !strings.HasPrefix(r.URL.Path, prefix+"/") {
			run := s.enter()
			if run == nil {
				tell(w, http.StatusServiceUnavailable, problem{errClosed.Error()})
				return
			}
			defer run.leave()
			run.handler.ServeHTTP(w, r)
			return
		}
		if err := trusted(r); err != nil {
			tell(w, http.StatusForbidden, problem{err.Error()})
			return
		}
		own.ServeHTTP(w, r)
	})
}

// local reports whether an origin is of this machine.
func local(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && loopback(u.Hostname())
}

// trusted refuses what a web page could make a browser send: a page of any origin,
// and one whose name was made to resolve to loopback, which the Host tells.
func trusted(r *http.Request) error {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	switch {
	case r.Header.Get("Origin") != "":
		return errors.New("a web page asks: this is for programs only")
	case !loopback(strings.Trim(host, "[]")):
		return errors.New("the Host must be 127.0.0.1, [::1] or localhost")
	}
	return nil
}

type problem struct {
	Error string `json:"error"`
}

func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // to whom should a failure be told
}

// A Status says what a server is and what is on.
type Status struct {
	Name       string       `json:"name"` // says that it is not for production
	Version    string       `json:"version"`
	URL        string       `json:"url"`
	Region     string       `json:"region"`
	Accounts   []string     `json:"accounts"` // that it began with
	Signatures string       `json:"signatures"`
	Policies   string       `json:"policies"`
	Delay      string       `json:"delay"`
	Seed       uint64       `json:"seed,omitempty"` // 0: chance
	Clock      ClockReading `json:"clock"`
	Data       string       `json:"data"` // the directory with the audit log, which a reset replaces
}

// A ClockReading is what the clock shows and by how much it is moved.
type ClockReading struct {
	Now    time.Time `json:"now"`
	Offset string    `json:"offset"`
}

func (s *Server) reading() ClockReading {
	return ClockReading{Now: s.clock.Now().UTC().Truncate(time.Millisecond), Offset: s.clock.Offset().Round(time.Millisecond).String()}
}

// Status returns what the server is and what is on.
func (s *Server) Status() Status {
	policies := "enforced"
	if s.o.Unchecked {
		policies = "not enforced"
	}
	return Status{
		Name: "innkeeper dev, not for production", Version: cmp.Or(s.o.Version, "unknown"), URL: s.URL(), Region: s.o.Region, Accounts: s.Accounts(),
		Signatures: "checked", Policies: policies, Delay: s.o.Delay.String(), Seed: s.o.Seed, Clock: s.reading(), Data: s.now.Load().dir,
	}
}

// Posture is the Status as arguments for a log line.
func (s *Server) Posture() []any {
	st := s.Status()
	seed := any("none")
	if st.Seed != 0 {
		seed = st.Seed
	}
	return []any{
		"url", st.URL, "accounts", strings.Join(st.Accounts, ","), "signatures", st.Signatures, "policies", st.Policies,
		"delay", st.Delay, "seed", seed, "clock", st.Clock.Offset, "region", st.Region, "version", st.Version, "data", st.Data,
	}
}

func (s *Server) getStatus(w http.ResponseWriter, _ *http.Request) {
	tell(w, http.StatusOK, s.Status())
}

func (s *Server) postReset(w http.ResponseWriter, r *http.Request) {
	if err := s.Reset(r.Context()); err != nil {
		tell(w, http.StatusInternalServerError, problem{err.Error()})
		return
	}
	tell(w, http.StatusOK, s.Status())
}

// A move is a request to move the clock: one of the two.
type move struct {
	Advance string    `json:"advance"` // a duration such as 1h30m, or -1h
	Set     time.Time `json:"set"`
}

func (s *Server) postClock(w http.ResponseWriter, r *http.Request) {
	var m move
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(&m)
	if err == nil && d.Decode(new(any)) != io.EOF {
		err = errors.New("something follows the object")
	}
	if err == nil && (m.Advance == "") == m.Set.IsZero() {
		err = errors.New("nothing or too much is asked for")
	}
	if err != nil {
		tell(w, http.StatusBadRequest, problem{err.Error() + `: give {"advance": "1h30m"} or {"set": "2030-01-02T03:04:05Z"}`})
		return
	}
	if m.Advance != "" {
		var by time.Duration
		if by, err = time.ParseDuration(m.Advance); err == nil {
			err = s.Advance(r.Context(), by)
		}
	} else {
		err = s.Set(r.Context(), m.Set)
	}
	if err != nil {
		tell(w, http.StatusBadRequest, problem{err.Error()})
		return
	}
	tell(w, http.StatusOK, s.reading())
}
