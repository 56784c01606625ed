//! Editions, limits of the setup, licences, and single permissions taken away.

use serde_json::{Value, json};

use super::super::{Edition, Permission, UserSpec};
use super::soap::{Outcome, Soap};
use super::{Client, FieldSpec, MockOrg, ObjectSpec, code, data, error, org, refused, row_codes, typed};

fn client_of(org: &MockOrg, token: &str) -> Client {
    Client::of(org).with_authorization(Some(&format!("Bearer {token}")))
}

fn create(client: &Client, object: &str, body: &Value) -> super::Answer {
    client.post(&data(&format!("/sobjects/{object}")), body)
}

fn id_of(answer: &super::Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

fn text_field(name: &str, more: &str) -> String {
    format!("<fullName>Contact.{name}__c</fullName>{more}<label>{name}</label><length>9</length><type>Text</type>")
}

#[test]
fn an_edition_has_its_name_and_its_api() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let kind =
        || client.query("SELECT OrganizationType FROM Organization").json()["records"][0]["OrganizationType"].clone();
    assert_eq!(kind(), "Developer Edition");
    org.set_edition(Edition::Enterprise);
    assert_eq!(kind(), "Enterprise Edition");
    org.set_edition(Edition::Professional);
    assert_eq!(code(&client.query("SELECT Id FROM Organization")), refused(403, "API_DISABLED_FOR_ORG"));
    org.enable_api();
    assert_eq!(kind(), "Professional Edition", "with the API bought");
    org.set_edition(Edition::Starter);
    assert_eq!(kind(), "Base Edition");
    let object = "<fullName>Visit__c</fullName><deploymentStatus>Deployed</deploymentStatus><label>Visit</label>\
         <nameField><label>Visit</label><type>Text</type></nameField><pluralLabel>Visits</pluralLabel>\
         <sharingModel>ReadWrite</sharingModel>";
    let made = Soap::of(&org).save("createMetadata", "CustomObject", &[object]);
    let refusal = super::soap::refused("CUSTOM_ENTITY_OR_FIELD_LIMIT", "reached maximum number of custom objects");
    assert_eq!(made, [refusal]);
}

#[test]
fn fields_are_limited() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    org.limit_setup(|limits| (limits.custom_fields, limits.external_ids, limits.tracked_fields) = (3, 1, 1));
    let save =
        |name: &str, more: &str| match soap.save("createMetadata", "CustomField", &[&text_field(name, more)]).remove(0)
        {
            Outcome::Refused(code, _) => code,
            _ => String::new(),
        };
    let external = "<externalId>true</externalId>";
    assert_eq!(save("A", external), "");
    assert_eq!(save("B", external), "CUSTOM_FIELD_INDEX_LIMIT_EXCEEDED");
    assert_eq!(save("B", ""), "");
    let tracked = |name: &str| {
        format!(
            "<fullName>Contact.{name}__c</fullName><label>{name}</label><trackHistory>true</trackHistory><type>Date</type>"
        )
    };
    let track = |name: &str| match soap.save("upsertMetadata", "CustomField", &[&tracked(name)]).remove(0) {
        Outcome::Refused(code, _) => code,
        _ => String::new(),
    };
    assert_eq!(track("C"), "");
    assert_eq!(track("C"), "", "the one that is tracked may stay so");
    org.limit_setup(|limits| limits.custom_fields = 5);
    assert_eq!(track("D"), "NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED");
    org.limit_setup(|limits| limits.custom_fields = 3);
    assert_eq!(save("E", ""), "CUSTOM_ENTITY_OR_FIELD_LIMIT");
}

