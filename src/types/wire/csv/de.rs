//! Rows of texts to any type of serde's.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::text::flag;
use super::block::{Header, Row};
use crate::types::Decimal;
use crate::types::typed::{Misfit, RAW};

type Fit<T> = std::result::Result<T, Misfit>;

/// Where a field's value is.
#[derive(Clone, Copy, Debug)]
enum Source {
    Cell(usize),
    /// A parent: the columns below that node.
    Parent(usize),
    Missing,
}

/// Where the fields of one type are, below one node.
#[derive(Debug)]
struct Plan {
    /// The list of a type's field names is one constant of the program, so its address stands for the type.
    fields: (usize, usize),
    node: usize,
    sources: Vec<Source>,
    /// Whether all fields are there.
    complete: bool,
}

/// Reads rows; remembers where the fields of each type are.
pub(super) struct Decoder<'h> {
    header: &'h Header,
    plans: Vec<Plan>,
}

impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder({:?})", self.header)
    }
}

impl<'h> Decoder<'h> {
    pub(super) fn new(header: &'h Header) -> Self {
        Self { header, plans: Vec::new() }
    }

    #[inline]
    pub(super) fn row<'de, T: Deserialize<'de>>(&mut self, row: Row<'de>) -> Fit<T> {
        T::deserialize(Columns { decoder: self, row, node: 0 })
    }

    /// The place of the plan for a type below a node.
    #[inline]
    fn plan(&mut self, fields: &'static [&'static str], node: usize) -> usize {
        let key = (fields.as_ptr() as usize, fields.len());
        if let Some(place) = self.plans.iter().position(|plan| plan.fields == key && plan.node == node) {
            return place;
        }
        let sources: Vec<Source> = fields.iter().map(|name| self.source(node, name)).collect();
        let complete = sources.iter().all(|source| !matches!(source, Source::Missing));
        self.plans.push(Plan { fields: key, node, sources, complete });
        self.plans.len() - 1
    }

    /// A field is the column of its name, or, for a nested struct, what is below it.
    fn source(&self, node: usize, name: &str) -> Source {
        let header = self.header;
        let mut at = Some(node);
        for step in name.split('.') {
            at = at.and_then(|at| header.nodes[at].child(step));
        }
        match at {
            Some(at) => match header.nodes[at].cell {
                Some(column) if header.nodes[at].children.is_empty() => Source::Cell(column),
                _ => Source::Parent(at),
            },
            None => Source::Missing,
        }
    }
}

/// The columns of a row below a node, as a struct or map.
struct Columns<'d, 'h, 'de> {
    decoder: &'d mut Decoder<'h>,
    row: Row<'de>,
    node: usize,
}

impl Columns<'_, '_, '_> {
    fn is_null(&self) -> bool {
        self.decoder.header.nodes[self.node].below.iter().all(|column| self.row.get(*column).is_empty())
    }
}

