//! Where an identifier with letters may be open: every layout of one is followed from each place where a word can start. All
//! layouts are followed at once, as bits. Those of digits alone are numbers to `numbers::Chain`.

use super::super::ids::{Index, Place, WalletShape, separator};
use super::super::types::Type;
use super::super::{Selection, work};
use super::step::{NONE, Over, Step};

/// Layouts, as bits.
pub(super) type Set = [u64; 4];

const EMPTY: Set = [0; 4];

/// Classes of characters: digits, hexadecimal and other letters in either case, the separators, others.
const CLASSES: usize = 14;
const LETTERS_AND_DIGITS: usize = 5;
const SEPARATORS: &[u8; 8] = b" -./:+()";
const OTHER: usize = CLASSES - 1;

/// The layouts, by what they take at each place.
#[derive(Default)]
pub(in super::super) struct Layouts {
    kinds: Vec<Type>,
    /// By place and class: those that take it there.
    takes: Vec<[Set; CLASSES]>,
    /// By length: those that are over.
    ends: Vec<Set>,
}

impl Layouts {
    pub(in super::super) fn new(index: &Index) -> Self {
        let mut layouts = Self::default();
        for (id, (kind, places)) in index.watched().enumerate() {
            layouts.kinds.push(kind);
            let longest = places.len().max(layouts.takes.len());
            layouts.takes.resize(longest, [EMPTY; CLASSES]);
            layouts.ends.resize(longest + 1, EMPTY);
            for (place, slots) in places.iter().zip(&mut layouts.takes) {
                for (class, slot) in slots.iter_mut().enumerate() {
                    if takes(*place, class) {
                        insert(slot, id);
                    }
                }
            }
            if let Some(slot) = layouts.ends.get_mut(places.len()) {
                insert(slot, id);
            }
        }
        layouts
    }

    /// Those that lead to a kind that is looked for.
    pub(super) fn of(&self, selection: &Selection) -> Set {
        let mut set = EMPTY;
        for (id, kind) in self.kinds.iter().enumerate() {
            if selection.contains(kind.id()) {
                insert(&mut set, id);
            }
        }
        set
    }

    fn takes(&self, place: usize, class: usize) -> &Set {
        self.takes.get(place).and_then(|slots| slots.get(class)).unwrap_or(&EMPTY)
    }

    fn ends(&self, length: usize) -> &Set {
        self.ends.get(length).unwrap_or(&EMPTY)
    }

    #[cfg(test)]
    pub(in super::super) fn len(&self) -> usize {
        self.kinds.len()
    }
}

fn takes(place: Place, class: usize) -> bool {
    let letters = |bytes: &[u8]| bytes.iter().any(|b| place.takes(*b));
    match class {
        0 => letters(b"0123456789"),
        1 => letters(b"ABCDEF"),
        2 => letters(b"GHIJKLMNOPQRSTUVWXYZ"),
        3 => letters(b"a"),
        4 => letters(b"z"),
        _ => SEPARATORS.get(class - LETTERS_AND_DIGITS).is_some_and(|sep| place.takes_sep(*sep)),
    }
}

fn class(step: &Step<'_>) -> usize {
    match step.byte {
        b'0'..=b'9' => 0,
        b'A'..=b'F' => 1,
        b'G'..=b'Z' => 2,
        b'a'..=b'f' => 3,
        b'g'..=b'z' => 4,
        _ => {
            let sep = separator(step.bytes.get(step.at..).unwrap_or_default());
            let place = sep.and_then(|(sep, _)| SEPARATORS.iter().position(|s| *s == sep));
            place.map_or(OTHER, |place| LETTERS_AND_DIGITS + place)
        }
    }
}

fn insert(set: &mut Set, id: usize) {
    if let Some(word) = set.get_mut(id / 64) {
        *word |= 1 << (id % 64);
    }
}

fn and(a: &Set, b: &Set) -> Set {
    let mut both = *a;
    both.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
    both
}

fn is_any(set: &Set) -> bool {
    set.iter().any(|word| *word != 0)
}

#[derive(Default)]
pub(super) struct Ids {
    open: Vec<Open>,
    wallets: Vec<(WalletShape, usize)>,
    /// Where the first of those starts that are over, and where they end: the character behind the next one decides.
    tail: Option<(usize, usize)>,
}

/// One place where identifiers may have started.
struct Open {
    start: usize,
    /// In characters.
    length: usize,
    live: Set,
}

impl Ids {
    /// `wanted`: the layouts to look for; `wallets`: whether to look for these.
    pub(super) fn step(&mut self, step: &Step<'_>, wanted: &Set, wallets: bool, layouts: &Layouts, over: &mut Over) {
        if let Some((_, end)) = self.tail.take() {
            over.mark(end);
        }
        let class = class(step);
        let goes_on = class < LETTERS_AND_DIGITS;
        let tail = &mut self.tail;
        self.open.retain_mut(|open| {
            work::add(1);
            if !goes_on && is_any(&and(&open.live, layouts.ends(open.length))) {
                if class == OTHER {
                    over.mark(step.at);
                } else {
                    let first = tail.map_or(open.start, |(start, _)| start.min(open.start));
                    *tail = Some((first, step.at));
                }
            }
            open.live = and(&open.live, layouts.takes(open.length, class));
            open.length += 1;
            is_any(&open.live)
        });
        self.wallets.retain(|(shape, start)| {
            work::add(1);
            if !goes_on && shape.may_end(step.at - start) {
                over.mark(step.at);
            }
            goes_on && shape.takes(step.at - start, step.byte)
        });
        if !goes_on || !step.free_at(step.at) {
            return;
        }
        let live = and(wanted, layouts.takes(0, class));
        if is_any(&live) {
            self.open.push(Open { start: step.at, length: 1, live });
        }
        if wallets {
            let shapes = WalletShape::ALL.into_iter().filter(|shape| shape.takes(0, step.byte));
            self.wallets.extend(shapes.map(|shape| (shape, step.at)));
        }
    }

    pub(super) fn open(&self) -> usize {
        let first = self.open.first().map_or(NONE, |open| open.start);
        let wallet = self.wallets.first().map_or(NONE, |(_, start)| *start);
        first.min(wallet).min(self.tail.map_or(NONE, |(start, _)| start))
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.open.iter_mut().for_each(|open| open.start = open.start.saturating_sub(by));
        self.wallets.iter_mut().for_each(|(_, start)| *start = start.saturating_sub(by));
        if let Some((start, end)) = &mut self.tail {
            (*start, *end) = (start.saturating_sub(by), end.saturating_sub(by));
        }
    }
}

/// Whether there is anything to follow.
pub(super) fn is_wanted(wanted: &Set) -> bool {
    is_any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_a_bit() {
        let layouts = Layouts::new(&Index::new());
        assert!(layouts.len() <= EMPTY.len() * 64, "{}", layouts.len());
    }
}
