//! The clients of this process, one per connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::entry::{Entry, connection_key, tokens_key};
use super::stop::{StopSwitch, Stoppable, WeakSwitch};
use super::{ConnectionInfo, Connections, Inner};
use crate::auth::{AccessToken, LoginHost, TokenManager, TokenProvider};
use crate::client::Client;
use crate::error::{ErrorKind, ReauthReason, Result};
use crate::http::HttpService;

/// Clients that are kept; past it those that were not asked for the longest are let go, and made anew when they are.
const MOST: usize = 10_000;

/// A client that was handed out.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) manager: TokenManager,
}

/// Clients of this process, by the key of their connection.
#[derive(Default)]
pub(super) struct Clients {
    slots: HashMap<String, Slot>,
    asked: u64,
}

struct Slot {
    incarnation: String,
    consent: String,
    login: LoginHost,
    /// Gone once it was let go; others may still work with it.
    live: Option<Live>,
    switch: WeakSwitch,
    /// When it was asked for last.
    asked: u64,
}

impl Clients {
    fn make_room(&mut self, most: usize) {
        if self.slots.len() < most {
            return;
        }
        let mut times: Vec<u64> = self.slots.values().map(|slot| slot.asked).collect();
        times.sort_unstable();
        let quarter = times.get(times.len() / 4).copied().unwrap_or_default();
        for slot in self.slots.values_mut().filter(|slot| slot.asked < quarter) {
            slot.live = None;
        }
        // Clients that are still in use elsewhere stay within reach of a disconnect.
        self.slots.retain(|_, slot| slot.live.is_some() || slot.switch.upgrade().is_some());
    }
}

impl Connections {
    /// The client of a connection; all who ask in this process share it.
    pub(super) fn live(&self, tenant: &str, entry: &Entry) -> Result<Live> {
        let key = connection_key(tenant, &entry.id)?.as_str().to_owned();
        let login = entry.login(self.inner.loopback)?;
        let mut clients = self.inner.live.lock().unwrap_or_else(PoisonError::into_inner);
        clients.asked += 1;
        let asked = clients.asked;
        let mut switch = None;
        // One of another incarnation belonged to what was forgotten.
        if let Some(slot) = clients.slots.get_mut(&key).filter(|slot| slot.incarnation == entry.incarnation) {
            if let Some(live) = slot.live.as_ref().filter(|_| slot.login == login) {
                (slot.consent, slot.asked) = (entry.consent.clone(), asked);
                return Ok(live.clone());
            }
            switch = slot.switch.upgrade();
        }
        clients.make_room(MOST);
        let switch = switch.unwrap_or_default();
        let live = self.make_live(tenant, entry, &login, switch.clone())?;
        let slot = Slot {
            incarnation: entry.incarnation.clone(),
            consent: entry.consent.clone(),
            login,
            live: Some(live.clone()),
            switch: switch.downgrade(),
            asked,
        };
        clients.slots.insert(key, slot);
        Ok(live)
    }

    fn make_live(&self, tenant: &str, entry: &Entry, login: &LoginHost, switch: StopSwitch) -> Result<Live> {
        let (inner, info) = (&self.inner, entry.info());
        let manager = self.manager(tenant, &info, login, &entry.incarnation)?;
        let provider = Watched {
            manager: manager.clone(),
            every: inner.watch,
            registry: Arc::downgrade(inner),
            tenant: tenant.to_owned(),
            id: entry.id.clone(),
            told: AtomicBool::new(false),
        };
        let builder = Client::builder(provider);
        let builder = match &inner.client_settings {
            Some(settings) => settings(&info, builder),
            None => builder,
        };
        let http = Stoppable::new(Arc::clone(&inner.http), switch);
        let client = builder.http(http).clock(Arc::clone(&inner.clock)).build()?;
        Ok(Live { client, manager })
    }

