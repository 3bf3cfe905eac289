// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Signature is what a request says about its own signature. Nothing in it is
// proven before Verify returned nil. It must not be used by two goroutines at
// once.
type Signature struct {
	Credential
	Presigned     bool          // in the query string, not in the Authorization header
	Form          bool          // in the fields of a POST policy form: for VerifyPolicy, not for Verify
	Time          time.Time     // of signing, by the client's clock, to the second
	Expires       time.Duration // how long a presigned request is good; 0 when it does not say
	SessionToken  string        // "" for long-term keys
	SignedHeaders string        // lower case, sorted, joined by ";"
	Payload       string        // S3 only: x-amz-content-sha256, else UNSIGNED-PAYLOAD for a presigned request

	date      string // Time as signed, in ISO 8601 basic form
	signature string
	verified  bool
	key       Key    // set when verified
	payload   string // the payload as verified; "" when Verify was given the body
}

// Parse returns the signature that r carries, in its Authorization header or
// its query string. It reads neither the body nor the clock. The error is
// ErrMissing, ErrSigV2, ErrTwoForms, a *ScopeError (of the terminator) or an
// *IncompleteError.
func Parse(r *http.Request) (*Signature, error) {
	_, query, err := splitTarget(r)
	if err != nil {
		return nil, err
	}
	q, err := parseAuthQuery(query)
	if err != nil {
		return nil, err
	}
	auth := r.Header["Authorization"]
	switch {
	case len(auth) > 1, len(auth) == 1 && (q.present || q.v2), q.present && q.v2:
		return nil, ErrTwoForms
	case len(auth) == 1:
		return parseHeader(r, auth[0])
	case q.present:
		return parsePresigned(r, &q)
	case q.v2:
		return nil, ErrSigV2
	}
	return nil, ErrMissing
}

// hashed ends a message about an Authorization header, as AWS does since it no
// longer repeats the header itself.
func hashed(auth string) string {
	sum := sha256.Sum256([]byte(auth))
	return "(Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(sum[:])
}

func parseHeader(r *http.Request, auth string) (*Signature, error) {
	scheme, rest, _ := strings.Cut(auth, " ")
	switch {
	case len(auth) > maxAuthorization:
		return nil, incomplete("Authorization", "Authorization header is longer than %d bytes.", maxAuthorization)
	case scheme == "AWS":
		return nil, ErrSigV2
	case scheme != algorithm && strings.HasPrefix(scheme, "AWS4-"):
		return nil, incomplete("Algorithm", "Unsupported AWS 'algorithm': '%s'.", clip(scheme))
	case scheme != algorithm:
		rest = "" // some other scheme: AWS tells what it misses
	}
	s := new(Signature)
	var credential string
	for rest != "" {
		var field string
		field, rest, _ = strings.Cut(rest, ",")
		name, value, ok := strings.Cut(strings.Trim(field, " \t"), "=")
		var to *string
		switch name {
		case "Credential":
			to = &credential
		case "SignedHeaders":
			to = &s.SignedHeaders
		case "Signature":
			to = &s.signature
		}
		if !ok || to == nil || *to != "" {
			return nil, incomplete("Authorization",
				"Authorization header has a malformed, unknown or repeated parameter. %s", hashed(auth))
		}
		*to = value
	}
	date, err := dateHeader(r)
	if err != nil {
		return nil, err
	}
	if credential == "" || s.signature == "" || s.SignedHeaders == "" || date == "" {
		return nil, missingFromHeader(auth, credential, s, date)
	}
	if err := s.setCredential(credential); err != nil {
		return nil, err
	}
	if err := s.setDate("X-Amz-Date", date); err != nil {
		return nil, err
	}
	if s.SessionToken, err = single(r, "X-Amz-Security-Token"); err != nil {
		return nil, err
	}
	return s, s.check(r, "")
}

