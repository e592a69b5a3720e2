//! What a pattern's matches can look like, read from its source: the bytes they start with and consist of, and how
//! long they are. What is not understood stands for anything, which only keeps text longer than needed.

use std::iter::Peekable;
use std::str::Chars;

use super::super::pattern::MAX_MATCH;
use super::super::secrets::reach::ByteSet;

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Shape {
    /// What a match starts with.
    pub(super) first: ByteSet,
    /// What it consists of. Of characters that are not ASCII all bytes are in it, or none.
    pub(super) all: ByteSet,
    /// The least and most bytes.
    pub(super) least: usize,
    pub(in super::super) most: usize,
}

/// A part of a pattern; `most` is `None` without a bound.
#[derive(Clone, Default)]
struct Part {
    first: ByteSet,
    all: ByteSet,
    least: usize,
    most: Option<usize>,
}

impl Shape {
    pub(in super::super) fn of(pattern: &str) -> Self {
        let mut parser = Parser { rest: pattern.chars().peekable(), fold: false, depth: 0 };
        let part = parser.alternation().filter(|_| parser.rest.next().is_none());
        match part {
            Some(part) => Self {
                first: part.first,
                all: part.all,
                least: part.least.min(MAX_MATCH),
                most: part.most.unwrap_or(MAX_MATCH).min(MAX_MATCH),
            },
            None => Self { first: ByteSet::ALL, all: ByteSet::ALL, least: 1, most: MAX_MATCH },
        }
    }
}

impl Part {
    /// Matches nothing but the empty text.
    fn empty() -> Self {
        Self { most: Some(0), ..Self::default() }
    }

    /// One character of the set, of at most `width` bytes.
    fn one(set: ByteSet, width: usize) -> Self {
        Self { first: set, all: set, least: 1, most: Some(width) }
    }

    fn then(mut self, next: &Part) -> Self {
        if self.least == 0 {
            self.first.union(&next.first);
        }
        self.all.union(&next.all);
        self.least = self.least.saturating_add(next.least);
        self.most = self.most.zip(next.most).map(|(a, b)| a.saturating_add(b));
        self
    }

    fn or(mut self, other: &Part) -> Self {
        self.first.union(&other.first);
        self.all.union(&other.all);
        self.least = self.least.min(other.least);
        self.most = self.most.zip(other.most).map(|(a, b)| a.max(b));
        self
    }

    fn times(mut self, least: usize, most: Option<usize>) -> Self {
        self.least = self.least.saturating_mul(least);
        self.most = self.most.zip(most).map(|(length, times)| length.saturating_mul(times));
        self
    }
}

/// A recursive descent; `None` where something is not understood.
struct Parser<'p> {
    rest: Peekable<Chars<'p>>,
    /// Whether case does not matter.
    fold: bool,
    depth: usize,
}

