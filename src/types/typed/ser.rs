//! Any type of serde's to values.

use std::fmt;
use std::sync::Arc;

use serde::ser::{
    self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::value::RawValue;

use super::{Misfit, RAW};
use crate::types::record::FieldIndex;
use crate::types::value::from_raw;
use crate::types::{Decimal, Record, Value};

pub(super) fn to_record<T: Serialize + ?Sized>(value: &T) -> Result<Record, Misfit> {
    match value.serialize(Values)? {
        Value::Record(record) => Ok(record),
        _ => Err(Misfit::new("not a struct or map")),
    }
}

impl ser::Error for Misfit {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(words.to_string())
    }
}

/// Makes a [`Value`] of anything.
struct Values;

fn number(text: &str) -> Value {
    Decimal::parse(text).map_or_else(|_| Value::OutOfRange(text.to_owned()), Value::Number)
}

fn float(number: f64, shortest: &str) -> Result<Value, Misfit> {
    if number.is_finite() { Ok(self::number(shortest)) } else { Err(Misfit::new("no number: NaN or an infinity")) }
}

/// A nested record with one field.
fn nested(name: &'static str, value: Value) -> Value {
    Value::Record(Record::new().with(name, value))
}

impl Serializer for Values {
    type Ok = Value;
    type Error = Misfit;
    type SerializeSeq = Sequence;
    type SerializeTuple = Sequence;
    type SerializeTupleStruct = Sequence;
    type SerializeTupleVariant = Sequence;
    type SerializeMap = Fields;
    type SerializeStruct = Struct;
    type SerializeStructVariant = Fields;

    fn serialize_bool(self, flag: bool) -> Result<Value, Misfit> {
        Ok(Value::Bool(flag))
    }

    fn serialize_i8(self, number: i8) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_i64(self, number: i64) -> Result<Value, Misfit> {
        Ok(Value::Number(number.into()))
    }

    fn serialize_i128(self, number: i128) -> Result<Value, Misfit> {
        Ok(self::number(&number.to_string()))
    }

