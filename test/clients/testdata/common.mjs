// SPDX-License-Identifier: Apache-2.0
// What the scripts for the AWS SDK for JavaScript share: clients, expectations, codes, and a line for each check.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";

export { assert };
export const require = createRequire(process.env.INNKEEPER_MODULES + "/");
export const iamSDK = require("@aws-sdk/client-iam");
export const stsSDK = require("@aws-sdk/client-sts");
export const orgSDK = require("@aws-sdk/client-organizations");
export const providers = require("@aws-sdk/credential-providers");

export const endpoint = process.env.INNKEEPER_URL;
export const region = "us-east-1";
export const clientConfig = { endpoint, region, maxAttempts: 1 };
export const admin = { AccessKeyId: process.env.AWS_ACCESS_KEY_ID, SecretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };

// credentials turns an answer's credentials into the SDK's; a provider stays what it is.
export const credentials = (k) =>
  typeof k === "function" ? k : { accessKeyId: k.AccessKeyId, secretAccessKey: k.SecretAccessKey, sessionToken: k.SessionToken };
export const config = (k) => ({ ...clientConfig, credentials: credentials(k) });

// Each returns a function that sends commands, named as in the SDK.
const caller = (client, sdk) => (name, input = {}) => client.send(new sdk[name + "Command"](input));
export const iamFor = (k) => caller(new iamSDK.IAMClient(config(k)), iamSDK);
export const stsFor = (k) => caller(new stsSDK.STSClient(config(k)), stsSDK);
export const orgFor = (k) => caller(new orgSDK.OrganizationsClient(config(k)), orgSDK);
export const iam = iamFor(admin);
export const sts = stsFor(admin);
export const { Account: account } = await sts("GetCallerIdentity");

// arn is whom a key makes the caller.
export const arn = async (k) => (await stsFor(k)("GetCallerIdentity")).Arn;

export const allow = (Action, Resource) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });
export const trust = (Principal, Action = "sts:AssumeRole", Condition = undefined) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action, Condition }] });

// refused wants an error of a name, and returns it.
export async function refused(name, promise) {
  try {
    await promise;
  } catch (e) {
    assert.equal(e.name, name, e.message);
    return e;
  }
  assert.fail(`allowed, want ${name}`);
}

const base32 = (text) => {
  const bits = [...text.replace(/=+$/, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
};

// code is the one-time code that a device shows now, or some steps later (RFC 6238).
export function code(seed, steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", base32(seed)).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// run runs every check, whatever goes wrong.
export async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log("ok", name);
    } catch (e) {
      console.log(`FAIL ${name}: ${e}`.replaceAll("\n", " "));
    }
  }
}
