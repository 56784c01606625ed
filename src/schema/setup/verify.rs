//! Proves that a set-up holds, as the run-time user sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::Method;
use serde::Serialize;

use super::Setup;
use crate::api::{MAX_SUBREQUESTS, Subrequest};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Finding;
use crate::schema::desired::{same, split};
use crate::schema::plan::fields::{Fit, fit};
use crate::schema::read::{org_field, read};
use crate::types::{Literal, Record, SObjectDescribe, Soql, Value};

/// Whether something is in the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Presence {
    /// The run-time user sees it.
    Visible,
    /// It is there, and hidden from the run-time user.
    Hidden,
    /// It is not there.
    Missing,
    /// The run-time user does not see it, and the set-up user may not look.
    NotSeen,
}

/// A set-up as the run-time user finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// The label of the permission set that the rights are to come from.
    pub permission_set: String,
    /// One for each object that is touched, and for each that the permission set grants rights on.
    pub objects: Vec<VerifiedObject>,
}

/// An object as the run-time user finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifiedObject {
    /// API name.
    pub name: String,
    /// Whether it is there.
    pub presence: Presence,
    /// Rights that the permission set is to grant and that the user does not have, such as `Create`.
    pub missing_rights: Vec<String>,
    /// One for each field of ours on it, and for each that the permission set grants rights on.
    pub fields: Vec<VerifiedField>,
}

/// A field as the run-time user finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifiedField {
    /// Full name.
    pub name: String,
    /// Whether it is there.
    pub presence: Presence,
    /// Why it cannot hold what ours holds, if it cannot.
    pub misfit: Option<String>,
    /// Whether the user can change it.
    pub editable: bool,
    /// Whether the user is to be able to.
    pub wanted_editable: bool,
}

impl VerifiedField {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.presence == Presence::Visible && self.misfit.is_none() && (self.editable || !self.wanted_editable)
    }
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.objects.iter().all(|object| {
            let fields = object.fields.iter().all(VerifiedField::holds);
            object.presence == Presence::Visible && object.missing_rights.is_empty() && fields
        })
    }

    /// What is wrong, each with what to do about it.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let set = self.permission_set.as_str();
        for object in &self.objects {
            let name = object.name.as_str();
            let settings = match set {
                "" => format!("Setup > Permission Sets > (the integration's) > Object Settings > {name} > Edit"),
                set => format!("Setup > Permission Sets > {set} > Object Settings > {name} > Edit"),
            };
            if object.presence != Presence::Visible {
                findings.push(missing("object_missing", name, object.presence, settings));
                continue;
            }
            for right in &object.missing_rights {
                let path = format!("{settings}: {right}");
                findings.push(Finding::right("object_right", name, format!("gives the user no {right}"), path));
            }
            for field in &object.fields {
                findings.extend(field.finding(name, &settings));
            }
        }
        findings
    }
}

impl VerifiedField {
    fn finding(&self, object: &str, settings: &str) -> Option<Finding> {
        let name = self.name.as_str();
        if self.presence != Presence::Visible {
            return Some(missing("field_missing", name, self.presence, format!("{settings} > Field Permissions")));
        }
        if let Some(misfit) = &self.misfit {
            let path =
                format!("Setup > Object Manager > {object} > Fields & Relationships: rename it, or make it larger");
            return Some(Finding::shape("field_shape", name, misfit.clone(), path));
        }
        let path = format!("{settings} > Field Permissions: Edit Access");
        let unwritable = self.wanted_editable && !self.editable;
        unwritable.then(|| Finding::right("field_write", name, "cannot be changed by the user", path))
    }
}

