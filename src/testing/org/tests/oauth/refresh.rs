//! Refresh tokens: rotation, policies, the bound per user, and an org that moves.

use super::*;

#[test]
fn rotation_kills_the_old_token_and_a_replay_the_whole_connection() {
    let (org, client) = org();
    let app = web_app(&org, AppSpec::rotate_refresh_tokens);
    let (first_access, first) = connect(&client, &app);
    let (_, kept) = connect(&client, &app);
    let (_, body) = refresh(&client, &app, &first);
    let (second_access, second) = (text(&body, "access_token"), text(&body, "refresh_token"));
    assert!(second != first && works(&client, &second_access) && works(&client, &first_access));
    let (_, body) = refresh(&client, &app, &second);
    let third = text(&body, "refresh_token");
    assert_eq!((org.refresh_token_replays(), org.approvals().len()), (0, 3));
    assert_eq!(oauth_error(&refresh(&client, &app, &first)), DEAD);
    assert_eq!((org.refresh_token_replays(), org.approvals().len()), (1, 2));
    assert_eq!(oauth_error(&refresh(&client, &app, &third)), DEAD);
    for access in [&first_access, &second_access] {
        assert!(!works(&client, access), "every access token hangs on it");
    }
    assert_eq!(refresh(&client, &app, &kept).0, 200, "another approval lives on");
}

#[test]
fn a_refresh_token_is_for_its_app() {
    let (org, client) = org();
    let (one, other) = (web_app(&org, AppSpec::rotate_refresh_tokens), web_app(&org, |app| app));
    let (_, token) = connect(&client, &one);
    assert_eq!(oauth_error(&refresh(&client, &other, &token)), DEAD);
    assert_eq!(refresh(&client, &one, &token).0, 200, "and was not used up");
    assert_eq!(oauth_error(&refresh(&client, &other, &token)), DEAD);
    assert_eq!(org.refresh_token_replays(), 0, "another app's try is none");
}

#[test]
fn policies_end_refresh_tokens() {
    let (org, client) = org();
    let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
    let idle = web_app(&org, |app| app.refresh_tokens_idle(2 * hour).rotate_refresh_tokens());
    let (_, mut token) = connect(&client, &idle);
    for _ in 0..3 {
        org.advance(119 * minute);
        let (status, body) = refresh(&client, &idle, &token);
        assert_eq!(status, 200, "each use counts anew");
        token = text(&body, "refresh_token");
    }
    org.advance(121 * minute);
    assert_eq!(oauth_error(&refresh(&client, &idle, &token)), DEAD);

    let fixed = web_app(&org, |app| app.refresh_tokens_last(3 * hour));
    let (_, token) = connect(&client, &fixed);
    for expected in [200, 200, 400] {
        org.advance(hour);
        assert_eq!(refresh(&client, &fixed, &token).0, expected);
    }
    let at_once = web_app(&org, AppSpec::refresh_tokens_expire_at_once);
    let (access, token) = connect(&client, &at_once);
    assert!(works(&client, &access));
    assert_eq!(oauth_error(&refresh(&client, &at_once, &token)), DEAD);
}

#[test]
fn a_sixth_approval_kills_the_oldest() {
    let (org, client) = org();
    let app = web_app(&org, |app| app);
    let all: Vec<(String, String)> = (0..6).map(|_| connect(&client, &app)).collect();
    assert_eq!(oauth_error(&refresh(&client, &app, &all[0].1)), DEAD);
    assert!(!works(&client, &all[0].0));
    for (access, token) in &all[1..] {
        assert!(works(&client, access) && refresh(&client, &app, token).0 == 200);
    }
    let ann = org.add_user(crate::testing::org::UserSpec::new("ann@mock.example.com"));
    let hers = org.approve(&app.client_id, &ann.user_id, "api refresh_token");
    assert_eq!(refresh(&client, &app, &hers).0, 200);
    assert_eq!(refresh(&client, &app, &all[1].1).0, 200, "the bound is per user");
}

