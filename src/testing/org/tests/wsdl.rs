//! The metadata WSDL as a judge of answers: names, order and number of elements, enumerations.
//!
//! It lies beside the project and is not part of it. Where it is missing, nothing is judged, and said so.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::testing::org::xml::{self, Element};

#[derive(Debug)]
struct Part {
    name: String,
    kind: String,
    optional: bool,
    many: bool,
}

#[derive(Debug, Default)]
struct Wsdl {
    types: HashMap<String, (Option<String>, Vec<Part>)>,
    elements: HashMap<String, Vec<Part>>,
    enumerations: HashMap<String, Vec<String>>,
}

static WSDL: LazyLock<Option<Wsdl>> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded/wsdl/metadata-v63.0.wsdl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("NOT RUN: the WSDL is not at {}", path.display());
        return None;
    };
    Some(read(&text))
});

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).unwrap()?;
    let value = String::from(found.value.as_ref());
    Some(value.rsplit(':').next().unwrap().to_owned())
}

fn read(text: &str) -> Wsdl {
    let mut wsdl = Wsdl::default();
    let mut reader = Reader::from_str(text);
    // The names of the type or element whose parts follow.
    let (mut kind, mut element, mut simple) = (None::<String>, None::<String>, None::<String>);
    let mut depth = 0;
    loop {
        let event = reader.read_event().unwrap();
        let (start, opens) = match &event {
            Event::Start(start) => (start, true),
            Event::Empty(start) => (start, false),
            Event::End(end) => {
                match end.local_name().into_inner() {
                    "complexType" if element.is_none() => kind = None,
                    "simpleType" => simple = None,
                    "element" => {
                        depth -= 1;
                        if depth == 0 {
                            element = None;
                        }
                    }
                    _ => {}
                }
                continue;
            }
            Event::Eof => return wsdl,
            _ => continue,
        };
        match start.local_name().into_inner() {
            "complexType" if element.is_none() => {
                kind = attribute(start, "name");
                if let Some(kind) = &kind {
                    wsdl.types.insert(kind.clone(), (None, Vec::new()));
                }
            }
            "simpleType" => simple = attribute(start, "name"),
            "enumeration" => {
                if let (Some(simple), Some(value)) = (&simple, attribute(start, "value")) {
                    wsdl.enumerations.entry(simple.clone()).or_default().push(value);
                }
            }
            "extension" => {
                if let Some(entry) = kind.as_ref().and_then(|kind| wsdl.types.get_mut(kind)) {
                    entry.0 = attribute(start, "base");
                }
            }
            "element" => {
                let name = attribute(start, "name").unwrap_or_default();
                let part = || Part {
                    name: name.clone(),
                    kind: attribute(start, "type").unwrap_or_default(),
                    optional: attribute(start, "minOccurs").as_deref() == Some("0"),
                    many: attribute(start, "maxOccurs").is_some(),
                };
                if let Some(element) = &element {
                    wsdl.elements.entry(element.clone()).or_default().push(part());
                } else if let Some(kind) = &kind {
                    wsdl.types.get_mut(kind).unwrap().1.push(part());
                } else if opens {
                    wsdl.elements.insert(name.clone(), Vec::new());
                    element = Some(name.clone());
                }
                depth += i32::from(opens);
            }
            _ => {}
        }
    }
}

impl Wsdl {
    /// The parts of a type, those it inherits first.
    fn parts(&self, kind: &str) -> Vec<&Part> {
        let Some((base, own)) = self.types.get(kind) else { return Vec::new() };
        let mut parts = base.as_deref().map(|base| self.parts(base)).unwrap_or_default();
        parts.extend(own);
        parts
    }

    fn check(&self, element: &Element, parts: &[&Part], path: &str) {
        let mut children = element.children.iter().peekable();
        for part in parts {
            let mut count = 0;
            while let Some(child) = children.next_if(|child| child.name == part.name) {
                count += 1;
                self.check_value(child, &part.kind, &format!("{path}/{}", part.name));
            }
            assert!(count > 0 || part.optional, "{path} has no {}", part.name);
            assert!(count < 2 || part.many, "{path} has {count} times {}", part.name);
        }
        if let Some(child) = children.next() {
            panic!("{path}/{} is unknown or out of order", child.name);
        }
    }

    fn check_value(&self, element: &Element, kind: &str, path: &str) {
        let kind = element.kind.as_deref().unwrap_or(kind);
        if element.nil {
            return;
        }
        let text = element.text.trim();
        if let Some(values) = self.enumerations.get(kind) {
            assert!(values.iter().any(|value| value == text), "{path}: {text} is not one of {kind}");
        } else if self.types.contains_key(kind) {
            self.check(element, &self.parts(kind), path);
        } else {
            assert!(element.children.is_empty(), "{path} of {kind} has elements");
            match kind {
                "boolean" => assert!(matches!(text, "true" | "false"), "{path}: {text}"),
                "int" => assert!(text.parse::<i32>().is_ok(), "{path}: {text}"),
                "dateTime" => assert!(chrono::DateTime::parse_from_rfc3339(text).is_ok(), "{path}: {text}"),
                "double" => assert!(text.parse::<f64>().is_ok(), "{path}: {text}"),
                // [R] Of 15 or 18 characters.
                "ID" => assert!(matches!(text.len(), 15 | 18), "{path}: {text}"),
                "string" | "base64Binary" => {}
                other => panic!("{path}: the WSDL has no type {other}"),
            }
        }
    }
}

/// Panics where an envelope of the org is not what the WSDL says.
pub(super) fn check(envelope: &str) {
    let Some(wsdl) = &*WSDL else { return };
    let root = xml::parse(envelope.as_bytes()).unwrap();
    let response = &root.children[0].children[0];
    assert_eq!(response.namespace, "http://soap.sforce.com/2006/04/metadata");
    let parts = wsdl.elements.get(&response.name).unwrap_or_else(|| panic!("the WSDL has no {}", response.name));
    wsdl.check(response, &parts.iter().collect::<Vec<_>>(), &response.name);
}

#[test]
#[should_panic(expected = "out of order")]
fn the_judge_sees_a_wrong_order() {
    let envelope = "<e><b><createMetadataResponse xmlns='http://soap.sforce.com/2006/04/metadata'><result>\
                    <success>true</success><fullName>x</fullName></result></createMetadataResponse></b></e>";
    assert!(WSDL.is_some(), "out of order: there is no WSDL to judge by");
    check(&envelope.replacen(
        "<success>true</success><fullName>x</fullName>",
        "<fullName>x</fullName><success>true</success><fullName>y</fullName>",
        1,
    ));
}
