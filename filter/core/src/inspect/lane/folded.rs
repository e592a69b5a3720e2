//! A text that arrives in pieces, read as it is written and, where that may matter, as it looks.
//!
//! Two readers, each with the text as it takes it. A piece is let go of when both have settled it, cut where none of
//! their findings goes across. Findings of one kind that overlap are one: so each kind's findings are apart from one
//! another, and do not depend on how the text was cut, since those of neither reader do.

use super::super::types::Type;
use super::super::views::Way;
use super::super::views::fold::Fold;
use super::super::{Budget, Detectors, Finding, OverBudget, Selection};
use super::{Reader, Settled};
use crate::sort;

/// One text that arrives in pieces.
pub struct Lane {
    written: Reader,
    looks: Option<Box<Looks>>,
}

/// The text as it looks. Places are counted from where nothing was held back last.
struct Looks {
    reader: Reader,
    fold: Fold,
    /// From the text as it looks to the text as it is written.
    way: Way,
    /// How long both are, and what their readers have settled.
    text: usize,
    settled: usize,
    written: usize,
    written_settled: usize,
    /// What is held back, as it is written, and where it starts.
    held: String,
    start: usize,
    /// Where a private key goes on that is reported piece by piece: nothing that is written within goes uncovered.
    key: Option<usize>,
    /// Findings that are not let go of, as far as they are written.
    found: Vec<Finding>,
    /// A reader could not go on: everything is held back.
    over: bool,
}

impl Default for Lane {
    fn default() -> Self {
        Self::new()
    }
}

impl Lane {
    /// A lane whose text has not begun.
    pub fn new() -> Self {
        Self { written: Reader::new(), looks: None }
    }

    /// Appends `piece`; `end`: nothing follows, and the lane is done with. Answers the text that is settled now, with the findings in it.
    ///
    /// # Errors
    /// [`OverBudget`] when the policy's patterns used up `budget`: what was held back and the piece are held back
    /// unjudged, until they are let go of ([`Lane::release`]).
    pub fn push(
        &mut self,
        piece: &str,
        end: bool,
        detectors: &Detectors,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Settled, OverBudget> {
        let mut piece = piece;
        let looks = match &mut self.looks {
            Some(looks) => looks,
            None => {
                let before = self.written.text.bytes().next_back().unwrap_or(0);
                let Some(at) = Fold::begins(piece, before) else {
                    return self.written.push(piece, end, detectors, selection, budget);
                };
                let (plain, rest) = piece.split_at_checked(at).unwrap_or((piece, ""));
                let settled = self.written.push(plain, false, detectors, selection, budget).inspect_err(|_| {
                    self.written.hold(rest);
                })?;
                piece = rest;
                self.looks.insert(Box::new(Looks::new(&self.written, settled)))
            }
        };
        looks.held.push_str(piece);
        let shown = looks.read(piece);
        let written = self.written.push(piece, end, detectors, selection, budget);
        let shown = looks.reader.push(&shown, end, detectors, selection, budget);
        match (written, shown) {
            (Ok(written), Ok(shown)) if !looks.over => Ok(looks.settle(written, shown, end)),
            _ => {
                looks.over = true;
                Err(OverBudget)
            }
        }
    }

    /// Bytes that are held back.
    pub fn held(&self) -> usize {
        self.held_text().len()
    }

    /// What is held back.
    pub fn held_text(&self) -> &str {
        match &self.looks {
            Some(looks) => &looks.held,
            None => self.written.held_text(),
        }
    }

    /// Bytes that are kept in all: what is held back, and what stands before it.
    #[cfg(test)]
    pub(in super::super) fn kept(&self) -> usize {
        self.written.kept() + self.looks.as_ref().map_or(0, |looks| looks.held.len() + looks.reader.kept())
    }

    /// Lets go of everything held back without judging it: answers it. What is pushed next starts a new text.
    pub fn release(&mut self) -> String {
        let held = self.held_text().to_owned();
        *self = Self::new();
        held
    }
}

impl Looks {
    /// Beside a reader that has just settled something.
    fn new(written: &Reader, settled: Settled) -> Self {
        let first = settled.text.len();
        let text = first + written.held();
        let mut held = settled.text;
        held.push_str(written.held_text());
        Self {
            reader: written.beside(),
            fold: Fold::new(written.text.bytes().next_back().unwrap_or(0)),
            way: Way::default(),
            text,
            settled: first,
            written: text,
            written_settled: first,
            held,
            start: 0,
            key: None,
            found: settled.findings,
            over: false,
        }
    }

