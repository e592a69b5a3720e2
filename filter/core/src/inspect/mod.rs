//! What a text carries: personal data, payment data, secrets, and what a policy describes itself.
//!
//! [`Detectors`] are compiled once from the policy's `detectors:` and are immutable. A scan is three
//! prefilter passes over the text and then work at candidates only:
//!
//! 1. `triggers` finds digits, `:` and `@`. At a digit the run of digit groups around it becomes one
//!    chain, which every number detector reads (`numbers`, `iban`); `ipv6` and `email` start at
//!    their own bytes.
//! 2. `anchors` finds token prefixes and keywords; a matcher in `secrets` reads on from each.
//!
//! 3. `labels` cuts out the words, and reads on from those that announce a value.
//!
//! Matchers are tables and hand-written code that looks at each byte a bounded number of times: time is
//! linear in the text, whatever the text. Context words are looked up around candidates only. User
//! dictionaries are looked up by hash at word starts (`dictionary`); user patterns run through
//! `regex-lite` on a stated budget of work (`pattern`, [`Budget`]); values of lists by their digests ([`exact`]), on the same.
//!
//! URLs that carry something out ([`links`]) are read for by grammars of their own, since it matters where they stand;
//! planted secrets are entries of the dictionaries. Whether a text gives a model instructions ([`injection`]) is judged over
//! windows of it, and by where it stands. What an answer repeats of the system prompt is known only beside
//! the request: [`Leak`] finds it. These kinds stand beside whatever they overlap, as the policy's own do.
//!
//! Business content (`business`) is judged line by line, and stands beside the others too. Topics of the policy's own ([`topics`])
//! are judged over sentences.
//!
//! A text that arrives in pieces is watched as it comes ([`Lane`]), and scanned where it may hold something.
//!
//! Adding a detector: a name in `types`, and either a row in `secrets::tokens` or `ids::rows`, or a small file with its
//! matcher; how far it reaches (`reach`, and what `lane` watches for it); and its samples, positive and near misses,
//! which the tests run.
//!
//! [`Detectors::scan`] takes a text as it is; [`Detectors::scan_through`] also looks at what encodings and look-alike
//! characters hide in it (`views`).
//!
//! What this does not do: recognise what has no form of its own and is not announced (a name in a sentence).

mod anchors;
mod budget;
mod business;
mod bytes;
mod checks;
mod compile;
mod context;
mod dictionary;
mod document;
mod email;
pub mod exact;
mod external;
mod glob;
mod hidden;
mod iban;
mod ids;
pub mod injection;
mod ipv6;
mod labels;
mod lane;
mod leak;
mod links;
mod masks;
mod numbers;
mod pattern;
mod reach;
mod resolve;
mod script;
mod secrets;
mod select;
mod skeleton;
pub mod topics;
mod triggers;
mod types;
mod views;
mod work;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::protocol::Channel;
use crate::sort;

pub use budget::{Budget, OverBudget};
pub use document::{
    AllowDocument, CheckDocument, DetectorsDocument, DictionaryDocument, ExactDocument, LinksDocument, PatternDocument,
    TopicDocument,
};
pub use external::{External, ExternalApi, ExternalDocument, Failure, Found, Texts};
pub use lane::{Lane, Settled};
pub use leak::{Leak, Shingles};
pub use reach::Reach;
pub use script::{Script, Scripts, script};
pub use select::Selection;
pub(crate) use skeleton::skeletons;
pub use views::{Sighting, see_through};

use anchors::Anchors;
use types::Type;

/// What a type of finding is about; policies select by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Data about a person.
    Pii,
    /// Payment and account numbers.
    Financial,
    /// Health identifiers.
    Health,
    /// Credentials and keys.
    Secrets,
    /// Prompt injection.
    Injection,
    /// Business content. The types that are built in are not in `all`.
    Business,
    /// What an answer must not carry out: URLs that do, planted secrets, the system prompt. Not in `all`.
    Exfiltration,
    /// What a policy describes itself, unless it names another group.
    Custom,
}

impl Group {
    pub(crate) const ALL: [Group; 8] = [
        Group::Pii,
        Group::Financial,
        Group::Health,
        Group::Secrets,
        Group::Injection,
        Group::Business,
        Group::Exfiltration,
        Group::Custom,
    ];

