//! Envoy's rate-limit protocol: the call `envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit`, as the HTTP/2 request that a
//! gRPC call is.
//!
//! `RateLimitRequest { string domain = 1; repeated RateLimitDescriptor descriptors = 2; uint32 hits_addend = 3 }`,
//! `RateLimitDescriptor { repeated Entry entries = 1; UInt64Value hits_addend = 3; bool is_negative_hits = 4 }`,
//! `Entry { string key = 1; string value = 2 }`, `RateLimitResponse { Code overall_code = 1 }` with `OK` 1 and `OVER_LIMIT` 2.
//! A gRPC message has five bytes in front: one that says whether it is compressed, and its length, big endian.
//!
//! The number of hits is written twice, since some services read it of the request only, and others of the descriptor first.

use crate::config::protobuf::{Field, field};

/// `:path` of the call.
pub const PATH: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// Bytes in front of a message.
const FRAME: usize = 5;

/// What a service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// There was so much left, and it is charged.
    Ok,
    /// There was not.
    OverLimit,
}

/// The body of a call about one descriptor.
pub fn request(domain: &str, entries: &[(&str, &str)], hits: u32, refund: bool) -> Vec<u8> {
    let mut descriptor = Vec::with_capacity(128);
    for (key, value) in entries {
        let mut entry = Vec::with_capacity(key.len() + value.len() + 4);
        put_bytes(&mut entry, 1, key.as_bytes());
        put_bytes(&mut entry, 2, value.as_bytes());
        put_bytes(&mut descriptor, 1, &entry);
    }
    let mut wrapped = Vec::with_capacity(6);
    put_number(&mut wrapped, 1, hits.into());
    put_bytes(&mut descriptor, 3, &wrapped);
    if refund {
        put_number(&mut descriptor, 4, 1);
    }
    let mut message = Vec::with_capacity(descriptor.len() + domain.len() + 16);
    put_bytes(&mut message, 1, domain.as_bytes());
    put_bytes(&mut message, 2, &descriptor);
    if !refund {
        // Who does not know refunds must not take one for a charge.
        put_number(&mut message, 3, hits.into());
    }
    let mut framed = Vec::with_capacity(message.len() + FRAME);
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(&message);
    framed
}

/// Reads the body of an answer; `None` where it is none: a call that failed has no message.
pub fn response(body: &[u8]) -> Option<Code> {
    let ([compressed, length @ ..], mut message) = body.split_first_chunk::<FRAME>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if *compressed != 0 || length != message.len() {
        return None;
    }
    let mut code = None;
    while !message.is_empty() {
        match field(&mut message)? {
            Field::Varint(1, value) => code = Some(value),
            // It would be no code, and takes the place of one.
            Field::Fixed64(1, _) | Field::Fixed32(1) | Field::Bytes(1, _) => code = None,
            _ => {}
        }
    }
    match code {
        Some(1) => Some(Code::Ok),
        Some(2) => Some(Code::OverLimit),
        _ => None,
    }
}

fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    put_varint(out, value);
}

fn put_bytes(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_the_message() {
        let entry = b"\x0a\x08\x0a\x01k\x12\x03v\xc3\xa9";
        let mut message = b"\x0a\x01d\x12\x0f".to_vec();
        message.extend_from_slice(entry);
        message.extend_from_slice(b"\x1a\x03\x08\xac\x02");
        let mut framed = vec![0, 0, 0, 0, message.len() as u8 + 3];
        framed.extend_from_slice(&message);
        framed.extend_from_slice(b"\x18\xac\x02");
        assert_eq!(request("d", &[("k", "v\u{e9}")], 300, false), framed);
        // A refund says so in the descriptor, and nowhere that could be read without it.
        let mut refund = message;
        refund[4] += 2;
        refund.extend_from_slice(b"\x20\x01");
        assert_eq!(request("d", &[("k", "v\u{e9}")], 300, true)[FRAME..], refund[..]);
    }

    #[test]
    fn only_a_plain_yes_is_one() {
        assert_eq!(response(b"\0\0\0\0\x02\x08\x01"), Some(Code::Ok));
        assert_eq!(response(b"\0\0\0\0\x02\x08\x02"), Some(Code::OverLimit));
        // Statuses, headers and fields of later versions beside it are skipped.
        assert_eq!(response(b"\0\0\0\0\x0a\x12\x02\x08\x01\x08\x02\x3a\x02ok"), Some(Code::OverLimit));
        for no_answer in [
            &b""[..],
            b"\0\0\0\0\0",
            b"\0\0\0\0\x02\x08\0",
            b"\0\0\0\0\x02\x08\x03",
            b"\x01\0\0\0\x02\x08\x01",
            b"\0\0\0\0\x03\x08\x01",
            b"\0\0\0\0\x02\x08\x01\0\0\0\0\x02\x08\x02",
            b"\0\0\0\0\x02\x08\x81",
            b"\0\0\0\0\x03\x12\x05x",
            b"\0\0\0\0\x03\x0a\x01\x01",
        ] {
            assert_eq!(response(no_answer), None, "{no_answer:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = response(&bytes);
        }
    }
}
