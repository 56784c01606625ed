use proptest::prelude::*;

use super::*;
use crate::api::metadata::{FieldKind, PermissionSet, PicklistValue, ValueSet};
use crate::schema::ledger::EntryState;
use crate::schema::plan::rights::{field_rights, object_rights};
use crate::schema::{OrgField, OrgObject, OrgPermissionSet};

fn field(full_name: &str, kind: FieldKind) -> CustomField {
    CustomField::new(full_name, "L", kind)
}

fn grant(field: &str, editable: bool) -> FieldPermission {
    FieldPermission { field: field.into(), readable: true, editable }
}

fn desired() -> DesiredSchema {
    let set = PermissionSet {
        full_name: "P".into(),
        label: "P".into(),
        description: Some("ours".into()),
        fields: vec![grant("S__c.N__c", true)],
        objects: vec![ObjectPermission { object: "S__c".into(), read: true, ..ObjectPermission::default() }],
        ..PermissionSet::default()
    };
    DesiredSchema::new("test")
        .object(CustomObject::new("S__c", "S", "Ss"))
        .field(field("S__c.Key__c", FieldKind::text(80)).unique().external_id())
        .field(field("S__c.N__c", FieldKind::number(18, 3)))
        .field(field("Account.N__c", FieldKind::DateTime))
        .permission_set(set)
}

/// An org that has these standard objects and nothing of ours.
fn empty() -> OrgSchema {
    let object = |name: &str| OrgObject { name: name.into(), label: name.into(), ..OrgObject::default() };
    OrgSchema {
        objects: ["Account", "Contact"].map(object).into(),
        edition: "Enterprise Edition".into(),
        ..OrgSchema::default()
    }
}

fn seen(field: &CustomField) -> OrgField {
    OrgField {
        name: field.name().to_owned(),
        label: field.label.clone(),
        kind: field.kind.clone(),
        required: field.required,
        unique: field.unique,
        case_sensitive: field.case_sensitive,
        external_id: field.external_id,
        track_history: Some(field.track_history),
        hidden: false,
    }
}

/// Org and ledger after a plan was carried out.
fn applied(org: &OrgSchema, ledger: &Ledger, plan: &SchemaPlan) -> (OrgSchema, Ledger) {
    let (mut org, mut ledger) = (org.clone(), ledger.clone());
    for component in &plan.work.components {
        if let Some(object) = component.get::<CustomObject>().expect("reads") {
            match org.objects.iter_mut().find(|known| known.name == object.full_name) {
                Some(known) => known.history = object.enable_history.or(known.history),
                None => org.objects.push(OrgObject {
                    name_kind: object
                        .name_field
                        .map_or("", |field| if field.kind.type_name() == "Text" { "Text" } else { "AutoNumber" })
                        .into(),
                    history: Some(object.enable_history == Some(true)),
                    name: object.full_name,
                    label: object.label,
                    ..OrgObject::default()
                }),
            }
        } else if let Some(field) = component.get::<CustomField>().expect("reads") {
            let object = org.objects.iter_mut().find(|known| same(&known.name, field.object())).expect("its object");
            object.fields.push(seen(&field));
            object.custom_fields += 1;
        } else if let Some(set) = component.get::<PermissionSet>().expect("reads") {
            org.permission_set = Some(OrgPermissionSet { id: None, set, assigned: false });
        } else if let Some(layout) = component.get::<Layout>().expect("reads") {
            let known = org.layouts.iter_mut().find(|known| known.full_name == layout.full_name).expect("there");
            *known = layout;
        } else {
            org.components.insert((component.component_type().to_owned(), component.full_name().to_owned()));
        }
    }
    for change in &plan.work.changes {
        let object = org.objects.iter_mut().find(|known| same(&known.name, change.object())).expect("its object");
        let known = object.fields.iter_mut().find(|known| same(&known.name, change.name())).expect("there");
        known.kind = super::fields::merged(change, &known.kind);
        known.track_history = known.track_history.map(|tracked| tracked || change.track_history);
    }
    let grants = &plan.work.grants;
    if let Some(set) = &mut org.permission_set {
        let rows = &mut set.set;
        for more in &grants.more_objects {
            let row = rows.objects.iter_mut().find(|row| same(&row.object, &more.object)).expect("there");
            (row.read, row.create, row.edit) =
                (row.read || more.read, row.create || more.create, row.edit || more.edit);
            (row.delete, row.view_all, row.modify_all) =
                (row.delete || more.delete, row.view_all || more.view_all, row.modify_all || more.modify_all);
        }
        for more in &grants.more_fields {
            let row = rows.fields.iter_mut().find(|row| same(&row.field, &more.field)).expect("there");
            (row.readable, row.editable) = (row.readable || more.readable, row.editable || more.editable);
        }
        rows.objects.extend(grants.objects.iter().cloned());
        rows.fields.extend(grants.fields.iter().cloned());
        rows.users.extend(grants.system.iter().cloned());
        if let Some(name) = &plan.work.assign {
            set.assigned = true;
            ledger.note(LedgerEntry { state: EntryState::Made, ..LedgerEntry::intended(ItemKind::Assignment, name) });
        }
    }
    for entry in &plan.work.intents {
        ledger.note(LedgerEntry { state: EntryState::Made, ..entry.clone() });
    }
    for (kind, name) in &plan.work.settled {
        ledger.made(kind, name);
    }
    (org, ledger)
}

