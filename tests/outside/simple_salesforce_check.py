"""simple-salesforce, a client this project did not write, against the mock org.

Usage: simple_salesforce_check.py CREDENTIALS_JSON

Takes the line that the example `mock_org` prints. simple-salesforce speaks https to fixed hosts only, so an adapter brings its
requests to the loopback address; nothing else of it is changed. Ends with one line per check and exits 1 if one fails.
"""

import json
import sys
import traceback

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