impl<'de> Deserializer<'de> for Columns<'_, '_, 'de> {
    type Error = Misfit;

    /// By the full names of the columns.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        let header = self.row.header();
        let (row, prefix) = (self.row, self.decoder.header.nodes[self.node].below.first());
        let depth = if self.node == 0 { 0 } else { prefix.map_or(0, |column| depth_of(header, self.node, *column)) };
        let columns: Vec<(usize, &str)> = header
            .names()
            .enumerate()
            .filter(|(column, _)| self.node == 0 || self.decoder.header.nodes[self.node].below.contains(column))
            .map(|(column, name)| (column, name.splitn(depth + 1, '.').last().unwrap_or_default()))
            .collect();
        visitor.visit_map(Cells { row, rest: columns.into_iter(), current: None })
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Fit<V::Value> {
        let Self { decoder, row, node } = self;
        let place = decoder.plan(fields, node);
        let plan = &mut decoder.plans[place];
        let complete = plan.complete;
        // Nested structs need the decoder meanwhile, and never this plan.
        let sources = std::mem::take(&mut plan.sources);
        let read = if complete {
            let mut values = InOrder { decoder: &mut *decoder, row, fields, sources: &sources, next: 0 };
            let read = visitor.visit_seq(&mut values);
            // A type with aliases has more names than fields, and a type may want more than one form.
            if read.is_ok() && values.next != fields.len() {
                Err(Misfit::new("a type with aliases whose names are columns of their own"))
            } else {
                read
            }
        } else {
            visitor.visit_map(ByName { decoder: &mut *decoder, row, fields, sources: &sources, next: 0, current: None })
        };
        decoder.plans[place].sources = sources;
        read
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Fit<V::Value> {
        if name == RAW {
            return Err(Misfit::new("a row, expected a value"));
        }
        visitor.visit_newtype_struct(self)
    }

    /// The cells in order.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        let below = self.decoder.header.nodes[self.node].below.clone();
        let columns = if self.node == 0 { (0..self.row.header().len()).collect() } else { below };
        visitor.visit_seq(List { row: self.row, rest: columns.into_iter() })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Fit<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Fit<V::Value> {
        self.deserialize_seq(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map enum
        identifier ignored_any
    }
}

/// Steps from the row down to a node, on the path of a column below it.
fn depth_of(header: &Header, node: usize, column: usize) -> usize {
    let name = header.names().nth(column).unwrap_or_default();
    let mut at = 0;
    for (depth, step) in name.split('.').enumerate() {
        if at == node {
            return depth;
        }
        at = header.nodes[at].child(step).unwrap_or_default();
    }
    0
}

/// The value of a field.
#[inline]
fn value<'de, S: DeserializeSeed<'de>>(
    seed: S,
    decoder: &mut Decoder<'_>,
    row: Row<'de>,
    source: Source,
) -> Fit<S::Value> {
    match source {
        Source::Cell(column) => seed.deserialize(Cell(row.get(column))),
        Source::Parent(node) => seed.deserialize(Columns { decoder, row, node }),
        Source::Missing => Err(Misfit::new("a field without a column")),
    }
}

/// Fields in the type's own order, where all are there.
struct InOrder<'d, 'h, 'de> {
    decoder: &'d mut Decoder<'h>,
    row: Row<'de>,
    fields: &'static [&'static str],
    sources: &'d [Source],
    next: usize,
}

impl<'de> SeqAccess<'de> for &mut InOrder<'_, '_, 'de> {
    type Error = Misfit;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Fit<Option<S::Value>> {
        let Some(source) = self.sources.get(self.next) else { return Ok(None) };
        self.next += 1;
        match value(seed, self.decoder, self.row, *source) {
            Ok(value) => Ok(Some(value)),
            Err(misfit) => Err(misfit.inside(self.fields.get(self.next - 1).copied().unwrap_or_default())),
        }
    }
}

/// Fields by name, those that are there.
struct ByName<'d, 'h, 'de> {
    decoder: &'d mut Decoder<'h>,
    row: Row<'de>,
    fields: &'static [&'static str],
    sources: &'d [Source],
    next: usize,
    current: Option<(usize, Source)>,
}

impl<'de> MapAccess<'de> for ByName<'_, '_, 'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Fit<Option<K::Value>> {
        while let (Some(name), Some(source)) = (self.fields.get(self.next), self.sources.get(self.next)) {
            self.next += 1;
            if !matches!(source, Source::Missing) {
                self.current = Some((self.next - 1, *source));
                let name: StrDeserializer<'_, Misfit> = (*name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Fit<S::Value> {
        let (place, source) = self.current.take().ok_or_else(|| Misfit::new("a value without a key"))?;
        let name = self.fields.get(place).copied().unwrap_or_default();
        value(seed, self.decoder, self.row, source).map_err(|misfit| misfit.inside(name))
    }
}

