//! How much of a value is words: what people name things with is not a secret, however long.
//!
//! Letters follow each other in few ways in words and in all ways in a random value. Of all neighbours in a value,
//! this counts those that words have; some 20 % are in random letters and digits, most in names of things.

use super::super::work;

/// For each letter, the letters that often follow it in the words of English and of programs.
const FOLLOWERS: [&[u8]; 26] = [
    b"bcdgiklmnprstuvy",
    b"aeilorsu",
    b"acehiklorstu",
    b"adeilorsu",
    b"abcdefgilmnpqrstvwxy",
    b"aefilorsu",
    b"aeghilnorsu",
    b"aeiort",
    b"abcdefglmnoprstvxz",
    b"aeou",
    b"eis",
    b"adeilostuy",
    b"abeimopsu",
    b"acdefgiklnostuv",
    b"abcdfgiklmnoprstuvw",
    b"aehiloprstuy",
    b"u",
    b"acdegiklmnorstuvy",
    b"acehilopstuy",
    b"acehilorstuy",
    b"abcegilmnprst",
    b"aeio",
    b"aeio",
    b"ept",
    b"ps",
    b"e",
];

/// [`FOLLOWERS`] as bits.
static PAIRS: [u32; 26] = pairs();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn pairs() -> [u32; 26] {
    let mut all = [0; 26];
    let mut letter = 0;
    while letter < 26 {
        let mut i = 0;
        while i < FOLLOWERS[letter].len() {
            all[letter] |= 1 << (FOLLOWERS[letter][i] - b'a');
            i += 1;
        }
        letter += 1;
    }
    all
}

/// How many in a hundred of the neighbouring letters and digits of `value` are neighbours in words.
pub(super) fn share(value: &[u8]) -> usize {
    work::add(value.len());
    let (mut all, mut common) = (0, 0);
    for (a, b) in value.iter().zip(value.iter().skip(1)) {
        if !a.is_ascii_alphanumeric() || !b.is_ascii_alphanumeric() {
            continue;
        }
        all += 1;
        // A hump starts another word.
        if !a.is_ascii_alphabetic() || !b.is_ascii_alphabetic() || (a.is_ascii_lowercase() && b.is_ascii_uppercase()) {
            continue;
        }
        let follower = b.to_ascii_lowercase() - b'a';
        let pairs = PAIRS.get(usize::from(a.to_ascii_lowercase() - b'a')).copied().unwrap_or(0);
        common += usize::from(pairs >> follower & 1 == 1);
    }
    usize::checked_div(common * 100, all).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_random_values_are_not() {
        for name in ["DOC_Vector_5_32", "ultraPictureBox1", "jetbrains.mps.v8_elimination", "userAccessToken2"] {
            assert!(share(name.as_bytes()) > 60, "{name}");
        }
        for value in ["9fQ2xW7kLz0TbV4m", "h1h6ol1meh7w6r72qtqr3x4imjdlmev", "0b1946ac92492d2347c6235b4d2611184"] {
            assert!(share(value.as_bytes()) < 40, "{value}");
        }
    }
}
