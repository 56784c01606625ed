//! Types of Contact, Visit\_\_c.
//!
//! Made from the org's describe: `cargo test generate_types`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    rustdoc::bare_urls,
    reason = "generated"
)]

use sforce::types;

/// Contact: a record of `Contact` as it is read.
///
/// What may be null is an `Option`, `None` too where a query does not select it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Contact {
    /// Contact ID. id, read-only.
    #[serde(rename = "Id")]
    pub id: types::RecordId,
    /// Deleted. boolean, read-only.
    #[serde(rename = "IsDeleted")]
    pub is_deleted: bool,
    /// Master Record ID. reference to Contact, read-only.
    #[serde(rename = "MasterRecordId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_record_id: Option<types::RecordId>,
    /// The record that `MasterRecordId` names: reference to Contact.
    #[serde(rename = "MasterRecord")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_record: Option<types::Parent>,
    /// Account ID. reference to Account.
    #[serde(rename = "AccountId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<types::RecordId>,
    /// The record that `AccountId` names: reference to Account.
    #[serde(rename = "Account")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<types::Parent>,
    /// Last Name. string(80), required on create.
    #[serde(rename = "LastName")]
    pub last_name: String,
    /// First Name. string(40).
    #[serde(rename = "FirstName")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Salutation. picklist(40).
    #[serde(rename = "Salutation")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salutation: Option<ContactSalutation>,
    /// Full Name. string(121), read-only.
    #[serde(rename = "Name")]
    pub name: String,
    /// Other Street. textarea(255).
    #[serde(rename = "OtherStreet")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_street: Option<String>,
    /// Other City. string(40).
    #[serde(rename = "OtherCity")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_city: Option<String>,
    /// Other State/Province. string(80).
    #[serde(rename = "OtherState")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_state: Option<String>,
    /// Other Zip/Postal Code. string(20).
    #[serde(rename = "OtherPostalCode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_postal_code: Option<String>,
    /// Other Country. string(80).
    #[serde(rename = "OtherCountry")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_country: Option<String>,
    /// Other Latitude. double(18, 15).
    #[serde(rename = "OtherLatitude")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_latitude: Option<types::Decimal>,
    /// Other Longitude. double(18, 15).
    #[serde(rename = "OtherLongitude")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_longitude: Option<types::Decimal>,
    /// Other Geocode Accuracy. picklist(40).
    #[serde(rename = "OtherGeocodeAccuracy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_geocode_accuracy: Option<ContactOtherGeocodeAccuracy>,
    /// Other Address. address, read-only.
    #[serde(rename = "OtherAddress")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_address: Option<types::Address>,
    /// Mailing Street. textarea(255).
    #[serde(rename = "MailingStreet")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_street: Option<String>,
    /// Mailing City. string(40).
    #[serde(rename = "MailingCity")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_city: Option<String>,
    /// Mailing State/Province. string(80).
    #[serde(rename = "MailingState")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_state: Option<String>,
    /// Mailing Zip/Postal Code. string(20).
    #[serde(rename = "MailingPostalCode")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_postal_code: Option<String>,
    /// Mailing Country. string(80).
    #[serde(rename = "MailingCountry")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_country: Option<String>,
    /// Mailing Latitude. double(18, 15).
    #[serde(rename = "MailingLatitude")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_latitude: Option<types::Decimal>,
    /// Mailing Longitude. double(18, 15).
    #[serde(rename = "MailingLongitude")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_longitude: Option<types::Decimal>,
    /// Mailing Geocode Accuracy. picklist(40).
    #[serde(rename = "MailingGeocodeAccuracy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_geocode_accuracy: Option<ContactMailingGeocodeAccuracy>,
    /// Mailing Address. address, read-only.
    #[serde(rename = "MailingAddress")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing_address: Option<types::Address>,
    /// Business Phone. phone(40).
    #[serde(rename = "Phone")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Business Fax. phone(40).
    #[serde(rename = "Fax")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fax: Option<String>,
    /// Mobile Phone. phone(40).
    #[serde(rename = "MobilePhone")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    /// Home Phone. phone(40).
    #[serde(rename = "HomePhone")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_phone: Option<String>,
    /// Other Phone. phone(40).
    #[serde(rename = "OtherPhone")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_phone: Option<String>,
    /// Asst. Phone. phone(40).
    #[serde(rename = "AssistantPhone")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant_phone: Option<String>,
    /// Reports To ID. reference to Contact.
    #[serde(rename = "ReportsToId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports_to_id: Option<types::RecordId>,
    /// The record that `ReportsToId` names: reference to Contact.
    #[serde(rename = "ReportsTo")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports_to: Option<types::Parent>,
    /// Email. email(80).
    #[serde(rename = "Email")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Title. string(128).
    #[serde(rename = "Title")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Department. string(80).
    #[serde(rename = "Department")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Assistant's Name. string(40).
    #[serde(rename = "AssistantName")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant_name: Option<String>,
    /// Lead Source. picklist(255).
    #[serde(rename = "LeadSource")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_source: Option<ContactLeadSource>,
    /// Birthdate. date.
    #[serde(rename = "Birthdate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<types::Date>,
    /// Contact Description. textarea(32000).
    #[serde(rename = "Description")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Owner ID. reference to User, has a default.
    #[serde(rename = "OwnerId")]
    pub owner_id: types::RecordId,
    /// The record that `OwnerId` names: reference to User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Created Date. datetime, read-only.
    #[serde(rename = "CreatedDate")]
    pub created_date: types::Timestamp,
    /// Created By ID. reference to User, read-only.
    #[serde(rename = "CreatedById")]
    pub created_by_id: types::RecordId,
    /// The record that `CreatedById` names: reference to User.
    #[serde(rename = "CreatedBy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<types::Parent>,
    /// Last Modified Date. datetime, read-only.
    #[serde(rename = "LastModifiedDate")]
    pub last_modified_date: types::Timestamp,
    /// Last Modified By ID. reference to User, read-only.
    #[serde(rename = "LastModifiedById")]
    pub last_modified_by_id: types::RecordId,
    /// The record that `LastModifiedById` names: reference to User.
    #[serde(rename = "LastModifiedBy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<types::Parent>,
    /// System Modstamp. datetime, read-only.
    #[serde(rename = "SystemModstamp")]
    pub system_modstamp: types::Timestamp,
    /// Last Activity. date, read-only.
    #[serde(rename = "LastActivityDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity_date: Option<types::Date>,
    /// Last Stay-in-Touch Request Date. datetime, read-only.
    #[serde(rename = "LastCURequestDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_cu_request_date: Option<types::Timestamp>,
    /// Last Stay-in-Touch Save Date. datetime, read-only.
    #[serde(rename = "LastCUUpdateDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_cu_update_date: Option<types::Timestamp>,
    /// Last Viewed Date. datetime, read-only.
    #[serde(rename = "LastViewedDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_viewed_date: Option<types::Timestamp>,
    /// Last Referenced Date. datetime, read-only.
    #[serde(rename = "LastReferencedDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_referenced_date: Option<types::Timestamp>,
    /// Email Bounced Reason. string(255).
    #[serde(rename = "EmailBouncedReason")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_bounced_reason: Option<String>,
    /// Email Bounced Date. datetime.
    #[serde(rename = "EmailBouncedDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_bounced_date: Option<types::Timestamp>,
    /// Is Email Bounced. boolean, read-only.
    #[serde(rename = "IsEmailBounced")]
    pub is_email_bounced: bool,
    /// Photo URL. url(255), read-only.
    #[serde(rename = "PhotoUrl")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    /// Data.com Key. string(20).
    #[serde(rename = "Jigsaw")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jigsaw: Option<String>,
    /// Jigsaw Contact ID. string(20), read-only.
    #[serde(rename = "JigsawContactId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jigsaw_contact_id: Option<String>,
    /// Clean Status. picklist(40).
    #[serde(rename = "CleanStatus")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_status: Option<ContactCleanStatus>,
    /// Individual ID. reference to Individual.
    #[serde(rename = "IndividualId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual_id: Option<types::RecordId>,
    /// The record that `IndividualId` names: reference to Individual.
    #[serde(rename = "Individual")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual: Option<types::Parent>,
}

