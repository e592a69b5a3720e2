//! User patterns: regular expressions on a budget of work.
//!
//! A pattern that starts with literal text runs only where the shared prefilter finds that text, anchored
//! there. Any other runs over the text in overlapping slices. Either way a search never sees more than a
//! slice, so its cost is known before it starts and is charged to the budget: the engine is linear in its
//! haystack, but a plain iteration over matches may read the rest of a long text once per match.
//!
//! What this does not do: find matches longer than [`MAX_MATCH`]. One that is still going on at the end of
//! its slice counts as far as it was read.

use regex_lite::{Regex, RegexBuilder};

use super::anchors::Anchors;
use super::bytes;
use super::checks::{luhn, mod97};
use super::document::{CheckDocument, PatternDocument};
use super::lane::Shape;
use super::reach::Reach;
use super::{Budget, Finding, KindId, OverBudget, Selection, Sight, Span, ids};
use crate::config::{Path, Problem};

/// The longest match.
pub(super) const MAX_MATCH: usize = 1024;
/// So many places are tried per slice.
const SLICE: usize = 2048;
/// The largest compiled program, in the engine's own count of bytes.
const MAX_PROGRAM: usize = 64 * 1024;
/// A program of this size is the simplest, and costs one unit per byte.
const SIMPLE_PROGRAM: usize = 1024;
const MAX_PATTERN: usize = 4096;
/// How far context words are looked for, unless said, and at most.
const WITHIN: u16 = 64;
const MAX_WITHIN: u16 = 512;

/// The compiled patterns of a policy.
#[derive(Default)]
pub(super) struct Patterns {
    list: Vec<Pattern>,
    /// The literal starts; ids are indices of `list`.
    anchors: Option<Anchors>,
}

/// One compiled pattern.
pub(super) struct Pattern {
    kind: KindId,
    regex: Regex,
    /// The literal text that every match starts with.
    start: Option<Literal>,
    shape: Shape,
    /// Units per byte.
    weight: u64,
    context: Vec<String>,
    within: usize,
    score: f32,
    check: Option<CheckDocument>,
}

impl Patterns {
    pub(super) fn new(list: Vec<Pattern>) -> Self {
        let literals = || list.iter().zip(0u16..).filter_map(|(p, id)| p.start.as_ref().map(|l| (l, id)));
        let anchors = literals()
            .next()
            .is_some()
            .then(|| Anchors::new(literals().map(|(l, id)| (l.text.as_str(), !l.folded, id)), |_| true));
        Self { list, anchors }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The literal starts, with the indices of their patterns.
    pub(super) fn literals(&self) -> impl Iterator<Item = (&Literal, u16)> {
        self.list.iter().zip(0u16..).filter_map(|(pattern, index)| Some((pattern.start.as_ref()?, index)))
    }

    pub(super) fn literal(&self, index: usize) -> Option<&Literal> {
        self.list.get(index)?.start.as_ref()
    }

    pub(super) fn is_selected(&self, index: usize, selection: &Selection) -> bool {
        self.list.get(index).is_some_and(|pattern| selection.contains(pattern.kind))
    }

    pub(super) fn shape(&self, index: usize) -> Option<&Shape> {
        self.list.get(index).map(|pattern| &pattern.shape)
    }

    /// The shape of a pattern that has no literal start.
    pub(super) fn free_shape(&self, index: usize) -> Option<&Shape> {
        self.list.get(index).filter(|pattern| pattern.start.is_none()).map(|pattern| &pattern.shape)
    }

    pub(super) fn reach(&self, kind: KindId) -> Option<Reach> {
        let pattern = self.list.iter().find(|pattern| pattern.kind == kind)?;
        let left = if pattern.context.is_empty() { 1 } else { pattern.within };
        Some(Reach { max_len: Some(pattern.shape.most), left })
    }

    /// Appends what the selected patterns find.
    pub(super) fn scan(
        &self,
        span: Span<'_>,
        selection: &Selection,
        budget: &mut Budget,
        found: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        let mut anchored = false;
        for pattern in self.list.iter().filter(|p| selection.contains(p.kind)) {
            if pattern.start.is_some() {
                anchored = true;
            } else {
                pattern.scan(span, budget, found)?;
            }
        }
        let Some(anchors) = self.anchors.as_ref().filter(|_| anchored) else { return Ok(()) };
        let mut outcome = Ok(());
        let mut ends = vec![0usize; self.list.len()];
        anchors.scan(span.text.as_bytes(), span.from, |at, id| {
            let id = usize::from(id);
            let (Some(pattern), Some(end)) = (self.list.get(id), ends.get_mut(id)) else { return };
            if outcome.is_ok() && *end <= at && at < span.to && selection.contains(pattern.kind) {
                match pattern.anchored(span, at, budget) {
                    Ok(Some(finding)) => {
                        *end = finding.end;
                        found.push(finding);
                    }
                    Ok(None) => {}
                    Err(over) => outcome = Err(over),
                }
            }
        });
        found.retain(|f| span.holds(f.start, f.end));
        outcome
    }
}

impl Pattern {
    pub(super) fn compile(document: &PatternDocument, kind: KindId, path: &Path) -> Result<Self, Problem> {
        let at = path.key("pattern");
        if document.pattern.len() > MAX_PATTERN {
            return Err(Problem::new(at, format!("a pattern of {} bytes", document.pattern.len()))
                .help(format!("write at most {MAX_PATTERN}; long lists of words belong in `dictionaries`")));
        }
        let regex = build(&document.pattern, MAX_PROGRAM).map_err(|e| {
            Problem::new(at.clone(), format!("not a pattern: {e}")).help(
                "see the syntax of the regex-lite crate; it has no look-around, no back-references and no `\\p{..}`",
            )
        })?;
        if regex.is_match("") {
            return Err(
                Problem::new(at, "the pattern matches the empty text").help("let it require at least one character")
            );
        }
        let context = path.key("context");
        if let Some(i) = document.context.0.iter().position(|w| w.trim().is_empty()) {
            return Err(Problem::new(context.index(i), "an empty word").help("remove it"));
        }
        let within = document.within.unwrap_or(WITHIN);
        if !(1..=MAX_WITHIN).contains(&within) {
            return Err(
                Problem::new(path.key("within"), format!("{within} bytes")).help(format!("use 1 to {MAX_WITHIN}"))
            );
        }
        let start = Literal::of(&document.pattern);
        // Anchored, so that a search gives up as soon as no thread is left.
        let anchored = start.as_ref().and_then(|_| build(&format!(r"\A(?:{})", document.pattern), MAX_PROGRAM).ok());
        let (regex, start) = match anchored {
            Some(anchored) => (anchored, start),
            None => (regex, None),
        };
        Ok(Self {
            kind,
            regex,
            start,
            shape: Shape::of(&document.pattern),
            weight: weight(&document.pattern),
            context: document.context.0.iter().map(|w| w.trim().to_ascii_lowercase()).collect(),
            within: usize::from(within),
            score: super::compile::score(document.score.unwrap_or(0.9), &path.key("score"))?,
            check: document.check,
        })
    }

