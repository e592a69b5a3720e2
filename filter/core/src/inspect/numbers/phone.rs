//! PHONE_NUMBER: international numbers (E.164, with `+` or `00`), the North American plan, national numbers
//! with a trunk prefix; other groupings only where the text calls them a phone number.

use super::super::bytes;
use super::super::types::Type;
use super::phone_context::{Around, around};
use super::{Candidate, Chain, Sep, country_codes, hangs};

/// How a number is written, and how sure that alone makes it: without context, with a hint, when named.
struct Form {
    /// The index of its last group.
    last: usize,
    alone: f32,
    hinted: f32,
    named: f32,
}

/// E.164: at most 15 digits.
const MAX_DIGITS: usize = 15;

/// Looks for a number that starts with group `first`; the index of its last group if there is one.
pub(super) fn find(chain: &Chain<'_>, first: usize, found: &mut Vec<Candidate>) -> Option<usize> {
    let head = Head::read(chain, first)?;
    let form = if head.plus {
        international(chain, first, &head)?
    } else {
        let options =
            [international(chain, first, &head), north_american(chain, first, &head), national(chain, first, &head)];
        options.into_iter().flatten().reduce(|a, b| if (b.last, b.alone) > (a.last, a.alone) { b } else { a })?
    };
    let (end, extended) = extension(chain, form.last);
    if !extended && chain.glued_after(form.last) {
        return None;
    }
    let bonus = if extended { 0.15 } else { 0.0 };
    let score = match around(chain, head.start, end) {
        Around::Named => form.named,
        Around::Hinted => form.hinted,
        Around::Nothing => form.alone + bonus,
        Around::Other if head.plus => form.alone,
        Around::Other => form.alone - 0.35,
    };
    if score < 0.25 {
        return None;
    }
    let test_value = is_fictitious(chain, first, form.last);
    let score = score.min(0.99);
    found.push(Candidate { kind: Type::PhoneNumber, start: head.start, end, score, checked: false, test_value });
    Some(form.last)
}

/// What stands before the first group.
struct Head {
    start: usize,
    plus: bool,
    /// `(` before the first group, and `)` behind it.
    parenthesis: bool,
    /// Nothing before it makes it a part of something else.
    free: bool,
}

impl Head {
    fn read(chain: &Chain<'_>, first: usize) -> Option<Self> {
        let bytes = chain.bytes;
        let group = chain.group(first);
        let mut start = group.start;
        let closed = chain.sep(first + 1) == Sep::Paren || bytes::at(bytes, group.end) == b')';
        let parenthesis = closed && bytes::before(bytes, start) == b'(';
        start -= usize::from(parenthesis);
        let plus = bytes::before(bytes, start) == b'+';
        start -= usize::from(plus);
        let (before, earlier) = (bytes::before(bytes, start), bytes::before(bytes, start.saturating_sub(1)));
        if plus {
            // `a+1`, `2+1`, `)+1` are sums.
            let sum = before.is_ascii_alphanumeric() && !bytes::escape_before(bytes, start) || before == b')';
            return (!sum).then_some(Self { start, plus, parenthesis, free: true });
        }
        let part = match before {
            b'_' | b'$' | b'@' | b'&' | b'^' | b'~' | b'%' | b'\\' => true,
            b'.' => true,
            b',' | b':' => earlier.is_ascii_digit(),
            b'/' => earlier != b'/' && earlier.is_ascii_alphanumeric(),
            b'-' => hangs(bytes, start),
            b'(' => parenthesis,
            _ => before.is_ascii_alphanumeric() && !bytes::escape_before(bytes, start),
        };
        // Pounds, euros and yen: C2 A3, C2 A5, E2 82 AC.
        let money = matches!(bytes.get(..start), Some([.., 0xC2, 0xA3 | 0xA5] | [.., 0xE2, 0x82, 0xAC]));
        let joined = matches!(chain.sep(first), Sep::Dash | Sep::Dot | Sep::Slash | Sep::Paren);
        Some(Self { start, plus, parenthesis, free: !part && !money && !joined })
    }
}

