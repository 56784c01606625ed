//! Packages into the org, by REST: the way that is open for every token.

mod failure;
mod lenient;
mod options;
mod result;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

pub use self::failure::DeployFailures;
pub use self::options::{DeployOptions, TestLevel};
pub use self::result::{
    CoverageWarning, DeployDetails, DeployMessage, DeployResult, DeployStatus, ProblemType, RunTestsResult,
    TestFailure, TestSuccess,
};
use super::{MAX_ZIP, denied};
use crate::api::multipart::{FilePart, Form};
use crate::api::wait::{Looks, until_ended};
use crate::client::{ApiRequest, ApiResponse, Client};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::types::RecordId;

/// Up to so many components, each look at a deploy tells what became of each, so that the last one needs no other.
const FEW_COMPONENTS: u64 = 200;

const PATH: &str = "/metadata/deployRequest";

/// A deploy that was begun. Dropping it changes nothing: the deploy goes on, and [`Client::deploy_job`] opens it again by its id.
#[derive(Clone)]
pub struct DeployJob {
    client: Client,
    id: RecordId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Begin<'a> {
    deploy_options: &'a DeployOptions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QuickDeploy {
    validated_deploy_request_id: RecordId,
}

/// The answer to a look.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    deploy_result: Option<DeployResult>,
}

/// The answer to a deploy that was begun. The id is all that counts: whatever else it tells must not get it lost.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    #[serde(default)]
    id: Option<RecordId>,
    #[serde(default)]
    deploy_result: Option<serde_json::Value>,
}

impl Begun {
    fn id(self) -> Option<RecordId> {
        let within = || RecordId::new(self.deploy_result.as_ref()?.get("id")?.as_str()?).ok();
        self.id.or_else(within)
    }
}

impl Client {
    /// Begins to deploy a zip with its `package.xml`. Costs one API call.
    ///
    /// Works with every kind of token, JWT-based ones too, which SOAP refuses. The user needs "Modify Metadata Through Metadata API
    /// Functions" or "Modify All Data". The zip is sent as it is and never copied.
    ///
    /// **Not repeated after a lost answer**, and [`Error::effect`] says [`Effect::Unknown`] then. Deploying the same zip twice leaves
    /// the org as deploying it once does, but the two queue one after the other: the second holds up every other deploy of the org,
    /// runs the tests again, takes back what an admin has changed in between, and fails where the first has deleted something. Read
    /// what is there, and deploy what is missing. A [check](DeployOptions::check_only) changes nothing, and is repeated.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use sforce::api::metadata::DeployOptions;
    ///
    /// # async fn run(client: sforce::Client, zip: Vec<u8>) -> sforce::Result<()> {
    /// let job = client.deploy(zip, &DeployOptions::new()).await?;
    /// println!("{}", job.id()); // for `deploy_job`, should the program end now
    /// let result = job.wait(Duration::from_mins(10)).await?.into_result()?;
    /// println!("{} components", result.number_components_deployed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no zip, one of more than [`MAX_ZIP`], or tests that do not fit their level.
    /// - [`ErrorKind::Forbidden`] without the permission.
    /// - Any error of [`Client::send`].
    ///
    /// Source: Metadata API Developer Guide, "Deploy Metadata with Apex Testing Using REST".
    pub async fn deploy(&self, zip: impl Into<Bytes>, options: &DeployOptions) -> Result<DeployJob> {
        const OPERATION: &str = "deploy";
        let zip: Bytes = zip.into();
        options.check()?;
        check_zip(&zip)?;
        let file = FilePart { name: "file", file_name: "deploy.zip", media_type: "application/zip" };
        let form = Form::new(OPERATION, "json", &Begin { deploy_options: options }, &file)?;
        let length = zip.len() as u64;
        let media_type = form.media_type()?;
        let body = move || form.body(length, stream::iter([Ok(zip.clone())]).boxed());
        let request = ApiRequest::post(OPERATION, PATH).context("bytes", length).body_from(media_type, body);
        let request = if options.check_only { request.idempotent() } else { request };
        self.begin(request, OPERATION).await
    }

