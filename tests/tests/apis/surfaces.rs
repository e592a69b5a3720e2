//! What is known by name only, what leaves state at a provider, what cannot be read, and what is unknown.

use doorward_e2e::client::{Answer, Request};
use doorward_e2e::governed::{World, chat, post, refusal};
use doorward_e2e::providers;
use doorward_e2e::upstream::Script;
use serde_json::{Value, json};

use crate::stage::Place;

async fn openai(access: Value) -> Place {
    let world = World::of(providers::openai(), "openai").await;
    let world = if access.is_null() { world } else { world.with("access", access) };
    Place::open(world).await
}

async fn send(place: &Place, path: &str, body: &Value) -> Answer {
    place.gate.call(&post(path, &place.world.alice(), body.to_string())).await
}

/// The one statement that allows `more`.
fn allow(more: Value) -> Value {
    let mut statement = json!({"id": "all", "effect": "allow"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([statement])
}

const SURFACES: [(&str, &str, &str); 29] = [
    ("GET", "/v1/files", "files"),
    ("POST", "/v1/files", "files"),
    ("DELETE", "/v1/files/file-1", "files"),
    ("POST", "/upload/v1beta/files", "files"),
    ("POST", "/v1/uploads", "uploads"),
    ("POST", "/v1/uploads/upload-1/parts", "uploads"),
    ("POST", "/v1/batches", "batches"),
    ("GET", "/v1/batches/batch-1", "batches"),
    ("POST", "/v1/messages/batches", "batches"),
    ("POST", "/v1beta/models/gemini-3-flash:batchGenerateContent", "batches"),
    ("POST", "/v1/fine_tuning/jobs", "fine_tuning"),
    ("POST", "/v1/assistants", "assistants"),
    ("POST", "/v1/threads/thread-1/runs", "assistants"),
    ("POST", "/v1/vector_stores/store-1/search", "vector_stores"),
    ("GET", "/v1/responses/resp-1", "stored"),
    ("POST", "/v1/conversations", "stored"),
    ("POST", "/v1beta/cachedContents", "caches"),
    ("POST", "/v1/containers", "containers"),
    ("POST", "/v1/videos", "videos"),
    ("POST", "/v1/images/edits", "media"),
    ("POST", "/v1/audio/transcriptions", "media"),
    ("GET", "/v1/realtime?model=gpt-realtime", "realtime"),
    ("POST", "/v1/realtime/client_secrets", "realtime"),
    ("POST", "/api/pull", "admin"),
    ("POST", "/api/create", "admin"),
    ("DELETE", "/api/delete", "admin"),
    ("POST", "/api/show", "admin"),
    ("HEAD", "/api/blobs/sha256:00", "admin"),
    ("GET", "/v1/organization/projects", "admin"),
];

#[tokio::test]
async fn what_is_known_by_name_only_is_denied_unless_named() {
    let place = openai(Value::Null).await;
    let token = place.world.alice();
    for (method, path, operation) in SURFACES {
        let mut request = Request::new(method, path).bearer(&token);
        if method == "POST" {
            request = request.header("content-type", "application/json").body(br#"{"model":"gpt-5-mini"}"#);
        }
        let answer = place.gate.call(&request).await;
        if method == "HEAD" {
            assert_eq!(answer.status, 403);
            continue;
        }
        let line = refusal(&place.gate, &answer, 403, "access.denied").await;
        assert!(answer.text().contains(&format!("`{operation}`")), "{path}: {}", answer.text());
        assert_eq!(line["gen_ai.operation.name"], operation, "{path}");
    }
    assert_eq!(place.world.upstream.count(), 0);

    let access = json!([{"id": "models", "effect": "allow", "models": "gpt-*"},
        {"id": "files", "effect": "allow", "operations": "files"}]);
    let place = openai(access).await;
    let list = json!({"object": "list", "data": [{"id": "file-1", "filename": "a.txt"}]});
    place.world.upstream.on("/v1/files", Script::json(&list));
    let token = place.world.alice();
    let answer = place.gate.call(&Request::get("/v1/files").bearer(&token)).await;
    assert_eq!((answer.status, answer.json()), (200, list), "{}", answer.text());
    assert_eq!(place.gate.log_line(&answer).await["doorward.rules"], "files");
    let other = place.gate.call(&Request::get("/v1/batches").bearer(&token)).await;
    refusal(&place.gate, &other, 403, "access.denied").await;
    assert_eq!(place.world.upstream.count(), 1);
}

#[tokio::test]
async fn state_at_the_provider_must_be_allowed() {
    let place = openai(Value::Null).await;
    let response = |more: Value| {
        let mut body = json!({"model": "gpt-5-mini", "input": "hi"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let stateful = [json!({"previous_response_id": "resp-1"}), json!({"store": true}), json!({"conversation": "c-1"})];
    for more in &stateful {
        let answer = send(&place, "/v1/responses", &response(more.clone())).await;
        refusal(&place.gate, &answer, 403, "state.not_allowed").await;
        let name = more.as_object().unwrap().keys().next().unwrap();
        assert!(answer.text().contains(&format!("`{name}`")), "{}", answer.text());
    }
    assert_eq!(place.world.upstream.count(), 0);
    // Who says nothing leaves nothing behind.
    assert_eq!(send(&place, "/v1/responses", &response(json!({}))).await.status, 200);
    let seen = place.world.upstream.request(0).await.json();
    assert_eq!((&seen["store"], &seen["input"]), (&json!(false), &json!("hi")));

    let place = openai(allow(json!({"models": "gpt-*", "stateful": true}))).await;
    for (n, more) in stateful.into_iter().chain([json!({})]).enumerate() {
        let body = response(more);
        assert_eq!(send(&place, "/v1/responses", &body).await.status, 200, "{body}");
        assert_eq!(place.world.upstream.request(n).await.text(), body.to_string());
    }
}

#[tokio::test]
async fn what_cannot_be_read_must_be_allowed() {
    let mut body = chat("gpt-5-mini", "");
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}});
    body["messages"][0]["content"] = json!([{"type": "text", "text": "what is this"}, image]);
    let place = openai(Value::Null).await;
    let answer = send(&place, "/v1/chat/completions", &body).await;
    refusal(&place.gate, &answer, 403, "media.not_allowed").await;
    assert!(answer.text().contains("`image`"), "{}", answer.text());
    assert_eq!(place.world.upstream.count(), 0);

    let place = openai(allow(json!({"models": "gpt-*", "media": "image"}))).await;
    let answer = send(&place, "/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(place.world.upstream.request(0).await.text(), body.to_string());
}

#[tokio::test]
async fn unknown_paths_pass_only_where_the_target_says_so() {
    let body = json!({"model": "gpt-5-mini"});
    let place = openai(Value::Null).await;
    let answer = send(&place, "/v1/novelties", &body).await;
    refusal(&place.gate, &answer, 403, "protocol.unknown_path").await;
    assert_eq!(place.world.upstream.count(), 0);

    let mut world = World::of(providers::openai(), "openai").await;
    world.policy["targets"][0]["unknown_paths"] = json!("pass");
    world.upstream.on("/v1/novelties", Script::json(&json!({"new": true})));
    let place = Place::open(world).await;
    let answer = send(&place, "/v1/novelties", &body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"new": true})));
    assert_eq!(place.world.upstream.request(0).await.text(), body.to_string());
    let line = place.gate.log_line(&answer).await;
    assert_eq!(
        (&line["doorward.decision"], &line["doorward.notes"]),
        (&json!("allow"), &json!("protocol.unknown_path"))
    );
}
