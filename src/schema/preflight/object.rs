//! One object and its fields against what the user sees of them. Pure.

use super::{FieldRequirement, ObjectRequirement, ObjectRight};
use crate::schema::{Finding, Severity};
use crate::types::{FieldDescribe, SObjectDescribe};

/// Where rights on an object are given.
pub(super) fn object_path(object: &str, right: ObjectRight) -> String {
    format!(
        "give the user the right with a permission set: Setup > Permission Sets > Object Settings > {object} > Object \
         Permissions > {right}"
    )
}

fn field_path(object: &str, field: &str, access: &str) -> String {
    format!(
        "give the user the right with a permission set: Setup > Permission Sets > Object Settings > {object} > Field \
         Permissions > {field} > {access}"
    )
}

/// Compares what a job needs of an object with what describe shows the user; `None` for an object that is not there or hidden.
///
/// Describe leaves out what is hidden, and tells fields that take no field permission (`Name`, `LastName`) with their object. View
/// All and Modify All are not in it: [`check`](super::check) looks at these.
#[must_use]
pub fn check_object(required: &ObjectRequirement, seen: Option<&SObjectDescribe>) -> Vec<Finding> {
    let object = required.object.as_str();
    let Some(seen) = seen else {
        let access = object_path(object, ObjectRight::Read);
        let remedy = if object.ends_with("__c") { format!("create the object, or {access}") } else { access };
        let finding = Finding::shape("object_missing", object, "is not there, or the user cannot see it", remedy);
        return vec![finding.with_severity(required.severity)];
    };
    let mut findings = Vec::new();
    let mut missing = |right: ObjectRight, severity: Severity| {
        let finding =
            Finding::right(right.code(), object, format!("gives the user no {right}"), object_path(object, right));
        findings.push(finding.with_severity(required.severity.max(severity)));
    };
    if !seen.queryable {
        missing(ObjectRight::Read, Severity::Required);
    }
    for (right, severity) in &required.rights {
        let has = match right {
            ObjectRight::Create => seen.createable,
            ObjectRight::Edit => seen.updateable,
            ObjectRight::Delete => seen.deletable,
            ObjectRight::Read | ObjectRight::ViewAll | ObjectRight::ModifyAll => true,
        };
        if !has {
            missing(*right, *severity);
        }
    }
    for field in &required.fields {
        let finding = check_field(field, required, seen);
        findings.extend(finding.map(|(finding, severity)| finding.with_severity(required.severity.max(severity))));
    }
    findings
}

fn check_field(
    required: &FieldRequirement,
    object: &ObjectRequirement,
    of: &SObjectDescribe,
) -> Option<(Finding, Severity)> {
    let (object_name, name) = (object.object.as_str(), required.field.as_str());
    let subject = format!("{object_name}.{name}");
    let Some(seen) = of.field(name) else {
        let access = if required.write.is_some() { "Read Access and Edit Access" } else { "Read Access" };
        let access = field_path(object_name, name, access);
        let remedy = if name.ends_with("__c") {
            format!(
                "create the field (Setup > Object Manager > {object_name} > Fields & Relationships > New), or {access}"
            )
        } else {
            access
        };
        let finding = Finding::shape("field_missing", subject, "is not there, or the user cannot see it", remedy);
        return Some((finding, required.severity));
    };
    if let Some(holds) = required.holds.as_ref().filter(|holds| !holds.fits(seen)) {
        let problem = format!("is of another type or too small for {holds}");
        let remedy = format!(
            "the org has a field of that name for something else: rename it or make it larger (Setup > Object Manager > \
             {object_name} > Fields & Relationships > {name}), or use another name"
        );
        return Some((Finding::shape("field_shape", subject, problem, remedy), required.severity));
    }
    if required.key && !((seen.external_id || seen.id_lookup) && seen.unique) {
        let remedy = format!(
            "mark the field as External ID and Unique: Setup > Object Manager > {object_name} > Fields & Relationships > \
             {name} > Edit"
        );
        return Some((Finding::shape("field_key", subject, "is no unique external id", remedy), required.severity));
    }
    let severity = required.write?;
    if writable(seen, object, of) {
        return None;
    }
    let remedy = field_path(object_name, name, "Edit Access");
    let finding = Finding::right("field_write", subject, "cannot be written by the user", remedy);
    Some((finding, required.severity.max(severity)))
}

