//! Errors and answers that only a script brings about.

use serde_json::json;

use super::*;
use crate::testing::org::Operation;

#[test]
fn every_error_of_the_catalogue_can_be_scripted() {
    let (org, client) = org();
    for (error, description) in [
        ("invalid_grant", "token validity expired"),
        ("invalid_grant", "ip restricted"),
        ("invalid_grant", "invalid login hours"),
        ("invalid_grant", "activation secret invalid"),
        ("invalid_grant", "authentication failure - Invalid Password"),
        ("inactive_user", "user is inactive"),
        ("inactive_org", "organization is locked, closed, or suspended"),
        ("rate_limit_exceeded", "number of logins exceeded"),
        ("authorization_pending", "x"),
        ("slow_down", "x"),
        ("server_error", "x"),
    ] {
        org.faults().on(Operation::Token).oauth_error(error, description).once();
        let answer = refresh(&client, &main_app(&org), &org.refresh_token());
        assert_eq!(oauth_error(&answer), (400, error, description));
    }
    org.faults().on(Operation::Authorize).oauth_error("server_error", "a b").once();
    let answer = authorize(&client, &main_app(&org), &[("state", "7")]);
    assert_eq!((part(&answer, "error"), part(&answer, "error_description")), ("server_error".into(), "a b".into()));
    assert_eq!(part(&answer, "state"), "7");
    org.faults().on(Operation::Authorize).oauth_error("server_error", "a b").once();
    let answer = authorize(&client, &main_app(&org), &[("redirect_uri", "https://evil.example/")]);
    assert_eq!((answer.status, answer.header("location")), (400, None), "not even a script sends it there");
}

#[test]
fn a_token_answer_may_lack_what_it_needs_or_be_none() {
    let (org, client) = org();
    let app = web_app(&org, AppSpec::rotate_refresh_tokens);
    let (_, mut token) = connect(&client, &app);
    org.faults().on(Operation::Token).without_member("instance_url").once();
    let (status, body) = refresh(&client, &app, &token);
    assert_eq!((status, body.get("instance_url")), (200, None));
    token = text(&body, "refresh_token");
    org.faults().on(Operation::Token).with_member("instance_url", json!("https://evil-salesforce.com")).once();
    let (_, body) = refresh(&client, &app, &token);
    assert_eq!(body["instance_url"], "https://evil-salesforce.com");
    token = text(&body, "refresh_token");
    org.faults().on(Operation::Token).edit(|body| *body = json!(["x"])).once();
    assert_eq!(refresh(&client, &app, &token).1, json!(["x"]));
    assert_eq!(oauth_error(&refresh(&client, &app, &token)), DEAD, "it was carried out");
}

#[test]
fn a_proxy_may_lose_an_answer_that_was_carried_out() {
    let (org, client) = org();
    let app = web_app(&org, AppSpec::rotate_refresh_tokens);
    let (_, token) = connect(&client, &app);
    org.faults().on(Operation::Token).apply_then_status(502).body("<h1>Bad Gateway</h1>").once();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", &app.client_id)];
    let fields = [&fields[..], &[("client_secret", &app.client_secret)]].concat();
    let answer = client.form(TOKEN, &fields);
    assert_eq!((answer.status, answer.body.as_str()), (502, "<h1>Bad Gateway</h1>"));
    assert_eq!(oauth_error(&refresh(&client, &app, &token)), DEAD);
    assert_eq!((org.refresh_token_replays(), org.approvals().len()), (1, 1));
    assert_eq!(org.grant_requests("refresh_token"), 2, "requests count, answered or not");
    org.faults().on(Operation::Token).status(200).body("<html>").once();
    assert_eq!(client.form(TOKEN, &fields).body, "<html>");
    org.faults().on(Operation::Token).not_json().once();
    assert_eq!(client.form(TOKEN, &fields).status, 503);
}
