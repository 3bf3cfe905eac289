// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A job is the row of a job. What it is about is in one of its requests.
type job struct {
	Owner    string           `json:"owner"`
	Started  time.Time        `json:"started"`
	Done     time.Time        `json:"done,omitzero"` // zero: it is in progress
	Accessed *accessedRequest `json:"accessed,omitempty"`
	Org      *orgRequest      `json:"org,omitempty"`
	Failure  *ErrorDetails    `json:"failure,omitempty"`
	blob
}

// owner returns to whom the jobs of the caller belong: to a user, whatever its
// credentials, to the root user, or to one session of a role (API reference of
// GenerateServiceLastAccessedDetails, JobId).
func owner(c *api.Call) string {
	switch {
	case c.Caller.Role != nil:
		return c.Caller.AccessKeyID
	case c.Caller.User != nil:
		return c.Caller.User.ID
	}
	return string(c.Account)
}

// status is the job's status as answers have it.
func (j *job) status() string {
	switch {
	case j.Done.IsZero():
		return JobStatusTypeInProgress
	case j.Failure != nil:
		return JobStatusTypeFailed
	}
	return JobStatusTypeCompleted
}

// A worker computes the result of a job, or why there is none.
type worker func(context.Context) (result any, failure *ErrorDetails, err error)

// begin makes a job and returns its id. When it takes long it goes on in the
// background. note, which may be nil, is part of the transaction that stores it.
func (s *Reports) begin(c *api.Call, j *job, work worker, note func(tx *store.Tx, id string) error) (string, error) {
	account, id := string(c.Account), s.newID()
	j.Owner, j.Started = owner(c), s.stamp()
	out := s.compute(account, id, work)
	o, ok := await(out)
	if ok {
		if err := s.finish(c.Context(), account, id, j, o); err != nil {
			return "", err
		}
	}
	err := s.update(c.Context(), account, func(tx *store.Tx) error {
		s.sweep(tx)
		if note != nil {
			if err := note(tx, id); err != nil {
				return err
			}
		}
		return put(tx, dirJob+id, j)
	})
	if err != nil {
		return "", err
	}
	if !ok {
		s.finishLater(account, id, *j, out)
	}
	return id, nil
}

// A made result is encoded, or a failure.
type made struct {
	result  []byte
	failure *ErrorDetails
}

func (s *Reports) compute(account, id string, work worker) <-chan outcome[made] {
	return compute(s, account+"/"+id, func(ctx context.Context) (made, error) {
		if err := s.usage.Wait(ctx); err != nil {
			return made{}, err
		}
		result, failure, err := work(ctx)
		if failure != nil || err != nil {
			return made{failure: failure}, err
		}
		text, err := json.Marshal(result)
		return made{result: text}, err
	})
}

// finish puts an outcome into the job, whose row is not written yet.
func (s *Reports) finish(ctx context.Context, account, id string, j *job, o outcome[made]) error {
	if o.err != nil {
		return o.err
	}
	var err error
	if j.Failure = o.value.failure; j.Failure == nil {
		if j.blob, err = s.pack(ctx, account, id, o.value.result); err != nil {
			return err
		}
	}
	j.Done = s.stamp()
	return nil
}

// finishLater stores the outcome of a job in progress when there is one. One that
// cannot be computed has failed.
func (s *Reports) finishLater(account, id string, j job, out <-chan outcome[made]) {
	later(s, out, func(ctx context.Context, o outcome[made]) error {
		if err := s.finish(ctx, account, id, &j, o); err != nil {
			s.log.Warn("reportapi: a job failed", "account", account, "job", id, "error", err)
			j.Done, j.Failure = s.stamp(), &ErrorDetails{Code: awserr.ServiceFailure.Code, Message: awserr.ServiceFailure.Message}
		}
		return s.update(ctx, account, func(tx *store.Tx) error {
			var now job
			if !load(tx.View(), dirJob+id, &now) || !now.Done.IsZero() {
				return nil // it has expired, or another node was faster
			}
			return put(tx, dirJob+id, &j)
		})
	})
}

// job returns the caller's job of an id. One that a node left unfinished begins
// again, with what again makes of it.
func (s *Reports) job(c *api.Call, id string, is func(*job) bool, again func(*job) worker) (*job, error) {
	j := new(job)
	if !load(c.View, dirJob+id, j) || j.Owner != owner(c) || !is(j) || s.now().Sub(bornAt(id)) > keep {
		return nil, awserr.NoSuchEntity.Msg("Job %s does not exist.", id)
	}
	account := string(c.Account)
	if j.Done.IsZero() && s.now().Sub(j.Started) >= stale && s.idle(account+"/"+id) {
		out := s.compute(account, id, again(j))
		s.finishLater(account, id, *j, out)
	}
	return j, nil
}

// result reads the result of a job that is done.
func (j *job) result(v *store.View, id string, into any) error {
	text, err := j.open(v, id)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// after returns what comes after the prefix in a marker, which belongs to one job
// and one list; "" for no marker. A marker of another is refused in AWS's words.
func after(marker *string, prefix string) (string, error) {
	if marker == nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || strings.Count(string(text), "/") < 2 {
		return "", iamop.InvalidMarker()
	}
	rest, ok := strings.CutPrefix(string(text), prefix)
	if !ok {
		return "", awserr.InvalidInput.Msg("The marker passed in the request was invalid.")
	}
	return rest, nil
}