fn steps(plan: &SchemaPlan, step: Step) -> Vec<&str> {
    plan.items().iter().filter(|item| item.step == step).map(|item| item.subject.as_str()).collect()
}

fn whole() -> (OrgSchema, Ledger) {
    let first = plan(&desired(), &empty(), &Ledger::default());
    applied(&empty(), &Ledger::default(), &first)
}

#[test]
fn nav_2_a_second_plan_is_empty_and_a_half_finished_one_goes_on() {
    let first = plan(&desired(), &empty(), &Ledger::default());
    assert_eq!(steps(&first, Step::Create), ["S__c", "S__c.Key__c", "S__c.N__c", "Account.N__c", "P", "P"]);
    assert_eq!(first.api_calls(), 2, "one deploy, one assignment");
    let (org, ledger) = whole();
    let second = plan(&desired(), &org, &ledger);
    assert!(second.is_empty() && second.api_calls() == 0, "{second}");

    let mut half = org.clone();
    half.objects.last_mut().expect("ours").fields.pop();
    half.permission_set = None;
    let rest = plan(&desired(), &half, &ledger);
    assert_eq!(steps(&rest, Step::Create), ["S__c.N__c", "P", "P"]);
}

#[test]
fn nav_2_an_object_of_another_shape_is_in_conflict_with_every_reason() {
    let (mut org, ledger) = whole();
    let ours = org.objects.last_mut().expect("ours");
    ours.name_kind = "AutoNumber".into();
    ours.fields[0].unique = false;
    ours.fields[1].kind = FieldKind::text(10);
    let plan = plan(&desired(), &org, &ledger);
    let told: Vec<String> = plan.blockers().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("Name of type AutoNumber, not Text") && told[1].contains("is not unique"), "{told:?}");
    assert!(told[2].contains("is Text(10), not Number(15, 3)"), "{told:?}");
    assert_eq!(plan.api_calls(), 0);
}

#[test]
fn nav_2_a_lookup_has_to_point_to_the_object_and_name_its_children_as_we_do() {
    let ours = field("S__c.L__c", FieldKind::lookup("Contact", "Sessions", "L"));
    for (existing, fits) in [
        (FieldKind::lookup("contact", "Sessions", ""), true),
        (FieldKind::lookup("Contact", "", ""), true),
        (FieldKind::lookup("Lead", "Sessions", ""), false),
        (FieldKind::lookup("Contact", "Theirs", ""), false),
        (FieldKind::master_detail("Contact", "Sessions", ""), false),
    ] {
        let found = OrgField { kind: existing.clone(), ..seen(&ours) };
        assert_eq!(super::fields::fit(&ours, &found) == super::fields::Fit::Same, fits, "{existing}");
    }
}

