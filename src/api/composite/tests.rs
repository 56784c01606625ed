use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::json;

use super::subrequest::{Prepared, Subrequest};
use super::*;
use crate::api::{AllOrNone, SaveResult};
use crate::client::ApiVersion;
use crate::types::{ExternalId, FieldName, Record, RecordId, SObjectName};

const ACCOUNT: SObjectName = SObjectName::from_static("Account");

fn id() -> RecordId {
    RecordId::new("001000000000001AAA").expect("an id")
}

fn create() -> Subrequest {
    Subrequest::create(&ACCOUNT, &Record::new().with("Name", "A"))
}

fn upsert() -> Subrequest {
    let key = ExternalId::new(FieldName::from_static("Key__c"), "1");
    Subrequest::upsert(&ACCOUNT, &key, &Record::new().with("Name", "A"))
}

fn named(parts: impl IntoIterator<Item = (&'static str, Subrequest)>) -> Named {
    let prepare = |(reference, part): (&str, Subrequest)| {
        let prepared = part.prepare(ApiVersion::DEFAULT, &HeaderMap::new()).expect("sound by itself");
        (reference.to_owned(), prepared)
    };
    parts.into_iter().map(prepare).collect()
}

fn many(count: usize, part: &Subrequest) -> Named {
    let prepared = || part.clone().prepare(ApiVersion::DEFAULT, &HeaderMap::new()).expect("sound");
    (0..count).map(|place| (format!("r{place}"), prepared())).collect()
}

#[test]
fn limits_are_checked_before_sending() {
    let query = Subrequest::query("SELECT Id FROM Account");
    assert!(check(&many(25, &create())).is_ok());
    assert!(check(&many(26, &create())).is_err());
    assert!(check(&[]).is_err());
    assert!(check(&many(5, &query)).is_ok());
    assert!(check(&many(6, &query)).is_err());

    // One counter for both: queries and collections, however they were written.
    let delete = Subrequest::delete_many(&[id()], AllOrNone::No);
    let raw = Subrequest::new(Method::POST, "/services/data/v58.0/composite/sobjects").json(&json!({}));
    let mixed = |last: Subrequest| {
        named([
            ("a", query.clone()),
            ("b", Subrequest::query_all("SELECT Id FROM Account")),
            ("c", delete.clone()),
            ("d", raw.clone()),
            ("e", Subrequest::new(Method::GET, "/query/01g-2000")),
            ("f", create()),
            ("g", last),
        ])
    };
    assert!(check(&mixed(create())).is_ok());
    let error = check(&mixed(delete.clone())).expect_err("six");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn reference_ids_are_well_formed_and_there_once() {
    for reference in ["a", "1a", "refAccount", "a_1"] {
        assert!(check(&named([(reference, create())])).is_ok(), "{reference}");
    }
    for reference in ["", "_a", "a.b", "a-b", "ä", "a b", "@{a}"] {
        assert!(check(&named([(reference, create())])).is_err(), "{reference}");
    }
    assert!(check(&named([("a", create()), ("A", create())])).is_ok(), "case counts");
    assert!(check(&named([("a", create()), ("a", create())])).is_err());
}

#[test]
fn a_reference_leads_to_what_comes_before() {
    let field = FieldName::from_static("ParentId");
    let with = |reference: &str| create().with_reference(&field, &Reference::id_of(reference));
    assert!(check(&named([("a", create()), ("b", with("a"))])).is_ok());
    for (first, second) in [(with("b"), create()), (create(), with("A")), (create(), with("b")), (with("a"), create())]
    {
        let error = check(&named([("a", first), ("b", second)])).expect_err("leads nowhere");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    }
    let by_path = Subrequest::get(&ACCOUNT, Reference::new("a.id"), &[]);
    assert!(check(&named([("a", create()), ("b", by_path.clone())])).is_ok());
    assert!(check(&named([("c", create()), ("b", by_path)])).is_err());
}

#[test]
fn a_composite_is_repeatable_only_if_each_part_is() {
    let update = || Subrequest::update(&ACCOUNT, id(), &Record::new().with("Name", "A"));
    let delete = || Subrequest::delete(&ACCOUNT, id());
    let query = || Subrequest::query("SELECT Id FROM Account LIMIT 1");
    let read = || Subrequest::get(&ACCOUNT, id(), &[]);
    let found = || Subrequest::update(&ACCOUNT, Reference::new("q.records[0].Id"), &Record::new());
    let after = || upsert().with_reference(&FieldName::from_static("ParentId"), &Reference::id_of("a"));
    let etag = || update().header(header::IF_MATCH, HeaderValue::from_static("x"));
    let raw = || Subrequest::new(Method::PATCH, "/sobjects/Account/Id");
    for (what, parts, alone, together) in [
        ("a create", named([("a", create())]), false, false),
        ("an upsert", named([("a", upsert())]), true, true),
        ("upserts", named([("a", upsert()), ("b", after())]), true, true),
        ("an update", named([("a", update()), ("b", read()), ("q", query())]), true, true),
        ("a deletion", named([("a", upsert()), ("b", delete())]), true, false),
        ("a write to what was found", named([("q", query()), ("b", found())]), false, false),
        (
            "a read of what was found",
            named([("q", query()), ("b", Subrequest::get(&ACCOUNT, Reference::new("q.x"), &[]))]),
            true,
            true,
        ),
        ("a condition", named([("a", etag())]), false, false),
        ("a raw write", named([("a", raw())]), false, false),
        ("a raw write said to be", named([("a", raw().idempotent())]), true, true),
        ("one create among others", named([("a", upsert()), ("b", create())]), false, false),
    ] {
        assert_eq!((is_repeatable(&parts, false), is_repeatable(&parts, true)), (alone, together), "{what}");
    }
}

#[test]
fn the_body_is_the_guides() {
    let value = HeaderValue::from_static("Thu, 03 Sep 2020 21:35:07 GMT");
    let contact = Record::new().with("LastName", "B").with("AccountId", Reference::id_of("refAccount"));
    let parts = named([
        ("refAccount", create()),
        ("refContact", Subrequest::create(&SObjectName::from_static("Contact"), &contact)),
        ("q", Subrequest::get(&ACCOUNT, Reference::id_of("refAccount"), &[]).header(header::IF_MODIFIED_SINCE, value)),
        ("old", Subrequest::new(Method::GET, "/limits").api_version(ApiVersion::new(58).expect("answers"))),
    ]);
    let body = Body {
        all_or_none: true,
        collate_subrequests: Some(false),
        composite_request: wire("", &parts).expect("JSON"),
    };
    assert_eq!(
        serde_json::to_value(&body).expect("JSON"),
        json!({"allOrNone": true, "collateSubrequests": false, "compositeRequest": [
            {"method": "POST", "url": "/services/data/v63.0/sobjects/Account", "referenceId": "refAccount", "body": {"Name": "A"}},
            {"method": "POST", "url": "/services/data/v63.0/sobjects/Contact", "referenceId": "refContact",
             "body": {"LastName": "B", "AccountId": "@{refAccount.id}"}},
            {"method": "GET", "url": "/services/data/v63.0/sobjects/Account/@{refAccount.id}", "referenceId": "q",
             "httpHeaders": {"if-modified-since": "Thu, 03 Sep 2020 21:35:07 GMT"}},
            {"method": "GET", "url": "/services/data/v58.0/limits", "referenceId": "old"},
        ]})
    );
}

/// The answers, and whether all was rolled back.
fn read(parts: &Named, answers: &serde_json::Value, all_or_none: bool) -> Result<(Vec<Subresult>, bool)> {
    let asked: Vec<Asked> = parts.iter().map(|(reference, one)| Asked::of(reference.clone(), one)).collect();
    let whole = bytes::Bytes::from(answers.to_string());
    let wire: Vec<WireResult<'_>> = serde_json::from_slice(&whole).expect("results");
    read_all(&asked, wire, &whole, all_or_none, false)
}

fn answer(reference: &str, status: u16, body: &serde_json::Value) -> serde_json::Value {
    json!({"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": reference})
}

fn halted(reference: &str) -> serde_json::Value {
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    answer(reference, 400, &json!([{"errorCode": "PROCESSING_HALTED", "message": message}]))
}

fn lost(reference: &str) -> serde_json::Value {
    let message = "Invalid reference specified. No value for a.id found in a. Provided referenceId ('a.id') must start";
    answer(reference, 400, &json!([{"errorCode": "PROCESSING_HALTED", "message": message}]))
}

fn refused(reference: &str) -> serde_json::Value {
    let error =
        json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing", "fields": ["Name"]}]);
    answer(reference, 400, &error)
}

#[test]
fn answers_find_their_subrequests_whatever_their_order() {
    let parts = named([("a", create()), ("b", create())]);
    let created = |reference: &str, id: &str| answer(reference, 201, &json!({"id": id, "success": true, "errors": []}));
    let (first, second) = (created("a", "001000000000001AAA"), created("b", "001000000000002AAA"));
    let (results, _) = read(&parts, &json!([second, first]), false).expect("joined");
    assert_eq!(results[0].id().expect("an id").as_str(), "001000000000001AAA");
    for answers in
        [json!([first]), json!([first, first]), json!([first, second, second]), json!([first, created("c", "x")])]
    {
        let error = read(&parts, &answers, false).expect_err("not one each");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Decode, Effect::Unknown));
    }
}