#[test]
fn access_tokens_live_as_long_as_their_app_says() {
    let (org, client) = org();
    let app = web_app(&org, |app| app.session_timeout(Duration::from_mins(15)));
    let (access, token) = connect(&client, &app);
    for _ in 0..3 {
        org.advance(Duration::from_mins(14));
        assert!(works(&client, &access), "use keeps it alive");
    }
    org.advance(Duration::from_mins(16));
    assert!(!works(&client, &access));
    let (_, body) = refresh(&client, &app, &token);
    assert!(works(&client, &text(&body, "access_token")));
    org.change_app(&app.client_id, |app| app.session_timeout(Duration::from_hours(9)));
    let (_, body) = refresh(&client, &app, &token);
    org.advance(Duration::from_hours(8));
    assert!(works(&client, &text(&body, "access_token")));
}

#[test]
fn an_org_that_moved_says_so_at_the_next_refresh() {
    let (org, client) = org();
    let app = main_app(&org);
    let (access, token) = connect(&client, &app);
    let there = org.move_instance().unwrap();
    assert_ne!(there, org.base_url());
    assert!(!works(&client, &access));
    let (_, body) = refresh(&client, &app, &token);
    assert_eq!((text(&body, "instance_url"), org.instance_url()), (there.clone(), there.clone()));
    let access = text(&body, "access_token");
    assert!(!works(&client, &access), "the former instance refuses it");
    assert!(works(&Client::at(&there), &access));
    let bearer = Client::at(&there).with_authorization(Some(&format!("Bearer {access}")));
    let info = bearer.get("/services/oauth2/userinfo").json();
    assert!(text(&info["urls"], "rest").starts_with(&there));
    assert!(text(&info, "sub").starts_with(&org.base_url()), "identity stays with the login host");
}

#[test]
fn an_inactive_user_or_org_cannot_refresh_until_active_again() {
    let (org, client) = org();
    let app = web_app(&org, AppSpec::rotate_refresh_tokens);
    let (access, token) = connect(&client, &app);
    org.set_user_active(&org.user_id(), false);
    assert_eq!(oauth_error(&refresh(&client, &app, &token)), (400, "invalid_grant", "inactive user"));
    assert!(!works(&client, &access));
    org.set_user_active(&org.user_id(), true);
    org.set_org_active(false);
    assert_eq!(oauth_error(&refresh(&client, &app, &token)), (400, "invalid_grant", "inactive organization"));
    org.set_org_active(true);
    assert_eq!(refresh(&client, &app, &token).0, 200, "the token was not used up");
}

#[test]
fn a_token_without_the_api_scope_is_refused_in_words_of_its_own() {
    let (org, client) = org();
    let app = main_app(&org);
    let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[("scope", "id refresh_token")]), &[]);
    let bearer = client.with_authorization(Some(&format!("Bearer {}", text(&body, "access_token"))));
    let expected = "This session is not valid for use with the REST API".to_owned();
    assert_eq!(error(&bearer.get(&data("/limits"))), (401, "INVALID_SESSION_ID".to_owned(), expected));
    assert_eq!(bearer.get("/services/oauth2/userinfo").status, 200);
    let (_, body) = exchange(&client, &app, &code_for(&client, &app, &[("scope", "refresh_token")]), &[]);
    let bearer = client.with_authorization(Some(&format!("Bearer {}", text(&body, "access_token"))));
    let answer = bearer.get("/services/oauth2/userinfo");
    assert_eq!((answer.status, answer.body.as_str()), (403, "Invalid_Scope"));
}

#[test]
fn orgs_can_be_told_apart() {
    let (one, two) = (MockOrg::start(), MockOrg::builder().number(2).sandbox().start());
    assert_ne!(one.org_id(), two.org_id());
    for (org, sandbox) in [(&one, false), (&two, true)] {
        let rows = Client::of(org).query("SELECT Id, IsSandbox FROM Organization").json();
        assert_eq!(
            (rows["records"][0]["Id"].as_str(), &rows["records"][0]["IsSandbox"]),
            (Some(org.org_id().as_str()), &Value::Bool(sandbox))
        );
    }
}
