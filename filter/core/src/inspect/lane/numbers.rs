//! Where a number may be open: a chain of digit groups, with what may stand before it, between its groups and
//! behind; digits behind a country's letters (IBAN); a run of hexadecimal digits and colons.

use super::super::bytes::{self, HEX};
use super::super::numbers::{LONGEST_GROUP, are_joined, may_join, phone};
use super::super::{iban, ipv6};
use super::step::{Mode, NONE, Over, Step, shift};

/// A chain of so many groups is looked at although it goes on.
const LONG: usize = 24;
/// So many of its last groups may belong to a number that goes on: those of a window and two.
const RECENT: usize = 10;
/// Less is no number: digits, groups.
const LEAST_DIGITS: usize = 6;
const LEAST_GROUPS: usize = 4;

#[derive(Default)]
pub(super) struct Chain {
    start: Option<usize>,
    /// Where a `(`, a `+` or `+(` stands, if that is last.
    lead: Option<usize>,
    /// Where the last group ends, and its length.
    end: usize,
    run: usize,
    digits: usize,
    groups: usize,
    /// The last group is too long for any number.
    void: bool,
    recent: [usize; RECENT],
}

impl Chain {
    pub(super) fn step(&mut self, step: &Step<'_>, over: &mut Over) {
        if step.byte.is_ascii_digit() {
            self.digit(step, over);
            self.lead = None;
            return;
        }
        self.void = false;
        if self.start.is_some() && !self.may_go_on(step.bytes) {
            self.close(step.at, over);
        }
        self.lead = match step.byte {
            b'+' => Some(step.at),
            b'(' => self.lead.filter(|_| bytes::before(step.bytes, step.at) == b'+').or(Some(step.at)),
            _ => None,
        };
    }

    fn digit(&mut self, step: &Step<'_>, over: &mut Over) {
        if self.void {
            return;
        }
        if self.start.is_some() && self.end == step.at {
            (self.end, self.run, self.digits) = (step.end, self.run + 1, self.digits + 1);
            if self.run > LONGEST_GROUP {
                self.close(step.at, over);
                self.void = true;
            }
            return;
        }
        if self.start.is_some() && !are_joined(step.bytes, self.end, step.at) && !self.may_extend(step.bytes) {
            self.close(step.at, over);
        }
        let start = self.lead.unwrap_or(step.at);
        if self.start.is_none() {
            (self.start, self.digits, self.groups) = (Some(start), 0, 0);
            self.recent = [start; RECENT];
        }
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = start;
        }
        (self.end, self.run, self.digits, self.groups) = (step.end, 1, self.digits + 1, self.groups + 1);
    }

    fn may_go_on(&self, bytes: &[u8]) -> bool {
        may_join(bytes, self.end)
            || self.may_extend(bytes)
            // `1.2.3.4+build`
            || (self.groups >= LEAST_GROUPS && bytes.get(self.end..) == Some(b"+"))
    }

    fn may_extend(&self, bytes: &[u8]) -> bool {
        self.digits >= LEAST_DIGITS && phone::may_extend(bytes, self.end)
    }

    fn close(&mut self, end: usize, over: &mut Over) {
        self.start = None;
        if self.digits >= LEAST_DIGITS || self.groups >= LEAST_GROUPS {
            over.mark(end);
        }
    }

    pub(super) fn open(&self) -> usize {
        self.start.unwrap_or(NONE).min(self.lead.unwrap_or(NONE))
    }

    /// Where a number that is open may start at the earliest, whatever the chain holds before.
    pub(super) fn recent(&self) -> usize {
        match (self.start, self.recent.first()) {
            (Some(start), Some(recent)) => start.max(*recent),
            _ => self.open(),
        }
    }

    pub(super) fn is_long(&self) -> bool {
        self.start.is_some() && self.groups >= LONG
    }

    /// The chain has been looked at, and is long again when more of it has come.
    pub(super) fn looked_at(&mut self) {
        self.groups = self.groups.min(RECENT);
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.start, by);
        shift(&mut self.lead, by);
        self.end = self.end.saturating_sub(by);
        self.recent.iter_mut().for_each(|place| *place = place.saturating_sub(by));
    }
}

/// IBANs.
#[derive(Default)]
pub(super) struct Accounts {
    /// Where one or two letters stand, if they are last, that may be a country's.
    country: Option<usize>,
    /// Where those start that are open, and their check digits.
    open: Vec<(usize, usize)>,
}