    /// Deploys what a [check](DeployOptions::check_only) has found good within the last 10 days, without running the tests again.
    /// Costs one API call.
    ///
    /// The check has to have run its tests, and nothing may have been deployed since. Not repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for what cannot be deployed so; otherwise as for [`deploy`](Self::deploy).
    ///
    /// Source: Metadata API Developer Guide, "Deploy a Recently Validated Component Set Without Tests".
    pub async fn quick_deploy(&self, validated: RecordId) -> Result<DeployJob> {
        const OPERATION: &str = "deploy.quick";
        let request = ApiRequest::post(OPERATION, format!("{PATH}/{validated}")).context("deploy", validated);
        let request = request.json(&QuickDeploy { validated_deploy_request_id: validated })?;
        self.begin(request, OPERATION).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.with_advice(
                "only a check of the last 10 days that ended well and ran its tests can be deployed so, and only until the next \
                 deploy: deploy the package itself",
            ),
            _ => error,
        })
    }

    /// Opens a deploy again by its id, after a crash or in another process. Costs nothing: the first look tells whether there is one.
    #[must_use]
    pub fn deploy_job(&self, id: RecordId) -> DeployJob {
        DeployJob { client: self.clone(), id }
    }

    async fn begin(&self, request: ApiRequest, operation: &'static str) -> Result<DeployJob> {
        let began: Result<DeployJob> = async {
            let answer: Begun = self.send(request).await?.json()?;
            let id = answer.id().ok_or_else(|| {
                Error::new(ErrorKind::Decode, operation, "the answer has no id").with_effect(Effect::Unknown)
            })?;
            Ok(self.deploy_job(id))
        }
        .await;
        began.map_err(|error| match error.effect() {
            Effect::Unknown if error.advice().is_none() => error.with_advice(
                "the deploy may have begun: Setup > Environments > Deploy > Deployment Status lists it, and deploy_job opens it by \
                 its id; read what the org has before deploying again",
            ),
            _ => denied(error),
        })
    }
}

impl DeployJob {
    /// Its id, `0Af…`: to be written down if the program may end before the deploy does.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// How far it is, in numbers. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that is none of a deploy; any error of [`Client::send`].
    pub async fn status(&self) -> Result<DeployResult> {
        self.look(false).await
    }

    /// How far it is, with what became of each component so far. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`status`](Self::status).
    pub async fn status_with_details(&self) -> Result<DeployResult> {
        self.look(true).await
    }

