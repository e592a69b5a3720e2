//! Check digits and other arithmetic on values.

/// The Luhn check (ISO/IEC 7812-1, annex B) over digit values 0 to 9, most significant first.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let doubled = u32::from(*d) << (i & 1);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// ISO 7064 mod 97-10 over digits and letters (A = 10 .. Z = 35, in any case): the remainder.
pub(super) fn mod97(symbols: impl Iterator<Item = u8>) -> u32 {
    symbols.fold(0, |remainder, symbol| match symbol {
        b'0'..=b'9' => (remainder * 10 + u32::from(symbol - b'0')) % 97,
        _ => (remainder * 100 + u32::from(symbol.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    })
}

/// CRC-32 (IEEE 802.3) of the bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Whether the last six characters are the CRC-32 of those before, in base 62 (`0-9A-Za-z`).
pub(super) fn ends_with_crc(value: &[u8]) -> bool {
    let Some((payload, check)) = value.split_last_chunk::<6>() else { return false };
    let number = check.iter().fold(0u64, |number, b| {
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'Z' => b - b'A' + 10,
            _ => b.wrapping_sub(b'a').wrapping_add(36),
        };
        number * 62 + u64::from(digit)
    });
    number == u64::from(crc32(payload))
}

/// Shannon entropy of the bytes, in bits per byte; of the first 64 of more.
pub(super) fn entropy(bytes: &[u8]) -> f32 {
    let bytes = bytes.get(..WEIGHTS.len() - 1).unwrap_or(bytes);
    let mut counts = [0u8; 256];
    for b in bytes {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            *count += 1;
        }
    }
    // Each symbol is counted where it stands first.
    let mut weight = 0.0;
    for b in bytes {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            weight += WEIGHTS.get(usize::from(std::mem::take(count))).copied().unwrap_or(0.0);
        }
    }
    match bytes.len() {
        0 => 0.0,
        length => (length as f32).log2() - weight / length as f32,
    }
}

/// `n * log2(n)`.
#[rustfmt::skip]
const WEIGHTS: [f32; 65] = [
    0.0, 0.0, 2.0, 4.7549, 8.0, 11.6096, 15.5098, 19.6515, 24.0, 28.5293, 33.2193, 38.0538,
    43.0196, 48.1057, 53.303, 58.6034, 64.0, 69.4869, 75.0587, 80.7106, 86.4386, 92.2387, 98.1075,
    104.042, 110.039, 116.096, 122.211, 128.382, 134.606, 140.881, 147.207, 153.58, 160.0,
    166.465, 172.974, 179.525, 186.117, 192.75, 199.421, 206.131, 212.877, 219.66, 226.477,
    233.329, 240.215, 247.133, 254.084, 261.066, 268.078, 275.121, 282.193, 289.294, 296.423,
    303.58, 310.764, 317.975, 325.212, 332.475, 339.763, 347.076, 354.413, 361.775, 369.16,
    376.569, 384.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let digits = |s: &str| s.bytes().map(|b| b - b'0').collect::<Vec<_>>();
        assert!(luhn(&digits("79927398713")));
        assert!(!luhn(&digits("79927398710")));
        assert!(!luhn(&[]));
        assert_eq!(mod97("WEST12345698765432GB82".bytes()), 1);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert!(ends_with_crc(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
        assert!(!ends_with_crc(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18"));
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-6);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b""), 0.0);
        assert!((entropy(b"0123456789abcdef".repeat(9).as_slice()) - 4.0).abs() < 1e-5);
    }
}
