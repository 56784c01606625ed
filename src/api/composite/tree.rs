//! Trees of new records in one call, all or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::invalid;
use crate::api::collections::{JSON, SaveResult};
use crate::client::{ApiRequest, Client, NodeErrors, record_error};
use crate::error::{ApiError, Effect, Error, ErrorKind, Result};
use crate::types::{FieldName, RecordId, SObjectName};

const OPERATION: &str = "composite.tree";

// Source: REST guide, "sObject Tree".
const MAX_RECORDS: usize = 200;
const MAX_TYPES: usize = 5;
const MAX_LEVELS: usize = 5;

/// A new record with the new records below it.
#[derive(Clone)]
#[must_use]
pub struct TreeNode {
    object: SObjectName,
    /// The record's JSON, or what is wrong with it.
    record: Result<Vec<u8>>,
    children: Vec<(FieldName, TreeNode)>,
}

impl TreeNode {
    /// A record without children.
    pub fn new<T: Serialize + ?Sized>(object: &SObjectName, record: &T) -> Self {
        let record = match serde_json::to_vec(record) {
            Ok(json) if json.starts_with(b"{") => Ok(json),
            Ok(_) => Err(invalid("a record has to serialise to a JSON object")),
            Err(error) => Err(invalid("the record does not serialise to JSON").with_source(error)),
        };
        Self { object: object.clone(), record, children: Vec::new() }
    }

    /// Adds a child, by the name of the relationship from its parent, such as `Contacts` or `Sessions__r`.
    pub fn child(mut self, relationship: &FieldName, child: TreeNode) -> Self {
        self.children.push((relationship.clone(), child));
        self
    }
}

/// Trees of up to 200 new records in one call: all of them are created, or none.
///
/// Up to 5 kinds of objects, and 5 levels of records. Triggers run once per level and object.
///
/// ```no_run
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// use sforce::api::TreeNode;
/// use sforce::types::{FieldName, Record, SObjectName};
///
/// let (account, contact) = (SObjectName::from_static("Account"), SObjectName::from_static("Contact"));
/// let ada = TreeNode::new(&contact, &Record::new().with("LastName", "Lovelace"));
/// let acme = TreeNode::new(&account, &Record::new().with("Name", "Acme"))
///     .child(&FieldName::from_static("Contacts"), ada);
/// let trees = client.composite_tree(account).push(acme).send().await?;
/// if let Some(error) = trees.iter().find_map(|tree| tree.first_error()) {
///     println!("nothing was created: {error}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Source: REST API Developer Guide, "sObject Tree" (API 34.0 and later).
#[derive(Clone)]
#[must_use]
pub struct CompositeTree {
    client: Client,
    object: SObjectName,
    roots: Vec<TreeNode>,
}

impl Client {
    /// Trees of new records with roots of this object. Costs one API call.
    pub fn composite_tree(&self, object: SObjectName) -> CompositeTree {
        CompositeTree { client: self.clone(), object, roots: Vec::new() }
    }
}

/// What became of a node of a tree and of those below it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TreeResult {
    /// The record's outcome. If any record of the call was refused, all have an error: their own, or that they were rolled back.
    pub saved: SaveResult,
    /// The children's, in the order in which they were added.
    pub children: Vec<TreeResult>,
}

impl TreeResult {
    /// The error of a record that was refused by its own fault, or the first of any.
    #[must_use]
    pub fn first_error(&self) -> Option<&Error> {
        let mut errors = Vec::new();
        self.collect_errors(&mut errors);
        let own = errors.iter().find(|error| !error.has_code(ROLLED_BACK)).copied();
        own.or_else(|| errors.first().copied())
    }

    fn collect_errors<'a>(&'a self, errors: &mut Vec<&'a Error>) {
        errors.extend(&self.saved.error);
        for child in &self.children {
            child.collect_errors(errors);
        }
    }
}

/// The code of rows that are fine by themselves, as collections have it.
const ROLLED_BACK: &str = "ALL_OR_NONE_OPERATION_ROLLED_BACK";

