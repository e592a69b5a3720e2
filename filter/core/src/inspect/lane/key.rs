//! Private key blocks, which may be longer than a lane keeps: held back from `-----BEGIN` until enough of a key has
//! been seen, and from then on reported piece by piece to their end.
//!
//! Enough is 64 characters of base64, 24 of them in a row within the first 512 bytes; or the block's end, or the
//! text's, with as much as a whole text needs. A block whose lines are shorter than 24 characters and whose end is
//! not seen within 512 bytes is none here.

use super::super::secrets::private_key::{BASE64, LABEL, LEAST, LINE, MAX_LABEL, SOON, label};
use super::super::{bytes, secrets};
use super::step::{NONE, Step};

const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";

/// What is known to be part of a block.
pub(super) struct Block {
    pub(super) start: usize,
    /// `None` while it goes on.
    pub(super) end: Option<usize>,
    pub(super) test_value: bool,
}

#[derive(Default)]
pub(super) struct Key {
    state: State,
    blocks: Vec<Block>,
}

#[derive(Default)]
enum State {
    #[default]
    Outside,
    /// Behind `-----BEGIN`, which stands at `start`.
    Label { start: usize },
    /// Behind the label: how many characters of base64 there were, how many the last ones are, whether a line of
    /// them was long enough.
    Body { start: usize, body: usize, content: usize, run: usize, line: bool },
    /// The block is one.
    Inside,
    /// Behind `-----END`.
    Footer { length: usize, dashes: usize },
}

impl Key {
    pub(super) fn step(&mut self, step: &Step<'_>) {
        let bytes = step.bytes;
        match &mut self.state {
            State::Outside => {
                if step.byte == b'N' && bytes.ends_with(BEGIN) {
                    self.state = State::Label { start: step.end - BEGIN.len() };
                }
            }
            State::Label { start } => {
                let (start, from) = (*start, *start + BEGIN.len());
                if step.byte == b'-' {
                    match label(bytes, from) {
                        Some((true, body)) => self.state = State::Body { start, body, content: 0, run: 0, line: false },
                        Some((false, _)) => self.state = State::Outside,
                        None => {}
                    }
                } else if !LABEL.contains(step.byte) || bytes::before(bytes, step.at) == b'-' {
                    self.state = State::Outside;
                }
                if step.end - from > MAX_LABEL + 5 {
                    self.state = State::Outside;
                }
            }
            State::Body { start, body, content, run, line } => {
                if BASE64.contains(step.byte) {
                    *content += 1;
                    *run += 1;
                    *line |= *run >= LINE && step.end - *run < *body + SOON;
                } else {
                    *run = 0;
                }
                let soon = step.end - *run < *body + SOON;
                if step.byte == b'D' && bytes.ends_with(END) && step.end >= *body + END.len() {
                    let start = *start;
                    // The letters of the marker were counted.
                    if content.saturating_sub(3) >= LEAST {
                        self.begin(bytes, start);
                        self.state = State::Footer { length: 0, dashes: 0 };
                    } else {
                        self.state = State::Outside;
                    }
                } else if *line && (*content >= LEAST || !soon) {
                    let start = *start;
                    self.begin(bytes, start);
                    self.state = State::Inside;
                } else if !soon {
                    self.state = State::Outside;
                }
            }
            State::Inside => {
                if step.byte == b'D' && bytes.ends_with(END) {
                    self.state = State::Footer { length: 0, dashes: 0 };
                }
            }
            State::Footer { length, dashes } => {
                if step.byte == b'-' {
                    *dashes += 1;
                } else if *dashes == 0 && LABEL.contains(step.byte) && *length < MAX_LABEL {
                    *length += 1;
                } else {
                    self.finish(step.at);
                    return;
                }
                if *dashes == 5 {
                    self.finish(step.end);
                }
            }
        }
    }

    /// The text is over.
    pub(super) fn end(&mut self, bytes: &[u8]) {
        if let State::Body { start, line: true, .. } = self.state {
            self.begin(bytes, start);
        }
        self.finish(bytes.len());
    }

    fn begin(&mut self, bytes: &[u8], start: usize) {
        let test_value = secrets::is_placeholder(bytes.get(start..).unwrap_or_default());
        // One block's last dashes may be the next one's first.
        let start = start.max(self.blocks.last().and_then(|block| block.end).unwrap_or(0));
        self.blocks.push(Block { start, end: None, test_value });
    }

    fn finish(&mut self, end: usize) {
        if let Some(block) = self.blocks.last_mut() {
            block.end.get_or_insert(end);
        }
        self.state = State::Outside;
    }

    pub(super) fn open(&self) -> usize {
        match self.state {
            State::Label { start } | State::Body { start, .. } => start,
            _ => NONE,
        }
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Forgets what lies before `settled`, and moves the rest.
    pub(super) fn shift(&mut self, settled: usize, by: usize) {
        self.blocks.retain(|block| block.end.is_none_or(|end| end > settled));
        for block in &mut self.blocks {
            block.start = block.start.saturating_sub(by);
            super::step::shift(&mut block.end, by);
        }
        match &mut self.state {
            State::Label { start } => *start = start.saturating_sub(by),
            State::Body { start, body, .. } => {
                *start = start.saturating_sub(by);
                *body = body.saturating_sub(by);
            }
            _ => {}
        }
    }
}
