//! The example `connect` as a person uses it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::browser;
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

    // A code that was used: the page in the browser's history.
    browser.goto(&format!("{}/callback?code=aPrx&state=none", page.url)).await.expect("opens");
    browser.see("#notice", "not connected").await;
    // The connection is untouched.
    browser.see("#status", "Connected").await;

    // Disconnect, and connect again.
    browser.click("#disconnect").await;
    browser.see("#notice", "Salesforce is disconnected.").await;
    browser.see("#status", "Disconnected").await;
    browser.click("#connect").await;
    browser.click("#oaapprove").await;
    browser.see("#notice", "Salesforce is connected.").await;
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
