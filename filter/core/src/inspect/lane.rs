//! Findings in a text that arrives in pieces, with every byte let go of as soon as it is clear that it belongs to none,
//! or to which.
//!
//! **How.** Watchers (`lane/`), one per family of detectors, take each character in turn and know where the earliest
//! value starts that may still be open. What lies before that is *settled*. Where values overlap they are one
//! *stretch*, settled together when all of them are over; only then, and only if one of the watchers saw something
//! that may be a finding, the detectors themselves look at the stretch, with what stands before it and the few
//! characters behind it that ended it. Most text is never scanned at all: a word that nothing follows but a space
//! costs its watchers and no more.
//!
//! **Guarantees.** The stretches depend on the text alone and not on how it was cut into pieces. So
//! 1. the settled texts are the pieces, one after the other;
//! 2. the findings are the same for every way of cutting, also for none;
//! 3. no finding goes beyond the settled text it comes with;
//! 4. what cannot begin or go on with a finding leaves with the push that brought it.
//!
//! **What differs from a scan of the whole text.** Context words count only before a value, never behind it. A
//! JSON Web Token counts up to 2,048 bytes of header and payload and 1,024 of each other part; a Terraform token
//! starts at its `.atlasv1.`. A private key block is reported piece by piece: each settled text has a finding over
//! what it has of the block (guarantee 2 then holds for the bytes covered), it takes a line of 24 characters within
//! 512 bytes to be one, and no allow-list lets it pass. Patterns see `^` and `$` only where the text starts and where
//! it ends. Prompt injections are judged in whole texts only, and never found here. Shadows of kinds that are not looked for (a card number is no phone number) are cast from where a digit
//! of theirs stands, and not by addresses of version 6.
//!
//! **Bounds.** A stretch that is still open after [`STRETCH`] bytes, or a chain of many numbers, is scanned as far as
//! it is clear, and again when it has doubled; at [`LONGEST`] bytes it is cut whatever goes across, and a finding
//! that does becomes two. Only a phrase of a dictionary with very much white space inside can be longer, and is then
//! missed. Each character costs a bounded number of steps, and each byte of a stretch is scanned a few times at
//! most. What is kept is what is held back and about 1 KB before it.
//!
//! **Look-alike characters.** From the first one on that may stand for ASCII (`views::fold`) a second reader reads the
//! text as it looks, beside the first ([`Lane`]): its findings come with the places that they have in the text as it
//! came. What other encodings hide is looked for only where a text is held as a whole.
//!
//! **What this does not do.** It does not bound what is held back below these: the caller looks at [`Lane::held`].
//! One lane takes one selection; another one from one push to the next applies to what has not been settled.

mod exact;
mod folded;
mod hidden;
pub(super) mod ids;
mod key;
mod labels;
mod mail;
mod numbers;
mod patterns;
mod phrases;
mod shape;
mod tokens;
mod trie;

use super::types::Type;
use super::{Budget, Detectors, Finding, OverBudget, Selection, Sight, Span, business, links};
use crate::sort;

pub(super) mod step;

pub use folded::Lane;
pub(super) use shape::Shape;
use step::{Mode, NONE, Over, Step};
pub(super) use tokens::Watch;

/// What is kept of the settled text, for those detectors that look farthest back: patterns with context words.
pub(super) const LEFT: usize = 520;
/// A stretch is looked at when it is so long, and when it has doubled.
const STRETCH: usize = 2048;
/// The longest stretch.
const LONGEST: usize = 16 * 1024;

/// Room for text that is kept although it is not needed.
const ROOM: usize = 64 * 1024;

/// One text that arrives in pieces, as it is written.
#[derive(Default)]
struct Reader {
    /// Some of what was settled, then what is held back.
    text: String,
    /// Where the latter starts.
    settled: usize,
    /// How far the watchers have read.
    read: usize,
    /// When the stretch is looked at although it is open.
    limit: usize,
    over: Over,
    /// What goes on of findings that were cut.
    carried: Vec<Finding>,
    watchers: Watchers,
    selection: Selection,
    plan: Option<Plan>,
    /// The text is not as it came, and links in it are none.
    folded: bool,
}

