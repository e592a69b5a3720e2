//! Tokens whose prefix does not stand at their start, or that need a word beside them.

use super::super::bytes::{self, ALNUM, DIGIT, HEX, Set, URL64};
use super::super::checks::entropy;
use super::{Hit, Left, Memo, is_placeholder};

fn hit(bytes: &[u8], start: usize, end: usize, least_entropy: f32) -> Option<Hit> {
    let value = bytes.get(start..end)?;
    (entropy(value) >= least_entropy).then(|| Hit { start, end, score: 0.95, test_value: is_placeholder(value) })
}

/// OpenAI: `sk-...T3BlbkFJ...`, where the middle is `OpenAI` in base64.
pub(super) fn openai(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    const MIDDLE: &str = "T3BlbkFJ";
    // A key starts its run: each run is read once.
    if !Left::Hyphen.fits(bytes, at) {
        return None;
    }
    let end = at + URL64.run(bytes, at, 256);
    let middle = bytes::find(bytes, MIDDLE, at, end)?;
    let (head, tail) = (middle - at - "sk-".len(), end - middle - MIDDLE.len());
    if head < 20 || tail < 20 { None } else { hit(bytes, at, end, 3.0) }
}

pub(super) static AWS: Set = Set::new(b"aA0", b"/+");

/// AWS: 40 characters behind a name such as `aws_secret_access_key`.
pub(super) fn aws_secret(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    let name = at + bytes::URL64.run(bytes, at, 40);
    // `secret access key` ends behind its spaces.
    let name = if name - at < 10 { at + "secret access key".len() } else { name };
    forty(bytes, name, 32)
}

/// AWS: 40 characters behind an access key id, as in credential files and exported tables.
pub(super) fn aws_pair(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    let id = ALNUM.run(bytes, at, 21);
    if id != 20 || !Left::Word.fits(bytes, at) {
        return None;
    }
    forty(bytes, at + id, 64)
}

/// The first run of exactly 40 characters that starts within `reach` bytes and looks random.
fn forty(bytes: &[u8], from: usize, reach: usize) -> Option<Hit> {
    let mut at = from;
    while at < from + reach {
        let run = AWS.run(bytes, at, 64);
        if run == 40 {
            let value = bytes.get(at..at + run)?;
            let mixed = value.iter().any(u8::is_ascii_uppercase)
                && value.iter().any(u8::is_ascii_lowercase)
                && value.iter().any(u8::is_ascii_digit)
                && !value.iter().all(|b| HEX.contains(*b));
            return if mixed && bytes::at(bytes, at + run) != b'=' { hit(bytes, at, at + run, 4.0) } else { None };
        }
        if run > 40 {
            return None;
        }
        at += run + 1;
    }
    None
}

/// Microsoft Entra ID: three characters, a digit, `Q~`, 31 to 34 characters.
pub(super) fn azure_client(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    static HEAD: Set = Set::new(b"aA0", b"_~.");
    static TAIL: Set = Set::new(b"aA0", b"_~.-");
    let start = at.checked_sub(3)?;
    let tail = TAIL.run(bytes, at + 3, 35);
    let edge = |b: u8| b == 0 || b.is_ascii_whitespace() || b"\\'\"`>=:(,)<;".contains(&b);
    let fits = HEAD.run_back(bytes, at, 4) == 3
        && (31..=34).contains(&tail)
        && (edge(bytes::before(bytes, start)) || bytes::escape_before(bytes, start))
        && edge(bytes::at(bytes, at + 3 + tail));
    if fits { hit(bytes, start, at + 3 + tail, 3.0) } else { None }
}

/// Telegram: the bot's number, `:AA`, 32 or 33 characters.
pub(super) fn telegram(bytes: &[u8], at: usize, _: &mut Memo) -> Option<Hit> {
    let digits = DIGIT.run_back(bytes, at, 12);
    let start = at - digits;
    let key = URL64.run(bytes, at + 1, 36);
    let whole = matches!(key, 34 | 35);
    let fits = (8..=11).contains(&digits) && Left::Word.fits(bytes, start) && whole;
    if fits || bytes::stands(bytes, start.saturating_sub(3), "bot") && whole && digits > 7 {
        hit(bytes, start, at + 1 + key, 3.0)
    } else {
        None
    }
}

/// Terraform Cloud: 14 characters, `.atlasv1.`, 60 to 70 characters.
///
/// In a text that arrives, it starts at `.atlasv1.`: what stands before names the token and is no secret, and to wait
/// for what may follow would hold back every word.
pub(super) fn terraform(bytes: &[u8], at: usize, memo: &mut Memo) -> Option<Hit> {
    static TAIL: Set = Set::new(b"aA0", b"_=-");
    let tail_at = at + ".atlasv1.".len();
    let tail = TAIL.run(bytes, tail_at, 80);
    let fits = ALNUM.run_back(bytes, at, 15) >= 14 && (60..80).contains(&tail);
    let hit = if fits { hit(bytes, at - 14, tail_at + tail, 3.5) } else { None };
    hit.map(|hit| if memo.left { Hit { start: at, ..hit } } else { hit })
}
