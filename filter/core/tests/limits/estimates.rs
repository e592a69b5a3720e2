//! What a request may use at most: by its text, what it asks for, and what others run for it.

use doorward_core::protocol::parameter_names;
use serde_json::{Value, json};

use crate::desk::{Desk, day, left, request};
use crate::support::{Fixture, policy};

#[test]
fn tools_that_the_provider_runs_have_a_margin_each() {
    let search = json!([{"type": "web_search_20250305", "name": "web_search"}, {"name": "own", "input_schema": {}}]);
    let ask =
        json!({"model": "m-1", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], "tools": search});
    let mut plain = ask.clone();
    plain["tools"] = json!([search[1]]);
    let batch = json!({"requests": [{"custom_id": "a", "params": ask}, {"custom_id": "b", "params": ask},
        {"custom_id": "c", "params": plain}]});
    for (path, body, margins) in
        [("/v1/messages", &plain, 0), ("/v1/messages", &ask, 1), ("/v1/messages/batches", &batch, 2)]
    {
        let limits = json!([{"id": "day", "total_tokens": 1_000_000, "calendar": "day"}]);
        let more = json!({"limits": limits, "reserve": {"provider_tool_tokens": 100_000, "max_tokens": 10}});
        let mut policy = policy("anthropic", &more);
        policy["access"][0]["tools"] = json!([{"name": "*"}, {"kind": "*"}]);
        policy["access"][0]["operations"] = json!(["chat", "batches"]);
        let mut desk = Desk::new(&policy);
        let open = desk.post(path, body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        let left = left(&desk.done(open.exchange));
        assert_eq!((1_000_000 - left) / 100_000, margins, "{path}: {left} are left");
    }
}

#[test]
fn pictures_are_taken_for_so_many_tokens_each_whatever_their_bytes() {
    // What a request with these parts is reserved for beside its answer.
    let reserved_with = |reserve: Value, parts: Value| {
        let limits = json!([{"id": "day", "input_tokens": 10_000_000, "calendar": "day"}]);
        let mut policy = policy("openai", &json!({"limits": limits, "reserve": reserve}));
        policy["access"][0]["media"] = json!("image");
        let mut desk = Desk::new(&policy);
        let ask = json!({"model": "m-1", "messages": [{"role": "user", "content": parts}]});
        let open = desk.chat(&ask).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        10_000_000 - left(&desk.done(open.exchange))
    };
    let reserved = |parts: Value| reserved_with(json!({"media_tokens": 100_000}), parts);
    let picture = |groups: usize| {
        let url = format!("data:image/png;base64,iVBORw0KGgoAAAANSUhEUg{}", "Q7f0".repeat(groups));
        json!({"type": "image_url", "image_url": {"url": url}})
    };
    let text = |words: usize| json!({"type": "text", "text": "word ".repeat(words)});
    let one = reserved(json!([picture(100)]));
    assert!((100_000..100_100).contains(&one), "{one}");
    assert_eq!(reserved(json!([picture(10_000)])), one);
    // 2,000, where the policy does not say.
    assert_eq!(reserved_with(json!({}), json!([picture(100)])), one - 98_000);
    // The text before, between and behind them counts, and each of them.
    let all = reserved(json!([text(1000), picture(100), text(2000), picture(5000), text(4000)]));
    let words = 7000 * 5 * 20 / 64;
    assert!((200_000 + words..200_200 + words).contains(&all), "{all}");
}

