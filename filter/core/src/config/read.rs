//! A serde deserializer over a [`Tree`] that knows where it is.
//!
//! Serde's derived readers are instantiated for every shape, so whatever does not depend on the shape (the path,
//! errors, what a value is) is in functions of its own here, and a shape gets the one visitor method that fits it
//! rather than a choice of all. That keeps a shape at about a third of its usual size in the module.
//!
//! What it does not do: a struct given as a list, an enum with fields.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use super::problem::{Path, Problem, nearest};
use super::tree::Tree;

/// The name of a newtype struct whose visitor takes the items of a list, or one item that stands for a list.
pub(super) const ONE_OR_MANY: &str = "$one_or_many";

/// Reads `tree` into `T`. Errors carry the path below `path` and, where one is near, a suggestion.
///
/// # Errors
/// The first value that does not fit the shape.
pub fn from_tree<'a, T: de::Deserialize<'a>>(tree: &'a Tree, path: &Path) -> Result<T, Problem> {
    let way = Way::Root(path);
    T::deserialize(Node { tree, way: &way }).map_err(|e| e.into_problem(path))
}

/// The way to a value, on the stack of its readers: it becomes a [`Path`] only where there is a mistake.
#[derive(Clone, Copy)]
enum Way<'a> {
    Root(&'a Path),
    Key(&'a Way<'a>, &'a str),
    Index(&'a Way<'a>, usize),
}

impl Way<'_> {
    fn path(&self) -> Path {
        match self {
            Way::Root(path) => (*path).clone(),
            Way::Key(above, key) => above.path().key(key),
            Way::Index(above, index) => above.path().index(*index),
        }
    }
}

/// An error on its way up: the innermost node that sees it gives it its path. Boxed, since every reader's result
/// has room for one.
#[derive(Debug)]
struct Error(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    path: Option<Path>,
    message: String,
    help: Option<String>,
}

impl Error {
    #[cold]
    fn new(message: String, help: Option<String>) -> Self {
        Self(Box::new(Mistake { path: None, message, help }))
    }

    #[cold]
    #[inline(never)]
    fn into_problem(self, path: &Path) -> Problem {
        let Mistake { path: at, message, help } = *self.0;
        Problem { path: at.unwrap_or_else(|| path.clone()), message, help }
    }

    #[cold]
    #[inline(never)]
    fn placed(mut self, way: &Way<'_>) -> Self {
        self.0.path.get_or_insert_with(|| way.path());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    #[cold]
    #[inline(never)]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string(), None)
    }

    #[cold]
    #[inline(never)]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("invalid value: {unexpected}, expected {expected}"), None)
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("invalid type: {unexpected}, expected {expected}"), None)
    }

    #[cold]
    #[inline(never)]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown key `{field}`"), suggestion(field, expected))
    }

    #[cold]
    #[inline(never)]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown value `{variant}`"), suggestion(variant, expected))
    }

    #[cold]
    #[inline(never)]
    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"), Some(format!("add `{field}`")))
    }

    /// Not in a [`Tree`], which holds each key once.
    #[cold]
    #[inline(never)]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is there twice"), None)
    }
}

fn suggestion(word: &str, expected: &'static [&'static str]) -> Option<String> {
    let list = || expected.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", ");
    match nearest(word, expected.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if expected.is_empty() => None,
        None => Some(format!("known here: {}", list())),
    }
}

/// A value and the way to it.
#[derive(Clone, Copy)]
struct Node<'w, 'de> {
    tree: &'de Tree,
    way: &'w Way<'w>,
}

impl<'w, 'de> Node<'w, 'de> {
    #[cold]
    #[inline(never)]
    fn mismatch(self, expected: &dyn Expected) -> Error {
        let unexpected = match self.tree {
            Tree::Null => Unexpected::Unit,
            Tree::Bool(b) => Unexpected::Bool(*b),
            Tree::Integer(i) => Unexpected::Signed(*i),
            Tree::Float(f) => Unexpected::Float(*f),
            Tree::String(s) => Unexpected::Str(s),
            Tree::List(_) => Unexpected::Seq,
            Tree::Map(_) => Unexpected::Map,
        };
        de::Error::invalid_type(unexpected, expected)
    }

