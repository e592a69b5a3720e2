//! What of a request is no text: pictures, sound, documents, token numbers, and references to what lies elsewhere.
//!
//! Shapes are recognised wherever they stand, whichever API the request is for: the parts of OpenAI, Anthropic, Gemini,
//! Bedrock, Ollama, Cohere and MCP. Names are compared case-folded and without `_`, as the most tolerant server reads them.
//! [`Contents`] says which media there are, and which strings are nothing but their bytes: a scanner may pass over those
//! where the policy lets the medium in.
//!
//! A label is not believed: bytes are passed over only if they look like base64, are longer than what is looked for,
//! and do not begin with text. Everything else is text and is to be scanned, unknown shapes included.
//!
//! What it does not do: it does not look into the bytes, and it does not know media without a label in unknown shapes.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;

use crate::json::{Kind, Node, StringToken, fold};
use crate::sort;

/// A kind of content that cannot be read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A document: PDF, office formats, text that is handed over encoded.
    Document,
    /// A file of another or an unknown type.
    File,
    /// Text as the numbers of its tokens.
    Tokens,
    /// What lies elsewhere: a URL, an uploaded file's id, a place in a store.
    Reference,
}

impl Media {
    /// Every kind.
    pub const ALL: [Media; 7] =
        [Media::Image, Media::Audio, Media::Video, Media::Document, Media::File, Media::Tokens, Media::Reference];

    /// Its name in documents and on the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Media::Image => "image",
            Media::Audio => "audio",
            Media::Video => "video",
            Media::Document => "document",
            Media::File => "file",
            Media::Tokens => "tokens",
            Media::Reference => "reference",
        }
    }

    /// What a media type (RFC 6838) is.
    fn of_type(name: &str) -> Media {
        const DOCUMENTS: [&str; 8] = ["pdf", "msword", "vnd.", "rtf", "json", "xml", "epub", "xhtml"];
        match name.split_once('/') {
            Some(("image", _)) => Media::Image,
            Some(("audio", _)) => Media::Audio,
            Some(("video", _)) => Media::Video,
            Some(("text", _)) => Media::Document,
            Some(("application", sub)) if DOCUMENTS.iter().any(|d| sub.starts_with(d)) => Media::Document,
            _ => Media::File,
        }
    }
}

/// A set of [`Media`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MediaSet(u8);

impl MediaSet {
    /// Adds one.
    pub fn insert(&mut self, media: Media) {
        self.0 |= 1 << media as u8;
    }

    /// Whether one is in it.
    #[must_use]
    pub fn contains(self, media: Media) -> bool {
        self.0 & 1 << media as u8 != 0
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of it is in `other`.
    #[must_use]
    pub fn is_subset(self, other: MediaSet) -> bool {
        self.0 & !other.0 == 0
    }

    /// What is in it, in the order of [`Media::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Media> {
        Media::ALL.into_iter().filter(move |m| self.contains(*m))
    }
}

impl FromIterator<Media> for MediaSet {
    fn from_iter<I: IntoIterator<Item = Media>>(media: I) -> Self {
        let mut set = MediaSet::default();
        media.into_iter().for_each(|m| set.insert(m));
        set
    }
}

impl std::fmt::Debug for MediaSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The media of one request.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    media: MediaSet,
    /// Where each string of bytes begins and ends, quotes aside, in order.
    payloads: Vec<(usize, usize, Media)>,
}

impl Contents {
    /// Reads a request's body. Looks at every value once; the depth is the tokenizer's limit at most.
    #[must_use]
    pub fn of(root: Node<'_>) -> Self {
        let mut contents = Contents::default();
        tokens(root, &mut |media, _| contents.media.insert(media));
        contents.visit(root, false);
        sort::plain(&mut contents.payloads, |(a, ..), (b, ..)| a < b);
        contents
    }

