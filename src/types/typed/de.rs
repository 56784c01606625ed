//! Values to any type of serde's.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Misfit, RAW};
use crate::types::{ChildRecords, Decimal, Record, Value};

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(words.to_string())
    }

    // These would quote the value.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("{}, expected {expected}", kind_of(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("another {}, expected {expected}", kind_of(unexpected)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("another text, expected one of {}", expected.join(", ")))
    }
}

fn kind_of(unexpected: Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a flag",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a text",
        Unexpected::Option | Unexpected::Unit => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "a value of another kind",
    }
}

/// A record as a map.
pub(super) struct Fields<'r>(pub(super) &'r Record);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(Entries { rest: self.0.entries().iter(), current: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        if name == RAW { raw(self.0, visitor) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.entries() {
            [(name, value)] => visitor.visit_enum(Variant { name, value: Some(value) }),
            _ => Err(Misfit::new("an object of other than one member, expected a variant")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// Hands a value over as the JSON text that it is written as.
fn raw<'de, T: serde::Serialize, V: Visitor<'de>>(value: &T, visitor: V) -> Result<V::Value, Misfit> {
    let text = serde_json::to_string(value).map_err(|_| Misfit::new("a value that is no JSON"))?;
    visitor.visit_map(MapDeserializer::<_, Misfit>::new(std::iter::once((RAW, text))))
}

struct Entries<'r> {
    rest: std::slice::Iter<'r, (Arc<str>, Value)>,
    current: Option<&'r (Arc<str>, Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.rest.next();
        let Some((name, _)) = self.current else { return Ok(None) };
        let name: StrDeserializer<'_, Misfit> = (**name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let Some((name, value)) = self.current.take() else { return Err(Misfit::new("a value without a key")) };
        seed.deserialize(One(value)).map_err(|misfit| misfit.inside(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// One value.
struct One<'r>(&'r Value);

impl<'de> Deserializer<'de> for One<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => visit_number(*number, visitor),
            Value::OutOfRange(_) => Err(Misfit::new("a number of more than 28 digits")),
            Value::Text(text) => visitor.visit_str(text),
            Value::DateTime(moment) => visitor.visit_string(moment.to_string()),
            Value::Date(day) => visitor.visit_string(day.to_string()),
            Value::Id(id) => visitor.visit_str(id.as_str()),
            Value::MultiSelect(chosen) => visitor.visit_string(chosen.join(";")),
            Value::Record(record) => Fields(record).deserialize_any(visitor),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Children(children) if !children.is_whole() => {
                Err(Misfit::new("only the first records of a child subquery: read them as `Children`"))
            }
            Value::Children(children) => visitor.visit_seq(Rows(children.records.iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if *self.0 == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        if name == RAW { raw(self.0, visitor) } else { visitor.visit_newtype_struct(self) }
    }

    /// A parent, or a child list with all that the answer says of it.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Children(children) => visitor.visit_map(Page { children, member: 0 }),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A list, also of the chosen values of a multi-select picklist.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::MultiSelect(chosen) => {
                let items: Vec<Value> = chosen.iter().map(|text| Value::from(text.as_str())).collect();
                visitor.visit_seq(Items(items.iter()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// The nearest float, for those who ask for one.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Number(number) => visitor.visit_f64(number.to_f64()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match whole(self.0) {
            Some(number) => visitor.visit_i128(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match whole(self.0).and_then(|number| u128::try_from(number).ok()) {
            Some(number) => visitor.visit_u128(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(Variant { name: text, value: None }),
            Value::Record(record) => Fields(record).deserialize_enum(name, variants, visitor),
            _ => Err(Misfit::new("a value of another kind, expected a variant")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map
        identifier ignored_any
    }
}

/// A child list as the answer has it.
struct Page<'r> {
    children: &'r ChildRecords,
    member: usize,
}

impl<'de> MapAccess<'de> for Page<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let name = ["totalSize", "done", "nextRecordsUrl", "records"].get(self.member).copied();
        self.member += 1;
        name.map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let next = self.children.next_records_url.as_deref();
        match self.member {
            1 => seed.deserialize(self.children.total_size.into_deserializer()),
            2 => seed.deserialize(next.is_none().into_deserializer()),
            3 => seed.deserialize(One(&next.map_or(Value::Null, Value::from))),
            _ => seed.deserialize(SeqAccessDeserializer::new(Rows(self.children.records.iter()))),
        }
    }
}

fn whole(value: &Value) -> Option<i128> {
    value.as_number().filter(|number| number.is_whole()).and_then(|number| number.to_string().parse().ok())
}

/// A number for those who take any: whole ones whole, others as a float if that is exactly what it reads as.
fn visit_number<'de, V: Visitor<'de>>(number: Decimal, visitor: V) -> Result<V::Value, Misfit> {
    if let Some(number) = number.to_i64() {
        return visitor.visit_i64(number);
    }
    let text = number.to_string();
    if let Ok(number) = text.parse::<u64>() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse::<i128>() {
        return visitor.visit_i128(number);
    }
    let float = number.to_f64();
    if Decimal::parse(&float.to_string()).ok() == Some(number) {
        visitor.visit_f64(float)
    } else {
        Err(Misfit::new("a number that a float would round"))
    }
}

struct Items<'r>(std::slice::Iter<'r, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|value| seed.deserialize(One(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Rows<'r>(std::slice::Iter<'r, Record>);

impl<'de> SeqAccess<'de> for Rows<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|record| seed.deserialize(Fields(record))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Variant<'r> {
    name: &'r str,
    value: Option<&'r Value>,
}

impl<'r> Variant<'r> {
    fn data(&self) -> Result<One<'r>, Misfit> {
        self.value.map(One).ok_or_else(|| Misfit::new("a variant without its data"))
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Misfit> {
        let name: StrDeserializer<'_, Misfit> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Misfit::new("a variant with data it does not have")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.data()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.data()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        self.data()?.deserialize_any(visitor)
    }
}
