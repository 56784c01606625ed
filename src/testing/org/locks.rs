//! Parents that requests in flight hold, as row locks of lookups do.
//!
//! Salesforce locks the parent rows of a row it writes for as long as the transaction runs. Here a transaction runs until
//! its answer is on the way: with a latency, requests that name one parent meet.

use std::collections::{HashMap, HashSet};

use super::error::ApiError;
use super::schema::{FieldType, Object};
use super::value::{Row, Value};

#[derive(Debug, Default)]
pub(crate) struct Locks {
    /// Refuse rows whose parent is held; else only count them.
    pub(crate) refuse: bool,
    /// Rows whose parent was held by another request.
    pub(crate) collisions: usize,
    held: HashMap<String, usize>,
    touched: HashSet<String>,
}

/// Objects whose rows are named by every record and locked by none of them.
const NOT_LOCKED: [&str; 8] =
    ["User", "Group", "Profile", "UserRole", "UserLicense", "PermissionSet", "RecordType", "Organization"];

impl Locks {
    /// Takes the locks a row needs: the row itself when it is there already, and its parents. An error names the one that is held,
    /// where they are refused.
    pub(crate) fn take(&mut self, object: &Object, row: &Row, id: Option<&str>) -> Result<(), ApiError> {
        let parents = object.fields.iter().filter(|field| {
            field.kind == FieldType::Reference
                && !field.reference_to.iter().any(|target| NOT_LOCKED.contains(&target.as_str()))
        });
        let parents = parents.filter_map(|field| match row.get(&field.name) {
            Some(Value::Text(id)) => Some(id.as_str()),
            _ => None,
        });
        let wanted: Vec<&str> = parents.chain(id).collect();
        if let Some(held) = wanted.iter().find(|id| self.held.contains_key(**id)) {
            self.collisions += 1;
            if self.refuse {
                return Err(ApiError::locked_by(held));
            }
        }
        self.touched.extend(wanted.into_iter().map(str::to_owned));
        Ok(())
    }

    /// What the request just carried out holds from now on.
    pub(crate) fn hold(&mut self) -> Vec<String> {
        let taken: Vec<String> = self.touched.drain().collect();
        for id in &taken {
            *self.held.entry(id.clone()).or_insert(0) += 1;
        }
        taken
    }

    pub(crate) fn release(&mut self, taken: &[String]) {
        for id in taken {
            if let Some(count) = self.held.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    self.held.remove(id);
                }
            }
        }
    }
}