/// `+CC ...` and `00CC ...`.
fn international(chain: &Chain<'_>, first: usize, head: &Head) -> Option<Form> {
    let group = chain.group(first);
    let zeros = if head.plus { 0 } else { 2 };
    let zeroed = head.free && group.len() > 2 && bytes::stands(chain.bytes, group.start, "00");
    if !head.plus && !zeroed {
        return None;
    }
    let mut digits = [0u8; MAX_DIGITS];
    let mut count = 0;
    let mut best = None;
    for i in first..chain.len().min(first + super::WINDOW) {
        let group = chain.group(i);
        if i > first && group.sep == Sep::Wide {
            break;
        }
        // `+49 (0) 30`: the trunk prefix is not dialled.
        let trunk = i > first && group.len() == 1 && group.sep == Sep::Paren && chain.sep(i + 1) == Sep::Paren;
        if trunk {
            continue;
        }
        let skipped = if i == first { zeros } else { 0 };
        let text = chain.bytes.get(group.start + skipped..group.end).unwrap_or_default();
        let Some(slots) = digits.get_mut(count..count + text.len()) else { break };
        slots.iter_mut().zip(text).for_each(|(slot, digit)| *slot = digit - b'0');
        count += text.len();
        let Some((code, (least, most))) = country_codes::national(digits.get(..count)?) else { continue };
        let length = count - code;
        let trunk = usize::from(digits.get(code) == Some(&0));
        if glued(chain, i) {
            break;
        }
        if (least..=most + trunk).contains(&length) && count >= 7 {
            best = Some(i);
        }
    }
    let last = best?;
    let nanp = last >= first + 3 && [3, 3, 4].iter().enumerate().all(|(k, l)| chain.group(last + k - 2).len() == *l);
    Some(match (head.plus, nanp, last > first) {
        (true, ..) => Form { last, alone: 0.9, hinted: 0.95, named: 0.99 },
        (false, true, _) => Form { last, alone: 0.8, hinted: 0.9, named: 0.95 },
        (false, false, true) => Form { last, alone: 0.65, hinted: 0.8, named: 0.9 },
        (false, false, false) => Form { last, alone: 0.4, hinted: 0.6, named: 0.85 },
    })
}

/// The North American Numbering Plan: area and exchange start with 2 to 9 and do not end in 11.
fn north_american(chain: &Chain<'_>, first: usize, head: &Head) -> Option<Form> {
    let country = chain.group(first).len() == 1 && chain.value(first) == Some(1) && chain.sep(first + 1) != Sep::Dot;
    let area = if country { first + 1 } else { first };
    let last = area + 2;
    // `91-415-555-0132`: a country code without its sign, in the same form.
    let prefixed = (2..=3).contains(&chain.group(first).len()) && first == area;
    if prefixed && [1, 2, 3].iter().all(|k| chain.sep(first + k) == Sep::Dash) {
        let fits = [3, 3, 4].iter().enumerate().all(|(k, l)| chain.group(first + 1 + k).len() == *l);
        if fits && chain.value(first).is_some_and(|v| v > 19) && head.free && isolated(chain, first, first + 3) {
            return Some(Form { last: first + 3, alone: 0.55, hinted: 0.75, named: 0.9 });
        }
    }
    let lengths = [chain.group(area).len(), chain.group(area + 1).len(), chain.group(last).len()];
    if lengths != [3, 3, 4] {
        return None;
    }
    let valid = code(chain, area) && code(chain, area + 1);
    let seps = (chain.sep(area + 1), chain.sep(last));
    let bracketed = if country { chain.sep(area) == Sep::Paren } else { head.parenthesis };
    let free = head.free && isolated(chain, first, last);
    let alone = match seps {
        _ if !free => 0.2,
        (Sep::Paren | Sep::Space | Sep::Dash, Sep::Dash | Sep::Space | Sep::Dot) if bracketed && valid => 0.85,
        (Sep::Paren | Sep::Space | Sep::Dash, Sep::Dash | Sep::Space | Sep::Dot) if bracketed => 0.65,
        (Sep::Dash, Sep::Dash) if country && valid => 0.85,
        (Sep::Dash, Sep::Dash) if valid => 0.75,
        (Sep::Dash, Sep::Dash) => 0.5,
        (Sep::Dot, Sep::Dot) if valid => 0.65,
        (Sep::Dot, Sep::Dot) => 0.5,
        (Sep::Space, Sep::Space) if valid => 0.5,
        (Sep::Space, Sep::Dash) if valid => 0.65,
        (Sep::Slash, Sep::Dash) if valid => 0.6,
        (Sep::Space, Sep::Space | Sep::Dash) => 0.35,
        _ => 0.3,
    };
    Some(Form { last, alone, hinted: (alone + 0.25).min(0.9), named: if free { 0.9 } else { 0.6 } })
}

fn code(chain: &Chain<'_>, i: usize) -> bool {
    chain.value(i).is_some_and(|v| (200..=999).contains(&v) && v % 100 != 11)
}

