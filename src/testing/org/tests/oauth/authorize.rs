//! What an authorize request is answered with.

use super::*;

#[test]
fn a_known_app_is_approved_at_once_and_gets_its_state_back() {
    let (org, client) = org();
    let state = "a b&c=d/é";
    let answer = authorize(&client, &main_app(&org), &[("state", state), ("scope", "api refresh_token")]);
    assert_eq!(part(&answer, "state"), state);
    assert!(part(&answer, "code").ends_with("=="), "must be decoded once");
    assert!(answer.header("location").unwrap().contains("%3D%3D"));
    assert_eq!(org.codes_given(), 1);
    assert_eq!(org.approvals().len(), 1, "no approval before the exchange, beside the one of the start");
}

#[test]
fn any_loopback_redirect_will_do_for_the_main_app_and_keeps_its_query() {
    let (org, client) = org();
    for uri in ["http://localhost:4321/x?tenant=7", "http://[::1]:1/", "https://127.0.0.1/cb"] {
        let answer = authorize(&client, &main_app(&org), &[("redirect_uri", uri)]);
        let location = answer.header("location").unwrap();
        let mark = if uri.contains('?') { '&' } else { '?' };
        assert!(location.starts_with(&format!("{uri}{mark}code=")), "{location}");
    }
}

#[test]
fn errors_go_to_no_redirect_uri_that_cannot_be_trusted() {
    let (org, client) = org();
    let main = main_app(&org);
    let web = web_app(&org, |app| app);
    let blocked = web_app(&org, AppSpec::blocked);
    let missing = web_app(&org, AppSpec::not_installed);
    let unknown = TestApp { client_id: "<script>".to_owned(), client_secret: String::new() };
    let cases: [(&TestApp, Fields, &str, &str); 8] = [
        (&unknown, &[], "invalid_client_id", "client identifier invalid"),
        (&main, &[("redirect_uri", "")], "redirect_uri_missing", "redirect_uri not provided"),
        (
            &main,
            &[("redirect_uri", "https://evil.example/cb")],
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ),
        (
            &web,
            &[("redirect_uri", "http://127.0.0.1:9/callback/")],
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ),
        (
            &main,
            &[("redirect_uri", CALLBACK), ("redirect_uri", "https://evil.example/")],
            "invalid_request",
            "duplicate parameter",
        ),
        (&main, &[("client_id", ""), ("response_type", "token")], "invalid_client_id", "client identifier invalid"),
        (&blocked, &[], "OAUTH_APP_BLOCKED", "this app is blocked by admin"),
        (&missing, &[], "OAUTH_APPROVAL_ERROR_GENERIC", "app must be installed into org"),
    ];
    for (app, fields, error, description) in cases {
        let answer = authorize(&client, app, fields);
        assert_eq!((answer.status, answer.header("location")), (400, None), "{fields:?}");
        assert_eq!(answer.header("content-type"), Some("text/html;charset=UTF-8"));
        assert!(answer.body.contains(&format!("error={error}<")), "{fields:?}: {}", answer.body);
        assert!(answer.body.contains(&format!("error_description={description}<")), "{fields:?}");
        assert!(!answer.body.contains("<script"), "{fields:?}");
    }
    assert_eq!(org.codes_given(), 0);
}

#[test]
fn other_errors_are_told_the_app_with_its_state() {
    let (org, client) = org();
    let app = web_app(&org, |app| app.scopes("api refresh_token"));
    let strict = web_app(&org, AppSpec::require_pkce);
    let cases: [(&TestApp, Fields, &str, &str); 7] = [
        (&app, &[("response_type", "token")], "unsupported_response_type", "response type not supported"),
        (&app, &[("response_type", "")], "unsupported_response_type", "response type not supported"),
        (&app, &[("scope", "api web")], "invalid_scope", "the requested scope is not allowed"),
        (&app, &[("scope", "api nonsense")], "invalid_scope", "the requested scope is not allowed"),
        (&strict, &[], "invalid_request", "missing required code challenge"),
        (
            &app,
            &[("code_challenge", PROOF.0), ("code_challenge_method", "plain")],
            "invalid_request",
            "invalid code challenge method",
        ),
        (&app, &[("scope", "api"), ("scope", "web")], "invalid_request", "duplicate parameter: scope"),
    ];
    for (app, fields, error, description) in cases {
        let fields: Vec<_> = fields.iter().copied().chain([("state", "s 1")]).collect();
        let answer = authorize(&client, app, &fields);
        let expected = [("error", error), ("error_description", description), ("state", "s 1")];
        assert_eq!(brought(&answer), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let location = authorize(&client, &strict, &[]).header("location").unwrap().to_owned();
    assert!(location.ends_with("error_description=missing+required+code+challenge"), "as reported: {location}");
    assert_eq!(org.codes_given(), 0);
}

#[test]
fn the_hinted_user_approves_and_must_be_active() {
    let (org, client) = org();
    let ann = org.add_user(crate::testing::org::UserSpec::new("ann@mock.example.com").standard());
    let app = main_app(&org);
    let code = code_for(&client, &app, &[("login_hint", "Ann@mock.example.com"), ("scope", "api")]);
    let (_, body) = exchange(&client, &app, &code, &[]);
    assert!(text(&body, "id").ends_with(&ann.user_id));
    org.set_user_active(&ann.user_id, false);
    let answer = authorize(&client, &app, &[("login_hint", &ann.username)]);
    assert_eq!(
        (part(&answer, "error"), part(&answer, "error_description")),
        ("inactive_user".into(), "inactive user".into())
    );
    org.set_org_active(false);
    assert_eq!(part(&authorize(&client, &app, &[]), "error"), "inactive_org");
}

#[test]
fn users_whom_no_admin_approved_see_a_page() {
    let (org, client) = org();
    let sue = org.add_user(crate::testing::org::UserSpec::new("sue@mock.example.com").standard());
    let app = web_app(&org, |app| app.pre_authorized_for(&[&org.user_id()]));
    assert!(!part(&authorize(&client, &app, &[]), "code").is_empty());
    let answer = authorize(&client, &app, &[("login_hint", &sue.username)]);
    assert_eq!((answer.status, answer.header("location")), (400, None));
    assert!(answer.body.contains("OAUTH_APPROVAL_ERROR_GENERIC"));
}

#[test]
fn parameters_may_be_posted() {
    let (org, client) = org();
    let id = org.client_id();
    let fields = [("response_type", "code"), ("client_id", id.as_str()), ("redirect_uri", CALLBACK), ("state", "1")];
    let answer = client.with_authorization(None).form("/services/oauth2/authorize", &fields);
    assert_eq!(part(&answer, "state"), "1");
    assert_eq!(client.delete("/services/oauth2/authorize").status, 405);
}

#[test]
fn without_a_scope_all_of_the_app_are_asked_for() {
    let (org, client) = org();
    let app = web_app(&org, |app| app.scopes("api id refresh_token"));
    let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[]), &[]);
    assert_eq!(body["scope"], "api id refresh_token");
}
