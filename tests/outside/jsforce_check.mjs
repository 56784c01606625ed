// jsforce, a client this project did not write, against the mock org.
//
// Usage: jsforce_check.mjs CREDENTIALS_JSON FOLDER
//
// Takes the line that the example `mock_org` prints, and the folder whose node_modules has jsforce and jszip. Ends with one line
// per check and exits 1 if one fails.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [credentials, folder] = process.argv.slice(2);
const ORG = JSON.parse(credentials);
const require = createRequire(`${folder}/`);
const jsforce = require("jsforce");
const JSZip = require("jszip");

const NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"';
const CHECKS = {};

function connect() {
  const conn = new jsforce.Connection({ instanceUrl: ORG.base_url, accessToken: ORG.access_token, version: "63.0" });
  conn.metadata.pollInterval = 1;
  conn.bulk2.pollInterval = 1;
  return conn;
}

CHECKS.logs_in_by_soap_and_with_client_credentials = async () => {
  const soap = new jsforce.Connection({ loginUrl: ORG.base_url, version: "59.0" });
  const user = await soap.login(ORG.username, ORG.password);
  assert.deepEqual([user.id, user.organizationId], [ORG.user_id, ORG.org_id]);
  const oauth2 = { loginUrl: ORG.base_url, clientId: ORG.client_id, clientSecret: ORG.client_secret };
  const conn = new jsforce.Connection({ oauth2, version: "63.0" });
  await conn.authorize({ grant_type: "client_credentials" });
  assert.equal((await conn.query("SELECT Id FROM Organization")).records[0].Id, ORG.org_id);
  assert.equal((await connect().identity()).username, ORG.username);
};

CHECKS.creates_reads_updates_and_deletes = async () => {
  const contacts = connect().sobject("Contact");
  const made = await contacts.create({ LastName: "Outside", Email: "jsforce@example.com" });
  assert.deepEqual([made.success, made.errors], [true, []]);
  assert.equal((await contacts.update({ Id: made.id, Title: "Tester", Email: null })).success, true);
  const read = await contacts.retrieve(made.id);
  assert.deepEqual([read.Title, read.Email, read.LastName], ["Tester", null, "Outside"]);
  const found = await contacts.find({ Title: "Tester", CreatedDate: jsforce.SfDate.TODAY }, ["Id"]);
  assert.deepEqual(found.map((row) => row.Id), [made.id]);
  assert.equal((await contacts.destroy(made.id)).success, true);
  await assert.rejects(contacts.retrieve(made.id), { errorCode: "ENTITY_IS_DELETED" });
  await assert.rejects(contacts.create({ FirstName: "nameless" }), { errorCode: "REQUIRED_FIELD_MISSING" });
};

CHECKS.writes_collections_and_upserts = async () => {
  const contacts = connect().sobject("Contact");
  const [good, bad] = await contacts.create([{ LastName: "One" }, { FirstName: "nameless" }]);
  assert.deepEqual([good.success, bad.success, bad.errors[0].statusCode], [true, false, "REQUIRED_FIELD_MISSING"]);
  const row = { LastName: "Upserted", Email: "js.upsert@example.com" };
  assert.equal((await contacts.upsert(row, "Email")).success, true);
  const [again] = await contacts.upsert([{ ...row, LastName: "Again" }], "Email");
  assert.equal(again.success, true);
  assert.deepEqual((await contacts.find({ Email: row.Email })).map((found) => found.LastName), ["Again"]);
};

CHECKS.asks_for_several_things_in_one_call = async () => {
  const base = "/services/data/v63.0";
  const compositeRequest = [
    { method: "POST", url: `${base}/sobjects/Account`, referenceId: "made", body: { Name: "Composite" } },
    { method: "GET", url: `${base}/sobjects/Account/@{made.id}?fields=Name`, referenceId: "read" },
  ];
  const answer = await connect().requestPost("/composite", { allOrNone: true, compositeRequest });
  assert.deepEqual(answer.compositeResponse.map((one) => one.httpStatusCode), [201, 200]);
  assert.equal(answer.compositeResponse[1].body.Name, "Composite");
};

CHECKS.queries_over_pages_and_into_permission_sets = async () => {
  const conn = connect();
  const rows = Array.from({ length: 2200 }, (_, number) => ({ Name: `Js ${String(number).padStart(5, "0")}` }));
  const made = await conn.sobject("Account").create(rows, { allowRecursive: true });
  assert.ok(made.every((one) => one.success));
  const query = conn.query("SELECT Name FROM Account WHERE Name LIKE 'Js 0%' ORDER BY Name");
  const all = await query.run({ autoFetch: true, maxFetch: 5000 });
  assert.deepEqual([all.totalSize, all.records.length, all.records[2199].Name], [2200, 2200, "Js 02199"]);
  const assigned = await conn.query(
    "SELECT Name, Profile.Name, (SELECT SobjectType FROM ObjectPerms), (SELECT Assignee.Username FROM Assignments) " +
      "FROM PermissionSet WHERE IsOwnedByProfile = true",
  );
  const names = assigned.records.flatMap((set) => set.Assignments?.records.map((one) => one.Assignee.Username) ?? []);
  assert.ok(names.includes(ORG.username), names.join());
};