/// Whether the groups `first..=last` are all of their chain, or set off from the rest by spaces while they
/// use other separators inside.
fn isolated(chain: &Chain<'_>, first: usize, last: usize) -> bool {
    let spaced = spaced(chain, first, last);
    let edge = |sep| match sep {
        Sep::Start | Sep::Wide => true,
        Sep::Space => !spaced && last > first,
        _ => false,
    };
    edge(chain.sep(first)) && edge(chain.sep(last + 1))
}

fn spaced(chain: &Chain<'_>, first: usize, last: usize) -> bool {
    (first + 1..=last).any(|i| chain.sep(i) == Sep::Space)
}

/// National numbers: with a trunk prefix, in parentheses, or any grouping of 7 to 13 digits.
fn national(chain: &Chain<'_>, first: usize, head: &Head) -> Option<Form> {
    if !head.free {
        return None;
    }
    let last = longest(chain, first)?;
    let lengths = || (first..=last).map(|i| chain.group(i).len());
    let digits: usize = lengths().sum();
    let groups = last + 1 - first;
    let start = chain.group(first).start;
    let trunk = bytes::at(chain.bytes, start) == b'0' && !matches!(bytes::at(chain.bytes, start + 1), b'0' | 0);
    let comma = bytes::at(chain.bytes, chain.group(last).end) == b','
        && bytes::at(chain.bytes, chain.group(last).end + 1).is_ascii_digit();
    if comma || is_calendar(chain, first, last) {
        return None;
    }
    let single = lengths().skip(1).any(|l| l < 2);
    let dotted = (first + 1..=last).filter(|i| chain.sep(*i) == Sep::Dot).count();
    // `12.345678` is a fraction, `1.2.3` a version.
    if dotted > 0 && (groups < 3 || chain.group(first).len() < 2 || spaced(chain, first, last)) {
        return None;
    }
    let long_first = (2..=5).contains(&chain.group(first).len());
    let mobile = bytes::at(chain.bytes, start) == b'1' && bytes::at(chain.bytes, start + 1) >= b'3';
    let dashed = (first + 1..=last).any(|i| chain.sep(i) == Sep::Dash);
    Some(match (groups, digits) {
        // Only where it is called one: figures alone, six digits, a form that is a social security number's.
        (2.., 6) if dotted == 0 && !(groups > 2 && dashed) => Form { last, alone: 0.0, hinted: 0.0, named: 0.5 },
        (_, ..7) => return None,
        (2.., _) if single => Form { last, alone: 0.0, hinted: 0.0, named: 0.6 },
        (3, 9) if dashed && lengths().eq([3, 2, 4]) => Form { last, alone: 0.0, hinted: 0.3, named: 0.6 },
        // Chinese mobile numbers
        (1, 11) if mobile => Form { last, alone: 0.3, hinted: 0.55, named: 0.85 },
        (1, 9..=11) if trunk => Form { last, alone: 0.3, hinted: 0.65, named: 0.85 },
        (1, 10) if is_nanp(chain, first) => Form { last, alone: 0.3, hinted: 0.55, named: 0.85 },
        (1, 7..=13) => Form { last, alone: 0.2, hinted: 0.4, named: 0.65 },
        (2.., 9..=12) if trunk && head.parenthesis && long_first => Form { last, alone: 0.7, hinted: 0.8, named: 0.9 },
        (2.., 9..=12) if trunk && long_first => Form { last, alone: 0.55, hinted: 0.75, named: 0.9 },
        (2.., 8) if trunk && long_first => Form { last, alone: 0.45, hinted: 0.65, named: 0.85 },
        (2.., 9..=12) if head.parenthesis && long_first => Form { last, alone: 0.5, hinted: 0.7, named: 0.9 },
        (2.., 8) if head.parenthesis && long_first => Form { last, alone: 0.4, hinted: 0.65, named: 0.9 },
        (2.., 7..=13) if chain.group(first).len() > 1 || digits > 9 => {
            Form { last, alone: 0.2, hinted: 0.55, named: 0.75 }
        }
        (2.., 7..=13) => Form { last, alone: 0.2, hinted: 0.4, named: 0.6 },
        _ => return None,
    })
}

/// Whether a letter touches the end of group `i`, other than that of an extension.
fn glued(chain: &Chain<'_>, i: usize) -> bool {
    chain.glued_after(i) && !extension(chain, i).1
}

