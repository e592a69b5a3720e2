//! The Model Context Protocol over streamable HTTP: which messages there are, and how they are read.
//!
//! A message is JSON-RPC 2.0 and one of three things: a request, a notification, or an answer to a request of the other side. What
//! servers are known to read in two ways is refused: members that only fold to one that decides, a message that is request and
//! answer at once, parameters by position.

mod headers;
mod lists;
mod returns;
mod texts;

use crate::json::{Kind, Node, fold};

pub use headers::{Heads, Unreadable, VERSIONS, Version, plain as plain_name};
pub use lists::{Listed, lists};
pub use returns::{Returns, Way};
pub use texts::{walk_body, walk_messages, walk_rest};

/// So many messages may come at once.
pub const MAX_BATCH: usize = 64;

/// Bytes of an id.
const MAX_ID: usize = 512;

/// One message.
#[derive(Clone, Copy, Debug)]
pub enum Message<'d> {
    /// Asks the other side for something.
    Request(Asking<'d>),
    /// Tells the other side something, and wants no answer.
    Notification(Asking<'d>),
    /// Answers a request of the other side.
    Answer(Answering<'d>),
}

/// A request or a notification.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'d> {
    /// The request's id, a string or a number.
    pub id: Option<Node<'d>>,
    /// What for: the node of the method's name.
    pub method: Node<'d>,
    /// With which parameters: an object.
    pub params: Option<Node<'d>>,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'d> {
    /// The request's id. An error that belongs to none has `null`, or no id.
    pub id: Option<Node<'d>>,
    /// What came of it, unless that is an error.
    pub result: Option<Node<'d>>,
}

/// Why something is no message: a sentence without anything that the caller sent.
pub type NoMessage = &'static str;

impl<'d> Message<'d> {
    /// Reads a message.
    ///
    /// # Errors
    /// It is none, or not in one way only.
    pub fn read(node: Node<'d>) -> Result<Self, NoMessage> {
        if node.kind() != Kind::Object {
            return Err("a message is no object");
        }
        exact(node, &["jsonrpc", "id", "method", "params", "result", "error"])?;
        if node.get("jsonrpc").and_then(|v| v.text()).as_deref() != Some("2.0") {
            return Err("`jsonrpc` is not \"2.0\"");
        }
        let id = node.get("id");
        let readable = id.is_none_or(|id| match id.kind() {
            Kind::String => true,
            // What is told apart as text and as a number in some servers, and not in others.
            Kind::Number => id.number().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'-')),
            Kind::Null => true,
            _ => false,
        });
        if !readable || id.is_some_and(|id| id.span().len() > MAX_ID) {
            return Err("`id` is neither a text nor a whole number, or is very long");
        }
        let id_or_null = id;
        let id = id.filter(|id| !id.is_null());
        let (result, error) = (node.get("result"), node.get("error"));
        let Some(method) = node.get("method") else {
            return match (result, error) {
                (Some(result), None) if id.is_some() => {
                    exact(result, RESULT)?;
                    Ok(Self::Answer(Answering { id, result: Some(result) }))
                }
                (Some(_), None) => Err("a `result` without an `id`"),
                (None, Some(_)) => Ok(Self::Answer(Answering { id, result: None })),
                _ => Err("a message without one of `method`, `result` and `error`"),
            };
        };
        if result.is_some() || error.is_some() {
            return Err("a message that asks and answers at once");
        }
        if !method.text().is_some_and(|name| is_method(&name)) {
            return Err("`method` is not a method's name");
        }
        let params = node.get("params");
        if let Some(params) = params {
            if params.kind() != Kind::Object {
                return Err("`params` is no object");
            }
            exact(params, PARAMS)?;
        }
        let asking = Asking { id, method, params };
        match (id_or_null, id) {
            (None, _) => Ok(Self::Notification(asking)),
            (Some(_), Some(_)) => Ok(Self::Request(asking)),
            (Some(_), None) => Err("`id` of a request is null"),
        }
    }
}

