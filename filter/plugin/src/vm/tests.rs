use super::*;
use crate::abi::fake::{done, host};

const ROOT: u32 = 1;
const STREAM: u32 = 2;
const SECOND: u64 = 1_000_000_000;

/// Callers are workloads, and may use every model; e-mail addresses are masked.
const POLICY: &str = r#"{
    "version": "doorward/v1", "name": "test",
    "targets": [{"name": "t", "cluster": "openai", "provider": "openai"}],
    "identity": {"mtls": {"trust_domains": "td"}, "require": {"user": false, "workload": true}},
    "access": [{"id": "all", "effect": "allow", "models": "*"}],
    "content": [{"id": "mask", "detect": ["EMAIL_ADDRESS"], "action": "mask"}]
}"#;

const HEAD: &[(&str, &str)] = &[
    (":method", "POST"),
    (":path", "/v1/chat/completions"),
    (":authority", "h"),
    ("content-type", "application/json"),
];

/// A host with a policy, and a stream of an allowed caller.
fn start() {
    host(|fake| {
        fake.now = Some(1_800_000_000 * SECOND);
        fake.properties.insert("xds/cluster_name".into(), b"openai".to_vec());
        fake.properties.insert("connection/uri_san_peer_certificate".into(), b"spiffe://td/ns/a".to_vec());
        fake.maps.insert(0, pairs::serialize(HEAD));
        fake.maps.insert(2, pairs::serialize(&[(":status", "200"), ("content-type", "application/json")]));
    });
    create(ROOT, 0);
    assert!(configured(POLICY), "{:?}", done());
    create(STREAM, ROOT);
    done();
}

fn configured(policy: &str) -> bool {
    host(|fake| fake.buffers.insert(7, policy.as_bytes().to_vec()));
    configure(ROOT, policy.len())
}

fn chat(text: &str) -> String {
    format!(r#"{{"model":"gpt-5","messages":[{{"role":"user","content":"{text}"}}]}}"#)
}

fn request_body(content: &str, end: bool) -> Action {
    host(|fake| fake.buffers.insert(0, content.as_bytes().to_vec()));
    body(STREAM, Side::Request, content.len(), end)
}

fn replies() -> Vec<String> {
    done().into_iter().filter(|d| d.starts_with("reply")).collect()
}

fn is_done(what: &str) -> bool {
    done().iter().any(|d| d.contains(what))
}

#[test]
fn a_request_is_held_and_let_go_masked() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    let text = chat("ask bob@example.com");
    assert_eq!(request_body(&text, false), Action::Pause);
    assert_eq!(request_body(&text, true), Action::Continue);
    let done = done();
    let body = done.iter().find(|d| d.starts_with("body 0 ")).expect("a new body");
    assert!(!body.contains("bob@example.com") && body.contains("ask "), "{body}");
}

#[test]
fn trailers_are_the_end_of_a_body_and_end_it_once() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    let text = chat("ask bob@example.com");
    assert_eq!(request_body(&text, false), Action::Pause);
    assert_eq!(trailers(STREAM, Side::Request), Action::Continue);
    assert!(is_done("body 0 "));
    // What comes after the end is passed over, and neither held nor told.
    assert_eq!(request_body(&text, true), Action::Continue);
    assert_eq!(trailers(STREAM, Side::Request), Action::Continue);
    assert!(done().is_empty());
}

#[test]
fn what_left_the_head_does_not_come_back_as_trailers() {
    start();
    let text = chat("hi");
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    assert_eq!(request_body(&text, false), Action::Pause);
    let sent = [("Authorization", "Bearer own"), ("x-api-key", "own"), ("X-Doorward-User", "root"), ("x-sum", "1")];
    host(|fake| fake.maps.insert(1, pairs::serialize(&sent)));
    done();
    assert_eq!(trailers(STREAM, Side::Request), Action::Continue);
    let done = done();
    let removed: Vec<_> = done.iter().filter_map(|d| d.strip_prefix("remove 1 ")).collect();
    assert_eq!(removed, ["Authorization", "x-api-key", "X-Doorward-User"]);
}

