//! JWT bearer assertions.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::*;

const KEY: &str = include_str!("../../../../../tests/fixtures/test-only-rsa-key.pem");
const CERTIFICATE: &str = include_str!("../../../../../tests/fixtures/test-only-rsa-cert.pem");
const PUBLIC: &str = include_str!("../../../../../tests/fixtures/test-only-rsa-public.pem");
const OTHER_KEY: &str = include_str!("../../../../../tests/fixtures/test-only-other-rsa-key.pem");

fn sign(key: &str, claims: &Value) -> String {
    encode(&Header::new(Algorithm::RS256), claims, &EncodingKey::from_rsa_pem(key.as_bytes()).unwrap()).unwrap()
}

/// Claims that are in order, `exp` so many seconds ahead on the org's clock.
fn claims(org: &MockOrg, app: &TestApp, ahead: i64) -> Value {
    let now = org.state().data.now().timestamp();
    json!({"iss": app.client_id, "sub": org.username(), "aud": "https://login.salesforce.com", "exp": now + ahead})
}

fn send(client: &Client, assertion: &str) -> (u16, Value) {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let answer = client.with_authorization(None).form(TOKEN, &[("grant_type", grant), ("assertion", assertion)]);
    (answer.status, answer.json())
}

fn jwt_app(org: &MockOrg) -> TestApp {
    web_app(org, |app| app.certificate(CERTIFICATE).pre_authorized())
}

#[test]
fn an_assertion_brings_a_token_and_nothing_to_refresh_it_with() {
    let (org, client) = org();
    let app = jwt_app(&org);
    let (status, body) = send(&client, &sign(KEY, &claims(&org, &app, 170)));
    assert_eq!(status, 200, "{body}");
    let mut members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "id", "instance_url", "scope", "token_type"]);
    assert_eq!(body["scope"], "api");
    assert!(works(&client, &text(&body, "access_token")));
    assert_eq!(org.grant_requests("jwt-bearer"), 1);
    let plain = web_app(&org, |app| app.certificate(PUBLIC).pre_authorized());
    assert_eq!(send(&client, &sign(KEY, &claims(&org, &plain, 60))).0, 200, "a public key will do");
}

#[test]
fn every_claim_is_checked() {
    let (org, client) = org();
    let app = jwt_app(&org);
    let no_key = web_app(&org, AppSpec::pre_authorized);
    let with = |name: &str, value: Value| {
        let mut claims = claims(&org, &app, 60);
        claims[name] = value;
        sign(KEY, &claims)
    };
    let now = org.state().data.now().timestamp();
    let expired = ("invalid_grant", "expired authorization code");
    let audience = ("invalid_grant", "Audience validation failed");
    let invalid = ("invalid_grant", "invalid assertion");
    let cases = [
        (with("iss", json!("3MVG9x")), ("invalid_client_id", "client identifier invalid")),
        (with("iss", json!(7)), ("invalid_client_id", "client identifier invalid")),
        (with("sub", json!("nobody@example.com")), ("invalid_grant", "user hasn't approved this consumer")),
        (with("aud", json!("https://test.salesforce.com")), audience),
        (with("aud", json!("https://login.salesforce.com.evil.com")), audience),
        (with("aud", Value::Null), audience),
        (with("exp", json!(now - 1)), expired),
        (with("exp", json!((now + 60) * 1_000)), expired),
        (with("exp", json!(now + 3_600)), expired),
        (with("exp", json!(i64::MIN)), expired),
        (with("exp", json!("soon")), expired),
        (with("exp", Value::Null), expired),
        (sign(OTHER_KEY, &claims(&org, &app, 60)), invalid),
        (sign(KEY, &claims(&org, &no_key, 60)), invalid),
        (String::new(), invalid),
        ("a.b.c".to_owned(), invalid),
        ("..".to_owned(), invalid),
    ];
    for (assertion, (error, description)) in cases {
        assert_eq!(oauth_error(&send(&client, &assertion)), (400, error, description));
    }
    assert_eq!(send(&client, &with("aud", json!(["x", org.base_url()]))).0, 200, "the org's own host, in a list");
    let (status, body) = token_of(
        &client,
        &app,
        &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "x"), ("scope", "api")],
    );
    assert_eq!(oauth_error(&(status, body)), (400, "invalid_request", "scope parameter not supported"));
}

