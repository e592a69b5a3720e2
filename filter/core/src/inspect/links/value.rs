//! The text of one URL as it arrives: where it ends, and the judgement when it does.

use super::super::lane::step::{NONE, Over, Step};
use super::url::{self, Foreign, Written};
use super::{Found, Hosts, MAX_URL, Wanted};

/// What ends a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// The parenthesis that closes it, or the line's end. Spaces do not: some programs let them be.
    Parenthesis,
    /// `>`, or the line's end.
    Angle,
    /// White space, as behind `[label]:`.
    Space,
    /// This quote.
    Quote(u8),
    /// White space or `>`: the value of an attribute without quotes.
    Unquoted,
    /// White space, `)` or a quote: in `url(...)`.
    Style,
    /// White space, a comma, or this quote: an item of `srcset`.
    Item(Option<u8>),
    /// What ends a URL in running text.
    Text,
}

/// A URL that goes on.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) ends: Ends,
    /// Whether a client fetches it without a click.
    pub(super) image: bool,
    written: Written,
    /// Parentheses and brackets that are open in it.
    round: u32,
    square: u32,
    long: Long,
}

/// What became of a URL that is longer than [`MAX_URL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    No,
    /// It was found: the rest is found too.
    Found(Found),
    /// It was not, and neither is the rest.
    Nothing,
}

impl Value {
    pub(super) fn new(start: usize, ends: Ends, image: bool) -> Self {
        let written = match ends {
            Ends::Text => Written::Bare,
            Ends::Style => Written::Style,
            _ => Written::Value,
        };
        Self { start, ends, image, written, round: 0, square: 0, long: Long::No }
    }

    /// In a style sheet.
    pub(super) fn styled(mut self, style: bool) -> Self {
        if style {
            self.written = Written::Style;
        }
        self
    }

    pub(super) fn open(&self) -> usize {
        if self.long == Long::Nothing { NONE } else { self.start }
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.start = self.start.saturating_sub(by);
    }

    /// What stands before `at` is gone.
    pub(super) fn cut(&mut self, at: usize) {
        self.start = self.start.max(at);
    }

    /// Takes a character; where the URL has ended, if it has: before that character, or one more.
    pub(super) fn step(&mut self, step: &Step<'_>) -> Option<usize> {
        let byte = step.byte;
        let space = byte.is_ascii_whitespace();
        let before = || super::super::bytes::before(step.bytes, step.at);
        let ended = match self.ends {
            Ends::Parenthesis => {
                match byte {
                    b'(' => self.round += 1,
                    b')' if before() == b'\\' => {}
                    b')' if self.round == 0 => return Some(step.at),
                    b')' => self.round -= 1,
                    _ => {}
                }
                matches!(byte, b'\n' | b'\r')
            }
            Ends::Angle => matches!(byte, b'>' | b'\n' | b'\r'),
            Ends::Space => space,
            Ends::Quote(quote) => byte == quote,
            Ends::Unquoted => space || byte == b'>',
            Ends::Style => space || matches!(byte, b')' | b'"' | b'\''),
            Ends::Item(quote) => space || byte == b',' || quote.map_or(byte == b'>', |q| byte == q),
            Ends::Text => {
                // `[https://a.b](..)`: the bracket that closes a link's text.
                if before() == b']' && matches!(byte, b'(' | b'[' | b':') && self.square == 0 {
                    return Some(step.at - 1);
                }
                match byte {
                    b'[' => self.square += 1,
                    b']' => self.square = self.square.saturating_sub(1),
                    _ => {}
                }
                space || byte < b' ' || matches!(byte, b'<' | b'>' | b'"' | b'`') || ends_text(step.char)
            }
        };
        ended.then_some(step.at)
    }
}

/// What ends a URL in running text beyond ASCII: spaces, and the punctuation of scripts that write none.
fn ends_text(c: char) -> bool {
    !c.is_ascii()
        && (c.is_whitespace()
            || matches!(c, '\u{2018}'..='\u{201F}' | '\u{2026}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
                | '\u{FF01}' | '\u{FF08}' | '\u{FF09}' | '\u{FF0C}' | '\u{FF1A}' | '\u{FF1B}' | '\u{FF1F}'))
}

/// Where judgements go.
pub(super) struct Judge<'j> {
    pub(super) wanted: Wanted,
    pub(super) hosts: &'j Hosts,
    pub(super) found: &'j mut Vec<Found>,
    pub(super) over: &'j mut Over,
}

