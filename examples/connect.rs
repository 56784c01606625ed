//! "Connect Salesforce": a small local web page with a Connect button, the choice of an environment, and a card that shows how
//! the connection is. `cargo run --example connect`
//!
//! Without settings it connects mock orgs of its own, a production org and a sandbox, whose log-in and consent pages are real
//! pages. For a real org give the client id and secret of an external client app that has `http://localhost:8400/callback` among
//! its callback URLs.

mod support;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use clap::Parser;
use sforce::ErrorKind;
use sforce::auth::{ConnectError, ConnectRequest, LoginHost};
use sforce::clock::{Clock as _, SystemClock};
use sforce::connections::{ConnectionStatus, Connections, Revoked};
use sforce::store::{MemoryStore, RedbStore, Store};
use sforce::testing::org::{AppSpec, MockOrg};
use support::{Failure, explain, say};

/// Serves a page that connects a Salesforce org and shows how the connection is.
#[derive(Debug, Parser)]
#[command(after_help = AFTER_HELP)]
struct Args {
    /// Address to listen on, on this machine; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8400")]
    listen: SocketAddr,
    /// Keep connections in this file; without it they are forgotten at the end. For real orgs: the mock orgs end with the program
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Print one line of JSON with the address instead of a sentence
    #[arg(long)]
    json: bool,
    /// Connect and disconnect once as a browser would, in the mock org, and end
    #[arg(long)]
    self_test: bool,
}

const AFTER_HELP: &str = "Environment:
  SALESFORCE_CLIENT_ID      consumer key of an external client app with the callback URL http://localhost:PORT/callback
  SALESFORCE_CLIENT_SECRET  its secret

Without these two the page connects mock orgs, one for each environment. The store is not encrypted here: a service wraps it in EncryptedStore.

Exit status: 0 done, 1 not done, 2 wrong use.";

/// All who use this page are one customer of the product: a service takes the tenant from its own session.
const TENANT: &str = "local";

const SESSION: &str = "sforce_session";

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What the handlers share.
struct App {
    connections: Connections,
    /// None for real orgs.
    mock: Option<MockOrgs>,
    /// What to tell each browser on its next page.
    notices: Mutex<HashMap<String, Notice>>,
}

/// The orgs to connect where there is no real one. Both know the same app, as all customers' orgs do.
struct MockOrgs {
    production: MockOrg,
    sandbox: MockOrg,
}

/// One message, shown once.
struct Notice {
    good: bool,
    text: String,
    advice: String,
}

async fn run(args: &Args) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::Usage(
            "--listen takes an address of this machine: tokens must not cross a network unencrypted".into(),
        ));
    }
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::Failed(format!("cannot listen on {}: {error}", args.listen)))?;
    let local = listener.local_addr().map_err(|error| Failure::Failed(error.to_string()))?;
    // Salesforce takes http for `localhost` only, which need not be `::1`.
    let address = match local.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("http://localhost:{}", local.port()),
        _ => format!("http://{local}"),
    };
    let app = Arc::new(app(args, &address).await?);
    let router = Router::new()
        .route("/", get(home))
        .route("/connect", post(connect))
        .route("/callback", get(callback))
        .route("/disconnect", post(disconnect))
        .route("/forget", post(forget))
        .with_state(Arc::clone(&app));
    if args.self_test {
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let outcome = self_test(&app, &address).await;
        server.abort();
        return outcome;
    }
    tokio::spawn(jobs(app.connections.clone()));
    if args.json {
        let mock = app.mock.as_ref().map(|orgs| orgs.production.base_url());
        say(&serde_json::json!({"url": address, "mock_org": mock}).to_string())?;
    } else {
        say(&format!("Open {address} in a browser. Ctrl-C ends it."))?;
    }
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            // Without a way to hear of it the program is simply killed.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
        .map_err(|error| Failure::Failed(error.to_string()))
}

/// What a registry wants done now and then.
async fn jobs(connections: Connections) {
    loop {
        for (job, outcome) in [
            ("attempts to connect that nobody came back from", connections.purge_expired().await),
            ("tokens that Salesforce has not revoked", connections.revoke_owed().await),
        ] {
            if let Err(error) = outcome {
                eprintln!("{job}: {}", explain(&error));
            }
        }
        SystemClock::default().sleep(Duration::from_hours(1)).await;
    }
}

