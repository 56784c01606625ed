//! Reads what an org shows, in the fewest calls.

use std::collections::{BTreeMap, BTreeSet};

use super::permission::{ALWAYS, BROAD};
use super::{
    ActingUser, Looked, ObjectRights, OrgProfile, OrgView, Report, RequirementSet, SetupChange, check, refusal,
};
use crate::api::{Composite, CompositeResponse, MAX_COLLECTIONS_AND_QUERIES, MAX_SUBREQUESTS, Subrequest, Subresult};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Literal, Record, SObjectDescribe, SObjectName, Soql, Value};

/// Changes to the org's setup that are read.
const CHANGES: u32 = 10;

/// Who the current user is to the org, with the system permissions as columns. "API users without `PermissionsViewSetup` can use this
/// object to check if their own sessions have access to a feature" (Object Reference, `UserPermissionAccess`, API 41.0 and later).
const ACCESS: SObjectName = SObjectName::from_static("UserPermissionAccess");

/// Objects that have an org-wide default of their own on `Organization`, and its column.
const SHARED: [(&str, &str); 6] = [
    ("Account", "DefaultAccountAccess"),
    ("Contact", "DefaultContactAccess"),
    ("Opportunity", "DefaultOpportunityAccess"),
    ("Lead", "DefaultLeadAccess"),
    ("Case", "DefaultCaseAccess"),
    ("Campaign", "DefaultCampaignAccess"),
];

/// What a subrequest asks for.
#[derive(Clone, Debug)]
enum Ask {
    Object(SObjectName),
    Permissions(Vec<String>),
    Rights(Soql),
    Org,
    User(Soql),
    Changes,
    Records(SObjectName),
}

impl Ask {
    fn subrequest(&self) -> Subrequest {
        match self {
            Self::Object(object) => Subrequest::new(http::Method::GET, format!("/sobjects/{object}/describe")),
            Self::Permissions(names) => Subrequest::query(permissions_soql(names)),
            Self::Rights(soql) | Self::User(soql) => Subrequest::query(soql.clone()),
            Self::Org => {
                let columns: Vec<&str> = SHARED.iter().map(|(_, column)| *column).collect();
                Subrequest::query(format!(
                    "SELECT Id,OrganizationType,IsSandbox,TrialExpirationDate,InstanceName,{} FROM Organization",
                    columns.join(",")
                ))
            }
            Self::Changes => Subrequest::query(format!(
                "SELECT CreatedDate,Section,Display FROM SetupAuditTrail ORDER BY CreatedDate DESC NULLS LAST LIMIT {CHANGES}"
            )),
            Self::Records(object) => Subrequest::query(format!("SELECT Id FROM {object} LIMIT 1")),
        }
    }

    fn is_query(&self) -> bool {
        !matches!(self, Self::Object(_))
    }
}

fn permissions_soql(names: &[String]) -> String {
    let columns: Vec<String> = names.iter().map(|name| format!("Permissions{name}")).collect();
    format!("SELECT {} FROM {ACCESS}", columns.join(","))
}

/// Looks whether a user can do a job in an org, and tells all that is missing at once.
///
/// Works as the user of the connection, who need not be an admin: what that user may not look at is told as such. Costs one API call
/// for up to 20 objects, one more where records are looked for and one for a notifier. An org or a user whose API is off, a refused
/// address, a blocked app and a revoked token are findings too.
///
/// # Errors
///
/// [`ErrorKind::Config`] for a set whose names are none; errors of [`Client::send`] that say nothing of org, app or user, such as an
/// outage.
pub async fn preflight(client: &Client, required: &RequirementSet) -> Result<Report> {
    Ok(check(required, &look(client, required).await?))
}

/// Reads what a set of requirements is about, for [`check`]. Costs what [`preflight`] does.
///
/// # Errors
///
/// As [`preflight`].
pub async fn look(client: &Client, required: &RequirementSet) -> Result<OrgView> {
    required.validate()?;
    let mut view = OrgView::default();
    match gather(client, required, &mut view).await {
        Ok(()) => {}
        Err(error) if refusal(&error).is_some() => view.refused = Some(error),
        Err(error) => return Err(error),
    }
    let usage = client.limits().map(|limits| (limits.api.left(), limits.api.allowed));
    view.calls_left = usage.filter(|(_, allowed)| *allowed > 0);
    Ok(view)
}

