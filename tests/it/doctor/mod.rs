//! What an org or its user lacks for a product: each right by itself, and everything else that can be in the way.

mod matrix;
mod org;
mod program;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sforce::Client;
use sforce::adapters::setup::Preset;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::schema::{Finding, ObjectRight, Report, RequirementSet, Setup, Severity, preflight};
use sforce::store::MemoryStore;
use sforce::testing::ManualClock;
use sforce::testing::org::{MockOrg, TestUser, UserSpec};
use sforce::types::{RecordId, SObjectName};

use crate::support::client;

/// An org with all that a preset makes, and a user who has what it needs and no more.
struct Clinic {
    org: MockOrg,
    user: TestUser,
    preset: Preset,
    store: Arc<MemoryStore>,
    required: RequirementSet,
}

/// Objects whose rights come with another object or with the licence.
const WITHOUT_RIGHTS: [&str; 8] = [
    "Event",
    "Task",
    "User",
    "OpportunityContactRole",
    "OpportunityHistory",
    "OpportunityStage",
    "OpportunityTeamMember",
    "AccountTeamMember",
];

fn has_rights(object: &str) -> bool {
    !WITHOUT_RIGHTS.contains(&object)
}

impl Clinic {
    async fn new(preset: Preset) -> Self {
        let (org, required) = (MockOrg::start(), preset.requirements());
        let user = org.add_user(UserSpec::new("robot@example.com"));
        let clinic = Self { org, user, preset, store: Arc::default(), required };
        clinic.set_up().await;
        let granted = preset.desired_schema().permission_set.expect("one");
        clinic.grant_the_rest(&granted).await;
        clinic.org.insert("Account", json!({ "Name": "A" }));
        clinic.org.insert("Contact", json!({ "LastName": "L" }));
        clinic.org.insert("Opportunity", json!({ "Name": "O", "StageName": "Prospecting", "CloseDate": "2030-01-01" }));
        clinic
    }

    /// Makes what is missing, as an admin whose ledger knows what it has given: that is given again.
    async fn set_up(&self) {
        let user = RecordId::new(&self.user.user_id).expect("an id");
        let setup =
            Setup::builder(client(&self.org), self.preset.desired_schema()).user(user).store(Arc::clone(&self.store));
        setup.build().await.expect("sound").run().await.expect("set up");
    }

    /// A permission set with what the preset's own does not grant: system permissions, and what is less than required.
    async fn grant_the_rest(&self, granted: &sforce::api::metadata::PermissionSet) {
        let org = &self.org;
        // To look at rights on objects.
        let mut flags = Map::from_iter([("PermissionsViewSetup".to_owned(), json!(true))]);
        for permission in &self.required.permissions {
            flags.insert(format!("Permissions{}", permission.any_of[0]), json!(true));
        }
        flags.extend([("Name".to_owned(), json!("Rest")), ("Label".to_owned(), json!("Rest"))]);
        let set = org.insert("PermissionSet", Value::Object(flags));
        org.insert("PermissionSetAssignment", json!({ "AssigneeId": self.user.user_id, "PermissionSetId": set }));
        for object in &self.required.objects {
            let name = object.object.as_str();
            let own = granted.objects.iter().find(|granted| granted.object == name);
            if own.is_none() && has_rights(name) {
                org.insert(
                    "ObjectPermissions",
                    json!({ "ParentId": set, "SobjectType": name, "PermissionsRead": true }),
                );
            }
            for field in self.permissionable(name).await {
                let Some(wanted) = object.fields.iter().find(|wanted| wanted.field.as_str() == field) else { continue };
                let full_name = format!("{name}.{field}");
                let own = granted.fields.iter().find(|granted| granted.field == full_name);
                if own.is_some_and(|own| own.editable || wanted.write.is_none()) {
                    continue;
                }
                org.insert(
                    "FieldPermissions",
                    json!({ "ParentId": set, "SobjectType": name, "Field": full_name, "PermissionsRead": true,
                            "PermissionsEdit": wanted.write.is_some() }),
                );
            }
        }
    }

    /// The fields of an object that take a field permission; none of an object that the org does not have.
    async fn permissionable(&self, object: &str) -> Vec<String> {
        let name = SObjectName::new(object).expect("a name");
        let Ok(seen) = client(&self.org).describe(&name).await else { return Vec::new() };
        seen.fields.into_iter().filter(|field| field.permissionable).map(|field| field.name).collect()
    }

    fn client(&self) -> Client {
        client_of(&self.org, &self.user)
    }

    async fn report(&self) -> Report {
        preflight(&self.client(), &self.required).await.expect("looked at")
    }
}

fn client_of(org: &MockOrg, user: &TestUser) -> Client {
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let provider = ClientCredentials::new(host, &*user.client_id, &*user.client_secret).expect("complete");
    Client::builder(provider).clock(ManualClock::default()).build().expect("a client")
}

/// Code and subject of each finding.
fn named(findings: &[Finding]) -> BTreeSet<(String, String)> {
    findings.iter().map(|finding| (finding.code.to_owned(), finding.subject.clone())).collect()
}

fn codes(report: &Report, severity: Severity) -> Vec<&'static str> {
    report.of(severity).map(|finding| finding.code).collect()
}
