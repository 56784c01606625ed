//! The records of a child subquery, which may be more than its first page.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::QueryCursor;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{ChildRecords, Record};

/// The records that a child subquery found under one parent, as a field of the parent's type.
///
/// Salesforce puts them into pages as it does those of a query, so that a parent with many children has only the first of them
/// (`{"totalSize", "done", "nextRecordsUrl", "records"}`, or null for none). A field of another type that looks at `records` alone takes
/// them for all there are; with this one they are whole, or known not to be.
///
/// ```no_run
/// use sforce::api::Children;
///
/// #[derive(serde::Deserialize)]
/// struct Contact {
///     #[serde(rename = "LastName")]
///     last_name: String,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Account {
///     #[serde(rename = "Contacts")]
///     contacts: Children<Contact>,
/// }
///
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// let mut accounts = client.query::<Account>("SELECT (SELECT LastName FROM Contacts) FROM Account");
/// while let Some(account) = accounts.try_next().await? {
///     for contact in account.contacts.all(&client).await? {
///         println!("{}", contact.last_name);
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// Source: REST API Developer Guide, "Query"; SOQL and SOSL Reference, "Relationship Queries".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Children<T> {
    /// Records of all pages together.
    pub total_size: u64,
    /// Those of the first page.
    pub records: Vec<T>,
    /// Where the next page is; `None` where these are all.
    pub next_records_url: Option<String>,
}

impl<T> Children<T> {
    /// Whether these are all, by what the answer says of them and by their number.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.next_records_url.is_none() && self.records.len() as u64 == self.total_size
    }

    /// Where the records go on, for [`Client::resume_query`]; `None` where these are all.
    #[must_use]
    pub fn cursor(&self) -> Option<QueryCursor> {
        Some(QueryCursor {
            next_records_url: self.next_records_url.clone()?,
            total_size: self.total_size,
            seen: self.records.len() as u64,
            last_id: None,
        })
    }

    /// All records, if they are here already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] where there are more than the first page.
    pub fn whole(self) -> Result<Vec<T>> {
        if self.is_whole() {
            return Ok(self.records);
        }
        Err(Error::new(ErrorKind::Invalid, "query", "only the first records of a child subquery are here")
            .with_advice("read the others by `Children::all`")
            .with_context("here", self.records.len())
            .with_context("of", self.total_size))
    }
}

impl<T: DeserializeOwned + Send + 'static> Children<T> {
    /// All records. Costs no API call where they are here already, and otherwise one for each further page. Memory holds them all.
    ///
    /// # Errors
    ///
    /// As for [`Client::resume_query`]; what is fewer or more than announced is no end.
    pub async fn all(self, client: &Client) -> Result<Vec<T>> {
        let Some(cursor) = self.cursor() else { return self.whole() };
        let mut records = self.records;
        records.append(&mut client.resume_query(cursor).collect().await?);
        Ok(records)
    }
}

impl From<ChildRecords> for Children<Record> {
    fn from(children: ChildRecords) -> Self {
        let ChildRecords { total_size, records, next_records_url } = children;
        Self { total_size, records, next_records_url }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Children<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Read(PhantomData))
    }
}

struct Read<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
    type Value = Children<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the records of a child subquery")
    }

    fn visit_none<E: de::Error>(self) -> Result<Children<T>, E> {
        Ok(Children { total_size: 0, records: Vec::new(), next_records_url: None })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Children<T>, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Children<T>, D::Error> {
        deserializer.deserialize_struct("Children", &["totalSize", "done", "nextRecordsUrl", "records"], self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Children<T>, A::Error> {
        let (mut total_size, mut done, mut next_records_url, mut records) = (None, None, None, None);
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match name.as_ref() {
                "totalSize" => total_size = Some(map.next_value::<u64>()?),
                "done" => done = Some(map.next_value::<bool>()?),
                "nextRecordsUrl" => next_records_url = map.next_value::<Option<String>>()?,
                "records" => records = Some(map.next_value::<Vec<T>>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = de::Error::missing_field;
        let records = records.ok_or_else(|| missing("records"))?;
        let last = next_records_url.is_none();
        let children =
            Children { total_size: total_size.ok_or_else(|| missing("totalSize"))?, records, next_records_url };
        let told = done.ok_or_else(|| missing("done"))? == last;
        if told && (children.is_whole() || !last && (children.records.len() as u64) < children.total_size) {
            return Ok(children);
        }
        Err(de::Error::custom("the records of a child subquery are not as many as announced"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Parent {
        #[serde(rename = "Contacts", default)]
        contacts: Children<u32>,
    }

    fn read(contacts: &str) -> serde_json::Result<Children<u32>> {
        serde_json::from_str::<Parent>(&format!(r#"{{"Contacts":{contacts}}}"#)).map(|parent| parent.contacts)
    }

    #[test]
    fn children_are_whole_or_known_not_to_be() {
        assert_eq!(read("null").expect("none").whole().expect("whole"), Vec::<u32>::new());
        let whole = read(r#"{"totalSize":2,"done":true,"records":[1,2]}"#).expect("reads");
        assert!(whole.is_whole() && whole.cursor().is_none());
        assert_eq!(whole.whole().expect("whole"), [1, 2]);
        let first = read(r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/x","records":[1,2]}"#).expect("reads");
        let cursor = first.cursor().expect("more");
        assert_eq!((cursor.next_records_url.as_str(), cursor.total_size, cursor.seen), ("/x", 3, 2));
        assert_eq!(first.whole().expect_err("one is missing").kind(), ErrorKind::Invalid);
    }

    #[test]
    fn children_that_contradict_themselves_are_refused() {
        for text in [
            r#"{"totalSize":3,"done":true,"records":[1,2]}"#,
            r#"{"totalSize":1,"done":true,"records":[1,2]}"#,
            r#"{"totalSize":2,"done":false,"records":[1,2]}"#,
            r#"{"totalSize":2,"done":false,"nextRecordsUrl":"/x","records":[1,2]}"#,
            r#"{"totalSize":3,"done":true,"nextRecordsUrl":"/x","records":[1,2]}"#,
            r#"{"totalSize":2,"records":[1,2]}"#,
            r#"{"totalSize":2,"done":true}"#,
            "[1,2]",
        ] {
            read(text).expect_err(text);
        }
    }
}
