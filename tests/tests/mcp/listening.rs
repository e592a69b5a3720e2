//! A stream that listens ends with the token of who listens, though nothing happens on it.

use std::time::{Duration, SystemTime};

use doorward_e2e::client::Request;
use doorward_e2e::envoy::Gate;
use doorward_e2e::governed::{World, post};
use serde_json::json;

use crate::{Server, world};

/// Seconds for which the token is good, and the tolerated skew.
const LIFE: u64 = 3;
const SKEW: u64 = 1;

/// A request that listens in a session of its own.
async fn listening(gate: &Gate, token: &str) -> Request {
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let accept = "application/json, text/event-stream";
    let opened = gate.call(&post("/mcp", token, hello.to_string()).header("accept", accept)).await;
    let session = opened.fields.get("mcp-session-id").expect("a session");
    Request::get("/mcp").bearer(token).header("accept", "text/event-stream").header("mcp-session-id", session)
}

async fn a_stream_that_listens_ends_with_its_token(mut world: World) {
    world.policy["identity"]["jwt"][0]["skew"] = json!(format!("{SKEW}s"));
    let gate = world.gate().await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let short = world.idp.token("rita", json!({"groups": ["readers"], "exp": now + LIFE}));
    let long = world.token("rosa", &["readers"]);
    let other = listening(&gate, &long).await;
    let listens = listening(&gate, &short).await;
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
    let all = Duration::from_secs(LIFE + SKEW + 4);
    let (ended, still) = tokio::join!(
        tokio::time::timeout(all, async { (gate.call(&listens).await, clock()) }),
        tokio::time::timeout(all, gate.call(&other)),
    );
    let (ended, at) = ended.expect("the stream ends");
    assert!(still.is_err(), "a token that is good ends nothing: {still:?}");
    assert_eq!(ended.status, 200, "it was let listen");
    assert!(ended.cut.is_some(), "{ended:?}");
    let end = Duration::from_secs(now + LIFE + SKEW);
    assert!(at >= end && at <= end + Duration::from_secs(3), "it ended at {at:?} instead of {end:?}");
    let line = gate.log_line(&ended).await;
    let told = (&line["doorward.reason"], &line["doorward.decision"], &line["doorward.user"]);
    assert_eq!(told, (&json!("identity.expired"), &json!("deny"), &json!("rita")), "{line:#}");
    let again = gate.call(&listens).await;
    assert_eq!(again.status, 401);
}

#[tokio::test]
async fn a_stream_that_listens_ends_with_its_token_while_heads_are_held() {
    let server = Server::start(&json!({})).await;
    a_stream_that_listens_ends_with_its_token(world(&server).await).await;
}

#[tokio::test]
async fn a_stream_that_listens_ends_with_its_token_in_flow_mode() {
    let server = Server::start(&json!({})).await;
    a_stream_that_listens_ends_with_its_token(world(&server).await.flow().workers(4)).await;
}
