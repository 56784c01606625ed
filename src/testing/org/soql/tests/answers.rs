//! The shape of records.

use super::*;

fn attributes(kind: &str, url: &str) -> String {
    format!(r#""attributes":{{"type":"{kind}","url":"/services/data/v66.0/sobjects/{url}"}}"#)
}

#[test]
fn records_have_attributes_first_then_fields_in_select_order_spelt_as_in_the_schema() {
    let id = record_id("001", 1);
    let expected = format!(
        r#"[{{{},"Name":"Acme","Id":"{id}","CreatedDate":"2026-05-01T07:25:37.000+0000"}}]"#,
        attributes("Account", &format!("Account/{id}"))
    );
    assert_eq!(org().records("select NAME, id, createddate from ACCOUNT where name = 'acme'"), expected);
}

#[test]
fn values_are_encoded_by_type() {
    let id = record_id("001", 1);
    let expected = format!(
        r#"[{{{},"AnnualRevenue":1000.0,"NumberOfEmployees":10,"Active__c":true,"Opens__c":"08:30:00.000Z","Tags__c":"a;b"}}]"#,
        attributes("Account", &format!("Account/{id}"))
    );
    let soql = "SELECT AnnualRevenue, NumberOfEmployees, Active__c, Opens__c, Tags__c FROM Account LIMIT 1";
    assert_eq!(org().records(soql), expected);
    let contact = record_id("003", 2);
    let expected = format!(
        r#"[{{{},"FirstName":null,"Name":"Abel","Birthdate":"1990-01-02"}}]"#,
        attributes("Contact", &format!("Contact/{contact}"))
    );
    assert_eq!(org().records("SELECT FirstName, Name, Birthdate FROM Contact WHERE LastName = 'Abel'"), expected);
}

#[test]
fn an_unset_checkbox_is_false_and_an_unset_number_null() {
    let id = record_id("001", 3);
    let expected =
        format!(r#"[{{{},"Active__c":false,"AnnualRevenue":null}}]"#, attributes("Account", &format!("Account/{id}")));
    assert_eq!(org().records("SELECT Active__c, AnnualRevenue FROM Account WHERE Name = 'Ceta'"), expected);
}

#[test]
fn an_address_is_built_from_its_parts_even_if_all_are_null() {
    let org = org();
    let full = org.records("SELECT BillingAddress FROM Account WHERE Name = 'Acme'");
    let address = concat!(
        r#""BillingAddress":{"city":"Austin","country":null,"countryCode":null,"geocodeAccuracy":null,"#,
        r#""latitude":30.25,"longitude":null,"postalCode":null,"state":null,"stateCode":null,"street":null}"#
    );
    assert!(full.contains(address), "{full}");
    let empty = org.records("SELECT BillingAddress FROM Account WHERE Name = 'Ceta'");
    assert!(empty.contains(r#""BillingAddress":{"city":null,"#), "{empty}");
}

#[test]
fn an_address_has_no_codes_where_the_org_has_no_picklists_for_them() {
    let mut org = org();
    let account = org.schema.object_mut("Account").expect("in the schema");
    account.fields.retain(|field| !matches!(field.name.as_str(), "BillingCountryCode" | "BillingStateCode"));
    let record = org.records("SELECT BillingAddress FROM Account WHERE Name = 'Acme'");
    assert!(record.contains(r#""country":null,"geocodeAccuracy":null"#), "{record}");
    assert!(record.contains(r#""state":null,"street":null"#), "{record}");
}

#[test]
fn parents_are_nested_where_the_first_of_their_fields_stands() {
    let (contact, account, user) = (record_id("003", 1), record_id("001", 1), record_id("005", 1));
    let expected = format!(
        r#"[{{{},"Id":"{contact}","Account":{{{},"Name":"Acme","Owner":{{{},"Name":"Ada Byron"}},"Industry":"Banking"}},"Email":"bo@example.com"}}]"#,
        attributes("Contact", &format!("Contact/{contact}")),
        attributes("Account", &format!("Account/{account}")),
        attributes("User", &format!("User/{user}")),
    );
    let soql = "SELECT Id, account.name, Account.Owner.Name, Email, Account.Industry FROM Contact WHERE FirstName='Bo'";
    assert_eq!(org().records(soql), expected);
}

#[test]
fn a_missing_parent_is_null() {
    // recorded: rest/query-users-with-profile.json ("Profile": null)
    let records = org().records("SELECT Account.Owner.Name, LastName FROM Contact WHERE LastName = 'Cole'");
    assert!(records.ends_with(r#""Account":null,"LastName":"Cole"}]"#), "{records}");
}

#[test]
fn custom_relationships_end_in_r() {
    let records = org().records("SELECT Account__r.Name, Minutes__c FROM Navattic_Session__c");
    assert!(records.contains(r#""Account__r":{"attributes""#), "{records}");
    assert!(records.ends_with(r#""Name":"beta"},"Minutes__c":12.5}]"#), "{records}");
}

#[test]
fn children_are_a_result_of_their_own_and_null_if_there_are_none() {
    let (acme, beta) = (record_id("001", 1), record_id("001", 2));
    let (abel, zed) = (record_id("003", 2), record_id("003", 1));
    let expected = format!(
        r#"[{{{},"Name":"Acme","Contacts":{{"totalSize":2,"done":true,"records":[{{{},"LastName":"Abel"}},{{{},"LastName":"Zed"}}]}}}},{{{},"Name":"beta","Contacts":null}}]"#,
        attributes("Account", &format!("Account/{acme}")),
        attributes("Contact", &format!("Contact/{abel}")),
        attributes("Contact", &format!("Contact/{zed}")),
        attributes("Account", &format!("Account/{beta}")),
    );
    let soql = "SELECT Name, (SELECT LastName FROM contacts ORDER BY LastName) FROM Account WHERE Key__c != null";
    assert_eq!(org().records(soql), expected);
}

#[test]
fn child_queries_filter_limit_and_reach_back_to_parents() {
    let org = org();
    let won = org.records(
        "SELECT Id, (SELECT Name, Account.Name FROM Opportunities WHERE StageName = 'Closed Won') FROM Account LIMIT 1",
    );
    assert!(won.contains(r#""totalSize":1"#) && won.contains(r#""Name":"Deal","Account":{"#), "{won}");
    let one = org.records("SELECT Id, (SELECT Id FROM Contacts LIMIT 1) FROM Account LIMIT 1");
    assert!(one.contains(r#""totalSize":1"#), "{one}");
    let custom = org.records("SELECT Id, (SELECT Name FROM Sessions__r) FROM Account WHERE Name = 'beta'");
    assert!(custom.contains(r#""Sessions__r":{"totalSize":1"#), "{custom}");
}

#[test]
fn children_of_children_are_found_from_58_on() {
    let mut org = org();
    let soql = "SELECT Id, (SELECT Id, (SELECT Name FROM Opportunities) FROM ChildAccounts) FROM Account LIMIT 1";
    assert!(org.records(soql).contains(r#""Name":"Idea""#));
    org.base_path = "/services/data/v57.0";
    assert_eq!(org.refusal(soql).code, "MALFORMED_QUERY");
}

#[test]
fn a_child_query_may_name_its_parent_and_itself() {
    let soql = "SELECT Account.Name, (SELECT Contact.LastName FROM Account.Contacts) FROM Account LIMIT 1";
    let records = org().records(soql);
    assert!(records.contains(r#""Name":"Acme","Contacts":{"totalSize":2"#), "{records}");
}

#[test]
fn aliases_stand_for_the_object_and_its_parents() {
    let org = org();
    assert_eq!(org.names("SELECT a.Name FROM Account a WHERE a.Name = 'beta'"), "beta");
    let soql = "SELECT c.Name, a.Name, o.LastName FROM Contact c, c.Account a, a.Owner o WHERE a.Name = 'Acme' \
                AND o.LastName = 'Byron' AND c.FirstName = 'Bo'";
    let records = org.records(soql);
    assert!(records.contains(r#""Name":"Bo Zed","Account":{"#), "{records}");
    assert!(records.contains(r#""LastName":"Byron""#), "{records}");
}

#[test]
fn a_polymorphic_parent_is_a_name_with_the_url_of_what_it_is() {
    let org = org();
    let user = record_id("005", 1);
    let records = org.records("SELECT Owner.Name, Owner.Type FROM Task WHERE Name = 'Call'");
    let owner =
        format!(r#""Owner":{{{},"Name":"Ada Byron","Type":"User"}}"#, attributes("Name", &format!("User/{user}")));
    assert!(records.contains(&owner), "{records}");
    assert_eq!(org.names("SELECT Name FROM Task WHERE Owner.Type = 'Queue'"), "Mail");
    assert_eq!(org.names("SELECT Name FROM Task WHERE What.Type IN ('account', 'Lead')"), "Call");
}

#[test]
fn typeof_chooses_fields_by_the_type_of_the_parent() {
    let soql = "SELECT Name, TYPEOF What WHEN Account THEN Industry, Name WHEN Opportunity THEN Amount ELSE Name END \
                FROM Task ORDER BY Name";
    let records = org().records(soql);
    assert!(records.contains(r#""Industry":"Banking","Name":"Acme""#), "{records}");
    assert!(records.contains(r#""Amount":100.0"#), "{records}");
    assert!(records.contains(r#""Name":"Idle","What":null"#), "{records}");
}

#[test]
fn fields_stands_for_groups_of_fields() {
    let org = org();
    let all = org.records("SELECT FIELDS(ALL) FROM Navattic_Session__c LIMIT 200");
    for name in ["\"Id\"", "\"Name\"", "\"Account__c\"", "\"Minutes__c\"", "\"CreatedDate\""] {
        assert!(all.contains(name), "{name}: {all}");
    }
    let custom = org.records("SELECT Id, fields(custom) FROM Navattic_Session__c LIMIT 10");
    assert!(custom.contains("\"Minutes__c\"") && !custom.contains("\"CreatedDate\""), "{custom}");
    let standard = org.records("SELECT FIELDS(STANDARD) FROM Navattic_Session__c");
    assert!(!standard.contains("\"Minutes__c\"") && standard.contains("\"CreatedDate\""), "{standard}");
}

#[test]
fn labels_and_formats_are_texts() {
    let soql = "SELECT toLabel(Industry), FORMAT(AnnualRevenue) Money, FORMAT(CreatedDate), convertCurrency(Key__c) \
                FROM Account WHERE Name = 'beta'";
    let records = org().records(soql);
    let end = r#""Industry":"Energy (label)","Money":"2,500.5","CreatedDate":"5/6/2026, 9:00 AM","Key__c":"k2"}]"#;
    assert!(records.ends_with(end), "{records}");
}

#[test]
fn order_by_puts_nulls_first_or_where_it_is_told() {
    let org = org();
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY Name"), "Acme,beta,Ceta", "case aside");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY AnnualRevenue"), "Ceta,Acme,beta");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY AnnualRevenue ASC NULLS LAST"), "Acme,beta,Ceta");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY AnnualRevenue DESC"), "beta,Acme,Ceta");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY AnnualRevenue DESC NULLS FIRST"), "Ceta,beta,Acme");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY Active__c DESC, Name DESC"), "Acme,Ceta,beta");
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY Parent.Name NULLS LAST, Name"), "Acme,Ceta,beta");
}

#[test]
fn picklists_sort_in_setup_order() {
    // Setup order is Energy, Banking, Apparel.
    assert_eq!(org().names("SELECT Name FROM Account WHERE Industry != null ORDER BY Industry"), "beta,Acme");
}

#[test]
fn limit_and_offset_cut_and_offset_has_no_locator() {
    let org = org();
    assert_eq!(org.names("SELECT Name FROM Account ORDER BY Name LIMIT 1 OFFSET 1"), "beta");
    assert_eq!(org.names("SELECT Name FROM Account LIMIT 0"), "");
    assert!(org.query("SELECT Id FROM Account OFFSET 2000").expect("accepted").one_page);
    assert!(!org.query("SELECT Id FROM Account").expect("accepted").one_page);
}

#[test]
fn clauses_without_effect_are_accepted() {
    let org = org();
    for tail in ["FOR VIEW", "FOR REFERENCE", "FOR VIEW FOR REFERENCE", "FOR UPDATE", "UPDATE TRACKING, VIEWSTAT"] {
        assert_eq!(org.query(&format!("SELECT Id FROM Account {tail}")).expect(tail).total_size, 3);
    }
    assert_eq!(org.query("SELECT Id FROM Account USING SCOPE mine").expect("accepted").total_size, 3);
}

#[test]
fn count_builds_no_records() {
    // recorded: rest/composite-query-count-and-invalid-type.json
    let org = org();
    let counted = org.query("select count() from Account").expect("accepted");
    assert_eq!((counted.total_size, counted.records.len(), counted.one_page), (3, 0, false));
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Name LIKE 'a%'").expect("accepted").total_size, 1);
    assert_eq!(org.query("SELECT COUNT() FROM Account LIMIT 2").expect("accepted").total_size, 2);
}
