//! `google.protobuf.Struct`, as Envoy serialises it for a filter's native YAML configuration.
//!
//! Struct { map<string, Value> fields = 1 }; Value is one of null_value = 1, number_value = 2 (double),
//! string_value = 3, bool_value = 4, struct_value = 5, list_value = 6; ListValue { repeated Value = 1 }.

use super::problem::{Path, Problem};
use super::tree::Tree;
use crate::sort;

/// Nesting beyond this is refused. Envoy's own limit for a message is 100.
const MAX_DEPTH: usize = 64;

/// Reads a serialised `google.protobuf.Struct`.
///
/// # Errors
/// Bytes that are no such message, a repeated key, or nesting beyond 64 levels.
pub fn tree_from_struct(bytes: &[u8]) -> Result<Tree, Problem> {
    read_struct(bytes, 0).ok_or_else(|| {
        Problem::new(Path::root(), "the configuration is neither JSON text nor a google.protobuf.Struct")
            .help("set the filter's `configuration` with `\"@type\": type.googleapis.com/google.protobuf.Struct`")
    })?
}

/// `None` is a malformed message; an inner error is a well-formed message that is no good.
type Read = Option<Result<Tree, Problem>>;

fn read_struct(mut bytes: &[u8], depth: usize) -> Read {
    if depth > MAX_DEPTH {
        return Some(Err(Problem::new(Path::root(), format!("nested deeper than {MAX_DEPTH} levels"))));
    }
    let mut entries: Vec<(String, Tree)> = Vec::new();
    while !bytes.is_empty() {
        let Field::Bytes(1, mut entry) = field(&mut bytes)? else { return None };
        let (mut key, mut value) = ("", Tree::Null);
        while !entry.is_empty() {
            match field(&mut entry)? {
                Field::Bytes(1, k) => key = std::str::from_utf8(k).ok()?,
                Field::Bytes(2, v) => match read_value(v, depth + 1)? {
                    Ok(tree) => value = tree,
                    Err(problem) => return Some(Err(problem)),
                },
                _ => return None,
            }
        }
        if entries.iter().any(|(k, _)| k == key) {
            return Some(Err(Problem::new(Path::root(), format!("the key `{key}` is there twice"))));
        }
        entries.push((key.to_owned(), value));
    }
    // A map's entries come in no particular order; sorted, the same document is always the same tree.
    sort::cold(&mut entries, |a, b| a.0 < b.0);
    Some(Ok(Tree::Map(entries)))
}

fn read_value(mut bytes: &[u8], depth: usize) -> Read {
    let mut value = Tree::Null;
    while !bytes.is_empty() {
        value = match field(&mut bytes)? {
            Field::Varint(1, _) => Tree::Null,
            Field::Fixed64(2, raw) => Tree::from(f64::from_le_bytes(raw)),
            Field::Bytes(3, s) => Tree::String(std::str::from_utf8(s).ok()?.to_owned()),
            Field::Varint(4, b) => Tree::Bool(b != 0),
            Field::Bytes(5, s) => match read_struct(s, depth + 1)? {
                Ok(tree) => tree,
                Err(problem) => return Some(Err(problem)),
            },
            Field::Bytes(6, mut list) => {
                if depth > MAX_DEPTH {
                    return None;
                }
                let mut items = Vec::new();
                while !list.is_empty() {
                    let Field::Bytes(1, item) = field(&mut list)? else { return None };
                    match read_value(item, depth + 1)? {
                        Ok(tree) => items.push(tree),
                        Err(problem) => return Some(Err(problem)),
                    }
                }
                Tree::List(items)
            }
            _ => return None,
        };
    }
    Some(Ok(value))
}

/// A field of a message: its number, and what it holds.
pub(crate) enum Field<'a> {
    Varint(u64, u64),
    Fixed64(u64, [u8; 8]),
    Fixed32(u64),
    Bytes(u64, &'a [u8]),
}

/// Takes the next field; `None` where the bytes are none.
pub(crate) fn field<'a>(bytes: &mut &'a [u8]) -> Option<Field<'a>> {
    let tag = varint(bytes)?;
    match tag & 7 {
        0 => Some(Field::Varint(tag >> 3, varint(bytes)?)),
        1 => {
            let (raw, rest) = bytes.split_first_chunk::<8>()?;
            *bytes = rest;
            Some(Field::Fixed64(tag >> 3, *raw))
        }
        2 => {
            let len = usize::try_from(varint(bytes)?).ok()?;
            let (content, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            Some(Field::Bytes(tag >> 3, content))
        }
        5 => {
            (_, *bytes) = bytes.split_first_chunk::<4>()?;
            Some(Field::Fixed32(tag >> 3))
        }
        _ => None,
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        out.extend_from_slice(content);
        out
    }

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        bytes_field(1, &[bytes_field(1, key.as_bytes()), bytes_field(2, value)].concat())
    }

    #[test]
    fn every_kind_of_value() {
        let number = [vec![0x11], 60f64.to_le_bytes().to_vec()].concat();
        let list = bytes_field(6, &bytes_field(1, &bytes_field(3, b"x")));
        let nested = bytes_field(5, &entry("in", &[0x08, 0]));
        let message = [entry("n", &number), entry("l", &list), entry("b", &[0x20, 1]), entry("m", &nested)].concat();
        assert_eq!(
            tree_from_struct(&message).unwrap(),
            Tree::Map(vec![
                ("b".into(), Tree::Bool(true)),
                ("l".into(), Tree::List(vec![Tree::String("x".into())])),
                ("m".into(), Tree::Map(vec![("in".into(), Tree::Null)])),
                ("n".into(), Tree::Integer(60)),
            ])
        );
    }

    #[test]
    fn broken_messages_are_refused() {
        let whole = entry("key", &bytes_field(3, b"value"));
        for cut in 1..whole.len() {
            assert!(tree_from_struct(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let twice = [entry("k", &[0x20, 1]), entry("k", &[0x20, 0])].concat();
        assert!(tree_from_struct(&twice).unwrap_err().message.contains("twice"));
        assert!(tree_from_struct(b"{\"version\"").is_err());
    }
}