#[test]
fn a_denied_request_stays_stopped_and_its_answer_passes() {
    start();
    host(|fake| fake.properties.remove("connection/uri_san_peer_certificate"));
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    assert_eq!(replies().len(), 1);
    assert_eq!(request_body("{}", true), Action::Pause);
    assert_eq!(headers(STREAM, Side::Response, false), Action::Continue);
    assert_eq!(body(STREAM, Side::Response, 0, true), Action::Continue);
    assert!(replies().is_empty());
}

#[test]
fn headers_that_went_on_are_left_alone() {
    start();
    assert!(configured(&POLICY.replacen('{', r#"{"envoy": {"hold_headers": false},"#, 1)), "{:?}", done());
    create(3, ROOT);
    assert_eq!(headers(3, Side::Request, false), Action::Continue);
    done();
    let text = chat("ask bob@example.com");
    host(|fake| fake.buffers.insert(0, text.as_bytes().to_vec()));
    assert_eq!(body(3, Side::Request, text.len(), true), Action::Continue);
    let done = done();
    assert!(done.iter().any(|d| d.starts_with("body 0 ")));
    assert!(!done.iter().any(|d| d.starts_with("set 0 ") || d.starts_with("remove 0 ")), "{done:?}");
}

#[test]
fn the_record_is_written_once_and_before_the_stream_is_forgotten() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    delete(STREAM);
    assert!(is_done("record doorward."));
    log(STREAM);
    delete(STREAM);
    assert!(done().is_empty());
}

#[test]
fn a_callback_inside_a_call_is_served() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    // Envoy refuses a body that outgrew its buffer, and ends the stream, while the body is being written.
    host(|fake| {
        fake.on_set_buffer = Some(|| {
            log(STREAM);
            delete(STREAM);
        });
    });
    let _ = request_body(&chat("ask bob@example.com"), true);
    let done = done();
    assert_eq!(done.iter().filter(|d| d.starts_with("record doorward.policy=")).count(), 1, "{done:?}");
    assert_eq!(with(|state| state.streams.len()), Some(0));
}

#[test]
fn a_body_that_cannot_be_read_ends_the_stream() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    host(|fake| fake.buffers.insert(0, b"short".to_vec()));
    assert_eq!(body(STREAM, Side::Request, 100, true), Action::Pause);
    assert_eq!(replies().len(), 1);
}

#[test]
fn a_head_that_cannot_be_read_ends_the_stream() {
    start();
    host(|fake| fake.maps.insert(0, b"\xff\xff\xff\xffxxxx".to_vec()));
    assert_eq!(headers(STREAM, Side::Request, true), Action::Pause);
    assert_eq!(replies(), ["reply 503 doorward.unavailable"]);
}

