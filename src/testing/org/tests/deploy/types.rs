//! Component types beyond objects, fields and permission sets.

use super::*;

/// A package of one file.
fn one(kind: &str, name: &str, path: &str, body: &str) -> [(String, String); 2] {
    let root = if path.starts_with("workflows/") { "Workflow" } else { kind };
    [(path.to_owned(), document(root, body)), ("package.xml".to_owned(), manifest(&[(kind, &[name])]))]
}

fn refs(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

fn item(behavior: &str, field: &str) -> String {
    format!("<layoutItems><behavior>{behavior}</behavior><field>{field}</field></layoutItems>")
}

fn section(label: &str, items: &str) -> String {
    format!(
        "<layoutSections><customLabel>true</customLabel><detailHeading>true</detailHeading><editHeading>true</editHeading>\
         <label>{label}</label>\n    <layoutColumns>\n        {items}</layoutColumns><layoutColumns/>\
         <style>TwoColumnsTopToBottom</style></layoutSections>"
    )
}

fn message(org: &MockOrg, fields: &str) -> String {
    format!(
        "<outboundMessages><fullName>Notify</fullName><apiVersion>63.0</apiVersion>\
         <endpointUrl>https://example.com/hook</endpointUrl>{fields}<includeSessionId>false</includeSessionId>\
         <integrationUser>{}</integrationUser><name>Notify</name><protected>false</protected>\
         <useDeadLetterQueue>false</useDeadLetterQueue></outboundMessages>",
        org.username()
    )
}

fn rule(action: &str) -> String {
    format!(
        "<rules><fullName>On change</fullName><actions><name>{action}</name><type>OutboundMessage</type></actions>\
         <active>true</active><criteriaItems><field>Account.Industry</field><operation>equals</operation>\
         <value>Energy</value></criteriaItems><triggerType>onAllChanges</triggerType></rules>"
    )
}

fn flow(status: &str, version: &str, start: &str) -> String {
    format!(
        "<actionCalls><name>Send</name><label>Send</label><locationX>0</locationX><locationY>0</locationY>\
         <actionName>Account.Notify</actionName><actionType>outboundMessage</actionType></actionCalls>\
         <apiVersion>{version}</apiVersion><label>Notify</label><processType>AutoLaunchedFlow</processType><start>\
         <locationX>0</locationX><locationY>0</locationY><connector><targetReference>Send</targetReference></connector>\
         {start}<object>Account</object><recordTriggerType>CreateAndUpdate</recordTriggerType>\
         <triggerType>RecordAfterSave</triggerType></start><status>{status}</status>"
    )
}

#[test]
fn every_object_is_born_with_a_layout() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let layouts = org.components("Layout");
    for name in ["Account-Account Layout", "Contact-Contact Layout", "Opportunity-Opportunity Layout"] {
        assert!(layouts.contains(&name.to_owned()), "{layouts:?}");
    }
    let account = org.component_xml("Layout", "Account-Account Layout").unwrap();
    for label in ["Account Information", "Address Information", "System Information", "Custom Links"] {
        assert!(account.contains(&format!("<label>{label}</label>")), "{account}");
    }
    assert!(account.contains("<behavior>Required</behavior>\n                <field>Name</field>"), "{account}");
    succeed(&client, &borrowed(&visit()));
    assert!(org.components("Layout").contains(&"Visit__c-Visit Layout".to_owned()));
    let layout = org.component_xml("Layout", "Visit__c-Visit Layout").unwrap();
    assert!(!layout.contains("Key__c"), "fields of the Metadata API are on no page");
    org.add_object(crate::testing::org::ObjectSpec::new("Trip__c"));
    assert!(org.components("Layout").contains(&"Trip__c-Trip Layout".to_owned()));
}

