//! Types of Option\_\_c.
//!
//! Made from the org's describe: `pub fn evil() {}`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    rustdoc::bare_urls,
    reason = "generated"
)]

use sforce::types;

/// Ende \*/ \#!\[deny(warnings)\] \`x\` \[y\](z) 東京: a record of `Option__c` as it is read.
///
/// What may be null is an `Option`, `None` too where a query does not select it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OptionC {
    /// Record ID. id, read-only.
    #[serde(rename = "Id")]
    pub id: types::RecordId,
    /// Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name again. string(80).
    #[serde(rename = "Name__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_c: Option<String>,
    /// Name of a package. string(80).
    #[serde(rename = "ns__Name__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_name: Option<String>,
    /// Type\_\_c. string(10).
    #[serde(rename = "Type__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Self\_\_c. string(10).
    ///
    /// See http://example.com /// and \*this\* \<b\>
    #[serde(rename = "Self__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_: Option<String>,
    /// Old. anyType, read-only.
    #[serde(rename = "Old_Value__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_value: Option<types::Value>,
    /// Size. long.
    #[serde(rename = "Size__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Shape. hologram, read-only.
    #[serde(rename = "Shape__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<types::Value>,
    /// Opens. time such as `11:29:24.000Z`.
    #[serde(rename = "Opens__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<String>,
    /// Secret. encryptedstring(175), shown masked.
    #[serde(rename = "Secret__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Body. base64: an answer has the address of the bytes, a write takes them encoded.
    #[serde(rename = "Body__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Site. location, read-only.
    #[serde(rename = "Site__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<types::Location>,
    /// Site (Latitude). double(18, 15).
    #[serde(rename = "Site__Latitude__s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_latitude: Option<types::Decimal>,
    /// Subject. combobox(255).
    #[serde(rename = "Subject")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Empty list. picklist(255).
    #[serde(rename = "Empty__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
    /// Empty lists. multipicklist(255).
    #[serde(rename = "Empties__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empties: Option<types::MultiSelect>,
    /// Level. picklist(255), required on create.
    #[serde(rename = "Level__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<OptionCLevel>,
    /// Levels. multipicklist(4099).
    #[serde(rename = "Levels__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<types::MultiSelect<OptionCLevels>>,
    /// Owner. string(10).
    #[serde(rename = "Owner__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_c: Option<String>,
    /// Owner ID. reference to Group or User, has a default.
    #[serde(rename = "OwnerId")]
    pub owner_id: types::RecordId,
    /// The record that `OwnerId` names: reference to Group or User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Master. reference to Account, required on create, set on create only.
    #[serde(rename = "Master__c")]
    pub master_id: types::RecordId,
    /// The record that `Master__c` names: reference to Account.
    #[serde(rename = "Master__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<types::Parent>,
    /// Friend. reference to Contact.
    #[serde(rename = "Friend__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend_id_c: Option<types::RecordId>,
    /// The record that `Friend__c` names: reference to Contact.
    #[serde(rename = "Friend__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend: Option<types::Parent>,
    /// Friend by number. string(18).
    #[serde(rename = "Friend_Id__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend_id: Option<String>,
    /// Required later. date, required on create.
    #[serde(rename = "Required_Later__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_later: Option<types::Date>,
    /// Flag. boolean.
    #[serde(rename = "Flag__c")]
    pub flag: bool,
    /// Long. datetime.
    #[serde(rename = "A_Name_That_Is_As_Long_As_The_Longest_Name__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a_name_that_is_as_long_as_the_longest_name: Option<types::Timestamp>,
    /// Longer. datetime.
    #[serde(rename = "a_namespace_15c__Another_Name_That_Is_As_Long_As_The_Lo40__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a_namespace_15c_another_name_that_is_as_long_as_the_lo40: Option<types::Timestamp>,
    /// Odd. reference to Contact.
    #[serde(rename = "Odd__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odd_id: Option<types::RecordId>,
}

impl types::SObject for OptionC {
    const NAME: types::SObjectName = types::SObjectName::from_static("Option__c");
}

