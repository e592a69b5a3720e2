//! Messages of `application/vnd.amazon.eventstream`, the framing of Amazon's streams.
//!
//! A message is a prelude (total length, length of the headers, CRC-32 of both; big endian), headers, a payload, and
//! the CRC-32 of everything before. A header is the length of its name (one byte), its name, its type (7: string),
//! the length of its value (two bytes), its value.

/// The content type.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// One message with string headers.
pub fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).expect("a short header name"));
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).expect("a short header value").to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).expect("a small message").to_be_bytes();
    let mut message = Vec::new();
    message.extend_from_slice(&length(12 + head.len() + payload.len() + 4));
    message.extend_from_slice(&length(head.len()));
    let crc = crc32fast::hash(&message);
    message.extend_from_slice(&crc.to_be_bytes());
    message.extend_from_slice(&head);
    message.extend_from_slice(payload);
    let crc = crc32fast::hash(&message);
    message.extend_from_slice(&crc.to_be_bytes());
    message
}

/// An event with a JSON payload.
pub fn event(name: &str, payload: &serde_json::Value) -> Vec<u8> {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    message(&headers, payload.to_string().as_bytes())
}

/// An exception, which ends a stream.
pub fn exception(name: &str, message_text: &str) -> Vec<u8> {
    let headers = [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")];
    message(&headers, serde_json::json!({"message": message_text}).to_string().as_bytes())
}

/// A message that was read.
pub struct Read<'a> {
    /// What event or exception it is.
    pub name: String,
    /// Its payload.
    pub payload: &'a [u8],
    /// What follows it.
    pub rest: &'a [u8],
}

/// The message that `bytes` begin with; `None` where there is no whole one. Checksums are not looked at.
pub fn first(bytes: &[u8]) -> Option<Read<'_>> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let (total, head) = (number(0)?, number(4)?);
    let message = bytes.get(..total)?;
    let mut headers = message.get(12..12 + head)?;
    let mut name = String::new();
    while let Some((length, rest)) = headers.split_first() {
        let (header, rest) = rest.split_at_checked(usize::from(*length))?;
        // Type, then the length of the value.
        let length = usize::from(u16::from_be_bytes(rest.get(1..3)?.try_into().ok()?));
        let value = rest.get(3..3 + length)?;
        if matches!(header, b":event-type" | b":exception-type") {
            name = String::from_utf8_lossy(value).into_owned();
        }
        headers = rest.get(3 + length..)?;
    }
    Some(Read { name, payload: message.get(12 + head..total.checked_sub(4)?)?, rest: bytes.get(total..)? })
}

#[cfg(test)]
mod tests {
    use super::message;

    /// The empty message of Amazon's own test vectors.
    #[test]
    fn the_empty_message_is_as_amazon_has_it() {
        let expected = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
        assert_eq!(message(&[], b""), expected);
    }
}
