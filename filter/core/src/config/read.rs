//! A serde deserializer over a [`Tree`] that knows where it is.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{Path, Problem, nearest};
use super::tree::Tree;

/// Reads `tree` into `T`. Errors carry the path below `path` and, where one is near, a suggestion.
///
/// # Errors
/// The first value that does not fit the shape.
pub fn from_tree<'a, T: de::Deserialize<'a>>(tree: &'a Tree, path: &Path) -> Result<T, Problem> {
    T::deserialize(Node { tree, path: path.clone() }).map_err(|e| e.at(path))
}

/// An error on its way up: the innermost node that sees it gives it its path.
#[derive(Debug)]
struct Error {
    path: Option<Path>,
    message: String,
    help: Option<String>,
}

impl Error {
    fn at(self, path: &Path) -> Problem {
        Problem { path: self.path.unwrap_or_else(|| path.clone()), message: self.message, help: self.help }
    }

    fn placed(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.clone());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: None, message: message.to_string(), help: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self { path: None, message: format!("unknown key `{field}`"), help: suggestion(field, expected) }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self { path: None, message: format!("unknown value `{variant}`"), help: suggestion(variant, expected) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: None, message: format!("the key `{field}` is missing"), help: Some(format!("add `{field}`")) }
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

struct Node<'a> {
    tree: &'a Tree,
    path: Path,
}

impl<'de> de::Deserializer<'de> for Node<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Node { tree, path } = self;
        match tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(b) => visitor.visit_bool(*b),
            Tree::Integer(i) => visitor.visit_i64(*i),
            Tree::Float(f) => visitor.visit_f64(*f),
            Tree::String(s) => visitor.visit_borrowed_str(s),
            Tree::List(items) => visitor.visit_seq(Items { items, next: 0, path: path.clone() }),
            Tree::Map(entries) => visitor.visit_map(Entries { entries, value: None, path: path.clone() }),
        }
        .map_err(|e| e.placed(&path))
    }

    /// Envoy's YAML reader knows whole numbers only: `0.25` reaches the filter as the string `"0.25"`.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = match self.tree {
            Tree::String(s) if s.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => s.parse::<f64>().ok(),
            _ => None,
        };
        match number {
            Some(number) => visitor.visit_f64(number).map_err(|e: Error| e.placed(&self.path)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tree {
            Tree::String(_) => self.deserialize_any(visitor),
            other => Err(Error {
                message: format!("expected a string, found {}", other.kind()),
                help: matches!(other, Tree::Bool(_) | Tree::Integer(_) | Tree::Float(_))
                    .then(|| "put it in quotes (YAML reads `n`, `y`, `on`, `off` as booleans)".to_owned()),
                path: Some(self.path),
            }),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let path = self.path.clone();
        match self.tree {
            Tree::String(s) => visitor.visit_enum(s.as_str().into_deserializer()),
            Tree::Map(_) => {
                let _ = (name, variants);
                visitor.visit_enum(de::value::MapAccessDeserializer::new(match self.tree {
                    Tree::Map(entries) => Entries { entries, value: None, path: path.clone() },
                    _ => return Err(de::Error::custom("expected a mapping")),
                }))
            }
            other => Err(de::Error::custom(format!("expected one of {variants:?}, found {}", other.kind()))),
        }
        .map_err(|e: Error| e.placed(&path))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char bytes byte_buf
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'a> {
    items: &'a [Tree],
    next: usize,
    path: Path,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(tree) = self.items.get(self.next) else { return Ok(None) };
        let path = self.path.index(self.next);
        self.next += 1;
        seed.deserialize(Node { tree, path: path.clone() }).map(Some).map_err(|e| e.placed(&path))
    }
}

struct Entries<'a> {
    entries: &'a [(String, Tree)],
    value: Option<(&'a str, &'a Tree)>,
    path: Path,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(((key, value), rest)) = self.entries.split_first() else { return Ok(None) };
        self.entries = rest;
        self.value = Some((key, value));
        // An unknown key is reported at the key itself.
        let path = self.path.key(key);
        seed.deserialize(StrDeserializer::new(key)).map(Some).map_err(|e: Error| e.placed(&path))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, tree)) = self.value.take() else { return Err(de::Error::custom("a value without a key")) };
        let path = self.path.key(key);
        seed.deserialize(Node { tree, path: path.clone() }).map_err(|e| e.placed(&path))
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
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}\n got {error}\nwant {expected}");
        }
    }
}