    #[cold]
    #[inline(never)]
    fn no_string(self) -> Error {
        Error::new(
            format!("expected a string, found {}", self.tree.kind()),
            matches!(self.tree, Tree::Bool(_) | Tree::Integer(_) | Tree::Float(_))
                .then(|| "put it in quotes (YAML reads `n`, `y`, `on`, `off` as booleans)".to_owned()),
        )
    }

    #[cold]
    #[inline(never)]
    fn no_variant(self, variants: &'static [&'static str]) -> Error {
        Error::new(format!("expected one of {variants:?}, found {}", self.tree.kind()), None)
    }

    /// Envoy's YAML reader knows whole numbers only: `0.25` reaches the filter as the string `"0.25"`.
    #[inline(never)]
    fn number_in_text(self) -> Option<f64> {
        match self.tree {
            // As JSON, in which the same number could stand: the standard library's reader brings 16 KB of its own.
            Tree::String(s) if s.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => serde_json::from_str(s).ok(),
            _ => None,
        }
    }

    fn items(self) -> Option<Items<'w, 'de>> {
        match self.tree {
            Tree::List(items) => Some(Items { items, next: 0, way: self.way, alone: false }),
            _ => None,
        }
    }

    fn entries(self) -> Option<Entries<'w, 'de>> {
        match self.tree {
            Tree::Map(entries) => Some(Entries { entries, value: None, way: self.way }),
            _ => None,
        }
    }
}