/// Whether the user can write a field in all the ways that the job writes its object.
fn writable(field: &FieldDescribe, object: &ObjectRequirement, of: &SObjectDescribe) -> bool {
    // A right that the whole object lacks is told by itself, once.
    let creates = object.needs(ObjectRight::Create) && of.createable;
    let edits = object.needs(ObjectRight::Edit) && of.updateable;
    (field.createable || !creates) && (field.updateable || !edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::preflight::Holds;
    use crate::types::{FieldName, SObjectName};

    fn contact() -> ObjectRequirement {
        ObjectRequirement::new(SObjectName::from_static("Contact")).with_rights([ObjectRight::Edit]).with_fields([
            FieldRequirement::read(FieldName::from_static("Email")),
            FieldRequirement::write(FieldName::from_static("Score__c"))
                .holding(Holds::Number { precision: 18, scale: 3 }),
        ])
    }

    fn describe(text: &str) -> SObjectDescribe {
        serde_json::from_str(text).expect(text)
    }

    fn check(required: &ObjectRequirement, text: &str) -> Vec<Finding> {
        check_object(required, Some(&describe(text)))
    }

    const GOOD: &str = r#"{"name":"Contact","queryable":true,"createable":false,"updateable":true,"fields":[
        {"name":"Email","type":"email"},{"name":"Score__c","type":"double","precision":18,"scale":3,"createable":true,"updateable":true}]}"#;

    #[test]
    fn nav_12_each_missing_object_right_is_named() {
        assert_eq!(check(&contact(), GOOD), []);
        let read_only = GOOD.replace("\"updateable\":true,\"fields\"", "\"updateable\":false,\"fields\"");
        let findings = check(&contact(), &read_only);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].subject.as_str(), findings[0].code), ("Contact", "object_edit"));
        assert_eq!(findings[0].problem, "gives the user no Edit");
        assert_eq!(check_object(&contact(), None)[0].code, "object_missing");
        let all = contact().with_rights([ObjectRight::Create, ObjectRight::Delete]);
        let codes: Vec<&str> = check(&all, &read_only).iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["object_create", "object_edit", "object_delete"]);
    }

    #[test]
    fn nav_13_each_hidden_or_read_only_field_is_named() {
        let hidden = GOOD.replace("Email", "Phone");
        assert_eq!(check(&contact(), &hidden)[0].subject, "Contact.Email");
        let fixed =
            GOOD.replace("\"createable\":true,\"updateable\":true}]", "\"createable\":false,\"updateable\":false}]");
        let findings = check(&contact(), &fixed);
        assert_eq!((findings[0].subject.as_str(), findings[0].code), ("Contact.Score__c", "field_write"));
        for other in [GOOD.replace("double", "string"), GOOD.replace("\"scale\":3", "\"scale\":0")] {
            assert!(check(&contact(), &other)[0].problem.contains("too small for Number(15, 3)"));
        }
        let wider = GOOD.replace("\"precision\":18,\"scale\":3", "\"precision\":20,\"scale\":5");
        assert_eq!(check(&contact(), &wider), []);
    }

    #[test]
    fn a_key_has_to_be_a_unique_external_id() {
        let keyed = ObjectRequirement::new(SObjectName::from_static("Contact"))
            .with_fields([FieldRequirement::key(FieldName::from_static("Score__c"))]);
        assert_eq!(check(&keyed, GOOD)[0].code, "field_key");
        let key = GOOD.replace("\"type\":\"double\"", "\"type\":\"double\",\"externalId\":true,\"unique\":true");
        assert_eq!(check(&keyed, &key), []);
    }

    #[test]
    fn nothing_on_an_object_matters_more_than_the_object() {
        let optional = contact().with_severity(Severity::Optional);
        let bad = GOOD.replace("Email", "Phone").replace("double", "string");
        assert!(check(&optional, &bad).iter().all(|finding| finding.severity == Severity::Optional));
        assert_eq!(check_object(&optional, None)[0].severity, Severity::Optional);
        let edit = ObjectRequirement::new(SObjectName::from_static("Contact"))
            .with_right(ObjectRight::Create, Severity::Recommended);
        assert_eq!(check(&edit, GOOD)[0].severity, Severity::Recommended);
    }
}
