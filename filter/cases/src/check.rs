//! Does what came of an exchange fit what is expected?

use std::collections::BTreeMap;

use doorward_core::config::Tree;
use serde_json::Value;

use crate::format::{Expect, Got, NameOr, Sent};
use crate::outcome::{Delivered, Outcome, Received, header};
use crate::value;
use crate::words::Words;

/// What differs, one line each; nothing where all is as expected.
pub fn check(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut check = Check(Vec::new());
    let texts = [
        ("decision", "doorward.decision", &expect.decision),
        ("action", "doorward.action", &expect.action),
        ("reason", "doorward.reason", &expect.reason),
    ];
    for (name, key, expected) in texts {
        if let Some(expected) = expected {
            check.text(name, expected, outcome.value(key));
        }
    }
    let lists = [
        ("rules", "doorward.rules", &expect.rules),
        ("observed", "doorward.observed", &expect.observed),
        ("notes", "doorward.notes", &expect.notes),
    ];
    for (name, key, expected) in lists {
        if let Some(expected) = expected {
            check.list(name, expected, &outcome.list(key), |e, i| e == i);
        }
    }
    if let Some(expected) = &expect.findings {
        // A number that is not told is any.
        let fits = |e: &str, i: &str| e == i || i.rsplit_once('=').is_some_and(|(kind, _)| e == kind);
        check.list("findings", expected, &outcome.list("doorward.findings"), fits);
    }
    for (key, expected) in &expect.record {
        match (expected, outcome.record.get(key)) {
            (Some(expected), found) => check.text(&format!("record {key}"), expected, found.map_or("", String::as_str)),
            (None, Some(found)) => check.wrong(format!("record {key}: expected none, is `{found}`")),
            (None, None) => {}
        }
    }
    check.upstream(expect.upstream.as_ref(), outcome);
    if let Some(expected) = &expect.client {
        match &outcome.client {
            Some(got) => check.client(expected, got, &outcome.answered),
            None => check.wrong("client: got no answer".to_owned()),
        }
    }
    check.0
}

struct Check(Vec<String>);

impl Check {
    fn wrong(&mut self, line: String) {
        self.0.push(line);
    }

    fn text(&mut self, name: &str, expected: &str, found: &str) {
        if expected != found {
            self.wrong(format!("{name}: expected `{expected}`, is `{found}`"));
        }
    }

    fn list(&mut self, name: &str, expected: &[String], found: &[&str], fits: impl Fn(&str, &str) -> bool) {
        let missing: Vec<&str> =
            expected.iter().map(String::as_str).filter(|e| !found.iter().any(|i| fits(e, i))).collect();
        let beyond: Vec<&str> = found.iter().copied().filter(|i| !expected.iter().any(|e| fits(e, i))).collect();
        if !missing.is_empty() || !beyond.is_empty() {
            let list = |items: &[&str]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            self.wrong(format!("{name}: expected {}; is {}", list(&expected), list(found)));
        }
    }

    fn upstream(&mut self, expected: Option<&NameOr<Sent>>, outcome: &Outcome) {
        match (expected, &outcome.upstream) {
            (None, _) => {}
            (Some(NameOr::Name(name)), received) if name == "nothing" => {
                if let Some(received) = received {
                    let bytes = received.body.len();
                    self.wrong(format!("upstream: expected nothing, received {} with {bytes} bytes", received.path));
                }
            }
            (Some(NameOr::Name(name)), _) => {
                self.wrong(format!("upstream: `{name}` means nothing here: say `nothing`, or what it receives"));
            }
            (Some(NameOr::Own(_)), None) => self.wrong("upstream: received nothing".to_owned()),
            (Some(NameOr::Own(expected)), Some(received)) => self.sent(expected, received, &outcome.sent),
        }
    }