// missingFromHeader is AWS's list of all that an Authorization header lacks.
func missingFromHeader(auth, credential string, s *Signature, date string) error {
	e := new(IncompleteError)
	for _, f := range []struct{ part, value string }{
		{"Credential", credential}, {"Signature", s.signature}, {"SignedHeaders", s.SignedHeaders},
	} {
		if f.value == "" {
			if e.Part == "" {
				e.Part = f.part
			}
			e.Message += "Authorization header requires '" + f.part + "' parameter. "
		}
	}
	if date == "" {
		if e.Part == "" {
			e.Part = "X-Amz-Date"
		}
		e.Message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	e.Message += hashed(auth)
	return e
}

// dateHeader returns the signing time in ISO 8601 basic form, "" when the
// request has none. Date counts when there is no X-Amz-Date (IAM User Guide,
// "Elements of an AWS API request signature").
func dateHeader(r *http.Request) (string, error) {
	date, err := single(r, "X-Amz-Date")
	if date != "" || err != nil {
		return date, err
	}
	date, err = single(r, "Date")
	if date == "" || err != nil {
		return "", err
	}
	if t, err := http.ParseTime(date); err == nil {
		return formatTime(t), nil
	}
	return date, nil
}

// single returns the value of a header that may come once, "" without it.
// name must be in http.Header's spelling.
func single(r *http.Request, name string) (string, error) {
	switch v := r.Header[name]; len(v) {
	case 0:
		return "", nil
	case 1:
		return strings.Trim(v[0], " \t"), nil
	}
	return "", incomplete(name, "The header '%s' must come once.", name)
}

// authQuery holds the query parameters of a presigned request.
type authQuery struct {
	present, v2 bool
	values      [len(authParams)]string // decoded, by index in authParams
}

// The parameters of a presigned request, by index in authQuery.values.
const (
	qAlgorithm = iota
	qCredential
	qDate
	qExpires
	qSignature
	qSignedHeaders
	qToken
	qPayload
)

var authParams = [...]string{
	qAlgorithm:     "X-Amz-Algorithm",
	qCredential:    "X-Amz-Credential",
	qDate:          "X-Amz-Date",
	qExpires:       "X-Amz-Expires",
	qSignature:     "X-Amz-Signature",
	qSignedHeaders: "X-Amz-SignedHeaders",
	qToken:         "X-Amz-Security-Token",
	qPayload:       "X-Amz-Content-Sha256",
}

// parseAuthQuery finds the parameters of a signature in a raw query. It reads
// names exactly as canonicalisation does.
func parseAuthQuery(query string) (q authQuery, err error) {
	if !strings.Contains(query, "X-Amz-") && !strings.Contains(query, "Signature") && !strings.Contains(query, "%") {
		return q, nil
	}
	sc := getScratch()
	defer putScratch(sc)
	if err := sc.encodeQuery(query); err != nil {
		return q, err
	}
	var v2 int
	for _, p := range sc.params {
		name := sc.enc[p.start:p.mid]
		switch string(name) {
		case "AWSAccessKeyId", "Signature":
			v2++
			continue
		case "SignatureVersion":
			if string(sc.enc[p.mid:p.end]) == "2" {
				v2 += 2
			}
			continue
		}
		if len(name) < len("X-Amz-") || string(name[:len("X-Amz-")]) != "X-Amz-" {
			continue
		}
		i := slices.IndexFunc(authParams[:], func(n string) bool { return n == string(name) })
		if i < 0 {
			continue
		}
		if q.values[i] != "" {
			return q, incomplete(authParams[i], "The query-string parameter '%s' must come once.", authParams[i])
		}
		q.values[i] = decode(sc.enc[p.mid:p.end])
		q.present = q.present || i == qAlgorithm || i == qCredential || i == qSignature
	}
	q.v2 = v2 >= 2
	return q, nil
}

// decode returns what an encoded parameter stands for.
func decode(enc []byte) string {
	var room [128]byte
	b := room[:0]
	for i := 0; i < len(enc); i++ {
		c := enc[i]
		if c == '%' {
			c = unhex(enc[i+1])<<4 | unhex(enc[i+2])
			i += 2
		}
		b = append(b, c)
	}
	return string(b)
}

func parsePresigned(r *http.Request, q *authQuery) (*Signature, error) {
	var missing *IncompleteError
	for _, i := range []int{qAlgorithm, qCredential, qSignature, qSignedHeaders, qDate} {
		if q.values[i] == "" {
			if missing == nil {
				missing = &IncompleteError{Part: authParams[i]}
			}
			missing.Message += "AWS query-string parameters must include '" + authParams[i] + "'. "
		}
	}
	if missing != nil {
		missing.Message += "Re-examine the query-string parameters."
		return nil, missing
	}
	if a := q.values[qAlgorithm]; a != algorithm {
		return nil, incomplete("X-Amz-Algorithm", "Unsupported AWS 'algorithm': '%s'.", clip(a))
	}
	s := &Signature{
		Presigned:     true,
		SignedHeaders: q.values[qSignedHeaders],
		SessionToken:  q.values[qToken],
		signature:     q.values[qSignature],
	}
	if err := s.setCredential(q.values[qCredential]); err != nil {
		return nil, err
	}
	if err := s.setDate("X-Amz-Date", q.values[qDate]); err != nil {
		return nil, err
	}
	if err := s.setExpires(q.values[qExpires]); err != nil {
		return nil, err
	}
	for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Date"} {
		if len(r.Header[name]) > 0 {
			return nil, incomplete(name, "A presigned request must not have the header '%s'.", name)
		}
	}
	return s, s.check(r, q.values[qPayload])
}