#[test]
fn a_name_that_belongs_to_somebody_else_is_a_conflict_and_a_reworded_one_is_ours() {
    let (org, ledger) = whole();
    // An admin may reword anything of ours.
    let mut reworded = org.clone();
    reworded.objects.last_mut().expect("ours").label = "Their word".into();
    let set = reworded.permission_set.as_mut().expect("there");
    (set.set.label, set.set.description) = ("Theirs".into(), None);
    assert!(plan(&desired(), &reworded, &ledger).is_empty());
    // Without a ledger the description of the set, or one field of the object, tells that it is ours.
    let mut known = reworded.clone();
    known.permission_set.as_mut().expect("there").set.description = Some("ours".into());
    assert_eq!(plan(&desired(), &known, &Ledger::default()).blockers().count(), 0);
    // Its label alone is anybody's, unless ours has no description.
    let mut labelled = reworded.clone();
    labelled.permission_set.as_mut().expect("there").set.label = "P".into();
    let taken = plan(&desired(), &labelled, &Ledger::default());
    assert_eq!(taken.blockers().map(|item| item.subject.as_str()).collect::<Vec<_>>(), ["P"]);
    let mut bare = desired();
    bare.permission_set.as_mut().expect("there").description = None;
    assert_eq!(plan(&bare, &labelled, &Ledger::default()).blockers().count(), 0);
    let mut foreign = reworded;
    foreign.objects.last_mut().expect("there").fields.clear();
    let plan = plan(&desired(), &foreign, &Ledger::default());
    let taken: Vec<&str> = plan.blockers().map(|item| item.subject.as_str()).collect();
    assert_eq!(taken, ["S__c", "P"]);
}

#[test]
fn a_larger_field_is_told_and_left_and_stops_nothing() {
    let (mut org, ledger) = whole();
    org.objects.last_mut().expect("ours").fields[0].kind = FieldKind::text(255);
    let plan = plan(&desired(), &org, &ledger);
    assert_eq!(steps(&plan, Step::Conflict(Conflict::WouldShrink)), ["S__c.Key__c"]);
    assert!(plan.is_empty() && plan.blockers().count() == 0);
}

#[test]
fn only_what_is_ours_grows() {
    let bigger = |mut schema: DesiredSchema| {
        schema.fields[0].kind = FieldKind::text(120);
        schema.fields[1].kind = FieldKind::number(18, 4);
        schema
    };
    let (org, ledger) = whole();
    let grown = plan(&bigger(desired()), &org, &ledger);
    assert_eq!(steps(&grown, Step::Change), ["S__c.Key__c"], "{grown}");
    assert_eq!(steps(&grown, Step::Conflict(Conflict::TypeDiffers)), ["S__c.N__c"], "15 and 4 are 19 digits");
    let foreign = plan(&bigger(desired()), &org, &Ledger::default());
    assert_eq!(steps(&foreign, Step::Conflict(Conflict::TypeDiffers)).len(), 2);

    let mut schema = desired();
    schema.fields[0].kind = FieldKind::text(120);
    let grown = plan(&schema, &org, &ledger);
    assert_eq!(grown.api_calls(), 2, "one reads what the field is, one changes it");
    let (org, ledger) = applied(&org, &ledger, &grown);
    assert!(plan(&schema, &org, &ledger).is_empty());
}

