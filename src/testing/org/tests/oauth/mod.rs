//! Tokens, userinfo, identity.

mod authorize;
mod bad_input;
mod code;
mod consent;
mod introspect;
mod jwt;
mod refresh;
mod scripted;

use std::time::Duration;

use base64::Engine as _;

use super::http::Answer;
use super::{Client, MockOrg, Value, code, data, error, org, refused};
use crate::testing::org::{AppSpec, TestApp};

const TOKEN: &str = "/services/oauth2/token";

type Fields<'a> = &'a [(&'a str, &'a str)];

/// A request to the token endpoint, with the right app unless `fields` say otherwise.
fn token(org: &MockOrg, client: &Client, fields: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (org.client_id(), org.client_secret());
    let mut all = fields.to_vec();
    for (name, value) in [("client_id", &id), ("client_secret", &secret)] {
        if !fields.iter().any(|(known, _)| *known == name) {
            all.push((name, value));
        }
    }
    all.retain(|(_, value)| !value.is_empty());
    let answer = client.with_authorization(None).form(TOKEN, &all);
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
    assert_eq!(answer.header("sforce-limit-info"), None, "token requests are not API calls");
    (answer.status, answer.json())
}

fn oauth_error(answer: &(u16, Value)) -> (u16, &str, &str) {
    (answer.0, answer.1["error"].as_str().unwrap(), answer.1["error_description"].as_str().unwrap())
}

/// A verifier and its S256 challenge (RFC 7636, appendix B).
const PROOF: (&str, &str) =
    ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");

/// Where the main app and those of [`web_app`] want their answers.
const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// The main app as others are told of theirs.
fn main_app(org: &MockOrg) -> TestApp {
    TestApp { client_id: org.client_id(), client_secret: org.client_secret() }
}

/// An app without PKCE and with a callback, changed by `change`.
fn web_app(org: &MockOrg, change: impl FnOnce(AppSpec) -> AppSpec) -> TestApp {
    org.add_app(change(AppSpec::new("Web App").callback(CALLBACK).without_pkce()))
}

fn query(fields: Fields) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Parameters with defaults for those that are not named; a blank one is left out.
fn with_defaults<'a>(fields: Fields<'a>, defaults: Fields<'a>) -> Vec<(&'a str, &'a str)> {
    let mut all = fields.to_vec();
    all.extend(defaults.iter().filter(|(name, _)| !fields.iter().any(|(known, _)| known == name)));
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// An authorize request of an app.
fn authorize(client: &Client, app: &TestApp, fields: Fields) -> Answer {
    let defaults = [("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", CALLBACK)];
    let query = query(&with_defaults(fields, &defaults));
    client.with_authorization(None).get(&format!("/services/oauth2/authorize?{query}"))
}

/// The parameters an answer brings back to the callback.
fn brought(answer: &Answer) -> Vec<(String, String)> {
    let location = answer.header("location").unwrap_or_else(|| panic!("{}: {}", answer.status, answer.body));
    let url = url::Url::parse(location).unwrap();
    assert_eq!((answer.status, location.split('?').next()), (302, Some(CALLBACK)));
    url.query_pairs().into_owned().collect()
}