#[test]
fn parts_of_an_object_are_components_of_its_file() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let view = "<listViews><fullName>All</fullName><filterScope>Everything</filterScope><label>All</label></listViews>";
    let rule = "<validationRules><fullName>Never</fullName><active>true</active>\
                <errorConditionFormula>false</errorConditionFormula><errorMessage>No</errorMessage></validationRules>";
    let file = object("Visit", &format!("{}{view}{rule}", text_field("Key")));
    let package = manifest(&[
        ("CustomObject", &["Visit__c"]),
        ("ListView", &["Visit__c.All"]),
        ("ValidationRule", &["Visit__c.Never"]),
    ]);
    let files = [("objects/Visit__c.object", file.as_str()), ("package.xml", package.as_str())];
    let result = succeed(&client, &files);
    let made = row(&result, "Visit__c.Never");
    assert_eq!((&made["componentType"], &made["created"]), (&json!("ValidationRule"), &json!(true)));
    let kept = org.component_xml("CustomObject", "Visit__c").unwrap();
    assert!(kept.contains("<fullName>All</fullName>") && kept.contains("<errorMessage>No</errorMessage>"), "{kept}");
    let again = succeed(&client, &files);
    for name in ["Visit__c", "Visit__c.Key__c", "Visit__c.All", "Visit__c.Never"] {
        assert_eq!(row(&again, name)["changed"], false, "{name}");
    }
    // One by one as well, and gone with the object.
    let soap = super::super::soap::Soap::of(&org);
    assert_eq!(soap.read("ListView", "Visit__c.All").unwrap().text_of("label"), Some("All"));
    let bare = "<fullName>Visit__c.Bare</fullName><active>true</active><errorMessage>x</errorMessage>";
    let outcome = soap.save("createMetadata", "ValidationRule", &[bare]);
    let missing = "Required field is missing: errorConditionFormula";
    assert_eq!(outcome, [super::super::soap::refused("REQUIRED_FIELD_MISSING", missing)]);
    soap.delete("CustomObject", "Visit__c");
    assert!(org.components("ListView").is_empty() && org.components("ValidationRule").is_empty());
}

#[test]
fn a_layout_is_told_by_the_name_of_its_file() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let layout = document("Layout", &section("Ours", &(item("Required", "Name") + &item("Required", "OwnerId"))));
    let package = manifest(&[("Layout", &["Account-Sales %28New%29"])]);
    let files = [("layouts/Account-Sales %28New%29.layout", layout.as_str()), ("package.xml", package.as_str())];
    let result = succeed(&client, &files);
    assert_eq!(row(&result, "Account-Sales %28New%29")["created"], true);
    assert!(org.components("Layout").contains(&"Account-Sales (New)".to_owned()));
}

#[test]
fn a_layout_is_replaced_as_a_whole_and_its_fields_have_to_be_there() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    // With the object and its field in the same package.
    let layout = document("Layout", &section("Ours", &(item("Required", "Name") + &item("Edit", "Key__c"))));
    let mut files = visit();
    files.push(("layouts/Visit__c-Visit Layout.layout", layout.clone()));
    files[2].1 = manifest(&[
        ("Layout", &["Visit__c-Visit Layout"]),
        ("PermissionSet", &["Visits"]),
        ("CustomObject", &["Visit__c"]),
    ]);
    let result = succeed(&client, &borrowed(&files));
    assert_eq!(row(&result, "Visit__c-Visit Layout")["changed"], true);
    let read = org.component_xml("Layout", "Visit__c-Visit Layout").unwrap();
    assert!(read.contains("Ours") && !read.contains("System Information"), "{read}");
    let only = manifest(&[("Layout", &["Visit__c-Visit Layout"])]);
    let put = |text: &str| {
        let text = document("Layout", text);
        deploy(&client, &[("layouts/Visit__c-Visit%20Layout.layout", &text), ("package.xml", &only)])
    };
    let bad = put(&section("Ours", &(item("Required", "Name") + &item("Edit", "Nope__c"))));
    assert_eq!(problem(&bad), "In field: field - no CustomField named Visit__c.Nope__c found");
    let place = row(&bad, "Visit__c-Visit Layout");
    assert_eq!(place["lineNumber"], 4, "the place of the item");
    let twice = put(&section("Ours", &(item("Required", "Name") + &item("Edit", "Name"))));
    assert_eq!(problem(&twice), "Field: layoutItems, value:Name appears more than once");
    let without = put(&section("Ours", &item("Edit", "Key__c")));
    assert_eq!(problem(&without), "Layout must contain an item for required layout field: Name");
    let nobody = document("Layout", &section("Ours", &item("Required", "Name")));
    let package = manifest(&[("Layout", &["Nope__c-Nope Layout"])]);
    let result = deploy(&client, &[("layouts/Nope__c-Nope Layout.layout", &nobody), ("package.xml", &package)]);
    assert_eq!(problem(&result), "Entity of type 'CustomObject' named 'Nope__c' cannot be found");
    // A field that is deleted goes from the page.
    let gone = manifest(&[("CustomField", &["Visit__c.Key__c"])]);
    succeed(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    assert!(!org.component_xml("Layout", "Visit__c-Visit Layout").unwrap().contains("Key__c"));
}

