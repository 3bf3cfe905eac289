// SPDX-License-Identifier: Apache-2.0
// Lets a job with a web identity token and a person with a SAML response in through the AWS SDK for JavaScript.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { account, arn, assert, clientConfig, iam, providers, refused, run, stsSDK, trust } from "./common.mjs";

const env = process.env;
const host = env.INNKEEPER_ISSUER.replace("https://", "");
const nobody = { ...clientConfig, credentials: async () => assert.fail("asked for a key") };
const guest = (command) => new stsSDK.STSClient(nobody).send(command);
let job;

await run({
  "trust-an-issuer": async () => {
    const { OpenIDConnectProviderArn: provider } = await iam("CreateOpenIDConnectProvider", { Url: env.INNKEEPER_ISSUER, ClientIDList: ["sts.amazonaws.com"] });
    assert.equal((await iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: provider })).Url, host);
    const { Role } = await iam("CreateRole", {
      RoleName: "job",
      AssumeRolePolicyDocument: trust({ Federated: provider }, "sts:AssumeRoleWithWebIdentity", { StringEquals: { [`${host}:sub`]: env.INNKEEPER_SUBJECT } }),
    });
    job = Role.Arn;
  },
  "web-identity": async () => {
    const enter = (WebIdentityToken) => guest(new stsSDK.AssumeRoleWithWebIdentityCommand({ RoleArn: job, RoleSessionName: "js", WebIdentityToken }));
    const got = await enter(env.INNKEEPER_TOKEN);
    assert.deepEqual([got.SubjectFromWebIdentityToken, got.Audience], [env.INNKEEPER_SUBJECT, "sts.amazonaws.com"]);
    assert.equal(await arn(got.Credentials), `arn:aws:sts::${account}:assumed-role/job/js`);
    await refused("AccessDenied", enter(env.INNKEEPER_OTHER_TOKEN));
    const e = await refused("InvalidIdentityTokenException", enter("hello"));
    assert.ok(e instanceof stsSDK.InvalidIdentityTokenException && e.message.includes("not a valid JWT"), String(e));
  },
  "from-web-token": async () => {
    const from = (webIdentityToken) => providers.fromWebToken({ roleArn: job, roleSessionName: "web", webIdentityToken, clientConfig });
    assert.equal(await arn(from(env.INNKEEPER_TOKEN)), `arn:aws:sts::${account}:assumed-role/job/web`);
    await refused("AccessDenied", arn(from(env.INNKEEPER_OTHER_TOKEN)));
  },
  "from-token-file": async () => {
    const file = join(env.HOME, "token");
    writeFileSync(file, env.INNKEEPER_TOKEN);
    Object.assign(env, { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: job, AWS_ROLE_SESSION_NAME: "file" });
    assert.equal(await arn(providers.fromTokenFile({ clientConfig })), `arn:aws:sts::${account}:assumed-role/job/file`);
  },
  "the-default-chain-finds-the-token-file": async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) delete env[name];
    env.AWS_ENDPOINT_URL = env.INNKEEPER_URL;
    assert.equal(await arn(providers.fromNodeProviderChain()), `arn:aws:sts::${account}:assumed-role/job/file`);
  },
  "saml": async () => {
    const { SAMLProviderArn: provider } = await iam("CreateSAMLProvider", { Name: "Corp", SAMLMetadataDocument: env.INNKEEPER_METADATA });
    const { Role } = await iam("CreateRole", {
      RoleName: "staff",
      AssumeRolePolicyDocument: trust({ Federated: provider }, "sts:AssumeRoleWithSAML", { StringEquals: { "saml:aud": "https://signin.aws.amazon.com/saml" } }),
    });
    const enter = (SAMLAssertion) => guest(new stsSDK.AssumeRoleWithSAMLCommand({ RoleArn: Role.Arn, PrincipalArn: provider, SAMLAssertion }));
    const got = await enter(env.INNKEEPER_RESPONSE);
    assert.deepEqual([got.Subject, got.SubjectType], ["ann", "persistent"]);
    assert.equal(await arn(got.Credentials), `arn:aws:sts::${account}:assumed-role/staff/ann@example.com`);
    const text = Buffer.from(env.INNKEEPER_RESPONSE, "base64").toString("latin1");
    await refused("InvalidIdentityTokenException", enter(Buffer.from(text.replace(">ann<", ">bob<"), "latin1").toString("base64")));
  },
});
