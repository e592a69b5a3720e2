//! `detectors:` of the policy document, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ExternalDocument, Group};
use crate::config::{OneOrMany, SecretRef};

/// `detectors:`: what a policy adds to the built-in detectors, and where it corrects them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorsDocument {
    /// Detectors by regular expression.
    #[serde(default)]
    pub patterns: Vec<PatternDocument>,
    /// Detectors by words.
    #[serde(default)]
    pub dictionaries: Vec<DictionaryDocument>,
    /// Values that are known, by keyed digests: customer numbers, contract numbers.
    #[serde(default)]
    pub exact: Vec<ExactDocument>,
    /// The score (0 to 1) from which a finding of a type counts; 0.5 where nothing is said.
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    /// Values that are never reported.
    #[serde(default)]
    pub allow: Vec<AllowDocument>,
    /// Where URLs may lead.
    #[serde(default)]
    pub links: LinksDocument,
    /// Secrets planted where only a model reads them, as in system prompts: texts of 8 to 256 bytes that nobody writes
    /// by chance, by reference. `CANARY` finds them in any case (upper or lower), also within words.
    #[serde(default)]
    pub canaries: Vec<SecretRef>,
    /// Topics of the policy's own.
    #[serde(default)]
    pub topics: Vec<TopicDocument>,
    /// Detectors outside of the filter.
    #[serde(default)]
    pub external: Vec<ExternalDocument>,
}

/// Where URLs may lead. `EXTERNAL_IMAGE` finds those to other hosts that a client fetches without a click: images of
/// Markdown, what HTML and style sheets load. `EXTERNAL_LINK` finds links and plain URLs to other hosts that carry
/// something: a query, a fragment, a name before the host, a path of more than 32 bytes, a label of the host's name of
/// more than 24 bytes or a name of more than 64. A plain link to another page is ordinary, and not found; but technical
/// answers have many links with long paths and fragments, so list their hosts here, or `flag` before you deny. Relative
/// URLs and `data:` lead nowhere. A URL of more than 2,048 bytes is found in parts of that length.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinksDocument {
    /// Hosts that URLs may lead to, without scheme or port: names, or globs over them. `*.example.com` is not
    /// `example.com`. Where there are none, every host is another one. List no host that redirects wherever it is told to.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A detector by regular expression (the syntax of the `regex-lite` crate). A match is at most 1,024 bytes
/// long: what a pattern needs more for is not found. In an answer that is streamed, context words count only before a
/// match, and `^` and `$` stand for the whole text's ends (or, with `(?m)`, a line's).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternDocument {
    /// Its type, as rules and records name it: letters, digits and `_`, starting with a letter.
    pub name: String,
    /// Its group; `custom` where nothing is said.
    #[serde(default)]
    pub group: Option<Group>,
    /// The expression. A literal start makes it cheap.
    pub pattern: String,
    /// Words of which one must stand near a match; none needed where empty. Case does not matter (ASCII).
    #[serde(default)]
    pub context: OneOrMany<String>,
    /// How near, in bytes before or after the match: 1 to 512; 64 where nothing is said.
    #[serde(default)]
    pub within: Option<u16>,
    /// The score of its findings, from 0 to 1; 0.9 where nothing is said.
    #[serde(default)]
    pub score: Option<f32>,
    /// A check that the digits of a match must pass.
    #[serde(default)]
    pub check: Option<CheckDocument>,
}

/// A check over the digits of a match; where it says so, over its letters too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDocument {
    /// ISO/IEC 7812-1.
    Luhn,
    /// ISO 7064, mod 97-10, over digits and letters: the remainder is 1.
    #[serde(rename = "mod97")]
    Mod97,
    /// ISO 7064, mod 11,10.
    #[serde(rename = "mod11_10")]
    Mod1110,
    /// Verhoeff's.
    Verhoeff,
}

/// A detector by words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DictionaryDocument {
    /// Its type, as rules and records name it: letters, digits and `_`, starting with a letter.
    pub name: String,
    /// Its group; `custom` where nothing is said.
    #[serde(default)]
    pub group: Option<Group>,
    /// Words and phrases. A space stands for any white space.
    pub words: Vec<String>,
    /// Whether case matters.
    #[serde(default)]
    pub case_sensitive: bool,
    /// Whether only whole words count; true where nothing is said. Words in scripts that write no spaces
    /// (Chinese, Japanese, Thai, ...) are found within others in any case.
    #[serde(default = "yes")]
    pub whole_words: bool,
}

/// Values that are known, without the policy holding them. `doorward digest` makes such an entry of a list of values. They are
/// found as they are in the list or with other separators (spaces between numbers, `-`, `.`, `_`, `/`) and in any case. Each has
/// at least one digit, 5 to 40 letters and digits of ASCII, and is written in at most four runs of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExactDocument {
    /// Its type, as rules and records name it: letters, digits and `_`, starting with a letter.
    pub name: String,
    /// Its group; `custom` where nothing is said.
    #[serde(default)]
    pub group: Option<Group>,
    /// The key of the digests: at least 32 bytes.
    pub key: SecretRef,
    /// The least number of letters and digits that a value has: other runs of them are not tried.
    pub least: u16,
    /// The greatest.
    pub most: u16,
    /// The digests: of each value the first eight bytes of HMAC-SHA-256, one after the other, in base64. A list may have them in
    /// several texts.
    pub digests: OneOrMany<String>,
}

/// What a text is about.
///
/// A topic (mergers, salaries, a product that is not out yet) is a linear model over words, pairs of words and parts of words.
/// `doorward-train topic` trains it on examples of texts that speak of it and of texts that do not, and writes an entry as
/// this. Its findings are the sentences that speak of it, of group `business`; `all` does not select it. Only whole texts are
/// judged: in an answer that is streamed, only under `stream: hold_all`. At most 16.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicDocument {
    /// Its type, as rules and records name it: letters, digits and `_`, starting with a letter.
    pub name: String,
    /// The weights, in base64: up to 32 KB before.
    pub weights: String,
    /// The score (0 to 1) from which sentences count; an entry of `thresholds` goes before it. Default 0.5.
    #[serde(default = "half")]
    pub threshold: f32,
}

/// Values that are never reported.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowDocument {
    /// The type it is about; every type where nothing is said.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Values, or globs over them (`*@example.com`). Case does not matter (ASCII).
    pub values: OneOrMany<String>,
}

fn half() -> f32 {
    0.5
}

fn yes() -> bool {
    true
}
