//! CRYPTO: addresses of wallets. Bitcoin in base58check, and in bech32 and bech32m (BIP 173, BIP 350); Ethereum, with the
//! check that the case of its letters is (EIP-55).

use hmac_sha256::Hash;

use super::super::bytes::{self, HEX, Set};
use super::super::context::{Words, words};
use super::super::types::Type;
use super::super::{Candidate, Sight};
use super::starts_free;

static WORDS: Words = words!(
    "wallet wallets btc bitcoin eth ether ethereum crypto address addr erc usdt usdc deposit withdraw",
    "кошелек" "钱包" "錢包" "지갑"
);

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static BASE58_SET: Set = Set::new(b"", BASE58);
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The longest: BIP 173.
pub(super) const LONGEST: usize = 90;
/// base58check: 25 bytes in 26 to 35 symbols.
const LEGACY: std::ops::RangeInclusive<usize> = 26..=35;
/// `0x` and 20 bytes.
const ACCOUNT: usize = 42;

/// Looks for an address that starts at `start`.
pub(super) fn find(bytes: &[u8], start: usize, sight: Sight, found: &mut Vec<Candidate>) {
    let (length, score) = match bytes.get(start..start + 3) {
        Some([b'0', b'x', _]) => ethereum(bytes, start, sight),
        Some([b'1' | b'3', ..]) => {
            let length = BASE58_SET.run(bytes, start, 36);
            let value = bytes.get(start..start + length).unwrap_or_default();
            (length, if LEGACY.contains(&length) && is_base58check(value) { 0.95 } else { 0.0 })
        }
        Some([b'b' | b'B', b'c' | b'C', b'1']) => {
            let length = bytes::ALNUM.run(bytes, start, LONGEST + 1);
            let value = bytes.get(start..start + length).unwrap_or_default();
            (length, if (14..=LONGEST).contains(&length) && is_bech32(value) { 0.95 } else { 0.0 })
        }
        _ => return,
    };
    let end = start + length;
    let next = bytes::at(bytes, end);
    if score > 0.0 && starts_free(bytes, start) && !next.is_ascii_alphanumeric() && !matches!(next, b'_' | b'@') {
        found.push(Candidate { kind: Type::Crypto, start, end, score, checked: true, test_value: false });
    }
}

fn ethereum(bytes: &[u8], start: usize, sight: Sight) -> (usize, f32) {
    let length = 2 + HEX.run(bytes, start + 2, ACCOUNT);
    let value = bytes.get(start + 2..start + length).unwrap_or_default();
    if length != ACCOUNT || value.iter().all(|b| Some(b) == value.first()) {
        return (length, 0.0);
    }
    let upper = value.iter().any(u8::is_ascii_uppercase);
    let lower = value.iter().any(u8::is_ascii_lowercase);
    let end = start + length;
    let named = WORDS.before(bytes, start, 64).is_some() || sight == Sight::Whole && WORDS.after(bytes, end, 24);
    let score = match (upper && lower, named) {
        (true, _) => {
            if is_eip55(value) {
                0.95
            } else {
                0.0
            }
        }
        (false, true) => 0.9,
        // Keys, hashes and constants are written so, too, but rarely in this length.
        (false, false) => 0.6,
    };
    (length, score)
}

/// How an address goes on in a text that arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Shape {
    Legacy,
    Bech32,
    Ethereum,
}

impl Shape {
    pub(in super::super) const ALL: [Shape; 3] = [Shape::Legacy, Shape::Bech32, Shape::Ethereum];

    /// Whether `byte` may stand at this place of one.
    pub(in super::super) fn takes(self, place: usize, byte: u8) -> bool {
        match (self, place) {
            (Shape::Legacy, 0) => matches!(byte, b'1' | b'3'),
            (Shape::Legacy, 1..=34) => BASE58_SET.contains(byte),
            (Shape::Bech32, 0) => matches!(byte, b'b' | b'B'),
            (Shape::Bech32, 1) => matches!(byte, b'c' | b'C'),
            (Shape::Bech32, 2) => byte == b'1',
            (Shape::Bech32, 3..LONGEST) => byte.is_ascii_alphanumeric(),
            (Shape::Ethereum, 0) => byte == b'0',
            (Shape::Ethereum, 1) => byte == b'x',
            (Shape::Ethereum, 2..ACCOUNT) => HEX.contains(byte),
            _ => false,
        }
    }

    /// Whether an address may be so long.
    pub(in super::super) fn may_end(self, length: usize) -> bool {
        match self {
            Shape::Legacy => LEGACY.contains(&length),
            Shape::Bech32 => (14..=LONGEST).contains(&length),
            Shape::Ethereum => length == ACCOUNT,
        }
    }
}