/// What is settled by one push.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// The text, which may be empty.
    pub text: String,
    /// What is found in it, sorted by start; offsets are into `text`.
    pub findings: Vec<Finding>,
}

#[derive(Default)]
struct Watchers {
    mail: mail::Mail,
    chain: numbers::Chain,
    accounts: numbers::Accounts,
    colons: numbers::Colons,
    tokens: tokens::Tokens,
    key: key::Key,
    ids: ids::Ids,
    phrases: phrases::Phrases,
    runs: patterns::Runs,
    exact: exact::Exact,
    links: links::Links,
    hidden: hidden::Hidden,
    labels: labels::Labels,
    business: business::Lines,
}

/// What a selection needs watched.
#[derive(Clone, Copy, Default)]
struct Plan {
    mail: Mode,
    /// Also what is more often no address counts.
    doubtful: bool,
    chain: bool,
    accounts: Mode,
    colons: bool,
    /// The kinds of secrets, as bits, and patterns with a literal start.
    tokens: u64,
    /// The layouts of identifiers with letters, and wallets.
    ids: ids::Set,
    wallets: bool,
    key: bool,
    phrases: bool,
    runs: bool,
    /// The least and greatest length of listed values.
    exact: Option<(usize, usize)>,
    links: links::Wanted,
    hidden: bool,
    labels: super::labels::Wanted,
    business: business::Wanted,
}

impl Plan {
    fn new(detectors: &Detectors, selection: &Selection) -> Self {
        let has = |kind: Type| selection.contains(kind.id());
        let numbers = [Type::PhoneNumber, Type::UsSsn, Type::IpAddress, Type::CreditCard].into_iter().any(has);
        let chain = numbers || super::ids::kinds().any(|(kind, digits, _)| digits && has(kind));
        let mode = |kind: Type| match (has(kind), chain) {
            (true, _) => Mode::Full,
            (false, true) => Mode::Shadow,
            (false, false) => Mode::Off,
        };
        let patterns = &detectors.patterns;
        Self {
            mail: mode(Type::EmailAddress),
            doubtful: detectors.threshold(Type::EmailAddress.id()) <= 0.3,
            chain,
            accounts: mode(Type::IbanCode),
            colons: has(Type::IpAddress),
            tokens: tokens::kinds(selection, patterns),
            ids: detectors.layouts.of(selection),
            wallets: has(Type::Crypto),
            key: has(Type::PrivateKey) && detectors.threshold(Type::PrivateKey.id()) <= 0.99,
            phrases: detectors.dictionary.is_selected(selection),
            runs: (0..patterns.len())
                .any(|index| patterns.free_shape(index).is_some() && patterns.is_selected(index, selection)),
            exact: detectors.exact.lengths(selection),
            links: links::Wanted::new(selection),
            hidden: has(Type::HiddenText),
            labels: super::labels::Wanted::new(selection),
            business: business::Wanted::new(selection),
        }
    }
}

impl Reader {
    /// A reader whose text has not begun.
    fn new() -> Self {
        Self { limit: STRETCH, ..Self::default() }
    }

    /// A reader of another text, which has been the same so far.
    fn beside(&self) -> Self {
        let kept = self.text.clone();
        Self { text: kept, settled: self.settled, folded: true, ..Self::new() }
    }

