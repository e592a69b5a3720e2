//! Request metadata as JSON text.
//!
//! Metadata is a protobuf Struct, and Envoy hands a filter no Struct: a property that is a map or a list comes as
//! serialised pairs without types (the number 5 and an eight-byte string look alike), and not at all where a null is
//! anywhere inside. But Envoy evaluates expressions (CEL) over it, and so the value is asked for as an expression that
//! says the type of everything in it: `["s", "text"]`, `["d", 5.0]`, `["b", true]`, `["n"]`, `["l", [..]]`,
//! `["m", [["key", ..], ..]]`. It goes a few levels deep; what lies deeper is `["+"]`, and asked for by itself.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use crate::abi::calls;
use crate::pairs;

/// Levels of lists and maps that one expression goes down. Envoy's parser refuses a third.
const LEVELS: usize = 2;

/// Expressions that one value may take.
const MOST_ASKED: usize = 64;

/// Expressions kept compiled for a root context. What is asked for beyond is compiled each time.
const MOST_KEPT: usize = 64;

/// Expressions that Envoy has compiled for a root context: its tokens by their text.
#[derive(Debug, Default)]
pub struct Expressions(HashMap<String, Vec<u8>>);

/// The value of `key` in `namespace`: text as it is, anything else as JSON. Nothing where it is absent or cannot be read whole.
pub fn read(namespace: &str, key: &str, expressions: &mut Expressions) -> Option<String> {
    let place = Place::root().key(namespace).key(key);
    let mut reader = Reader { expressions, left: MOST_ASKED };
    match reader.ask(&place)? {
        Value::String(text) => Some(text),
        value => Some(value.to_string()),
    }
}

/// A place in the metadata, as an expression.
#[derive(Clone, Debug)]
struct Place(String);

impl Place {
    fn root() -> Self {
        Self("metadata.filter_metadata".to_owned())
    }

    fn key(&self, key: &str) -> Self {
        let mut cel = format!("{}[\"", self.0);
        for c in key.chars() {
            if c.is_ascii_alphanumeric() || "._-/:".contains(c) {
                cel.push(c);
            } else {
                let _ = write!(cel, "\\U{:08x}", u32::from(c));
            }
        }
        cel.push_str("\"]");
        Self(cel)
    }

    fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

/// Writes the expression for a value and its type. A one-element list binds the value to a name, so that it is looked up once.
fn typed(out: &mut String, value: &str, levels: usize) {
    let (name, key) = (format!("v{levels}"), format!("k{levels}"));
    let _ = write!(
        out,
        "[{value}].map({name},type({name})==string?[\"s\",{name}]:type({name})==double?[\"d\",{name}]:\
         type({name})==bool?[\"b\",{name}]:type({name})==null_type?[\"n\"]:"
    );
    match levels.checked_sub(1) {
        None => out.push_str("[\"+\"]"),
        Some(below) => {
            let element = format!("e{levels}");
            let _ = write!(out, "type({name})==list?[\"l\",{name}.map({element},");
            typed(out, &element, below);
            let _ = write!(out, ")]:[\"m\",{name}.map({key},[{key},");
            typed(out, &format!("{name}[{key}]"), below);
            out.push_str("])]");
        }
    }
    out.push_str(")[0]");
}

struct Reader<'a> {
    expressions: &'a mut Expressions,
    left: usize,
}

