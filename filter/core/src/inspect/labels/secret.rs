//! Passwords, PINs and user names behind their labels: whatever is no placeholder, no reference and no call.

use super::super::Candidate;
use super::super::types::Type;
use super::Label;
use super::reader::{Reader, list};
use super::separator::Strength;

// Values that stand where one will be.
list!(
    PLACEHOLDERS,
    "password passwd pwd pass passwort passphrase secret user username users name login admin administrator root test tester testing \
     testuser testpass guest default example sample demo dummy foo bar baz foobar none null nil nan true false yes no string str text \
     int integer varchar char byte bytes bool boolean object any required optional undefined empty unknown hidden \
     redacted removed masked changeme change changeit your my the a an this that here value input data self field prompt \
     placeholder todo tbd xxx xxxx xxxxx xxxxxx xxxxxxxx postgres mysql mongo redis rabbitmq kong keycloak neo elastic grafana nginx \
     ubuntu system service token key env environ config settings settingsx request req params args argv form body process get \
     options props state ctx context data json response result hash hashed bcrypt encrypted md sha new old current hello world alice bob \
     john joe jane doe octocat username_here abc abcd abcdef abcdefgh qwerty strong weak long short must should \
     is not and or with at least enter your_password in for incorrect correct invalid valid wrong reset forgot protected manager policy field"
);

/// What comes behind `password`.
pub(super) fn password(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let (end, value) = value(r, label, 64)?;
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let (letters, digits) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
    let signs = value.iter().any(|b| b"!@#$%^&*?+=~".contains(b));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let quoted = label.separator.quote != 0;
    let strong = letters && (digits || signs) || signs && digits;
    let fits = match label.separator.strength {
        Strength::Sign if quoted => {
            value.len() >= 4 && (strong || mixed && value.len() >= 8 || digits && value.len() >= 6)
        }
        Strength::Sign => value.len() >= 5 && (strong || digits && !letters && !label.separator.assigns),
        _ => value.len() >= 6 && strong,
    };
    // `max_length=8`, `value.trim()`, `os.environ`
    let expression = || {
        value.iter().any(|b| b"()[]{}<>\\".contains(b))
            || dotted(value, label.separator.assigns)
            || value.windows(2).any(|pair| pair == b"::" || pair == b"->")
    };
    let code = !quoted && expression();
    (fits && !code && !is_placeholder(value)).then(|| candidate(Type::Password, label.at(), end, 0.75))
}

/// A user's name. Without quotation marks it has more than lower-case letters.
pub(super) fn user(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let (end, value) = value(r, label, 40)?;
    let name = value.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let telling = digits > 0 || value.iter().any(|b| b"._-".contains(b));
    let starts = value.first().is_some_and(u8::is_ascii_alphabetic) && digits < 8;
    let prose = !label.separator.assigns;
    let fits = name && starts && (3..=32).contains(&value.len());
    let sure = telling && (prose || label.separator.quote != 0);
    (fits && sure && !is_placeholder(value) && !constant(value))
        .then(|| candidate(Type::Username, label.at(), end, 0.6))
}

/// Four to six digits.
pub(super) fn pin(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let start = label.at();
    let (digits, _) = r.digits(start, 6);
    let end = start + digits;
    let next = r.at(end);
    let goes_on = r.alnum(end)
        || matches!(next, b'-' | b'/' | b'_')
        || matches!(next, b'.' | b',' | b':') && r.at(end + 1).is_ascii_digit();
    let year =
        digits == 4 && matches!(r.slice(start, start + 2), b"19" | b"20") && label.separator.strength != Strength::Sign;
    (matches!(digits, 4 | 6) && !goes_on && !year).then(|| candidate(Type::Pin, start, end, 0.7))
}

fn candidate(kind: Type, start: usize, end: usize, score: f32) -> Candidate {
    Candidate { kind, start, end, score, checked: false, test_value: false }
}

/// The value: to the quotation mark that closes it, or to a space.
fn value<'t>(r: &Reader<'t>, label: &Label<'_>, most: usize) -> Option<(usize, &'t [u8])> {
    let start = label.at();
    let (quote, assigns) = (label.separator.quote, label.separator.assigns);
    let length = r.run(start, most + 1, |b| {
        b > b' '
            && b != quote
            && !(assigns && quote == 0 && b == b'&')
            && !(quote == 0 && matches!(b, b'"' | b'\'' | b'`' | b',' | b';' | b'|' | b'<'))
    });
    let mut end = start + length;
    let closed = r.at(end) == quote;
    if length > most || quote != 0 && !closed {
        return None;
    }
    let mut value = r.slice(start, end);
    if quote != 0 {
        // `\"` closes too.
        while let Some(rest) = value.strip_suffix(b"\\") {
            value = rest;
            end -= 1;
        }
    } else {
        // The end of a sentence, of a parenthesis, of emphasis.
        while let Some(rest) =
            value.strip_suffix(b".").or_else(|| value.strip_suffix(b")")).or_else(|| value.strip_suffix(b"**"))
        {
            end -= value.len() - rest.len();
            value = rest;
        }
    }
    Some((end, value))
}

/// Names of things in code: `form.password`, `req.body.pw1`.
fn dotted(value: &[u8], assigns: bool) -> bool {
    let name = value.iter().all(|b| b.is_ascii_alphabetic() || b"._-".contains(b) || assigns && b.is_ascii_digit());
    name && value.contains(&b'.')
}

/// `SOME_CONSTANT`
fn constant(value: &[u8]) -> bool {
    value.contains(&b'_') && !value.iter().any(u8::is_ascii_lowercase)
}

fn is_placeholder(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or(0);
    // `${VAR}`, `{{ x }}`, `<password>`, `%s`, `$PASS`, `****`, `@param`, a path
    if b"$<{[(%*/.@&~=-#:".contains(&first) && !(first == b'#' && value.len() > 5)
        || value.iter().all(|b| matches!(b, b'x' | b'X' | b'*' | b'.' | b'-' | b'_' | b'#'))
    {
        return true;
    }
    // Up to the first digit or sign, it is a word that stands for a value.
    let r = Reader::whole(value);
    let mut at = 0;
    let mut words = 0;
    while at < value.len() && words < 6 {
        let Some(word) = r.word(at) else {
            at += 1;
            continue;
        };
        // `Admin2024!` is no placeholder, `your_password1` is one.
        if matches!(word.letters, 4..) && STANDS.has(word.hash) {
            return true;
        }
        at = word.end;
        words += 1;
    }
    let whole = r.word(0).is_some_and(|word| PLACEHOLDERS.has(word.hash) && value.len() <= word.end + 3);
    whole || value.windows(2).all(|pair| pair.first() == pair.last())
}

list!(
    STANDS,
    "your password passwd placeholder example changeme secret redacted username change here enter environ getenv config test process"
);
