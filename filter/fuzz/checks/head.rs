//! What must hold of the head of a request, whatever stands in it.

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use doorward_core::identity::{CREDENTIAL_HEADERS, path_without_credential};

thread_local! {
    static ENGINE: Engine = {
        let policy = r#"{
            "version": "doorward/v1",
            "targets": [{"name": "t", "cluster": "c", "provider": "openai"}],
            "identity": {"jwt": [{"issuer": "i", "audiences": "a", "key": {"secret": {"env": "KEY"}}}]},
            "access": [{"id": "a", "effect": "allow", "models": "*"}]
        }"#;
        let env = |_: &str| Some("a-fuzzing-key-of-at-least-32-bytes".to_owned());
        Engine::compile(&tree_from_json(policy).expect("JSON"), &env).expect("a policy")
    };
}

/// Panics when something does not hold. Lines of `name: value`.
pub fn head(data: &[u8]) {
    let lines = data.split(|b| *b == b'\n').filter_map(|line| {
        let at = line.iter().skip(1).position(|b| *b == b':')? + 1;
        let name = std::str::from_utf8(line.get(..at)?).ok()?;
        Some((name.to_ascii_lowercase(), line.get(at + 1..)?.trim_ascii().to_vec()))
    });
    let headers = Headers::new(lines);
    let (mut host, mut effects) = (MemoryHost::default(), Vec::new());
    host.set_attribute(Attribute::Cluster, "c");
    ENGINE.with(|engine| {
        let mut worker = Worker::new(engine);
        worker.start(engine, &mut host).expect("a store in memory");
        let mut exchange = Exchange::new(1);
        for event in [Event::Head { side: Side::Request, headers: &headers, end: true }, Event::Done { spent_us: 1 }] {
            let _ = exchange.on(event, Time(1_800_000_000_000_000_000), engine, &mut worker, &mut host, &mut effects);
        }
    });

    // Nobody can know the key, so nobody passes; and nothing of a credential is said or stays.
    assert!(effects.iter().any(|e| matches!(e, Effect::Reply(_))), "an unproven caller passes");
    let removed = |name: &str| effects.iter().any(|e| matches!(e, Effect::RemoveHeader(Side::Request, n) if n == name));
    for name in CREDENTIAL_HEADERS {
        assert!(!headers.has(name) || removed(name), "`{name}` stays");
    }
    let own = headers.iter().map(|(name, _)| name).filter(|name| name.starts_with("x-doorward-"));
    own.for_each(|name| assert!(removed(name), "`{name}` stays"));
    let secrets = CREDENTIAL_HEADERS.iter().flat_map(|name| headers.all(name)).filter(|value| value.len() >= 16);
    let secrets: Vec<String> = secrets.map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    for effect in &effects {
        let said = match effect {
            Effect::Reply(reply) => String::from_utf8_lossy(&reply.body).into_owned(),
            Effect::Record(values) => values.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>().join("\n"),
            _ => continue,
        };
        // The path is on the record, and may hold anything.
        let path = headers.text(":path").unwrap_or_default();
        for secret in secrets.iter().filter(|s| !path.contains(s.as_str())) {
            assert!(!said.contains(secret), "a credential is said");
        }
    }
    if let Some(path) = path_without_credential(&headers) {
        let again: Headers = [(":path", path.as_str())].into_iter().collect();
        assert_eq!(path_without_credential(&again), None, "some of the credential stays");
    }
}