    /// The match at `at`, where its literal stands.
    fn anchored(&self, span: Span<'_>, at: usize, budget: &mut Budget) -> Result<Option<Finding>, OverBudget> {
        let text = span.text;
        let bounded = self.start.as_ref().is_some_and(|l| l.bounded);
        if bounded && bytes::WORD.contains(bytes::before(text.as_bytes(), at)) {
            return Ok(None);
        }
        let slice = text.get(at..floor(text, at + MAX_MATCH)).unwrap_or_default();
        budget.charge(slice.len() as u64 * self.weight)?;
        let Some(found) = self.regex.find(slice).filter(|m| !m.is_empty()) else { return Ok(None) };
        self.finding(span, at, at + found.end(), budget)
    }

    fn scan(&self, span: Span<'_>, budget: &mut Budget, found: &mut Vec<Finding>) -> Result<(), OverBudget> {
        let text = span.text;
        let mut from = span.from;
        while from < span.to {
            // Matches start before `stop` and are read up to `end`; what stands before `from` is kept in the
            // slice for `\b` and `^`.
            let stop = floor(text, from + SLICE).max(from + 1);
            let end = floor(text, stop + MAX_MATCH);
            let base = floor(text, from.saturating_sub(1));
            let Some(slice) = text.get(base..end) else { return Ok(()) };
            let mut at = from;
            while at < stop {
                budget.charge((end - at) as u64 * self.weight)?;
                let Some(hit) = self.regex.find_at(slice, at - base) else { break };
                let (start, finish) = (base + hit.start(), base + hit.end());
                if start >= stop {
                    break;
                }
                if finish > start {
                    found.extend(self.finding(span, start, finish, budget)?.filter(|f| span.holds(f.start, f.end)));
                }
                at = ceil(text, finish.max(start + 1));
            }
            from = stop.max(at);
        }
        Ok(())
    }