#[test]
fn permission_sets_and_their_assignments_are_limited() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.limit_setup(|limits| (limits.permission_sets, limits.assignments) = (2, 1));
    let set = |name: &str| create(&client, "PermissionSet", &json!({"Name": name, "Label": name}));
    let (first, second) = (id_of(&set("One")), id_of(&set("Two")));
    assert_eq!(code(&set("Three")), refused(400, "LIMIT_EXCEEDED"));
    let renamed = client.patch(&data(&format!("/sobjects/PermissionSet/{first}")), &json!({"Label": "1"}));
    assert_eq!(renamed.status, 204, "a set that is there may change");
    let assign = |set: &str| {
        create(&client, "PermissionSetAssignment", &json!({"AssigneeId": org.user_id(), "PermissionSetId": set}))
    };
    assert_eq!(assign(&first).status, 201);
    assert_eq!(code(&assign(&first)), refused(400, "DUPLICATE_VALUE"));
    assert_eq!(code(&assign(&second)), refused(400, "LIMIT_EXCEEDED"), "the profile's own set does not count");
    let limits = client.get(&data("/limits")).json()["PermissionSets"]["CreateCustom"].clone();
    assert_eq!((&limits["Max"], &limits["Remaining"]), (&json!(2), &json!(0)));
}

#[test]
fn an_integration_user_needs_a_licence_for_standard_objects() {
    let org = MockOrg::builder().engagement_session("Navattic_").start();
    let client = Client::of(&org);
    let user = org.add_user(UserSpec::new("bot@example.com").integration());
    let who = client
        .query(&format!("SELECT Profile.Name, Profile.UserLicense.Name FROM User WHERE Id = '{}'", user.user_id))
        .json();
    let profile = &who["records"][0]["Profile"];
    assert_eq!(profile["Name"], "Minimum Access - API Only Integrations");
    assert_eq!(profile["UserLicense"]["Name"], "Salesforce Integration");
    assert_eq!(client_of(&org, &user.access_token).get(&data("/limits")).status, 403, "it has the API and no setup");
    let set = |name: &str, object: &str| {
        let id = id_of(&create(&client, "PermissionSet", &json!({"Name": name, "Label": name})));
        let rights = json!({"ParentId": id, "SobjectType": object, "PermissionsRead": true});
        assert_eq!(create(&client, "ObjectPermissions", &rights).status, 201);
        id
    };
    let assign = |set: &str| {
        create(&client, "PermissionSetAssignment", &json!({"AssigneeId": user.user_id, "PermissionSetId": set}))
    };
    let (standard, custom) = (set("Accounts", "Account"), set("Sessions", "Navattic_Session__c"));
    assert_eq!(assign(&custom).status, 201, "custom objects are allowed");
    let text = "The user license doesn't allow the permission: Read Account".to_owned();
    assert_eq!(error(&assign(&standard)), (400, "FIELD_INTEGRITY_EXCEPTION".to_owned(), text));
    let more = json!({"ParentId": custom, "SobjectType": "Contact", "PermissionsRead": true});
    assert_eq!(code(&create(&client, "ObjectPermissions", &more)), refused(400, "FIELD_INTEGRITY_EXCEPTION"));
    org.assign_license(&user.user_id, "SalesforceAPIIntegrationPsl");
    assert_eq!(assign(&standard).status, 201);
    assert_eq!(create(&client, "ObjectPermissions", &more).status, 201);
    let seen = client.query(&format!(
        "SELECT PermissionSetLicense.DeveloperName FROM PermissionSetLicenseAssign WHERE AssigneeId = '{}'",
        user.user_id
    ));
    assert_eq!(seen.json()["records"][0]["PermissionSetLicense"]["DeveloperName"], "SalesforceAPIIntegrationPsl");
    assert_eq!(client_of(&org, &user.access_token).get(&data("/sobjects/Account/describe")).status, 200);
    let seats =
        client.query("SELECT TotalLicenses, UsedLicenses FROM PermissionSetLicense").json()["records"][0].clone();
    assert_eq!((&seats["TotalLicenses"], &seats["UsedLicenses"]), (&json!(5), &json!(1)));
}

