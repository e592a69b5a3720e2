//! The calls of tools in an answer that is complete, or in an event that carries whole calls.
//!
//! A call is known by its shape, wherever it stands: an item of `tool_calls` (OpenAI, Mistral, Cohere, Ollama), `function_call` of a
//! message (OpenAI's older way), `functionCall` and `toolUse` of a part (Gemini, Bedrock), and items whose `type` says that they are
//! calls (Anthropic, OpenAI responses, Gemini interactions). What the provider ran itself is told by its result, and is no call.

use std::borrow::Cow;
use std::ops::Range;

use super::kinds::kind;
use crate::json::{Kind, Node, StringToken, cut, escaped};
use crate::policy::FUNCTION;

/// A call.
#[derive(Clone, Debug)]
pub struct Called<'d> {
    /// Its name; empty where it has several or none.
    pub name: Cow<'d, str>,
    /// [`FUNCTION`], or what the API calls it.
    pub kind: Cow<'static, str>,
    /// What it is called with.
    pub arguments: With<'d>,
}

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub enum With<'d> {
    /// JSON as a text.
    Text(StringToken<'d>),
    /// A value.
    Value(Node<'d>),
    /// There are none.
    Nothing,
}

/// Visits every call; where `judge` answers a text, that takes the call's place, in the API's own way. Answers the edits.
pub fn calls<'d>(root: Node<'d>, judge: &mut dyn FnMut(&Called<'d>) -> Option<String>) -> Vec<(Range<usize>, String)> {
    let mut walk = Walk { judge, edits: Vec::new() };
    walk.node(root, Within::Other);
    walk.edits
}

struct Walk<'j, 'd> {
    judge: &'j mut dyn FnMut(&Called<'d>) -> Option<String>,
    edits: Vec<(Range<usize>, String)>,
}

/// The list that a call stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// The output of OpenAI's responses.
    Output,
    /// The steps of Gemini's interactions.
    Steps,
    Other,
}

/// Calls at and below a node: how many, and how many of them are refused.
#[derive(Clone, Copy, Default)]
struct Count {
    calls: usize,
    refused: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.refused += other.refused;
    }
}

impl<'d> Walk<'_, 'd> {
    fn node(&mut self, node: Node<'d>, within: Within) -> Count {
        let mut count = Count::default();
        match node.kind() {
            Kind::Array => node.items().for_each(|item| count.add(self.node(item, within))),
            Kind::Object => {
                if let Some(called) = own(node) {
                    let refusal = (self.judge)(&called);
                    let refused = refusal.is_some();
                    if let Some(text) = refusal {
                        self.edits.push((node.span(), instead(node, &text, within)));
                    }
                    return Count { calls: 1, refused: usize::from(refused) };
                }
                for (key, value) in node.entries() {
                    count.add(match key.text().as_ref() {
                        "tool_calls" | "function_call" if value.is_null() => Count::default(),
                        "tool_calls" | "function_call" => self.message(node, key, value),
                        "output" | "item" => self.node(value, Within::Output),
                        "steps" | "step" => self.node(value, Within::Steps),
                        _ => self.node(value, Within::Other),
                    });
                }
                if count.calls > 0 && count.calls == count.refused {
                    self.edits.extend(finish(node));
                }
            }
            _ => {}
        }
        count
    }

    /// The calls of a message.
    fn message(&mut self, message: Node<'d>, key: StringToken<'d>, calls: Node<'d>) -> Count {
        let items: Vec<Node<'d>> = if calls.kind() == Kind::Array { calls.items().collect() } else { vec![calls] };
        let refusals: Vec<Option<String>> = items.iter().map(|item| (self.judge)(&function(*item))).collect();
        let texts: Vec<&str> = refusals.iter().flatten().map(String::as_str).collect();
        let count = Count { calls: items.len(), refused: texts.len() };
        if texts.is_empty() {
            return count;
        }
        if texts.len() < items.len() {
            let kept: Vec<_> = items.iter().zip(&refusals).map(|(i, refusal)| (i.span(), refusal.is_none())).collect();
            self.edits.extend(cut(&calls.span(), &kept).into_iter().map(|range| (range, String::new())));
        } else {
            let member = key.inner_span().start.saturating_sub(1)..calls.span().end;
            let members: Vec<_> =
                crate::json::items(message).into_iter().map(|(span, _)| (span.clone(), span != member)).collect();
            let whole = members.len() == 1;
            self.edits.extend(cut(&message.span(), &members).into_iter().map(|range| (range, String::new())));
            if whole && message.get("content").is_none() {
                let at = message.span().end.saturating_sub(1);
                self.edits.push((at..at, format!("\"content\":\"{}\"", escaped(&texts.join(" ")))));
                return count;
            }
        }
        self.say(message, &texts.join(" "));
        count
    }

    /// Adds a text to a message's content.
    fn say(&mut self, message: Node<'d>, text: &str) {
        let text = escaped(text);
        let Some(content) = message.get("content") else {
            // Before all others: what goes at the end may be cut.
            let at = message.span().end.saturating_sub(1);
            self.edits.push((at..at, format!(",\"content\":\"{text}\"")));
            return;
        };
        match content.kind() {
            Kind::String => {
                let end = content.span().end.saturating_sub(1);
                let space = if content.text().is_some_and(|t| t.is_empty()) { "" } else { "\\n\\n" };
                self.edits.push((end..end, format!("{space}{text}")));
            }
            Kind::Array => {
                let end = content.span().end.saturating_sub(1);
                let comma = if content.items().next().is_some() { "," } else { "" };
                self.edits.push((end..end, format!("{comma}{{\"type\":\"text\",\"text\":\"{text}\"}}")));
            }
            _ => self.edits.push((content.span(), format!("\"{text}\""))),
        }
    }
}

