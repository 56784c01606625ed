//! Stops all clients of a connection at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::http::{HttpService, Request, Response};

/// On until it is stopped, for good.
#[derive(Clone, Debug, Default)]
pub(super) struct StopSwitch(Arc<AtomicBool>);

impl StopSwitch {
    pub(super) fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Sends until the switch is off.
#[derive(Debug)]
pub(super) struct Stoppable {
    http: Arc<dyn HttpService>,
    switch: StopSwitch,
}

impl Stoppable {
    pub(super) fn new(http: Arc<dyn HttpService>, switch: StopSwitch) -> Self {
        Self { http, switch }
    }
}

#[async_trait]
impl HttpService for Stoppable {
    async fn send(&self, request: Request) -> Result<Response> {
        if self.switch.0.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::ReauthRequired, "connection", "the org was disconnected")
                .with_reauth_reason(ReauthReason::Disconnected)
                .with_advice("connect the org again"));
        }
        self.http.send(request).await
    }
}
