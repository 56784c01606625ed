//! The rows of the jobs: a contact as it is read, borrowed and owned, and as it is written.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sforce::types::{SObject, SObjectName};

/// A text that borrows from its page where it stands there as it is. Plain `Option<Cow<str>>` always copies.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct Contact<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(rename = "ExtId__c")]
    ext_id: Text<'a>,
    first_name: Option<Text<'a>>,
    last_name: Text<'a>,
    email: Option<Text<'a>>,
    phone: Option<Text<'a>>,
    title: Option<Text<'a>>,
    mailing_city: Option<Text<'a>>,
    mailing_postal_code: Option<Text<'a>>,
    description: Option<Text<'a>>,
    #[serde(rename = "Score__c")]
    pub(crate) score: Option<f64>,
    #[serde(rename = "IsActive__c")]
    is_active: bool,
    birthdate: Option<Text<'a>>,
    created_date: Text<'a>,
    last_modified_date: Text<'a>,
    account_id: Option<Text<'a>>,
    account: Option<Account<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct Account<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct OwnedContact {
    id: String,
    #[serde(rename = "ExtId__c")]
    ext_id: String,
    first_name: Option<String>,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    title: Option<String>,
    mailing_city: Option<String>,
    mailing_postal_code: Option<String>,
    description: Option<String>,
    #[serde(rename = "Score__c")]
    pub(crate) score: Option<f64>,
    #[serde(rename = "IsActive__c")]
    is_active: bool,
    birthdate: Option<String>,
    created_date: String,
    last_modified_date: String,
    account_id: Option<String>,
    account: Option<OwnedAccount>,
}

impl SObject for OwnedContact {
    const NAME: SObjectName = SObjectName::from_static("Contact");
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct OwnedAccount {
    name: String,
}

/// A contact of a bulk query; an empty cell is none.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct ExportedContact<'a> {
    id: &'a str,
    #[serde(rename = "ExtId__c")]
    ext_id: &'a str,
    first_name: Option<&'a str>,
    last_name: &'a str,
    email: Option<&'a str>,
    title: Option<&'a str>,
    mailing_city: Option<&'a str>,
    description: Option<&'a str>,
    #[serde(rename = "Score__c")]
    pub(crate) score: Option<f64>,
    #[serde(rename = "IsActive__c")]
    is_active: bool,
    created_date: &'a str,
    #[serde(rename = "Account.Name")]
    account_name: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "read to be decoded, as a program would")]
pub(crate) struct OwnedExportedContact {
    id: String,
    #[serde(rename = "ExtId__c")]
    ext_id: String,
    first_name: Option<String>,
    last_name: String,
    email: Option<String>,
    title: Option<String>,
    mailing_city: Option<String>,
    description: Option<String>,
    #[serde(rename = "Score__c")]
    pub(crate) score: Option<f64>,
    #[serde(rename = "IsActive__c")]
    is_active: bool,
    created_date: String,
    #[serde(rename = "Account.Name")]
    account_name: Option<String>,
}

/// A contact to write.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NewContact {
    #[serde(rename = "ExtId__c")]
    ext_id: String,
    first_name: String,
    last_name: String,
    email: String,
    title: String,
    #[serde(rename = "Score__c")]
    score: f64,
}

impl NewContact {
    pub(crate) fn numbered(number: usize) -> Self {
        let quarter = u16::try_from(number % 1000).unwrap_or_default();
        Self {
            ext_id: format!("EXT-{number:08}"),
            first_name: format!("First{number}"),
            last_name: format!("Lastname {number}, Jr"),
            email: format!("person{number}@example.com"),
            title: format!("Head of \"Department\" {}", number % 97),
            score: f64::from(quarter) / 4.0,
        }
    }
}