impl Reader<'_> {
    /// Asks for the value at a place.
    fn ask(&mut self, place: &Place) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let mut cel = String::new();
        typed(&mut cel, &place.0, LEVELS);
        let answer = self.evaluate(cel)?;
        self.value(&answer, place)
    }

    /// A value and its type, as `bytes` of the answer to an expression. Deeper places are asked for in turn.
    fn value(&mut self, bytes: &[u8], place: &Place) -> Option<Value> {
        let list = pairs::raw(bytes)?;
        Some(match list.as_slice() {
            [(b"s", _), (text, _)] => Value::String(std::str::from_utf8(text).ok()?.to_owned()),
            [(b"d", _), (double, _)] => number(double)?,
            [(b"b", _), (flag, _)] => Value::Bool(*flag == [1]),
            [(b"n", _)] => Value::Null,
            [(b"l", _), (items, _)] => {
                let mut list = Vec::new();
                for (index, (item, _)) in pairs::raw(items)?.into_iter().enumerate() {
                    list.push(self.value(item, &place.index(index))?);
                }
                Value::Array(list)
            }
            [(b"m", _), (entries, _)] => {
                let mut map = Map::new();
                for (entry, _) in pairs::raw(entries)? {
                    let [(key, _), (value, _)] = *pairs::raw(entry)?.as_slice() else { return None };
                    let key = std::str::from_utf8(key).ok()?;
                    map.insert(key.to_owned(), self.value(value, &place.key(key))?);
                }
                Value::Object(map)
            }
            [(b"+", _)] => self.ask(place)?,
            _ => return None,
        })
    }

    fn evaluate(&mut self, cel: String) -> Option<Vec<u8>> {
        if let Some(token) = self.expressions.0.get(&cel) {
            return calls::foreign_function("expr_evaluate", token).ok();
        }
        let token = calls::foreign_function("expr_create", cel.as_bytes()).ok()?;
        let value = calls::foreign_function("expr_evaluate", &token).ok();
        if self.expressions.0.len() < MOST_KEPT {
            self.expressions.0.insert(cel, token);
        } else {
            let _ = calls::foreign_function("expr_delete", &token);
        }
        value
    }
}

/// A double, eight bytes little endian. Whole numbers become integers: a Struct knows only doubles.
fn number(bytes: &[u8]) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = f64::from_le_bytes(*bytes.first_chunk::<8>().filter(|_| bytes.len() == 8)?);
    let number = if value.fract() == 0.0 && value.abs() <= EXACT {
        Some((value as i64).into())
    } else {
        Number::from_f64(value)
    };
    number.map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_their_quotes() {
        let place = Place::root().key("a.b").key("x\"] + y[\"\\").index(3);
        assert_eq!(
            place.0,
            "metadata.filter_metadata[\"a.b\"][\"x\\U00000022\\U0000005d\\U00000020\\U0000002b\\U00000020y\\U0000005b\\U00000022\\U0000005c\"][3]"
        );
    }

    /// A list, as Envoy serialises it.
    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        pairs::serialize(&items.iter().map(|item| (item.as_slice(), "")).collect::<Vec<_>>())
    }

    fn typed_value(kind: &str, value: impl Into<Vec<u8>>) -> Vec<u8> {
        list(&[kind.into(), value.into()])
    }

    #[test]
    fn answers_are_read_by_their_types() {
        let null = list(&[b"n".to_vec()]);
        let entry = |key: &str, value: Vec<u8>| list(&[key.into(), value]);
        let items = list(&[typed_value("b", [1]), null, typed_value("d", 5f64.to_le_bytes())]);
        let map = list(&[
            entry("l", typed_value("l", items)),
            // Eight bytes of text, and text that looks like pairs.
            entry("s", typed_value("s", *b"12345678")),
            entry("p", typed_value("s", [0, 0, 0, 0])),
            entry("e", typed_value("l", list(&[]))),
            entry("m", typed_value("m", list(&[]))),
        ]);
        let mut expressions = Expressions::default();
        let mut reader = Reader { expressions: &mut expressions, left: MOST_ASKED };
        let mut read = |bytes: &[u8]| reader.value(bytes, &Place::root()).map(|v| v.to_string());
        assert_eq!(
            read(&typed_value("m", map.clone())).as_deref(),
            Some(r#"{"e":[],"l":[true,null,5],"m":{},"p":"\u0000\u0000\u0000\u0000","s":"12345678"}"#)
        );
        for cut in 0..map.len() {
            assert_eq!(read(&typed_value("m", &map[..cut])).filter(|_| cut > 0), None, "cut at {cut}");
        }
        assert_eq!(read(&typed_value("s", [0xff])), None);
        assert_eq!(read(&typed_value("x", "")), None);
    }

    #[test]
    fn numbers_are_what_json_wrote() {
        let text = |v: f64| number(&v.to_le_bytes()).map(|v| v.to_string());
        assert_eq!(text(1_795_371_735.0).as_deref(), Some("1795371735"));
        assert_eq!(text(-1.5).as_deref(), Some("-1.5"));
        assert_eq!(text(f64::NAN), None);
        assert_eq!(number(&[0; 7]), None);
    }
}