impl types::SObject for Contact {
    const NAME: types::SObjectName = types::SObjectName::from_static("Contact");
}

impl Contact {
    /// The fields of the struct, parents left out: for a `SELECT`, or to get a record.
    pub const FIELDS: &[types::FieldName] = &[
        types::FieldName::from_static("Id"),
        types::FieldName::from_static("IsDeleted"),
        types::FieldName::from_static("MasterRecordId"),
        types::FieldName::from_static("AccountId"),
        types::FieldName::from_static("LastName"),
        types::FieldName::from_static("FirstName"),
        types::FieldName::from_static("Salutation"),
        types::FieldName::from_static("Name"),
        types::FieldName::from_static("OtherStreet"),
        types::FieldName::from_static("OtherCity"),
        types::FieldName::from_static("OtherState"),
        types::FieldName::from_static("OtherPostalCode"),
        types::FieldName::from_static("OtherCountry"),
        types::FieldName::from_static("OtherLatitude"),
        types::FieldName::from_static("OtherLongitude"),
        types::FieldName::from_static("OtherGeocodeAccuracy"),
        types::FieldName::from_static("OtherAddress"),
        types::FieldName::from_static("MailingStreet"),
        types::FieldName::from_static("MailingCity"),
        types::FieldName::from_static("MailingState"),
        types::FieldName::from_static("MailingPostalCode"),
        types::FieldName::from_static("MailingCountry"),
        types::FieldName::from_static("MailingLatitude"),
        types::FieldName::from_static("MailingLongitude"),
        types::FieldName::from_static("MailingGeocodeAccuracy"),
        types::FieldName::from_static("MailingAddress"),
        types::FieldName::from_static("Phone"),
        types::FieldName::from_static("Fax"),
        types::FieldName::from_static("MobilePhone"),
        types::FieldName::from_static("HomePhone"),
        types::FieldName::from_static("OtherPhone"),
        types::FieldName::from_static("AssistantPhone"),
        types::FieldName::from_static("ReportsToId"),
        types::FieldName::from_static("Email"),
        types::FieldName::from_static("Title"),
        types::FieldName::from_static("Department"),
        types::FieldName::from_static("AssistantName"),
        types::FieldName::from_static("LeadSource"),
        types::FieldName::from_static("Birthdate"),
        types::FieldName::from_static("Description"),
        types::FieldName::from_static("OwnerId"),
        types::FieldName::from_static("CreatedDate"),
        types::FieldName::from_static("CreatedById"),
        types::FieldName::from_static("LastModifiedDate"),
        types::FieldName::from_static("LastModifiedById"),
        types::FieldName::from_static("SystemModstamp"),
        types::FieldName::from_static("LastActivityDate"),
        types::FieldName::from_static("LastCURequestDate"),
        types::FieldName::from_static("LastCUUpdateDate"),
        types::FieldName::from_static("LastViewedDate"),
        types::FieldName::from_static("LastReferencedDate"),
        types::FieldName::from_static("EmailBouncedReason"),
        types::FieldName::from_static("EmailBouncedDate"),
        types::FieldName::from_static("IsEmailBounced"),
        types::FieldName::from_static("PhotoUrl"),
        types::FieldName::from_static("Jigsaw"),
        types::FieldName::from_static("JigsawContactId"),
        types::FieldName::from_static("CleanStatus"),
        types::FieldName::from_static("IndividualId"),
    ];

    /// `SELECT` with these fields `FROM Contact`; a condition may follow.
    #[must_use]
    pub fn select() -> String {
        let fields: Vec<&str> = Self::FIELDS.iter().map(types::FieldName::as_str).collect();
        let (fields, object) = (fields.join(", "), <Self as types::SObject>::NAME);
        format!("SELECT {fields} FROM {object}")
    }

