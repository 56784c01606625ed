//! Proves that a set-up holds, as the run-time user sees it.

use std::collections::BTreeMap;
use std::fmt;

use http::Method;
use serde::Serialize;

use super::Setup;
use crate::api::{MAX_SUBREQUESTS, Subrequest};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::schema::Finding;
use crate::schema::desired::same;
use crate::schema::plan::fields::{Fit, fit};
use crate::schema::read::{org_field, read};
use crate::types::SObjectDescribe;

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
    /// One for each field of ours on it.
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
        for object in &self.objects {
            let name = object.name.as_str();
            if object.presence != Presence::Visible {
                findings.push(missing("object_missing", name, object.presence, name));
                continue;
            }
            for right in &object.missing_rights {
                let path = format!("Setup > Permission Sets > Object Settings > {name} > Edit: {right}");
                findings.push(Finding::right("object_right", name, format!("gives the user no {right}"), path));
            }
            for field in &object.fields {
                findings.extend(field.finding(name));
            }
        }
        findings
    }
}

impl VerifiedField {
    fn finding(&self, object: &str) -> Option<Finding> {
        let name = self.name.as_str();
        if self.presence != Presence::Visible {
            return Some(missing("field_missing", name, self.presence, object));
        }
        if let Some(misfit) = &self.misfit {
            let path =
                format!("Setup > Object Manager > {object} > Fields & Relationships: rename it, or make it larger");
            return Some(Finding::shape("field_shape", name, misfit.clone(), path));
        }
        let path =
            format!("Setup > Permission Sets > Object Settings > {object} > Edit > Field Permissions: Edit Access");
        let unwritable = self.wanted_editable && !self.editable;
        unwritable.then(|| Finding::right("field_write", name, "cannot be changed by the user", path))
    }
}

fn missing(code: &'static str, subject: &str, presence: Presence, object: &str) -> Finding {
    let grant = format!("Setup > Permission Sets > Object Settings > {object} > Edit");
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
    /// Costs one API call for each 25 objects, and where something is not seen 2 more, by the set-up user, to tell what is hidden from
    /// what is not there.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn verify(&self, runtime: &Client) -> Result<Verification> {
        let describes = self.describes(runtime).await?;
        let mut verification = self.judge(&describes);
        // Of the others the set-up user's look tells nothing.
        let touched = self.desired.touched_objects();
        let settles = |object: &VerifiedObject| object.has_unseen() && touched.contains(&object.name);
        if verification.objects.iter().any(settles) {
            match read(&self.client, &self.desired, self.user).await {
                Ok(org) => {
                    for object in verification.objects.iter_mut().filter(|object| settles(object)) {
                        let known = org.object(&object.name);
                        settle(&mut object.presence, known.is_some());
                        for field in &mut object.fields {
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

    async fn describes(&self, runtime: &Client) -> Result<BTreeMap<String, SObjectDescribe>> {
        let mut describes = BTreeMap::new();
        for names in self.verified_objects().chunks(MAX_SUBREQUESTS) {
            let mut composite = runtime.composite();
            for (index, name) in names.iter().enumerate() {
                let describe = Subrequest::new(Method::GET, format!("/sobjects/{name}/describe"));
                composite = composite.add(format!("object{index}"), describe);
            }
            let answer = composite.send().await?;
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
        Ok(describes)
    }

    /// Compares. Pure.
    fn judge(&self, describes: &BTreeMap<String, SObjectDescribe>) -> Verification {
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
            VerifiedObject {
                presence: if seen.is_some() { Presence::Visible } else { Presence::NotSeen },
                missing_rights: rights.unwrap_or_default(),
                fields: own.collect(),
                name,
            }
        };
        Verification { objects: self.verified_objects().into_iter().map(object).collect() }
    }

    /// A schema that makes nothing may still grant rights.
    fn verified_objects(&self) -> Vec<String> {
        let mut names = self.desired.touched_objects();
        let granted = self.desired.permission_set.iter().flat_map(|set| &set.objects);
        for grant in granted {
            if !names.iter().any(|name| same(name, &grant.object)) {
                names.push(grant.object.clone());
            }
        }
        names
    }
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
