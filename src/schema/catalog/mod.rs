//! What the org has, read once.

mod shelf;
mod traits;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::shelf::{Ages, Shelf, Turn};
pub use self::traits::OrgTraits;
use crate::api::{MAX_SUBREQUESTS, Snapshot};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{
    DescribeGlobal, FieldDescribe, FieldName, PicklistValue, RecordId, RecordTypeInfo, RecordTypeMapping,
    RecordTypeMappings, SObjectDescribe, SObjectName, Soql, soql,
};

/// What an org has, as the user of a client sees it: describes are read once and kept.
///
/// A describe that was read or confirmed within [`max_age`](SchemaCatalogBuilder::max_age) is given without a call. An older one is
/// asked for with its date: where nothing has changed, the answer is a 304 without a body, which costs an API call like any other. After
/// [`whole_after`](SchemaCatalogBuilder::whole_after) it is read anew whatever its date, since it is not documented whether a change of
/// the user's rights counts as a change. Askers of one object at one time share a request, and its error.
///
/// Only whole answers that are about the object are kept; an error keeps what was there for the next try. A clone is cheap and shares
/// what is kept. A catalog belongs to the user of its client: another user sees other fields, and needs another catalog.
#[derive(Clone)]
pub struct SchemaCatalog(Arc<Inner>);

struct Inner {
    client: Client,
    ages: Ages,
    global: Shelf<(), DescribeGlobal>,
    /// By name in lower case.
    objects: Shelf<String, SObjectDescribe>,
    mappings: Shelf<String, RecordTypeMappings>,
}

/// Settings of a [`SchemaCatalog`].
#[derive(Debug)]
#[must_use]
pub struct SchemaCatalogBuilder {
    client: Client,
    ages: Ages,
    capacity: usize,
}

impl SchemaCatalogBuilder {
    /// How long a describe is given without asking; 5 minutes by default. Zero asks each time.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.ages.max_age = age;
        self
    }

    /// After how long a describe is read anew even if the org would say that nothing has changed; 1 hour by default.
    pub fn whole_after(mut self, age: Duration) -> Self {
        self.ages.whole_after = age;
        self
    }

    /// How many describes are kept, and of how many objects the record types' picklists; 100 of each by default. A describe takes up to a megabyte, most far less.
    pub fn capacity(mut self, objects: usize) -> Self {
        self.capacity = objects;
        self
    }

    /// The catalog, empty. Nothing is sent.
    #[must_use]
    pub fn build(self) -> SchemaCatalog {
        let Self { client, ages, capacity } = self;
        let (objects, mappings) = (Shelf::new(capacity), Shelf::new(capacity));
        SchemaCatalog(Arc::new(Inner { client, ages, global: Shelf::new(1), objects, mappings }))
    }
}

