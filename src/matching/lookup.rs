//! The fewest queries that find the rows of a step.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::OrgFacts;
use super::keys::SourceKey;
use super::plan::{Converted, JoinKey, MatchPlan, MatchStep, can_be_merged};
use crate::error::Result;
use crate::types::{FieldName, Literal, RecordId, SObjectName, Soql, split_alternatives, split_in_list};

/// What to ask the org.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// Whether the recycle bin is asked too, where merged records lie.
    pub(crate) with_deleted: bool,
    pub(crate) queries: Vec<Soql>,
}

/// The columns that tell what became of a record.
fn fate(object: &SObjectName, merged: bool, org: &OrgFacts) -> Vec<&'static str> {
    let mut columns = Vec::new();
    if merged {
        columns.extend(["IsDeleted", "MasterRecordId"]);
    }
    match object.as_str() {
        "Contact" => {
            columns.extend(org.contact_accounts.then_some("AccountId"));
            columns.extend(org.person_contacts.then_some("IsPersonAccount"));
        }
        "Account" if org.person_accounts => columns.extend(["IsPersonAccount", "PersonContactId"]),
        _ => {}
    }
    columns
}

const CONVERSION: [&str; 4] = ["IsConverted", "ConvertedContactId", "ConvertedAccountId", "ConvertedOpportunityId"];

/// Each column once, in order. Salesforce refuses a column that is named twice, in whatever case.
fn select<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut seen = BTreeSet::new();
    let columns: Vec<&str> = columns.into_iter().filter(|column| seen.insert(column.to_ascii_lowercase())).collect();
    columns.join(", ")
}

impl Lookup {
    /// For the keys of any number of records; equal ones are asked for once. No keys need no queries.
    pub(super) fn of<'a>(
        step: &MatchStep,
        org: &OrgFacts,
        keys: impl IntoIterator<Item = &'a SourceKey>,
    ) -> Result<Self> {
        let search: BTreeMap<&str, &Literal> =
            keys.into_iter().flat_map(|key| &key.search).map(|(equal, literal)| (equal.as_str(), literal)).collect();
        let object = &step.object;
        let fields = step.key.fields();
        if let JoinKey::Contact { stamp, .. } = &step.key {
            return Self::of_relations(stamp, org.relations, search.into_values());
        }
        if let JoinKey::Parent { .. } = step.key {
            return Ok(Self::default());
        }
        let names = fields.iter().map(|field| field.as_str());
        let filter = step.filter.iter().flat_map(|filter| filter.paths());
        let conversion = if !step.is_of_leads() {
            &CONVERSION[..0]
        } else if step.converted == Converted::Skip {
            &CONVERSION[..1]
        } else {
            &CONVERSION[..]
        };
        let columns = ["Id"].into_iter().chain(names).chain(fate(object, step.merged, org));
        let columns = select(columns.chain(conversion.iter().copied()).chain(filter));
        let (patterns, values): (Vec<&Literal>, Vec<&Literal>) =
            search.into_values().partition(|literal| matches!(literal, Literal::Pattern(_)));
        let conditions = fields.iter().flat_map(|field| {
            let like = format!("{field} LIKE :pattern");
            patterns.iter().map(move |pattern| Soql::bind(&like, [("pattern", Literal::clone(pattern))]))
        });
        let conditions = conditions.collect::<Result<Vec<Soql>>>()?;
        let mut queries = split_alternatives(&format!("SELECT {columns} FROM {object} WHERE "), &conditions);
        if values.is_empty() {
            return Ok(Self { with_deleted: step.merged, queries });
        }
        let any = fields.iter().map(|field| format!("{field} IN :keys")).collect::<Vec<_>>().join(" OR ");
        let skip = step.is_of_leads() && step.converted == Converted::Skip;
        let condition = match (skip, fields.len()) {
            (true, 1) => format!("IsConverted = FALSE AND {any}"),
            (true, _) => format!("IsConverted = FALSE AND ({any})"),
            (false, _) => any,
        };
        let values: Vec<Literal> = values.into_iter().cloned().collect();
        queries.extend(split_in_list(&format!("SELECT {columns} FROM {object} WHERE {condition}"), "keys", &values)?);
        Ok(Self { with_deleted: step.merged, queries })
    }

    /// A contact's accounts. Without `AccountContactRelation` it has the one that it names.
    fn of_relations<'a>(
        stamp: &FieldName,
        relations: bool,
        contacts: impl Iterator<Item = &'a Literal>,
    ) -> Result<Self> {
        let statement = if relations {
            format!(
                "SELECT Id, ContactId, AccountId, IsDirect, IsActive, Account.{stamp} FROM AccountContactRelation WHERE \
                 ContactId IN :keys"
            )
        } else {
            format!("SELECT Id, AccountId, Account.{stamp} FROM Contact WHERE AccountId != null AND Id IN :keys")
        };
        let contacts: Vec<Literal> = contacts.cloned().collect();
        Ok(Self { with_deleted: false, queries: split_in_list(&statement, "keys", &contacts)? })
    }

    /// For what records of these ids have become.
    pub(super) fn of_ids(
        object: &SObjectName,
        ids: &BTreeSet<RecordId>,
        org: &OrgFacts,
        filter: &[&str],
    ) -> Result<Self> {
        let merged = can_be_merged(object);
        let conversion = if object.as_str() == "Lead" { &CONVERSION[..] } else { &CONVERSION[..0] };
        let columns = ["Id"].into_iter().chain(fate(object, merged, org)).chain(conversion.iter().copied());
        let columns = select(columns.chain(filter.iter().copied()));
        let ids: Vec<RecordId> = ids.iter().copied().collect();
        let queries = split_in_list(&format!("SELECT {columns} FROM {object} WHERE Id IN :ids"), "ids", &ids)?;
        Ok(Self { with_deleted: merged, queries })
    }
}

/// Rows of a probe: a query with GROUP BY has to fit one page of 2,000. Source: SOQL reference, "Considerations for GROUP BY".
pub(crate) const MAX_PROBE_ROWS: usize = 2_000;

/// For each key field that the org does not keep unique: which values several records have, as rows of `k` and `n`.
pub(crate) fn probes(plan: &MatchPlan, org: &OrgFacts) -> Vec<(usize, FieldName, Soql)> {
    let mut probes = Vec::new();
    for (place, (step, facts)) in plan.steps().iter().zip(&org.steps).enumerate() {
        let grouped = matches!(
            step.key,
            JoinKey::ExternalId { .. } | JoinKey::Custom { .. } | JoinKey::Email { .. } | JoinKey::PersonEmail { .. }
        );
        if !grouped || !org.covers(step) {
            continue;
        }
        for (index, field) in step.key.fields().into_iter().enumerate() {
            if facts.unique.get(index).copied().unwrap_or_default() {
                continue;
            }
            let object = &step.object;
            let open = if step.is_of_leads() { " AND IsConverted = FALSE" } else { "" };
            let soql = format!(
                "SELECT {field} k, COUNT(Id) n FROM {object} WHERE {field} != null{open} GROUP BY {field} HAVING COUNT(Id) > 1 \
                 LIMIT {MAX_PROBE_ROWS}"
            );
            probes.push((place, field.clone(), Soql::new(soql)));
        }
    }
    probes
}