async fn gather(client: &Client, required: &RequirementSet, view: &mut OrgView) -> Result<()> {
    let token = client.access_token().await?;
    (view.org_id, view.user_id) = (token.org_id(), token.user_id());
    if view.user_id.is_none() {
        let info = client.user_info().await?;
        (view.org_id, view.user_id) = (Some(info.organization_id), Some(info.user_id));
    }
    for batch in batches(asks(required, view)?) {
        let mut composite = client.composite();
        for (place, ask) in batch.iter().enumerate() {
            composite = composite.add(format!("r{place}"), ask.subrequest());
        }
        let answer = send(composite, view).await?;
        for (ask, (_, result)) in batch.iter().zip(answer.iter()) {
            note(client, view, ask, result).await?;
        }
    }
    if let Some(notifier) = &required.notifier {
        view.calls += 1;
        view.notifier = find_notifier(client, &notifier.message).await?;
    }
    Ok(())
}

async fn send(composite: Composite, view: &mut OrgView) -> Result<CompositeResponse> {
    view.calls += 1;
    composite.send().await
}

/// What to ask for, the most telling first.
fn asks(required: &RequirementSet, view: &OrgView) -> Result<Vec<Ask>> {
    let wanted = required.permissions.iter().flat_map(|permission| permission.any_of.iter().map(String::as_str));
    let names: BTreeSet<&str> = wanted.chain(BROAD).chain(ALWAYS).collect();
    let mut asks = vec![Ask::Permissions(names.into_iter().map(str::to_owned).collect())];
    if let Some(user) = view.user_id {
        let wide: Vec<Literal> = required.objects.iter().map(|object| object.object.as_str().into()).collect();
        if !wide.is_empty() {
            // Sets whose rights a session has to activate first grant nothing to an integration.
            let soql = "SELECT SobjectType,PermissionsViewAllRecords,PermissionsModifyAllRecords FROM ObjectPermissions WHERE \
                        SobjectType IN :objects AND Parent.HasActivationRequired = FALSE AND ParentId IN (SELECT PermissionSetId \
                        FROM PermissionSetAssignment WHERE AssigneeId = :user)";
            asks.push(Ask::Rights(Soql::bind(soql, [("objects", Literal::List(wide)), ("user", Literal::Id(user))])?));
        }
        let soql = "SELECT Username,UserType,Profile.Name,Profile.UserLicense.Name FROM User WHERE Id = :user";
        asks.push(Ask::User(Soql::bind(soql, [("user", Literal::Id(user))])?));
    }
    asks.push(Ask::Org);
    asks.extend(required.audit_trail.then_some(Ask::Changes));
    let mut objects = BTreeSet::new();
    let distinct = required.objects.iter().filter(|object| objects.insert(object.object.clone()));
    asks.extend(distinct.map(|object| Ask::Object(object.object.clone())));
    asks.extend(required.records.iter().map(|records| Ask::Records(records.object.clone())));
    Ok(asks)
}

/// As many to a call as a composite takes.
fn batches(asks: Vec<Ask>) -> Vec<Vec<Ask>> {
    let mut batches: Vec<Vec<Ask>> = Vec::new();
    for ask in asks {
        let fits = |batch: &&mut Vec<Ask>| {
            let queries = batch.iter().filter(|ask| ask.is_query()).count();
            batch.len() < MAX_SUBREQUESTS && (!ask.is_query() || queries < MAX_COLLECTIONS_AND_QUERIES)
        };
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(ask),
            None => batches.push(vec![ask]),
        }
    }
    batches
}

/// Why something could not be seen, in a few words: the code alone, since texts may quote values.
fn reason(error: &Error) -> String {
    error.salesforce().first().map_or_else(|| error.to_string(), |detail| detail.code.clone())
}

async fn note(client: &Client, view: &mut OrgView, ask: &Ask, result: &Subresult) -> Result<()> {
    // An org that is down, or a token that has died on the way, is no missing right.
    if let Some(error) = result.error()
        && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Auth | ErrorKind::RateLimited)
    {
        return Err(error.clone());
    }
    match ask {
        Ask::Object(object) => {
            let seen = match result.json::<SObjectDescribe>() {
                Ok(seen) => Looked::Seen(Some(seen)),
                Err(error) if error.kind() == ErrorKind::NotFound => Looked::Seen(None),
                Err(error) => Looked::Unseen(reason(&error)),
            };
            view.objects.insert(object.to_string(), seen);
        }
        Ask::Permissions(names) => {
            let rows = match rows(result) {
                // The org does not know one of them: ask for those that it knows.
                Err(error) if error.has_code("INVALID_FIELD") => known_permissions(client, view, names).await?,
                rows => looked(rows),
            };
            view.permissions = map(rows, |rows| held(&rows));
        }
        Ask::Rights(_) => view.object_rights = map(looked(rows(result)), |rows| wide_rights(&rows)),
        Ask::Org => view.org = map(looked(rows(result)), |rows| org_of(&rows)),
        Ask::User(_) => {
            view.user = match rows(result) {
                Ok(rows) if rows.is_empty() => Looked::Unseen("the user does not see its own record".to_owned()),
                rows => map(looked(rows), |rows| user_of(&rows)),
            };
        }
        Ask::Changes => {
            view.audit_trail = map(looked(rows(result)), |rows| rows.iter().filter_map(change_of).collect());
        }
        Ask::Records(object) => {
            view.records.insert(object.to_string(), map(looked(rows(result)), |rows| !rows.is_empty()));
        }
    }
    Ok(())
}

