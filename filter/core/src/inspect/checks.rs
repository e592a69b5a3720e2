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

/// Shannon entropy of the bytes, in bits per byte.
pub(super) fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for b in bytes {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            *count += 1;
        }
    }
    let total = bytes.len() as f32;
    counts.iter().filter(|c| **c > 0).map(|c| *c as f32 / total).map(|p| -p * p.log2()).sum()
}

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
        assert!((entropy(b"aabb") - 1.0).abs() < 1e-6);
        assert_eq!(entropy(b"aaaa"), 0.0);
    }
}
