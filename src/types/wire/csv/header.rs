//! The columns of a file to load: given, or those of its first row.

use std::collections::HashSet;
use std::str::FromStr as _;

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::write::Key;
use super::{Column, MAX_COLUMNS, MAX_HEADER_CHARS};
use crate::error::{Error, ErrorKind, Result};
use crate::types::typed::{Misfit, RAW};

type Fit<T> = std::result::Result<T, Misfit>;

/// A column as rows look for it.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// As the file names it.
    pub(super) header: String,
    pub(super) parent: Option<ParentSpec>,
}

#[derive(Clone, Debug)]
pub(super) struct ParentSpec {
    pub(super) object: Option<String>,
    pub(super) relationship: String,
    pub(super) field: String,
}

/// The columns as rows look for them.
pub(super) fn specs(columns: &[Column]) -> Result<Vec<Spec>> {
    let invalid = |message: &'static str| Error::new(ErrorKind::Invalid, "record", message);
    if columns.is_empty() {
        return Err(invalid("a file without columns"));
    }
    if columns.len() > MAX_COLUMNS {
        return Err(invalid("a file of more than 5,000 columns"));
    }
    let specs: Vec<Spec> = columns.iter().map(spec).collect();
    if specs.iter().map(|spec| spec.header.len() + 1).sum::<usize>() > MAX_HEADER_CHARS {
        return Err(invalid("a header of more than 32,000 characters"));
    }
    let mut seen = HashSet::with_capacity(specs.len());
    // Salesforce ignores the case of names.
    if let Some(doubled) = specs.iter().find(|spec| !seen.insert(spec.header.to_ascii_lowercase())) {
        return Err(invalid("a column that occurs twice").with_context("field", &doubled.header));
    }
    Ok(specs)
}

fn spec(column: &Column) -> Spec {
    let parent = match column {
        Column::Field(_) => None,
        Column::Parent { object, relationship, field } => Some(ParentSpec {
            object: object.as_ref().map(|object| object.as_str().to_owned()),
            relationship: relationship.as_str().to_owned(),
            field: field.as_str().to_owned(),
        }),
    };
    Spec { header: column.to_string(), parent }
}

/// The columns of a row: its fields in order, skipped ones too, and those of its parents.
pub(super) fn columns_of<T: Serialize + ?Sized>(row: &T) -> Fit<Vec<Column>> {
    let mut found = Found::default();
    row.serialize(Probe { found: &mut found, parent: None })?;
    if !found.nested {
        return Err(Misfit::new("not a struct or map"));
    }
    let column = |name: &String| {
        Column::from_str(name).map_err(|_| Misfit::new("not the API name of a field or of a parent's key").inside(name))
    };
    found.names.iter().map(column).collect()
}

/// The object's name in `attributes`.
pub(super) fn object_of<T: Serialize + ?Sized>(attributes: &T) -> Fit<Option<String>> {
    let mut found = Found { object: Some(String::new()), ..Found::default() };
    attributes.serialize(Probe { found: &mut found, parent: None })?;
    Ok(found.object.filter(|object| !object.is_empty()))
}

#[derive(Default)]
struct Found {
    names: Vec<String>,
    /// Whether there was a struct or map at all.
    nested: bool,
    /// Where it is asked for: the text of `type`.
    object: Option<String>,
}

/// Looks at a value: a struct or map tells its names, all else is a cell.
struct Probe<'a> {
    found: &'a mut Found,
    /// The relationship that the value stands in.
    parent: Option<&'a str>,
}

struct Names<'a> {
    found: Option<&'a mut Found>,
    parent: Option<&'a str>,
    object: Option<String>,
    key: String,
}

impl Names<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: Option<&T>) -> Fit<()> {
        let Some(found) = self.found.as_deref_mut() else { return Ok(()) };
        if let Some(object) = &mut found.object {
            if name == "type"
                && let Some(value) = value
            {
                value.serialize(Key(object))?;
            }
            return Ok(());
        }
        if name == "attributes" {
            self.object = value.map(object_of).transpose()?.flatten();
            return Ok(());
        }
        if let Some(parent) = self.parent {
            let object = self.object.as_ref().map(|object| format!("{object}:")).unwrap_or_default();
            found.names.push(format!("{object}{parent}.{name}"));
            return Ok(());
        }
        let Some(value) = value else {
            found.names.push(name.to_owned());
            return Ok(());
        };
        let mut inner = Found::default();
        value.serialize(Probe { found: &mut inner, parent: Some(name) }).map_err(|misfit| misfit.inside(name))?;
        if inner.nested {
            found.names.append(&mut inner.names);
        } else {
            found.names.push(name.to_owned());
        }
        Ok(())
    }
}

impl SerializeStruct for Names<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Fit<()> {
        self.field(name, Some(value))
    }

    fn skip_field(&mut self, name: &'static str) -> Fit<()> {
        self.field(name, None::<&()>)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

impl SerializeMap for Names<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Fit<()> {
        self.key.clear();
        key.serialize(Key(&mut self.key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Fit<()> {
        let name = std::mem::take(&mut self.key);
        self.field(&name, Some(value))
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

macro_rules! a_cell {
    ($($method:ident($($argument:ty),*)),* $(,)?) => {$(
        fn $method(self, $(_: $argument),*) -> Fit<()> {
            Ok(())
        }
    )*};
}

macro_rules! no_cell {
    ($($method:ident($($argument:ty),*) -> $ok:ty),* $(,)?) => {$(
        fn $method(self, $(_: $argument),*) -> Fit<$ok> {
            Err(Misfit::new("a list or a variant with data: join it to one text"))
        }
    )*};
}

impl<'a> Serializer for Probe<'a> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Impossible<(), Misfit>;
    type SerializeTuple = Impossible<(), Misfit>;
    type SerializeTupleStruct = Impossible<(), Misfit>;
    type SerializeTupleVariant = Impossible<(), Misfit>;
    type SerializeMap = Names<'a>;
    type SerializeStruct = Names<'a>;
    type SerializeStructVariant = Impossible<(), Misfit>;

    fn serialize_map(self, _: Option<usize>) -> Fit<Names<'a>> {
        self.found.nested = true;
        Ok(Names { found: Some(self.found), parent: self.parent, object: None, key: String::new() })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Fit<Names<'a>> {
        let found = if name == RAW { None } else { Some(self.found) };
        let mut names = Names { found, parent: self.parent, object: None, key: String::new() };
        if let Some(found) = names.found.as_deref_mut() {
            found.nested = true;
        }
        Ok(names)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Fit<()> {
        Err(Misfit::new("a variant with data"))
    }

    a_cell! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
        serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]),
        serialize_none(), serialize_unit(), serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str),
    }

    no_cell! {
        serialize_seq(Option<usize>) -> Self::SerializeSeq, serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    }
}
