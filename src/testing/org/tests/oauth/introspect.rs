//! Introspection, revocation, and the version in identity URLs.

use super::*;

const INTROSPECT: &str = "/services/oauth2/introspect";
const REVOKE: &str = "/services/oauth2/revoke";

fn introspect(client: &Client, app: &TestApp, token: &str) -> Value {
    let fields = [("token", token), ("client_id", &app.client_id), ("client_secret", &app.client_secret)];
    let answer = client.with_authorization(None).form(INTROSPECT, &fields);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn inactive() -> Value {
    serde_json::json!({"active": false})
}

#[test]
fn the_life_of_an_access_token_can_be_read() {
    let (org, client) = org();
    let app = main_app(&org);
    let (access, _) = connect(&client, &app);
    let body = introspect(&client, &app, &access);
    assert_eq!((&body["active"], body["scope"].as_str()), (&Value::Bool(true), Some("api refresh_token")));
    assert_eq!((text(&body, "client_id"), text(&body, "username")), (app.client_id.clone(), org.username()));
    assert_eq!(body["token_type"], "access_token");
    assert!(text(&body, "sub").ends_with(&org.user_id()));
    let number = |name: &str| body[name].as_i64().unwrap();
    assert_eq!((number("exp") - number("iat"), number("nbf")), (7_200, number("iat")));
    org.advance(Duration::from_hours(1));
    assert_eq!(introspect(&client, &app, &access)["exp"], body["exp"], "looking is not using");
    assert!(works(&client, &access));
    assert!(introspect(&client, &app, &access)["exp"].as_i64() > body["exp"].as_i64());
    org.advance(Duration::from_hours(3));
    assert_eq!(introspect(&client, &app, &access), inactive());
}

#[test]
fn refresh_tokens_can_be_looked_up_as_well() {
    let (org, client) = org();
    let app = web_app(&org, |app| app.refresh_tokens_idle(Duration::from_hours(24)).rotate_refresh_tokens());
    let (_, token) = connect(&client, &app);
    let body = introspect(&client, &app, &token);
    assert_eq!(body["token_type"], "refresh_token");
    assert_eq!(body["exp"].as_i64().unwrap() - body["iat"].as_i64().unwrap(), 86_400);
    refresh(&client, &app, &token);
    assert_eq!(introspect(&client, &app, &token), inactive(), "rotated");
    assert!(introspect(&client, &main_app(&org), &org.refresh_token()).get("exp").is_none(), "valid until revoked");
}

#[test]
fn introspection_is_for_the_app_that_has_the_token() {
    let (org, client) = org();
    let (one, other) = (web_app(&org, |app| app), web_app(&org, |app| app));
    let (access, token) = connect(&client, &one);
    assert_eq!(introspect(&client, &other, &access), inactive());
    assert_eq!(introspect(&client, &other, &token), inactive());
    assert_eq!(introspect(&client, &one, "made up"), inactive());
    let stranger = client.with_authorization(None);
    for fields in [vec![("token", access.as_str())], vec![("token", &access), ("client_id", &one.client_id)]] {
        let answer = stranger.form(INTROSPECT, &fields);
        assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("invalid_client")));
    }
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", one.client_id, one.client_secret));
    let basic = client.with_authorization(Some(&format!("Basic {pair}")));
    assert_eq!(basic.form(INTROSPECT, &[("token", &access)]).json()["active"], true);
    assert_eq!(basic.form(INTROSPECT, &[]).status, 400);
    assert_eq!(basic.get(INTROSPECT).status, 400);
}

#[test]
fn an_access_token_is_revoked_alone_and_a_refresh_token_with_all() {
    let (org, client) = org();
    let app = web_app(&org, |app| app);
    let (access, token) = connect(&client, &app);
    let (_, body) = refresh(&client, &app, &token);
    let second = text(&body, "access_token");
    let stranger = client.with_authorization(None);
    assert_eq!(stranger.get(&format!("{REVOKE}?{}", query(&[("token", &access)]))).status, 200, "a GET will do");
    assert!(!works(&client, &access) && works(&client, &second));
    let answer = stranger.form(REVOKE, &[("token", &token)]);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(!works(&client, &second));
    assert_eq!(oauth_error(&refresh(&client, &app, &token)), DEAD);
    for dead in [access.as_str(), &token, "", "made up"] {
        let answer = stranger.form(REVOKE, &[("token", dead)]);
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_token")));
    }
}

#[test]
fn a_rotated_token_revokes_nothing() {
    let (org, client) = org();
    let app = web_app(&org, AppSpec::rotate_refresh_tokens);
    let (_, first) = connect(&client, &app);
    let (_, body) = refresh(&client, &app, &first);
    assert_eq!(client.form(REVOKE, &[("token", &first)]).status, 400);
    assert_eq!(refresh(&client, &app, &text(&body, "refresh_token")).0, 200);
}

#[test]
fn a_script_may_revoke() {
    let (org, client) = org();
    let ask = |token: &str, callback: &str| {
        client.with_authorization(None).get(&format!("{REVOKE}?{}", query(&[("token", token), ("callback", callback)])))
    };
    let answer = ask("x", "done");
    assert_eq!((answer.status, answer.body.as_str()), (200, "done({\"error\":\"invalid_token\"});"));
    assert_eq!(ask(&org.access_token(), "a.b").body, "a.b({});");
    assert_eq!(ask("x", "alert(1);x").status, 400, "only a name is taken");
}

#[test]
fn a_session_of_soap_cannot_be_revoked() {
    let (org, client) = org();
    let now = org.state().data.now();
    let (name, password) = (org.username(), org.password());
    let (_, session) = org.state().auth.soap_login(&name, &password, now).unwrap();
    let answer = client.form(REVOKE, &[("token", &session)]);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("unsupported_token_type")));
    assert!(works(&client, &session));
}

#[test]
fn identity_urls_take_a_version() {
    let (org, client) = org();
    let path = format!("/id/{}/{}", org.org_id(), org.user_id());
    let rest = |query: &str| text(&client.get(&format!("{path}{query}")).json()["urls"], "rest");
    assert!(rest("").ends_with("/services/data/v{version}/"));
    assert!(rest("?version=latest").ends_with("/services/data/v66.0/"));
    assert!(rest("?version=58.0").ends_with("/services/data/v58.0/"));
    assert!(rest("?version=%22x").ends_with("/services/data/v{version}/"));
    org.set_user_active(&org.user_id(), false);
    let answer = client.get(&path);
    assert_eq!((answer.status, answer.body.as_str()), (403, "Bad_OAuth_Token"));
}
