#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs Debian packages: those named as arguments, or else what the tests
# need and this machine lacks. Does nothing when nothing is missing.
set -euo pipefail

want=("$@")
if [ $# -eq 0 ]; then
  command -v aws >/dev/null || want+=(awscli)
  python3 -c 'import boto3' 2>/dev/null || /usr/bin/python3 -c 'import boto3' 2>/dev/null || want+=(python3-boto3)
  command -v curl >/dev/null || want+=(curl)
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || want+=(nginx-light)
  # The race detector needs a C compiler.
  command -v "${CC:-gcc}" >/dev/null || want+=(gcc libc6-dev)
fi
[ ${#want[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" != 0 ]; then
  root=(sudo)
fi
if ! command -v apt-get >/dev/null || ! command -v "${root[0]:-true}" >/dev/null; then
  echo "tools: please install ${want[*]} first: apt-get and root (or sudo) are not to be had here" >&2
  exit 1
fi
echo "tools: installing ${want[*]}"
install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${want[@]}")
# RUNLEVEL keeps daemons, such as nginx, from being started.
# The package lists may be absent or old; they are only fetched when that shows.
"${install[@]}" >/dev/null 2>&1 || { "${root[@]}" apt-get -qq update && "${install[@]}" >/dev/null; }