#[test]
fn a_picklist_of_ours_gets_the_values_it_lacks_and_keeps_the_admins() {
    let of = |values: &[&str]| {
        let values = ValueSet::new(values.iter().copied().map(PicklistValue::new));
        desired().field(field("S__c.Level__c", FieldKind::picklist(values)))
    };
    let first = plan(&of(&["Low"]), &empty(), &Ledger::default());
    let (mut org, ledger) = applied(&empty(), &Ledger::default(), &first);
    let level = |org: &mut OrgSchema| org.objects.last_mut().expect("ours").fields.last_mut().expect("level").clone();
    org.objects.last_mut().expect("ours").fields.last_mut().expect("level").kind =
        FieldKind::picklist(ValueSet::new(["low", "Theirs"]));
    let more = plan(&of(&["Low", "High"]), &org, &ledger);
    assert_eq!(steps(&more, Step::Change), ["S__c.Level__c"]);
    assert!(more.to_string().contains("gets the values High"), "{more}");
    let (mut org, ledger) = applied(&org, &ledger, &more);
    let FieldKind::Picklist { values } = level(&mut org).kind else { panic!("a picklist") };
    let names: Vec<&str> = values.values().iter().map(|value| value.full_name.as_str()).collect();
    assert_eq!(names, ["low", "Theirs", "High"]);
    assert!(plan(&of(&["Low", "High"]), &org, &ledger).is_empty());
    let foreign = plan(&of(&["New"]), &org, &Ledger::default());
    assert_eq!(steps(&foreign, Step::ByHand), ["S__c.Level__c"]);
}

#[test]
fn heap_29_history_is_switched_on_where_it_is_ours_and_told_where_it_is_not() {
    let mut schema = desired();
    schema.objects[0].enable_history = Some(true);
    schema.fields[1].track_history = true;
    let (org, ledger) = whole();
    let late = plan(&schema, &org, &ledger);
    assert_eq!(steps(&late, Step::ByHand), ["S__c", "S__c.N__c"], "{late}");
    assert!(late.by_hand().all(|item| item.by_hand.as_ref().is_some_and(|path| path.starts_with("Setup > "))));
    let mut on = org.clone();
    on.objects.last_mut().expect("ours").history = Some(true);
    assert_eq!(steps(&plan(&schema, &on, &ledger), Step::Change), ["S__c.N__c"]);
    assert_eq!(steps(&plan(&schema, &on, &Ledger::default()), Step::ByHand), ["S__c.N__c"]);
    // From the start it is all ours.
    let first = plan(&schema, &empty(), &Ledger::default());
    let (org, ledger) = applied(&empty(), &Ledger::default(), &first);
    assert!(plan(&schema, &org, &ledger).is_empty());
    // A standard object keeps its own definition and gets the switch.
    let mut org = empty();
    org.objects[0].history = Some(false);
    let schema = DesiredSchema::new("test").object(CustomObject::standard("Account").with_history());
    assert_eq!(steps(&plan(&schema, &org, &Ledger::default()), Step::Change), ["Account"]);
}

#[test]
fn nav_16_no_right_that_somebody_else_made_is_widened_and_ours_is_given_again() {
    let (org, ledger) = whole();
    let with = |change: &dyn Fn(&mut PermissionSet)| {
        let mut org = org.clone();
        change(&mut org.permission_set.as_mut().expect("there").set);
        org
    };
    // Nobody knows who made a row that the ledger does not have.
    let narrow = with(&|set| set.fields[0].editable = false);
    let theirs = plan(&desired(), &narrow, &Ledger::default());
    assert!(theirs.is_empty(), "{theirs}");
    let told: Vec<&PlanItem> = theirs.by_hand().collect();
    assert_eq!((told.len(), told[0].subject.as_str()), (1, "S__c.N__c"));
    assert!(told[0].why.contains("grants no edit; somebody else has made it"), "{}", told[0].why);
    assert!(told[0].by_hand.as_ref().is_some_and(|path| path.contains("Field Permissions")));
    // What we gave is given again, narrowed or gone.
    assert_eq!(steps(&plan(&desired(), &narrow, &ledger), Step::Change), ["S__c.N__c"]);
    let gone = plan(&desired(), &with(&|set| set.fields.clear()), &ledger);
    assert_eq!((steps(&gone, Step::Create), gone.api_calls()), (vec!["S__c.N__c"], 1));
    // What an admin has added stays, and stays with what we add.
    let added = with(&|set| {
        set.objects[0].delete = true;
        set.users.push("ViewSetup".into());
    });
    assert!(plan(&desired(), &added, &ledger).is_empty());
    let mut more = desired();
    more.permission_set.as_mut().expect("there").objects[0].edit = true;
    let grown = plan(&more, &added, &ledger);
    assert_eq!((steps(&grown, Step::Change), grown.api_calls()), (vec!["S__c"], 2));
    // Only what is lacking is sent, and only that is noted as ours.
    let sent = &grown.work.grants.more_objects[0];
    assert!(sent.edit && !sent.delete && !sent.read, "{sent:?}");
    assert_eq!(grown.work.intents[0].rights.as_deref(), Some("read edit"));
    let narrow = plan(&desired(), &narrow, &ledger);
    assert_eq!(field_rights(&narrow.work.grants.more_fields[0]), "edit");
    assert_eq!(narrow.work.intents[0].rights.as_deref(), Some("read edit"));
}

