//! User dictionaries: words and phrases.
//!
//! Words of the text are cut out and hashed once; the hash of an entry's first word leads to the entry. So
//! a thousand words cost what ten do. Entries that may stand inside other words (`whole_words: false`, and
//! those in scripts that write no spaces) go through an automaton instead.

mod watched;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::bytes;
use super::document::DictionaryDocument;
use super::{Finding, KindId, Selection, Span};
use crate::config::{Path, Problem};
use crate::sort;
pub(super) use watched::Watched;

/// The longest entry, in bytes.
pub(super) const MAX_WORD: usize = 256;
/// White space longer than this separates, where an entry has a space.
pub(super) const MAX_SPACE: usize = 64;
const FILTER_BITS: u32 = 16;

/// An entry found by its first word.
struct Entry {
    hash: u32,
    kind: KindId,
    /// What stands before the first word: `.` in `.NET`.
    lead: Box<str>,
    /// From the first word on; in lower case unless `exact`. White space is one space.
    body: Box<str>,
    /// Where in `body` its first word ends: a letter in lower case may be more than letters.
    first: usize,
    exact: bool,
}

/// The compiled dictionaries of a policy.
#[derive(Default)]
pub(super) struct Dictionary {
    kinds: Vec<KindId>,
    /// Sorted by hash.
    entries: Vec<Entry>,
    /// One bit per hash: most words of a text stop here.
    filter: Vec<u64>,
    exact: Option<Automaton>,
    folded: Option<Automaton>,
    watched: Watched,
}

struct Automaton {
    words: AhoCorasick,
    /// By pattern.
    kinds: Vec<KindId>,
}

/// Collects dictionaries.
#[derive(Default)]
pub(super) struct DictionaryBuilder {
    kinds: Vec<KindId>,
    entries: Vec<Entry>,
    exact: Vec<(String, KindId)>,
    folded: Vec<(String, KindId)>,
}

impl DictionaryBuilder {
    pub(super) fn add(&mut self, document: &DictionaryDocument, kind: KindId, path: &Path) -> Result<(), Problem> {
        let path = path.key("words");
        if document.words.is_empty() {
            return Err(Problem::new(path, "a dictionary without words").help("list words or remove the dictionary"));
        }
        self.kinds.push(kind);
        for (i, word) in document.words.iter().enumerate() {
            let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
            if word.is_empty() {
                return Err(Problem::new(path.index(i), "an empty word").help("remove it"));
            }
            if word.len() > MAX_WORD {
                return Err(Problem::new(path.index(i), format!("a word of {} bytes", word.len()))
                    .help(format!("use at most {MAX_WORD}; longer texts are recognised by a part of them")));
            }
            self.word(&word, document, kind, &path.index(i))?;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, document: &DictionaryDocument, kind: KindId, path: &Path) -> Result<(), Problem> {
        if !document.whole_words || word.chars().any(is_unspaced) {
            if document.case_sensitive {
                self.exact.push((word.to_owned(), kind));
            } else {
                self.fold(word, kind);
            }
            return Ok(());
        }
        let Some(first) = word.find(is_word_char) else {
            return Err(Problem::new(path.clone(), format!("`{word}` has no letter or digit"))
                .help("set `whole_words: false` to look for it anywhere"));
        };
        let (lead, body) = word.split_at_checked(first).unwrap_or(("", word));
        let run = body.find(|c| !is_word_char(c)).and_then(|end| body.get(..end)).unwrap_or(body);
        let hash = run.chars().flat_map(char::to_lowercase).fold(SEED, hash_char);
        let exact = document.case_sensitive;
        let first = if exact { run.len() } else { run.chars().flat_map(char::to_lowercase).map(char::len_utf8).sum() };
        let body = if exact { body.to_owned() } else { body.chars().flat_map(char::to_lowercase).collect() };
        self.entries.push(Entry { hash, kind, lead: lead.into(), body: body.into(), first, exact });
        Ok(())
    }

    /// Adds a text that is found in any case and within words.
    pub(super) fn anywhere(&mut self, text: &str, kind: KindId) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        self.fold(text, kind);
    }

    fn fold(&mut self, word: &str, kind: KindId) {
        // The automaton folds ASCII; other letters are there in both cases.
        let mut forms = vec![word.to_owned(), word.to_lowercase(), word.to_uppercase()];
        forms.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        self.folded.extend(forms.into_iter().map(|form| (form, kind)));
    }

    pub(super) fn build(mut self, path: &Path) -> Result<Dictionary, Problem> {
        let watched = Watched::new(&self);
        sort::cold(&mut self.entries, |a, b| a.hash < b.hash);
        let mut filter = Vec::new();
        if !self.entries.is_empty() {
            filter = vec![0u64; 1 << (FILTER_BITS - 6)];
            for entry in &self.entries {
                let (index, bit) = filter_place(entry.hash);
                if let Some(word) = filter.get_mut(index) {
                    *word |= bit;
                }
            }
        }
        Ok(Dictionary {
            kinds: self.kinds,
            entries: self.entries,
            filter,
            exact: Automaton::build(&self.exact, false, path)?,
            folded: Automaton::build(&self.folded, true, path)?,
            watched,
        })
    }
}