impl<'de> de::Deserializer<'de> for Node<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(b) => visitor.visit_bool(*b),
            Tree::Integer(i) => visitor.visit_i64(*i),
            Tree::Float(f) => visitor.visit_f64(*f),
            Tree::String(s) => visitor.visit_borrowed_str(s),
            Tree::List(_) => self.deserialize_seq(visitor),
            Tree::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Bool(b) => visitor.visit_bool(*b),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Integer(i) => visitor.visit_i64(*i),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Integer(i) => visitor.visit_i64(*i),
            Tree::Float(f) => visitor.visit_f64(*f),
            _ => match self.number_in_text() {
                Some(number) => visitor.visit_f64(number),
                None => Err(self.mismatch(&visitor)),
            },
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::String(s) => visitor.visit_borrowed_str(s),
            _ => Err(self.no_string()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.items() {
            Some(items) => visitor.visit_seq(items),
            None => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.entries() {
            Some(entries) => visitor.visit_map(entries),
            None => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.tree {
            Tree::String(s) => visitor.visit_enum(s.as_str().into_deserializer()),
            _ => Err(self.no_variant(variants)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            _ if name != ONE_OR_MANY => visitor.visit_newtype_struct(self),
            Tree::List(_) => self.deserialize_seq(visitor),
            Tree::String(_) | Tree::Map(_) => {
                let items = std::slice::from_ref(self.tree);
                visitor.visit_seq(Items { items, next: 0, way: self.way, alone: true })
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 char bytes byte_buf
        unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'w, 'de> {
    items: &'de [Tree],
    next: usize,
    way: &'w Way<'w>,
    /// The item stands for the list: it has no index.
    alone: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline(never)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(tree) = self.items.get(self.next) else { return Ok(None) };
        let way = if self.alone { *self.way } else { Way::Index(self.way, self.next) };
        self.next += 1;
        match seed.deserialize(Node { tree, way: &way }) {
            Ok(value) => Ok(Some(value)),
            Err(e) => Err(e.placed(&way)),
        }
    }
}

struct Entries<'w, 'de> {
    entries: &'de [(String, Tree)],
    value: Option<(&'de str, &'de Tree)>,
    way: &'w Way<'w>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(((key, value), rest)) = self.entries.split_first() else { return Ok(None) };
        self.entries = rest;
        self.value = Some((key, value));
        match seed.deserialize(StrDeserializer::new(key)) {
            Ok(key) => Ok(Some(key)),
            // An unknown key is reported at the key itself.
            Err(e) => Err(Error::placed(e, &Way::Key(self.way, key))),
        }
    }

    #[inline(never)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, tree)) = self.value.take() else { return Err(de::Error::custom("a value without a key")) };
        let way = Way::Key(self.way, key);
        seed.deserialize(Node { tree, way: &way }).map_err(|e| e.placed(&way))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Duration, OneOrMany, SecretRef, tree_from_json};
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        window: Option<Duration>,
        #[serde(default)]
        models: OneOrMany<String>,
        #[serde(default)]
        mode: Option<Mode>,
        #[serde(default)]
        key: Option<SecretRef>,
        #[serde(default)]
        nested: BTreeMap<String, Vec<Sample>>,
        #[serde(default)]
        score: Option<f32>,
        #[serde(default)]
        count: u16,
        #[serde(default)]
        either: OneOrMany<Sample>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Enforce,
        Observe,
    }

    fn read(json: &str) -> Result<Sample, String> {
        from_tree(&tree_from_json(json).unwrap(), &Path::root()).map_err(|p| p.to_string())
    }

    #[test]
    fn reads_the_shapes() {
        let sample =
            read(r#"{"name":"a","window":"5m","models":"gpt","mode":"observe","nested":{"x":[{"name":"b"}]}}"#)
                .unwrap();
        assert_eq!(sample.window, Some(Duration::from_secs(300)));
        assert_eq!(sample.models.0, ["gpt"]);
        assert_eq!(sample.mode, Some(Mode::Observe));
        assert_eq!(sample.nested["x"][0].name, "b");
        assert_eq!(read(r#"{"name":"a","score":"0.25"}"#).unwrap().score, Some(0.25));
        assert_eq!(read(r#"{"name":"a","score":2}"#).unwrap().score, Some(2.0));
        assert!(read(r#"{"name":"a","score":"nan"}"#).is_err());
        let either = read(r#"{"name":"a","either":{"name":"b"}}"#).unwrap().either.0;
        assert_eq!(either.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        for (json, expected) in [
            (r#"{"nmae":"a"}"#, "nmae: unknown key `nmae` (help: did you mean `name`?)"),
            (r#"{"name":true}"#, "name: expected a string, found a boolean (help: put it in quotes"),
            (r#"{"window":"5m"}"#, "document: the key `name` is missing"),
            (r#"{"name":"a","nested":{"x":[{"name":"b"},{"name":3}]}}"#, "nested.x[1].name: expected a string"),
            (r#"{"name":"a","mode":"enforced"}"#, "mode: unknown value `enforced` (help: did you mean `enforce`?)"),
            (r#"{"name":"a","window":"5 minutes"}"#, "window: invalid value: string \"5 minutes\""),
            (r#"{"name":"a","key":"hunter2"}"#, "key: a secret is given by reference, `{env: NAME}`, never inline"),
            (r#"{"name":"a","key":{"evn":"X"}}"#, "key.evn: unknown key `evn` (help: did you mean `env`?)"),
            (r#"{"name":"a","models":[1]}"#, "models[0]: expected a string, found a number"),
            (r#"{"name":"a","models":[]}"#, "models: an empty list, expected a value; leave the key out"),
            (r#"{"name":"a","models":{}}"#, "models: expected a string, found a mapping"),
            (r#"{"name":"a","models":1}"#, "models: invalid type: integer `1`, expected a value or a list of values"),
            (
                r#"{"name":"a","mode":{"enforce":null}}"#,
                "mode: expected one of [\"enforce\", \"observe\"], found a mapping",
            ),
            (r#"{"name":"a","count":0.5}"#, "count: invalid type: floating point `0.5`, expected u16"),
            (r#"{"name":"a","count":65536}"#, "count: invalid value: integer `65536`, expected u16"),
            (r#"{"name":"a","score":"much"}"#, "score: invalid type: string \"much\", expected f32"),
            (r#"{"name":"a","either":{"nmae":"b"}}"#, "either.nmae: unknown key `nmae`"),
            (r#"{"name":"a","either":[{"name":"b"},{}]}"#, "either[1]: the key `name` is missing"),
            // The derived readers would take the fields in order.
            (r#"["a"]"#, "document: invalid type: sequence, expected struct Sample"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}\n got {error}\nwant {expected}");
        }
    }
}
