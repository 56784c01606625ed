//! What becomes of each field.

use super::{Conflict, Planner, RENAME, Step};
use crate::api::metadata::{CustomField, CustomObject, FieldKind, ValueSet, ValueSource};
use crate::schema::desired::{same, split};
use crate::schema::ledger::ItemKind;
use crate::schema::org::OrgField;

/// How a field of the org holds what ours holds.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::schema) enum Fit {
    /// Exactly.
    Same,
    /// With room to spare.
    Larger,
    /// It would, if it were larger.
    Smaller,
    /// It lacks these values.
    Lacks(Vec<String>),
    /// Not at all.
    Differs(String),
}

impl Planner<'_> {
    pub(super) fn all_fields(&mut self) {
        for field in self.fields.clone() {
            self.field(&field);
        }
    }

    fn field(&mut self, field: &CustomField) {
        let (object, name) = split(&field.full_name);
        let Some(existing) = self.org.object(object) else {
            if self.is_created(&ItemKind::Object, object) {
                self.new_field(field);
            } else {
                let why = format!("its object {object} is not there, or the set-up user does not see it");
                self.say(ItemKind::Field, &field.full_name, Step::Conflict(Conflict::Missing), why);
            }
            return;
        };
        match existing.field(name).cloned() {
            None => self.new_field(field),
            Some(found) => self.known_field(field, &found),
        }
    }

    fn new_field(&mut self, field: &CustomField) {
        if let FieldKind::Lookup { reference_to, .. } | FieldKind::MasterDetail { reference_to, .. } = &field.kind {
            let there = self.org.object(reference_to).is_some() || self.is_created(&ItemKind::Object, reference_to);
            if !there {
                let why = format!("looks up {reference_to}, which is not there");
                self.say(ItemKind::Field, &field.full_name, Step::Conflict(Conflict::Missing), why);
                return;
            }
        }
        if let Some(other) = self.child_of_the_same_name(field) {
            let why = format!("its parent already knows {other} by the name that is meant for its children");
            self.say_how(ItemKind::Field, &field.full_name, Step::Conflict(Conflict::NameTaken), why, RENAME);
            return;
        }
        if field.track_history {
            let keeps =
                |object: &&CustomObject| same(&object.full_name, field.object()) && object.enable_history == Some(true);
            // A custom object that is there gets its history by hand: a deploy of it would take its labels back too.
            let made = self.desired.objects.iter().find(keeps).is_some_and(|object| {
                !object.full_name.ends_with("__c") || self.is_created(&ItemKind::Object, &object.full_name)
            });
            let tracks = made || self.org.object(field.object()).is_some_and(|object| object.history != Some(false));
            if !tracks {
                let why = format!("is to be tracked, and {} does not keep the history of its fields", field.object());
                let path =
                    format!("Setup > Object Manager > {} > Details > Edit > Track Field History", field.object());
                self.say_how(ItemKind::Field, &field.full_name, Step::Conflict(Conflict::Missing), why, path);
                return;
            }
        }
        self.create(ItemKind::Field, field.clone(), Some(&field.label));
    }

    /// The field that the parent's children of this name already come through.
    fn child_of_the_same_name(&self, field: &CustomField) -> Option<String> {
        let (FieldKind::Lookup { reference_to, relationship_name, .. }
        | FieldKind::MasterDetail { reference_to, relationship_name, .. }) = &field.kind
        else {
            return None;
        };
        let children = &self.org.object(reference_to)?.children;
        let taken =
            children.iter().find(|(name, through)| same(name, relationship_name) && !same(through, &field.full_name));
        taken.map(|(_, through)| through.clone())
    }

    fn known_field(&mut self, field: &CustomField, found: &OrgField) {
        let name = &field.full_name;
        let ours = self.ledger.has(&ItemKind::Field, name);
        let fit = fit(field, found);
        let untracked = field.track_history && found.track_history == Some(false);
        let tracks = self.org.object(field.object()).is_none_or(|object| object.history != Some(false));
        let mut why = match &fit {
            Fit::Differs(why) => {
                self.say_how(ItemKind::Field, name, Step::Conflict(Conflict::TypeDiffers), why.clone(), RENAME);
                return;
            }
            Fit::Smaller if !ours => {
                let why = format!("is {}, not {}, and was not made by us", found.kind, field.kind);
                let (object, _) = split(name);
                let path = format!(
                    "Setup > Object Manager > {object} > Fields & Relationships > {} > Edit: enlarge it",
                    found.label
                );
                self.say_how(ItemKind::Field, name, Step::Conflict(Conflict::TypeDiffers), why, path);
                return;
            }
            Fit::Lacks(values) if !ours => {
                let (object, _) = split(name);
                let why = format!("lacks the values {}, and was not made by us", values.join(", "));
                let path = format!(
                    "Setup > Object Manager > {object} > Fields & Relationships > {} > Values > New",
                    found.label
                );
                self.say_how(ItemKind::Field, name, Step::ByHand, why, path);
                return;
            }
            Fit::Smaller => Some(format!("grows from {} to {}", found.kind, merged(field, &found.kind))),
            Fit::Lacks(values) => Some(format!("gets the values {}", values.join(", "))),
            Fit::Same | Fit::Larger => None,
        };
        if untracked && ours && tracks {
            let tracked = "its history is kept from now on";
            why = Some(why.map_or_else(|| tracked.to_owned(), |why| format!("{why}, and {tracked}")));
        }
        if let Some(why) = why {
            self.work.changes.push(field.clone());
            self.work.settled.push((ItemKind::Field, name.clone()));
            self.say(ItemKind::Field, name, Step::Change, why);
        } else if untracked {
            let path =
                format!("Setup > Object Manager > {} > Fields & Relationships > Set History Tracking", field.object());
            self.say_how(
                ItemKind::Field,
                name,
                Step::ByHand,
                "its history is not kept, and was not ours to switch on",
                path,
            );
        } else if fit == Fit::Larger {
            if ours {
                self.work.settled.push((ItemKind::Field, name.clone()));
            }
            let why = format!("is {}, not {}, and is left so", found.kind, field.kind);
            self.say(ItemKind::Field, name, Step::Conflict(Conflict::WouldShrink), why);
        } else if is_unseen(field, found) {
            let why = format!("is there; its type is hidden from the set-up user, who is told \"{}\"", found.kind);
            self.there(ItemKind::Field, name, why);
        } else {
            self.there(ItemKind::Field, name, "is there");
        }
    }
}

