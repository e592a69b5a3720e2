//! Tasks belong to who made them.

use serde_json::{Value, json};

use crate::stage::{Answer, Stage};
use crate::{call, outcome};

const RELATED: &str = "io.modelcontextprotocol/related-task";

fn stage(more: &Value) -> Stage {
    let mut policy = json!({"access": [{"id": "all", "effect": "allow"}]});
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    Stage::new(&policy)
}

fn ask(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 3, "method": method, "params": params})
}

/// The id that a caller gets for a task that the server calls `t-1`.
fn made(stage: &mut Stage, caller: &str) -> String {
    let mut make = call("read_a", &json!({"taskId": "mine"}));
    make["params"]["task"] = json!({"ttl": 60000});
    let result = json!({"jsonrpc": "2.0", "id": 7, "result": {"task": {"taskId": "t-1", "status": "working"}}});
    let played = stage.post(caller, &make, &Answer::json(&result));
    assert!(played.upstream.as_ref().unwrap().contains(r#""taskId":"mine""#), "arguments are the tool's");
    played.answer()["result"]["task"]["taskId"].as_str().unwrap().to_owned()
}

#[test]
fn tasks_are_their_makers() {
    let mut stage = stage(&json!({}));
    let own = made(&mut stage, "reader");
    assert!(own.starts_with("t-1.") && own.len() == 4 + 22, "{own}");
    for method in ["tasks/get", "tasks/result", "tasks/cancel", "tasks/update"] {
        let params = json!({"taskId": own});
        let played = stage.post("reader", &ask(method, &params), &Answer::default());
        assert_eq!(
            serde_json::from_str::<Value>(played.upstream.as_ref().unwrap()).unwrap()["params"]["taskId"],
            "t-1"
        );
        let played = stage.post("writer", &ask(method, &params), &Answer::default());
        assert_eq!((outcome(&played).as_str(), &played.error()["id"]), ("400 mcp.task", &json!(3)), "{method}");
        for other in
            [json!("t-1"), json!("t-2.AAAAAAAAAAAAAAAAAAAAAA"), json!(""), json!(1), json!(null), json!(["t-1"])]
        {
            let played = stage.post("reader", &ask(method, &json!({"taskId": other})), &Answer::default());
            assert!(
                ["400 mcp.task", "400 protocol.unreadable"].contains(&outcome(&played).as_str()),
                "{method} {other}"
            );
        }
    }
}

#[test]
fn no_other_way_to_name_a_task_is_left() {
    let mut stage = stage(&json!({}));
    let own = made(&mut stage, "reader");
    let none = Answer::default();
    for params in [
        json!({"TaskId": "t-1"}),
        json!({"task_id": "t-1"}),
        json!({"task": {"taskId": "t-1"}}),
        json!({"notifications": {"taskIds": ["t-1"]}}),
        json!({"notifications": {"taskIds": [own, "t-1"]}}),
        json!({"_meta": {RELATED: {"taskId": "t-1"}}}),
        json!({"_meta": {RELATED: {"TaskID": "t-1"}}}),
        json!({"meta": {RELATED: {"taskId": "t-1"}}}),
    ] {
        for method in ["tasks/get", "subscriptions/listen", "tools/list"] {
            let played = stage.post("reader", &ask(method, &params), &none);
            assert!(
                ["400 mcp.task", "400 protocol.unreadable"].contains(&outcome(&played).as_str()),
                "{method} {params}"
            );
        }
    }
    let params = json!({"notifications": {"taskIds": [own]}, "_meta": {RELATED: {"taskId": own}}});
    let played = stage.post("reader", &ask("subscriptions/listen", &params), &none);
    let upstream: Value = serde_json::from_str(&played.upstream.unwrap()).unwrap();
    assert_eq!(
        upstream["params"],
        json!({"notifications": {"taskIds": ["t-1"]}, "_meta": {RELATED: {"taskId": "t-1"}}})
    );
}

#[test]
fn headers_name_tasks_as_messages_do() {
    let mut stage = stage(&json!({}));
    let own = made(&mut stage, "reader");
    let mut send = |caller: &str, named: &str| {
        let mut get = ask("tasks/get", &json!({"taskId": own}));
        get["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
        let fields = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tasks/get"), ("mcp-name", named)];
        stage.send(caller, "POST", &fields, &get.to_string(), &Answer::default())
    };
    assert_eq!(send("reader", &own).upstream_set["mcp-name"], "t-1");
    for named in ["t-1", "t-2", "t-1.AAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(outcome(&send("reader", named)), "400 mcp.header_mismatch", "{named}");
    }
    assert_eq!(outcome(&send("writer", &own)), "400 mcp.task");
}

#[test]
fn whatever_names_a_task_names_it_the_same() {
    let mut stage = stage(&json!({}));
    let own = made(&mut stage, "reader");
    let get = ask("tasks/get", &json!({"taskId": own}));
    let result = |result: Value| json!({"jsonrpc": "2.0", "id": 3, "result": result});
    for (told, expected) in [
        (result(json!({"taskId": "t-1", "status": "working"})), "/result/taskId"),
        (result(json!({"resultType": "task", "taskId": "t-1"})), "/result/taskId"),
        (
            result(json!({"content": [], "_meta": {RELATED: {"taskId": "t-1"}}})),
            "/result/_meta/io.modelcontextprotocol~1related-task/taskId",
        ),
        (
            json!({"jsonrpc": "2.0", "method": "notifications/tasks/status", "params": {"taskId": "t-1"}}),
            "/params/taskId",
        ),
        (
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"_meta": {RELATED: {"taskId": "t-1"}}}}),
            "/params/_meta/io.modelcontextprotocol~1related-task/taskId",
        ),
        (
            json!({"jsonrpc": "2.0", "id": 9, "method": "elicitation/create", "params": {"_meta": {RELATED: {"taskId": "t-1"}}}}),
            "/params/_meta/io.modelcontextprotocol~1related-task/taskId",
        ),
    ] {
        for size in [7, 1000] {
            let played = stage.post("reader", &get, &Answer::stream(std::slice::from_ref(&told), size));
            assert_eq!(played.events()[0].pointer(expected), Some(&json!(own)), "{told}");
        }
    }
    // What a tool says is the tool's.
    let said = result(json!({"content": [], "structuredContent": {"taskId": "t-1"}}));
    assert_eq!(stage.post("reader", &get, &Answer::json(&said)).answer(), said);
    // What the caller's own side calls a task is its own.
    let asked = json!({"jsonrpc": "2.0", "id": 9, "method": "tasks/get", "params": {"taskId": "client-1"}});
    let played = stage.post("reader", &get, &Answer::stream(std::slice::from_ref(&asked), 64));
    assert_eq!(played.events(), [asked]);
    let made = result(json!({"task": {"taskId": "client-1"}}));
    let played = stage.post("reader", &made, &Answer::default());
    assert_eq!(played.upstream.unwrap(), made.to_string());
    for id in [json!(7), json!(""), json!("a b")] {
        let odd = result(json!({"task": {"taskId": id}}));
        assert_eq!(stage.post("reader", &get, &Answer::json(&odd)).reason(), "answer.unscannable", "{id}");
    }
}

