// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
)

// Headers of forward authentication.
const (
	headerCredential = "X-Innkeeper-Authorization" // the proxy's own, as in Authorization
	headerPrincipal  = "X-Innkeeper-Principal"     // of answers: the ARN of who makes the request
	headerAccount    = "X-Innkeeper-Account"
	headerReason     = "X-Innkeeper-Reason"
)

// forward answers a proxy that asks whether a request may pass: 200 with who makes
// it, 401 if that is not known, 403 if it may not. Everything else is a failure, which
// proxies take for a refusal.
func (h *Handler) forward(w http.ResponseWriter, r *http.Request) {
	rt, reason, err := route(r.URL.RawQuery)
	var o *ask.Original
	if err == nil {
		o, err = original(r)
	}
	if err != nil {
		status, message := ask.Status(err)
		http.Error(w, message, status)
		return
	}
	credential, ok := one(r.Header, headerCredential)
	if !ok {
		http.Error(w, "the header "+headerCredential+" came twice", http.StatusForbidden)
		return
	}
	a := h.o.Desk.Admit(r.Context(), "forward", h.env(r), credential, rt, o)
	if a.Client != nil && a.Status != http.StatusUnauthorized {
		w.Header().Set(headerPrincipal, a.Client.ARN)
		w.Header().Set(headerAccount, string(a.Client.Account))
	}
	if a.Status == http.StatusOK {
		w.WriteHeader(http.StatusOK)
		return
	}
	if a.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	if reason {
		w.Header().Set(headerReason, strings.Map(printable, a.Message))
	}
	if a.Status >= http.StatusInternalServerError || a.Client == nil && a.Status == http.StatusForbidden {
		h.o.Log.Warn("a proxy was not answered", "status", a.Status, "reason", a.Message)
	}
	http.Error(w, http.StatusText(a.Status), a.Status)
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

// route reads the parameters that a proxy's configuration fixes, and whether
// refusals tell their reason.
func route(query string) (rt *ask.Route, reason bool, err error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, false, invalid("the parameters are not well-formed")
	}
	rt = new(ask.Route)
	fields := map[string]*string{
		"service": &rt.Service, "account": &rt.Account, "region": &rt.Region, "map": &rt.Map, "action": &rt.Action, "resource": &rt.Resource,
		"reason": new(string),
	}
	for name, values := range params {
		to := fields[name]
		if to == nil || len(values) != 1 {
			return nil, false, invalid("the parameters are service, account, region, map, action, resource and reason, each once")
		}
		*to = values[0]
	}
	return rt, *fields["reason"] == "1", nil
}

// original is the request that the proxy asks about, by its headers: X-Original-…
// or X-Forwarded-…. Where both are there they must say the same, so that no client adds one
// that its proxy does not know.
func original(r *http.Request) (*ask.Original, error) {
	o := &ask.Original{Header: r.Header.Clone()}
	for _, f := range []struct {
		to           *string
		name, second string
	}{
		{&o.Method, "X-Original-Method", "X-Forwarded-Method"},
		{&o.Target, "X-Original-Uri", "X-Forwarded-Uri"},
		{&o.Host, "X-Original-Host", "X-Forwarded-Host"},
	} {
		first, ok := one(r.Header, f.name)
		second, ok2 := one(r.Header, f.second)
		switch {
		case !ok || !ok2 || first != "" && second != "" && first != second:
			return nil, &ask.AmbiguousError{Message: "the headers " + f.name + " and " + f.second + " contradict each other"}
		case first == "" && second == "":
			return nil, &ask.AmbiguousError{Message: "the proxy sends neither " + f.name + " nor " + f.second}
		}
		*f.to = cmp.Or(first, second)
	}
	o.Header.Del(headerCredential)
	proto, _ := one(r.Header, "X-Forwarded-Proto")
	o.Secure = proto == "https"
	// The last address is the one that the proxy saw; those before it are hearsay.
	if hops := r.Header.Values("X-Forwarded-For"); len(hops) > 0 {
		last := hops[len(hops)-1]
		o.Client = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	return o, nil
}

// one returns the value of a header, "" when it is not there, and false when it
// came more than once.
func one(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) == 0 {
		return "", true
	}
	return values[0], len(values) == 1
}