impl SchemaCatalog {
    /// A catalog with the default settings, empty. Nothing is sent.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::builder(client).build()
    }

    /// Starts a catalog of what the client's user sees.
    pub fn builder(client: Client) -> SchemaCatalogBuilder {
        let ages = Ages { max_age: Duration::from_mins(5), whole_after: Duration::from_hours(1) };
        SchemaCatalogBuilder { client, ages, capacity: 100 }
    }

    /// Every object that the user sees. Costs no API call while it is fresh, else one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] for an answer without objects; any error of [`Client::send`].
    pub async fn global(&self) -> Result<Arc<DescribeGlobal>> {
        let inner = &self.0;
        let turn = inner.global.slot(&()).turn().await;
        if let Some(answer) = turn.answer(inner.ages, self.now()) {
            return answer;
        }
        let asked = inner.client.describe_global_if_modified_since(turn.since(inner.ages, self.now())).await;
        turn.end(asked.and_then(sound_global), self.now())
    }

    /// An object with the fields that the user sees. Costs no API call while it is fresh, else one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an object that does not exist or is hidden from the user: a describe does not tell which;
    /// [`ErrorKind::Decode`] for an answer that is not about the object; any error of [`Client::send`].
    pub async fn object(&self, object: &SObjectName) -> Result<Arc<SObjectDescribe>> {
        let inner = &self.0;
        let turn = inner.objects.slot(&key_of(object)).turn().await;
        if let Some(answer) = turn.answer(inner.ages, self.now()) {
            return answer;
        }
        self.ask(object, turn).await
    }

    /// An object read anew, whatever is kept. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`object`](Self::object).
    pub async fn refresh(&self, object: &SObjectName) -> Result<Arc<SObjectDescribe>> {
        self.invalidate(object);
        self.object(object).await
    }

    /// Objects in their order. Those that are not fresh are asked for 25 a call; costs no API call where all are.
    ///
    /// # Errors
    ///
    /// Each object has an error of its own, as for [`object`](Self::object); that of a whole call is told of each of its objects.
    pub async fn fetch_many(&self, objects: &[SObjectName]) -> Vec<Result<Arc<SObjectDescribe>>> {
        let inner = &self.0;
        // In the order of their keys, so that two callers never wait for each other.
        let mut keys: Vec<(String, &SObjectName)> = objects.iter().map(|object| (key_of(object), object)).collect();
        keys.sort();
        keys.dedup_by(|left, right| left.0 == right.0);
        let mut found: HashMap<String, Result<Arc<SObjectDescribe>>> = HashMap::new();
        let mut open: Vec<(&SObjectName, Turn<SObjectDescribe>)> = Vec::new();
        for (key, object) in keys {
            let turn = inner.objects.slot(&key).turn().await;
            match turn.answer(inner.ages, self.now()) {
                Some(answer) => {
                    found.insert(key, answer);
                }
                None => open.push((object, turn)),
            }
            if open.len() == MAX_SUBREQUESTS {
                found.extend(self.ask_together(std::mem::take(&mut open)).await);
            }
        }
        found.extend(self.ask_together(open).await);
        let missing = || Err(Error::new(ErrorKind::Unexpected, "catalog", "an object was passed over"));
        objects.iter().map(|object| found.get(&key_of(object)).cloned().unwrap_or_else(missing)).collect()
    }

    /// A field. Costs no API call while its object is fresh, else one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] for a field that does not exist, or that field-level security hides from the user: a describe does not
    /// tell which. As for [`object`](Self::object).
    pub async fn field(&self, object: &SObjectName, field: &FieldName) -> Result<FieldDescribe> {
        let describe = self.object(object).await?;
        describe.field(field.as_str()).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Schema, "catalog", "the field does not exist, or is hidden from the user")
                .with_context("object", object)
                .with_context("field", field)
                .with_advice("look for it in Setup > Object Manager > (object) > Fields & Relationships; if it is there, make it \
                              visible to the user: Set Field-Level Security, or a permission set")
        })
    }

    /// The record types of an object, the master type among them: [`available`](RecordTypeInfo::available) are those that the user may
    /// choose. Costs no API call while the object is fresh, else one.
    ///
    /// # Errors
    ///
    /// As for [`object`](Self::object).
    pub async fn record_types(&self, object: &SObjectName) -> Result<Vec<RecordTypeInfo>> {
        Ok(self.object(object).await?.record_type_infos.clone())
    }

    /// What each record type opens of the object's picklists. Costs no API call while it is fresh, else one: it has no date to ask with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] for an answer without record types; as for [`Client::record_type_mappings`].
    pub async fn record_type_mappings(&self, object: &SObjectName) -> Result<Arc<RecordTypeMappings>> {
        let inner = &self.0;
        let turn = inner.mappings.slot(&key_of(object)).turn().await;
        if let Some(answer) = turn.answer(inner.ages, self.now()) {
            return answer;
        }
        let asked = inner.client.record_type_mappings(object).await;
        let asked = asked.and_then(|value| sound_mappings(value, object));
        turn.end(asked.map(|value| Some(Snapshot { value, last_modified: None, etag: None })), self.now())
    }

    /// The values of a picklist that a record type opens; those of the field where the type says nothing of it, as the master type
    /// may. Costs no API call while object and record types are fresh, else one for each.
    ///
    /// Which of them are open for a value of the controlling field, [`PicklistValue::is_valid_for`] tells.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] for a record type that the object does not have, or as for [`field`](Self::field); as for
    /// [`record_type_mappings`](Self::record_type_mappings).
    pub async fn picklist(
        &self,
        object: &SObjectName,
        record_type: RecordId,
        field: &FieldName,
    ) -> Result<Vec<PicklistValue>> {
        let mappings = self.record_type_mappings(object).await?;
        let is_it =
            |mapping: &&RecordTypeMapping| RecordId::new(&mapping.record_type_id).is_ok_and(|id| id == record_type);
        let mapping = mappings.record_type_mappings.iter().find(is_it).ok_or_else(|| {
            Error::new(ErrorKind::Schema, "catalog", "the object has no such record type")
                .with_context("object", object)
                .with_context("record_type", record_type)
        })?;
        match mapping.values(field.as_str()) {
            Some(values) => Ok(values.to_vec()),
            None => Ok(self.field(object, field).await?.picklist_values),
        }
    }

    /// What kind of org it is. Costs no API call while the objects it looks at are fresh, else one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; an object that the user does not see is none.
    pub async fn org_traits(&self) -> Result<OrgTraits> {
        let mut describes = Vec::new();
        for described in self.fetch_many(&OrgTraits::OBJECTS.map(SObjectName::from_static)).await {
            match described {
                Ok(describe) => describes.push(describe),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(OrgTraits::of(describes.iter().map(|describe| &**describe)))
    }

    /// The ids of the record types of accounts that are persons; none in an org without person accounts. Costs one API call, and
    /// those of [`org_traits`](Self::org_traits). A describe does not tell which they are.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: Object Reference, `IsPersonType` of record types.
    pub async fn person_record_types(&self) -> Result<Vec<RecordId>> {
        if self.org_traits().await?.person_accounts != Some(true) {
            return Ok(Vec::new());
        }
        let persons = soql::field("SobjectType").eq("Account").and(soql::field("IsPersonType").eq(true));
        let soql = Soql::select(["Id"]).from("RecordType").filter(persons).build()?;
        let rows = self.0.client.query::<crate::types::Record>(soql).collect().await?;
        let id = |row: &crate::types::Record| row.text("Id").and_then(|id| RecordId::new(id).ok());
        Ok(rows.iter().filter_map(id).collect())
    }

    /// Forgets an object and its picklists, so that the next asker reads it anew: after changing it, or after a right was given. Costs no
    /// call. A request that is under way ends for those who wait for it, and is not kept.
    pub fn invalidate(&self, object: &SObjectName) {
        let key = key_of(object);
        self.0.objects.forget(|known| *known == key);
        self.0.mappings.forget(|known| *known == key);
    }

    /// Forgets everything.
    pub fn invalidate_all(&self) {
        self.0.global.forget(|()| true);
        self.0.objects.forget(|_| true);
        self.0.mappings.forget(|_| true);
    }

    /// How many objects are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.objects.len()
    }

    /// Whether no object is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> Duration {
        self.0.client.monotonic()
    }

    async fn ask(&self, object: &SObjectName, turn: Turn<SObjectDescribe>) -> Result<Arc<SObjectDescribe>> {
        let since = turn.since(self.0.ages, self.now());
        let asked = self.0.client.describe_if_modified_since(object, since).await;
        turn.end(asked.and_then(|snapshot| sound(snapshot, object)), self.now())
    }

    async fn ask_together(
        &self,
        open: Vec<(&SObjectName, Turn<SObjectDescribe>)>,
    ) -> Vec<(String, Result<Arc<SObjectDescribe>>)> {
        if open.len() < 2 {
            let mut answers = Vec::new();
            for (object, turn) in open {
                answers.push((key_of(object), self.ask(object, turn).await));
            }
            return answers;
        }
        let dated = |(object, turn): &(&SObjectName, Turn<SObjectDescribe>)| {
            ((*object).clone(), turn.since(self.0.ages, self.now()))
        };
        let asked = self.0.client.describe_many(&open.iter().map(dated).collect::<Vec<_>>()).await;
        let mut asked = match asked {
            Ok(answers) => answers,
            Err(error) => open.iter().map(|_| Err(error.clone())).collect(),
        }
        .into_iter();
        let missing = || Err(Error::new(ErrorKind::Unexpected, "catalog", "an object has no answer"));
        let end = |(object, turn): (&SObjectName, Turn<SObjectDescribe>)| {
            let asked = asked.next().unwrap_or_else(missing);
            (key_of(object), turn.end(asked.and_then(|snapshot| sound(snapshot, object)), self.now()))
        };
        open.into_iter().map(end).collect()
    }
}