#[test]
fn no_right_is_granted_on_a_field_that_the_org_requires_and_that_is_said() {
    let mut org = empty();
    let own = |required: bool, kind: FieldKind| {
        let field = OrgField { required, ..seen(&field("S__c.N__c", kind)) };
        OrgObject { name: "S__c".into(), label: "S".into(), fields: vec![field], ..OrgObject::default() }
    };
    let granted = |plan: &SchemaPlan| {
        let sets = plan.work.components.iter().filter_map(|component| component.get::<PermissionSet>().expect("reads"));
        sets.map(|set| set.fields.len()).sum::<usize>()
    };
    org.objects.push(own(true, FieldKind::number(18, 3)));
    let first = plan(&desired(), &org, &Ledger::default());
    assert_eq!((granted(&first), first.blockers().count()), (0, 0), "{first}");
    let noted = first.work.intents.iter().any(|entry| entry.kind == ItemKind::FieldPermission);
    assert!(!noted, "nothing is noted that is not made");
    let is_row = |item: &&PlanItem| item.kind == ItemKind::FieldPermission && item.subject == "S__c.N__c";
    let told = first.items().iter().find(is_row).expect("told");
    assert!(told.step == Step::Nothing && told.why.contains("requires the field"), "{told:?}");
    let (after, ledger) = applied(&org, &Ledger::default(), &first);
    assert!(plan(&desired(), &after, &ledger).is_empty(), "nor as a row");

    let mut optional = org;
    *optional.objects.last_mut().expect("ours") = own(false, FieldKind::number(18, 3));
    assert_eq!(granted(&plan(&desired(), &optional, &Ledger::default())), 1);
    // A checkbox is never empty, and its right can be granted.
    let mut boxed = desired();
    boxed.fields.retain(|field| field.full_name != "S__c.N__c");
    boxed = boxed.field(field("S__c.N__c", FieldKind::Checkbox));
    *optional.objects.last_mut().expect("ours") = own(true, FieldKind::Checkbox);
    assert_eq!(granted(&plan(&boxed, &optional, &Ledger::default())), 1);
}

#[test]
fn an_assignment_that_is_gone_is_made_again() {
    let (mut org, ledger) = whole();
    org.permission_set.as_mut().expect("there").assigned = false;
    let again = plan(&desired(), &org, &ledger);
    assert_eq!((steps(&again, Step::Create), again.api_calls()), (vec!["P"], 1));
}

#[test]
fn rights_on_what_an_admin_deleted_and_we_make_again_are_granted_again() {
    let (mut org, ledger) = whole();
    org.objects.last_mut().expect("ours").fields.retain(|field| field.name != "N__c");
    org.permission_set.as_mut().expect("there").set.fields.clear();
    let plan = plan(&desired(), &org, &ledger);
    assert_eq!(steps(&plan, Step::Create), ["S__c.N__c", "S__c.N__c"], "{plan}");
}

