//! A run of lines that look like something.

use super::super::Finding;
use super::super::lane::step::{NONE, shift};
use super::super::types::Type;
use super::{LONG, Line, finding};

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// It belongs to a run, and is so good a sign for one.
    Sign(u8),
    /// It may stand within a run.
    Neutral,
    /// It does not belong to one.
    Other,
    /// It belongs to a run and is its last line; so good a sign.
    Last(u8),
}

#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) kind: Type,
    /// How many lines with a sign, and how many signs, make a finding.
    pub(super) lines: u32,
    pub(super) signs: u32,
    /// So many lines without a sign end a run.
    pub(super) gap: u32,
    pub(super) score: f32,
}

#[derive(Default)]
pub(super) struct Run {
    start: Option<usize>,
    /// Where the last line with a sign ends.
    end: usize,
    lines: u32,
    signs: u32,
    gap: u32,
    /// There were enough: what follows goes on with it.
    proven: bool,
    /// For those that count parentheses.
    pub(super) depth: i32,
}

impl Run {
    pub(super) fn is_open(&self) -> bool {
        self.start.is_some() || self.proven
    }

    pub(super) fn line(&mut self, line: Line<'_>, look: Look, rule: Rule, out: &mut Vec<Finding>) {
        match look {
            Look::Sign(signs) | Look::Last(signs) => {
                let indent = line.text.len() - line.text.trim_ascii_start().len();
                self.start.get_or_insert(line.start + indent);
                (self.end, self.gap) = (line.end, 0);
                self.lines += 1;
                self.signs += u32::from(signs);
                if matches!(look, Look::Last(_)) {
                    self.finish(rule, out);
                }
            }
            Look::Neutral | Look::Other if self.is_open() => {
                self.gap += if look == Look::Other { 2 } else { 1 };
                if self.gap >= 2 * rule.gap {
                    self.finish(rule, out);
                }
            }
            _ => {}
        }
        let proven = self.proven || self.lines >= rule.lines && self.signs >= rule.signs;
        if let Some(start) = self.start.filter(|start| line.end - start >= LONG) {
            if proven {
                // What is found so far.
                out.push(finding(rule.kind, start, self.end, rule.score));
                let (gap, depth) = (self.gap, self.depth);
                *self = Self { proven: true, gap, depth, ..Self::default() };
            } else {
                *self = Self::default();
            }
        }
    }

    pub(super) fn finish(&mut self, rule: Rule, out: &mut Vec<Finding>) {
        let proven = self.proven || self.lines >= rule.lines && self.signs >= rule.signs;
        if let Some(start) = self.start.filter(|start| proven && *start < self.end) {
            out.push(finding(rule.kind, start, self.end, rule.score));
        }
        *self = Self::default();
    }

    pub(super) fn open(&self) -> usize {
        self.start.unwrap_or(NONE)
    }

    pub(super) fn cut(&mut self, at: usize) {
        self.start = self.start.map(|start| start.max(at));
        self.end = self.end.max(at);
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.start, by);
        self.end = self.end.saturating_sub(by);
    }
}
