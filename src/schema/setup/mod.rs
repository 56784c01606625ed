//! Carries plans out: set an org up, prove that it holds, take it away again.

mod apply;
mod changes;
mod grants;
mod metric;
mod remove;
mod sections;
mod verify;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::apply::{Applied, AssignmentOutcome};
pub use self::metric::{EnsuredField, MetricField};
pub use self::remove::{Filled, Leftover, Removal};
pub use self::verify::{Presence, Verification, VerifiedField, VerifiedObject};
use super::ledger::{Ledger, LedgerFile};
use super::plan::{SchemaPlan, Step, plan};
use super::read::read;
use super::{DesiredSchema, ItemKind, OrgSchema};
use crate::client::Client;
use crate::error::Result;
use crate::store::{MemoryStore, Store};
use crate::types::RecordId;

/// How long a deploy may take, unless said otherwise.
const DEADLINE: Duration = Duration::from_mins(20);

/// Sets an org up for a [`DesiredSchema`], and takes it away again.
///
/// Two users take part. The client is the set-up user's, who needs "View Setup and Configuration", "Customize Application", "Modify
/// Metadata Through Metadata API Functions", "Manage Profiles and Permission Sets" and "Assign Permission Sets"; the permission set goes to
/// the run-time user, which is the same one unless [`user`](SetupBuilder::user) names another.
///
/// What is made is written to a ledger in the store before it is made, so that a run that ended anywhere is finished by the next
/// one, and so that [`remove`](Self::remove) knows what to take away. Everything goes through REST, which takes every kind of token; page
/// layouts alone are read by SOAP, and are left to a person where SOAP refuses the token.
///
/// ```no_run
/// use std::time::Duration;
///
/// use sforce::schema::{DesiredSchema, Setup};
/// use sforce::store::MemoryStore;
///
/// # async fn run(admin: sforce::Client, integration: sforce::Client, schema: DesiredSchema) -> sforce::Result<()> {
/// // A store that outlives the process, in earnest.
/// let user = integration.user_info().await?.user_id;
/// let setup = Setup::builder(admin, schema).store(MemoryStore::default()).user(user).build().await?;
/// let plan = setup.plan().await?;
/// println!("{plan}");
/// let applied = setup.apply(&plan).await?;
/// for finding in &applied.by_hand {
///     println!("by hand: {finding}");
/// }
/// println!("{}", setup.verify(&integration).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Setup {
    client: Client,
    desired: DesiredSchema,
    org: RecordId,
    user: RecordId,
    ledger: LedgerFile,
    deadline: Duration,
    progress: Progress,
}

type Progress = Option<Arc<dyn Fn(&SetupProgress) + Send + Sync>>;

/// What a set-up is at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupProgress {
    /// A deploy of an earlier run is waited for.
    Resuming {
        /// Its id.
        deploy: RecordId,
    },
    /// A deploy is at work.
    Deploying {
        /// Its id.
        deploy: RecordId,
        /// Components that are through.
        done: u64,
        /// Components in all; 0 as long as Salesforce has not counted them.
        total: u64,
    },
    /// Fields of ours get what they lack.
    Changing {
        /// How many.
        fields: usize,
    },
    /// Rights are added to the permission set, and it is assigned.
    Granting {
        /// Rows of rights.
        rows: usize,
    },
    /// Something is taken away.
    Removing {
        /// What it is.
        kind: ItemKind,
        /// How many of it.
        count: usize,
    },
}

/// Settings of a [`Setup`].
#[must_use]
pub struct SetupBuilder {
    client: Client,
    desired: DesiredSchema,
    store: Arc<dyn Store>,
    user: Option<RecordId>,
    deadline: Duration,
    progress: Progress,
}

impl Setup {
    /// Sets an org up for a schema, as the set-up user of a client.
    pub fn builder(client: Client, desired: DesiredSchema) -> SetupBuilder {
        SetupBuilder {
            client,
            desired,
            store: Arc::new(MemoryStore::default()),
            user: None,
            deadline: DEADLINE,
            progress: None,
        }
    }