#[test]
fn heap_16_an_object_that_is_full_or_nearly_so_is_told_before() {
    let with = |fields: usize| {
        let mut org = empty();
        org.objects[0].custom_fields = fields;
        org
    };
    assert_eq!(plan(&desired(), &with(100), &Ledger::default()).conflicts().count(), 0);
    let near = plan(&desired(), &with(460), &Ledger::default());
    assert_eq!(steps(&near, Step::Conflict(Conflict::CapNear)), ["Account"]);
    assert_eq!(near.blockers().count(), 0, "it still fits");
    let full = plan(&desired(), &with(500), &Ledger::default());
    assert!(full.blockers().next().is_some_and(|item| item.why.contains("has 500 custom fields and gets 1")), "{full}");
    let unknown = OrgSchema { edition: "Orbital Edition".into(), ..with(5000) };
    assert_eq!(plan(&desired(), &unknown, &Ledger::default()).conflicts().count(), 0);
}

#[test]
fn what_is_not_there_to_hold_or_to_look_up_is_told() {
    let schema = desired()
        .field(field("Gone__c.X__c", FieldKind::Date))
        .field(field("S__c.L__c", FieldKind::lookup("Nowhere__c", "Sessions", "S")));
    let plan = plan(&schema, &empty(), &Ledger::default());
    assert_eq!(steps(&plan, Step::Conflict(Conflict::Missing)), ["Gone__c.X__c", "S__c.L__c"]);
}

#[test]
fn a_component_that_cannot_be_looked_for_is_left_to_a_person_unless_the_ledger_has_it() {
    let tab = AnyComponent::raw("CustomTab", "S__c", "<CustomTab/>").expect("well-formed");
    let schema = desired().component(tab);
    let mut org = empty();
    org.unknown_components.insert("CustomTab".into());
    let first = plan(&schema, &org, &Ledger::default());
    assert_eq!(steps(&first, Step::ByHand), ["S__c"], "{first}");
    assert!(first.work.components.iter().all(|component| component.component_type() != "CustomTab"));
    assert!(!first.work.intents.iter().any(|entry| entry.kind == ItemKind::Component("CustomTab".into())));
    let mut ledger = Ledger::default();
    ledger.note(LedgerEntry::intended(ItemKind::Component("CustomTab".into()), "S__c"));
    assert_eq!(plan(&schema, &org, &ledger).by_hand().count(), 0);
}

#[test]
fn a_hidden_field_is_judged_only_by_words_that_are_understood() {
    let with = |ours: &CustomField, kind: FieldKind| {
        let mut org = whole().0;
        let found = OrgField { kind, hidden: true, ..seen(ours) };
        org.objects.iter_mut().find(|object| object.name == "S__c").expect("ours").fields.push(found);
        plan(&desired().field(ours.clone()), &org, &Ledger::default())
    };
    let number = field("S__c.Score__c", FieldKind::number(18, 0));
    let lookup = field("S__c.L__c", FieldKind::lookup("Contact", "Sessions", "S"));
    for (ours, kind, fits) in [
        (&number, FieldKind::Other("Zahl(18, 0)".into()), true),
        (&number, FieldKind::Other("Formula (Number)".into()), false),
        (&number, FieldKind::Date, false),
        (&lookup, FieldKind::lookup("Person", "", ""), true),
        (&lookup, FieldKind::master_detail("Contact", "", ""), false),
    ] {
        let plan = with(ours, kind.clone());
        assert_eq!(plan.blockers().count() == 0, fits, "{kind}: {plan}");
        assert!(!fits || plan.items().iter().any(|item| item.why.contains("hidden from the set-up user")), "{kind}");
    }
}

#[test]
fn a_tracked_field_of_an_object_that_keeps_no_history_is_in_conflict_and_not_deployed() {
    let (org, ledger) = whole();
    let mut schema = desired();
    schema.objects[0].enable_history = Some(true);
    let schema = schema.field(field("S__c.Late__c", FieldKind::Date).track_history());
    let late = plan(&schema, &org, &ledger);
    assert_eq!(steps(&late, Step::Conflict(Conflict::Missing)), ["S__c.Late__c"], "{late}");
    assert_eq!((steps(&late, Step::ByHand), late.api_calls()), (vec!["S__c"], 0));
}

