//! What can be seen of a finished scenario from outside, in a form in which two of them can be compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Fields, Host, Received};

/// Everything.
pub fn everything(host: &Host, names: &BTreeMap<String, u32>, pending: &[String]) -> Value {
    let streams: Map<String, Value> = names
        .iter()
        .map(|(name, id)| {
            let stream = &host.streams[id];
            let log: Map<String, Value> =
                stream.filter_state.iter().map(|(k, v)| (k.clone(), bytes(v).into())).collect();
            let seen = json!({
                "upstream": end(&stream.request.received),
                "client": end(&stream.response.received),
                "log": log,
                "details": stream.details,
                "pending": pending.contains(name),
            });
            (name.clone(), seen)
        })
        .collect();
    let metrics: BTreeMap<String, Value> =
        host.metrics.iter().map(|m| (m.name.clone(), json!({"count": m.count, "sum": m.sum}))).collect();
    let called_with: Vec<Value> =
        host.called_with.iter().map(|(head, body)| json!([fields(head), bytes(body)])).collect();
    json!({"streams": streams, "metrics": metrics, "called": host.called, "called_with": called_with,
        "mistakes": host.mistakes})
}

/// What one end received; nothing is `null`.
pub fn end(received: &Received) -> Value {
    if *received == Received::default() {
        return Value::Null;
    }
    json!({
        "informational": received.informational,
        "head": received.head.as_ref().map(fields),
        "body": bytes(&received.body),
        "trailers": received.trailers.as_ref().map(fields),
        "ended": received.ended,
        "reset": received.reset,
    })
}

/// Headers by name: their order among different names is Envoy's affair.
pub fn fields(fields: &Fields) -> Value {
    let mut map: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &fields.0 {
        map.entry(name).or_default().push(bytes(value));
    }
    json!(map)
}

/// Bytes as text that can be read; long ones as length and digest.
pub fn bytes(bytes: &[u8]) -> String {
    if bytes.len() > 2000 {
        let digest: String = hmac_sha256::Hash::hash(bytes).iter().map(|b| format!("{b:02x}")).collect();
        return format!("{} bytes, sha256 {digest}", bytes.len());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// The lines in which two observations differ.
pub fn difference(left: (&str, &Value), right: (&str, &Value)) -> Option<String> {
    let mut out = String::new();
    differ("", left, right, &mut out);
    (!out.is_empty()).then_some(out)
}

fn differ(path: &str, left: (&str, &Value), right: (&str, &Value), out: &mut String) {
    match (left.1, right.1) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                differ(&format!("{path}/{key}"), (left.0, a), (right.0, b), out);
            }
        }
        (a, b) if a != b => {
            out.push_str(&format!("  {path}\n    {:>8}: {a}\n    {:>8}: {b}\n", left.0, right.0));
        }
        _ => {}
    }
}
