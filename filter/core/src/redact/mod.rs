//! From findings to a verdict and to edits of the original bytes.
//!
//! Every leaf is decoded and scanned, and what encodings inside it hide ([`encoded`]); what a policy's statements say of each finding is combined: the strictest
//! action wins, overlapping spans merge under the strictest of them. Edits are byte ranges of the body as it came,
//! and an edited body is read once more before it may leave: an edit that made two keys equal is a denial.
//!
//! What it does not do: it does not look for a value that is split over several strings of a body.

mod encoded;
mod hits;

use std::collections::BTreeMap;
use std::ops::Range;

use encoded::{View, Views, Way};
use hits::{Hit, Hits, Replacement};

use crate::hex::hex;
use crate::host::Side;
use crate::inspect::{Budget, Detectors, Finding, Selection};
use crate::json::{Document, Limits, Text, decimal};
use crate::policy::{Action, Mode, Plan};
use crate::protocol::{Api, Channel, Leaf, Place, subtree, walk};
use crate::reply::Reason;
use crate::sort;

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
        scan.seen_through(text, channel, &|range| range);
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

/// Takes a range of a text to a range of the body.
type Locate<'a> = &'a dyn Fn(Range<usize>) -> Range<usize>;

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
        let inner = text.as_str();
        let locate = |range| text.raw_range(range);
        // Without escapes of its own, JSON inside a string is seen as it is.
        if depth < MAX_NESTED
            && inner.contains('\\')
            && inner.trim_start().starts_with(['{', '[', '"'])
            && let Ok(document) = Document::parse(inner.as_bytes(), &self.inspector.limits)
        {
            self.text(inner, channel, &locate);
            subtree(document.root(), channel, &mut |leaf| {
                if let Place::Value(token) | Place::Key(token, _) = leaf.place {
                    self.string(&text.nested(token), channel, depth + 1);
                }
            });
        } else {
            self.seen_through(inner, channel, &locate);
        }
    }

    /// Scans a text and what its encodings hide.
    fn seen_through(&mut self, text: &str, channel: Channel, locate: Locate<'_>) {
        let mut known = self.text(text, channel, locate);
        let Some(selection) = self.inspector.plan.selection(channel) else { return };
        let mut ways: Vec<Way> = Vec::new();
        let mut shown: Option<String> = None;
        let mut views = Views::default();
        while let Some(View { text: plain, way }) = views.next(shown.as_deref().unwrap_or(text)) {
            let findings = self.find(&plain, selection);
            ways.push(way);
            self.hidden(&plain, &findings, &mut known, &ways, channel, locate);
            known = findings;
            shown = Some(plain);
        }
    }

    /// Acts on what decoding showed that was not `known` of the text before it.
    fn hidden(
        &mut self,
        plain: &str,
        findings: &[Finding],
        known: &mut Vec<Finding>,
        ways: &[Way],
        channel: Channel,
        locate: Locate<'_>,
    ) {
        sort::plain(known, |a, b| (a.kind, a.start) < (b.kind, b.start));
        for finding in findings {
            let written = finding.start..finding.end;
            let Some(at) = ways.last().map(|way| way.exact(written.clone())) else { return };
            // Findings of one kind do not overlap: if one does, then the last that starts before the end.
            let before = known.partition_point(|k| (k.kind, k.start) < (finding.kind, at.end));
            let same = before.checked_sub(1).and_then(|last| known.get(last));
            let same = same.filter(|k| k.kind == finding.kind && k.end > at.start);
            if same.is_some_and(|k| k.start <= at.start && at.end <= k.end) {
                continue;
            }
            // Of a value that was seen in part, the rest is cut too, but it is no other value.
            let cut = ways.iter().rev().fold(written, |range, way| way.cut(range));
            self.finding(plain, finding, same.is_none(), channel, &|_| locate(cut.clone()));
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

    /// Scans one text as it is; answers what it found.
    fn text(&mut self, text: &str, channel: Channel, locate: Locate<'_>) -> Vec<Finding> {
        let Some(selection) = self.inspector.plan.selection(channel) else { return Vec::new() };
        let findings = self.find(text, selection);
        for finding in &findings {
            self.finding(text, finding, true, channel, locate);
        }
        findings
    }

    fn find(&mut self, text: &str, selection: &Selection) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.inspector.detectors.scan(text, selection, self.budget, &mut findings).is_err() {
            self.over = true;
        }
        findings
    }

    /// Acts on a finding, and counts it if it is `new`.
    fn finding(&mut self, text: &str, finding: &Finding, new: bool, channel: Channel, locate: Locate<'_>) {
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
        *count = count.saturating_add(u32::from(new));

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
