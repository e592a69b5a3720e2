//! Token formats that a prefix gives away: one row each, with samples that the tests run.
//!
//! A `¦` in a sample is left out when it is tested: what looks like a secret is not stored. For rows without samples
//! the tests make them up. The formats are those the vendors document or that gitleaks (MIT) lists.

mod platforms;
mod services;

use super::super::bytes::{ALNUM, DIGIT, HEX, Set, URL64, WORD};
use super::super::types::Type;
use super::Token;

static BASE32: Set = Set::new(b"A", b"234567");
static BASE64: Set = Set::new(b"aA0", b"+/=");
static BECH32: Set = Set::new(b"", b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L");
static CAPITALS: Set = Set::new(b"A0", b"");
static DASHED: Set = Set::new(b"aA0", b"-");
static DOTTED: Set = Set::new(b"aA0", b"_-.");
static DOTTED_EQUALS: Set = Set::new(b"aA0", b"_-.=");
static EQUALS: Set = Set::new(b"aA0", b"_-=");
static EITHER64: Set = Set::new(b"aA0", b"+/=_-");
static HEX_LOWER: Set = Set::new(b"0f", b"");
static LOWER: Set = Set::new(b"a0", b"");
static PAD: Set = Set::new(b"", b"=");
static PATH: Set = Set::new(b"aA0", b"+/");
static PERCENT: Set = Set::new(b"aA0", b"%+/=");
static SENDGRID: Set = Set::new(b"aA0", b"=_-.");
static TO_H: Set = Set::new(b"0fF", b"ghGH");

/// A row's samples: values that must be found whole, and texts without any.
#[cfg(test)]
pub(in super::super) struct Samples {
    pub(in super::super) kind: Type,
    pub(in super::super) found: &'static [&'static str],
    pub(in super::super) missed: &'static [&'static str],
}

macro_rules! tokens {
    ($($kind:ident [$($anchor:literal)*] $prefix:expr, $left:ident, $entropy:literal, { $($part:expr),* }
        found [$($found:literal)*] missed [$($missed:literal)*])*) => {
        tokens! { $($kind [$($anchor)*] $prefix, $left, $entropy, { $($part),* })* }


        #[cfg(test)]
        pub(super) const SAMPLES: &[Samples] = &[$(Samples {
            kind: Type::$kind,
            found: &[$($found),*],
            missed: &[$($missed),*],
        }),*];
    };
    ($($kind:ident [$($anchor:literal)*] $prefix:expr, $left:ident, $entropy:literal, { $($part:expr),* })*) => {
        pub(super) const TOKENS: &[Token] = &[$(Token {
            kind: Type::$kind,
            anchors: &[$($anchor),*],
            prefix: $prefix,
            body: { const BODY: &[Part] = &[$($part),*]; BODY },
            left: Left::$left,
            entropy: $entropy,
        }),*];
    };
}
use tokens;

const TABLES: [&[Token]; 2] = [platforms::TOKENS, services::TOKENS];

/// Every row.
pub(in super::super) static TOKENS: [&Token; count()] = all();

const fn count() -> usize {
    platforms::TOKENS.len() + services::TOKENS.len()
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn all() -> [&'static Token; count()] {
    let mut rows = [&TABLES[0][0]; count()];
    let (mut table, mut row, mut at) = (0, 0, 0);
    while table < TABLES.len() {
        if row < TABLES[table].len() {
            rows[at] = &TABLES[table][row];
            (row, at) = (row + 1, at + 1);
        } else {
            (table, row) = (table + 1, 0);
        }
    }
    rows
}

/// How many rows the first table has.
#[cfg(test)]
pub(in super::super) const FIRST: usize = platforms::TOKENS.len();

/// The samples of the rows that have any.
#[cfg(test)]
pub(in super::super) fn samples() -> impl Iterator<Item = &'static Samples> {
    platforms::SAMPLES.iter()
}