async fn app(args: &Args, address: &str) -> Result<App, Failure> {
    #[expect(clippy::disallowed_methods, reason = "a program reads its settings from the environment")]
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let real = is_set("SALESFORCE_CLIENT_ID") || is_set("SALESFORCE_CLIENT_SECRET");
    if args.store.is_some() && !real {
        return Err(Failure::Usage(
            "--store is for real orgs: the mock orgs end with the program, and their connections with them".into(),
        ));
    }
    let store: Arc<dyn Store> = match &args.store {
        Some(path) => Arc::new(RedbStore::open(path).await?),
        None => Arc::new(MemoryStore::default()),
    };
    let callback = format!("{address}/callback");
    let (connections, mock) = if real {
        let wrong = |error: sforce::Error| match error.kind() {
            ErrorKind::Config => Failure::Usage(format!("{error}: set both for a real org, none for the mock orgs")),
            _ => error.into(),
        };
        (Connections::from_env(callback, store).map_err(wrong)?, None)
    } else {
        let production = support::customer_org(MockOrg::builder().consent(true))?;
        let sandbox = support::customer_org(MockOrg::builder().consent(true).number(2).sandbox())?;
        let spec = AppSpec::new("sforce example").any_loopback().rotate_refresh_tokens();
        let app = production.add_app(spec.clone());
        sandbox.install_app(spec, &app);
        let connections = Connections::builder(app.client_id, callback, store).client_secret(app.client_secret);
        (connections.allow_loopback(), Some(MockOrgs { production, sandbox }))
    };
    Ok(App { connections: connections.build()?, mock, notices: Mutex::default() })
}

/// The browser's session. A page of ours sets the cookie; a form that comes without it comes from elsewhere.
fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let pair = cookies.split(';').find_map(|pair| pair.trim().strip_prefix(SESSION)?.strip_prefix('='))?;
    Some(pair.to_owned())
}

impl App {
    fn notify(&self, session: &str, notice: Notice) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        // Browsers that never come back must not fill the memory.
        if notices.len() >= 1000 {
            notices.clear();
        }
        notices.insert(session.to_owned(), notice);
    }

    fn notice(&self, session: &str) -> Option<Notice> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).remove(session)
    }

    fn login(&self, choice: &Choice) -> sforce::Result<LoginHost> {
        match (&self.mock, choice.environment.as_str()) {
            (Some(orgs), "sandbox") => LoginHost::allowing_loopback(&orgs.sandbox.base_url()),
            (Some(orgs), _) => LoginHost::allowing_loopback(&orgs.production.base_url()),
            (None, "sandbox") => Ok(LoginHost::sandbox()),
            (None, "my_domain") => LoginHost::my_domain(&choice.my_domain),
            (None, _) => Ok(LoginHost::production()),
        }
    }
}

#[derive(serde::Deserialize)]
struct Choice {
    #[serde(default)]
    environment: String,
    #[serde(default)]
    my_domain: String,
}

async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let known = session(&headers);
    let session = known.clone().unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
    let notice = known.and_then(|session| app.notice(&session));
    let card = match card(&app).await {
        Ok(card) => card,
        Err(error) => format!("<p role=\"alert\" class=\"bad\">{}</p>", escape(&explain(&error))),
    };
    let mut response = page(StatusCode::OK, notice.as_ref(), &card);
    let cookie = format!("{SESSION}={session}; HttpOnly; SameSite=Lax; Path=/");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn connect(State(app): State<Arc<App>>, headers: HeaderMap, Form(choice): Form<Choice>) -> Response {
    let Some(session) = session(&headers) else { return Redirect::to("/").into_response() };
    let begun = match app.login(&choice) {
        Ok(login) => app.connections.begin(ConnectRequest::new(TENANT, login)).await.map_err(|error| problem(&error)),
        Err(error) => Err(Notice {
            good: false,
            text: error.message().to_owned(),
            advice: error.advice().unwrap_or_default().to_owned(),
        }),
    };
    match begun {
        Ok(authorize) => Redirect::to(authorize.url.as_str()).into_response(),
        Err(notice) => {
            app.notify(&session, notice);
            Redirect::to("/").into_response()
        }
    }
}

async fn callback(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let Some(session) = session(&headers) else { return Redirect::to("/").into_response() };
    let notice = match app.connections.finish(TENANT, &query.unwrap_or_default()).await {
        Ok(_) => Notice { good: true, text: "Salesforce is connected.".into(), advice: String::new() },
        Err(error) => problem(&error),
    };
    app.notify(&session, notice);
    // The code and the state leave the address bar.
    Redirect::to("/").into_response()
}

