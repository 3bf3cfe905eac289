// SPDX-License-Identifier: Apache-2.0
// Asks for the credential report through the AWS SDK for JavaScript, and reads it.
import { account, assert, iam, iamSDK, refused, run } from "./common.mjs";

let time;

// read returns the rows by user, each by column.
async function read() {
  const got = await iam("GetCredentialReport");
  const [header, ...lines] = Buffer.from(got.Content).toString().trim().split("\n").map((l) => l.split(","));
  return { ...got, rows: Object.fromEntries(lines.map((l) => [l[0], Object.fromEntries(header.map((h, i) => [h, l[i]]))])) };
}

await run({
  "there-is-none-at-first": async () => {
    const e = await refused("CredentialReportNotPresentException", iam("GetCredentialReport"));
    assert.ok(e instanceof iamSDK.CredentialReportNotPresentException && e.$metadata.httpStatusCode === 410, String(e));
  },
  "generate": async () => {
    await iam("CreateUser", { UserName: "ann" });
    await iam("CreateLoginProfile", { UserName: "ann", Password: "correct-Horse-8-battery" });
    await iam("CreateAccessKey", { UserName: "ann" });
    const first = await iam("GenerateCredentialReport");
    assert.equal(first.State, "STARTED");
    assert.ok(first.Description);
    for (let i = 0; i < 100; i++) {
      if ((await iam("GenerateCredentialReport")).State === "COMPLETE") return;
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail("the report is not complete after ten seconds");
  },
  "read": async () => {
    const { ReportFormat, GeneratedTime, rows } = await read();
    assert.equal(ReportFormat, "text/csv");
    assert.ok(GeneratedTime instanceof Date);
    time = GeneratedTime.getTime();
    assert.equal(rows["<root_account>"].arn, `arn:aws:iam::${account}:root`);
    const { password_enabled, mfa_active, access_key_1_active, access_key_2_active, access_key_1_last_used_date } = rows.ann;
    assert.deepEqual([password_enabled, mfa_active, access_key_1_active, access_key_2_active, access_key_1_last_used_date], ["true", "false", "true", "false", "N/A"]);
  },
  "it-is-kept-for-four-hours": async () => {
    await iam("CreateUser", { UserName: "late" });
    assert.equal((await iam("GenerateCredentialReport")).State, "COMPLETE");
    const { GeneratedTime, rows } = await read();
    assert.equal(GeneratedTime.getTime(), time);
    assert.equal(rows.late, undefined);
  },
});