CHECKS.describes = async () => {
  const conn = connect();
  const everything = await conn.describeGlobal();
  assert.ok(everything.sobjects.some((object) => object.name === "Opportunity"));
  const account = await conn.describe("Account");
  assert.equal(account.fields.find((field) => field.name === "Name").nameField, true);
  const { layouts } = await conn.sobject("Account").layouts();
  assert.equal(layouts[0].detailLayoutSections[0].heading, "Account Information");
  assert.ok((await conn.limits()).DailyApiRequests.Max > 0);
};

CHECKS.loads_and_queries_by_bulk = async () => {
  const { bulk2 } = connect();
  const row = (_, number) => ({ LastName: `Load, "${number}"`, Email: `load${number}@example.com` });
  const input = Array.from({ length: 50 }, row);
  input.push({ LastName: "", Email: "nameless@example.com" });
  const loaded = await bulk2.loadAndWaitForResults({ object: "Contact", operation: "insert", input });
  assert.deepEqual([loaded.successfulResults.length, loaded.unprocessedRecords], [50, []]);
  const [failed] = loaded.failedResults;
  assert.match(failed.sf__Error, /^REQUIRED_FIELD_MISSING:/);
  const stream = await bulk2.query("SELECT Id, LastName FROM Contact WHERE Email LIKE 'load%@example.com'");
  const found = await stream.toArray();
  assert.ok(found.length === 50 && found.some((row) => row.LastName === 'Load, "49"'), found.length);
  const ids = found.map(({ Id }) => ({ Id }));
  const gone = await bulk2.loadAndWaitForResults({ object: "Contact", operation: "delete", input: ids });
  assert.deepEqual([gone.successfulResults.length, gone.failedResults], [50, []]);
};

const object = (fullName, label) => ({
  fullName,
  label,
  pluralLabel: `${label}s`,
  nameField: { type: "Text", label: "Name" },
  deploymentStatus: "Deployed",
  sharingModel: "ReadWrite",
});

CHECKS.changes_components = async () => {
  const { metadata } = connect();
  assert.equal((await metadata.create("CustomObject", object("Js__c", "Js"))).success, true);
  const fields = [
    { fullName: "Js__c.Key__c", label: "Key", type: "Text", length: 20, externalId: true, unique: true },
    { fullName: "Js__c.Long__c", label: "Long", type: "Text", length: 2000 },
  ];
  const [made, refused] = await metadata.create("CustomField", fields);
  assert.deepEqual([made.success, refused.errors[0].statusCode], [true, "FIELD_INTEGRITY_EXCEPTION"]);
  const upserted = await metadata.upsert("CustomField", { ...fields[0], label: "Other" });
  assert.deepEqual([upserted.success, upserted.created], [true, false]);
  assert.equal((await metadata.update("CustomObject", { ...object("Js__c", "Jsx") })).success, true);
  const read = await metadata.read("CustomObject", ["Js__c", "Nope__c"]);
  assert.deepEqual([read[0].label, read[0].fields[0].fullName, read[0].fields[0].label], ["Jsx", "Key__c", "Other"]);
  assert.equal(read[1].fullName, undefined);
  const set = {
    fullName: "Js",
    label: "Js",
    objectPermissions: { object: "Js__c", allowRead: true, allowCreate: true, allowEdit: false, allowDelete: false },
    fieldPermissions: [{ field: "Js__c.Key__c", readable: true, editable: true }],
  };
  assert.equal((await metadata.upsert("PermissionSet", set)).created, true);
  const kept = await metadata.read("PermissionSet", "Js");
  assert.deepEqual([kept.fieldPermissions[0].editable, kept.objectPermissions[0].allowEdit], [true, false]);
  const listed = await metadata.list([{ type: "CustomObject" }, { type: "PermissionSet" }]);
  const files = listed.filter((one) => one.fullName.startsWith("Js")).map((one) => one.fileName);
  assert.deepEqual(files, ["objects/Js__c.object", "permissionsets/Js.permissionset"]);
  const types = (await metadata.describe()).metadataObjects;
  assert.ok(types.find((type) => type.xmlName === "CustomObject").childXmlNames.includes("CustomField"));
  const layout = await metadata.read("Layout", "Account-Account Layout");
  layout.layoutSections[0].label = "Ours";
  layout.layoutSections[0].customLabel = true;
  assert.equal((await metadata.update("Layout", layout)).success, true);
  assert.equal((await metadata.read("Layout", "Account-Account Layout")).layoutSections[0].label, "Ours");
  const gone = await metadata.delete("CustomObject", ["Js__c", "Nope__c"]);
  assert.deepEqual(gone.map((one) => one.success), [true, false]);
};

const document = (root, body) => `<?xml version="1.0" encoding="UTF-8"?>\n<${root} ${NAMESPACE}>${body}</${root}>`;
const types = (name, member) => `<types><members>${member}</members><name>${name}</name></types>`;

