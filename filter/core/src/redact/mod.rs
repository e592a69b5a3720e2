//! From findings to a verdict and to edits of the original bytes.
//!
//! Every leaf is decoded and scanned, and what encodings inside it hide ([`crate::inspect::see_through`]); what a policy's statements say of each
//! finding is combined: the strictest action wins, overlapping spans merge under the strictest of them. Edits are byte ranges of
//! the body as it came, and a body with edits that may touch keys is read once more before it may leave: an edit that made two
//! keys equal is a denial.
//!
//! Values that `tokenize` replaces are put back where an answer repeats their placeholders ([`tokens`]). What the provider signed
//! is looked at and never edited: a finding there that would have to be replaced is a denial.
//!
//! What it does not do: it does not look for a value that is split over several strings of a body.

mod hits;
mod scan;
mod tokens;

use std::collections::BTreeMap;
use std::ops::Range;

pub(crate) use scan::{Scan, show};
pub use tokens::{
    Assignments, Counts, Deriver, Form, Full, RestoreMap, Restorer, restore_arguments, restore_json, restore_whole,
};

use crate::host::Side;
use crate::inspect::{Budget, Detectors, Found, Shingles};
use crate::json::{Document, Limits};
use crate::policy::{Globs, Plan};
use crate::protocol::{Channel, Operation, walk};
use crate::reply::Reason;
use crate::session::Signs;

/// What inspecting one body came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Why it is refused, if it is.
    pub denial: Option<Reason>,
    /// The body as it goes on, where it must differ.
    pub edited: Option<Vec<u8>>,
    /// The statements that made the outcome.
    pub rules: Vec<String>,
    /// Those of them that refuse.
    pub denying: Vec<String>,
    /// The routes that findings ask for, and the statements that say so.
    pub routes: Vec<(usize, String)>,
    /// Observed statements that a finding met.
    pub observed: Vec<String>,
    /// How many findings of which type met which action; well-known test values are counted apart.
    pub findings: BTreeMap<(String, &'static str), u32>,
    /// What the placeholders of a request stand for.
    pub restore: RestoreMap,
    /// What became of placeholders in an answer.
    pub restored: Counts,
    /// Fingerprints of what was found, for what adds up over exchanges.
    pub signs: Signs,
    /// What was read and found, for people.
    #[cfg(feature = "trace")]
    pub trace: crate::trace::Inspected,
}

impl Outcome {
    /// What two parts of one body came to together.
    pub fn merge(&mut self, other: Outcome) {
        self.denial = self.denial.or(other.denial);
        for (list, more) in
            [(&mut self.rules, other.rules), (&mut self.denying, other.denying), (&mut self.observed, other.observed)]
        {
            for id in more {
                if !list.contains(&id) {
                    list.push(id);
                }
            }
        }
        self.routes.extend(other.routes);
        for (finding, count) in other.findings {
            let total = self.findings.entry(finding).or_default();
            *total = total.saturating_add(count);
        }
        self.restored.add(other.restored);
        self.signs.merge(other.signs);
        #[cfg(feature = "trace")]
        {
            self.trace.texts.extend(other.trace.texts);
            self.trace.findings.extend(other.trace.findings);
        }
    }
}

/// What is needed to inspect a body.
pub struct Inspector<'a> {
    /// Finds.
    pub detectors: &'a Detectors,
    /// The statements that apply.
    pub plan: &'a Plan,
    /// The key of `hash`.
    pub hash_key: Option<&'a [u8]>,
    /// Makes the placeholders of `tokenize`; without it values are masked.
    pub deriver: Option<Deriver<'a>>,
    /// Bounds on a body's shape.
    pub limits: Limits,
    /// The request's own system and developer texts, which its answer is not to repeat.
    pub shingles: Option<&'a Shingles>,
    /// What external detectors found in the body.
    pub external: Option<&'a Found>,
}

/// What an answer gets back.
#[derive(Clone, Copy)]
pub struct Back<'a> {
    /// What the request's placeholders stand for.
    pub restore: &'a RestoreMap,
    /// The tools into whose arguments values come back.
    pub restoring_tools: &'a Globs,
    /// The caller asked for JSON as the answer's text.
    pub structured: bool,
}

impl<'a> Inspector<'a> {
    /// Inspects a JSON body. `protected` are bytes that decide something (the model's name): a finding there
    /// cannot be replaced and is a denial. `edits` are replacements that go in anyway.
    pub fn json(
        &self,
        document: &Document<'_>,
        side: Side,
        protected: &[Range<usize>],
        edits: &[(Range<usize>, String)],
        budget: &mut Budget,
    ) -> Outcome {
        let mut scan = Scan::new(self, budget, None);
        if !self.plan.is_empty() {
            scan.body(document, side);
            walk(side, document.root(), &mut |leaf| scan.leaf(leaf));
            scan.sweep(document, side);
        }
        let (edited, outcome) = scan.finish(document, protected, edits);
        Outcome { edited, ..outcome }
    }

    /// Inspects a JSON answer, and puts back what the request's placeholders stand for.
    pub fn answer(
        &self,
        document: &Document<'_>,
        back: Back<'_>,
        operation: Operation,
        edits: &[(Range<usize>, String)],
        budget: &mut Budget,
    ) -> Outcome {
        let (mut edits, mut restores) = (edits.to_vec(), false);
        let mut scan = Scan::new(self, budget, Some(back.restore));
        if !self.plan.is_empty() || !back.restore.is_empty() {
            // Vectors are numbers, and carry nothing that is looked for but by chance.
            scan.numbers = operation != Operation::Embeddings;
            scan.body(document, Side::Response);
            walk(Side::Response, document.root(), &mut |leaf| match scan.restored_leaf(leaf, back) {
                Some(edit) => {
                    restores = true;
                    edits.push(edit);
                }
                None => scan.leaf(leaf),
            });
            if restores || scan.edits() {
                crate::stream::token_lists(document.root(), &mut edits);
            }
        }
        let (edited, outcome) = scan.finish(document, &[], &edits);
        Outcome { edited, ..outcome }
    }

    /// Inspects a body that is plain text.
    pub fn text(&self, text: &str, channel: Channel, budget: &mut Budget) -> Outcome {
        let mut scan = Scan::new(self, budget, None);
        let edited = scan.whole(text, channel, false);
        let outcome = scan.finish_texts();
        let edited = (outcome.denial.is_none() && edited != text).then(|| edited.into_bytes());
        Outcome { edited, ..outcome }
    }
}

#[cfg(test)]
mod tests;
