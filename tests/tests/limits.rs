//! Budgets on a real Envoy: calls at the same time, streams that end in every way, and what is settled for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorward_e2e::client::Answer;
use doorward_e2e::envoy::Gate;
use doorward_e2e::governed::{World, post};
use doorward_e2e::tools;
use doorward_e2e::upstream::{Ending, Handler, Script, Seen, Step};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// A model that says `words` words of one token each, one every `pace` milliseconds, and then does what the prompt says.
fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(&seen.json());
        let chunk = |delta: &Value, usage: Value| {
            let choice = json!([{"index": 0, "delta": delta, "finish_reason": null}]);
            let mut chunk = json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt-5", "choices": choice});
            if !usage.is_null() {
                chunk["choices"] = json!([]);
                chunk["usage"] = usage;
            }
            format!("data: {chunk}\n\n")
        };
        let mut script = Script::sse([chunk(&json!({"role": "assistant"}), Value::Null)]);
        for _ in 0..asked.words {
            let text = chunk(&json!({"content": "word "}), Value::Null);
            script = script.step(Step::Pause(Duration::from_millis(asked.pace))).step(Step::Data(text.into_bytes()));
        }
        match asked.end.as_str() {
            "reset" => script.ending(Ending::Reset),
            "hang" => script.ending(Ending::Hang),
            "fail" => Script::status(500),
            _ => {
                let usage = json!({"prompt_tokens": INPUT, "completion_tokens": asked.words,
                    "total_tokens": INPUT + asked.words});
                script.data(chunk(&json!({}), usage)).data("data: [DONE]\n\n")
            }
        }
    })
}

/// What the model says of every prompt.
const INPUT: u64 = 17;

struct Asked {
    words: u64,
    pace: u64,
    end: String,
}

impl Asked {
    fn of(body: &Value) -> Self {
        let text = body["messages"][0]["content"].as_str().unwrap_or_default();
        let mut parts = text.split(' ').skip(1);
        let mut number = || parts.next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let (words, pace) = (number(), number());
        Self { words, pace, end: parts.next().unwrap_or_default().to_owned() }
    }

    fn body(&self, max_tokens: u64) -> String {
        let content = format!("say {} {} {}", self.words, self.pace, self.end);
        json!({"model": "gpt-5", "stream": true, "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": content}]})
        .to_string()
    }
}

fn ask(words: u64, pace: u64, end: &str) -> Asked {
    Asked { words, pace, end: end.to_owned() }
}

async fn world(limits: Value) -> World {
    World::of(handler(), "openai").await.with("limits", limits)
}

/// What is left of every limit, by a request that the model refuses.
async fn left(world: &World, gate: &Gate, user: &str) -> BTreeMap<String, u64> {
    let answer = gate.call(&post(CHAT, &world.token(user, &[]), ask(0, 0, "fail").body(1))).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    remaining(&gate.log_line(&answer).await)
}

fn remaining(line: &Value) -> BTreeMap<String, u64> {
    let text = line["doorward.limit.remaining"].as_str().unwrap_or_default();
    text.split(',').filter_map(|part| part.split_once('=')).map(|(id, n)| (id.to_owned(), n.parse().unwrap())).collect()
}

#[tokio::test]
async fn calls_of_many_users_at_once_stay_within_every_budget_and_are_settled_to_the_token() {
    const USERS: usize = 50;
    const CALLS: usize = 4;
    const WORDS: u64 = 40;
    const MOST: u64 = 100;
    // Two calls of a user fit at a time, and 60 of all.
    let (user, all) = (2 * MOST + 50, 60 * MOST + 50);
    let world = world(json!([
        {"id": "user-out", "output_tokens": user, "window": "1h"},
        {"id": "all-out", "output_tokens": all, "window": "1h", "per": "all"},
        {"id": "all-in", "input_tokens": 1_000_000, "calendar": "month", "per": "all"},
        {"id": "user-in", "input_tokens": 1_000_000, "calendar": "month"}
    ]))
    .await
    .workers(4);
    let gate = world.gate().await;
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for i in 0..USERS * CALLS {
        let request = post(CHAT, &world.token(&format!("user-{}", i % USERS), &[]), ask(WORDS, 25, "").body(MOST));
        let mut connection = gate.connect().await;
        calls.spawn(async move { (i % USERS, connection.call(&request).await.expect("an answer")) });
    }
    let answers: Vec<(usize, Answer)> = calls.join_all().await;
    let admitted: Vec<usize> = answers.iter().filter(|(_, a)| a.status == 200).map(|(user, _)| *user).collect();
    let refused: Vec<&Answer> = answers.iter().map(|(_, a)| a).filter(|a| a.status != 200).collect();
    println!("{} of {} admitted in {:?}", admitted.len(), answers.len(), started.elapsed());
    for answer in &refused {
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert_eq!(answer.fields.get("x-doorward-reason").as_deref(), Some("limit.tokens"), "{}", answer.text());
        assert!(answer.fields.has("retry-after") && answer.fields.has("ratelimit-limit"), "{:?}", answer.fields);
    }
    assert!(!refused.is_empty() && admitted.len() >= 60, "{} admitted", admitted.len());
    assert!(admitted.len() as u64 * WORDS <= all, "{} admitted", admitted.len());
    for user_of in 0..USERS {
        let own = admitted.iter().filter(|u| **u == user_of).count() as u64;
        assert!(own * WORDS <= user, "user {user_of}: {own} admitted");
    }
    // Every call that went on reached the model, and no other did.
    assert_eq!(world.upstream.count(), admitted.len());

    // What other workers have yet to settle of limits with room, they settle with their next ticks.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let now = left(&world, &gate, "somebody else").await;
    let used = admitted.len() as u64;
    assert_eq!(now["all-out"], all - used * WORDS - 1);
    // The question's own reservation is what it takes from somebody who used nothing.
    let question = 1_000_000 - now["user-in"];
    assert_eq!(1_000_000 - question - now["all-in"], used * INPUT);
}