impl OptionC {
    /// The fields of the struct, parents left out: for a `SELECT`, or to get a record.
    pub const FIELDS: &[types::FieldName] = &[
        types::FieldName::from_static("Id"),
        types::FieldName::from_static("Name"),
        types::FieldName::from_static("Name__c"),
        types::FieldName::from_static("ns__Name__c"),
        types::FieldName::from_static("Type__c"),
        types::FieldName::from_static("Self__c"),
        types::FieldName::from_static("Old_Value__c"),
        types::FieldName::from_static("Size__c"),
        types::FieldName::from_static("Shape__c"),
        types::FieldName::from_static("Opens__c"),
        types::FieldName::from_static("Secret__c"),
        types::FieldName::from_static("Body__c"),
        types::FieldName::from_static("Site__c"),
        types::FieldName::from_static("Site__Latitude__s"),
        types::FieldName::from_static("Subject"),
        types::FieldName::from_static("Empty__c"),
        types::FieldName::from_static("Empties__c"),
        types::FieldName::from_static("Level__c"),
        types::FieldName::from_static("Levels__c"),
        types::FieldName::from_static("Owner__c"),
        types::FieldName::from_static("OwnerId"),
        types::FieldName::from_static("Master__c"),
        types::FieldName::from_static("Friend__c"),
        types::FieldName::from_static("Friend_Id__c"),
        types::FieldName::from_static("Required_Later__c"),
        types::FieldName::from_static("Flag__c"),
        types::FieldName::from_static("A_Name_That_Is_As_Long_As_The_Longest_Name__c"),
        types::FieldName::from_static(
            "a_namespace_15c__Another_Name_That_Is_As_Long_As_The_Lo40__c",
        ),
        types::FieldName::from_static("Odd__c"),
    ];

    /// `SELECT` with these fields `FROM Option__c`; a condition may follow.
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
    pub fn changes_since(&self, before: &Self) -> OptionCChanges {
        OptionCChanges {
            name: types::Field::between(&before.name, &self.name),
            name_c: types::Field::between(&before.name_c, &self.name_c),
            ns_name: types::Field::between(&before.ns_name, &self.ns_name),
            type_: types::Field::between(&before.type_, &self.type_),
            self_: types::Field::between(&before.self_, &self.self_),
            size: types::Field::between(&before.size, &self.size),
            opens: types::Field::between(&before.opens, &self.opens),
            secret: types::Field::between(&before.secret, &self.secret),
            body: types::Field::between(&before.body, &self.body),
            site_latitude: types::Field::between(&before.site_latitude, &self.site_latitude),
            subject: types::Field::between(&before.subject, &self.subject),
            empty: types::Field::between(&before.empty, &self.empty),
            empties: types::Field::between(&before.empties, &self.empties),
            level: types::Field::changed(&before.level, &self.level),
            levels: types::Field::between(&before.levels, &self.levels),
            owner_c: types::Field::between(&before.owner_c, &self.owner_c),
            owner_id: types::Field::changed(&before.owner_id, &self.owner_id),
            owner: None,
            friend_id_c: types::Field::between(&before.friend_id_c, &self.friend_id_c),
            friend: None,
            friend_id: types::Field::between(&before.friend_id, &self.friend_id),
            required_later: types::Field::changed(&before.required_later, &self.required_later),
            flag: types::Field::changed(&before.flag, &self.flag),
            a_name_that_is_as_long_as_the_longest_name: types::Field::between(
                &before.a_name_that_is_as_long_as_the_longest_name,
                &self.a_name_that_is_as_long_as_the_longest_name,
            ),
            a_namespace_15c_another_name_that_is_as_long_as_the_lo40: types::Field::between(
                &before.a_namespace_15c_another_name_that_is_as_long_as_the_lo40,
                &self.a_namespace_15c_another_name_that_is_as_long_as_the_lo40,
            ),
            odd_id: types::Field::between(&before.odd_id, &self.odd_id),
        }
    }
}