#[test]
fn the_only_layout_stays() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let gone = manifest(&[("Layout", &["Account-Account Layout"])]);
    let files = [("package.xml", manifest(&[])), ("destructiveChanges.xml", gone)];
    let result = deploy(&client, &borrowed(&files));
    assert_eq!(problem(&result), "The only page layout of an object cannot be deleted");
    let other = document("Layout", &section("Ours", &item("Required", "Name")));
    let package = manifest(&[("Layout", &["Account-Account %28Ours%29 Layout"])]);
    let path = "layouts/Account-Account %28Ours%29 Layout.layout";
    succeed(&client, &[(path, &other), ("package.xml", &package)]);
    assert!(org.components("Layout").contains(&"Account-Account (Ours) Layout".to_owned()));
    succeed(&client, &borrowed(&files));
}

#[test]
fn workflow_is_made_of_its_parts() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let body = message(&org, "<fields>Name</fields>") + &rule("Notify");
    let files = one("Workflow", "Account", "workflows/Account.workflow", &body);
    let result = succeed(&client, &refs(&files));
    assert_eq!(result["numberComponentsTotal"], 3);
    assert_eq!(row(&result, "Account.Notify")["componentType"], "WorkflowOutboundMessage");
    assert_eq!(row(&result, "Account.On change")["created"], true);
    assert_eq!(org.components("WorkflowRule"), ["Account.On change"]);
    assert_eq!(row(&succeed(&client, &refs(&files)), "Account.Notify")["changed"], false);
    // One part alone, named in the manifest.
    let files = one(
        "WorkflowRule",
        "Account.On change",
        "workflows/Account.workflow",
        &rule("Notify").replace("true", "false"),
    );
    let result = succeed(&client, &refs(&files));
    assert_eq!(row(&result, "Account.On change")["changed"], true);
    for (body, expected) in [
        (rule("Nothing"), "In field: action - no WorkflowOutboundMessage named Account.Nothing found"),
        (
            rule("Notify").replace("Account.Industry", "Account.Nope__c"),
            "In field: field - no CustomField named Account.Nope__c found",
        ),
        (rule("Notify").replace("onAllChanges", "never"), "'never' is not a valid value for the enum 'triggerType'"),
        (
            rule("Notify").replace("<triggerType>", "<formula>true</formula><triggerType>"),
            "A workflow rule has either a formula or criteriaItems",
        ),
        (message(&org, "<fields>Nope__c</fields>"), "In field: fields - no CustomField named Account.Nope__c found"),
        (message(&org, "").replace("https://", "ftp://"), "endpointUrl: invalid URL: ftp://example.com/hook"),
        (
            message(&org, "").replace(&org.username(), "nobody@example.com"),
            "In field: integrationUser - no User named nobody@example.com found",
        ),
    ] {
        let files = one("Workflow", "Account", "workflows/Account.workflow", &body);
        assert_eq!(problem(&deploy(&client, &refs(&files))), expected);
    }
}