#[derive(Deserialize)]
struct Created {
    results: Vec<CreatedNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedNode {
    reference_id: String,
    id: RecordId,
}

impl CompositeTree {
    /// Adds a tree.
    pub fn push(mut self, root: TreeNode) -> Self {
        self.roots.push(root);
        self
    }

    /// Creates all records, or none. Costs one API call. The results are in the order of the roots, with their children below.
    ///
    /// `Ok` where Salesforce refused records: each result then has an error. Never repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no records or more than 200, more than 5 levels or objects, a root of another object, or
    ///   a record that does not serialise to a JSON object.
    /// - Any error of [`Client::send`].
    pub async fn send(self) -> Result<Vec<TreeResult>> {
        let object = self.object;
        let (body, count) = write(&object, &self.roots).map_err(|error| error.with_operation(OPERATION))?;
        let path = format!("/composite/tree/{object}");
        let request = ApiRequest::post(OPERATION, path).body(JSON, body);
        let request = request.context("object", &object).context("records", count);
        let mut outcomes = match self.client.send(request).await {
            Ok(answer) => created(answer.json()?, count)?,
            // What was sent before in vain may have been saved, so that this refusal tells nothing of it.
            Err(error) if error.effect() == Effect::None => match error.data::<NodeErrors>() {
                Some(NodeErrors(nodes)) => refused(nodes, count),
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
        .into_iter();
        Ok(self.roots.iter().map(|root| join(root, &mut outcomes)).collect())
    }
}

/// The body, and how many records it holds. Reference ids count them, parents first.
fn write(object: &SObjectName, roots: &[TreeNode]) -> Result<(Vec<u8>, usize)> {
    if roots.iter().any(|root| root.object != *object) {
        return Err(invalid("a root of the tree is of another object"));
    }
    let (mut body, mut types, mut count) = (Vec::new(), BTreeSet::new(), 0);
    write_list(&mut body, &roots.iter().collect::<Vec<_>>(), 1, &mut types, &mut count)?;
    if !(1..=MAX_RECORDS).contains(&count) {
        return Err(invalid("a tree holds 1 to 200 records").with_context("records", count));
    }
    if types.len() > MAX_TYPES {
        return Err(invalid("a tree holds up to 5 kinds of objects").with_context("objects", types.len()));
    }
    Ok((body, count))
}

/// `{"records":[…]}`, which is the form of the body and of each list of children.
fn write_list<'a>(
    body: &mut Vec<u8>,
    nodes: &[&'a TreeNode],
    level: usize,
    types: &mut BTreeSet<&'a str>,
    count: &mut usize,
) -> Result<()> {
    if level > MAX_LEVELS {
        return Err(invalid("a tree is up to 5 levels deep"));
    }
    body.extend_from_slice(br#"{"records":["#);
    for (place, node) in nodes.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        types.insert(node.object.as_str());
        let mut start = String::new();
        // Writing to a String does not fail.
        let _ = write!(start, r#"{{"attributes":{{"type":"{}","referenceId":"r{count}"}}"#, node.object);
        *count += 1;
        body.extend_from_slice(start.as_bytes());
        let record = node.record.as_ref().map_err(Error::clone)?;
        // The members, without the braces.
        let members = record.get(1..record.len().saturating_sub(1)).unwrap_or_default().trim_ascii();
        if !members.is_empty() {
            body.push(b',');
            body.extend_from_slice(members);
        }
        for (relationship, children) in by_relationship(node) {
            body.extend_from_slice(format!(",\"{relationship}\":").as_bytes());
            write_list(body, &children, level + 1, types, count)?;
        }
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(())
}

/// The children of a node by relationship, those of one in the order in which they were added.
fn by_relationship(node: &TreeNode) -> BTreeMap<&FieldName, Vec<&TreeNode>> {
    let mut lists: BTreeMap<&FieldName, Vec<&TreeNode>> = BTreeMap::new();
    for (relationship, child) in &node.children {
        lists.entry(relationship).or_default().push(child);
    }
    lists
}

/// Puts the outcomes, which are in the order in which records were written, to their nodes.
fn join(node: &TreeNode, outcomes: &mut impl Iterator<Item = SaveResult>) -> TreeResult {
    let missing = || SaveResult { id: None, created: None, error: Some(wrong()) };
    let saved = outcomes.next().unwrap_or_else(missing);
    let mut places: Vec<usize> = (0..node.children.len()).collect();
    // In the order of the body: by relationship.
    places.sort_by_key(|place| &node.children[*place].0);
    let mut children: Vec<(usize, TreeResult)> =
        places.into_iter().map(|place| (place, join(&node.children[place].1, outcomes))).collect();
    children.sort_by_key(|(place, _)| *place);
    TreeResult { saved, children: children.into_iter().map(|(_, child)| child).collect() }
}

fn place_of(reference: &str, count: usize) -> Option<usize> {
    reference.strip_prefix('r')?.parse().ok().filter(|place| *place < count)
}

fn created(answer: Created, count: usize) -> Result<Vec<SaveResult>> {
    let mut ids = vec![None; count];
    for node in answer.results {
        *place_of(&node.reference_id, count).and_then(|place| ids.get_mut(place)).ok_or_else(wrong)? = Some(node.id);
    }
    let saved =
        |id: Option<RecordId>| Ok(SaveResult { id: Some(id.ok_or_else(wrong)?), created: Some(true), error: None });
    ids.into_iter().map(saved).collect()
}

/// Only those that failed by themselves are in the answer.
fn refused(nodes: &[(String, Vec<ApiError>)], count: usize) -> Vec<SaveResult> {
    let mut own: BTreeMap<usize, Vec<ApiError>> = BTreeMap::new();
    for (reference, errors) in nodes {
        // Errors of no record in particular are told for the first.
        own.entry(place_of(reference, count).unwrap_or(0)).or_default().extend(errors.iter().cloned());
    }
    let victim = || {
        let message = "Record rolled back because not all records of the tree were valid";
        vec![ApiError::new(ROLLED_BACK, message, Vec::new())]
    };
    let result = |place: usize| {
        let errors = own.remove(&place).unwrap_or_else(victim);
        SaveResult { id: None, created: None, error: Some(record_error(OPERATION, errors)) }
    };
    (0..count).map(result).collect()
}

fn wrong() -> Error {
    Error::new(ErrorKind::Decode, OPERATION, "the answer has not exactly one result for each record")
        .with_effect(Effect::Unknown)
}

impl fmt::Debug for TreeNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The record holds field values.
        f.debug_struct("TreeNode")
            .field("object", &self.object)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CompositeTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositeTree")
            .field("object", &self.object)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::Record;

    const ACCOUNT: SObjectName = SObjectName::from_static("Account");
    const CONTACT: SObjectName = SObjectName::from_static("Contact");
    const CONTACTS: FieldName = FieldName::from_static("Contacts");
    const CASES: FieldName = FieldName::from_static("Cases");

    fn node(object: &SObjectName, name: &str) -> TreeNode {
        TreeNode::new(object, &Record::new().with("Name", name))
    }

    fn named(result: &TreeResult) -> Vec<String> {
        let id = result.saved.id.map(|id| id.to_string()).unwrap_or_default();
        std::iter::once(id).chain(result.children.iter().flat_map(named)).collect()
    }

    #[test]
    fn a_tree_is_written_as_the_guide_has_it_and_answers_find_their_nodes() {
        // Children of two relationships, added in turns.
        let case = SObjectName::from_static("Case");
        let first = node(&ACCOUNT, "A")
            .child(&CONTACTS, node(&CONTACT, "1").child(&CASES, node(&case, "deep")))
            .child(&CASES, TreeNode::new(&case, &Record::new()))
            .child(&CONTACTS, node(&CONTACT, "2"));
        let roots = [first, node(&ACCOUNT, "B")];
        let (body, count) = write(&ACCOUNT, &roots).expect("fits");
        let of = |object: &str, reference: &str| json!({"type": object, "referenceId": reference});
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).expect("JSON"),
            json!({"records": [
                {"attributes": of("Account", "r0"), "Name": "A",
                 "Cases": {"records": [{"attributes": of("Case", "r1")}]},
                 "Contacts": {"records": [
                    {"attributes": of("Contact", "r2"), "Name": "1",
                     "Cases": {"records": [{"attributes": of("Case", "r3"), "Name": "deep"}]}},
                    {"attributes": of("Contact", "r4"), "Name": "2"}]}},
                {"attributes": of("Account", "r5"), "Name": "B"},
            ]})
        );
        let id = |place: usize| RecordId::new(&format!("00100000000000{place}")).expect("an id");
        let results = (0..count).rev().map(|place| CreatedNode { reference_id: format!("r{place}"), id: id(place) });
        let mut outcomes = created(Created { results: results.collect() }, count).expect("one each").into_iter();
        let joined: Vec<TreeResult> = roots.iter().map(|root| join(root, &mut outcomes)).collect();
        let ids = |places: &[usize]| places.iter().map(|place| id(*place).to_string()).collect::<Vec<_>>();
        assert_eq!(named(&joined[0]), ids(&[0, 2, 3, 1, 4]), "in the order in which they were added");
        assert_eq!(named(&joined[1]), ids(&[5]));
    }

    #[test]
    fn limits_of_trees_are_checked_before_sending() {
        let wide = |count: usize| (0..count).map(|_| node(&ACCOUNT, "A")).collect::<Vec<_>>();
        assert!(write(&ACCOUNT, &wide(200)).is_ok());
        assert!(write(&ACCOUNT, &wide(201)).is_err());
        assert!(write(&ACCOUNT, &[]).is_err());
        assert!(write(&CONTACT, &wide(1)).is_err(), "roots of another object");
        let chain = |levels: usize| {
            (1..levels).fold(node(&ACCOUNT, "A"), |below, _| node(&ACCOUNT, "A").child(&CONTACTS, below))
        };
        assert!(write(&ACCOUNT, &[chain(5)]).is_ok());
        assert!(write(&ACCOUNT, &[chain(6)]).is_err());
        let kinds = |count: usize| {
            (1..count).fold(node(&ACCOUNT, "A"), |root, number| {
                root.child(&CONTACTS, node(&SObjectName::new(format!("Thing{number}__c")).expect("a name"), "A"))
            })
        };
        assert!(write(&ACCOUNT, &[kinds(5)]).is_ok());
        assert!(write(&ACCOUNT, &[kinds(6)]).is_err());
        assert!(write(&ACCOUNT, &[TreeNode::new(&ACCOUNT, "text")]).is_err());
    }

    #[test]
    fn an_answer_without_a_result_for_each_record_is_an_error() {
        let node = |reference: &str| CreatedNode {
            reference_id: reference.into(),
            id: RecordId::new("001000000000001").expect("an id"),
        };
        for results in
            [vec![], vec![node("r0")], vec![node("r0"), node("r0")], vec![node("r0"), node("r2")], vec![node("x")]]
        {
            let error = created(Created { results }, 2).expect_err("not one each");
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Decode, Effect::Unknown));
        }
    }

    #[test]
    fn refused_records_have_their_own_errors_and_the_others_are_rolled_back() {
        let errors = vec![ApiError::new("REQUIRED_FIELD_MISSING", "x", vec![])];
        let rows = refused(&[("r1".into(), errors.clone()), ("unheard".into(), errors)], 3);
        let codes: Vec<bool> =
            rows.iter().map(|row| row.error.as_ref().is_some_and(|error| error.has_code(ROLLED_BACK))).collect();
        assert_eq!(codes, [false, false, true], "an error of no record in particular is told for the first");
    }
}
