//! Match plans against an org: what is found, what is followed, what it costs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sforce::matching::{Hop, Match, MatchPlan, Matched, NoKey, OrgFacts, WhyExcluded};
use sforce::sync::Matcher;
use sforce::testing::org::{FieldSpec, MockOrg, Operation};
use sforce::types::Record;
use sforce::{Effect, ErrorKind};

use crate::support::{client, record};

fn plan(steps: &str) -> MatchPlan {
    serde_json::from_str(&format!(r#"{{"version":1,"steps":[{steps}]}}"#)).expect(steps)
}

async fn matcher(org: &MockOrg, plan: MatchPlan) -> Matcher {
    Matcher::new(client(org), plan).await.expect("the plan fits")
}

async fn match_all(org: &MockOrg, plan: MatchPlan, records: &[&str]) -> Vec<Matched> {
    let records: Vec<Record> = records.iter().map(|text| record(text)).collect();
    matcher(org, plan).await.match_many(&records).await.expect("answered")
}

/// The id of the one record, `several` or `none`.
fn found(matched: &Matched) -> String {
    match &matched.result {
        Match::One(candidate) => candidate.id.to_string(),
        Match::Ambiguous(_) => "several".into(),
        Match::None => "none".into(),
    }
}

fn queries(org: &MockOrg) -> usize {
    org.calls(Operation::Query)
}

#[tokio::test]
async fn heap_7_people_are_found_by_email_contact_before_lead_and_companies_by_domain() {
    let org = MockOrg::start();
    let account = org.insert("Account", json!({"Name": "Acme", "Website": "https://www.acme.example/start"}));
    let other = org.insert("Account", json!({"Name": "Other"}));
    let contact = org.insert("Contact", json!({"LastName": "A", "Email": "Ada@acme.example", "AccountId": other}));
    let lead = org.insert("Lead", json!({"LastName": "L", "Company": "X", "Email": "lee@eu.acme.example"}));
    org.insert("Lead", json!({"LastName": "A", "Company": "X", "Email": "ada@acme.example"}));
    let records = [
        r#"{"email":"ADA@acme.example"}"#,
        r#"{"email":"lee@eu.acme.example"}"#,
        r#"{"email":"new@acme.example"}"#,
        r#"{"email":"x@gmail.com"}"#,
    ];
    let people = match_all(&org, MatchPlan::people("email").expect("valid"), &records).await;
    assert_eq!(people.iter().map(found).collect::<Vec<_>>(), [contact.as_str(), lead.as_str(), "none", "none"]);
    let sources: Vec<Record> = records
        .iter()
        .zip(&people)
        .map(|(text, person)| match person.result.one() {
            Some(person) => record(text).with("person", person.to_source()),
            None => record(text),
        })
        .collect();
    let accounts = matcher(&org, MatchPlan::accounts("email").expect("valid")).await;
    let companies = accounts.match_many(&sources).await.expect("answered");
    assert_eq!(
        companies.iter().map(found).collect::<Vec<_>>(),
        [other.as_str(), account.as_str(), account.as_str(), "none"],
        "the contact's own account, the parent domain, the domain, and none for public mail"
    );
    assert_eq!(companies[3].steps[1].no_key, Some(NoKey::PublicMail));
}

#[tokio::test]
async fn heap_5_any_unique_identifier_is_a_join_key_in_its_own_type() {
    let org = MockOrg::start();
    org.add_field("Contact", FieldSpec::text("Heap_Id__c", 40).external_id());
    org.add_field("Contact", FieldSpec::text("Code__c", 40).external_id().unique().case_sensitive());
    org.add_field("Contact", FieldSpec::number("Serial__c", 18, 0).external_id());
    let ada =
        org.insert("Contact", json!({"LastName": "A", "Heap_Id__c": "o'neil\\1", "Code__c": "aB", "Serial__c": 7}));
    let bob = org.insert("Contact", json!({"LastName": "B", "Heap_Id__c": "b-2", "Code__c": "AB", "Serial__c": 8}));
    let by = |field: &str| {
        plan(&format!(r#"{{"object":"Contact","by":"external_id","source":"user.key","field":"{field}"}}"#))
    };
    for (field, key, expected) in [
        ("Heap_Id__c", r#""O'NEIL\\1""#, &ada),
        ("Heap_Id__c", r#"" b-2 ""#, &bob),
        ("Code__c", r#""aB""#, &ada),
        ("Code__c", r#""AB""#, &bob),
        ("Serial__c", "7.0", &ada),
        ("Serial__c", r#""8""#, &bob),
    ] {
        let matched = match_all(&org, by(field), &[&format!(r#"{{"user":{{"key":{key}}}}}"#)]).await;
        assert_eq!(found(&matched[0]), *expected, "{field} {key}");
    }
    let matched = match_all(&org, by("Code__c"), &[r#"{"user":{"key":"ab"}}"#]).await;
    assert_eq!(found(&matched[0]), "none", "case counts where the field says so");
}

#[tokio::test]
async fn heap_5_names_and_words_are_found_whatever_their_case_and_blanks_on_either_side() {
    let org = MockOrg::start();
    org.add_field("Account", FieldSpec::text("Key__c", 80));
    let account = |name: &str, key: &str| org.insert("Account", json!({"Name": name, "Key__c": key}));
    let acme = account("Acme   Engines Ltd", "Ab  Cd");
    let smith = account("J Smith", "solo");
    let sale = account("50% Off_Road", "o'neil  & \\sons");
    account("Jack Smith", "Ab x Cd");
    account("50 x OffyRoad", "AbCd");
    let names = [" acme engines\tLTD", "J  SMITH", "50%   off_road", "Acme Ltd"];
    let words = ["AB CD", " Solo ", "O'Neil & \\sons", "ab"];
    let by_name = r#"{"object":"Account","by":"name","source":"k"}"#;
    let by_words = r#"{"object":"Account","by":"custom","source":"k","field":"Key__c","normaliser":"words"}"#;
    for (step, keys) in [(by_name, names), (by_words, words)] {
        let lookup = matcher(&org, plan(step)).await;
        let before = queries(&org);
        let records = keys.map(|key| Record::new().with("k", key));
        let matched = lookup.match_many(&records).await.expect("answered");
        let found: Vec<String> = matched.iter().map(found).collect();
        assert_eq!(found, [acme.as_str(), smith.as_str(), sale.as_str(), "none"], "{step}");
        assert!(queries(&org) - before <= 2, "one for the words, one for the others");
    }
}

#[tokio::test]
async fn heap_7_tags_and_dots_of_an_address_are_passed_over_where_the_step_says_so() {
    let org = MockOrg::start();
    let contact = |email: &str| org.insert("Contact", json!({"LastName": "A", "Email": email}));
    let (ada, bob) = (contact("ada@acme.example"), contact("b.o.b@gmail.com"));
    let (eve, none) = (contact("eve@gmail.com"), "none".to_owned());
    let records = [
        r#"{"e":"Ada+News@acme.example"}"#,
        r#"{"e":"b.o.b+x@gmail.com"}"#,
        r#"{"e":"B.O.B@gmail.com"}"#,
        r#"{"e":"e.v.e@gmail.com"}"#,
    ];
    let step = |rules: &str| plan(&format!(r#"{{"object":"Contact","by":"email","source":"e"{rules}}}"#));
    for (rules, expected) in [
        ("", [&none, &none, &bob, &none]),
        (r#","strip_plus_tag":true"#, [&ada, &bob, &bob, &none]),
        (r#","ignore_gmail_dots":true"#, [&none, &none, &bob, &eve]),
        (r#","strip_plus_tag":true,"ignore_gmail_dots":true"#, [&ada, &bob, &bob, &eve]),
    ] {
        let lookup = matcher(&org, step(rules)).await;
        for (text, expected) in records.iter().zip(expected) {
            let matched = lookup.match_one(&record(text)).await.expect("answered");
            assert_eq!(found(&matched), *expected, "{rules} {text}");
        }
    }
}

#[tokio::test]
async fn a_key_too_long_for_a_query_once_it_is_escaped_costs_no_other_record_its_match() {
    let org = MockOrg::start();
    let acme = org.insert("Account", json!({"Name": "Acme Ltd"}));
    let lookup = matcher(&org, plan(r#"{"object":"Account","by":"name","source":"n"}"#)).await;
    let records = ["'".repeat(2_100), "acme ltd".to_owned(), "% ".repeat(1_999)];
    let matched = lookup.match_many(&records.map(|name| Record::new().with("n", name))).await.expect("answered");
    assert_eq!(matched.iter().map(found).collect::<Vec<_>>(), ["none", acme.as_str(), "none"]);
    assert_eq!(matched[0].steps[0].no_key, Some(NoKey::TooLong));
}

#[tokio::test]
async fn heap_6_a_key_that_names_several_records_is_ambiguous_and_the_probe_tells_before() {
    let org = MockOrg::start();
    for name in ["A", "B", "C"] {
        org.insert("Contact", json!({"LastName": name, "Email": "team@acme.example"}));
    }
    org.insert("Contact", json!({"LastName": "D", "Email": "d@acme.example"}));
    let lookup = matcher(&org, MatchPlan::people("email").expect("valid")).await;
    let doubled = lookup.doubled_keys().await.expect("answered");
    assert_eq!(doubled.len(), 1, "{doubled:?}");
    assert_eq!((doubled[0].step, doubled[0].field.as_str(), doubled[0].more), (0, "Email", false));
    assert_eq!(doubled[0].values, [("team@acme.example".to_owned(), 3)]);
    let before = (org.count("Contact"), org.api_calls());
    let matched = lookup.match_one(&record(r#"{"email":"TEAM@acme.example"}"#)).await.expect("answered");
    let Match::Ambiguous(candidates) = &matched.result else { panic!("{matched:?}") };
    assert_eq!((candidates.len(), org.count("Contact")), (3, before.0));
    assert_eq!(org.api_calls() - before.1, 1, "the lead is not asked for: the contacts decide");
}

#[tokio::test]
async fn merged_records_are_followed_to_the_survivor_by_id_and_by_key() {
    let org = MockOrg::start();
    org.add_field("Contact", FieldSpec::text("Key__c", 40).external_id());
    let [first, second, third] =
        ["k1", "k2", "k3"].map(|key| org.insert("Contact", json!({"LastName": key, "Key__c": key})));
    org.merge(&second, &[&first]);
    org.merge(&third, &[&second]);
    let steps = r#"{"object":"Contact","by":"id","source":"id"},
        {"object":"Contact","by":"external_id","source":"key","field":"Key__c"}"#;
    let by_id = format!(r#"{{"id":"{}"}}"#, &first[..15]);
    let before = org.api_calls();
    let matched = match_all(&org, plan(steps), &[&by_id, r#"{"key":"K1"}"#, r#"{"key":"k3"}"#]).await;
    assert_eq!(matched.iter().map(found).collect::<Vec<_>>(), [third.as_str(); 3]);
    let hops = &matched[0].result.one().expect("one").hops;
    assert_eq!(hops.len(), 2);
    assert!(matches!(hops[0], Hop::Merged { from } if from.as_str() == first));
    // Describe; the ids and two hops; the keys and two hops.
    assert_eq!(org.api_calls() - before, 7);

    let gone = org.insert("Contact", json!({"LastName": "x", "Key__c": "gone"}));
    delete(&org, "Contact", &gone).await;
    let matched = match_all(&org, plan(steps), &[&format!(r#"{{"id":"{gone}"}}"#), r#"{"key":"gone"}"#]).await;
    for matched in matched {
        assert_eq!(found(&matched), "none");
        let why = matched.steps.iter().flat_map(|step| &step.excluded).next().map(|excluded| excluded.why);
        assert_eq!(why, Some(WhyExcluded::Deleted));
    }
}

async fn delete(org: &MockOrg, object: &'static str, id: &str) {
    let records = client(org).records(crate::support::object(object));
    records.delete(id.parse().expect("an id")).await.expect("deleted");
}

#[tokio::test]
async fn a_converted_lead_leads_to_what_it_became_and_through_a_later_merge() {
    let org = MockOrg::start();
    let lead = org.insert("Lead", json!({"LastName": "Lee", "Company": "Acme", "Email": "lee@acme.example"}));
    let became = org.convert_lead(&lead);
    let records = client(&org).records(crate::support::object("Contact"));
    let moved = Record::new().with("Email", "lee@new.example");
    records.update(became.contact.parse().expect("an id"), &moved).await.expect("updated");
    let email = r#"{"email":"lee@acme.example"}"#;
    let people = MatchPlan::people("email").expect("valid");
    let matched = match_all(&org, people.clone(), &[email]).await.remove(0);
    let candidate = matched.result.one().expect("the contact");
    assert_eq!((candidate.object.as_str(), candidate.id.as_str()), ("Contact", became.contact.as_str()));
    assert_eq!(candidate.account().map(|id| id.to_string()), Some(became.account.clone()));
    assert_eq!(candidate.opportunity().map(|id| id.to_string()), Some(became.opportunity.clone()));

    let survivor = org.insert("Contact", json!({"LastName": "Lee"}));
    org.merge(&survivor, &[&became.contact]);
    assert_eq!(found(&match_all(&org, people, &[email]).await[0]), survivor);
    for (converted, expected) in
        [("account", became.account.as_str()), ("opportunity", became.opportunity.as_str()), ("skip", "none")]
    {
        let step = format!(r#"{{"object":"Lead","by":"email","source":"email","converted":"{converted}"}}"#);
        assert_eq!(found(&match_all(&org, plan(&step), &[email]).await[0]), expected, "{converted}");
    }
}

#[tokio::test]
async fn person_accounts_are_found_by_their_address_and_no_contact_is_made_of_them() {
    let org = MockOrg::start();
    let people = || MatchPlan::people("email").expect("valid");
    let email = r#"{"email":"Ada@home.example"}"#;
    let matched = match_all(&org, people(), &[email]).await.remove(0);
    assert_eq!(matched.steps[1].no_key, Some(NoKey::NoPersonAccounts), "an org without them is not asked");

    org.enable_person_accounts();
    let person =
        org.insert("Account", json!({"LastName": "Love", "FirstName": "Ada", "PersonEmail": "ada@home.example"}));
    let contacts = org.count("Contact");
    let matched = match_all(&org, people(), &[email]).await.remove(0);
    let candidate = matched.result.one().expect("the person");
    assert_eq!((candidate.object.as_str(), candidate.id.as_str()), ("Account", person.as_str()));
    let behind = org.record(&person).expect("there")["PersonContactId"].clone();
    assert_eq!(json!(candidate.contact().map(|id| id.to_string())), behind);
    let own = plan(r#"{"object":"Account","by":"person_email","source":"email"}"#);
    let matched = match_all(&org, own, &[email]).await.remove(0);
    assert_eq!((found(&matched), org.count("Contact")), (person.clone(), contacts));

    org.insert("Contact", json!({"LastName": "Work", "Email": "ada@home.example"}));
    assert_eq!(found(&match_all(&org, people(), &[email]).await[0]), "several", "a person and a contact");
}

#[tokio::test]
async fn heap_35_of_the_accounts_of_a_contact_the_one_updated_last_counts() {
    let org = MockOrg::start();
    let [old, new, ended] = ["Old", "New", "Ended"].map(|name| org.insert("Account", json!({"Name": name})));
    let steps = r#"{"object":"Account","by":"contact","source":"contact"}"#;
    let contact = org.insert("Contact", json!({"LastName": "Ada", "AccountId": old}));
    let alone = org.insert("Contact", json!({"LastName": "Alone"}));
    let records = [format!(r#"{{"contact":"{contact}"}}"#), format!(r#"{{"contact":"{alone}"}}"#)];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let matched = match_all(&org, plan(steps), &records).await;
    assert_eq!(matched.iter().map(found).collect::<Vec<_>>(), [old.as_str(), "none"], "the one it names");

    org.enable_contacts_of_several_accounts();
    for account in [&old, &new, &ended] {
        org.insert(
            "AccountContactRelation",
            json!({"ContactId": contact, "AccountId": account, "IsActive": *account != ended}),
        );
    }
    for (account, expected) in [(&new, &new), (&old, &old), (&ended, &old)] {
        org.advance(Duration::from_mins(1));
        let accounts = client(&org).records(crate::support::object("Account"));
        let change = Record::new().with("Phone", "1");
        accounts.update(account.parse().expect("an id"), &change).await.expect("updated");
        let matched = match_all(&org, plan(steps), &records[..1]).await.remove(0);
        assert_eq!(found(&matched), *expected);
        assert_eq!(matched.steps[0].excluded.len(), 2, "{:?}", matched.steps);
    }
}

#[tokio::test]
async fn nav_22_a_filter_says_which_records_count() {
    let org = MockOrg::start();
    for (status, rating) in [("Working - Contacted", "Hot"), ("Open - Not Contacted", "Cold")] {
        let lead =
            json!({"LastName": rating, "Company": "X", "Email": "l@acme.example", "Status": status, "Rating": rating});
        org.insert("Lead", lead);
    }
    let step = |filter: &str| format!(r#"{{"object":"Lead","by":"email","source":"email","filter":{filter}}}"#);
    let email = r#"{"email":"l@acme.example"}"#;
    for (filter, expected) in [
        (r#"{"field":"Rating","is":"Hot"}"#, 1),
        (r#"{"field":"Owner.Name","blank":true}"#, 0),
        (r#"{"any":[{"field":"Rating","is":"Hot"},{"field":"Status","starts_with":"Open"}]}"#, 2),
    ] {
        let matched = match_all(&org, plan(&step(filter)), &[email]).await.remove(0);
        let hits = matched.steps[0].hits;
        assert_eq!((hits, matched.steps[0].excluded.len()), (expected, 2 - expected), "{filter}");
    }
}

#[tokio::test]
async fn a_plan_that_does_not_fit_the_org_is_told_before_any_record_is_looked_up() {
    let org = MockOrg::start();
    let wrong = plan(
        r#"{"object":"Contact","by":"external_id","source":"k","field":"Gone__c"},
           {"object":"Thing__c","by":"name","source":"n"},
           {"object":"Account","by":"custom","source":"n","field":"Description"},
           {"object":"Lead","by":"email","source":"e","filter":{"field":"Nope__c","blank":true}}"#,
    );
    let error = Matcher::new(client(&org), wrong).await.expect_err("does not fit");
    assert_eq!((error.kind(), error.effect(), queries(&org)), (ErrorKind::Schema, Effect::None, 0));
    for part in
        ["Contact has no field Gone__c", "no object Thing__c", "Account.Description cannot be searched by", "Nope__c"]
    {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_contact_whose_account_is_hidden_is_found_all_the_same() {
    let org = MockOrg::start();
    let contact = org.insert("Contact", json!({"LastName": "A", "Email": "a@acme.example"}));
    org.remove_field("Contact", "AccountId");
    let matched = match_all(&org, MatchPlan::people("email").expect("valid"), &[r#"{"email":"a@acme.example"}"#]).await;
    assert_eq!(found(&matched[0]), contact);
}

#[tokio::test]
async fn a_thousand_records_cost_as_few_calls_as_their_different_keys_need() {
    let org = MockOrg::start();
    org.insert("Contact", json!({"LastName": "A", "Email": "p1@acme.example"}));
    let lookup = matcher(&org, MatchPlan::people("email").expect("valid")).await;
    let same: Vec<Record> =
        (0..5000).map(|n| Record::new().with("email", format!(" P{}@Acme.example ", n % 2 + 1))).collect();
    let before = org.api_calls();
    let matched = lookup.match_many(&same).await.expect("answered");
    assert_eq!((matched.len(), matched.iter().filter(|matched| matched.result.one().is_some()).count()), (5000, 2500));
    // Three windows of 2,000: one contact query each, and one for the lead of who is no contact.
    assert_eq!(org.api_calls() - before, 6);

    let many: Vec<Record> = (0..2000).map(|n| Record::new().with("email", format!("p{n}@acme.example"))).collect();
    let before = org.api_calls();
    lookup.match_many(&many).await.expect("answered");
    // 2,000 addresses of 29 bytes each, escaped and quoted: 58 KB, five addresses a step.
    assert!(org.api_calls() - before <= 10, "{}", org.api_calls() - before);

    let before = org.api_calls();
    let nothing = lookup.match_many(&[Record::new(), record(r#"{"email":"not an address"}"#)]).await.expect("answered");
    assert_eq!((nothing.len(), org.api_calls() - before), (2, 0), "who has no key costs nothing");
    assert_eq!(lookup.match_many(&[]).await.expect("answered").len(), 0);
    let parent = plan(r#"{"object":"Account","by":"parent","source":"a"}"#);
    let parent = Matcher::with_facts(client(&org), parent.clone(), OrgFacts::assumed(&parent));
    let matched = parent.match_one(&record(r#"{"a":"001000000000001AAA"}"#)).await.expect("no call");
    assert_eq!((found(&matched), org.api_calls()), ("001000000000001AAA".to_owned(), before));
}

#[tokio::test]
async fn an_org_that_does_not_answer_is_an_error_and_no_record_is_called_unknown() {
    let org = MockOrg::start();
    org.insert("Contact", json!({"LastName": "A", "Email": "a@acme.example"}));
    let lookup = matcher(&org, MatchPlan::people("email").expect("valid")).await;
    org.faults().on(Operation::Query).status(500).always();
    let error = lookup.match_one(&record(r#"{"email":"a@acme.example"}"#)).await.expect_err("no answer");
    assert_eq!(error.effect(), Effect::None, "{error}");
}

#[test]
fn the_plan_in_the_guide_loads() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/matching.md");
    let text = fs::read_to_string(guide).expect("readable");
    let plans: Vec<&str> = text.split("```json\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(plans.len() >= 2, "the guide has its examples");
    for plan in plans {
        serde_json::from_str::<MatchPlan>(plan).unwrap_or_else(|error| panic!("{error}: {plan}"));
    }
}
