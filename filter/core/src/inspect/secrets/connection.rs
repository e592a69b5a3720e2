//! URL_CREDENTIALS: `scheme://user:password@host` (RFC 3986, 3.2.1). CONNECTION_STRING: the password among
//! `key=value` pairs that describe a server.

use super::super::bytes::{self, ALNUM, Set};
use super::{Hit, Memo, is_placeholder};

/// The longest user information, and the longest password looked at.
pub(super) const MAX: usize = 256;

/// What user information and a host consist of, and more than RFC 3986 allows.
pub(super) static INFORMATION: Set = Set::except(b"/?#\"'<>\\`|,");
/// What a value consists of.
pub(super) static VALUE: Set = Set::except(b";\"'`<>&,");
static HOST: Set = Set::new(b"aA0", b".-_");

pub(super) fn url(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    if ALNUM.run_back(bytes, at, 1) == 0 {
        return None;
    }
    let start = at + 3;
    let length = INFORMATION.run(bytes, start, MAX);
    let authority = bytes.get(start..start + length)?;
    // A password may hold an `@` that should have been encoded.
    let sign = authority.iter().rposition(|b| *b == b'@')?;
    let (info, host) = authority.split_at_checked(sign)?;
    let colon = info.iter().position(|b| *b == b':')?;
    let (user, password) = (info.get(..colon)?, info.get(colon + 1..)?);
    let host_length = HOST.run(host, 1, MAX);
    let bracketed = host.get(1) == Some(&b'[');
    if password.len() < 3 || is_stand_in(password) || (host_length == 0 && !bracketed) || host.get(1) == Some(&b'{') {
        return None;
    }
    let score = if password == user { 0.4 } else { 0.9 };
    let end = start + sign + 1 + host_length;
    Some(Hit { start, end, score, test_value: is_placeholder(password) })
}

pub(super) fn string(bytes: &[u8], at: usize, memo: &mut Memo) -> Option<Hit> {
    // Inside a value there is no key.
    if at < memo.value_end || ALNUM.run_back(bytes, at, 1) > 0 {
        return None;
    }
    let equals = bytes.get(at..)?.iter().take(12).position(|b| *b == b'=')?;
    let start = at + equals + 1;
    let start = start + usize::from(bytes::at(bytes, start) == b' ');
    let length = VALUE.run(bytes, start, MAX);
    // The bound may cut a character in half.
    let half =
        bytes.get(..start + length + 1).unwrap_or_default().iter().rev().take_while(|b| **b & 0xC0 == 0x80).count();
    let length = length.saturating_sub(half);
    memo.value_end = start + length;
    let value = bytes.get(start..start + length)?;
    if value.len() < 4 || is_stand_in(value) || is_code(value) {
        return None;
    }
    let server = memo.server_near(
        bytes,
        at.saturating_sub(REACH),
        if memo.left { start + length } else { (start + length + REACH).min(bytes.len()) },
    );
    server.then_some(Hit { start, end: start + length, score: 0.9, test_value: is_placeholder(value) })
}

/// How far from the password the server is named, in bytes.
const REACH: usize = 160;
/// The keys of ADO.NET, ODBC, JDBC and libpq that name a server or an account on one.
const SERVER: [&[u8]; 14] = [
    b"server=",
    b"data source=",
    b"datasource=",
    b"host=",
    b"hostname=",
    b"user id=",
    b"user=",
    b"username=",
    b"uid=",
    b"initial catalog=",
    b"dbname=",
    b"database=",
    b"driver=",
    b"dsn=",
];
const LONGEST_KEY: usize = 16;
/// How far back a value looks.
pub(super) const LEFT: usize = REACH + LONGEST_KEY;

impl Memo {
    /// Whether one of [`SERVER`] stands in `from..to`. Windows come in the order of the text, and no part of
    /// it is searched twice.
    fn server_near(&mut self, bytes: &[u8], from: usize, to: usize) -> bool {
        // A key that ends in the window may start before it.
        let fresh = from.max(self.searched_to).saturating_sub(LONGEST_KEY);
        if let Some(window) = bytes.get(fresh..to) {
            super::super::work::add(window.len());
            let equals = window.iter().enumerate().rev().filter(|(_, b)| **b == b'=').map(|(i, _)| i + 1);
            let named = |end: &usize| {
                let head = window.get(..*end).unwrap_or_default();
                SERVER.iter().any(|key| {
                    head.len()
                        .checked_sub(key.len())
                        .and_then(|i| head.get(i..))
                        .is_some_and(|w| w.eq_ignore_ascii_case(key))
                })
            };
            if let Some(end) = equals.into_iter().find(named) {
                self.server = Some(fresh + end);
            }
            self.searched_to = self.searched_to.max(to);
        }
        self.server.is_some_and(|end| end > from && end <= to)
    }
}

/// A call, an element, a member: what a program has instead of a password.
fn is_code(value: &[u8]) -> bool {
    let opens = value.windows(2).any(|w| matches!(w, [a, b'(' | b'['] if a.is_ascii_alphanumeric() || *a == b'_'));
    let member = value.contains(&b'.') && value.iter().all(|b| b.is_ascii_alphabetic() || b"._)".contains(b));
    opens || member
}

/// What stands where a password would: a variable, a template, a mask, the word itself.
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 20] = [
        b"password",
        b"passwd",
        b"pass",
        b"pwd",
        b"secret",
        b"changeme",
        b"yourpassword",
        b"your_password",
        b"your-password",
        b"mypassword",
        b"my_password",
        b"token",
        b"redacted",
        b"hidden",
        b"dbpassword",
        b"none",
        b"null",
        b"true",
        b"false",
        b"string",
    ];
    let variable = matches!(value, [b'$' | b'{' | b'<' | b'[' | b'%' | b'(', ..]);
    let template = value.windows(2).any(|w| matches!(w, b"${" | b"{{" | b"$(" | b"%s"));
    let first = value.first();
    let mask = value.iter().all(|b| Some(b) == first && b"*xX.-_#".contains(b));
    variable || template || mask || WORDS.iter().any(|w| w.eq_ignore_ascii_case(value))
}
