//! Finds a deployment whose `allow_on_headers_stop_iteration` is not what the policy says.
//!
//! Without that flag Envoy stops the body together with the head, and a request whose head waits for its body waits
//! until Envoy's stream idle timeout, five minutes by default. No call tells a filter whether it is set. But Envoy counts
//! the bytes it received (`request.total_size`) even while it stops them, and with the flag each of them is told at once.
//! So bytes that were received, and not told for a while, are proof; unless a filter in front let the head pass and keeps the
//! body. That is why the body has to be whole, or the while long, and why one body that did come ends the watch: the
//! flag does not change under a configuration. A slow client never counts: what it has not sent was not received.
//! An answer is watched in the same way, since a request without a body shows nothing: Envoy tells when it had all of it.

use doorward_core::exchange::Time;

use crate::abi::{Map, calls};
use crate::pairs;
use crate::vm::late;

/// How long a whole body may stay untold.
const WHOLE_MS: u64 = 2_000;

/// How long any part of a body may stay untold.
const PART_MS: u64 = 10_000;

/// What to do about it.
pub const REMEDY: &str = "requests hang: the policy says `envoy.hold_headers: true`, but Envoy does not let bodies come while \
    headers are held (help: set `allow_on_headers_stop_iteration: true` in the filter's PluginConfig, or \
    `hold_headers: false` in the policy)";

/// What became of a body that a head waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Envoy has nothing of it.
    Absent,
    /// Envoy has some of it, which it may be about to tell.
    Due,
    /// Envoy keeps it back.
    Stuck,
}

/// Looks at the request's body of the current context, whose head is held; `since` when Envoy had nothing of it.
pub fn look_at_request(since: Time, now: Time) -> Body {
    let Some(headers) = calls::header_map(Map::Request).ok().and_then(|bytes| pairs::parse(&bytes)) else {
        return Body::Absent;
    };
    let Some(total) = calls::property("request\0total_size").ok().and_then(|v| integer(&v)) else {
        return Body::Absent;
    };
    // Envoy counts the names and values of the head, as it is by now, and what it received of the body.
    let head: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let announced = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, v)| decimal(v));
    judge(total.saturating_sub(head as u64), announced, now.millis().saturating_sub(since.millis()))
}

/// Looks at the answer's body of the current context, whose head is held; `since` when Envoy did not have all of it. Envoy
/// does not count what it received of an answer, but it knows when it had all of it.
pub fn look_at_response(since: Time, now: Time) -> Body {
    match late::upstream_is_done() {
        false => Body::Absent,
        true if now.millis().saturating_sub(since.millis()) >= WHOLE_MS => Body::Stuck,
        true => Body::Due,
    }
}

fn judge(received: u64, announced: Option<u64>, waited_ms: u64) -> Body {
    let whole = announced.is_some_and(|length| received >= length);
    match received {
        0 => Body::Absent,
        _ if waited_ms >= if whole { WHOLE_MS } else { PART_MS } => Body::Stuck,
        _ => Body::Due,
    }
}

/// An integer property: eight bytes, little endian.
fn integer(value: &[u8]) -> Option<u64> {
    value.first_chunk::<8>().filter(|_| value.len() == 8).map(|bytes| u64::from_le_bytes(*bytes))
}

fn decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_received_and_kept_are_proof() {
        // A slow client: nothing came, or not all of it.
        assert_eq!(judge(0, Some(100), 60_000), Body::Absent);
        assert_eq!(judge(0, None, 60_000), Body::Absent);
        assert_eq!(judge(99, Some(100), 9_999), Body::Due);
        // All of it, and kept.
        assert_eq!(judge(100, Some(100), 1_999), Body::Due);
        assert_eq!(judge(100, Some(100), 2_000), Body::Stuck);
        // Some of a body without a length, or larger than Envoy's buffer.
        assert_eq!(judge(1, None, 10_000), Body::Stuck);
        assert_eq!(judge(1_000_000, Some(2_000_000), 10_000), Body::Stuck);
        // `content-length: 0` announces a body that has no bytes to come.
        assert_eq!(judge(0, Some(0), 60_000), Body::Absent);
    }

    #[test]
    fn integers_are_eight_bytes() {
        assert_eq!(integer(&[1, 2, 0, 0, 0, 0, 0, 0]), Some(513));
        assert_eq!(integer(&[1]), None);
        assert_eq!(integer(&[0; 9]), None);
    }
}