#[test]
fn no_other_algorithm_is_taken() {
    let (org, client) = org();
    let app = jwt_app(&org);
    let claims = claims(&org, &app, 60);
    let hmac = EncodingKey::from_secret(CERTIFICATE.as_bytes());
    let forged = encode(&Header::new(Algorithm::HS256), &claims, &hmac).unwrap();
    let b64 = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(&claims.to_string()));
    let rs512 = EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap();
    let rs512 = encode(&Header::new(Algorithm::RS512), &claims, &rs512).unwrap();
    for assertion in [forged, none, rs512] {
        assert_eq!(oauth_error(&send(&client, &assertion)), (400, "invalid_grant", "invalid assertion"));
    }
}

#[test]
fn the_user_must_have_approved_or_an_admin() {
    let (org, client) = org();
    let app = web_app(&org, |app| app.certificate(CERTIFICATE).scopes("api id web refresh_token"));
    let ask = || send(&client, &sign(KEY, &claims(&org, &app, 60)));
    let unapproved = (400, "invalid_grant", "user hasn't approved this consumer");
    assert_eq!(oauth_error(&ask()), unapproved);
    exchange(&client, &app, &code_for(&client, &app, &[("scope", "api")]), &[]);
    assert_eq!(oauth_error(&ask()), unapproved, "an approval without a refresh token does not count");
    for scope in ["api refresh_token", "web refresh_token"] {
        exchange(&client, &app, &code_for(&client, &app, &[("scope", scope)]), &[]);
    }
    let (status, body) = ask();
    assert_eq!((status, body["scope"].as_str()), (200, Some("api web")), "those of all approvals");
    org.change_app(&app.client_id, |app| app.pre_authorized_for(&["005000000000000AAA"]));
    let text = "user is not admin approved to access this app";
    assert_eq!(oauth_error(&ask()), (400, "invalid_app_access", text));
    org.change_app(&app.client_id, AppSpec::pre_authorized);
    assert_eq!(ask().0, 200);
    org.set_user_active(&org.user_id(), false);
    assert_eq!(oauth_error(&ask()), (400, "invalid_grant", "inactive user"));
}

#[test]
fn a_clock_an_hour_off_is_noticed() {
    let (org, client) = org();
    let app = jwt_app(&org);
    let assertion = sign(KEY, &claims(&org, &app, 180));
    org.advance(Duration::from_hours(1));
    assert_eq!(oauth_error(&send(&client, &assertion)), (400, "invalid_grant", "expired authorization code"));
}

#[test]
fn an_assertion_with_an_id_works_once() {
    let (org, client) = org();
    let app = jwt_app(&org);
    let mut claims = claims(&org, &app, 60);
    let again = sign(KEY, &claims);
    assert_eq!((send(&client, &again).0, send(&client, &again).0), (200, 200), "without jti nothing is remembered");
    claims["jti"] = json!("1");
    let once = sign(KEY, &claims);
    assert_eq!(send(&client, &once).0, 200);
    assert_eq!(oauth_error(&send(&client, &once)), (400, "invalid_grant", "invalid assertion"));
}

#[test]
fn a_sandbox_has_an_audience_of_its_own() {
    let org = MockOrg::builder().sandbox().start();
    let client = Client::of(&org);
    let app = jwt_app(&org);
    let mut claims = claims(&org, &app, 60);
    assert_eq!(send(&client, &sign(KEY, &claims)).0, 400);
    claims["aud"] = json!("https://test.salesforce.com");
    assert_eq!(send(&client, &sign(KEY, &claims)).0, 200);
}

#[test]
#[should_panic(expected = "not a certificate")]
fn a_certificate_that_is_none_is_refused_at_once() {
    let _ = AppSpec::new("App").certificate("nonsense");
}

#[test]
fn a_jwt_based_access_token_has_three_parts_of_base64url_that_begin_with_its_header() {
    use base64::Engine;
    let (org, client) = org();
    let app = web_app(&org, |app| app.certificate(CERTIFICATE).pre_authorized().jwt_access_tokens());
    let (status, body) = send(&client, &sign(KEY, &claims(&org, &app, 60)));
    assert_eq!(status, 200, "{body}");
    let token = text(&body, "access_token");
    let parts: Vec<&str> = token.split('.').collect();
    assert!(token.starts_with("eyJ") && parts.len() == 3, "{token}");
    let read = |part: &str| -> Value {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(read(parts[0])["alg"], "RS256");
    assert_eq!(read(parts[1])["sub"], format!("uid:{}", org.user_id()));
    assert!(works(&client, &token));
}