fn missing(code: &'static str, subject: &str, presence: Presence, grant: String) -> Finding {
    match presence {
        Presence::Hidden => Finding::right(code, subject, "is there, and hidden from the user", grant),
        Presence::Missing => Finding::shape(code, subject, "is not there", "run the set-up"),
        _ => Finding::shape(code, subject, "is not there, or hidden from the user", grant),
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.objects.iter().map(|object| object.fields.len()).sum::<usize>();
        let findings = self.findings();
        write!(f, "{} objects and {fields} fields: ", self.objects.len())?;
        match findings.len() {
            0 => f.write_str("all in place, visible, of the right type and editable where they are to be")?,
            wrong => write!(f, "{wrong} not as they are to be")?,
        }
        for finding in findings {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

impl Setup {
    /// Looks at every object and field as the run-time user: is it there, does its type fit, is it visible, can it be changed?
    ///
    /// Looks at the rights of the permission set too, on standard fields among them, and at View All and Modify All, which no describe
    /// tells: where the run-time user may not look for these, the set-up user looks.
    ///
    /// Costs one API call for each 24 objects, and where something is not seen 2 more, by the set-up user, to tell what is hidden from
    /// what is not there.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn verify(&self, runtime: &Client) -> Result<Verification> {
        let (describes, wide) = self.describes(runtime).await?;
        let mut verification = self.judge(&describes, wide.as_ref());
        // Of the others the set-up user's look tells nothing.
        let touched = self.desired.touched_objects();
        let made = self.desired.all_fields();
        let settles = |object: &VerifiedObject| object.has_unseen() && touched.contains(&object.name);
        if verification.objects.iter().any(settles) {
            match read(&self.client, &self.desired, self.user).await {
                Ok(org) => {
                    for object in verification.objects.iter_mut().filter(|object| settles(object)) {
                        let known = org.object(&object.name);
                        settle(&mut object.presence, known.is_some());
                        // Of fields that are not made nothing was read.
                        let ours =
                            |field: &&mut VerifiedField| made.iter().any(|own| same(&own.full_name, &field.name));
                        for field in object.fields.iter_mut().filter(ours) {
                            settle(&mut field.presence, org.field(&field.name).is_some());
                        }
                    }
                }
                // The run-time user alone may set up what is there already.
                Err(error) if error.kind() == ErrorKind::Forbidden => {}
                Err(error) => return Err(error),
            }
        }
        Ok(verification)
    }

    /// What the run-time user sees, and the objects of which every record is seen or changed.
    async fn describes(&self, runtime: &Client) -> Result<(BTreeMap<String, SObjectDescribe>, Option<Wide>)> {
        let mut describes = BTreeMap::new();
        let mut wide = Some(Wide::default());
        let mut asked = self.wide_soql(runtime).await?;
        // One part is kept for the query.
        for names in self.verified_objects().chunks(MAX_SUBREQUESTS - 1) {
            let mut composite = runtime.composite();
            let query = asked.take();
            if let Some(query) = &query {
                composite = composite.add("wide", Subrequest::query(query.clone()));
            }
            for (index, name) in names.iter().enumerate() {
                let describe = Subrequest::new(Method::GET, format!("/sobjects/{name}/describe"));
                composite = composite.add(format!("object{index}"), describe);
            }
            let answer = composite.send().await?;
            if let Some(query) = query {
                wide = match answer.result_of("wide")?.page::<Record>() {
                    Ok(page) => Some(Wide::of(&page.records)),
                    Err(error) if may_not_look(&error) => self.wide_as_set_up_user(query).await?,
                    Err(error) => return Err(error),
                };
            }
            for (index, name) in names.iter().enumerate() {
                match answer.result_of(&format!("object{index}"))?.json::<SObjectDescribe>() {
                    Ok(describe) => {
                        describes.insert(name.to_ascii_lowercase(), describe);
                    }
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((describes, wide))
    }

    /// View All and Modify All as they are granted to the run-time user, where the permission set is to grant one.
    async fn wide_soql(&self, runtime: &Client) -> Result<Option<Soql>> {
        let grants = self.desired.permission_set.iter().flat_map(|set| &set.objects);
        let names: Vec<Literal> = grants
            .filter(|grant| grant.view_all || grant.modify_all)
            .map(|grant| grant.object.as_str().into())
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        let user = runtime.access_token().await?.user_id().unwrap_or(self.user);
        let soql = "SELECT SobjectType,PermissionsViewAllRecords,PermissionsModifyAllRecords FROM ObjectPermissions WHERE SobjectType IN \
                    :objects AND Parent.HasActivationRequired = FALSE AND ParentId IN (SELECT PermissionSetId FROM \
                    PermissionSetAssignment WHERE AssigneeId = :user)";
        Soql::bind(soql, [("objects", Literal::List(names)), ("user", Literal::Id(user))]).map(Some)
    }

    /// `None` where the set-up user may not look either.
    async fn wide_as_set_up_user(&self, soql: Soql) -> Result<Option<Wide>> {
        match self.client.query::<Record>(soql).collect().await {
            Ok(rows) => Ok(Some(Wide::of(&rows))),
            Err(error) if may_not_look(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Compares. Pure.
    fn judge(&self, describes: &BTreeMap<String, SObjectDescribe>, wide: Option<&Wide>) -> Verification {
        let fields = self.desired.all_fields();
        let set = self.desired.permission_set.as_ref();
        let object = |name: String| {
            let seen = describes.get(&name.to_ascii_lowercase());
            let granted = set.and_then(|set| set.objects.iter().find(|grant| same(&grant.object, &name)));
            let rights = granted.zip(seen).map(|(granted, seen)| {
                let rights = [
                    ("Read", granted.read, seen.queryable),
                    ("Create", granted.create, seen.createable),
                    ("Edit", granted.edit, seen.updateable),
                    ("Delete", granted.delete, seen.deletable),
                    ("View All Records", granted.view_all, wide.is_none_or(|wide| wide.sees(&name))),
                    ("Modify All Records", granted.modify_all, wide.is_none_or(|wide| wide.changes(&name))),
                ];
                let lacking = rights.into_iter().filter(|(_, wanted, has)| *wanted && !has);
                lacking.map(|(right, ..)| right.to_owned()).collect()
            });
            let own = fields.iter().filter(|field| same(field.object(), &name)).map(|field| {
                let found = seen.and_then(|seen| seen.field(field.name()));
                let shape = found.and_then(|found| org_field(&name, Some(found), None, describes));
                let misfit = shape.and_then(|shape| match fit(field, &shape) {
                    Fit::Same | Fit::Larger => None,
                    Fit::Smaller => Some(format!("is {}, not {}", shape.kind, field.kind)),
                    Fit::Lacks(values) => Some(format!("lacks the values {}", values.join(", "))),
                    Fit::Differs(why) => Some(why),
                });
                let grant = set.and_then(|set| set.fields.iter().find(|grant| same(&grant.field, &field.full_name)));
                VerifiedField {
                    name: field.full_name.clone(),
                    presence: if found.is_some() { Presence::Visible } else { Presence::NotSeen },
                    misfit,
                    editable: found.is_some_and(|found| found.updateable),
                    wanted_editable: grant.is_some_and(|grant| grant.editable),
                }
            });
            let granted = set.into_iter().flat_map(|set| &set.fields).filter(|grant| {
                let (object, _) = split(&grant.field);
                same(object, &name) && !fields.iter().any(|field| same(&field.full_name, &grant.field))
            });
            let granted = granted.map(|grant| {
                let found = seen.and_then(|seen| seen.field(split(&grant.field).1));
                VerifiedField {
                    name: grant.field.clone(),
                    presence: if found.is_some() { Presence::Visible } else { Presence::NotSeen },
                    misfit: None,
                    editable: found.is_some_and(|found| found.updateable),
                    wanted_editable: grant.editable,
                }
            });
            VerifiedObject {
                presence: if seen.is_some() { Presence::Visible } else { Presence::NotSeen },
                missing_rights: rights.unwrap_or_default(),
                fields: own.chain(granted).collect(),
                name,
            }
        };
        let objects = self.verified_objects().into_iter().map(object).collect();
        Verification { permission_set: self.set_label(), objects }
    }

    /// A schema that makes nothing may still grant rights.
    fn verified_objects(&self) -> Vec<String> {
        let mut names = self.desired.touched_objects();
        let sets = self.desired.permission_set.iter();
        let objects = sets.clone().flat_map(|set| &set.objects).map(|grant| grant.object.as_str());
        let fields = sets.flat_map(|set| &set.fields).map(|grant| split(&grant.field).0);
        for object in objects.chain(fields) {
            if !names.iter().any(|name| same(name, object)) {
                names.push(object.to_owned());
            }
        }
        names
    }
}

/// Objects, lower case, of which the user sees or changes every record.
#[derive(Debug, Default)]
struct Wide {
    seen: BTreeSet<String>,
    changed: BTreeSet<String>,
}

impl Wide {
    fn of(rows: &[Record]) -> Self {
        let having = |column: &str| {
            let rows = rows.iter().filter(|row| row.get(column).and_then(Value::as_bool).unwrap_or(false));
            rows.filter_map(|row| row.text("SobjectType")).map(str::to_ascii_lowercase).collect()
        };
        Self { seen: having("PermissionsViewAllRecords"), changed: having("PermissionsModifyAllRecords") }
    }

    fn sees(&self, object: &str) -> bool {
        self.seen.contains(&object.to_ascii_lowercase()) || self.changes(object)
    }

    fn changes(&self, object: &str) -> bool {
        self.changed.contains(&object.to_ascii_lowercase())
    }
}

/// Permission rows are hidden as if they were not there.
fn may_not_look(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Schema | ErrorKind::NotFound)
}

impl VerifiedObject {
    fn has_unseen(&self) -> bool {
        self.presence == Presence::NotSeen || self.fields.iter().any(|field| field.presence == Presence::NotSeen)
    }
}

fn settle(presence: &mut Presence, is_there: bool) {
    if *presence == Presence::NotSeen {
        *presence = if is_there { Presence::Hidden } else { Presence::Missing };
    }
}
