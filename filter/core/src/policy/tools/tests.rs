//! Tools under a policy's statements.

use serde_json::{Value, json};

use super::*;
use crate::config::{from_tree, tree_from_json};
use crate::json::{Document, Limits};
use crate::policy::document::AccessDocument;

struct Policy {
    rules: Rules,
    of: Vec<Of>,
}

fn policy(statements: Value, tool_use: Value) -> Policy {
    let read = |value: &Value| tree_from_json(&value.to_string()).unwrap();
    let documents: Vec<AccessDocument> = from_tree(&read(&statements), &Path::root()).unwrap();
    let tool_use: ToolUseDocument = from_tree(&read(&tool_use), &Path::root()).unwrap();
    let (mut rules, mut problems) = (Rules::new(&tool_use), Vec::new());
    let of = documents.iter().enumerate().map(|(statement, document)| {
        rules.add(statement, &document.tools, &Path::root(), &mut problems);
        let has_rules = !document.tools.0.is_empty();
        Of { statement, effect: document.effect, mode: document.mode, has_rules }
    });
    let of = of.collect();
    assert!(problems.is_empty(), "{problems:?}");
    Policy { rules, of }
}

impl Policy {
    fn offered(&self, name: &str, kind: &str) -> ToolAnswer {
        self.rules.decide(&Tool { name, kind, server: None, arguments: Arguments::Unknown }, &self.of)
    }

    fn called(&self, name: &str, arguments: &str) -> Option<ToolMiss> {
        let document = Document::parse(arguments.as_bytes(), &Limits::default()).unwrap();
        let arguments = Arguments::Known(document.root());
        self.rules.decide(&Tool { name, kind: FUNCTION, server: None, arguments }, &self.of).miss
    }
}

#[test]
fn without_rules_functions_are_allowed_and_nothing_that_a_provider_runs() {
    let policy = policy(json!([{"id": "all", "effect": "allow"}]), json!({}));
    assert_eq!(policy.offered("anything", FUNCTION).miss, None);
    assert_eq!(policy.offered("web_search", "web_search").miss, Some(ToolMiss::Tool));
    assert!(!policy.offered("anything", FUNCTION).open);
}

#[test]
fn an_allow_means_what_it_names() {
    let policy = policy(
        json!([
            {"id": "some", "effect": "allow", "tools": [{"name": ["search_*", "Send_Mail"]}, {"kind": "web_search"}]},
            {"id": "watched", "effect": "allow", "mode": "observe", "tools": {"name": "drop_*"}},
        ]),
        json!({"prefixes": "github__"}),
    );
    for (name, kind, allowed) in [
        ("search_tickets", FUNCTION, true),
        ("SEND_MAIL", FUNCTION, true),
        ("github__send_mail", FUNCTION, true),
        ("evil__send_mail", FUNCTION, false),
        ("send_mail2", FUNCTION, false),
        ("s\u{435}nd_mail", FUNCTION, false),
        ("drop_table", FUNCTION, false),
        ("web_search", "web_search", true),
        ("web_search", FUNCTION, false),
        ("search_tickets", "mcp", false),
    ] {
        assert_eq!(policy.offered(name, kind).miss.is_none(), allowed, "{name} {kind}");
    }
    assert_eq!(policy.offered("drop_table", FUNCTION).observed, [1]);
    assert_eq!(policy.offered("send_mail", FUNCTION).rules, [0]);
}

#[test]
fn a_deny_sees_through_names() {
    let policy = policy(
        json!([
            {"id": "all", "effect": "allow"},
            {"id": "no-mail", "effect": "deny", "tools": {"name": "send_mail"}},
            {"id": "no-prod", "effect": "deny", "tools": {"name": "query", "arguments": {"/db": {"glob": "prod*"}}}},
        ]),
        json!({}),
    );
    for name in [
        "send_mail",
        "Send_Mail",
        "google__send_mail",
        "mcp__google__send_mail",
        "google/send_mail",
        "google.send_mail",
        "s\u{435}nd_mail",
        "google__ｓend_mail",
        "send\u{200b}_mail",
        " send_mail ",
    ] {
        assert_eq!(policy.offered(name, FUNCTION).miss, Some(ToolMiss::Tool), "{name}");
        assert_eq!(policy.offered(name, FUNCTION).rules, [1], "{name}");
    }
    assert_eq!(policy.offered("send_mails", FUNCTION).miss, None);
    assert!(policy.offered("query", FUNCTION).open && policy.offered("query", FUNCTION).miss.is_none());
    assert_eq!(policy.called("query", r#"{"db":"staging"}"#), None);
    assert_eq!(policy.called("query", r#"{"db":"prod-1"}"#), Some(ToolMiss::Tool));
    assert_eq!(policy.called("query", r#"{"db":7}"#), Some(ToolMiss::Tool));
}

#[test]
fn arguments_decide() {
    let mail = json!({"name": "send_mail", "arguments": {"/to": {"glob": "*@acme.com", "required": true}},
        "other_arguments": "deny"});
    let policy = policy(
        json!([
            {"id": "mail", "effect": "allow", "tools": [mail]},
            {"id": "connect", "effect": "allow", "tools": [{"kind": "mcp", "servers": "*.acme.com"}]},
        ]),
        json!({}),
    );
    assert!(policy.offered("send_mail", FUNCTION).open);
    assert_eq!(policy.called("send_mail", r#"{"to":"a@acme.com"}"#), None);
    let miss = |pointer: &str| Some(ToolMiss::Argument(pointer.to_owned()));
    assert_eq!(policy.called("send_mail", r#"{"to":"a@evil.com"}"#), miss("/to"));
    assert_eq!(policy.called("send_mail", "{}"), miss("/to"));
    assert_eq!(policy.called("send_mail", r#"{"to":"a@acme.com","bcc":"a@evil.com"}"#), miss("/*"));
    let unreadable = Tool { name: "send_mail", kind: FUNCTION, server: None, arguments: Arguments::Unreadable };
    assert_eq!(policy.rules.decide(&unreadable, &policy.of).miss, miss("/"));
    for (server, allowed) in [(Some("mcp.acme.com"), true), (Some("evil.com"), false), (Some(""), false), (None, false)]
    {
        let tool = Tool { name: "mcp", kind: "mcp", server, arguments: Arguments::Unknown };
        assert_eq!(policy.rules.decide(&tool, &policy.of).miss.is_none(), allowed, "{server:?}");
    }
}