    fn serialize_u8(self, number: u8) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<Value, Misfit> {
        self.serialize_i64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Result<Value, Misfit> {
        Ok(self::number(&number.to_string()))
    }

    fn serialize_u128(self, number: u128) -> Result<Value, Misfit> {
        Ok(self::number(&number.to_string()))
    }

    fn serialize_f32(self, number: f32) -> Result<Value, Misfit> {
        // The shortest decimal of the short float, not of the long one nearest to it.
        float(number.into(), &number.to_string())
    }

    fn serialize_f64(self, number: f64) -> Result<Value, Misfit> {
        float(number, &number.to_string())
    }

    fn serialize_char(self, character: char) -> Result<Value, Misfit> {
        Ok(Value::Text(character.to_string()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Misfit> {
        Ok(Value::Text(text.to_owned()))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<Value, Misfit> {
        Ok(Value::Text(value.to_string()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Misfit> {
        Err(Misfit::new("bytes: encode them as text"))
    }

    fn serialize_none(self) -> Result<Value, Misfit> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Misfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Misfit> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Misfit> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Misfit> {
        Ok(Value::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, Misfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Misfit> {
        Ok(nested(variant, value.serialize(self).map_err(|misfit| misfit.inside(variant))?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Sequence, Misfit> {
        Ok(Sequence { variant: None, items: Vec::with_capacity(length.unwrap_or(0).min(1024)) })
    }

    fn serialize_tuple(self, length: usize) -> Result<Sequence, Misfit> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Sequence, Misfit> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Sequence, Misfit> {
        Ok(Sequence { variant: Some(variant), ..self.serialize_seq(Some(length))? })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Fields, Misfit> {
        Ok(Fields::new(length.unwrap_or(0), None))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Struct, Misfit> {
        Ok(if name == RAW { Struct::Raw(Value::Null) } else { Struct::Fields(Fields::new(length, None)) })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Fields, Misfit> {
        Ok(Fields::new(length, Some(variant)))
    }
}

struct Sequence {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl Sequence {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.items.push(value.serialize(Values)?);
        Ok(())
    }

    fn done(self) -> Value {
        let list = Value::List(self.items);
        match self.variant {
            Some(variant) => nested(variant, list),
            None => list,
        }
    }
}

impl SerializeSeq for Sequence {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(self.done())
    }
}

impl SerializeTuple for Sequence {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(self.done())
    }
}

impl SerializeTupleStruct for Sequence {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(self.done())
    }
}

impl SerializeTupleVariant for Sequence {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(self.done())
    }
}

/// The fields of a struct or map.
struct Fields {
    variant: Option<&'static str>,
    record: Record,
    key: Option<Arc<str>>,
}

impl Fields {
    fn new(length: usize, variant: Option<&'static str>) -> Self {
        Self { variant, record: Record::with_capacity(length.min(1024)), key: None }
    }

    fn put<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Misfit> {
        let value = value.serialize(Values).map_err(|misfit| misfit.inside(name))?;
        // The fields of a struct have one name each; only a flattened map could repeat one, and goes the other way.
        self.record.push(name.into(), value);
        Ok(())
    }

    fn done(self) -> Value {
        let record = Value::Record(self.record);
        match self.variant {
            Some(variant) => nested(variant, record),
            None => record,
        }
    }
}

impl SerializeMap for Fields {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Misfit> {
        self.key = Some(key.serialize(Keys)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Misfit> {
        let name = self.key.take().ok_or_else(|| Misfit::new("a value without a key"))?;
        let value = value.serialize(Values).map_err(|misfit| misfit.inside(&name))?;
        self.record.push(name, value);
        Ok(())
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(Value::Record(last_of_each(self.record)))
    }
}

/// The record with one field of each name, the last one, as JSON is read.
fn last_of_each(record: Record) -> Record {
    let mut index = FieldIndex::new(&record);
    let doubled = record.iter().enumerate().any(|(place, (name, _))| index.place(name) != Some(place));
    if !doubled {
        return record;
    }
    let mut single = Record::with_capacity(record.len());
    for (name, value) in record.entries() {
        single.set(Arc::clone(name), value.clone());
    }
    single
}

impl SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Misfit> {
        self.put(name, value)
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(self.done())
    }
}

/// A struct, or the text of a JSON value in the guise of one.
enum Struct {
    Fields(Fields),
    Raw(Value),
}

impl SerializeStruct for Struct {
    type Ok = Value;
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Misfit> {
        match self {
            Self::Fields(fields) => fields.put(name, value),
            Self::Raw(read) => {
                let Value::Text(text) = value.serialize(Values)? else {
                    return Err(Misfit::new("raw JSON that is no text"));
                };
                let raw = RawValue::from_string(text).map_err(|_| Misfit::new("raw JSON that is none"))?;
                *read = from_raw(&raw, 0).map_err(|_| Misfit::new("raw JSON that no record holds"))?;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Value, Misfit> {
        Ok(match self {
            Self::Fields(fields) => fields.done(),
            Self::Raw(value) => value,
        })
    }
}

/// Makes a name of a map's key: a text, or what JSON would write as one.
struct Keys;

macro_rules! keys {
    ($($method:ident($type:ty)),*) => {$(
        fn $method(self, key: $type) -> Result<Arc<str>, Misfit> {
            Ok(key.to_string().into())
        }
    )*};
}

macro_rules! no_keys {
    ($($method:ident($($argument:ty),*) -> $ok:ty),*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$ok, Misfit> {
            Err(no_key())
        }
    )*};
}

fn no_key() -> Misfit {
    Misfit::new("a key that is no text")
}

impl Serializer for Keys {
    type Ok = Arc<str>;
    type Error = Misfit;
    type SerializeSeq = Impossible<Arc<str>, Misfit>;
    type SerializeTuple = Impossible<Arc<str>, Misfit>;
    type SerializeTupleStruct = Impossible<Arc<str>, Misfit>;
    type SerializeTupleVariant = Impossible<Arc<str>, Misfit>;
    type SerializeMap = Impossible<Arc<str>, Misfit>;
    type SerializeStruct = Impossible<Arc<str>, Misfit>;
    type SerializeStructVariant = Impossible<Arc<str>, Misfit>;

    keys! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_u128(u128), serialize_char(char), serialize_str(&str)
    }

    no_keys! {
        serialize_f32(f32) -> Arc<str>, serialize_f64(f64) -> Arc<str>, serialize_bytes(&[u8]) -> Arc<str>,
        serialize_none() -> Arc<str>, serialize_unit() -> Arc<str>, serialize_unit_struct(&'static str) -> Arc<str>,
        serialize_seq(Option<usize>) -> Self::SerializeSeq, serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Arc<str>, Misfit> {
        Err(no_key())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Arc<str>, Misfit> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, key: &T) -> Result<Arc<str>, Misfit> {
        key.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Arc<str>, Misfit> {
        Err(no_key())
    }
}
