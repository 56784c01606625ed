//! What a deployment does to the org, component by component.

use std::collections::HashSet;

use super::super::super::state::State;
use super::super::super::xml::Node;
use super::super::package::{Deletion, Item, Package};
use super::super::{Caller, Kind, NEWEST, Refusal, delete, exists, fields, id_of, lay_out, objects, read, save};
use super::{Options, Row};

/// Carries packages out, and gives a row for each component and manifest. A check, and with `rollbackOnError` a deployment with
/// an error, leaves no trace.
pub(super) fn carry_out(
    state: &mut State,
    user: &str,
    version: u32,
    options: &Options,
    packages: Vec<Package>,
) -> Vec<Row> {
    let before = (state.schema.clone(), state.components.clone());
    state.data.store.begin();
    let mut rows = Vec::new();
    for package in packages {
        let caller = Caller { user: user.to_owned(), version: package.version.unwrap_or(version) };
        rows.extend(Run { state, caller, options, failed: HashSet::new() }.package(package));
    }
    let failed = rows.iter().any(|row| !row.success);
    if options.check_only || (failed && options.rollback_on_error) {
        state.data.store.roll_back();
        (state.schema, state.components) = before;
        let objects: Vec<_> = state.schema.objects().cloned().collect();
        for object in objects {
            state.data.store.sync_table(&object);
        }
    } else {
        state.data.store.commit();
    }
    state.changed();
    // Salesforce sorts neither; manifests last as recorded by others.
    rows.sort_by_key(Row::is_manifest);
    rows
}

struct Run<'s> {
    state: &'s mut State,
    caller: Caller,
    options: &'s Options,
    /// Objects that could not be made, in lower case.
    failed: HashSet<String>,
}

impl Run<'_> {
    fn package(mut self, package: Package) -> Vec<Row> {
        let mut rows = package.rows;
        rows.extend(package.before.iter().map(|deletion| self.delete(deletion)));
        for item in &package.items {
            let row = self.save(item);
            rows.push(row);
            if item.kind == Kind::Object {
                // Layouts of the package come over those that objects are born with.
                lay_out(self.state);
            }
        }
        rows.extend(package.after.iter().map(|deletion| self.delete(deletion)));
        rows
    }

    fn allowed(&mut self, kind: Kind) -> Result<(), Refusal> {
        if self.state.view(&self.caller.user).has(kind.permission()) {
            return Ok(());
        }
        // [S] The text, of a whole call; [K] of a component.
        let message = format!("insufficient access rights on entity: {}", kind.name());
        Err(Refusal::new("INSUFFICIENT_ACCESS", message))
    }

    fn save(&mut self, item: &Item) -> Row {
        let there = exists(self.state, item.kind, &item.name);
        let before = self.text(item.kind, &item.name);
        let saved = self.allowed(item.kind).and_then(|()| self.save_item(item, !there));
        match saved {
            Ok(()) => {
                let id = Some(id_of(self.state, item.kind, &item.name)).filter(|id| !id.is_empty());
                let changed = self.text(item.kind, &item.name) != before;
                let row = Row::success(item.kind.name(), &item.name, &item.file);
                // [K] That a component which was created counts as changed as well.
                Row { created: !there, changed: changed || !there, id, ..row }
            }
            Err(refusal) => {
                if item.kind == Kind::Object {
                    self.failed.insert(item.name.to_lowercase());
                }
                let (line, column) = refusal.at.unwrap_or(if item.kind.parent().is_some() {
                    (item.body.line, item.body.column)
                } else {
                    (0, 0)
                });
                let row = Row::failure(item.kind.name(), &item.name, &item.file, refusal.message);
                Row { line, column, ..row }
            }
        }
    }

    fn save_item(&mut self, item: &Item, create: bool) -> Result<(), Refusal> {
        let owner = match item.kind {
            Kind::Object => None,
            Kind::Layout => item.name.split('-').next(),
            _ => item.name.split_once('.').map(|(owner, _)| owner),
        };
        if owner.is_some_and(|owner| self.failed.contains(&owner.to_lowercase())) {
            // [S] wadewegner/deploy-to-sfdx#41, forcedotcom/cli#155
            return Err(Refusal::integrity("Parent entity failed to deploy"));
        }
        let standard = |state: &State, name: &str| state.schema.object(name).is_some_and(|object| !object.custom);
        match item.kind {
            Kind::Object if standard(self.state, &item.name) => {
                objects::change_standard(self.state, &item.name, &item.body);
                Ok(())
            }
            Kind::Field if fields::is_standard(self.state, &item.name) => {
                fields::change_standard(self.state, &item.name, &item.body)
            }
            kind => save(self.state, &self.caller, kind, &item.name, (&item.body, item.content.as_ref()), create),
        }
    }

    fn delete(&mut self, deletion: &Deletion) -> Row {
        let Deletion { kind, name, file } = deletion;
        if !exists(self.state, *kind, name) {
            let short = file.rsplit('/').next().unwrap_or_default();
            // [S] forcedotcom/source-deploy-retrieve: names and text. Metadata guide, "DeployOptions": a warning is an error
            // unless warnings are ignored.
            let problem = format!("No {} named: {name} found", kind.name());
            let row = Row::failure(kind.name(), short, file, problem);
            return Row { warning: true, success: self.options.ignore_warnings, ..row };
        }
        let id = Some(id_of(self.state, *kind, name)).filter(|id| !id.is_empty());
        match self.allowed(*kind).and_then(|()| delete(self.state, &self.caller, *kind, name)) {
            Ok(()) => Row { deleted: true, id, ..Row::success(kind.name(), name, file) },
            Err(refusal) => Row::failure(kind.name(), name, file, refusal.message),
        }
    }

    /// A component as text, to see what a save has changed; an object without its parts.
    fn text(&self, kind: Kind, name: &str) -> Option<String> {
        let node = read::node(self.state, NEWEST, kind, name, Node::new("c"))?;
        let mut text = String::new();
        let parts = if kind == Kind::Object { kind.children() } else { &[] };
        parts.iter().fold(node, |node, (element, _)| node.without(element)).write(&mut text);
        Some(text)
    }
}