    /// What [`Lane::push`] does, for the text as it is.
    fn push(
        &mut self,
        piece: &str,
        end: bool,
        detectors: &Detectors,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Settled, OverBudget> {
        self.text.push_str(piece);
        let from = self.settled;
        let mut findings = Vec::new();
        let plan = match self.plan {
            Some(plan) if self.selection == *selection => plan,
            _ => {
                // What is held back is read again, and what stands before it: names that values follow.
                (self.watchers, self.over) = (Watchers::default(), Over::default());
                self.read = 0;
                self.selection = selection.clone();
                let plan = self.plan.insert(Plan::new(detectors, selection));
                // What is told by lines and by grammars is read as it is written.
                if self.folded {
                    (plan.links, plan.business) = (links::Wanted::default(), business::Wanted::default());
                }
                *plan
            }
        };
        if selection.is_empty() {
            self.read = self.text.len();
            self.settled = self.read;
        }
        let mut scan = Scan { detectors, selection, budget, out: &mut findings };
        let outcome = self.read_on(&plan, &mut scan).and_then(|()| if end { self.finish(&mut scan) } else { Ok(()) });
        if let Err(over) = outcome {
            (self.settled, self.read) = (from, self.text.len());
            return Err(over);
        }
        Ok(self.settle(from, selection, findings))
    }

    /// Whether a private key that is reported piece by piece goes on, or may.
    fn key_goes_on(&self) -> bool {
        let may = |end| end >= self.settled;
        self.watchers.key.blocks().last().is_some_and(|block| block.end.is_none_or(may))
    }

    fn held(&self) -> usize {
        self.text.len() - self.settled
    }

    fn held_text(&self) -> &str {
        self.text.get(self.settled..).unwrap_or_default()
    }

    /// Bytes that are kept in all: what is held back, and what stands before it.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.text.len()
    }

    /// Takes up text that is not to be judged.
    fn hold(&mut self, text: &str) {
        self.text.push_str(text);
        self.read = self.text.len();
    }

    fn read_on(&mut self, plan: &Plan, scan: &mut Scan<'_>) -> Result<(), OverBudget> {
        while let Some(char) = self.text.get(self.read..).and_then(|rest| rest.chars().next()) {
            let (at, end) = (self.read, self.read + char.len_utf8());
            self.read = end;
            let bytes = self.text.as_bytes().get(..end).unwrap_or_default();
            let byte = super::bytes::at(bytes, at);
            self.watchers.step(&Step { bytes, at, end, char, byte }, plan, scan, &mut self.over);
            if end <= self.settled {
                self.over = Over::default();
                continue;
            }
            let open = self.watchers.open(plan, end).clamp(self.settled, end);
            if !self.over.any || open >= self.over.end {
                self.close(open, scan)?;
            }
            let chain = plan.chain && self.watchers.chain.is_long();
            if end - self.settled >= self.limit || chain {
                self.look(plan, scan)?;
            }
        }
        Ok(())
    }

    /// Everything before `cut` is over.
    fn close(&mut self, cut: usize, scan: &mut Scan<'_>) -> Result<(), OverBudget> {
        let cut = self.text.floor_char_boundary(cut);
        if cut <= self.settled {
            return Ok(());
        }
        if self.over.any {
            let text = self.text.get(..self.read).unwrap_or_default();
            let mut found = Vec::new();
            let span = Span { text, from: self.settled, to: cut, sight: Sight::Left };
            scan.run(span, &mut found)?;
            for mut carried in self.carried.drain(..) {
                found.retain(|f| {
                    let same = f.kind == carried.kind && f.start < carried.end;
                    carried.end = if same { carried.end.max(f.end) } else { carried.end };
                    !same
                });
                scan.out.push(carried);
            }
            self.watchers.links.take(cut, &mut found);
            self.watchers.business.take(cut, &mut found);
            found.retain(|f| !(links::finds(f.kind) || business::finds(f.kind)) || scan.detectors.counts(text, f));
            scan.out.append(&mut found);
            self.over = Over::default();
        }
        (self.settled, self.limit) = (cut, STRETCH);
        Ok(())
    }

    /// The text is over, and so is everything.
    fn finish(&mut self, scan: &mut Scan<'_>) -> Result<(), OverBudget> {
        self.watchers.key.end(self.text.as_bytes());
        if let Some(plan) = self.plan.filter(|plan| plan.links.any()) {
            let hosts = &scan.detectors.hosts;
            self.watchers.links.finish(self.text.as_bytes(), plan.links, hosts, &mut self.over);
        }
        if let Some(plan) = self.plan.filter(|plan| plan.business.any()) {
            self.watchers.business.finish(self.text.as_bytes(), plan.business, &mut self.over);
        }
        self.over.mark(self.read);
        self.close(self.read, scan)
    }