/// Ende \*/ \#!\[deny(warnings)\] \`x\` \[y\](z) 東京: a record of `Option__c` to create.
///
/// An `Option` that is `None` and a field that is absent are not sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewOptionC {
    /// Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name: types::Field<String>,
    /// Name again. string(80).
    #[serde(rename = "Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name_c: types::Field<String>,
    /// Name of a package. string(80).
    #[serde(rename = "ns__Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub ns_name: types::Field<String>,
    /// Type\_\_c. string(10).
    #[serde(rename = "Type__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub type_: types::Field<String>,
    /// Self\_\_c. string(10).
    ///
    /// See http://example.com /// and \*this\* \<b\>
    #[serde(rename = "Self__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub self_: types::Field<String>,
    /// Size. long.
    #[serde(rename = "Size__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub size: types::Field<i64>,
    /// Opens. time such as `11:29:24.000Z`.
    #[serde(rename = "Opens__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub opens: types::Field<String>,
    /// Secret. encryptedstring(175), shown masked.
    #[serde(rename = "Secret__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub secret: types::Field<String>,
    /// Body. base64: an answer has the address of the bytes, a write takes them encoded.
    #[serde(rename = "Body__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub body: types::Field<String>,
    /// Site (Latitude). double(18, 15).
    #[serde(rename = "Site__Latitude__s")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub site_latitude: types::Field<types::Decimal>,
    /// Subject. combobox(255).
    #[serde(rename = "Subject")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub subject: types::Field<String>,
    /// Empty list. picklist(255).
    #[serde(rename = "Empty__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub empty: types::Field<String>,
    /// Empty lists. multipicklist(255).
    #[serde(rename = "Empties__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub empties: types::Field<types::MultiSelect>,
    /// Level. picklist(255), required on create.
    #[serde(rename = "Level__c")]
    pub level: OptionCLevel,
    /// Levels. multipicklist(4099).
    #[serde(rename = "Levels__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub levels: types::Field<types::MultiSelect<OptionCLevels>>,
    /// Owner. string(10).
    #[serde(rename = "Owner__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub owner_c: types::Field<String>,
    /// Owner ID. reference to Group or User, has a default.
    #[serde(rename = "OwnerId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<types::RecordId>,
    /// The record that `OwnerId` names: reference to Group or User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Master. reference to Account, required on create, set on create only.
    #[serde(rename = "Master__c")]
    pub master_id: types::RecordId,
    /// Friend. reference to Contact.
    #[serde(rename = "Friend__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub friend_id_c: types::Field<types::RecordId>,
    /// The record that `Friend__c` names: reference to Contact.
    #[serde(rename = "Friend__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend: Option<types::Parent>,
    /// Friend by number. string(18).
    #[serde(rename = "Friend_Id__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub friend_id: types::Field<String>,
    /// Required later. date, required on create.
    #[serde(rename = "Required_Later__c")]
    pub required_later: types::Date,
    /// Flag. boolean.
    #[serde(rename = "Flag__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<bool>,
    /// Long. datetime.
    #[serde(rename = "A_Name_That_Is_As_Long_As_The_Longest_Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub a_name_that_is_as_long_as_the_longest_name: types::Field<types::Timestamp>,
    /// Longer. datetime.
    #[serde(rename = "a_namespace_15c__Another_Name_That_Is_As_Long_As_The_Lo40__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub a_namespace_15c_another_name_that_is_as_long_as_the_lo40: types::Field<types::Timestamp>,
    /// Odd. reference to Contact.
    #[serde(rename = "Odd__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub odd_id: types::Field<types::RecordId>,
}

impl types::SObject for NewOptionC {
    const NAME: types::SObjectName = types::SObjectName::from_static("Option__c");
}

impl NewOptionC {
    /// A record with what a create has to give, and nothing else.
    #[must_use]
    pub fn new(
        level: impl Into<OptionCLevel>,
        master_id: types::RecordId,
        required_later: types::Date,
    ) -> Self {
        Self {
            name: types::Field::Absent,
            name_c: types::Field::Absent,
            ns_name: types::Field::Absent,
            type_: types::Field::Absent,
            self_: types::Field::Absent,
            size: types::Field::Absent,
            opens: types::Field::Absent,
            secret: types::Field::Absent,
            body: types::Field::Absent,
            site_latitude: types::Field::Absent,
            subject: types::Field::Absent,
            empty: types::Field::Absent,
            empties: types::Field::Absent,
            level: level.into(),
            levels: types::Field::Absent,
            owner_c: types::Field::Absent,
            owner_id: None,
            owner: None,
            master_id,
            friend_id_c: types::Field::Absent,
            friend: None,
            friend_id: types::Field::Absent,
            required_later,
            flag: None,
            a_name_that_is_as_long_as_the_longest_name: types::Field::Absent,
            a_namespace_15c_another_name_that_is_as_long_as_the_lo40: types::Field::Absent,
            odd_id: types::Field::Absent,
        }
    }
}

