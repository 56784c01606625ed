//! A Salesforce org to try a client on, without an account: `cargo run --example mock_org -- --port 8080`
//!
//! Once it listens it prints one line of JSON with everything a client needs, the access token live from the start for a
//! user with all rights, and it runs until it is told to stop. Its app takes any redirect URL on this machine; with `--consent`
//! a browser sent to `authorize_url` is shown who may log in, and asks. It holds what a customer's org holds before the first connect:
//! the accounts, contacts, leads and opportunities that the sample sessions belong to.

mod support;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sforce::testing::org::MockOrg;
use support::{Failure, customer_org, say};

/// Serves a stateful mock of a Salesforce org on a loopback port until it is told to stop.
#[derive(Debug, Parser)]
struct Args {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Time each answer takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Ask at each authorize request who logs in and whether the app may, on pages for a browser; without it the request
    /// of a known app is approved at once
    #[arg(long)]
    consent: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn serve(args: &Args) -> Result<(), Failure> {
    let latency = Duration::from_millis(args.latency_ms);
    let builder = MockOrg::builder().port(args.port).latency(latency).consent(args.consent);
    let org = customer_org(builder)?;
    let line = serde_json::json!({
        "base_url": org.base_url(),
        "authorize_url": org.authorize_url(),
        "token_url": format!("{}/services/oauth2/token", org.base_url()),
        "client_id": org.client_id(),
        "client_secret": org.client_secret(),
        "username": org.username(),
        "password": org.password(),
        "access_token": org.access_token(),
        "org_id": org.org_id(),
        "user_id": org.user_id(),
        "api_version": org.api_version(),
    });
    // Whoever reads this through a pipe waits for it.
    say(&line.to_string())?;
    stop_asked().await;
    Ok(())
}

/// Returns on ctrl-c, and on SIGTERM where there is such a thing.
async fn stop_asked() {
    #[cfg(unix)]
    {
        use std::pin::pin;
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            let (interrupt, terminate) = (pin!(tokio::signal::ctrl_c()), pin!(terminate.recv()));
            futures_util::future::select(interrupt, terminate).await;
            return;
        }
    }
    // Without a signal to wait for, only ctrl-c ends the program.
    let _ = tokio::signal::ctrl_c().await;
}
