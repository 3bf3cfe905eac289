# SPDX-License-Identifier: Apache-2.0
"""Enrols second factors and proves them through boto3."""
import io
import json
import sys

import boto3

from common import KNOWS_ENDPOINTS, caller, client, code, configure, refused, run, same, trust

iam = client("iam")
ACCOUNT = client("sts").get_caller_identity()["Account"]
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
state = {}


def enrol():
    iam.create_user(UserName="ann")
    statement = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": PRESENT}
    iam.put_user_policy(UserName="ann", PolicyName="mfa", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    state["key"] = iam.create_access_key(UserName="ann")["AccessKey"]
    for name in ("phone", "tablet"):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        seed = device["Base32StringSeed"].decode()
        assert device["QRCodePNG"].startswith(b"\x89PNG"), device["QRCodePNG"][:8]
        refused("InvalidAuthenticationCode", iam.enable_mfa_device, UserName="ann", SerialNumber=device["SerialNumber"],
                AuthenticationCode1=code(seed, -1), AuthenticationCode2=code(seed, 4))
        iam.enable_mfa_device(UserName="ann", SerialNumber=device["SerialNumber"],
                              AuthenticationCode1=code(seed, -1), AuthenticationCode2=code(seed))
        state[name] = (device["SerialNumber"], seed)
    same({d["SerialNumber"] for d in iam.list_mfa_devices(UserName="ann")["MFADevices"]}, {state["phone"][0], state["tablet"][0]})
    refused("AccessDenied", client("iam", state["key"]).get_user)


def session_token():
    serial, seed = state["phone"]
    spent = code(seed, 1)
    sts = client("sts", state["key"])
    session = sts.get_session_token(SerialNumber=serial, TokenCode=spent)["Credentials"]
    same(client("iam", session).get_user()["User"]["UserName"], "ann")
    e = refused("AccessDenied", sts.get_session_token, SerialNumber=serial, TokenCode=spent)
    assert "MultiFactorAuthentication failed with invalid MFA one time pass code" in str(e), e
    refused("InvalidClientTokenId", client("iam", sts.get_session_token()["Credentials"]).get_user)


def role():
    serial, seed = state["tablet"]
    document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, **PRESENT)
    arn = iam.create_role(RoleName="vault", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sts = client("sts", state["key"])
    refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="boto")
    want = f"arn:aws:sts::{ACCOUNT}:assumed-role/vault/boto"
    if not KNOWS_ENDPOINTS:
        got = sts.assume_role(RoleArn=arn, RoleSessionName="boto", SerialNumber=serial, TokenCode=code(seed, 1))
        same(caller(got["Credentials"]), want)
        return
    configure(f"[profile vault]\nrole_arn = {arn}\nrole_session_name = boto\nsource_profile = ann\nmfa_serial = {serial}\n\n"
              f"[profile ann]\naws_access_key_id = {state['key']['AccessKeyId']}\naws_secret_access_key = {state['key']['SecretAccessKey']}\n")
    sys.stdin = io.StringIO(code(seed, 1) + "\n")  # boto3 asks there: this process has no terminal
    same(caller(session=boto3.Session(profile_name="vault")), want)


def leave():
    for serial, _ in (state["phone"], state["tablet"]):
        refused("DeleteConflict", iam.delete_virtual_mfa_device, SerialNumber=serial)
        iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
        iam.delete_virtual_mfa_device(SerialNumber=serial)
    same(iam.list_virtual_mfa_devices()["VirtualMFADevices"], [])


run(enrol, session_token, role, leave)
