//! From findings to a verdict and to edits of the original bytes.
//!
//! Every leaf is decoded and scanned; what a policy's statements say of each finding is combined: the strictest
//! action wins, overlapping spans merge under the strictest of them. Edits are byte ranges of the body as it came,
//! and an edited body is read once more before it may leave: an edit that made two keys equal is a denial.
//!
//! What it does not do: it does not look for a value that is split over several strings of a body.

mod escape;
mod hits;
mod tokens;

use std::collections::BTreeMap;
use std::ops::Range;

use hits::{Hit, Hits, Replacement};
pub use tokens::{Assignments, Counts, Deriver, Form, Full, RestoreMap, Restorer, restore_json, restore_whole};

use crate::hex::hex;
use crate::host::Side;
use crate::inspect::{Budget, Detectors, Finding};
use crate::json::{Document, Limits, Text, decimal};
use crate::policy::{Action, Mode, Plan};
use crate::protocol::{Api, Channel, Leaf, Place, subtree, walk};
use crate::reply::Reason;

/// How deep JSON inside strings inside JSON is seen through.
const MAX_NESTED: u8 = 3;

/// Numbers with fewer digits carry nothing that is looked for.
const MIN_DIGITS: usize = 7;

/// Numbers are expanded to at most this many digits: `4.1e15` is looked at as `4100000000000000`.
const MAX_DIGITS: usize = 40;

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
    /// Observed statements that a finding met.
    pub observed: Vec<String>,
    /// How many findings of which type met which action; well-known test values are counted apart.
    pub findings: BTreeMap<(String, &'static str), u32>,
}

/// What is needed to inspect a body.
pub struct Inspector<'a> {
    /// Finds.
    pub detectors: &'a Detectors,
    /// The statements that apply.
    pub plan: &'a Plan<'a>,
    /// The key of `hash`.
    pub hash_key: Option<&'a [u8]>,
    /// Bounds on a body's shape.
    pub limits: Limits,
}

impl Inspector<'_> {
    /// Inspects a JSON body. `protected` are bytes that decide something (the model's name): a finding there
    /// cannot be replaced and is a denial. `edits` are replacements that go in anyway.
    pub fn json(
        &self,
        document: &Document<'_>,
        api: Api,
        side: Side,
        protected: &[Range<usize>],
        edits: &[(Range<usize>, String)],
        budget: &mut Budget,
    ) -> Outcome {
        let mut scan =
            Scan { inspector: self, budget, hits: Hits::default(), outcome: Outcome::default(), over: false };
        if !self.plan.is_empty() {
            walk(api, side, document.root(), &mut |leaf| scan.leaf(leaf));
        }
        let (hits, mut outcome) = scan.finish();
        if outcome.denial.is_none() {
            hits.protect(protected, &mut outcome.denial);
        }
        if outcome.denial.is_some() {
            return outcome;
        }
        let edits = hits.edits(edits);
        if !edits.is_empty() {
            let edited = edits.splice(document.bytes());
            match Document::parse(&edited, &self.limits) {
                Ok(_) => outcome.edited = Some(edited),
                // Two keys became one: nobody can say which of their values a server would read.
                Err(_) => outcome.denial = Some(Reason::ContentDenied),
            }
        }
        outcome
    }

    /// Inspects a body that is plain text.
    pub fn text(&self, text: &str, channel: Channel, budget: &mut Budget) -> Outcome {
        let mut scan =
            Scan { inspector: self, budget, hits: Hits::default(), outcome: Outcome::default(), over: false };
        scan.text(text, channel, &|range| range);
        let (hits, mut outcome) = scan.finish();
        if outcome.denial.is_none() {
            let edits = hits.edits(&[]);
            if !edits.is_empty() {
                outcome.edited = Some(edits.splice(text.as_bytes()));
            }
        }
        outcome
    }
}

/// One body being scanned.
struct Scan<'a, 'b> {
    inspector: &'a Inspector<'a>,
    budget: &'b mut Budget,
    hits: Hits,
    outcome: Outcome,
    over: bool,
}

impl Scan<'_, '_> {
    fn leaf(&mut self, leaf: Leaf<'_>) {
        match leaf.place {
            Place::Value(token) => self.string(&token.decode(), leaf.channel, 0),
            Place::Key(token, _) => self.string(&token.decode(), leaf.channel, 0),
            Place::Number(node) => {
                if let Some(lexeme) = node.number() {
                    self.number(lexeme, node.span(), leaf.channel);
                }
            }
        }
    }