impl Accounts {
    pub(super) fn step(&mut self, step: &Step<'_>, mode: Mode, over: &mut Over) {
        // Those behind the first wait until that is clear: one is judged per character.
        while let Some((_, digits)) = self.open.first() {
            match iban::progress(step.bytes, *digits) {
                iban::Progress::Open => break,
                iban::Progress::None => {}
                iban::Progress::Whole => over.mark(step.at),
            }
            self.open.remove(0);
        }
        let bytes = step.bytes;
        // Nothing starts within a word, unless an escape ends there.
        let before = step.at.checked_sub(3).and_then(|from| bytes.get(from..step.at));
        if step.byte.is_ascii_alphabetic() && before.is_some_and(|b| b.iter().all(u8::is_ascii_alphanumeric)) {
            self.country = None;
        } else if step.byte.is_ascii_alphabetic() {
            // The earlier place first: behind an escape (`\nNO`) there are two.
            let two = step.at.checked_sub(1).filter(|start| bytes::ALPHA.contains(bytes::at(bytes, *start)));
            self.country = two
                .into_iter()
                .chain([step.at])
                .find(|start| step.free_at(*start) && iban::may_be_country(bytes.get(*start..).unwrap_or_default()));
        } else if step.byte.is_ascii_digit() {
            match self.country {
                Some(start) if step.at == start + 2 => {}
                Some(start) if step.at == start + 3 => {
                    let held = if mode == Mode::Full { start } else { start + 2 };
                    self.open.push((held, start + 2));
                    self.country = None;
                }
                _ => self.country = None,
            }
        } else {
            self.country = None;
        }
    }

    pub(super) fn open(&self, mode: Mode) -> usize {
        let first = self.open.first().map_or(NONE, |(start, _)| *start);
        let country = self.country.unwrap_or(NONE);
        if mode == Mode::Full { first.min(country) } else { first }
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.country, by);
        for (start, digits) in &mut self.open {
            *start = start.saturating_sub(by);
            *digits = digits.saturating_sub(by);
        }
    }
}

/// IPv6 addresses.
#[derive(Default)]
pub(super) struct Colons {
    /// Where up to four hex digits stand, if they are last and may be an address's first.
    head: Option<usize>,
    hex: usize,
    open: Option<Address>,
}

struct Address {
    start: usize,
    colons: usize,
    part: Part,
}

enum Part {
    Groups,
    /// How long it is.
    Zone(usize),
    Prefix(usize),
}

impl Address {
    fn goes_on(&mut self, byte: u8) -> bool {
        let (part, goes_on) = match (&self.part, byte) {
            (Part::Groups, byte) if ipv6::is_part(byte) => {
                self.colons += usize::from(byte == b':');
                (Part::Groups, true)
            }
            (Part::Groups, b'%') if self.colons > 1 => (Part::Zone(0), true),
            (Part::Groups | Part::Zone(_), b'/') if self.colons > 1 => (Part::Prefix(0), true),
            (Part::Zone(n), byte) => (Part::Zone(n + 1), byte.is_ascii_alphanumeric() && *n < 16),
            (Part::Prefix(n), byte) => (Part::Prefix(n + 1), byte.is_ascii_digit() && *n < 4),
            (Part::Groups, _) => (Part::Groups, false),
        };
        self.part = part;
        goes_on
    }
}

impl Colons {
    pub(super) fn step(&mut self, step: &Step<'_>, over: &mut Over) {
        if let Some(address) = &mut self.open
            && !address.goes_on(step.byte)
        {
            if address.colons > 1 {
                over.mark(step.at);
            }
            self.open = None;
        }
        if step.byte == b':' && self.open.is_none() {
            let start = self.head.unwrap_or(step.at);
            self.open = Some(Address { start, colons: 1, part: Part::Groups });
        }
        if !HEX.contains(step.byte) {
            (self.head, self.hex) = (None, 0);
            return;
        }
        if self.hex == 0 {
            self.head = Some(step.at).filter(|at| step.word_at(*at));
        }
        self.hex += 1;
        if self.hex > 4 {
            self.head = None;
        }
    }

    pub(super) fn open(&self) -> usize {
        self.head.unwrap_or(NONE).min(self.open.as_ref().map_or(NONE, |a| a.start))
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.head, by);
        if let Some(address) = &mut self.open {
            address.start = address.start.saturating_sub(by);
        }
    }
}