#[test]
fn licences_have_to_match_and_run_out() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let user = org.add_user(UserSpec::new("bot@example.com").integration());
    let of = |object: &str, name: &str| {
        client.query(&format!("SELECT Id FROM {object} WHERE Name = '{name}'")).json()["records"][0]["Id"].clone()
    };
    let body = json!({"Name": "Full", "Label": "Full", "LicenseId": of("UserLicense", "Salesforce")});
    let set = id_of(&create(&client, "PermissionSet", &body));
    let assign =
        |user: &str| create(&client, "PermissionSetAssignment", &json!({"AssigneeId": user, "PermissionSetId": set}));
    assert_eq!(code(&assign(&user.user_id)), refused(400, "FIELD_INTEGRITY_EXCEPTION"));
    assert_eq!(assign(&org.user_id()).status, 201);
    let license = client.query("SELECT Id FROM PermissionSetLicense").json()["records"][0]["Id"].clone();
    for number in 0..6 {
        let other = org.add_user(UserSpec::new(&format!("u{number}@example.com")).integration());
        let given = create(
            &client,
            "PermissionSetLicenseAssign",
            &json!({"AssigneeId": other.user_id, "PermissionSetLicenseId": license}),
        );
        let expected = if number < 5 { (201, String::new()) } else { refused(400, "LICENSE_LIMIT_EXCEEDED") };
        assert_eq!((given.status, given.json()[0]["errorCode"].as_str().unwrap_or_default().to_owned()), expected);
    }
}

#[test]
fn a_user_of_minimum_access_has_not_even_the_api() {
    let org = MockOrg::start();
    let user = org.add_user(UserSpec::new("min@example.com").minimum_access());
    let client = client_of(&org, &user.access_token);
    assert_eq!(code(&client.get(&data("/limits"))), refused(403, "API_CURRENTLY_DISABLED"));
    org.grant_system(&user.user_id, "ApiEnabled");
    assert_eq!(client.get(&data("")).status, 200);
    let other = org.add_user(UserSpec::new("max@example.com").minimum_access());
    assert_eq!(client_of(&org, &other.access_token).get(&data("")).status, 403, "the profile they shared is as it was");
}

#[test]
fn one_permission_is_taken_and_rows_and_answers_agree() {
    let (org, client) = org();
    let user = org.add_user(UserSpec::new("u@example.com").permission("ApiEnabled").permission("ViewSetup"));
    let own = client_of(&org, &user.access_token);
    let set = id_of(&create(
        &client,
        "PermissionSet",
        &json!({"Name": "Things", "Label": "Things", "PermissionsViewSetup": true}),
    ));
    let rights = json!({"ParentId": set, "SobjectType": "Thing__c", "PermissionsRead": true, "PermissionsCreate": true,
        "PermissionsEdit": true, "PermissionsDelete": true, "PermissionsViewAllRecords": true, "PermissionsModifyAllRecords": true});
    let field = json!({"ParentId": set, "SobjectType": "Thing__c", "Field": "Thing__c.Day__c", "PermissionsRead": true, "PermissionsEdit": true});
    let rows = client.post(
        &data("/composite/sobjects"),
        &json!({"allOrNone": true, "records": [
            typed("ObjectPermissions", rights), typed("FieldPermissions", field),
        ]}),
    );
    assert_eq!(row_codes(&rows), ["", ""], "rights are rows of a collection");
    create(&client, "PermissionSetAssignment", &json!({"AssigneeId": user.user_id, "PermissionSetId": set}));
    let describe = || own.get(&data("/sobjects/Thing__c/describe")).json();
    let row = || {
        client.query(&format!("SELECT FIELDS(ALL) FROM ObjectPermissions WHERE ParentId = '{set}' LIMIT 1")).json()["records"][0].clone()
    };
    assert_eq!((&describe()["createable"], &describe()["deletable"]), (&json!(true), &json!(true)));

    org.take_permission(&user.user_id, Permission::Object("Thing__c", "ModifyAll"));
    assert_eq!(
        (&row()["PermissionsModifyAllRecords"], &row()["PermissionsViewAllRecords"]),
        (&json!(false), &json!(true))
    );
    org.take_permission(&user.user_id, Permission::Object("Thing__c", "Create"));
    assert_eq!((&row()["PermissionsCreate"], &describe()["createable"]), (&json!(false), &json!(false)));
    assert_eq!(describe()["updateable"], true, "only that one");
    org.take_permission(&user.user_id, Permission::Object("Thing__c", "Edit"));
    assert_eq!(
        (&row()["PermissionsDelete"], &describe()["deletable"]),
        (&json!(false), &json!(false)),
        "not without Edit"
    );
    org.take_permission(&user.user_id, Permission::Field("Thing__c", "Day__c", "Edit"));
    let day = || describe()["fields"].as_array().unwrap().iter().find(|field| field["name"] == "Day__c").cloned();
    assert_eq!(day().unwrap()["updateable"], false);
    org.take_permission(&user.user_id, Permission::Field("Thing__c", "Day__c", "Read"));
    assert_eq!((day(), org.count("FieldPermissions")), (None, 0));
    org.take_permission(&user.user_id, Permission::System("ViewSetup"));
    assert_eq!(own.get(&data("/limits")).status, 403);
    let sets = client.query("SELECT PermissionsViewSetup FROM PermissionSet WHERE Name = 'Things'").json();
    assert_eq!(sets["records"][0]["PermissionsViewSetup"], false);
    org.take_permission(&user.user_id, Permission::Object("Thing__c", "Read"));
    assert_eq!(own.get(&data("/sobjects/Thing__c/describe")).status, 404);
    assert_eq!(
        client.query(&format!("SELECT Id FROM ObjectPermissions WHERE ParentId = '{set}'")).json()["totalSize"],
        0
    );
}

