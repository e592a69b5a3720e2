//! IBAN_CODE: international bank account numbers (ISO 13616), by the country's structure in the SWIFT IBAN
//! registry and the check digits (mod 97-10). Compact or in groups, in any case.

use super::Candidate;
use super::bytes::{self, ALPHA};
use super::checks::mod97;
use super::types::Type;

/// Country and the structure of what follows the check digits: `n` digits, `a` letters, `c` either.
#[rustfmt::skip]
const STRUCTURES: &[(&str, &str)] = &[
    ("AD", "n8 c12"), ("AE", "n19"), ("AL", "n8 c16"), ("AT", "n16"), ("AZ", "a4 c20"), ("BA", "n16"), ("BE", "n12"),
    ("BG", "a4 n6 c8"), ("BH", "a4 c14"), ("BI", "n23"), ("BR", "n23 a1 c1"), ("BY", "c4 n4 c16"), ("CH", "n5 c12"),
    ("CR", "n18"), ("CY", "n8 c16"), ("CZ", "n20"), ("DE", "n18"), ("DJ", "n23"), ("DK", "n14"), ("DO", "c4 n20"),
    ("EE", "n16"), ("EG", "n25"), ("ES", "n20"), ("FI", "n14"), ("FK", "a2 n12"), ("FO", "n14"), ("FR", "n10 c11 n2"),
    ("GB", "a4 n14"), ("GE", "a2 n16"), ("GI", "a4 c15"), ("GL", "n14"), ("GR", "n7 c16"), ("GT", "c24"),
    ("HN", "a4 n20"), ("HR", "n17"), ("HU", "n24"), ("IE", "a4 n14"), ("IL", "n19"), ("IQ", "a4 n15"), ("IS", "n22"),
    ("IT", "a1 n10 c12"), ("JO", "a4 n4 c18"), ("KW", "a4 c22"), ("KZ", "n3 c13"), ("LB", "n4 c20"), ("LC", "a4 c24"),
    ("LI", "n5 c12"), ("LT", "n16"), ("LU", "n3 c13"), ("LV", "a4 c13"), ("LY", "n21"), ("MC", "n10 c11 n2"),
    ("MD", "c20"), ("ME", "n18"), ("MK", "n3 c10 n2"), ("MN", "n16"), ("MR", "n23"), ("MT", "a4 n5 c18"),
    ("MU", "a4 n19 a3"), ("NI", "a4 n20"), ("NL", "a4 n10"), ("NO", "n11"), ("OM", "n3 c16"), ("PK", "a4 c16"),
    ("PL", "n24"), ("PS", "a4 c21"), ("PT", "n21"), ("QA", "a4 c21"), ("RO", "a4 c16"), ("RS", "n18"),
    ("RU", "n14 c15"), ("SA", "n2 c18"), ("SC", "a4 n20 a3"), ("SD", "n14"), ("SE", "n20"), ("SI", "n15"),
    ("SK", "n20"), ("SM", "a1 n10 c12"), ("SO", "n19"), ("ST", "n21"), ("SV", "a4 n20"), ("TL", "n19"), ("TN", "n20"),
    ("TR", "n6 c16"), ("UA", "n6 c19"), ("VA", "n18"), ("VG", "a4 n16"), ("XK", "n16"), ("YE", "a4 n4 c18"),
];

/// The longest IBAN.
const MAX: usize = 34;

/// Looks for an IBAN whose check digits are the two digits at `at`. Its letters are in one case.
pub(super) fn find(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let Some(start) = at.checked_sub(2) else { return };
    if ALPHA.run_back(bytes, at, 2) != 2 {
        return;
    }
    let before = bytes::before(bytes, start);
    if (before.is_ascii_alphanumeric() && !bytes::escape_before(bytes, start))
        || matches!(before, b'+' | b'/' | b'=')
            && start >= 2
            && bytes::before(bytes, start - 1).is_ascii_alphanumeric()
            && before != b'='
    {
        return;
    }
    let Some([a, b]) = bytes.get(start..at) else { return };
    let country = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
    let Some((_, structure)) = STRUCTURES.iter().find(|(c, _)| c.as_bytes() == country) else { return };
    let mut symbols = [0u8; MAX];
    let Some((count, end)) = read(bytes, at + 2, structure, &mut symbols) else { return };
    let text = bytes.get(start..end).unwrap_or_default();
    if text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase) {
        return;
    }
    let check = bytes.get(start..at + 2).unwrap_or_default();
    let account = symbols.get(..count).unwrap_or_default();
    if mod97(account.iter().chain(check).copied()) != 1 {
        return;
    }
    let kind = Type::IbanCode;
    found.push(Candidate {
        kind,
        start,
        end,
        score: 0.98,
        checked: true,
        test_value: is_example(&country, check, account),
    });
}

/// What is clear of an IBAN in a text that may go on.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// It may go on.
    Open,
    /// It has the structure of one, and its end.
    Whole,
    None,
}