#[test]
fn a_bad_configuration_leaves_the_old_one() {
    start();
    for bad in
        ["", "{", "\u{1}", r#"{"version": "doorward/v1"}"#, &POLICY.replace("gpt", "x").replace("effect", "efect")]
    {
        assert!(!configured(bad), "{bad}");
        assert!(is_done("log 4 configuration refused: "), "{bad}");
    }
    create(3, ROOT);
    assert_eq!(headers(3, Side::Request, false), Action::Pause);
    assert!(replies().is_empty());
}

#[test]
fn an_old_generation_lives_as_long_as_its_streams() {
    start();
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    let generations = || with(|state| state.generations.len());
    assert!(configured(&POLICY.replace("\"*\"", "\"none\"")), "{:?}", done());
    assert_eq!(generations(), Some(2));
    // The new one allows no model; the stream is of the old one.
    assert_eq!(request_body(&chat("hello"), true), Action::Continue);
    delete(STREAM);
    assert_eq!(generations(), Some(1));
    create(3, ROOT);
    assert_eq!(headers(3, Side::Request, false), Action::Pause);
    let text = chat("hello");
    host(|fake| fake.buffers.insert(0, text.as_bytes().to_vec()));
    assert_eq!(body(3, Side::Request, text.len(), true), Action::Pause);
    assert_eq!(replies().len(), 1);
    delete(ROOT);
    assert_eq!(generations(), Some(0));
}

#[test]
fn what_waits_to_be_settled_is_settled_with_the_tick_and_before_a_policy_is_forgotten() {
    let limited = POLICY.replace(
        "\"content\"",
        r#""limits": [{"id": "day", "output_tokens": 1000000, "calendar": "day", "per": "all"}], "content""#,
    );
    // Bytes of the only counter: a reservation takes some, and so does what was used.
    let counter = || {
        let kept: Vec<usize> = host(|fake| {
            let limits = fake.shared.iter().filter(|(key, _)| key.contains("/limits/") && !key.ends_with("alive"));
            limits.map(|(_, (value, _))| value.len()).filter(|len| *len > 0).collect()
        });
        kept.iter().sum::<usize>()
    };
    let call = |stream| {
        create(stream, ROOT);
        assert_eq!(headers(stream, Side::Request, false), Action::Pause);
        let text = chat("hello");
        host(|fake| fake.buffers.insert(0, text.as_bytes().to_vec()));
        assert_eq!(body(stream, Side::Request, text.len(), true), Action::Continue, "{:?}", done());
        log(stream);
    };
    start();
    assert!(configured(&limited), "{:?}", done());
    call(10);
    let reserved = counter();
    assert!(reserved > 0);
    delete(10);
    assert_eq!(counter(), reserved);
    tick(ROOT);
    let settled = counter();
    assert!(settled < reserved, "{settled} of {reserved} bytes");
    call(11);
    assert!(counter() > settled);
    // The policy of a stream that is over goes with it; so does that of a root.
    assert!(configured(POLICY), "{:?}", done());
    delete(11);
    assert_eq!(counter(), settled);
    assert!(configured(&limited), "{:?}", done());
    call(12);
    delete(12);
    assert!(counter() > settled);
    delete(ROOT);
    assert_eq!(counter(), settled);
}

#[test]
fn bodies_that_the_host_keeps_back_are_found() {
    start();
    let length = "37";
    let mut head = HEAD.to_vec();
    head.push(("content-length", length));
    let bytes: u64 = head.iter().map(|(n, v)| (n.len() + v.len()) as u64).sum();
    host(|fake| fake.maps.insert(0, pairs::serialize(&head)));
    let received = |body: u64| {
        host(|fake| {
            fake.properties.insert("request/total_size".into(), (bytes + body).to_le_bytes().to_vec());
            fake.now = fake.now.map(|now| now + 2 * SECOND);
        });
        tick(ROOT);
        replies()
    };
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    assert!(received(0).is_empty());
    assert!(received(36).is_empty(), "a slow client");
    assert_eq!(received(37), ["reply 503 envoy.hold_headers_mismatch"]);
    assert!(received(37).is_empty(), "once");
    // One body that came is proof of the contrary.
    create(3, ROOT);
    assert_eq!(headers(3, Side::Request, false), Action::Pause);
    let _ = body(3, Side::Request, 0, false);
    create(4, ROOT);
    assert_eq!(headers(4, Side::Request, false), Action::Pause);
    assert!(received(37).is_empty());
    assert!(received(37).is_empty());
}

#[test]
fn a_stream_without_a_policy_is_refused() {
    host(|fake| fake.now = Some(SECOND));
    create(ROOT, 0);
    create(STREAM, ROOT);
    for unserved in [STREAM, 99] {
        assert_eq!(headers(unserved, Side::Request, true), Action::Pause);
        assert_eq!(replies(), ["reply 503 doorward.unavailable"]);
        // The refusal itself passes.
        assert_eq!(headers(unserved, Side::Response, true), Action::Continue);
    }
}

/// Ids never named, callbacks in any order, and a host on which most calls fail.
#[test]
fn nothing_the_host_calls_panics() {
    for policy in [None, Some(POLICY)] {
        if let Some(policy) = policy {
            start();
            assert!(configured(policy));
        }
        for id in [0, 1, 2, u32::MAX] {
            for root in [0, 1, 7] {
                create(id, root);
                create(id, root);
                let _ = configure(id, usize::MAX);
                for end in [false, true] {
                    for side in [Side::Response, Side::Request] {
                        let _ = trailers(id, side);
                        let _ = body(id, side, usize::MAX, end);
                        let _ = headers(id, side, end);
                        let _ = headers(id, side, end);
                    }
                }
                tick(id);
                call_response(id, 1, 1, usize::MAX);
                log(id);
                delete(id);
                delete(id);
                log(id);
            }
        }
        assert_eq!(with(|state| state.streams.len() + state.roots.len() + state.generations.len()), Some(0));
    }
}

/// An answer's head and its bytes, held.
fn held_answer(content: &str) {
    let text = chat("hi");
    assert_eq!(headers(STREAM, Side::Request, false), Action::Pause);
    assert_eq!(request_body(&text, true), Action::Continue);
    assert_eq!(headers(STREAM, Side::Response, false), Action::Pause);
    host(|fake| fake.buffers.insert(1, content.as_bytes().to_vec()));
    assert_eq!(body(STREAM, Side::Response, content.len(), false), Action::Pause);
}

const ANSWER: &str = r#"{"model":"gpt-5","choices":[{"message":{"content":"ask bob@example.com"}}]}"#;

#[test]
fn an_answer_whose_end_is_not_told_ends_with_the_next_tick_and_nothing_follows_it() {
    start();
    host(|fake| fake.properties.insert("response/backend_latency".into(), 1u64.to_le_bytes().to_vec()));
    held_answer(ANSWER);
    assert!(is_done("tick 1"));
    tick(ROOT);
    let done = done();
    let body_at = done.iter().position(|d| d.starts_with("body 1 ")).expect("a new body");
    assert!(!done[body_at].contains("bob@example.com"), "{done:?}");
    assert!(done.iter().skip(body_at).any(|d| d == "continue 1"), "{done:?}");
    // The host goes on after all.
    assert_eq!(body(STREAM, Side::Response, 7, false), Action::Continue);
    assert!(is_done("body 1 "), "dropped");
    assert_eq!(trailers(STREAM, Side::Response), Action::Continue);
}

#[test]
fn an_answer_that_goes_on_in_time_is_judged_at_its_own_end() {
    start();
    host(|fake| fake.properties.insert("response/backend_latency".into(), 1u64.to_le_bytes().to_vec()));
    held_answer(ANSWER);
    assert_eq!(trailers(STREAM, Side::Response), Action::Continue);
    done();
    tick(ROOT);
    assert!(done().iter().all(|d| d != "continue 1"));
    assert_eq!(body(STREAM, Side::Response, 0, true), Action::Continue);
}

#[test]
fn an_answer_that_is_still_coming_is_waited_for() {
    start();
    held_answer(ANSWER);
    done();
    tick(ROOT);
    assert!(done().iter().all(|d| !d.starts_with("continue") && !d.starts_with("body")));
}

#[test]
fn an_answer_whose_body_is_kept_back_is_refused() {
    start();
    // A GET: no body of a request showed that the host lets bodies come.
    host(|fake| {
        let head = [(":method", "GET"), (":path", "/v1/models"), (":authority", "h")];
        fake.maps.insert(0, pairs::serialize(&head));
    });
    assert_eq!(headers(STREAM, Side::Request, true), Action::Continue);
    assert_eq!(headers(STREAM, Side::Response, false), Action::Pause);
    for (latency, seconds, refused) in [(false, 60, false), (true, 1, false), (true, 1, true)] {
        if latency {
            host(|fake| fake.properties.insert("response/backend_latency".into(), 1u64.to_le_bytes().to_vec()));
        }
        host(|fake| fake.now = fake.now.map(|now| now + seconds * SECOND));
        tick(ROOT);
        assert_eq!(replies().iter().any(|r| r.contains("503")), refused);
    }
}
