//! Confidentiality markings: as a line of their own, at the head of one, or in brackets; not in a sentence.

use super::super::Finding;
use super::super::labels::{Reader, list};
use super::{Line, Type, finding};

/// In lower case, the longest first.
#[rustfmt::skip]
const MARKINGS: &[&str] = &[
    "strictly private and confidential", "private and confidential", "private & confidential", "strictly confidential", "highly confidential", "company confidential", "confidential and proprietary",
    "confidential & proprietary", "proprietary and confidential", "proprietary & confidential", "attorney-client privileged", "attorney client privileged", "attorney-client privilege", "attorney client privilege", "privileged and confidential", "privileged & confidential",
    "attorney work product", "internal use only", "for internal use only", "company internal", "internal only", "not for distribution", "not for external distribution", "do not distribute", "do not forward", "for official use only",
    "trade secret", "trade secrets", "eyes only", "nda required", "under nda", "restricted distribution", "limited distribution", "most confidential", "commercial in confidence", "commercial-in-confidence",
    "confidential", "top secret", "classified", "restricted",
    "streng vertraulich", "vertraulich", "nur f\u{fc}r den internen gebrauch", "nur f\u{fc}r internen gebrauch", "nur f\u{fc}r den dienstgebrauch", "streng geheim", "betriebsgeheimnis", "gesch\u{e4}ftsgeheimnis",
    "strictement confidentiel", "confidentiel", "usage interne uniquement", "\u{e0} usage interne", "diffusion restreinte", "confidencial", "uso interno", "estrictamente confidencial", "riservato", "strettamente riservato", "riservatissimo", "strikt vertrouwelijk", "vertrouwelijk", "\u{15b}ci\u{15b}le poufne", "poufne",
    "\u{673a}\u{5bc6}", "\u{6a5f}\u{5bc6}", "\u{7edd}\u{5bc6}", "\u{793e}\u{5916}\u{79d8}", "\u{6975}\u{79d8}", "\u{5185}\u{90e8}\u{8d44}\u{6599}", "\u{b300}\u{c678}\u{be44}", "\u{43a}\u{43e}\u{43d}\u{444}\u{438}\u{434}\u{435}\u{43d}\u{446}\u{438}\u{430}\u{43b}\u{44c}\u{43d}\u{43e}", "\u{441}\u{442}\u{440}\u{43e}\u{433}\u{43e} \u{43a}\u{43e}\u{43d}\u{444}\u{438}\u{434}\u{435}\u{43d}\u{446}\u{438}\u{430}\u{43b}\u{44c}\u{43d}\u{43e}",
];

/// Words that say nothing more when they stand around a marking.
const AROUND: &[u8] = b" *_-=#[](){}<>|~.!:/\\\"'`\t+";

pub(super) fn find(line: Line<'_>, out: &mut Vec<Finding>) {
    // A signal of its own form.
    let upper = line.text;
    for (at, _) in upper.windows(4).enumerate().filter(|(_, w)| w.ends_with(b":") && w.eq_ignore_ascii_case(b"tlp:")) {
        let rest = upper.get(at + 4..).unwrap_or_default();
        let colours: [&[u8]; 3] = [b"red", b"amber+strict", b"amber"];
        let colour = colours.into_iter().find(|c| rest.get(..c.len()).is_some_and(|r| r.eq_ignore_ascii_case(c)));
        if let Some(colour) = colour {
            out.push(finding(Type::ConfidentialityMarking, line.start + at, line.start + at + 4 + colour.len(), 0.9));
        }
    }
    if line.text.len() > 160 || !may_be_marked(line.text) {
        return;
    }
    let Ok(text) = std::str::from_utf8(line.text) else { return };
    let lower: String = text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
    if lower.len() != text.len() {
        return;
    }
    let mut taken = 0;
    for (marking, at) in MARKINGS.iter().flat_map(|m| super::places(lower.as_bytes(), m).take(2).map(move |at| (m, at)))
    {
        let end = at + marking.len();
        if at < taken {
            continue;
        }
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let itself = text.get(at..end).unwrap_or_default();
        let capitals = itself.chars().filter(|c| c.is_alphabetic()).all(|c| !c.is_lowercase()) && itself.is_ascii();
        let titled = itself.chars().next().is_some_and(|c| c.is_uppercase() || !c.is_ascii());
        let bare = |s: &str| s.bytes().all(|b| AROUND.contains(&b));
        let words = |s: &str| s.split_whitespace().count();
        // A line of its own; `CONFIDENTIAL - ...`; `[Confidential]`; `Classification: Confidential`; in capitals nearly anywhere.
        let own = bare(before) && bare(after);
        let head = bare(before)
            && titled
            && after.trim_start().starts_with(['-', '\u{2013}', '\u{2014}', ':', '|', '/', '('])
            && words(after) < 14;
        let tail = bare(after)
            && titled
            && before.trim_end().ends_with(['-', '\u{2013}', '\u{2014}', ':', '|', '/'])
            && words(before) < 10;
        let boxed = before.ends_with(['[', '(']) && after.starts_with([']', ')']) && titled;
        let shouted = capitals && marking.len() > 9 && (marking.contains(' ') || words(before) + words(after) < 10);
        let slashed = after.starts_with("//") && capitals;
        if own && titled || head || tail || boxed || shouted || slashed {
            let weak =
                matches!(*marking, "restricted" | "classified" | "trade secret" | "trade secrets" | "uso interno");
            let (start, end) = (line.start + at, line.start + end);
            if !weak || capitals && (own || slashed || head) {
                out.push(finding(Type::ConfidentialityMarking, start, end, 0.8));
                taken = at + marking.len();
            }
        }
    }
    settle(out, line.start);
}

list!(
    KEYS,
    "confidential privileged privilege internal only distribution distribute forward official secret secrets product eyes nda restricted \
     classified confidence vertraulich gebrauch dienstgebrauch geheim betriebsgeheimnis geschaftsgeheimnis confidentiel interne \
     restreinte confidencial interno riservato riservatissimo vertrouwelijk poufne"
);

/// Whether a word that markings have stands in the line, or a letter that they may have.
fn may_be_marked(line: &[u8]) -> bool {
    let r = Reader::whole(line);
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        if (*byte >= 0xE3 || matches!(byte, 0xD0 | 0xD1)) && line.len() < 80 {
            return true;
        }
        match if byte.is_ascii_alphabetic() || *byte >= 0xC3 { r.word(at) } else { None } {
            Some(word) if KEYS.has(word.hash) => return true,
            Some(word) => at = word.end,
            None => at += 1,
        }
    }
    false
}

/// Of overlapping markings of a line the first stays, which is the longest.
fn settle(out: &mut Vec<Finding>, from: usize) {
    let mut kept: Vec<Finding> = Vec::new();
    let mut at = 0;
    while let Some(found) = out.get(at).copied() {
        if found.start < from || found.kind != Type::ConfidentialityMarking.id() {
            at += 1;
        } else if kept.iter().any(|k| k.start < found.end && found.start < k.end) {
            out.remove(at);
        } else {
            kept.push(found);
            at += 1;
        }
    }
}