async fn disconnect(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(session) = session(&headers) else { return Redirect::to("/").into_response() };
    let notice = match app.connections.disconnect(TENANT, "default").await {
        Ok(done) => {
            let text = match &done.revoked {
                Revoked::Yes | Revoked::NothingToRevoke => "Salesforce is disconnected.",
                _ => "Salesforce is disconnected here, but has not revoked the tokens.",
            };
            Notice { good: matches!(done.revoked, Revoked::Yes), text: text.into(), advice: done.remains().join(" ") }
        }
        Err(error) => failed(&error),
    };
    app.notify(&session, notice);
    Redirect::to("/").into_response()
}

/// Removes what was disconnected, so that another org can be connected.
async fn forget(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(session) = session(&headers) else { return Redirect::to("/").into_response() };
    let notice = match app.connections.forget(TENANT, "default").await {
        Ok(()) => Notice { good: true, text: "The connection is removed.".into(), advice: String::new() },
        Err(error) => failed(&error),
    };
    app.notify(&session, notice);
    Redirect::to("/").into_response()
}

fn failed(error: &sforce::Error) -> Notice {
    let (text, advice) = match error.kind() {
        ErrorKind::NotFound => ("There is no connection to Salesforce.".to_owned(), "Click Connect to make one."),
        ErrorKind::Conflict => ("Salesforce is still connected.".to_owned(), "Disconnect it first."),
        _ => (explain(error), error.advice().unwrap_or_default()),
    };
    Notice { good: false, text, advice: advice.to_owned() }
}

fn problem(error: &ConnectError) -> Notice {
    Notice { good: false, text: format!("Salesforce is not connected: {error}."), advice: error.advice().to_owned() }
}

/// How the connection is, with the one button that fits.
async fn card(app: &App) -> sforce::Result<String> {
    let Some(connection) = app.connections.default_of(TENANT).await? else { return Ok(connect_form(app, "Connect")) };
    let status = app.connections.status(TENANT, &connection.info().id).await?;
    Ok(match status {
        ConnectionStatus::Connected => {
            let details = match connection.identify().await {
                Ok(who) => format!(
                    "{}<dl><dt>Org</dt><dd id=\"org\">{} ({})</dd><dt>Kind</dt><dd>{}</dd><dt>User</dt><dd id=\"user\">{}</dd>\
                     <dt>Profile</dt><dd>{}</dd><dt>Licence</dt><dd>{}</dd></dl>",
                    who.warning().map_or_else(String::new, |text| format!("<p id=\"warning\">{}</p>", escape(text))),
                    escape(&who.org_name),
                    who.org_id,
                    if who.sandbox { "sandbox" } else { "production" },
                    escape(&who.username),
                    escape(who.profile.as_deref().unwrap_or("-")),
                    escape(who.licence.as_deref().unwrap_or("-")),
                ),
                Err(error) => format!("<p role=\"alert\" class=\"bad\">{}</p>", escape(&explain(&error))),
            };
            format!(
                "<p id=\"status\" class=\"good\">Connected</p>{details}<form method=\"post\" action=\"/disconnect\">\
                 <button id=\"disconnect\">Disconnect</button></form>"
            )
        }
        ConnectionStatus::ReauthRequired(reason) => format!(
            "<p id=\"status\" class=\"bad\">Connect again</p><p>{}</p>{}",
            escape(reason.words()),
            connect_form(app, "Reconnect")
        ),
        _ => format!(
            "<p id=\"status\">Disconnected</p>{}<form method=\"post\" action=\"/forget\"><button id=\"forget\">Remove</button>\
             </form>",
            connect_form(app, "Reconnect")
        ),
    })
}

fn connect_form(app: &App, label: &str) -> String {
    let choice = if app.mock.is_some() {
        "<p>Leads to the mock orgs of this program.</p><fieldset><legend>Environment</legend>\
         <label><input type=\"radio\" name=\"environment\" value=\"production\" checked> Production</label>\
         <label><input type=\"radio\" name=\"environment\" value=\"sandbox\"> Sandbox</label></fieldset>"
            .to_owned()
    } else {
        "<fieldset><legend>Environment</legend>\
         <label><input type=\"radio\" name=\"environment\" value=\"production\" checked> Production or Developer Edition</label>\
         <label><input type=\"radio\" name=\"environment\" value=\"sandbox\"> Sandbox</label>\
         <label><input type=\"radio\" name=\"environment\" value=\"my_domain\"> My Domain</label>\
         <label>Address <input name=\"my_domain\" placeholder=\"acme.my.salesforce.com\"></label></fieldset>"
            .to_owned()
    };
    format!("<form method=\"post\" action=\"/connect\">{choice}<button id=\"connect\">{label}</button></form>")
}

