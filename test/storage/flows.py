# SPDX-License-Identifier: Apache-2.0
"""What people do with boto3 and a store behind the gateway. The arguments are flows to run; all without one."""
import base64
import hashlib
import io
import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

GATEWAY, NAME, FILES, ACCOUNT = (os.environ[v] for v in ("GATEWAY", "BUCKETS", "FILES", "ACCOUNT"))
LARGEST = os.environ["LARGEST"]  # object to bring, in parts
VIRTUAL = not GATEWAY.startswith(("http://127.0.0.1:", "https://127.0.0.1:"))
WEB = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)

# Every name is the gateway's: there is no name server for tests.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *args, **kwargs: resolve("127.0.0.1", *args, **kwargs)


def s3(key=None, version="s3v4", url=GATEWAY):
    config = Config(signature_version=version, read_timeout=20, retries={"total_max_attempts": 1}, s3={"addressing_style": "virtual" if VIRTUAL else "path"})
    return boto3.client("s3", endpoint_url=url, config=config, **(key or {}))


def iam():
    return boto3.client("iam", endpoint_url=os.environ["INNKEEPER_URL"], config=Config(retries={"total_max_attempts": 1}))


admin = s3()
other = s3({"aws_access_key_id": os.environ["OTHER_ID"], "aws_secret_access_key": os.environ["OTHER_SECRET"], "aws_session_token": None})


