//! Bodies with a canary in every leaf, mutations of them, and an oracle that reads what went on as the most careless server would.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What must not go on, as a word and as a number.
pub const CANARY: &str = "zq7canary";
pub const NUMBER: u64 = 4_556_737_586_899_855;

/// A small generator: the same seed gives the same test.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Members whose values say what something is; with a canary in them nothing would be read at all.
/// What a provider signed is never edited: a canary there refuses the request.
const NAMING: &[&str] = &[
    "thinking",
    "signature",
    "model",
    "agent_id",
    "role",
    "type",
    "anthropic_version",
    "media_type",
    "voice",
    "input_type",
];

/// The canary in every string, and in fields that nobody knows.
pub fn planted(request: &Value) -> Value {
    let mut planted = plant(request, "");
    planted["x_unknown"] = json!({"deep": [[format!("a {CANARY} b")]], (format!("key {CANARY}")): 1, "n": NUMBER});
    planted
}

fn plant(value: &Value, name: &str) -> Value {
    match value {
        Value::String(text) if NAMING.contains(&name) => json!(text),
        // JSON inside a string keeps its form.
        Value::String(text) if text.starts_with('{') => {
            json!(plant(&serde_json::from_str(text).unwrap(), "").to_string())
        }
        Value::String(text) => json!(format!("{text} {CANARY} on")),
        Value::Array(items) => items.iter().map(|item| plant(item, name)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, item)| (name.clone(), plant(item, name))).collect())
        }
        other => other.clone(),
    }
}

/// One to three mutations.
pub fn mutate(body: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        bytes = once(bytes, dice);
    }
    bytes
}

fn once(mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let at = dice.below(bytes.len());
    match dice.below(16) {
        0 => bytes[at] = dice.next() as u8,
        1 => bytes.insert(at, b"\"\\{}[],:\0 \n0aZ"[dice.below(14)]),
        2 => drop(bytes.remove(at)),
        3 => {
            let end = (at + 1 + dice.below(40)).min(bytes.len());
            let slice = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            bytes.splice(to..to, slice);
        }
        4 => bytes.truncate(at),
        5 => bytes.splice(0..0, *b"\xEF\xBB\xBF").for_each(drop),
        6 => bytes.extend_from_slice([&b" {}"[..], b",", b"//x", b"{\"model\":\"m-2\"}"][dice.below(4)]),
        7 => return text(bytes, |text| escape_some(text, dice)),
        8 => return text(bytes, |text| duplicate_member(text, dice)),
        9 => return text(bytes, |text| fold_key(text, dice)),
        10 => {
            return text(bytes, |text| {
                replace_one(text, &format!(" {CANARY} on"), &format!(" {}", STANDARD.encode(CANARY.repeat(3))), dice)
            });
        }
        11 => return text(bytes, |text| replace_one(text, CANARY, "zq7%63anary", dice)),
        12 => return text(bytes, |text| replace_one(text, CANARY, "zq7&#99;anary", dice)),
        13 => return text(bytes, |text| replace_one(text, CANARY, "zq7\\\\u0063anary", dice)),
        14 => return text(bytes, |text| replace_one(text, &NUMBER.to_string(), "4.556737586899855e15", dice)),
        _ => {
            let other = dice.below(bytes.len());
            bytes.swap(at, other);
        }
    }
    bytes
}

fn text(bytes: Vec<u8>, change: impl FnOnce(&str) -> String) -> Vec<u8> {
    match std::str::from_utf8(&bytes) {
        Ok(text) => change(text).into_bytes(),
        Err(_) => bytes,
    }
}

/// A character of a canary, or of anything, as an escape.
fn escape_some(text: &str, dice: &mut Dice) -> String {
    let found: Vec<usize> = text.match_indices(CANARY).map(|(at, _)| at).collect();
    let at = if found.is_empty() { 0 } else { found[dice.below(found.len())] + dice.below(CANARY.len()) };
    let Some(char) = text[at..].chars().next() else { return text.to_owned() };
    format!("{}\\u{:04x}{}", &text[..at], u32::from(char).min(0xFFFF), &text[at + char.len_utf8()..])
}