/// Ende \*/ \#!\[deny(warnings)\] \`x\` \[y\](z) 東京: what an update of a `Option__c` writes.
///
/// `None` and absent leave a field alone. A field that Salesforce lets nobody clear is an `Option`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OptionCChanges {
    /// Name. string(80), has a default.
    #[serde(rename = "Name")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name: types::Field<String>,
    /// Name again. string(80).
    #[serde(rename = "Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub name_c: types::Field<String>,
    /// Name of a package. string(80).
    #[serde(rename = "ns__Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub ns_name: types::Field<String>,
    /// Type\_\_c. string(10).
    #[serde(rename = "Type__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub type_: types::Field<String>,
    /// Self\_\_c. string(10).
    ///
    /// See http://example.com /// and \*this\* \<b\>
    #[serde(rename = "Self__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub self_: types::Field<String>,
    /// Size. long.
    #[serde(rename = "Size__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub size: types::Field<i64>,
    /// Opens. time such as `11:29:24.000Z`.
    #[serde(rename = "Opens__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub opens: types::Field<String>,
    /// Secret. encryptedstring(175), shown masked.
    #[serde(rename = "Secret__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub secret: types::Field<String>,
    /// Body. base64: an answer has the address of the bytes, a write takes them encoded.
    #[serde(rename = "Body__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub body: types::Field<String>,
    /// Site (Latitude). double(18, 15).
    #[serde(rename = "Site__Latitude__s")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub site_latitude: types::Field<types::Decimal>,
    /// Subject. combobox(255).
    #[serde(rename = "Subject")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub subject: types::Field<String>,
    /// Empty list. picklist(255).
    #[serde(rename = "Empty__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub empty: types::Field<String>,
    /// Empty lists. multipicklist(255).
    #[serde(rename = "Empties__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub empties: types::Field<types::MultiSelect>,
    /// Level. picklist(255), required on create.
    #[serde(rename = "Level__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<OptionCLevel>,
    /// Levels. multipicklist(4099).
    #[serde(rename = "Levels__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub levels: types::Field<types::MultiSelect<OptionCLevels>>,
    /// Owner. string(10).
    #[serde(rename = "Owner__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub owner_c: types::Field<String>,
    /// Owner ID. reference to Group or User, has a default.
    #[serde(rename = "OwnerId")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<types::RecordId>,
    /// The record that `OwnerId` names: reference to Group or User.
    #[serde(rename = "Owner")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<types::Parent>,
    /// Friend. reference to Contact.
    #[serde(rename = "Friend__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub friend_id_c: types::Field<types::RecordId>,
    /// The record that `Friend__c` names: reference to Contact.
    #[serde(rename = "Friend__r")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friend: Option<types::Parent>,
    /// Friend by number. string(18).
    #[serde(rename = "Friend_Id__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub friend_id: types::Field<String>,
    /// Required later. date, required on create.
    #[serde(rename = "Required_Later__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_later: Option<types::Date>,
    /// Flag. boolean.
    #[serde(rename = "Flag__c")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<bool>,
    /// Long. datetime.
    #[serde(rename = "A_Name_That_Is_As_Long_As_The_Longest_Name__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub a_name_that_is_as_long_as_the_longest_name: types::Field<types::Timestamp>,
    /// Longer. datetime.
    #[serde(rename = "a_namespace_15c__Another_Name_That_Is_As_Long_As_The_Lo40__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub a_namespace_15c_another_name_that_is_as_long_as_the_lo40: types::Field<types::Timestamp>,
    /// Odd. reference to Contact.
    #[serde(rename = "Odd__c")]
    #[serde(default, skip_serializing_if = "types::Field::is_absent")]
    pub odd_id: types::Field<types::RecordId>,
}