/// Columns by name, with their cells.
struct Cells<'de> {
    row: Row<'de>,
    rest: std::vec::IntoIter<(usize, &'de str)>,
    current: Option<(usize, &'de str)>,
}

impl<'de> MapAccess<'de> for Cells<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Fit<Option<K::Value>> {
        self.current = self.rest.next();
        let Some((_, name)) = self.current else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::<Misfit>::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Fit<S::Value> {
        let (column, name) = self.current.take().ok_or_else(|| Misfit::new("a value without a key"))?;
        seed.deserialize(Cell(self.row.get(column))).map_err(|misfit| misfit.inside(name))
    }
}

struct List<'de> {
    row: Row<'de>,
    rest: std::vec::IntoIter<usize>,
}

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Fit<Option<S::Value>> {
        self.rest.next().map(|column| seed.deserialize(Cell(self.row.get(column)))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// One cell.
struct Cell<'de>(&'de str);

macro_rules! whole_numbers {
    ($($method:ident($type:ty) -> $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
            match self.0.parse::<$type>().ok().or_else(|| whole(self.0).and_then(|number| number.try_into().ok())) {
                Some(number) => visitor.$visit(number),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

/// A whole number that is written with a fraction or an exponent.
fn whole(text: &str) -> Option<i128> {
    let number = Decimal::parse(text).ok().filter(|number| number.is_whole())?;
    number.to_string().parse().ok()
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Misfit;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        if self.0.is_empty() { visitor.visit_unit() } else { visitor.visit_borrowed_str(self.0) }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        visitor.visit_borrowed_str(self.0)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        visitor.visit_borrowed_str(self.0)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        if self.0.is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        match flag(self.0) {
            Some(flag) => visitor.visit_bool(flag),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        match self.0.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => visitor.visit_f64(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        match self.0.parse::<f32>().ok().filter(|number| number.is_finite()) {
            Some(number) => visitor.visit_f32(number),
            None => self.deserialize_any(visitor),
        }
    }

    whole_numbers! {
        deserialize_i8(i8) -> visit_i8, deserialize_i16(i16) -> visit_i16, deserialize_i32(i32) -> visit_i32,
        deserialize_i64(i64) -> visit_i64, deserialize_i128(i128) -> visit_i128, deserialize_u8(u8) -> visit_u8,
        deserialize_u16(u16) -> visit_u16, deserialize_u32(u32) -> visit_u32, deserialize_u64(u64) -> visit_u64,
        deserialize_u128(u128) -> visit_u128
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Fit<V::Value> {
        if name != RAW {
            return visitor.visit_newtype_struct(self);
        }
        // Those who ask for JSON get a number as one, and an exact one so.
        let json = match self.0 {
            "" => "null".to_owned(),
            text if is_json_number(text) || matches!(text, "true" | "false") => text.to_owned(),
            text => serde_json::to_string(text).map_err(|_| Misfit::new("a text that is no JSON"))?,
        };
        visitor.visit_map(MapDeserializer::<_, Misfit>::new(std::iter::once((RAW, json))))
    }

    /// The chosen values of a multi-select picklist.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        visitor.visit_seq(Chosen(self.0.split(';')))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Fit<V::Value> {
        visitor.visit_enum(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Fit<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
    }
}

fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

impl<'de> EnumAccess<'de> for Cell<'de> {
    type Error = Misfit;
    type Variant = Unit;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Fit<(S::Value, Unit)> {
        Ok((seed.deserialize(BorrowedStrDeserializer::<Misfit>::new(self.0))?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Misfit;

    fn unit_variant(self) -> Fit<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Fit<S::Value> {
        Err(de::Error::custom("a text, expected a variant with data"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Fit<V::Value> {
        Err(de::Error::custom("a text, expected a variant with data"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Fit<V::Value> {
        Err(de::Error::custom("a text, expected a variant with data"))
    }
}

struct Chosen<'de>(std::str::Split<'de, char>);

impl<'de> SeqAccess<'de> for Chosen<'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Fit<Option<S::Value>> {
        let next = self.0.by_ref().map(str::trim).find(|chosen| !chosen.is_empty());
        next.map(|chosen| seed.deserialize(Cell(chosen))).transpose()
    }
}
