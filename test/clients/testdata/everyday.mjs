// SPDX-License-Identifier: Apache-2.0
// Drives innkeeper through the AWS SDK for JavaScript and reports one check a line.
import { account, admin, allow, assert, config, credentials, endpoint, iam, iamFor, iamSDK, refused, region, require, run, sts, stsFor, trust } from "./common.mjs";

const { SignatureV4 } = require("@smithy/signature-v4");
const { Sha256 } = require("@aws-crypto/sha256-js");

const tags = JSON.parse(process.env.INNKEEPER_TAGS);
const document = process.env.INNKEEPER_DOCUMENT;
const text = process.env.INNKEEPER_TEXT;
const iamClient = new iamSDK.IAMClient(config(admin)); // for paginators and waiters
const decoded = (s) => JSON.parse(decodeURIComponent(s));

await run({
  "life-of-a-session": async () => {
    await iam("CreateGroup", { GroupName: "js-readers" });
    await iam("CreateUser", { UserName: "js-ann" });
    await iam("AddUserToGroup", { GroupName: "js-readers", UserName: "js-ann" });
    const { Role } = await iam("CreateRole", { RoleName: "js-app", AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${account}:root` }) });
    const { Policy } = await iam("CreatePolicy", { PolicyName: "js-assume", PolicyDocument: allow("sts:AssumeRole", Role.Arn) });
    await iam("AttachGroupPolicy", { GroupName: "js-readers", PolicyArn: Policy.Arn });
    await iam("PutRolePolicy", { RoleName: "js-app", PolicyName: "read", PolicyDocument: allow("iam:GetUser", "*") });
    const { AccessKey } = await iam("CreateAccessKey", { UserName: "js-ann" });
    const ann = stsFor(AccessKey);
    const { Credentials } = await ann("AssumeRole", { RoleArn: Role.Arn, RoleSessionName: "js" });
    const me = await stsFor(Credentials)("GetCallerIdentity");
    assert.equal(me.Arn, `arn:aws:sts::${account}:assumed-role/js-app/js`);
    const session = iamFor(Credentials);
    assert.equal((await session("GetUser", { UserName: "js-ann" })).User.UserName, "js-ann");
    const e = await refused("AccessDenied", session("DeleteUser", { UserName: "js-ann" }));
    for (const part of [me.Arn, "iam:DeleteUser", "user js-ann", "no identity-based policy allows"]) {
      assert.ok(e.message.includes(part), e.message);
    }
  },
  "pagination": async () => {
    for (let i = 0; i < 250; i++) {
      await iam("CreateUser", { UserName: `js-p${String(i).padStart(3, "0")}`, Path: "/js/many/" });
    }
    for (const pageSize of [7, 100, 1000]) {
      const names = new Set();
      let pages = 0;
      for await (const page of iamSDK.paginateListUsers({ client: iamClient, pageSize }, { PathPrefix: "/js/many/" })) {
        pages++;
        page.Users.forEach((u) => names.add(u.UserName));
      }
      assert.deepEqual([names.size, pages], [250, Math.ceil(250 / pageSize)]);
    }
  },
  "waiters": async () => {
    const params = { client: iamClient, maxWaitTime: 5 };
    await iam("CreateUser", { UserName: "js-w" });
    await iamSDK.waitUntilUserExists(params, { UserName: "js-w" });
    await iam("CreateRole", { RoleName: "js-w", AssumeRolePolicyDocument: trust({ AWS: "*" }) });
    await iamSDK.waitUntilRoleExists(params, { RoleName: "js-w" });
    const { Policy } = await iam("CreatePolicy", { PolicyName: "js-w", PolicyDocument: allow("*", "*") });
    await iamSDK.waitUntilPolicyExists(params, { PolicyArn: Policy.Arn });
    await iam("CreateInstanceProfile", { InstanceProfileName: "js-w" });
    await iamSDK.waitUntilInstanceProfileExists(params, { InstanceProfileName: "js-w" });
  },
  "tags-with-markup-and-other-scripts": async () => {
    await iam("CreateUser", { UserName: "js-tags", Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
    const got = (await iam("ListUserTags", { UserName: "js-tags" })).Tags;
    assert.deepEqual(Object.fromEntries(got.map((t) => [t.Key, t.Value])), tags);
    const e = await refused("ValidationError", iam("TagUser", { UserName: "js-tags", Tags: [{ Key: "k", Value: text }] }));
    assert.ok(e.message.includes(text), e.message);
  },
  "documents-with-percent-and-other-scripts": async () => {
    await iam("CreateUser", { UserName: "js-doc" });
    await iam("PutUserPolicy", { UserName: "js-doc", PolicyName: "odd", PolicyDocument: document });
    const inline = await iam("GetUserPolicy", { UserName: "js-doc", PolicyName: "odd" });
    assert.deepEqual(decoded(inline.PolicyDocument), JSON.parse(document));
    const { Policy } = await iam("CreatePolicy", { PolicyName: "js-odd", PolicyDocument: document, Description: text });
    assert.equal((await iam("GetPolicy", { PolicyArn: Policy.Arn })).Policy.Description, text);
  },
  "times": async () => {
    const { User } = await iam("CreateUser", { UserName: "js-time" });
    assert.ok(Math.abs(Date.now() - User.CreateDate.getTime()) < 60_000, String(User.CreateDate));
    const { Credentials } = await sts("GetSessionToken", { DurationSeconds: 1800 });
    assert.ok(Math.abs(Credentials.Expiration.getTime() - Date.now() - 1_800_000) < 60_000, String(Credentials.Expiration));
  },
  "error-types": async () => {
    await iam("CreateUser", { UserName: "js-err" });
    await iam("CreateAccessKey", { UserName: "js-err" });
    await iam("CreateAccessKey", { UserName: "js-err" });
    for (const [type, name, input] of [
      ["NoSuchEntityException", "GetUser", { UserName: "js-nobody" }],
      ["EntityAlreadyExistsException", "CreateUser", { UserName: "JS-ERR" }],
      ["DeleteConflictException", "DeleteUser", { UserName: "js-err" }],
      ["LimitExceededException", "CreateAccessKey", { UserName: "js-err" }],
      ["MalformedPolicyDocumentException", "CreatePolicy", { PolicyName: "js-bad", PolicyDocument: "{}" }],
    ]) {
      const e = await refused(type, iam(name, input));
      assert.ok(e instanceof iamSDK[type] && e.message && e.$metadata.requestId, String(e));
    }
    await refused("ValidationError", iam("CreateUser", { UserName: "a/b" }));
  },
  "presigned-get": async () => {
    const url = new URL(endpoint);
    const signer = new SignatureV4({ service: "sts", region, sha256: Sha256, credentials: credentials(admin) });
    const signed = await signer.presign({
      method: "GET", protocol: url.protocol, hostname: url.hostname, port: Number(url.port), path: "/",
      query: { Action: "GetCallerIdentity", Version: "2011-06-15" }, headers: { host: url.host },
    }, { expiresIn: 60 });
    const answer = await fetch(`${endpoint}/?${new URLSearchParams(signed.query)}`);
    assert.ok((await answer.text()).includes(`arn:aws:iam::${account}:user/admin`));
  },
});