/// How far the text goes with an IBAN whose check digits stand at `at`, behind the country.
pub(super) fn progress(bytes: &[u8], at: usize) -> Progress {
    let country = at.checked_sub(2).and_then(|start| bytes.get(start..at));
    let structure = country.and_then(|c| STRUCTURES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(c)));
    let Some((_, structure)) = structure else { return Progress::None };
    let length = structure.split(' ').filter_map(|part| part.get(1..)?.parse::<usize>().ok()).sum();
    // Where the text would end in the middle, reading fails at the first place beyond.
    let mut end = at + 2;
    for _ in 0..length {
        end += separator(bytes, end);
        if end >= bytes.len() {
            break;
        }
        if !bytes::at(bytes, end).is_ascii_alphanumeric() {
            return Progress::None;
        }
        end += 1;
    }
    if end >= bytes.len() || end + separator(bytes, end) >= bytes.len() {
        let read = fits(bytes, at + 2, structure);
        return if read { Progress::Open } else { Progress::None };
    }
    match read(bytes, at + 2, structure, &mut [0; MAX]) {
        Some(_) => Progress::Whole,
        None => Progress::None,
    }
}

/// Whether the symbols from `at` on are those of the structure, as far as the text goes.
fn fits(bytes: &[u8], at: usize, structure: &str) -> bool {
    let mut at = at;
    let classes = structure.split(' ').filter_map(|part| {
        let (class, length) = part.split_at_checked(1)?;
        Some(std::iter::repeat_n(class, length.parse().ok()?))
    });
    for class in classes.flatten() {
        at += separator(bytes, at);
        let Some(symbol) = bytes.get(at) else { return true };
        super::work::add(1);
        if !is_of(class, *symbol) {
            return false;
        }
        at += 1;
    }
    true
}

fn is_of(class: &str, symbol: u8) -> bool {
    match class {
        "n" => symbol.is_ascii_digit(),
        "a" => symbol.is_ascii_alphabetic(),
        _ => symbol.is_ascii_alphanumeric(),
    }
}

/// By the first letter of a country: the second ones, as bits. Every word of a stream is asked about.
static SECOND: [u32; 26] = second();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn second() -> [u32; 26] {
    let mut out = [0; 26];
    let mut row = 0;
    while row < STRUCTURES.len() {
        let country = STRUCTURES[row].0.as_bytes();
        out[(country[0] - b'A') as usize] |= 1 << (country[1] - b'A');
        row += 1;
    }
    out
}

/// Whether one or two letters may be a country's.
pub(super) fn may_be_country(letters: &[u8]) -> bool {
    let place = |byte: &u8| byte.to_ascii_uppercase().wrapping_sub(b'A');
    let [first, rest @ ..] = letters else { return false };
    let second = SECOND.get(usize::from(place(first))).copied().unwrap_or(0);
    match rest {
        [] => second != 0,
        [letter] => place(letter) < 26 && second >> place(letter) & 1 == 1,
        _ => false,
    }
}

/// Reads the account number by its structure, with at most one separator between two symbols; how many
/// symbols it has and where it ends.
fn read(bytes: &[u8], from: usize, structure: &str, symbols: &mut [u8; MAX]) -> Option<(usize, usize)> {
    let mut at = from;
    let mut count = 0;
    let mut separated = false;
    for part in structure.split(' ') {
        let (class, length) = part.split_at_checked(1)?;
        for _ in 0..length.parse::<usize>().ok()? {
            let width = separator(bytes, at);
            separated |= width > 0;
            at += width;
            let symbol = bytes::at(bytes, at);
            super::work::add(1);
            if !is_of(class, symbol) {
                return None;
            }
            *symbols.get_mut(count)? = symbol;
            count += 1;
            at += 1;
        }
    }
    let glued = bytes::at(bytes, at).is_ascii_alphanumeric();
    // Digits go on behind the next separator: a longer number, unless this one is written compactly.
    let goes_on = separated && {
        let width = separator(bytes, at);
        width > 0 && bytes::at(bytes, at) != b' ' && bytes::at(bytes, at + width).is_ascii_digit()
    };
    (!glued && !goes_on).then_some((count, at))
}

/// The width of the separator at `at`: a space, a no-break or narrow one, a hyphen, a dot.
fn separator(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..).unwrap_or_default() {
        [b' ' | b'-' | b'.', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0x80..=0x8A | 0xAF | 0x90..=0x95, ..] => 3,
        _ => 0,
    }
}

/// The examples of the registry and of banks' own pages.
fn is_example(country: &[u8; 2], check: &[u8], account: &[u8]) -> bool {
    const EXAMPLES: &[(&[u8; 2], &[u8], &[u8])] = &[
        (b"GB", b"29", b"NWBK60161331926819"),
        (b"GB", b"82", b"WEST12345698765432"),
        (b"DE", b"89", b"370400440532013000"),
        (b"FR", b"14", b"20041010050500013M02606"),
        (b"NL", b"91", b"ABNA0417164300"),
        (b"ES", b"91", b"21000418450200051332"),
        (b"CH", b"93", b"00762011623852957"),
        (b"BE", b"68", b"539007547034"),
        (b"IT", b"60", b"X0542811101000000123456"),
        (b"AT", b"61", b"1904300234573201"),
    ];
    let digits = check.get(2..).unwrap_or_default();
    EXAMPLES.iter().any(|(c, d, a)| *c == country && *d == digits && a.eq_ignore_ascii_case(account))
}
