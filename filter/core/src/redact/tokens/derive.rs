//! From a value to its placeholder.
//!
//! A placeholder is cut from HMAC-SHA-256 over the subject, the kind, the value, the form and the attempt, each with
//! its length, so that no two of these lists give one message. Without the key nobody can tell which value a
//! placeholder stands for, test a guess, or see that two callers wrote the same.
//!
//! What it does not do: it does not encrypt. A placeholder carries nothing of its value but the kind and, where the
//! format is preserved, the layout. Keys need no generations: the map back is made anew from every request, so a new
//! key changes nothing but the placeholders (and what the model's provider has cached of the prompt).

use std::fmt;

/// Crockford's base 32, lower case: no `i`, `l`, `o` and `u` to take for something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The characters of a label that are derived: 60 bits.
pub(super) const LABEL_CHARS: usize = 12;

/// The characters of a mail address that are derived: 50 bits.
const MAIL_CHARS: usize = 10;

/// Names of kinds are cut to this many bytes in a label (the whole name is still hashed).
pub(super) const MAX_NAME: usize = 48;

/// A telephone number needs this many digits that are free to choose, or it becomes a label: with fewer,
/// numbers of one text would soon be equal.
const FREE_DIGITS: usize = 4;

/// 128 derived bits give this many decimal digits without a bias worth the name.
const MAX_DIGITS: usize = 24;

/// How a placeholder looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `[EMAIL_ADDRESS_ctr4gxz4e4ns]`: says what it stands for, and needs no escaping at any level of JSON.
    Label,
    /// Looks like what it stands for, for models and schemas that want that:
    ///
    /// - CREDIT_CARD: length and separators stay, all digits are derived; it passes the Luhn check and begins with 9,
    ///   which ISO/IEC 7812-1 keeps for national use, so that it is no card of any scheme;
    /// - PHONE_NUMBER: length, separators, parentheses, `+` and the word before an extension stay, digits are derived.
    ///   After `+` or `00` the country code is 999, which ITU-T E.164 has not assigned. A national number has no such
    ///   range: it can, by chance, be somebody's. A leading 0 stays (and another digit does not become one), so that a
    ///   trunk prefix stays one and a JSON number stays a number;
    /// - EMAIL_ADDRESS: `u42ztk21r7p@mail.example`, a domain that RFC 2606 keeps from everybody.
    ///
    /// Any other kind, and a value of another layout than its kind has, gets a label.
    Preserve,
}

/// Derives placeholders for one subject.
///
/// `Debug` shows neither the key nor the subject.
#[derive(Clone, Copy)]
pub struct Deriver<'a> {
    key: &'a [u8],
    subject: &'a str,
}

impl<'a> Deriver<'a> {
    /// Placeholders of `subject`, who must be named uniquely (issuer and principal) and cannot read another's.
    /// `key` is the secret of `tokenize`.
    #[must_use]
    pub fn new(key: &'a [u8], subject: &'a str) -> Self {
        Self { key, subject }
    }

    /// The placeholder of `value`; another one for every `attempt`. Never the value itself.
    #[must_use]
    pub fn placeholder(&self, kind: &str, value: &str, form: Form, attempt: u32) -> String {
        let preserved = match form {
            Form::Label => None,
            Form::Preserve => self.preserved(kind, value, attempt),
        };
        preserved.unwrap_or_else(|| {
            let name: String = kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(MAX_NAME).collect();
            format!("[{name}_{}]", base32(&self.mac(kind, value, Form::Label, attempt, 0), LABEL_CHARS))
        })
    }

    fn preserved(&self, kind: &str, value: &str, attempt: u32) -> Option<String> {
        let layout: fn(&str, &[u8; 32]) -> Option<String> = match kind {
            "CREDIT_CARD" => card,
            "PHONE_NUMBER" => phone,
            "EMAIL_ADDRESS" => mail,
            _ => return None,
        };
        // A short number can come out as it went in.
        (0..4)
            .map_while(|round| layout(value, &self.mac(kind, value, Form::Preserve, attempt, round)))
            .find(|placeholder| placeholder != value)
    }

