//! What is done with texts: statements whose keys cannot matter, and choices that let text through or hold more than one thinks.

use doorward_core::config::{Path, Problem};

use super::{boolean, integer, text, texts};
use crate::source::Node;

/// `envoy.max_body_bytes` where a policy does not say it.
const MAX_BODY: i64 = 1_000_000;

/// The types whose placeholders can keep a form; other types get a label.
const FORMS: &[&str] = &["CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS"];

/// The groups that they are in, and what stands for all groups.
const GROUPS_WITH_FORMS: &[&str] = &["pii", "financial", "all"];

/// Looks at `content`, `answers` and `tools`.
pub fn content(root: &Node, found: &mut Vec<Problem>) {
    let path = Path::root().key("content");
    let statements = root.get("content").map(Node::items).unwrap_or_default();
    // Every pack looks at texts.
    if statements.is_empty() && root.get("extends").is_none() {
        found.push(
            Problem::new(path.clone(), "no text is looked at")
                .help("for example `content: [{id: secrets, detect: [secrets], action: deny}]`"),
        );
    }
    for (i, statement) in statements.iter().enumerate() {
        one(root, statement, &path.index(i), found);
        external(root, statement, &path.index(i), found);
    }
    answers(root, found);
    tools(root, found);
}

/// An external detector sees whole answers, so its statements keep answers from streaming unless they say otherwise.
fn external(root: &Node, statement: &Node, path: &Path, found: &mut Vec<Problem>) {
    let externals = root.get("detectors").and_then(|d| d.get("external")).map(Node::items).unwrap_or_default();
    let names: Vec<&str> = externals.iter().filter_map(|e| text(e, "name")).collect();
    let Some(name) = texts(statement, "detect").into_iter().find(|name| names.contains(name)) else { return };
    let directions = texts(statement, "direction");
    let enforced = text(statement, "mode") != Some("observe") && text(statement, "on_failure") != Some("allow");
    if enforced && directions.is_empty() {
        found.push(
            Problem::new(
                path.key("detect"),
                format!(
                    "`{}` refuses requests for streamed answers: `{name}` sees whole answers only",
                    text(statement, "id").unwrap_or_default()
                ),
            )
            .help("say `direction: request`, or `direction: [request, response]` where that is meant"),
        );
    }
}

fn one(root: &Node, statement: &Node, path: &Path, found: &mut Vec<Problem>) {
    let id = text(statement, "id").unwrap_or_default();
    let action = text(statement, "action").unwrap_or_default();
    let channels = texts(statement, "channels");
    let directions = texts(statement, "direction");
    let only = |direction: &str| !directions.is_empty() && directions.iter().all(|d| *d == direction);
    // What callers send; an answer has neither.
    let sent = !channels.is_empty() && channels.iter().all(|c| ["user", "tool_description"].contains(c));
    if only("response") && sent {
        found.push(
            Problem::new(path.key("channels"), format!("`{id}` can never match: no answer has these channels"))
                .help("what a model says is in `assistant` and `tool_call`"),
        );
    }
    if only("response") && action == "tokenize" {
        found.push(
            Problem::new(path.key("action"), format!("`{id}` masks: in answers nothing turns a placeholder back"))
                .help("say `action: mask`, or `direction: request`"),
        );
    }
    if statement.get("placeholder").is_some() && action != "tokenize" {
        found.push(
            Problem::new(
                path.key("placeholder"),
                format!("`{action}` makes no placeholders, so `{id}` has no use for it"),
            )
            .help("remove it, or say `action: tokenize`"),
        );
    } else if text(statement, "placeholder") == Some("preserve") {
        let detect = texts(statement, "detect");
        if !detect.iter().any(|name| FORMS.contains(name) || GROUPS_WITH_FORMS.contains(name)) {
            found.push(
                Problem::new(path.key("placeholder"), format!("nothing that `{id}` detects has a form to preserve"))
                    .help("only cards, phone numbers and e-mail addresses have one; others get a label"),
            );
        }
    }
    let detect = texts(statement, "detect");
    let topics = root.get("detectors").and_then(|d| d.get("topics")).map(Node::items).unwrap_or_default();
    let topic = |name: &str| topics.iter().any(|topic| text(topic, "name") == Some(name));
    let judged_whole = |name: &&str| ["injection", "PROMPT_INJECTION"].contains(name) || topic(name);
    let whole = !detect.is_empty() && detect.iter().all(judged_whole);
    if whole && only("response") && text(statement, "stream") != Some("hold_all") {
        found.push(
            Problem::new(
                path.key("detect"),
                format!(
                    "`{id}` never matches in a streamed answer: injections and topics are judged in whole texts only"
                ),
            )
            .help("look at what goes to the model (`direction: request`), or say `stream: hold_all`"),
        );
    }
    if let Some(mode) = text(statement, "stream") {
        if only("request") || sent {
            found.push(
                Problem::new(path.key("stream"), format!("`{id}` looks at no answer, so `{mode}` means nothing"))
                    .help("remove it"),
            );
        } else if mode == "hold_all" && text(statement, "mode") != Some("observe") {
            found.push(
                Problem::new(
                    path.key("stream"),
                    format!(
                        "`{id}` holds every text that it looks at until it is complete: such answers do not stream"
                    ),
                )
                .help("`window` holds only what may still become a finding"),
            );
        }
    }
}

fn answers(root: &Node, found: &mut Vec<Problem>) {
    let path = Path::root().key("answers");
    let Some(answers) = root.get("answers") else { return };
    if text(answers, "at_max_hold") == Some("release") {
        found.push(
            Problem::new(
                path.key("at_max_hold"),
                "a stream's text passes unjudged once more of it is held back than `max_hold_bytes`",
            )
            .help("`hold` holds on, up to `envoy.max_body_bytes`, and then ends the stream"),
        );
    }
    let body = root.get("envoy").and_then(|envoy| integer(envoy, "max_body_bytes")).unwrap_or(MAX_BODY);
    if let Some(hold) = integer(answers, "max_hold_bytes").filter(|hold| *hold > body) {
        found.push(
            Problem::new(
                path.key("max_hold_bytes"),
                format!("{hold} bytes are never held: `envoy.max_body_bytes` is {body}, and bounds it"),
            )
            .help("lower it"),
        );
    }
}

fn tools(root: &Node, found: &mut Vec<Problem>) {
    let path = Path::root().key("tools");
    for (i, tool) in root.get("tools").map(Node::items).unwrap_or_default().iter().enumerate() {
        let every = |name: &&str| !name.is_empty() && name.bytes().all(|b| b == b'*');
        if boolean(tool, "restore") == Some(true) && texts(tool, "name").iter().any(every) {
            found.push(
                Problem::new(
                    path.index(i).key("restore"),
                    "values come back into the arguments of every tool that a model calls",
                )
                .help("name the tools that need them: a tool sends its arguments wherever it likes"),
            );
        }
    }
}