// setExpires reads X-Amz-Expires. S3 requires it; others know only their own
// window, so there its absence means the tolerated clock skew. Verify bounds
// it.
func (s *Signature) setExpires(v string) error {
	if v == "" {
		if s.S3() {
			return incomplete("X-Amz-Expires", "AWS query-string parameters must include 'X-Amz-Expires'. "+
				"Re-examine the query-string parameters.")
		}
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	switch {
	case err != nil:
		return incomplete("X-Amz-Expires", "X-Amz-Expires should be a number")
	case n < 1:
		return incomplete("X-Amz-Expires", "X-Amz-Expires must be positive")
	}
	s.Expires = time.Duration(n) * time.Second
	return nil
}

// setCredential reads keyid/date/region/service/aws4_request.
func (s *Signature) setCredential(v string) error {
	id, rest, _ := strings.Cut(v, "/")
	date, rest, _ := strings.Cut(rest, "/")
	region, rest, _ := strings.Cut(rest, "/")
	service, end, ok := strings.Cut(rest, "/")
	if !ok || id == "" || strings.Contains(end, "/") {
		return incomplete("Credential", "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", clip(v))
	}
	for _, e := range [...]string{id, date, region, service, end} {
		if len(e) > maxElement || strings.ContainsFunc(e, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return incomplete("Credential", "An element of the Credential is too long or has a character that none may have")
		}
	}
	if end != terminator {
		return scopeError("Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, clip(end))
	}
	s.Credential = Credential{AccessKeyID: id, Date: date, Region: region, Service: service}
	return nil
}

func (s *Signature) setDate(part, v string) error {
	t, ok := parseTime(v)
	if !ok {
		return incomplete(part, "Date must be in ISO-8601 'basic format'. Got '%s'. "+
			"See http://en.wikipedia.org/wiki/ISO_8601", clip(v))
	}
	s.Time, s.date = t, v
	return nil
}

// check tests the parts that both forms share, and finds the declared payload.
// queryPayload is the X-Amz-Content-Sha256 of the query string, if any.
func (s *Signature) check(r *http.Request, queryPayload string) error {
	if len(s.SessionToken) > maxToken {
		return incomplete("X-Amz-Security-Token", "The security token is longer than %d bytes.", maxToken)
	}
	if !validSignedHeaders(s.SignedHeaders) {
		return incomplete("SignedHeaders", "SignedHeaders must be header names in lower case, sorted, each once, separated by semicolons")
	}
	if !s.S3() {
		return nil
	}
	declared, err := single(r, "X-Amz-Content-Sha256")
	if err != nil {
		return err
	}
	switch {
	case declared != "":
	case queryPayload != "":
		declared = queryPayload
	case s.Presigned:
		declared = UnsignedPayload
	default:
		return incomplete("X-Amz-Content-Sha256", "Missing required header for this request: x-amz-content-sha256")
	}
	if !validPayload(declared) {
		return incomplete("X-Amz-Content-Sha256", "x-amz-content-sha256 must be %s, %s, %s, %s or a valid sha256 value.",
			UnsignedPayload, StreamingUnsignedTrailer, StreamingSigned, StreamingSignedTrailer)
	}
	s.Payload = declared
	return nil
}

func validPayload(v string) bool {
	switch v {
	case UnsignedPayload, StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer:
		return true
	}
	return isHex(v)
}

// isHex reports whether v is a SHA-256 in lower-case hex.
func isHex(v string) bool {
	return len(v) == hexSize && !strings.ContainsFunc(v, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f')
	})
}

// validSignedHeaders reports whether list is lower-case header names in
// strictly ascending order, joined by semicolons.
func validSignedHeaders(list string) bool {
	previous := ""
	for n := 0; ; n++ {
		name, rest, more := strings.Cut(list, ";")
		if n == maxSignedHeaders || name <= previous {
			return false
		}
		for i := range len(name) {
			if !lowerToken(name[i]) {
				return false
			}
		}
		if !more {
			return true
		}
		previous, list = name, rest
	}
}

// lowerToken reports whether c may be in a header name (RFC 9110 5.6.2) and is
// no capital.
func lowerToken(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' ||
		c > ' ' && c < 0x7f && strings.IndexByte("!#$%&'*+.^_`|~", c) >= 0
}

// clip makes what a client sent fit to be repeated in a message: short, and
// without characters that do not print.
func clip(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s[:min(len(s), 128)])
}
