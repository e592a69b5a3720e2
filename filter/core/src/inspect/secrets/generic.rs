//! GENERIC_SECRET: what looks random and is given to a name such as `token`, `api_key` or `password`.
//!
//! Most of what detectors of this kind report is none: names of things, paths, hashes, ids. So the value must have
//! digits and letters that make no words, the name must not say that it is something else, and where it says little
//! (`key`, `auth`) the value must be long and mixed. What people choose as passwords looks like words; it counts behind
//! names of passwords only.

use super::super::Candidate;
use super::super::bytes::{self, ALPHA, HEX, Set};
use super::super::checks::entropy;
use super::super::types::Type;
use super::assign::{self, Assigned};
use super::connection::is_stand_in;
use super::{is_placeholder, words};

/// What a name has in it.
pub(super) const WORDS: &[&str] =
    &["token", "secret", "passw", "passphrase", "pwd", "credential", "creds", "auth", "key"];

/// What a value consists of.
static VALUE: Set = Set::new(b"aA0", b"_.=+/~-");
/// The same right behind `=`: what has another one is a list of names and values.
static ADJACENT: Set = Set::new(b"aA0", b"_.+/~-");
/// What a password consists of that is no path, time or list.
static CHOSEN: Set = Set::new(b"aA0", b"_-+.~%|@!#$*^?&");
static NAME: Set = Set::new(b"aA0", b"_-.");
const MIN: usize = 10;
const MAX: usize = 150;
const PASSWORD_MIN: usize = 6;
const PASSWORD_MAX: usize = 64;

/// Words of names that are given to something else, whatever stands beside them. Sorted by what they are about.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "public", "pub", "pubkey", "publickey", "publishable", "site", "sitekey",
    "primary", "foreign", "partition", "sort", "hash", "hashed", "hashes", "cache", "index", "idx", "column", "field", "row", "table",
    "event", "press", "down", "up", "keyboard", "keyboards", "keydown", "keyup", "keypress", "keyframe", "keyframes", "keyword", "keywords", "monkey", "monkeys", "hotkey", "keying",
    "name", "names", "label", "title", "text", "id", "ids", "uuid", "guid", "url", "uri", "path", "file", "filename", "keyfile", "dir", "store", "keystore", "source",
    "size", "length", "len", "count", "max", "min", "limit", "num", "type", "kind", "class", "version", "date", "time", "expires", "ttl", "age",
    "secretary", "secretariat", "next", "prev", "page", "cursor", "continuation", "tokenizer", "author", "authors", "authority",
    "checksum", "digest", "sha", "md", "fingerprint", "thumbprint", "commit",
];

/// What makes a `key` one to a door.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "api", "access", "secret", "private", "encrypt", "auth", "account", "sign", "master", "client", "service", "licen", "subscription",
    "admin", "storage", "shared", "server", "webhook", "session", "cookie", "jwt", "hmac", "ssh", "crypt", "deploy", "consumer", "secur",
    "app", "token", "pass",
];

pub(super) fn find(bytes: &[u8], at: usize, end: usize) -> Option<Candidate> {
    let assigned = assign::find(bytes, at, end)?;
    let word = bytes.get(at..end)?;
    let password = matches!(word.first(), Some(b'p' | b'P'));
    let (end, score) = random(bytes, at, &assigned)
        .map(|end| (end, 0.6))
        .or_else(|| if password { chosen(bytes, at, &assigned).map(|end| (end, 0.55)) } else { None })?;
    let (start, kind) = (assigned.start, Type::GenericSecret);
    let test_value = is_placeholder(bytes.get(start..end)?);
    Some(Candidate { kind, start, end, score, checked: false, test_value })
}

/// Where a value ends that looks random.
fn random(bytes: &[u8], at: usize, assigned: &Assigned) -> Option<usize> {
    let start = assigned.start;
    let set = if assigned.adjacent { &ADJACENT } else { &VALUE };
    let mut length = set.run(bytes, start, MAX + 1);
    while assigned.adjacent && bytes::at(bytes, start + length) == b'=' && length > 0 && length <= MAX {
        length += 1;
    }
    let value = bytes.get(start..start + length).filter(|value| value.len() <= MAX)?;
    let value = value.get(..value.iter().rposition(|b| *b != b'.')? + 1)?;
    let end = start + value.len();
    let looks = value.len() >= MIN && assign::ends(bytes, end) && looks_random(value, assigned);
    let name = name(bytes, at, assigned);
    (looks && !is_other(name) && (tells(name) || is_strong(value))).then_some(end)
}

fn looks_random(value: &[u8], assigned: &Assigned) -> bool {
    value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic)
        && !matches!(value, [b'/' | b'.' | b'~' | b'-' | b'=', ..])
        && !is_file(value, assigned.quoted)
        && !is_literal(value, assigned.quoted)
        && entropy(value) >= least_entropy(value)
        && words::share(value) < if value.len() < 20 { 50 } else { 45 }
}

