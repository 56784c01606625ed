//! Deploy and retrieve over SOAP, each answer held against the WSDL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::soap::{Outcome, Soap, refused};
use super::*;
use crate::testing::org::xml::Element;
use crate::testing::org::{AppSpec, Operation};

fn request_with(soap: &Soap, options: &str, files: &[(&str, &str)]) -> String {
    let archive = STANDARD.encode(zip(files));
    let call = format!("<deploy><ZipFile>{archive}</ZipFile><DeployOptions>{options}</DeployOptions></deploy>");
    let result = soap.call(&call).children[0].clone();
    assert_eq!((result.text_of("done"), result.text_of("state")), (Some("false"), Some("Queued")));
    result.text_of("id").unwrap().to_owned()
}

const OPTIONS: &str = "<rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage>";

fn check(soap: &Soap, id: &str) -> Element {
    let call = format!(
        "<checkDeployStatus><asyncProcessId>{id}</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>"
    );
    soap.call(&call).children[0].clone()
}

fn status(soap: &Soap, id: &str) -> String {
    check(soap, id).text_of("status").unwrap().to_owned()
}

/// Files of what is asked for, and the problems that were told.
fn retrieve(soap: &Soap, request: &str) -> (Vec<(String, String)>, Vec<String>) {
    let call =
        format!("<retrieve><retrieveRequest><apiVersion>63.0</apiVersion>{request}</retrieveRequest></retrieve>");
    let id = soap.call(&call).children[0].text_of("id").unwrap().to_owned();
    let call = format!(
        "<checkRetrieveStatus><asyncProcessId>{id}</asyncProcessId><includeZip>true</includeZip></checkRetrieveStatus>"
    );
    let pending = soap.call(&call).children[0].clone();
    assert_eq!((pending.flag("done"), pending.text_of("status")), (Some(false), Some("Pending")));
    let result = soap.call(&call).children[0].clone();
    assert_eq!((result.flag("done"), result.text_of("status")), (Some(true), Some("Succeeded")));
    let files = unzip(&STANDARD.decode(result.text_of("zipFile").unwrap()).unwrap());
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    for properties in result.all("fileProperties") {
        assert!(paths.contains(&properties.text_of("fileName").unwrap()), "{paths:?}");
    }
    (files, result.all("messages").map(|one| one.text_of("problem").unwrap().to_owned()).collect())
}

fn unpackaged(types: &[(&str, &[&str])]) -> String {
    let text = manifest(types);
    let start = text.find("<types>").unwrap();
    format!("<unpackaged>{}</unpackaged>", &text[start..text.find("</Package>").unwrap()])
}

#[test]
fn a_deployment_by_soap_goes_the_same_way() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    let files = visit();
    let id = request_with(&soap, OPTIONS, &borrowed(&files));
    assert_eq!(status(&soap, &id), "InProgress");
    let result = check(&soap, &id);
    assert_eq!((result.text_of("status"), result.flag("success")), (Some("Succeeded"), Some(true)));
    let details = result.child("details").unwrap();
    assert_eq!((details.all("componentSuccesses").count(), details.all("componentFailures").count()), (5, 0));
    assert_eq!((org.calls(Operation::MetadataDeploy), org.calls(Operation::MetadataCheckDeploy)), (1, 2));
    // REST and SOAP see the same deployments.
    assert_eq!(look(&Client::of(&org), &id)["status"], "Succeeded");
    let gone = manifest(&[("CustomObject", &["Nope__c"])]);
    let id = request_with(&soap, OPTIONS, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    status(&soap, &id);
    let failed = check(&soap, &id);
    let failure = failed.child("details").and_then(|details| details.child("componentFailures")).unwrap();
    assert_eq!(
        (failed.text_of("status"), failure.text_of("problemType"), failure.text_of("problem")),
        (Some("Failed"), Some("Warning"), Some("No CustomObject named: Nope__c found"))
    );
}

#[test]
fn soap_tells_only_what_its_wsdl_knows() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    org.deploys().hold();
    org.deploys().finalize(true);
    let id = request_with(&soap, OPTIONS, &borrowed(&visit()));
    org.deploys().step();
    assert_eq!(org.deploys().step().as_deref(), Some("FinalizingDeploy"));
    assert_eq!(status(&soap, &id), "InProgress");
}