    /// The same for who asks for [`Self::payload`] only. Most documents have no string that is long enough, which takes less
    /// to see than names do to read.
    #[must_use]
    pub fn payloads(root: Node<'_>) -> Self {
        if has_long(root) { Self::of(root) } else { Self::default() }
    }

    /// `free`: members may be called anything here.
    fn visit(&mut self, node: Node<'_>, free: bool) {
        look(node, &mut |media, payload| {
            self.media.insert(media);
            if let Some(token) = payload.filter(|_| !free).and_then(|p| p.string()) {
                let Range { start, end } = token.inner_span();
                self.payloads.push((start, end, media));
            }
        });
        for (key, value) in node.entries() {
            let free = free || value.kind() == Kind::Object && FREE.contains(&&*name(&key));
            self.visit(value, free || key.text() == "tools");
        }
        node.items().for_each(|item| self.visit(item, free));
    }

    /// Which there are.
    #[must_use]
    pub fn media(&self) -> MediaSet {
        self.media
    }

    /// Whether any string is nothing but a medium's bytes.
    #[must_use]
    pub fn has_payloads(&self) -> bool {
        !self.payloads.is_empty()
    }

    /// Where each of them stands, quotes aside, in order; the same one may be told of again.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.payloads.iter().map(|(start, end, _)| *start..*end)
    }

    /// The medium whose bytes a string value of the same document is, and nothing else.
    #[must_use]
    pub fn payload(&self, token: &StringToken<'_>) -> Option<Media> {
        let start = token.inner_span().start;
        let found = self.payloads.binary_search_by_key(&start, |(start, ..)| *start).ok()?;
        self.payloads.get(found).map(|(.., media)| *media)
    }
}

/// Which media a request has.
#[must_use]
pub fn media(root: Node<'_>) -> MediaSet {
    Contents::of(root).media()
}

/// Told of a medium, and of the string value that is its bytes, if one is.
pub type Found<'f, 'd> = &'f mut dyn FnMut(Media, Option<Node<'d>>);

/// Text as token numbers, which some APIs take at the top of a body.
pub fn tokens<'d>(root: Node<'d>, found: Found<'_, 'd>) {
    let number = |n: Node<'_>| n.kind() == Kind::Number;
    for (key, value) in root.entries() {
        let name = name(&key);
        // vLLM's and SGLang's: numbers of tokens, or what was computed of them, in whatever form.
        let always =
            matches!(&*name, "prompttokenids" | "promptembeds" | "inputids" | "inputembeds") && !value.is_null();
        let numbers = || value.items().any(|item| number(item) || item.items().any(number));
        if always || matches!(&*name, "input" | "prompt" | "context") && numbers() {
            found(Media::Tokens, None);
        }
    }
}

/// Looks at one value by itself: an object that is a part of a known shape, or a `data:` URL. To be called for every
/// value of a body; the same part may be found at the object and at its string.
pub fn look<'d>(node: Node<'d>, found: Found<'_, 'd>) {
    match node.kind() {
        Kind::String => {
            // With anything but base64 behind it, it is a text that begins so. It may be one all the same: only where a part
            // of a known shape has it is it passed over.
            if node.string().is_some_and(|token| token.may_begin(b"dD"))
                && let Some(text) = node.text()
                && data_url(&text).is_some_and(|(_, data)| is_base64(data))
            {
                bytes(node, None, Media::File, &mut |media, _| found(media, None));
            }
        }
        Kind::Object => part(node, found),
        _ => {}
    }
}