/// Fewer characters cannot have more.
fn least_entropy(value: &[u8]) -> f32 {
    match value.len() {
        _ if is_uuid(value) => 2.5,
        ..16 => 2.9,
        _ if value.iter().all(|b| HEX.contains(*b)) => 3.0,
        _ => 3.5,
    }
}

/// Where a value ends that somebody may have chosen as a password.
fn chosen(bytes: &[u8], at: usize, assigned: &Assigned) -> Option<usize> {
    let start = assigned.start;
    let length = CHOSEN.run(bytes, start, PASSWORD_MAX + 1);
    let value = bytes.get(start..start + length)?;
    let value = value.get(..value.iter().rposition(|b| !b".?".contains(b))? + 1)?;
    let end = start + value.len();
    let fits = (PASSWORD_MIN..=PASSWORD_MAX).contains(&value.len()) && assign::ends(bytes, end);
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let signs = value.iter().filter(|b| b"!@#$%^*&+~?".contains(b)).count();
    let mixed = letters > 0 && (digits > 0 || signs > 0) && digits + signs < value.len();
    let code = matches!(value, [b'$' | b'%' | b'@' | b'&' | b'*' | b'-' | b'.' | b'#', ..])
        || (!assigned.quoted && value.contains(&b'.'));
    let named = ["pass", "pwd", "secret", "user", "name", "string", "value", "field", "input"];
    let named = named.iter().any(|word| contains(value, word));
    let code = code || is_literal(value, assigned.quoted);
    (fits && mixed && !code && !named && !is_stand_in(value) && !is_other(name(bytes, at, assigned))).then_some(end)
}

/// The name that has its word at `at`: what stands before the operator, and the word before the name.
fn name<'t>(bytes: &'t [u8], at: usize, assigned: &Assigned) -> &'t [u8] {
    let mut from = at - NAME.run_back(bytes, at, 40);
    if bytes::before(bytes, from) == b' ' {
        from -= 1 + ALPHA.run_back(bytes, from - 1, 16);
    }
    bytes.get(from..assigned.name_end).unwrap_or_default()
}

/// Whether a word of the name says that it is given to something else.
fn is_other(name: &[u8]) -> bool {
    let mut start = 0;
    for end in 1..=name.len() {
        let (last, next) = (bytes::at(name, end - 1), bytes::at(name, end));
        let goes_on = next.is_ascii_alphabetic()
            && last.is_ascii_alphabetic()
            && !(last.is_ascii_lowercase() && next.is_ascii_uppercase());
        if !goes_on {
            let word = name.get(start..end).unwrap_or_default();
            if last.is_ascii_alphabetic() && OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes())) {
                return true;
            }
            start = end;
        }
    }
    false
}

/// Whether the name is one of a secret, not only of a key to something.
fn tells(name: &[u8]) -> bool {
    ["token", "secret", "passw", "passphrase", "pwd", "credential", "creds"].iter().any(|word| contains(name, word))
        || KEYS.iter().any(|word| contains(name, word)) && contains(name, "key")
}

/// Long and mixed, as nobody would name anything.
fn is_strong(value: &[u8]) -> bool {
    value.len() >= 20
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase)
        && !value.iter().all(|b| HEX.contains(*b) || *b == b'-')
        && entropy(value) >= 4.0
        && words::share(value) < 42
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36 && [8, 13, 18, 23].iter().all(|i| bytes::at(value, *i) == b'-')
}

/// A file's name, or (without quotes) a member of something.
fn is_file(value: &[u8], quoted: bool) -> bool {
    let Some(dot) = value.iter().rposition(|b| *b == b'.') else { return false };
    let extension = value.get(dot + 1..).unwrap_or_default();
    let letter = extension.first().is_some_and(u8::is_ascii_alphabetic);
    letter && (extension.len() <= 4 || !quoted && words::share(value) > 25)
}

/// A number as programs write it, with its base or type; or (without quotes) the name of a constant.
pub(super) fn is_literal(value: &[u8], quoted: bool) -> bool {
    let number = value.strip_prefix(b"-").unwrap_or(value);
    let hex = matches!(number, [b'0', b'x' | b'X', ..]) && number.len() <= 24;
    let digits = number.iter().take_while(|b| b.is_ascii_digit() || **b == b'_' || **b == b'.').count();
    // `u32`, `px`, `ms`.
    let unit = digits > 0 && number.len() - digits <= 3;
    let constant = !quoted && value.contains(&b'_') && !value.iter().any(u8::is_ascii_lowercase);
    hex || unit || constant && words::share(value) > 25
}

fn contains(text: &[u8], word: &str) -> bool {
    super::super::work::add(text.len());
    text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}