    /// What an update has to write so that the record `before` becomes this one: only what differs.
    ///
    /// Fields that cannot be written, and parents, do not count.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> ContactChanges {
        ContactChanges {
            account_id: types::Field::between(&before.account_id, &self.account_id),
            account: None,
            last_name: types::Field::changed(&before.last_name, &self.last_name),
            first_name: types::Field::between(&before.first_name, &self.first_name),
            salutation: types::Field::between(&before.salutation, &self.salutation),
            other_street: types::Field::between(&before.other_street, &self.other_street),
            other_city: types::Field::between(&before.other_city, &self.other_city),
            other_state: types::Field::between(&before.other_state, &self.other_state),
            other_postal_code: types::Field::between(
                &before.other_postal_code,
                &self.other_postal_code,
            ),
            other_country: types::Field::between(&before.other_country, &self.other_country),
            other_latitude: types::Field::between(&before.other_latitude, &self.other_latitude),
            other_longitude: types::Field::between(&before.other_longitude, &self.other_longitude),
            other_geocode_accuracy: types::Field::between(
                &before.other_geocode_accuracy,
                &self.other_geocode_accuracy,
            ),
            mailing_street: types::Field::between(&before.mailing_street, &self.mailing_street),
            mailing_city: types::Field::between(&before.mailing_city, &self.mailing_city),
            mailing_state: types::Field::between(&before.mailing_state, &self.mailing_state),
            mailing_postal_code: types::Field::between(
                &before.mailing_postal_code,
                &self.mailing_postal_code,
            ),
            mailing_country: types::Field::between(&before.mailing_country, &self.mailing_country),
            mailing_latitude: types::Field::between(
                &before.mailing_latitude,
                &self.mailing_latitude,
            ),
            mailing_longitude: types::Field::between(
                &before.mailing_longitude,
                &self.mailing_longitude,
            ),
            mailing_geocode_accuracy: types::Field::between(
                &before.mailing_geocode_accuracy,
                &self.mailing_geocode_accuracy,
            ),
            phone: types::Field::between(&before.phone, &self.phone),
            fax: types::Field::between(&before.fax, &self.fax),
            mobile_phone: types::Field::between(&before.mobile_phone, &self.mobile_phone),
            home_phone: types::Field::between(&before.home_phone, &self.home_phone),
            other_phone: types::Field::between(&before.other_phone, &self.other_phone),
            assistant_phone: types::Field::between(&before.assistant_phone, &self.assistant_phone),
            reports_to_id: types::Field::between(&before.reports_to_id, &self.reports_to_id),
            reports_to: None,
            email: types::Field::between(&before.email, &self.email),
            title: types::Field::between(&before.title, &self.title),
            department: types::Field::between(&before.department, &self.department),
            assistant_name: types::Field::between(&before.assistant_name, &self.assistant_name),
            lead_source: types::Field::between(&before.lead_source, &self.lead_source),
            birthdate: types::Field::between(&before.birthdate, &self.birthdate),
            description: types::Field::between(&before.description, &self.description),
            owner_id: types::Field::changed(&before.owner_id, &self.owner_id),
            owner: None,
            email_bounced_reason: types::Field::between(
                &before.email_bounced_reason,
                &self.email_bounced_reason,
            ),
            email_bounced_date: types::Field::between(
                &before.email_bounced_date,
                &self.email_bounced_date,
            ),
            jigsaw: types::Field::between(&before.jigsaw, &self.jigsaw),
            clean_status: types::Field::between(&before.clean_status, &self.clean_status),
            individual_id: types::Field::between(&before.individual_id, &self.individual_id),
            individual: None,
        }
    }
}

/// Contact: a record of `Contact` to create.
///
/// An `Option` that is `None` and a field that is absent are not sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewContact {
    /// Account ID. reference to Account.
    #[serde(rename = "AccountId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub account_id: types::Field<types::RecordId>,
    /// The record that `AccountId` names: reference to Account.
    #[serde(rename = "Account")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<types::Parent>,
    /// Last Name. string(80), required on create.
    #[serde(rename = "LastName")]
    pub last_name: String,
    /// First Name. string(40).
    #[serde(rename = "FirstName")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub first_name: types::Field<String>,
    /// Salutation. picklist(40).
    #[serde(rename = "Salutation")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub salutation: types::Field<ContactSalutation>,
    /// Other Street. textarea(255).
    #[serde(rename = "OtherStreet")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_street: types::Field<String>,
    /// Other City. string(40).
    #[serde(rename = "OtherCity")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_city: types::Field<String>,
    /// Other State/Province. string(80).
    #[serde(rename = "OtherState")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_state: types::Field<String>,
    /// Other Zip/Postal Code. string(20).
    #[serde(rename = "OtherPostalCode")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_postal_code: types::Field<String>,
    /// Other Country. string(80).
    #[serde(rename = "OtherCountry")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_country: types::Field<String>,
    /// Other Latitude. double(18, 15).
    #[serde(rename = "OtherLatitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_latitude: types::Field<types::Decimal>,
    /// Other Longitude. double(18, 15).
    #[serde(rename = "OtherLongitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_longitude: types::Field<types::Decimal>,
    /// Other Geocode Accuracy. picklist(40).
    #[serde(rename = "OtherGeocodeAccuracy")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_geocode_accuracy: types::Field<ContactOtherGeocodeAccuracy>,
    /// Mailing Street. textarea(255).
    #[serde(rename = "MailingStreet")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_street: types::Field<String>,
    /// Mailing City. string(40).
    #[serde(rename = "MailingCity")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_city: types::Field<String>,
    /// Mailing State/Province. string(80).
    #[serde(rename = "MailingState")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_state: types::Field<String>,
    /// Mailing Zip/Postal Code. string(20).
    #[serde(rename = "MailingPostalCode")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_postal_code: types::Field<String>,
    /// Mailing Country. string(80).
    #[serde(rename = "MailingCountry")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_country: types::Field<String>,
    /// Mailing Latitude. double(18, 15).
    #[serde(rename = "MailingLatitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_latitude: types::Field<types::Decimal>,
    /// Mailing Longitude. double(18, 15).
    #[serde(rename = "MailingLongitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_longitude: types::Field<types::Decimal>,
    /// Mailing Geocode Accuracy. picklist(40).
    #[serde(rename = "MailingGeocodeAccuracy")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_geocode_accuracy: types::Field<ContactMailingGeocodeAccuracy>,
    /// Business Phone. phone(40).
    #[serde(rename = "Phone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub phone: types::Field<String>,
    /// Business Fax. phone(40).
    #[serde(rename = "Fax")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub fax: types::Field<String>,
    /// Mobile Phone. phone(40).
    #[serde(rename = "MobilePhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mobile_phone: types::Field<String>,
    /// Home Phone. phone(40).
    #[serde(rename = "HomePhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub home_phone: types::Field<String>,
    /// Other Phone. phone(40).
    #[serde(rename = "OtherPhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_phone: types::Field<String>,
    /// Asst. Phone. phone(40).
    #[serde(rename = "AssistantPhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub assistant_phone: types::Field<String>,
    /// Reports To ID. reference to Contact.
    #[serde(rename = "ReportsToId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub reports_to_id: types::Field<types::RecordId>,
    /// The record that `ReportsToId` names: reference to Contact.
    #[serde(rename = "ReportsTo")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports_to: Option<types::Parent>,
    /// Email. email(80).
    #[serde(rename = "Email")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email: types::Field<String>,
    /// Title. string(128).
    #[serde(rename = "Title")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub title: types::Field<String>,
    /// Department. string(80).
    #[serde(rename = "Department")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub department: types::Field<String>,
    /// Assistant's Name. string(40).
    #[serde(rename = "AssistantName")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub assistant_name: types::Field<String>,
    /// Lead Source. picklist(255).
    #[serde(rename = "LeadSource")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub lead_source: types::Field<ContactLeadSource>,
    /// Birthdate. date.
    #[serde(rename = "Birthdate")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub birthdate: types::Field<types::Date>,
    /// Contact Description. textarea(32000).
    #[serde(rename = "Description")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub description: types::Field<String>,
    /// Owner ID. reference to User, has a default.
    #[serde(rename = "OwnerId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<types::RecordId>,
    /// The record that `OwnerId` names: reference to User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Email Bounced Reason. string(255).
    #[serde(rename = "EmailBouncedReason")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email_bounced_reason: types::Field<String>,
    /// Email Bounced Date. datetime.
    #[serde(rename = "EmailBouncedDate")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email_bounced_date: types::Field<types::Timestamp>,
    /// Data.com Key. string(20).
    #[serde(rename = "Jigsaw")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub jigsaw: types::Field<String>,
    /// Clean Status. picklist(40).
    #[serde(rename = "CleanStatus")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub clean_status: types::Field<ContactCleanStatus>,
    /// Individual ID. reference to Individual.
    #[serde(rename = "IndividualId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub individual_id: types::Field<types::RecordId>,
    /// The record that `IndividualId` names: reference to Individual.
    #[serde(rename = "Individual")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual: Option<types::Parent>,
}