    fn sent(&mut self, expected: &Sent, received: &Received, sent: &[u8]) {
        if let Some(target) = &expected.target {
            self.text("upstream target", target, received.target.as_deref().unwrap_or_default());
        }
        if let Some(path) = &expected.path {
            self.text("upstream path", path, &received.path);
        }
        self.headers("upstream", &expected.headers, &received.headers);
        if expected.unchanged && received.body != sent {
            self.wrong(format!("upstream: the body was changed: {}", shown(&received.body)));
        }
        self.json("upstream", &received.body, expected.json.as_ref(), &expected.at, &expected.absent);
        let body = String::from_utf8_lossy(&received.body);
        for text in &expected.contains {
            if !body.contains(text.as_str()) {
                self.wrong(format!("upstream: does not hold `{text}`: {}", shown(&received.body)));
            }
        }
        for text in &expected.lacks {
            if body.contains(text.as_str()) {
                self.wrong(format!("upstream: holds `{text}`: {}", shown(&received.body)));
            }
        }
    }

    fn client(&mut self, expected: &Got, got: &Delivered, answered: &[u8]) {
        if let Some(status) = expected.status {
            self.text("client status", &status.to_string(), &got.status.to_string());
        }
        self.headers("client", &expected.headers, &got.headers);
        if expected.unchanged && got.body != answered {
            self.wrong(format!("client: the body is not the upstream's: {}", shown(&got.body)));
        }
        self.json("client", &got.body, expected.json.as_ref(), &expected.at, &expected.absent);
        let words = Words::of(got);
        let raw = String::from_utf8_lossy(&got.body);
        let holds = |text: &str| {
            raw.contains(text) || words.said.contains(text) || words.events.iter().any(|e| e.contains(text))
        };
        for text in &expected.contains {
            if !holds(text) {
                self.wrong(format!("client: does not hold `{text}`: {}", shown(&got.body)));
            }
        }
        for text in &expected.lacks {
            if holds(text) {
                self.wrong(format!("client: holds `{text}`: {}", shown(&got.body)));
            }
        }
        if let Some(says) = &expected.says {
            self.text("client says", says, &words.said);
        }
    }

    fn headers(&mut self, side: &str, expected: &BTreeMap<String, Option<String>>, found: &[(String, String)]) {
        for (name, value) in expected {
            let is = header(found, &name.to_ascii_lowercase());
            match (value, is) {
                (Some(value), is) if is == Some(value) => {}
                (Some(value), is) => {
                    self.wrong(format!(
                        "{side} header {name}: expected `{value}`, is {}",
                        is.map_or("none".to_owned(), |is| format!("`{is}`"))
                    ));
                }
                (None, Some(is)) => self.wrong(format!("{side} header {name}: expected none, is `{is}`")),
                (None, None) => {}
            }
        }
    }

    fn json(&mut self, side: &str, body: &[u8], whole: Option<&Tree>, at: &BTreeMap<String, Tree>, absent: &[String]) {
        if whole.is_none() && at.is_empty() && absent.is_empty() {
            return;
        }
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return self.wrong(format!("{side}: the body is no JSON: {}", shown(body)));
        };
        if let Some(whole) = whole
            && !value::same(&value::json(whole), &document)
        {
            self.wrong(format!("{side} json: expected {}, is {document}", value::text(whole)));
        }
        for (pointer, expected) in at {
            match document.pointer(pointer) {
                Some(found) if value::same(&value::json(expected), found) => {}
                Some(found) => self.wrong(format!("{side} {pointer}: expected {}, is {found}", value::text(expected))),
                None => self
                    .wrong(format!("{side} {pointer}: expected {}, is not there: {document}", value::text(expected))),
            }
        }
        for pointer in absent {
            if let Some(found) = document.pointer(pointer) {
                self.wrong(format!("{side} {pointer}: expected nothing, is {found}"));
            }
        }
    }
}

/// A body, in short.
fn shown(body: &[u8]) -> String {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}... ({} bytes)", text.get(..at).unwrap_or_default(), body.len()),
        None if text.is_empty() => "(no body)".to_owned(),
        None => text.into_owned(),
    }
}
