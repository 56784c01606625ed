//! The difference between what we need and what an org has, item by item. Pure.

pub(super) mod fields;
pub(super) mod rights;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::desired::same;
use super::ledger::{ItemKind, Ledger, LedgerEntry};
use super::org::OrgSchema;
use super::{DesiredSchema, DesiredSection};
use crate::api::metadata::{
    AnyComponent, CustomField, CustomObject, FieldPermission, Layout, LayoutSection, ObjectPermission,
};
use crate::types::RecordId;

/// Rows of a collection, collections of a composite. Source: REST guide.
const ROWS: usize = 200;
const COLLECTIONS: usize = 5;

/// What becomes of one thing that we need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// It is not there, and will be made.
    Create,
    /// It is ours and lacks something that can be added without harm: characters or digits, values of a picklist, history, rights.
    Change,
    /// It is there.
    Nothing,
    /// Something stands in the way.
    Conflict(Conflict),
    /// A person has to do it.
    ByHand,
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Conflict {
    /// The org has something else of that name, which cannot hold what ours holds.
    TypeDiffers,
    /// The name belongs to somebody else's object, permission set or relationship.
    NameTaken,
    /// What it belongs to, or points to, is not there.
    Missing,
    /// The org has it longer or with more digits; it is left so, since shortening loses data.
    WouldShrink,
    /// The object has few custom fields or external ids left. Tracked fields are hidden from a count.
    CapNear,
    /// The object would have more custom fields or external ids than the org allows.
    CapPassed,
}

impl Conflict {
    /// Whether nothing is applied before it is solved.
    #[must_use]
    pub fn blocks(self) -> bool {
        !matches!(self, Self::WouldShrink | Self::CapNear)
    }
}

/// One thing that we need, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanItem {
    /// What it is.
    pub kind: ItemKind,
    /// Its full name.
    pub subject: String,
    /// What becomes of it.
    pub step: Step,
    /// Why.
    pub why: String,
    /// What a person has to do, as a click path, where something is left to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

/// What would be done to an org, in this order. Nothing has been done yet.
///
/// `Display` is for people, `Serialize` for `--json`.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaPlan {
    name: String,
    items: Vec<PlanItem>,
    unfinished: Option<RecordId>,
    /// What was known to be ours when it was made: once that has moved on, the plan is out of date.
    pub(super) ledger: Ledger,
    pub(super) work: Work,
}

/// What carrying a plan out takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Work {
    /// What goes into the deploy.
    pub(super) components: Vec<AnyComponent>,
    /// What the ledger is to know before anything is made.
    pub(super) intents: Vec<LedgerEntry>,
    /// What earlier runs meant to make, and which is there.
    pub(super) settled: Vec<(ItemKind, String)>,
    /// Fields of ours that get something added.
    pub(super) changes: Vec<CustomField>,
    /// Rights that are added to a permission set that is there.
    pub(super) grants: Grants,
    /// The permission set that the run-time user is to get.
    pub(super) assign: Option<String>,
    /// The id of the permission set, if it is there.
    pub(super) set: Option<RecordId>,
}

/// Rights that are not there yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Grants {
    pub(super) objects: Vec<ObjectPermission>,
    /// What is added to rights on objects that we gave.
    pub(super) more_objects: Vec<ObjectPermission>,
    pub(super) fields: Vec<FieldPermission>,
    pub(super) more_fields: Vec<FieldPermission>,
    pub(super) system: Vec<String>,
}

impl Grants {
    /// Collections that the rows fill.
    fn collections(&self) -> usize {
        let rows = [self.objects.len(), self.more_objects.len(), self.fields.len(), self.more_fields.len()];
        rows.iter().map(|rows| rows.div_ceil(ROWS)).sum()
    }
}

impl SchemaPlan {
    /// The schema's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every item, in the order in which they are done.
    #[must_use]
    pub fn items(&self) -> &[PlanItem] {
        &self.items
    }

    /// The deploy of an earlier run, which applying waits for first.
    #[must_use]
    pub fn unfinished(&self) -> Option<RecordId> {
        self.unfinished
    }