    /// Compares the schema with the org. Changes nothing. Costs 2 API calls, and one more for page layouts.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`](crate::ErrorKind::Config) before the first call, with all that is wrong with the schema.
    /// - [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) where the set-up user may not look, naming the permission and the two
    ///   ways out.
    /// - Any error of the store and of [`Client::send`].
    pub async fn plan(&self) -> Result<SchemaPlan> {
        let ledger = self.ledger.load().await?.ledger;
        self.plan_with(&self.desired, &ledger).await
    }

    async fn plan_with(&self, desired: &DesiredSchema, ledger: &Ledger) -> Result<SchemaPlan> {
        desired.check()?;
        let org = read(&self.client, desired, self.user).await?;
        Ok(self.plan_of(desired, &org, ledger))
    }

    /// A plan, in which the ledger knows the assignment as this user's: a set may be assigned to one user after another.
    fn plan_of(&self, desired: &DesiredSchema, org: &OrgSchema, ledger: &Ledger) -> SchemaPlan {
        let mut plan = plan(desired, org, ledger);
        for entry in plan.work.intents.iter_mut().filter(|entry| entry.kind == ItemKind::Assignment) {
            entry.name = self.assignment(&entry.name);
        }
        let there = plan.items().iter().filter(|item| item.kind == ItemKind::Assignment && item.step == Step::Nothing);
        let settled: Vec<(ItemKind, String)> =
            there.map(|item| (item.kind.clone(), self.assignment(&item.subject))).collect();
        plan.work.settled.extend(settled);
        plan
    }

    /// What the ledger calls the assignment of a permission set to the run-time user.
    fn assignment(&self, set: &str) -> String {
        format!("{set}/{}", self.user)
    }

    /// What was made so far, as the store has it.
    ///
    /// # Errors
    ///
    /// Any error of the store.
    pub async fn ledger(&self) -> Result<Ledger> {
        Ok(self.ledger.load().await?.ledger)
    }

    /// What is to be set up.
    #[must_use]
    pub fn desired(&self) -> &DesiredSchema {
        &self.desired
    }

    fn tell(&self, progress: &SetupProgress) {
        if let Some(listener) = &self.progress {
            listener(progress);
        }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("schema", &self.desired.name)
            .field("org", &self.org)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl SetupBuilder {
    /// Sets where the ledger is kept; by default in memory, so that it is lost with the process: what is in the org is then known
    /// as ours by its words alone, and nothing can be taken away.
    pub fn store(self, store: impl Store) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// Sets where the ledger is kept, shared with others.
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// Sets who gets the permission set; the set-up user by default.
    pub fn user(mut self, user: RecordId) -> Self {
        self.user = Some(user);
        self
    }

    /// Sets how long a deploy is waited for; 20 minutes by default. One that takes longer goes on, and the next run waits for it.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Calls back with what the set-up is at.
    pub fn progress(mut self, listener: impl Fn(&SetupProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(listener));
        self
    }

    /// Finds out which org and user the client is for. Costs no API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::access_token`] and of [`Client::user_info`].
    pub async fn build(self) -> Result<Setup> {
        let Self { client, desired, store, user, deadline, progress } = self;
        let (org, own) = org_and_user(&client).await?;
        let ledger = LedgerFile::new(store, org, &desired.name)?;
        Ok(Setup { client, desired, org, user: user.unwrap_or(own), ledger, deadline, progress })
    }
}

/// Which org and user a client is for. Costs no API call.
async fn org_and_user(client: &Client) -> Result<(RecordId, RecordId)> {
    let token = client.access_token().await?;
    if let (Some(org), Some(user)) = (token.org_id(), token.user_id()) {
        return Ok((org, user));
    }
    let info = client.user_info().await?;
    Ok((info.organization_id, info.user_id))
}

impl fmt::Debug for SetupBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetupBuilder")
            .field("schema", &self.desired.name)
            .field("user", &self.user)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
