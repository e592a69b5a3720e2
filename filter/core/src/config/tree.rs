//! A configuration document as a tree, whatever it was written in.

use std::fmt;

use serde::de::{self, Deserialize, MapAccess, SeqAccess, Visitor};

use super::problem::{Path, Problem};

/// A document's value. Mappings keep their order and hold each key once.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number. A protobuf Struct knows only these.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The value under `key`, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Tree::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// What this is, in the words of an error message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Tree::Null => "nothing",
            Tree::Bool(_) => "a boolean",
            Tree::Integer(_) | Tree::Float(_) => "a number",
            Tree::String(_) => "a string",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }
}

/// Reads JSON text. A repeated key is an error, as is anything after the document.
///
/// # Errors
/// The first syntax error, with line and column.
pub fn tree_from_json(text: &str) -> Result<Tree, Problem> {
    serde_json::from_str(text).map_err(|e| {
        Problem::new(Path::root(), format!("not valid JSON: {e}"))
            .help("the filter reads JSON text or a native YAML mapping (google.protobuf.Struct)")
    })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Tree, E> {
        Ok(i64::try_from(v).map_or(Tree::Float(v as f64), Tree::Integer))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Tree, E> {
        Ok(Tree::from(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Tree, E> {
        Ok(Tree::String(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Tree>()? {
            if entries.iter().any(|(k, _)| *k == key) {
                return Err(de::Error::custom(format!("the key `{key}` is there twice")));
            }
            entries.push((key, value));
        }
        Ok(Tree::Map(entries))
    }
}

impl From<f64> for Tree {
    /// Whole numbers become integers: a protobuf Struct writes `60` as a double.
    fn from(v: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if v.fract() == 0.0 && v.abs() <= EXACT { Tree::Integer(v as i64) } else { Tree::Float(v) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_order_and_refuses_repeats() {
        let tree = tree_from_json(r#"{"b":1,"a":[true,null,2.5]}"#).unwrap();
        assert_eq!(
            tree,
            Tree::Map(vec![
                ("b".into(), Tree::Integer(1)),
                ("a".into(), Tree::List(vec![Tree::Bool(true), Tree::Null, Tree::Float(2.5)])),
            ])
        );
        let problem = tree_from_json(r#"{"a":1,"a":2}"#).unwrap_err();
        assert!(problem.message.contains("`a` is there twice"), "{problem}");
        assert!(tree_from_json("{} {}").is_err());
    }
}
