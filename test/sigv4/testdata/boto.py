# SPDX-License-Identifier: Apache-2.0
"""Signs requests of every form and prints presigned ones as "METHOD URL"."""
import os

import boto3
from botocore.config import Config

endpoint = os.environ["INN_ENDPOINT"]
config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0})

iam = boto3.client("iam", endpoint_url=endpoint)
path = "/dépt/a+b=c&d %/"
user = iam.create_user(UserName="ann", Path=path, Tags=[{"Key": "k<&>", "Value": "ü\n\t ;"}])["User"]
assert user["Path"] == path, user

sts = boto3.client("sts", endpoint_url=endpoint)
assert sts.get_caller_identity()["Account"] == "123456789012"
print("GET", sts.generate_presigned_url("get_caller_identity", HttpMethod="GET"))

s3 = boto3.client("s3", endpoint_url=endpoint, config=config)
for key in os.environ["INN_KEYS"].split("\n"):
    for data in (b"", key.encode(), b"large " * 50_000):
        s3.put_object(Bucket="bucket", Key=key, Body=data, Metadata={"spaces": "a  b   c"})
        got = s3.get_object(Bucket="bucket", Key=key)["Body"].read()
        assert got == data, (key, len(got), len(data))
    params = {"Bucket": "bucket", "Key": key}
    print("PUT", s3.generate_presigned_url("put_object", params))
    params["ResponseContentDisposition"] = 'attachment; filename="a b+c.txt"'
    print("GET", s3.generate_presigned_url("get_object", params, ExpiresIn=60))
s3.list_objects_v2(Bucket="bucket", Prefix="a b+c/ü&=;~*'", Delimiter="/")