#[test]
fn a_name_of_children_that_leads_through_another_field_is_taken() {
    let schema = desired().field(field("S__c.L__c", FieldKind::lookup("Contact", "Sessions", "S")));
    let with = |through: &str| {
        let mut org = empty();
        org.objects[1].children = vec![("sessions".into(), through.into())];
        plan(&schema, &org, &Ledger::default())
    };
    assert_eq!(steps(&with("visit__c.l__c"), Step::Conflict(Conflict::NameTaken)), ["S__c.L__c"]);
    assert_eq!(with("s__c.l__c").conflicts().count(), 0);
}

#[test]
fn external_ids_and_the_fields_of_a_starter_org_are_counted() {
    let ours = desired().field(field("Account.Key__c", FieldKind::text(10)).external_id());
    let with = |edition: &str, fields: usize, external: usize| {
        let mut org = OrgSchema { edition: edition.into(), ..empty() };
        (org.objects[0].custom_fields, org.objects[0].external_ids) = (fields, external);
        plan(&ours, &org, &Ledger::default())
    };
    assert_eq!(with("Enterprise Edition", 22, 22).conflicts().count(), 1, "23 of 25 are near");
    assert_eq!(with("Base Edition", 24, 0).blockers().count(), 1, "24 and 2 are more than 25");
    assert_eq!(with("Professional Edition", 24, 0).blockers().count(), 0);
}

#[test]
fn gpt_23_a_section_is_added_once_and_by_hand_where_layouts_cannot_be_read() {
    let section = DesiredSection {
        layout: "Account-Account Layout".into(),
        label: "Insights".into(),
        fields: vec!["N__c".into(), "Name".into()],
    };
    let schema = desired().layout_section(section);
    let mut org = empty();
    org.layouts = vec![Layout { full_name: "Account-Account Layout".into(), ..Layout::default() }];
    let first = plan(&schema, &org, &Ledger::default());
    assert_eq!(steps(&first, Step::Change), ["Account-Account Layout/Insights"]);
    assert_eq!(first.api_calls(), 2);
    let (org, ledger) = applied(&org, &Ledger::default(), &first);
    assert!(plan(&schema, &org, &ledger).is_empty());
    let mut taken = org.clone();
    taken.layouts[0].sections.clear();
    assert_eq!(steps(&plan(&schema, &taken, &ledger), Step::ByHand), ["Account-Account Layout/Insights"]);
    let unreadable = OrgSchema { layouts_unreadable: Some("the token is a JWT".into()), ..empty() };
    let plan = plan(&schema, &unreadable, &Ledger::default());
    let told = plan.by_hand().next().and_then(|item| item.by_hand.clone()).expect("a path");
    assert!(told.contains("Page Layouts: add a section \"Insights\" with N__c, Name"), "{told}");
}

#[test]
fn a_plan_reads_as_text_and_as_json() {
    let plan = plan(&desired(), &empty(), &Ledger::default());
    let text = plan.to_string();
    assert!(
        text.starts_with("test: 6 to create, 0 to change, 0 in conflict, 0 by hand, 0 in place; 2 API calls\n"),
        "{text}"
    );
    assert!(text.contains("\n  create   field S__c.Key__c: is not there"), "{text}");
    let json = serde_json::to_value(&plan).expect("writes");
    assert_eq!((&json["api_calls"], &json["items"][0]["step"]), (&2.into(), &"create".into()));
}

