//! Looking source records up in the org, by a match plan.

use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::matching::{
    Found, Lookup, MAX_HOPS, MAX_PROBE_ROWS, MatchPlan, Matched, NoKey, OrgFacts, SourceKey, probes,
};
use crate::types::{FieldName, Record, SObjectDescribe, Value};

/// Records looked up together: their keys share queries.
const WINDOW: usize = 2_000;

/// Queries in flight at once.
const CONCURRENCY: usize = 5;

/// Looks source records up in the org.
///
/// Nothing is written. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Matcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    plan: MatchPlan,
    org: OrgFacts,
}

/// A key field of the org whose values name several records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoubledKeys {
    /// The step of the plan, from 0.
    pub step: usize,
    /// The field.
    pub field: FieldName,
    /// Values that several records have, each with their number; at most 2,000 of them.
    pub values: Vec<(String, u64)>,
    /// Whether there may be more values than these.
    pub more: bool,
}

impl Matcher {
    /// Looks at the objects of a plan first, so that a wrong field is told before any record is looked up, and so that numbers,
    /// case-sensitive keys, person accounts and contacts of several accounts are known. Costs one API call per object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] naming every object and field of the plan that is missing, hidden or cannot be searched by; any
    /// error of [`Client::send`].
    pub async fn new(client: Client, plan: MatchPlan) -> Result<Self> {
        let mut describes: Vec<SObjectDescribe> = Vec::new();
        for object in OrgFacts::objects(&plan) {
            match client.describe(&object).await {
                Ok(describe) => describes.push(describe),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let org = OrgFacts::of(&plan, &describes)?;
        Ok(Self(Arc::new(Inner { client, plan, org })))
    }

    /// Takes the org as somebody else has looked at it, or as [`OrgFacts::assumed`]. Costs nothing.
    #[must_use]
    pub fn with_facts(client: Client, plan: MatchPlan, org: OrgFacts) -> Self {
        Self(Arc::new(Inner { client, plan, org }))
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &MatchPlan {
        &self.0.plan
    }

    /// What each record means, in their order.
    ///
    /// Records are taken 2,000 at a time, and each step asks only for those that no step before it decided. A step costs one API
    /// call per 13 KB of different keys and per page of rows; a step by `parent` and one without keys cost none. Where rows were
    /// merged or converted, the records they lead to are read too: one call per object and hop, ten hops at most.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; no record is looked up then.
    pub async fn match_many(&self, records: &[Record]) -> Result<Vec<Matched>> {
        let mut all = Vec::with_capacity(records.len());
        for window in records.chunks(WINDOW) {
            all.extend(self.window(window).await?);
        }
        Ok(all)
    }

    /// What one record means. Costs what a window costs; for many records use [`match_many`](Self::match_many).
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn match_one(&self, record: &Record) -> Result<Matched> {
        let mut found = self.window(std::slice::from_ref(record)).await?;
        found.pop().ok_or_else(|| Error::new(ErrorKind::Unexpected, "match", "a record has no result"))
    }

    async fn window(&self, records: &[Record]) -> Result<Vec<Matched>> {
        let Inner { plan, org, .. } = &*self.0;
        let mut results: Vec<Matched> = records.iter().map(|_| Matched::undecided()).collect();
        let mut open: Vec<usize> = (0..records.len()).collect();
        for place in 0..plan.steps().len() {
            let Some(mut found) = Found::new(plan, org, place).filter(|_| !open.is_empty()) else { break };
            let keys: Vec<Result<SourceKey, NoKey>> = open.iter().map(|&index| found.key(&records[index])).collect();
            let lookup = found.lookup(keys.iter().flatten())?;
            self.read(lookup, |row| found.add(row)).await?;
            let mut trails = found.trails();
            for _ in 0..=MAX_HOPS {
                for (object, lookup) in trails.next_round()? {
                    self.read(lookup, |row| {
                        trails.add(&object, row);
                        Ok(())
                    })
                    .await?;
                }
            }
            let mut still_open = Vec::new();
            for (index, key) in open.into_iter().zip(&keys) {
                let (report, decision) = found.decide(key, &trails);
                if !results[index].note(report, decision) {
                    still_open.push(index);
                }
            }
            open = still_open;
        }
        Ok(results)
    }

    /// All rows of a lookup, as they come.
    async fn read(&self, lookup: Lookup, mut take: impl FnMut(Record) -> Result<()> + Send) -> Result<()> {
        let Lookup { with_deleted, queries } = lookup;
        let client = &self.0.client;
        let pages = stream::iter(queries).map(|query| {
            let rows = if with_deleted { client.query_all::<Record>(query) } else { client.query::<Record>(query) };
            rows.boxed()
        });
        let mut rows = pin!(pages.flatten_unordered(CONCURRENCY));
        while let Some(row) = rows.try_next().await? {
            take(row)?;
        }
        Ok(())
    }

    /// Which values of the plan's key fields several records of the org have: whoever is joined by one of them is ambiguous.
    ///
    /// Asks for external ids, custom keys and email addresses, unless the org keeps the field unique. Costs one API call per
    /// field. The org counts all records, also those that a filter of the plan leaves out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a field that cannot be grouped by, such as a formula; any error of [`Client::send`].
    pub async fn doubled_keys(&self) -> Result<Vec<DoubledKeys>> {
        let mut all = Vec::new();
        for (step, field, soql) in probes(&self.0.plan, &self.0.org) {
            let rows: Vec<Record> = self.0.client.query(soql).collect().await?;
            let more = rows.len() >= MAX_PROBE_ROWS;
            let value = |row: &Record| {
                let text = match row.get("k")? {
                    Value::Text(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                Some((text, row.get("n")?.as_number()?.to_string().parse().ok()?))
            };
            let mut values: Vec<(String, u64)> = rows.iter().filter_map(value).collect();
            values.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
            if !values.is_empty() {
                all.push(DoubledKeys { step, field, values, more });
            }
        }
        Ok(all)
    }
}
