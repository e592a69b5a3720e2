//! How far each row and function reaches from its anchor on: what ends it at the latest, and what at once.

use super::super::bytes::{self, ALNUM, Set, URL64};
use super::super::reach::Reach;
use super::super::types::Type;
use super::connection::{INFORMATION, VALUE};
use super::keyed::AWS;
use super::tokens::TOKENS;
use super::vendors::NAMED;
use super::{FUNCTIONS, Left, Part, assign, bic, connection, header, jwt};

/// The longest host and scheme before the anchor of a URL that is a secret.
pub(in super::super) const SCHEME: usize = 64 + 8;

/// What may follow an anchor as a part of the value.
#[derive(Clone)]
pub(in super::super) enum Body {
    /// Bytes of a set.
    Of(ByteSet),
    /// The name of an AWS secret key, or (`true`) an access key id; then so many bytes in which 40 characters start.
    Forty(usize, bool),
    /// A value, after one space.
    Value,
}

/// A set of bytes, as bits.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(in super::super) struct ByteSet([u64; 4]);

/// What must stand before an anchor.
#[derive(Clone, Copy)]
enum Before {
    Fits(Left),
    /// A letter or digit.
    Alnum,
    /// Neither.
    NoAlnum,
}

/// One row or function.
pub(in super::super) struct Row {
    pub(in super::super) kind: Type,
    pub(in super::super) anchors: &'static [&'static str],
    pub(in super::super) exact: bool,
    /// The shortest value and the longest, from the anchor on.
    pub(in super::super) least: usize,
    pub(in super::super) most: usize,
    pub(in super::super) body: Body,
    /// Its anchors are words of names; a value is what such a name is given ([`assign`]).
    pub(in super::super) named: bool,
    before: Before,
}

impl Row {
    /// Whether what stands before the anchor at `at` lets it start a value.
    pub(in super::super) fn opens(&self, bytes: &[u8], at: usize) -> bool {
        match self.before {
            Before::Fits(left) => left.fits(bytes, at),
            Before::Alnum => ALNUM.contains(bytes::before(bytes, at)),
            Before::NoAlnum => !ALNUM.contains(bytes::before(bytes, at)),
        }
    }

    /// Whether the value is searched for behind the anchor.
    pub(in super::super) fn is_search(&self) -> bool {
        matches!(self.body, Body::Forty(..))
    }

    /// Whether it is a URL that is a secret as a whole.
    pub(in super::super) fn is_url(&self) -> bool {
        matches!(self.before, Before::Fits(Left::Url))
    }

    /// Whether the anchor needs a place where a word can start.
    pub(in super::super) fn starts_word(&self) -> bool {
        // Behind an underscore (`DB_PASSWORD=`) no word starts, and a key does.
        matches!(self.before, Before::Fits(Left::Word | Left::Hyphen | Left::File | Left::Url))
    }

    /// Whether `byte` at `at` may go on with the value whose anchor starts at `start` and ends at `end`. `from` is
    /// where a search behind a name starts, once that is known.
    pub(in super::super) fn goes_on(
        &self,
        text: &[u8],
        start: usize,
        end: usize,
        at: usize,
        from: &mut Option<usize>,
    ) -> bool {
        let byte = bytes::at(text, at);
        if at - start > self.most {
            return false;
        }
        match &self.body {
            Body::Of(set) => set.contains(byte),
            Body::Value => VALUE.contains(byte) || (at == end && byte == b' '),
            Body::Forty(reach, id) => {
                if from.is_none() {
                    if *id && at - start <= 20 {
                        return ALNUM.contains(byte) == (at - start < 20);
                    }
                    let name = if *id { 20 } else { URL64.run(text, start, 40) };
                    if start + name >= at && name < 40 && URL64.contains(byte) {
                        return true;
                    }
                    *from = Some(if name < 10 { end } else { start + name });
                }
                from.is_some_and(|from| at < from + reach) || AWS.contains(byte)
            }
        }
    }
}

