//! Stops all clients of a connection at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::http::{HttpService, Request, Response};

/// On until it is stopped, for good.
#[derive(Clone, Debug, Default)]
pub(super) struct StopSwitch(Arc<AtomicBool>);

/// Reaches the clients that a switch belongs to for as long as there are any.
#[derive(Clone, Debug, Default)]
pub(super) struct WeakSwitch(Weak<AtomicBool>);

impl StopSwitch {
    pub(super) fn downgrade(&self) -> WeakSwitch {
        WeakSwitch(Arc::downgrade(&self.0))
    }
}

impl WeakSwitch {
    pub(super) fn stop(&self) {
        if let Some(switch) = self.0.upgrade() {
            switch.store(true, Ordering::SeqCst);
        }
    }

    /// The switch, while somebody uses it and it is on.
    pub(super) fn upgrade(&self) -> Option<StopSwitch> {
        self.0.upgrade().filter(|switch| !switch.load(Ordering::SeqCst)).map(StopSwitch)
    }
}

/// Sends until the switch is off; revocations always, since they end what is left.
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
        if self.switch.0.load(Ordering::SeqCst) && request.url.path() != "/services/oauth2/revoke" {
            return Err(Error::new(ErrorKind::ReauthRequired, "connection", "the org was disconnected")
                .with_reauth_reason(ReauthReason::Disconnected)
                .with_advice("connect the org again"));
        }
        self.http.send(request).await
    }
}