#[test]
fn what_is_in_use_is_not_deleted() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let account = document("CustomObject", &text_field("Score"));
    let workflow = document(
        "Workflow",
        &(message(&org, "<fields>Score__c</fields>") + &rule("Notify").replace("Industry", "Score__c")),
    );
    let package = manifest(&[("Workflow", &["Account"]), ("CustomField", &["Account.Score__c"])]);
    let files = [
        ("workflows/Account.workflow", workflow.as_str()),
        ("objects/Account.object", &account),
        ("package.xml", &package),
    ];
    succeed(&client, &files);
    let delete = |kind: &str, name: &str| {
        let gone = manifest(&[(kind, &[name])]);
        deploy(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)])
    };
    assert_eq!(
        problem(&delete("CustomField", "Account.Score__c")),
        "This custom field is referenced elsewhere in salesforce.com. : Workflow Rule - Account.On change."
    );
    assert_eq!(
        problem(&delete("WorkflowOutboundMessage", "Account.Notify")),
        "This workflow action is referenced elsewhere in salesforce.com. : Workflow Rule - Account.On change."
    );
    // All at once, in the order of what needs what.
    let gone = manifest(&[
        ("CustomField", &["Account.Score__c"]),
        ("WorkflowOutboundMessage", &["Account.Notify"]),
        ("WorkflowRule", &["Account.On change"]),
    ]);
    succeed(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    assert!(org.components("CustomField").is_empty() && org.components("Workflow").is_empty());
}

#[test]
fn a_set_that_is_assigned_is_not_deleted() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    succeed(&client, &borrowed(&visit()));
    let set = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Visits'").json()["records"][0]["Id"].clone();
    let assignment = json!({"AssigneeId": org.user_id(), "PermissionSetId": set});
    assert_eq!(client.post(&data("/sobjects/PermissionSetAssignment"), &assignment).status, 201);
    let gone = manifest(&[("PermissionSet", &["Visits"])]);
    let result = deploy(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    assert_eq!(
        problem(&result),
        "This permission set is assigned to users. Remove the assignments before you delete it."
    );
    assert_eq!(org.components("PermissionSet"), ["Visits"]);
}

#[test]
fn a_flow_sends_a_message_that_is_there() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let put = |files: &[(String, String)]| deploy(&client, &refs(files));
    let of = |body: &str| one("Flow", "Notify", "flows/Notify.flow", body);
    assert_eq!(
        problem(&put(&of(&flow("Active", "63.0", "")))),
        "In field: actionName - no WorkflowOutboundMessage named Account.Notify found"
    );
    // [S] amp-labs/connectors PR 3469: flow and message in one package.
    let workflow = document("Workflow", &message(&org, ""));
    let both = manifest(&[("Flow", &["Notify"]), ("Workflow", &["Account"])]);
    let active = document("Flow", &flow("Active", "63.0", ""));
    succeed(
        &client,
        &[("flows/Notify.flow", &active), ("workflows/Account.workflow", &workflow), ("package.xml", &both)],
    );
    assert_eq!(
        problem(&put(&of(&flow("Active", "52.0", "")))),
        "The action type \"Outbound Messages\" can't be used in flows with the process type \"Autolaunched Flow\""
    );
    let formula = "<filterFormula>ISCHANGED({!$Record.Name})</filterFormula>";
    assert_eq!(
        problem(&put(&of(&flow("Active", "63.0", formula)))),
        "The formula of the entry conditions can't use ISCHANGED when the flow runs on created records"
    );
    let update = flow("Active", "63.0", formula).replace("CreateAndUpdate", "Update");
    assert_eq!(put(&of(&update))["status"], "Succeeded");
    let lost = flow("Active", "63.0", "").replace("<targetReference>Send<", "<targetReference>Nobody<");
    assert!(problem(&put(&of(&lost))).contains("Nobody"));
    let filter = "<filterLogic>and</filterLogic><filters><field>Nope__c</field><operator>IsNull</operator></filters>";
    assert_eq!(
        problem(&put(&of(&flow("Active", "63.0", filter)))),
        "In field: field - no CustomField named Account.Nope__c found"
    );
    // An active flow stays; a draft goes, and then its message.
    let gone = manifest(&[("Flow", &["Notify"])]);
    let delete = || deploy(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    assert_eq!(problem(&delete()), "insufficient access rights on object id");
    let gone_message = manifest(&[("WorkflowOutboundMessage", &["Account.Notify"])]);
    let files = [("package.xml", manifest(&[])), ("destructiveChanges.xml", gone_message)];
    assert_eq!(
        problem(&deploy(&client, &borrowed(&files))),
        "This workflow action is referenced elsewhere in salesforce.com. : Flow - Notify."
    );
    assert_eq!(put(&of(&flow("Draft", "63.0", "")))["status"], "Succeeded");
    assert_eq!(delete()["status"], "Succeeded");
    succeed(&client, &borrowed(&files));
}

