# SPDX-License-Identifier: Apache-2.0
"""Lets a job with a web identity token and a person with a SAML response in through boto3."""
import base64
import os

import boto3

from common import KNOWS_ENDPOINTS, URL, caller, client, refused, run, same, trust

ISSUER, SUBJECT = os.environ["INNKEEPER_ISSUER"], os.environ["INNKEEPER_SUBJECT"]
TOKEN, OTHER = os.environ["INNKEEPER_TOKEN"], os.environ["INNKEEPER_OTHER_TOKEN"]
METADATA, RESPONSE = os.environ["INNKEEPER_METADATA"], os.environ["INNKEEPER_RESPONSE"]
HOST = ISSUER.removeprefix("https://")

iam = client("iam")
ACCOUNT = client("sts").get_caller_identity()["Account"]
guest = client("sts", {"AccessKeyId": "", "SecretAccessKey": ""})
state = {}


def trust_an_issuer():
    provider = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"],
                                                    ThumbprintList=[os.environ["INNKEEPER_THUMBPRINT"]])["OpenIDConnectProviderArn"]
    same(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["Url"], HOST)
    document = trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", StringEquals={HOST + ":sub": SUBJECT})
    state["job"] = iam.create_role(RoleName="job", AssumeRolePolicyDocument=document)["Role"]["Arn"]


def web_identity():
    def enter(token):
        return guest.assume_role_with_web_identity(RoleArn=state["job"], RoleSessionName="boto", WebIdentityToken=token)
    got = enter(TOKEN)
    same((got["SubjectFromWebIdentityToken"], got["Audience"]), (SUBJECT, "sts.amazonaws.com"))
    same(caller(got["Credentials"]), f"arn:aws:sts::{ACCOUNT}:assumed-role/job/boto")
    refused("AccessDenied", enter, OTHER)
    try:
        enter("hello")
    except guest.exceptions.InvalidIdentityTokenException as e:
        assert "not a valid JWT" in str(e), e
    else:
        raise AssertionError("no token was let in")


def web_identity_token_file():
    if not KNOWS_ENDPOINTS:
        print("this boto3 takes the token of a file to AWS itself: not tried")
        return
    file = os.path.join(os.environ["HOME"], "token")
    with open(file, "w") as f:
        f.write(TOKEN)
    key = {name: os.environ.pop(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    told = {"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": state["job"], "AWS_ROLE_SESSION_NAME": "file", "AWS_ENDPOINT_URL": URL}
    os.environ.update(told)
    try:
        same(caller(session=boto3.Session()), f"arn:aws:sts::{ACCOUNT}:assumed-role/job/file")
    finally:
        for name in told:
            del os.environ[name]
        os.environ.update(key)


def saml():
    provider = iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=METADATA)["SAMLProviderArn"]
    document = trust({"Federated": provider}, "sts:AssumeRoleWithSAML", StringEquals={"saml:aud": "https://signin.aws.amazon.com/saml"})
    role = iam.create_role(RoleName="staff", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def enter(response):
        return guest.assume_role_with_saml(RoleArn=role, PrincipalArn=provider, SAMLAssertion=response)
    got = enter(RESPONSE)
    same((got["Subject"], got["SubjectType"]), ("ann", "persistent"))
    same(caller(got["Credentials"]), f"arn:aws:sts::{ACCOUNT}:assumed-role/staff/ann@example.com")
    forged = base64.b64encode(base64.b64decode(RESPONSE).replace(b">ann<", b">bob<", 1)).decode()
    refused("InvalidIdentityToken", enter, forged)


run(trust_an_issuer, web_identity, web_identity_token_file, saml)
