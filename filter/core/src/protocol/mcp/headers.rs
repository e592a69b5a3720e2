//! Headers that repeat what a message says, so that a proxy can route by them, and that must agree with it.
//!
//! From 2026-07-28 on `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` must be there, and `Mcp-Param-*` repeats arguments. Who reads
//! only the headers and who reads only the body would otherwise see two different calls. A value that is no plain ASCII comes as
//! `=?base64?...?=`.
//!
//! Which argument a `Mcp-Param-*` repeats stands in the tool's schema, which a filter does not keep. The policy may say it (`headers` of a
//! tool); otherwise it is the argument that the header is named after, and a header that is named after none is refused: a value that
//! stands somewhere among the arguments is not a value that the tool reads there, and whoever routes by the header would be misled.

use std::borrow::Cow;
use std::collections::BTreeMap;

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
    /// It is a task's id, with our tag.
    pub names_task: bool,
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
        let (method, name) = (text("mcp-method")?, text("mcp-name")?);
        let names_task = name.is_some() && method.as_deref().is_some_and(|method| method.starts_with("tasks/"));
        Ok(Self { version, method, name, names_task, params })
    }

    /// Every text in them that is a caller's.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let params = self.params.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let name = self.name.as_deref().filter(|_| !self.names_task);
        name.into_iter().chain(self.method.as_deref()).chain(params)
    }

    /// Whether there is one that speaks of a single message.
    pub fn speak_of_one(&self) -> bool {
        self.method.is_some() || self.name.is_some() || !self.params.is_empty()
    }

    /// Whether they agree with a request or notification. `declared`: the JSON pointers of arguments by the (plain) names of the headers that
    /// repeat them.
    ///
    /// # Errors
    /// The header that does not, or is missing.
    pub fn agree(&self, asking: &Asking<'_>, declared: &BTreeMap<String, String>) -> Result<(), Mismatch> {
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
            // Of tasks an extension says it, which not everybody goes by.
            (None, _) if needed && naming(&method).is_some() && !method.starts_with("tasks/") => {
                return Err("Mcp-Name");
            }
            _ => {}
        }
        let arguments = asking.param("arguments");
        let same = |(name, value): &(String, String)| {
            arguments.is_some_and(|arguments| match declared.get(&plain(name)) {
                Some(pointer) => at(arguments, pointer).and_then(said).is_some_and(|said| said == *value),
                None => repeats(arguments, name, value),
            })
        };
        let has = |name: &str| self.params.iter().any(|(param, _)| plain(param) == name);
        let lacks = |(name, pointer): (&String, &String)| {
            !has(name) && arguments.and_then(|arguments| at(arguments, pointer)).is_some_and(|node| !node.is_null())
        };
        match self.params.iter().all(same) && !(needed && declared.iter().any(lacks)) {
            true => Ok(()),
            false => Err("Mcp-Param"),
        }
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

/// Whether a header repeats the argument that it is named after.
fn repeats(arguments: Node<'_>, name: &str, value: &str) -> bool {
    let wanted = plain(name);
    let mut named = arguments.entries().filter(|(key, _)| plain(&key.text()) == wanted).peekable();
    named.peek().is_some() && named.all(|(_, node)| said(node).is_some_and(|said| said == value))
}

/// A name as headers and arguments are compared by it.
pub fn plain(name: &str) -> String {
    fold(name).replace(['-', '_'], "")
}

/// What a JSON pointer (RFC 6901) leads to.
fn at<'d>(node: Node<'d>, pointer: &str) -> Option<Node<'d>> {
    pointer.split('/').skip(1).try_fold(node, |node, step| match node.kind() {
        Kind::Array => node.items().nth(step.parse().ok()?),
        _ => node.get(&step.replace("~1", "/").replace("~0", "~")),
    })
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
        heads.agree(&asking, &BTreeMap::new())
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
        for (name, value) in [
            ("mcp-param-region", "us"),
            ("mcp-param-n", "7.0"),
            ("mcp-param-n", "eu"),
            // Values of other arguments: whoever routes by the header would read what no tool does.
            ("mcp-param-elsewhere", "y"),
            ("mcp-param-x", "y"),
            ("mcp-param-tenant", "eu"),
            ("mcp-param-deep", "y"),
        ] {
            assert_eq!(with(name, value), Err("Mcp-Param"), "{name} {value}");
        }
    }

    #[test]
    fn a_policy_says_which_argument_a_header_repeats() {
        let declared: BTreeMap<String, String> =
            [("zone".to_owned(), "/region".to_owned()), ("xdeep".to_owned(), "/deep/x".to_owned())].into();
        let with = |params: &[(&str, &str)]| {
            let own = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call")];
            let name = ("mcp-name", "=?base64?Z3LDtsOfZQ==?=");
            let headers: Headers = own.into_iter().chain([name]).chain(params.iter().copied()).collect();
            let heads = Heads::read(&headers).unwrap();
            let document = Document::parse(NEW.as_bytes(), &Limits::default()).unwrap();
            let Ok(Message::Request(asking)) = Message::read(document.root()) else { return Err("no request") };
            heads.agree(&asking, &declared)
        };
        let deep = ("mcp-param-x-deep", "y");
        assert_eq!(with(&[("mcp-param-zone", "eu"), deep]), Ok(()));
        assert_eq!(with(&[("mcp-param-zone", "eu"), deep, ("mcp-param-n", "7")]), Ok(()));
        for params in [
            vec![("mcp-param-zone", "us"), deep],
            vec![("mcp-param-zone", "eu"), ("mcp-param-x-deep", "eu")],
            // Where an argument is there, so is its header.
            vec![deep],
            vec![("mcp-param-zone", "eu")],
            vec![("mcp-param-zone", "eu"), deep, ("mcp-param-other", "eu")],
        ] {
            assert_eq!(with(&params), Err("Mcp-Param"), "{params:?}");
        }
    }
}
