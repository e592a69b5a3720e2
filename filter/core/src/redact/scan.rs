//! One body, or one text of a stream, being scanned.

use std::borrow::Cow;
use std::ops::Range;

use super::hits::{Hit, Hits, Replacement};
use super::tokens::{Assignments, Counts, Form, Restorer, restore_arguments, restore_json};
use super::{Back, Inspector, Outcome, RestoreMap};
use crate::hex::hex;
use crate::host::Side;
use crate::inspect::{
    Budget, Finding, Lane, Leak, OverBudget, SYSTEM_PROMPT_LEAK, Selection, Shingles, Sighting, see_through,
};
use crate::json::{Document, Limits, StringToken, Text, decimal, escaped};
use crate::policy::{Action, Mode, Placeholder, Plan};
use crate::protocol::{Channel, Contents, Leaf, Place, Way, subtree, walk};
use crate::reply::Reason;

/// How deep JSON inside strings inside JSON is seen through.
const MAX_NESTED: u8 = 3;

/// Numbers with fewer digits carry nothing that is looked for.
const MIN_DIGITS: usize = 7;

/// Numbers are expanded to at most this many digits: `4.1e15` is looked at as `4100000000000000`.
const MAX_DIGITS: usize = 40;

/// Takes a range of a text to a range of the body.
type Locate<'a> = &'a dyn Fn(Range<usize>) -> Range<usize>;

/// Shows the texts of a body that [`Scan::leaf`] scans, but for those at `protected` places, which name the model.
pub(crate) fn show(
    document: &Document<'_>,
    side: Side,
    numbers: bool,
    protected: &[Range<usize>],
    sink: &mut dyn FnMut(&str, Channel),
) {
    let contents = Contents::payloads(document.root());
    walk(side, document.root(), &mut |leaf: Leaf<'_>| match leaf.place {
        Place::Value(token) if contents.payload(&token).is_some() || protected.contains(&token.inner_span()) => {}
        Place::Value(token) | Place::Key(token, _) => sink(&token.text(), leaf.of.channel),
        Place::Number(node) => {
            if let Some(lexeme) = node.number().filter(|lexeme| numbers && lexeme.len() >= MIN_DIGITS) {
                sink(lexeme, leaf.of.channel);
            }
        }
    });
}

/// One body being scanned.
pub(crate) struct Scan<'a, 'b> {
    inspector: &'a Inspector<'a>,
    budget: &'b mut Budget,
    hits: Hits,
    outcome: Outcome,
    over: bool,
    /// How often anything was found, or put back.
    found: usize,
    /// Whether long numbers are looked at.
    pub(super) numbers: bool,
    /// The values that get placeholders, and the text in which none of those may stand already.
    assignments: Assignments,
    taken: String,
    /// The answer's placeholders: they are none of its findings.
    known: Option<&'a RestoreMap>,
    /// What must not be edited.
    signed: Vec<Range<usize>>,
    /// Strings that are no text.
    contents: Contents,
    /// What restores in the next text, where the one before it left a link open that a client may show joined to it.
    open_link: Option<Restorer>,
}

impl<'a, 'b> Scan<'a, 'b> {
    /// Scans with `inspector`. `known` are the placeholders that an answer may hold.
    pub fn new(inspector: &'a Inspector<'a>, budget: &'b mut Budget, known: Option<&'a RestoreMap>) -> Self {
        Self {
            inspector,
            budget,
            hits: Hits::default(),
            outcome: Outcome::default(),
            over: false,
            found: 0,
            numbers: true,
            assignments: Assignments::default(),
            taken: String::new(),
            known: known.filter(|map| !map.is_empty()),
            signed: Vec::new(),
            contents: Contents::default(),
            open_link: None,
        }
    }

    /// The body whose leaves follow.
    pub fn body(&mut self, document: &Document<'_>, side: Side) {
        self.contents = Contents::payloads(document.root());
        if side == Side::Request && self.inspector.deriver.is_some() {
            self.taken = String::from_utf8_lossy(document.bytes()).into_owned();
        }
    }