#[test]
fn a_cancel_and_a_quick_deploy_by_soap() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    org.deploys().hold();
    let id = request_with(&soap, OPTIONS, &borrowed(&visit()));
    org.deploys().step();
    let cancel = format!("<cancelDeploy><String>{id}</String></cancelDeploy>");
    assert_eq!(soap.call(&cancel).children[0].flag("done"), Some(false));
    assert_eq!(status(&soap, &id), "Canceling");
    org.deploys().step();
    let canceled = check(&soap, &id);
    assert_eq!(canceled.text_of("status"), Some("Canceled"));
    assert_eq!(canceled.text_of("canceledBy"), Some(&org.user_id()[..15]));
    assert_eq!(soap.fault(&cancel).0, "sf:INVALID_OPERATION");
    let waiting = request_with(&soap, OPTIONS, &borrowed(&visit()));
    let cancel = format!("<cancelDeploy><String>{waiting}</String></cancelDeploy>");
    assert_eq!(soap.call(&cancel).children[0].flag("done"), Some(true), "it had not begun");
    org.deploys().release();
    let validated = request_with(&soap, &format!("<checkOnly>true</checkOnly>{OPTIONS}"), &borrowed(&visit()));
    assert_eq!(
        (status(&soap, &validated), status(&soap, &validated)),
        ("InProgress".to_owned(), "Succeeded".to_owned())
    );
    let quick = format!("<deployRecentValidation><validationId>{validated}</validationId></deployRecentValidation>");
    let id = soap.call(&quick).child("result").unwrap().text.clone();
    assert_eq!((status(&soap, &id), status(&soap, &id)), ("InProgress".to_owned(), "Succeeded".to_owned()));
    for call in [
        "<checkDeployStatus><asyncProcessId>x</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>",
        "<cancelDeploy><String>0AfMk0000000009AAA</String></cancelDeploy>",
        "<deployRecentValidation><validationId/></deployRecentValidation>",
        "<checkRetrieveStatus><asyncProcessId/></checkRetrieveStatus>",
    ] {
        assert_eq!(soap.fault(call).0, "sf:INVALID_CROSS_REFERENCE_KEY", "{call}");
    }
    for call in ["<deploy/>", "<deploy><ZipFile>ö</ZipFile></deploy>", "<retrieve/>"] {
        assert!(soap.fault(call).0.starts_with("sf:"), "{call}");
    }
}

#[test]
fn jwt_based_tokens_are_no_sessions_to_soap() {
    let org = MockOrg::start();
    let app = org.add_app(AppSpec::new("Signed").run_as(&org.user_id()).jwt_access_tokens());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", app.client_id.as_str()),
        ("client_secret", app.client_secret.as_str()),
    ];
    let answer = Client::at(&org.base_url()).form("/services/oauth2/token", &form);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let soap = Soap::as_user(&org, &token);
    assert_eq!(soap.fault("<describeMetadata/>").0, "sf:INVALID_SESSION_ID");
    let client = Client::of(&org).with_authorization(Some(&format!("Bearer {token}")));
    succeed(&client, &borrowed(&visit()));
}

#[test]
fn what_is_retrieved_deploys_without_a_change() {
    let org = MockOrg::start();
    let (client, soap) = (Client::of(&org), Soap::of(&org));
    succeed(&client, &borrowed(&visit()));
    let class = document("ApexClass", "<apiVersion>63.0</apiVersion><status>Active</status>");
    let package = manifest(&[("ApexClass", &["Ours"])]);
    succeed(
        &client,
        &[("classes/Ours.cls", "class Ours {}"), ("classes/Ours.cls-meta.xml", &class), ("package.xml", &package)],
    );
    let wanted = unpackaged(&[
        ("CustomObject", &["Visit__c", "Account", "Nope__c"]),
        ("PermissionSet", &["*"]),
        ("Layout", &["Visit__c-Visit Layout", "Account-Account Layout"]),
        ("ApexClass", &["*"]),
        ("Spell", &["*"]),
        ("Profile", &["*", "Nobody"]),
    ]);
    let (files, messages) = retrieve(&soap, &format!("<singlePackage>true</singlePackage>{wanted}"));
    assert_eq!(
        messages,
        [
            "Entity of type 'CustomObject' named 'Nope__c' cannot be found",
            "Unknown type name 'Spell' specified in package.xml",
            "Entity of type 'Profile' named 'Nobody' cannot be found"
        ]
    );
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "classes/Ours.cls",
            "classes/Ours.cls-meta.xml",
            "layouts/Account-Account Layout.layout",
            "layouts/Visit__c-Visit Layout.layout",
            "objects/Account.object",
            "objects/Visit__c.object",
            "package.xml",
            "permissionsets/Visits.permissionset"
        ]
    );
    let again: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let result = succeed(&client, &again);
    for row in result["details"]["allComponentMessages"].as_array().unwrap() {
        assert_eq!(row["changed"], json!(row["fullName"] == "package.xml"), "{row}");
    }
    // Into another org everything is new.
    let other = MockOrg::start();
    let result = succeed(&Client::of(&other), &again);
    assert_eq!(row(&result, "Visit__c.Key__c")["created"], true);
    assert_eq!(other.component_xml("CustomObject", "Visit__c"), org.component_xml("CustomObject", "Visit__c"));
}

