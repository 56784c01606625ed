//! Names of a statement to objects and fields of the schema.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::schema::{Field, FieldType, Object};
use super::access::{FieldPath, Operand, is_name_object, name_object};
use super::ast::{Expr, Function, Path, Query};
use super::position::{malformed, refuse_at};
use super::{SoqlError, Tables};

/// SOQL reference, "Relationship Query Limits".
const MAX_LEVELS: usize = 5;
const MAX_PARENTS: usize = 55;

const WSDL_HINT: &str = "Please reference your WSDL or the describe call for the appropriate names.";

/// One FROM clause: the object, and what the statement calls it.
pub(super) struct Scope<'t, 'q> {
    pub(super) source: &'q str,
    pub(super) tables: &'t dyn Tables,
    pub(super) object: &'t Object,
    /// An alias and the path from the object that it stands for; empty for the object itself.
    aliases: Vec<(String, Vec<String>)>,
    parents: RefCell<BTreeSet<Vec<&'t str>>>,
}

impl<'t, 'q> Scope<'t, 'q> {
    pub(super) fn new(
        tables: &'t dyn Tables,
        source: &'q str,
        object: &'t Object,
        query: &Query,
    ) -> Result<Self, SoqlError> {
        let aliases = query.alias.iter().map(|alias| (alias.clone(), Vec::new())).collect();
        let mut scope = Self { aliases, ..Self::bare(tables, source, object) };
        for (path, alias) in &query.joins {
            let parts = scope.expand(&path.parts);
            let mut reached = scope.object;
            for part in &parts {
                reached = scope.parent(reached, part, path.at)?.1;
            }
            scope.aliases.push((alias.clone(), parts));
        }
        Ok(scope)
    }

    /// A scope without aliases.
    pub(super) fn bare(tables: &'t dyn Tables, source: &'q str, object: &'t Object) -> Self {
        Self { source, tables, object, aliases: Vec::new(), parents: RefCell::default() }
    }

