//! Credentials and keys.
//!
//! Most are rows of the table in [`tokens`]: a prefix, then runs of known alphabets and lengths, then a
//! floor for the entropy, so that `xxxx` and words are left alone. What needs more than that has a
//! function: [`private_key`], [`jwt`], [`keyed`], [`connection`].
//!
//! Others have no sign of their own, and count as what they are given to: [`assign`] reads `name = value`,
//! [`vendors`] has the values of each vendor, [`generic`] those of names such as `token` and `password`.

pub(super) mod assign;
mod bic;
mod connection;
mod generic;
mod header;
mod jwt;
mod keyed;
pub(super) mod private_key;
pub(super) mod reach;
pub(super) mod tokens;
pub(super) mod vendors;
mod words;

use super::anchors::Anchors;
use super::bytes::{self, Set};
use super::checks::{ends_with_crc, entropy};
use super::types::Type;
use super::{Candidate, Sight, Span};
use tokens::TOKENS;

/// A token format.
pub(super) struct Token {
    pub(super) kind: Type,
    /// Where the prefilter finds it: the prefix, or longer starts where that has only two bytes.
    pub(super) anchors: &'static [&'static str],
    /// The length of the prefix; the same for all anchors.
    pub(super) prefix: usize,
    /// What follows the prefix.
    pub(super) body: &'static [Part],
    /// What may stand before.
    pub(super) left: Left,
    /// The least entropy of the whole, in bits per byte.
    pub(super) entropy: f32,
}

/// A piece of a token.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// These bytes.
    Lit(&'static str),
    /// The longest run of the set, from so many bytes to so many.
    Run(&'static Set, usize, usize),
    /// A digit somewhere in what was read so far behind the prefix.
    Digit,
}

/// What may stand before a token.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Left {
    /// Anything: the prefix is telling enough.
    Any,
    /// No letter, digit or `_`.
    Word,
    /// Nor a hyphen.
    Hyphen,
    /// Nor a dot or slash, as in the names of files.
    File,
    /// Like [`Left::Word`]; `https://` and a host's first labels belong to the value.
    Url,
}

/// A run of this many is taken as far as it goes; whatever follows, the token is there.
pub(super) const OPEN: usize = 255;

/// What a function found.
struct Hit {
    start: usize,
    end: usize,
    score: f32,
    test_value: bool,
}

/// What functions remember within one text, to stay linear.
#[derive(Default)]
struct Memo {
    /// What stands behind a value is not looked at, and what is open-ended has a bound.
    left: bool,
    /// No `-----END` follows the place where one was looked for last.
    no_end: bool,
    /// Where the last key that names a server ended, and how far was looked.
    server: Option<usize>,
    searched_to: usize,
    /// Where the last value of a `password=` ended.
    value_end: usize,
}

struct Function {
    kind: Type,
    /// Any case; exact where `exact`.
    anchors: &'static [&'static str],
    exact: bool,
    find: fn(&[u8], usize, &mut Memo) -> Option<Hit>,
}

#[rustfmt::skip]
const FUNCTIONS: &[Function] = &[
    Function { kind: Type::PrivateKey, anchors: &["-----BEGIN"], exact: true, find: private_key::find },
    Function { kind: Type::JsonWebToken, anchors: &["eyJ", "eyA", "ewo", "ew0"], exact: true, find: jwt::find },
    Function { kind: Type::OpenaiApiKey, anchors: &["sk-"], exact: true, find: keyed::openai },
    Function { kind: Type::AwsSecretKey, anchors: &["aws_secret", "aws-secret", "awssecret", "secret_access_key", "secretaccesskey", "secret-access-key", "secret access key"], exact: false, find: keyed::aws_secret },
    Function { kind: Type::AwsSecretKey, anchors: &["AKIA", "ASIA"], exact: true, find: keyed::aws_pair },
    Function { kind: Type::AzureClientSecret, anchors: &["0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"], exact: true, find: keyed::azure_client },
    Function { kind: Type::TelegramBotToken, anchors: &[":AA"], exact: true, find: keyed::telegram },
    Function { kind: Type::TerraformToken, anchors: &[".atlasv1."], exact: true, find: keyed::terraform },
    Function { kind: Type::UrlCredentials, anchors: &["://"], exact: true, find: connection::url },
    Function { kind: Type::SwiftBic, anchors: &["swift", "bic"], exact: false, find: bic::find },
    Function { kind: Type::ConnectionString, anchors: &["password=", "pwd=", "password ="], exact: false, find: connection::string },
];

/// Rows and functions that start at their anchors; those that are given to names follow.
pub(super) const AT_ANCHORS: usize = TOKENS.len() + FUNCTIONS.len();
pub(super) const COUNT: usize = AT_ANCHORS + vendors::COUNT;

/// The literals to look for; their ids are the indices of [`TOKENS`], then of [`FUNCTIONS`], then of
/// [`vendors::NAMED`].
pub(super) fn anchors() -> Anchors {
    anchors_of(|_| true)
}

