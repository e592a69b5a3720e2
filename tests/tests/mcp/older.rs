//! The HTTP+SSE transport of version 2024-11-05, with the official SDK on both sides: off by default; switched on, callers see and call what is
//! theirs, and nobody speaks into another's stream.

use doorward_e2e::client::Request;
use doorward_e2e::governed::{World, code, post};
use serde_json::{Value, json};

use crate::{Server, visit, world};

const VERSIONS: [&str; 2] = ["2024-11-05", "2025-06-18"];

async fn sse(server: &Server) -> World {
    let mut world = world(server).await;
    world.policy["targets"][0]["transport"] = json!("sse");
    world
}

async fn callers_see_and_call_what_is_theirs(world: World, server: &Server) {
    let gate = world.gate().await;
    let (reader, writer) = (world.token("rita", &["readers"]), world.token("willy", &["writers"]));
    let caller = |version: &str, token: &str| {
        json!({"url": gate.url("/sse"), "sse": true, "token": token, "version": version, "steps": [
            ["tools", {}],
            ["call", {"name": "read_file", "arguments": {"path": "/a"}}],
            ["call", {"name": "read_slowly", "arguments": {"steps": 3}}],
            // A refused POST is over for this SDK: it tells nobody, and sends nothing more.
            ["call", {"name": "write_file", "arguments": {"path": "/a", "text": "abc"}}],
        ], "patience": 5})
    };
    let reading = |version| caller(version, &reader);
    let callers: Vec<Value> =
        VERSIONS.iter().flat_map(|version| [reading(version), caller(version, &writer)]).collect();
    for (i, outcome) in visit(&callers).await.into_iter().enumerate() {
        let (version, reads) = (VERSIONS[i / 2], i % 2 == 0);
        assert_eq!(outcome["version"], version, "{outcome:#}");
        let steps = outcome["steps"].as_array().expect("steps");
        let seen =
            if reads { json!(["read_file", "read_slowly"]) } else { json!(["read_file", "read_slowly", "write_file"]) };
        assert_eq!(steps[0]["ok"], seen, "{version}: {steps:#?}");
        assert_eq!(steps[1]["ok"]["text"], json!(["/a: pay with [CREDIT_CARD]"]), "{version}: {steps:#?}");
        assert_eq!(steps[2]["ok"]["told"], json!(["step 1", "step 2", "step 3"]), "{version}: {steps:#?}");
        match reads {
            true => assert!(steps[3]["error"].is_i64() && steps[3]["ok"].is_null(), "{version}: {steps:#?}"),
            false => assert_eq!(steps[3]["ok"]["text"], json!(["/a: 3 characters"]), "{version}: {steps:#?}"),
        }
    }
    let ran = server.ran();
    let times = |tool: &str| ran.iter().filter(|line| line["ran"] == tool).count();
    assert_eq!((times("read_file"), times("write_file"), times("read_slowly")), (4, 2, 4));
}

#[tokio::test]
async fn callers_see_and_call_what_is_theirs_over_the_older_transport() {
    let server = Server::start(&json!({"sse": true})).await;
    callers_see_and_call_what_is_theirs(sse(&server).await, &server).await;
}

#[tokio::test]
async fn callers_see_and_call_what_is_theirs_over_the_older_transport_in_flow_mode() {
    let server = Server::start(&json!({"sse": true})).await;
    callers_see_and_call_what_is_theirs(sse(&server).await.flow().workers(4), &server).await;
}

#[tokio::test]
async fn nobody_speaks_into_anothers_stream() {
    let server = Server::start(&json!({"sse": true})).await;
    let world = sse(&server).await;
    let gate = world.gate().await;
    let (rita, willy) = (world.token("rita", &["readers"]), world.token("willy", &["writers"]));
    let mut stream = gate.connect().await;
    stream.send(&Request::get("/sse").bearer(&rita).header("accept", "text/event-stream")).await;
    let mut told = String::new();
    let mut answer = stream.begin_answer("GET").await.expect("an answer");
    while !told.contains("\r\n\r\n") {
        told.push_str(&String::from_utf8(answer.piece().await.expect("an event")).expect("text"));
    }
    let address = told.lines().find_map(|line| line.strip_prefix("data: ")).expect("an address").to_owned();
    let (own, tag) = address.rsplit_once("&doorward=").expect("a tag");
    assert!(own.starts_with("/messages/?session_id=") && tag.len() == 22, "{address}");
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2024-11-05",
        "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}})
    .to_string();
    // Whoever may do more may not do it there either.
    for (token, path) in [(&willy, address.as_str()), (&rita, own), (&willy, own)] {
        let refused = gate.call(&post(path, token, hello.clone())).await;
        assert_eq!((refused.status, code(&refused).as_str()), (404, "mcp.session"), "{path}");
    }
    let write =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "write_file", "arguments": {}}});
    let refused = gate.call(&post(&address, &rita, write.to_string())).await;
    assert_eq!((refused.status, code(&refused).as_str()), (403, "tool.not_allowed"));
    let taken = gate.call(&post(&address, &rita, hello)).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    let piece = String::from_utf8(answer.piece().await.expect("an event")).expect("text");
    assert!(piece.contains("\"serverInfo\""), "{piece}");
}

#[tokio::test]
async fn it_is_off_by_default() {
    let server = Server::start(&json!({"sse": true})).await;
    let world = world(&server).await;
    let gate = world.gate().await;
    let token = world.token("willy", &["writers"]);
    // The server would keep the stream open for ever.
    let opened = gate.call(&Request::get("/sse").bearer(&token).header("accept", "text/event-stream")).await;
    assert!(opened.cut.is_some(), "{opened:?}");
    assert!(!String::from_utf8_lossy(&opened.body).contains("messages"), "{opened:?}");
    let line = gate.log_line(&opened).await;
    assert_eq!(line["doorward.reason"], "answer.unscannable", "{line:#}");
}
