//! Case folding of object keys, and the search for keys that two servers could read as one.

use super::parse::Entry;
use super::text::StringToken;

/// Up to this many plain keys are compared each with each, which needs no memory.
const FEW: usize = 12;

/// Finds duplicate keys; keeps its memory from one object to the next.
#[derive(Default)]
pub(super) struct Keys {
    members: Vec<Member>,
    folded: String,
}

struct Member {
    /// Where the folded key stands: in the text while all keys are plain, in `folded` afterwards.
    start: usize,
    end: usize,
    /// Raw offset of the key.
    at: u32,
}

impl Keys {
    /// The raw offset of the first key of the object at `index` that repeats an earlier one.
    ///
    /// Keys are sorted rather than hashed: without a random seed an attacker can choose keys that collide,
    /// but no choice of keys makes sorting worse than the logarithm of their number.
    pub(super) fn duplicate(&mut self, text: &str, tape: &[Entry], index: usize) -> Option<usize> {
        self.members.clear();
        let mut plain = true;
        for key in members(tape, index) {
            let token = StringToken::new(text, key);
            plain &= key.aux == 0 && token.raw().is_ascii();
            let inner = token.inner_span();
            self.members.push(Member { start: inner.start, end: inner.end, at: key.start });
        }
        if self.members.len() < 2 {
            None
        } else if plain && self.members.len() <= FEW {
            self.compare_each(text)
        } else {
            self.compare_sorted(text, tape, index)
        }
    }

    fn compare_each(&self, text: &str) -> Option<usize> {
        let key = |member: &Member| text.get(member.start..member.end).unwrap_or_default();
        self.members.iter().enumerate().find_map(|(i, member)| {
            let this = key(member);
            let length = |member: &Member| member.end.wrapping_sub(member.start);
            // Most are told apart by their lengths.
            let same = |earlier: &Member| length(earlier) == length(member) && this.eq_ignore_ascii_case(key(earlier));
            let seen = self.members.iter().take(i).any(same);
            seen.then_some(member.at as usize)
        })
    }

    fn compare_sorted(&mut self, text: &str, tape: &[Entry], index: usize) -> Option<usize> {
        self.folded.clear();
        for (member, entry) in self.members.iter_mut().zip(members(tape, index)) {
            member.start = self.folded.len();
            fold_into(&StringToken::new(text, entry).text(), &mut self.folded);
            member.end = self.folded.len();
        }
        let folded = &self.folded;
        let key = |member: &Member| folded.get(member.start..member.end).unwrap_or_default();
        self.members.sort_unstable_by(|a, b| key(a).cmp(key(b)).then(a.at.cmp(&b.at)));
        self.members
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if key(a) == key(b) => Some(b.at as usize),
                _ => None,
            })
            .min()
    }
}

/// The keys of the object at `index`, whose members have all been closed.
fn members(tape: &[Entry], index: usize) -> impl Iterator<Item = &Entry> {
    let end = tape.get(index).map_or(0, |object| object.aux as usize);
    let mut at = index + 1;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let key = tape.get(at)?;
        at = super::document::past(tape, at + 1);
        Some(key)
    })
}

/// A key as servers that ignore case compare it.
///
/// Unicode simple case folding (Go's `encoding/json` and Java's `equalsIgnoreCase` compare so): ASCII case,
/// U+017F long s as `s`, U+212A Kelvin as `k`, Greek, Cyrillic and the rest. Beyond it, the Turkish U+0130
/// and U+0131 fold to `i`, as they do in Java.
#[must_use]
pub fn fold(key: &str) -> String {
    let mut folded = String::with_capacity(key.len());
    fold_into(key, &mut folded);
    folded
}

pub(super) fn fold_into(key: &str, folded: &mut String) {
    if key.is_ascii() {
        let from = folded.len();
        folded.push_str(key);
        if let Some(copy) = folded.get_mut(from..) {
            copy.make_ascii_lowercase();
        }
    } else {
        folded.extend(key.chars().map(fold_char));
    }
}

/// One representative of all the characters that differ only in case.
fn fold_char(char: char) -> char {
    match char {
        '\0'..='\x7F' => char.to_ascii_lowercase(),
        'İ' | 'ı' => 'i',
        // Case pairs whose upper case is several characters, so that the round trip below cannot join them.
        '\u{1FD3}' => '\u{390}',
        '\u{1FE3}' => '\u{3B0}',
        '\u{FB05}' => '\u{FB06}',
        // Down first for what has a lower case only (ẞ), then up and down to join variants (ſ, ς, µ).
        _ => lower(upper(lower(char))),
    }
}

fn lower(char: char) -> char {
    single(char.to_lowercase()).unwrap_or(char)
}

fn upper(char: char) -> char {
    single(char.to_uppercase()).unwrap_or(char)
}

fn single(mut mapped: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if mapped.len() == 1 { mapped.next() } else { None }
}
