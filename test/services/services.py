# SPDX-License-Identifier: Apache-2.0
"""Calls services of an emulator through the gateway, as the administrator and as a user who may do little."""
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

gateway, key, secret, account = sys.argv[1], os.environ["USER_KEY"], os.environ["USER_SECRET"], sys.argv[2]
config = Config(region_name="us-east-1", retries={"max_attempts": 1})


def client(service, **credentials):
    return boto3.client(service, endpoint_url=gateway, config=config, **credentials)


def admin(service):
    return client(service)


def user(service):
    return client(service, aws_access_key_id=key, aws_secret_access_key=secret)


def check(name, call, refused=False):
    try:
        call()
    except ClientError as e:
        code = e.response["Error"]["Code"]
        good = refused and code.startswith("AccessDenied")
        print("ok" if good else "FAIL", name + ("" if good else ": " + str(e)), flush=True)
        return
    print("FAIL" if refused else "ok", name + (": it was let through" if refused else ""), flush=True)


for table in ("music", "secret"):
    check("create-table-" + table, lambda: admin("dynamodb").create_table(
        TableName=table, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST"))
check("put-item", lambda: user("dynamodb").put_item(TableName="music", Item={"id": {"S": "1"}}))
check("put-item-elsewhere", lambda: user("dynamodb").put_item(TableName="secret", Item={"id": {"S": "1"}}), refused=True)
check("batch-with-another-table", lambda: user("dynamodb").batch_get_item(
    RequestItems={t: {"Keys": [{"id": {"S": "1"}}]} for t in ("music", "secret")}), refused=True)

urls = {q: admin("sqs").create_queue(QueueName=q)["QueueUrl"] for q in ("jobs", "other")}
check("send-message", lambda: user("sqs").send_message(QueueUrl=urls["jobs"], MessageBody="x"))
check("send-message-batch", lambda: user("sqs").send_message_batch(QueueUrl=urls["jobs"], Entries=[{"Id": "1", "MessageBody": "x"}]))
check("send-message-elsewhere", lambda: user("sqs").send_message(QueueUrl=urls["other"], MessageBody="x"), refused=True)

topics = {t: admin("sns").create_topic(Name=t)["TopicArn"] for t in ("news", "private")}
check("publish", lambda: user("sns").publish(TopicArn=topics["news"], Message="x"))
check("publish-elsewhere", lambda: user("sns").publish(TopicArn=topics["private"], Message="x"), refused=True)

one = admin("kms").create_key()["KeyMetadata"]["KeyId"]
check("encrypt-as-administrator", lambda: admin("kms").encrypt(KeyId=one, Plaintext=b"x"))
check("encrypt", lambda: user("kms").encrypt(KeyId=one, Plaintext=b"x"), refused=True)

for name in ("app/db", "root"):
    admin("secretsmanager").create_secret(Name=name, SecretString="x")
check("get-secret", lambda: user("secretsmanager").get_secret_value(SecretId="app/db"))
check("get-secret-elsewhere", lambda: user("secretsmanager").get_secret_value(SecretId="root"), refused=True)

for name in ("/app/port", "/other/port"):
    admin("ssm").put_parameter(Name=name, Value="1", Type="String")
check("get-parameter", lambda: user("ssm").get_parameter(Name="/app/port"))
check("get-parameter-elsewhere", lambda: user("ssm").get_parameter(Name="/other/port"), refused=True)

check("list-functions", lambda: user("lambda").list_functions())
check("delete-function", lambda: user("lambda").delete_function(FunctionName="f"), refused=True)
check("describe-alarms-as-administrator", lambda: admin("cloudwatch").describe_alarms())
check("describe-alarms", lambda: user("cloudwatch").describe_alarms(AlarmNames=["a"]), refused=True)