#[test]
fn a_request_without_a_bound_gets_one_in_every_api() {
    let mut seen = Vec::new();
    for fixture in Fixture::all() {
        let mut desk = Desk::new(&policy(
            fixture.text("provider"),
            &json!({
                "limits": [{"id": "day", "output_tokens": 1000000, "calendar": "day"}],
                "reserve": {"max_tokens": 777},
                "access": [{"id": "all", "effect": "allow", "models": "*"}],
            }),
        ));
        let mut body: Value = serde_json::from_str(&fixture.request("Hello.")).unwrap();
        for name in parameter_names("max_tokens") {
            remove(&mut body, name);
        }
        let path = fixture.text("path").to_owned();
        let Ok(open) = desk.post(&path, &body) else { continue };
        let bounds: Vec<&&str> =
            parameter_names("max_tokens").iter().filter(|name| pointer(&open.body, name).is_some()).collect();
        match bounds.as_slice() {
            [] => {}
            [name] => {
                assert_eq!(pointer(&open.body, name), Some(&json!(777)), "{}", fixture.name);
                seen.push(fixture.name.clone());
            }
            more => panic!("{}: {more:?}", fixture.name),
        }
        // A bound of the caller's own stays.
        if let [name] = bounds.as_slice() {
            let mut body = open.body.clone();
            *pointer_mut(&mut body, name) = json!(5);
            let again = desk.post(&path, &body).ok().unwrap();
            assert_eq!(pointer(&again.body, name), Some(&json!(5)), "{}", fixture.name);
        }
    }
    assert!(seen.len() >= 12, "{seen:?}");
}

fn remove(value: &mut Value, name: &str) {
    match name.split_once('.') {
        None => drop(value.as_object_mut().map(|o| o.remove(name))),
        Some((first, rest)) => {
            if let Some(inner) = value.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

fn pointer<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').try_fold(value, |value, name| value.get(name))
}

fn pointer_mut<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    name.split('.').fold(value, |value, name| value.get_mut(name).unwrap())
}

#[test]
fn what_a_request_may_use_is_multiplied_and_what_others_run_is_added() {
    let reserved = |more: Value| {
        let mut desk = Desk::new(&day(1_000_000));
        let open = desk.chat(&request(more)).ok().unwrap();
        let record = desk.done(open.exchange);
        let left = left(&record);
        1_000_000 - left
    };
    let plain = reserved(json!({"max_tokens": 100}));
    assert!((100..150).contains(&plain), "{plain}");
    let five = reserved(json!({"max_tokens": 100, "n": 5}));
    assert!((500..=plain + 405).contains(&five), "{five}");
    // Whichever of two names a server takes.
    assert!(reserved(json!({"max_tokens": 100, "max_completion_tokens": 4000})) >= 4000);
    let none = reserved(json!({}));
    assert!((4096..4200).contains(&none), "{none}");
}

#[test]
fn names_that_the_api_does_not_have_bound_nothing() {
    // A server that does not know them would go on for as long as it likes.
    assert_eq!(
        Desk::new(&day(1_000_000)).chat(&request(json!({"MAX_TOKENS": 1}))).err().unwrap().1["doorward.reason"],
        "protocol.unreadable"
    );
    for more in [json!({"n_predict": 1}), json!({"options": {"num_predict": 1}}), json!({"max_tokens": null})] {
        let mut desk = Desk::new(&day(1_000_000));
        let open =
            desk.chat(&request(more.clone())).unwrap_or_else(|(reply, record)| panic!("{more}: {reply:?} {record:?}"));
        assert_eq!(open.body["max_completion_tokens"], 4096, "{more}");
        let record = desk.done(open.exchange);
        let left = left(&record);
        assert!(1_000_000 - left > 4096, "{more}");
    }
    // A number that some servers read out of a text counts.
    let mut desk = Desk::new(&day(10_000));
    let refused = desk.chat(&request(json!({"max_tokens": 5, "n_predict": "20000"}))).err().unwrap();
    assert_eq!(refused.1["doorward.reason"], "limit.too_large");
}

#[test]
fn a_bound_that_is_none_gives_way_and_is_not_there_twice() {
    let document =
        policy("gcp.gemini", &json!({"limits": [{"id": "day", "total_tokens": 1_000_000, "calendar": "day"}]}));
    let path = "/v1beta/models/m-1:generateContent";
    let ask =
        |config: Value| json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": config});
    let mut desk = Desk::new(&document);
    let open = desk.post(path, &ask(json!({"maxOutputTokens": null, "topK": 1}))).ok().unwrap();
    assert_eq!(open.body["generationConfig"], json!({"maxOutputTokens": 4096, "topK": 1}));
    let open = desk.post(path, &ask(json!("x"))).ok().unwrap();
    assert_eq!(open.body["generationConfig"], "x");
}