/// The same for some of the ids.
pub(super) fn anchors_of(keep: impl Fn(u16) -> bool) -> Anchors {
    let tokens = TOKENS.iter().map(|t| (t.anchors, true));
    let functions = FUNCTIONS.iter().map(|f| (f.anchors, f.exact));
    let named = vendors::NAMED.iter().map(|n| (n.words, false));
    let rows = tokens.chain(functions).chain(named).zip(0u16..).filter(|(_, id)| keep(*id));
    let literals = rows.flat_map(|((anchors, exact), id)| anchors.iter().map(move |a| (*a, exact, id)));
    // The search for what names a server remembers where it was.
    let remembers = |f: &Function| f.kind == Type::ConnectionString;
    Anchors::new(literals, |id| FUNCTIONS.get(usize::from(id).wrapping_sub(TOKENS.len())).is_some_and(remembers))
}

pub(super) fn scan(anchors: &Anchors, span: Span<'_>, found: &mut Vec<Candidate>) {
    let bytes = span.text.as_bytes();
    let mut memo = Memo { left: span.sight == Sight::Left, ..Memo::default() };
    // By id: where the last value ended. A row finds nothing inside its own value.
    let mut ends = [0usize; AT_ANCHORS];
    // A value may be given to a name that stands before the part.
    anchors.scan(bytes, span.from.saturating_sub(assign::LEFT), |at, id| {
        let id = usize::from(id);
        if let Some(named) = id.checked_sub(AT_ANCHORS).and_then(|id| vendors::NAMED.get(id)) {
            found.extend(named.find(bytes, at));
            return;
        }
        let Some(end) = ends.get_mut(id).filter(|end| **end <= at && at >= span.from) else { return };
        let hit = match (TOKENS.get(id), FUNCTIONS.get(id.wrapping_sub(TOKENS.len()))) {
            (Some(token), _) => token.find(bytes, at).map(|hit| (token.kind, hit)),
            (None, Some(function)) => (function.find)(bytes, at, &mut memo).map(|hit| (function.kind, hit)),
            (None, None) => None,
        };
        let Some((kind, hit)) = hit else { return };
        *end = hit.end;
        let Hit { start, end, score, test_value } = hit;
        found.push(Candidate { kind, start, end, score, checked: true, test_value });
    });
}

impl Token {
    fn find(&self, bytes: &[u8], at: usize) -> Option<Hit> {
        if !self.left.fits(bytes, at) {
            return None;
        }
        let body = at + self.prefix;
        let (end, last) = read(self.body, bytes, body)?;
        if let Some((set, open)) = last {
            let next = bytes::at(bytes, end);
            if !open && (next.is_ascii_alphanumeric() || (set.contains(next) && !b".=".contains(&next))) {
                return None;
            }
        }
        let value = bytes.get(at..end)?;
        if entropy(value) < self.entropy {
            return None;
        }
        let start = if self.left == Left::Url { scheme(bytes, at) } else { at };
        // Some say themselves whether they are one; where that is wrong, it may be one that was retyped.
        let payload = value.get(self.prefix..).filter(|payload| payload.len() == 36);
        let score = match payload.filter(|_| matches!(self.kind, Type::GithubToken | Type::NpmToken)) {
            Some(payload) if ends_with_crc(payload) => 0.99,
            Some(_) => 0.8,
            None => 0.95,
        };
        Some(Hit { start, end, score, test_value: is_placeholder(value) })
    }
}

/// Reads parts from `at` on: where they end, and the set of the last run and whether it is open.
fn read(parts: &[Part], bytes: &[u8], at: usize) -> Option<(usize, Option<(&'static Set, bool)>)> {
    let mut end = at;
    let mut last: Option<(&Set, bool)> = None;
    for part in parts {
        match part {
            Part::Lit(literal) => {
                if !bytes::stands(bytes, end, literal) {
                    return None;
                }
                end += literal.len();
                last = last.map(|(set, _)| (set, false));
            }
            Part::Run(set, least, most) => {
                let length = set.run(bytes, end, *most);
                // A dot that an alphabet has may be the end of the sentence.
                let text = bytes.get(end..end + length)?;
                let length = text.iter().rposition(|b| *b != b'.').map_or(0, |last| last + 1);
                if length < *least {
                    return None;
                }
                end += length;
                last = Some((set, *most >= OPEN));
            }
            Part::Digit => {
                if !bytes.get(at..end)?.iter().any(u8::is_ascii_digit) {
                    return None;
                }
            }
        }
    }
    Some((end, last))
}

impl Left {
    fn fits(self, bytes: &[u8], at: usize) -> bool {
        let before = bytes::before(bytes, at);
        match self {
            Left::Any => true,
            _ if bytes::escape_before(bytes, at) => true,
            Left::Word | Left::Url => !bytes::WORD.contains(before),
            Left::Hyphen => !bytes::URL64.contains(before),
            Left::File => !bytes::URL64.contains(before) && !b"./".contains(&before),
        }
    }
}

/// Where `https://` and the labels before `at` start.
fn scheme(bytes: &[u8], at: usize) -> usize {
    static LABELS: Set = Set::new(b"aA0", b".-");
    let host = at - LABELS.run_back(bytes, at, 64);
    let before = bytes.get(..host).unwrap_or_default();
    let scheme = ["https://", "http://"].into_iter().find(|s| before.ends_with(s.as_bytes()));
    scheme.map_or(at, |s| host - s.len())
}

/// Values that documentation prints.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    value.iter().enumerate().any(|(i, b)| {
        let sign = match b.to_ascii_lowercase() {
            b'e' => "example",
            b'a' => "abcdefghijkl",
            b'1' => "1234567890",
            b'0' => "0123456789",
            b'p' => "placeholder",
            _ => return false,
        };
        bytes::stands_folded(value, i, sign)
    })
}
