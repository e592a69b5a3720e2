//! Headers that repeat what a message says, so that a proxy can route by them, and that must agree with it.
//!
//! From 2026-07-28 on `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` must be there, and `Mcp-Param-*` repeats arguments. Who reads
//! only the headers and who reads only the body would otherwise see two different calls. A value that is no plain ASCII comes as
//! `=?base64?...?=`.
//!
//! What it does not do: which argument a `Mcp-Param-*` repeats stands in the tool's schema, which is not kept. It must equal the argument of
//! its own name, and where there is none, any of the arguments.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Asking, naming};
use crate::head::Headers;
use crate::json::{Kind, Node, fold};

/// Versions of the protocol that are spoken over streamable HTTP.
pub const VERSIONS: [(&str, Version); 4] = [
    ("2025-03-26", Version::V2025_03_26),
    ("2025-06-18", Version::V2025_06_18),
    ("2025-11-25", Version::V2025_11_25),
    ("2026-07-28", Version::V2026_07_28),
];

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The first with streamable HTTP, and the only one with batches.
    V2025_03_26,
    /// The first that tells itself in a header.
    V2025_06_18,
    /// With tasks.
    V2025_11_25,
    /// Without sessions; messages tell in headers what they are.
    V2026_07_28,
}

/// Where a message's own metadata tells the version.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Headers that are read at most.
const MAX_PARAMS: usize = 64;

/// What a request's headers say of its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// `MCP-Protocol-Version`.
    pub version: Option<Version>,
    /// `Mcp-Method`.
    pub method: Option<String>,
    /// `Mcp-Name`.
    pub name: Option<String>,
    /// `Mcp-Param-*`: what follows, and the value.
    params: Vec<(String, String)>,
}

/// Why headers cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// One is there twice, or is no text.
    Header,
    /// A version that nobody here speaks.
    Version,
}

/// The header that does not agree with the message.
pub type Mismatch = &'static str;

impl Heads {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read in one way only.
    pub fn read(headers: &Headers) -> Result<Self, Unreadable> {
        let text = |name: &str| match headers.one(name) {
            Ok(None) => Ok(None),
            Ok(Some(value)) => decoded(value).map(Some).ok_or(Unreadable::Header),
            Err(_) => Err(Unreadable::Header),
        };
        let version = match text("mcp-protocol-version")? {
            None => None,
            Some(name) => {
                let known = VERSIONS.iter().find(|(known, _)| *known == name);
                Some(known.ok_or(Unreadable::Version)?.1)
            }
        };
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in headers.iter() {
            let Some(rest) = name.strip_prefix("mcp-param-") else { continue };
            let twice = params.iter().any(|(known, _)| known == rest);
            if twice || params.len() >= MAX_PARAMS {
                return Err(Unreadable::Header);
            }
            params.push((rest.to_owned(), decoded(value).ok_or(Unreadable::Header)?));
        }
        Ok(Self { version, method: text("mcp-method")?, name: text("mcp-name")?, params })
    }

    /// Every text in them that is a caller's.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let params = self.params.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        self.name.as_deref().into_iter().chain(self.method.as_deref()).chain(params)
    }

    /// Whether there is one that speaks of a single message.
    pub fn speak_of_one(&self) -> bool {
        self.method.is_some() || self.name.is_some() || !self.params.is_empty()
    }

    /// Whether they agree with a request or notification.
    ///
    /// # Errors
    /// The header that does not, or is missing.
    pub fn agree(&self, asking: &Asking<'_>) -> Result<(), Mismatch> {
        let told = asking.param("_meta").and_then(|meta| meta.get(META_VERSION)).map(|v| v.text().unwrap_or_default());
        let known = |name: &str| VERSIONS.iter().find(|(known, _)| *known == name).map(|(_, version)| *version);
        let newest = |version: Option<Version>| version.is_some_and(|v| v >= Version::V2026_07_28);
        match (&told, self.version) {
            (Some(told), Some(version)) if known(told) != Some(version) => return Err("MCP-Protocol-Version"),
            (Some(_), None) => return Err("MCP-Protocol-Version"),
            (None, version) if newest(version) => return Err("MCP-Protocol-Version"),
            _ => {}
        }
        let needed = newest(self.version);
        let method = asking.method();
        match &self.method {
            Some(told) if *told != method => return Err("Mcp-Method"),
            None if needed => return Err("Mcp-Method"),
            _ => {}
        }
        let name = asking.name().map(|node| node.text());
        match (&self.name, name) {
            (Some(told), Some(Some(name))) if *told == name => {}
            (Some(_), _) => return Err("Mcp-Name"),
            (None, _) if needed && naming(&method).is_some() => return Err("Mcp-Name"),
            _ => {}
        }
        let arguments = asking.param("arguments");
        let same =
            |(name, value): &(String, String)| arguments.is_some_and(|arguments| repeats(arguments, name, value));
        if self.params.iter().all(same) { Ok(()) } else { Err("Mcp-Param") }
    }
}

