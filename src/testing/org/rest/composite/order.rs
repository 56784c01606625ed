//! In which order sub-requests run.

use std::collections::BTreeSet;

use super::read::Node;
use super::references::roots;

/// Types of objects in one group (REST guide, "Composite Request Body").
const MAX_TYPES: usize = 5;

struct Group {
    key: String,
    types: BTreeSet<String>,
    members: Vec<usize>,
}

/// The places of the sub-requests in the order they run.
///
/// Collated sub-requests run "in no guaranteed order" (same page). Here those of a group run last one first, at the place of
/// the first, so that whoever counts on their order is found out. [K] That one with a reference is in no group: it runs in
/// its own place, after everything that stands before it.
pub(super) fn order(nodes: &[Node], collate: bool) -> Vec<usize> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        // Blank: of no group.
        let (key, kind) = collation_key(node).filter(|_| collate).unwrap_or_default();
        let fits = |group: &&mut Group| {
            !key.is_empty() && group.key == key && (group.types.len() < MAX_TYPES || group.types.contains(&kind))
        };
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.types.insert(kind);
                group.members.push(place);
            }
            None => groups.push(Group { key, types: BTreeSet::from([kind]), members: vec![place] }),
        }
    }
    groups.into_iter().flat_map(|group| group.members.into_iter().rev()).collect()
}

/// Method and version, and the type of object, of a sub-request that may be collated: below `/sobjects`, without headers of
/// its own and without references.
fn collation_key(node: &Node) -> Option<(String, String)> {
    let request = &node.request;
    let resource = request.resource();
    let [sobjects, object, ..] = resource.as_slice() else { return None };
    if sobjects != "sobjects" || !request.headers.is_empty() || !roots(request).is_empty() {
        return None;
    }
    let version = request.url.split('/').nth(3).unwrap_or_default();
    Some((format!("{} {version}", request.method), object.to_ascii_lowercase()))
}