    /// Its name in a policy: `pii`, `financial`, ...
    pub const fn as_str(self) -> &'static str {
        match self {
            Group::Pii => "pii",
            Group::Financial => "financial",
            Group::Health => "health",
            Group::Secrets => "secrets",
            Group::Injection => "injection",
            Group::Business => "business",
            Group::Exfiltration => "exfiltration",
            Group::Custom => "custom",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A type of finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `CREDIT_CARD`; custom ones as the policy names them.
    pub name: String,
    /// What it is about.
    pub group: Group,
}

/// The kind of a finding of [`Leak`].
pub const SYSTEM_PROMPT_LEAK: KindId = types::Type::SystemPromptLeak.id();

/// A [`Kind`] within one [`Detectors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(u16);

impl KindId {
    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A value found in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: KindId,
    /// Where it starts: a byte offset into the scanned text, on a character boundary.
    pub start: usize,
    /// Where it ends (exclusive): a byte offset, on a character boundary.
    pub end: usize,
    /// How sure this is, from 0 to 1.
    pub score: f32,
    /// The value is known to belong to nobody: a published test card, an address reserved for documents.
    pub test_value: bool,
}

/// What a built-in matcher believes it has found, before thresholds and overlaps are settled.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    kind: Type,
    start: usize,
    end: usize,
    score: f32,
    /// Whether a check digit or a structure as good as one held.
    checked: bool,
    test_value: bool,
}

/// Which side of a value a detector may look at for context words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Both.
    Whole,
    /// Only what stands before the value, as in a text that still arrives.
    Left,
}

/// The part of a text that is scanned.
#[derive(Clone, Copy)]
struct Span<'t> {
    /// All that may be looked at: also what stands before the part, and a little behind it.
    text: &'t str,
    /// Where the part starts and ends. A finding that does not lie within is not reported.
    from: usize,
    to: usize,
    sight: Sight,
}

impl<'t> Span<'t> {
    fn whole(text: &'t str) -> Self {
        Self { text, from: 0, to: text.len(), sight: Sight::Whole }
    }

    fn holds(&self, start: usize, end: usize) -> bool {
        start >= self.from && end <= self.to
    }
}

/// The score from which a finding counts, unless the policy sets another for its type.
const DEFAULT_THRESHOLD: f32 = 0.5;

/// The compiled detectors of a policy.
pub struct Detectors {
    kinds: Vec<Kind>,
    /// By kind.
    thresholds: Vec<f32>,
    allow: Vec<compile::Allow>,
    anchors: Anchors,
    labels: labels::Labels,
    ids: ids::Index,
    layouts: lane::ids::Layouts,
    watch: lane::Watch,
    dictionary: dictionary::Dictionary,
    patterns: pattern::Patterns,
    exact: exact::Lists,
    hosts: links::Hosts,
    topics: topics::Topics,
    externals: Vec<External>,
}

impl fmt::Debug for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detectors").field("kinds", &self.kinds.len()).finish_non_exhaustive()
    }
}

impl Detectors {
    /// The kind behind `id`. An id of other detectors gives an arbitrary kind.
    pub fn kind(&self, id: KindId) -> &Kind {
        static UNKNOWN: Kind = Kind { name: String::new(), group: Group::Custom };
        self.kinds.get(id.index()).unwrap_or(&UNKNOWN)
    }

    /// Every kind: the built-in ones, then the policy's own in their order.
    pub fn kinds(&self) -> impl Iterator<Item = (KindId, &Kind)> {
        self.kinds.iter().enumerate().map(|(i, kind)| (KindId(i as u16), kind))
    }

