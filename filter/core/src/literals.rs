//! Many literals looked for at once: the one place that uses the `aho-corasick` crate.
//!
//! It takes the contiguous automaton by itself. What chooses between automata links all of them, their `Debug` and every
//! prefilter: 40 KB of WebAssembly for words that are mostly too many for a prefilter anyhow.

use std::ops::Range;

use aho_corasick::automaton::{Automaton as _, OverlappingState};
use aho_corasick::nfa::contiguous::{Builder, NFA};
use aho_corasick::{Input, Match, MatchKind};

/// The literals, compiled.
pub(crate) struct Literals(NFA);

/// Which of the literals, and where.
pub(crate) type Hit = (usize, Range<usize>);

impl Literals {
    /// For [`Self::find`]: of literals that begin at one place, the longest counts. `None` where they are too many.
    pub fn longest(literals: &[&str]) -> Option<Self> {
        Self::build(literals, Builder::new().match_kind(MatchKind::LeftmostLongest))
    }

    /// For [`Self::all`]; `folded`: in either case of ASCII letters. `None` where they are too many.
    pub fn every(literals: &[&str], folded: bool) -> Option<Self> {
        Self::build(literals, Builder::new().match_kind(MatchKind::Standard).ascii_case_insensitive(folded))
    }

    fn build(literals: &[&str], builder: &mut Builder) -> Option<Self> {
        builder.prefilter(false).build(literals).ok().map(Self)
    }

    /// The first one in a range of `text`.
    #[inline(never)]
    pub fn find(&self, text: &str, range: Range<usize>) -> Option<Hit> {
        self.0.try_find(&Input::new(text).range(range)).ok()?.map(hit)
    }

    /// One after the other, none overlapping the one before it.
    pub fn each(&self, text: &str) -> impl Iterator<Item = Hit> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(text, from..text.len())?;
            from = found.1.end;
            Some(found)
        })
    }

    /// All of them in a range of `text`, also where they overlap.
    #[inline(never)]
    pub fn all(&self, text: &str, range: Range<usize>, found: &mut dyn FnMut(Hit)) {
        let (input, mut state) = (Input::new(text).range(range), OverlappingState::start());
        while self.0.try_find_overlapping(&input, &mut state).is_ok()
            && let Some(one) = state.get_match()
        {
            found(hit(one));
        }
    }
}

fn hit(found: Match) -> Hit {
    (found.pattern().as_usize(), found.range())
}
