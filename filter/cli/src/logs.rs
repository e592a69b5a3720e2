//! Access logs line by line, gzip or not, without holding more than a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::input::STDIN;

/// Longer lines are no records: values of a record are bounded.
const LONGEST: u64 = 1 << 20;

/// Sees a line.
type Each<'e> = &'e mut dyn FnMut(usize, Option<&[u8]>) -> anyhow::Result<()>;

/// Shows each line of a file: its number, from 1, and its bytes; `None` for one that is too long.
///
/// # Errors
/// The file cannot be read, or is no whole gzip file; or `each` failed.
pub fn lines(name: &str, each: Each<'_>) -> anyhow::Result<()> {
    let shown = if name == STDIN { "standard input".to_owned() } else { format!("`{name}`") };
    let raw: Box<dyn Read> = match name {
        STDIN => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(name).with_context(|| format!("cannot read {shown}"))?),
    };
    let mut raw = BufReader::with_capacity(1 << 16, raw);
    let zipped = raw.fill_buf().with_context(|| format!("cannot read {shown}"))?.starts_with(&[0x1f, 0x8b]);
    let mut text: Box<dyn BufRead> =
        if zipped { Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(raw))) } else { Box::new(raw) };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut text).take(LONGEST).read_until(b'\n', &mut line);
        let read = read.with_context(|| format!("cannot read {shown} beyond line {}", number - 1))?;
        if read == 0 {
            break;
        }
        let whole = line.ends_with(b"\n") || read < usize::try_from(LONGEST).unwrap_or(usize::MAX);
        if !whole {
            skip(&mut text).with_context(|| format!("cannot read {shown}"))?;
        }
        each(number, whole.then(|| line.trim_ascii_end()))?;
    }
    Ok(())
}

/// The rest of a line.
fn skip(text: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let (used, ended) = {
            let buffer = text.fill_buf()?;
            match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            }
        };
        text.consume(used);
        if ended {
            return Ok(());
        }
    }
}

/// A line of an access log, where it is one.
pub fn record(line: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(record)) => Some(record),
        _ => None,
    }
}

/// A record's value as the filter wrote it; nothing where it is absent.
pub fn text(record: &Map<String, Value>, key: &str) -> Option<String> {
    let text = match record.get(key)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text != "-").then_some(text)
}

/// The values that the filter wrote, by their keys.
pub fn values(record: &Map<String, Value>) -> Vec<(String, String)> {
    let ours = |key: &&String| ["doorward.", "gen_ai.", "mcp."].iter().any(|prefix| key.starts_with(prefix));
    record.keys().filter(ours).filter_map(|key| Some((key.clone(), text(record, key)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(bytes: &[u8]) -> Vec<(usize, Option<String>)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut seen = Vec::new();
        lines(file.path().to_str().unwrap(), &mut |number, line| {
            seen.push((number, line.map(|l| String::from_utf8_lossy(l).into_owned())));
            Ok(())
        })
        .unwrap();
        seen
    }

    #[test]
    fn lines_are_bounded_and_zipped_ones_are_read() {
        let long = vec![b'x'; 3 << 20];
        let text = [b"one\r\n", &*long, b"\nthree"].concat();
        let expected = vec![(1, Some("one".to_owned())), (2, None), (3, Some("three".to_owned()))];
        assert_eq!(read(&text), expected);
        let mut zipped = Vec::new();
        // Rotation appends: a file can hold several.
        for part in [&text[..3], &text[3..]] {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(part).unwrap();
            zipped.extend(gz.finish().unwrap());
        }
        assert_eq!(read(&zipped), expected);
    }
}