/// Whether a hidden field's type is not to be judged by. Setup's words are in the language of the set-up user, and a lookup's target is the
/// label of its tab, which admins rename.
fn is_unseen(field: &CustomField, found: &OrgField) -> bool {
    let known =
        |words: &str| ["Formula (", "Roll-Up Summary", "Geolocation"].iter().any(|known| words.starts_with(known));
    found.hidden
        && match (&field.kind, &found.kind) {
            (_, FieldKind::Other(words)) => !known(words),
            (FieldKind::Lookup { .. }, FieldKind::Lookup { .. })
            | (FieldKind::MasterDetail { .. }, FieldKind::MasterDetail { .. }) => {
                !leads_to_the_same(&field.kind, &found.kind)
            }
            _ => false,
        }
}

/// Digits before the point and after it.
fn digits(kind: &FieldKind) -> Option<(u32, u32)> {
    match kind {
        FieldKind::Number { precision, scale }
        | FieldKind::Currency { precision, scale }
        | FieldKind::Percent { precision, scale } => Some((precision.saturating_sub(*scale), *scale)),
        _ => None,
    }
}

fn length(kind: &FieldKind) -> Option<u32> {
    match kind {
        FieldKind::Text { length } | FieldKind::LongTextArea { length, .. } | FieldKind::Html { length, .. } => {
            Some(*length)
        }
        _ => None,
    }
}

/// The type that holds what either holds: the larger size, the org's values and ours after them.
pub(in crate::schema) fn merged(field: &CustomField, found: &FieldKind) -> FieldKind {
    let mut kind = field.kind.clone();
    match &mut kind {
        FieldKind::Text { length: own }
        | FieldKind::LongTextArea { length: own, .. }
        | FieldKind::Html { length: own, .. } => {
            *own = (*own).max(length(found).unwrap_or_default());
        }
        FieldKind::Number { precision, scale }
        | FieldKind::Currency { precision, scale }
        | FieldKind::Percent { precision, scale } => {
            let (before, after) = digits(found).unwrap_or_default();
            let before = before.max(precision.saturating_sub(*scale));
            *scale = after.max(*scale);
            *precision = before + *scale;
        }
        FieldKind::Picklist { values } | FieldKind::MultiselectPicklist { values, .. } => {
            *values = joined(values, found);
        }
        _ => {}
    }
    kind
}

