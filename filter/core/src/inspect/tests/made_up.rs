//! Formats without samples of their own: values are made up from the rows, found whole in every setting, and not found
//! when they are one byte short.

use super::super::bytes::Set;
use super::super::secrets::vendors::{NAMED, What};
use super::super::secrets::{OPEN, Part, tokens};
use super::super::types::TYPES;
use super::lanes::{absolute, cut, pushes, select};
use super::{Detectors, builtin, findings};

/// The same for every run: a number for each call.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below
    }

    /// So many bytes of the set, none twice in a row; letters and digits only, where it has any.
    fn run(&mut self, set: &Set, length: usize) -> String {
        let of_set = |alnum: bool| -> Vec<char> {
            (b'!'..0x7F).filter(|b| set.contains(*b) && (!alnum || b.is_ascii_alphanumeric())).map(char::from).collect()
        };
        let alphabet = Some(of_set(true)).filter(|all| !all.is_empty()).unwrap_or_else(|| of_set(false));
        let mut out = String::new();
        while out.len() < length {
            let c = alphabet[self.next(alphabet.len())];
            if alphabet.len() < 4 || !out.ends_with(c) {
                out.push(c);
            }
        }
        out
    }

    /// A value of these parts, and one that lacks its last byte, or is shorter than the last run can be.
    fn value(&mut self, parts: &[Part]) -> (String, String) {
        let (mut value, mut short) = (String::new(), String::new());
        for part in parts {
            match part {
                Part::Lit(literal) => value.push_str(literal),
                Part::Run(set, least, most) => {
                    if *least > 0 {
                        short = format!("{value}{}", self.run(set, least - 1));
                    }
                    let length = if *most == OPEN { *least } else { (*least + *most) / 2 };
                    value.push_str(&self.run(set, length));
                }
                Part::Digit => {}
            }
        }
        if let Some(Part::Lit(_)) = parts.last() {
            short = value.get(..value.len() - 1).unwrap().to_owned();
        }
        (value, short)
    }
}

fn check(detectors: &Detectors, kind: &str, (before, after): (&str, &str), value: &str, wrong: &mut Vec<String>) {
    let text = format!("{before}{value}{after}");
    let span = (before.len(), before.len() + value.len());
    let selection = select(detectors, &[kind]);
    let lane = absolute(&pushes(detectors, &selection, cut(&text, 3).into_iter()), &text);
    for (how, found) in [("scan", findings(detectors, &[kind], &text)), ("lane", lane)] {
        if !found.iter().any(|f| (f.start, f.end) == span) {
            wrong.push(format!("{kind}: {how} of {text:?} gave {found:?}"));
        }
    }
}

#[test]
fn tokens_are_found_as_the_rows_say() {
    let detectors = builtin();
    let mut wrong = Vec::new();
    let mut numbers = Numbers(7);
    for token in tokens::TOKENS {
        let kind = TYPES[token.kind.id().index()].0;
        if ["PRIVATE_KEY", "SLACK_WEBHOOK", "DISCORD_WEBHOOK", "MICROSOFT_TEAMS_WEBHOOK"].contains(&kind) {
            continue;
        }
        for anchor in token.anchors {
            let prefix = anchor.get(..token.prefix).unwrap();
            // The rest of a longer anchor belongs to the first run.
            let rest = anchor.get(token.prefix..).unwrap();
            let (body, short) = std::iter::repeat_with(|| numbers.value(token.body))
                .take(500)
                .find(|(body, _)| body.bytes().any(|b| b.is_ascii_digit()) || token.body.is_empty())
                .unwrap();
            let with = |body: &str| format!("{prefix}{rest}{}", body.get(rest.len()..).unwrap());
            let (value, short) = (with(&body), if short.len() > rest.len() { with(&short) } else { String::new() });
            for setting in [("", ""), ("token = \"", "\";"), ("use ", "."), ("\\n", "\\n"), ("(", ")"), (">", "<")] {
                check(&detectors, kind, setting, &value, &mut wrong);
            }
            let text = format!("= \"{short}\";");
            if findings(&detectors, &[kind], &text).iter().any(|f| (f.start, f.end) == (3, 3 + short.len())) {
                wrong.push(format!("{kind}: near miss {text:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_found_behind_names_as_the_rows_say() {
    let detectors = builtin();
    let mut wrong = Vec::new();
    let mut numbers = Numbers(3);
    for row in NAMED {
        let What::Values(values) = row.what else { continue };
        if row.words.iter().any(|word| word.len() > 20) {
            // Longer than the names of the settings below can be.
            continue;
        }
        let kind = TYPES[row.kind.id().index()].0;
        for value in values {
            // Random letters may look like words: as seldom as in the world.
            let (text, short) = std::iter::repeat_with(|| numbers.value(value.parts))
                .take(500)
                .find(|(text, _)| {
                    text.bytes().filter(u8::is_ascii_digit).count() > 1
                        && !findings(&detectors, &[kind], &format!("{}_token = {text}", row.words[0])).is_empty()
                })
                .unwrap_or_else(|| panic!("{kind}: no value"));
            // Some have a sign of their own too.
            let alone = !findings(&detectors, &[kind], &text).is_empty();
            for word in row.words {
                let upper = word.to_uppercase();
                let capital: String = upper.chars().take(1).chain(word.chars().skip(1)).collect();
                for (before, after) in [
                    (format!("{word}_token = \""), "\""),
                    (format!("export {upper}_API_KEY="), "\n"),
                    (format!("{{\"my{capital}Token\": \""), "\"}"),
                    (format!("{{\\\"{word}_key\\\":\\\""), "\\\"}"),
                    (format!("<{word}Token>\n    "), "\n</x>"),
                    (format!("set(\"{upper}_TOKEN\", \""), "\")"),
                    (format!("- name: {upper}_TOKEN\n  value: "), "\n"),
                    (format!("run --{word}-token "), " -v"),
                    (format!("The {word} token is "), ". Keep it."),
                    (format!("let {word}Key: String = \""), "\";"),
                    (format!("${word}Token .= '"), "'"),
                ] {
                    check(&detectors, kind, (&before, after), &text, &mut wrong);
                }
                for miss in [
                    format!("{word}_token = \"{short}\""),
                    format!("{word}_token = \"{text}é\""),
                    format!("{word}_token \"{text}\""),
                    format!("ab{word}_token = \"{text}\""),
                    format!("{word} {} = \"{text}\"", "token ".repeat(4)),
                ] {
                    // A name may hold a shorter one, as `dd_api_key` in `add_api_key`; another value may be shorter.
                    let found = findings(&detectors, &[kind], &miss);
                    if !alone
                        && found.iter().any(|f| miss.get(f.start..f.end) == Some(text.as_str()) && !miss.contains('é'))
                    {
                        wrong.push(format!("{kind}: near miss {miss:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
