//! The session in the product's terms, and its map to Salesforce fields.

use serde::{Deserialize, Serialize};

use super::Prefix;
use crate::error::Result;
use crate::mapping::{FieldMap, FieldRule, Transform};
use crate::types::{Decimal, FieldName, Record, Timestamp, Value};

/// Characters of a text field, in UTF-16 units.
pub(super) const TEXT: u32 = 255;
/// Characters of a Name field, which holds the session id.
pub(super) const NAME: u32 = 80;

/// One viewing of a demo. Fields that are `None` are left alone in Salesforce.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngagementSession {
    /// Names the session; at most 80 characters.
    pub session_id: String,
    /// When it began. Salesforce stores whole seconds.
    pub started_at: Option<Timestamp>,
    /// The visitor's name; at most 255 characters.
    pub full_name: Option<String>,
    /// The visitor's email address.
    pub email: Option<String>,
    /// How long it lasted. Stored as minutes with three decimals.
    pub duration_seconds: Option<Decimal>,
    /// Steps of the demo that were seen.
    pub steps_viewed: Option<u32>,
    /// The demos seen.
    pub demos: Option<Vec<String>>,
    /// The flows seen.
    pub flows: Option<Vec<String>>,
    /// Areas the visitor was very interested in.
    pub very_interested: Option<Vec<String>>,
    /// Areas the visitor was somewhat interested in.
    pub somewhat_interested: Option<Vec<String>>,
    /// Areas the visitor was not interested in.
    pub not_interested: Option<Vec<String>>,
    /// The opportunity that the session belongs to.
    pub opportunity_id: Option<String>,
    /// The share link that the visitor came by; reps bind links to opportunities.
    pub share_link: Option<String>,
}

impl From<&EngagementSession> for Record {
    fn from(session: &EngagementSession) -> Self {
        let list = |items: &Vec<String>| Value::List(items.iter().map(|item| item.as_str().into()).collect());
        let values = [
            ("session_id", Some(session.session_id.as_str().into())),
            ("started_at", session.started_at.map(Value::from)),
            ("full_name", session.full_name.as_deref().map(Value::from)),
            ("email", session.email.as_deref().map(Value::from)),
            ("duration_seconds", session.duration_seconds.map(Value::from)),
            ("steps_viewed", session.steps_viewed.map(Value::from)),
            ("demos", session.demos.as_ref().map(list)),
            ("flows", session.flows.as_ref().map(list)),
            ("very_interested", session.very_interested.as_ref().map(list)),
            ("somewhat_interested", session.somewhat_interested.as_ref().map(list)),
            ("not_interested", session.not_interested.as_ref().map(list)),
            ("opportunity_id", session.opportunity_id.as_deref().map(Value::from)),
            ("share_link", session.share_link.as_deref().map(Value::from)),
        ];
        let mut record = Self::new();
        for (name, value) in values {
            if let Some(value) = value {
                record.set(name, value);
            }
        }
        record
    }
}

/// The default map of sessions to the session object. Sources are the fields of [`EngagementSession`].
///
/// # Errors
///
/// None with these rules; those of [`FieldMapBuilder::build`](crate::mapping::FieldMapBuilder::build) by type.
pub fn session_map(prefix: &Prefix) -> Result<FieldMap> {
    use Transform::{DateTime, Email, MaxLength, Minimum, SecondsToMinutes, Text, WholeNumber};
    let field = |name| prefix.field(name);
    let id = || vec![Text, MaxLength { max: NAME as usize }];
    let not_negative = || Minimum { min: Decimal::ZERO };
    let list = || vec![Transform::join_list(TEXT as usize)];
    let minutes = vec![not_negative(), SecondsToMinutes, Transform::number(18, 3)];
    let rules = vec![
        FieldRule::new("session_id", field("Session_Key"), id()).required(),
        FieldRule::new("session_id", FieldName::from_static("Name"), id()).required(),
        FieldRule::new("started_at", field("Started_At"), vec![DateTime]),
        FieldRule::new("full_name", field("Full_Name"), vec![Text, MaxLength { max: TEXT as usize }]),
        FieldRule::new("email", field("Email"), vec![Text, MaxLength { max: TEXT as usize }, Email]),
        FieldRule::new("duration_seconds", field("Duration_Minutes"), minutes),
        FieldRule::new("steps_viewed", field("Steps_Viewed"), vec![not_negative(), WholeNumber { precision: 18 }]),
        FieldRule::new("demos", field("Demos"), list()),
        FieldRule::new("flows", field("Flows"), list()),
        FieldRule::new("very_interested", field("Very_Interested_Areas"), list()),
        FieldRule::new("somewhat_interested", field("Somewhat_Interested_Areas"), list()),
        FieldRule::new("not_interested", field("Not_Interested_Areas"), list()),
    ];
    let map = FieldMap::builder(prefix.session_object(), field("Session_Key"));
    map.changed_at(field("Started_At")).rules(rules).build()
}

/// The default map with the four links that matching finds, from the source paths `link.contact`, `link.lead`,
/// `link.account` and `link.opportunity`. A link that is absent leaves the field alone.
///
/// # Errors
///
/// As for [`session_map`].
pub fn linked_session_map(prefix: &Prefix) -> Result<FieldMap> {
    let map = session_map(prefix)?;
    let link = |(source, target)| FieldRule::new(source, prefix.field(target), Vec::new());
    let links = [
        ("link.contact", "Contact"),
        ("link.lead", "Lead"),
        ("link.account", "Account"),
        ("link.opportunity", "Opportunity"),
    ];
    map.into_builder().rules(links.map(link)).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{CompiledMap, Transforms};

    fn compiled() -> CompiledMap {
        session_map(&Prefix::default()).and_then(|map| map.compile(&Transforms::new())).expect("sound")
    }

    #[test]
    fn nav_9_the_default_map_has_the_eleven_fields_and_the_key() {
        let map = session_map(&Prefix::default()).expect("sound");
        let targets: Vec<String> = map.rules().iter().map(|rule| rule.target.to_string()).collect();
        assert_eq!(map.object().as_str(), "Navattic_Session__c");
        assert_eq!(targets.len(), 12, "11 fields and the external id");
        for expected in ["Name", "Navattic_Session_Key__c", "Navattic_Somewhat_Interested_Areas__c"] {
            assert!(targets.iter().any(|target| target == expected), "{targets:?}");
        }
    }

    #[test]
    fn nav_5_name_and_email_have_255_characters() {
        let map = compiled();
        let session = |name: String, email: String| EngagementSession {
            session_id: "s".into(),
            full_name: Some(name),
            email: Some(email),
            ..EngagementSession::default()
        };
        let fits = session("🙂".repeat(127) + "x", "ada@example.com".into());
        assert!(map.apply(&Record::from(&fits)).is_ok());
        let over = session("🙂".repeat(128), format!("{}@example.com", "a".repeat(250)));
        let issues = map.apply(&Record::from(&over)).expect_err("too long");
        assert_eq!(issues.iter().map(|issue| issue.field.as_str()).collect::<Vec<_>>(), ["full_name", "email"]);
    }

    #[test]
    fn a_bad_session_id_is_one_issue_although_two_fields_hold_it() {
        let map = compiled();
        for id in [String::new(), "x".repeat(81), "a\0".into()] {
            let session = EngagementSession { session_id: id, ..EngagementSession::default() };
            let issues = map.apply(&Record::from(&session)).expect_err("bad id");
            assert_eq!(issues.len(), 1, "{issues:?}");
        }
    }
}
