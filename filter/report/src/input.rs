//! Lines of files that may be larger than memory, packed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// The longest line that is read. The shipped format with every value at its bound is far below.
pub const MAX_LINE: usize = 1 << 20;
const BUFFER: usize = 256 << 10;

/// A line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Its bytes, without the end.
    Line(&'a [u8]),
    /// It is longer than [`MAX_LINE`]; so many bytes were passed over.
    TooLong(u64),
    /// There are no more.
    End,
}

/// The lines of one input.
pub struct Lines {
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    /// The number of the line that was read last, from 1.
    pub number: u64,
}

impl Lines {
    /// A file's lines; `read` counts its bytes as they are on disk.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Self> {
        Self::of(File::open(path)?, read)
    }

    /// The lines of a stream, unpacked where it begins as gzip does, whatever it is called.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(input: impl Read + 'static, read: &Arc<AtomicU64>) -> io::Result<Self> {
        let mut input = Counted { input, read: Arc::clone(read) };
        let mut magic = Vec::with_capacity(2);
        input.by_ref().take(2).read_to_end(&mut magic)?;
        let packed = magic == [0x1f, 0x8b];
        let input = BufReader::with_capacity(BUFFER, Cursor::new(magic).chain(input));
        let input: Box<dyn BufRead> = if packed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input)))
        } else {
            Box::new(input)
        };
        Ok(Self { input, line: Vec::new(), number: 0 })
    }

    /// The next line.
    ///
    /// # Errors
    /// The input cannot be read on: what is packed is broken or cut off, say.
    pub fn read_one(&mut self) -> io::Result<Found<'_>> {
        self.line.clear();
        let (mut passed, mut any) = (0u64, false);
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if passed == 0 && self.line.len() + part.len() <= MAX_LINE {
                self.line.extend_from_slice(part);
            } else {
                passed += (self.line.len() + part.len()) as u64;
                self.line.clear();
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(Found::End);
        }
        self.number += 1;
        Ok(if passed > 0 { Found::TooLong(passed) } else { Found::Line(&self.line) })
    }
}

/// Counts bytes for whoever shows progress.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn lines(bytes: Vec<u8>) -> Result<Vec<String>, String> {
        let mut lines = Lines::of(Cursor::new(bytes), &Arc::default()).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        loop {
            all.push(match lines.read_one().map_err(|e| format!("{all:?} {e}"))? {
                Found::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Found::TooLong(bytes) => format!("<{bytes}>"),
                Found::End => return Ok(all),
            });
        }
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_packed() {
        for text in ["", "\n", "a", "a\n", "a\n\nb", "a\nb\n"] {
            let expected: Vec<String> = text.split_terminator('\n').map(str::to_owned).collect();
            assert_eq!(lines(text.into()).unwrap(), expected, "{text:?}");
            assert_eq!(lines(packed(text)).unwrap(), expected, "{text:?}");
        }
        // Rotated logs are put one behind the other.
        assert_eq!(lines([packed("a\nb\n"), packed("c\n")].concat()).unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn what_is_cut_off_says_so_after_the_lines_before() {
        let text: String = (0..50_000).map(|i| format!("line {i} {}\n", i * 7919)).collect();
        let whole = packed(&text);
        let failed = lines(whole[..whole.len() / 2].to_vec()).unwrap_err();
        assert!(failed.starts_with("[\"line 0 0\""), "{}", failed.len());
    }

    #[test]
    fn a_long_line_costs_no_memory() {
        let size = 3 * MAX_LINE + 5;
        let mut text = vec![b'x'; size];
        text.extend_from_slice(b"\nshort\n");
        let mut read = Lines::of(Cursor::new(text), &Arc::default()).unwrap();
        assert_eq!(read.read_one().unwrap(), Found::TooLong(size as u64));
        assert!(read.line.capacity() <= 2 * MAX_LINE);
        assert_eq!(read.read_one().unwrap(), Found::Line(b"short"));
        assert_eq!((read.number, read.read_one().unwrap()), (2, Found::End));
        let edge = vec![b'x'; MAX_LINE];
        assert_eq!(lines(edge).unwrap().first().unwrap().len(), MAX_LINE);
    }
}
