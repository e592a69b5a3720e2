//! What a name is given: the value behind `name = `, `"name": "`, `<name>`, `setProperty("name", "`, `--name `,
//! `name is ` and `name: NAME`, `value: ` as in lists of variables.
//!
//! Everything is bounded: how far the value can be from the keyword is [`ARMED`], and a value is looked for once per
//! keyword. This reads where a value starts; what it may look like is for `vendors`, `generic` and `header` to say.

use super::super::bytes::{self, ALNUM, Set};

/// How the rest of a name looks, and the words of a declaration: `adafruit` + `Token string`.
static NAME: Set = Set::new(b"aA0", b"_.- \t");
static WORD: Set = Set::new(b"aA0", b"_-.");
static SPACE: Set = Set::new(b"", b" \t");
/// What may stand between a name and an operator.
static CLOSE: Set = Set::new(b"", b" \t\r\n'\"`]\\");
/// The same where a member called `value` follows.
static GAP: Set = Set::new(b"", b" \t\r\n'\"`,\\");
static OPERATOR: Set = Set::new(b"", b"=>:|?,");
/// What may stand between an operator and a value.
static LEAD: Set = Set::new(b"", b" \t\r\n'\"`=\\(");
static TYPE: Set = Set::new(b"aA0", b"_<>");

const REST: usize = 20;
const MOST_CLOSE: usize = 4;
const MOST_GAP: usize = 32;
const MOST_OPERATOR: usize = 4;
const MOST_LEAD: usize = 24;
/// `: &`, a type, ` =`.
const MOST_TYPE: usize = 26;
const SCHEMES: [&str; 6] = ["bearer ", "basic ", "token ", "apikey ", "api-token ", "api-key "];
/// A scheme, or the sign before a string, with its quote.
const MOST_PREFIX: usize = 10;

/// How far behind a keyword its value starts at most.
pub(in super::super) const ARMED: usize =
    REST + MOST_GAP + 5 + MOST_CLOSE + MOST_OPERATOR + MOST_TYPE + MOST_LEAD + MOST_PREFIX + 2;
/// The longest keyword.
pub(super) const LONGEST: usize = 40;
/// How far before a keyword its name is looked at.
pub(super) const BEFORE: usize = 60;
/// How far a value looks back.
pub(in super::super) const LEFT: usize = ARMED + LONGEST + BEFORE;

/// Where a value starts, and what it is given to.
pub(super) struct Assigned {
    pub(super) start: usize,
    /// Where the name and the words behind it end.
    pub(super) name_end: usize,
    /// A quote opens it.
    pub(super) quoted: bool,
    /// A `=` stands right before it.
    pub(super) adjacent: bool,
}

