//! Numbers: from a digit on, the chain of digit groups that may be one written number.
//!
//! `4111 1111-1111.1111` is one chain of four groups with the separators between them; so are a phone
//! number, an IPv4 address, a date. Each detector looks at windows of at most [`WINDOW`] groups from each
//! group on, so that a chain of any length costs a bounded amount of work per group.

pub(super) mod card;
mod country_codes;
pub(super) mod ipv4;
pub(super) mod phone;
mod phone_context;
pub(super) mod ssn;

use super::bytes::{self, DIGIT};
use super::ids::{self, Scope};
use super::{Candidate, Sight, Span};

/// A window has at most so many groups.
const WINDOW: usize = 8;
/// A chain is read in pieces of so many groups; neighbouring pieces share [`OVERLAP`] and one more.
const PIECE: usize = 32;
const OVERLAP: usize = WINDOW;
/// The shortest (a local phone number), in digits.
const LEAST_DIGITS: usize = 6;
/// The longest number looked at (a card), in digits.
const MAX_DIGITS: usize = 19;

/// What stands between two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sep {
    /// Nothing: the chain starts here.
    Start,
    /// One space (of any width).
    Space,
    /// One hyphen or dash.
    Dash,
    Dot,
    Slash,
    /// Anything with a parenthesis.
    Paren,
    /// A dash with spaces around, or two spaces.
    Wide,
}

/// A run of digits.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
    /// What stands before it.
    sep: Sep,
}

impl Group {
    const NONE: Group = Group { start: 0, end: 0, sep: Sep::Start };

    fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Digit groups that follow each other.
struct Chain<'t> {
    bytes: &'t [u8],
    sight: Sight,
    groups: &'t [Group],
}

impl Chain<'_> {
    fn group(&self, i: usize) -> Group {
        self.groups.get(i).copied().unwrap_or(Group::NONE)
    }

    /// What stands before group `i`; [`Sep::Start`] also behind the last group.
    fn sep(&self, i: usize) -> Sep {
        self.group(i).sep
    }

    fn len(&self) -> usize {
        self.groups.len()
    }

    /// The number that group `i` is, if it has at most nine digits.
    fn value(&self, i: usize) -> Option<u32> {
        let group = self.group(i);
        let digits = self.bytes.get(group.start..group.end)?;
        (digits.len() <= 9).then(|| digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
    }

    /// Whether a letter or digit touches the start of group `i`.
    fn glued_before(&self, i: usize) -> bool {
        let start = self.group(i).start;
        bytes::before(self.bytes, start).is_ascii_alphanumeric() && !bytes::escape_before(self.bytes, start)
    }

    /// Whether one of `words` starts within `reach` bytes after `end`, where what follows may be looked at.
    fn word_after(&self, words: &super::context::Words, end: usize, reach: usize) -> bool {
        self.sight == Sight::Whole && words.after(self.bytes, end, reach)
    }

    /// Whether a letter touches the end of group `j`.
    fn glued_after(&self, j: usize) -> bool {
        bytes::at(self.bytes, self.group(j).end).is_ascii_alphanumeric()
    }
}

/// Groups `first..=last` of a chain, as one number.
struct Number<'a> {
    chain: &'a Chain<'a>,
    first: usize,
    last: usize,
    /// Values 0 to 9.
    digits: &'a [u8],
}

impl Number<'_> {
    fn start(&self) -> usize {
        self.chain.group(self.first).start
    }

    fn end(&self) -> usize {
        self.chain.group(self.last).end
    }

    fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.chain.groups.iter().take(self.last + 1).skip(self.first).map(Group::len)
    }

    /// The separators inside.
    fn seps(&self) -> impl Iterator<Item = Sep> + '_ {
        self.chain.groups.iter().take(self.last + 1).skip(self.first + 1).map(|g| g.sep)
    }

    /// Whether it is a part of something longer: other digits are joined to it more tightly than by a
    /// space, or it hangs on something that is not a plain word by a hyphen (a UUID, an article number).
    fn joined(&self) -> bool {
        let tight = |sep| matches!(sep, Sep::Dash | Sep::Dot | Sep::Slash);
        tight(self.chain.sep(self.first))
            || (self.last + 1 < self.chain.len() && tight(self.chain.sep(self.last + 1)))
            || hangs(self.chain.bytes, self.start())
    }
}