impl Automaton {
    fn build(words: &[(String, KindId)], folded: bool, path: &Path) -> Result<Option<Self>, Problem> {
        if words.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(folded)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words.iter().map(|(word, _)| word));
        match automaton {
            Ok(automaton) => Ok(Some(Self { words: automaton, kinds: words.iter().map(|(_, kind)| *kind).collect() })),
            Err(_) => Err(Problem::new(path.clone(), "the dictionaries are too large").help("use fewer words")),
        }
    }
}

impl Dictionary {
    /// Appends what the selected dictionaries find; what overlaps within one kind becomes one.
    pub(super) fn scan(&self, span: Span<'_>, selection: &Selection, found: &mut Vec<Finding>) {
        let text = span.text;
        if !self.is_selected(selection) {
            return;
        }
        let mut own = Vec::new();
        let mut push = |kind: KindId, start: usize, end: usize| {
            if selection.contains(kind) && span.holds(start, end) {
                own.push(Finding { kind, start, end, score: 1.0, test_value: false });
            }
        };
        if !self.entries.is_empty() {
            words(text, span.from, |start, hash| {
                if self.knows(hash) {
                    self.lookup(text, start, hash, &mut push);
                }
            });
        }
        for automaton in [&self.exact, &self.folded].into_iter().flatten() {
            let input = aho_corasick::Input::new(text).span(span.from..span.to);
            for hit in automaton.words.find_overlapping_iter(input) {
                if let Some(kind) = automaton.kinds.get(hit.pattern().as_usize()) {
                    push(*kind, hit.start(), hit.end());
                }
            }
        }
        sort::plain(&mut own, |a: &Finding, b| (a.kind, a.start, a.end) < (b.kind, b.start, b.end));
        own.dedup_by(|next, kept| {
            let overlap = next.kind == kept.kind && next.start < kept.end;
            if overlap {
                kept.end = kept.end.max(next.end);
            }
            overlap
        });
        found.append(&mut own);
    }

    #[inline(never)]
    fn lookup(&self, text: &str, start: usize, hash: u32, push: &mut impl FnMut(KindId, usize, usize)) {
        let first = self.entries.partition_point(|e| e.hash < hash);
        for entry in self.entries.iter().skip(first).take_while(|e| e.hash == hash) {
            super::work::add(1);
            let led = text.get(..start).is_some_and(|before| before.ends_with(&*entry.lead));
            if let Some(end) = text.get(start..).filter(|_| led).and_then(|rest| entry.length_in(rest)) {
                push(entry.kind, start - entry.lead.len(), start + end);
            }
        }
    }
}

impl Entry {
    /// How much of `rest` the entry covers, if it stands at its start and ends with a whole word.
    fn length_in(&self, rest: &str) -> Option<usize> {
        let mut chars = rest.char_indices().peekable();
        let mut body = self.body.chars();
        while let Some(expected) = body.next() {
            super::work::add(1);
            let (_, c) = chars.next()?;
            if expected == ' ' {
                if !c.is_whitespace() {
                    return None;
                }
                let mut more = MAX_SPACE;
                while more > 0 && chars.next_if(|(_, c)| c.is_whitespace()).is_some() {
                    more -= 1;
                }
            } else if self.exact {
                if c != expected {
                    return None;
                }
            } else {
                let mut folded = c.to_lowercase();
                if folded.next() != Some(expected) || folded.any(|f| body.next() != Some(f)) {
                    return None;
                }
            }
        }
        let whole = !self.body.ends_with(is_word_char) || !chars.peek().is_some_and(|(_, c)| is_word_char(*c));
        whole.then(|| chars.peek().map_or(rest.len(), |(i, _)| *i))
    }
}

/// FNV-1a, 32 bits, over lower-case characters.
const SEED: u32 = 0x811C_9DC5;

pub(super) fn hash_char(hash: u32, c: char) -> u32 {
    (hash ^ u32::from(c)).wrapping_mul(0x0100_0193)
}

fn filter_place(hash: u32) -> (usize, u64) {
    let place = (hash ^ (hash >> FILTER_BITS)) & ((1 << FILTER_BITS) - 1);
    ((place >> 6) as usize, 1 << (place & 63))
}

/// Calls `found(start, hash)` for every word of the text that starts at `from` or behind it.
fn words(text: &str, from: usize, mut found: impl FnMut(usize, u32)) {
    let text_bytes = text.as_bytes();
    let mut word: Option<(usize, u32)> = None;
    let mut at = from;
    if text.get(..from).is_some_and(|before| before.ends_with(is_word_char)) {
        let rest = text.get(from..).unwrap_or_default();
        at += rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    }
    while let Some(&byte) = text_bytes.get(at) {
        if byte.is_ascii() {
            if bytes::WORD.contains(byte) {
                let (start, hash) = word.unwrap_or((at, SEED));
                word = Some((start, hash_char(hash, char::from(byte.to_ascii_lowercase()))));
            } else if let Some((start, hash)) = word.take() {
                found(start, hash);
            }
            at += 1;
            continue;
        }
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        if is_word_char(c) {
            let (start, hash) = word.unwrap_or((at, SEED));
            word = Some((start, c.to_lowercase().fold(hash, hash_char)));
        } else if let Some((start, hash)) = word.take() {
            found(start, hash);
        }
        at += c.len_utf8();
    }
    if let Some((start, hash)) = word {
        found(start, hash);
    }
}

pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Letters of scripts that write no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han, Hangul.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}