#[test]
fn a_profile_loses_one_permission_for_all_who_have_it() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.take_from_set("System Administrator", Permission::System("ModifyMetadata"));
    let sets = client.query("SELECT PermissionsModifyMetadata, PermissionsViewSetup FROM PermissionSet WHERE Profile.Name = 'System Administrator'");
    let row = sets.json()["records"][0].clone();
    assert_eq!((&row["PermissionsModifyMetadata"], &row["PermissionsViewSetup"]), (&json!(false), &json!(true)));
    let profile =
        client.query("SELECT PermissionsModifyMetadata FROM Profile WHERE Name = 'System Administrator'").json();
    assert_eq!(profile["records"][0]["PermissionsModifyMetadata"], false);
}

#[test]
fn sharing_decides_over_records_unless_all_are_granted() {
    let org = MockOrg::builder().object(ObjectSpec::new("Note__c").field(FieldSpec::text("Text__c", 9))).start();
    let client = Client::of(&org);
    let user =
        org.add_user(UserSpec::new("u@example.com").permission("ApiEnabled").object("Note__c", &["Read", "Edit"]));
    let note = org.insert("Note__c", json!({"Name": "N"}));
    let access = || {
        let soql = format!(
            "SELECT MaxAccessLevel FROM UserRecordAccess WHERE UserId = '{}' AND RecordId = '{note}'",
            user.user_id
        );
        client.query(&soql).json()["records"][0]["MaxAccessLevel"].clone()
    };
    assert_eq!(access(), "Edit");
    org.set_sharing_model("Note__c", "Read");
    assert_eq!(access(), "Read");
    org.set_sharing_model("Note__c", "Private");
    assert_eq!(access(), "None");
    let all =
        org.add_user(UserSpec::new("v@example.com").permission("ApiEnabled").object("Note__c", &["Read", "ViewAll"]));
    let soql =
        format!("SELECT HasReadAccess FROM UserRecordAccess WHERE UserId = '{}' AND RecordId = '{note}'", all.user_id);
    assert_eq!(client.query(&soql).json()["records"][0]["HasReadAccess"], true);
    org.set_sharing_model("Account", "Private");
    let organization = client.query("SELECT DefaultAccountAccess FROM Organization").json();
    assert_eq!(organization["records"][0]["DefaultAccountAccess"], "None");
}
