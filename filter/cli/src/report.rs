//! What is said about a file: for people with the line in question, for machines as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::source::Mark;

const BOLD: Style = Style::new().bold();
const BLUE: Style = AnsiColor::Blue.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }

    fn style(self) -> Style {
        match self {
            Severity::Error => RED,
            Severity::Warning => YELLOW,
            Severity::Note => CYAN,
        }
    }
}

/// One thing to say about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    pub severity: Severity,
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters are meant.
    #[serde(skip)]
    pub width: usize,
    /// From the file's root: `access[2].models`.
    pub path: String,
    pub message: String,
    pub help: Option<String>,
}

impl Issue {
    pub fn new(severity: Severity, file: &str, mark: Mark, path: impl ToString, message: impl ToString) -> Self {
        Self {
            severity,
            file: file.to_owned(),
            line: mark.line,
            column: mark.column,
            width: mark.width,
            path: path.to_string(),
            message: message.to_string(),
            help: None,
        }
    }

    #[must_use]
    pub fn help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// With the line of `text` that it is about.
    pub fn human(&self, text: &str) -> String {
        let Self { severity, file, line, column, path, message, .. } = self;
        let style = severity.style();
        let severity = severity.as_str();
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let mut out = format!("{style}{severity}{style:#}{BOLD}: {}{BOLD:#}\n", visible(message));
        let _ = writeln!(out, "{gutter}{BLUE}-->{BLUE:#} {file}:{line}:{column} ({path})");
        if let Some(source) = text.lines().nth(line.saturating_sub(1)) {
            let (source, column) = excerpt(source, *column);
            let width = self.width.min(source.chars().count().saturating_sub(column - 1)).max(1);
            let _ = writeln!(out, "{gutter} {BLUE}|{BLUE:#}");
            let _ = writeln!(out, "{BLUE}{number} |{BLUE:#} {source}");
            let carets = "^".repeat(width);
            let _ = writeln!(out, "{gutter} {BLUE}|{BLUE:#} {}{style}{carets}{style:#}", " ".repeat(column - 1));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{gutter} {BLUE}={BLUE:#} {BOLD}help{BOLD:#}: {}", visible(help));
        }
        out
    }
}

/// The most of a line that is shown, in characters.
const SHOWN: usize = 120;

/// The part of a line around a column, and the column within it. A file can hold a document on one line.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let line: String = line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= SHOWN {
        return (line, column.max(1));
    }
    let from = column.saturating_sub(SHOWN / 3);
    let part: String = line.chars().skip(from).take(SHOWN).collect();
    if from == 0 { (format!("{part}…"), column.max(1)) } else { (format!("…{part}…"), column - from + 1) }
}

/// A file's text can hold what a terminal obeys.
fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Says that a file is as it should be.
pub fn ok(out: &mut impl Write, file: &str, what: &str) -> io::Result<()> {
    writeln!(out, "{GREEN}ok{GREEN:#} {file}: {what}")
}

/// Says why a command could not run.
pub fn failure(error: &anyhow::Error) {
    // When even standard error is gone there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{RED}error{RED:#}: {}", visible(&format!("{error:#}")));
}

/// Says how many problems there were.
pub fn summary(counts: &str) {
    let _ = writeln!(anstream::stderr(), "{BOLD}{counts}{BOLD:#}");
}

/// Shows a secret beside the output, so that it does not end up in a file with it.
pub fn secret(what: &str, secret: &str) -> io::Result<()> {
    writeln!(anstream::stderr(), "\n{YELLOW}{what}{YELLOW:#}\n{secret}")
}

/// Warns beside the output.
pub fn warning(message: &str) {
    let _ = writeln!(anstream::stderr(), "{YELLOW}warning{YELLOW:#}: {}", visible(message));
}

/// Says something beside the output.
pub fn note(message: &str) {
    let _ = writeln!(anstream::stderr(), "{CYAN}note{CYAN:#}: {}", visible(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn the_line_is_shown() {
        let mark = Mark { line: 2, column: 3, width: 4 };
        let issue = Issue::new(Severity::Error, "p.yaml", mark, "a.nmae", "unknown key `nmae`");
        let issue = issue.help(Some("did you mean `name`?".to_owned()));
        let expected = "\
error: unknown key `nmae`
 --> p.yaml:2:3 (a.nmae)
  |
2 |   nmae: x
  |   ^^^^
  = help: did you mean `name`?
";
        assert_eq!(plain(&issue.human("a:\n  nmae: x\n")), expected);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}é{}", "a".repeat(500), "b".repeat(500));
        let mark = Mark { line: 1, column: 501, width: 1 };
        let shown = plain(&Issue::new(Severity::Error, "p", mark, "x", "y").human(&line));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[3].chars().count() < 130, "{shown}");
        let caret = lines[4].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[3].chars().nth(caret), Some('é'));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let issue = Issue::new(Severity::Error, "p", Mark::START, "x", "unknown key `\u{1b}[2J`");
        assert!(!plain(&issue.human("\u{1b}[2Ja")).contains('\u{1b}'));
        assert!(issue.human("").contains("\\u{1b}"));
    }
}