    pub(super) fn manager(
        &self,
        tenant: &str,
        info: &ConnectionInfo,
        login: &LoginHost,
        incarnation: &str,
    ) -> Result<TokenManager> {
        let inner = &self.inner;
        let manager = TokenManager::builder(login.clone(), &inner.client_id);
        let manager = match &inner.token_settings {
            Some(settings) => settings(info, manager),
            None => manager,
        };
        let manager = manager
            .store(Arc::clone(&inner.store), tokens_key(tenant, &info.id, incarnation)?)
            .clock(Arc::clone(&inner.clock));
        match &inner.client_secret {
            Some(secret) => manager.client_secret(secret.clone()).build(),
            None => manager.build(),
        }
    }

    /// Stops the clients of a connection in this process, for good; those of that consent only, if one is given.
    pub(super) fn stop(&self, tenant: &str, id: &str, consent: Option<&str>) {
        let Ok(key) = connection_key(tenant, id) else { return };
        let mut clients = self.inner.live.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = |slot: &Slot| consent.is_none_or(|consent| slot.consent == consent);
        if clients.slots.get(key.as_str()).is_some_and(meant)
            && let Some(slot) = clients.slots.remove(key.as_str())
        {
            slot.switch.stop();
        }
    }

    /// Lets the client of a connection go that is not there any more.
    pub(super) fn let_go(&self, tenant: &str, id: &str) {
        let Ok(key) = connection_key(tenant, id) else { return };
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner).slots.remove(key.as_str());
    }
}

/// Looks at the stored tokens now and then, so that work ends soon after another process has disconnected; and has the end of
/// a connection told.
struct Watched {
    manager: TokenManager,
    every: Duration,
    /// Not owned: the registry owns this.
    registry: Weak<Inner>,
    tenant: String,
    id: String,
    told: AtomicBool,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.manager.fmt(f)
    }
}

#[async_trait]
impl TokenProvider for Watched {
    async fn fetch(&self, http: &dyn HttpService, rejected: Option<&AccessToken>) -> Result<AccessToken> {
        match self.manager.fetch(http, rejected).await {
            Ok(token) => {
                self.told.store(false, Ordering::SeqCst);
                let next = token.ask_again().map_or(self.every, |time| time.min(self.every));
                Ok(token.ask_again_after(next))
            }
            Err(error) => {
                let ended = error.reauth_reason().filter(|reason| is_an_end(*reason));
                if error.kind() == ErrorKind::ReauthRequired
                    && ended.is_some()
                    && !self.told.load(Ordering::SeqCst)
                    && let Some(inner) = self.registry.upgrade()
                {
                    let registry = Connections { inner, actor: None };
                    // The next call tries again.
                    let told = registry.tell_end(&self.tenant, &self.id).await.is_ok();
                    self.told.store(told, Ordering::SeqCst);
                }
                Err(error)
            }
        }
    }
}

/// Whether Salesforce has ended a connection, not we.
pub(super) fn is_an_end(reason: ReauthReason) -> bool {
    matches!(reason, ReauthReason::Refused | ReauthReason::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_nobody_asks_for_are_let_go_and_those_in_use_can_still_be_stopped() {
        let mut clients = Clients::default();
        let used = StopSwitch::default();
        for number in 0..8_u64 {
            let switch = if number == 0 { used.downgrade() } else { WeakSwitch::default() };
            let slot = Slot {
                incarnation: String::new(),
                consent: String::new(),
                login: LoginHost::production(),
                live: None,
                switch,
                asked: number,
            };
            clients.slots.insert(number.to_string(), slot);
        }
        clients.make_room(9);
        assert_eq!(clients.slots.len(), 8, "there is room");
        clients.make_room(8);
        assert_eq!(clients.slots.keys().collect::<Vec<_>>(), ["0"], "its client works on elsewhere");
        drop(used);
        clients.make_room(1);
        assert!(clients.slots.is_empty());
    }
}
