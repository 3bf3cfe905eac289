// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// The shortest password of AWS's default password policy, which also wants
// three of the four kinds of characters (IAM User Guide, "Set an account
// password policy").
const (
	minPassword = 8
	minKinds    = 3
)

func createLoginProfileTarget(c *api.Call, in *CreateLoginProfileInput) ([]authz.Check, error) {
	return selfCheck(c, in.UserName)
}

func (s *iam) createLoginProfile(c *api.Call, in *CreateLoginProfileInput) (*CreateLoginProfileOutput, error) {
	u, err := selfUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Password == nil {
		return nil, awserr.ValidationError.Msg("Password is required to create a login profile.")
	}
	if err := strong(*in.Password, u.Name); err != nil {
		return nil, err
	}
	login := &store.LoginProfile{Hash: s.passwords.hash(*in.Password), Created: s.now().UTC(), ResetRequired: in.PasswordResetRequired}
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

func deleteLoginProfileTarget(c *api.Call, in *DeleteLoginProfileInput) ([]authz.Check, error) {
	return selfCheck(c, in.UserName)
}

func (s *iam) deleteLoginProfile(c *api.Call, in *DeleteLoginProfileInput) error {
	u, err := selfUser(c, in.UserName)
	if err != nil {
		return err
	}
	return s.changeUser(c, u.Name, func(u *store.User) error {
		if u.Login == nil {
			return noLogin(u.Name)
		}
		u.Login = nil
		return nil
	})
}

func getLoginProfileTarget(c *api.Call, in *GetLoginProfileInput) ([]authz.Check, error) {
	return selfCheck(c, in.UserName)
}

func (s *iam) getLoginProfile(c *api.Call, in *GetLoginProfileInput) (*GetLoginProfileOutput, error) {
	u, err := selfUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if u.Login == nil {
		return nil, noLogin(u.Name)
	}
	return &GetLoginProfileOutput{LoginProfile: showLogin(u.Name, u.Login)}, nil
}

func updateLoginProfileTarget(c *api.Call, in *UpdateLoginProfileInput) ([]authz.Check, error) {
	return userTarget(c, in.UserName)
}

func (s *iam) updateLoginProfile(c *api.Call, in *UpdateLoginProfileInput) error {
	var hash string
	if in.Password != nil {
		if err := strong(*in.Password, in.UserName); err != nil {
			return err
		}
		hash = s.passwords.hash(*in.Password)
	}
	return s.changeUser(c, in.UserName, func(u *store.User) error {
		if u.Login == nil {
			return noLogin(u.Name)
		}
		if hash != "" {
			u.Login.Hash = hash
		}
		u.Login.ResetRequired = wire.Value(in.PasswordResetRequired, u.Login.ResetRequired)
		return nil
	})
}

// changePasswordTarget: one may change only one's own password, so the caller is
// the resource.
func changePasswordTarget(c *api.Call, _ *ChangePasswordInput) ([]authz.Check, error) {
	if c.Caller.Root() {
		return nil, awserr.InvalidUserType.Msg("Root users cannot change their password with this operation.")
	}
	return selfCheck(c, nil)
}

func (s *iam) changePassword(c *api.Call, in *ChangePasswordInput) error {
	u, err := selfUser(c, nil)
	if err != nil {
		return err
	}
	if u.Login == nil {
		return noLogin(u.Name)
	}
	if !s.passwords.matches(u.Login.Hash, in.OldPassword) {
		return awserr.AccessDenied.Msg("The old password was incorrect.")
	}
	if err := strong(in.NewPassword, u.Name); err != nil {
		return err
	}
	old, hash := u.Login.Hash, s.passwords.hash(in.NewPassword)
	return s.changeUser(c, u.Name, func(u *store.User) error {
		if u.Login == nil || u.Login.Hash != old {
			return awserr.EntityTemporarilyUnmodifiable.Msg("The password was changed by another request at the same time.")
		}
		u.Login.Hash, u.Login.ResetRequired = hash, false
		return nil
	})
}

// changeUser applies change, which may run more than once, to a user.
func (s *iam) changeUser(c *api.Call, name string, change func(*store.User) error) error {
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

func noLogin(name string) error {
	return awserr.NoSuchEntity.Msg("Login Profile for User %s cannot be found.", name)
}

func showLogin(name string, l *store.LoginProfile) LoginProfile {
	return LoginProfile{UserName: name, CreateDate: l.Created, PasswordResetRequired: l.ResetRequired}
}

// strong holds a password against AWS's default password policy.
func strong(password, user string) error {
	var kinds [4]bool
	for _, r := range password {
		switch {
		case 'A' <= r && r <= 'Z':
			kinds[0] = true
		case 'a' <= r && r <= 'z':
			kinds[1] = true
		case '0' <= r && r <= '9':
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	n := 0
	for _, k := range kinds {
		if k {
			n++
		}
	}
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return awserr.PasswordPolicyViolation.Msg("Password should have a minimum length of %d", minPassword)
	case n < minKinds:
		return awserr.PasswordPolicyViolation.Msg("Password should have at least three of these: uppercase letter, lowercase letter, number, symbol")
	case strings.EqualFold(password, user):
		return awserr.PasswordPolicyViolation.Msg("Password should not be the user name")
	}
	return nil
}

// passwords hashes and checks passwords with argon2id, a few at a time, since
// each takes memory.
type passwords struct {
	slots chan struct{}
}

// Cost of argon2id: 19 MiB and two passes (OWASP, "Password Storage").
const (
	hashMemory  = 19 * 1024 // KiB
	hashPasses  = 2
	hashThreads = 1
	hashSize    = 32
	saltSize    = 16
)

func newPasswords() *passwords { return &passwords{slots: make(chan struct{}, 2)} }

func (p *passwords) key(password string, salt []byte, memory, passes uint32, size uint32) []byte {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, passes, memory, hashThreads, size)
}

// hash returns the PHC form of a password's hash with a new salt.
func (p *passwords) hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	sum := p.key(password, salt, hashMemory, hashPasses, hashSize)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashThreads,
		b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// matches reports whether password has the hash, in constant time. A hash that
// cannot be read matches nothing.
func (p *passwords) matches(hash, password string) bool {
	salt, want, memory, passes, err := parseHash(hash)
	if err != nil {
		return false
	}
	got := p.key(password, salt, memory, passes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func parseHash(hash string) (salt, sum []byte, memory, passes uint32, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, errors.New("iamapi: not an argon2id hash")
	}
	var threads uint8
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return nil, nil, 0, 0, err
	}
	if threads != hashThreads || memory > 1<<20 || passes < 1 || passes > 16 {
		return nil, nil, 0, 0, errors.New("iamapi: cost of the hash is out of range")
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return nil, nil, 0, 0, err
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err == nil && len(sum) < 16 {
		err = errors.New("iamapi: the hash is too short")
	}
	return salt, sum, memory, passes, err
}
