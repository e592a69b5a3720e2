use proptest::collection::vec;
use proptest::prelude::*;

use super::{Edits, Overlap};

#[test]
fn replaces_inserts_and_removes() {
    let mut edits = Edits::new();
    assert!(edits.is_empty());
    assert_eq!(edits.splice(b"abc"), b"abc");
    edits.replace(6..8, "").unwrap();
    edits.replace(0..1, "XY").unwrap();
    edits.replace(4..4, "-").unwrap();
    edits.replace(10..10, "!").unwrap();
    assert_eq!(edits.len(), 4);
    assert_eq!(edits.splice(b"0123456789"), b"XY123-4589!");
}

#[test]
fn ranges_may_touch_but_not_overlap() {
    let mut edits = Edits::new();
    edits.replace(2..5, "a").unwrap();
    for overlapping in [2..5, 0..3, 4..9, 3..4, 0..9, 2..3, 4..5, 3..3, 4..4] {
        assert_eq!(edits.replace(overlapping.clone(), "b"), Err(Overlap), "{overlapping:?}");
    }
    for touching in [0..2, 5..7, 2..2, 5..5] {
        edits.replace(touching.clone(), "c").unwrap_or_else(|_| panic!("{touching:?}"));
    }
    assert_eq!(edits.replace(2..2, "d"), Err(Overlap));
    assert_eq!(edits.replace(1..3, "d"), Err(Overlap));
    #[expect(clippy::reversed_empty_ranges)]
    let inverted = edits.replace(20..10, "d");
    assert_eq!(inverted, Err(Overlap));
    assert_eq!(edits.splice(b"0123456789"), b"ccacc789");
}

#[test]
fn what_lies_beyond_the_end_is_at_the_end() {
    let mut edits = Edits::new();
    edits.replace(1..usize::MAX, "x").unwrap();
    edits.replace(usize::MAX..usize::MAX, "y").unwrap();
    assert_eq!(edits.splice(b"abc"), b"axy");
    assert_eq!(edits.splice(b""), b"xy");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a list of accepted ranges that is searched from end to end.
    #[test]
    fn agrees_with_the_simple_way(ranges in vec((0..40_usize, 0..6_usize), 0..20)) {
        let bytes: Vec<u8> = (0..40).collect();
        let mut edits = Edits::new();
        let mut accepted: Vec<(usize, usize)> = Vec::new();
        for (start, length) in ranges {
            let end = start + length;
            let overlaps = accepted.iter().any(|&(s, e)| {
                (s, e) == (start, end) || (s < end && start < e)
            });
            prop_assert_eq!(edits.replace(start..end, "<>").is_err(), overlaps);
            if !overlaps {
                accepted.push((start, end));
            }
        }
        accepted.sort_unstable();
        let mut expected = bytes.clone();
        for &(start, end) in accepted.iter().rev() {
            expected.splice(start.min(40)..end.min(40), *b"<>");
        }
        prop_assert_eq!(edits.splice(&bytes), expected);
    }
}
