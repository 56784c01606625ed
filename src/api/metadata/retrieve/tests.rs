use super::*;

fn id() -> RecordId {
    RecordId::new("09SD0000000001KMAQ").or_else(|_| RecordId::new("09SD0000000001K")).expect("an id")
}

fn parse(text: &str) -> Result<RetrieveResult> {
    read("test", &Element::parse(text.as_bytes())?, id())
}

/// As WSDL 63.0 has it: `RetrieveResult`, `FileProperties`, `RetrieveMessage`.
const DONE: &str = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns=\"http://soap.sforce.com/2006/04/metadata\"><soapenv:Body><checkRetrieveStatusResponse><result><done>true</done>\
    <fileProperties><createdById>005D0000000001A</createdById><createdByName>Ada</createdByName>\
    <createdDate>2026-05-01T07:25:37.000Z</createdDate><fileName>unpackaged/objects/Account.object</fileName>\
    <fullName>Account</fullName><id/><lastModifiedById>005D0000000001A</lastModifiedById>\
    <lastModifiedByName>Ada</lastModifiedByName><lastModifiedDate>2026-05-01T07:25:37.000Z</lastModifiedDate>\
    <manageableState>unmanaged</manageableState><namespacePrefix/><type>CustomObject</type></fileProperties>\
    <id>09SD0000000001K</id><messages><fileName>unpackaged/package.xml</fileName>\
    <problem>Entity of type 'CustomField' named 'Account.No__c' cannot be found</problem></messages>\
    <status>Succeeded</status><success>true</success><zipFile>UEsDBGFi\nY2Q=</zipFile></result>\
    </checkRetrieveStatusResponse></soapenv:Body></soapenv:Envelope>";

#[test]
fn a_call_has_the_order_of_the_wsdl() {
    let request = RetrieveRequest::new()
        .members("CustomObject", ["Account"])
        .members("CustomField", ["Account.A__c"])
        .members("CustomObject", ["Lead & Co"])
        .specific_files(["objects/Account.object"]);
    let mut text = String::new();
    request.element("63.0").write(&mut text);
    assert_eq!(
        text,
        "<retrieve><retrieveRequest><apiVersion>63.0</apiVersion><singlePackage>true</singlePackage>\
         <specificFiles>objects/Account.object</specificFiles><unpackaged><types><members>Account</members>\
         <members>Lead &amp; Co</members><name>CustomObject</name></types><types><members>Account.A__c</members>\
         <name>CustomField</name></types><version>63.0</version></unpackaged></retrieveRequest></retrieve>"
    );
    let mut text = String::new();
    RetrieveRequest::new().package("Mine").element("63.0").write(&mut text);
    assert!(text.contains("<packageNames>Mine</packageNames><singlePackage>false</singlePackage>"), "{text}");
}

#[test]
fn files_messages_and_the_zip_are_read() {
    let result = parse(DONE).expect("a result").ended_well().expect("well");
    assert_eq!(result.zip.as_deref(), Some(&b"PK\x03\x04abcd"[..]));
    assert_eq!((result.status, result.done, result.success), (RetrieveStatus::Succeeded, true, true));
    let file = &result.file_properties[0];
    assert_eq!((file.component_type.as_str(), file.full_name.as_str()), ("CustomObject", "Account"));
    assert_eq!((file.id.as_deref(), file.manageable_state.as_deref()), (None, Some("unmanaged")));
    assert!(file.last_modified_date.is_some());
    assert!(result.messages[0].problem.contains("Account.No__c"));
}

#[test]
fn every_status_is_read_and_unknown_ones_keep_their_name() {
    for word in ["Pending", "InProgress", "Succeeded", "Failed", "Resting"] {
        let text = format!("<result><done>false</done><status>{word}</status><success>false</success></result>");
        let result = parse(&text).expect("a result");
        assert_eq!(result.status.as_str(), word);
        assert_eq!(matches!(result.status, RetrieveStatus::Other(_)), word == "Resting");
        assert!(result.ended_well().is_ok(), "has not ended");
    }
}

#[test]
fn a_retrieve_that_failed_is_the_error_of_its_code() {
    let text = "<result><done>true</done><errorMessage>too large</errorMessage><errorStatusCode>LIMIT_EXCEEDED</errorStatusCode>\
                <id>09SD0000000001K</id><status>Failed</status><success>false</success><zipFile/></result>";
    let error = parse(text).expect("a result").ended_well().expect_err("failed");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::LimitExceeded, Effect::None));
}

#[test]
fn an_answer_cut_at_any_byte_is_no_answer() {
    for end in 0..DONE.len() {
        assert!(parse(&DONE[..end]).is_err(), "{end}");
    }
}

#[test]
fn what_is_no_base64_or_too_large_is_no_zip() {
    for text in ["UEsDB", "UEsD*A==", "=", "UEsDBGFiY2Q"] {
        assert_eq!(unpack("test", text).expect_err("no base64").effect(), Effect::None, "{text}");
    }
    assert!(unpack("test", &"A".repeat((MAX_ZIP / 3 + 2) * 4)).is_err());
}
