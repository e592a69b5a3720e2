//! The way back from a decoded text to the text that it was decoded from.

use std::ops::Range;

/// Equal pieces in a row: what each was written with, and what it became. What lies between is literal, byte for byte.
#[derive(Debug)]
struct Piece {
    /// Where the first begins in the decoded text.
    decoded: usize,
    /// Where the first begins in the source.
    source: usize,
    count: usize,
    /// Bytes of one.
    source_unit: usize,
    decoded_unit: usize,
}

impl Piece {
    fn decoded_end(&self) -> usize {
        self.decoded + self.count * self.decoded_unit
    }

    fn source_end(&self) -> usize {
        self.source + self.count * self.source_unit
    }
}

/// Where the bytes of a decoded text stand in its source, and what must be cut there.
#[derive(Debug, Default)]
pub(in crate::inspect) struct Way {
    pieces: Vec<Piece>,
    /// Encoded runs of the source, in order, apart from one another.
    runs: Vec<Range<usize>>,
}

impl Way {
    /// Pieces come in order.
    pub(in crate::inspect) fn push(&mut self, decoded: Range<usize>, source: Range<usize>) {
        let (decoded_unit, source_unit) = (decoded.len(), source.len());
        match self.pieces.last_mut() {
            Some(last)
                if (last.decoded_unit, last.source_unit) == (decoded_unit, source_unit)
                    && (last.decoded_end(), last.source_end()) == (decoded.start, source.start) =>
            {
                last.count += 1;
            }
            _ => self.pieces.push(Piece {
                decoded: decoded.start,
                source: source.start,
                count: 1,
                source_unit,
                decoded_unit,
            }),
        }
    }

    /// Lets go of what is needed only for places before one of the decoded text.
    pub(in crate::inspect) fn forget(&mut self, before: usize) {
        let first = self.pieces.partition_point(|piece| piece.decoded < before);
        // The last of them says where what follows stands.
        self.pieces.drain(..first.saturating_sub(1));
    }

    /// Names a run of the source that is cut as a whole. Runs come in order; the same may come again.
    pub(super) fn push_run(&mut self, run: &Range<usize>) {
        if self.runs.last() != Some(run) {
            self.runs.push(run.clone());
        }
    }

    /// Where a range of the decoded text stands in the source, rounded outward to whole pieces.
    pub(in crate::inspect) fn exact(&self, decoded: Range<usize>) -> Range<usize> {
        self.source(decoded.start, false)..self.source(decoded.end, true)
    }

    /// Whether something within a range of the decoded text was written otherwise.
    pub(super) fn differs(&self, decoded: &Range<usize>) -> bool {
        let first = self.pieces.partition_point(|piece| piece.decoded_end() <= decoded.start);
        self.pieces.get(first).is_some_and(|piece| piece.decoded < decoded.end)
    }

    /// What to cut from the source so that nothing of a range of the decoded text is left there: where it stands, and
    /// the encoded runs that it touches.
    pub(in crate::inspect) fn cut(&self, decoded: Range<usize>) -> Range<usize> {
        let mut cut = self.exact(decoded);
        let first = self.runs.partition_point(|run| run.end <= cut.start);
        let behind = self.runs.partition_point(|run| run.start < cut.end);
        if let Some(touched) = self.runs.get(first..behind)
            && let (Some(first), Some(last)) = (touched.first(), touched.last())
        {
            cut = cut.start.min(first.start)..cut.end.max(last.end);
        }
        cut
    }

    fn source(&self, at: usize, up: bool) -> usize {
        // What became nothing belongs neither to what ends before it nor to what starts behind it.
        let before = self.pieces.partition_point(|piece| piece.decoded < at || !up && piece.decoded == at);
        let Some(piece) = before.checked_sub(1).and_then(|last| self.pieces.get(last)) else { return at };
        match at.checked_sub(piece.decoded_end()) {
            Some(literal) => piece.source_end() + literal,
            None => {
                let (into, unit) = (at - piece.decoded, piece.decoded_unit.max(1));
                let units = if up { into.div_ceil(unit) } else { into / unit };
                piece.source + units * piece.source_unit
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_found_again() {
        // `ab%40%2Ecd<run>` to `ab@.cd<text>`
        let mut way = Way::default();
        way.push(2..3, 2..5);
        way.push(3..4, 5..8);
        way.push(6..16, 10..26);
        assert_eq!(way.pieces.len(), 2);
        for (decoded, source) in
            [(0..2, 0..2), (1..3, 1..5), (3..4, 5..8), (2..5, 2..9), (5..6, 9..10), (8..9, 10..26), (0..17, 0..27)]
        {
            assert_eq!(way.exact(decoded.clone()), source, "{decoded:?}");
            assert_eq!(way.cut(decoded), source);
        }
        way.push_run(&(0..9));
        way.push_run(&(0..9));
        way.push_run(&(10..26));
        assert_eq!(way.runs.len(), 2);
        for (decoded, source) in [(3..4, 0..9), (5..6, 9..10), (4..7, 0..26), (16..17, 26..27)] {
            assert_eq!(way.cut(decoded.clone()), source, "{decoded:?}");
        }
    }
}
