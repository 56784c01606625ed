//! What kind of org it is.

use serde::Serialize;

use crate::types::SObjectDescribe;

/// What an org is like, as far as describes tell its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrgTraits {
    /// Whether accounts can be persons; `None` where the user sees no accounts.
    pub person_accounts: Option<bool>,
    /// Whether amounts have a currency of their own (`CurrencyIsoCode`); `None` where the user sees none of the objects.
    pub multi_currency: Option<bool>,
}

impl OrgTraits {
    /// The objects whose describes [`of`](Self::of) looks at.
    pub const OBJECTS: [&'static str; 3] = ["Account", "Contact", "Opportunity"];

    /// By the describes of [`OBJECTS`](Self::OBJECTS), or those of them that the user sees. Pure.
    ///
    /// Sources: Object Reference, "Account": `IsPersonAccount` is there once person accounts are on; `CurrencyIsoCode` is there in
    /// organisations with several currencies only.
    #[must_use]
    pub fn of<'d>(describes: impl IntoIterator<Item = &'d SObjectDescribe>) -> Self {
        let mut traits = Self::default();
        for describe in describes {
            if describe.name.eq_ignore_ascii_case("Account") {
                traits.person_accounts = Some(describe.field("IsPersonAccount").is_some());
            }
            let known = Self::OBJECTS.iter().any(|name| describe.name.eq_ignore_ascii_case(name));
            if known {
                let here = describe.field("CurrencyIsoCode").is_some();
                traits.multi_currency = Some(here || traits.multi_currency.unwrap_or_default());
            }
        }
        traits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(name: &str, fields: &[&str]) -> SObjectDescribe {
        let fields: Vec<String> = fields.iter().map(|field| format!(r#"{{"name":"{field}"}}"#)).collect();
        serde_json::from_str(&format!(r#"{{"name":"{name}","fields":[{}]}}"#, fields.join(","))).expect("decodes")
    }

    #[test]
    fn an_org_is_told_by_what_its_user_sees() {
        let traits = |describes: &[SObjectDescribe]| {
            let OrgTraits { person_accounts, multi_currency } = OrgTraits::of(describes);
            (person_accounts, multi_currency)
        };
        let plain = describe("Account", &["Id"]);
        let person = describe("account", &["Id", "IsPersonAccount"]);
        let money = describe("Opportunity", &["CurrencyIsoCode"]);
        assert_eq!(traits(&[]), (None, None));
        assert_eq!(traits(std::slice::from_ref(&plain)), (Some(false), Some(false)));
        assert_eq!(traits(&[money.clone(), person]), (Some(true), Some(true)));
        assert_eq!(traits(&[money]), (None, Some(true)), "the user sees no accounts");
        assert_eq!(traits(&[describe("Thing__c", &["CurrencyIsoCode"])]), (None, None));
    }
}