/// Whether a hyphen before `start` ties it to something that is not a plain word: `a716-446655440000`.
pub(super) fn hangs(bytes: &[u8], start: usize) -> bool {
    if bytes::before(bytes, start) != b'-' {
        return false;
    }
    let length = bytes::ALNUM.run_back(bytes, start - 1, 16);
    let word = bytes.get(start - 1 - length..start - 1).unwrap_or_default();
    let plain = word.iter().all(u8::is_ascii_alphabetic) && word.iter().any(|b| !b.is_ascii_hexdigit());
    !word.is_empty() && !plain
}

/// Reads the chain that starts at the digit at `at`; returns where to go on.
pub(super) fn find(bytes: &[u8], at: usize, span: Span<'_>, scope: Scope<'_>, found: &mut Vec<Candidate>) -> usize {
    let before = joined_before(bytes, at, span.from);
    let end = at + DIGIT.run(bytes, at, usize::MAX);
    if before.is_none() && join(bytes, end).is_none() {
        // Most stand alone.
        let groups = &[Group { start: at, end, sep: Sep::Start }];
        detect(&Chain { bytes, sight: span.sight, groups }, 0, 1, scope, found);
        return end;
    }
    let mut buffer = [Group::NONE; PIECE];
    let mut filled = 0;
    let mut first = 0;
    let mut next = Group { start: at, end: at, sep: Sep::Start };
    if let Some((before, sep)) = before
        && let Some(slot) = buffer.first_mut()
    {
        // The span starts within a chain: the group before it stays, as between pieces.
        *slot = before;
        (filled, first, next.sep) = (1, 1, sep);
    }
    loop {
        next.end = next.start + DIGIT.run(bytes, next.start, usize::MAX);
        if let Some(slot) = buffer.get_mut(filled) {
            *slot = next;
            filled += 1;
        }
        let joined = join(bytes, next.end);
        let full = filled == PIECE;
        if full || joined.is_none() {
            let chain = Chain { bytes, sight: span.sight, groups: buffer.get(..filled).unwrap_or_default() };
            let to = if joined.is_some() { PIECE - OVERLAP } else { filled };
            detect(&chain, first, to, scope, found);
            if joined.is_some() {
                // The group before the next one to start from stays: detectors look at what joins them.
                buffer.copy_within(to - 1.., 0);
                filled -= to - 1;
                first = 1;
            }
        }
        match joined {
            Some((sep, start)) => next = Group { start, end: start, sep },
            None => return next.end,
        }
    }
}

/// The group that ends before `from` and is joined to the digit at `at`, and what joins them.
fn joined_before(bytes: &[u8], at: usize, from: usize) -> Option<(Group, Sep)> {
    /// The widest that can join: four separators of three bytes.
    const WIDEST: usize = 12;
    if from == 0 || at - from > WIDEST {
        return None;
    }
    let between = bytes.get(at.saturating_sub(WIDEST)..at)?.iter().rev().position(u8::is_ascii_digit)?;
    let end = at - between;
    let (sep, start) = join(bytes, end)?;
    (end <= from && start == at).then(|| {
        let start = end - DIGIT.run_back(bytes, end, LONGEST_GROUP);
        (Group { start, end, sep: Sep::Start }, sep)
    })
}

/// Digits in a row that are more than this are no part of any number.
pub(super) const LONGEST_GROUP: usize = 40;

/// Whether digits may yet follow that are joined to those that end at `end`: the text ends before that is clear.
pub(super) fn may_join(bytes: &[u8], end: usize) -> bool {
    let mut at = end;
    let mut sep = Sep::Start;
    for _ in 0..4 {
        let Some((this, width)) = bytes.get(at..).and_then(separator) else { break };
        let Some(both) = combine(sep, this) else { return false };
        sep = both;
        at += width;
    }
    at >= bytes.len()
}

/// Whether digits at `start` are joined to those that end at `end`.
pub(super) fn are_joined(bytes: &[u8], end: usize, start: usize) -> bool {
    join(bytes, end).is_some_and(|(_, at)| at == start)
}

