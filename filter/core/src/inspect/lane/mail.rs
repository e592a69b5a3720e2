//! Where an e-mail address may be open: a run of what a local part consists of, and what follows an `@` behind one.

use super::super::email::{DOMAIN, LOCAL, MAX_DOMAIN, MAX_LOCAL};
use super::step::{Mode, NONE, Over, Step, shift};

#[derive(Default)]
pub(super) struct Mail {
    /// Where the local part may start that the last character belongs to.
    start: Option<usize>,
    /// How long the run of its characters is, with those at which none can start.
    run: usize,
    /// Nothing of this run is one, up to the next `..`.
    blocked: bool,
    /// Where the address starts whose domain is open, and where that starts.
    domain: Option<(usize, usize)>,
}

impl Mail {
    /// `doubtful`: also what is more often none counts (the threshold is so low).
    pub(super) fn step(&mut self, step: &Step<'_>, mode: Mode, doubtful: bool, over: &mut Over) {
        if let Some((_, from)) = self.domain
            && (!is_domain(step) || step.end - from > MAX_DOMAIN + 1)
        {
            self.domain = None;
            over.mark(step.at);
        }
        if step.byte == b'@' {
            let start = if mode == Mode::Full { self.start } else { (self.run > 0).then_some(step.at) };
            if let Some(start) = start.filter(|_| self.run <= MAX_LOCAL) {
                self.domain = Some((start, step.end));
            }
        }
        if !is_local(step) {
            (self.start, self.run, self.blocked) = (None, 0, false);
            return;
        }
        if self.run == 0 && mode == Mode::Full && !doubtful {
            let before = step.bytes.get(..step.at).unwrap_or_default();
            // `@name` in code and `scheme://name@`: what starts there scores low.
            self.blocked = before.ends_with(b"@") || before.ends_with(b"://");
        }
        self.run += step.end - step.at;
        if step.byte == b'.' && step.bytes.ends_with(b"..") {
            (self.start, self.blocked) = (None, false);
        }
        let starts = match mode {
            Mode::Full => !matches!(step.byte, b'.' | b'-' | b'\'' | b'&' | b'%' | b'+'),
            _ => step.byte.is_ascii_digit(),
        };
        if !starts && self.run == step.end - step.at {
            self.blocked = false;
        }
        if self.run > MAX_LOCAL {
            self.start = None;
        } else if self.start.is_none() && starts && !self.blocked {
            self.start = Some(step.at);
        }
    }

    pub(super) fn open(&self) -> usize {
        let domain = self.domain.map_or(NONE, |(start, _)| start);
        self.start.unwrap_or(NONE).min(domain)
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.start, by);
        if let Some((start, from)) = &mut self.domain {
            *start = start.saturating_sub(by);
            *from = from.saturating_sub(by);
        }
    }
}

fn is_local(step: &Step<'_>) -> bool {
    // U+00C0 to U+017F, as `email::local` reads them.
    LOCAL.contains(step.byte) || matches!(step.byte, 0xC3..=0xC5)
}

/// As `email::domain` reads them.
fn is_domain(step: &Step<'_>) -> bool {
    match step.byte {
        0xC3..=0xDF | 0xE0 | 0xE1 | 0xE4..=0xED => true,
        0xE3 => step.bytes.get(step.at + 1).is_some_and(|b| *b >= 0x81),
        byte => DOMAIN.contains(byte),
    }
}