    fn string(&mut self, text: &Text<'_>, channel: Channel, depth: u8) {
        self.text(text.as_str(), channel, &|range| text.raw_range(range));
        // Without escapes of its own, JSON inside a string has been seen as it is.
        let inner = text.as_str();
        if depth < MAX_NESTED
            && inner.contains('\\')
            && inner.trim_start().starts_with(['{', '[', '"'])
            && let Ok(document) = Document::parse(inner.as_bytes(), &self.inspector.limits)
        {
            subtree(document.root(), channel, &mut |leaf| {
                if let Place::Value(token) | Place::Key(token, _) = leaf.place {
                    self.string(&text.nested(token), channel, depth + 1);
                }
            });
        } else if let Some((plain, places)) = escape::unescaped(inner) {
            self.hidden(&plain, &places, text, channel);
        }
    }

    /// Scans a text whose escapes were undone, for what they hid: a model reads them, as do tools that are not strict.
    fn hidden(&mut self, plain: &str, places: &[usize], text: &Text<'_>, channel: Channel) {
        let Some(selection) = self.inspector.plan.selection(channel) else { return };
        let mut findings = Vec::new();
        if self.inspector.detectors.scan(plain, selection, self.budget, &mut findings).is_err() {
            self.over = true;
            return;
        }
        let place = |at: usize| places.get(at).copied().unwrap_or(usize::MAX);
        for finding in findings {
            let written = place(finding.start)..place(finding.end);
            // What holds no escape was found in the text itself.
            if written.len() != finding.end - finding.start {
                self.finding(plain, &finding, channel, &|_| text.raw_range(written.clone()));
            }
        }
    }

    fn number(&mut self, lexeme: &str, span: Range<usize>, channel: Channel) {
        if lexeme.bytes().filter(u8::is_ascii_digit).count() < MIN_DIGITS && !lexeme.contains(['e', 'E']) {
            return;
        }
        let before = self.hits.len();
        self.text(lexeme, channel, &|_| span.clone());
        if let Some(digits) = decimal::integer_digits(lexeme, MAX_DIGITS)
            && digits != lexeme
        {
            self.text(&digits, channel, &|_| span.clone());
        }
        self.hits.as_number(before, lexeme);
    }

    /// Scans one text; `locate` takes a range of it to a range of the body.
    fn text(&mut self, text: &str, channel: Channel, locate: &dyn Fn(Range<usize>) -> Range<usize>) {
        let Some(selection) = self.inspector.plan.selection(channel) else { return };
        let mut findings = Vec::new();
        if self.inspector.detectors.scan(text, selection, self.budget, &mut findings).is_err() {
            self.over = true;
            return;
        }
        for finding in findings {
            self.finding(text, &finding, channel, locate);
        }
    }

    fn finding(
        &mut self,
        text: &str,
        finding: &Finding,
        channel: Channel,
        locate: &dyn Fn(Range<usize>) -> Range<usize>,
    ) {
        let mut strictest: Option<Action> = None;
        for rule in self.inspector.plan.rules(channel, finding.kind) {
            let ids = match rule.mode {
                Mode::Observe => &mut self.outcome.observed,
                Mode::Enforce => {
                    strictest = Some(strictest.map_or(rule.action, |s| s.min(rule.action)));
                    &mut self.outcome.rules
                }
            };
            if !ids.contains(&rule.id) {
                ids.push(rule.id.clone());
            }
            let denying = &mut self.outcome.denying;
            if rule.mode == Mode::Enforce && rule.action == Action::Deny && !denying.contains(&rule.id) {
                denying.push(rule.id.clone());
            }
        }
        let kind = &self.inspector.detectors.kind(finding.kind).name;
        let label = if finding.test_value { format!("{kind}.test") } else { kind.clone() };
        let action = strictest.map_or("observe", Action::as_str);
        let count = self.outcome.findings.entry((label, action)).or_default();
        *count = count.saturating_add(1);

        let Some(action) = strictest.filter(|a| *a != Action::Flag) else { return };
        let value = text.get(finding.start..finding.end).unwrap_or_default();
        let replacement = match (action, self.inspector.hash_key) {
            (Action::Hash, Some(key)) => Replacement::Text(format!("[{kind}:{}]", keyed(key, kind, value))),
            // A hash without a key does not compile; masking is the safe side of the same intent.
            _ => Replacement::Text(format!("[{kind}]")),
        };
        self.hits.push(Hit { raw: locate(finding.start..finding.end), action, replacement });
    }

    fn finish(mut self) -> (Hits, Outcome) {
        if self.over {
            self.outcome.denial = Some(Reason::ContentUnscannable);
        } else if self.hits.deny() {
            self.outcome.denial = Some(Reason::ContentDenied);
        }
        (self.hits, self.outcome)
    }
}

/// Six bytes of HMAC-SHA-256 over type and value, in hex: equal values can be told to be equal, and no more.
fn keyed(key: &[u8], kind: &str, value: &str) -> String {
    let mut mac = hmac_sha256::HMAC::new(key);
    mac.update(kind.as_bytes());
    mac.update([0]);
    mac.update(value.as_bytes());
    hex(mac.finalize().get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests;