#[test]
fn credentials_sites_actions_and_classes_are_checked_and_kept() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let parameter = "<namedCredentialParameters><parameterName>Url</parameterName><parameterType>Url</parameterType>\
                     <parameterValue>https://example.com</parameterValue></namedCredentialParameters>\
                     <namedCredentialParameters><externalCredential>Ours</externalCredential>\
                     <parameterName>Authentication</parameterName><parameterType>Authentication</parameterType>\
                     </namedCredentialParameters><namedCredentialType>SecuredEndpoint</namedCredentialType>";
    let named = document("NamedCredential", &format!("<label>Ours</label>{parameter}"));
    let external =
        document("ExternalCredential", "<authenticationProtocol>Custom</authenticationProtocol><label>Ours</label>");
    let site = document(
        "RemoteSiteSetting",
        "<disableProtocolSecurity>false</disableProtocolSecurity><isActive>true</isActive><url>https://example.com</url>",
    );
    let action = document(
        "QuickAction",
        "<label>Log</label><optionsCreateFeedItem>false</optionsCreateFeedItem><targetObject>Contact</targetObject>\
         <type>Create</type>",
    );
    let meta = document("ApexClass", "<apiVersion>63.0</apiVersion><status>Active</status>");
    let package = manifest(&[
        ("NamedCredential", &["Ours"]),
        ("ExternalCredential", &["Ours"]),
        ("RemoteSiteSetting", &["Ours"]),
        ("QuickAction", &["Account.Log"]),
        ("ApexClass", &["Ours"]),
    ]);
    let files = [
        ("namedCredentials/Ours.namedCredential", named.as_str()),
        ("externalCredentials/Ours.externalCredential", &external),
        ("remoteSiteSettings/Ours.remoteSite", &site),
        ("quickActions/Account.Log.quickAction", &action),
        ("classes/Ours.cls", "public with sharing class Ours { }"),
        ("classes/Ours.cls-meta.xml", &meta),
        ("package.xml", &package),
    ];
    let result = succeed(&client, &files);
    assert_eq!(result["numberComponentsTotal"], 5);
    assert!(row(&result, "Account.Log")["id"].as_str().unwrap().starts_with("09D"));
    for kind in ["NamedCredential", "ExternalCredential", "RemoteSiteSetting", "ApexClass"] {
        assert_eq!(org.components(kind), ["Ours"], "{kind}");
    }
    let changed = |place: usize, from: &str, to: &str| {
        let mut files = files;
        let text = files[place].1.replace(from, to);
        files[place].1 = &text;
        failures(&deploy(&client, &files)).into_iter().map(|(_, _, problem)| problem).collect::<Vec<_>>().join("|")
    };
    assert_eq!(
        changed(0, "<externalCredential>Ours", "<externalCredential>Nope"),
        "In field: externalCredential - no ExternalCredential named Nope found"
    );
    assert_eq!(changed(1, "Custom", "Magic"), "'Magic' is not a valid value for the enum 'authenticationProtocol'");
    assert_eq!(changed(2, "https://example.com", "example"), "url: invalid URL: example");
    assert_eq!(changed(3, "Contact", "Nope__c"), "In field: targetObject - no CustomObject named Nope__c found");
    assert_eq!(changed(4, "Ours", "Theirs"), "Invalid name: Theirs does not match the name of the file, Ours");
    assert_eq!(
        changed(5, "<status>Active</status>", "<status>Odd</status>"),
        "'Odd' is not a valid value for the enum 'status'"
    );
    let gone = manifest(&[("ExternalCredential", &["Ours"])]);
    let result = deploy(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    assert_eq!(
        problem(&result),
        "This external credential is referenced elsewhere in salesforce.com. : Named Credential - Ours."
    );
}
