//! Codes and what they are exchanged for.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_code_brings_every_documented_member() {
    let (org, client) = org();
    let app = main_app(&org);
    let code = code_for(&client, &app, &[("scope", "refresh_token api")]);
    let answer = client.with_authorization(None).form(
        TOKEN,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("client_id", &app.client_id),
            ("client_secret", &app.client_secret),
            ("redirect_uri", CALLBACK),
        ],
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
    let body = answer.json();
    let members: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["access_token", "id", "instance_url", "issued_at", "refresh_token", "scope", "signature", "token_type"];
    assert_eq!(members, expected.into());
    assert!(body.as_object().unwrap().values().all(Value::is_string));
    assert_eq!(body["scope"], "refresh_token api");
    assert!(text(&body, "access_token").starts_with(&format!("{}!", &org.org_id()[..15])));
    assert!(text(&body, "id").ends_with(&format!("/{}/{}", org.org_id(), org.user_id())));
    assert!(works(&client, &text(&body, "access_token")));
    assert_eq!(refresh(&client, &app, &text(&body, "refresh_token")).0, 200);
    assert_eq!((org.grant_requests("authorization_code"), org.grant_requests("refresh_token")), (1, 1));
}

#[test]
fn the_signature_can_be_checked() {
    use hmac::{KeyInit as _, Mac as _};
    let (org, client) = org();
    let app = main_app(&org);
    let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[]), &[]);
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(app.client_secret.as_bytes()).unwrap();
    mac.update(format!("{}{}", text(&body, "id"), text(&body, "issued_at")).as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.decode(text(&body, "signature")).unwrap();
    mac.verify_slice(&signature).expect("signed");
}

#[test]
fn there_is_a_refresh_token_only_where_the_scope_asks() {
    let (org, client) = org();
    let app = main_app(&org);
    for (scope, expected) in
        [("api", false), ("full", false), ("api refresh_token", true), ("offline_access api", true)]
    {
        let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[("scope", scope)]), &[]);
        assert_eq!(body.get("refresh_token").is_some(), expected, "{scope}");
        assert_eq!(body["scope"], scope);
    }
}

#[test]
fn a_code_works_once_and_not_for_long() {
    let (org, client) = org();
    let app = main_app(&org);
    let late = (400, "invalid_grant", "expired authorization code");
    let code = code_for(&client, &app, &[]);
    let (_, body) = exchange(&client, &app, &code, &[]);
    assert_eq!(oauth_error(&exchange(&client, &app, &code, &[])), late);
    assert!(works(&client, &text(&body, "access_token")), "what the first use gave lives on");
    let code = code_for(&client, &app, &[]);
    org.advance(Duration::from_mins(16));
    assert_eq!(oauth_error(&exchange(&client, &app, &code, &[])), late);
    let unknown = (400, "invalid_grant", "invalid authorization code");
    assert_eq!(oauth_error(&exchange(&client, &app, "aPrxmadeup==", &[])), unknown);
    let other = web_app(&org, |app| app);
    let code = code_for(&client, &app, &[]);
    assert_eq!(oauth_error(&exchange(&client, &other, &code, &[])), unknown, "another app's");
    assert_eq!(exchange(&client, &app, &code, &[]).0, 200, "and that did not use it up");
}

#[test]
fn the_redirect_uri_must_be_the_same() {
    let (org, client) = org();
    let app = main_app(&org);
    for (uri, error) in [("http://127.0.0.1:9/other", "redirect_uri_mismatch"), ("", "redirect_uri_missing")] {
        let code = code_for(&client, &app, &[]);
        let (status, body) = exchange(&client, &app, &code, &[("redirect_uri", uri)]);
        assert_eq!((status, body["error"].as_str()), (400, Some(error)));
    }
}

#[test]
fn a_challenge_that_was_sent_is_checked() {
    type Expected = Result<(), (&'static str, &'static str)>;
    let (org, client) = org();
    let app = main_app(&org);
    let challenge = [("code_challenge", PROOF.1), ("code_challenge_method", "S256")];
    let bare = [("code_challenge", PROOF.1)];
    let cases: [(Fields, &str, Expected); 6] = [
        (&challenge, PROOF.0, Ok(())),
        (&bare, PROOF.0, Ok(())),
        (&challenge, "", Err(("invalid_grant", "missing required code verifier"))),
        (&challenge, PROOF.1, Err(("invalid_request", "invalid code verifier"))),
        (&challenge, "short", Err(("invalid_request", "invalid code verifier"))),
        (&[], PROOF.0, Err(("invalid_grant", "unexpected code verifier"))),
    ];
    for (asked, verifier, expected) in cases {
        let code = code_for(&client, &app, asked);
        let answer = exchange(&client, &app, &code, &[("code_verifier", verifier)]);
        match expected {
            Ok(()) => assert_eq!(answer.0, 200, "{}", answer.1),
            Err((error, description)) => assert_eq!(oauth_error(&answer), (400, error, description)),
        }
    }
}