/// The results in a message, or in several in a list.
pub fn results(root: Node<'_>) -> Vec<Node<'_>> {
    let messages = if root.kind() == Kind::Array { root.items().collect() } else { vec![root] };
    messages.into_iter().filter(|message| message.get("method").is_none()).filter_map(|m| m.get("result")).collect()
}

impl<'d> Asking<'d> {
    /// The method.
    pub fn method(&self) -> String {
        self.method.text().unwrap_or_default().into_owned()
    }

    /// A parameter.
    pub fn param(&self, name: &str) -> Option<Node<'d>> {
        self.params?.get(name)
    }

    /// What the message is about, as `Mcp-Name` says it: a tool's or prompt's name, a resource's URI, a task's id.
    pub fn name(&self) -> Option<Node<'d>> {
        self.param(naming(&self.method())?)
    }
}

/// Members of parameters that decide something.
const PARAMS: &[&str] = &[
    "name",
    "arguments",
    "uri",
    "_meta",
    "ref",
    "argument",
    "inputResponses",
    "inputRequests",
    "protocolVersion",
    "task",
];

/// Members of results that decide something, to clients.
const RESULT: &[&str] = &[
    "tools",
    "resources",
    "resourceTemplates",
    "prompts",
    "content",
    "structuredContent",
    "contents",
    "messages",
    "inputRequests",
    "cacheScope",
    "task",
    "tasks",
    "taskId",
    "_meta",
];

/// Refuses a key that only folds to one that decides: some servers read it as that, others do not.
///
/// # Errors
/// There is one.
pub fn exact(node: Node<'_>, names: &[&str]) -> Result<(), NoMessage> {
    for (key, _) in node.entries() {
        let key = key.text();
        let folded = fold(&key);
        if names.iter().any(|name| *name != key && fold(name) == folded) {
            return Err("a key that some servers read as another");
        }
    }
    Ok(())
}

/// Which parameter names what a method is about.
pub fn naming(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ if method.starts_with("tasks/") => Some("taskId"),
        _ => None,
    }
}

/// What a connection lives on: whoever may say anything may say this, unless a statement denies it.
pub fn is_lifecycle(method: &str) -> bool {
    matches!(
        method,
        "initialize"
            | "ping"
            | "server/discover"
            | "notifications/initialized"
            | "notifications/cancelled"
            | "notifications/progress"
    )
}

/// Methods of the Model Context Protocol, of either side.
const METHODS: &[&str] = &[
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/cancel",
    "tasks/update",
    "roots/list",
    "sampling/createMessage",
    "elicitation/create",
];

/// Methods of Agent2Agent, in the words of its versions 0.3 and 1.0.
const A2A_METHODS: &[&str] = &[
    "message/send",
    "message/stream",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
    "SendMessage",
    "SendStreamingMessage",
    "GetTask",
    "ListTasks",
    "CancelTask",
    "SubscribeToTask",
    "CreateTaskPushNotificationConfig",
    "GetTaskPushNotificationConfig",
    "ListTaskPushNotificationConfigs",
    "DeleteTaskPushNotificationConfig",
    "GetExtendedAgentCard",
];

/// Whether a method is the protocol's. An allow that does not say which methods it means, means these.
pub fn is_known_method(method: &str) -> bool {
    METHODS.contains(&method) || A2A_METHODS.contains(&method) || method.starts_with("notifications/")
}

/// Whether a text may be a method's name, and looks like no other's: in another case a server may take it for one that has rules.
fn is_method(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.$:".contains(&b);
    let odd = || METHODS.iter().chain(A2A_METHODS).any(|known| *known != name && known.eq_ignore_ascii_case(name));
    !name.is_empty() && name.len() <= 128 && name.bytes().all(plain) && !odd()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn read(json: &str) -> Result<String, NoMessage> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        Message::read(document.root()).map(|message| match message {
            Message::Request(asking) => format!("request {}", asking.method()),
            Message::Notification(asking) => format!("notification {}", asking.method()),
            Message::Answer(Answering { result, .. }) => format!("answer {}", result.is_some()),
        })
    }

    #[test]
    fn messages_are_told_apart() {
        for (json, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "request tools/list"),
            (r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"x"}}"#, "request tools/call"),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "notification notifications/initialized"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "answer true"),
            (r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#, "answer false"),
        ] {
            assert_eq!(read(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_none() {
        for json in [
            r#"{"id":1,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.1","id":1,"method":"tools/list"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":1,"METHOD":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","ARGUMENTS":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["x"]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call ","params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/ca\u217cl","params":{"name":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":["tools/call"]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"Tools":[]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#""ping""#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
