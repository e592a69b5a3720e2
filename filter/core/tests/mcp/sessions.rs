//! Sessions belong to who opened them.

use serde_json::json;

use crate::stage::{Answer, Stage};

#[test]
fn sessions_are_their_openers() {
    for more in [json!({}), json!({"mcp": {"session_key": {"env": "KEY"}}})] {
        let mut stage = Stage::new(&more);
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
        let result = json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25"}});
        let opened = stage.post("reader", &hello, &Answer::json(&result).with("mcp-session-id", "abc.def"));
        let session = opened.client_set["mcp-session-id"].clone();
        assert!(session.starts_with("abc.def.") && session.len() == "abc.def.".len() + 22, "{session}");

        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}).to_string();
        let mut send = |caller: &str, method: &str, session: &str| {
            let body = if method == "POST" { ping.as_str() } else { "" };
            let played = stage.send(caller, method, &[("mcp-session-id", session)], body, &Answer::default());
            match &played.reply {
                None => played.upstream_set["mcp-session-id"].clone(),
                Some(reply) => format!("{} {}", reply.status, played.reason()),
            }
        };
        let (head, tag) = session.rsplit_once('.').unwrap();
        let mut other = tag.to_owned();
        let first = if other.starts_with('A') { "B" } else { "A" };
        other.replace_range(..1, first);
        for method in ["POST", "GET", "DELETE"] {
            assert_eq!(send("reader", method, &session), "abc.def", "{method}");
            assert_eq!(send("reader-2", method, &session), "404 mcp.session", "{method}");
            for forged in [
                "abc.def",
                "abc",
                "",
                &format!("{head}."),
                &format!("{head}.{other}"),
                &format!("x{session}"),
                &format!(".{tag}"),
            ] {
                assert_eq!(send("reader", method, forged), "404 mcp.session", "{method} {forged}");
            }
        }
        let twice = [("mcp-session-id", session.as_str()), ("mcp-session-id", session.as_str())];
        let played = stage.send("reader", "POST", &twice, &ping, &Answer::default());
        assert_eq!(played.reason(), "protocol.headers");
    }
}

#[test]
fn ids_that_are_none_are_withheld() {
    let mut stage = Stage::new(&json!({}));
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
    let result = Answer::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let odd = "x".repeat(1025);
    for ids in [vec!["a b"], vec!["a", "b"], vec![odd.as_str()]] {
        let answer = ids.iter().fold(result.clone(), |answer, id| answer.with("mcp-session-id", id));
        let played = stage.post("reader", &hello, &answer);
        assert_eq!((played.reason(), played.client_set.get("mcp-session-id")), ("answer.unscannable", None));
    }
}
