//! The protobuf messages of Envoy's foreign functions `verify_signature` and `declare_property`.
//!
//! `VerifySignatureArguments { string hash_function = 1; bytes public_key = 2; bytes signature = 3; bytes text = 4 }`,
//! `VerifySignatureResult { bool result = 1; string error = 2 }`.

use doorward_core::host::{HostError, NativeAlgorithm, SignatureCheck};

/// The arguments, or nothing for a hash that Envoy does not know.
pub fn verify_arguments(check: &SignatureCheck<'_>) -> Option<Vec<u8>> {
    let (NativeAlgorithm::Rsa(bits) | NativeAlgorithm::Ecdsa(bits)) = check.algorithm;
    let hash = match bits {
        256 => "sha256",
        384 => "sha384",
        512 => "sha512",
        _ => return None,
    };
    let sizes = check.public_key.len() + check.signature.len() + check.text.len();
    let mut out = Vec::with_capacity(sizes + 32);
    put_bytes(&mut out, 1, hash.as_bytes());
    put_bytes(&mut out, 2, check.public_key);
    put_bytes(&mut out, 3, check.signature);
    put_bytes(&mut out, 4, check.text);
    Some(out)
}

/// The arguments of `declare_property` for a text that a filter writes: `DeclarePropertyArguments { string name = 1; WasmType type = 2 }`
/// with the type `String`, 1. Undeclared ones are bytes, which Envoy's expressions do not take for texts.
pub fn declare_arguments(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 8);
    put_bytes(&mut out, 1, name.as_bytes());
    out.extend_from_slice(&[2 << 3, 1]);
    out
}

/// What Envoy found. That it could not check at all (a key it cannot read, an algorithm it has not) is not the same as a
/// bad signature: the caller then checks by other means.
pub fn verify_result(mut bytes: &[u8]) -> Result<bool, HostError> {
    let (mut good, mut error) = (false, &[][..]);
    while !bytes.is_empty() {
        match field(&mut bytes) {
            Some(Field::Varint(1, value)) => good = value != 0,
            Some(Field::Bytes(2, text)) => error = text,
            Some(_) => {}
            None => return Err(HostError::Failed),
        }
    }
    // BoringSSL was ready to check and said no: the only failure that speaks of the signature.
    if good || error.starts_with(b"Failed to verify digest") { Ok(good) } else { Err(HostError::Unsupported) }
}

enum Field<'a> {
    Varint(u64, u64),
    Bytes(u64, &'a [u8]),
    Other,
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<Field<'a>> {
    let tag = varint(bytes)?;
    Some(match tag & 7 {
        0 => Field::Varint(tag >> 3, varint(bytes)?),
        1 => skip(bytes, 8)?,
        2 => {
            let size = usize::try_from(varint(bytes)?).ok()?;
            let (content, rest) = bytes.split_at_checked(size)?;
            *bytes = rest;
            Field::Bytes(tag >> 3, content)
        }
        5 => skip(bytes, 4)?,
        _ => return None,
    })
}

fn skip<'a>(bytes: &mut &'a [u8], size: usize) -> Option<Field<'a>> {
    (_, *bytes) = bytes.split_at_checked(size)?;
    Some(Field::Other)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_bytes(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    let mut size = content.len();
    while size >= 0x80 {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_the_message() {
        let text = vec![b't'; 300];
        let check =
            SignatureCheck { algorithm: NativeAlgorithm::Ecdsa(384), public_key: b"key", signature: b"", text: &text };
        let message = verify_arguments(&check).unwrap();
        assert!(message.starts_with(b"\x0a\x06sha384\x12\x03key\x1a\x00\x22\xac\x02ttt"), "{message:?}");
        assert_eq!(message.len(), 8 + 5 + 2 + 3 + 300);
        assert_eq!(verify_arguments(&SignatureCheck { algorithm: NativeAlgorithm::Rsa(1), ..check }), None);
    }

    #[test]
    fn texts_are_declared_as_such() {
        assert_eq!(declare_arguments("user"), b"\x0a\x04user\x10\x01");
    }

    #[test]
    fn results_tell_a_bad_signature_from_no_check() {
        let with_error = |text: &str| {
            let mut message = Vec::new();
            put_bytes(&mut message, 2, text.as_bytes());
            verify_result(&message)
        };
        assert_eq!(verify_result(b"\x08\x01"), Ok(true));
        assert_eq!(with_error("Failed to verify digest. Error code: 0"), Ok(false));
        assert_eq!(with_error("Failed to initialize digest verify. Error code: 0"), Err(HostError::Unsupported));
        assert_eq!(verify_result(b""), Err(HostError::Unsupported));
        assert_eq!(verify_result(b"\x12\x7fcut"), Err(HostError::Failed));
        // Fields of a later version of the message are skipped.
        assert_eq!(verify_result(b"\x1d\0\0\0\0\x21\0\0\0\0\0\0\0\0\x08\x01"), Ok(true));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = verify_result(&bytes);
        }
    }
}
