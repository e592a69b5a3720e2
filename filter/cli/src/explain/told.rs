//! What came of a request, taken apart, and as a document for machines.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_cases::outcome::Outcome;
use doorward_cases::suite::Shot;
use doorward_core::host::Side;
use doorward_core::json::{Document, Kind, Limits, Node};
use doorward_core::policy::Miss;
use doorward_core::protocol::{Media, walk};
use doorward_core::trace::{Considered, Near, Question, Text};
use serde_json::{Value, json};

/// A change that was made to a body: where, from what, to what.
#[derive(Debug, PartialEq)]
pub struct Edit {
    pub pointer: String,
    pub from: Option<Value>,
    pub to: Option<Value>,
}

/// A text of the request, with its JSON pointer.
#[derive(Debug)]
pub struct Placed {
    pub text: Text,
    pub pointer: Option<String>,
}

/// What access says last: of the body, where it came that far.
pub fn questions(outcome: &Outcome) -> Vec<&Question> {
    let all = &outcome.trace.questions;
    let with_body = all.iter().any(|question| question.with_body);
    all.iter().filter(|question| question.with_body == with_body).collect()
}

/// How an access statement fits, in words.
pub fn fit(statement: &Considered) -> String {
    let why = match &statement.fit {
        Near::Fits if statement.of_tools && !statement.allows => "its tools are denied",
        Near::Fits if statement.of_tools => "fits; of tools, it means only its own",
        Near::Fits => "fits",
        Near::Open => "the body decides",
        Near::Caller => "not: the caller has none of its roles",
        Near::Target => "not: it is for other targets or providers",
        Near::Operation => "not: it is for other operations, or does not name this one",
        Near::Method => "not: it is for other methods, or does not name this one",
        Near::Model => "not: it is for other models",
        Near::NoModel => "not: it names models, and this call has none",
        Near::Body => "not: the body has nothing of what it names",
        Near::But(miss) => return format!("nearly: all but {}", missed(miss)),
    };
    why.to_owned()
}

fn missed(miss: &Miss) -> String {
    match miss {
        Miss::Call => "the call".to_owned(),
        Miss::Model => "the model".to_owned(),
        Miss::Parameter(name) => format!("the parameter `{name}`"),
        Miss::State(member) => format!("state at the provider (`{member}`); `stateful: true` allows it"),
        Miss::Media(media) => {
            let kinds: Vec<&str> = media.iter().map(Media::as_str).collect();
            format!("what cannot be read (`media: [{}]` allows it)", kinds.join(", "))
        }
    }
}

/// The texts of the request. Where no content statement applies nothing was looked at, and the body is read for its texts all the
/// same.
pub fn texts(outcome: &Outcome) -> Vec<Placed> {
    let limits = Limits::default();
    let document = Document::parse(&outcome.sent, &limits).ok();
    let mut places = BTreeMap::new();
    if let Some(document) = &document {
        pointers(document.root(), String::new(), &mut places);
    }
    let looked: Vec<Text> =
        outcome.trace.inspected.iter().filter(|(side, _)| *side == "in").flat_map(|(_, i)| i.texts.clone()).collect();
    let texts = match (&document, looked.is_empty()) {
        (Some(document), true) => {
            let mut texts = Vec::new();
            walk(Side::Request, document.root(), &mut |leaf| texts.push(leaf.traced()));
            texts
        }
        _ => looked,
    };
    let place = |text: Text| {
        let at = places.get(&(text.span.start, text.span.end));
        // The bytes that were inspected last may be others: tools were taken out of them.
        let pointer = at.filter(|(_, found)| *found == text.text).map(|(pointer, _)| pointer.clone());
        Placed { text, pointer }
    };
    texts.into_iter().map(place).collect()
}

type Places = BTreeMap<(usize, usize), (String, String)>;

fn pointers(node: Node<'_>, at: String, places: &mut Places) {
    match node.kind() {
        Kind::Object => {
            for (key, value) in node.entries() {
                let name = key.text();
                let below = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                let span = key.inner_span();
                places.insert((span.start, span.end), (format!("{below} (its name)"), name.into_owned()));
                pointers(value, below, places);
            }
        }
        Kind::Array => {
            for (i, item) in node.items().enumerate() {
                pointers(item, format!("{at}/{i}"), places);
            }
        }
        _ => {
            if let Some(token) = node.string() {
                let span = token.inner_span();
                places.insert((span.start, span.end), (at, token.text().into_owned()));
            } else if let Some(number) = node.number() {
                let span = node.span();
                places.insert((span.start, span.end), (at, number.to_owned()));
            }
        }
    }
}

/// What differs between two bodies, by JSON pointer; nothing where one of them is no JSON.
pub fn edits(from: &[u8], to: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    if let (Ok(from), Ok(to)) = (serde_json::from_slice::<Value>(from), serde_json::from_slice::<Value>(to)) {
        differ(String::new(), Some(&from), Some(&to), &mut edits);
    }
    edits
}

