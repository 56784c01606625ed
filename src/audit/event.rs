//! One event.

use serde::{Deserialize, Serialize};

use crate::error::ReauthReason;
use crate::store::Versioned;
use crate::types::{RecordId, Timestamp};

/// How events are stored, here and by whoever hands them on.
pub(crate) const EVENTS: Versioned<AuditEvent> = Versioned::new("audit event", 1);

/// What was done, where, by whom and when. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEvent {
    /// Tells events apart: one that comes twice has the same.
    pub id: String,
    /// When, to the millisecond, by the clock of the machine that did it.
    pub at: Timestamp,
    /// The customer of the product.
    pub tenant: String,
    /// The connection.
    pub connection: String,
    /// The org.
    pub org_id: RecordId,
    /// The Salesforce user as whom the connection acts, where the org told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<RecordId>,
    /// The person or job of the product that did it, as the product named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What was done.
    #[serde(flatten)]
    pub action: AuditAction,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditAction {
    /// An org was connected for the first time.
    Connected,
    /// A connection was made again, whether it worked or not.
    Reconnected,
    /// A connection was ended on our side: no work goes on, the tokens are purged.
    Disconnected,
    /// Salesforce has revoked tokens that were purged.
    #[non_exhaustive]
    TokensRevoked {
        /// Whether surely none is left. If not, a renewal was cut off, and may have brought one that nobody knows.
        certain: bool,
    },
    /// Salesforce has ended a connection: a person has to connect the org again.
    #[non_exhaustive]
    Ended {
        /// Why.
        #[serde(with = "reason")]
        reason: ReauthReason,
    },
    /// All that was kept of a connection was deleted.
    Forgotten,
}

impl AuditAction {
    pub(crate) fn ended(reason: ReauthReason) -> Self {
        Self::Ended { reason }
    }

    pub(crate) fn revoked(certain: bool) -> Self {
        Self::TokensRevoked { certain }
    }
}

impl AuditEvent {
    /// The event that this happens now to a connection.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        at: Timestamp,
        tenant: impl Into<String>,
        connection: impl Into<String>,
        org_id: RecordId,
        action: AuditAction,
    ) -> Self {
        let (id, tenant, connection) = (id.into(), tenant.into(), connection.into());
        Self { id, at, tenant, connection, org_id, user_id: None, actor: None, action }
    }

    /// Names the Salesforce user as whom the connection acts.
    #[must_use]
    pub fn with_user(mut self, user: Option<RecordId>) -> Self {
        self.user_id = user;
        self
    }

    /// Names who did it in the product.
    #[must_use]
    pub fn with_actor(mut self, actor: Option<String>) -> Self {
        self.actor = actor;
        self
    }

    /// A part of a key that sorts by time and is the same for the same event.
    pub(crate) fn place(&self) -> String {
        format!("{:015}/{}", self.at.unix_millis().max(0), self.id)
    }
}

/// Reasons as words that stay.
mod reason {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::error::ReauthReason;

    const WORDS: [(&str, ReauthReason); 4] = [
        ("not_connected", ReauthReason::NotConnected),
        ("refused", ReauthReason::Refused),
        ("interrupted", ReauthReason::Interrupted),
        ("disconnected", ReauthReason::Disconnected),
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to the member")]
    pub(super) fn serialize<S: Serializer>(reason: &ReauthReason, serializer: S) -> Result<S::Ok, S::Error> {
        let word = WORDS.iter().find(|(_, known)| known == reason).map_or("refused", |(word, _)| word);
        serializer.serialize_str(word)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReauthReason, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, reason)| *reason).ok_or_else(|| D::Error::custom("an unknown reason"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: AuditAction) -> AuditEvent {
        let at = Timestamp::from_unix_millis(1_767_225_600_000).expect("in range");
        AuditEvent::new("e1", at, "tenant-7", "default", "00D5g00000ABCDE".parse().expect("an id"), action)
            .with_user("0055g00000ABCDE".parse().ok())
            .with_actor(Some("user-17".into()))
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let reasons =
            [ReauthReason::NotConnected, ReauthReason::Refused, ReauthReason::Interrupted, ReauthReason::Disconnected];
        let ends = reasons.map(|reason| AuditAction::Ended { reason });
        let others = [
            AuditAction::Connected,
            AuditAction::Reconnected,
            AuditAction::Disconnected,
            AuditAction::TokensRevoked { certain: true },
            AuditAction::Forgotten,
        ];
        for action in ends.into_iter().chain(others) {
            let event = event(action);
            let written = EVENTS.encode(&event).expect("JSON");
            assert_eq!(EVENTS.decode(&written).expect("reads"), event);
        }
    }

    #[test]
    fn format_1_of_an_event_is_read() {
        let stored = include_bytes!("../../tests/fixtures/store/audit-event-v1.json");
        let read = EVENTS.decode(stored).expect("format 1");
        assert_eq!(read, event(AuditAction::Ended { reason: ReauthReason::Interrupted }));
        assert_eq!(EVENTS.encode(&read).expect("JSON"), stored.trim_ascii());
    }
}
