//! Whether a scenario came out as it should.

use std::collections::BTreeMap;

use serde_json::Value;

use super::observe::{bytes, end, fields};
use super::steps::{End, Got, HeaderList, put};
use super::{Expect, Totals};
use crate::model::{Fields, Host, Received, Stream};

/// What of `expect` is not so; `open` is whether the stream was still open.
pub fn stream(place: &str, stream: &Stream, expect: &Expect, open: Option<bool>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(end) = &expect.upstream {
        let sent = &stream.request.sent.body;
        check_end(&format!("{place}: upstream"), &stream.request.received, sent, end, &mut wrong);
    }
    if let Some(end) = &expect.client {
        let sent = &stream.response.sent.body;
        check_end(&format!("{place}: client"), &stream.response.received, sent, end, &mut wrong);
    }
    for (key, value) in &expect.log {
        let seen = stream.filter_state.get(key).map(|v| bytes(v));
        same(&format!("{place}: log {key}"), &seen, value, &mut wrong);
    }
    if let Some(details) = &expect.details {
        same(&format!("{place}: details"), stream.details.as_ref().unwrap_or(&String::new()), details, &mut wrong);
    }
    if let (Some(pending), Some(open)) = (expect.pending, open) {
        same(&format!("{place}: still open"), &open, &pending, &mut wrong);
    }
    wrong
}

fn same<T: PartialEq + std::fmt::Debug>(place: &str, seen: &T, expected: &T, wrong: &mut Vec<String>) {
    if seen != expected {
        wrong.push(format!("{place}\n      expected: {expected:?}\n          seen: {seen:?}"));
    }
}

fn check_end(place: &str, received: &Received, sent: &[u8], expect: &End, wrong: &mut Vec<String>) {
    let got = match expect {
        End::Never(word) => {
            assert_eq!(word, "never", "what an end received is `never`, or a mapping");
            if *received != Received::default() {
                wrong.push(format!("{place} received something: {}", end(received)));
            }
            return;
        }
        End::Got(got) => got,
    };
    let Some(head) = &received.head else {
        let nothing = got.reset == Some(true) && got.status.is_none() && received.reset;
        if !nothing {
            wrong.push(format!("{place} received nothing"));
        }
        return;
    };
    for (name, value) in [(":path", got.path.clone()), (":status", got.status.map(|s| s.to_string()))] {
        if let Some(value) = value {
            same(&format!("{place} {name}"), &head.text(name), &Some(value), wrong);
        }
    }
    check_fields(place, head, &got.headers, wrong);
    for name in &got.absent {
        same(&format!("{place} {name}"), &head.text(name), &None, wrong);
    }
    if let Some(body) = &got.body {
        same(&format!("{place} body"), &bytes(&received.body), &bytes(&body.bytes()), wrong);
    }
    let text = bytes(&received.body);
    for wanted in &got.contains {
        same(&format!("{place} body holds `{wanted}`: {text}"), &text.contains(wanted), &true, wrong);
    }
    for unwanted in &got.lacks {
        same(&format!("{place} body holds `{unwanted}`: {text}"), &text.contains(unwanted), &false, wrong);
    }
    if got.same {
        same(&format!("{place} body (as sent)"), &bytes(&received.body), &bytes(sent), wrong);
    }
    if let Some(trailers) = &got.trailers {
        check_fields(
            &format!("{place} trailers"),
            received.trailers.as_ref().unwrap_or(&Fields::default()),
            trailers,
            wrong,
        );
    }
    if let Some(ended) = got.ended {
        same(&format!("{place} complete"), &received.ended, &ended, wrong);
    }
    if let Some(reset) = got.reset {
        same(&format!("{place} cut off"), &received.reset, &reset, wrong);
    }
    if let Some(informational) = &got.informational {
        same(&format!("{place} interim answers"), &received.informational, informational, wrong);
    }
    check_reason(place, received, head, got, wrong);
    check_length(place, received, head, wrong);
}

fn check_fields(place: &str, fields: &Fields, expected: &HeaderList, wrong: &mut Vec<String>) {
    let mut wanted = Fields::default();
    put(&mut wanted, expected);
    for name in expected.keys() {
        let list = |f: &Fields| f.all(name).map(bytes).collect::<Vec<_>>();
        same(&format!("{place} {name}"), &list(fields), &list(&wanted), wrong);
    }
}

/// A length that is said must be true, whatever a scenario expects: a wrong one is request smuggling.
fn check_length(place: &str, received: &Received, head: &Fields, wrong: &mut Vec<String>) {
    let bodiless = matches!(head.text(":status").as_deref(), Some("204" | "304")) || received.body.is_empty();
    if let Some(length) = head.text("content-length")
        && received.ended
        && !bodiless
    {
        same(&format!("{place} content-length of the body"), &length, &received.body.len().to_string(), wrong);
    }
}

