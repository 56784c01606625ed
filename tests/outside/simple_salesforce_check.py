"""simple-salesforce, a client this project did not write, against the mock org.

Usage: simple_salesforce_check.py CREDENTIALS_JSON

Takes the line that the example `mock_org` prints. simple-salesforce speaks https to fixed hosts only, so an adapter brings its
requests to the loopback address; nothing else of it is changed. Ends with one line per check and exits 1 if one fails.
"""

import csv
import io
import json
import sys
import traceback
import zipfile

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceLogin, SalesforceMalformedRequest, SalesforceResourceNotFound

ORG = json.loads(sys.argv[1])
LOOPBACK = ORG["base_url"].removeprefix("http://")


class ToLoopback(HTTPAdapter):
    """Sends every https request to the mock org."""

    def send(self, request, **kwargs):
        rest = request.url.split("://", 1)[1]
        path = rest.split("/", 1)[1] if "/" in rest else ""
        request.url = f"http://{LOOPBACK}/{path}"
        return super().send(request, **kwargs)


def session():
    http = requests.Session()
    http.mount("https://", ToLoopback())
    return http


CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def connect():
    return Salesforce(instance=LOOPBACK, session_id=ORG["access_token"], session=session(), version="63.0")


@check
def logs_in_with_client_credentials():
    token, instance = SalesforceLogin(
        consumer_key=ORG["client_id"], consumer_secret=ORG["client_secret"], domain="acme.my", session=session()
    )
    assert token and instance, (token, instance)
    sf = Salesforce(instance=LOOPBACK, session_id=token, session=session())
    assert sf.query("SELECT COUNT() FROM Organization")["totalSize"] == 1


@check
def logs_in_with_username_and_password():
    sf = Salesforce(
        username=ORG["username"], password=ORG["password"], consumer_key=ORG["client_id"],
        consumer_secret=ORG["client_secret"], domain="acme.my", session=session(),
    )
    assert sf.query("SELECT Id FROM User WHERE IsActive = TRUE LIMIT 1")["totalSize"] == 1


@check
def logs_in_by_soap():
    sf = Salesforce(
        username=ORG["username"], password=ORG["password"], security_token="", session=session(), version="59.0"
    )
    assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == ORG["org_id"]


@check
def creates_reads_updates_and_deletes():
    sf = connect()
    made = sf.Contact.create({"LastName": "Outside", "Email": "outside@example.com"})
    assert made["success"] is True and made["errors"] == [], made
    assert sf.Contact.get(made["id"])["LastName"] == "Outside"
    assert sf.Contact.update(made["id"], {"Title": "Tester", "Email": None}) == 204
    read = sf.Contact.get(made["id"])
    assert read["Title"] == "Tester" and read["Email"] is None, read
    assert sf.Contact.delete(made["id"]) == 204
    try:
        sf.Contact.get(made["id"])
    except SalesforceResourceNotFound:
        return
    raise AssertionError("a deleted record is found")


@check
def upserts_by_an_external_id():
    sf = connect()
    assert sf.Contact.upsert("Email/upsert%40example.com", {"LastName": "One"}) == 201
    assert sf.Contact.upsert("Email/upsert%40example.com", {"LastName": "Two"}) == 200
    found = sf.query("SELECT LastName FROM Contact WHERE Email = 'upsert@example.com'")
    assert [row["LastName"] for row in found["records"]] == ["Two"], found


@check
def a_refusal_has_code_and_fields():
    try:
        connect().Contact.create({"FirstName": "nameless"})
    except SalesforceMalformedRequest as error:
        assert error.status == 400, error.status
        assert error.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING", error.content
        assert error.content[0]["fields"] == ["LastName"], error.content
        return
    raise AssertionError("a contact without a name was created")


@check
def queries_over_pages():
    sf = connect()
    rows = [{"attributes": {"type": "Account"}, "Name": f"Page {number:05}"} for number in range(2500)]
    for start in range(0, len(rows), 200):
        answer = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows[start:start + 200]})
        assert all(row["success"] for row in answer), answer
    first = sf.query("SELECT Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Name")
    assert first["totalSize"] == 2500 and first["done"] is False and len(first["records"]) == 2000, first["totalSize"]
    names = [row["Name"] for row in sf.query_all_iter("SELECT Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Name")]
    assert len(names) == 2500 and names == sorted(names)


@check
def inserts_and_deletes_by_bulk():
    bulk = connect().bulk2
    rows = [{"LastName": f"Bulk {number}, \"quoted\"", "Email": f"bulk{number}@example.com"} for number in range(300)]
    rows.append({"LastName": "", "Email": "nameless@example.com"})
    (job,) = bulk.Contact.insert(records=rows, wait=0)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (301, 1), job
    done = list(csv.DictReader(bulk.Contact.get_successful_records(job["job_id"]).splitlines()))
    assert sorted(row["Email"] for row in done) == sorted(row["Email"] for row in rows[:300])
    assert {row["sf__Created"] for row in done} == {"true"} and done[0]["LastName"].endswith('"quoted"')
    (failed,) = csv.DictReader(bulk.Contact.get_failed_records(job["job_id"]).splitlines())
    assert failed["sf__Error"].startswith("REQUIRED_FIELD_MISSING:") and failed["sf__Id"] == "", failed
    assert list(csv.DictReader(bulk.Contact.get_unprocessed_records(job["job_id"]).splitlines())) == []
    (job,) = bulk.Contact.delete(records=[{"Id": row["sf__Id"]} for row in done], wait=0)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (300, 0), job


