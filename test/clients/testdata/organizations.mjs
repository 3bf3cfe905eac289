// SPDX-License-Identifier: Apache-2.0
// Drives an organization through the AWS SDK for JavaScript.
import { account, admin, arn, assert, clientConfig, config, credentials, iam, iamFor, orgFor, orgSDK, providers, refused, run } from "./common.mjs";

const org = orgFor(admin);
const accounts = {};
let root;

// enter is a provider of credentials of the role by which the management account enters another.
const enter = (id) => providers.fromTemporaryCredentials({
  masterCredentials: credentials(admin), clientConfig,
  params: { RoleArn: `arn:aws:iam::${id}:role/OrganizationAccountAccessRole`, RoleSessionName: "visit" },
});

await run({
  "create-an-organization": async () => {
    await refused("AWSOrganizationsNotInUseException", org("DescribeOrganization"));
    const { Organization } = await org("CreateOrganization", { FeatureSet: "ALL" });
    assert.equal(Organization.MasterAccountId, account);
    assert.deepEqual((await org("DescribeOrganization")).Organization, Organization);
    root = (await org("ListRoots")).Roots[0].Id;
  },
  "create-accounts-and-list-them-in-pages": async () => {
    for (const AccountName of ["one", "two", "three"]) {
      const { CreateAccountStatus: begun } = await org("CreateAccount", { AccountName, Email: `${AccountName}@example.com` });
      assert.equal(begun.State, "IN_PROGRESS");
      const { CreateAccountStatus: done } = await org("DescribeCreateAccountStatus", { CreateAccountRequestId: begun.Id });
      assert.equal(done.State, "SUCCEEDED");
      accounts[AccountName] = done.AccountId;
    }
    const found = [];
    for await (const page of orgSDK.paginateListAccounts({ client: new orgSDK.OrganizationsClient(config(admin)), pageSize: 2 }, {})) {
      found.push(...page.Accounts);
    }
    assert.deepEqual(Object.fromEntries(found.filter((a) => a.JoinedMethod === "CREATED").map((a) => [a.Name, a.Id])), accounts);
    assert.ok(found[0].JoinedTimestamp instanceof Date, String(found[0].JoinedTimestamp));
  },
  "enter-an-account": async () => {
    assert.equal(await arn(enter(accounts.one)), `arn:aws:sts::${accounts.one}:assumed-role/OrganizationAccountAccessRole/visit`);
    await refused("AccessDeniedException", orgFor(enter(accounts.one))("ListAccounts"));
  },
  "errors-have-their-reason": async () => {
    const invalid = await refused("InvalidInputException", org("DescribeCreateAccountStatus", { CreateAccountRequestId: "x" }));
    assert.ok(invalid instanceof orgSDK.InvalidInputException && invalid.Reason === "INVALID_PATTERN", String(invalid.Reason));
    const closed = await refused("ConstraintViolationException", org("CloseAccount", { AccountId: account }));
    assert.equal(closed.Reason, "CANNOT_CLOSE_MANAGEMENT_ACCOUNT");
  },
  "policies-take-hold-and-let-go": async () => {
    const visitor = iamFor(enter(accounts.one));
    await visitor("ListUsers");
    await org("EnablePolicyType", { RootId: root, PolicyType: "SERVICE_CONTROL_POLICY" });
    const Content = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "iam:ListUsers", Resource: "*" }] });
    const { Policy } = await org("CreatePolicy", { Type: "SERVICE_CONTROL_POLICY", Name: "no-users", Description: "", Content });
    assert.equal(Policy.Content, Content);
    const target = { PolicyId: Policy.PolicySummary.Id, TargetId: accounts.one };
    await org("AttachPolicy", target);
    const e = await refused("AccessDenied", visitor("ListUsers"));
    assert.ok(e.message.includes("explicit deny in a service control policy"), e.message);
    await iamFor(enter(accounts.two))("ListUsers");
    await iam("ListUsers");
    await org("DetachPolicy", target);
    await visitor("ListUsers");
  },
});
