//! What Salesforce wrote about its Metadata API, as a judge of our calls: the WSDL of our requests, recordings of our reading.

use std::collections::HashMap;
use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;
use sforce::adapters::engagement::{Access, Prefix, desired_schema};
use sforce::api::metadata::{CustomField, FieldKind, NameField, PermissionSet, RetrieveRequest};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::{Client, ErrorKind, Retry};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::recorded;

/// Elements of each complex type of the WSDL: their names and types in order, and the type it extends.
type Types = HashMap<String, (Vec<(String, String)>, Option<String>)>;

fn types_of_the_wsdl(text: &str) -> Types {
    let mut reader = Reader::from_str(text);
    let mut types = Types::new();
    let mut open: Option<String> = None;
    loop {
        let event = reader.read_event().expect("well-formed");
        let (Event::Start(start) | Event::Empty(start)) = &event else {
            if matches!(event, Event::Eof) {
                return types;
            }
            continue;
        };
        let attribute = |name: &str| {
            let found = start.try_get_attribute(name).expect("well-formed")?;
            Some(found.normalized_value(quick_xml::XmlVersion::Explicit1_0).expect("plain").into_owned())
        };
        match (start.local_name().as_ref(), attribute("name")) {
            ("complexType", Some(name)) => {
                types.insert(name.clone(), (Vec::new(), None));
                open = Some(name);
            }
            ("extension", _) => {
                let base = attribute("base").map(|base| base.trim_start_matches("tns:").to_owned());
                types.get_mut(open.as_ref().expect("inside a type")).expect("known").1 = base;
            }
            ("element", Some(name)) => {
                let kind = attribute("type").unwrap_or_default().trim_start_matches("tns:").to_owned();
                if let Some(known) = open.as_ref().and_then(|open| types.get_mut(open)) {
                    known.0.push((name, kind));
                }
            }
            ("element", None) | ("schema", _) => open = None,
            _ => {}
        }
    }
}

/// An element's elements in the order in which XSD validation wants them, those of the base type first.
fn order(types: &Types, name: &str) -> Vec<(String, String)> {
    let Some((own, base)) = types.get(name) else { return Vec::new() };
    let mut all = base.as_deref().map(|base| order(types, base)).unwrap_or_default();
    all.extend(own.iter().cloned());
    all
}

/// Checks that each `metadata` element of a request holds what its type allows, in its order. Gives how many it has seen.
fn check_request(types: &Types, body: &str) -> usize {
    let mut reader = Reader::from_str(body);
    // Per open element: its WSDL type, and how far in its order we are.
    let mut stack: Vec<(String, usize)> = Vec::new();
    let mut seen = 0;
    loop {
        match reader.read_event().expect("our request is well-formed") {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                let xsi = start.try_get_attribute("xsi:type").expect("well-formed");
                let mut kind = xsi.map(|kind| kind.value.into_owned()).unwrap_or_default();
                if name == "metadata" {
                    seen += 1;
                } else if name == "retrieveRequest" {
                    seen += 1;
                    kind = "RetrieveRequest".into();
                } else if let Some((parent, at)) = stack.last_mut().filter(|(parent, _)| !parent.is_empty()) {
                    let allowed = order(types, parent);
                    let place = allowed.iter().position(|(allowed, _)| *allowed == name);
                    let place = place.unwrap_or_else(|| panic!("{parent} has no element {name}"));
                    assert!(place >= *at, "{name} of {parent} comes too late");
                    *at = place;
                    kind = if types.contains_key(&allowed[place].1) { allowed[place].1.clone() } else { String::new() };
                }
                stack.push((kind, 0));
            }
            Event::End(_) => {
                stack.pop();
            }
            Event::Eof => return seen,
            _ => {}
        }
    }
}

async fn serve(status: u16, body: &str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.as_bytes().to_vec(), "text/xml;charset=UTF-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let token = AccessToken::allowing_loopback("00D!<token>&", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    (server, client)
}

#[tokio::test]
async fn our_metadata_requests_are_valid_by_the_wsdl_of_salesforce() {
    let Some(folder) = recorded("our_metadata_requests_are_valid_by_the_wsdl_of_salesforce") else { return };
    let types = types_of_the_wsdl(&fs::read_to_string(folder.join("wsdl/metadata-v63.0.wsdl")).expect("readable"));
    assert!(
        order(&types, "CustomField").first().is_some_and(|(name, _)| name == "fullName"),
        "the base type comes first"
    );
    let (server, client) = serve(500, "").await;
    let metadata = client.metadata();
    let schema = desired_schema(&Prefix::default(), Access::FullCrud);
    let checkbox = CustomField { kind: FieldKind::Checkbox, ..schema.fields[1].clone() };
    let object = schema.objects[0].clone().name_field(NameField::auto_number("Number", "A-{0000}"));
    // Nobody answers; what was asked is what counts.
    let _ = metadata.create(&schema.objects).await;
    let _ = metadata.create(&[object]).await;
    let _ = metadata.create(&[checkbox]).await;
    for fields in schema.fields.chunks(10) {
        let _ = metadata.upsert(fields).await;
    }
    let _ = metadata.update(schema.permission_set.as_slice()).await;
    let wanted = RetrieveRequest::new().members("CustomObject", ["Account"]).package("Mine").specific_files(["a"]);
    let _ = metadata.retrieve(&wanted).await;
    let requests = server.received_requests().await.expect("recorded");
    let mut seen = 0;
    for request in &requests {
        let body = String::from_utf8(request.body.clone()).expect("UTF-8");
        assert!(body.contains("<sessionId>00D!&lt;token&gt;&amp;</sessionId>"), "the session id is escaped");
        assert!(request.headers.get("soapaction").is_some());
        seen += check_request(&types, &body);
    }
    assert_eq!(seen, 1 + 1 + 1 + 35 + 1 + 1);
}

