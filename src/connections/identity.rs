//! Who a connection works as, and where.

use serde::Serialize;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Literal, Record, RecordId, Soql, Value};

/// Who a connection works as, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrgIdentity {
    /// The org.
    pub org_id: RecordId,
    /// The org's name.
    pub org_name: String,
    /// The edition, such as `Enterprise Edition`; a trial and a Developer Edition say so.
    pub edition: Option<String>,
    /// Whether the org is a sandbox.
    pub sandbox: bool,
    /// The user.
    pub user_id: RecordId,
    /// The user's log-in name.
    pub username: String,
    /// The user's profile.
    pub profile: Option<String>,
    /// The profile's licence, such as `Salesforce` or `Salesforce Integration`.
    pub licence: Option<String>,
}

impl OrgIdentity {
    pub(super) async fn read(client: &Client, user: Option<RecordId>, pinned: RecordId) -> Result<Self> {
        let user = match user {
            Some(user) => user,
            None => client.user_info().await?.user_id,
        };
        let statement = "SELECT Id, Username, Profile.Name, Profile.UserLicense.Name FROM User WHERE Id = :user";
        let users: Vec<Record> = client.query(Soql::bind(statement, [("user", Literal::Id(user))])?).collect().await?;
        let org = "SELECT Id, Name, OrganizationType, IsSandbox FROM Organization LIMIT 1";
        let orgs: Vec<Record> = client.query(org).collect().await?;
        let (Some(user), Some(org)) = (users.first(), orgs.first()) else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "connection",
                "the org shows neither its own record nor the user's",
            ));
        };
        let text = |record: &Record, path: &str| record.path(path).and_then(Value::as_text).map(str::to_owned);
        let id = |record: &Record| {
            let missing = || Error::new(ErrorKind::Decode, "connection", "a record without its id");
            record.get("Id").and_then(Value::to_id).ok_or_else(missing)
        };
        let org_id = id(org)?;
        if org_id != pinned {
            return Err(Error::new(ErrorKind::Conflict, "connection", "another org answers than the connection's")
                .with_context("expected", pinned)
                .with_context("found", org_id)
                .with_advice("disconnect it and connect the org again"));
        }
        Ok(Self {
            org_id,
            org_name: text(org, "Name").unwrap_or_default(),
            edition: text(org, "OrganizationType"),
            sandbox: org.get("IsSandbox").and_then(Value::as_bool).unwrap_or_default(),
            user_id: id(user)?,
            username: text(user, "Username").unwrap_or_default(),
            profile: text(user, "Profile.Name"),
            licence: text(user, "Profile.UserLicense.Name"),
        })
    }

    /// What to say to who connected as a person instead of an integration user; `None` where all is well.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        if self.is_integration_user() {
            return None;
        }
        Some(if self.profile.as_deref() == Some("System Administrator") {
            "The connection works as an administrator: it may do everything, its changes cannot be told from that person's, and \
             it breaks when they leave. Connect as a user of its own with the Salesforce Integration licence."
        } else {
            "The connection works as a person: its changes cannot be told from theirs, and it breaks when they leave. Connect \
             as a user of its own, with the Salesforce Integration licence where the org has one."
        })
    }

    /// Whether the licence is the one that Salesforce gives to integrations: the user can be disabled alone, and what it did
    /// stands out in the audit trail.
    #[must_use]
    pub fn is_integration_user(&self) -> bool {
        self.licence.as_deref().is_some_and(|licence| licence.contains("Integration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nav_18_a_connection_that_works_as_a_person_or_an_admin_is_warned_of() {
        let of = |profile: &str, licence: &str| OrgIdentity {
            org_id: RecordId::new("00D5g00000ABCDE").expect("an id"),
            org_name: "Acme".into(),
            edition: None,
            sandbox: false,
            user_id: RecordId::new("0055g00000ABCDE").expect("an id"),
            username: "x".into(),
            profile: Some(profile.into()),
            licence: Some(licence.into()),
        };
        assert_eq!(of("Salesforce API Only System Integrations", "Salesforce Integration").warning(), None);
        assert!(of("System Administrator", "Salesforce").warning().is_some_and(|text| text.contains("administrator")));
        assert!(of("Standard User", "Salesforce").warning().is_some_and(|text| text.contains("as a person")));
    }
}