/// What joins the digits that end at `end` to digits right behind it, and where those start.
fn join(bytes: &[u8], end: usize) -> Option<(Sep, usize)> {
    let mut at = end;
    let mut sep = Sep::Start;
    for _ in 0..4 {
        let rest = bytes.get(at..)?;
        if let [b'0'..=b'9', ..] = rest {
            return (sep != Sep::Start).then_some((sep, at));
        }
        let (this, width) = separator(rest)?;
        sep = combine(sep, this)?;
        at += width;
    }
    bytes::at(bytes, at).is_ascii_digit().then_some((sep, at))
}

/// The separator that `rest` starts with, and its width.
fn separator(rest: &[u8]) -> Option<(Sep, usize)> {
    Some(match rest {
        [b' ', ..] => (Sep::Space, 1),
        [b'-', ..] => (Sep::Dash, 1),
        [b'.', ..] => (Sep::Dot, 1),
        [b'/', ..] => (Sep::Slash, 1),
        [b'(' | b')', ..] => (Sep::Paren, 1),
        // U+00A0 no-break space.
        [0xC2, 0xA0, ..] => (Sep::Space, 2),
        // U+2000 to U+200A, U+202F spaces; U+2010 to U+2015 dashes; U+2212 minus.
        [0xE2, 0x80, 0x80..=0x8A | 0xAF, ..] => (Sep::Space, 3),
        [0xE2, 0x80, 0x90..=0x95, ..] | [0xE2, 0x88, 0x92, ..] => (Sep::Dash, 3),
        // U+3000 ideographic space.
        [0xE3, 0x80, 0x80, ..] => (Sep::Space, 3),
        _ => return None,
    })
}

/// What `this` makes of a separation that was `sep` so far.
fn combine(sep: Sep, this: Sep) -> Option<Sep> {
    Some(match (sep, this) {
        (Sep::Start, this) => this,
        (Sep::Paren, Sep::Space | Sep::Dash | Sep::Dot | Sep::Slash | Sep::Paren)
        | (Sep::Space | Sep::Dash | Sep::Dot | Sep::Wide, Sep::Paren) => Sep::Paren,
        (Sep::Space | Sep::Wide, Sep::Space | Sep::Dash) | (Sep::Dash, Sep::Space) => Sep::Wide,
        _ => return None,
    })
}

/// Runs the detectors from the groups `from..to` of the chain on.
fn detect(chain: &Chain<'_>, from: usize, to: usize, scope: Scope<'_>, found: &mut Vec<Candidate>) {
    let digits: usize = chain.groups.iter().map(Group::len).sum();
    let mut after_phone = 0;
    for first in from..to {
        super::work::add(1);
        let group = chain.group(first);
        if group.len() >= 2 {
            super::iban::find(chain.bytes, group.start, found);
        }
        ids::find(chain.bytes, (group.start, group.end), scope, found);
        // Four digits can be an address; nothing else is that short.
        if digits < LEAST_DIGITS && chain.len() < 4 || chain.glued_before(first) {
            continue;
        }
        ipv4::find(chain, first, found);
        windows(chain, first, found);
        if first >= after_phone {
            after_phone = phone::find(chain, first, found).map_or(0, |last| last + 1);
        }
    }
}

/// The numbers that start with group `first`, by their count of digits.
fn windows(chain: &Chain<'_>, first: usize, found: &mut Vec<Candidate>) {
    let mut digits = [0u8; MAX_DIGITS];
    let mut count = 0;
    for last in first..chain.len().min(first + WINDOW) {
        let group = chain.group(last);
        if last > first && matches!(group.sep, Sep::Paren | Sep::Slash) {
            return;
        }
        let Some(slots) = digits.get_mut(count..count + group.len()) else { return };
        let text = chain.bytes.get(group.start..group.end).unwrap_or_default();
        slots.iter_mut().zip(text).for_each(|(slot, digit)| *slot = digit - b'0');
        count += group.len();
        super::work::add(group.len() + 1);
        if chain.glued_after(last) {
            return;
        }
        let number = Number { chain, first, last, digits: digits.get(..count).unwrap_or_default() };
        match count {
            9 => ssn::find(&number, found),
            12..=MAX_DIGITS => card::find(&number, found),
            _ => {}
        }
    }
}
