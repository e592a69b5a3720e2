//! Looking for something in a text and in everything that its encodings hide.

use std::ops::Range;

use super::super::types::Type;
use super::super::{Budget, Detectors, Finding, OverBudget, Selection};
use super::{View, Views, Way};
use crate::protocol::Channel;
use crate::sort;

/// What was found in a text, or in what it hides.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Its place is in the text as it came: what is cut so that nothing of the value is left. Of what is hidden that is
    /// a whole encoded run, which may hold other findings, too.
    pub finding: Finding,
    /// The value in plain, where the text as it came does not show it: to put it back would not restore the text.
    pub hidden: Option<String>,
    /// More of a value than another sighting shows; no other value.
    pub part: bool,
}

/// How a text is looked at: appends findings, sorted by start, those of a kind apart from one another.
type Find<'a> = &'a mut dyn FnMut(&str, &mut Vec<Finding>) -> Result<(), OverBudget>;

/// Appends to `out` what `find` finds in `text`, and then what it finds in views of it that it did not before.
///
/// # Errors
/// Those of `find`: nothing is appended, and the text must be treated as not scanned.
pub fn see_through(text: &str, find: Find<'_>, out: &mut Vec<Sighting>) -> Result<(), OverBudget> {
    let before = out.len();
    let outcome = look(text, find, out);
    if outcome.is_err() {
        out.truncate(before);
    }
    outcome
}

fn look(text: &str, find: Find<'_>, out: &mut Vec<Sighting>) -> Result<(), OverBudget> {
    let mut known = Vec::new();
    find(text, &mut known)?;
    out.extend(known.iter().map(|finding| Sighting { finding: *finding, hidden: None, part: false }));
    let mut ways: Vec<Way> = Vec::new();
    let mut shown: Option<String> = None;
    let mut views = Views::default();
    while let Some(View { text: plain, way, noise }) = views.next(shown.as_deref().unwrap_or(text)) {
        let mut findings = Vec::new();
        find(&plain, &mut findings)?;
        ways.push(way);
        if noise && let Some(way) = ways.last() {
            undisturbed(&mut findings, &mut known, way);
        }
        hidden(&plain, &findings, &mut known, &ways, out);
        known = findings;
        shown = Some(plain);
    }
    Ok(())
}

/// Leaves the findings that count in a view in which words and lines run together.
fn undisturbed(findings: &mut Vec<Finding>, known: &mut Vec<Finding>, way: &Way) {
    sort::plain(known, |a, b| (a.start, a.end) < (b.start, b.end));
    // As they overlap one another, of whatever kind.
    let mut taken: Vec<Range<usize>> = Vec::new();
    for finding in known.iter() {
        match taken.last_mut() {
            Some(last) if finding.start < last.end => last.end = last.end.max(finding.end),
            _ => taken.push(finding.start..finding.end),
        }
    }
    findings.retain(|finding| {
        let written = finding.start..finding.end;
        let at = way.exact(written.clone());
        let first = taken.partition_point(|t| t.end <= at.start);
        let behind = taken.partition_point(|t| t.start < at.end);
        let over = taken.get(first..behind).unwrap_or_default();
        let goes_on = || {
            let [only] = over else { return false };
            let from = known.partition_point(|k| k.start < only.start);
            // What looked random may be a part of what has a form.
            let less = |k: &Finding| k.kind == finding.kind || k.kind == Type::GenericSecret.id();
            let same = |k: &Finding| less(k) && (k.start, k.end) == (only.start, only.end);
            at.start <= only.start && only.end <= at.end && known.get(from).is_some_and(same)
        };
        way.differs(&written) && (over.is_empty() || goes_on())
    });
}

/// Appends what decoding showed that was not `known` of the text before it.
fn hidden(plain: &str, findings: &[Finding], known: &mut Vec<Finding>, ways: &[Way], out: &mut Vec<Sighting>) {
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
        let Range { start, end } = ways.iter().rev().fold(written.clone(), |range, way| way.cut(range));
        let value = plain.get(written).unwrap_or_default().to_owned();
        out.push(Sighting { finding: Finding { start, end, ..*finding }, hidden: Some(value), part: same.is_some() });
    }
}

impl Detectors {
    /// The same as [`Detectors::scan_in`] for the text and for everything that its encodings and look-alike characters hide. What
    /// the text shows as it came stands first, sorted by start; then what the first view adds, and so on. Answers how much the text,
    /// or what it hides, looks like an injection, from 0 to 1.
    ///
    /// # Errors
    /// [`OverBudget`] when the policy's patterns used up `budget`: nothing is appended, and the text must be treated as
    /// not scanned.
    pub fn scan_through(
        &self,
        channel: Channel,
        text: &str,
        selection: &Selection,
        budget: &mut Budget,
        out: &mut Vec<Sighting>,
    ) -> Result<f32, OverBudget> {
        let mut most = 0.0f32;
        let mut find = |text: &str, found: &mut Vec<Finding>| {
            most = most.max(self.scan_scored(channel, text, selection, budget, found)?);
            Ok(())
        };
        see_through(text, &mut find, out)?;
        Ok(most)
    }
}