/// Names compare without regard to case.
fn key_of(object: &SObjectName) -> String {
    object.as_str().to_ascii_lowercase()
}

/// All keys of a describe have defaults, so `{}` would be an object without fields.
fn sound(
    snapshot: Option<Snapshot<SObjectDescribe>>,
    object: &SObjectName,
) -> Result<Option<Snapshot<SObjectDescribe>>> {
    let is_it =
        |describe: &SObjectDescribe| describe.name.eq_ignore_ascii_case(object.as_str()) && !describe.fields.is_empty();
    if snapshot.as_ref().is_none_or(|snapshot| is_it(&snapshot.value)) {
        return Ok(snapshot);
    }
    Err(Error::new(ErrorKind::Decode, "describe", "the answer does not describe the object")
        .with_context("object", object))
}

fn sound_mappings(mappings: RecordTypeMappings, object: &SObjectName) -> Result<RecordTypeMappings> {
    // An object with layouts has the master type at least.
    if !mappings.record_type_mappings.is_empty() {
        return Ok(mappings);
    }
    Err(Error::new(ErrorKind::Decode, "describe.layouts", "the answer has no record types")
        .with_context("object", object))
}

fn sound_global(snapshot: Option<Snapshot<DescribeGlobal>>) -> Result<Option<Snapshot<DescribeGlobal>>> {
    if snapshot.as_ref().is_none_or(|snapshot| !snapshot.value.sobjects.is_empty()) {
        return Ok(snapshot);
    }
    Err(Error::new(ErrorKind::Decode, "describe.global", "the answer lists no objects"))
}

impl fmt::Debug for SchemaCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaCatalog").field("objects", &self.len()).finish_non_exhaustive()
    }
}
