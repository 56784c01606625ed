//! Maps to start from: scores, survey results, opportunities, and the import of any field; and the rule by which demo engagement is
//! sent.
//!
//! Each is a [`FieldMap`] or [`SyncRule`] like any other: write it to a file with serde, or change it with
//! [`into_builder`](FieldMap::into_builder).

use super::engagement::{Prefix, linked_session_map};
use crate::error::Result;
use crate::mapping::{FieldMap, FieldRule, Otherwise, SyncRule, Transform, ValueTable, Write};
use crate::types::{Decimal, Direction, FieldDescribe, FieldName, RecordId, SObjectDescribe, SObjectName};

const fn field(name: &'static str) -> FieldName {
    FieldName::from_static(name)
}

/// Visitor scores on a contact, lead or account: `total_score`, `is_dql`, `last_visit_at`, `visit_count`, `engagement_level` and
/// `lead_source`, the record named by `id` in the external id field `key`. `direction` is that of the six fields.
///
/// The org needs `GPTWeb_AI_Score__c` Number(5, 2), `GPTWeb_Is_DQL__c` Checkbox, `GPTWeb_Last_Visit__c` Date/Time,
/// `GPTWeb_Visit_Count__c` Number(18, 0), `GPTWeb_Engagement_Level__c` Text(40) and `GPTWeb_Lead_Source__c` Text(255); the standard
/// `LeadSource` is never written. A visitor of whom it is not known is no DQL.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if `key` is one of the six.
pub fn score_map(object: SObjectName, key: FieldName, direction: Direction) -> Result<FieldMap> {
    use Transform::{DateTime, MaxLength, Minimum, Text, WholeNumber};
    let zero = || Minimum { min: Decimal::ZERO };
    let rules = [
        FieldRule::new("total_score", field("GPTWeb_AI_Score__c"), vec![zero(), Transform::number(5, 2)]),
        FieldRule::new("is_dql", field("GPTWeb_Is_DQL__c"), vec![Transform::boolean()]).or(false),
        FieldRule::new("last_visit_at", field("GPTWeb_Last_Visit__c"), vec![DateTime]),
        FieldRule::new("visit_count", field("GPTWeb_Visit_Count__c"), vec![zero(), WholeNumber { precision: 18 }]),
        FieldRule::new("engagement_level", field("GPTWeb_Engagement_Level__c"), vec![Text, MaxLength { max: 40 }]),
        FieldRule::new("lead_source", field("GPTWeb_Lead_Source__c"), vec![Text, MaxLength { max: 255 }]),
    ];
    // What Salesforce holds is in the product's terms already.
    let directed = rules.map(|rule| {
        let rule = rule.direction(direction);
        if direction.writes_source() { rule.reverse(Vec::new()) } else { rule }
    });
    let named = FieldRule::new("id", key.clone(), vec![Text]).required();
    let named = if direction.writes_salesforce() { named } else { named.direction(Direction::FromSalesforce) };
    FieldMap::builder(object, key).rule(named).rules(directed).build()
}

/// The rule by which demo engagement is sent: each session as it comes, to opportunities, leads, contacts and accounts, by the map of
/// sessions with its four links. It is for all sessions; [`SyncRule::with_filter`] narrows it.
///
/// # Errors
///
/// None with this map; those of [`SyncRule::new`] by type.
pub fn engagement_rule(prefix: &Prefix) -> Result<SyncRule> {
    let targets = ["Opportunity", "Lead", "Contact", "Account"].map(SObjectName::from_static);
    SyncRule::new("Demo engagement", targets, linked_session_map(prefix)?)
}

/// The fields that survey results go to. The product does not make them; name others where the org has others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyFields {
    /// Net Promoter Score, Number(3, 0) from -100 to 100.
    pub nps: FieldName,
    /// Customer satisfaction, Number(5, 2).
    pub csat: FieldName,
    /// The day of the last answer, Date.
    pub last_survey: FieldName,
}

impl Default for SurveyFields {
    fn default() -> Self {
        Self { nps: field("NPS_Score__c"), csat: field("CSAT_Score__c"), last_survey: field("Last_Survey_Date__c") }
    }
}

