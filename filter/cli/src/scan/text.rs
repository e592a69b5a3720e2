//! Texts in, a line for each finding out.

use std::io::Write;

use anyhow::anyhow;
use doorward_core::inspect::Sighting;

use super::{Scanner, Seen};
use crate::{input, report};

/// Scans every file.
pub fn run(scanner: &Scanner, files: &[String], show: bool) -> anyhow::Result<Seen> {
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let mut seen = Seen::default();
    let mut found = Vec::new();
    for file in files {
        let text = match input::text(file) {
            Ok(text) => text,
            Err(error) => {
                seen.failed = true;
                out.flush()?;
                report::failure(&error);
                continue;
            }
        };
        found.clear();
        if scanner.scan(&text, &mut found).is_err() {
            seen.failed = true;
            out.flush()?;
            report::failure(&anyhow!("`{file}` is not scanned: the policy's patterns used up their budget of work"));
            continue;
        }
        seen.found |= !found.is_empty();
        let mut place = Place::default();
        for Sighting { finding, hidden, .. } in &found {
            place.advance(&text, finding.start);
            let kind = &scanner.detectors.kind(finding.kind).name;
            let value = hidden.as_deref().or_else(|| text.get(finding.start..finding.end)).unwrap_or_default();
            let value = if show { format!("{value:?}") } else { format!("{:?}", masked(value)) };
            let Place { line, column, .. } = place;
            write!(out, "{file}:{line}:{column} {kind} {:.2} {value}", finding.score)?;
            let encoded = if hidden.is_some() { " (not in plain)" } else { "" };
            writeln!(out, "{encoded}{}", if finding.test_value { " (a published test value)" } else { "" })?;
        }
    }
    out.flush()?;
    Ok(seen)
}

/// A line and column (in characters), both from 1, that go on as the text is read.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    line: usize,
    column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { at: 0, line: 1, column: 1 }
    }
}

impl Place {
    /// Goes on to a byte offset that is not before the last one.
    fn advance(&mut self, text: &str, to: usize) {
        for c in text.get(self.at..to).unwrap_or_default().chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = to;
    }
}

/// The start of a value, a quarter of it at most, so that one knows which it is and not what it is.
fn masked(value: &str) -> String {
    const SHOWN: usize = 4;
    const STARS: usize = 16;
    let length = value.chars().count();
    let shown = SHOWN.min(length / 4);
    let start: String = value.chars().take(shown).collect();
    format!("{start}{}", "*".repeat((length - shown).min(STARS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_a_quarter_at_most() {
        assert_eq!(masked("ann@corp.io"), "an*********");
        assert_eq!(masked("abc"), "***");
        assert_eq!(masked("äöüß"), "ä***");
        assert_eq!(masked(&"k".repeat(4000)), format!("kkkk{}", "*".repeat(16)));
    }

    #[test]
    fn places_count_characters() {
        let text = "é\nab é cd";
        let mut place = Place::default();
        place.advance(text, text.find('b').unwrap());
        assert_eq!((place.line, place.column), (2, 2));
        place.advance(text, text.find('c').unwrap());
        assert_eq!((place.line, place.column), (2, 6));
    }
}