fn check_reason(place: &str, received: &Received, head: &Fields, got: &Got, wrong: &mut Vec<String>) {
    if let Some(reason) = &got.reason {
        same(&format!("{place} x-doorward-reason"), &head.text("x-doorward-reason").as_ref(), &Some(reason), wrong);
        same(&format!("{place} content-type"), &head.text("content-type").as_deref(), &Some("application/json"), wrong);
    }
    let Some(reason) = got.reason.as_ref().or(got.body_reason.as_ref()) else { return };
    let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
        wrong.push(format!("{place} is refused in no dialect: {}", bytes(&received.body)));
        return;
    };
    let message = body["error"]["message"].as_str().unwrap_or_default();
    let own = match got.dialect.as_deref() {
        None | Some("openai") => body["error"]["code"] == **reason && body["error"]["type"].is_string(),
        Some("anthropic") => body["type"] == "error" && body["error"]["type"].is_string(),
        Some(other) => panic!("no dialect `{other}`"),
    };
    if !own || !message.ends_with(&format!("[{reason}]")) {
        wrong.push(format!("{place} is refused otherwise than with `{reason}` in its dialect: {body}"));
    }
}

/// What of `totals` is not so.
pub fn totals(place: &str, host: &Host, totals: &Totals) -> Vec<String> {
    let mut wrong = Vec::new();
    for (wanted, value) in &totals.counters {
        let (name, labels) = wanted.trim_end_matches('}').split_once('{').unwrap_or((wanted, ""));
        let labels: Vec<String> = labels
            .split(',')
            .filter(|l| !l.is_empty())
            .map(|l| l.split_once('=').map_or_else(|| panic!("`{l}` is no label"), |(n, v)| format!(".;{n}=;{v};")))
            .collect();
        let seen: u64 = host
            .metrics
            .iter()
            .filter(|m| m.name.split(".;").next() == Some(name) && labels.iter().all(|l| m.name.contains(l.as_str())))
            .map(|m| if m.histogram { m.count } else { m.sum })
            .sum();
        same(&format!("{place}: {wanted}"), &seen, value, &mut wrong);
    }
    if let Some(calls) = totals.calls {
        same(&format!("{place}: call-outs"), &host.called.len(), &calls, &mut wrong);
    }
    for part in &totals.called_with {
        if !host.called_with.iter().any(|(_, body)| bytes(body).contains(part.as_str())) {
            wrong.push(format!("{place}: no call-out holds `{part}`"));
        }
    }
    for part in &totals.logs {
        if !host.logs.iter().any(|line| line.contains(part)) {
            wrong.push(format!("{place}: no line of the log holds `{part}`: {:?}", host.logs));
        }
    }
    wrong
}

/// Under observation, what left the proxy is what came to it, but for headers that only we may set; and the record
/// says that nothing was done.
pub fn transparent(host: &Host, names: &BTreeMap<String, u32>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, id) in names {
        let stream = &host.streams[id];
        let place = format!("observed, stream {name}");
        // One that a filter in front answered never came to us.
        if stream.request.received.head.is_some() || stream.request.sent.body.is_empty() && !stream.over {
            compare(&format!("{place}: upstream"), &stream.request.sent, &stream.request.received, &mut wrong);
        } else if stream.filter_state.contains_key("doorward.target") {
            wrong.push(format!("{place}: the upstream received nothing"));
        }
        if stream.response.sent.head.is_some() {
            compare(&format!("{place}: client"), &stream.response.sent, &stream.response.received, &mut wrong);
        }
        let action = stream.filter_state.get("doorward.action").map(|v| bytes(v));
        if !matches!(action.as_deref(), Some("pass" | "observe")) {
            wrong.push(format!("{place}: action {action:?}"));
        }
    }
    wrong
}

fn compare(place: &str, sent: &Received, received: &Received, wrong: &mut Vec<String>) {
    let theirs = |head: &Option<Fields>| {
        head.as_ref().map(|head| {
            let kept = head.0.iter().filter(|(n, _)| !n.starts_with("x-doorward-")).cloned().collect();
            fields(&Fields(kept))
        })
    };
    same(&format!("{place} head"), &theirs(&received.head), &theirs(&sent.head), wrong);
    let digest = |bytes: &[u8]| (bytes.len(), hmac_sha256::Hash::hash(bytes));
    same(&format!("{place} body, length and digest"), &digest(&received.body), &digest(&sent.body), wrong);
    same(&format!("{place} trailers"), &received.trailers, &sent.trailers, wrong);
    if !received.reset {
        same(&format!("{place} complete"), &received.ended, &sent.ended, wrong);
    }
}