/// Every row of [`TOKENS`], then of [`FUNCTIONS`], then of [`NAMED`], as their ids count.
pub(in super::super) fn rows() -> Vec<Row> {
    let tokens = TOKENS.iter().map(|token| {
        let mut set = ByteSet::default();
        let (mut least, mut most) = (token.prefix, token.prefix);
        for part in token.body {
            match part {
                Part::Lit(literal) => {
                    literal.bytes().for_each(|b| set.insert(b));
                    least += literal.len();
                    most += literal.len();
                }
                Part::Run(run, from, to) => {
                    set.insert_all(run);
                    least += from;
                    most += to;
                }
                Part::Digit => {}
            }
        }
        // The rest of a longer anchor than the prefix is body.
        token.anchors.iter().filter_map(|a| a.get(token.prefix..)).flat_map(str::bytes).for_each(|b| set.insert(b));
        let before = Before::Fits(token.left);
        let (kind, anchors, body) = (token.kind, token.anchors, Body::Of(set));
        Row { kind, anchors, exact: true, least, most, body, named: false, before }
    });
    let functions = FUNCTIONS.iter().map(|function| {
        let of = |sets: &[&Set], others: &[u8]| {
            let mut set = ByteSet::default();
            sets.iter().for_each(|s| set.insert_all(s));
            others.iter().for_each(|b| set.insert(*b));
            Body::Of(set)
        };
        let any = Before::Fits(Left::Any);
        let (body, least, most, before) = match function.kind {
            Type::JsonWebToken => (of(&[&URL64], b"."), 8, JWT, Before::Fits(Left::Hyphen)),
            Type::OpenaiApiKey => (of(&[&URL64], b""), 51, 256, Before::Fits(Left::Hyphen)),
            Type::AwsSecretKey if function.exact => (Body::Forty(64, true), 60, 20 + 64 + 64, Before::Fits(Left::Word)),
            Type::AwsSecretKey => (Body::Forty(32, false), 50, 40 + 32 + 64, any),
            Type::AzureClientSecret => (of(&[&ALNUM], b"_~.-"), 34, 38, any),
            Type::TelegramBotToken => (of(&[&URL64], b":"), 35, 37, any),
            Type::TerraformToken => (of(&[&ALNUM], b"_=-."), 69, 9 + 80, any),
            Type::UrlCredentials => (of(&[&INFORMATION], b""), 7, 3 + connection::MAX, Before::Alnum),
            Type::ConnectionString => (Body::Value, 8, 11 + connection::MAX, Before::NoAlnum),
            Type::SwiftBic => (of(&[&ALNUM], bic::BETWEEN), 12, bic::LONGEST, Before::Fits(Left::Word)),
            // Private keys: see the lane.
            _ => (of(&[], b""), 0, 0, any),
        };
        let (kind, anchors, exact) = (function.kind, function.anchors, function.exact);
        Row { kind, anchors, exact, least, most, body, named: false, before }
    });
    let named = NAMED.iter().map(|row| {
        let (body, before) = (Body::Of(ByteSet::default()), Before::Fits(Left::Any));
        let (least, most) = (assign::MIN, assign::MAX);
        Row { kind: row.kind, anchors: row.words, exact: false, least, most, body, named: true, before }
    });
    tokens.chain(functions).chain(named).collect()
}

/// Header, payload and up to three short parts.
const JWT: usize = 2 * (jwt::LEFT_LONG + 1) + 3 * (jwt::LEFT_SHORT + 1);

/// How far a kind of secret reaches.
pub(in super::super) fn of(kind: Type) -> Reach {
    let most = rows().iter().filter(|row| row.kind == kind).map(|row| row.most).max().unwrap_or(0);
    let (before, left) = match kind {
        Type::SlackWebhook | Type::DiscordWebhook | Type::MicrosoftTeamsWebhook => (SCHEME, SCHEME),
        Type::AzureClientSecret => (3, 1),
        Type::TelegramBotToken => (12, 3),
        Type::ConnectionString => (0, connection::LEFT),
        _ => (0, 2),
    };
    let left = if NAMED.iter().any(|row| row.kind == kind) { left.max(assign::LEFT + header::COMMAND) } else { left };
    Reach { max_len: Some(most + before), left }
}

impl ByteSet {
    pub(in super::super) const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    pub(in super::super) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    fn insert_all(&mut self, set: &Set) {
        (0..=255).filter(|b| set.contains(*b)).for_each(|b| self.insert(b));
    }

    pub(in super::super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    pub(in super::super) fn union(&mut self, other: &ByteSet) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
    }
}