#[test]
fn a_collection_of_a_composite_that_was_rolled_back_is_not_taken_at_its_word() {
    let rows = Subrequest::create_many(&ACCOUNT, &[Record::new(), Record::new()], AllOrNone::No);
    let parts = named([("rows", rows), ("b", create()), ("q", Subrequest::query("SELECT Id FROM Account"))]);
    let good = |id: &str| json!({"id": id, "success": true, "errors": []});
    let saved = json!([good("001000000000001AAA"), good("001000000000002AAA")]);

    // Another part failed (wire facts 2.9).
    let answers = json!([answer("rows", 200, &saved), refused("b"), halted("q")]);
    let (results, rolled_back) = read(&parts, &answers, true).expect("reads");
    assert!(rolled_back && results.iter().all(|result| !result.is_done()));
    assert_eq!(results.iter().map(Subresult::is_halted).collect::<Vec<_>>(), [true, false, true]);
    let rows = results[0].rows().expect("rows");
    assert!(rows.iter().all(|row| !row.is_saved() && row.id.is_none()), "{rows:?}");
    assert_eq!(results[1].error().map(Error::kind), Some(ErrorKind::Invalid));

    // A row of its own failed, and the siblings were halted.
    let bad =
        json!({"success": false, "errors": [{"statusCode": "STRING_TOO_LONG", "message": "x", "fields": ["Name"]}]});
    let answers = json!([answer("rows", 200, &json!([good("001000000000001AAA"), bad])), halted("b"), halted("q")]);
    let (results, rolled_back) = read(&parts, &answers, true).expect("reads");
    assert!(rolled_back);
    let rows = results[0].rows().expect("rows");
    assert!(rows[0].error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Conflict), "{rows:?}");
    assert!(rows[1].error.as_ref().is_some_and(|error| error.has_code("STRING_TOO_LONG")));
    assert!(!results[0].is_halted(), "its own fault");

    // Where each part stands for itself, they are what they say.
    let (results, rolled_back) =
        read(&parts, &json!([answer("rows", 200, &saved), refused("b"), answer("q", 200, &json!({}))]), false)
            .expect("reads");
    assert!(!rolled_back && results[0].is_done() && results[2].is_done());
    assert!(results[0].rows().expect("rows").iter().all(SaveResult::is_saved));
}

