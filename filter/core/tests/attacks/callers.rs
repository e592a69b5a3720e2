//! What callers try.

use super::*;
use doorward_core::engine::Worker;
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};

#[test]
fn text_that_is_called_bytes_is_scanned() {
    // Base64's letters, and lines of them: a model reads them as they stand.
    let text = format!("{}\n4556-7375-8689-9855\n", "A".repeat(64));
    let media =
        json!({"access": [{"id": "all", "effect": "allow", "media": ["image", "file", "document", "audio", "video"]}]});
    let more = merged(&masking(), &media);
    let call = |input: Value| {
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "assistant", "content": [
            {"type": "tool_use", "id": "t", "name": "n", "input": input}]}]})
    };
    let tool = |schema: Value| json!({"model": "m-1", "max_tokens": 1, "messages": [], "tools": [{"name": "n", "input_schema": schema}]});
    for body in [
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": format!("data:image/png;base64,{text}")}]}),
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text", "text": format!("data:x/y;base64,{text}")}]}]}),
        call(json!({"images": [text]})),
        call(json!({"x": {"image": {"source": {"bytes": text}}}})),
        tool(json!({"enum": [{"inlineData": {"mimeType": "image/png", "data": text}}]})),
    ] {
        let played = ask("anthropic", &more, "/v1/messages", &body);
        assert!(!played.upstream_text().contains("4556-7375"), "{body}");
    }
}

#[test]
fn a_tool_result_is_text_whatever_its_members_are_called() {
    let text = format!("{}\n4556-7375-8689-9855\n", "A".repeat(64));
    let more = merged(&masking(), &json!({"access": [{"id": "all", "effect": "allow", "media": ["image"]}]}));
    let body = json!({"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"images": [text]}}}]}]});
    let played = ask("gcp.gemini", &more, "/v1beta/models/m-1:generateContent", &body);
    assert!(!played.upstream_text().contains("4556-7375"), "{}", played.upstream_text());
}

#[test]
fn an_agent_beside_a_model_is_refused() {
    let body = json!({"model": "m-1", "agent": "other-1", "input": "x", "store": false});
    let played = ask("gcp.gemini", &json!({}), "/v1beta/interactions", &body);
    assert_eq!(played.upstream, None, "{}", played.upstream_text());
    let body = json!({"agent_id": "m-1", "model": "other-1", "messages": []});
    let played = ask("mistral_ai", &json!({}), "/v1/agents/completions", &body);
    assert_eq!(played.upstream, None, "{}", played.upstream_text());
}

#[test]
fn another_model_does_not_hide_in_an_extra_body() {
    for extra in
        [json!({"model": "other-1"}), json!({"MAX_TOKENS": 9}), json!({"store": true}), json!({"models": ["x"]})]
    {
        let played = ask("openai", &json!({}), CHAT, &chat(&json!({"extra_body": extra})));
        assert_eq!(played.upstream, None, "{extra}");
    }
    let gemini = json!({"extra_body": {"google": {"thinking_config": {"thinking_budget": 1}}}});
    assert!(ask("openai", &json!({}), CHAT, &chat(&gemini)).upstream.is_some());
}

#[test]
fn what_the_provider_keeps_is_state_however_it_is_named() {
    for (provider, path, body) in [
        (
            "openai",
            "/v1/responses",
            json!({"model": "m-1", "store": false, "input": [{"type": "item_reference", "id": "msg_1"}]}),
        ),
        ("openai", "/v1/responses", json!({"model": "m-1", "store": false, "input": [{"id": "msg_1"}]})),
        (
            "gcp.gemini",
            "/v1beta/interactions",
            json!({"model": "m-1", "store": false, "input": "x", "previousInteractionId": "i"}),
        ),
    ] {
        assert_eq!(ask(provider, &json!({}), path, &body).reason(), "state.not_allowed", "{body}");
    }
}

#[test]
fn a_realtime_session_is_with_an_allowed_model() {
    let more = json!({"access": [{"id": "rt", "effect": "allow", "operations": "realtime", "models": "m-1"}]});
    let engine = engine(&policy("openai", &more));
    let fields = [("upgrade", "websocket"), ("connection", "upgrade")];
    let run = |path: &str| support::play_with(&engine, "GET", path, &fields, "", None).upstream.is_some();
    assert!(run("/v1/realtime?model=m-1"));
    assert!(!run("/v1/realtime?model=other"));
    assert!(!run("/v1/realtime?model=m-1&model=other"));
    assert!(!run("/v1/realtime"));
}

/// The statuses of the answers to two requests under a limit of one; `None` for one that goes on.
fn twice(policy: &Value, fields: &[(&str, &str)]) -> [Option<u16>; 2] {
    let engine = engine(policy);
    let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
    worker.start(&engine, &mut host).unwrap();
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
    let headers: Headers = fields.iter().copied().collect();
    [1, 2].map(|id| {
        let mut effects = Vec::new();
        let event = Event::Head { side: Side::Request, headers: &headers, end: false };
        let at = Time(1_800_000_000_000_000_000);
        let _ = Exchange::new(id).on(event, at, &engine, &mut worker, &mut host, &mut effects);
        effects.iter().find_map(|e| if let Effect::Reply(reply) = e { Some(reply.status) } else { None })
    })
}

#[test]
fn a_realtime_session_counts_as_a_request() {
    let more = json!({"access": [{"id": "rt", "effect": "allow", "operations": "realtime"}],
        "limits": [{"id": "once", "requests": 1, "window": "60s"}]});
    let fields = [(":method", "GET"), (":path", "/v1/realtime"), ("upgrade", "websocket")];
    assert_eq!(twice(&policy("openai", &more), &fields), [None, Some(429)]);
}

#[test]
fn what_passes_on_unknown_paths_counts_as_a_request() {
    let mut policy = policy("openai", &json!({"limits": [{"id": "once", "requests": 1, "window": "60s"}]}));
    let fields = [(":method", "POST"), (":path", "/v1/never-heard-of")];
    assert_eq!(twice(&policy, &fields), [Some(403), Some(403)]);
    policy["targets"][0]["unknown_paths"] = json!("pass");
    assert_eq!(twice(&policy, &fields), [None, Some(429)]);
}