@check
def upserts_and_queries_by_bulk():
    sf = connect()
    bulk = sf.bulk2
    row = {"LastName": "Bulk", "Email": "upserted@example.com"}
    for title in ["First", "Second"]:
        (job,) = bulk.Contact.upsert(records=[{**row, "Title": title}], external_id_field="Email", wait=0)
        assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (1, 0), job
    found = sf.query("SELECT Title FROM Contact WHERE Email = 'upserted@example.com'")["records"]
    assert [row["Title"] for row in found] == ["Second"], found
    soql = "SELECT Id, Email, Account.Name FROM Contact WHERE Email = 'upserted@example.com'"
    pages = list(bulk.Contact.query(soql, wait=0))
    assert len(pages) == 1, pages
    (read,) = csv.DictReader(pages[0].splitlines())
    assert (read["Email"], read["Account.Name"]) == ("upserted@example.com", ""), read
    names = [f"Paged {number}" for number in range(5)]
    bulk.Account.insert(records=[{"Name": name} for name in names], wait=0)
    soql = "SELECT Name FROM Account WHERE Name LIKE 'Paged %' ORDER BY Name"
    pages = list(bulk.Account.query(soql, max_records=2, wait=0))
    assert [len(list(csv.DictReader(page.splitlines()))) for page in pages] == [2, 2, 1], pages
    assert [row["Name"] for page in pages for row in csv.DictReader(page.splitlines())] == names, pages
    try:
        list(bulk.Account.query("SELECT COUNT(Id) FROM Account", wait=0))
    except SalesforceMalformedRequest as error:
        assert error.content[0]["errorCode"] == "API_ERROR", error.content
        return
    raise AssertionError("a bulk query with an aggregate was taken")


@check
def describes():
    sf = connect()
    assert any(entry["name"] == "Account" for entry in sf.describe()["sobjects"])
    fields = {field["name"]: field for field in sf.Account.describe()["fields"]}
    assert fields["Name"]["type"] == "string" and fields["Name"]["nillable"] is False


@check
def makes_an_object_and_a_field_by_its_metadata_interface():
    sf = connect()
    mdapi = sf.mdapi
    # Its SOAP part has a session of its own.
    mdapi._client.transport.session.mount("https://", ToLoopback())
    mdapi.CustomObject.create(
        mdapi.CustomObject(
            fullName="Outside__c",
            label="Outside",
            pluralLabel="Outsides",
            nameField=mdapi.CustomField(label="Name", type=mdapi.FieldType("Text")),
            deploymentStatus=mdapi.DeploymentStatus("Deployed"),
            sharingModel=mdapi.SharingModel("ReadWrite"),
        )
    )
    mdapi.CustomField.create(
        mdapi.CustomField(
            fullName="Outside__c.Size__c", label="Size", type=mdapi.FieldType("Number"), precision=18, scale=2
        )
    )
    read = mdapi.CustomObject.read("Outside__c")
    assert read.label == "Outside", read
    assert [field.fullName for field in read.fields] == ["Size__c"], read.fields
    assert sf.Outside__c.create({"Name": "x"})["success"] is True


def package(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path, text in files.items():
            out.writestr(path, text)
    return archive


def component(root, body):
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://soap.sforce.com/2006/04/metadata">{body}</{root}>'


def until(look, ends):
    for _ in range(10):
        seen = look()
        if ends(seen):
            return seen
    raise AssertionError(f"no end: {seen}")


@check
def deploys_and_retrieves_packages():
    sf = connect()
    sf.mdapi._client.transport.session.mount("https://", ToLoopback())
    manifest = "<types><members>{0}</members><name>PermissionSet</name></types><version>63.0</version>"

    def deploy(name, body, **options):
        files = {
            "package.xml": component("Package", manifest.format(name)),
            f"permissionsets/{name}.permissionset": component("PermissionSet", body),
        }
        started = sf.deploy(package(files), sandbox=False, **options)
        assert started["state"] == "Queued", started
        return until(lambda: sf.checkDeployStatus(started["asyncId"]), lambda seen: seen["state"] in ("Succeeded", "Failed"))

    checked = deploy("Outsiders", "<label>Outsiders</label>", checkOnly="true")
    assert checked["state"] == "Succeeded", checked
    assert sf.query("SELECT COUNT() FROM PermissionSet WHERE Name = 'Outsiders'")["totalSize"] == 0
    done = deploy("Outsiders", "<label>Outsiders</label>")
    assert done["deployment_detail"]["deployed_count"] == "1", done
    assert sf.query("SELECT COUNT() FROM PermissionSet WHERE Name = 'Outsiders'")["totalSize"] == 1
    failed = deploy("Nobody", "<label>Nobody</label><userPermissions><enabled>true</enabled><name>Fly</name></userPermissions>")
    assert failed["state"] == "Failed", failed
    assert failed["deployment_detail"]["errors"][0]["message"] == "Unknown user permission: Fly", failed
    identifier, _ = sf.mdapi.retrieve("", unpackaged={"PermissionSet": ["Outsiders"]})
    until(lambda: sf.mdapi.check_retrieve_status(identifier), lambda seen: seen[0] == "Succeeded")
    state, error, messages, archive = sf.mdapi.retrieve_zip(identifier)
    assert (state, error, messages) == ("Succeeded", None, []), (state, error, messages)
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        assert sorted(files.namelist()) == ["package.xml", "permissionsets/Outsiders.permissionset"], files.namelist()
        assert b"<label>Outsiders</label>" in files.read("permissionsets/Outsiders.permissionset")


def main():
    failed = 0
    for function in CHECKS:
        try:
            function()
            print(f"ok {function.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED {function.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