    /// Whether the body has strings that are no text, and are passed over.
    pub fn has_payloads(&self) -> bool {
        self.contents.has_payloads()
    }

    /// The statements that apply.
    pub fn plan(&self) -> &'a Plan {
        self.inspector.plan
    }

    /// Bounds on what is read as JSON.
    pub fn limits(&self) -> Limits {
        self.inspector.limits
    }

    /// Whether something is to be replaced.
    pub fn edits(&self) -> bool {
        self.hits.len() > 0
    }

    /// Rises with whatever is found and put back, or cannot be judged: while it stays, nothing was.
    pub fn found(&self) -> usize {
        self.found + usize::from(self.over)
    }

    /// Counts what became of placeholders.
    pub fn restored(&mut self, counts: Counts) {
        self.found += 1;
        self.outcome.restored.add(counts);
    }

    /// Scans one leaf of the body.
    pub fn leaf(&mut self, leaf: Leaf<'_>) {
        let (before, channel) = (self.hits.len(), leaf.of.channel);
        #[cfg(feature = "trace")]
        self.outcome.trace.texts.push(leaf.traced());
        match leaf.place {
            Place::Value(token) if self.contents.payload(&token).is_some() => {}
            Place::Value(token) | Place::Key(token, _) => self.string(&token.decode(), channel, 0),
            Place::Number(node) => {
                if let Some(lexeme) = node.number().filter(|_| self.numbers) {
                    self.number(lexeme, node.span(), channel);
                }
            }
        }
        if leaf.of.signed {
            self.signed.extend(self.hits.since(before));
        }
    }

    /// Scans a leaf into which values may come back; answers what goes in its place, if something else does.
    pub(super) fn restored_leaf(&mut self, leaf: Leaf<'_>, back: Back<'_>) -> Option<(Range<usize>, String)> {
        let Place::Value(token) = leaf.place else { return None };
        if back.restore.is_empty() || leaf.of.signed {
            return None;
        }
        let text = token.text();
        let channel = leaf.of.channel;
        let called = || leaf.of.tool.is_some_and(|tool| back.restoring_tools.any(&tool.text()));
        let limits = self.inspector.limits;
        match channel {
            Channel::Assistant if back.structured => {
                self.put_back(&token, &text, channel, &mut |text| owned(restore_json(back.restore, text, &limits)))
            }
            Channel::Assistant => self.put_back_joined(&token, &text, channel, back.restore),
            Channel::ToolCall if called() => {
                self.put_back(&token, &text, channel, &mut |text| owned(restore_arguments(back.restore, text, &limits)))
            }
            _ => None,
        }
    }

    /// The same for a leaf of a tool's result, which may be JSON, or text that is shown joined to what stands before it.
    pub(crate) fn restored_result(
        &mut self,
        leaf: Leaf<'_>,
        way: Way,
        map: &RestoreMap,
    ) -> Option<(Range<usize>, String)> {
        let Place::Value(token) = leaf.place else { return None };
        if map.is_empty() || self.contents.payload(&token).is_some() {
            return None;
        }
        let (text, limits, channel) = (token.text(), self.inspector.limits, leaf.of.channel);
        let json = || text.trim_start().starts_with(['{', '[']) && Document::parse(text.as_bytes(), &limits).is_ok();
        match way == Way::Apart || self.open_link.is_none() && json() {
            true => self.put_back(&token, &text, channel, &mut |text| owned(restore_arguments(map, text, &limits))),
            false => self.put_back_joined(&token, &text, channel, map),
        }
    }

    /// Puts values back into a text that a client may show joined to the one before it.
    fn put_back_joined(
        &mut self,
        token: &StringToken<'_>,
        text: &str,
        channel: Channel,
        map: &RestoreMap,
    ) -> Option<(Range<usize>, String)> {
        let before = self.open_link.take().unwrap_or_default();
        let mut joined = None;
        let edit = self.put_back(token, text, channel, &mut |text| {
            let mut restorer = before.clone();
            let restored = restorer.push(map, text, true).into_owned();
            joined = Some(restorer.clone());
            (restored, restorer.counts())
        });
        self.open_link = joined.filter(Restorer::in_link).map(|restorer| restorer.beside());
        edit
    }

    /// What goes in the place of a text into which `restored` puts values, if it does.
    fn put_back(
        &mut self,
        token: &StringToken<'_>,
        text: &str,
        channel: Channel,
        restored: &mut dyn FnMut(&str) -> (String, Counts),
    ) -> Option<(Range<usize>, String)> {
        let (_, counts) = restored(text);
        let edit = (counts.restored > 0).then(|| {
            // What is found goes first: values that come back are the caller's own, and no findings.
            let edited = self.whole(text, channel, false);
            (token.inner_span(), escaped(&restored(&edited).0))
        });
        self.restored(counts);
        edit
    }

    /// Scans a complete text that is no part of the body's bytes; answers what goes on instead.
    pub fn whole(&mut self, text: &str, channel: Channel, signed: bool) -> String {
        self.apart(signed, |scan| {
            // JSON is seen through, as in a string of a body.
            let document = Document::parse(text.as_bytes(), &scan.inspector.limits)
                .ok()
                .filter(|_| text.trim_start().starts_with(['{', '[', '"']));
            match document {
                Some(document) => {
                    scan.text(text, channel, &|range| range);
                    subtree(document.root(), channel, &mut |leaf| match leaf.place {
                        Place::Value(token) | Place::Key(token, _) => scan.string(&token.decode(), channel, 1),
                        Place::Number(node) => {
                            if let Some(lexeme) = node.number() {
                                scan.number(lexeme, node.span(), channel);
                            }
                        }
                    });
                }
                None => scan.seen_through(text, channel, &|range| range),
            }
            text.to_owned()
        })
    }

    /// Takes a piece of a text that comes in pieces; answers what goes on of it now.
    pub fn lane(
        &mut self,
        (lane, leak): (&mut Lane, &mut Leak),
        piece: &str,
        end: bool,
        channel: Channel,
        signed: bool,
    ) -> String {
        self.apart(signed, |scan| {
            let none = Selection::default();
            let selection = scan.inspector.plan.selection(channel).unwrap_or(&none);
            let Ok(settled) = lane.push(piece, end, scan.inspector.detectors, selection, scan.budget) else {
                scan.over = true;
                return String::new();
            };
            let settled = match scan.shingles(selection) {
                Some(shingles) => leak.follow(shingles, settled, end),
                None => settled,
            };
            for finding in &settled.findings {
                let value = settled.text.get(finding.start..finding.end).unwrap_or_default();
                scan.finding(value, finding, true, false, channel, &|range| range);
            }
            settled.text
        })
    }

    /// Scans a text by itself: its hits are edits of it, and not of the body.
    fn apart(&mut self, signed: bool, scan: impl FnOnce(&mut Self) -> String) -> String {
        let outside = std::mem::take(&mut self.hits);
        let text = scan(self);
        let hits = std::mem::replace(&mut self.hits, outside);
        if hits.deny() || signed && hits.len() > 0 {
            self.outcome.denial = Some(Reason::ContentDenied);
        }
        let edits = hits.edits(&[]);
        match edits.is_empty() || self.outcome.denial.is_some() {
            true => text,
            false => String::from_utf8(edits.splice(text.as_bytes())).unwrap_or_default(),
        }
    }

    /// Looks for the values that got placeholders in the rest of the request: what was found in one place thanks to the words
    /// around it must not leave in another.
    pub fn sweep(&mut self, document: &Document<'_>, side: Side) {
        if self.assignments.is_empty() {
            return;
        }
        let Ok(map) = std::mem::take(&mut self.assignments).build() else {
            self.over = true;
            return;
        };
        walk(side, document.root(), &mut |leaf| {
            if let Place::Value(token) | Place::Key(token, _) = leaf.place {
                let before = self.hits.len();
                self.sweep_text(&map, &token.decode(), 0);
                if leaf.of.signed {
                    self.signed.extend(self.hits.since(before));
                }
            }
        });
        self.outcome.restore = map;
    }

    fn sweep_text(&mut self, map: &RestoreMap, text: &Text<'_>, depth: u8) {
        for (range, placeholder) in map.sweep(text.as_str()) {
            let replacement = Replacement::Token { placeholder: placeholder.to_owned(), kind: "VALUE".to_owned() };
            self.hits.push(Hit { raw: text.raw_range(range), action: Action::Tokenize, replacement });
        }
        let inner = text.as_str();
        if depth < MAX_NESTED
            && inner.contains('\\')
            && inner.trim_start().starts_with(['{', '[', '"'])
            && let Ok(document) = Document::parse(inner.as_bytes(), &self.inspector.limits)
        {
            subtree(document.root(), Channel::Metadata, &mut |leaf| {
                if let Place::Value(token) | Place::Key(token, _) = leaf.place {
                    self.sweep_text(map, &text.nested(token), depth + 1);
                }
            });
        }
    }

    /// The body as it goes on, where it must differ, and what was found.
    pub fn finish(
        mut self,
        document: &Document<'_>,
        protected: &[Range<usize>],
        edits: &[(Range<usize>, String)],
    ) -> (Option<Vec<u8>>, Outcome) {
        let (signed, limits) = (std::mem::take(&mut self.signed), self.inspector.limits);
        let (hits, mut outcome) = self.end();
        if outcome.denial.is_none() {
            hits.protect(protected, &mut outcome.denial);
            hits.protect(&signed, &mut outcome.denial);
        }
        if outcome.denial.is_some() {
            return (None, outcome);
        }
        let edits = hits.edits(edits);
        if edits.is_empty() {
            return (None, outcome);
        }
        let edited = edits.splice(document.bytes());
        match Document::parse(&edited, &limits) {
            Ok(_) => (Some(edited), outcome),
            // Two keys became one: nobody can say which of their values a server would read.
            Err(_) => {
                outcome.denial = Some(Reason::ContentDenied);
                (None, outcome)
            }
        }
    }

    /// The same where nothing of the body itself is replaced but by `edits`, which are values: no two keys become one, and the
    /// body need not be read once more.
    pub fn finish_values(
        self,
        document: &Document<'_>,
        edits: &[(Range<usize>, String)],
    ) -> (Option<Vec<u8>>, Outcome) {
        let (hits, outcome) = self.end();
        let edited = outcome.denial.is_none() && !edits.is_empty();
        (edited.then(|| hits.edits(edits).splice(document.bytes())), outcome)
    }

    /// What was found in texts by themselves.
    pub fn finish_texts(self) -> Outcome {
        self.end().1
    }

    fn end(mut self) -> (Hits, Outcome) {
        if self.over {
            self.outcome.denial = Some(Reason::ContentUnscannable);
        } else if self.hits.deny() {
            self.outcome.denial = Some(Reason::ContentDenied);
        }
        (self.hits, self.outcome)
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
        let Some(selection) = self.inspector.plan.selection(channel) else { return };
        let mut sightings = Vec::new();
        let outcome = see_through(text, &mut |text, found| self.find(text, channel, selection, found), &mut sightings);
        self.over |= outcome.is_err();
        for Sighting { finding, hidden, part } in &sightings {
            let at = finding.start..finding.end;
            let value = hidden.as_deref().or_else(|| text.get(at)).unwrap_or_default();
            self.finding(value, finding, !part, hidden.is_some(), channel, locate);
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

    /// Scans one text as it is.
    fn text(&mut self, text: &str, channel: Channel, locate: Locate<'_>) {
        let Some(selection) = self.inspector.plan.selection(channel) else { return };
        let mut findings = Vec::new();
        self.over |= self.find(text, channel, selection, &mut findings).is_err();
        for finding in &findings {
            let value = text.get(finding.start..finding.end).unwrap_or_default();
            self.finding(value, finding, true, false, channel, locate);
        }
    }

    fn find(
        &mut self,
        text: &str,
        channel: Channel,
        selection: &Selection,
        findings: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        self.inspector.detectors.scan_in(channel, text, selection, self.budget, findings)?;
        if let Some(shingles) = self.shingles(selection) {
            findings.extend(Leak::new().push(shingles, text, true).findings);
        }
        if let Some(external) = self.inspector.external {
            external.join(text, selection, findings);
        }
        Ok(())
    }

    /// The texts that an answer is not to repeat, where that is looked for.
    fn shingles(&self, selection: &Selection) -> Option<&'a Shingles> {
        self.inspector.shingles.filter(|s| !s.is_empty() && selection.contains(SYSTEM_PROMPT_LEAK))
    }

    /// Acts on a finding, and counts it if it is `new`. What was `hidden` by an encoding is cut with it, and cannot come back.
    fn finding(
        &mut self,
        value: &str,
        finding: &Finding,
        new: bool,
        hidden: bool,
        channel: Channel,
        locate: Locate<'_>,
    ) {
        self.found += 1;
        if self.known.is_some_and(|map| map.is_placeholder(value)) {
            return;
        }
        let mut strictest: Option<Action> = None;
        // Of what is done to the text itself: a request that goes elsewhere is judged anew, and one that is there already goes on.
        let mut edit: Option<Action> = None;
        let mut form = Form::Label;
        let plan = self.inspector.plan;
        let kind = &self.inspector.detectors.kind(finding.kind).name;
        if new && !finding.test_value {
            let rows = plan.rules(channel, finding.kind).filter_map(|rule| rule.sign);
            self.outcome.signs.add(kind, value, rows);
        }
        for rule in plan.rules(channel, finding.kind) {
            if rule.sign.is_some() {
                strictest = Some(strictest.map_or(Action::Flag, |s| s.min(Action::Flag)));
                continue;
            }
            let ids = match rule.mode {
                Mode::Observe => &mut self.outcome.observed,
                Mode::Enforce => {
                    strictest = Some(strictest.map_or(rule.action, |s| s.min(rule.action)));
                    match (rule.action, rule.route) {
                        (Action::Route, Some(route)) => {
                            let asked = (route, rule.id.clone());
                            if !self.outcome.routes.contains(&asked) {
                                self.outcome.routes.push(asked);
                            }
                        }
                        (action, _) => edit = Some(edit.map_or(action, |e| e.min(action))),
                    }
                    if rule.placeholder == Placeholder::Preserve && rule.action == Action::Tokenize {
                        form = Form::Preserve;
                    }
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
        #[cfg(feature = "trace")]
        if new {
            let rules = plan.rules(channel, finding.kind);
            self.outcome.trace.found(channel, (kind, value), finding, hidden, rules);
        }
        let label = if finding.test_value { format!("{kind}.test") } else { kind.clone() };
        let action = strictest.map_or("observe", Action::as_str);
        let count = self.outcome.findings.entry((label, action)).or_default();
        *count = count.saturating_add(u32::from(new));

        let Some(action) = edit.filter(|a| *a != Action::Flag) else { return };
        let masked = || Replacement::Text(format!("[{kind}]"));
        let replacement = match (action, self.inspector.hash_key, &self.inspector.deriver) {
            (Action::Hash, Some(key), _) => Replacement::Text(format!("[{kind}:{}]", keyed(key, kind, value))),
            (Action::Tokenize, _, Some(deriver)) if !hidden => {
                let taken = &self.taken;
                match self.assignments.assign(deriver, kind, value, form, &|placeholder| taken.contains(placeholder)) {
                    Ok(placeholder) => Replacement::Token { placeholder: placeholder.to_owned(), kind: kind.clone() },
                    // Too many for one request: they go for good.
                    Err(_) => masked(),
                }
            }
            // A hash without a key does not compile; masking is the safe side of the same intent.
            _ => masked(),
        };
        self.hits.push(Hit { raw: locate(finding.start..finding.end), action, replacement });
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

fn owned((text, counts): (Cow<'_, str>, Counts)) -> (String, Counts) {
    (text.into_owned(), counts)
}
