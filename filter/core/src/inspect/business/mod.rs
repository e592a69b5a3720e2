//! Business content: source code, database schemas, hosts of an internal network, confidentiality markings, financial statements.
//!
//! **How.** A text is read line by line, in the same way whether it is there or arrives. A line is over at its line feed or, where none
//! comes, after [`LINE`] bytes. Hosts ([`host`]) and markings ([`marking`]) are found within a line. What takes several lines is a
//! *run*: lines that look like it, with a few others between; a run that has enough of them is a finding. Longer ones than [`LONG`] are found in parts.
//!
//! These kinds stand beside whatever they overlap. Like what an answer must not carry out, they are asked for by
//! name and not by `all`: those who write code send code.
//!
//! **What this does not do.** It does not parse a language; a single line of code in prose is none. In a text that arrives,
//! the lines that may belong to a finding are held back until that is clear: one line for hosts and markings, some more for runs.

mod code;
mod host;
mod marking;
mod run;
mod schema;
mod statement;

use super::lane::step::{NONE, Over};
use super::types::Type;
use super::{Finding, KindId, Selection};
use run::Run;

/// A longer line is read in parts.
pub(super) const LINE: usize = 512 + 64;
/// A longer run is found in parts.
const LONG: usize = 1024;
/// The longest finding.
pub(super) const RUN: usize = LONG + LINE;

/// What of this is looked for.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Wanted {
    code: bool,
    schema: bool,
    host: bool,
    marking: bool,
    statement: bool,
}

impl Wanted {
    pub(super) fn new(selection: &Selection) -> Self {
        let has = |kind: Type| selection.contains(kind.id());
        Self {
            code: has(Type::SourceCode),
            schema: has(Type::SqlSchema),
            host: has(Type::InternalHost),
            marking: has(Type::ConfidentialityMarking),
            statement: has(Type::FinancialStatement),
        }
    }

    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Reads a text line by line.
#[derive(Default)]
pub(super) struct Lines {
    /// Where the line starts that is not over.
    line: usize,
    /// How far the text was read, and whether it was begun.
    read: usize,
    begun: bool,
    code: Run,
    schema: Run,
    statement: Run,
    found: Vec<Finding>,
}

/// A line, without its end.
#[derive(Clone, Copy)]
struct Line<'t> {
    text: &'t [u8],
    start: usize,
    end: usize,
}

impl Lines {
    /// The character at `at` is the last of `bytes`; `byte` is its first.
    pub(super) fn step(&mut self, bytes: &[u8], at: usize, byte: u8, wanted: Wanted, over: &mut Over) {
        if !self.begun {
            (self.line, self.begun) = (at, true);
        }
        self.read = bytes.len();
        // Between words, if that is soon.
        let long = self.read - self.line;
        if byte == b'\n' || long >= LINE - 64 && (byte == b' ' || long >= LINE) {
            self.over(bytes, wanted, over);
        }
    }

    fn over(&mut self, bytes: &[u8], wanted: Wanted, over: &mut Over) {
        let (start, end) = (self.line, self.read);
        let text = bytes.get(start..end).unwrap_or_default();
        self.line = end;
        super::work::add(text.len());
        let text = text.trim_ascii_end();
        let line = Line { text, start, end: start + text.len() };
        let known = self.found.len();
        if wanted.host {
            host::find(line, &mut self.found);
        }
        if wanted.marking {
            marking::find(line, &mut self.found);
        }
        if wanted.code {
            self.code.line(line, code::look(line.text), code::RULE, &mut self.found);
        }
        if wanted.schema {
            let look = schema::look(line.text, self.schema.is_open(), &mut self.schema.depth);
            self.schema.line(line, look, schema::RULE, &mut self.found);
        }
        if wanted.statement {
            self.statement.line(line, statement::look(line.text), statement::RULE, &mut self.found);
        }
        self.found.iter().skip(known).for_each(|f| over.mark(f.end));
    }

