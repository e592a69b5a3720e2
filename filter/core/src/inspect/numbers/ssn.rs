//! US_SSN: social security numbers, by the rules of the Social Security Administration: area not 000, 666 or
//! 900-999, group not 00, serial not 0000.

use super::super::bytes;
use super::super::context::{Words, words};
use super::super::types::Type;
use super::{Candidate, Number, Sep};

static SSN: Words = words!("ssn ssns social socialsecurity ss ssa tin taxpayer");
static STRONG: Words = words!("ssn ssns social socialsecurity");

static OTHER: Words = words!(
    "part parts order invoice isbn issn sku model serial item pages lines page line product \
     ticket case ref zip tracking catalog itin atin ein sin tfn no suite apt apartment room box unit floor"
);

pub(super) fn find(number: &Number<'_>, found: &mut Vec<Candidate>) {
    let [a, b, c, g, h, s @ ..] = number.digits else { return };
    let value = |digits: &[u8]| digits.iter().fold(0u32, |n, d| n * 10 + u32::from(*d));
    let (area, group, serial) = (value(&[*a, *b, *c]), value(&[*g, *h]), value(s));
    if area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0 || number.joined() {
        return;
    }
    let chain = number.chain;
    let (start, end) = (number.start(), number.end());
    let before = bytes::before(chain.bytes, start);
    if matches!(before, b'_' | b'+') || bytes::at(chain.bytes, end) == b'_' {
        return;
    }
    let mut seps = number.seps();
    let sep = seps.next();
    let same = seps.all(|other| Some(other) == sep);
    let shape: (usize, usize, usize) = {
        let mut lengths = number.lengths();
        (lengths.next().unwrap_or(0), lengths.next().unwrap_or(0), lengths.next().unwrap_or(0))
    };
    let split = shape == (3, 2, 4) && same;
    let context = || SSN.before(chain.bytes, start, 64).is_some() || chain.word_after(&SSN, end, 24);
    let strong = || STRONG.before(chain.bytes, start, 64).is_some() || chain.word_after(&STRONG, end, 64);
    let other = || OTHER.before(chain.bytes, start, 20).is_some();
    // Joined to more numbers by spaces, a spaced number is a row of figures.
    let in_row = chain.sep(number.first) == Sep::Space || chain.sep(number.last + 1) == Sep::Space;
    let (score, checked) = match (split, sep) {
        (true, Some(Sep::Dash)) if context() => (0.95, true),
        (true, Some(Sep::Dash)) => (if other() { 0.4 } else { 0.8 }, true),
        (true, Some(Sep::Dot | Sep::Space | Sep::Wide)) if context() => (0.9, true),
        (true, Some(Sep::Dot | Sep::Space)) => (if other() || in_row { 0.3 } else { 0.55 }, false),
        // One separator missing, or none at all: nine digits are many things.
        (false, Some(Sep::Dash | Sep::Space)) if matches!(shape, (3, 6, 0) | (5, 4, 0)) && strong() => (0.6, false),
        (false, None) if strong() => (0.75, false),
        _ => return,
    };
    // Published numbers that belong to nobody: far below the threshold, but there for who wants them.
    let test_value = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999) | (123, 45, 6789));
    let score = if test_value { 0.3 } else { score };
    found.push(Candidate { kind: Type::UsSsn, start, end, score, checked, test_value });
}
