//! The little DER (X.690) that a native signature check wants: public keys as SubjectPublicKeyInfo (RFC 5280,
//! section 4.1.2.7) and ECDSA signatures as a SEQUENCE of two INTEGERs (RFC 3279, section 2.2.3).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// rsaEncryption (RFC 8017) with its NULL parameters.
const RSA_ENCRYPTION: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-ecPublicKey with prime256v1 (RFC 5480).
const EC_P256: &[u8] =
    &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-ecPublicKey with secp384r1 (RFC 5480).
const EC_P384: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// A NIST curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// An RSA public key, from modulus and exponent as big-endian bytes.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = tlv(SEQUENCE, &[&unsigned(modulus), &unsigned(exponent)]);
    public_key(RSA_ENCRYPTION, &key)
}

/// An elliptic-curve public key, from the uncompressed point (0x04, x, y).
pub(super) fn ec_public_key(curve: Curve, point: &[u8]) -> Vec<u8> {
    match curve {
        Curve::P256 => public_key(EC_P256, point),
        Curve::P384 => public_key(EC_P384, point),
    }
}

/// An ECDSA signature, from the r and s of RFC 7518, section 3.4, of `size` bytes each.
/// `None` where the length is another or one of them is zero.
pub(super) fn ecdsa_signature(raw: &[u8], size: usize) -> Option<Vec<u8>> {
    let (r, s) = raw.split_at_checked(size)?;
    if s.len() != size || r.iter().all(|b| *b == 0) || s.iter().all(|b| *b == 0) {
        return None;
    }
    Some(tlv(SEQUENCE, &[&unsigned(r), &unsigned(s)]))
}

fn public_key(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    // The first byte of a BIT STRING counts the unused bits of its last one.
    tlv(SEQUENCE, &[&tlv(SEQUENCE, &[algorithm]), &tlv(BIT_STRING, &[&[0], key])])
}

/// A non-negative INTEGER in the fewest bytes.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    match bytes.first() {
        None => tlv(INTEGER, &[&[0]]),
        Some(top) if *top >= 0x80 => tlv(INTEGER, &[&[0], bytes]),
        Some(_) => tlv(INTEGER, &[bytes]),
    }
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = bytes.get(length.leading_zeros() as usize / 8..).unwrap_or_default();
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_never_negative() {
        assert_eq!(unsigned(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
    }

    #[test]
    fn lengths_take_the_short_and_the_long_form() {
        assert_eq!(tlv(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(tlv(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[&[0; 256], &[0]])[..4], [4, 0x82, 1, 1]);
    }

    #[test]
    fn signatures_become_asn1() {
        let mut raw = [0u8; 64];
        raw[31] = 1;
        raw[32] = 0x80;
        let der = ecdsa_signature(&raw, 32).unwrap();
        assert_eq!(der[..7], [0x30, 3 + 2 + 33, 2, 1, 1, 2, 33]);
        assert_eq!(der[7..9], [0, 0x80]);
        assert_eq!(ecdsa_signature(&raw[..63], 32), None);
        assert_eq!(ecdsa_signature(&[1; 65], 32), None);
        assert_eq!(ecdsa_signature(&[0; 64], 32), None);
        let mut no_s = [0u8; 64];
        no_s[0] = 1;
        assert_eq!(ecdsa_signature(&no_s, 32), None);
    }
}