    fn finding(
        &self,
        span: Span<'_>,
        start: usize,
        end: usize,
        budget: &mut Budget,
    ) -> Result<Option<Finding>, OverBudget> {
        let bytes = span.text.as_bytes();
        if let Some(check) = self.check
            && !passes(check, bytes.get(start..end).unwrap_or_default())
        {
            return Ok(None);
        }
        if !self.context.is_empty() {
            budget.charge((self.within * 2 * self.context.len()) as u64)?;
            let before = bytes.get(start.saturating_sub(self.within)..start).unwrap_or_default();
            let behind = if span.sight == Sight::Whole { self.within } else { 0 };
            let after = bytes.get(end..bytes.len().min(end + behind)).unwrap_or_default();
            if !self.context.iter().any(|word| has_word(before, word) || has_word(after, word)) {
                return Ok(None);
            }
        }
        Ok(Some(Finding { kind: self.kind, start, end, score: self.score, test_value: false }))
    }
}

fn passes(check: CheckDocument, value: &[u8]) -> bool {
    let of = |letters: bool| {
        let symbols = value.iter().filter(|b| if letters { b.is_ascii_alphanumeric() } else { b.is_ascii_digit() });
        symbols.map(u8::to_ascii_uppercase).collect::<Vec<u8>>()
    };
    match check {
        CheckDocument::Luhn => luhn(&of(false).iter().map(|b| b - b'0').collect::<Vec<u8>>()),
        CheckDocument::Mod97 => mod97(of(true).into_iter()) == 1,
        CheckDocument::Mod1110 => ids::mod11_10(&of(false)),
        CheckDocument::Verhoeff => ids::verhoeff(&of(false)),
    }
}

fn build(pattern: &str, limit: usize) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern).size_limit(limit).nest_limit(50).build()
}

/// Units per byte. For each byte the engine may step through as many states as the program has, and the larger the
/// program, the more of them are alive at once where repetitions overlap (`[a-z]{1,200}[a-y]{1,200}`): the weight grows
/// with the size to the power of 1.5, so that a unit is never more than a microsecond and most often far less.
fn weight(pattern: &str) -> u64 {
    let mut size = SIMPLE_PROGRAM;
    let mut times: u64 = 1;
    while size < MAX_PROGRAM && build(pattern, size).is_err() {
        size *= 2;
        times *= 2;
    }
    times * times.isqrt()
}

/// Whether `word` (lower case) stands in `window` as a word, in any case (ASCII).
fn has_word(window: &[u8], word: &str) -> bool {
    window.windows(word.len()).enumerate().any(|(i, w)| {
        w.eq_ignore_ascii_case(word.as_bytes())
            && !bytes::ALNUM.contains(bytes::before(window, i))
            && !bytes::ALNUM.contains(bytes::at(window, i + word.len()))
    })
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// The first character boundary at or after `at`.
fn ceil(text: &str, at: usize) -> usize {
    text.ceil_char_boundary(at)
}

/// The literal text that every match of a pattern starts with.
#[derive(Debug, PartialEq)]
pub(super) struct Literal {
    pub(super) text: String,
    /// Whether case does not matter.
    pub(super) folded: bool,
    /// Whether the pattern asks for a word boundary (`\b`) before it.
    pub(super) bounded: bool,
}

impl Literal {
    /// Read from the pattern's source, as long as nothing in it can make the literal optional. At least three
    /// ASCII characters, or there is none.
    fn of(pattern: &str) -> Option<Self> {
        let (folded, pattern) = match pattern.strip_prefix("(?i)") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let (bounded, pattern) = match pattern.strip_prefix(r"\b") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        // An alternation outside groups has other starts; where groups end is not looked at.
        if pattern.contains('|') && !within_groups(pattern) {
            return None;
        }
        let mut text = String::new();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            let literal = match c {
                '\\' => match rest.next() {
                    Some(escaped) if escaped.is_ascii_punctuation() => escaped,
                    _ => break,
                },
                c if c.is_ascii_alphanumeric() || " _-/:=@#%&,;<>~!\"'`".contains(c) => c,
                _ => break,
            };
            // A quantifier behind it makes it optional or repeats it.
            if matches!(rest.peek(), Some('?' | '*' | '+' | '{')) {
                break;
            }
            text.push(literal);
        }
        // `\b` before a literal that starts with punctuation wants a word character before it.
        let plain = !bounded || text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        (text.len() >= 3 && plain).then_some(Self { text, folded, bounded })
    }
}

/// Whether every `|` stands in a group or a class.
fn within_groups(pattern: &str) -> bool {
    let mut depth = 0usize;
    let mut class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '|' if !class && depth == 0 => return false,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::Literal;

    #[test]
    fn literal_starts() {
        for (pattern, text) in [
            (r"EMP-\d{6}", Some("EMP-")),
            (r"\bEMP-\d{6}\b", Some("EMP-")),
            (r"(?i)case no\. \d+", Some("case no. ")),
            (r"ABCD?\d", Some("ABC")),
            (r"ABC{2}\d", None),
            (r"AB\d", None),
            (r"ABC|DEF", None),
            (r"ABC(D|E)", Some("ABC")),
            (r"ABC[|]D", Some("ABC")),
            (r"(?x) ABC", None),
            (r"(ABC)D", None),
            (r"^ABC", None),
            (r"\b-ABC", None),
            (r"äbcd", None),
        ] {
            assert_eq!(Literal::of(pattern).map(|l| l.text).as_deref(), text, "{pattern}");
        }
    }
}