#[test]
fn a_secret_is_wanted_unless_the_app_is_public() {
    let (org, client) = org();
    let refused = (400, "invalid_client", "invalid client credentials");
    let confidential = web_app(&org, |app| app);
    for secret in ["", "wrong"] {
        let bad = TestApp { client_secret: secret.to_owned(), ..confidential.clone() };
        let code = code_for(&client, &bad, &[]);
        assert_eq!(oauth_error(&exchange(&client, &bad, &code, &[])), refused);
        assert_eq!(exchange(&client, &confidential, &code, &[]).0, 200, "the code is still good");
    }
    let public = web_app(&org, |app| app.public().require_pkce());
    assert_eq!(public.client_secret, "");
    let proof = [("code_challenge", PROOF.1)];
    let code = code_for(&client, &public, &proof);
    let (status, body) = exchange(&client, &public, &code, &[("code_verifier", PROOF.0)]);
    assert_eq!(status, 200, "{body}");
    assert_eq!(refresh(&client, &public, &text(&body, "refresh_token")).0, 200);
    let guess = TestApp { client_secret: "guess".to_owned(), ..public };
    let code = code_for(&client, &guess, &proof);
    assert_eq!(oauth_error(&exchange(&client, &guess, &code, &[("code_verifier", PROOF.0)])), refused);
}

#[test]
fn a_rotated_secret_replaces_the_old_one() {
    let (org, client) = org();
    let old = main_app(&org);
    let new = TestApp { client_secret: org.rotate_client_secret(&old.client_id), ..old.clone() };
    let code = code_for(&client, &old, &[]);
    assert_eq!(oauth_error(&exchange(&client, &old, &code, &[])).1, "invalid_client");
    assert_eq!(exchange(&client, &new, &code, &[]).0, 200);
}

#[test]
fn the_answer_comes_in_the_form_that_was_asked_for() {
    let (org, client) = org();
    let (id, secret) = (org.client_id(), org.client_secret());
    let fields = [("grant_type", "client_credentials"), ("client_id", id.as_str()), ("client_secret", &secret)];
    let stranger = client.with_authorization(None);
    let asked = |format: &str| stranger.form(TOKEN, &[&fields[..], &[("format", format)]].concat());
    let form = asked("urlencoded");
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded;charset=UTF-8"));
    assert!(form.body.starts_with("access_token=00D"));
    let xml = asked("xml");
    assert!(xml.body.starts_with("<?xml") && xml.body.contains("<OAuth><access_token>00D"), "{}", xml.body);
    assert_eq!(asked("json").json()["token_type"], "Bearer");
}

#[test]
fn a_scope_may_be_approved_and_not_granted() {
    let (org, client) = org();
    org.withhold_scopes("refresh_token");
    let app = main_app(&org);
    let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[("scope", "api refresh_token")]), &[]);
    assert_eq!((body["scope"].as_str(), body.get("refresh_token")), (Some("api"), None));
}

#[test]
fn other_flows_are_refused_where_they_are_off() {
    let (org, client) = org();
    let app = web_app(&org, |app| app);
    let half = web_app(&org, AppSpec::client_credentials);
    let (name, password) = (org.username(), org.password());
    let password: Fields = &[("grant_type", "password"), ("username", &name), ("password", &password)];
    let credentials: Fields = &[("grant_type", "client_credentials")];
    for (app, fields, description) in [
        (&app, credentials, "client credentials flow not enabled"),
        (&half, credentials, "no client credentials user enabled"),
        (&app, password, "authentication failure"),
    ] {
        assert_eq!(oauth_error(&token_of(&client, app, fields)), (400, "invalid_grant", description));
    }
}

#[test]
fn the_login_host_serves_all_orgs_and_no_data() {
    let (org, client) = org();
    let login = org.login_url().unwrap();
    assert_eq!(org.login_url().unwrap(), login, "one host");
    let at_login = Client::at(&login);
    let app = main_app(&org);
    let refused = token_of(&at_login, &app, &[("grant_type", "client_credentials")]);
    assert_eq!(oauth_error(&refused), (400, "invalid_grant", "request not supported on this domain"));
    let (status, body) = exchange(&at_login, &app, &code_for(&at_login, &app, &[]), &[]);
    assert_eq!((status, text(&body, "instance_url")), (200, org.base_url()));
    let token = text(&body, "access_token");
    assert!(works(&client, &token));
    let there = at_login.with_authorization(Some(&format!("Bearer {token}"))).get(&data("/limits"));
    assert_eq!(code(&there), refused_session());
}

fn refused_session() -> (u16, String) {
    super::refused(401, "INVALID_SESSION_ID")
}