/// A header's value as text; what is wrapped in base64 is unwrapped.
fn decoded(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    if text.bytes().any(|b| !(b' '..=b'~').contains(&b)) {
        return None;
    }
    match text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => Some(text.to_owned()),
        Some(wrapped) => String::from_utf8(STANDARD.decode(wrapped).ok()?).ok(),
    }
}

/// Whether a header repeats an argument: the one that it is named after, or any where none is.
fn repeats(arguments: Node<'_>, name: &str, value: &str) -> bool {
    let plain = |name: &str| fold(name).replace(['-', '_'], "");
    let wanted = plain(name);
    let mut named = arguments.entries().filter(|(key, _)| plain(&key.text()) == wanted).peekable();
    match named.peek() {
        Some(_) => named.all(|(_, node)| said(node).is_some_and(|said| said == value)),
        None => any(arguments, value),
    }
}

/// Whether `value` is anywhere in `node`.
fn any(node: Node<'_>, value: &str) -> bool {
    match node.kind() {
        Kind::Object => node.entries().any(|(_, inner)| any(inner, value)),
        Kind::Array => node.items().any(|inner| any(inner, value)),
        _ => said(node).is_some_and(|said| said == value),
    }
}

/// A value without parts, as a header has it.
fn said(node: Node<'_>) -> Option<Cow<'_, str>> {
    match node.kind() {
        Kind::String => node.text(),
        Kind::Number => node.number().map(Cow::Borrowed),
        Kind::Bool => Some(Cow::Borrowed(if node.bool()? { "true" } else { "false" })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;
    use crate::json::{Document, Limits};

    const NEW: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"größe","arguments":{"region":"eu","n":7,"deep":{"x":"y"}},
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    const OLD: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}"#;

    fn agree(json: &str, headers: &[(&str, &str)]) -> Result<(), Mismatch> {
        let headers: Headers = headers.iter().copied().collect();
        let heads = Heads::read(&headers).map_err(|_| "unreadable")?;
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let Ok(Message::Request(asking)) = Message::read(document.root()) else { return Err("no request") };
        heads.agree(&asking)
    }

    #[test]
    fn headers_agree_with_the_message() {
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "tools/call");
        let name = ("mcp-name", "=?base64?Z3LDtsOfZQ==?=");
        assert_eq!(agree(NEW, &[version, method, name]), Ok(()));
        assert_eq!(agree(OLD, &[]), Ok(()));
        assert_eq!(agree(OLD, &[("mcp-protocol-version", "2025-11-25"), ("mcp-name", "a")]), Ok(()));
        for (headers, expected) in [
            (vec![method, name], "MCP-Protocol-Version"),
            (vec![("mcp-protocol-version", "2025-06-18"), method, name], "MCP-Protocol-Version"),
            (vec![("mcp-protocol-version", "2027-01-01"), method, name], "unreadable"),
            (vec![version, name], "Mcp-Method"),
            (vec![version, ("mcp-method", "tools/list"), name], "Mcp-Method"),
            (vec![version, ("mcp-method", "TOOLS/CALL"), name], "Mcp-Method"),
            (vec![version, method], "Mcp-Name"),
            (vec![version, method, ("mcp-name", "other")], "Mcp-Name"),
            (vec![version, method, ("mcp-name", "gr\u{f6}\u{df}e")], "unreadable"),
            (vec![version, method, ("mcp-name", "=?BASE64?Z3LDtsOfZQ==?=")], "Mcp-Name"),
            (vec![version, method, ("mcp-name", "=?base64?Z3LDtsOfZQ?=")], "unreadable"),
            (vec![version, method, name, name], "unreadable"),
        ] {
            assert_eq!(agree(NEW, &headers), Err(expected), "{headers:?}");
        }
        assert_eq!(
            agree(OLD, &[("mcp-protocol-version", "2026-07-28"), method, ("mcp-name", "a")]),
            Err("MCP-Protocol-Version")
        );
        assert_eq!(agree(OLD, &[("mcp-name", "b")]), Err("Mcp-Name"));
    }

    #[test]
    fn headers_repeat_arguments() {
        let with = |name: &'static str, value: &'static str| {
            let own = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call")];
            agree(NEW, &[own[0], own[1], ("mcp-name", "=?base64?Z3LDtsOfZQ==?="), (name, value)])
        };
        assert_eq!(with("mcp-param-region", "eu"), Ok(()));
        assert_eq!(with("mcp-param-Region", "=?base64?ZXU=?="), Ok(()));
        assert_eq!(with("mcp-param-n", "7"), Ok(()));
        assert_eq!(with("mcp-param-elsewhere", "y"), Ok(()));
        for (name, value) in [
            ("mcp-param-region", "us"),
            ("mcp-param-n", "7.0"),
            ("mcp-param-n", "eu"),
            ("mcp-param-elsewhere", "z"),
            ("mcp-param-deep", "y"),
        ] {
            assert_eq!(with(name, value), Err("Mcp-Param"), "{name} {value}");
        }
    }
}
