//! Streams are what their whole would be: for random texts, policies and cuts, over every framing, what a client puts together of
//! a filtered stream is what it gets of one event, and of an answer that does not stream. No planted value is ever on the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use doorward_core::stream::framing::Framing;
use serde_json::{Value, json};
use support::mutate::Dice;
use support::streams::{framing, messages, read, words};
use support::{Answer, Fixture, Played, engine, play, policy};

const ROUNDS: usize = 150;

/// Values that are found by their form alone, and of which no one is part of another.
const PLANTS: &[&str] = &[
    "jane.doe@northwind.dev",
    "müller@firma.de",
    "4556 7375 8689 9855",
    "5425-2334-3010-9903",
    "378282246310005",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "ghp_0123456789abcdefABCDEF0123456789abcd",
    "AKIAQYLPMN5HHHFPZAM2",
    "project Bluebird",
];

const FILLERS: &[&str] = &[
    "The answer is",
    " ",
    " ",
    " ",
    "\n",
    ", ",
    ". ",
    ": ",
    "2 + 2 = 4",
    "see page 12",
    "über",
    "日本語。",
    "\"quoted\"",
    "\\",
    "a@",
    "@",
    "(415",
    "4556",
    "GB8",
    "gh",
    "ghp",
    "AKIA",
    "proj",
    "Blue",
    "https://example.org/x?y=1",
    "&amp;",
    "%20",
    "{\"k\":",
    "}",
    "🙂",
    "[EMAIL",
    "[x](",
    "-",
    "-----",
    "e.g.",
    "x.y.z",
    "1,2,3",
];

fn text(dice: &mut Dice) -> (String, Vec<&'static str>) {
    let (mut text, mut planted) = (String::new(), Vec::new());
    for _ in 0..1 + dice.below(25) {
        if dice.below(5) == 0 {
            let plant = PLANTS[dice.below(PLANTS.len())];
            // Alone between spaces: what touches a value may make it another.
            text.push_str(&format!(" {plant} "));
            planted.push(plant);
        } else {
            text.push_str(FILLERS[dice.below(FILLERS.len())]);
        }
    }
    (text, planted)
}

/// Cut into one to many pieces, at any character.
fn cut<'t>(text: &'t str, dice: &mut Dice) -> Vec<&'t str> {
    let size = [1, 2, 3, 4, 7, 20, 200][dice.below(7)];
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let wanted = 1 + dice.below(size);
        let end = rest.char_indices().nth(wanted).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn random_policy(dice: &mut Dice, provider: &str) -> Value {
    const KINDS: &[&str] = &["EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "GITHUB_TOKEN", "AWS_ACCESS_KEY", "PROJECT"];
    let action = |dice: &mut Dice| ["mask", "hash", "tokenize"][dice.below(3)];
    // Everything is found, by one statement or by several with actions of their own.
    let content = match dice.below(3) {
        0 => json!([{"id": "all", "detect": KINDS, "action": action(dice)}]),
        1 => KINDS.iter().map(|k| json!({"id": k, "detect": k, "action": action(dice)})).collect(),
        _ => json!([{"id": "all", "detect": KINDS, "action": action(dice)},
            {"id": "everything", "detect": "all", "action": "flag"},
            {"id": "observed", "detect": "all", "action": "deny", "mode": "observe"}]),
    };
    policy(
        provider,
        &json!({
            "content": content,
            "detectors": {"dictionaries": [{"name": "PROJECT", "words": ["project bluebird"]}]},
        }),
    )
}

fn stream(policy: &Value, fixture: &Fixture, pieces: &[&str], dice: Option<&mut Dice>) -> Played {
    let mut chunks = messages(fixture, pieces);
    if let Some(dice) = dice {
        let bytes = chunks.concat();
        let size = [1, 3, 17, 64, 4096][dice.below(5)];
        let mut at = 0;
        chunks = Vec::new();
        while at < bytes.len() {
            let end = (at + 1 + dice.below(size)).min(bytes.len());
            chunks.push(bytes[at..end].to_vec());
            at = end;
        }
    }
    let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
    let answer = Answer { content_type, chunks, cut: false };
    play(&engine(policy), "POST", fixture.stream_path(), fixture.stream_request("Hi"), Some(&answer))
}

#[test]
fn a_stream_is_what_its_whole_would_be() {
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        let mut dice =
            Dice(fixture.name.bytes().fold(0x2545_F491_4F6C_DD1D, |h, b| (h ^ u64::from(b)).wrapping_mul(31)));
        let mut found = 0;
        for round in 0..ROUNDS {
            let (text, planted) = text(&mut dice);
            let policy = random_policy(&mut dice, fixture.text("provider"));
            let pieces = cut(&text, &mut dice);
            let name = format!("{} round {round}: {pieces:?}", fixture.name);
            let whole = stream(&policy, fixture, &[&text], None);
            let cut = stream(&policy, fixture, &pieces, Some(&mut dice));
            let (whole, cut) =
                (read(framing(fixture), &whole.client_bytes()), read(framing(fixture), &cut.client_bytes()));
            assert_eq!(words(fixture, &cut), words(fixture, &whole), "{name}");
            for plant in &planted {
                found += 1;
                for (_, payload) in cut.iter().chain(&whole) {
                    assert!(!payload.contains(plant), "{name}: {plant} in {payload}");
                }
                assert!(!words(fixture, &cut).contains(plant), "{name}: {plant}");
            }
            // An answer that does not stream: its encodings are seen through, too, which these texts do not have.
            let answer = fixture.answer(&text).unwrap();
            let answer = Answer { content_type: "application/json", chunks: vec![answer.into_bytes()], cut: false };
            let path = fixture.text("path");
            let played = play(&engine(&policy), "POST", path, fixture.request("Hi"), Some(&answer));
            let said = json!(words(fixture, &cut)).to_string();
            if !played.client_text().contains(&said[1..said.len() - 1]) {
                panic!("{name}\nstreamed: {said}\nwhole: {}", played.client_text());
            }
        }
        assert!(found > ROUNDS, "{} found only {found}", fixture.name);
    }
}

