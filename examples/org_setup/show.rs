//! What the program prints for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use sforce::api::metadata::CustomField;
use sforce::schema::{
    Applied, AssignmentOutcome, DesiredSchema, ItemKind, Leftover, PlanItem, Presence, Removal, SchemaFault,
    SchemaPlan, Step, Verification, VerifiedObject,
};

use crate::metadata::Written;

/// A number with its word.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn calls(number: u64) -> String {
    format!("{number} API {}", if number == 1 { "call" } else { "calls" })
}

/// All that is wrong with a file.
pub(crate) fn faults(path: &Path, faults: &[SchemaFault]) -> String {
    let mut text = format!("{} in {}", count(faults.len(), "fault", "faults"), path.display());
    for fault in faults {
        let line = fault.line.map_or_else(String::new, |line| format!("line {line}: "));
        let subject = if fault.subject.is_empty() { String::new() } else { format!("{} ", fault.subject) };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {line}{subject}{}", fault.problem);
    }
    text
}

/// A type of component in words: `outbound message` of `OutboundMessage`.
fn spoken(component_type: &str) -> String {
    let mut words = String::new();
    for character in component_type.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

/// A kind of thing, of one and of many.
fn words(kind: &ItemKind) -> (String, String) {
    let (one, many) = match kind {
        ItemKind::Object => ("object", "objects"),
        ItemKind::Field => ("field", "fields"),
        ItemKind::PermissionSet => ("permission set", "permission sets"),
        ItemKind::ObjectPermission => ("right on an object", "rights on objects"),
        ItemKind::FieldPermission => ("right on a field", "rights on fields"),
        ItemKind::SystemPermission => ("system permission", "system permissions"),
        ItemKind::Assignment => ("assignment", "assignments"),
        ItemKind::LayoutSection => ("layout section", "layout sections"),
        other => {
            let one = spoken(other.as_str());
            let many = format!("{one}{}", if one.ends_with('s') { "es" } else { "s" });
            return (one, many);
        }
    };
    (one.to_owned(), many.to_owned())
}

/// How many of each kind, in the order of their first coming.
fn counted<'a>(kinds: impl Iterator<Item = &'a ItemKind>) -> String {
    let mut counts: Vec<(&ItemKind, usize)> = Vec::new();
    for kind in kinds {
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, number)) => *number += 1,
            None => counts.push((kind, 1)),
        }
    }
    let each = |(kind, number): &(&ItemKind, usize)| {
        let (one, many) = words(kind);
        count(*number, &one, &many)
    };
    counts.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// A plan, grouped by what becomes of things, and by where they are.
pub(crate) fn plan(plan: &SchemaPlan, desired: &DesiredSchema) -> String {
    let of = |step: fn(&PlanItem) -> bool| plan.items().iter().filter(|item| step(item)).collect::<Vec<_>>();
    let blocks = |item: &PlanItem| matches!(item.step, Step::Conflict(conflict) if conflict.blocks());
    let notes = |item: &PlanItem| matches!(item.step, Step::Conflict(conflict) if !conflict.blocks());
    let mut text = String::new();
    if let Some(deploy) = plan.unfinished() {
        let _ = write!(text, "\nThe deploy {deploy} of an earlier run is waited for first.");
    }
    for (title, items) in [
        ("In the way", of(blocks)),
        ("To know", of(notes)),
        ("To create", of(|item| item.step == Step::Create)),
        ("To change", of(|item| item.step == Step::Change)),
        ("By hand", of(|item| item.step == Step::ByHand)),
    ] {
        if !items.is_empty() {
            let _ =
                write!(text, "\n{title}: {}{}", counted(items.iter().map(|item| &item.kind)), table(&items, desired));
        }
    }
    let there: Vec<&ItemKind> =
        plan.items().iter().filter(|item| item.step == Step::Nothing).map(|item| &item.kind).collect();
    if !there.is_empty() {
        let _ = write!(text, "\nIn place: {}", counted(there.into_iter()));
    }
    let _ = match (plan.blockers().count(), plan.is_empty()) {
        (0, false) => {
            write!(text, "\nApplying it costs {}, and one for each look at the deploy.", calls(plan.api_calls() as u64))
        }
        (0, true) => write!(text, "\nNothing to do."),
        (blocked, _) => {
            write!(text, "\nNothing is done before {} out of the way.", count(blocked, "thing is", "things are"))
        }
    };
    text
}

