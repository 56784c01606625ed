//! Paths of a map, taken apart once, so that records are read and built in time with their fields.

use std::collections::HashMap;
use std::sync::Arc;

use super::steps::Reason;
use crate::types::{FieldIndex, Record, Value};

/// A path taken apart: a name, and the object it stands in unless that is the record itself.
#[derive(Clone, Debug)]
pub(super) struct Route {
    branch: Option<usize>,
    name: Arc<str>,
}

/// An object on the way of paths.
#[derive(Debug)]
pub(super) struct Branch {
    above: Option<usize>,
    name: Arc<str>,
    path: Box<str>,
}

/// Takes the paths of a map apart; an object that several lead through is one.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// Each after the one above it.
    branches: Vec<Branch>,
    known: HashMap<Box<str>, usize>,
}

impl Routes {
    pub(super) fn route(&mut self, path: &str) -> Route {
        let (mut branch, mut start) = (None, 0);
        for (dot, _) in path.match_indices('.') {
            let way = &path[..dot];
            let known = self.known.get(way).copied().unwrap_or_else(|| {
                self.branches.push(Branch { above: branch, name: path[start..dot].into(), path: way.into() });
                self.known.insert(way.into(), self.branches.len() - 1);
                self.branches.len() - 1
            });
            (branch, start) = (Some(known), dot + 1);
        }
        Route { branch, name: path[start..].into() }
    }

    pub(super) fn into_branches(self) -> Box<[Branch]> {
        self.branches.into()
    }
}

/// What is found at the end of a path.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Value(&'a Value),
    /// The field is not there, or an object on its way is not.
    Absent,
    /// An object on its way is blank.
    BlankParent,
}

/// A record read by the paths of a map.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    root: FieldIndex<'a>,
    branches: &'a [Branch],
    /// The objects on the way, as far as they have been asked for.
    objects: Vec<Object<'a>>,
}

#[derive(Debug)]
enum Object<'a> {
    Unseen,
    Absent,
    Blank,
    /// What stands at the path of this branch is no object.
    Wrong(usize),
    Here(FieldIndex<'a>),
}

impl<'a> Reading<'a> {
    /// The branches are those of the routes that will be asked for.
    pub(super) fn new(record: &'a Record, branches: &'a [Branch]) -> Self {
        let objects = branches.iter().map(|_| Object::Unseen).collect();
        Self { root: FieldIndex::new(record), branches, objects }
    }

    /// Finds the value of a path.
    ///
    /// # Errors
    ///
    /// Which part of the path is neither an object nor blank.
    #[inline]
    pub(super) fn find(&mut self, route: &Route) -> Result<Seen<'a>, Reason> {
        match route.branch {
            None => Ok(self.root.get(&route.name).map_or(Seen::Absent, Seen::Value)),
            Some(branch) => self.find_inside(branch, &route.name),
        }
    }

    fn find_inside(&mut self, branch: usize, name: &str) -> Result<Seen<'a>, Reason> {
        self.look(branch);
        match &mut self.objects[branch] {
            Object::Here(fields) => Ok(fields.get(name).map_or(Seen::Absent, Seen::Value)),
            Object::Blank => Ok(Seen::BlankParent),
            Object::Wrong(at) => Err(format!("{} is no object", self.branches[*at].path).into()),
            Object::Absent | Object::Unseen => Ok(Seen::Absent),
        }
    }

    /// Looks at an object, after those above it: fewer than 64, since a longer path is none.
    fn look(&mut self, at: usize) {
        if !matches!(self.objects[at], Object::Unseen) {
            return;
        }
        let Branch { above, name, .. } = &self.branches[at];
        let value = match *above {
            None => self.root.get(name),
            Some(above) => {
                self.look(above);
                match &mut self.objects[above] {
                    Object::Here(fields) => fields.get(name),
                    Object::Blank => return self.objects[at] = Object::Blank,
                    Object::Wrong(wrong) => return self.objects[at] = Object::Wrong(*wrong),
                    Object::Absent | Object::Unseen => None,
                }
            }
        };
        self.objects[at] = match value {
            None => Object::Absent,
            Some(Value::Record(record)) => Object::Here(FieldIndex::new(record)),
            Some(value) if value.is_blank() => Object::Blank,
            Some(_) => Object::Wrong(at),
        };
    }
}