/// What an event may have beside its text, some of it telling what the text is, or something to be found.
const BESIDE: &[&str] = &[
    "",
    "",
    r#","obfuscation":"PAD""#,
    r#","p":"PAD""#,
    r#","created_at":"PAD""#,
    r#","p":"PAD","obfuscation":"PAD""#,
    r#","p":"jane.doe@northwind.dev""#,
    r#","obfuscation":"4556 7375 8689 9855""#,
    r#","obfuscation":"\u0041KIAQYLPMN5HHHFPZAM2""#,
    r#","p":{"text":"jane.doe@northwind.dev"}"#,
    r#","type":"image","mime_type":"image/png""#,
    r#","user":"jane.doe@northwind.dev""#,
    r#","usage":{"prompt_tokens":7,"completion_tokens":3}"#,
    r#","sequence_number":7"#,
    r#","done":true"#,
    r#","p":"PAD\ud800""#,
];

const MEDIUM: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The messages of a stream with something beside the texts of some; `apart`: no two of them in a row begin with the same bytes.
fn beside(fixture: &Fixture, pieces: &[&str], apart: bool, mut dice: Dice) -> Vec<Vec<u8>> {
    let (mut what, mut out) = (0, Vec::new());
    for (at, message) in messages(fixture, pieces).into_iter().enumerate() {
        let text = String::from_utf8(message).unwrap();
        let (Some(from), Some(to)) = (text.find('{'), text.rfind('}')) else {
            out.push(text.into_bytes());
            continue;
        };
        // What stands beside one text stands beside some more.
        if dice.below(6) == 0 {
            what = dice.below(BESIDE.len());
        }
        let pad = "aB3dEfG7h".repeat(8)[..dice.below(70)].to_owned();
        let space = " ".repeat(usize::from(apart && at % 2 == 1));
        let inside = text[from + 1..to].to_owned() + &BESIDE[what].replace("PAD", &pad);
        out.push(format!("{}{{{space}{inside}{}", &text[..from], &text[to..]).into_bytes());
    }
    out
}

#[test]
fn an_event_is_read_as_what_it_is_whatever_stood_before_it() {
    let lines = |f: &&Fixture| f.streams() && matches!(framing(f), Framing::Sse | Framing::Lines);
    for fixture in Fixture::all().iter().filter(lines) {
        let mut dice = Dice(fixture.name.bytes().fold(77, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)));
        for round in 0..ROUNDS {
            let (mut text, _) = text(&mut dice);
            if dice.below(6) == 0 {
                text.push_str(["data:image/png;base64,", "", " "][dice.below(3)]);
                text.push_str(MEDIUM);
            }
            let policy = random_policy(&mut dice, fixture.text("provider"));
            let (pieces, seed) = (cut(&text, &mut dice), dice.next());
            let played = [false, true].map(|apart| {
                let chunks = beside(fixture, &pieces, apart, Dice(seed));
                let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
                let answer = Answer { content_type, chunks, cut: false };
                let request = fixture.stream_request("Write to jane.doe@northwind.dev");
                play(&engine(&policy), "POST", fixture.stream_path(), request, Some(&answer))
            });
            let name = format!("{} round {round}: {pieces:?} {policy}", fixture.name);
            let [same, apart] = &played;
            let read = |played: &Played| {
                let messages = read(framing(fixture), &played.client_bytes()).into_iter();
                let value = |text: String| serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
                messages.map(|(name, payload)| (name, value(payload))).collect::<Vec<_>>()
            };
            assert_eq!(read(same), read(apart), "{name}");
            assert_eq!(same.record, apart.record, "{name}");
            // When they come, too.
            let sizes = |played: &Played| played.client.iter().map(|bytes| bytes.is_empty()).collect::<Vec<_>>();
            assert_eq!(sizes(same), sizes(apart), "{name}");
        }
    }
}

