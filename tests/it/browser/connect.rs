//! The example `connect` as a person uses it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use fantoccini::Locator;

use super::browser;
use super::driver::Browser;
use crate::engagement::example;

/// The running example, stopped at the end.
struct Page {
    process: Child,
    url: String,
}

impl Page {
    fn start() -> Self {
        let mut process = example("connect")
            .args(["--listen", "127.0.0.1:0", "--json"])
            .env_remove("SALESFORCE_CLIENT_ID")
            .env_remove("SALESFORCE_CLIENT_SECRET")
            .stdout(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let url = line["url"].as_str().expect("an address").to_owned();
        Self { process, url }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends the consent page's form as its button does, with the browser's cookies, and answers with where the org leads to.
async fn allow(browser: &Browser) -> url::Url {
    browser.wait_for("#oaapprove").await;
    let page = browser.current_url().await.expect("somewhere");
    let mut fields = vec![("decision".to_owned(), "allow".to_owned())];
    for field in browser.find_all(Locator::Css("form:has(#oaapprove) input")).await.expect("a form") {
        let part = async |name| field.attr(name).await.expect("readable").expect("there");
        fields.push((part("name").await, part("value").await));
    }
    let form = browser.wait_for("form:has(#oaapprove)").await;
    let action = page.join(&form.attr("action").await.expect("readable").expect("there")).expect("an address");
    let cookies = browser.get_all_cookies().await.expect("readable");
    let cookies: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let answer = http
        .expect("a client")
        .post(action.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", action.origin().ascii_serialization())
        .header("cookie", cookies.join("; "))
        .body(form)
        .send()
        .await
        .expect("answers");
    let location = answer.headers().get("location").expect("a redirect").to_str().expect("text");
    assert!(location.contains("code="), "{location}");
    url::Url::parse(location).expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn nav_20_a_person_connects_denies_uses_a_stale_tab_and_an_old_code_and_disconnects() {
    let Some(browser) =
        browser("nav_20_a_person_connects_denies_uses_a_stale_tab_and_an_old_code_and_disconnects").await
    else {
        return;
    };
    let page = Page::start();
    browser.goto(&page.url).await.expect("opens");

    // Deny.
    browser.click("#connect").await;
    if browser.current_url().await.expect("somewhere").path().contains("login") {
        browser.click("#Login").await;
    }
    browser.click("#oadeny").await;
    browser.see("#notice", "denied").await;

    // Two tabs: the older one is refused, the newer one connects.
    browser.click("#connect").await;
    browser.wait_for("#oaapprove").await;
    let stale = browser.window().await.expect("a tab");
    let newer = browser.new_window(true).await.expect("another tab").handle;
    browser.switch_to_window(newer.clone()).await.expect("switches");
    browser.goto(&page.url).await.expect("opens");
    browser.click("#connect").await;
    browser.wait_for("#oaapprove").await;
    browser.switch_to_window(stale).await.expect("switches");
    browser.click("#oaapprove").await;
    browser.see("#notice", "newer attempt").await;
    browser.switch_to_window(newer).await.expect("switches");
    browser.click("#oaapprove").await;
    browser.see("#notice", "Salesforce is connected.").await;
    browser.see("#status", "Connected").await;
    browser.see("#user", "@").await;

    // Disconnect, and connect again.
    browser.click("#disconnect").await;
    browser.see("#notice", "Salesforce is disconnected.").await;
    browser.see("#status", "Disconnected").await;
    browser.click("#connect").await;
    let callback = allow(&browser).await;
    browser.goto(callback.as_str()).await.expect("opens");
    browser.see("#notice", "Salesforce is connected.").await;
    browser.see("#status", "Connected").await;

    // A code that was used: the same address again, as from the browser's history. The connection is untouched.
    browser.goto(callback.as_str()).await.expect("opens");
    browser.see("#notice", "finished before").await;
    browser.see("#status", "Connected").await;
    browser.quit().await;
}

#[test]
fn the_example_connect_tests_itself_and_says_how_it_is_used() {
    let output = example("connect")
        .args(["--listen", "127.0.0.1:0", "--self-test"])
        .env_remove("SALESFORCE_CLIENT_ID")
        .env_remove("SALESFORCE_CLIENT_SECRET")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("ok: ").count(), 12, "{text}");
    let kept = example("connect")
        .args(["--self-test", "--store", "/nonexistent/connections.redb"])
        .env_remove("SALESFORCE_CLIENT_ID")
        .env_remove("SALESFORCE_CLIENT_SECRET")
        .output()
        .expect("runs");
    assert_eq!(kept.status.code(), Some(2), "connections of mock orgs would outlive them");
    let sixth = example("connect")
        .args(["--listen", "[::1]:0", "--self-test"])
        .env_remove("SALESFORCE_CLIENT_ID")
        .env_remove("SALESFORCE_CLIENT_SECRET")
        .output()
        .expect("runs");
    let (out, err) = (String::from_utf8_lossy(&sixth.stdout), String::from_utf8_lossy(&sixth.stderr));
    if err.contains("cannot listen on [::1]") {
        crate::support::not_run("the example connect on [::1]", "this machine has no IPv6");
    } else {
        assert!(sixth.status.success(), "{out}{err}");
    }
    let wrong = example("connect").args(["--listen", "0.0.0.0:0"]).output().expect("runs");
    assert_eq!(wrong.status.code(), Some(2), "tokens must not cross a network");
    let half = example("connect").env("SALESFORCE_CLIENT_ID", "x").env_remove("SALESFORCE_CLIENT_SECRET").output();
    let half = half.expect("runs");
    assert_eq!(half.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&half.stderr).contains("SALESFORCE_CLIENT_SECRET"), "dem_23");
}