    /// Waits until it has ended, well or not: see [`DeployResult::into_result`]. The result has its details.
    ///
    /// Looks after 50 ms first, then after a fifth of the time it has taken so far, at most 5 s; each look costs one API call, and of
    /// more than 200 components there is one more, for the details. A look that fails for a reason that passes is taken for "not yet".
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] past the deadline: the deploy goes on, and can be waited for again or cancelled; as for
    /// [`status`](Self::status).
    pub async fn wait(&self, deadline: Duration) -> Result<DeployResult> {
        self.wait_watching(deadline, |_| {}).await
    }

    /// As [`wait`](Self::wait), and shows what each look has seen: components and tests that are through, and of how many.
    ///
    /// ```no_run
    /// # async fn run(job: sforce::api::metadata::DeployJob) -> sforce::Result<()> {
    /// let deadline = std::time::Duration::from_mins(10);
    /// let result = job
    ///     .wait_watching(deadline, |seen| {
    ///         println!("{}: {} of {}", seen.status, seen.number_components_deployed, seen.number_components_total);
    ///     })
    ///     .await?;
    /// # let _ = result;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    pub async fn wait_watching(
        &self,
        deadline: Duration,
        mut seen: impl FnMut(&DeployResult) + Send,
    ) -> Result<DeployResult> {
        let many = AtomicBool::new(false);
        let look = || {
            let details = !many.load(Ordering::Relaxed);
            self.look(details)
        };
        let going = |result: &DeployResult| {
            seen(result);
            many.store(result.number_components_total > FEW_COMPONENTS, Ordering::Relaxed);
            (!result.is_done()).then(|| result.status.to_string())
        };
        let late = || {
            Error::new(ErrorKind::Unavailable, "deploy.wait", "the deploy has not ended by the deadline")
                .with_retry(Retry::After(None))
                .with_effect(Effect::Unknown)
                .with_advice("the deploy goes on: wait for it again, or cancel it")
                .with_context("deploy", self.id)
        };
        let result = until_ended(&self.client, deadline, Looks::Often, look, going, late).await?;
        if result.details.is_some() { Ok(result) } else { self.look(true).await }
    }

    /// Cancels it. Costs one API call, and one more where it is refused; repeated by itself.
    ///
    /// What waits for its turn is cancelled at once; otherwise the status is [`DeployStatus::Canceling`] until
    /// [`wait`](Self::wait) sees the end.
    ///
    /// # Errors
    ///
    /// Salesforce's refusal where it has ended, or, from API 65.0 on, is being finalised; any error of [`Client::send`].
    ///
    /// Source: Metadata API Developer Guide, "Cancel a Deployment in Progress Using REST".
    pub async fn cancel(&self) -> Result<DeployResult> {
        let body = serde_json::json!({"deployResult": {"status": "Canceling"}});
        let request = ApiRequest::patch("deploy.cancel", self.path()).context("deploy", self.id).idempotent();
        match self.client.send(request.json(&body)?).await {
            Ok(answer) => match self.read(&answer) {
                Ok(result) => Ok(DeployResult { details: None, ..result }),
                // It is taken; an answer that does not say how far it is gets asked for it.
                Err(_) => self.status().await,
            },
            // An attempt whose answer was lost, or somebody else, has cancelled it already.
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Conflict) => {
                let now = self.status().await?;
                if matches!(now.status, DeployStatus::Canceling | DeployStatus::Canceled) {
                    return Ok(now);
                }
                Err(error
                    .with_context("state", &now.status)
                    .with_advice("what has ended, or is being finalised, cannot be cancelled: deploy what undoes it"))
            }
            Err(error) => Err(denied(error)),
        }
    }

    fn path(&self) -> String {
        format!("{PATH}/{}", self.id)
    }

    async fn look(&self, details: bool) -> Result<DeployResult> {
        let request = ApiRequest::get("deploy.status", self.path()).context("deploy", self.id);
        let request = if details { request.query("includeDetails", "true") } else { request };
        let mut result = self.read(&self.client.send(request).await.map_err(denied)?)?;
        if details {
            // Details that were asked for and are none are those of no component yet.
            result.details.get_or_insert_default();
        } else {
            // Salesforce writes empty lists where they were not asked for.
            result.details = None;
        }
        Ok(result)
    }

    fn read(&self, answer: &ApiResponse) -> Result<DeployResult> {
        let read: Answer = answer.json()?;
        let mut result = read
            .deploy_result
            .ok_or_else(|| Error::new(ErrorKind::Decode, "deploy.status", "the answer has no result"))?;
        result.id = Some(self.id);
        Ok(result)
    }
}

impl fmt::Debug for DeployJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeployJob({})", self.id)
    }
}

fn check_zip(zip: &[u8]) -> Result<()> {
    let invalid = |message| Error::new(ErrorKind::Invalid, "deploy", message).with_context("bytes", zip.len());
    if zip.len() > MAX_ZIP {
        return Err(invalid("the zip is larger than Salesforce takes")
            .with_context("limit_bytes", MAX_ZIP)
            .with_advice("deploy in several packages, what others refer to first"));
    }
    // Every zip with a file in it begins so.
    if !zip.starts_with(b"PK\x03\x04") {
        return Err(invalid("what is to be deployed is no zip with files in it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
