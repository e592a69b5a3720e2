//! Street addresses, where the kind of the street or a label gives them away, with the place behind them.
//!
//! `221B Baker Street`, `12 rue de la Paix`, `Hauptstrasse 5`, `Berliner Allee 12`, `Via Roma 3`; then, where they follow
//! directly, an apartment, a postal code, a city, a state.

use super::super::Candidate;
use super::super::types::Type;
use super::reader::{Reader, Word, list};
use super::{Found, Label};

// English kinds of streets, behind their names.
list!(
    STREETS,
    "street st road rd avenue ave lane ln drive dr boulevard blvd court ct way place pl square sq terrace ter close crescent \
     highway hwy parkway pkwy circle cir trail trl row walk mews grove gardens hill plaza pike turnpike quay wharf alley path"
);
// Kinds that are also words or other names: they need a place or an apartment behind them.
list!(
    DOUBTFUL,
    "way place pl court ct close row walk grove gardens hill plaza path st dr square park quay ter drive trail pike"
);
// Before their names: with a number first, without one, and those that are other words in lower case.
list!(
    LEADS,
    "rue avenue boulevard place chemin allee quai impasse route via viale piazza corso largo calle avenida plaza paseo \
     carrer rua travessa praca alameda ulica aleja strada camino cours bd av"
);
list!(
    FIRST,
    "rue avenue boulevard via viale piazza corso largo calle avenida plaza paseo carrer rua travessa praca alameda ulica \
     aleja strada impasse"
);
list!(WORDS, "via avenue boulevard plaza largo corso impasse");
// German, Dutch and Nordic kinds that are words of their own.
list!(
    OWN,
    "strase strasse str weg allee platz gasse damm ufer steig stieg pfad chaussee markt straat laan plein gracht kade"
);
list!(
    SMALL,
    "de la le les du des d l el los las del della dei di da do dos das den der dem der am im zum zur an von van the of and y e"
);
list!(
    UNITS,
    "apt apartment suite ste unit flat floor fl room rm wohnung apartamento piso appartement app bldg building no"
);
const ENDINGS: &[&[u8]] = &[
    b"strasse",
    b"stra\xC3\x9Fe",
    b"str",
    b"weg",
    b"allee",
    b"platz",
    b"gasse",
    b"damm",
    b"ufer",
    b"straat",
    b"laan",
    b"gracht",
    b"plein",
    b"kade",
    b"gatan",
    b"vagen",
    b"v\xC3\xA4gen",
    b"gata",
    b"gade",
    b"veien",
    b"vej",
    b"katu",
];

fn found(start: usize, end: usize, score: f32) -> Candidate {
    Candidate { kind: Type::Address, start, end, score, checked: false, test_value: false }
}

/// Reads on from a number that may be a house's.
pub(super) fn from_number(r: &Reader<'_>, at: usize, out: &mut Found) {
    r.begin();
    let candidate = numbered(r, at, false).map(|(end, score)| found(at, end, score));
    take(r, at, candidate, out);
}

/// So many words of a street's name are read at most.
pub(super) const MOST_WORDS: usize = 5;

/// Reads on from a capitalised word at `at` that may be a street's name.
pub(super) fn from_word(r: &Reader<'_>, at: usize, out: &mut Found) {
    r.begin();
    let candidate = named(r, at).map(|(end, score)| found(at, end, score));
    take(r, at, candidate, out);
}

/// Whether the word at `at` may lead the name of a street, as in `Via Roma`.
pub(super) fn may_lead(bytes: &[u8], at: usize) -> bool {
    Reader::whole(bytes).word(at).is_some_and(|word| FIRST.has(word.hash))
}

fn take(r: &Reader<'_>, start: usize, candidate: Option<Candidate>, out: &mut Found) {
    if r.is_short() {
        out.undecided(start);
    } else {
        out.candidates.extend(candidate);
    }
}

/// An address behind its label.
pub(super) fn labelled(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let at = label.at();
    let read = if r.at(at).is_ascii_digit() { numbered(r, at, true) } else { named_loosely(r, at) };
    read.map(|(end, score)| found(at, end, score))
}

/// `calle Mayor 5`, behind a word for a street in lower case.
pub(super) fn led(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    if label.first.capital || WORDS.has(label.first.hash) {
        // Found from there.
        return None;
    }
    let at = label.at();
    let (end, words) = names(r, at, 4)?;
    let end = house(r, end).filter(|_| words > 0)?;
    let (end, _) = place(r, end);
    Some(found(at, end, 0.6))
}

