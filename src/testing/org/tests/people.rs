//! Merges, conversions, person accounts and contacts of several accounts.

use serde_json::{Value, json};

use super::{code, data, org, refused};

#[test]
fn a_merge_leaves_its_mark_in_the_recycle_bin_and_takes_the_children_along() {
    let (org, client) = org();
    let master = org.insert("Account", json!({"Name": "Master"}));
    let other = org.insert("Account", json!({"Name": "Other"}));
    let contact = org.insert("Contact", json!({"LastName": "Ada", "AccountId": other}));
    org.merge(&master, &[&other[..15]]);
    assert_eq!((org.count("Account"), org.count("Contact")), (1, 1));
    assert_eq!(org.record(&contact).unwrap()["AccountId"], json!(master));
    let soql = format!("SELECT+Id,IsDeleted,MasterRecordId,Name+FROM+Account+WHERE+Id='{other}'");
    assert_eq!(client.get(&data(&format!("/query?q={soql}"))).json()["totalSize"], json!(0));
    let row = client.get(&data(&format!("/queryAll?q={soql}"))).json()["records"][0].clone();
    assert_eq!(
        (&row["IsDeleted"], &row["MasterRecordId"], &row["Name"]),
        (&json!(true), &json!(master), &json!("Other"))
    );
    let gone = client.patch(&data(&format!("/sobjects/Account/{other}")), &json!({"Name": "x"}));
    assert_eq!(code(&gone), refused(404, "ENTITY_IS_DELETED"));
    assert_eq!(client.query("SELECT MasterRecordId FROM Account").json()["records"][0]["MasterRecordId"], Value::Null);
}

#[test]
fn a_converted_lead_names_what_it_became_and_is_locked() {
    let (org, client) = org();
    let lead =
        org.insert("Lead", json!({"LastName": "Lee", "FirstName": "Al", "Company": "Acme", "Email": "l@acme.example"}));
    let became = org.convert_lead(&lead);
    let row = org.record(&lead).unwrap();
    assert_eq!((&row["IsConverted"], &row["Status"]), (&json!(true), &json!("Closed - Converted")));
    assert_eq!(row["ConvertedContactId"], json!(became.contact));
    assert_eq!(row["ConvertedAccountId"], json!(became.account));
    assert_eq!(row["ConvertedOpportunityId"], json!(became.opportunity));
    let contact = org.record(&became.contact).unwrap();
    assert_eq!((&contact["Email"], &contact["AccountId"]), (&json!("l@acme.example"), &json!(became.account)));
    let late = client.patch(&data(&format!("/sobjects/Lead/{lead}")), &json!({"Company": "x"}));
    assert_eq!(code(&late), refused(400, "CANNOT_UPDATE_CONVERTED_LEAD"));
}

#[test]
fn a_person_account_has_a_contact_behind_it_and_no_name_of_its_own() {
    let (org, client) = org();
    let unknown = client.query("SELECT PersonEmail FROM Account");
    assert_eq!(code(&unknown), refused(400, "INVALID_FIELD"));
    org.enable_person_accounts();
    let body = json!({"LastName": "Love", "FirstName": "Ada", "PersonEmail": "ada@home.example"});
    let id = client.post(&data("/sobjects/Account"), &body).json()["id"].as_str().unwrap().to_owned();
    let account = org.record(&id).unwrap();
    assert_eq!((&account["Name"], &account["IsPersonAccount"]), (&json!("Ada Love"), &json!(true)));
    let contact = account["PersonContactId"].as_str().unwrap().to_owned();
    let soql = "SELECT Id, AccountId, Email, IsPersonAccount FROM Contact WHERE Email = 'ADA@home.example'";
    let row = client.query(soql).json()["records"][0].clone();
    assert_eq!((&row["Id"], &row["AccountId"], &row["IsPersonAccount"]), (&json!(contact), &json!(id), &json!(true)));
    let path = data(&format!("/sobjects/Account/{id}"));
    assert_eq!(client.patch(&path, &json!({"PersonEmail": "new@home.example"})).status, 204);
    assert_eq!(org.record(&contact).unwrap()["Email"], json!("new@home.example"));
    assert_eq!(org.count("Contact"), 1);
    let named = json!({"LastName": "Love", "Name": "Ada"});
    assert_eq!(code(&client.post(&data("/sobjects/Account"), &named)), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    let business = org.insert("Account", json!({"Name": "Acme"}));
    assert_eq!(org.record(&business).unwrap()["IsPersonAccount"], json!(false));
    assert_eq!(client.query("SELECT Id FROM Account WHERE Name = 'Acme'").json()["totalSize"], json!(1));
}

#[test]
fn a_contact_belongs_to_the_account_it_names_and_to_others() {
    let (org, client) = org();
    org.enable_contacts_of_several_accounts();
    let [first, second, third] = ["A", "B", "C"].map(|name| org.insert("Account", json!({"Name": name})));
    let contact = org.insert("Contact", json!({"LastName": "Ada", "AccountId": first}));
    let body = json!({"ContactId": contact, "AccountId": second, "Roles": "Evaluator"});
    assert_eq!(client.post(&data("/sobjects/AccountContactRelation"), &body).status, 201);
    let relations = || {
        let soql =
            "SELECT AccountId, IsDirect, IsActive, Account.Name FROM AccountContactRelation ORDER BY Account.Name";
        let rows = client.query(soql).json()["records"].as_array().unwrap().clone();
        rows.iter().map(|row| (row["Account"]["Name"].clone(), row["IsDirect"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(relations(), [(json!("A"), json!(true)), (json!("B"), json!(false))]);
    let path = data(&format!("/sobjects/Contact/{contact}"));
    assert_eq!(client.patch(&path, &json!({"AccountId": third})).status, 204);
    assert_eq!(relations(), [(json!("A"), json!(false)), (json!("B"), json!(false)), (json!("C"), json!(true))]);
    let direct = json!({"ContactId": contact, "AccountId": second, "IsDirect": true});
    let refusal = code(&client.post(&data("/sobjects/AccountContactRelation"), &direct));
    assert_eq!(refusal, refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"), "it follows from the contact");
}