fn part<'d>(node: Node<'d>, found: Found<'_, 'd>) {
    let kind = node.get_folded("type").and_then(|t| t.text());
    let kind = kind.as_deref().unwrap_or_default();
    for (key, value) in node.entries() {
        let key = name(&key);
        let medium = match (&*key, kind) {
            ("imageurl" | "image" | "images", _) | ("source", "image") => Media::Image,
            ("audiourl" | "audio" | "inputaudio", _) | ("source", "audio") => Media::Audio,
            ("videourl" | "video", _) | ("source", "video") => Media::Video,
            _ => Media::Document,
        };
        match (&*key, value.kind()) {
            // OpenAI, Cohere; a part of OpenAI's Responses has the URL itself.
            ("imageurl" | "audiourl" | "videourl", Kind::Object) => {
                each(value, &["url"], |url| link(url, medium, found));
            }
            ("imageurl" | "audiourl" | "videourl", Kind::String) if kind.contains("image") || kind.contains("_url") => {
                link(value, medium, found);
            }
            // OpenAI's sound; Gemini.
            ("inputaudio" | "inlinedata", Kind::Object) => source(value, medium, found),
            // OpenAI; a file that Gemini keeps.
            ("file" | "filedata", Kind::Object) => file(value, found),
            // Anthropic.
            ("source", Kind::Object) if matches!(kind, "image" | "audio" | "video" | "document" | "file") => {
                source(value, medium, found);
            }
            // Bedrock.
            ("image" | "audio" | "video" | "document", Kind::Object) => {
                value
                    .entries()
                    .filter(|(key, _)| name(key) == "source")
                    .for_each(|(_, from)| source(from, medium, found));
                // What a model of OpenAI's says, and what it said before.
                if key == "audio" {
                    each(value, &["data"], |data| bytes(data, None, medium, found));
                    each(value, &["id"], |_| found(Media::Reference, None));
                }
            }
            // Ollama, Cohere.
            ("images", Kind::Array) => value.items().for_each(|item| link(item, medium, found)),
            _ => {}
        }
    }
    // MCP: pictures and sound in results, resources that are no text.
    if matches!(kind, "image" | "audio") || node.get_folded("blob").is_some() {
        let mut named = None;
        each(node, &["mimetype"], |value| named = value.text());
        let medium = if kind == "audio" { Media::Audio } else { Media::Image };
        if matches!(kind, "image" | "audio") {
            each(node, &["data"], |data| bytes(data, named.as_deref(), medium, found));
        }
        if node.get_folded("uri").is_some() {
            each(node, &["blob"], |blob| bytes(blob, named.as_deref(), Media::File, found));
        }
    }
    // OpenAI's Responses; Anthropic.
    if matches!(kind, "input_file" | "input_image" | "container_upload" | "file") {
        file(node, found);
    }
}

/// Where a medium comes from: its bytes are there, or are named.
fn source<'d>(node: Node<'d>, medium: Media, found: Found<'_, 'd>) {
    // Text, or parts that are looked at by themselves.
    if node.get_folded("type").and_then(|t| t.text()).is_some_and(|t| matches!(&*t, "text" | "content")) {
        return;
    }
    let mut kind = None;
    each(node, &["mimetype", "mediatype"], |value| kind = value.text());
    each(node, &["data", "bytes"], |data| bytes(data, kind.as_deref(), medium, found));
    each(node, &["url", "uri"], |url| link(url, medium, found));
    each(node, &["fileid", "fileuri"], |_| found(Media::Reference, None));
    if node.entries().any(|(key, _)| name(&key) == "s3location") {
        found(Media::Reference, None);
    }
}

/// A file: its bytes, its id or its URL.
fn file<'d>(node: Node<'d>, found: Found<'_, 'd>) {
    each(node, &["filedata"], |data| bytes(data, None, Media::Document, found));
    each(node, &["fileid", "fileurl", "fileuri"], |_| found(Media::Reference, None));
}

/// A URL; some servers take bytes in its place.
fn link<'d>(node: Node<'d>, medium: Media, found: Found<'_, 'd>) {
    match node.text() {
        Some(text) if text.contains("://") && data_url(&text).is_none() => found(Media::Reference, None),
        Some(_) => bytes(node, None, medium, found),
        None => {}
    }
}

