//! A baseline as bytes: what was learned, which others may take over, and what is going on.

use super::baseline::{Baseline, N, WEEK};
use super::sketch::{Distinct, Names};

/// Bytes of what was learned.
pub const LEARNED: usize = 12 + N * 8 + WEEK;

impl Baseline {
    /// What was learned, without what is going on.
    pub fn learned(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEARNED);
        for part in [self.since, self.hour] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        for part in [self.hours, self.days] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        for level in self.levels.iter().flatten() {
            out.extend_from_slice(&level.mean.to_le_bytes());
            out.extend_from_slice(&level.deviation.to_le_bytes());
        }
        out.extend_from_slice(&self.week);
        out
    }

    /// Takes what was learned elsewhere, where that is more than is known here. Answers whether it was.
    pub fn adopt(&mut self, learned: &[u8]) -> bool {
        let Some(other) = Self::read_learned(learned).filter(|other| other.hours > self.hours) else { return false };
        for (own, other) in self.levels.iter_mut().flatten().zip(other.levels.iter().flatten()) {
            (own.mean, own.deviation) = (other.mean, other.deviation);
        }
        (self.hours, self.days, self.week) = (other.hours, other.days, other.week);
        self.since = match self.since {
            0 => {
                self.hour = other.hour;
                other.since
            }
            own => own.min(other.since),
        };
        true
    }

    fn read_learned(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let baseline = Self::read_common(&mut reader)?;
        (reader.0.is_empty() && baseline.since > 0 && baseline.hour >= baseline.since).then_some(baseline)
    }

    fn read_common(reader: &mut Reader<'_>) -> Option<Self> {
        let mut baseline = Self { since: reader.u32()?, hour: reader.u32()?, ..Self::default() };
        (baseline.hours, baseline.days) = (reader.u16()?, reader.u16()?);
        for level in baseline.levels.iter_mut().flatten() {
            (level.mean, level.deviation) = (reader.u16()?, reader.u16()?);
        }
        baseline.week = reader.take()?;
        Some(baseline)
    }

    /// Reads a caller; bytes that are none are one of whom nothing is known.
    pub fn read(bytes: &[u8]) -> Self {
        Self::try_read(bytes).unwrap_or_default()
    }

    fn try_read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut baseline = Self::read_common(&mut reader)?;
        for level in baseline.levels.iter_mut().flatten() {
            level.count = reader.f32()?;
        }
        [baseline.expected] = reader.take()?;
        baseline.names = Names(reader.take()?);
        baseline.distinct = Distinct(reader.take()?);
        for recent in &mut baseline.similar.0 {
            *recent = u64::from_le_bytes(reader.take()?);
        }
        (baseline.until, baseline.unusual) = (reader.u32()?, reader.u16()?);
        baseline.flagged = [reader.u16()?, reader.u16()?];
        (baseline.allowance, baseline.asked) = (reader.f32()?, reader.u32()?);
        reader.0.is_empty().then_some(baseline)
    }

    /// Its bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.learned();
        for level in self.levels.iter().flatten() {
            out.extend_from_slice(&level.count.to_le_bytes());
        }
        out.push(self.expected);
        out.extend_from_slice(&self.names.0);
        out.extend_from_slice(&self.distinct.0);
        for recent in &self.similar.0 {
            out.extend_from_slice(&recent.to_le_bytes());
        }
        out.extend_from_slice(&self.until.to_le_bytes());
        for part in [self.unusual].iter().chain(&self.flagged) {
            out.extend_from_slice(&part.to_le_bytes());
        }
        out.extend_from_slice(&self.allowance.to_le_bytes());
        out.extend_from_slice(&self.asked.to_le_bytes());
        out
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const L: usize>(&mut self) -> Option<[u8; L]> {
        let (first, rest) = self.0.split_first_chunk::<L>()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn f32(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes).map(|f| if f.is_finite() { f } else { 0.0 })
    }
}