    /// Looks at a stretch that is long and still open, and settles what of it is clear.
    fn look(&mut self, plan: &Plan, scan: &mut Scan<'_>) -> Result<(), OverBudget> {
        let (from, end) = (self.settled, self.read);
        let recent = self.watchers.recent(plan, end, scan).clamp(from, end);
        let recent = self.text.floor_char_boundary(recent);
        let text = self.text.get(..end).unwrap_or_default();
        let mut found = Vec::new();
        scan.run(Span { text, from, to: end, sight: Sight::Left }, &mut found)?;
        found.extend(self.carried.iter().copied());
        // Back to before whatever goes across.
        let mut cut = recent;
        while let Some(across) = {
            let links = self.watchers.links.across(cut).into_iter().chain(self.watchers.business.across(cut));
            found.iter().filter(|f| f.start < cut && cut < f.end).map(|f| f.start).chain(links).min()
        } {
            cut = across;
        }
        let longest = end - from >= LONGEST;
        if cut <= from && !longest {
            self.limit = 2 * (end - from);
            self.watchers.chain.looked_at();
            return Ok(());
        }
        // What is over behind the cut still is.
        let over = self.over.end;
        if cut > from {
            self.over.any = true;
            self.close(cut, scan)?;
        } else {
            cut = if recent > from { recent } else { end };
            self.carried.clear();
            for finding in found.into_iter().filter(|f| f.start < cut) {
                scan.out.push(Finding { end: finding.end.min(cut), ..finding });
                if finding.end > cut {
                    self.over.mark(finding.end);
                    self.carried.push(Finding { start: cut, ..finding });
                }
            }
            self.watchers.links.cut(cut);
            self.watchers.business.cut(cut);
            let mut found = Vec::new();
            self.watchers.links.take(cut, &mut found);
            self.watchers.business.take(cut, &mut found);
            scan.out.extend(found.iter().filter(|f| scan.detectors.counts(&self.text, f)));
            self.settled = cut;
        }
        self.watchers.chain.looked_at();
        self.limit = STRETCH + end - self.settled;
        self.over.mark(over.max(self.settled));
        Ok(())
    }

    /// Takes what was settled from `from` on out of the text, with its findings.
    fn settle(&mut self, from: usize, selection: &Selection, mut findings: Vec<Finding>) -> Settled {
        let kind = Type::PrivateKey.id();
        let blocks = self.watchers.key.blocks();
        if selection.contains(kind) && !blocks.is_empty() {
            let within = |f: &Finding| blocks.iter().any(|b| f.start >= b.start && b.end.is_none_or(|e| f.start < e));
            findings.retain(|f| f.kind != kind || !within(f));
            findings.extend(blocks.iter().filter_map(|block| {
                let start = block.start.max(from);
                let end = block.end.unwrap_or(self.settled).min(self.settled);
                (start < end).then_some(Finding { kind, start, end, score: 0.99, test_value: block.test_value })
            }));
        }
        sort::plain(&mut findings, |a: &Finding, b| (a.start, a.kind) < (b.start, b.kind));
        for finding in &mut findings {
            finding.start = finding.start.saturating_sub(from);
            finding.end = finding.end.saturating_sub(from);
        }
        let text = self.text.get(from..self.settled).unwrap_or_default().to_owned();
        let spare = self.text.floor_char_boundary(self.settled.saturating_sub(LEFT));
        // Not for a few bytes: what is kept moves.
        if spare > LEFT {
            self.text.drain(..spare);
            if self.text.capacity() > ROOM {
                self.text.shrink_to(0);
            }
            (self.settled, self.read) = (self.settled - spare, self.read - spare);
            self.over.end = self.over.end.saturating_sub(spare);
            self.watchers.shift(self.settled, spare);
        }
        Settled { text, findings }
    }
}

/// What a scan needs.
struct Scan<'s> {
    detectors: &'s Detectors,
    selection: &'s Selection,
    budget: &'s mut Budget,
    out: &'s mut Vec<Finding>,
}

