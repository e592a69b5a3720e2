//! What numbers look like that a label announces: passports, licences, plates, and the like.

use super::super::Candidate;
use super::super::types::Type;
use super::Label;
use super::reader::Reader;

/// The form of a number.
pub(super) enum Form {
    /// `A` a letter, `9` a digit, `N` either; `a`, `8`, `n` the same where it may be missing; `_` a separator, `~` one that may be
    /// missing; `<XYZ>` one of these letters.
    Like(Type, &'static str),
    /// So many (least, most) letters, digits and hyphens, and the least digits among them.
    Run(Type, usize, usize, usize),
}

impl Form {
    pub(super) fn kind(&self) -> Type {
        match self {
            Form::Like(kind, _) | Form::Run(kind, ..) => *kind,
        }
    }

    /// Where it ends, if it stands at `at`.
    fn end(&self, r: &Reader<'_>, at: usize) -> Option<usize> {
        let end = match self {
            Form::Like(kind, pattern) => like(r, at, pattern).filter(|end| fits(*kind, r.slice(at, *end)))?,
            Form::Run(_, least, most, digits) => run(r, at, *least, *most, *digits)?,
        };
        // `1234.5` and `12:30` are other things; a sentence may end.
        let next = r.at(end);
        let goes_on = r.alnum(end)
            || next == b'_'
            || (matches!(next, b'.' | b'-' | b'/' | b':' | b',')
                && r.alnum(end + 1)
                && !(next == b',' && r.at(end + 1) >= b'A'))
            || matches!(next, b'(' | b'[' | b'@' | b'%');
        (!goes_on).then_some(end)
    }
}

/// The first of the forms that the value has.
pub(super) fn read(r: &Reader<'_>, label: &Label<'_>, forms: &[Form], score: f32) -> Option<Candidate> {
    let start = label.at();
    forms.iter().find_map(|form| {
        let end = form.end(r, start)?;
        Some(Candidate { kind: form.kind(), start, end, score, checked: false, test_value: false })
    })
}

fn like(r: &Reader<'_>, at: usize, pattern: &str) -> Option<usize> {
    let mut at = at;
    let mut pattern = pattern.bytes();
    while let Some(part) = pattern.next() {
        let byte = r.at(at);
        let (fits, optional) = match part {
            b'A' => (byte.is_ascii_alphabetic(), false),
            b'a' => (byte.is_ascii_alphabetic(), true),
            b'9' => (byte.is_ascii_digit(), false),
            b'8' => (byte.is_ascii_digit(), true),
            b'N' => (byte.is_ascii_alphanumeric(), false),
            b'n' => (byte.is_ascii_alphanumeric(), true),
            b'_' => (b" -./".contains(&byte), false),
            b'~' => (b" -./".contains(&byte), true),
            b'<' => {
                let mut fits = false;
                for letter in pattern.by_ref().take_while(|b| *b != b'>') {
                    fits |= letter == byte.to_ascii_uppercase();
                }
                (fits, false)
            }
            literal => (literal == byte.to_ascii_lowercase(), false),
        };
        match (fits, optional) {
            (true, _) => at += 1,
            (false, true) => {}
            (false, false) => return None,
        }
    }
    Some(at)
}

fn run(r: &Reader<'_>, at: usize, least: usize, most: usize, digits: usize) -> Option<usize> {
    let length = r.run(at, most + 1, |b| b.is_ascii_alphanumeric() || b == b'-');
    let value = r.slice(at, at + length);
    // The last character is no hyphen.
    let length = value.iter().rposition(|b| *b != b'-').map_or(0, |last| last + 1);
    let enough = value.iter().filter(|b| b.is_ascii_digit()).count() >= digits;
    let first = value.first().is_some_and(u8::is_ascii_alphanumeric);
    // A date is none.
    let date = like(r, at, "9999-99-99") == Some(at + length);
    (first && enough && (least..=most).contains(&length) && !date).then_some(at + length)
}

/// What a form does not say: numbers of provinces and years, letters that are not used.
fn fits(kind: Type, value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit());
    let number = digits.clone().take(2).fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    let letter = |b: &u8| b.to_ascii_uppercase();
    match kind {
        Type::UkVehicleRegistration => {
            let letters: Vec<u8> = value.iter().filter(|b| b.is_ascii_alphabetic()).map(letter).collect();
            let newest = value.first_chunk::<4>().is_some_and(|head| {
                head.iter().take(2).all(u8::is_ascii_alphabetic) && head.iter().skip(2).all(u8::is_ascii_digit)
            });
            // Since 2001: `02` for March of that year, `52` for its September.
            let year = !newest || matches!(number, 2..=29 | 51..=79);
            let area = letters.iter().take(1).all(|b| !b"IOQZ".contains(b)) || !newest && letters.len() < 5;
            let first = letters.first().is_some_and(|b| !b"IOQZ".contains(b));
            year && area && first && !letters.contains(&b'I') && !(newest && letters.contains(&b'Q'))
        }
        Type::TrLicensePlate => (1..=81).contains(&number),
        Type::UkPostcode => {
            let letters: Vec<u8> = value.iter().map(letter).collect();
            let inward = letters.get(letters.len().saturating_sub(2)..).unwrap_or_default();
            letters.first().is_some_and(|b| !b"QVX".contains(b)) && !inward.iter().any(|b| b"CIKMOV".contains(b))
        }
        Type::PostalCode if value == b"12345" => false,
        Type::DePlz => (1..=99).contains(&number) && value.iter().any(|b| *b != b'0'),
        Type::DeHandelsregister => value.iter().filter(|b| b.is_ascii_digit()).take(1).all(|b| *b != b'0'),
        // A number is no date and no year, and not all the same.
        _ => {
            let mut digits = digits;
            let first = digits.next();
            first.is_none()
                || value.len() < 5
                || digits.any(|b| Some(b) != first)
                || value.iter().any(u8::is_ascii_alphabetic)
        }
    }
}