    /// Whether applying it writes nothing. There may be conflicts, and something to do by hand.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unfinished.is_none() && !self.items.iter().any(|item| matches!(item.step, Step::Create | Step::Change))
    }

    /// What stands in the way; the plan is applied only if none of it [blocks](Conflict::blocks).
    pub fn conflicts(&self) -> impl Iterator<Item = &PlanItem> {
        self.items.iter().filter(|item| matches!(item.step, Step::Conflict(_)))
    }

    /// What stands in the way of applying it.
    pub fn blockers(&self) -> impl Iterator<Item = &PlanItem> {
        self.items.iter().filter(|item| matches!(item.step, Step::Conflict(conflict) if conflict.blocks()))
    }

    /// What is left to a person.
    pub fn by_hand(&self) -> impl Iterator<Item = &PlanItem> {
        self.items.iter().filter(|item| item.step == Step::ByHand)
    }

    /// The API calls that applying it costs, looks at a deploy that is at work left out. 0 for one that changes nothing.
    #[must_use]
    pub fn api_calls(&self) -> usize {
        let work = &self.work;
        if self.blockers().next().is_some() {
            return 0;
        }
        let deploy = usize::from(!work.components.is_empty());
        // Up to 5 queries read what is there, and one call changes it.
        let changes = work.changes.len().div_ceil(COLLECTIONS) + work.changes.len().div_ceil(25);
        let rows = work.grants.collections().div_ceil(COLLECTIONS);
        let more = work.assign.is_some() || !work.grants.system.is_empty();
        // Rows that get more are looked for by one call.
        let ids = usize::from(!work.grants.more_objects.is_empty() || !work.grants.more_fields.is_empty());
        deploy + changes + ids + rows.max(usize::from(more))
    }

    fn count(&self, is: impl Fn(Step) -> bool) -> usize {
        self.items.iter().filter(|item| is(item.step)).count()
    }
}

impl fmt::Display for PlanItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Create => "create",
            Step::Change => "change",
            Step::Nothing => "nothing",
            Step::Conflict(_) => "conflict",
            Step::ByHand => "by hand",
        };
        write!(f, "{step:9}{} {}: {}", self.kind, self.subject, self.why)?;
        match &self.by_hand {
            Some(path) => write!(f, " ({path})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SchemaPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conflicts = self.count(|step| matches!(step, Step::Conflict(_)));
        write!(
            f,
            "{}: {} to create, {} to change, {conflicts} in conflict, {} by hand, {} in place; {} API calls",
            self.name,
            self.count(|step| step == Step::Create),
            self.count(|step| step == Step::Change),
            self.count(|step| step == Step::ByHand),
            self.count(|step| step == Step::Nothing),
            self.api_calls(),
        )?;
        if let Some(deploy) = self.unfinished {
            write!(f, "\n  the deploy {deploy} of an earlier run is waited for first")?;
        }
        for item in self.items.iter().filter(|item| item.step != Step::Nothing) {
            write!(f, "\n  {item}")?;
        }
        Ok(())
    }
}

impl Serialize for SchemaPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut plan = serializer.serialize_struct("SchemaPlan", 5)?;
        plan.serialize_field("name", &self.name)?;
        plan.serialize_field("empty", &self.is_empty())?;
        plan.serialize_field("api_calls", &self.api_calls())?;
        plan.serialize_field("unfinished", &self.unfinished)?;
        plan.serialize_field("items", &self.items)?;
        plan.end()
    }
}

/// Compares what we need with what the org has and with what we are known to have made.
///
/// What exists is left as it is, with these exceptions, all of them additions to what the ledger says is ours: a text or number that
/// is too small grows, a picklist gets the values it lacks, history is switched on, and a permission set gets the rights it lacks. Labels
/// are never touched, since admins reword them. Rights that we gave and somebody took back are given again; those that somebody else made are
/// left alone and told.
#[must_use]
pub fn plan(desired: &DesiredSchema, org: &OrgSchema, ledger: &Ledger) -> SchemaPlan {
    let mut planner =
        Planner { desired, org, ledger, fields: desired.all_fields(), items: Vec::new(), work: Work::default() };
    planner.objects();
    planner.all_fields();
    planner.caps();
    planner.components();
    planner.layouts();
    planner.rights();
    let Planner { items, work, .. } = planner;
    SchemaPlan { name: desired.name.clone(), items, unfinished: ledger.deploy(), ledger: ledger.clone(), work }
}

