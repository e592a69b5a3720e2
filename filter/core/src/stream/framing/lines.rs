//! One JSON text on each line.

/// How far the line at hand has been searched for its end.
#[derive(Default)]
pub(super) struct Scan {
    at: usize,
}

impl Scan {
    pub(super) fn next(&mut self, bytes: &[u8], end: bool) -> Option<Line> {
        let found = bytes.get(self.at..).unwrap_or_default().iter().position(|byte| *byte == b'\n');
        let length = match found {
            Some(offset) => self.at + offset + 1,
            None if end && !bytes.is_empty() => bytes.len(),
            None => {
                self.at = bytes.len();
                return None;
            }
        };
        self.at = 0;
        bytes.get(..length).map(|raw| Line { raw: raw.to_vec() })
    }
}

/// A line with its end, which only the last one may lack.
pub(super) struct Line {
    pub(super) raw: Vec<u8>,
}

impl Line {
    fn parts(&self) -> (&[u8], &'static str) {
        match self.raw.strip_suffix(b"\r\n") {
            Some(text) => (text, "\r\n"),
            None => match self.raw.strip_suffix(b"\n") {
                Some(text) => (text, "\n"),
                None => (&self.raw, ""),
            },
        }
    }

    pub(super) fn payload(&self) -> Option<&[u8]> {
        let (text, _) = self.parts();
        (!text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))).then_some(text)
    }

    pub(super) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        on_one_line(payload, self.parts().1)
    }

    pub(super) fn fresh(&self, payload: &[u8]) -> Vec<u8> {
        on_one_line(payload, if self.parts().1 == "\r\n" { "\r\n" } else { "\n" })
    }

    /// What is missing before another line can follow.
    pub(super) fn glue(&self) -> &'static str {
        if self.parts().1.is_empty() { "\n" } else { "" }
    }
}

/// Line ends are white space in JSON, and cannot stand in its strings.
pub(super) fn on_one_line(payload: &[u8], end: &str) -> Vec<u8> {
    let flat = payload.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
    flat.chain(end.bytes()).collect()
}
