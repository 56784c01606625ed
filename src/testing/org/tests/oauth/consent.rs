//! The pages a person sees, walked through as a browser without scripts does.

use std::collections::BTreeMap;

use super::*;
use crate::testing::org::UserSpec;

/// A browser: it keeps cookies, fills hidden fields in, and follows redirects within the org.
struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn of(org: &MockOrg) -> Self {
        Self { client: Client::of(org).with_authorization(None), cookies: BTreeMap::new() }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("Cookie", cookies.as_str())];
        if method == "POST" {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let answer = self.client.send(method, path, &headers, body).unwrap();
        for (_, value) in answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            assert!(value.contains("HttpOnly") && value.contains("SameSite=Lax"), "{value}");
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        match answer.header("location") {
            Some(location) if location.starts_with('/') => {
                assert_eq!(answer.status, 302);
                let location = location.to_owned();
                self.send("GET", &location, "")
            }
            _ => answer,
        }
    }

    fn open(&mut self, app: &TestApp, fields: Fields) -> Answer {
        let defaults = [("response_type", "code"), ("client_id", app.client_id.as_str()), ("redirect_uri", CALLBACK)];
        let query = query(&with_defaults(fields, &defaults));
        self.send("GET", &format!("/services/oauth2/authorize?{query}"), "")
    }

    /// Sends the form of a page, with these fields beside the hidden ones.
    fn submit(&mut self, page: &Answer, fields: Fields) -> Answer {
        let action = between(&page.body, "action=\"", "\"").to_owned();
        let hidden = hidden(page);
        let all: Vec<(&str, &str)> =
            hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(fields.iter().copied()).collect();
        self.send("POST", &action, &query(&all))
    }

    /// Logs in and answers.
    fn decide(&mut self, app: &TestApp, username: &str, decision: &str) -> Answer {
        let login = self.open(app, &[("state", "s")]);
        let consent = self.submit(&login, &[("un", username)]);
        assert!(consent.body.contains("Allow Access?"), "{}", consent.body);
        self.submit(&consent, &[("decision", decision)])
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split(start).nth(1).unwrap_or_else(|| panic!("no {start} in {text}")).split(end).next().unwrap()
}

fn hidden(page: &Answer) -> Vec<(String, String)> {
    let inputs = page.body.split("<input type=\"hidden\"").skip(1);
    inputs
        .map(|input| (between(input, "name=\"", "\"").to_owned(), between(input, "value=\"", "\"").to_owned()))
        .collect()
}

fn asked() -> (MockOrg, TestApp, Browser) {
    let org = MockOrg::builder().consent(true).start();
    let app = org.add_app(AppSpec::new("Acme <Demos>").callback(CALLBACK).without_pkce());
    let browser = Browser::of(&org);
    (org, app, browser)
}

#[test]
fn a_user_logs_in_and_allows() {
    let (org, app, mut browser) = asked();
    let answer = browser.decide(&app, &org.username(), "allow");
    assert_eq!(part(&answer, "state"), "s");
    let client = Client::of(&org);
    let (status, body) = exchange(&client, &app, &part(&answer, "code"), &[]);
    assert_eq!(status, 200, "{body}");
    assert!(works(&client, &text(&body, "access_token")));
}