struct Planner<'a> {
    desired: &'a DesiredSchema,
    org: &'a OrgSchema,
    ledger: &'a Ledger,
    fields: Vec<CustomField>,
    items: Vec<PlanItem>,
    work: Work,
}

const RENAME: &str = "Setup > Object Manager: rename or remove what has the name, or choose another name or prefix";

impl Planner<'_> {
    fn say(&mut self, kind: ItemKind, subject: &str, step: Step, why: impl Into<String>) {
        self.items.push(PlanItem { kind, subject: subject.to_owned(), step, why: why.into(), by_hand: None });
    }

    fn say_how(&mut self, kind: ItemKind, subject: &str, step: Step, why: impl Into<String>, path: impl Into<String>) {
        self.say(kind, subject, step, why);
        if let Some(item) = self.items.last_mut() {
            item.by_hand = Some(path.into());
        }
    }

    /// It is there: if we meant to make it, we have.
    fn there(&mut self, kind: ItemKind, subject: &str, why: impl Into<String>) {
        if self.ledger.has(&kind, subject) {
            self.work.settled.push((kind.clone(), subject.to_owned()));
        }
        self.say(kind, subject, Step::Nothing, why);
    }

    /// It is not there, and a deploy makes it.
    fn create(&mut self, kind: ItemKind, component: impl Into<AnyComponent>, label: Option<&str>) {
        let component = component.into();
        let name = component.full_name().to_owned();
        let entry = LedgerEntry { label: label.map(str::to_owned), ..LedgerEntry::intended(kind.clone(), &name) };
        self.work.intents.push(entry);
        self.work.components.push(component);
        self.say(kind, &name, Step::Create, "is not there");
    }

    fn is_created(&self, kind: &ItemKind, name: &str) -> bool {
        let made = |item: &PlanItem| item.kind == *kind && same(&item.subject, name) && item.step == Step::Create;
        self.items.iter().any(made)
    }

    fn objects(&mut self) {
        for object in &self.desired.objects {
            let Some(existing) = self.org.object(&object.full_name) else {
                if object.full_name.ends_with("__c") {
                    // Its fields are components of their own.
                    self.create(
                        ItemKind::Object,
                        CustomObject { fields: Vec::new(), ..object.clone() },
                        Some(&object.label),
                    );
                } else {
                    let why = "the org has no object of that name, or the set-up user does not see it";
                    self.say(ItemKind::Object, &object.full_name, Step::Conflict(Conflict::Missing), why);
                }
                continue;
            };
            let name = existing.name.clone();
            if !object.full_name.ends_with("__c") {
                self.standard_object(object, &name, existing.history);
                continue;
            }
            let kind = object.name_field.as_ref().map(|field| field.kind.type_name());
            let differs = kind.is_some_and(|kind| !existing.name_kind.is_empty() && existing.name_kind != kind);
            if differs {
                let why = format!("has a Name of type {}, not {}", existing.name_kind, kind.unwrap_or_default());
                self.say_how(ItemKind::Object, &name, Step::Conflict(Conflict::TypeDiffers), why, RENAME);
            } else if self.is_foreign(object, existing) {
                let why = format!("is another one (\"{}\")", existing.label);
                self.say_how(ItemKind::Object, &name, Step::Conflict(Conflict::NameTaken), why, RENAME);
            } else if object.enable_history == Some(true) && existing.history == Some(false) {
                let path =
                    format!("Setup > Object Manager > {} > Details > Edit > Track Field History", existing.label);
                self.say_how(ItemKind::Object, &name, Step::ByHand, "does not keep the history of its fields", path);
            } else {
                self.there(ItemKind::Object, &name, "is there");
            }
        }
    }

    /// Whether an object is somebody else's: not made by us, with another label, and with none of our fields.
    fn is_foreign(&self, object: &CustomObject, existing: &super::OrgObject) -> bool {
        let fields = self.fields.iter().filter(|field| same(field.object(), &object.full_name));
        let mut ours = fields.filter(|field| existing.field(field.name()).is_some());
        !self.ledger.has(&ItemKind::Object, &existing.name)
            && !existing.label.trim().eq_ignore_ascii_case(object.label.trim())
            && ours.next().is_none()
    }

    fn standard_object(&mut self, object: &CustomObject, name: &str, history: Option<bool>) {
        if object.enable_history == Some(true) && history == Some(false) {
            self.work.components.push(CustomObject::standard(name).with_history().into());
            self.say(ItemKind::Object, name, Step::Change, "does not keep the history of its fields yet");
        } else {
            self.say(ItemKind::Object, name, Step::Nothing, "is there");
        }
    }

    fn components(&mut self) {
        for component in &self.desired.components {
            let (kind, name) = (component.component_type(), component.full_name());
            let item = ItemKind::Component(kind.to_owned());
            if self.org.has_component(kind, name) {
                self.there(item, name, "is there");
            } else if self.org.unknown_components.contains(kind) && self.ledger.has(&item, name) {
                self.say(
                    item,
                    name,
                    Step::Nothing,
                    "was made by an earlier run; whether it is still there cannot be seen",
                );
            } else if self.org.unknown_components.contains(kind) {
                // A deploy replaces what has the name, and removal would take it for ours.
                let why = "whether the org has one of that name cannot be seen, and a deploy would replace it";
                let path = format!("Setup > Quick Find: {kind}: make {name}, unless it is there");
                self.say_how(item, name, Step::ByHand, why, path);
            } else {
                self.create(item, component.clone(), None);
            }
        }
    }

    fn layouts(&mut self) {
        let mut changed: BTreeMap<String, Layout> = BTreeMap::new();
        for section in &self.desired.layout_sections {
            let item = ItemKind::LayoutSection;
            let name = section_name(section);
            let path = format!(
                "Setup > Object Manager > {} > Page Layouts: add a section \"{}\" with {}",
                section.object(),
                section.label,
                section.fields.join(", ")
            );
            if let Some(why) = &self.org.layouts_unreadable {
                self.say_how(item, &name, Step::ByHand, why.clone(), path);
                continue;
            }
            let known = self.org.layouts.iter().find(|layout| same(&layout.full_name, &section.layout));
            let Some(layout) = known else {
                self.say_how(item, &name, Step::ByHand, "the object has no layout of that name", path);
                continue;
            };
            let mut layout = changed.get(&layout.full_name).unwrap_or(layout).clone();
            if !layout.add_section(LayoutSection::new(&*section.label, section.fields.iter().map(String::as_str))) {
                self.there(item, &name, "has all its fields");
            } else if self.ledger.has(&item, &name) {
                self.say_how(
                    item,
                    &name,
                    Step::ByHand,
                    "was made, and somebody has taken it or fields of it away",
                    path,
                );
            } else {
                changed.insert(layout.full_name.clone(), layout);
                self.work.intents.push(LedgerEntry::intended(item.clone(), &name));
                self.say(item, &name, Step::Change, "gets the section; all else of the layout stays");
            }
        }
        self.work.components.extend(changed.into_values().map(AnyComponent::from));
    }

    /// What an object has too many of.
    fn caps(&mut self) {
        let created: Vec<&CustomField> =
            self.fields.iter().filter(|field| self.is_created(&ItemKind::Field, &field.full_name)).collect();
        let objects: BTreeSet<String> = created.iter().map(|field| field.object().to_owned()).collect();
        let mut told = Vec::new();
        for object in objects {
            let new = created.iter().filter(|field| same(field.object(), &object));
            let external = new.clone().filter(|field| field.external_id).count();
            let (had, had_external) =
                self.org.object(&object).map_or((0, 0), |known| (known.custom_fields, known.external_ids));
            for (what, had, new, most) in [
                ("custom fields", had, new.count(), self.org.field_cap()),
                ("external ids", had_external, external, Some(super::validate::MAX_EXTERNAL_IDS)),
            ] {
                let Some(most) = most.filter(|_| new > 0) else { continue };
                let will = had + new;
                let why = format!("has {had} {what} and gets {new}; the org allows {most}");
                if will > most {
                    told.push((object.clone(), Conflict::CapPassed, why));
                } else if will * 10 >= most * 9 {
                    told.push((object.clone(), Conflict::CapNear, why));
                }
            }
        }
        for (object, conflict, why) in told {
            let path = format!(
                "Setup > Object Manager > {object} > Fields & Relationships: delete what nobody uses, and erase it"
            );
            self.say_how(ItemKind::Object, &object, Step::Conflict(conflict), why, path);
        }
    }
}

/// Layout and label.
pub(super) fn section_name(section: &DesiredSection) -> String {
    format!("{}/{}", section.layout, section.label)
}

#[cfg(test)]
mod tests;
