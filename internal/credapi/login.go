// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"errors"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/passwords"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// rootTask reports whether a request without a UserName is of a session of
// AssumeRoot, whose account's root user it then means. The root user itself
// cannot leave its name out (API reference of CreateLoginProfile, UserName).
func rootTask(c *api.Call, userName *string) bool {
	return userName == nil && c.Caller.Root() && c.Caller.Session != nil && c.Caller.Session.Kind == session.RootTask
}

// changeRootLogin changes the root user's password: from what it is, nil if it has
// none.
func (s *service) changeRootLogin(c *api.Call, change func(*store.LoginProfile) (*store.LoginProfile, error)) error {
	return s.update(c, func(tx *store.Tx) (err error) {
		a := tx.Account()
		if a.Login, err = change(a.Login); err != nil {
			return err
		}
		return tx.PutAccount(a)
	})
}

// createRootLogin lets the root user have a password again, who then chooses it:
// the request has none (User Guide, "Perform a privileged task on an AWS
// Organizations member account").
func (s *service) createRootLogin(c *api.Call, in *CreateLoginProfileInput) (*CreateLoginProfileOutput, error) {
	if in.Password != nil {
		return nil, awserr.ValidationError.Msg("Password must be omitted when calling with an AssumeRoot session.")
	}
	login := &store.LoginProfile{Created: s.now().UTC().Truncate(time.Second)}
	err := s.changeRootLogin(c, func(have *store.LoginProfile) (*store.LoginProfile, error) {
		if have != nil {
			return nil, awserr.EntityAlreadyExists.Msg("Login Profile for account %s already exists.", c.Account)
		}
		return login, nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateLoginProfileOutput{LoginProfile: showLogin(iamop.RootName, login)}, nil
}

func createLoginProfileTarget(c *api.Call, in *CreateLoginProfileInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) createLoginProfile(c *api.Call, in *CreateLoginProfileInput) (*CreateLoginProfileOutput, error) {
	if rootTask(c, in.UserName) {
		return s.createRootLogin(c, in)
	}
	u, err := iamop.SelfUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Password == nil {
		return nil, awserr.ValidationError.Msg("Password is required to create a login profile.")
	}
	if err := s.acceptable(c, u, *in.Password); err != nil {
		return nil, err
	}
	login := &store.LoginProfile{Hash: s.hasher.Hash(*in.Password), Created: s.now().UTC(), ResetRequired: in.PasswordResetRequired}
	err = s.changeUser(c, u.Name, func(u *store.User) error {
		if u.Login != nil {
			return awserr.EntityAlreadyExists.Msg("Login Profile for user %s already exists.", u.Name)
		}
		u.Login = login
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateLoginProfileOutput{LoginProfile: showLogin(u.Name, login)}, nil
}

// acceptable holds a new password of a user against the account's rules.
func (s *service) acceptable(c *api.Call, u *store.User, password string) error {
	a := c.View.Account()
	err := passwords.Check(a.Rules, password, u.Name, a.Name, a.Alias)
	if err == nil && u.Login != nil {
		err = s.hasher.CheckReuse(a.Rules, u.Login, password)
	}
	if v, ok := errors.AsType[passwords.Violation](err); ok {
		return awserr.PasswordPolicyViolation.Msg("%s", string(v))
	}
	return err
}

func deleteLoginProfileTarget(c *api.Call, in *DeleteLoginProfileInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) deleteLoginProfile(c *api.Call, in *DeleteLoginProfileInput) error {
	if rootTask(c, in.UserName) {
		return s.changeRootLogin(c, func(have *store.LoginProfile) (*store.LoginProfile, error) {
			if have == nil {
				return nil, noLogin(nobody)
			}
			return nil, nil
		})
	}
	u, err := iamop.SelfUser(c, in.UserName)
	if err != nil {
		return err
	}
	return s.changeLogin(c, u.Name, func(u *store.User) error {
		u.Login = nil
		return nil
	})
}

func getLoginProfileTarget(c *api.Call, in *GetLoginProfileInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) getLoginProfile(c *api.Call, in *GetLoginProfileInput) (*GetLoginProfileOutput, error) {
	if rootTask(c, in.UserName) {
		login := c.View.Account().Login
		if login == nil {
			return nil, noLogin(nobody)
		}
		return &GetLoginProfileOutput{LoginProfile: showLogin(iamop.RootName, login)}, nil
	}
	u, err := iamop.SelfUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if u.Login == nil {
		return nil, noLogin(u.Name)
	}
	return &GetLoginProfileOutput{LoginProfile: showLogin(u.Name, u.Login)}, nil
}

func updateLoginProfileTarget(c *api.Call, in *UpdateLoginProfileInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *service) updateLoginProfile(c *api.Call, in *UpdateLoginProfileInput) error {
	u, err := c.View.User(in.UserName)
	if err != nil {
		return iamop.Fail(err)
	}
	if u.Login == nil {
		return noLogin(u.Name)
	}
	var hash string
	if in.Password != nil {
		if err := s.acceptable(c, u, *in.Password); err != nil {
			return err
		}
		hash = s.hasher.Hash(*in.Password)
	}
	return s.changeLogin(c, in.UserName, func(u *store.User) error {
		if hash != "" {
			passwords.Replace(c.View.Account().Rules, u.Login, hash, s.now())
		}
		u.Login.ResetRequired = wire.Value(in.PasswordResetRequired, u.Login.ResetRequired)
		return nil
	})
}

// changePasswordTarget: one may change only one's own password, so the caller is
// the resource. The account can allow it to every user (IAM User Guide, "Set an
// account password policy", "Allow users to change their own password").
func changePasswordTarget(c *api.Call, _ *ChangePasswordInput) ([]authz.Check, error) {
	if c.Caller.Root() {
		return nil, awserr.InvalidUserType.Msg("Root users cannot change their password with this operation.")
	}
	checks, err := iamop.SelfCheck(c, nil)
	for i := range checks {
		checks[i].Open = usersMayChange(c)
	}
	return checks, err
}

// changePassword works for an expired password too, also where HardExpiry keeps
// its owner from signing in (API reference of UpdateAccountPasswordPolicy).
func (s *service) changePassword(c *api.Call, in *ChangePasswordInput) error {
	u, err := iamop.SelfUser(c, nil)
	if err != nil {
		return err
	}
	old, err := s.tryPassword(c, u.Name, in.OldPassword)
	if err != nil {
		return err
	}
	refused := s.acceptable(c, u, in.NewPassword)
	var hash string
	if refused == nil {
		hash = s.hasher.Hash(in.NewPassword)
	}
	err = s.changeLogin(c, u.Name, func(u *store.User) error {
		if u.Login.Hash != old {
			return awserr.EntityTemporarilyUnmodifiable.Msg("The password was changed by another request at the same time.")
		}
		u.Login.Tries = store.Tries{}
		if refused == nil {
			passwords.Replace(c.View.Account().Rules, u.Login, hash, s.now())
			u.Login.ResetRequired = false
		}
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

// tryPassword compares a password with that of a user, and returns its hash. It
// counts a failure beforehand, for the caller to take back: so of many tries at
// once none is made that the others would have locked out.
func (s *service) tryPassword(c *api.Call, user, password string) (hash string, err error) {
	err = s.changeLogin(c, user, func(u *store.User) error {
		now := s.now()
		if until := u.Login.LockedUntil(); now.Before(until) {
			return awserr.EntityTemporarilyUnmodifiable.Msg("Too many wrong passwords. Try again after %s.", until.UTC().Format(iamop.ISO8601))
		}
		u.Login.Fail(now)
		hash = u.Login.Hash
		return nil
	})
	if err == nil && !s.hasher.Matches(hash, password) {
		err = awserr.AccessDenied.Msg("The old password was incorrect.")
	}
	return hash, err
}

// changeUser applies change, which may run more than once, to a user.
func (s *service) changeUser(c *api.Call, name string, change func(*store.User) error) error {
	return s.update(c, func(tx *store.Tx) error {
		u, err := tx.User(name)
		if err != nil {
			return err
		}
		if err := change(u); err != nil {
			return err
		}
		return tx.PutUser(u)
	})
}

// changeLogin is changeUser for a user that has a login profile.
func (s *service) changeLogin(c *api.Call, name string, change func(*store.User) error) error {
	return s.changeUser(c, name, func(u *store.User) error {
		if u.Login == nil {
			return noLogin(u.Name)
		}
		return change(u)
	})
}

// nobody is what AWS calls the root user in the text of noLogin.
const nobody = "null"

func noLogin(name string) error {
	return awserr.NoSuchEntity.Msg("Login Profile for User %s cannot be found.", name)
}

func showLogin(name string, l *store.LoginProfile) LoginProfile {
	return LoginProfile{UserName: name, CreateDate: l.Created, PasswordResetRequired: l.ResetRequired}
}