/// `221B Baker Street`: where it ends, and how sure that is.
fn numbered(r: &Reader<'_>, at: usize, sure: bool) -> Option<(usize, f32)> {
    let (digits, _) = r.digits(at, 5);
    if !(1..=5).contains(&digits) {
        return None;
    }
    let mut next = at + digits;
    // `221B`, `12-14`, `5/7`, `12,`, `12 bis`
    if r.at(next).is_ascii_alphabetic() && !r.alnum(next + 1) {
        next += 1;
    } else if matches!(r.at(next), b'-' | b'/') && r.at(next + 1).is_ascii_digit() {
        let (more, _) = r.digits(next + 1, 5);
        next += 1 + more;
    }
    next += usize::from(r.at(next) == b',');
    if r.at(next) != b' ' {
        return None;
    }
    next += 1;
    let first = r.word(next)?;
    if LEADS.has(first.hash) && r.at(first.end) == b' ' {
        let (end, words) = names(r, first.end + 1, 5)?;
        let (end, placed) = place(r, end);
        return (words > 0 && (placed || sure || !first.capital || words > 1)).then_some((end, 0.7));
    }
    if !first.capital {
        return None;
    }
    // Up to five capitalised words, the last of them a kind of street.
    let (mut end, mut word, mut kind) = (first.end, first, None);
    for count in 0..6 {
        if count > 0 && STREETS.has(word.hash) {
            kind = Some((word, count));
        }
        if !r.alnum(word.start) || word.letters > 20 || r.at(word.end) == b'-' {
            break;
        }
        let dot = usize::from(r.at(word.end) == b'.' && word.letters <= 5);
        end = word.end + dot;
        if r.at(end) != b' ' || kind.is_some_and(|(w, _)| !DOUBTFUL.has(w.hash)) {
            break;
        }
        match r.word(end + 1) {
            Some(next) if next.capital && !(kind.is_some() && UNITS.has(next.hash)) => word = next,
            // `42nd Street`
            _ => break,
        }
    }
    let Some((kind, _)) = kind else {
        // Behind a label, any name will do.
        let (end, placed) = place(r, end);
        return (sure && placed).then_some((end, 0.65));
    };
    if r.alnum(kind.end) {
        return None;
    }
    // `Street NW`
    let mut end = kind.end + usize::from(r.at(kind.end) == b'.' && kind.letters <= 4 && r.at(kind.end + 1) != b'\n');
    if r.at(end) == b' '
        && let Some(way) = r
            .word(end + 1)
            .filter(|w| w.capitals && w.letters <= 2 && matches!(r.at(w.start), b'N' | b'S' | b'E' | b'W'))
    {
        end = way.end;
    }
    let (placed_end, placed) = place(r, end);
    if !placed && r.before(end) == b'.' {
        end -= 1;
    }
    let end = if placed { placed_end } else { end };
    let doubtful = DOUBTFUL.has(kind.hash);
    (placed || sure || !doubtful).then_some((end, if placed { 0.8 } else { 0.6 }))
}

/// `Hauptstrasse 5`, `Berliner Allee 12`, `Via Roma 3`.
fn named(r: &Reader<'_>, at: usize) -> Option<(usize, f32)> {
    let mut word = r.word(at)?;
    let led = FIRST.has(word.hash);
    let mut kind = false;
    for count in 0..if led { MOST_WORDS } else { 3 } {
        if !led {
            kind = count > 0 && OWN.has(word.hash) || ends_as_street(r, &word);
        }
        let dot = usize::from(kind && r.at(word.end) == b'.');
        if let Some(end) = house(r, word.end + dot).filter(|_| kind || led && count > 0) {
            let (placed_end, placed) = place(r, end);
            return (!led || placed || count > 0).then_some((placed_end, if placed { 0.8 } else { 0.6 }));
        }
        if kind || !matches!(r.at(word.end), b' ' | b'-') {
            return None;
        }
        // Its first letter decides for most words: a stream need not wait for the others.
        if !led && !r.letter(word.end + 1)?.upper {
            return None;
        }
        let next = r.word(word.end + 1)?;
        if !(next.capital || SMALL.has(next.hash)) {
            return None;
        }
        word = next;
    }
    None
}

/// Behind a label: up to five words, then a number or a place.
fn named_loosely(r: &Reader<'_>, at: usize) -> Option<(usize, f32)> {
    let (mut end, words) = names(r, at, 5)?;
    if words == 0 {
        return None;
    }
    end += usize::from(r.at(end) == b'.' && r.at(end + 1) == b' ');
    let numbered = house(r, end);
    let (placed_end, placed) = place(r, numbered.unwrap_or(end));
    (numbered.is_some() || placed).then_some((placed_end, if placed { 0.75 } else { 0.6 }))
}