impl types::SObject for NewContact {
    const NAME: types::SObjectName = types::SObjectName::from_static("Contact");
}

impl NewContact {
    /// A record with what a create has to give, and nothing else.
    #[must_use]
    pub fn new(last_name: impl Into<String>) -> Self {
        Self {
            account_id: types::Field::Absent,
            account: None,
            last_name: last_name.into(),
            first_name: types::Field::Absent,
            salutation: types::Field::Absent,
            other_street: types::Field::Absent,
            other_city: types::Field::Absent,
            other_state: types::Field::Absent,
            other_postal_code: types::Field::Absent,
            other_country: types::Field::Absent,
            other_latitude: types::Field::Absent,
            other_longitude: types::Field::Absent,
            other_geocode_accuracy: types::Field::Absent,
            mailing_street: types::Field::Absent,
            mailing_city: types::Field::Absent,
            mailing_state: types::Field::Absent,
            mailing_postal_code: types::Field::Absent,
            mailing_country: types::Field::Absent,
            mailing_latitude: types::Field::Absent,
            mailing_longitude: types::Field::Absent,
            mailing_geocode_accuracy: types::Field::Absent,
            phone: types::Field::Absent,
            fax: types::Field::Absent,
            mobile_phone: types::Field::Absent,
            home_phone: types::Field::Absent,
            other_phone: types::Field::Absent,
            assistant_phone: types::Field::Absent,
            reports_to_id: types::Field::Absent,
            reports_to: None,
            email: types::Field::Absent,
            title: types::Field::Absent,
            department: types::Field::Absent,
            assistant_name: types::Field::Absent,
            lead_source: types::Field::Absent,
            birthdate: types::Field::Absent,
            description: types::Field::Absent,
            owner_id: None,
            owner: None,
            email_bounced_reason: types::Field::Absent,
            email_bounced_date: types::Field::Absent,
            jigsaw: types::Field::Absent,
            clean_status: types::Field::Absent,
            individual_id: types::Field::Absent,
            individual: None,
        }
    }
}

