//! Calls whose arguments hide what they ask for, in every way that they can reach a tool.

use super::*;

/// What an attacker tries, the tool, and the arguments as the bytes that they are.
type Row = (&'static str, &'static str, &'static str);

/// Never allowed.
const REFUSED: &[Row] = &[
    ("another address", "mail", r#"{"to":"EVIL@evil.com"}"#),
    ("no address", "mail", r#"{"cc":"EVIL@evil.com"}"#),
    ("a duplicate key", "mail", r#"{"to":"a@acme.com","to":"EVIL@evil.com"}"#),
    ("a duplicate key, first", "mail", r#"{"to":"EVIL@evil.com","to":"a@acme.com"}"#),
    ("a duplicate key, escaped", "mail", r#"{"to":"a@acme.com","t\u006f":"EVIL@evil.com"}"#),
    ("a duplicate key in another case", "mail", r#"{"to":"a@acme.com","TO":"EVIL@evil.com"}"#),
    ("a duplicate key that folds", "query", r#"{"sql":"select 1","\u017fql":"drop table EVIL"}"#),
    ("a duplicate key below", "query", r#"{"sql":"select 1","options":{"limit":1,"limit":99,"x":"EVIL"}}"#),
    ("a key in another case", "query", r#"{"sql":"select 1","Options":{"LIMIT":99,"x":"EVIL"}}"#),
    ("a list of addresses", "mail", r#"{"to":["a@acme.com","EVIL@evil.com"]}"#),
    ("an address as an object", "mail", r#"{"to":{"address":"EVIL@evil.com"}}"#),
    ("arguments in a string", "query", r#"{"sql":"select 1","options":"{\"limit\":99,\"x\":\"EVIL\"}"}"#),
    (
        "arguments in a string in a string",
        "query",
        r#"{"sql":"select 1","options":"\"{\\\"limit\\\":99,\\\"x\\\":\\\"EVIL\\\"}\""}"#,
    ),
    (
        "arguments in a string, twice",
        "query",
        r#"{"sql":"select 1","options":"{\"limit\":1,\"limit\":99,\"x\":\"EVIL\"}"}"#,
    ),
    ("arguments in a string, nearly JSON", "query", r#"{"sql":"select 1","options":"{\"limit\":99,\"x\":\"EVIL\",}"}"#),
    ("arguments in a string in a list", "query", r#"{"sql":"select 1","options":["{\"limit\":99,\"x\":\"EVIL\"}"]}"#),
    ("a number in words", "query", r#"{"sql":"select 1","options":{"limit":"99","x":"EVIL"}}"#),
    ("a number with an exponent", "query", r#"{"sql":"select 1","options":{"limit":1e9,"x":"EVIL"}}"#),
    (
        "a number beyond doubles",
        "query",
        r#"{"sql":"select 1","options":{"limit":10.00000000000000000001,"x":"EVIL"}}"#,
    ),
    ("two statements", "query", r#"{"sql":"select 1; drop table EVIL"}"#),
    ("a statement behind a comment", "query", r#"{"sql":"select 1 --\n; drop table EVIL"}"#),
    ("a comment that a server runs", "query", r#"{"sql":"select 1 /*! union delete from EVIL */"}"#),
    ("another folder", "read", r#"{"path":"/etc/EVIL"}"#),
    ("a step upwards", "read", r#"{"path":"/srv/share/../EVIL"}"#),
    ("a step upwards, escaped", "read", r#"{"path":"/srv/share/\u002e\u002e/EVIL"}"#),
    ("a step upwards, encoded", "read", r#"{"path":"/srv/share/%2e%2e/EVIL"}"#),
    ("a step upwards, half encoded", "read", r#"{"path":"/srv/share/.%2E/EVIL"}"#),
    ("a step upwards, encoded twice", "read", r#"{"path":"/srv/share/%252e%252e/EVIL"}"#),
    ("a step upwards, encoded three times", "read", r#"{"path":"/srv/share/%25252e%25252e/EVIL"}"#),
    ("a slash, encoded", "read", r#"{"path":"/srv/share/..%2fEVIL"}"#),
    ("a slash, encoded twice", "read", r#"{"path":"/srv/share/..%252fEVIL"}"#),
    ("a slash in too many bytes", "read", r#"{"path":"/srv/share/..%c0%afEVIL"}"#),
    ("backslashes", "read", r#"{"path":"/srv/share/..\\..\\EVIL"}"#),
    ("a backslash, encoded", "read", r#"{"path":"/srv/share/..%5c..%5cEVIL"}"#),
    ("steps among empty ones", "read", r#"{"path":"/srv/share//./..//EVIL"}"#),
    ("a folder that begins alike", "read", r#"{"path":"/srv/share-EVIL"}"#),
    ("a byte that ends names", "read", r#"{"path":"/srv/share/a\u0000/../../EVIL"}"#),
    ("steps in wide dots", "read", r#"{"path":"/srv/share/\uff0e\uff0e/EVIL"}"#),
    ("a slash in wide letters", "read", r#"{"path":"/srv/share/..\uff0fEVIL"}"#),
    ("a leader of two dots", "read", r#"{"path":"/srv/share/\u2025/EVIL"}"#),
    ("a file on another host", "read", r#"{"path":"file://EVIL/srv/share/a"}"#),
    ("no absolute path", "read", r#"{"path":"srv/share/EVIL"}"#),
    ("another host", "fetch", r#"{"url":"https://evil.com/EVIL"}"#),
    ("another host behind a user", "fetch", r#"{"url":"https://x.acme.com@evil.com/EVIL"}"#),
    ("another host behind a backslash", "fetch", r#"{"url":"https://evil.com\\.acme.com/EVIL"}"#),
    ("another host in its query", "fetch", r#"{"url":"https://evil.com?.acme.com/EVIL"}"#),
    ("another host in its fragment", "fetch", r#"{"url":"https://evil.com#.acme.com/EVIL"}"#),
    ("a host in wide letters", "fetch", r#"{"url":"https://evil.com\uff0f.acme.com/EVIL"}"#),
    ("a host with an encoded slash", "fetch", r#"{"url":"https://evil.com%2f.acme.com/EVIL"}"#),
    ("a host behind a line break", "fetch", r#"{"url":"https://evil.com\n.acme.com/EVIL"}"#),
    ("another scheme", "fetch", r#"{"url":"javascript://x.acme.com/%0aEVIL"}"#),
    ("a scheme in a scheme", "fetch", r#"{"url":"url:https://x.acme.com/EVIL"}"#),
    ("an argument that nobody named", "exact", r#"{"id":1,"more":"EVIL"}"#),
    ("an argument that nobody named, empty", "exact", r#"{"id":1,"":"EVIL"}"#),
    ("trailing JSON", "mail", r#"{"to":"a@acme.com"}{"to":"EVIL@evil.com"}"#),
    ("a list", "mail", r#"[{"to":"EVIL@evil.com"}]"#),
    ("no JSON", "mail", r#"{"to":"a@acme.com" "EVIL"}"#),
    ("a comment", "mail", r#"{"to":"a@acme.com"/*,*/,"to":"EVIL"}"#),
    ("half a surrogate", "mail", r#"{"to":"EVIL\ud800@acme.com","x":1}"#),
    ("another tool", "drop", r#"{"x":"EVIL"}"#),
    ("no tool", "", r#"{"x":"EVIL"}"#),
    ("a tool in other letters", "m\u{430}il", r#"{"to":"EVIL@acme.com"}"#),
    ("a tool behind a prefix", "x__mail", r#"{"to":"EVIL@acme.com"}"#),
    ("a tool with a space", "mail ", r#"{"to":"EVIL@acme.com"}"#),
];

/// Allowed, and delivered as it is.
const PASSES: &[Row] = &[
    ("an address", "mail", r#"{"to":"a@acme.com","subject":"EVIL"}"#),
    ("an address, escaped", "mail", r#"{"t\u006f":"a\u0040acme.com","x":"EVIL"}"#),
    ("anything", "search", r#"{"q":"EVIL","n":1e2,"deep":{"a":[1,2]}}"#),
    ("a query", "query", r#"{"sql":"select a from b where c = 'EVIL'","options":"{\"limit\": 9}"}"#),
    ("a path", "read", r#"{"path":"/srv/share/a/../EVIL%20b.txt"}"#),
    ("a host", "fetch", r#"{"url":"https://x.acme.com/EVIL?q=../.."}"#),
    ("what is named", "exact", r#"{"id":9}"#),
];

fn openai_whole(name: &str, arguments: &str) -> String {
    let call = json!({"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}});
    json!({"model": "m-1", "choices": [{"index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": null, "tool_calls": [call]}}]})
    .to_string()
}

/// Arguments are an object here: as bytes, since not all that an attacker sends is JSON.
fn anthropic_whole(name: &str, arguments: &str) -> String {
    let name = json!(name);
    format!(
        r#"{{"id":"m","type":"message","role":"assistant","model":"m-1","content":[{{"type":"tool_use","id":"t","name":{name},"input":{arguments}}}],"stop_reason":"tool_use","usage":{{"input_tokens":1,"output_tokens":1}}}}"#
    )
}

/// A call as events, its arguments in these pieces.
pub(super) fn events(provider: &str, name: &str, pieces: &[&str]) -> Vec<String> {
    if provider == "openai" {
        let chunk = |delta: Value, finish: Value| {
            data(&json!({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m-1",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
        };
        let call = |function: Value| json!({"tool_calls": [{"index": 0, "function": function}]});
        let begin = json!({"role": "assistant", "content": null, "tool_calls": [{"index": 0, "id": "c", "type": "function",
            "function": {"name": name, "arguments": ""}}]});
        let mut out = vec![chunk(begin, Value::Null)];
        out.extend(pieces.iter().map(|piece| chunk(call(json!({"arguments": piece})), Value::Null)));
        out.push(chunk(json!({}), json!("tool_calls")));
        out.push("data: [DONE]\n\n".to_owned());
        return out;
    }
    let mut out = vec![
        json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [],
            "model": "m-1", "stop_reason": null, "usage": {"input_tokens": 1, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": name, "input": {}}}),
    ];
    out.extend(pieces.iter().map(|piece| {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
    }));
    out.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ]);
    out.iter().map(data).collect()
}

fn message(name: &str, arguments: &str) -> String {
    let name = json!(name);
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":{name},"arguments":{arguments}}}}}"#)
}

/// A text cut in two at every byte that is a character's, and into its characters.
pub(super) fn cuts(text: &str) -> Vec<Vec<&str>> {
    let at: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
    let mut all: Vec<Vec<&str>> = at.iter().map(|at| vec![&text[..*at], &text[*at..]]).collect();
    all.push(at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect());
    all
}

#[test]
fn in_whole_answers() {
    for provider in ["openai", "anthropic"] {
        let (engine, ask) = (llm(provider, false), request(provider, false));
        let answer = |(_, name, arguments): &Row| match provider {
            "openai" => openai_whole(name, arguments),
            _ => anthropic_whole(name, arguments),
        };
        let arrives = |row: &&Row| {
            let played = played_chunks(&engine, path(provider), &ask, "application/json", &[answer(row).as_bytes()]);
            played.client_text().contains(EVIL)
        };
        assert_eq!(REFUSED.iter().filter(arrives).collect::<Vec<_>>(), Vec::<&Row>::new(), "{provider}");
        for row in PASSES {
            let played = played_chunks(&engine, path(provider), &ask, "application/json", &[answer(row).as_bytes()]);
            assert_eq!(played.client_text(), answer(row), "{provider}, {}", row.0);
        }
    }
}

#[test]
fn in_streams_split_at_every_byte_of_the_arguments() {
    for provider in ["openai", "anthropic"] {
        let (engine, ask) = (llm(provider, false), request(provider, true));
        let play = |name: &str, pieces: &[&str]| {
            let body = events(provider, name, pieces).concat();
            played_chunks(&engine, path(provider), &ask, "text/event-stream", &[body.as_bytes()])
        };
        // Not even its beginning: what comes in pieces is put together.
        let begins = &EVIL[..3];
        let arrives = |(_, name, arguments): &&Row| {
            cuts(arguments).iter().any(|pieces| put_together(&play(name, pieces)).contains(begins))
        };
        assert_eq!(REFUSED.iter().filter(arrives).collect::<Vec<_>>(), Vec::<&Row>::new(), "{provider}");
        for (what, name, arguments) in PASSES {
            for pieces in cuts(arguments) {
                let got = put_together(&play(name, &pieces));
                assert!(got.contains(arguments), "{provider}, {what}, {pieces:?}: {got}");
            }
        }
    }
}

#[test]
fn in_streams_split_at_every_byte_of_the_transport() {
    for provider in ["openai", "anthropic"] {
        let (engine, ask) = (llm(provider, false), request(provider, true));
        for (what, name, arguments, arrives) in [
            ("a step upwards", "read", r#"{"path":"/srv/share/../EVIL"}"#, false),
            ("a duplicate key", "mail", r#"{"to":"a@acme.com","t\u006f":"EVIL@evil.com"}"#, false),
            ("another tool", "drop", r#"{"x":"EVIL"}"#, false),
            ("an address", "mail", r#"{"to":"a@acme.com","x":"EVIL é"}"#, true),
        ] {
            let middle = arguments.len() / 2;
            let body = events(provider, name, &[&arguments[..middle], &arguments[middle..]]).concat().into_bytes();
            let cut = |chunks: &[&[u8]]| {
                let got = put_together(&played_chunks(&engine, path(provider), &ask, "text/event-stream", chunks));
                assert_eq!(got.contains(EVIL), arrives, "{provider}, {what}, {}: {got}", chunks[0].len());
            };
            for at in 1..body.len() {
                cut(&[&body[..at], &body[at..]]);
            }
            cut(&body.chunks(1).collect::<Vec<_>>());
        }
    }
}

#[test]
fn to_an_mcp_server() {
    let mut stage = mcp(false);
    let mut passed = Vec::new();
    for (attack, name, arguments) in REFUSED {
        let played = stage.send("anybody", "POST", &[], &message(name, arguments), &stage::Answer::default());
        if played.upstream.is_some() || played.status() / 100 != 4 {
            passed.push(attack);
        }
    }
    assert_eq!(passed, Vec::<&&str>::new());
    for (what, name, arguments) in PASSES {
        let body = message(name, arguments);
        let played = stage.send("anybody", "POST", &[], &body, &stage::Answer::default());
        assert_eq!(played.upstream, Some(body), "{what}: {}", played.reason());
    }
}