    /// A piece as it looks.
    fn read(&mut self, piece: &str) -> String {
        let mut shown = String::with_capacity(piece.len());
        for char in piece.chars() {
            let (from, size) = (self.text, char.len_utf8());
            match self.fold.next(char) {
                None => {
                    shown.push(char);
                    self.text += size;
                }
                Some(to) => {
                    shown.extend(to.map(char::from));
                    self.text += usize::from(to.is_some());
                    self.way.push(from..self.text, self.written..self.written + size);
                }
            }
            self.written += size;
        }
        shown
    }

    /// Takes up what the readers have settled; answers what both have.
    fn settle(&mut self, written: Settled, shown: Settled, end: bool) -> Settled {
        let moved = |f: Finding, by| Finding { start: f.start + by, end: f.end + by, ..f };
        self.found.extend(written.findings.into_iter().map(|f| moved(f, self.written_settled)));
        self.found.extend(shown.findings.into_iter().map(|f| {
            let f = moved(f, self.settled);
            let at = self.way.exact(f.start..f.end);
            let start = match self.key {
                Some(key) if f.kind == Type::PrivateKey.id() && f.start == self.settled => key,
                _ => at.start,
            };
            Finding { start, end: at.end, ..f }
        }));
        self.written_settled += written.text.len();
        self.settled += shown.text.len();
        // What is not read goes with what stands before it, but within a key with what follows.
        let goes_on = self.reader.key_goes_on() && !end;
        let at = self.way.exact(self.settled..self.settled);
        let looks = match self.settled == self.text {
            _ if goes_on => at.end,
            true => self.written,
            false => at.start,
        };
        self.key = goes_on.then_some(looks);
        let mut cut = self.written_settled.min(looks);
        while let Some(across) = self.found.iter().filter(|f| f.start < cut && cut < f.end).map(|f| f.start).min() {
            cut = across;
        }
        let start = self.start;
        let length = self.held.floor_char_boundary(cut.saturating_sub(start));
        let rest = self.held.split_off(length);
        let text = std::mem::replace(&mut self.held, rest);
        self.start += length;
        let mut findings: Vec<Finding> = self.found.extract_if(.., |f| f.end <= start + length).collect();
        for finding in &mut findings {
            (finding.start, finding.end) = (finding.start.saturating_sub(start), finding.end.saturating_sub(start));
        }
        join(&mut findings);
        if self.held.is_empty() {
            self.way = Way::default();
            (self.text, self.settled, self.written, self.written_settled, self.start) = (0, 0, 0, 0, 0);
            self.key = goes_on.then_some(0);
        } else {
            self.way.forget(self.settled);
        }
        Settled { text, findings }
    }
}

/// Makes findings of one kind that overlap one.
fn join(findings: &mut Vec<Finding>) {
    sort::plain(findings, |a: &Finding, b| (a.kind, a.start) < (b.kind, b.start));
    findings.dedup_by(|later, first| {
        let same = later.kind == first.kind && later.start < first.end;
        if same {
            first.end = first.end.max(later.end);
            first.score = first.score.max(later.score);
            first.test_value &= later.test_value;
        }
        same
    });
    sort::plain(findings, |a: &Finding, b| (a.start, a.kind) < (b.start, b.kind));
}