#[test]
fn a_field_alone_is_retrieved_in_its_objects_file() {
    let org = MockOrg::start();
    let (client, soap) = (Client::of(&org), Soap::of(&org));
    succeed(&client, &borrowed(&visit()));
    let (files, messages) = retrieve(&soap, &unpackaged(&[("CustomField", &["Visit__c.Key__c"])]));
    assert_eq!((files.len(), messages.len()), (2, 0));
    let (path, text) = &files[0];
    assert_eq!(path, "unpackaged/objects/Visit__c.object");
    assert!(text.contains("<fullName>Key__c</fullName>") && !text.contains("pluralLabel"), "{text}");
    assert!(files[1].1.contains("<members>Visit__c.Key__c</members>"), "{}", files[1].1);
}

#[test]
fn a_parameter_may_have_another_name() {
    // jsforce and the Salesforce CLI name two of them otherwise than the WSDL.
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    org.deploys().hold();
    let id = request_with(&soap, OPTIONS, &borrowed(&visit()));
    assert_eq!(soap.call(&format!("<cancelDeploy><id>{id}</id></cancelDeploy>")).children[0].flag("done"), Some(true));
    assert_eq!(status(&soap, &id), "Canceled");
    let wanted = unpackaged(&[("Layout", &["*"])]);
    let call = format!("<retrieve><request><apiVersion>63.0</apiVersion>{wanted}</request></retrieve>");
    assert_eq!(soap.call(&call).children[0].text_of("state"), Some("Queued"));
}

#[test]
fn the_types_are_described() {
    let org = MockOrg::start();
    let result =
        Soap::of(&org).call("<describeMetadata><asOfVersion>63.0</asOfVersion></describeMetadata>").children[0].clone();
    let workflow = result.all("metadataObjects").find(|one| one.text_of("xmlName") == Some("Workflow")).unwrap();
    assert_eq!((workflow.text_of("directoryName"), workflow.all("childXmlNames").count()), (Some("workflows"), 5));
    let class = result.all("metadataObjects").find(|one| one.text_of("xmlName") == Some("ApexClass")).unwrap();
    assert_eq!((class.flag("metaFile"), class.text_of("suffix")), (Some(true), Some("cls")));
    assert_eq!(result.all("metadataObjects").count(), 10);
}

#[test]
fn calls_on_components_take_the_other_types_too() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    let message = format!(
        "<fullName>Account.Notify</fullName><apiVersion>63.0</apiVersion><endpointUrl>https://example.com</endpointUrl>\
         <fields>Name</fields><includeSessionId>false</includeSessionId><integrationUser>{}</integrationUser>\
         <name>Notify</name><protected>false</protected>",
        org.username()
    );
    assert_eq!(soap.save("createMetadata", "WorkflowOutboundMessage", &[&message]), [Outcome::Saved]);
    let twice = refused("DUPLICATE_DEVELOPER_NAME", "There is already a WorkflowOutboundMessage named Account.Notify");
    assert_eq!(soap.save("createMetadata", "WorkflowOutboundMessage", &[&message]), [twice]);
    assert_eq!(soap.save("upsertMetadata", "WorkflowOutboundMessage", &[&message]), [Outcome::Unchanged]);
    let read = soap.read("WorkflowOutboundMessage", "Account.Notify").unwrap();
    assert_eq!((read.text_of("endpointUrl"), read.text_of("fields")), (Some("https://example.com"), Some("Name")));
    let list = soap.call("<listMetadata><queries><type>WorkflowOutboundMessage</type></queries></listMetadata>");
    let entry = list.child("result").unwrap();
    assert_eq!(
        (entry.text_of("fileName"), entry.text_of("fullName")),
        (Some("workflows/Account.workflow"), Some("Account.Notify"))
    );
    assert_eq!(soap.delete("WorkflowOutboundMessage", "Account.Notify"), [Outcome::Saved]);
    // A layout is read, changed and written whole.
    let layout = soap.read("Layout", "Account-Account Layout").unwrap();
    assert_eq!(layout.all("layoutSections").next().unwrap().text_of("label"), Some("Account Information"));
    let short = "<fullName>Account-Account Layout</fullName>";
    assert_eq!(soap.save("updateMetadata", "Layout", &[short]), [Outcome::Saved]);
    assert_eq!(soap.read("Layout", "Account-Account Layout").unwrap().all("layoutSections").count(), 0);
    let fault = soap
        .fault("<createMetadata><metadata xsi:type=\"ApexClass\"><fullName>X</fullName></metadata></createMetadata>");
    assert_eq!(fault.0, "sf:INVALID_TYPE", "classes are deployed");
    // All or none holds for them as well.
    let bad = message.replace("Notify", "Other").replace("https", "ftp");
    let header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>";
    let outcomes = soap.save_with(header, "createMetadata", "WorkflowOutboundMessage", &[&message, &bad]);
    assert!(matches!(&outcomes[..], [Outcome::Refused(_, _), Outcome::Refused(_, _)]), "{outcomes:?}");
    assert!(org.components("WorkflowOutboundMessage").is_empty());
}
