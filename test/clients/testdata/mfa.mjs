// SPDX-License-Identifier: Apache-2.0
// Enrols second factors and proves them through the AWS SDK for JavaScript.
import { writeFileSync } from "node:fs";
import { account, arn, assert, clientConfig, code, credentials, iam, iamFor, providers, refused, run, stsFor, trust } from "./common.mjs";

const present = { Bool: { "aws:MultiFactorAuthPresent": "true" } };
const devices = {};
let key, vault;

await run({
  "enrol": async () => {
    await iam("CreateUser", { UserName: "ann" });
    const Statement = { Effect: "Allow", Action: "iam:GetUser", Resource: "*", Condition: present };
    await iam("PutUserPolicy", { UserName: "ann", PolicyName: "mfa", PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }) });
    key = (await iam("CreateAccessKey", { UserName: "ann" })).AccessKey;
    for (const name of ["phone", "tablet", "watch"]) {
      const { VirtualMFADevice: device } = await iam("CreateVirtualMFADevice", { VirtualMFADeviceName: name });
      const serial = device.SerialNumber, seed = Buffer.from(device.Base32StringSeed).toString();
      const enable = (first, second) => iam("EnableMFADevice", { UserName: "ann", SerialNumber: serial, AuthenticationCode1: code(seed, first), AuthenticationCode2: code(seed, second) });
      await refused("InvalidAuthenticationCodeException", enable(-1, 4));
      await enable(-1, 0);
      devices[name] = { serial, seed };
    }
    assert.equal((await iam("ListMFADevices", { UserName: "ann" })).MFADevices.length, 3);
    await refused("AccessDenied", iamFor(key)("GetUser"));
  },
  "session-token": async () => {
    const { serial: SerialNumber, seed } = devices.phone;
    const TokenCode = code(seed, 1);
    const { Credentials } = await stsFor(key)("GetSessionToken", { SerialNumber, TokenCode });
    assert.equal((await iamFor(Credentials)("GetUser")).User.UserName, "ann");
    const e = await refused("AccessDenied", stsFor(key)("GetSessionToken", { SerialNumber, TokenCode }));
    assert.ok(e.message.includes("MultiFactorAuthentication failed with invalid MFA one time pass code"), e.message);
    const without = (await stsFor(key)("GetSessionToken")).Credentials;
    await refused("InvalidClientTokenId", iamFor(without)("GetUser"));
  },
  "from-temporary-credentials": async () => {
    const { Role } = await iam("CreateRole", { RoleName: "vault", AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${account}:user/ann` }, undefined, present) });
    vault = Role.Arn;
    const { serial, seed } = devices.tablet;
    const from = (params) => providers.fromTemporaryCredentials({
      masterCredentials: credentials(key), clientConfig, params: { RoleArn: vault, RoleSessionName: "js", ...params },
      mfaCodeProvider: async (asked) => {
        assert.equal(asked, serial);
        return code(seed, 1);
      },
    });
    await refused("AccessDenied", arn(from({})));
    assert.equal(await arn(from({ SerialNumber: serial })), `arn:aws:sts::${account}:assumed-role/vault/js`);
  },
  "from-a-profile-with-mfa-serial": async () => {
    const { serial, seed } = devices.watch;
    writeFileSync(process.env.AWS_CONFIG_FILE, `[profile vault]
role_arn = ${vault}
role_session_name = ini
source_profile = ann
mfa_serial = ${serial}

[profile ann]
aws_access_key_id = ${key.AccessKeyId}
aws_secret_access_key = ${key.SecretAccessKey}
`);
    const from = providers.fromIni({ ignoreCache: true, profile: "vault", clientConfig, mfaCodeProvider: async () => code(seed, 1) });
    assert.equal(await arn(from), `arn:aws:sts::${account}:assumed-role/vault/ini`);
  },
  "leave": async () => {
    for (const { serial: SerialNumber } of Object.values(devices)) {
      await refused("DeleteConflictException", iam("DeleteVirtualMFADevice", { SerialNumber }));
      await iam("DeactivateMFADevice", { UserName: "ann", SerialNumber });
      await iam("DeleteVirtualMFADevice", { SerialNumber });
    }
    assert.deepEqual((await iam("ListVirtualMFADevices")).VirtualMFADevices, []);
  },
});
