# SPDX-License-Identifier: Apache-2.0
"""What the scripts for boto3 share: clients, expectations, codes, and a line for each check."""
import base64
import hashlib
import hmac
import json
import os
import struct
import sys
import time

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["INNKEEPER_URL"]

# Since this version boto3 finds a server of one's own for what profiles and the environment ask of STS.
KNOWS_ENDPOINTS = tuple(int(n) for n in botocore.__version__.split(".")[:2]) >= (1, 31)


def client(service, key=None, session=boto3):
    """A client with a key, or else with what the environment or the session says."""
    args = {}
    if key:
        args = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"],
                "aws_session_token": key.get("SessionToken")}
    return session.client(service, endpoint_url=URL, config=Config(retries={"total_max_attempts": 1}), **args)


def caller(key=None, session=boto3):
    """The ARN of whom a key, or a session, makes the caller."""
    return client("sts", key, session).get_caller_identity()["Arn"]


def allow(action, resource):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})


def trust(principal, action="sts:AssumeRole", **condition):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def refused(code, call, *args, **kwargs):
    """Wants an error code, and returns the error."""
    try:
        call(*args, **kwargs)
    except ClientError as e:
        same(e.response["Error"]["Code"], code)
        return e
    raise AssertionError(f"allowed, want {code}")


def code(seed, steps=0):
    """The one-time code that a device shows now, or some steps later (RFC 6238)."""
    mac = hmac.new(base64.b32decode(seed), struct.pack(">q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def configure(text):
    """Writes the configuration file, and lets every client ask this server."""
    with open(os.environ["AWS_CONFIG_FILE"], "w") as f:
        f.write(text)
    os.environ["AWS_ENDPOINT_URL"] = URL


def run(*checks):
    """Runs every check, whatever goes wrong."""
    for check in checks:
        name = check.__name__.replace("_", "-")
        try:
            check()
            print("ok", name)
        except Exception as e:
            print(f"FAIL {name}: {type(e).__name__}: {e}".replace("\n", " "))
        sys.stdout.flush()