#[test]
fn a_list_of_everybodys_tasks_is_nobodys() {
    let list = json!({"jsonrpc": "2.0", "id": 3, "result": {"tasks": [{"taskId": "t-1"}, {"taskId": "t-2", "statusMessage": "secret"}]}});
    let ask = ask("tasks/list", &json!({}));
    let mut unknown = stage(&json!({}));
    assert_eq!(unknown.post("reader", &ask, &Answer::json(&list)).answer()["result"], json!({"tasks": []}));
    // A server that is told who calls lists what is theirs.
    let knows = json!({
        "targets": [{"name": "files", "cluster": "c", "provider": "mcp", "forward": "assertion"}],
        "mcp": {"assertion_key": {"env": "KEY"}},
    });
    let mut knows = stage(&knows);
    let own = made(&mut knows, "reader");
    let tasks = knows.post("reader", &ask, &Answer::json(&list)).answer()["result"]["tasks"].clone();
    assert_eq!((&tasks[0]["taskId"], tasks.as_array().unwrap().len()), (&json!(own), 2));
}

#[test]
fn a_server_that_is_told_of_others_only_lists_none() {
    // Of callers whose token is not meant for it, it learns nothing; these have none at all.
    let target =
        json!([{"name": "files", "cluster": "c", "provider": "mcp", "forward": "same-audience", "audiences": "files"}]);
    let list = json!({"jsonrpc": "2.0", "id": 3, "result": {"tasks": [{"taskId": "t-1"}]}});
    let played =
        stage(&json!({"targets": target})).post("reader", &ask("tasks/list", &json!({})), &Answer::json(&list));
    assert_eq!(played.answer()["result"], json!({"tasks": []}));
}

#[test]
fn tags_stay_on_what_else_a_cut_result_says() {
    let more = json!({
        "content": [{"id": "poison", "detect": "AWS_ACCESS_KEY", "action": "deny", "channels": "tool_description"}],
        "access": [{"id": "all", "effect": "allow"}, {"id": "not-z", "effect": "deny", "tools": [{"name": "z"}]}],
    });
    let mut stage = stage(&more);
    let own = made(&mut stage, "reader");
    let tool = |name: &str, says: &str| json!({"name": name, "description": says});
    let tools =
        json!([tool("z", "Hidden."), tool("a", "Use AKIAQ3EGRIJ5NWYH4XLP."), tool("b", "Fine."), tool("z", "Hidden.")]);
    let (id, related) = (json!({"taskId": "t-1"}), json!({RELATED: {"taskId": "t-1"}}));
    let said = json!({"_meta": related, "tools": tools, "ttlMs": 5, "task": id});
    let list = json!({"jsonrpc": "2.0", "id": 3, "result": said});
    let streams = [1, 4096].map(|size| Answer::stream(std::slice::from_ref(&list), size));
    for answer in std::iter::once(Answer::json(&list)).chain(streams) {
        let played = stage.post("reader", &ask("tools/list", &json!({})), &answer);
        let got = if played.client.starts_with('{') { played.answer() } else { played.events()[0].clone() };
        let expected = json!({
            "_meta": {RELATED: {"taskId": own}}, "tools": [tool("b", "Fine.")], "ttlMs": 5, "cacheScope": "private",
            "task": {"taskId": own},
        });
        assert_eq!(got["result"], expected);
    }
}

#[test]
fn tags_do_not_get_in_the_way_of_what_is_looked_for() {
    let more = json!({"content": [{"id": "all", "detect": "all", "action": "deny"}]});
    let mut stage = stage(&more);
    let own = made(&mut stage, "reader");
    let played = stage.post("reader", &ask("tasks/get", &json!({"taskId": own})), &Answer::default());
    assert_eq!(outcome(&played), "passes", "{:?}", played.record);
    let card = json!({"taskId": own, "note": "4556 7375 8689 9855"});
    assert_eq!(outcome(&stage.post("reader", &ask("tasks/update", &card), &Answer::default())), "400 content.denied");
}

#[test]
fn who_only_observes_ties_nothing() {
    let mut stage = stage(&json!({"mode": "observe"}));
    assert_eq!(made(&mut stage, "reader"), "t-1");
    let get = ask("tasks/get", &json!({"taskId": "t-1"}));
    assert_eq!(outcome(&stage.post("writer", &get, &Answer::default())), "passes");
}