/// The last group of the longest isolated number of at most 13 digits from group `first` on.
fn longest(chain: &Chain<'_>, first: usize) -> Option<usize> {
    let mut digits = 0;
    let mut best = None;
    // Behind a space, what has spaces inside is a row of figures.
    let compact = chain.sep(first) == Sep::Space;
    for last in first..chain.len().min(first + super::WINDOW) {
        let sep = chain.sep(last);
        if compact && last > first && sep == Sep::Space {
            break;
        }
        digits += chain.group(last).len();
        if last > first && (matches!(sep, Sep::Wide) || (sep == Sep::Slash && last > first + 1)) || digits > 13 {
            break;
        }
        if glued(chain, last) {
            break;
        }
        if digits >= 6 && isolated(chain, first, last) {
            best = Some(last);
        }
    }
    best
}

fn is_nanp(chain: &Chain<'_>, i: usize) -> bool {
    let start = chain.group(i).start;
    let digit = |k| bytes::at(chain.bytes, start + k);
    digit(0) >= b'2' && digit(3) >= b'2' && (digit(1), digit(2)) != (b'1', b'1')
}

/// Dates and ranges of years: 2024-01-31, 31.01.2024, 1998-2004.
fn is_calendar(chain: &Chain<'_>, first: usize, last: usize) -> bool {
    let year = |i| chain.group(i).len() == 4 && chain.value(i).is_some_and(|v| (1900..2100).contains(&v));
    let part = |i| chain.group(i).len() <= 2 && chain.value(i).is_some_and(|v| (1..=31).contains(&v));
    let dated = chain.sep(first + 1) == chain.sep(first + 2) && chain.sep(first + 1) != Sep::Space;
    match last - first {
        0 => {
            chain.group(first).len() == 8 && {
                let value = chain.value(first).unwrap_or(0);
                (1900..2100).contains(&(value / 10_000)) && (1..=1231).contains(&(value % 10_000))
            }
        }
        1 => year(first) && year(last),
        _ => {
            dated
                && ((year(first) && part(first + 1) && part(first + 2))
                    || (part(first) && part(first + 1) && year(first + 2)))
        }
    }
}

/// `x123`, `ext. 123` behind the number: where it ends then, and whether there is one.
fn extension(chain: &Chain<'_>, last: usize) -> (usize, bool) {
    let bytes = chain.bytes;
    let end = chain.group(last).end;
    let mut at = end + bytes.get(end..).unwrap_or_default().iter().take(2).take_while(|b| b" ,".contains(b)).count();
    let word = ["extension", "ext.", "ext", "x"].into_iter().find(|w| bytes::stands_folded(bytes, at, w));
    let Some(word) = word else { return (end, false) };
    at += word.len();
    at += bytes.get(at..).unwrap_or_default().iter().take(2).take_while(|b| b" .:".contains(b)).count();
    let digits = bytes::DIGIT.run(bytes, at, 8);
    let closed = !bytes::WORD.contains(bytes::at(bytes, at + digits));
    if (1..=6).contains(&digits) && closed { (at + digits, true) } else { (end, false) }
}

/// Whether what stands behind the digits that end at `end` may yet become an extension: the text ends before
/// that is clear. A comma that digits may follow counts too.
pub(in super::super) fn may_extend(bytes: &[u8], end: usize) -> bool {
    let skip = |at: usize, set: &[u8]| {
        at + bytes.get(at..).unwrap_or_default().iter().take(2).take_while(|b| set.contains(b)).count()
    };
    let at = skip(end, b" ,");
    let rest = bytes.get(at..).unwrap_or_default();
    ["extension", "ext.", "ext", "x"].into_iter().any(|word| {
        if rest.len() < word.len() {
            return word.as_bytes().get(..rest.len()).is_some_and(|head| head.eq_ignore_ascii_case(rest));
        }
        if !bytes::stands_folded(bytes, at, word) {
            return false;
        }
        let digits = skip(at + word.len(), b" .:");
        digits + bytes::DIGIT.run(bytes, digits, 8) >= bytes.len()
    })
}

/// 555-0100 to 555-0199 are kept for fiction in the North American plan.
fn is_fictitious(chain: &Chain<'_>, first: usize, last: usize) -> bool {
    let digits: Vec<u8> = (first..=last)
        .flat_map(|i| {
            let group = chain.group(i);
            chain.bytes.get(group.start..group.end).unwrap_or_default().iter().copied()
        })
        .collect();
    let national = digits.strip_prefix(b"1").unwrap_or(&digits);
    national.len() == 10 && matches!(national, [_, _, _, b'5', b'5', b'5', b'0', b'1', ..])
}
