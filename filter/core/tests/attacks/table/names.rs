//! Names that only look like a tool's, in several scripts: of what is denied they are denied, and of what is allowed they are not allowed.

use super::*;

/// What an attacker writes instead of `wipe`.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("itself", "wipe"),
    ("capitals", "WIPE"),
    ("Cyrillic i", "w\u{456}pe"),
    ("Cyrillic p and e", "wi\u{440}\u{435}"),
    ("Cyrillic, all of it", "\u{51d}\u{456}\u{440}\u{435}"),
    ("Cyrillic capitals", "W\u{406}\u{420}\u{415}"),
    ("Greek iota and rho", "w\u{3b9}\u{3c1}e"),
    ("Greek capitals", "W\u{399}\u{3a1}\u{395}"),
    ("Armenian", "wi\u{584}e"),
    ("Cherokee", "\u{13b3}\u{13a5}\u{13e2}\u{13ac}"),
    ("full width", "\u{ff57}\u{ff49}\u{ff50}\u{ff45}"),
    ("mathematical bold", "\u{1d430}\u{1d422}\u{1d429}\u{1d41e}"),
    ("mathematical script", "\u{1d4cc}\u{1d4be}\u{1d4c5}\u{1d452}"),
    ("monospace", "\u{1d6a0}\u{1d692}\u{1d699}\u{1d68e}"),
    ("circled", "\u{24e6}\u{24d8}\u{24df}\u{24d4}"),
    ("Roman numeral i", "w\u{2170}pe"),
    ("dotless i", "w\u{131}pe"),
    ("capital with a dot", "W\u{130}PE"),
    ("an accent", "wip\u{e9}"),
    ("an accent apart", "wipe\u{301}"),
    ("a soft hyphen", "wi\u{ad}pe"),
    ("a space of no width", "wi\u{200b}pe"),
    ("a joiner", "wi\u{200d}pe"),
    ("a byte order mark", "\u{feff}wipe"),
    ("a mark of direction", "wi\u{200e}pe"),
    ("an override of direction", "\u{202e}epiw\u{202c}"),
    ("a variation selector", "wipe\u{fe0f}"),
    ("a tag", "wipe\u{e0061}"),
    ("a filler", "wi\u{3164}pe"),
    ("spaces around", " wipe\t"),
    ("a no-break space", "wipe\u{a0}"),
    ("a prefix", "files__wipe"),
    ("a prefix with a slash", "files/wipe"),
    ("a prefix with a dot", "files.wipe"),
    ("a prefix with a colon", "files:wipe"),
    ("two prefixes", "a__b__wipe"),
    ("a prefix in other letters", "f\u{456}les__w\u{456}pe"),
    ("a byte that ends names", "wipe\u{0}"),
    ("a long s for another", "\u{17f}earch"),
];

/// Names that are others, and stay so.
const OTHERS: &[&str] =
    &["wiper", "wi_pe_down", "swipe", "m\u{fc}ll_abholen", "\u{43d}\u{430}\u{439}\u{442}\u{438}", "search"];

fn denied(name: &str) -> bool {
    name != "\u{17f}earch"
}

#[test]
fn offered_to_a_model() {
    for provider in ["openai", "anthropic"] {
        let (open, strict) = (llm(provider, true), llm(provider, false));
        let offered = |engine: &Engine, name: &str| -> bool {
            let mut ask = request(provider, false);
            ask["tools"] = json!([defined(provider, name, "EVIL"), defined(provider, "search", "Searches.")]);
            let played = crate::support::play(engine, "POST", path(provider), ask.to_string(), None);
            played.upstream.is_some_and(|sent| String::from_utf8(sent).unwrap().contains(EVIL))
        };
        let pass = |(_, name): &&(&str, &str)| denied(name) && offered(&open, name) || offered(&strict, name);
        assert_eq!(LOOK_ALIKES.iter().filter(pass).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "{provider}");
        for name in OTHERS {
            assert!(offered(&open, name), "{provider}, {name}");
            assert_eq!(offered(&strict, name), *name == "search", "{provider}, {name}");
        }
    }
}

#[test]
fn called_by_a_model() {
    for provider in ["openai", "anthropic"] {
        let engines = [llm(provider, true), llm(provider, false)];
        let ask = request(provider, true);
        let called = |engine: &Engine, name: &str| {
            let body = super::calls::events(provider, name, &["{\"x\":", "\"EVIL\"}"]).concat();
            put_together(&played_chunks(engine, path(provider), &ask, "text/event-stream", &[body.as_bytes()]))
                .contains(EVIL)
        };
        let pass = |(_, name): &&(&str, &str)| denied(name) && called(&engines[0], name) || called(&engines[1], name);
        assert_eq!(LOOK_ALIKES.iter().filter(pass).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "{provider}");
        for name in OTHERS {
            assert!(called(&engines[0], name), "{provider}, {name}");
        }
    }
}

#[test]
fn of_an_mcp_server() {
    let (mut open, mut strict) = (mcp(true), mcp(false));
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let judged = |stage: &mut stage::Stage, name: &str| {
        let call =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}});
        let calls = stage.post("anybody", &call, &stage::Answer::default()).upstream.is_some();
        let list = json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": name, "description": "EVIL", "inputSchema": {}}]}});
        for answer in [stage::Answer::json(&list), stage::Answer::stream(std::slice::from_ref(&list), 5)] {
            let shown = stage.post("anybody", &ask, &answer).client.contains(EVIL);
            assert_eq!(shown, calls, "what is shown is what may be called: {name}");
        }
        calls
    };
    let mut passed = Vec::new();
    for (what, name) in LOOK_ALIKES {
        if denied(name) && judged(&mut open, name) || judged(&mut strict, name) {
            passed.push(what);
        }
    }
    assert_eq!(passed, Vec::<&&str>::new());
    for name in OTHERS {
        assert!(judged(&mut open, name), "{name}");
    }
}