fn keys(text: &str) -> Vec<(usize, usize)> {
    text.match_indices("\":").filter_map(|(end, _)| Some((text[..end].rfind('"')?, end))).collect()
}

fn duplicate_member(text: &str, dice: &mut Dice) -> String {
    let keys = keys(text);
    if keys.is_empty() {
        return text.to_owned();
    }
    let (start, end) = keys[dice.below(keys.len())];
    let key = &text[start + 1..end];
    let key = [key.to_owned(), key.to_uppercase(), key.replace('k', "\u{212a}")][dice.below(3)].clone();
    format!("{}\"{key}\":\"{CANARY}\",{}", &text[..start], &text[start..])
}

fn fold_key(text: &str, dice: &mut Dice) -> String {
    let keys = keys(text);
    if keys.is_empty() {
        return text.to_owned();
    }
    let (start, end) = keys[dice.below(keys.len())];
    format!("{}{}{}", &text[..start], text[start..end].to_uppercase(), &text[end..])
}

fn replace_one(text: &str, from: &str, to: &str, dice: &mut Dice) -> String {
    let found: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
    if found.is_empty() {
        return text.to_owned();
    }
    let at = found[dice.below(found.len())];
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

/// What of the canaries a careless reader finds in what went on: last key wins, case does not matter, whatever is no JSON is text.
pub fn finds(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    if let Some(found) = in_text(&text) {
        return Some(found);
    }
    serde_json::from_slice::<Value>(bytes).ok().and_then(|value| in_value(&value))
}

/// The model that such a reader would take.
pub fn model(bytes: &[u8], member: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let members = value.as_object()?;
    members.iter().rfind(|(name, _)| name.eq_ignore_ascii_case(member))?.1.as_str().map(str::to_owned)
}

fn in_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => in_text(text).or_else(|| {
            let inner = serde_json::from_str::<Value>(text).ok().filter(|v| v.is_object() || v.is_array())?;
            in_value(&inner)
        }),
        Value::Array(items) => items.iter().find_map(in_value),
        Value::Object(members) => members.iter().find_map(|(name, item)| in_text(name).or_else(|| in_value(item))),
        Value::Number(number) => {
            let same = number.as_f64().is_some_and(|n| (n - NUMBER as f64).abs() < 1.0);
            same.then(|| format!("the number {number}"))
        }
        _ => None,
    }
}

fn in_text(text: &str) -> Option<String> {
    let plain = undone(text).to_ascii_lowercase();
    // A card's digits inside of a longer word or number are none.
    let number = NUMBER.to_string();
    let whole = plain.match_indices(&number).any(|(at, _)| {
        let glued = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-.+".contains(c));
        !glued(plain[..at].chars().next_back()) && !glued(plain[at + number.len()..].chars().next())
    });
    if plain.contains(CANARY) || whole {
        return Some(format!("in {text:?}"));
    }
    // Base64 that somebody would decode.
    text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).filter(|run| run.len() >= 24).find_map(
        |run| {
            let decoded = STANDARD.decode(run).ok()?;
            let text = String::from_utf8(decoded).ok().filter(|text| !text.contains(char::is_control))?;
            text.contains(CANARY).then(|| format!("in base64 {run}"))
        },
    )
}

/// Escapes of every kind undone.
fn undone(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let code = |from: &str, digits: usize| {
            let hex = rest.strip_prefix(from)?.get(..digits)?;
            char::from_u32(u32::from_str_radix(hex, 16).ok()?)
        };
        let decimal = || {
            let number = rest.strip_prefix("&#")?;
            let end = number.find(';')?;
            Some((char::from_u32(number[..end].parse().ok()?)?, end + 3))
        };
        let (char, size) = if let Some(char) = code("\\u", 4) {
            (char, 6)
        } else if let Some(char) = code("%", 2) {
            (char, 3)
        } else if let Some((char, size)) = decimal() {
            (char, size)
        } else {
            (char, char.len_utf8())
        };
        out.push(char);
        rest = &rest[size..];
    }
    out
}