fn joined(ours: &ValueSet, found: &FieldKind) -> ValueSet {
    let (FieldKind::Picklist { values: known } | FieldKind::MultiselectPicklist { values: known, .. }) = found else {
        return ours.clone();
    };
    let mut joined = known.clone();
    if let ValueSource::Own { values, .. } = &mut joined.source {
        for value in ours.values() {
            if !values.iter().any(|known| known.full_name.eq_ignore_ascii_case(&value.full_name)) {
                values.push(value.clone());
            }
        }
    }
    joined
}

/// Whether a field of the org holds what the desired one holds.
pub(in crate::schema) fn fit(field: &CustomField, found: &OrgField) -> Fit {
    if is_unseen(field, found) {
        return Fit::Same;
    }
    let differs = || Fit::Differs(format!("is {}, not {}", found.kind, field.kind));
    let fit = match (&field.kind, &found.kind) {
        (FieldKind::Lookup { .. }, FieldKind::Lookup { .. })
        | (FieldKind::MasterDetail { .. }, FieldKind::MasterDetail { .. }) => {
            if leads_to_the_same(&field.kind, &found.kind) { Fit::Same } else { differs() }
        }
        (FieldKind::Picklist { values }, FieldKind::Picklist { values: known })
        | (FieldKind::MultiselectPicklist { values, .. }, FieldKind::MultiselectPicklist { values: known, .. }) => {
            let has = |name: &str| known.values().iter().any(|value| value.full_name.eq_ignore_ascii_case(name));
            let missing = values.values().iter().map(|value| value.full_name.as_str()).filter(|name| !has(name));
            let missing: Vec<String> = missing.map(str::to_owned).collect();
            // What is hidden has no values to compare.
            if missing.is_empty() || found.hidden { Fit::Same } else { Fit::Lacks(missing) }
        }
        (ours, theirs) if same_type(ours, theirs) && length(ours).is_some() => match (length(ours), length(theirs)) {
            (ours, theirs) if ours == theirs => Fit::Same,
            (ours, theirs) if ours < theirs => Fit::Larger,
            _ => Fit::Smaller,
        },
        (ours, theirs) if same_type(ours, theirs) && digits(ours).is_some() => {
            let ((before, after), (their_before, their_after)) =
                (digits(ours).unwrap_or_default(), digits(theirs).unwrap_or_default());
            if (before, after) == (their_before, their_after) {
                Fit::Same
            } else if their_before >= before && their_after >= after {
                Fit::Larger
            } else if before.max(their_before) + after.max(their_after) <= 18 {
                Fit::Smaller
            } else {
                differs()
            }
        }
        // By the words of Setup, which is all that is known of a formula or a hidden field.
        (ours, theirs) if ours.to_string() == theirs.to_string() => Fit::Same,
        _ => differs(),
    };
    let lacks = |what: &str| Fit::Differs(format!("is {what}"));
    match fit {
        Fit::Differs(_) => fit,
        _ if field.external_id && !found.external_id => lacks("no external id"),
        _ if field.unique && !found.unique => lacks("not unique"),
        _ if field.case_sensitive && !found.case_sensitive => lacks("unique whatever the case of its values"),
        _ => fit,
    }
}

fn same_type(ours: &FieldKind, theirs: &FieldKind) -> bool {
    std::mem::discriminant(ours) == std::mem::discriminant(theirs)
}

/// Whether two relationships lead to one object and are called alike there, as far as that is known.
fn leads_to_the_same(ours: &FieldKind, theirs: &FieldKind) -> bool {
    let parts = |kind: &FieldKind| match kind {
        FieldKind::Lookup { reference_to, relationship_name, .. }
        | FieldKind::MasterDetail { reference_to, relationship_name, .. } => {
            (reference_to.clone(), relationship_name.clone())
        }
        _ => (String::new(), String::new()),
    };
    let ((to, name), (their_to, their_name)) = (parts(ours), parts(theirs));
    same(&to, &their_to) && (their_name.is_empty() || same(&name, &their_name))
}