    /// The literals that built-in secrets start at, to measure other automata with.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.anchors.literals()
    }

    /// The detectors outside of the filter, which no scan asks.
    pub fn externals(&self) -> &[External] {
        &self.externals
    }

    /// Appends what is found in `text` to `out`, sorted by start. Findings of one kind do not overlap. Of
    /// overlapping findings of different built-in kinds the better one stays (checked before unchecked, then
    /// longer, then higher score); the policy's own kinds stand beside whatever they overlap.
    ///
    /// # Errors
    /// [`OverBudget`] when the policy's patterns used up `budget`: nothing is appended, and the text must
    /// be treated as not scanned.
    pub fn scan(
        &self,
        text: &str,
        selection: &Selection,
        budget: &mut Budget,
        out: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        self.scan_in(Channel::User, text, selection, budget, out)
    }

    /// The same in a text that stands in `channel`: what is an attack in a tool's result may be ordinary in what a user writes.
    ///
    /// # Errors
    /// As of [`Detectors::scan`].
    pub fn scan_in(
        &self,
        channel: Channel,
        text: &str,
        selection: &Selection,
        budget: &mut Budget,
        out: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        if selection.contains(injection::KIND) {
            return self.scan_scored(channel, text, selection, budget, out).map(drop);
        }
        self.scan_span(Span::whole(text), selection, budget, out)
    }

    /// The same, and answers how much the text looks like an injection, from 0 to 1, whether that is looked for or not.
    ///
    /// # Errors
    /// As of [`Detectors::scan`].
    pub fn scan_scored(
        &self,
        channel: Channel,
        text: &str,
        selection: &Selection,
        budget: &mut Budget,
        out: &mut Vec<Finding>,
    ) -> Result<f32, OverBudget> {
        let from = out.len();
        self.scan_span(Span::whole(text), selection, budget, out)?;
        let finding = injection::find(text, channel);
        if selection.contains(injection::KIND) && finding.start < finding.end && self.counts(text, &finding) {
            // Findings are sorted by start, then by kind.
            let before = |f: &Finding| (f.start, f.kind) < (finding.start, finding.kind);
            let at = out.get(from..).unwrap_or_default().partition_point(before);
            out.insert(from + at, finding);
        }
        Ok(finding.score)
    }

    fn scan_span(
        &self,
        span: Span<'_>,
        selection: &Selection,
        budget: &mut Budget,
        out: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        let mut found = Vec::new();
        self.patterns.scan(span, selection, budget, &mut found)?;
        self.exact.scan(span, selection, budget, &mut found)?;
        self.dictionary.scan(span, selection, &mut found);
        self.builtin(span, selection, &mut found);
        hidden::scan(span, selection, &mut found);
        // A text that arrives is read as it does.
        if span.sight == Sight::Whole {
            links::scan(span.text, selection, &self.hosts, &mut found);
            business::scan(span.text, selection, &mut found);
            self.topics.scan(span.text, selection, &self.thresholds, &mut found);
        }
        found.retain(|f| self.counts(span.text, f));
        sort::plain(&mut found, |a: &Finding, b| (a.start, a.kind) < (b.start, b.kind));
        out.append(&mut found);
        Ok(())
    }

    fn builtin(&self, span: Span<'_>, selection: &Selection, found: &mut Vec<Finding>) {
        let mut candidates = Vec::new();
        // Of what labels announce, Spanish passports are also found by the word behind them.
        if selection.intersects(types::Type::EmailAddress.id(), types::LAST_STRUCTURED.id())
            || selection.contains(types::Type::EsPassport.id())
        {
            let scope = ids::Scope { index: &self.ids, selection, sight: span.sight };
            structured(span, scope, &mut candidates);
        }
        let anchored = selection.intersects(types::Type::PrivateKey.id(), types::LAST.id());
        if anchored || selection.contains(types::Type::SwiftBic.id()) {
            secrets::scan(&self.anchors, span, &mut candidates);
        }
        labels::scan(&self.labels, span, selection, &mut candidates);
        candidates.retain(|c| {
            c.score >= self.threshold(c.kind.id())
                // What is not looked for only takes from others, wherever it starts.
                && (span.holds(c.start, c.end) || !selection.contains(c.kind.id()))
        });
        resolve::overlaps(&mut candidates, selection);
        found.extend(candidates.iter().map(|c| Finding {
            kind: c.kind.id(),
            start: c.start,
            end: c.end,
            score: c.score,
            test_value: c.test_value,
        }));
    }

    fn threshold(&self, kind: KindId) -> f32 {
        self.thresholds.get(kind.index()).copied().unwrap_or(DEFAULT_THRESHOLD)
    }

    /// Whether its score is high enough, and its value on no list.
    fn counts(&self, text: &str, finding: &Finding) -> bool {
        finding.score >= self.threshold(finding.kind) && !self.allowed(text, finding)
    }

    fn allowed(&self, text: &str, finding: &Finding) -> bool {
        let value = || text.get(finding.start..finding.end);
        self.allow.iter().any(|a| a.applies(finding.kind) && value().is_some_and(|v| a.matches(v)))
    }
}

/// Numbers, e-mail and IP addresses: everything that starts at a digit, a `:` or an `@`.
fn structured(span: Span<'_>, scope: ids::Scope<'_>, found: &mut Vec<Candidate>) {
    let bytes = span.text.as_bytes();
    let mut from = span.from;
    let mut colons_read_to = 0;
    while let Some(at) = triggers::next(bytes, from).filter(|at| *at < span.to) {
        from = match bytes::at(bytes, at) {
            b'@' => {
                email::find(bytes, at, found);
                at + 1
            }
            b':' => {
                if scope.has(Type::MacAddress) {
                    ids::mac(bytes, at, found);
                }
                if at < colons_read_to {
                    from = at + 1;
                    continue;
                }
                let read = ipv6::find(bytes, at, found);
                colons_read_to = read.end;
                if read.found { read.end } else { at + 1 }
            }
            _ => numbers::find(bytes, at, span, scope, found),
        };
    }
}
