//! The engagement flow against an org that is empty of ours.

mod run;
mod setup;

use crate::support::client;
use futures_util::stream;
use serde_json::{Value, json};
use sforce::adapters::engagement::{EngagementSession, EngagementSync, Link, RunReport};
use sforce::schema::Applied;
use sforce::sync::Outcome;
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::{Decimal, Record, Timestamp};
use sforce::{Client, Error};

pub(super) const OBJECT: &str = "Navattic_Session__c";

pub(super) async fn connect(org: &MockOrg) -> (EngagementSync, Applied) {
    try_connect(client(org)).await.expect("set up")
}

pub(super) async fn try_connect(client: Client) -> Result<(EngagementSync, Applied), Error> {
    EngagementSync::builder(client).build().await
}

pub(super) fn session(id: &str, email: &str) -> EngagementSession {
    EngagementSession {
        session_id: id.into(),
        started_at: Some(Timestamp::parse("2026-05-01T10:00:00Z").expect("valid")),
        email: Some(email.into()),
        duration_seconds: Some(Decimal::from(90_u32)),
        demos: Some(vec!["Tour".into()]),
        very_interested: Some(vec!["Security".into()]),
        ..EngagementSession::default()
    }
}

pub(super) async fn run(sync: &EngagementSync, sessions: &[EngagementSession]) -> (RunReport, Vec<(Outcome, Link)>) {
    let input = stream::iter(sessions.iter().map(|session| ((), Ok(Record::from(session)))));
    let mut pairs = Vec::new();
    let report = sync.run(input, |(), outcome, link| pairs.push((outcome.clone(), link.clone()))).await;
    (report, pairs)
}

/// The stored session of that id.
pub(super) fn stored(org: &MockOrg, id: &str) -> Value {
    let found: Vec<Value> = org.records(OBJECT).into_iter().filter(|record| record["Name"] == id).collect();
    assert_eq!(found.len(), 1, "{id} is there once");
    found[0].clone()
}

pub(super) fn insert(org: &MockOrg, object: &str, fields: Value) -> String {
    org.insert(object, fields)
}

const WRITES: [Operation; 9] = [
    Operation::DeployCreate,
    Operation::MetadataCreate,
    Operation::MetadataUpdate,
    Operation::MetadataUpsert,
    Operation::MetadataDelete,
    Operation::SObjectCreate,
    Operation::SObjectUpdate,
    Operation::CollectionsUpsert,
    Operation::CollectionsUpdate,
];

pub(super) fn writes(org: &MockOrg) -> usize {
    WRITES.iter().map(|operation| org.calls(*operation)).sum()
}

/// An org with a contact and its account, a lead, doubles of each, and an opportunity.
pub(super) struct Known {
    pub(super) org: MockOrg,
    pub(super) contact: String,
    pub(super) account: String,
    pub(super) lead: String,
    pub(super) opportunity: String,
}

pub(super) fn known() -> Known {
    let org = MockOrg::start();
    let account = insert(&org, "Account", json!({"Name": "Acme", "Website": "https://www.acme.example/start"}));
    let contact =
        insert(&org, "Contact", json!({"LastName": "Ada", "Email": "Ada@Mail.example", "AccountId": account}));
    let lead = insert(&org, "Lead", json!({"LastName": "Lee", "Company": "X", "Email": "lee@acme.example"}));
    for _ in 0..2 {
        insert(&org, "Contact", json!({"LastName": "Twin", "Email": "twin@acme.example"}));
        insert(&org, "Lead", json!({"LastName": "Pair", "Company": "X", "Email": "pair@acme.example"}));
        insert(&org, "Account", json!({"Name": "Hooli", "Website": "hooli.example"}));
    }
    insert(
        &org,
        "Lead",
        json!({"LastName": "Gone", "Company": "X", "Email": "gone@nowhere.example", "IsConverted": true}),
    );
    insert(&org, "Lead", json!({"LastName": "Mail", "Company": "X", "Email": "x@gmail.com", "Website": "gmail.com"}));
    insert(&org, "Account", json!({"Name": "Mail", "Website": "https://gmail.com"}));
    let deal = json!({"Name": "Deal", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2026-12-31"});
    let opportunity = insert(&org, "Opportunity", deal);
    Known { org, contact, account, lead, opportunity }
}