#[test]
fn copies_of_the_text_are_what_the_pieces_came_to() {
    for fixture in Fixture::all().iter().filter(|f| f.streams() && f.value["stream"].to_string().contains("WHOLE")) {
        let mut dice = Dice(42);
        for _ in 0..ROUNDS {
            let (text, _) = text(&mut dice);
            let policy = random_policy(&mut dice, fixture.text("provider"));
            let played = stream(&policy, fixture, &cut(&text, &mut dice), None);
            let messages = read(framing(fixture), &played.client_bytes());
            let said = json!(words(fixture, &messages)).to_string();
            let copies: usize = messages.iter().map(|(_, payload)| payload.matches(&format!(":{said}")).count()).sum();
            assert!(copies >= 1, "{}: {said} in {messages:?}", fixture.name);
        }
    }
}

#[test]
fn what_is_held_is_bounded_and_released_only_where_the_policy_says_so() {
    let run_on = "x".repeat(40_000);
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        for (at_max_hold, released) in [("hold", false), ("release", true)] {
            let content = json!([{"id": "m", "detect": "EMAIL_ADDRESS", "action": "mask", "stream": "hold_all"}]);
            let more = json!({"content": content, "envoy": {"max_body_bytes": 20_000},
                "answers": {"max_hold_bytes": 1000, "at_max_hold": at_max_hold}});
            let policy = policy(fixture.text("provider"), &more);
            let pieces: Vec<&str> = support::streams::pieces(&run_on, 100);
            let mut fixture = fixture.clone();
            // Copies of the whole are frames of that size, and refused for it.
            let stripped = fixture.value["stream"]["tail"].to_string().replace("WHOLE", "");
            fixture.value["stream"]["tail"] = serde_json::from_str(&stripped).unwrap();
            let played = stream(&policy, &fixture, &pieces, None);
            let notes = played.record.get("doorward.notes").cloned().unwrap_or_default();
            if released {
                assert_eq!(played.reason(), "", "{}", fixture.name);
                assert_eq!(
                    words(&fixture, &read(framing(&fixture), &played.client_bytes())),
                    run_on,
                    "{}",
                    fixture.name
                );
                assert!(notes.contains("answer.unscannable"), "{}: {notes}", fixture.name);
            } else {
                assert_eq!(played.reason(), "answer.unscannable", "{}", fixture.name);
                assert!(!played.client_text().contains("xxx"), "{}", fixture.name);
            }
        }
    }
}

/// The weights of the topic in `examples/own-detectors`.
fn topic() -> Value {
    let example = include_str!("../../../examples/own-detectors/policy.yaml");
    let (_, rest) = example.split_once("weights: >-\n").unwrap();
    let weights: Vec<&str> = rest.lines().take_while(|line| line.starts_with("      ")).map(str::trim).collect();
    json!({"name": "MERGERS", "weights": weights.join("\n")})
}

#[test]
fn topics_are_judged_in_texts_that_are_complete() {
    let about = "We want to acquire Larkspur Biotech and offer its owners 30 million for all shares.";
    let text = format!("Good morning to all. {about} The weather is fine in Lisbon this week.");
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        for (mode, expected) in [("hold_all", text.replace(about, "[MERGERS].")), ("window", text.clone())] {
            let statement = json!({"id": "m", "detect": "MERGERS", "action": "mask", "stream": mode,
                "direction": "response"});
            let policy =
                policy(fixture.text("provider"), &json!({"content": [statement], "detectors": {"topics": [topic()]}}));
            let played = stream(&policy, fixture, &support::streams::pieces(&text, 7), None);
            assert_eq!(played.reason(), "", "{} {mode}", fixture.name);
            assert_eq!(words(fixture, &read(framing(fixture), &played.client_bytes())), expected, "{}", fixture.name);
        }
    }
}