impl Scan<'_> {
    fn run(&mut self, span: Span<'_>, found: &mut Vec<Finding>) -> Result<(), OverBudget> {
        self.detectors.scan_span(span, self.selection, self.budget, found)
    }
}

impl Watchers {
    fn step(&mut self, step: &Step<'_>, plan: &Plan, scan: &Scan<'_>, over: &mut Over) {
        let detectors = scan.detectors;
        if plan.mail != Mode::Off {
            self.mail.step(step, plan.mail, plan.doubtful, over);
        }
        if plan.chain {
            self.chain.step(step, over);
        }
        if plan.accounts != Mode::Off {
            self.accounts.step(step, plan.accounts, over);
        }
        if plan.colons {
            self.colons.step(step, over);
        }
        if plan.tokens != 0 {
            let what = (plan.tokens, scan.selection, &detectors.patterns);
            self.tokens.step(step, &detectors.watch, what, over);
        }
        if plan.wallets || ids::is_wanted(&plan.ids) {
            self.ids.step(step, &plan.ids, plan.wallets, &detectors.layouts, over);
        }
        if plan.key {
            self.key.step(step);
        }
        if plan.phrases {
            self.phrases.step(step, &detectors.dictionary, over);
        }
        if plan.runs {
            self.runs.step(step, &detectors.patterns, scan.selection, over);
        }
        if let Some(lengths) = plan.exact {
            self.exact.step(step, lengths, over);
        }
        if plan.links.any() {
            self.links.step(step, plan.links, &detectors.hosts, over);
        }
        if plan.hidden {
            self.hidden.step(step, over);
        }
        if plan.business.any() {
            self.business.step(step.bytes, step.at, step.byte, plan.business, over);
        }
        if plan.labels.any() {
            self.labels.step(step, &detectors.labels, plan.labels, over);
        }
    }

    /// Where the earliest value starts that is open.
    fn open(&self, plan: &Plan, end: usize) -> usize {
        let mut open = self.mail.open().min(self.chain.open());
        open = open.min(self.accounts.open(plan.accounts)).min(self.colons.open());
        if plan.tokens != 0 {
            open = open.min(self.tokens.open(end));
        }
        if let Some((_, most)) = plan.exact {
            open = open.min(self.exact.open(most));
        }
        open = open.min(self.ids.open()).min(self.key.open()).min(self.phrases.open()).min(self.runs.open());
        open = open.min(self.links.open()).min(self.hidden.open());
        open.min(self.labels.open()).min(self.business.open(plan.business))
    }

    /// The same for values that end after `end`: where a run or a chain holds others before, they are left out.
    fn recent(&self, plan: &Plan, end: usize, scan: &Scan<'_>) -> usize {
        let patterns = &scan.detectors.patterns;
        let mut recent = self.mail.open().min(self.chain.recent()).min(self.accounts.open(plan.accounts));
        // An address of version 6 is not longer.
        let colons = self.colons.open();
        recent = recent.min(if colons == NONE { NONE } else { colons.max(end.saturating_sub(128)) });
        if plan.tokens != 0 {
            recent = recent.min(self.tokens.recent(end, &scan.detectors.watch, patterns));
        }
        recent = recent
            .min(self.ids.open())
            .min(self.key.open())
            .min(self.phrases.open())
            .min(self.runs.recent(end, patterns));
        if let Some((_, most)) = plan.exact {
            recent = recent.min(self.exact.open(most));
        }
        recent = recent.min(self.links.open()).min(self.hidden.open());
        recent.min(self.labels.open()).min(self.business.open(plan.business))
    }

    fn shift(&mut self, settled: usize, by: usize) {
        self.mail.shift(by);
        self.chain.shift(by);
        self.accounts.shift(by);
        self.colons.shift(by);
        self.tokens.shift(by);
        self.ids.shift(by);
        self.key.shift(settled, by);
        self.phrases.shift(by);
        self.runs.shift(by);
        self.exact.shift(by);
        self.links.shift(by);
        self.hidden.shift(by);
        self.labels.shift(by);
        self.business.shift(by);
    }
}
