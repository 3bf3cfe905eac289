# SPDX-License-Identifier: Apache-2.0
"""Drives an organization through boto3 and reports one check a line."""
import json

import boto3

from common import KNOWS_ENDPOINTS, caller, client, configure, refused, run, same

org, sts = client("organizations"), client("sts")
state = {}


def enter(account):
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="visit")
    return got["Credentials"]


def create_an_organization():
    refused("AWSOrganizationsNotInUseException", org.describe_organization)
    made = org.create_organization(FeatureSet="ALL")["Organization"]
    same(org.describe_organization()["Organization"], made)
    same(made["MasterAccountId"], sts.get_caller_identity()["Account"])
    state["root"] = org.list_roots()["Roots"][0]["Id"]


def create_accounts_and_list_them_in_pages():
    for name in ("one", "two", "three"):
        status = org.create_account(Email=name + "@example.com", AccountName=name)["CreateAccountStatus"]
        same(status["State"], "IN_PROGRESS")
        done = org.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        same(done["State"], "SUCCEEDED")
        state[name] = done["AccountId"]
    pages = org.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    found = [a for page in pages for a in page["Accounts"]]
    same({a["Name"]: a["Id"] for a in found if a["JoinedMethod"] == "CREATED"}, {n: state[n] for n in ("one", "two", "three")})
    same(found[0]["JoinedTimestamp"].tzinfo is not None, True)


def errors_have_their_reason():
    e = refused("InvalidInputException", org.describe_create_account_status, CreateAccountRequestId="x")
    same(e.response["Reason"], "INVALID_PATTERN")
    e = refused("ConstraintViolationException", org.close_account, AccountId=sts.get_caller_identity()["Account"])
    same(e.response["Reason"], "CANNOT_CLOSE_MANAGEMENT_ACCOUNT")
    same(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)
    refused("AccountNotFoundException", org.describe_account, AccountId="000000000000")


def policies_take_hold_and_let_go():
    iam = client("iam", enter(state["one"]))
    iam.list_users()
    org.enable_policy_type(RootId=state["root"], PolicyType="SERVICE_CONTROL_POLICY")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}]}, indent=1)
    made = org.create_policy(Type="SERVICE_CONTROL_POLICY", Name="no-users", Description="", Content=document)["Policy"]
    same(made["Content"], document)
    policy = made["PolicySummary"]["Id"]
    org.attach_policy(PolicyId=policy, TargetId=state["one"])
    refused("AccessDenied", iam.list_users)
    client("iam", enter(state["two"])).list_users()
    client("iam").list_users()
    org.detach_policy(PolicyId=policy, TargetId=state["one"])
    iam.list_users()


def delegation_and_tags():
    org.register_delegated_administrator(AccountId=state["two"], ServicePrincipal="access-analyzer.amazonaws.com")
    same([a["Id"] for a in org.list_delegated_administrators()["DelegatedAdministrators"]], [state["two"]])
    same(len(client("organizations", enter(state["two"])).list_accounts()["Accounts"]), 4)
    refused("AccessDeniedException", client("organizations", enter(state["one"])).list_accounts)
    org.tag_resource(ResourceId=state["two"], Tags=[{"Key": "Team", "Value": "a b"}])
    same(org.list_tags_for_resource(ResourceId=state["two"])["Tags"], [{"Key": "Team", "Value": "a b"}])
    org.untag_resource(ResourceId=state["two"], TagKeys=["Team"])
    same(org.list_tags_for_resource(ResourceId=state["two"])["Tags"], [])


def a_profile_enters_an_account():
    if not KNOWS_ENDPOINTS:
        print("this boto3 asks AWS itself for the role of a profile: not tried")
        return
    role = f"arn:aws:iam::{state['three']}:role/OrganizationAccountAccessRole"
    configure(f"[profile three]\nrole_arn = {role}\nrole_session_name = profile\ncredential_source = Environment\n")
    same(caller(session=boto3.Session(profile_name="three")),
         f"arn:aws:sts::{state['three']}:assumed-role/OrganizationAccountAccessRole/profile")


run(create_an_organization, create_accounts_and_list_them_in_pages, errors_have_their_reason,
    policies_take_hold_and_let_go, delegation_and_tags, a_profile_enters_an_account)