#[test]
fn a_success_that_should_have_been_halted_is_of_unknown_effect() {
    let parts = named([("a", create()), ("b", create())]);
    let saved = answer("a", 201, &json!({"id": "001000000000001AAA", "success": true, "errors": []}));
    let (results, rolled_back) = read(&parts, &json!([saved, refused("b")]), true).expect("reads");
    assert!(rolled_back);
    assert_eq!(results[0].error().map(Error::effect), Some(Effect::Unknown));
    assert!(results[0].id().is_err());
}

#[test]
fn who_was_halted_and_who_lost_a_reference_are_told_apart() {
    let with = || create().with_reference(&FieldName::from_static("ParentId"), &Reference::id_of("a"));
    let parts = named([("a", create()), ("b", with())]);
    let halted_part = |answers, all_or_none| {
        let (results, _) = read(&parts, &answers, all_or_none).expect("reads");
        (results[0].is_halted(), results[1].is_halted(), results[1].error().map(Error::kind))
    };
    let saved = answer("a", 201, &json!({"id": "001000000000001AAA", "success": true, "errors": []}));
    // What it depends on failed.
    assert_eq!(halted_part(json!([refused("a"), lost("b")]), false), (false, true, Some(ErrorKind::Conflict)));
    // That was carried out, so it is its own fault.
    assert_eq!(halted_part(json!([saved, lost("b")]), false), (false, false, Some(ErrorKind::NotFound)));
    // So it is where nothing else failed, and all was rolled back.
    assert_eq!(halted_part(json!([halted("a"), lost("b")]), true), (true, false, Some(ErrorKind::NotFound)));
    assert_eq!(halted_part(json!([refused("a"), lost("b")]), true), (false, true, Some(ErrorKind::Conflict)));
}

#[test]
fn a_304_is_an_answer() {
    let parts = named([("a", Subrequest::get(&ACCOUNT, id(), &[]))]);
    let not_modified = json!([{"body": null, "httpHeaders": {"ETag": "\"x\"", "Last-Modified": "Fri, 14 Aug 2020 20:53:02 GMT"},
        "httpStatusCode": 304, "referenceId": "a"}]);
    let (results, rolled_back) = read(&parts, &not_modified, true).expect("reads");
    assert!(results[0].is_done() && !rolled_back);
    assert_eq!(results[0].headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()), Some("\"x\""));
    assert!(results[0].json::<Record>().is_err(), "it has no body");
}

#[test]
fn rows_that_are_missing_are_an_error() {
    let rows = Subrequest::create_many(&ACCOUNT, &[Record::new(), Record::new()], AllOrNone::No);
    let parts: Vec<(String, Prepared)> = named([("rows", rows)]);
    let one = json!([{"id": "001000000000001AAA", "success": true, "errors": []}]);
    let error = read(&parts, &json!([answer("rows", 200, &one)]), false).expect_err("one of two");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Decode, Effect::Unknown));
}
