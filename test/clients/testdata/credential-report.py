# SPDX-License-Identifier: Apache-2.0
"""Asks for the credential report through boto3, and reads it."""
import csv
import datetime
import io
import time

from common import client, refused, run, same

iam, sts = client("iam"), client("sts")
ACCOUNT = sts.get_caller_identity()["Account"]
NONE = "N/A"
state = {}


def there_is_none_at_first():
    e = refused("ReportNotPresent", iam.get_credential_report)
    same(e.response["ResponseMetadata"]["HTTPStatusCode"], 410)
    assert isinstance(e, iam.exceptions.CredentialReportNotPresentException), type(e)


def generate():
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="correct-Horse-8-battery")
    iam.create_access_key(UserName="ann")
    iam.create_user(UserName="bob")
    first = iam.generate_credential_report()
    same(first["State"], "STARTED")
    assert first["Description"], first
    for _ in range(100):
        if iam.generate_credential_report()["State"] == "COMPLETE":
            return
        time.sleep(0.1)
    raise AssertionError("the report is not complete after ten seconds")


def read():
    got = iam.get_credential_report()
    same(got["ReportFormat"], "text/csv")
    same(got["GeneratedTime"].tzinfo is not None, True)
    rows = {r["user"]: r for r in csv.DictReader(io.StringIO(got["Content"].decode()))}
    same(list(rows)[0], "<root_account>")
    same(rows["<root_account>"]["arn"], f"arn:aws:iam::{ACCOUNT}:root")
    ann, bob = rows["ann"], rows["bob"]
    same([ann[c] for c in ("password_enabled", "mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active")],
         ["true", "false", "true", "false", "false"])
    same([ann["access_key_1_last_used_date"], ann["access_key_1_last_used_service"], ann["password_last_used"]], [NONE, NONE, "no_information"])
    same([bob["password_enabled"], bob["password_last_changed"], bob["access_key_1_active"]], ["false", NONE, "false"])
    made = datetime.datetime.fromisoformat(ann["user_creation_time"].replace("Z", "+00:00"))
    assert abs((got["GeneratedTime"] - made).total_seconds()) < 60, made
    state["time"] = got["GeneratedTime"]


def it_is_kept_for_four_hours():
    iam.create_user(UserName="late")
    same(iam.generate_credential_report()["State"], "COMPLETE")
    got = iam.get_credential_report()
    same(got["GeneratedTime"], state["time"])
    assert b"\nlate," not in got["Content"], got["Content"]


run(there_is_none_at_first, generate, read, it_is_kept_for_four_hours)