impl Judge<'_> {
    /// The URL is over.
    pub(super) fn ended(&mut self, value: &Value, bytes: &[u8], end: usize) -> Option<Foreign> {
        match value.long {
            Long::Nothing => None,
            Long::Found(found) => {
                self.push(Found { start: value.start, end, ..found });
                None
            }
            Long::No => self.judge(value, bytes, end, false).0,
        }
    }

    /// Judges a URL that goes on beyond its bound.
    pub(super) fn long(&mut self, value: &mut Value, step: &Step<'_>) -> Option<Foreign> {
        if step.end.saturating_sub(value.start) <= MAX_URL || value.long == Long::Nothing {
            return None;
        }
        if let Long::Found(found) = value.long {
            self.push(Found { start: value.start, end: step.at, ..found });
            value.start = step.at;
            return None;
        }
        let (foreign, found) = self.judge(value, step.bytes, step.at, true);
        value.long = found.map_or(Long::Nothing, Long::Found);
        value.start = step.at;
        foreign
    }

    fn judge(&mut self, value: &Value, bytes: &[u8], end: usize, cut: bool) -> (Option<Foreign>, Option<Found>) {
        let raw = bytes.get(value.start..end).and_then(|raw| std::str::from_utf8(raw).ok()).unwrap_or_default();
        let raw = match value.ends {
            Ends::Text if !cut => in_text(raw),
            Ends::Parenthesis => before_title(raw),
            _ => raw,
        };
        let raw = raw.trim_ascii_end();
        let Some(foreign) = url::judge(raw, value.written, cut, self.hosts) else { return (None, None) };
        let found = Found {
            start: value.start,
            end: if cut { end } else { value.start + raw.len() },
            image: value.image && self.wanted.images,
            reserved: foreign.reserved,
        };
        if !(found.image || self.wanted.links && foreign.carries) {
            return (Some(foreign), None);
        }
        self.push(found);
        (Some(foreign), Some(found))
    }

    pub(super) fn push(&mut self, found: Found) {
        if found.start < found.end {
            self.over.mark(found.end);
            self.found.push(found);
        }
    }
}

/// Without the punctuation behind a URL in running text (as GitHub's Markdown has it, and brackets too).
fn in_text(raw: &str) -> &str {
    let count = |c: char| raw.matches(c).count();
    let pairs = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut surplus = pairs.map(|(open, close)| count(close).saturating_sub(count(open)));
    let mut rest = raw;
    while let Some(last) = rest.chars().next_back() {
        let closing = pairs.iter().zip(&mut surplus).find(|((_, close), _)| *close == last);
        match closing {
            Some((_, surplus)) if *surplus > 0 => *surplus -= 1,
            _ if matches!(
                last,
                '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '|' | '\\' | '(' | '['
            ) => {}
            _ => break,
        }
        rest = rest.strip_suffix(last).unwrap_or_default();
    }
    rest
}

/// Without the title behind a destination: ` "title"`, ` 'title'`, ` (title)`.
fn before_title(raw: &str) -> &str {
    let starts = |(at, _): &(usize, char)| {
        let rest = raw.get(*at..).unwrap_or_default().trim_ascii_start();
        rest.starts_with(['"', '\'', '('])
    };
    // Once per run of white space.
    let mut last_space = false;
    let spaces = raw.char_indices().filter(|(_, c)| {
        let first = c.is_ascii_whitespace() && !last_space;
        last_space = c.is_ascii_whitespace();
        first
    });
    let title = spaces.into_iter().find(starts);
    title.and_then(|(at, _)| raw.get(..at)).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind() {
        for (raw, url) in [
            ("a.b/c).", "a.b/c"),
            ("a.b/c_(d)", "a.b/c_(d)"),
            ("a.b/c_(d))", "a.b/c_(d)"),
            ("a.b/?**", "a.b/"),
            ("a.b/]}),", "a.b/"),
            ("a.b/)x", "a.b/)x"),
        ] {
            assert_eq!(in_text(raw), url);
        }
        for (raw, url) in [("a 'b'", "a"), ("a b \"c\"", "a b"), ("a\t\t(b", "a"), ("a b", "a b")] {
            assert_eq!(before_title(raw), url);
        }
    }
}