fn ends_as_street(r: &Reader<'_>, word: &Word) -> bool {
    let text = r.slice(word.start, word.end);
    let ends = |ending: &&[u8]| {
        let from = text.len().checked_sub(ending.len()).filter(|from| *from >= 3);
        from.and_then(|from| text.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    ENDINGS.iter().any(ends)
}

/// A house's number behind a space: where it ends.
fn house(r: &Reader<'_>, at: usize) -> Option<usize> {
    let mut at = at + usize::from(r.at(at) == b',');
    if r.at(at) != b' ' {
        return None;
    }
    at += 1;
    let (digits, _) = r.digits(at, 4);
    if !(1..=4).contains(&digits) || r.at(at) == b'0' {
        return None;
    }
    let mut end = at + digits;
    if r.at(end).is_ascii_alphabetic() && !r.alnum(end + 1) {
        end += 1;
    } else if matches!(r.at(end), b'-' | b'/') && r.at(end + 1).is_ascii_digit() {
        let (more, _) = r.digits(end + 1, 4);
        end += 1 + more;
    }
    let next = r.at(end);
    let other = r.alnum(end)
        || matches!(next, b'%' | b'(' | b'_')
        || matches!(next, b'.' | b':' | b',' | b'/') && r.at(end + 1).is_ascii_digit();
    (!other).then_some(end)
}

/// Capitalised words with small ones between: where the last ends, and how many.
fn names(r: &Reader<'_>, at: usize, most: usize) -> Option<(usize, usize)> {
    let (mut next, mut end, mut count) = (at, at, 0);
    for _ in 0..most + 3 {
        let Some(word) = r.word(next).filter(|w| !r.alnum(w.end)) else { break };
        if word.capital {
            end = word.end;
            count += 1;
        } else if !SMALL.has(word.hash) {
            break;
        }
        if count == most || !matches!(r.at(word.end), b' ' | b'-' | b'\'') {
            break;
        }
        next = word.end + 1;
    }
    Some((end, count))
}

/// What follows an address directly: apartment, city, state, postal code, up to four of them. Where it ends, and whether there is any.
fn place(r: &Reader<'_>, at: usize) -> (usize, bool) {
    let (mut end, mut placed) = (at, false);
    let mut next = at;
    for count in 0..5 {
        // `, `, a line's end, or a space before a postal code.
        let mut from = next + usize::from(r.at(next) == b',');
        let comma = from > next;
        let lines = r.run(from, 2, |b| matches!(b, b'\n' | b'\r'));
        from = r.spaces(from + lines, 4);
        if from == next {
            break;
        }
        let digits = r.run(from, 7, |b| b.is_ascii_digit());
        if digits > 0 || matches!(r.at(from), b'#') {
            // `12345`, `12345-6789`, `75002 Paris`, `#5`
            let hash = r.at(from) == b'#';
            let from = from + usize::from(hash);
            let digits = r.run(from, 7, |b| b.is_ascii_digit());
            let mut to = from + digits;
            if r.at(to) == b'-' && r.at(to + 1).is_ascii_digit() {
                let (more, _) = r.digits(to + 1, 4);
                to += 1 + more;
            }
            if !(hash && digits > 0 || (4..=6).contains(&digits))
                || r.alnum(to)
                || matches!(r.at(to), b'.' | b':') && r.at(to + 1).is_ascii_digit()
            {
                break;
            }
            (end, placed, next) = (to, true, to);
            continue;
        }
        let Some(word) = r.word(from) else { break };
        if let Some(to) = british(r, from) {
            (end, placed) = (to, true);
            break;
        }
        if UNITS.has(word.hash) && (comma || word.capital) {
            let to = r.spaces(word.end + usize::from(r.at(word.end) == b'.'), 1);
            let number = to + r.run(to, 6, |b| b.is_ascii_alphanumeric() || b == b'#');
            if number == to {
                break;
            }
            (end, placed, next) = (number, true, number);
            continue;
        }
        // A city or a state: only behind a comma, a line's end or a postal code.
        let behind = comma || lines > 0 || r.before(next).is_ascii_digit() && placed;
        if !word.capital || !(behind || word.capitals && word.letters == 2) {
            break;
        }
        let Some((to, words)) = names(r, from, 3).filter(|(_, words)| *words > 0) else { break };
        let state = word.capitals && word.letters == 2 && words == 1;
        next = to;
        // A line more that is only a word is no proof.
        if comma || state || count > 0 && lines == 0 {
            (end, placed) = (to, placed || comma || state);
        } else if count > 0 && lines == 0 {
            end = to;
        }
    }
    (end, placed)
}

/// A British or Canadian postal code at `at`: `SW1A 1AA`, `K1A 0B1`.
fn british(r: &Reader<'_>, at: usize) -> Option<usize> {
    let letters = r.run(at, 2, |b| b.is_ascii_uppercase());
    let mut to = at + letters;
    let digits = r.run(to, 2, |b| b.is_ascii_digit());
    if letters == 0 || digits == 0 {
        return None;
    }
    to += digits;
    to += r.run(to, 1, |b| b.is_ascii_uppercase());
    if r.at(to) != b' ' {
        return None;
    }
    to += 1;
    let inward = r.at(to).is_ascii_digit()
        && r.at(to + 1).is_ascii_uppercase()
        && (r.at(to + 2).is_ascii_uppercase() || r.at(to + 2).is_ascii_digit());
    (inward && !r.alnum(to + 3)).then_some(to + 3)
}
