//! What an external detector answered, as findings in the texts that it was shown.

use std::collections::HashMap;

use super::{External, ExternalApi, Failure, MAX_ANSWER, MAX_FINDINGS, Texts};
use crate::inspect::{Detectors, Finding, KindId, Selection};
use crate::json::{Document, Kind, Limits, Node};
use crate::sort;

/// What external detectors found in one body, by text.
#[derive(Debug, Default)]
pub struct Found {
    places: HashMap<String, usize>,
    /// By place.
    findings: Vec<Vec<Finding>>,
}

impl Found {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn add(&mut self, text: &str, findings: Vec<Finding>) {
        let known = self.places.get(text).and_then(|place| self.findings.get_mut(*place));
        match known {
            Some(known) => known.extend(findings),
            None => {
                self.places.insert(text.to_owned(), self.findings.len());
                self.findings.push(findings);
            }
        }
    }

    /// Puts what was found of `selection` in `text` among the `findings` of our own. Of one kind, those that overlap become one.
    pub fn join(&self, text: &str, selection: &Selection, findings: &mut Vec<Finding>) {
        let Some(found) = self.places.get(text).and_then(|place| self.findings.get(*place)) else { return };
        findings.extend(found.iter().filter(|f| selection.contains(f.kind)));
        sort::plain(findings, |a, b| (a.kind, a.start) < (b.kind, b.start));
        findings.dedup_by(|next, last| {
            let same = next.kind == last.kind && next.start < last.end;
            if same {
                last.end = last.end.max(next.end);
                last.score = last.score.max(next.score);
                last.test_value &= next.test_value;
            }
            same
        });
        sort::plain(findings, |a, b| (a.start, a.kind) < (b.start, b.kind));
    }
}

/// A finding as it is told: places count characters.
#[derive(Clone, Copy)]
struct Told {
    text: usize,
    kind: KindId,
    start: usize,
    end: usize,
    score: f32,
}

impl External {
    /// Reads the answer to what [`Texts::request`] wrote, and adds to `found`.
    ///
    /// # Errors
    /// It is not what such an answer is. Nothing of it is added then.
    pub fn read(&self, body: &[u8], texts: &Texts, detectors: &Detectors, found: &mut Found) -> Result<(), Failure> {
        if body.len() > MAX_ANSWER {
            return Err(Failure::Malformed);
        }
        let document = Document::parse(body, &Limits::default()).map_err(|_| Failure::Malformed)?;
        let texts = texts.in_order();
        let told = match self.api {
            ExternalApi::Presidio => self.presidio(document.root(), texts.len()),
            ExternalApi::Webhook => self.webhook(document.root(), texts.len()),
        };
        let mut told = told.ok_or(Failure::Malformed)?;
        sort::plain(&mut told, |a, b| (a.text, a.start) < (b.text, b.start));
        let mut all = Vec::new();
        let mut rest = told.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|t| t.text == first.text).count();
            let (own, others) = rest.split_at_checked(count).ok_or(Failure::Malformed)?;
            let text = texts.get(first.text).ok_or(Failure::Malformed)?;
            let mut findings = in_bytes(text, own).ok_or(Failure::Malformed)?;
            findings.retain(|f| !detectors.allowed(text, f));
            all.push((*text, findings));
            rest = others;
        }
        for (text, findings) in all.into_iter().filter(|(_, findings)| !findings.is_empty()) {
            found.add(text, findings);
        }
        Ok(())
    }

    /// A list of findings for each text.
    fn presidio(&self, root: Node<'_>, texts: usize) -> Option<Vec<Told>> {
        let mut told = Vec::new();
        let mut count = 0;
        for (text, list) in array(root)?.enumerate() {
            for node in array(list)? {
                self.finding(node, "entity_type", text, None, &mut told)?;
            }
            count = text.checked_add(1)?;
        }
        (count == texts).then_some(told)
    }

    /// One list, of which each finding names its text.
    fn webhook(&self, root: Node<'_>, texts: usize) -> Option<Vec<Told>> {
        let mut told = Vec::new();
        for node in array(root.get("findings")?)? {
            let text = place(node, "id").filter(|text| *text < texts)?;
            self.finding(node, "type", text, Some(1.0), &mut told)?;
        }
        Some(told)
    }

    /// One finding, if it counts. `None` if it is none.
    fn finding(&self, node: Node<'_>, name: &str, text: usize, score: Option<f32>, told: &mut Vec<Told>) -> Option<()> {
        let kind = node.get(name)?.text()?;
        let (start, end) = (place(node, "start")?, place(node, "end")?);
        let score = match node.get("score").filter(|s| !s.is_null()) {
            Some(score) => as_score(score.number()?)?,
            None => score?,
        };
        if end < start {
            return None;
        }
        if let Some(kind) = self.kind_of(&kind)
            && score >= self.min_score
            && start < end
        {
            told.push(Told { text, kind, start, end, score });
        }
        (told.len() <= MAX_FINDINGS).then_some(())
    }
}

/// The items of a list, and of nothing else.
fn array<'d>(node: Node<'d>) -> Option<impl Iterator<Item = Node<'d>>> {
    (node.kind() == Kind::Array).then(|| node.items())
}

fn place(node: Node<'_>, name: &str) -> Option<usize> {
    node.get(name)?.number()?.parse().ok()
}

/// A number from 0 to 1 as it is written in JSON. Reading any number exactly is a lot of code; seven digits are more than enough.
pub(super) fn as_score(lexeme: &str) -> Option<f32> {
    let (mantissa, exponent) = lexeme.split_once(['e', 'E']).unwrap_or((lexeme, "0"));
    let mut exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = 0u32;
    for digit in whole.chars() {
        digits = digits.checked_mul(10)?.checked_add(digit.to_digit(10)?)?;
    }
    for digit in fraction.chars().take(7) {
        digits = digits.checked_mul(10)?.checked_add(digit.to_digit(10)?)?;
        exponent = exponent.checked_sub(1)?;
    }
    let (mut up, mut down) = (1.0f32, 1.0f32);
    (0..exponent.clamp(-20, 20)).for_each(|_| up *= 10.0);
    (exponent.clamp(-20, 20)..0).for_each(|_| down *= 10.0);
    let score = digits as f32 * up / down;
    (score <= 1.0).then_some(score)
}

/// The findings of one text, sorted by start, with their places in bytes. `None` if one lies beyond its end.
fn in_bytes(text: &str, told: &[Told]) -> Option<Vec<Finding>> {
    if text.is_ascii() {
        return told.iter().map(|t| (t.end <= text.len()).then(|| finding(t, t.start, t.end))).collect();
    }
    // Where each end and start lies, in one pass: they are few, and the text may be long.
    let mut places: Vec<usize> = told.iter().flat_map(|t| [t.start, t.end]).collect();
    sort::plain(&mut places, |a, b| a < b);
    places.dedup();
    let mut bytes: Vec<usize> = Vec::with_capacity(places.len());
    let mut wanted = places.iter().peekable();
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for (char, at) in ends.enumerate() {
        if wanted.next_if(|place| **place == char).is_some() {
            bytes.push(at);
        }
    }
    let byte = |place: usize| bytes.get(places.binary_search(&place).ok()?).copied();
    told.iter().map(|t| Some(finding(t, byte(t.start)?, byte(t.end)?))).collect()
}

fn finding(told: &Told, start: usize, end: usize) -> Finding {
    Finding { kind: told.kind, start, end, score: told.score, test_value: false }
}
