//! The org's limits and how many records it has.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::SObjectName;

/// Longest list of names in one address, which may have 16,384 bytes in all.
const MAX_NAMES: usize = 12_000;

/// One limit of an org.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitValue {
    /// How much the org may have or use; `None` where the answer does not say it.
    pub max: Option<i64>,
    /// What is left of it, for limits of 24 hours as of about five minutes ago; less than zero where the org is over it.
    pub remaining: Option<i64>,
    /// Limits within this one, by name: of one app's API calls, of custom permission sets.
    pub parts: BTreeMap<String, LimitValue>,
}

impl<'de> Deserialize<'de> for LimitValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = BTreeMap::<String, Json>::deserialize(deserializer)?;
        Ok(Self::of(members))
    }
}

impl LimitValue {
    /// A release may put anything beside the two numbers: what is no limit is passed over.
    fn of(members: impl IntoIterator<Item = (String, Json)>) -> Self {
        let mut limit = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Max", value) => limit.max = value.as_i64(),
                ("Remaining", value) => limit.remaining = value.as_i64(),
                (_, Json::Object(members)) => {
                    limit.parts.insert(name, Self::of(members));
                }
                _ => {}
            }
        }
        limit
    }
}

#[derive(Deserialize)]
struct Counts {
    #[serde(rename = "sObjects")]
    objects: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    name: String,
    count: u64,
}

impl Client {
    /// All limits of the org by their names, such as `DailyApiRequests`: some 70, more with each release. Costs one API call.
    ///
    /// [`limits`](Self::limits) has the API calls at no cost.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) without the permission "View Setup and Configuration"; any error of
    /// [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Limits".
    pub async fn all_limits(&self) -> Result<BTreeMap<String, LimitValue>> {
        self.send(ApiRequest::get("limits", "/limits")).await?.json()
    }

    /// About how many records these objects have, deleted and archived ones not among them. Costs one API call for some 400 names.
    ///
    /// The numbers are cached ones: for planning, not for proving. Salesforce leaves out objects without records: they are 0 here,
    /// and so are objects that do not exist or that the user does not see. The exact number is [`count`](Self::count)'s.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) without the permission "View Setup and Configuration"; any error of
    /// [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Record Count" (API 40.0 and later).
    pub async fn record_counts(&self, objects: &[SObjectName]) -> Result<BTreeMap<SObjectName, u64>> {
        let mut counts: BTreeMap<SObjectName, u64> = objects.iter().map(|object| (object.clone(), 0)).collect();
        let names: Vec<&str> = objects.iter().map(SObjectName::as_str).collect();
        for list in lists(&names) {
            let told =
                self.counts(ApiRequest::get("record_count", "/limits/recordCount").query("sObjects", &list)).await?;
            for Count { name, count } in told {
                // The org spells names in its own way.
                let asked = counts.iter_mut().filter(|(object, _)| object.as_str().eq_ignore_ascii_case(&name));
                asked.for_each(|(_, known)| *known = count);
            }
        }
        Ok(counts)
    }

    /// About how many records each object of the org has; objects without records are left out. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`record_counts`](Self::record_counts).
    pub async fn all_record_counts(&self) -> Result<BTreeMap<String, u64>> {
        let told = self.counts(ApiRequest::get("record_count", "/limits/recordCount")).await?;
        Ok(told.into_iter().map(|Count { name, count }| (name, count)).collect())
    }

    async fn counts(&self, request: ApiRequest) -> Result<Vec<Count>> {
        Ok(self.send(request).await?.json::<Counts>()?.objects)
    }
}

/// The names, joined by commas to lists that fit an address. A comma takes three bytes there.
fn lists(names: &[&str]) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    let mut used = 0;
    for name in names {
        used += name.len() + 3;
        match lists.last_mut() {
            Some(list) if used <= MAX_NAMES => {
                list.push(',');
                list.push_str(name);
            }
            _ => {
                used = name.len() + 3;
                lists.push((*name).to_owned());
            }
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_keep_what_is_in_them_and_pass_over_what_is_none() {
        let text = r#"{"Max":1500,"Remaining":-2,"CreateCustom":{"Max":1000,"Remaining":998,"Deep":{"Max":1}},"Note":"x","N":null}"#;
        let limit: LimitValue = serde_json::from_str(text).expect("reads");
        assert_eq!((limit.max, limit.remaining), (Some(1500), Some(-2)));
        assert_eq!(limit.parts.keys().collect::<Vec<_>>(), ["CreateCustom"]);
        assert_eq!(limit.parts["CreateCustom"].parts["Deep"].max, Some(1));
        assert_eq!(serde_json::from_str::<LimitValue>("{}").expect("reads"), LimitValue::default());
        assert!(serde_json::from_str::<LimitValue>("[1]").is_err());
    }

    #[test]
    fn lists_of_names_fit_an_address_and_lose_none() {
        let names: Vec<String> = (0..1_300).map(|number| format!("Some_Custom_Object_{number}__c")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lists = lists(&names);
        assert!(lists.len() > 1 && lists.iter().all(|list| list.replace(',', "%2C").len() <= MAX_NAMES));
        assert_eq!(lists.join(",").split(',').collect::<Vec<_>>(), names);
        assert!(super::lists(&[]).is_empty());
    }
}