/// A version, 20 bytes and the start of the SHA-256 of the SHA-256 of these.
fn is_base58check(value: &[u8]) -> bool {
    let mut number = [0u8; 25];
    for symbol in value {
        let Some(mut carry) = BASE58.iter().position(|b| b == symbol) else { return false };
        for byte in number.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    super::super::work::add(25 * value.len());
    let zeros = number.iter().take_while(|b| **b == 0).count();
    let ones = value.iter().take_while(|b| **b == b'1').count();
    let Some((payload, check)) = number.split_at_checked(21) else { return false };
    let hash = Hash::hash(&Hash::hash(payload));
    zeros == ones && matches!(number.first(), Some(0 | 5)) && hash.get(..4) == Some(check)
}

fn is_bech32(value: &[u8]) -> bool {
    let upper = value.iter().any(u8::is_ascii_uppercase);
    if upper && value.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    // `bc`, expanded.
    let mut state = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    for symbol in value.iter().skip(3) {
        let Some(v) = BECH32.iter().position(|b| *b == symbol.to_ascii_lowercase()) else { return false };
        state = step(state, v as u32);
    }
    super::super::work::add(value.len());
    matches!(state, 1 | 0x2BC8_30A3)
}

fn step(state: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3];
    let shifted = ((state & 0x1FF_FFFF) << 5) ^ value;
    GENERATOR.iter().enumerate().fold(shifted, |s, (i, g)| if state >> 25 >> i & 1 == 1 { s ^ g } else { s })
}

/// A letter is a capital where the nibble at its place of the hash of the address is 8 or more.
fn is_eip55(value: &[u8]) -> bool {
    let mut lower = [0u8; 40];
    lower.iter_mut().zip(value).for_each(|(slot, b)| *slot = b.to_ascii_lowercase());
    let hash = keccak256(&lower);
    value.iter().enumerate().all(|(i, b)| {
        let byte = hash.get(i / 2).copied().unwrap_or(0);
        let nibble = if i % 2 == 0 { byte >> 4 } else { byte & 15 };
        !b.is_ascii_alphabetic() || (nibble >= 8) == b.is_ascii_uppercase()
    })
}

/// Keccak-256 of a message that is shorter than a block (136 bytes), as it was before SHA-3 changed the padding.
fn keccak256(message: &[u8; 40]) -> [u8; 32] {
    let mut state = [0u64; 25];
    let (words, _) = message.as_chunks::<8>();
    state.iter_mut().zip(words).for_each(|(lane, word)| *lane = u64::from_le_bytes(*word));
    if let Some(lane) = state.get_mut(5) {
        *lane ^= 1;
    }
    if let Some(lane) = state.get_mut(16) {
        *lane ^= 1 << 63;
    }
    super::super::work::add(24 * 25);
    permute(&mut state);
    let mut out = [0; 32];
    let (chunks, _) = out.as_chunks_mut::<8>();
    chunks.iter_mut().zip(&state).for_each(|(chunk, lane)| *chunk = lane.to_le_bytes());
    out
}

/// Keccak-f\[1600\] (FIPS 202, 3.2).
fn permute(state: &mut [u64; 25]) {
    const TURNS: [u32; 24] =
        [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    const PLACES: [usize; 24] = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
    let at = |state: &[u64; 25], i: usize| state.get(i).copied().unwrap_or(0);
    // The round constants, by the shift register that makes them.
    let mut register = 1u8;
    for _ in 0..24 {
        let columns: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |c, y| c ^ at(state, x + 5 * y)));
        let column = |x: usize| columns.get(x % 5).copied().unwrap_or(0);
        for (i, lane) in state.iter_mut().enumerate() {
            *lane ^= column(i % 5 + 4) ^ column(i % 5 + 1).rotate_left(1);
        }
        let mut last = at(state, 1);
        for (place, turn) in PLACES.iter().zip(TURNS) {
            if let Some(lane) = state.get_mut(*place) {
                (last, *lane) = (*lane, last.rotate_left(turn));
            }
        }
        let before = *state;
        for (i, lane) in state.iter_mut().enumerate() {
            let (row, x) = (i - i % 5, i % 5);
            *lane = at(&before, i) ^ (!at(&before, row + (x + 1) % 5) & at(&before, row + (x + 2) % 5));
        }
        let mut constant = 0u64;
        for j in 0..7 {
            if register & 1 == 1 {
                constant |= 1 << ((1u32 << j) - 1);
            }
            register = register << 1 ^ if register & 0x80 != 0 { 0x71 } else { 0 };
        }
        if let Some(lane) = state.first_mut() {
            *lane ^= constant;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses_pass_their_checks() {
        for address in ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"] {
            assert!(is_base58check(address.as_bytes()), "{address}");
            assert!(!is_base58check(address.replace('T', "U").replace('W', "X").as_bytes()), "{address}");
        }
        for address in [
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ] {
            assert!(is_bech32(address.as_bytes()), "{address}");
            assert!(!is_bech32(address.replace('8', "9").replace("6y", "7y").as_bytes()), "{address}");
        }
        // The examples of EIP-55.
        for address in ["5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"] {
            assert!(is_eip55(address.as_bytes()), "{address}");
            assert!(!is_eip55(address.replace('A', "a").replace('B', "b").as_bytes()), "{address}");
        }
    }
}