/// Survey results on contacts: `nps`, `csat` and `answered_at`, the contact named by `id` in the external id field `key`, and its
/// `email`, which has to be there but is written nowhere it is already. No contact is created. The day is that of the IANA `zone`.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for an unknown zone, or if two of the fields are one.
pub fn survey_map(key: FieldName, fields: SurveyFields, zone: &str) -> Result<FieldMap> {
    use Transform::{Date, Email, MaxLength, Maximum, Minimum, Text, WholeNumber};
    let hundred = Decimal::from(100_u32);
    let range = vec![Minimum { min: Decimal::from(-100_i64) }, Maximum { max: hundred }, WholeNumber { precision: 3 }];
    let email = vec![Text, MaxLength { max: 80 }, Email];
    FieldMap::builder(SObjectName::from_static("Contact"), key.clone())
        .create(false)
        .rule(FieldRule::new("id", key, vec![Text]).required())
        .rule(FieldRule::new("email", field("Email"), email).required().write(Write::WhenBlank))
        .rule(FieldRule::new("nps", fields.nps, range))
        .rule(FieldRule::new("csat", fields.csat, vec![Minimum { min: Decimal::ZERO }, Transform::number(5, 2)]))
        .rule(FieldRule::new("answered_at", fields.last_survey, vec![Date { zone: zone.to_owned() }]))
        .build()
}

/// Record types as pipelines: each record type of the list is the pipeline of that name, all others the `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipelines {
    /// Record types with the name of their pipeline.
    pub of: Vec<(RecordId, String)>,
    /// The pipeline of all others; a record without a type has none.
    pub default: String,
}

/// The standard fields of an opportunity, read and never written: `id`, `name`, `amount`, `close_date`, `stage`, `probability`,
/// `owner_id`, `account_id`, `created_at`, `modified_at`, `is_closed`, `is_won`, and `pipeline` if pipelines are given.
///
/// Add custom fields by [`into_builder`](FieldMap::into_builder) and rules whose direction is
/// [`Direction::FromSalesforce`].
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if a record type stands twice.
pub fn opportunity_map(pipelines: Option<&Pipelines>) -> Result<FieldMap> {
    let fields = [
        ("id", "Id"),
        ("name", "Name"),
        ("amount", "Amount"),
        ("close_date", "CloseDate"),
        ("stage", "StageName"),
        ("probability", "Probability"),
        ("owner_id", "OwnerId"),
        ("account_id", "AccountId"),
        ("created_at", "CreatedDate"),
        ("modified_at", "LastModifiedDate"),
        ("is_closed", "IsClosed"),
        ("is_won", "IsWon"),
    ];
    let read = |(source, name)| FieldRule::new(source, field(name), Vec::new()).direction(Direction::FromSalesforce);
    let pipeline = pipelines.map(|pipelines| {
        let names = pipelines.of.iter().map(|(id, name)| (id.as_str(), name.as_str()));
        let table = ValueTable::new(names).otherwise(Otherwise::Value(pipelines.default.as_str().into()));
        let steps = vec![Transform::RecordId { prefix: Some("012".into()) }, Transform::Table(table)];
        read(("pipeline", "RecordTypeId")).reverse(steps)
    });
    let map = FieldMap::builder(SObjectName::from_static("Opportunity"), field("Id"));
    map.rules(fields.map(read)).rules(pipeline).create(false).build()
}

/// The fields of an object that [`import_map`] can read, standard and custom, with their types: what a field picker shows.
pub fn importable(object: &SObjectDescribe) -> impl Iterator<Item = &FieldDescribe> {
    use crate::types::FieldType::{Address, Base64, Location};
    object.fields.iter().filter(|field| !matches!(field.field_type, Address | Location | Base64))
}

