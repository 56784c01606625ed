//! The mock org's own pages: log-in, consent, and what went wrong.

use sforce::testing::org::{AppSpec, MockOrg};
use url::Url;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::browser;

/// The app's side: a page that waits for the redirect.
async fn callback() -> MockServer {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw("<h1 id=\"back\">Back</h1>", "text/html");
    Mock::given(path("/callback")).respond_with(page).mount(&server).await;
    server
}

fn authorize_url(org: &MockOrg, client_id: &str, redirect_uri: &str) -> String {
    let mut url = Url::parse(&org.authorize_url()).expect("an address");
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", "api refresh_token")
        .append_pair("state", "a state & more");
    url.into()
}

fn answer(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_and_allows_or_denies_in_a_real_browser() {
    let Some(browser) = browser("a_person_logs_in_and_allows_or_denies_in_a_real_browser").await else { return };
    let org = MockOrg::builder().consent(true).start();
    let app = callback().await;
    let client_id = org.add_app(AppSpec::new("Product").any_loopback().without_pkce()).client_id;
    let redirect_uri = format!("{}/callback", app.uri());

    // Denied first: who has allowed an app is not asked again.
    for (button, expected) in [("#oadeny", "error"), ("#oaapprove", "code")] {
        browser.goto(&authorize_url(&org, &client_id, &redirect_uri)).await.expect("opens");
        if browser.current_url().await.expect("somewhere").path().contains("login") {
            browser.click("#Login").await;
        }
        browser.click(button).await;
        browser.wait_for("#back").await;
        let url = browser.current_url().await.expect("somewhere");
        assert_eq!(answer(&url, "state").as_deref(), Some("a state & more"));
        assert!(answer(&url, expected).is_some(), "{url}");
    }

    // A redirect that the app never registered gets a page, not a redirect.
    browser.goto(&authorize_url(&org, &client_id, "https://evil.example/callback")).await.expect("opens");
    browser.see("[role=alert]", "OAuth error").await;
    browser.quit().await;
}