impl Parser<'_> {
    fn alternation(&mut self) -> Option<Part> {
        let mut all = self.sequence()?;
        while self.rest.next_if_eq(&'|').is_some() {
            all = all.or(&self.sequence()?);
        }
        Some(all)
    }

    fn sequence(&mut self) -> Option<Part> {
        let mut all = Part::empty();
        while self.rest.peek().is_some_and(|c| !"|)".contains(*c)) {
            let part = self.atom()?;
            let part = self.repeated(part)?;
            all = all.then(&part);
        }
        Some(all)
    }

    fn repeated(&mut self, mut part: Part) -> Option<Part> {
        loop {
            let (least, most) = match self.rest.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => {
                    self.rest.next();
                    let inner: String = std::iter::from_fn(|| self.rest.next_if(|c| *c != '}')).collect();
                    let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
                    let least = if least.trim().is_empty() { 0 } else { least.trim().parse().ok()? };
                    let most = if most.trim().is_empty() { None } else { Some(most.trim().parse().ok()?) };
                    (least, most)
                }
                _ => return Some(part),
            };
            self.rest.next()?;
            self.rest.next_if_eq(&'?');
            part = part.times(least, most);
        }
    }

    fn atom(&mut self) -> Option<Part> {
        match self.rest.next()? {
            '(' => self.group(),
            '[' => self.class(),
            // Also a line's end where that is asked for.
            '.' => Some(Part::one(ByteSet::ALL, 4)),
            '^' | '$' => Some(Part::empty()),
            '\\' => self.escape(),
            c => Some(self.literal(c)),
        }
    }

    fn group(&mut self) -> Option<Part> {
        self.depth += 1;
        if self.depth > 60 {
            return None;
        }
        let fold = self.fold;
        if self.rest.next_if_eq(&'?').is_some() {
            if self.rest.next_if_eq(&'P').is_some() || self.rest.peek() == Some(&'<') {
                self.rest.next_if_eq(&'<')?;
                while self.rest.next()? != '>' {}
            } else {
                let mut on = true;
                loop {
                    match self.rest.next()? {
                        ':' => break,
                        ')' => {
                            self.depth -= 1;
                            return Some(Part::empty());
                        }
                        '-' => on = false,
                        'i' => self.fold = on,
                        'm' | 's' | 'U' | 'R' => {}
                        _ => return None,
                    }
                }
            }
        }
        let part = self.alternation()?;
        self.rest.next_if_eq(&')')?;
        (self.depth, self.fold) = (self.depth - 1, fold);
        Some(part)
    }

    fn literal(&self, c: char) -> Part {
        let mut set = ByteSet::default();
        self.add(&mut set, c, c);
        Part::one(set, c.len_utf8()).at_least(c.len_utf8())
    }

    /// Adds what lies between two characters.
    fn add(&self, set: &mut ByteSet, from: char, to: char) {
        for byte in (0..0x80u8).filter(|b| (from..=to).contains(&char::from(*b))) {
            set.insert(byte);
            if self.fold && byte.is_ascii_alphabetic() {
                set.insert(byte ^ 0x20);
            }
        }
        if !to.is_ascii() {
            (0x80..=0xFF).for_each(|b| set.insert(b));
        }
    }

    /// A class of Perl's, all of them ASCII here; negated, everything else too.
    fn perl(&self, c: char) -> Option<(ByteSet, usize)> {
        let mut set = ByteSet::default();
        let of: fn(u8) -> bool = match c.to_ascii_lowercase() {
            'd' => |b| b.is_ascii_digit(),
            'w' => |b| b.is_ascii_alphanumeric() || b == b'_',
            's' => |b| b.is_ascii_whitespace() || b == 0x0B,
            _ => return None,
        };
        let negated = c.is_ascii_uppercase();
        (0..=255u8).filter(|b| of(*b) != negated).for_each(|b| set.insert(b));
        Some((set, if negated { 4 } else { 1 }))
    }

    fn escape(&mut self) -> Option<Part> {
        let c = self.rest.next()?;
        if let Some((set, width)) = self.perl(c) {
            return Some(Part::one(set, width));
        }
        match c {
            'b' | 'B' if self.rest.peek() != Some(&'{') => Some(Part::empty()),
            'A' | 'z' => Some(Part::empty()),
            c => self.escaped(c).map(|c| self.literal(c)),
        }
    }

    fn escaped(&mut self, c: char) -> Option<char> {
        Some(match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{C}',
            'v' => '\u{B}',
            'a' => '\u{7}',
            c if c.is_ascii_punctuation() || c == ' ' => c,
            _ => return None,
        })
    }

    fn class(&mut self) -> Option<Part> {
        let mut set = ByteSet::default();
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut first = true;
        let mut width = 1;
        loop {
            let c = match self.rest.next()? {
                ']' if !first => break,
                '[' => return None,
                '\\' => {
                    let c = self.rest.next()?;
                    if let Some((all, wide)) = self.perl(c) {
                        set.union(&all);
                        width = width.max(wide);
                        first = false;
                        continue;
                    }
                    self.escaped(c)?
                }
                c => c,
            };
            first = false;
            let mut to = c;
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.rest.next();
                to = match self.rest.next()? {
                    '\\' => {
                        let c = self.rest.next()?;
                        self.escaped(c)?
                    }
                    '[' => return None,
                    c => c,
                };
            }
            self.add(&mut set, c, to);
            width = width.max(to.len_utf8());
        }
        if negated {
            let mut rest = ByteSet::default();
            (0..=255u8).filter(|b| *b >= 0x80 || !set.contains(*b)).for_each(|b| rest.insert(b));
            return Some(Part::one(rest, 4));
        }
        Some(Part::one(set, width))
    }
}

impl Part {
    fn at_least(mut self, least: usize) -> Self {
        self.least = least;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (pattern, first, all, least, most) in [
            (r"EMP-\d{3,6}", "E", "EMP-0123456789", 7, 10),
            (r"\b[a-c]{2}(x|yz)?\b", "abc", "abcxyz", 2, 4),
            (r"(?i)ab+", "aA", "aAbB", 2, 1024),
            (r"(?:a?|b)c", "abc", "abc", 1, 2),
            (r"^(?P<n>a)-$", "a", "a-", 2, 2),
            (r"[\d.]{2}", "0123456789.", "0123456789.", 2, 2),
        ] {
            let shape = Shape::of(pattern);
            let bytes = |set: &ByteSet| (0..128u8).filter(|b| set.contains(*b)).collect::<Vec<_>>();
            let sorted = |s: &str| {
                let mut all = s.as_bytes().to_vec();
                all.sort_unstable();
                all
            };
            assert_eq!(bytes(&shape.first), sorted(first), "{pattern}");
            assert_eq!(bytes(&shape.all), sorted(all), "{pattern}");
            assert_eq!((shape.least, shape.most), (least, most), "{pattern}");
        }
        assert_eq!(Shape::of("é{2}").most, 4);
        for unknown in [r"(?x) a", r"[[:alpha:]]", r"\x41", r"\b{start}a"] {
            assert_eq!(Shape::of(unknown).all, ByteSet::ALL, "{unknown}");
        }
    }
}