impl types::SObject for OptionCChanges {
    const NAME: types::SObjectName = types::SObjectName::from_static("Option__c");
}

/// Level: a value of `Option__c.Level__c`.
///
/// Values that are not listed are kept as they are. The org refuses others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OptionCLevel {
    /// Hoch. The default.
    High,
    /// Low. Inactive: a record may still hold it.
    Low,
    /// Other.
    Other,
    /// Unlisted.
    UnlistedV2,
    /// Self.
    SelfValue,
    /// \<10.
    LessThan10,
    /// \>10.
    MoreThan10,
    /// 10.
    N10,
    /// 1-0.
    N1To0,
    /// 1 0.
    N1To0V2,
    /// quotes.
    ABC,
    /// 東京.
    U6771U4eac,
    /// a long one.
    AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAsAPi,
    /// another.
    AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAndAn,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl OptionCLevel {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[
        Self::High,
        Self::Low,
        Self::Other,
        Self::UnlistedV2,
        Self::SelfValue,
        Self::LessThan10,
        Self::MoreThan10,
        Self::N10,
        Self::N1To0,
        Self::N1To0V2,
        Self::ABC,
        Self::U6771U4eac,
        Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAsAPi,
        Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAndAn,
    ];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::High => "High",
            Self::Low => "Low",
            Self::Other => "Other",
            Self::UnlistedV2 => "Unlisted",
            Self::SelfValue => "self",
            Self::LessThan10 => "<10",
            Self::MoreThan10 => ">10",
            Self::N10 => "10",
            Self::N1To0 => "1-0",
            Self::N1To0V2 => "1 0",
            Self::ABC => "\"a\\b\" {c} \u{202e}",
            Self::U6771U4eac => "東京",
            Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAsAPi => {
                "A value that is so long that neither its name nor its text fits into a line, as a picklist of an org may well have one"
            }
            Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAndAn => {
                "A value that is so long that neither its name nor its text fits into a line, and another one"
            }
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for OptionCLevel {
    fn from(value: &str) -> Self {
        match value {
            "High" => Self::High,
            "Low" => Self::Low,
            "Other" => Self::Other,
            "Unlisted" => Self::UnlistedV2,
            "self" => Self::SelfValue,
            "<10" => Self::LessThan10,
            ">10" => Self::MoreThan10,
            "10" => Self::N10,
            "1-0" => Self::N1To0,
            "1 0" => Self::N1To0V2,
            "\"a\\b\" {c} \u{202e}" => Self::ABC,
            "東京" => Self::U6771U4eac,
            "A value that is so long that neither its name nor its text fits into a line, as a picklist of an org may well have one" => {
                Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAsAPi
            }
            "A value that is so long that neither its name nor its text fits into a line, and another one" => {
                Self::AValueThatIsSoLongThatNeitherItsNameNorItsTextFitsIntoALineAndAn
            }
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for OptionCLevel {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for OptionCLevel {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for OptionCLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for OptionCLevel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for OptionCLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}

/// Levels: a value of `Option__c.Levels__c`.
///
/// Values that are not listed are kept as they are. Records may hold others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OptionCLevels {
    /// A.
    A,
    /// B.
    BC,
    /// A value that was not listed, as the org has it. `from` makes one.
    Unlisted(String),
}

impl OptionCLevels {
    /// The listed values, in the org's order.
    pub const LISTED: &[Self] = &[Self::A, Self::BC];

    /// The value as the org has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::A => "A",
            Self::BC => "b c",
            Self::Unlisted(value) => value,
        }
    }
}

impl From<&str> for OptionCLevels {
    fn from(value: &str) -> Self {
        match value {
            "A" => Self::A,
            "b c" => Self::BC,
            _ => Self::Unlisted(value.to_owned()),
        }
    }
}

impl std::str::FromStr for OptionCLevels {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for OptionCLevels {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for OptionCLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for OptionCLevels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for OptionCLevels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}
