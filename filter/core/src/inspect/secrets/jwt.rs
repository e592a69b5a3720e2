//! JSON_WEB_TOKEN: signed and encrypted tokens in compact form (RFC 7515, RFC 7516). The header must decode to
//! a JSON object that names its algorithm.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::bytes::{self, URL64};
use super::{Hit, Left, Memo};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Headers longer than this are not read; real ones with a certificate chain have a few thousand.
const MAX_HEADER: usize = 16 * 1024;

/// The longest parts in a text that arrives: a longer header is none, whatever else is longer counts as far as this.
pub(super) const LEFT_LONG: usize = 2048;
pub(super) const LEFT_SHORT: usize = 1024;

pub(super) fn find(bytes: &[u8], at: usize, memo: &mut Memo) -> Option<Hit> {
    // A token starts its run: each run is read once.
    if !Left::Hyphen.fits(bytes, at) {
        return None;
    }
    let (most, short) = if memo.left { (LEFT_LONG, LEFT_SHORT) } else { (usize::MAX, usize::MAX) };
    let header = URL64.run(bytes, at, most);
    let payload_at = at + header + 1;
    if bytes::at(bytes, at + header) != b'.' || header > MAX_HEADER {
        return None;
    }
    let payload = URL64.run(bytes, payload_at, most);
    let cut = payload == most;
    if bytes::at(bytes, payload_at + payload) != b'.' && !cut || payload < 2 && payload != 0 {
        return None;
    }
    if !names_algorithm(bytes.get(at..at + header)?) {
        return None;
    }
    let mut end = payload_at + payload;
    // The signature, which an unsigned token leaves empty; or the other three parts of an encrypted one.
    for _ in 0..3 {
        if bytes::at(bytes, end) != b'.' {
            break;
        }
        end += 1 + URL64.run(bytes, end + 1, short);
    }
    Some(Hit { start: at, end, score: 0.97, test_value: is_published(bytes.get(payload_at..payload_at + payload)?) })
}

fn names_algorithm(header: &[u8]) -> bool {
    let Ok(json) = ENGINE.decode(header) else { return false };
    let object = json.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    object && json.windows(5).any(|w| w == b"\"alg\"")
}

/// The payload that jwt.io shows.
fn is_published(payload: &[u8]) -> bool {
    if payload.len() > 256 {
        return false;
    }
    let Ok(json) = ENGINE.decode(payload) else { return false };
    [b"\"1234567890\"".as_slice(), b"\"John Doe\""].iter().all(|sign| json.windows(sign.len()).any(|w| w == *sign))
}