    /// The text is over.
    pub(super) fn finish(&mut self, bytes: &[u8], wanted: Wanted, over: &mut Over) {
        self.read = bytes.len();
        self.over(bytes, wanted, over);
        let known = self.found.len();
        self.code.finish(code::RULE, &mut self.found);
        self.schema.finish(schema::RULE, &mut self.found);
        self.statement.finish(statement::RULE, &mut self.found);
        self.found.iter().skip(known).for_each(|f| over.mark(f.end));
    }

    /// Where the earliest line starts that is not decided.
    pub(super) fn open(&self, wanted: Wanted) -> usize {
        if !wanted.any() {
            return NONE;
        }
        let runs = self.code.open().min(self.schema.open()).min(self.statement.open());
        self.line.min(runs)
    }

    pub(super) fn across(&self, cut: usize) -> Option<usize> {
        self.found.iter().filter(|f| f.start < cut && cut < f.end).map(|f| f.start).min()
    }

    /// What lies before `at` goes, whatever goes across.
    pub(super) fn cut(&mut self, at: usize) {
        let across = |f: &&Finding| f.start < at && at < f.end;
        let behind: Vec<Finding> = self.found.iter().filter(across).map(|f| Finding { start: at, ..*f }).collect();
        self.found.iter_mut().filter(|f| f.start < at).for_each(|f| f.end = f.end.min(at));
        self.found.extend(behind);
        self.line = self.line.max(at);
        for run in [&mut self.code, &mut self.schema, &mut self.statement] {
            run.cut(at);
        }
    }

    /// Takes what was found before `to`.
    pub(super) fn take(&mut self, to: usize, out: &mut Vec<Finding>) {
        let mut at = 0;
        while let Some(found) = self.found.get(at) {
            if found.end <= to {
                out.push(self.found.remove(at));
            } else {
                at += 1;
            }
        }
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.line = self.line.saturating_sub(by);
        self.read = self.read.saturating_sub(by);
        for run in [&mut self.code, &mut self.schema, &mut self.statement] {
            run.shift(by);
        }
        for found in &mut self.found {
            (found.start, found.end) = (found.start.saturating_sub(by), found.end.saturating_sub(by));
        }
    }
}

/// A whole text.
pub(super) fn scan(text: &str, selection: &Selection, out: &mut Vec<Finding>) {
    let wanted = Wanted::new(selection);
    if !wanted.any() {
        return;
    }
    let (mut lines, mut over) = (Lines { begun: true, ..Lines::default() }, Over::default());
    let bytes = text.as_bytes();
    for (at, char) in text.char_indices() {
        let end = at + char.len_utf8();
        let byte = super::bytes::at(bytes, at);
        if byte == b'\n' || end - lines.line >= LINE - 64 {
            lines.step(bytes.get(..end).unwrap_or_default(), at, byte, wanted, &mut over);
        }
    }
    lines.finish(bytes, wanted, &mut over);
    lines.take(text.len(), out);
}

/// Whether a kind is found here.
pub(super) fn finds(kind: KindId) -> bool {
    (Type::SourceCode.id()..=Type::FinancialStatement.id()).contains(&kind)
}

fn finding(kind: Type, start: usize, end: usize, score: f32) -> Finding {
    Finding { kind: kind.id(), start, end, score, test_value: false }
}

/// Whether one of the words stands in the line, which is in lower case; words are whole.
fn has_word(line: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| places(line, word).next().is_some())
}

/// Where the word stands.
fn places<'t>(line: &'t [u8], word: &'t str) -> impl Iterator<Item = usize> + 't {
    let whole = |at: usize, end: usize| {
        !super::bytes::before(line, at).is_ascii_alphanumeric() && !super::bytes::at(line, end).is_ascii_alphanumeric()
    };
    let windows = line.windows(word.len().max(1)).enumerate();
    windows.filter(move |(at, w)| *w == word.as_bytes() && whole(*at, at + word.len())).map(|(at, _)| at)
}