/// Items below their headings, their words in one column.
fn table(items: &[&PlanItem], desired: &DesiredSchema) -> String {
    let fields: BTreeMap<String, CustomField> =
        desired.all_fields().into_iter().map(|field| (field.full_name.to_ascii_lowercase(), field)).collect();
    let rows: Vec<(String, &str, String, Option<&str>)> = items
        .iter()
        .map(|item| {
            let (heading, name) = place(item);
            (heading, name, detail(item, desired, &fields), item.by_hand.as_deref())
        })
        .collect();
    let width = rows.iter().map(|(_, name, ..)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut last = "";
    for (heading, name, detail, path) in &rows {
        if heading != last {
            let _ = write!(text, "\n  {heading}");
            last = heading;
        }
        let _ = write!(text, "\n{}", format!("    {name:width$}  {detail}").trim_end());
        if let Some(path) = path {
            let _ = write!(text, "\n      -> {path}");
        }
    }
    text
}

/// The heading that an item stands below, and its name there.
fn place(item: &PlanItem) -> (String, &str) {
    let subject = item.subject.as_str();
    let (heading, name) = match (&item.kind, subject.split_once('.')) {
        (ItemKind::Field, Some((object, name))) => return (format!("Fields of {object}"), name),
        (ItemKind::FieldPermission, Some((object, name))) => return (format!("Rights on fields of {object}"), name),
        (ItemKind::Object, _) => ("Objects", subject),
        (ItemKind::PermissionSet, _) => ("Permission set", subject),
        (ItemKind::ObjectPermission, _) => ("Rights on objects", subject),
        (ItemKind::SystemPermission, _) => ("System permissions", subject),
        (ItemKind::Assignment, _) => ("Assignment of the permission set", subject),
        (ItemKind::LayoutSection, _) => ("Sections of page layouts", subject),
        (other, _) => {
            let spoken = spoken(other.as_str());
            let (first, rest) = spoken.split_at(spoken.len().min(1));
            return (format!("{}{rest}", first.to_ascii_uppercase()), subject);
        }
    };
    (heading.to_owned(), name)
}

/// What is made, where that says more than that it is not there.
fn detail(item: &PlanItem, desired: &DesiredSchema, fields: &BTreeMap<String, CustomField>) -> String {
    if item.step != Step::Create {
        return item.why.clone();
    }
    match item.kind {
        ItemKind::Field => fields.get(&item.subject.to_ascii_lowercase()).map_or_else(|| item.why.clone(), field),
        ItemKind::Object => {
            let object = desired.objects.iter().find(|object| object.full_name.eq_ignore_ascii_case(&item.subject));
            object.map_or_else(|| item.why.clone(), |object| object.label.clone())
        }
        ItemKind::PermissionSet => desired.permission_set.as_ref().map_or_else(
            || item.why.clone(),
            |set| {
                let objects = count(set.objects.len(), "object", "objects");
                format!("rights on {objects} and {}", count(set.fields.len(), "field", "fields"))
            },
        ),
        // Its heading and its name say it all.
        ItemKind::Component(_) => String::new(),
        _ => item.why.clone(),
    }
}

fn field(field: &CustomField) -> String {
    let mut words = vec![field.kind.to_string()];
    for (is, word) in [
        (field.required, "required"),
        (field.unique, "unique"),
        (field.external_id, "external id"),
        (field.track_history, "history kept"),
    ] {
        if is {
            words.push(word.to_owned());
        }
    }
    words.join(", ")
}

/// What was done.
pub(crate) fn applied(applied: &Applied, plan: &SchemaPlan, user: &str, spent: u64) -> String {
    if applied.is_unchanged() && plan.is_empty() {
        return format!("\nNothing was changed, {}", calls(spent));
    }
    let mut text = format!("\nDone in {}, planning and looks at the deploy among them", calls(spent));
    let kind = |name: &String| {
        let component = |item: &&PlanItem| {
            let right =
                matches!(item.kind, ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::Assignment);
            item.subject == *name && !right
        };
        plan.items().iter().find(component).map(|item| &item.kind)
    };
    for (names, what) in [(&applied.created, "Created"), (&applied.changed, "Changed")] {
        if !names.is_empty() {
            let _ = write!(text, "\n  {what}: {}", counted(names.iter().filter_map(kind)));
        }
    }
    if !applied.granted.is_empty() {
        let _ = write!(text, "\n  Added to the permission set: {}", count(applied.granted.len(), "right", "rights"));
    }
    let assigned = match applied.assignment {
        AssignmentOutcome::Assigned => Some(format!("The permission set is assigned to {user}.")),
        AssignmentOutcome::AssignmentLimit => Some(format!("{user} has as many permission sets as a user can have.")),
        AssignmentOutcome::ByHand => Some("The permission set is not assigned; that is left to you.".to_owned()),
        _ => None,
    };
    if let Some(assigned) = assigned {
        let _ = write!(text, "\n  {assigned}");
    }
    if !applied.by_hand.is_empty() {
        text.push_str("\nBy hand");
    }
    for finding in &applied.by_hand {
        let _ = write!(text, "\n  {} {}\n    -> {}", finding.subject, finding.problem, finding.remedy);
    }
    text
}

/// What the run-time user finds.
pub(crate) fn verified(seen: &Verification, user: &str, spent: u64) -> String {
    let findings = seen.findings();
    let mut text = format!("\nVerified as {user}, {}", calls(spent));
    let width = seen.objects.iter().map(|object| object.name.chars().count()).max().unwrap_or(0);
    for object in &seen.objects {
        let fields = match object.fields.len() {
            0 => "rights".to_owned(),
            fields => count(fields, "field", "fields"),
        };
        let _ = write!(text, "\n  {:width$}  {fields:>10}  {}", object.name, verdict(object));
    }
    if findings.is_empty() {
        text.push_str("\nAll in place, visible, of the right type, and writable where it is to be.");
    } else {
        let _ = write!(text, "\nTo mend: {}", findings.len());
    }
    for finding in &findings {
        let _ = write!(text, "\n  {} {}\n    -> {}", finding.subject, finding.problem, finding.remedy);
    }
    text
}

fn verdict(object: &VerifiedObject) -> String {
    match object.presence {
        Presence::Visible => {}
        Presence::Hidden => return "hidden from the user".into(),
        Presence::Missing => return "not there".into(),
        _ => return "not there, or hidden from the user".into(),
    }
    let wrong = object.fields.iter().filter(|field| !field.holds()).count() + object.missing_rights.len();
    if wrong == 0 { "holds".into() } else { format!("{wrong} to mend") }
}

/// What is gone, and what is not.
pub(crate) fn removed(removal: &Removal, with_data: bool, spent: u64) -> String {
    let spent = calls(spent);
    if removal.removed.is_empty() && removal.left.is_empty() {
        return format!("\nNothing to remove: the ledger has nothing of this schema in this org, {spent}");
    }
    let mut text = match removal.removed.len() {
        0 => format!("\nRemoved: nothing, {spent}"),
        _ => format!("\nRemoved: {}, {spent}", by_kind(&removal.removed)),
    };
    if removal.left.is_empty() {
        text.push_str("\nNothing is left.");
        return text;
    }
    let _ = write!(text, "\nLeft: {}", removal.left.len());
    for Leftover { kind, name, reason, click_path, .. } in &removal.left {
        let _ = write!(text, "\n  {kind} {name}: {reason}\n    -> {click_path}");
    }
    text.push_str("\nWhat is left stays in the ledger, so --remove can be tried again.");
    if !with_data {
        text.push_str("\nWith --with-data objects and fields that hold records go too, and the records with them.");
    }
    text
}

/// How many of each kind; the names begin with theirs.
fn by_kind(names: &[String]) -> String {
    const KINDS: [ItemKind; 8] = [
        ItemKind::Object,
        ItemKind::Field,
        ItemKind::PermissionSet,
        ItemKind::ObjectPermission,
        ItemKind::FieldPermission,
        ItemKind::SystemPermission,
        ItemKind::Assignment,
        ItemKind::LayoutSection,
    ];
    let is = |name: &str, kind: &ItemKind| name.strip_prefix(kind.as_str()).is_some_and(|rest| rest.starts_with(' '));
    let kinds: Vec<ItemKind> = names
        .iter()
        .map(|name| {
            let known = KINDS.into_iter().find(|kind| is(name, kind));
            known.unwrap_or_else(|| ItemKind::Component(name.split(' ').next().unwrap_or_default().to_owned()))
        })
        .collect();
    counted(kinds.iter())
}

/// Which files were written.
pub(crate) fn written(written: &Written, folder: &Path) -> String {
    let mut text = format!("{} of metadata in {}", count(written.files.len(), "file", "files"), folder.display());
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for file in &written.files {
        let kind = file.iter().next().map(|kind| kind.to_string_lossy().into_owned());
        *types.entry(kind.unwrap_or_default()).or_default() += 1;
    }
    for (kind, number) in types {
        let _ = write!(text, "\n  {number:>4} {kind}");
    }
    if written.sections > 0 {
        let sections = count(written.sections, "section is", "sections are");
        let _ = write!(text, "\n  {sections} made in the layouts of an org, and so in no file");
    }
    text
}