#[test]
fn a_user_denies() {
    let (org, app, mut browser) = asked();
    let answer = browser.decide(&app, &org.username(), "deny");
    let expected = [("error", "access_denied"), ("error_description", "end-user denied authorization"), ("state", "s")];
    assert_eq!(brought(&answer), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(answer.header("location").unwrap().contains("end-user+denied+authorization"), "as documented");
    assert_eq!(org.codes_given(), 0);
}

#[test]
fn the_pages_can_be_read_by_everyone_and_carry_no_markup_of_others() {
    let (org, app, mut browser) = asked();
    let ann = org.add_user(UserSpec::new("ann@mock.example.com").standard());
    let login = browser.open(&app, &[("login_hint", &ann.username)]);
    let consent = browser.submit(&login, &[("un", &ann.username)]);
    for page in [&login, &consent] {
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html;charset=UTF-8")));
        for needed in ["<html lang=\"en\">", "<title>", "<main>", "<h1>", "name=\"viewport\"", "Acme &lt;Demos&gt;"] {
            assert!(page.body.contains(needed), "{needed}: {}", page.body);
        }
        assert!(!page.body.contains("<script") && !page.body.contains("onclick"));
        assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(
            (page.header("cache-control"), page.header("referrer-policy")),
            (Some("no-store"), Some("no-referrer"))
        );
    }
    assert!(login.body.contains("<label for=\"un\">") && login.body.contains("id=\"un\""));
    assert!(login.body.contains("<option value=\"ann@mock.example.com\" selected>"), "the hinted one is chosen");
    assert!(login.body.contains(&org.username()));
    assert!(
        consent.body.contains("Manage user data via APIs") && consent.body.contains("Perform requests at any time")
    );
    assert!(consent.body.contains("<strong>ann@mock.example.com</strong>"));
}

#[test]
fn whoever_is_logged_in_is_asked_at_once_and_who_has_approved_is_not() {
    let (org, app, mut browser) = asked();
    browser.decide(&app, &org.username(), "deny");
    let consent = browser.open(&app, &[]);
    assert!(consent.body.contains("Allow Access?"), "no second log-in");
    let client = Client::of(&org);
    let code = part(&browser.submit(&consent, &[("decision", "allow")]), "code");
    let (_, body) = exchange(&client, &app, &code, &[]);
    assert!(!part(&browser.open(&app, &[]), "code").is_empty(), "approved before");
    assert!(browser.open(&app, &[("prompt", "consent")]).body.contains("Allow Access?"));
    let login = browser.open(&app, &[("prompt", "login")]);
    assert!(login.body.contains("<h1>Log In</h1>"));
    assert!(!part(&browser.submit(&login, &[("un", &org.username())]), "code").is_empty());
    client.form("/services/oauth2/revoke", &[("token", &text(&body, "refresh_token"))]);
    assert!(browser.open(&app, &[]).body.contains("Allow Access?"), "revoked, so asked again");
}

#[test]
fn a_page_is_good_for_one_answer_and_for_a_while() {
    let (org, app, mut browser) = asked();
    let login = browser.open(&app, &[]);
    let consent = browser.submit(&login, &[("un", &org.username())]);
    assert_eq!(browser.submit(&consent, &[]).status, 400, "neither button");
    assert!(!part(&browser.submit(&consent, &[("decision", "allow")]), "code").is_empty());
    for decision in ["allow", "deny"] {
        let stale = browser.submit(&consent, &[("decision", decision)]);
        assert_eq!((stale.status, stale.header("location")), (400, None));
        assert!(stale.body.contains("This request has been answered already."), "{}", stale.body);
    }
    let consent = browser.open(&app, &[("prompt", "consent")]);
    org.advance(Duration::from_mins(16));
    let late = browser.submit(&consent, &[("decision", "allow")]);
    assert!(late.status == 400 && late.body.contains("This request has expired."));
    assert_eq!(org.codes_given(), 1);
}

#[test]
fn another_site_or_browser_cannot_press_the_button() {
    let (org, app, mut browser) = asked();
    let login = browser.open(&app, &[]);
    let consent = browser.submit(&login, &[("un", &org.username())]);
    let source = hidden(&consent).into_iter().find(|(name, _)| name == "source").unwrap().1;
    let action = between(&consent.body, "action=\"", "\"").to_owned();
    for fields in [
        vec![("source", source.as_str()), ("decision", "allow")],
        vec![("source", &source), ("decision", "allow"), ("token", "guess")],
    ] {
        let answer = browser.send("POST", &action, &query(&fields));
        assert_eq!((answer.status, answer.header("location")), (403, None));
    }
    let mut other = Browser::of(&org);
    assert_eq!(other.submit(&consent, &[("decision", "allow")]).status, 403);
    assert_eq!(other.send("GET", &format!("{action}?source={source}"), "").status, 403);
    assert_eq!(other.send("GET", "/login?source=made-up", "").status, 400);
    assert_eq!(org.codes_given(), 0);
    assert!(
        !part(&browser.submit(&consent, &[("decision", "allow")]), "code").is_empty(),
        "the page itself still works"
    );
}

#[test]
fn who_may_not_log_in_is_told_on_the_page() {
    let (org, app, mut browser) = asked();
    let ann = org.add_user(UserSpec::new("ann@mock.example.com"));
    org.set_user_active(&ann.user_id, false);
    let login = browser.open(&app, &[]);
    for (name, text) in [(ann.username.as_str(), "Your access is disabled"), ("nobody", "Choose a user.")] {
        let again = browser.submit(&login, &[("un", name)]);
        assert!(again.body.contains(text) && again.body.contains("role=\"alert\""), "{}", again.body);
    }
    let consent = browser.submit(&login, &[("un", &org.username())]);
    org.set_user_active(&org.user_id(), false);
    assert!(
        browser.submit(&consent, &[("decision", "allow")]).body.contains("<h1>Log In</h1>"),
        "logged out meanwhile"
    );
}

#[test]
fn an_answer_without_a_page_needs_an_approval_from_before() {
    let (org, app, mut browser) = asked();
    assert_eq!(part(&browser.open(&app, &[("immediate", "true")]), "error"), "immediate_unsuccessful");
    let code = part(&browser.decide(&app, &org.username(), "allow"), "code");
    exchange(&Client::of(&org), &app, &code, &[]);
    assert!(!part(&browser.open(&app, &[("immediate", "true")]), "code").is_empty());
}

#[test]
fn errors_come_before_any_page() {
    let (org, app, mut browser) = asked();
    assert_eq!(part(&browser.open(&app, &[("scope", "web")]), "error"), "invalid_scope");
    let unknown = TestApp { client_id: "x".to_owned(), client_secret: String::new() };
    assert!(browser.open(&unknown, &[]).body.contains("invalid_client_id"));
    let pre = org.add_app(AppSpec::new("Pre").callback(CALLBACK).without_pkce().pre_authorized_for(&[]));
    let login = browser.open(&pre, &[]);
    let consent = browser.submit(&login, &[("un", &org.username())]);
    let refused = browser.submit(&consent, &[("decision", "allow")]);
    assert!(refused.status == 400 && refused.body.contains("OAUTH_APPROVAL_ERROR_GENERIC"), "{}", refused.body);
}