/// Reads any fields of an object into source paths of the same names; the record's `Id` always.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if a field stands twice.
pub fn import_map(object: SObjectName, fields: impl IntoIterator<Item = FieldName>) -> Result<FieldMap> {
    let read =
        |name: FieldName| FieldRule::new(name.as_str(), name.clone(), Vec::new()).direction(Direction::FromSalesforce);
    let id = field("Id");
    let fields = fields.into_iter().filter(|name| *name != field("Id")).map(read);
    FieldMap::builder(object, id.clone()).rule(read(id)).rules(fields).create(false).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{MapReport, Mapped, Transforms, Verdict};
    use crate::types::{Record, Value};

    fn key() -> FieldName {
        field("External_Id__c")
    }

    /// An object as a describe tells it, with the external id and these fields, all open to the user.
    fn object(name: &str, fields: &str) -> SObjectDescribe {
        let open = r#""createable":true,"updateable":true"#;
        let text = format!(
            r#"{{"name":"{name}","createable":true,"updateable":true,"fields":[
            {{"name":"External_Id__c","type":"string","length":80,"externalId":true,"unique":true,"nillable":true,{open}}},{}]}}"#,
            fields.replace("OPEN", open)
        );
        serde_json::from_str(&text).expect(&text)
    }

    /// As GPT-9 to GPT-14 specify them.
    const SCORES: &str = r#"{"name":"GPTWeb_AI_Score__c","type":"double","precision":5,"scale":2,"nillable":true,OPEN},
        {"name":"GPTWeb_Is_DQL__c","type":"boolean","defaultedOnCreate":true,OPEN},
        {"name":"GPTWeb_Last_Visit__c","type":"datetime","nillable":true,OPEN},
        {"name":"GPTWeb_Visit_Count__c","type":"double","precision":18,"scale":0,"nillable":true,OPEN},
        {"name":"GPTWeb_Engagement_Level__c","type":"string","length":40,"nillable":true,OPEN},
        {"name":"GPTWeb_Lead_Source__c","type":"string","length":255,"nillable":true,OPEN}"#;

    fn sent(map: &FieldMap, source: &str) -> String {
        let map = map.compile(&Transforms::new()).expect("sound");
        let mapped = map.apply(&Record::from_json(source).expect(source)).map(Mapped::into_record);
        serde_json::to_string(&mapped.expect(source).expect("all").fields).expect("serialises")
    }

    fn impossible(report: &MapReport) -> Vec<String> {
        let fields = report.fields.iter().filter(|field| field.verdict == Verdict::Impossible);
        fields.map(ToString::to_string).collect()
    }

    #[test]
    fn gpt_9_to_14_the_score_map_fits_its_six_fields_on_each_of_three_objects() {
        for name in ["Contact", "Lead", "Account"] {
            let object = object(name, SCORES);
            for direction in [Direction::ToSalesforce, Direction::FromSalesforce, Direction::Both] {
                let map = score_map(SObjectName::new(name).expect("a name"), key(), direction).expect("sound");
                let report = map.check(&object);
                assert_eq!(impossible(&report), [""; 0], "{name}");
                let lossy: Vec<&str> = report
                    .fields
                    .iter()
                    .filter(|field| field.verdict == Verdict::Lossy)
                    .map(|field| field.target.as_str())
                    .collect();
                let rounded: &[&str] =
                    if direction.writes_salesforce() { &["External_Id__c", "GPTWeb_AI_Score__c"] } else { &[] };
                assert_eq!(lossy, rounded, "{name} {direction:?}: {report}");
            }
        }
        let map = score_map(SObjectName::from_static("Contact"), key(), Direction::default()).expect("sound");
        assert_eq!(
            sent(
                &map,
                r#"{"id":"v1","total_score":87.345,"is_dql":null,"last_visit_at":"2026-05-01T09:25:37+02:00","visit_count":12,
                "engagement_level":" High ","lead_source":"ChatGPT"}"#
            ),
            r#"{"External_Id__c":"v1","GPTWeb_AI_Score__c":87.34,"GPTWeb_Is_DQL__c":false,"GPTWeb_Last_Visit__c":"2026-05-01T07:25:37.000Z","GPTWeb_Visit_Count__c":12,"GPTWeb_Engagement_Level__c":"High","GPTWeb_Lead_Source__c":"ChatGPT"}"#
        );
        assert!(map.rules().iter().all(|rule| rule.target.to_string() != "LeadSource"), "GPT-14");
    }

    #[test]
    fn gpt_12_a_count_with_a_fraction_is_an_issue() {
        let map = score_map(SObjectName::from_static("Lead"), key(), Direction::Both).expect("sound");
        let map = map.compile(&Transforms::new()).expect("sound");
        let issues =
            map.apply(&Record::from_json(r#"{"id":"a","visit_count":1.5}"#).expect("reads")).expect_err("a half");
        assert_eq!(issues[0].to_string(), "visit_count: not a whole number");
    }

    #[test]
    fn gpt_12_a_visit_count_by_the_policy_max_never_goes_back() {
        use crate::conflict::{ConflictPolicy, State, resolve};
        let map = score_map(SObjectName::from_static("Lead"), key(), Direction::Both).expect("sound");
        let map = map.compile(&Transforms::new()).expect("sound");
        let text = r#"{"default":"source_wins","fields":{"GPTWeb_Visit_Count__c":"max"}}"#;
        let only_grows: ConflictPolicy = serde_json::from_str(text).expect("a policy");
        for (ours, theirs, sent) in [(9_i64, 12_i64, None), (12, 9, Some(Value::from(12_i64)))] {
            let source = Record::new().with("id", "a").with("visit_count", ours);
            let mapped = map.apply(&source).map(Mapped::into_record).expect("maps").expect("all").fields;
            let remote = mapped.clone().with("GPTWeb_Visit_Count__c", theirs);
            let resolution = resolve(None, &State::new(mapped), &State::new(remote), &only_grows);
            assert_eq!(resolution.to_salesforce.get("GPTWeb_Visit_Count__c"), sent.as_ref(), "{ours} and {theirs}");
        }
    }

    #[test]
    fn nav_22_the_default_rule_sends_sessions_to_four_objects_and_its_filter_can_be_changed() {
        let rule = engagement_rule(&Prefix::default()).expect("sound");
        let targets: Vec<&str> = rule.targets().iter().map(SObjectName::as_str).collect();
        assert_eq!(targets, ["Opportunity", "Lead", "Contact", "Account"]);
        let linked: Vec<String> = rule.mapping().rules().iter().map(|rule| rule.target.to_string()).collect();
        for target in &targets {
            assert!(linked.iter().any(|field| field.contains(target)), "{target} in {linked:?}");
        }
        let session = |email: &str| Record::new().with("session_id", "s").with("email", email);
        assert!(rule.takes(&session("ada@ours.example")), "all, unless told otherwise");
        let text = serde_json::to_string(&rule).expect("viewable");
        let filter = r#""filter":{"not":{"field":"email","contains":"@ours.example"}},"mapping":"#;
        let edited: SyncRule = serde_json::from_str(&text.replacen("\"mapping\":", filter, 1)).expect("editable");
        assert!(!edited.takes(&session("ada@ours.example")) && edited.takes(&session("ada@acme.example")));
    }

    const SURVEY: &str = r#"{"name":"Email","type":"email","length":80,"nillable":true,OPEN},
        {"name":"NPS_Score__c","type":"double","precision":3,"scale":0,"nillable":true,OPEN},
        {"name":"CSAT_Score__c","type":"double","precision":5,"scale":2,"nillable":true,OPEN},
        {"name":"Last_Survey_Date__c","type":"date","nillable":true,OPEN}"#;

    #[test]
    fn dem_15_survey_results_go_to_three_fields_or_to_others() {
        let map = survey_map(key(), SurveyFields::default(), "America/New_York").expect("sound");
        assert_eq!(impossible(&map.check(&object("Contact", SURVEY))), [""; 0]);
        assert_eq!(
            sent(
                &map,
                r#"{"id":"c","email":"ada@example.com","nps":-100,"csat":4.666,"answered_at":"2026-05-01T01:00:00Z"}"#
            ),
            r#"{"External_Id__c":"c","Email":"ada@example.com","NPS_Score__c":-100,"CSAT_Score__c":4.67,"Last_Survey_Date__c":"2026-04-30"}"#
        );
        let other = SurveyFields { nps: field("Our_NPS__c"), ..SurveyFields::default() };
        let map = survey_map(key(), other, "UTC").expect("sound");
        assert!(sent(&map, r#"{"id":"c","email":"a@example.com","nps":5}"#).contains(r#""Our_NPS__c":5"#));
    }

    #[test]
    fn dem_16_test_fields_tells_each_survey_field_that_is_not_there_or_does_not_fit() {
        let map = survey_map(key(), SurveyFields::default(), "UTC").expect("sound");
        let fields = SURVEY.replace("CSAT_Score__c", "CSAT__c").replace(r#""type":"date""#, r#""type":"boolean""#);
        let told = impossible(&map.check(&object("Contact", &fields)));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("CSAT_Score__c") && told[1].starts_with("Last_Survey_Date__c"), "{told:?}");
    }

    #[test]
    fn dem_13_a_contact_without_an_email_address_is_refused() {
        let map = survey_map(key(), SurveyFields::default(), "UTC").and_then(|map| map.compile(&Transforms::new()));
        let map = map.expect("sound");
        for (source, says) in [
            (r#"{"id":"c"}"#, "email: missing"),
            (r#"{"id":"c","email":" "}"#, "email: missing"),
            (r#"{"id":"c","email":"ada"}"#, "email: not an email address"),
        ] {
            let issues = map.apply(&Record::from_json(source).expect(source)).expect_err(source);
            assert_eq!(issues[0].to_string(), says);
        }
    }

    fn back(map: &FieldMap, remote: &str) -> Record {
        let map = map.compile(&Transforms::new()).expect("sound");
        map.apply_reverse(&Record::from_json(remote).expect(remote)).expect(remote)
    }

    #[test]
    fn smv_32_an_opportunitys_eleven_standard_fields_are_read_and_none_is_written() {
        let map = opportunity_map(None).expect("sound");
        assert_eq!(map.rules().len(), 12, "11 and the id");
        let remote = r#"{"Id":"006dM00001AbCdEQAV","Amount":1234567.89,"Probability":60,"IsWon":false,"OwnerId":null}"#;
        let source = back(&map, remote);
        assert_eq!(source.get("probability"), Some(&Value::Number(Decimal::from(60_u32))), "SMV-34");
        assert_eq!((source.len(), source.get("owner_id")), (5, Some(&Value::Null)));
        let compiled = map.compile(&Transforms::new()).expect("sound");
        assert!(compiled.apply(&source).is_err(), "nothing to write");
    }

    #[test]
    fn smv_33_custom_fields_are_rules_more() {
        let rule = FieldRule::new("next_step", field("Next_Step__c"), Vec::new()).direction(Direction::FromSalesforce);
        let map = opportunity_map(None).and_then(|map| map.into_builder().rule(rule).build()).expect("sound");
        assert_eq!(back(&map, r#"{"Next_Step__c":"Call"}"#).text("next_step"), Some("Call"));
    }

    #[test]
    fn smv_38_a_record_type_is_a_pipeline_and_others_are_the_default() {
        let id = RecordId::new("012dM00000AbCdE").expect("an id");
        let pipelines = Pipelines { of: vec![(id, "Renewals".into())], default: "New business".into() };
        let map = opportunity_map(Some(&pipelines)).expect("sound");
        for (remote, expected) in [("012dM00000AbCdE", "Renewals"), ("012000000000000AAA", "New business")] {
            let source = back(&map, &format!(r#"{{"RecordTypeId":"{remote}"}}"#));
            assert_eq!(source.text("pipeline"), Some(expected));
        }
    }

    #[test]
    fn heap_3_any_field_of_an_object_can_be_read() {
        let object = object(
            "Account",
            r#"{"name":"Tier__c","type":"picklist","length":255,OPEN},{"name":"Place","type":"address"}"#,
        );
        let names: Vec<&str> = importable(&object).map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["External_Id__c", "Tier__c"]);
        let fields = importable(&object).filter_map(|field| FieldName::new(field.name.as_str()).ok());
        let map = import_map(SObjectName::from_static("Account"), fields).expect("sound");
        let source = back(&map, r#"{"Id":"001dM00003kRs59QAC","Tier__c":"Gold"}"#);
        assert_eq!(source.text("Tier__c"), Some("Gold"));
    }
}
