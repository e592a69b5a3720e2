//! HTTP_AUTHORIZATION: what stands behind `Authorization:` with or without a scheme, and `user:password` behind
//! curl's `-u`.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::Candidate;
use super::super::bytes::{self, Set};
use super::super::checks::entropy;
use super::super::types::Type;
use super::connection::is_stand_in;
use super::{assign, generic, is_placeholder, words};

pub(super) const NAMES: &[&str] = &["authorization"];
pub(super) const OPTIONS: &[&str] = &[" -u", "--user"];

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

static VALUE: Set = Set::new(b"aA0", b"_=~@.+/-");
static OPEN: Set = Set::new(b"", b" \t='\"");
static USER: Set = Set::new(b"aA0", b"_.@+-");
static PASSWORD: Set = Set::new(b"aA0", b"_.@+/=~!#%^*?-");
const LEAST: usize = 8;
/// How far before the option its command is named.
pub(super) const COMMAND: usize = 240;

/// What an `Authorization` that ends at `end` is given.
pub(super) fn authorization(bytes: &[u8], at: usize, end: usize) -> Option<Candidate> {
    let start = assign::find(bytes, at, end)?.start;
    let end = start + VALUE.run(bytes, start, assign::MAX);
    let value = bytes.get(start..end)?;
    let value = value.get(..value.iter().rposition(|b| *b != b'.')? + 1)?;
    let end = start + value.len();
    let pair = ENGINE.decode(value).is_ok_and(|pair| {
        let colon = pair.iter().position(|b| *b == b':');
        pair.iter().all(|b| b.is_ascii_graphic()) && colon.is_some_and(|i| i > 0 && i + 3 < pair.len())
    });
    let digit = value.iter().any(u8::is_ascii_digit);
    let literal = generic::is_literal(value, false);
    let random = digit && !literal && entropy(value) >= 2.75 && words::share(value) < 60;
    let whole = value.len() == assign::MAX || assign::ends(bytes, end);
    if value.len() < LEAST || !(pair || random) || !whole {
        return None;
    }
    let kind = Type::HttpAuthorization;
    Some(Candidate { kind, start, end, score: 0.85, checked: pair, test_value: is_placeholder(value) })
}

/// What curl's `-u` is given; `end` is where the option ends.
pub(super) fn user(bytes: &[u8], at: usize, end: usize) -> Option<Candidate> {
    let start = end + OPEN.run(bytes, end, 4);
    if start == end {
        return None;
    }
    let user = USER.run(bytes, start, 64);
    let colon = start + user;
    if bytes::at(bytes, colon) != b':' {
        return None;
    }
    let quoted = assign::is_quote(bytes::at(bytes, colon + 1));
    let from = colon + 1 + usize::from(quoted);
    let end = from + PASSWORD.run(bytes, from, 128);
    let (name, password) = (bytes.get(start..colon)?, bytes.get(from..end)?);
    let random = password.iter().any(u8::is_ascii_digit) || words::share(password) < 45;
    let secret =
        password.len() >= 4 && random && password != name && !is_stand_in(password) && assign::ends(bytes, end);
    let limit = at.saturating_sub(COMMAND);
    if !secret || bytes::find(bytes, "curl", limit, at).is_none() {
        return None;
    }
    let (kind, start) = (Type::HttpAuthorization, if quoted { from } else { start });
    Some(Candidate { kind, start, end, score: 0.8, checked: false, test_value: is_placeholder(password) })
}