fn differ(pointer: String, from: Option<&Value>, to: Option<&Value>, edits: &mut Vec<Edit>) {
    match (from, to) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                differ(below, a.get(name), b.get(name), edits);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differ(format!("{pointer}/{i}"), Some(a), Some(b), edits);
            }
        }
        (from, to) if from != to => edits.push(Edit { pointer, from: from.cloned(), to: to.cloned() }),
        _ => {}
    }
}

/// Headers that were set, and names of those that were removed, between two heads.
pub fn headers(from: &[(String, String)], to: &[(String, String)]) -> (Vec<(String, String)>, Vec<String>) {
    let set = to.iter().filter(|header| !from.contains(header)).cloned().collect();
    let gone = |name: &&String| !name.starts_with(':') && !to.iter().any(|(n, _)| n == *name);
    (set, from.iter().map(|(name, _)| name).filter(gone).cloned().collect())
}

/// A body for a document: text where it is, base64 where it is not.
fn body(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({"text": text}),
        Err(_) => json!({"base64": STANDARD.encode(bytes)}),
    }
}

/// All of it as a document.
pub fn json(shot: &Shot, outcome: &Outcome) -> Value {
    let of_question = |question: &Question| {
        let statements: Vec<Value> = question
            .statements
            .iter()
            .map(|s| {
                json!({"id": s.id, "effect": if s.allows { "allow" } else { "deny" }, "observed": s.observed,
                    "fits": s.fit == Near::Fits, "why": fit(s)})
            })
            .collect();
        json!({"operation": question.operation, "method": question.method, "model": question.model, "statements": statements})
    };
    let text = |placed: &Placed| {
        json!({"channel": placed.text.channel.as_str(), "kind": placed.text.kind, "pointer": placed.pointer,
            "start": placed.text.span.start, "end": placed.text.span.end, "text": placed.text.text})
    };
    let findings: Vec<Value> = outcome
        .trace
        .inspected
        .iter()
        .flat_map(|(side, inspected)| inspected.findings.iter().map(move |finding| (side, finding)))
        .map(|(side, f)| {
            let statements: Vec<Value> = f
                .statements
                .iter()
                .map(|(id, action, observed)| json!({"id": id, "action": action, "observed": observed}))
                .collect();
            json!({"direction": side, "channel": f.channel.as_str(), "type": f.kind, "score": f.score, "value": f.value,
                "hidden": f.hidden, "test_value": f.test_value, "statements": statements})
        })
        .collect();
    let content: Vec<Value> = outcome
        .trace
        .planned
        .iter()
        .flat_map(|(side, statements)| statements.iter().map(move |s| (side, s)))
        .map(|(side, s)| {
            json!({"direction": side, "id": s.id, "action": s.action, "observed": s.observed, "applies": s.barred.is_none(), "barred_by": s.barred})
        })
        .collect();
    let tools: Vec<Value> = outcome
        .trace
        .tools
        .iter()
        .map(|t| json!({"how": t.how, "name": t.name, "refused": t.refused, "rules": t.rules}))
        .collect();
    let caller = outcome.caller.as_ref().map(|p| {
        json!({"user": p.user, "groups": p.groups, "team": p.team, "purpose": p.purpose, "workload": p.workload,
            "claims": p.claims, "proven_by": p.method.as_str(), "issuer": p.issuer, "roles": outcome.list("doorward.roles")})
    });
    let upstream = outcome.upstream.as_ref().map(|received| {
        let edits = edits(&outcome.sent, &received.body).into_iter();
        let edits: Vec<Value> = edits.map(|e| json!({"pointer": e.pointer, "from": e.from, "to": e.to})).collect();
        let (set, removed) = headers(&outcome.asked, &received.headers);
        json!({"target": received.target, "path": received.path, "headers_set": set, "headers_removed": removed,
            "unchanged": received.body == outcome.sent, "edits": edits, "body": body(&received.body)})
    });
    let client = outcome
        .client
        .as_ref()
        .map(|got| json!({"status": got.status, "headers": got.headers, "body": body(&got.body)}));
    json!({
        "request": {"method": shot.request.method(), "path": shot.request.path, "target": shot.place.target, "cluster": shot.place.cluster},
        "caller": caller,
        "access": questions(outcome).into_iter().map(of_question).collect::<Vec<_>>(),
        "texts": texts(outcome).iter().map(text).collect::<Vec<_>>(),
        "content": content,
        "findings": findings,
        "tools": tools,
        "decision": outcome.value("doorward.decision"),
        "action": outcome.value("doorward.action"),
        "reason": outcome.record.get("doorward.reason"),
        "rules": outcome.list("doorward.rules"),
        "record": outcome.record,
        "upstream": upstream,
        "client": client,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_told_by_pointer() {
        let from = br#"{"a":{"b/c":[1,"x"]},"gone":1,"same":[1]}"#;
        let to = br#"{"a":{"b/c":[1,"y"]},"new":null,"same":[1]}"#;
        let told = edits(from, to);
        let pointers: Vec<&str> = told.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/b~1c/1", "/gone", "/new"]);
        assert_eq!((&told[0].from, &told[0].to), (&Some(json!("x")), &Some(json!("y"))));
        assert_eq!((&told[1].to, &told[2].from, &told[2].to), (&None, &None, &Some(Value::Null)));
        assert!(edits(b"no json", to).is_empty());
    }
}