/// The value behind a keyword that stands from `at` to `end`.
pub(super) fn find(bytes: &[u8], at: usize, end: usize) -> Option<Assigned> {
    let name_end = end + NAME.run(bytes, end, REST);
    // A value may hold an operator itself: ` is ` comes first.
    let (behind, name_end) = word(bytes, at, end, name_end).or_else(|| {
        let close = name_end + CLOSE.run(bytes, name_end, MOST_CLOSE);
        let behind = member(bytes, name_end).or_else(|| operator(bytes, close))?;
        Some((behind, name_end))
    })?;
    let start = start(bytes, behind);
    let before = bytes::before(bytes, start);
    Some(Assigned { start, name_end, quoted: is_quote(before), adjacent: before == b'=' })
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Behind a member `value` that follows the name: in Kubernetes, Compose, Postman and XML.
fn member(bytes: &[u8], at: usize) -> Option<usize> {
    let gap = GAP.run(bytes, at, MOST_GAP);
    let value = at + gap;
    if gap == 0 || !bytes::stands_folded(bytes, value, "value") {
        return None;
    }
    let close = value + 5 + CLOSE.run(bytes, value + 5, MOST_CLOSE);
    matches!(bytes::at(bytes, close), b'=' | b':').then_some(close + 1)
}

/// Behind the operator at `at`.
fn operator(bytes: &[u8], at: usize) -> Option<usize> {
    let behind = at + OPERATOR.run(bytes, at, MOST_OPERATOR);
    match bytes.get(at..behind)? {
        b":" => Some(annotation(bytes, behind).unwrap_or(behind)),
        // The arguments of a call.
        b"," => {
            let next = behind + SPACE.run(bytes, behind, 2);
            let quotes =
                is_quote(bytes::before(bytes, at)) && matches!(bytes::at(bytes, next), b'"' | b'\'' | b'`' | b'\\');
            quotes.then_some(behind)
        }
        b"||" => Some(behind),
        text => text
            .iter()
            .all(|b| *b != b',' && *b != b'|')
            .then_some(())
            .filter(|()| text != b"?" && !text.is_empty())
            .map(|()| behind),
    }
}

/// Behind the `=` that follows a type: `: &str = `.
fn annotation(bytes: &[u8], at: usize) -> Option<usize> {
    let sign = at + SPACE.run(bytes, at, 2);
    let kind = sign + usize::from(bytes::at(bytes, sign) == b'&');
    let length = TYPE.run(bytes, kind, 20);
    let equals = kind + length + SPACE.run(bytes, kind + length, 2);
    (length > 1 && bytes::at(bytes, equals) == b'=' && equals > kind + length).then_some(equals + 1)
}

/// Behind ` is `, or the space that ends an option of a command; and where the name ends.
fn word(bytes: &[u8], at: usize, end: usize, name_end: usize) -> Option<(usize, usize)> {
    let rest = bytes.get(end..name_end)?;
    if let Some(is) = rest.windows(4).position(|w| w.eq_ignore_ascii_case(b" is ")) {
        return Some((end + is + 4, end + is));
    }
    let word = end + WORD.run(bytes, end, REST);
    let name = at - WORD.run_back(bytes, at, BEFORE);
    let option = bytes::at(bytes, name) == b'-' && SPACE.contains(bytes::at(bytes, word));
    let option = option && !OPERATOR.contains(bytes::at(bytes, word + 1));
    option.then_some((word + 1, word))
}

/// Where the value starts behind an operator: behind quotes, the sign of a string (`b"`), the scheme of a header.
fn start(bytes: &[u8], behind: usize) -> usize {
    let mut start = behind + LEAD.run(bytes, behind, MOST_LEAD);
    if b"bBrRuUfFL@".contains(&bytes::at(bytes, start)) && is_quote(bytes::at(bytes, start + 1)) {
        start += 2;
    }
    let scheme = SCHEMES.iter().find(|scheme| bytes::stands_folded(bytes, start, scheme));
    start + scheme.map_or(0, |scheme| scheme.len())
}

/// Whether a value may start behind `at`, as far as the few bytes before tell. More than [`find`] finds.
pub(in super::super) fn may_start(bytes: &[u8], at: usize) -> bool {
    static BETWEEN: Set = Set::new(b"", b" \t\r\n'\"`=\\(>:|?,");
    let length = BETWEEN.run_back(bytes, at, MOST_LEAD + MOST_OPERATOR);
    let between = bytes.get(at - length..at).unwrap_or_default();
    if length == 0 || between.iter().any(|b| OPERATOR.contains(*b)) {
        return length > 0;
    }
    // `is`, a scheme, the sign of a string, an option.
    let end = at - length;
    let letters = ALNUM.run_back(bytes, end, 8);
    let word = bytes.get(end - letters..end).unwrap_or_default();
    let sign = letters <= 2 && (is_quote(bytes::before(bytes, at)) || word.eq_ignore_ascii_case(b"is"));
    let scheme =
        SCHEMES.iter().any(|scheme| scheme.trim_end().as_bytes().ends_with(&word.to_ascii_lowercase()) && letters > 2);
    let name = WORD.run_back(bytes, end, BEFORE + LONGEST + REST);
    let option = bytes.get(end - name..end).is_some_and(|name| name.contains(&b'-'));
    sign || scheme || option || bytes::before(bytes, end) == b'@'
}

/// Whether a name's word can start at `at`: behind a letter only with a hump.
pub(super) fn starts_word(bytes: &[u8], at: usize) -> bool {
    let before = bytes::before(bytes, at);
    !before.is_ascii_alphabetic()
        || (before.is_ascii_lowercase() && bytes::at(bytes, at).is_ascii_uppercase())
        || bytes::escape_before(bytes, at)
}

/// Whether a value that ends at `end` is over there: what follows cannot be a part of one.
pub(super) fn ends(bytes: &[u8], end: usize) -> bool {
    let closes = |byte: u8| byte <= b' ' || byte >= 0x7F || b"'\"`;\\,)}]<>&".contains(&byte);
    match bytes::at(bytes, end) {
        b'.' | b'!' | b'?' => closes(bytes::at(bytes, end + 1)),
        next => closes(next),
    }
}

/// What any value consists of.
pub(in super::super) static VALUE: Set = Set::new(b"aA0", b"_-+/=.~%:|@!#$*^?&");
/// The longest.
pub(in super::super) const MAX: usize = 1024;
/// The shortest.
pub(in super::super) const MIN: usize = 6;
/// The shortest behind curl's `-u`: a colon and a password, without a user.
pub(in super::super) const MIN_OPTION: usize = 5;
