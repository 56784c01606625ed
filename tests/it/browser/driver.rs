//! One driver and one browser per test, on a free port, stopped at the end.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Longest that a page may take: a machine with two cores builds and browses at the same time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two looks at a page.
const STEP: Duration = Duration::from_millis(50);

/// A browser; its driver ends with it.
pub(crate) struct Browser {
    client: Client,
    _driver: Driver,
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver's whole group, for a test that failed leaves its browser running.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Starts a browser, or says that the named test is not run.
pub(crate) async fn browser(test: &str) -> Option<Browser> {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the driver is")]
    let Ok(program) = std::env::var("SFORCE_TEST_CHROMEDRIVER") else {
        eprintln!("not run: {test}: SFORCE_TEST_CHROMEDRIVER names no driver (tests/run sees to it)");
        return None;
    };
    let mut child = Command::new(&program)
        .args(["--port=0", "--allowed-ips=127.0.0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the driver starts");
    let output = child.stdout.take().expect("piped");
    let driver = Driver(child);
    let port = port(BufReader::new(output));
    let capabilities = json!({
        "goog:chromeOptions": {
            // As root, Chromium starts only without its sandbox; the pages are our own.
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
        },
        "timeouts": {"pageLoad": 30_000},
    });
    let serde_json::Value::Object(capabilities) = capabilities else { unreachable!("an object") };
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .expect("a browser");
    Some(Browser { client, _driver: driver })
}

/// The port that the driver says it listens on; what it says later is read away so that it never waits for us.
fn port(output: impl BufRead + Send + 'static) -> u16 {
    let mut lines = output.lines();
    let port = lines.find_map(|line| {
        let line = line.ok()?;
        // It first repeats the 0 it was given.
        line.rsplit_once("on port ")?.1.trim_end_matches('.').parse().ok().filter(|port| *port != 0)
    });
    std::thread::spawn(move || lines.for_each(drop));
    port.expect("the driver names its port")
}

impl Browser {
    /// The element, once it is there.
    pub(crate) async fn wait_for(&self, css: &str) -> fantoccini::elements::Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let page = self.client.source().await.unwrap_or_default();
                panic!("no {css}: {error}; the page is {page}");
            }
        }
    }

    /// Clicks the element, once it is there.
    pub(crate) async fn click(&self, css: &str) {
        self.wait_for(css).await.click().await.expect("clickable");
    }

    /// Waits until the element has a text with this part: a click may lead over several pages, of which one before the last
    /// has such an element too.
    pub(crate) async fn see(&self, css: &str, part: &str) {
        let mut seen = String::new();
        for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
            if let Ok(element) = self.client.find(Locator::Css(css)).await
                && let Ok(text) = element.text().await
            {
                if text.contains(part) {
                    return;
                }
                seen = text;
            }
            self.pause().await;
        }
        panic!("{css} never said {part:?}, but {seen:?}");
    }

    #[expect(clippy::disallowed_methods, reason = "a browser tells nobody when it is done")]
    async fn pause(&self) {
        tokio::time::sleep(STEP).await;
    }

    /// Ends the browser in good order.
    pub(crate) async fn quit(self) {
        self.client.clone().close().await.expect("ends");
    }
}