function archive(length) {
  const zip = new JSZip();
  const field = `<fields><fullName>Text__c</fullName><label>Text</label><length>${length}</length><type>Text</type></fields>`;
  const parts = [
    `<deploymentStatus>Deployed</deploymentStatus>${field}<label>Packed</label>`,
    "<nameField><label>Name</label><type>Text</type></nameField>",
    "<pluralLabel>Packed</pluralLabel><sharingModel>ReadWrite</sharingModel>",
  ];
  const members = types("CustomObject", "Packed__c") + types("PermissionSet", "Packed");
  zip.file("package.xml", document("Package", `${members}<version>63.0</version>`));
  zip.file("objects/Packed__c.object", document("CustomObject", parts.join("")));
  zip.file("permissionsets/Packed.permissionset", document("PermissionSet", "<label>Packed</label>"));
  return zip.generateAsync({ type: "nodebuffer", compression: "DEFLATE" });
}

async function until(look) {
  for (let tries = 0; tries < 10; tries += 1) {
    const seen = await look();
    if (seen.done) return seen;
  }
  throw new Error("it does not end");
}

CHECKS.deploys_by_soap_and_by_rest = async () => {
  const conn = connect();
  const { metadata } = conn;
  const options = { rollbackOnError: true, singlePackage: true };
  const sets = async () => (await conn.query("SELECT Id FROM PermissionSet WHERE Name = 'Packed'")).totalSize;
  const checked = await metadata.deploy(await archive(20), { ...options, checkOnly: true }).complete(true);
  assert.deepEqual([checked.status, checked.numberComponentsDeployed, await sets()], ["Succeeded", 3, 0]);
  const bad = await metadata.deploy(await archive(300), options).complete(true);
  const [failure] = bad.details.componentFailures;
  assert.deepEqual([bad.status, bad.success, failure.fullName, await sets()], ["Failed", false, "Packed__c.Text__c", 0]);
  const waiting = await metadata.deploy(await archive(20), options);
  assert.equal((await metadata.checkDeployStatus(waiting.id)).status, "InProgress");
  await metadata.cancelDeploy(waiting.id);
  assert.equal((await until(() => metadata.checkDeployStatus(waiting.id))).status, "Canceled");
  const quick = await metadata.deployRecentValidation({ id: checked.id, rest: true });
  assert.equal((await until(() => metadata.checkDeployStatus(quick, false, true))).status, "Succeeded");
  assert.equal(await sets(), 1);
  const { id } = await metadata.deployRest(await archive(20), options);
  const again = await until(() => metadata.checkDeployStatus(id, true, true));
  assert.deepEqual([again.status, again.details.componentSuccesses.filter((one) => one.created)], ["Succeeded", []]);
};

CHECKS.retrieves = async () => {
  const { metadata } = connect();
  const wanted = [{ name: "PermissionSet", members: ["Packed"] }, { name: "Layout", members: ["*"] }];
  const unpackaged = { types: wanted, version: "63.0" };
  const result = await metadata.retrieve({ apiVersion: "63.0", singlePackage: true, unpackaged }).complete();
  assert.deepEqual([result.success, result.status, result.messages], [true, "Succeeded", []]);
  const zip = await JSZip.loadAsync(result.zipFile, { base64: true, checkCRC32: true });
  assert.ok(zip.file("package.xml") && zip.file("layouts/Account-Account Layout.layout"), Object.keys(zip.files).join());
  assert.match(await zip.file("permissionsets/Packed.permissionset").async("string"), /<label>Packed<\/label>/);
  for (const one of result.fileProperties) assert.ok(zip.file(one.fileName), one.fileName);
};

CHECKS.uses_the_tooling_api = async () => {
  const { tooling } = connect();
  const fields = tooling.sobject("CustomField");
  const made = await fields.create({ FullName: "Account.Tool__c", Metadata: { label: "Tool", type: "Text", length: 12 } });
  assert.equal(made.success, true);
  assert.equal((await fields.update({ Id: made.id, Metadata: { label: "Tools", type: "Text", length: 14 } })).success, true);
  const read = await tooling.query("SELECT DeveloperName, Metadata FROM CustomField WHERE DeveloperName = 'Tool'");
  assert.deepEqual([read.records[0].Metadata.label, read.records[0].Metadata.length], ["Tools", 14]);
  const defined = await tooling.query(
    "SELECT QualifiedApiName, DataType FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Account' " +
      "AND QualifiedApiName = 'Tool__c'",
  );
  assert.equal(defined.records[0].DataType, "Text(14)");
  assert.ok((await tooling.describeGlobal()).sobjects.some((one) => one.name === "EntityDefinition"));
  assert.equal((await fields.destroy(made.id)).success, true);
  assert.equal((await tooling.query("SELECT Id FROM CustomField WHERE DeveloperName = 'Tool'")).totalSize, 0);
};

let failed = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
}
console.log(`${Object.keys(CHECKS).length - failed} passed, ${failed} failed`);
// jsforce keeps connections open for a while.
process.exit(failed ? 1 : 0);
