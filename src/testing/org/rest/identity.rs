//! Who the caller is: userinfo and the identity URL (wire facts 1.8).

use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::router::VERSIONS;
use crate::testing::org::soql::output::datetime;
use crate::testing::org::state::State;
use crate::testing::org::store::Store;
use crate::testing::org::value::{Row, Value};
use crate::testing::org::wire::{Answer, Request};

fn text(row: &Row, name: &str) -> Json {
    match row.get(name) {
        Some(Value::Text(text)) => Json::string(text),
        _ => Json::Null,
    }
}

fn user<'s>(state: &'s State, id: &str) -> Option<&'s Row> {
    state.data.store.find(id).map(|(row, _)| row)
}

/// Whether a user may log in.
pub(crate) fn is_active(store: &Store, user: &str) -> bool {
    store.find(user).is_some_and(|(row, _)| row.get("IsActive") != Some(&Value::Bool(false)))
}

fn full_name(row: &Row) -> Json {
    let parts = ["FirstName", "LastName"].map(|name| match row.get(name) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    Json::string(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn modified(row: &Row) -> Option<chrono::DateTime<chrono::Utc>> {
    match row.get("LastModifiedDate") {
        Some(Value::DateTime(time)) => Some(*time),
        _ => None,
    }
}

fn photos(host: &str) -> Json {
    Json::object([
        ("picture", Json::string(format!("{host}/profilephoto/005/F"))),
        ("thumbnail", Json::string(format!("{host}/profilephoto/005/T"))),
    ])
}

/// URL templates with `{version}`; SOAP ones end in the org's id of 15 characters.
///
/// Help, "Identity URLs": `version=latest` or a number fills the templates in. [K] On userinfo as well.
fn urls(state: &State, request: &Request, user: &str, modern: bool) -> Json {
    let version = match request.param("version") {
        Some("latest") => format!("{}.0", VERSIONS.end()),
        Some(named) if named.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => named.to_owned(),
        _ => "{version}".to_owned(),
    };
    let host = &state.auth.instance_url;
    let org = ids::short(&state.auth.org_id);
    let soap = |kind: &str| format!("{host}/services/Soap/{kind}/{version}/{org}");
    let rest = |path: &str| format!("{host}/services/data/v{version}/{path}");
    let mut urls = vec![
        ("enterprise", soap("c")),
        ("metadata", soap("m")),
        ("partner", soap("u")),
        ("rest", rest("")),
        ("sobjects", rest("sobjects/")),
        ("search", rest("search/")),
        ("query", rest("query/")),
        ("recent", rest("recent/")),
    ];
    if modern {
        urls.push(("tooling_soap", soap("T")));
        urls.push(("tooling_rest", rest("tooling/")));
    }
    urls.push(("profile", format!("{host}/{user}")));
    urls.extend([
        ("feeds", rest("chatter/feeds")),
        ("groups", rest("chatter/groups")),
        ("users", rest("chatter/users")),
        ("feed_items", rest("chatter/feed-items")),
    ]);
    if modern {
        urls.push(("feed_elements", rest("chatter/feed-elements")));
        urls.push(("custom_domain", host.clone()));
    }
    Json::Object(urls.into_iter().map(|(name, url)| (name.to_owned(), Json::string(url))).collect())
}

/// `GET /services/oauth2/userinfo` (recorded: oauth/userinfo.json)
pub(crate) fn userinfo(state: &State, request: &Request, id: &str) -> Answer {
    let Some(row) = user(state, id) else { return Answer::text(403, "text/html;charset=UTF-8", "Bad_Id") };
    let host = state.auth.instance_url.as_str();
    let updated = modified(row).map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let body = Json::object([
        ("sub", Json::string(state.auth.identity_url(id))),
        ("user_id", id.into()),
        ("organization_id", Json::string(&state.auth.org_id)),
        ("preferred_username", text(row, "Username")),
        ("nickname", text(row, "CommunityNickname")),
        ("name", full_name(row)),
        ("email", text(row, "Email")),
        ("email_verified", true.into()),
        ("given_name", text(row, "FirstName")),
        ("family_name", text(row, "LastName")),
        ("zoneinfo", text(row, "TimeZoneSidKey")),
        ("photos", photos(host)),
        ("profile", Json::string(format!("{host}/{id}"))),
        ("picture", Json::string(format!("{host}/profilephoto/005/F"))),
        ("address", Json::Object(Vec::new())),
        ("is_salesforce_integration_user", false.into()),
        ("urls", urls(state, request, id, true)),
        ("active", is_active(&state.data.store, id).into()),
        ("user_type", "STANDARD".into()),
        ("language", text(row, "LanguageLocaleKey")),
        ("locale", text(row, "LocaleSidKey")),
        ("utcOffset", Json::number(-28_800_000)),
        ("updated_at", updated.into()),
    ]);
    Answer::json(200, &body)
}

/// `GET /id/<org>/<user>` (recorded: oauth/password-flow-token-resources-identity.yml)
pub(crate) fn identity(state: &State, request: &Request, caller: &str, org: &str, id: &str) -> Answer {
    let refuse = |word: &'static str| Answer::text(403, "text/html;charset=UTF-8", word);
    if ids::to_18(org).as_ref() != Some(&state.auth.org_id) {
        return refuse("Wrong_Org");
    }
    // [K] Another user's identity is not the caller's to see.
    let own = ids::to_18(id).filter(|id| id == caller);
    let Some(row) = own.as_deref().and_then(|id| user(state, id)) else { return refuse("Bad_Id") };
    let body = Json::object([
        ("id", Json::string(state.auth.identity_url(caller))),
        ("asserted_user", true.into()),
        ("user_id", caller.into()),
        ("organization_id", Json::string(&state.auth.org_id)),
        ("username", text(row, "Username")),
        ("nick_name", text(row, "CommunityNickname")),
        ("display_name", full_name(row)),
        ("email", text(row, "Email")),
        ("email_verified", true.into()),
        ("first_name", text(row, "FirstName")),
        ("last_name", text(row, "LastName")),
        ("timezone", text(row, "TimeZoneSidKey")),
        ("photos", photos(&state.auth.instance_url)),
        ("addr_street", text(row, "Street")),
        ("addr_city", text(row, "City")),
        ("addr_state", text(row, "State")),
        ("addr_country", text(row, "Country")),
        ("addr_zip", text(row, "PostalCode")),
        ("mobile_phone", text(row, "MobilePhone")),
        ("mobile_phone_verified", false.into()),
        ("status", Json::object([("created_date", Json::Null), ("body", Json::Null)])),
        ("urls", urls(state, request, caller, false)),
        ("active", is_active(&state.data.store, caller).into()),
        ("user_type", "STANDARD".into()),
        ("language", text(row, "LanguageLocaleKey")),
        ("locale", text(row, "LocaleSidKey")),
        ("utcOffset", Json::number(-28_800_000)),
        ("last_modified_date", modified(row).map(datetime).into()),
        ("is_app_installed", true.into()),
    ]);
    Answer::json(200, &body)
}
