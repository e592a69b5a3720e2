//! URLs in running text: `http://`, `https://` and `www.` where no letter stands before, as programs make links of.

use super::super::bytes;
use super::super::lane::step::{NONE, Step};
use super::value::{Ends, Judge, Value};

/// What a URL in running text starts with; a backslash stands for a slash too.
const STARTS: [&[u8]; 3] = [b"https://", b"http://", b"www."];

#[derive(Debug, Default)]
pub(super) struct Text {
    /// Where one of [`STARTS`] may have begun.
    pending: Option<usize>,
    value: Option<Value>,
}

impl Text {
    pub(super) fn step(&mut self, step: &Step<'_>, judge: &mut Judge<'_>) {
        if let Some(value) = &mut self.value {
            match value.step(step) {
                Some(end) => self.end(step.bytes, end, judge),
                None => {
                    judge.long(value, step);
                }
            }
        }
        if let Some(start) = self.pending {
            let text = step.bytes.get(start..).unwrap_or_default();
            match progress(text) {
                Some(true) => {
                    self.pending = None;
                    self.begin(start, step, judge);
                }
                Some(false) => {}
                None => self.pending = None,
            }
        }
        if self.pending.is_none() && matches!(step.byte, b'h' | b'H' | b'w' | b'W') {
            let before = bytes::before(step.bytes, step.at);
            if !before.is_ascii_alphabetic() || bytes::escape_before(step.bytes, step.at) {
                self.pending = Some(step.at);
            }
        }
    }

    fn begin(&mut self, start: usize, step: &Step<'_>, judge: &mut Judge<'_>) {
        if self.value.is_some() {
            // Programs disagree on what ends a URL: behind some characters another one may start.
            if !matches!(
                bytes::before(step.bytes, start),
                b'\'' | b'|' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'*' | b'~' | b'^' | b'\\'
            ) {
                return;
            }
            self.end(step.bytes, start, judge);
        }
        self.value = Some(Value::new(start, Ends::Text, false));
    }

    pub(super) fn end(&mut self, bytes: &[u8], end: usize, judge: &mut Judge<'_>) {
        if let Some(value) = self.value.take() {
            judge.ended(&value, bytes, end);
        }
    }

    pub(super) fn open(&self) -> usize {
        let value = self.value.as_ref().map_or(NONE, Value::open);
        value.min(self.pending.unwrap_or(NONE))
    }

    pub(super) fn shift(&mut self, by: usize) {
        super::super::lane::step::shift(&mut self.pending, by);
        if let Some(value) = &mut self.value {
            value.shift(by);
        }
    }

    pub(super) fn cut(&mut self, at: usize) {
        self.pending = self.pending.filter(|start| *start >= at);
        if let Some(value) = &mut self.value {
            value.cut(at);
        }
    }
}

/// Whether `text` is one of [`STARTS`] (`true`) or the beginning of one.
fn progress(text: &[u8]) -> Option<bool> {
    let fits = |start: &&[u8]| {
        start.len() >= text.len()
            && text
                .iter()
                .zip(*start)
                .all(|(byte, expected)| byte.eq_ignore_ascii_case(expected) || (*expected == b'/' && *byte == b'\\'))
    };
    STARTS.iter().find(|start| fits(start)).map(|start| start.len() == text.len())
}
