//! A host for tests: it answers what it was given, and writes down what it is asked to do.

use std::cell::RefCell;
use std::collections::HashMap;

use super::exports::proxy_on_memory_allocate;

thread_local! {
    static HOST: RefCell<Fake> = RefCell::default();
}

/// What the host has, and what it was asked to do.
#[derive(Default)]
pub struct Fake {
    /// Nanoseconds since the epoch; none is a host that grants no clock.
    pub now: Option<u64>,
    /// Header maps by number, serialised.
    pub maps: HashMap<usize, Vec<u8>>,
    /// Buffers by number.
    pub buffers: HashMap<usize, Vec<u8>>,
    /// Properties by path, parts joined by `/`.
    pub properties: HashMap<String, Vec<u8>>,
    /// The shared store.
    pub shared: HashMap<String, (Vec<u8>, usize)>,
    /// What the host calls back while a body is being written.
    pub on_set_buffer: Option<fn()>,
    /// Calls that change something, in order.
    pub done: Vec<String>,
    versions: usize,
}

/// Sets up the host, or looks at it.
pub fn host<R>(f: impl FnOnce(&mut Fake) -> R) -> R {
    HOST.with(|host| f(&mut host.borrow_mut()))
}

/// What was done since the last look.
pub fn done() -> Vec<String> {
    host(|fake| std::mem::take(&mut fake.done))
}

/// One call of the host, by its name and raw arguments.
pub fn call(name: &str, args: &[usize]) -> u32 {
    let note = |what: String| host(|fake| fake.done.push(what));
    let text = |at: usize| String::from_utf8_lossy(bytes(args[at], args[at + 1])).into_owned();
    match (name, args) {
        ("proxy_log", [level, ..]) => note(format!("log {level} {}", text(1))),
        ("proxy_get_current_time_nanoseconds", [to]) => match host(|fake| fake.now) {
            Some(now) => put(*to, now),
            None => return 10,
        },
        ("proxy_set_tick_period_milliseconds", [period]) => note(format!("tick {period}")),
        ("proxy_set_effective_context", [context]) => note(format!("context {context}")),
        ("proxy_get_buffer_bytes", [buffer, start, max, data, size]) => {
            let Some(content) = host(|fake| fake.buffers.get(buffer).cloned()) else { return 1 };
            let end = content.len().min(start.saturating_add(*max));
            hand_over(&content[*start..end], *data, *size);
        }
        ("proxy_set_buffer_bytes", [buffer, ..]) => {
            let content = text(3);
            note(format!("body {buffer} {content}"));
            host(|fake| fake.buffers.insert(*buffer, content.into_bytes()));
            if let Some(call_back) = host(|fake| fake.on_set_buffer.take()) {
                call_back();
            }
        }
        ("proxy_get_header_map_pairs", [map, data, size]) => {
            hand_over(&host(|fake| fake.maps.get(map).cloned()).unwrap_or_default(), *data, *size);
        }
        ("proxy_replace_header_map_value", [map, ..]) => note(format!("set {map} {}: {}", text(1), text(3))),
        ("proxy_remove_header_map_value", [map, ..]) => note(format!("remove {map} {}", text(1))),
        ("proxy_get_property", [_, _, data, size]) => {
            let path = text(0).replace('\0', "/");
            let Some(value) = host(|fake| fake.properties.get(&path).cloned()) else { return 1 };
            hand_over(&value, *data, *size);
        }
        ("proxy_set_property", _) => note(format!("record {}={}", text(0), text(2))),
        ("proxy_get_shared_data", [_, _, data, size, version]) => {
            let Some((value, now)) = host(|fake| fake.shared.get(&text(0)).cloned()) else { return 1 };
            hand_over(&value, *data, *size);
            put(*version, now as u32);
        }
        ("proxy_set_shared_data", [.., version]) => {
            let (key, value) = (text(0), bytes(args[2], args[3]).to_vec());
            return host(|fake| {
                if *version != 0 && fake.shared.get(&key).map(|(_, v)| *v) != Some(*version) {
                    return 8;
                }
                fake.versions += 1;
                fake.shared.insert(key, (value, fake.versions));
                0
            });
        }
        ("random_get", [data, size]) => {
            for at in 0..*size {
                put(*data + at, 0xa5u8);
            }
        }
        ("proxy_continue_stream", [direction]) => note(format!("continue {direction}")),
        ("proxy_send_local_response", [status, ..]) => note(format!("reply {status} {}", text(1))),
        ("proxy_define_metric", [.., id]) => put(*id, 1u32),
        ("proxy_increment_metric" | "proxy_record_metric", _) => {}
        _ => return 12,
    }
    0
}

fn bytes<'a>(data: usize, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    // SAFETY: the caller of the host passes the parts of a slice that outlives the call.
    unsafe { std::slice::from_raw_parts(data as *const u8, size) }
}

fn put<T>(to: usize, value: T) {
    // SAFETY: the caller of the host passes the address of a local of this type.
    unsafe { (to as *mut T).write(value) }
}

/// As Envoy does: memory is asked of the guest, filled, and forgotten.
fn hand_over(content: &[u8], data: usize, size: usize) {
    if content.is_empty() {
        return;
    }
    let memory = proxy_on_memory_allocate(content.len());
    // SAFETY: the guest just allocated that many bytes.
    unsafe { memory.copy_from_nonoverlapping(content.as_ptr(), content.len()) };
    put(data, memory);
    put(size, content.len());
}