    /// The path from the queried object, without aliases and without the object's own name in front.
    fn expand(&self, parts: &[String]) -> Vec<String> {
        let Some((first, rest)) = parts.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return parts.to_vec();
        };
        if let Some((_, path)) = self.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(first)) {
            return path.iter().chain(rest).cloned().collect();
        }
        let is_own = first.eq_ignore_ascii_case(&self.object.name) && self.object.parent_reference(first).is_none();
        if is_own { rest.to_vec() } else { parts.to_vec() }
    }

    /// The reference of that relationship name and the object behind it.
    fn parent(&self, object: &'t Object, name: &str, at: usize) -> Result<(&'t Field, &'t Object), SoqlError> {
        let found = object.parent_reference(name).and_then(|reference| match reference.reference_to.as_slice() {
            [only] => Some((reference, self.tables.schema().object(only)?)),
            [] => None,
            _ => Some((reference, name_object())),
        });
        found.ok_or_else(|| {
            let message = format!(
                "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom \
                 relationship, be sure to append the '__r' after the custom relationship name. {WSDL_HINT}"
            );
            refuse_at(self.source, at, "INVALID_FIELD", &message)
        })
    }

    pub(super) fn field(&self, path: &Path) -> Result<FieldPath<'t>, SoqlError> {
        let parts = self.expand(&path.parts);
        let Some((last, relationships)) = parts.split_last() else {
            return Err(malformed("a name is empty"));
        };
        let (hops, object) = self.hops(relationships, path.at)?;
        let Some(field) = object.field(last) else {
            return Err(no_such_column(self.source, path.at, last, object));
        };
        Ok(FieldPath { hops, object, field })
    }

    fn hops(&self, relationships: &[String], at: usize) -> Result<(Vec<&'t Field>, &'t Object), SoqlError> {
        let mut hops = Vec::new();
        let mut object = self.object;
        for name in relationships {
            let (reference, next) = self.parent(object, name, at)?;
            hops.push(reference);
            object = next;
        }
        if hops.len() > MAX_LEVELS {
            // [K] not verified: the limit is documented, the text is not.
            return Err(malformed(format!("a relationship path may follow at most {MAX_LEVELS} parents")));
        }
        let mut parents = self.parents.borrow_mut();
        for length in 1..=hops.len() {
            parents.insert(hops[..length].iter().map(|hop| hop.name.as_str()).collect());
        }
        if parents.len() > MAX_PARENTS {
            // [K] not verified: the limit is documented, the text is not.
            return Err(malformed(format!("a query may use at most {MAX_PARENTS} child-to-parent relationships")));
        }
        Ok((hops, object))
    }

    /// The reference TYPEOF chooses by: one with several targets.
    pub(super) fn polymorphic(&self, path: &Path) -> Result<&'t Field, SoqlError> {
        let parts = self.expand(&path.parts);
        let [name] = parts.as_slice() else {
            return Err(self.malformed(path.at, "TYPEOF takes a relationship of the queried object"));
        };
        let (reference, object) = self.parent(self.object, name, path.at)?;
        if !is_name_object(object) {
            return Err(self.malformed(path.at, &format!("'{name}' is not a polymorphic relationship")));
        }
        Ok(reference)
    }

    /// A field or a part of a date, for WHERE, GROUP BY and ORDER BY.
    pub(super) fn operand(&self, expr: &Expr) -> Result<Operand<'t>, SoqlError> {
        match expr {
            Expr::Field(path) => self.field(path).map(Operand::Field),
            Expr::Call { function, argument: Some(argument), at } => match function {
                Function::Date(part) => match self.operand(argument)? {
                    Operand::Field(path) if matches!(path.field.kind, FieldType::Date | FieldType::DateTime) => {
                        Ok(Operand::Date(*part, path))
                    }
                    _ => Err(self.malformed(*at, "date functions take a date or dateTime field")),
                },
                Function::ToLabel => match self.operand(argument)? {
                    Operand::Field(path) => Ok(Operand::Label(path)),
                    _ => Err(self.malformed(*at, "toLabel takes a field")),
                },
                Function::ConvertCurrency | Function::ConvertTimezone => self.operand(argument),
                Function::Aggregate(_) | Function::Format => {
                    Err(self.malformed(*at, "this function is not allowed in this place"))
                }
            },
            Expr::Call { at, .. } => Err(self.malformed(*at, "COUNT() is not allowed in this place")),
        }
    }

    pub(super) fn malformed(&self, at: usize, message: &str) -> SoqlError {
        refuse_at(self.source, at, "MALFORMED_QUERY", message)
    }
}

/// The same words for a field that does not exist and for one the user may not see.
fn no_such_column(source: &str, at: usize, name: &str, object: &Object) -> SoqlError {
    let entity = &object.name;
    let message = format!(
        "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append \
         the '__c' after the custom field name. {WSDL_HINT}"
    );
    refuse_at(source, at, "INVALID_FIELD", &message)
}

/// The object of a FROM clause.
// recorded: rest/error-invalid-type-query.json
pub(super) fn object<'t>(tables: &'t dyn Tables, source: &str, from: &Path) -> Result<&'t Object, SoqlError> {
    let name = from.text();
    let Some(object) = tables.schema().object(&name) else {
        let message = format!(
            "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append \
             the '__c' after the entity name. {WSDL_HINT}"
        );
        return Err(refuse_at(source, from.at, "INVALID_TYPE", &message));
    };
    if !object.queryable {
        // [K] not verified
        let message = format!("entity type {} does not support query", object.name);
        return Err(SoqlError { code: "INVALID_TYPE_FOR_OPERATION", message });
    }
    Ok(object)
}

/// The object and reference of a child sub-query: `FROM Contacts`, `FROM Account.Contacts` or `FROM a.Contacts`.
pub(super) fn children<'t>(scope: &Scope<'t, '_>, from: &Path) -> Result<(&'t Object, &'t Field), SoqlError> {
    let parts = scope.expand(&from.parts);
    let found = match parts.as_slice() {
        [only] => scope.tables.schema().children(&scope.object.name, only),
        _ => None,
    };
    found.ok_or_else(|| {
        let name = parts.join(".");
        let message = format!(
            "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom \
             relationship, be sure to append the '__r' after the custom relationship name. {WSDL_HINT}"
        );
        refuse_at(scope.source, from.at, "INVALID_TYPE", &message)
    })
}