/// A record built by the paths of a map, of which none leads into another one's value.
#[derive(Debug)]
pub(super) struct Building<'a> {
    root: Record,
    branches: &'a [Branch],
    /// Each object that has a value, and its place in the one above.
    objects: Vec<Option<(Record, usize)>>,
}

impl<'a> Building<'a> {
    /// The branches are those of the routes by which values come, `fields` of them at most.
    pub(super) fn new(branches: &'a [Branch], fields: usize) -> Self {
        Self { root: Record::with_capacity(fields), branches, objects: branches.iter().map(|_| None).collect() }
    }

    pub(super) fn put(&mut self, route: &Route, value: Value) {
        self.object(route.branch).push(Arc::clone(&route.name), value);
    }

    /// The object there, put behind what the one above it has if it is not there yet.
    fn object(&mut self, at: Option<usize>) -> &mut Record {
        let Some(at) = at else { return &mut self.root };
        if self.objects[at].is_none() {
            let Branch { above, name, .. } = &self.branches[at];
            let above = self.object(*above);
            let place = above.len();
            above.push(Arc::clone(name), Value::Null);
            self.objects[at] = Some((Record::new(), place));
        }
        match &mut self.objects[at] {
            Some((record, _)) => record,
            None => &mut self.root,
        }
    }

    pub(super) fn into_record(mut self) -> Record {
        // Each comes after the one above it, so the last one is whole first.
        for at in (0..self.branches.len()).rev() {
            if let Some((record, place)) = self.objects[at].take() {
                self.object(self.branches[at].above).fill(place, Value::Record(record));
            }
        }
        self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_through_one_object_share_it_and_each_finds_its_value() {
        let mut routes = Routes::default();
        let paths = ["a", "o.b", "o.p.c", "o.d", "x.y", "n.z", "o.b.no", "s.t"];
        let ready: Vec<Route> = paths.iter().map(|path| routes.route(path)).collect();
        let branches = routes.into_branches();
        let shared: Vec<&str> = branches.iter().map(|branch| &*branch.path).collect();
        assert_eq!(shared, ["o", "o.p", "x", "n", "o.b", "s"]);
        let record = Record::from_json(r#"{"n":null,"a":1,"o":{"d":4,"b":2,"p":{"c":3}},"s":" "}"#).expect("reads");
        let mut reading = Reading::new(&record, &branches);
        let mut seen = |route: &Route| match reading.find(route) {
            Ok(Seen::Value(value)) => serde_json::to_string(value).expect("serialises"),
            Ok(other) => format!("{other:?}"),
            Err(reason) => reason.into_owned(),
        };
        let seen: Vec<String> = ready.iter().map(&mut seen).collect();
        assert_eq!(seen, ["1", "2", "3", "4", "Absent", "BlankParent", "o.b is no object", "BlankParent"]);
    }

    #[test]
    fn a_record_is_built_in_the_order_of_its_first_values() {
        let mut routes = Routes::default();
        let ready: Vec<Route> = ["a.b.c", "d", "a.e", "a.b.f", "g.h"].iter().map(|path| routes.route(path)).collect();
        let branches = routes.into_branches();
        let mut building = Building::new(&branches, 4);
        for (route, number) in ready[..4].iter().zip(1_i64..) {
            building.put(route, number.into());
        }
        let record = serde_json::to_string(&building.into_record()).expect("serialises");
        assert_eq!(record, r#"{"a":{"b":{"c":1,"f":4},"e":3},"d":2}"#, "an object without values is absent");
    }
}
