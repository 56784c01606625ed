//! Picklists as a record type opens them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::{RecordId, SObjectName};

/// The picklists of an object as a record type opens them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RecordTypePicklists {
    /// Each picklist field that the user can see, by API name.
    pub picklist_field_values: BTreeMap<String, OpenPicklist>,
}

impl RecordTypePicklists {
    /// The picklist of that field; names compare without regard to case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&OpenPicklist> {
        self.picklist_field_values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, list)| list)
    }
}

/// What a record type opens of a picklist.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OpenPicklist {
    /// Places of the controlling field's values, `true` and `false` of a checkbox; empty where the picklist depends on nothing.
    pub controller_values: BTreeMap<String, u32>,
    /// The value that is preselected.
    pub default_value: Option<OpenValue>,
    /// The values that are open, in their order.
    pub values: Vec<OpenValue>,
}

impl OpenPicklist {
    /// Whether the record type opens a value, whatever the controlling field has.
    #[must_use]
    pub fn has(&self, value: &str) -> bool {
        self.values.iter().any(|open| open.value == value)
    }

    /// The values that are open while the controlling field has this value; all of them where the picklist depends on nothing.
    #[must_use]
    pub fn values_for(&self, controlling: &str) -> Vec<&OpenValue> {
        if self.controller_values.is_empty() {
            return self.values.iter().collect();
        }
        let Some(place) = self.controller_values.get(controlling) else { return Vec::new() };
        self.values.iter().filter(|value| value.valid_for.contains(place)).collect()
    }
}

/// A value of a picklist that a record type opens.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OpenValue {
    /// Label in the user's language.
    pub label: String,
    /// What a record holds.
    pub value: String,
    /// The places of the controlling values for which it is open.
    pub valid_for: Vec<u32>,
}

impl Client {
    /// What a record type opens of each picklist of an object, for the user who asks: record types hide values, and a describe lists
    /// those of all of them together. Costs one API call. A write with a value that its record type hides is refused.
    ///
    /// The id of the master type is `012000000000000AAA`; an object without record types has only that one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an object or record type that does not exist or is hidden; any error of
    /// [`Client::send`], also for an object that the User Interface API does not serve.
    ///
    /// Source: User Interface API Developer Guide, "Get Values for All Picklist Fields of a Record Type" (42.0 and later). The layouts of a
    /// record type (`/describe/layouts/<id>`) do not have them (REST API Developer Guide, "Get Layouts and Descriptions for an
    /// Object With Multiple Record Types").
    pub async fn record_type_picklists(
        &self,
        object: &SObjectName,
        record_type: RecordId,
    ) -> Result<RecordTypePicklists> {
        let path = format!("/ui-api/object-info/{object}/picklist-values/{record_type}");
        let request = ApiRequest::get("record_type_picklists", path).context("object", object);
        self.send(request.context("record_type", record_type)).await?.json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_type_opens_values_by_those_of_the_controlling_field() {
        // The form of the guide's example.
        let text = r#"{"eTag":"x","picklistFieldValues":{
            "City__c":{"controllerValues":{"Austria":0,"Norway":1},"defaultValue":null,"eTag":"y","url":"/u","values":[
                {"attributes":null,"label":"Vienna","validFor":[0],"value":"vie"},
                {"attributes":null,"label":"Oslo","validFor":[1],"value":"osl"},
                {"attributes":null,"label":"Elsewhere","validFor":[0,1],"value":"else"}]},
            "Type":{"controllerValues":{},"defaultValue":{"attributes":null,"label":"A","validFor":[],"value":"a"},"values":[
                {"attributes":null,"label":"A","validFor":[],"value":"a"}]}},"url":"/v"}"#;
        let lists: RecordTypePicklists = serde_json::from_str(text).expect("decodes");
        let open = |field: &str, controlling: &str| {
            let list = lists.field(field).expect(field);
            list.values_for(controlling).iter().map(|value| value.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(open("city__c", "Norway"), ["osl", "else"]);
        assert_eq!((open("City__c", "Sweden"), open("Type", "any")), (vec![], vec!["a".to_owned()]));
        assert_eq!(lists.field("Type").and_then(|list| list.default_value.as_ref()).map(|v| &*v.label), Some("A"));
        assert!(lists.field("City__c").is_some_and(|list| list.has("vie") && !list.has("ber")));
        assert!(
            serde_json::from_str::<RecordTypePicklists>("{}").is_err(),
            "another answer is not one without picklists"
        );
    }
}
