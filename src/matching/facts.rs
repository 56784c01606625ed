//! What the org is like, as far as a plan has to know.

use super::plan::{Converted, JoinKey, MatchPlan, MatchStep, can_be_merged};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldDescribe, FieldType, SObjectDescribe, SObjectName};

/// What a plan has to know of the org: which keys differ by case, which are numbers, whether there are person accounts.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of yes or no")]
pub struct OrgFacts {
    /// Contacts tell whether they stand for a person account.
    pub(super) person_contacts: bool,
    /// Accounts can be persons.
    pub(super) person_accounts: bool,
    /// The user can see which account a contact names.
    pub(super) contact_accounts: bool,
    /// Contacts can belong to several accounts.
    pub(super) relations: bool,
    pub(super) steps: Vec<StepFacts>,
}

/// What a step has to know of its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct StepFacts {
    /// Of all fields of the key; one kind counts for all.
    pub(super) kind: KeyKind,
    /// Which of the key's fields the org keeps unique.
    pub(super) unique: Vec<bool>,
    /// Whether the key can be asked for by LIKE.
    pub(super) likes: bool,
}

/// How the org compares a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// As text without regard to case.
    #[default]
    Text,
    /// As text, case and all.
    CaseSensitive,
    Number,
    Id,
}

impl KeyKind {
    fn of(field: &FieldDescribe) -> Self {
        match field.field_type {
            FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => Self::Number,
            FieldType::Id | FieldType::Reference => Self::Id,
            _ if field.case_sensitive => Self::CaseSensitive,
            _ => Self::Text,
        }
    }
}

impl OrgFacts {
    /// Of an org that nobody has looked at: keys are text without regard to case, there are no person accounts, and a contact has
    /// one account. For plans whose objects are known to be so.
    #[must_use]
    pub fn assumed(plan: &MatchPlan) -> Self {
        let facts = |step| {
            let kind = assumed_kind(step);
            StepFacts { unique: Vec::new(), likes: kind == KeyKind::Text, kind }
        };
        let steps = plan.steps().iter().map(facts).collect();
        Self { person_contacts: false, person_accounts: false, contact_accounts: true, relations: false, steps }
    }

    /// The objects whose describes [`of`](Self::of) wants, each once.
    #[must_use]
    pub fn objects(plan: &MatchPlan) -> Vec<SObjectName> {
        let mut objects: Vec<SObjectName> = Vec::new();
        let mut add = |object: SObjectName| {
            if !objects.contains(&object) {
                objects.push(object);
            }
        };
        for step in plan.steps() {
            match step.key {
                JoinKey::Parent { .. } => {}
                JoinKey::Contact { .. } => {
                    add(SObjectName::from_static("AccountContactRelation"));
                    add(SObjectName::from_static("Contact"));
                }
                _ => add(step.object.clone()),
            }
            // What a lead leads to may be a person.
            match step.converted {
                Converted::Contact if step.is_of_leads() => add(SObjectName::from_static("Contact")),
                Converted::Account => add(SObjectName::from_static("Account")),
                _ => {}
            }
        }
        objects
    }

    /// Of an org, by the describes of these objects. An object that the org does not have is left out of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] naming every object and field of the plan that is missing, hidden or cannot be searched by. An org
    /// without person accounts or without several accounts per contact is no error.
    pub fn of(plan: &MatchPlan, describes: &[SObjectDescribe]) -> Result<Self> {
        let named = |name: &str| describes.iter().find(|describe| describe.name.eq_ignore_ascii_case(name));
        let has = |object: &str, field: &str| named(object).is_some_and(|object| object.field(field).is_some());
        let mut facts = Self {
            person_contacts: has("Contact", "IsPersonAccount"),
            person_accounts: ["IsPersonAccount", "PersonEmail", "PersonContactId"]
                .iter()
                .all(|field| has("Account", field)),
            contact_accounts: named("Contact").is_none() || has("Contact", "AccountId"),
            relations: named("AccountContactRelation").is_some(),
            steps: Vec::new(),
        };
        let mut problems = Vec::new();
        for (place, step) in plan.steps().iter().enumerate() {
            let mut problem = |what: String| problems.push(format!("step {}: {what}", place + 1));
            facts.steps.push(match &step.key {
                JoinKey::Parent { .. } => StepFacts::default(),
                JoinKey::PersonEmail { .. } if !facts.person_accounts => StepFacts::default(),
                JoinKey::Contact { .. } => {
                    if !facts.relations && named("Contact").is_none() {
                        problem("the org has no object Contact that the user can see".to_owned());
                    }
                    StepFacts::default()
                }
                _ => {
                    if let Some(object) = named(step.object.as_str()) {
                        step_facts(step, object, &mut problem)
                    } else {
                        problem(format!("the org has no object {} that the user can see", step.object));
                        StepFacts::default()
                    }
                }
            });
        }
        if problems.is_empty() {
            return Ok(facts);
        }
        Err(Error::new(ErrorKind::Schema, "match", problems.join("; "))
            .with_advice("correct the plan, or let the user see these objects and fields"))
    }

    /// Whether a step can find anything in this org.
    pub(super) fn covers(&self, step: &MatchStep) -> bool {
        self.person_accounts || !matches!(step.key, JoinKey::PersonEmail { .. })
    }
}

fn assumed_kind(step: &MatchStep) -> KeyKind {
    if matches!(step.key, JoinKey::Id { .. }) { KeyKind::Id } else { KeyKind::Text }
}

/// Source: SOQL reference, "Comparison Operators": LIKE is for string fields. What is a list of values is left to IN.
fn takes_like(field_type: &FieldType) -> bool {
    matches!(field_type, FieldType::String | FieldType::Textarea | FieldType::Email | FieldType::Phone | FieldType::Url)
}

fn step_facts(step: &MatchStep, object: &SObjectDescribe, problem: &mut impl FnMut(String)) -> StepFacts {
    let mut facts = StepFacts { likes: true, ..StepFacts::default() };
    let mut kinds = Vec::new();
    for name in step.key.fields() {
        match object.field(name.as_str()) {
            None => problem(format!("{} has no field {name} that the user can see", step.object)),
            Some(field) if !field.filterable => problem(format!("{}.{name} cannot be searched by", step.object)),
            Some(field) => {
                kinds.push(KeyKind::of(field));
                facts.likes &= takes_like(&field.field_type);
                facts.unique.push(field.unique);
            }
        }
    }
    facts.kind = kinds.first().copied().unwrap_or_default();
    if kinds.iter().any(|kind| *kind != facts.kind) {
        problem("the fields are of different types".to_owned());
    }
    let text_only = matches!(step.key, JoinKey::Email { .. } | JoinKey::Domain { .. } | JoinKey::Name { .. });
    if text_only && matches!(facts.kind, KeyKind::Number | KeyKind::Id) {
        problem(format!("{} holds no text", step.object));
    }
    let paths = step.filter.iter().flat_map(|filter| filter.paths());
    // A parent's field is another object's business: the org tells when the query runs.
    for path in paths.filter(|path| !path.contains('.')) {
        if object.field(path).is_none() {
            problem(format!("{} has no field {path} that the user can see, which the filter looks at", step.object));
        }
    }
    if step.merged && can_be_merged(&step.object) && object.field("MasterRecordId").is_none() {
        problem(format!("{} has no field MasterRecordId, so merges cannot be followed", step.object));
    }
    facts
}