/// A call that is an object by itself.
fn own<'d>(node: Node<'d>) -> Option<Called<'d>> {
    if let Some(call) = ["functionCall", "toolUse"].into_iter().find_map(|name| node.get(name)) {
        return (call.kind() == Kind::Object).then(|| function(call));
    }
    let of = node.get("type")?.text()?;
    match of.as_ref() {
        "tool_use" => Some(function(node)),
        "function_call" | "custom_tool_call" => Some(function(node)),
        // Run by the caller's application, too.
        "local_shell_call" | "shell_call" | "apply_patch_call" | "computer_call" => {
            let kind = kind(of.strip_suffix("_call").unwrap_or(&of));
            let action = ["action", "operation"].into_iter().find_map(|name| node.get(name));
            let arguments = action.map_or(With::Nothing, With::Value);
            Some(Called { name: Cow::Owned(kind.clone().into_owned()), kind, arguments })
        }
        _ => None,
    }
}

/// A call of a function: OpenAI has its name and arguments one further in.
fn function<'d>(node: Node<'d>) -> Called<'d> {
    let inner = ["function", "custom"].into_iter().filter_map(|member| node.get(member));
    let nodes: Vec<Node<'d>> = std::iter::once(node).chain(inner).collect();
    let mut names = nodes.iter().filter_map(|n| n.get("name")?.text());
    // With several names, nobody can say which of them a client goes by.
    let name = names.next().filter(|name| names.all(|other| other == *name)).unwrap_or_default();
    let with = ["arguments", "args", "input", "parameters"];
    let mut arguments =
        nodes.iter().flat_map(|n| with.into_iter().filter_map(|name| n.get(name))).filter(|a| !a.is_null());
    let arguments = match (arguments.next(), arguments.next()) {
        (None, _) => With::Nothing,
        (Some(one), None) => one.string().map_or(With::Value(one), With::Text),
        // Of two, nobody can say which: no object, and so not readable.
        (Some(_), Some(other)) => With::Value(other.items().next().unwrap_or(other)),
    };
    Called { name, kind: Cow::Borrowed(FUNCTION), arguments }
}

/// What stands in the place of a call.
fn instead(node: Node<'_>, text: &str, within: Within) -> String {
    let text = escaped(text);
    let of = node.get("type").and_then(|t| t.text());
    match of.as_deref() {
        None => format!("{{\"text\":\"{text}\"}}"),
        Some("tool_use") => format!("{{\"type\":\"text\",\"text\":\"{text}\"}}"),
        Some(_) if within == Within::Steps => {
            format!("{{\"type\":\"model_output\",\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}")
        }
        Some(_) if within == Within::Output => {
            let id = node.get("id").and_then(|id| id.text()).unwrap_or_default();
            format!(
                "{{\"type\":\"message\",\"id\":\"{}\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":\
                 [{{\"type\":\"output_text\",\"text\":\"{text}\",\"annotations\":[]}}]}}",
                escaped(&message_id(&id))
            )
        }
        Some(_) => format!("{{\"type\":\"text\",\"text\":\"{text}\"}}"),
    }
}

/// The id of the message that stands in the place of the call with this id, in OpenAI's responses.
pub fn message_id(call: &str) -> String {
    format!("msg_{}", call.strip_prefix("fc_").unwrap_or(call))
}

/// An answer that ended because of its calls, of which none is left, ended by itself.
pub fn finish(node: Node<'_>) -> Vec<(Range<usize>, String)> {
    let reasons = ["finish_reason", "stop_reason", "stopReason"].into_iter().filter_map(|name| node.get(name));
    let ended = |reason: Node<'_>| {
        let instead = match reason.text()?.as_ref() {
            "tool_calls" | "function_call" => "\"stop\"",
            "tool_use" => "\"end_turn\"",
            "TOOL_CALL" => "\"COMPLETE\"",
            _ => return None,
        };
        Some((reason.span(), instead.to_owned()))
    };
    reasons.filter_map(ended).collect()
}

#[cfg(test)]
#[path = "called_tests.rs"]
mod tests;
