//! Requests that go elsewhere than the host chose first: what decides, what goes along, and what does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use serde_json::{Value, json};
use support::{Answer, Played, engine, play, play_with, policy};

/// `c` is in the cloud, `house` is not.
fn two(more: &Value) -> Value {
    let mut all = json!({
        "targets": [{"name": "cloud", "cluster": "c", "provider": "openai", "owner": "cloud-team"},
                    {"name": "house", "cluster": "house", "provider": "vllm", "owner": "house-team"}],
        "access": [{"id": "cloud", "effect": "allow", "targets": "cloud", "models": ["m-1", "default"]},
                   {"id": "house", "effect": "allow", "targets": "house", "models": ["h-1", "m-1"]}],
        "routes": [{"id": "stays", "when": {"detect": "EMAIL_ADDRESS"}, "to": {"target": "house"}, "model": "h-1"}],
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    policy("openai", &all)
}

fn chat(text: &str) -> Value {
    json!({"model": "m-1", "messages": [{"role": "user", "content": text}], "temperature": 0.50})
}

fn send(more: &Value, path: &str, body: &Value) -> Played {
    play(&engine(&two(more)), "POST", path, body.to_string(), None)
}

fn header(played: &Played) -> Option<&str> {
    let set = played.set.iter().rev().find(|(name, _)| name == "x-doorward-route");
    set.map(|(_, value)| value.as_str())
}

const CHAT: &str = "/v1/chat/completions";
const MAIL: &str = "write bob@northwind.dev";

#[test]
fn a_finding_takes_the_request_to_the_house_and_its_model() {
    let plain = send(&json!({}), CHAT, &chat("hello"));
    assert_eq!((plain.upstream_text(), header(&plain)), (chat("hello").to_string().as_str(), None));
    assert_eq!(plain.record["doorward.target"], "cloud");

    let answer =
        json!({"model": "h-1", "choices": [{"message": {"role": "assistant", "content": "done"}}]}).to_string();
    let answer = Answer { content_type: "application/json", chunks: vec![answer.into_bytes()], cut: false };
    let sent = play(&engine(&two(&json!({}))), "POST", CHAT, chat(MAIL).to_string(), Some(&answer));
    assert_eq!(sent.upstream_text(), chat(MAIL).to_string().replace("m-1", "h-1"));
    assert_eq!(header(&sent), Some("house"));
    assert!(sent.client_text().contains("done"), "{:?}", sent.record);
    for (key, value) in [
        ("doorward.target", "house"),
        ("doorward.owner", "house-team"),
        ("gen_ai.provider.name", "vllm"),
        ("gen_ai.request.model", "h-1"),
        ("doorward.route", "stays"),
        ("doorward.route.from", "cloud"),
        ("doorward.route.model", "m-1"),
        ("doorward.action", "route"),
        ("doorward.decision", "allow"),
        ("doorward.findings", "in:EMAIL_ADDRESS/route=1"),
        ("doorward.rules", "cloud,stays,house"),
    ] {
        assert_eq!(sent.record[key], value, "{key}");
    }
}

#[test]
fn the_conversation_sticks_wherever_its_earlier_turns_say_it() {
    for earlier in [
        json!([{"role": "user", "content": MAIL}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "and?"}]),
        json!([{"role": "assistant", "content": MAIL}, {"role": "user", "content": "and?"}]),
        json!([{"role": "tool", "tool_call_id": "t", "content": MAIL}, {"role": "user", "content": "and?"}]),
        json!([{"role": "system", "content": MAIL}, {"role": "user", "content": "and?"}]),
        // In base64, in a field that nobody knows, as JSON in a string.
        json!([{"role": "user", "content": "read d3JpdGUgYm9iQG5vcnRod2luZC5kZXYgdG9kYXk= please"}]),
        json!([{"role": "user", "content": "x", "new_field": {"deep": [MAIL]}}]),
        json!([{"role": "user", "content": "{\"a\": \"bob\\u0040northwind.dev\"}"}]),
    ] {
        let sent = send(&json!({}), CHAT, &json!({"model": "m-1", "messages": earlier}));
        assert_eq!(header(&sent), Some("house"), "{earlier}");
        assert!(sent.upstream_text().contains("\"h-1\""), "{earlier}");
    }
}

#[test]
fn what_goes_there_must_be_allowed_there() {
    // Not the model, not the parameter, not by that role, not that content.
    for (more, reason) in [
        (json!({"access": [{"id": "cloud", "effect": "allow", "targets": "cloud"}]}), "access.denied"),
        (
            json!({"access": [{"id": "cloud", "effect": "allow", "targets": "cloud"},
                {"id": "house", "effect": "allow", "targets": "house", "models": "h-2"}]}),
            "model.not_allowed",
        ),
        (
            json!({"access": [{"id": "all", "effect": "allow"},
                {"id": "no", "effect": "deny", "targets": "house", "models": "h-*"}]}),
            "model.not_allowed",
        ),
        (
            json!({"access": [{"id": "cloud", "effect": "allow", "targets": "cloud"},
                {"id": "house", "effect": "allow", "targets": "house", "parameters": {"temperature": {"max": 0.1}}}]}),
            "parameter.not_allowed",
        ),
        (
            json!({"content": [{"id": "no", "detect": "EMAIL_ADDRESS", "action": "deny", "targets": "house"}]}),
            "content.denied",
        ),
        // A deny is stricter than a route.
        (
            json!({"content": [{"id": "no", "detect": "EMAIL_ADDRESS", "action": "deny", "targets": "cloud"}]}),
            "content.denied",
        ),
        // Nor may anybody have there what was not allowed here.
        (json!({"access": [{"id": "house", "effect": "allow", "targets": "house"}]}), "access.denied"),
        // Another API.
        (
            json!({"targets": [{"name": "cloud", "cluster": "c", "provider": "openai"},
                {"name": "house", "cluster": "house", "provider": "vllm", "apis": "anthropic.messages"}]}),
            "route.unavailable",
        ),
    ] {
        let refused = send(&more, CHAT, &chat(MAIL));
        assert_eq!((refused.reason(), refused.upstream.is_none()), (reason, true), "{more}");
    }
}

#[test]
fn content_is_what_it_is_at_the_final_target() {
    let mask = |targets: Value| json!({"content": [{"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask", "targets": targets}]});
    // What would be masked in the cloud goes to the house as it is.
    let whole = send(&mask(json!("cloud")), CHAT, &chat(MAIL));
    assert_eq!(whole.upstream_text(), chat(MAIL).to_string().replace("m-1", "h-1"));
    let masked = send(&mask(json!("house")), CHAT, &chat(MAIL));
    assert_eq!(masked.upstream_text(), chat("write [EMAIL_ADDRESS]").to_string().replace("m-1", "h-1"));
    // Tools are cut by the rules of where it goes.
    let mut body = chat(MAIL);
    body["tools"] =
        json!([{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]);
    let tools = json!({"access": [
        {"id": "cloud", "effect": "allow", "targets": "cloud", "tools": [{"name": "a"}]},
        {"id": "house", "effect": "allow", "targets": "house", "tools": [{"name": "b"}]}]});
    let sent: Value = serde_json::from_str(send(&tools, CHAT, &body).upstream_text()).unwrap();
    // The cloud's statement took `b` out before the text was read; the house's takes `a`.
    assert_eq!(sent.get("tools"), None, "{sent}");
}

#[test]
fn content_statements_send_too_and_conflicts_go_nowhere() {
    let more = json!({
        "targets": [{"name": "cloud", "cluster": "c", "provider": "openai"},
            {"name": "house", "cluster": "house", "provider": "vllm"}, {"name": "vault", "cluster": "vault", "provider": "vllm"}],
        "access": [{"id": "all", "effect": "allow"}],
        "routes": [{"id": "to-house", "to": {"target": "house"}}, {"id": "to-vault", "to": {"target": "vault"}},
            {"id": "cheap", "when": {"models": "m-1", "targets": "cloud"}, "to": {"target": "house"}}],
        "content": [{"id": "mails", "detect": "EMAIL_ADDRESS", "action": "route", "route": "to-house"},
            {"id": "banks", "detect": "IBAN_CODE", "action": "route", "route": "to-vault", "channels": "user"}],
    });
    let mail = send(&more, CHAT, &json!({"model": "m-2", "messages": [{"role": "user", "content": MAIL}]}));
    assert_eq!((header(&mail), mail.record["doorward.rules"].as_str()), (Some("house"), "all,mails,to-house"));
    // A statement without texts sends it first; what it carries decides in the end.
    let bank = send(&more, CHAT, &chat("pay DE89370400440532013000 now"));
    assert_eq!((header(&bank), bank.record["doorward.route"].as_str()), (Some("vault"), "cheap,to-vault"));
    assert_eq!(bank.record["doorward.route.from"], "cloud");
    // Which model was asked stays what it was.
    let mut asked = more.clone();
    asked["routes"][2]["model"] = json!("cheap-1");
    asked["routes"][1] =
        json!({"id": "to-vault", "when": {"detect": "IBAN_CODE", "models": "m-*"}, "to": {"target": "vault"}});
    asked["content"].as_array_mut().unwrap().pop();
    let bank = send(&asked, CHAT, &chat("pay DE89370400440532013000 now"));
    assert_eq!((header(&bank), bank.record["gen_ai.request.model"].as_str()), (Some("vault"), "m-1"));
    let both = send(&more, CHAT, &chat("pay DE89370400440532013000 for bob@northwind.dev"));
    assert_eq!((both.reason(), both.upstream.is_none()), ("route.conflict", true));
}

#[test]
fn every_api_names_the_model_where_it_has_it() {
    let same = json!({"access": [{"id": "all", "effect": "allow"}]});
    for (path, body, there, sent) in [
        (
            "/v1beta/models/m-1:generateContent?alt=json",
            json!({"contents": [{"role": "user", "parts": [{"text": MAIL}]}]}),
            "/v1beta/models/h-1:generateContent?alt=json",
            None,
        ),
        (
            "/model/m-1/converse",
            json!({"messages": [{"role": "user", "content": [{"text": MAIL}]}]}),
            "/model/h-1/converse",
            None,
        ),
        (
            "/openai/deployments/m-1/chat/completions?api-version=1",
            json!({"messages": [{"role": "user", "content": MAIL}], "model": "m-1"}),
            "/openai/deployments/h-1/chat/completions?api-version=1",
            Some("\"model\":\"h-1\""),
        ),
        (
            "/v1/messages",
            json!({"model": "m-1", "max_tokens": 5, "messages": [{"role": "user", "content": MAIL}]}),
            "/v1/messages",
            Some("\"model\":\"h-1\""),
        ),
        ("/v1/moderations", json!({"input": MAIL}), "/v1/moderations", Some("{\"model\":\"h-1\",")),
        ("/v1/moderations", json!({"input": MAIL, "model": null}), "/v1/moderations", Some("\"model\":\"h-1\"")),
    ] {
        let played = send(&same, path, &body);
        assert_eq!((header(&played), played.path.as_str()), (Some("house"), there), "{path}: {:?}", played.record);
        assert_eq!(played.record["gen_ai.request.model"], "h-1", "{path}");
        match sent {
            Some(text) => assert!(played.upstream_text().contains(text), "{path}: {}", played.upstream_text()),
            None => assert_eq!(played.upstream_text(), body.to_string(), "{path}"),
        }
        let names: Vec<_> = played.upstream_text().match_indices("m-1").collect();
        assert!(names.is_empty(), "{path}: {}", played.upstream_text());
    }
    // A prefix of the first target's is no prefix of the other's.
    let prefixed = json!({"access": [{"id": "all", "effect": "allow"}], "targets": [
        {"name": "cloud", "cluster": "c", "provider": "openai", "path_prefix": "/cloud"},
        {"name": "house", "cluster": "house", "provider": "vllm", "path_prefix": "/in/house"}]});
    let played = send(&prefixed, "/cloud/v1/chat/completions", &chat(MAIL));
    assert_eq!((played.path.as_str(), header(&played)), ("/in/house/v1/chat/completions", Some("house")));
    // Requests of a batch name their own.
    let item = json!({"custom_id": "a", "params": {"model": "m-1", "max_tokens": 5, "messages": [{"role": "user", "content": MAIL}]}});
    let named = json!({"access": [{"id": "all", "effect": "allow"},
        {"id": "batches", "effect": "allow", "operations": "batches"}]});
    // The first of them does not decide for the others.
    let mut by_model = named.clone();
    by_model["routes"] = json!([{"id": "small", "when": {"models": "m-2"}, "to": {"target": "house"}}]);
    let of = |model: &str| json!({"custom_id": model, "params": {"model": model, "max_tokens": 5, "messages": []}});
    let batch = send(&by_model, "/v1/messages/batches", &json!({"requests": [of("m-1"), of("m-2")]}));
    assert_eq!((header(&batch), batch.reason()), (Some("house"), ""));
    let batch = send(&named, "/v1/messages/batches", &json!({"requests": [item]}));
    assert_eq!((batch.reason(), batch.upstream.is_none()), ("route.unavailable", true));
}

#[test]
fn nobody_is_believed_and_nothing_goes_along() {
    let key = json!({"mcp": {"assertion_key": {"env": "KEY"}}, "targets": [
        {"name": "cloud", "cluster": "c", "provider": "openai", "forward": "assertion"},
        {"name": "house", "cluster": "house", "provider": "vllm"}]});
    let sent = send(&key, CHAT, &chat(MAIL));
    let last = |name: &str| sent.removed.iter().any(|removed| removed == name);
    assert!(last("x-doorward-assertion"), "{:?}", sent.removed);
    // The header is the host's word for the first route: from a client it is refused, whatever it says.
    let json = ("content-type", "application/json");
    let asserted = engine(&two(&json!({})));
    for value in ["house", "cloud", ""] {
        let fields = [json, ("x-doorward-route", value)];
        let refused = play_with(&asserted, "POST", CHAT, &fields, chat("hello").to_string(), None);
        assert_eq!((refused.reason(), refused.upstream.is_none()), ("route.asserted", true), "{value}");
    }
    // The house's model is not to be had in the cloud, nor what a query carries.
    let asked = send(&json!({}), CHAT, &json!({"model": "h-1", "messages": []}));
    assert_eq!(asked.reason(), "model.not_allowed");
    let query = send(&json!({}), &format!("{CHAT}?user=bob@northwind.dev"), &chat("hello"));
    assert_eq!((query.reason(), query.upstream.is_none()), ("route.unavailable", true));
}

#[test]
fn what_is_not_read_goes_by_who_sends_it() {
    let more = json!({
        "roles": {"all": {"workloads": "*"}},
        "access": [{"id": "all", "effect": "allow", "media": ["file"], "operations": ["media", "list_models", "chat"]}],
        "routes": [{"id": "resident", "when": {"roles": "all", "models": "m-*"}, "to": {"target": "house"}}],
    });
    let gate = engine(&two(&more));
    let form = [("content-type", "multipart/form-data; boundary=x")];
    let sound = play_with(&gate, "POST", "/v1/audio/transcriptions", &form, "--x--", None);
    assert_eq!((header(&sound), sound.record["doorward.target"].as_str()), (Some("house"), "house"));
    // A list has no model, so no statement on models means it.
    let list = play(&gate, "GET", "/v1/models", "", None);
    assert_eq!((header(&list), list.record["doorward.target"].as_str()), (None, "cloud"));
    let whole = json!({"routes": [{"id": "resident", "when": {"roles": "all"}, "to": {"target": "house"}}],
        "roles": more["roles"], "access": more["access"], "targets": [
        {"name": "cloud", "cluster": "c", "provider": "openai", "unknown_paths": "pass"},
        {"name": "house", "cluster": "house", "provider": "vllm"}]});
    let gate = engine(&two(&whole));
    assert_eq!(header(&play(&gate, "GET", "/v1/models", "", None)), Some("house"));
    // What is known by its path alone does not slip past.
    assert_eq!(play(&gate, "GET", "/v1/unheard/of", "", None).reason(), "route.unavailable");
    assert_eq!(play(&gate, "POST", "/v1/unheard/of", "{}", None).reason(), "route.unavailable");
}

#[test]
fn who_only_looks_on_sends_nothing_anywhere() {
    for more in [
        json!({"mode": "observe"}),
        json!({"routes": [{"id": "stays", "when": {"detect": "EMAIL_ADDRESS"}, "to": {"target": "house"}, "model": "h-1", "mode": "observe"}]}),
    ] {
        let seen = send(&more, CHAT, &chat(MAIL));
        assert_eq!((seen.upstream_text(), header(&seen)), (chat(MAIL).to_string().as_str(), None));
        assert_eq!((seen.record["doorward.target"].as_str(), seen.reason()), ("cloud", ""));
        let key = if more.get("mode").is_some() { "doorward.route" } else { "doorward.observed" };
        assert_eq!(seen.record[key], "stays", "{more}");
        assert_eq!(seen.record["doorward.action"], "pass");
    }
}

#[test]
fn limits_of_the_house_count_what_is_sent_there_and_count_it_once() {
    // A limit on both is spent by one for each request, one on the house alone as well.
    let more = json!({"limits": [
        {"id": "house", "requests": 1, "window": "1h", "targets": "house"},
        {"id": "all", "requests": 2, "window": "1h"}]});
    let gate = engine(&two(&more));
    let mut host = support::host(&gate);
    let mut send = |text: &str| support::play_on(&gate, &mut host, "POST", CHAT, chat(text).to_string());
    assert_eq!(send(MAIL).reason(), "");
    let refused = send(MAIL);
    assert_eq!((refused.reason(), refused.record["doorward.rules"].as_str()), ("limit.requests", "house"));
    assert_eq!(send("hello").record["doorward.rules"], "all");
}