fn page(status: StatusCode, notice: Option<&Notice>, card: &str) -> Response {
    let notice = notice.map_or_else(String::new, |notice| {
        let (role, class) = if notice.good { ("status", "good") } else { ("alert", "bad") };
        format!(
            "<div role=\"{role}\" id=\"notice\" class=\"{class}\"><p>{}</p><p>{}</p></div>",
            escape(&notice.text),
            escape(&notice.advice)
        )
    });
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Connect Salesforce</title><style>\
         body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:8vh auto;padding:0 1rem}}\
         section{{border:1px solid gray;border-radius:.5rem;padding:1rem}}label{{display:block}}\
         button{{font:inherit;padding:.5rem 1rem;margin-top:1rem}}dt{{font-weight:bold}}\
         .good{{border-left:.25rem solid #2e7d32;padding-left:.75rem}}.bad{{border-left:.25rem solid #b00020;padding-left:.75rem}}\
         </style></head><body><main><h1>Salesforce</h1>{notice}<section aria-label=\"Connection\">{card}</section></main></body></html>"
    );
    let mut response = (status, Html(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    response
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Connects and disconnects once, the way a browser would, and says what it saw.
async fn self_test(app: &App, address: &str) -> Result<(), Failure> {
    let Some(orgs) = &app.mock else {
        return Err(Failure::Usage("--self-test works in the mock orgs: unset SALESFORCE_CLIENT_ID".into()));
    };
    // The mock orgs approve by themselves, so that no page needs a person.
    orgs.production.set_consent(false);
    orgs.sandbox.set_consent(false);
    let browser = Browser::new(address)?;
    let (production, sandbox) = ("environment=production", "environment=sandbox");
    browser.expect("the first page offers to connect", "/", None, "id=\"connect\"").await?;
    browser
        .expect("without a connection there is none to end", "/disconnect", Some(""), "There is no connection")
        .await?;
    let connected = "Salesforce is connected.";
    browser.expect("a click leads through the org and back", "/connect", Some(production), connected).await?;
    browser.expect("the card shows the org", "/", None, "id=\"org\"").await?;
    browser.expect("another org is not mixed up with it", "/connect", Some(sandbox), "another org than").await?;
    browser.expect("a click disconnects", "/disconnect", Some(""), "Salesforce is disconnected.").await?;
    browser.expect("the card offers to reconnect", "/", None, "Reconnect").await?;
    browser.expect("a reconnect finds the connection again", "/connect", Some(production), connected).await?;
    browser.expect("a click disconnects again", "/disconnect", Some(""), "Salesforce is disconnected.").await?;
    browser.expect("what was disconnected can be removed", "/forget", Some(""), "The connection is removed.").await?;
    browser.expect("then another org can be connected", "/connect", Some(sandbox), connected).await?;
    browser.expect("and is shown as what it is", "/", None, "<dd>sandbox</dd>").await
}

/// Follows redirects and keeps the page's cookie.
struct Browser {
    client: reqwest::Client,
    address: String,
}

impl Browser {
    fn new(address: &str) -> Result<Self, Failure> {
        let client = reqwest::Client::builder().no_proxy().cookie_store(true).build();
        let client = client.map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self { client, address: address.to_owned() })
    }

    /// Opens a page, or sends a form to it.
    async fn expect(&self, what: &str, path: &str, form: Option<&'static str>, wanted: &str) -> Result<(), Failure> {
        let failed = |error: reqwest::Error| Failure::Failed(format!("{what}: {error}"));
        let url = format!("{}{path}", self.address);
        let request = match form {
            Some(form) => self.client.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(form),
            None => self.client.get(url),
        };
        let page = request.send().await.map_err(failed)?.text().await.map_err(failed)?;
        if !page.contains(wanted) {
            return Err(Failure::Failed(format!("{what}: the page has no {wanted:?}: {page}")));
        }
        say(&format!("ok: {what}"))
    }
}