/// Bytes of the type `kind`, or a `data:` URL, which says its own; `medium` where nothing says it.
fn bytes<'d>(node: Node<'d>, kind: Option<&str>, medium: Media, found: Found<'_, 'd>) {
    let Some(text) = node.text() else { return };
    let (kind, data) = match data_url(&text) {
        Some((own, data)) => (Some(own), data),
        None => (kind, &*text),
    };
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // Text of these types is seen through, encoded or not.
    let text = kind.starts_with("text/") || ["json", "+xml", "/xml", "/xhtml"].iter().any(|end| kind.ends_with(end));
    let medium = if kind.is_empty() { medium } else { Media::of_type(kind) };
    found(medium, (!text && is_payload(data)).then_some(node));
}

/// The type of a `data:` URL in base64 (RFC 2397) without its parameters, and what follows the comma.
fn data_url(text: &str) -> Option<(&str, &str)> {
    let scheme = text.get(..5)?;
    // Types are short: text that begins so is not read to its end.
    let comma = text.bytes().take(MAX_TYPE).position(|b| b == b',')?;
    let kind = text.get(5..comma).filter(|_| scheme.eq_ignore_ascii_case("data:"))?;
    let (kind, last) = kind.rsplit_once(';')?;
    let data = text.get(comma + 1..).filter(|_| last.trim().eq_ignore_ascii_case("base64"))?;
    Some((kind.split(';').next().unwrap_or_default().trim(), data))
}

/// The longest type of a `data:` URL, with parameters.
const MAX_TYPE: usize = 256;

/// Objects of the application's own making: what a tool is called with and what it answers, schemas, rows of data. Models read
/// them as text, whatever their members are called, so nothing in them is passed over.
const FREE: [&str; 9] =
    ["input", "args", "arguments", "parameters", "inputschema", "schema", "response", "json", "data"];

/// Shorter bytes are scanned, too: that costs nothing, and numbers that are looked for are as long.
pub(crate) const MIN_PAYLOAD: usize = 64;

/// Whether a string is nothing but bytes: base64 that does not begin with text, which a scanner would see through.
fn is_payload(data: &str) -> bool {
    let Some(start) = data.get(..MIN_PAYLOAD) else { return false };
    let decoded = STANDARD.decode(start).or_else(|_| URL_SAFE.decode(start));
    let text = decoded.is_ok_and(|bytes| {
        let valid = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            // The last character may be cut.
            Err(e) if e.error_len().is_none() => {
                bytes.get(..e.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
            }
            Err(_) => return false,
        };
        !valid.chars().any(|c| c.is_control() && !c.is_ascii_whitespace())
    });
    !text && is_base64(data)
}

/// Whether a string is as long as a payload is.
fn has_long(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::String => node.span().len() >= MIN_PAYLOAD,
        Kind::Object => node.entries().any(|(_, value)| has_long(value)),
        Kind::Array => node.items().any(has_long),
        _ => false,
    }
}

/// Letters of either alphabet, in lines or not, and padding at the end.
fn is_base64(data: &str) -> bool {
    let body = data.trim_end_matches(['\r', '\n']).trim_end_matches('=');
    data.len() - body.len() <= 4
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'\r' | b'\n'))
}

/// The string members of an object with one of these names.
fn each<'d>(node: Node<'d>, names: &[&str], mut visit: impl FnMut(Node<'d>)) {
    for (key, value) in node.entries() {
        if names.contains(&&*name(&key)) && value.kind() == Kind::String {
            visit(value);
        }
    }
}

/// A key as the most tolerant server compares it; longer ones than any that is known are nothing.
fn name<'d>(key: &StringToken<'d>) -> Cow<'d, str> {
    let key = key.text();
    if key.len() > MAX_NAME {
        return Cow::Borrowed("");
    }
    // Most are what they fold to.
    if key.bytes().all(|b| b.is_ascii_lowercase()) {
        return key;
    }
    let mut folded = fold(&key);
    folded.retain(|c| c != '_');
    Cow::Owned(folded)
}

const MAX_NAME: usize = 24;

#[cfg(test)]
mod tests;