/// Contact: what an update of a `Contact` writes.
///
/// `None` and absent leave a field alone. A field that Salesforce lets nobody clear is an `Option`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ContactChanges {
    /// Account ID. reference to Account.
    #[serde(rename = "AccountId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub account_id: types::Field<types::RecordId>,
    /// The record that `AccountId` names: reference to Account.
    #[serde(rename = "Account")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<types::Parent>,
    /// Last Name. string(80), required on create.
    #[serde(rename = "LastName")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// First Name. string(40).
    #[serde(rename = "FirstName")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub first_name: types::Field<String>,
    /// Salutation. picklist(40).
    #[serde(rename = "Salutation")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub salutation: types::Field<ContactSalutation>,
    /// Other Street. textarea(255).
    #[serde(rename = "OtherStreet")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_street: types::Field<String>,
    /// Other City. string(40).
    #[serde(rename = "OtherCity")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_city: types::Field<String>,
    /// Other State/Province. string(80).
    #[serde(rename = "OtherState")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_state: types::Field<String>,
    /// Other Zip/Postal Code. string(20).
    #[serde(rename = "OtherPostalCode")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_postal_code: types::Field<String>,
    /// Other Country. string(80).
    #[serde(rename = "OtherCountry")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_country: types::Field<String>,
    /// Other Latitude. double(18, 15).
    #[serde(rename = "OtherLatitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_latitude: types::Field<types::Decimal>,
    /// Other Longitude. double(18, 15).
    #[serde(rename = "OtherLongitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_longitude: types::Field<types::Decimal>,
    /// Other Geocode Accuracy. picklist(40).
    #[serde(rename = "OtherGeocodeAccuracy")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_geocode_accuracy: types::Field<ContactOtherGeocodeAccuracy>,
    /// Mailing Street. textarea(255).
    #[serde(rename = "MailingStreet")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_street: types::Field<String>,
    /// Mailing City. string(40).
    #[serde(rename = "MailingCity")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_city: types::Field<String>,
    /// Mailing State/Province. string(80).
    #[serde(rename = "MailingState")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_state: types::Field<String>,
    /// Mailing Zip/Postal Code. string(20).
    #[serde(rename = "MailingPostalCode")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_postal_code: types::Field<String>,
    /// Mailing Country. string(80).
    #[serde(rename = "MailingCountry")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_country: types::Field<String>,
    /// Mailing Latitude. double(18, 15).
    #[serde(rename = "MailingLatitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_latitude: types::Field<types::Decimal>,
    /// Mailing Longitude. double(18, 15).
    #[serde(rename = "MailingLongitude")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_longitude: types::Field<types::Decimal>,
    /// Mailing Geocode Accuracy. picklist(40).
    #[serde(rename = "MailingGeocodeAccuracy")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mailing_geocode_accuracy: types::Field<ContactMailingGeocodeAccuracy>,
    /// Business Phone. phone(40).
    #[serde(rename = "Phone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub phone: types::Field<String>,
    /// Business Fax. phone(40).
    #[serde(rename = "Fax")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub fax: types::Field<String>,
    /// Mobile Phone. phone(40).
    #[serde(rename = "MobilePhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub mobile_phone: types::Field<String>,
    /// Home Phone. phone(40).
    #[serde(rename = "HomePhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub home_phone: types::Field<String>,
    /// Other Phone. phone(40).
    #[serde(rename = "OtherPhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub other_phone: types::Field<String>,
    /// Asst. Phone. phone(40).
    #[serde(rename = "AssistantPhone")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub assistant_phone: types::Field<String>,
    /// Reports To ID. reference to Contact.
    #[serde(rename = "ReportsToId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub reports_to_id: types::Field<types::RecordId>,
    /// The record that `ReportsToId` names: reference to Contact.
    #[serde(rename = "ReportsTo")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports_to: Option<types::Parent>,
    /// Email. email(80).
    #[serde(rename = "Email")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email: types::Field<String>,
    /// Title. string(128).
    #[serde(rename = "Title")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub title: types::Field<String>,
    /// Department. string(80).
    #[serde(rename = "Department")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub department: types::Field<String>,
    /// Assistant's Name. string(40).
    #[serde(rename = "AssistantName")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub assistant_name: types::Field<String>,
    /// Lead Source. picklist(255).
    #[serde(rename = "LeadSource")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub lead_source: types::Field<ContactLeadSource>,
    /// Birthdate. date.
    #[serde(rename = "Birthdate")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub birthdate: types::Field<types::Date>,
    /// Contact Description. textarea(32000).
    #[serde(rename = "Description")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub description: types::Field<String>,
    /// Owner ID. reference to User, has a default.
    #[serde(rename = "OwnerId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<types::RecordId>,
    /// The record that `OwnerId` names: reference to User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Email Bounced Reason. string(255).
    #[serde(rename = "EmailBouncedReason")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email_bounced_reason: types::Field<String>,
    /// Email Bounced Date. datetime.
    #[serde(rename = "EmailBouncedDate")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email_bounced_date: types::Field<types::Timestamp>,
    /// Data.com Key. string(20).
    #[serde(rename = "Jigsaw")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub jigsaw: types::Field<String>,
    /// Clean Status. picklist(40).
    #[serde(rename = "CleanStatus")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub clean_status: types::Field<ContactCleanStatus>,
    /// Individual ID. reference to Individual.
    #[serde(rename = "IndividualId")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub individual_id: types::Field<types::RecordId>,
    /// The record that `IndividualId` names: reference to Individual.
    #[serde(rename = "Individual")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual: Option<types::Parent>,
}

impl types::SObject for ContactChanges {
    const NAME: types::SObjectName = types::SObjectName::from_static("Contact");
}

