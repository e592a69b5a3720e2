//! SWIFT_BIC: business identifier codes (ISO 9362), behind a word that says so: four letters for the party, a country, two
//! for the place and three for the branch. Any capital word of eight letters looks like one.

use super::super::bytes::{self, ALNUM};
use super::super::ids::is_country;
use super::{Hit, Left, Memo};

/// So far behind the word a code starts.
const BEHIND: usize = 40;
/// From the word on.
pub(super) const LONGEST: usize = 9 + BEHIND + 11;

/// The words that name one, as one run of letters.
const NAMES: &[&str] = &["swift", "bic", "swiftcode", "swiftbic", "biccode", "swiftcodes", "swiftnumber"];

/// What may stand between the name and the code.
pub(super) const BETWEEN: &[u8] = b" :/-()=\"'_#.";

/// Looks for a code behind the name at `at`.
pub(super) fn find(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    if !Left::Word.fits(bytes, at) {
        return None;
    }
    let name = bytes.get(at..at + ALNUM.run(bytes, at, 12))?;
    if !NAMES.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name)) {
        return None;
    }
    let from = at + name.len();
    let mut start = from;
    while start <= from + BEHIND {
        let run = ALNUM.run(bytes, start, 12);
        let code = bytes.get(start..start + run)?;
        if matches!(run, 8 | 11) && is_code(code) {
            return Some(Hit { start, end: start + run, score: 0.9, test_value: false });
        }
        let end = start + run;
        if run == 0 && !BETWEEN.contains(&bytes::at(bytes, start)) || run > 11 {
            return None;
        }
        start = end + usize::from(run == 0);
    }
    None
}

fn is_code(code: &[u8]) -> bool {
    let Some((letters, place)) = code.split_at_checked(6) else { return false };
    let country = letters.last_chunk::<2>().is_some_and(is_country);
    country
        && letters.iter().all(u8::is_ascii_uppercase)
        && place.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