/// One of them; blank if it is not there.
fn part(answer: &Answer, name: &str) -> String {
    brought(answer).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

/// A code for an app, and so an approval.
fn code_for(client: &Client, app: &TestApp, fields: Fields) -> String {
    let answer = authorize(client, app, fields);
    let code = part(&answer, "code");
    assert!(!code.is_empty(), "{answer:?}");
    code
}

/// A token request of an app.
fn token_of(client: &Client, app: &TestApp, fields: Fields) -> (u16, Value) {
    let defaults = [("client_id", app.client_id.as_str()), ("client_secret", app.client_secret.as_str())];
    let answer = client.with_authorization(None).form(TOKEN, &with_defaults(fields, &defaults));
    (answer.status, answer.json())
}

fn exchange(client: &Client, app: &TestApp, code: &str, fields: Fields) -> (u16, Value) {
    let defaults = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    token_of(client, app, &with_defaults(fields, &defaults))
}

fn refresh(client: &Client, app: &TestApp, token: &str) -> (u16, Value) {
    token_of(client, app, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// Access and refresh token of a new approval.
fn connect(client: &Client, app: &TestApp) -> (String, String) {
    let code = code_for(client, app, &[("scope", "api refresh_token")]);
    let (status, body) = exchange(client, app, &code, &[]);
    assert_eq!(status, 200, "{body}");
    (text(&body, "access_token"), text(&body, "refresh_token"))
}

/// A text of an answer; blank if it is not there.
fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

const DEAD: (u16, &str, &str) = (400, "invalid_grant", "expired access/refresh token");

fn works(client: &Client, token: &str) -> bool {
    let bearer = client.with_authorization(Some(&format!("Bearer {token}")));
    bearer.get(&data("/limits")).status == 200
}

#[test]
fn client_credentials_work_by_form_and_by_basic() {
    let (org, client) = org();
    let (status, body) = token(&org, &client, &[("grant_type", "client_credentials")]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["instance_url"], org.base_url());
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["id"], format!("{}/id/{}/{}", org.base_url(), org.org_id(), org.user_id()));
    assert!(body["issued_at"].as_str().unwrap().len() == 13, "a text of milliseconds");
    assert!(body["access_token"].as_str().unwrap().starts_with(&org.org_id()[..15]));
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
    assert!(works(&client, body["access_token"].as_str().unwrap()));

    let pair = format!("{}:{}", org.client_id(), org.client_secret());
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let answer = client.with_authorization(Some(&basic)).form(TOKEN, &[("grant_type", "client_credentials")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(org.token_requests(), 2);
}

#[test]
fn refusals_of_the_token_endpoint_are_those_of_the_catalogue() {
    let (org, client) = org();
    let cases: [(Fields, (u16, &str, &str)); 7] = [
        (
            &[("grant_type", "client_credentials"), ("client_id", "x")],
            (400, "invalid_client_id", "client identifier invalid"),
        ),
        (
            &[("grant_type", "client_credentials"), ("client_secret", "x")],
            (400, "invalid_client", "invalid client credentials"),
        ),
        (&[("grant_type", "magic")], (400, "unsupported_grant_type", "grant type not supported")),
        (&[], (400, "unsupported_grant_type", "grant type not supported")),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            (400, "invalid_grant", "expired access/refresh token"),
        ),
        (
            &[("grant_type", "password"), ("username", "x"), ("password", "y")],
            (400, "invalid_grant", "authentication failure"),
        ),
        (
            &[("grant_type", "client_credentials"), ("client_secret", "")],
            (400, "invalid_client", "invalid client credentials"),
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(oauth_error(&token(&org, &client, fields)), expected, "{fields:?}");
    }
    let answer = client.get(TOKEN);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")));
}

#[test]
fn username_and_password_log_in() {
    let (org, client) = org();
    let (name, password) = (org.username(), org.password());
    let (status, body) =
        token(&org, &client, &[("grant_type", "password"), ("username", &name), ("password", &password)]);
    assert_eq!(status, 200);
    assert!(body.get("scope").is_none(), "recorded without a scope");
    assert!(works(&client, body["access_token"].as_str().unwrap()));
}

#[test]
fn a_refresh_token_may_be_used_again_without_rotation() {
    let (org, client) = org();
    let refresh = org.refresh_token();
    for _ in 0..2 {
        let (status, body) = token(
            &org,
            &client,
            &[("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_secret", "")],
        );
        assert_eq!(status, 200, "the secret is optional here");
        assert!(body.get("refresh_token").is_none());
        assert!(works(&client, body["access_token"].as_str().unwrap()));
    }
}

#[test]
fn a_replayed_refresh_token_kills_the_connection_under_rotation() {
    let org = MockOrg::builder().rotate_refresh_tokens().start();
    let client = Client::of(&org);
    let first = org.refresh_token();
    let (status, body) = token(&org, &client, &[("grant_type", "refresh_token"), ("refresh_token", &first)]);
    assert_eq!(status, 200);
    let (second, access) = (body["refresh_token"].as_str().unwrap(), body["access_token"].as_str().unwrap());
    assert!(works(&client, access));
    let replay = token(&org, &client, &[("grant_type", "refresh_token"), ("refresh_token", &first)]);
    assert_eq!(oauth_error(&replay), (400, "invalid_grant", "expired access/refresh token"));
    assert!(!works(&client, access), "the access token hangs on it");
    assert_eq!(token(&org, &client, &[("grant_type", "refresh_token"), ("refresh_token", second)]).0, 400);
}

#[test]
fn revoke_kills_what_it_names() {
    let (org, client) = org();
    let refresh = org.refresh_token();
    let (_, body) = token(&org, &client, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    let access = body["access_token"].as_str().unwrap().to_owned();
    let answer = client.form("/services/oauth2/revoke", &[("token", &refresh)]);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(!works(&client, &access));
    let again = client.form("/services/oauth2/revoke", &[("token", &refresh)]);
    assert_eq!((again.status, again.json()["error"].as_str()), (400, Some("invalid_token")));
    assert_eq!(client.form("/services/oauth2/revoke", &[("token", &org.access_token())]).status, 200);
    assert!(!works(&client, &org.access_token()));
}

#[test]
fn a_missing_or_dead_token_is_a_401_on_data_and_a_403_on_identity() {
    let (org, client) = org();
    for authorization in [None, Some("Bearer nonsense")] {
        let stranger = client.with_authorization(authorization);
        let answer = stranger.get(&data("/limits"));
        assert_eq!(answer.body, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#);
        assert_eq!((answer.status, answer.header("sforce-limit-info")), (401, None));
    }
    let malformed = client.with_authorization(Some("nonsense")).get(&data("/limits"));
    assert_eq!(code(&malformed), refused(401, "INVALID_AUTH_HEADER"));
    let stranger = client.with_authorization(Some("Bearer nonsense"));
    for path in ["/services/oauth2/userinfo".to_owned(), format!("/id/{}/{}", org.org_id(), org.user_id())] {
        let answer = stranger.get(&path);
        assert_eq!((answer.status, answer.body.as_str()), (403, "Bad_OAuth_Token"));
    }
    let old = client.with_authorization(Some(&format!("OAuth {}", org.access_token())));
    assert_eq!(old.get(&data("/limits")).status, 200, "both schemes work");
    org.expire_access_tokens();
    assert_eq!(code(&client.get(&data("/limits"))), refused(401, "INVALID_SESSION_ID"));
}

#[test]
fn a_session_dies_of_idleness_on_the_orgs_clock() {
    let (org, client) = org();
    org.advance(Duration::from_hours(1));
    assert_eq!(client.get(&data("/limits")).status, 200);
    org.advance(Duration::from_hours(3));
    assert_eq!(client.get(&data("/limits")).status, 401);
}

#[test]
fn identity_is_for_the_caller_alone() {
    let (org, client) = org();
    let body = client.get(&format!("/id/{}/{}", org.org_id(), org.user_id())).json();
    assert_eq!(body["username"], org.username());
    assert_eq!(body["organization_id"], org.org_id());
    assert_eq!(client.get(&format!("/id/00D000000000000EAA/{}", org.user_id())).body, "Wrong_Org");
    assert_eq!(client.get(&format!("/id/{}/005000000000000AAA", org.org_id())).body, "Bad_Id");
    let info = client.get("/services/oauth2/userinfo").json();
    assert_eq!(info["preferred_username"], org.username());
    assert_eq!(info["user_id"], org.user_id());
}

#[test]
fn soap_login_gives_a_session_until_version_64() {
    let (org, client) = org();
    let body = |password: &str| {
        format!(
            "<env:Envelope xmlns:env=\"e\"><env:Body><n1:login xmlns:n1=\"urn:partner.soap.sforce.com\"><n1:username>{}\
             </n1:username><n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>",
            org.username()
        )
    };
    let send = |version: &str, password: &str| {
        let path = format!("/services/Soap/u/{version}");
        let headers = [("Content-Type", "text/xml"), ("SOAPAction", "login")];
        client.with_authorization(None).send("POST", &path, &headers, &body(password)).unwrap()
    };
    let answer = send("59.0", &org.password());
    assert_eq!(answer.status, 200);
    let session = answer.body.split("<sessionId>").nth(1).unwrap().split('<').next().unwrap();
    assert!(works(&client, session));
    assert!(answer.body.contains(&format!("<serverUrl>{}/services/Soap/u/59.0/", org.base_url())));
    let wrong = send("59.0", "x");
    assert_eq!(wrong.status, 500);
    assert!(wrong.body.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"));
    assert_eq!(send("65.0", &org.password()).status, 500);
}

#[test]
fn soap_logout_ends_the_session_it_names() {
    let (org, client) = org();
    let session = org.access_token();
    let body = format!(
        "<e:Envelope xmlns:e=\"e\" xmlns:u=\"urn:partner.soap.sforce.com\"><e:Header><u:SessionHeader><u:sessionId>{session}\
         </u:sessionId></u:SessionHeader></e:Header><e:Body><u:logout/></e:Body></e:Envelope>"
    );
    let send = || client.with_authorization(None).send("POST", "/services/Soap/u/63.0", &[], &body).unwrap();
    assert!(works(&client, &session));
    let answer = send();
    assert!(answer.status == 200 && answer.body.contains("<logoutResponse/>"), "{}", answer.body);
    assert!(!works(&client, &session));
    let again = send();
    assert!(again.status == 500 && again.body.contains("sf:INVALID_SESSION_ID"), "{}", again.body);
}
