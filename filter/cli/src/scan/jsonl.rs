//! Lines of JSON in, lines of JSON out.
//!
//! Every line of input has its line of output, in order. Memory is bounded by the longest line that is read, which is
//! [`MAX_LINE`]; a longer one is skipped and answered with an error. Output is written out whenever no further line has
//! arrived yet, so that whoever waits for an answer before sending on gets it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use doorward_core::inspect::Sighting;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Scanner, Seen};
use crate::{input, report};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 64 << 20;
/// How much is read at once.
const BUFFER: usize = 256 << 10;

#[derive(Deserialize)]
struct Question<'a> {
    /// Given back as it was written.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    findings: Vec<Found<'a>>,
    /// How much the text looks like an injection, whatever is looked for.
    injection: Score,
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    group: &'a str,
    start: usize,
    end: usize,
    score: Score,
    /// Seen only behind an encoding or look-alike characters: the place is that of all that hides it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

/// A score with the digits it was written with, not those that a double adds.
struct Score(f32);

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rounded = (f64::from(self.0) * 1000.0).round() / 1000.0;
        serializer.serialize_f64(rounded)
    }
}

#[derive(Serialize)]
struct Refusal<'a> {
    id: Option<&'a RawValue>,
    error: &'a str,
}

/// Answers every line of every file.
pub fn run(scanner: &Scanner, files: &[String]) -> anyhow::Result<Seen> {
    let mut out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut seen = Seen::default();
    for file in files {
        let result = if file == input::STDIN {
            answer(scanner, io::stdin().lock(), &mut out, &mut seen)
        } else {
            match File::open(file) {
                Ok(opened) => answer(scanner, BufReader::with_capacity(BUFFER, opened), &mut out, &mut seen),
                Err(error) => Err(Stopped::Input(error)),
            }
        };
        match result {
            Ok(()) => {}
            Err(Stopped::Output(error)) => return Err(error.into()),
            Err(Stopped::Input(error)) => {
                seen.failed = true;
                report::failure(&anyhow::Error::new(error).context(format!("cannot read `{file}`")));
            }
        }
    }
    out.flush()?;
    Ok(seen)
}

/// Which end failed.
enum Stopped {
    Input(io::Error),
    Output(io::Error),
}

fn answer(scanner: &Scanner, input: impl io::Read, out: &mut impl Write, seen: &mut Seen) -> Result<(), Stopped> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let (mut line, mut found) = (Vec::new(), Vec::new());
    loop {
        if !input.buffer().contains(&b'\n') {
            out.flush().map_err(Stopped::Output)?;
        }
        let read = read_line(&mut input, &mut line).map_err(Stopped::Input)?;
        let result = match read {
            Line::End => return Ok(()),
            Line::TooLong => refuse(out, seen, None, "the line is longer than 64 MiB"),
            Line::Read if line.trim_ascii().is_empty() => continue,
            Line::Read => one(scanner, &line, &mut found, out, seen),
        };
        result.map_err(Stopped::Output)?;
        // One long line must not cost its memory for good.
        if line.capacity() > 4 << 20 {
            line = Vec::new();
        }
    }
}

fn one(
    scanner: &Scanner,
    line: &[u8],
    found: &mut Vec<Sighting>,
    out: &mut impl Write,
    seen: &mut Seen,
) -> io::Result<()> {
    let question: Question<'_> = match serde_json::from_slice(line) {
        Ok(question) => question,
        // What serde_json says can quote the line, and the line is someone's text.
        Err(error) if error.is_data() => return refuse(out, seen, None, "not an object with a string `text`"),
        Err(error) => return refuse(out, seen, None, &format!("not JSON at byte {}", error.column())),
    };
    found.clear();
    let Ok(injection) = scanner.scan(&question.text, found) else {
        return refuse(out, seen, question.id, "not scanned: the policy's patterns used up their budget of work");
    };
    seen.found |= !found.is_empty();
    let findings = found.iter().map(|Sighting { finding, hidden, .. }| {
        let kind = scanner.detectors.kind(finding.kind);
        Found {
            kind: &kind.name,
            group: kind.group.as_str(),
            start: finding.start,
            end: finding.end,
            score: Score(finding.score),
            hidden: hidden.is_some(),
        }
    });
    write_line(out, &Answer { id: question.id, findings: findings.collect(), injection: Score(injection) })
}

fn refuse(out: &mut impl Write, seen: &mut Seen, id: Option<&RawValue>, error: &str) -> io::Result<()> {
    seen.bad = true;
    write_line(out, &Refusal { id, error })
}

fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

enum Line {
    Read,
    TooLong,
    End,
}

/// Reads up to and without the next line feed.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let (mut any, mut too_long) = (false, false);
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() && !any {
            return Ok(Line::End);
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        too_long |= line.len() + part.len() > MAX_LINE;
        if too_long {
            *line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let done = end.is_some() || buffer.is_empty();
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if done {
            return Ok(if too_long { Line::TooLong } else { Line::Read });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_line_feeds_and_at_the_end() {
        for buffer in [1, 2, 3, 100] {
            let mut input = BufReader::with_capacity(buffer, &b"ab\n\nc\r\nlast"[..]);
            let mut line = Vec::new();
            let mut lines = Vec::new();
            while let Line::Read = read_line(&mut input, &mut line).unwrap() {
                lines.push(String::from_utf8(line.clone()).unwrap());
            }
            assert_eq!(lines, ["ab", "", "c\r", "last"], "buffer of {buffer}");
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_whole() {
        let long = vec![b'x'; MAX_LINE + 1];
        let mut input = BufReader::with_capacity(BUFFER, io::Read::chain(long.as_slice(), &b"\nnext\n"[..]));
        let mut line = Vec::new();
        assert!(matches!(read_line(&mut input, &mut line).unwrap(), Line::TooLong));
        assert_eq!(line.capacity(), 0);
        assert!(matches!(read_line(&mut input, &mut line).unwrap(), Line::Read));
        assert_eq!(line, b"next");
    }

    #[test]
    fn scores_keep_their_digits() {
        assert_eq!(serde_json::to_string(&Score(0.85)).unwrap(), "0.85");
        assert_eq!(serde_json::to_string(&Score(1.0)).unwrap(), "1.0");
    }
}