def key_of(answer):
    return {"aws_access_key_id": answer["AccessKeyId"], "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer.get("SessionToken")}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})


def user(name, *statements):
    """A client of a new user with a policy."""
    api, name = iam(), f"{NAME}-{name}"
    api.create_user(UserName=name)
    api.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return s3(key_of(api.create_access_key(UserName=name)["AccessKey"]))


def bucket(name, *keys):
    """A new bucket with objects, whose content is their key."""
    name = f"{NAME}-{name}"
    admin.create_bucket(Bucket=name)
    for key in keys:
        admin.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as e:
        same(e.response["Error"]["Code"], code)
        return
    raise AssertionError(f"allowed, want {code}")


def read(client, name, key, **more):
    return client.get_object(Bucket=name, Key=key, **more)["Body"].read().decode()


def fetch(url, method="GET", body=None, **headers):
    """The status and the text of an answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, context=WEB if url.startswith("https:") else None) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def fetched(part, status, *args, **kwargs):
    got, text = fetch(*args, **kwargs)
    assert got == status and part in text, f"{got} {text}, want {status} {part}"


def sum_of(file):
    with open(file, "rb") as f:
        h = hashlib.sha256()
        while chunk := f.read(1 << 20):
            h.update(chunk)
        return h.hexdigest()


def uploads():
    name = bucket("uploads")
    part = 16 << 20 if LARGEST == "large" else 5 << 20
    transfer = TransferConfig(multipart_threshold=part, multipart_chunksize=part)
    for file in ("empty", "byte", "part", "large")[:4 if LARGEST == "large" else 3]:
        path = os.path.join(FILES, file)
        admin.upload_file(path, name, file, Config=transfer)
        head = admin.head_object(Bucket=name, Key=file)
        same(head["ContentLength"], os.path.getsize(path))
        same("-" in head["ETag"], file == LARGEST)
        admin.download_file(name, file, path + ".back-" + NAME, Config=transfer)
        same(sum_of(path + ".back-" + NAME), sum_of(path))
        os.remove(path + ".back-" + NAME)


def checksums():
    """Checksums that clients choose, which newer ones send behind the body."""
    name = bucket("checksums")
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        admin.put_object(Bucket=name, Key=algorithm, Body=b"summed", ChecksumAlgorithm=algorithm)
        same(read(admin, name, algorithm, ChecksumMode="ENABLED"), "summed")
    wrong = base64.b64encode(hashlib.md5(b"another").digest()).decode()
    refused("BadDigest", admin.put_object, Bucket=name, Key="wrong", Body=b"one", ContentMD5=wrong)
    refused("BadDigest", admin.put_object, Bucket=name, Key="wrong", Body=b"one", ChecksumSHA256=base64.b64encode(hashlib.sha256(b"another").digest()).decode())
    refused("404", admin.head_object, Bucket=name, Key="wrong")


def empty_and_waiting():
    """A body that has to be asked for, on the connection of an empty one."""
    name = bucket("waiting")
    admin.put_object(Bucket=name, Key="empty", Body=io.BytesIO())
    admin.put_object(Bucket=name, Key="full", Body=io.BytesIO(b"full"))
    same(read(admin, name, "full"), "full")


def lists():
    keys = sorted([f"a/{i:02}" for i in range(12)] + ["b c+d/é", "b/x", "z"])
    name = bucket("lists", *keys)
    for operation in ("list_objects", "list_objects_v2"):
        pages = admin.get_paginator(operation).paginate(Bucket=name, PaginationConfig={"PageSize": 4})
        same([o["Key"] for page in pages for o in page["Contents"]], keys)
    folders = admin.list_objects_v2(Bucket=name, Delimiter="/")
    same([p["Prefix"] for p in folders["CommonPrefixes"]], ["a/", "b c+d/", "b/"])
    same([o["Key"] for o in folders["Contents"]], ["z"])
    same([o["Key"] for o in admin.list_objects_v2(Bucket=name, Prefix="a/", StartAfter="a/09")["Contents"]], ["a/10", "a/11"])
    ann = user("lists", {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::" + name, "Condition": {"StringEquals": {"s3:prefix": "a/"}}})
    same(ann.list_objects_v2(Bucket=name, Prefix="a/")["KeyCount"], 12)
    refused("AccessDenied", ann.list_objects_v2, Bucket=name, Prefix="b/")
    refused("AccessDenied", ann.list_objects_v2, Bucket=name)


def presigned():
    name = bucket("presigned", "report")
    to = admin.generate_presigned_url("put_object", Params={"Bucket": name, "Key": "drop"})
    fetched("", 200, to, "PUT", b"dropped")
    at = admin.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "drop"})
    fetched("dropped", 200, at)
    fetched("SignatureDoesNotMatch", 403, at.replace("/drop", "/report"))
    old = s3(version="s3").generate_presigned_url("get_object", Params={"Bucket": name, "Key": "drop"})
    assert "AWSAccessKeyId=" in old, old
    fetched("signature_version = s3v4", 400, old)

    role, trust = f"{NAME}-presigned", {"Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    arn = iam().create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam().put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document({"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}))
    sts = boto3.client("sts", endpoint_url=os.environ["INNKEEPER_URL"])
    session = s3(key_of(sts.assume_role(RoleArn=arn, RoleSessionName="shift")["Credentials"]))
    lent = session.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "report"}, ExpiresIn=86400)
    fetched("report", 200, lent)
    iam().delete_role_policy(RoleName=role, PolicyName="own")
    fetched("<Code>AccessDenied</Code>", 403, lent)
    iam().delete_role(RoleName=role)
    fetched("<Code>InvalidToken</Code>", 400, lent)


def forms():
    name = bucket("forms")

    def send(fields, text, url):
        line = uuid.uuid4().hex
        parts = "".join(f'--{line}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
        body = f'{parts}--{line}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n{text}\r\n--{line}--\r\n'
        return dict(url=url, method="POST", body=body.encode(), **{"Content-Type": "multipart/form-data; boundary=" + line})

    post = admin.generate_presigned_post(name, "in/${filename}", Conditions=[["content-length-range", 1, 10]])
    fetched("", 204, **send(post["fields"], "smile", post["url"]))
    same(read(admin, name, "in/f"), "smile")
    fetched("EntityTooLarge", 400, **send(post["fields"], "x" * 11, post["url"]))
    fetched("AccessDenied", 403, **send({**post["fields"], "key": "out/f"}, "smile", post["url"]))
    old = s3(version="s3").generate_presigned_post(name, "in/old")
    assert "AWSAccessKeyId" in old["fields"], old
    fetched("signature_version = s3v4", 400, **send(old["fields"], "smile", old["url"]))


def copies():
    name = bucket("copies", "from here")
    theirs = name + "-theirs"
    other.create_bucket(Bucket=theirs)
    for key in ("shared", "private"):
        other.put_object(Bucket=theirs, Key=key, Body=key.encode())
    admin.copy({"Bucket": name, "Key": "from here"}, name, "to here")
    same(read(admin, name, "to here"), "from here")
    refused("AccessDenied", admin.copy_object, Bucket=name, Key="x", CopySource=theirs + "/shared")
    other.put_bucket_policy(Bucket=theirs, Policy=document(
        {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{theirs}/shared", "Principal": {"AWS": ACCOUNT}}))
    admin.copy_object(Bucket=name, Key="shared", CopySource=theirs + "/shared", MetadataDirective="REPLACE", Metadata={"team": "a blue one"})
    same(admin.head_object(Bucket=name, Key="shared")["Metadata"]["team"], "a blue one")
    refused("AccessDenied", admin.copy_object, Bucket=name, Key="x", CopySource=theirs + "/private")
    refused("NoSuchKey", read, admin, name, "x")


def bulk_delete():
    keys = ["mine/1", "mine/2 & <é>", "theirs/1"]
    name = bucket("bulk", *keys)
    ann = user("bulk", {"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{name}/mine/*"})
    answer = ann.delete_objects(Bucket=name, Delete={"Objects": [{"Key": k} for k in keys]})
    same(sorted(d["Key"] for d in answer["Deleted"]), keys[:2])
    same([(e["Key"], e["Code"]) for e in answer["Errors"]], [(keys[2], "AccessDenied")])
    same([o["Key"] for o in admin.list_objects_v2(Bucket=name)["Contents"]], keys[2:])


def tags():
    name = bucket("tags", "a", "b")
    for key, team in (("a", "blue"), ("b", "red")):
        admin.put_object_tagging(Bucket=name, Key=key, Tagging={"TagSet": [{"Key": "team", "Value": team}, {"Key": "of é", "Value": "a+b=c"}]})
    same(len(admin.get_object_tagging(Bucket=name, Key="a")["TagSet"]), 2)
    ann = user("tags", {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*", "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}})
    same(read(ann, name, "a"), "a")
    refused("AccessDenied", read, ann, name, "b")
    admin.delete_object_tagging(Bucket=name, Key="a")
    refused("AccessDenied", read, ann, name, "a")


def versions():
    name = bucket("versions")
    admin.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    old = admin.put_object(Bucket=name, Key="notes", Body=b"old")["VersionId"]
    admin.put_object(Bucket=name, Key="notes", Body=b"new")
    ann = user("versions", {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"})
    bob = user("old-versions", {"Action": "s3:GetObjectVersion", "Resource": f"arn:aws:s3:::{name}/*"})
    same(read(ann, name, "notes"), "new")
    refused("AccessDenied", read, ann, name, "notes", VersionId=old)
    same(read(bob, name, "notes", VersionId=old), "old")
    refused("AccessDenied", read, bob, name, "notes")
    admin.delete_object(Bucket=name, Key="notes")
    refused("NoSuchKey", read, admin, name, "notes")
    refused("AccessDenied", read, ann, name, "notes")
    listed = admin.list_object_versions(Bucket=name)
    same((len(listed["Versions"]), len(listed["DeleteMarkers"])), (2, 1))


def ranges_and_conditions():
    name = bucket("ranges")
    tag = admin.put_object(Bucket=name, Key="digits", Body=b"0123456789")["ETag"]
    for span, want in (("0-0", "0"), ("3-5", "345"), ("-2", "89"), ("8-", "89")):
        same(read(admin, name, "digits", Range="bytes=" + span), want)
    refused("InvalidRange", read, admin, name, "digits", Range="bytes=10-")
    refused("304", read, admin, name, "digits", IfNoneMatch=tag)
    refused("PreconditionFailed", read, admin, name, "digits", IfMatch='"0"')
    refused("PreconditionFailed", read, admin, name, "digits", IfUnmodifiedSince="Sun, 01 Jan 2006 00:00:00 GMT")
    if "IfMatch" in admin.meta.service_model.operation_model("PutObject").input_shape.members:
        refused("PreconditionFailed", admin.put_object, Bucket=name, Key="digits", Body=b"x", IfNoneMatch="*")
        refused("PreconditionFailed", admin.put_object, Bucket=name, Key="digits", Body=b"x", IfMatch='"0"')
        admin.put_object(Bucket=name, Key="digits", Body=b"x", IfMatch=tag)
        same(read(admin, name, "digits"), "x")


FLOWS = (uploads, checksums, empty_and_waiting, lists, presigned, forms, copies, bulk_delete, tags, versions,
         ranges_and_conditions)

for flow in FLOWS:
    label = flow.__name__.replace("_", "-")
    if sys.argv[1:] and label not in sys.argv[1:]:
        continue
    try:
        flow()
        print("ok", label)
    except Exception as e:
        print(f"FAIL {label}: {type(e).__name__}: {e}".replace("\n", " "))
    sys.stdout.flush()