/// Salutation: a value of `Contact.Salutation`.
///
/// Values that are not listed are kept as they are. Records may hold others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactSalutation {
    /// Mr.
    Mr,
    /// Ms.
    Ms,
    /// Mrs.
    Mrs,
    /// Dr.
    Dr,
    /// Prof.
    Prof,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl ContactSalutation {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[Self::Mr, Self::Ms, Self::Mrs, Self::Dr, Self::Prof];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mr => "Mr.",
            Self::Ms => "Ms.",
            Self::Mrs => "Mrs.",
            Self::Dr => "Dr.",
            Self::Prof => "Prof.",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for ContactSalutation {
    fn from(value: &str) -> Self {
        match value {
            "Mr." => Self::Mr,
            "Ms." => Self::Ms,
            "Mrs." => Self::Mrs,
            "Dr." => Self::Dr,
            "Prof." => Self::Prof,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for ContactSalutation {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for ContactSalutation {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for ContactSalutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ContactSalutation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ContactSalutation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Other Geocode Accuracy: a value of `Contact.OtherGeocodeAccuracy`.
///
/// Values that are not listed are kept as they are. The org refuses others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactOtherGeocodeAccuracy {
    /// Address.
    Address,
    /// NearAddress.
    NearAddress,
    /// Block.
    Block,
    /// Street.
    Street,
    /// ExtendedZip.
    ExtendedZip,
    /// Zip.
    Zip,
    /// Neighborhood.
    Neighborhood,
    /// City.
    City,
    /// County.
    County,
    /// State.
    State,
    /// Unknown.
    Unknown,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl ContactOtherGeocodeAccuracy {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[
        Self::Address,
        Self::NearAddress,
        Self::Block,
        Self::Street,
        Self::ExtendedZip,
        Self::Zip,
        Self::Neighborhood,
        Self::City,
        Self::County,
        Self::State,
        Self::Unknown,
    ];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address => "Address",
            Self::NearAddress => "NearAddress",
            Self::Block => "Block",
            Self::Street => "Street",
            Self::ExtendedZip => "ExtendedZip",
            Self::Zip => "Zip",
            Self::Neighborhood => "Neighborhood",
            Self::City => "City",
            Self::County => "County",
            Self::State => "State",
            Self::Unknown => "Unknown",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for ContactOtherGeocodeAccuracy {
    fn from(value: &str) -> Self {
        match value {
            "Address" => Self::Address,
            "NearAddress" => Self::NearAddress,
            "Block" => Self::Block,
            "Street" => Self::Street,
            "ExtendedZip" => Self::ExtendedZip,
            "Zip" => Self::Zip,
            "Neighborhood" => Self::Neighborhood,
            "City" => Self::City,
            "County" => Self::County,
            "State" => Self::State,
            "Unknown" => Self::Unknown,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for ContactOtherGeocodeAccuracy {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for ContactOtherGeocodeAccuracy {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for ContactOtherGeocodeAccuracy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ContactOtherGeocodeAccuracy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ContactOtherGeocodeAccuracy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Mailing Geocode Accuracy: a value of `Contact.MailingGeocodeAccuracy`.
///
/// Values that are not listed are kept as they are. The org refuses others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactMailingGeocodeAccuracy {
    /// Address.
    Address,
    /// NearAddress.
    NearAddress,
    /// Block.
    Block,
    /// Street.
    Street,
    /// ExtendedZip.
    ExtendedZip,
    /// Zip.
    Zip,
    /// Neighborhood.
    Neighborhood,
    /// City.
    City,
    /// County.
    County,
    /// State.
    State,
    /// Unknown.
    Unknown,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl ContactMailingGeocodeAccuracy {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[
        Self::Address,
        Self::NearAddress,
        Self::Block,
        Self::Street,
        Self::ExtendedZip,
        Self::Zip,
        Self::Neighborhood,
        Self::City,
        Self::County,
        Self::State,
        Self::Unknown,
    ];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address => "Address",
            Self::NearAddress => "NearAddress",
            Self::Block => "Block",
            Self::Street => "Street",
            Self::ExtendedZip => "ExtendedZip",
            Self::Zip => "Zip",
            Self::Neighborhood => "Neighborhood",
            Self::City => "City",
            Self::County => "County",
            Self::State => "State",
            Self::Unknown => "Unknown",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for ContactMailingGeocodeAccuracy {
    fn from(value: &str) -> Self {
        match value {
            "Address" => Self::Address,
            "NearAddress" => Self::NearAddress,
            "Block" => Self::Block,
            "Street" => Self::Street,
            "ExtendedZip" => Self::ExtendedZip,
            "Zip" => Self::Zip,
            "Neighborhood" => Self::Neighborhood,
            "City" => Self::City,
            "County" => Self::County,
            "State" => Self::State,
            "Unknown" => Self::Unknown,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for ContactMailingGeocodeAccuracy {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for ContactMailingGeocodeAccuracy {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for ContactMailingGeocodeAccuracy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ContactMailingGeocodeAccuracy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ContactMailingGeocodeAccuracy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Lead Source: a value of `Contact.LeadSource`.
///
/// Values that are not listed are kept as they are. Records may hold others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactLeadSource {
    /// Web.
    Web,
    /// Phone Inquiry.
    PhoneInquiry,
    /// Partner Referral.
    PartnerReferral,
    /// Purchased List.
    PurchasedList,
    /// Other.
    Other,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl ContactLeadSource {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[
        Self::Web,
        Self::PhoneInquiry,
        Self::PartnerReferral,
        Self::PurchasedList,
        Self::Other,
    ];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Web => "Web",
            Self::PhoneInquiry => "Phone Inquiry",
            Self::PartnerReferral => "Partner Referral",
            Self::PurchasedList => "Purchased List",
            Self::Other => "Other",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for ContactLeadSource {
    fn from(value: &str) -> Self {
        match value {
            "Web" => Self::Web,
            "Phone Inquiry" => Self::PhoneInquiry,
            "Partner Referral" => Self::PartnerReferral,
            "Purchased List" => Self::PurchasedList,
            "Other" => Self::Other,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for ContactLeadSource {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for ContactLeadSource {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for ContactLeadSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ContactLeadSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ContactLeadSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Clean Status: a value of `Contact.CleanStatus`.
///
/// Values that are not listed are kept as they are. The org refuses others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactCleanStatus {
    /// Matched.
    Matched,
    /// Different.
    Different,
    /// Acknowledged.
    Acknowledged,
    /// NotFound.
    NotFound,
    /// Inactive.
    Inactive,
    /// Pending.
    Pending,
    /// SelectMatch.
    SelectMatch,
    /// Skipped.
    Skipped,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl ContactCleanStatus {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[
        Self::Matched,
        Self::Different,
        Self::Acknowledged,
        Self::NotFound,
        Self::Inactive,
        Self::Pending,
        Self::SelectMatch,
        Self::Skipped,
    ];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Matched => "Matched",
            Self::Different => "Different",
            Self::Acknowledged => "Acknowledged",
            Self::NotFound => "NotFound",
            Self::Inactive => "Inactive",
            Self::Pending => "Pending",
            Self::SelectMatch => "SelectMatch",
            Self::Skipped => "Skipped",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for ContactCleanStatus {
    fn from(value: &str) -> Self {
        match value {
            "Matched" => Self::Matched,
            "Different" => Self::Different,
            "Acknowledged" => Self::Acknowledged,
            "NotFound" => Self::NotFound,
            "Inactive" => Self::Inactive,
            "Pending" => Self::Pending,
            "SelectMatch" => Self::SelectMatch,
            "Skipped" => Self::Skipped,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for ContactCleanStatus {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for ContactCleanStatus {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for ContactCleanStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for ContactCleanStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ContactCleanStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Visit: a record of `Visit__c` as it is read.
///
/// What may be null is an `Option`, `None` too where a query does not select it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Visit {
    /// Record ID. id, read-only.
    #[serde(rename = "Id")]
    pub id: types::RecordId,
    /// Deleted. boolean, read-only.
    #[serde(rename = "IsDeleted")]
    pub is_deleted: bool,
    /// Visit Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Created Date. datetime, read-only.
    #[serde(rename = "CreatedDate")]
    pub created_date: types::Timestamp,
    /// Created By ID. reference to User, read-only.
    #[serde(rename = "CreatedById")]
    pub created_by_id: types::RecordId,
    /// The record that `CreatedById` names: reference to User.
    #[serde(rename = "CreatedBy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<types::Parent>,
    /// Last Modified Date. datetime, read-only.
    #[serde(rename = "LastModifiedDate")]
    pub last_modified_date: types::Timestamp,
    /// Last Modified By ID. reference to User, read-only.
    #[serde(rename = "LastModifiedById")]
    pub last_modified_by_id: types::RecordId,
    /// The record that `LastModifiedById` names: reference to User.
    #[serde(rename = "LastModifiedBy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<types::Parent>,
    /// System Modstamp. datetime, read-only.
    #[serde(rename = "SystemModstamp")]
    pub system_modstamp: types::Timestamp,
    /// Last Viewed Date. datetime, read-only.
    #[serde(rename = "LastViewedDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_viewed_date: Option<types::Timestamp>,
    /// Last Referenced Date. datetime, read-only.
    #[serde(rename = "LastReferencedDate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_referenced_date: Option<types::Timestamp>,
    /// Account. reference to Account, required on create, set on create only.
    #[serde(rename = "Account__c")]
    pub account_id: types::RecordId,
    /// The record that `Account__c` names: reference to Account.
    #[serde(rename = "Account__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<types::Parent>,
    /// Guest. reference to Contact.
    #[serde(rename = "Guest__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest_id: Option<types::RecordId>,
    /// The record that `Guest__c` names: reference to Contact.
    #[serde(rename = "Guest__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<types::Parent>,
    /// Key. string(40), external id, unique.
    #[serde(rename = "Key__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Topic. string(80), required on create.
    #[serde(rename = "Topic__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Notes. textarea(32000).
    #[serde(rename = "Notes__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Score. double(12, 4).
    #[serde(rename = "Score__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<types::Decimal>,
    /// Cost. currency(18, 2).
    #[serde(rename = "Cost__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<types::Decimal>,
    /// Share. percent(5, 2).
    #[serde(rename = "Share__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<types::Decimal>,
    /// Won. boolean.
    #[serde(rename = "Won__c")]
    pub won: bool,
    /// Day. date.
    #[serde(rename = "Day__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<types::Date>,
    /// Began. datetime.
    #[serde(rename = "Began__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<types::Timestamp>,
    /// Email. email(80).
    #[serde(rename = "Email__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone. phone(40).
    #[serde(rename = "Phone__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Link. url(255).
    #[serde(rename = "Link__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Stage. picklist(255).
    #[serde(rename = "Stage__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<VisitStage>,
    /// Demos. multipicklist(4099).
    #[serde(rename = "Demos__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demos: Option<types::MultiSelect<VisitDemos>>,
    /// Sum. string(20), read-only.
    #[serde(rename = "Sum__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
}

impl types::SObject for Visit {
    const NAME: types::SObjectName = types::SObjectName::from_static("Visit__c");
}

impl Visit {
    /// The fields of the struct, parents left out: for a `SELECT`, or to get a record.
    pub const FIELDS: &[types::FieldName] = &[
        types::FieldName::from_static("Id"),
        types::FieldName::from_static("IsDeleted"),
        types::FieldName::from_static("Name"),
        types::FieldName::from_static("CreatedDate"),
        types::FieldName::from_static("CreatedById"),
        types::FieldName::from_static("LastModifiedDate"),
        types::FieldName::from_static("LastModifiedById"),
        types::FieldName::from_static("SystemModstamp"),
        types::FieldName::from_static("LastViewedDate"),
        types::FieldName::from_static("LastReferencedDate"),
        types::FieldName::from_static("Account__c"),
        types::FieldName::from_static("Guest__c"),
        types::FieldName::from_static("Key__c"),
        types::FieldName::from_static("Topic__c"),
        types::FieldName::from_static("Notes__c"),
        types::FieldName::from_static("Score__c"),
        types::FieldName::from_static("Cost__c"),
        types::FieldName::from_static("Share__c"),
        types::FieldName::from_static("Won__c"),
        types::FieldName::from_static("Day__c"),
        types::FieldName::from_static("Began__c"),
        types::FieldName::from_static("Email__c"),
        types::FieldName::from_static("Phone__c"),
        types::FieldName::from_static("Link__c"),
        types::FieldName::from_static("Stage__c"),
        types::FieldName::from_static("Demos__c"),
        types::FieldName::from_static("Sum__c"),
    ];

    /// `SELECT` with these fields `FROM Visit__c`; a condition may follow.
    #[must_use]
    pub fn select() -> String {
        let fields: Vec<&str> = Self::FIELDS.iter().map(types::FieldName::as_str).collect();
        let (fields, object) = (fields.join(", "), <Self as types::SObject>::NAME);
        format!("SELECT {fields} FROM {object}")
    }

    /// What an update has to write so that the record `before` becomes this one: only what differs.
    ///
    /// Fields that cannot be written, and parents, do not count.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> VisitChanges {
        VisitChanges {
            name: types::Field::between(&before.name, &self.name),
            guest_id: types::Field::between(&before.guest_id, &self.guest_id),
            guest: None,
            key: types::Field::between(&before.key, &self.key),
            topic: types::Field::changed(&before.topic, &self.topic),
            notes: types::Field::between(&before.notes, &self.notes),
            score: types::Field::between(&before.score, &self.score),
            cost: types::Field::between(&before.cost, &self.cost),
            share: types::Field::between(&before.share, &self.share),
            won: types::Field::changed(&before.won, &self.won),
            day: types::Field::between(&before.day, &self.day),
            began: types::Field::between(&before.began, &self.began),
            email: types::Field::between(&before.email, &self.email),
            phone: types::Field::between(&before.phone, &self.phone),
            link: types::Field::between(&before.link, &self.link),
            stage: types::Field::between(&before.stage, &self.stage),
            demos: types::Field::between(&before.demos, &self.demos),
        }
    }
}

/// Visit: a record of `Visit__c` to create.
///
/// An `Option` that is `None` and a field that is absent are not sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewVisit {
    /// Visit Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name: types::Field<String>,
    /// Account. reference to Account, required on create, set on create only.
    #[serde(rename = "Account__c")]
    pub account_id: types::RecordId,
    /// Guest. reference to Contact.
    #[serde(rename = "Guest__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub guest_id: types::Field<types::RecordId>,
    /// The record that `Guest__c` names: reference to Contact.
    #[serde(rename = "Guest__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<types::Parent>,
    /// Key. string(40), external id, unique.
    #[serde(rename = "Key__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub key: types::Field<String>,
    /// Topic. string(80), required on create.
    #[serde(rename = "Topic__c")]
    pub topic: String,
    /// Notes. textarea(32000).
    #[serde(rename = "Notes__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub notes: types::Field<String>,
    /// Score. double(12, 4).
    #[serde(rename = "Score__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub score: types::Field<types::Decimal>,
    /// Cost. currency(18, 2).
    #[serde(rename = "Cost__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub cost: types::Field<types::Decimal>,
    /// Share. percent(5, 2).
    #[serde(rename = "Share__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub share: types::Field<types::Decimal>,
    /// Won. boolean.
    #[serde(rename = "Won__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub won: Option<bool>,
    /// Day. date.
    #[serde(rename = "Day__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub day: types::Field<types::Date>,
    /// Began. datetime.
    #[serde(rename = "Began__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub began: types::Field<types::Timestamp>,
    /// Email. email(80).
    #[serde(rename = "Email__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email: types::Field<String>,
    /// Phone. phone(40).
    #[serde(rename = "Phone__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub phone: types::Field<String>,
    /// Link. url(255).
    #[serde(rename = "Link__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub link: types::Field<String>,
    /// Stage. picklist(255).
    #[serde(rename = "Stage__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub stage: types::Field<VisitStage>,
    /// Demos. multipicklist(4099).
    #[serde(rename = "Demos__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub demos: types::Field<types::MultiSelect<VisitDemos>>,
}

impl types::SObject for NewVisit {
    const NAME: types::SObjectName = types::SObjectName::from_static("Visit__c");
}

impl NewVisit {
    /// A record with what a create has to give, and nothing else.
    #[must_use]
    pub fn new(account_id: types::RecordId, topic: impl Into<String>) -> Self {
        Self {
            name: types::Field::Absent,
            account_id,
            guest_id: types::Field::Absent,
            guest: None,
            key: types::Field::Absent,
            topic: topic.into(),
            notes: types::Field::Absent,
            score: types::Field::Absent,
            cost: types::Field::Absent,
            share: types::Field::Absent,
            won: None,
            day: types::Field::Absent,
            began: types::Field::Absent,
            email: types::Field::Absent,
            phone: types::Field::Absent,
            link: types::Field::Absent,
            stage: types::Field::Absent,
            demos: types::Field::Absent,
        }
    }
}

/// Visit: what an update of a `Visit__c` writes.
///
/// `None` and absent leave a field alone. A field that Salesforce lets nobody clear is an `Option`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct VisitChanges {
    /// Visit Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name: types::Field<String>,
    /// Guest. reference to Contact.
    #[serde(rename = "Guest__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub guest_id: types::Field<types::RecordId>,
    /// The record that `Guest__c` names: reference to Contact.
    #[serde(rename = "Guest__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<types::Parent>,
    /// Key. string(40), external id, unique.
    #[serde(rename = "Key__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub key: types::Field<String>,
    /// Topic. string(80), required on create.
    #[serde(rename = "Topic__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Notes. textarea(32000).
    #[serde(rename = "Notes__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub notes: types::Field<String>,
    /// Score. double(12, 4).
    #[serde(rename = "Score__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub score: types::Field<types::Decimal>,
    /// Cost. currency(18, 2).
    #[serde(rename = "Cost__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub cost: types::Field<types::Decimal>,
    /// Share. percent(5, 2).
    #[serde(rename = "Share__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub share: types::Field<types::Decimal>,
    /// Won. boolean.
    #[serde(rename = "Won__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub won: Option<bool>,
    /// Day. date.
    #[serde(rename = "Day__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub day: types::Field<types::Date>,
    /// Began. datetime.
    #[serde(rename = "Began__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub began: types::Field<types::Timestamp>,
    /// Email. email(80).
    #[serde(rename = "Email__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub email: types::Field<String>,
    /// Phone. phone(40).
    #[serde(rename = "Phone__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub phone: types::Field<String>,
    /// Link. url(255).
    #[serde(rename = "Link__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub link: types::Field<String>,
    /// Stage. picklist(255).
    #[serde(rename = "Stage__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub stage: types::Field<VisitStage>,
    /// Demos. multipicklist(4099).
    #[serde(rename = "Demos__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub demos: types::Field<types::MultiSelect<VisitDemos>>,
}

impl types::SObject for VisitChanges {
    const NAME: types::SObjectName = types::SObjectName::from_static("Visit__c");
}

/// Stage: a value of `Visit__c.Stage__c`.
///
/// Values that are not listed are kept as they are. Records may hold others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VisitStage {
    /// New.
    New,
    /// In Progress.
    InProgress,
    /// Other.
    Other,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl VisitStage {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[Self::New, Self::InProgress, Self::Other];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "New",
            Self::InProgress => "In Progress",
            Self::Other => "Other",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for VisitStage {
    fn from(value: &str) -> Self {
        match value {
            "New" => Self::New,
            "In Progress" => Self::InProgress,
            "Other" => Self::Other,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for VisitStage {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for VisitStage {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for VisitStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for VisitStage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for VisitStage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Demos: a value of `Visit__c.Demos__c`.
///
/// Values that are not listed are kept as they are. Records may hold others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VisitDemos {
    /// Platform Tour.
    PlatformTour,
    /// R\&D.
    RAndD,
    /// Éclair.
    Eclair,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl VisitDemos {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[Self::PlatformTour, Self::RAndD, Self::Eclair];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::PlatformTour => "Platform Tour",
            Self::RAndD => "R&D",
            Self::Eclair => "Éclair",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for VisitDemos {
    fn from(value: &str) -> Self {
        match value {
            "Platform Tour" => Self::PlatformTour,
            "R&D" => Self::RAndD,
            "Éclair" => Self::Eclair,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for VisitDemos {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for VisitDemos {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for VisitDemos {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for VisitDemos {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for VisitDemos {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}