/// A few fields of all kinds that matter, on our object and on a standard one.
fn any_schema() -> impl Strategy<Value = DesiredSchema> {
    let kind = prop_oneof![
        (1_u32..=255).prop_map(FieldKind::text),
        (1_u32..=18, 0_u32..=4).prop_map(|(precision, scale)| FieldKind::number(precision, scale.min(precision))),
        Just(FieldKind::Checkbox),
        proptest::sample::subsequence(vec!["A", "B", "C"], 1..=3)
            .prop_map(|values| FieldKind::picklist(ValueSet::new(values))),
    ];
    let fields = proptest::collection::btree_map((any::<bool>(), 0_u8..4), (kind, any::<bool>()), 0..6);
    (fields, any::<bool>(), 0_u8..16).prop_map(|(fields, history, rights)| {
        let mut schema = desired();
        schema.objects[0].enable_history = Some(history);
        let set = schema.permission_set.as_mut().expect("there");
        set.objects[0].edit = rights & 1 > 0;
        set.objects[0].create = rights & 2 > 0;
        if rights & 4 > 0 {
            set.objects.push(ObjectPermission { object: "Account".into(), read: true, ..ObjectPermission::default() });
        }
        let mut more = Vec::new();
        for ((ours, number), (kind, edit)) in fields {
            let name = format!("{}.F{number}__c", if ours { "S__c" } else { "Account" });
            set.fields.push(grant(&name, edit));
            let made = field(&name, kind);
            more.push(if history && ours { made.track_history() } else { made });
        }
        schema.fields(more)
    })
}

proptest! {
    /// Two releases of ours, one after the other, on an org that an admin works on in between.
    #[test]
    fn after_a_plan_was_carried_out_the_next_one_is_empty(
        first in any_schema(),
        second in any_schema(),
        narrowed in any::<proptest::sample::Index>(),
        keep_ledger in any::<bool>(),
    ) {
        let (mut org, mut ledger) = (empty(), Ledger::default());
        for schema in [&first, &second] {
            prop_assert_eq!(schema.validate().len(), 0);
            let before = org.clone();
            let plan_now = plan(schema, &org, &ledger);
            if plan_now.blockers().next().is_some() {
                prop_assert_eq!(plan_now.api_calls(), 0);
                continue;
            }
            (org, ledger) = applied(&org, &ledger, &plan_now);
            let again = plan(schema, &org, &ledger);
            prop_assert!(again.is_empty(), "{}", again);
            prop_assert_eq!(again.api_calls(), 0);
            rights_only_grew(&before, &org)?;
            // Somebody narrows a row. Without a ledger nobody knows whose it is, and it stays so.
            let before_narrowing = org.permission_set.clone();
            let set = org.permission_set.as_mut().expect("made");
            if !set.set.fields.is_empty() {
                let at = narrowed.index(set.set.fields.len());
                set.set.fields[at].editable = false;
            }
            let stays = if keep_ledger { before_narrowing } else { org.permission_set.clone() };
            if !keep_ledger {
                ledger = Ledger::default();
            }
            let (after, _) = applied(&org, &ledger, &plan(schema, &org, &ledger));
            let rows = |set: Option<OrgPermissionSet>| {
                let mut rows: Vec<(String, String)> = set
                    .map(|set| set.set.fields)
                    .unwrap_or_default()
                    .iter()
                    .map(|row| (row.field.clone(), field_rights(row)))
                    .collect();
                rows.sort();
                rows
            };
            let wanted = schema.permission_set.as_ref().map(|set| set.fields.clone()).unwrap_or_default();
            let ours = |(name, _): &(String, String)| wanted.iter().any(|grant| grant.field == *name && grant.editable);
            prop_assert_eq!(
                rows(after.permission_set).into_iter().filter(ours).collect::<Vec<_>>(),
                rows(stays).into_iter().filter(ours).collect::<Vec<_>>()
            );
        }
    }
}

/// What was granted before is granted still.
fn rights_only_grew(before: &OrgSchema, after: &OrgSchema) -> Result<(), TestCaseError> {
    let (Some(before), Some(after)) = (&before.permission_set, &after.permission_set) else { return Ok(()) };
    for row in &before.set.objects {
        let now = after.set.objects.iter().find(|now| same(&now.object, &row.object)).map(object_rights);
        prop_assert!(now.is_some_and(|now| object_rights(row).split(' ').all(|right| now.contains(right))));
    }
    for row in &before.set.fields {
        let now = after.set.fields.iter().find(|now| same(&now.field, &row.field)).map(field_rights);
        prop_assert!(now.is_some_and(|now| field_rights(row).split(' ').all(|right| now.contains(right))));
    }
    Ok(())
}
