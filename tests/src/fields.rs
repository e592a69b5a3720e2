//! Header and trailer fields as they are on the wire: ordered, repeated, values of any bytes.

use std::fmt;

/// Fields in the order they were sent or received. HTTP/2 pseudo-header fields are not among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, Vec<u8>)>);

impl Fields {
    /// Appends a field.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.0.push((name.to_owned(), value.as_ref().to_vec()));
    }

    /// Every value of `name`, compared without case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The only value of `name` as text, `None` when absent; panics when there are several.
    pub fn get(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        let first = values.next()?;
        assert!(values.next().is_none(), "`{name}` is repeated in {self:?}");
        Some(String::from_utf8_lossy(first).into_owned())
    }

    /// Whether any field is named `name`.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether `needle` occurs in any name or value: a secret that must not be here.
    pub fn mention(&self, needle: &str) -> bool {
        self.0.iter().any(|(n, v)| n.contains(needle) || v.windows(needle.len()).any(|w| w == needle.as_bytes()))
    }

    /// Appends `name: value\r\n` for every field.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// From the `http` crate's map (as the HTTP/2 library hands them over).
    pub fn from_map(map: &http::HeaderMap) -> Self {
        Self(map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect())
    }

    /// Into the `http` crate's map; panics on what HTTP/2 libraries refuse to send.
    pub fn to_map(&self) -> http::HeaderMap {
        let mut map = http::HeaderMap::new();
        for (name, value) in &self.0 {
            let name = http::HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).expect("a header name");
            map.append(name, http::HeaderValue::from_bytes(value).expect("a header value"));
        }
        map
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const L: usize> From<[(N, V); L]> for Fields {
    fn from(pairs: [(N, V); L]) -> Self {
        Self(pairs.into_iter().map(|(n, v)| (n.as_ref().to_owned(), v.as_ref().to_vec())).collect())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(n, v)| format!("{n}: {}", v.escape_ascii()))).finish()
    }
}
