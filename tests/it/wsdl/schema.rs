//! The part of XML Schema that the WSDL uses, as a judge: names, order, how often, and the values of simple types.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element as it was written: local names, and the type that `xsi:type` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) nil: bool,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).expect("well-formed")?;
    Some(found.normalized_value(quick_xml::XmlVersion::Explicit1_0).expect("plain").into_owned())
}

impl Node {
    fn started(start: &BytesStart<'_>) -> Self {
        Self {
            name: start.local_name().as_ref().to_owned(),
            kind: attribute(start, "xsi:type"),
            nil: attribute(start, "xsi:nil").is_some_and(|nil| nil == "true"),
            ..Self::default()
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        let close = |open: &mut Vec<Self>| {
            let node = open.pop().expect("open");
            open.last_mut().expect("a parent").children.push(node);
        };
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(start) => open.push(Self::started(&start)),
                Event::Empty(start) => {
                    open.push(Self::started(&start));
                    close(&mut open);
                }
                Event::End(_) => close(&mut open),
                Event::Text(text) => open.last_mut().expect("a parent").text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let text = match reference.resolve_char_ref().expect("plain") {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_xml_entity(&reference).expect("known").to_owned(),
                    };
                    open.last_mut().expect("a parent").text.push_str(&text);
                }
                Event::Eof => return open.remove(0).children.remove(0),
                _ => {}
            }
        }
    }

    /// All elements of a name, at any depth.
    pub(crate) fn find(&self, name: &str) -> Vec<&Self> {
        let mut found: Vec<&Self> = self.children.iter().flat_map(|child| child.find(name)).collect();
        if self.name == name {
            found.push(self);
        }
        found
    }

    /// The same with blanks gone and elements of different names sorted: what the order of a file does not tell.
    pub(crate) fn canonical(&self) -> Self {
        let mut children: Vec<Self> = self.children.iter().map(Self::canonical).collect();
        children.sort_by(|one, other| one.name.cmp(&other.name));
        Self { text: self.text.trim().to_owned(), children, ..self.clone() }
    }
}

#[derive(Clone, Debug)]
struct Particle {
    name: String,
    kind: String,
    required: bool,
    many: bool,
    nillable: bool,
}

#[derive(Debug, Default)]
struct Complex {
    base: Option<String>,
    particles: Vec<Particle>,
}

/// The types of a WSDL.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    complex: HashMap<String, Complex>,
    words: HashMap<String, Vec<String>>,
}

impl Schema {
    pub(crate) fn of(wsdl: &str) -> Self {
        let mut schema = Self::default();
        let mut reader = Reader::from_str(wsdl);
        let mut open: Option<String> = None;
        let local = |name: String| name.trim_start_matches("tns:").to_owned();
        loop {
            let event = reader.read_event().expect("well-formed");
            let (Event::Start(start) | Event::Empty(start)) = &event else {
                match &event {
                    Event::End(end) if matches!(end.local_name().as_ref(), "complexType" | "simpleType") => open = None,
                    Event::Eof => return schema,
                    _ => {}
                }
                continue;
            };
            let name = attribute(start, "name");
            match start.local_name().as_ref() {
                // The type of an element of a message has no name.
                "complexType" => {
                    open.clone_from(&name);
                    if let Some(name) = name {
                        schema.complex.insert(name, Complex::default());
                    }
                    if matches!(event, Event::Empty(_)) {
                        open = None;
                    }
                }
                "simpleType" => {
                    open.clone_from(&name);
                    schema.words.insert(name.expect("simple types have names"), Vec::new());
                }
                "enumeration" => {
                    let words = schema.words.get_mut(open.as_deref().expect("inside a type")).expect("known");
                    words.push(attribute(start, "value").expect("a value"));
                }
                "extension" => {
                    let kind = open.as_ref().and_then(|open| schema.complex.get_mut(open)).expect("inside a type");
                    kind.base = attribute(start, "base").map(local);
                }
                "element" => {
                    if let Some(kind) = open.as_ref().and_then(|open| schema.complex.get_mut(open)) {
                        kind.particles.push(Particle {
                            name: name.expect("a name"),
                            kind: attribute(start, "type").map(local).unwrap_or_default(),
                            required: attribute(start, "minOccurs").as_deref() != Some("0"),
                            many: attribute(start, "maxOccurs").as_deref() == Some("unbounded"),
                            nillable: attribute(start, "nillable").as_deref() == Some("true"),
                        });
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.complex.len() + self.words.len()
    }

    /// The elements of a type, those of the types that it extends first.
    fn particles(&self, kind: &str) -> Vec<Particle> {
        let Some(complex) = self.complex.get(kind) else { return Vec::new() };
        let mut all = complex.base.as_deref().map(|base| self.particles(base)).unwrap_or_default();
        all.extend(complex.particles.iter().cloned());
        all
    }

    /// What is wrong with an element as one of that type; empty if nothing is.
    pub(crate) fn check(&self, node: &Node, kind: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        self.judge(node, kind, &node.name, &mut wrong);
        wrong
    }

    fn judge(&self, node: &Node, kind: &str, path: &str, wrong: &mut Vec<String>) {
        if !self.complex.contains_key(kind) {
            if !node.children.is_empty() {
                wrong.push(format!("{path}: {kind} has no elements"));
            }
            wrong.extend(self.value(node.text.trim(), kind).map(|problem| format!("{path}: {problem}")));
            return;
        }
        if !node.text.trim().is_empty() {
            wrong.push(format!("{path}: text in {kind}"));
        }
        let particles = self.particles(kind);
        let mut at = 0;
        for child in &node.children {
            let path = format!("{path}/{}", child.name);
            let Some(place) = particles.iter().position(|particle| particle.name == child.name) else {
                wrong.push(format!("{path}: {kind} has no such element"));
                continue;
            };
            if place < at {
                wrong.push(format!("{path}: comes too late"));
            }
            at = place.max(at);
            let particle = &particles[place];
            if child.nil && particle.nillable {
                continue;
            }
            self.judge(child, &particle.kind, &path, wrong);
        }
        for particle in &particles {
            let count = node.children.iter().filter(|child| child.name == particle.name).count();
            if particle.required && count == 0 {
                wrong.push(format!("{path}: lacks {}", particle.name));
            }
            if !particle.many && count > 1 {
                wrong.push(format!("{path}: has {} {count} times", particle.name));
            }
        }
    }

    fn value(&self, text: &str, kind: &str) -> Option<String> {
        let fits = match kind {
            "xsd:boolean" => matches!(text, "true" | "false" | "0" | "1"),
            "xsd:int" | "xsd:long" => text.parse::<i64>().is_ok(),
            "xsd:double" | "xsd:decimal" => text.parse::<f64>().is_ok(),
            "xsd:base64Binary" => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
            "xsd:string" | "xsd:anyType" | "xsd:date" | "xsd:dateTime" | "ID" => true,
            simple => match self.words.get(simple) {
                Some(words) => words.is_empty() || words.iter().any(|word| word == text),
                None => return Some(format!("{simple} is no known type")),
            },
        };
        (!fits).then(|| format!("{text:?} is no {kind}"))
    }
}
