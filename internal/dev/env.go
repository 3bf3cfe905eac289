// SPDX-License-Identifier: Apache-2.0

package dev

// Env returns the environment that points a process with the AWS CLI or an SDK at
// the server, with the root key of the first account.
func (s *Server) Env() []string {
	k := s.o.RootKeys[0]
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL(), "AWS_REGION=" + s.o.Region, "AWS_DEFAULT_REGION=" + s.o.Region,
		"AWS_ACCESS_KEY_ID=" + k.ID, "AWS_SECRET_ACCESS_KEY=" + k.Secret, "AWS_SESSION_TOKEN=",
		"AWS_PROFILE=", "AWS_EC2_METADATA_DISABLED=true",
	}
}
