//! Which elements a component may have.

use super::super::xml::Element;
use super::Kind;

/// Types and their elements, from the metadata WSDL of 63.0.
const TABLE: &str = include_str!("elements.txt");

/// Elements that are of a type of the table.
const TYPES: [(&str, &str); 19] = [
    ("fields", "CustomField"),
    ("alerts", "WorkflowAlert"),
    ("fieldUpdates", "WorkflowFieldUpdate"),
    ("outboundMessages", "WorkflowOutboundMessage"),
    ("rules", "WorkflowRule"),
    ("tasks", "WorkflowTask"),
    ("actionCalls", "FlowActionCall"),
    ("start", "FlowStart"),
    ("layoutSections", "LayoutSection"),
    ("layoutColumns", "LayoutColumn"),
    ("layoutItems", "LayoutItem"),
    ("objectPermissions", "PermissionSetObjectPermissions"),
    ("fieldPermissions", "PermissionSetFieldPermissions"),
    ("userPermissions", "PermissionSetUserPermission"),
    ("valueSet", "ValueSet"),
    ("valueSetDefinition", "ValueSetValuesDefinition"),
    ("criteriaItems", "FilterItem"),
    ("namedCredentialParameters", "NamedCredentialParameter"),
    ("externalCredentialParameters", "ExternalCredentialParameter"),
];

/// Elements that Salesforce writes and the WSDL does not have (recorded: metadata-files/Property__c.object).
const MORE: [(&str, &str); 1] = [("CustomField", "displayLocationInDecimal")];

fn elements(kind: &str) -> Option<Vec<&'static str>> {
    let mut lines = TABLE.lines().skip_while(|line| *line != kind);
    lines.next()?;
    Some(lines.take_while(|line| line.starts_with(' ')).flat_map(str::split_whitespace).collect())
}

/// The first element of a component that its type does not have, and that type.
pub(super) fn stranger(root: &Element, kind: Kind) -> Option<(&Element, &'static str)> {
    look(root, kind.name())
}

fn look<'e>(element: &'e Element, kind: &'static str) -> Option<(&'e Element, &'static str)> {
    let known = elements(kind)?;
    for child in &element.children {
        // `fullName` is of all components.
        let more = child.name == "fullName" || MORE.contains(&(kind, child.name.as_str()));
        if !more && !known.contains(&child.name.as_str()) {
            return Some((child, kind));
        }
        // A message has `fields` that are names.
        let inner = TYPES.iter().find(|(name, _)| *name == child.name).filter(|_| !child.children.is_empty());
        if let Some(found) = inner.and_then(|(_, inner)| look(child, inner)) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::org::xml;

    #[test]
    fn every_type_has_its_elements() {
        for kind in Kind::all().map(Kind::name).chain(TYPES.iter().map(|(_, kind)| *kind)) {
            assert!(elements(kind).is_some_and(|elements| !elements.is_empty()), "{kind}");
        }
    }

    #[test]
    fn a_stranger_is_found_at_any_depth() {
        let found = |text: &str, kind: Kind| {
            let root = xml::parse(text.as_bytes()).unwrap();
            stranger(&root, kind).map(|(element, kind)| (element.name.clone(), kind))
        };
        let good = "<x><fullName>A</fullName><fields><fullName>B</fullName><valueSet><valueSetDefinition/></valueSet></fields></x>";
        assert_eq!(found(good, Kind::Object), None);
        assert_eq!(found("<x><colour/></x>", Kind::Object), Some(("colour".to_owned(), "CustomObject")));
        let bad = "<x><fields><valueSet><colour/></valueSet></fields></x>";
        assert_eq!(found(bad, Kind::Object), Some(("colour".to_owned(), "ValueSet")));
        let message = "<x><outboundMessages><fields>Name</fields></outboundMessages></x>";
        assert_eq!(found(message, Kind::Workflow), None);
    }
}
