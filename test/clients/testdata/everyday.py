# SPDX-License-Identifier: Apache-2.0
"""Drives innkeeper through boto3 and reports one check a line."""
import datetime
import json
import os
import urllib.error
import urllib.request

from botocore.exceptions import WaiterError

from common import allow, client, refused, run, same, trust

TAGS = json.loads(os.environ["INNKEEPER_TAGS"])
DOCUMENT = os.environ["INNKEEPER_DOCUMENT"]
TEXT = os.environ["INNKEEPER_TEXT"]

iam, sts = client("iam"), client("sts")
ACCOUNT = sts.get_caller_identity()["Account"]


def life_of_a_session():
    iam.create_group(GroupName="py-readers")
    iam.create_user(UserName="py-ann")
    iam.add_user_to_group(GroupName="py-readers", UserName="py-ann")
    role = iam.create_role(RoleName="py-app", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))["Role"]
    same(role["AssumeRolePolicyDocument"]["Statement"][0]["Action"], "sts:AssumeRole")
    policy = iam.create_policy(PolicyName="py-assume", PolicyDocument=allow("sts:AssumeRole", role["Arn"]))["Policy"]
    iam.attach_group_policy(GroupName="py-readers", PolicyArn=policy["Arn"])
    iam.put_role_policy(RoleName="py-app", PolicyName="read", PolicyDocument=allow("iam:GetUser", "*"))
    key = iam.create_access_key(UserName="py-ann")["AccessKey"]
    session = client("sts", key).assume_role(RoleArn=role["Arn"], RoleSessionName="py")["Credentials"]
    me = client("sts", session).get_caller_identity()
    same(me["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/py-app/py")
    same(me["UserId"], role["RoleId"] + ":py")
    same(client("iam", session).get_user(UserName="py-ann")["User"]["UserName"], "py-ann")
    error = refused("AccessDenied", client("iam", session).delete_user, UserName="py-ann")
    for part in (me["Arn"], "iam:DeleteUser", "user py-ann", "no identity-based policy allows"):
        assert part in str(error), str(error)


def pagination():
    for i in range(250):
        iam.create_user(UserName=f"py-p{i:03}", Path="/py/many/")
    for size in (None, 7, 100, 1000):
        pages = list(iam.get_paginator("list_users").paginate(PathPrefix="/py/many/", PaginationConfig={"PageSize": size}))
        names = [u["UserName"] for p in pages for u in p["Users"]]
        same((len(names), len(set(names)), names == sorted(names)), (250, 250, True))
        same(len(pages), -(-250 // (size or 100)))


def waiters():
    iam.create_user(UserName="py-w")
    iam.get_waiter("user_exists").wait(UserName="py-w")
    iam.create_role(RoleName="py-w", AssumeRolePolicyDocument=trust({"AWS": "*"}))
    iam.get_waiter("role_exists").wait(RoleName="py-w")
    policy = iam.create_policy(PolicyName="py-w", PolicyDocument=allow("*", "*"))["Policy"]
    iam.get_waiter("policy_exists").wait(PolicyArn=policy["Arn"])
    iam.create_instance_profile(InstanceProfileName="py-w")
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="py-w")
    try:
        iam.get_waiter("role_exists").wait(RoleName="py-none", WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    except WaiterError:
        return
    raise AssertionError("found a role that does not exist")


def tags_with_markup_and_other_scripts():
    iam.create_user(UserName="py-tags", Tags=[{"Key": k, "Value": v} for k, v in TAGS.items()])
    got = {t["Key"]: t["Value"] for t in iam.list_user_tags(UserName="py-tags")["Tags"]}
    same(got, TAGS)
    error = refused("ValidationError", iam.tag_user, UserName="py-tags", Tags=[{"Key": "k", "Value": TEXT}])
    assert TEXT in str(error), str(error)


def documents_with_percent_and_other_scripts():
    iam.create_user(UserName="py-doc")
    iam.put_user_policy(UserName="py-doc", PolicyName="odd", PolicyDocument=DOCUMENT)
    same(iam.get_user_policy(UserName="py-doc", PolicyName="odd")["PolicyDocument"], json.loads(DOCUMENT))
    policy = iam.create_policy(PolicyName="py-odd", PolicyDocument=DOCUMENT, Description=TEXT)["Policy"]
    same(iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["Description"], TEXT)
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v1")["PolicyVersion"]
    same(version["Document"], json.loads(DOCUMENT))


def times():
    made = iam.create_user(UserName="py-time")["User"]["CreateDate"]
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - made).total_seconds()) < 60, made
    end = sts.get_session_token(DurationSeconds=1800)["Credentials"]["Expiration"]
    assert 1740 < (end - now).total_seconds() < 1801, end


def error_types():
    iam.create_user(UserName="py-err")
    iam.create_access_key(UserName="py-err")
    iam.create_access_key(UserName="py-err")
    for kind, call, args in (
        (iam.exceptions.NoSuchEntityException, iam.get_user, {"UserName": "py-nobody"}),
        (iam.exceptions.EntityAlreadyExistsException, iam.create_user, {"UserName": "PY-ERR"}),
        (iam.exceptions.DeleteConflictException, iam.delete_user, {"UserName": "py-err"}),
        (iam.exceptions.LimitExceededException, iam.create_access_key, {"UserName": "py-err"}),
        (iam.exceptions.MalformedPolicyDocumentException, iam.create_policy, {"PolicyName": "py-bad", "PolicyDocument": "{}"}),
    ):
        try:
            call(**args)
        except kind as e:
            assert e.response["ResponseMetadata"]["RequestId"] and e.response["Error"]["Message"], e.response
        else:
            raise AssertionError(f"want {kind}")
    refused("ValidationError", iam.create_user, UserName="a/b")
    refused("InvalidClientTokenId", client("sts", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}).get_caller_identity)


def presigned_get():
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        assert f"arn:aws:iam::{ACCOUNT}:user/admin" in answer.read().decode()
    try:
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
    except urllib.error.HTTPError as e:
        same(e.code, 403)
        return
    raise AssertionError("a changed URL was accepted")


run(life_of_a_session, pagination, waiters, tags_with_markup_and_other_scripts,
    documents_with_percent_and_other_scripts, times, error_types, presigned_get)