#[tokio::test]
async fn however_a_stream_ends_what_came_is_paid_for() {
    const BUDGET: u64 = 1_000_000;
    let world = world(json!([
        {"id": "out", "output_tokens": BUDGET, "window": "1h"}, {"id": "two", "concurrent": 2}
    ]))
    .await;
    let gate = world.gate().await;
    let token = world.token("alice", &[]);
    // The filter learns how long a word is of streams that tell it.
    for _ in 0..20 {
        let answer = gate.call(&post(CHAT, &token, ask(60, 0, "").body(500))).await;
        assert_eq!(gate.log_line(&answer).await["gen_ai.usage.output_tokens"], "60");
    }
    let mut before = left(&world, &gate, "alice").await["out"];
    assert_eq!(before, BUDGET - 20 * 60 - 1);
    for end in ["reset", "left"] {
        let mut connection = gate.connect().await;
        let request = post(CHAT, &token, ask(400, 1, if end == "left" { "hang" } else { end }).body(5000));
        connection.send(&request).await;
        let mut incoming = connection.begin_answer("POST").await.expect("an answer begins");
        assert_eq!(incoming.answer.status, 200);
        let mut delivered = 0;
        while delivered < 400 {
            let Some(piece) = incoming.piece().await else { break };
            delivered += String::from_utf8_lossy(&piece).matches("word ").count() as u64;
        }
        let sent = 400;
        connection.abort();
        let line = gate.log_line_of(&request.request_id).await;
        let now = left(&world, &gate, "alice").await["out"];
        let paid = before - now;
        assert_eq!(line["doorward.usage.estimated"], "true", "{line:#}");
        assert!(paid >= delivered, "{end}: {paid} paid, {delivered} delivered");
        assert!(paid >= sent * 9 / 10 && paid <= sent * 11 / 10, "{end}: {paid} paid of {sent}");
        before = now;
    }
    // What the model refuses costs nothing; and no slot was lost on the way.
    assert_eq!(left(&world, &gate, "alice").await["out"], before);
    assert_eq!(left(&world, &gate, "alice").await["two"], 1);
}

#[tokio::test]
async fn answers_tell_what_is_left_unless_only_refusals_are_to() {
    for (headers, tells) in [("always", true), ("refusals", false)] {
        let limits = json!([{"id": "out", "output_tokens": 150, "window": "1h"}]);
        let world = world(limits).await.with("answers", json!({"limit_headers": headers}));
        let gate = world.gate().await;
        let call = || post(CHAT, &world.token("alice", &[]), ask(60, 0, "").body(100));
        let answer = gate.call(&call()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| answer.fields.has(name));
        assert_eq!(told, [tells; 3], "{headers}: {:?}", answer.fields);
        // The record has it in any case.
        assert_eq!(remaining(&gate.log_line(&answer).await)["out"], 50);
        let refused = gate.call(&call()).await;
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert_eq!(refused.fields.get("ratelimit-limit").as_deref(), Some("150"), "{headers}: {:?}", refused.fields);
        assert!(refused.fields.has("ratelimit-remaining") && refused.fields.has("retry-after"), "{headers}");
    }
}

#[tokio::test]
async fn what_a_call_held_is_free_again_after_a_trap() {
    let Some(module) = tools::wasm_with_trap() else {
        panic!("the module with the trap is not built; run `make trap`");
    };
    let world = world(json!([
        {"id": "out", "output_tokens": 1000, "window": "1h", "per": "all"},
        {"id": "one", "concurrent": 1, "per": "all"}
    ]))
    .await;
    let mut spec = world.spec();
    if let Some(wasm) = &mut spec.wasm {
        wasm.module = module;
        wasm.name = "trap-limits".to_owned();
    }
    let gate = world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
    let mut holder = gate.connect().await;
    holder.send(&post(CHAT, &world.token("alice", &[]), ask(5, 0, "hang").body(900))).await;
    let mut incoming = holder.begin_answer("POST").await.expect("an answer begins");
    assert_eq!(incoming.answer.status, 200);
    incoming.piece().await;
    let next = || post(CHAT, &world.token("bob", &[]), ask(5, 0, "").body(900));
    let refused = gate.call(&next()).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    // The only worker's VM is lost, with what it knew of the stream.
    let trapped = gate.call(&next().header("x-trap", "1")).await;
    assert_eq!(trapped.status, 503, "{}", trapped.text());
    let lost = Instant::now();
    loop {
        let answer = gate.call(&next()).await;
        if answer.status == 200 {
            break;
        }
        assert!(lost.elapsed() < Duration::from_secs(20), "{} after {:?}", answer.text(), lost.elapsed());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    println!("free again after {:?}", lost.elapsed());
    assert!(lost.elapsed() > Duration::from_secs(5), "nobody was taken for lost so soon");
}
