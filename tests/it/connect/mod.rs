//! Connecting orgs: every OAuth flow, and everything that goes wrong with it.

mod answers;
mod dance;
mod jwt;
mod secrets;
mod store;
mod tokens;

use sforce::auth::{AuthorizeRequest, ConnectFlow, ConnectFlowBuilder, ConnectRequest, LoginHost};
use sforce::http::{HttpService as _, Method, Request, Reqwest};
use sforce::store::{MemoryStore, Store};
use sforce::testing::org::{AppSpec, MockOrg, TestApp};

pub(crate) const CALLBACK: &str = "https://app.example.com/salesforce/callback";
pub(crate) const TENANT: &str = "tenant-7";

pub(crate) fn app() -> AppSpec {
    AppSpec::new("Test App").callback(CALLBACK)
}

fn login(org: &MockOrg) -> LoginHost {
    LoginHost::allowing_loopback(&org.base_url()).expect("loopback")
}

fn http() -> Reqwest {
    Reqwest::new()
}

pub(crate) fn builder(app: &TestApp, store: impl Store) -> ConnectFlowBuilder {
    ConnectFlow::builder(&app.client_id, CALLBACK, store).client_secret(app.client_secret.as_str()).allow_loopback()
}

/// A flow for an app that the org knows.
fn flow(org: &MockOrg) -> ConnectFlow {
    builder(&org.add_app(app()), MemoryStore::default()).build().expect("a flow")
}

fn request(org: &MockOrg) -> ConnectRequest {
    ConnectRequest::new(TENANT, login(org))
}

/// The consents that live, but for the one the org starts with.
fn approvals(org: &MockOrg) -> usize {
    org.approvals().iter().filter(|one| one.client_id != org.client_id()).count()
}

/// What the browser does: goes to the org, and comes back with the query of the callback.
pub(crate) async fn browse(authorize: &AuthorizeRequest) -> String {
    let request = Request::new(Method::GET, authorize.url.clone());
    let answer = http().send(request).await.expect("answered");
    let location = answer.headers.get("location").expect("redirected").to_str().expect("text").to_owned();
    let query = location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?'));
    query.unwrap_or_else(|| panic!("leads to the callback: {location}")).to_owned()
}

/// The query of a fresh callback.
pub(crate) async fn callback(flow: &ConnectFlow, org: &MockOrg) -> String {
    browse(&flow.begin(&request(org)).await.expect("begun")).await
}

/// A parameter of a query, as it stands there.
fn parameter<'a>(query: &'a str, name: &str) -> &'a str {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next().expect(name)
}