#[test]
fn the_wsdl_check_can_fail() {
    let Some(folder) = recorded("the_wsdl_check_can_fail") else { return };
    let types = types_of_the_wsdl(&fs::read_to_string(folder.join("wsdl/metadata-v63.0.wsdl")).expect("readable"));
    let request = |inner: &str| format!(r#"<b xmlns:xsi="x"><metadata xsi:type="CustomField">{inner}</metadata></b>"#);
    assert_eq!(check_request(&types, &request("<fullName>A</fullName><label>A</label>")), 1);
    for bad in ["<label>A</label><fullName>A</fullName>", "<fullName>A</fullName><nonsense/><nonsense>1</nonsense>"] {
        let body = request(bad);
        assert!(std::panic::catch_unwind(|| check_request(&types, &body)).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn recorded_metadata_answers_are_read() {
    let Some(folder) = recorded("recorded_metadata_answers_are_read") else { return };
    let text = |name: &str| fs::read_to_string(folder.join("metadata-soap").join(name)).expect("readable");
    let field = desired_schema(&Prefix::default(), Access::Least).fields[1].clone();

    let (_server, client) = serve(200, &text("readMetadata-permissionset.xml")).await;
    let sets = client.metadata().read::<PermissionSet>(&["IntegrationCustomFieldVisibility"]).await.expect("reads");
    let set = sets[0].as_ref().expect("there");
    assert_eq!((set.fields.len(), set.fields[0].field.as_str()), (1, "TestObject15__c.Hobby__c"));
    assert!(set.fields[0].readable && set.fields[0].editable);

    let answer = text("upsertMetadata-fields-response.xml");
    let (_server, client) = serve(200, &answer).await;
    let count = answer.matches("<result>").count();
    let results = client.metadata().upsert(&vec![field.clone(); count]).await.expect("reads");
    assert!(results.iter().all(|result| result.error.is_none() && result.full_name.starts_with("TestObject15__c.")));
    assert_eq!(
        results.iter().filter(|result| result.created == Some(true)).count(),
        answer.matches("<created>true").count()
    );

    for name in ["upsertMetadata-all-or-none-error.xml", "upsertMetadata-checkbox-required.xml"] {
        let answer = text(name);
        let (_server, client) = serve(200, &answer).await;
        let results =
            client.metadata().upsert(&vec![field.clone(); answer.matches("<result>").count()]).await.expect("reads");
        let codes = results
            .iter()
            .filter(|result| result.error.as_ref().is_some_and(|error| error.has_code("FIELD_INTEGRITY_EXCEPTION")));
        assert!(codes.count() >= 1, "{name}: {results:?}");
        assert!(
            results
                .iter()
                .filter_map(|result| result.error.as_ref())
                .all(|error| !error.salesforce()[0].message.is_empty())
        );
    }

    let answer = text("legacy-v23-describe_metadata-success.xml");
    let (_server, client) = serve(200, &answer).await;
    let described = client.metadata().describe_metadata().await.expect("reads");
    assert_eq!(described.types.len(), answer.matches("<metadataObjects>").count());
    let object = described.types.iter().find(|one| one.xml_name == "CustomObject").expect("every org has it");
    assert_eq!((object.directory_name.as_str(), object.suffix.as_deref()), ("objects", Some("object")));
    assert!(object.child_xml_names.iter().any(|name| name == "CustomField"));

    let (_server, client) = serve(500, &text("legacy-v23-foo-invalid_session.xml")).await;
    let error = client.metadata().list(&["CustomObject"]).await.expect_err("a fault");
    assert!(
        error.kind() == ErrorKind::Auth && error.retry() == Retry::Never,
        "a static token cannot be renewed: {error:?}"
    );
}

#[tokio::test]
async fn a_metadata_answer_cut_at_any_byte_is_an_error() {
    let Some(folder) = recorded("a_metadata_answer_cut_at_any_byte_is_an_error") else { return };
    let text = fs::read_to_string(folder.join("metadata-soap/readMetadata-permissionset.xml")).expect("readable");
    let text = text.trim_end();
    let server = MockServer::start().await;
    let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        server.reset().await;
        let answer = ResponseTemplate::new(200).set_body_raw(text.as_bytes()[..cut].to_vec(), "text/xml");
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let read = client.metadata().read::<PermissionSet>(&["X"]).await;
        assert!(read.is_err(), "{cut}: {read:?}");
    }
}