fn rows(result: &Subresult) -> Result<Vec<Record>> {
    Ok(result.page::<Record>()?.records)
}

fn looked<T>(result: Result<T>) -> Looked<T> {
    result.map_or_else(|error| Looked::Unseen(reason(&error)), Looked::Seen)
}

fn map<T, U>(looked: Looked<T>, change: impl FnOnce(T) -> U) -> Looked<U> {
    match looked {
        Looked::NotAsked => Looked::NotAsked,
        Looked::Seen(seen) => Looked::Seen(change(seen)),
        Looked::Unseen(why) => Looked::Unseen(why),
    }
}

/// Columns of permissions come with the features of an org: asks what there are, and for these.
async fn known_permissions(client: &Client, view: &mut OrgView, names: &[String]) -> Result<Looked<Vec<Record>>> {
    view.calls += 2;
    let known = client.describe(&ACCESS).await?;
    let there = |name: &&String| known.field(&format!("Permissions{name}")).is_some();
    let names: Vec<String> = names.iter().filter(there).cloned().collect();
    if names.is_empty() {
        return Ok(Looked::Seen(Vec::new()));
    }
    Ok(looked(client.query::<Record>(permissions_soql(&names)).collect().await))
}

fn held(rows: &[Record]) -> BTreeSet<String> {
    let on = rows.iter().flat_map(Record::iter).filter(|(_, value)| **value == Value::Bool(true));
    on.filter_map(|(name, _)| name.strip_prefix("Permissions").map(str::to_owned)).collect()
}

fn wide_rights(rows: &[Record]) -> BTreeMap<String, ObjectRights> {
    let mut rights: BTreeMap<String, ObjectRights> = BTreeMap::new();
    for row in rows {
        let on = |name: &str| row.get(name).and_then(Value::as_bool).unwrap_or(false);
        let known = rights.entry(row.text("SobjectType").unwrap_or_default().to_owned()).or_default();
        known.view_all |= on("PermissionsViewAllRecords");
        known.modify_all |= on("PermissionsModifyAllRecords");
    }
    rights
}

fn org_of(rows: &[Record]) -> OrgProfile {
    let Some(row) = rows.first() else { return OrgProfile::default() };
    let text = |name: &str| row.text(name).map(str::to_owned);
    let trial_ends = text("TrialExpirationDate");
    let sandbox = row.get("IsSandbox").and_then(Value::as_bool).unwrap_or(false);
    // Scratch orgs call themselves sandboxes and have an end. (Recorded.)
    let environment = match (sandbox, &trial_ends) {
        (true, Some(_)) => "scratch org",
        (true, None) => "sandbox",
        (false, _) => "production",
    };
    let sharing = SHARED.iter().filter_map(|(object, column)| Some(((*object).to_owned(), text(column)?))).collect();
    let (edition, instance) = (text("OrganizationType"), text("InstanceName"));
    OrgProfile { environment: environment.to_owned(), edition, trial_ends, instance, sharing }
}

fn user_of(rows: &[Record]) -> ActingUser {
    let Some(row) = rows.first() else { return ActingUser::default() };
    let text = |path: &str| row.path(path).and_then(Value::as_text).map(str::to_owned);
    ActingUser {
        username: text("Username"),
        profile: text("Profile.Name"),
        license: text("Profile.UserLicense.Name"),
        user_type: text("UserType"),
    }
}

fn change_of(row: &Record) -> Option<SetupChange> {
    let text = |name: &str| row.text(name).map(str::to_owned);
    Some(SetupChange { at: text("CreatedDate")?, section: text("Section"), what: text("Display")? })
}

/// Whether an outbound message of that name is there. Source: Tooling API, `WorkflowOutboundMessage`.
async fn find_notifier(client: &Client, message: &str) -> Result<Looked<bool>> {
    let soql =
        Soql::bind("SELECT Id FROM WorkflowOutboundMessage WHERE Name = :name LIMIT 1", [("name", message.into())])?;
    match client.tooling().query::<Record>(soql).collect().await {
        Ok(rows) => Ok(Looked::Seen(!rows.is_empty())),
        Err(error) => match error.kind() {
            ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Schema | ErrorKind::Invalid => {
                Ok(Looked::Unseen(reason(&error)))
            }
            _ => Err(error),
        },
    }
}