    fn mac(&self, kind: &str, value: &str, form: Form, attempt: u32, round: u32) -> [u8; 32] {
        let mut mac = hmac_sha256::HMAC::new(self.key);
        mac.update(b"doorward tokenize v1");
        for part in [self.subject, kind, value] {
            mac.update((part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update([form as u8]);
        mac.update(attempt.to_be_bytes());
        mac.update(round.to_be_bytes());
        mac.finalize()
    }
}

impl fmt::Debug for Deriver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deriver").finish_non_exhaustive()
    }
}

pub(super) fn is_base32(char: char) -> bool {
    u8::try_from(char).is_ok_and(|byte| ALPHABET.contains(&byte))
}

/// The first 128 bits of a MAC.
fn bits(mac: &[u8; 32]) -> u128 {
    mac.first_chunk().copied().map_or(0, u128::from_be_bytes)
}

/// At most 25 characters, from the highest bits on.
fn base32(mac: &[u8; 32], chars: usize) -> String {
    let bits = bits(mac);
    (1..=chars)
        .filter_map(|n| ALPHABET.get(usize::try_from(bits >> (128 - 5 * n) & 31).ok()?))
        .map(|byte| char::from(*byte))
        .collect()
}

fn mail(_: &str, mac: &[u8; 32]) -> Option<String> {
    Some(format!("u{}@mail.example", base32(mac, MAIL_CHARS)))
}

/// As many derived digits as the text has.
fn digits(text: &str, mac: &[u8; 32]) -> Option<Vec<u8>> {
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    let mut bits = bits(mac);
    let mut digit = || {
        let digit = (bits % 10) as u8;
        bits /= 10;
        digit
    };
    (count <= MAX_DIGITS).then(|| (0..count).map(|_| digit()).collect())
}

/// `text` with other digits.
fn lay_out(text: &str, digits: &[u8]) -> String {
    let mut digits = digits.iter().map(|digit| char::from(b'0' + digit));
    text.chars().map(|char| if char.is_ascii_digit() { digits.next().unwrap_or('0') } else { char }).collect()
}

fn card(value: &str, mac: &[u8; 32]) -> Option<String> {
    let mut digits = digits(value, mac)?;
    let bare = value.chars().all(|char| char.is_ascii_digit() || !char.is_alphanumeric());
    if !(12..=19).contains(&digits.len()) || !bare {
        return None;
    }
    *digits.first_mut()? = 9;
    *digits.last_mut()? = 0;
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 - if digit > 4 { 9 } else { 0 },
        })
        .sum();
    *digits.last_mut()? = ((10 - sum % 10) % 10) as u8;
    Some(lay_out(value, &digits))
}

fn phone(value: &str, mac: &[u8; 32]) -> Option<String> {
    let mut digits = digits(value, mac)?;
    // `ext. 12`, `x12`: the words before an extension, and no others.
    let bare =
        value.chars().all(|char| !char.is_alphanumeric() || char.is_ascii_digit() || "extensionEXT".contains(char));
    let plus = value.trim_start_matches('(').starts_with('+');
    let mut zeros = value.bytes().filter(u8::is_ascii_digit).take_while(|byte| *byte == b'0').count().min(2);
    if zeros == 2 && digits.len() < 3 + 2 + FREE_DIGITS {
        zeros = 1;
    }
    let fixed: &[u8] = match (plus, zeros) {
        (true, _) => &[9, 9, 9],
        (false, 2) => &[0, 0, 9, 9, 9],
        (false, 1) => &[0],
        (false, _) => &[],
    };
    if !bare || digits.len() < fixed.len() + FREE_DIGITS {
        return None;
    }
    if fixed.is_empty() {
        digits.first_mut().map(|digit| *digit = 1 + *digit % 9)?;
    }
    digits.iter_mut().zip(fixed).for_each(|(digit, fixed)| *digit = *fixed);
    Some(lay_out(value, &digits))
}
