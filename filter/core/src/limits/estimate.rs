//! How many tokens a text is, without a tokenizer: a bound by its bytes, calibrated by what providers tell of earlier ones.
//!
//! Tokenizers (OpenAI's cl100k and o200k were looked at) make one token of four letters of English, of one to three digits or signs,
//! of two to three bytes of other scripts, and three of a rare character. The bound takes the shorter of these: half as much again
//! for prose and code; random letters and digits may be a third more than it. What a model's provider then says of its requests
//! makes it narrower, or wider where a tokenizer does worse.

/// Sixty-fourths of a token for a byte: small ASCII letters and spaces; other ASCII; the rest of UTF-8; and the first byte of
/// characters that take four.
const LETTER: u8 = 20;
const SIGN: u8 = 44;
const WIDE: u8 = 32;
const RARE: u8 = 96;

/// Bytes that are weighed at once.
const BLOCK: usize = 16;

/// Blocks in which no kind of byte is there more often than one byte can say.
const BLOCKS: usize = 15;

const _: () = assert!(BLOCK * BLOCKS <= u8::MAX as usize);

/// What each byte weighs.
static WEIGHTS: [u8; 256] = {
    let mut weights = [0; 256];
    let (mut rest, mut byte): (&mut [u8], u8) = (&mut weights, 0);
    while let [first, others @ ..] = rest {
        *first = weigh(byte);
        (rest, byte) = (others, byte.wrapping_add(1));
    }
    weights
};

/// About so many bytes of most texts are a token, in any of the usual tokenizers.
const BYTES: u64 = 4;

/// Models that are calibrated at most.
const MAX_MODELS: usize = 64;

/// Exchanges after which a model's calibration counts.
const ENOUGH: u32 = 16;

/// What a text weighs: tokens, in sixty-fourths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u64);

impl Weight {
    /// Adds a text.
    pub fn add(&mut self, text: &[u8]) {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let blocks = blocks.chunks(BLOCKS).map(|blocks| weigh_blocks(blocks.as_flattened()));
        let rest = rest.iter().filter_map(|byte| WEIGHTS.get(usize::from(*byte))).map(|weight| u64::from(*weight));
        self.0 = self.0.saturating_add(blocks.chain(rest).sum());
    }

    /// In tokens, rounded up.
    pub fn tokens(self) -> u64 {
        self.0.div_ceil(64)
    }
}

const fn weigh(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b' ' => LETTER,
        0..0x80 => SIGN,
        0x80..0xf0 => WIDE,
        0xf0.. => RARE,
    }
}

/// Weighs up to [`BLOCKS`] blocks, in a shape that compiles to vectors.
fn weigh_blocks(bytes: &[u8]) -> u64 {
    let (mut letters, mut all) = (0u8, 0u8);
    for byte in bytes {
        letters = letters.wrapping_add(u8::from(byte.is_ascii_lowercase() | (*byte == b' ')));
        all |= *byte;
    }
    let (mut wide, mut rare) = (0u8, 0u8);
    // Most texts have none.
    if !all.is_ascii() {
        for byte in bytes {
            wide = wide.wrapping_add(u8::from(*byte >= 0x80));
            rare = rare.wrapping_add(u8::from(*byte >= 0xf0));
        }
    }
    let [letters, wide, rare] = [letters, wide, rare].map(u64::from);
    let signs = (bytes.len() as u64).saturating_sub(letters + wide);
    let [letter, sign, wides, rares] = [LETTER, SIGN, WIDE, RARE].map(u64::from);
    letters * letter + signs * sign + wide.saturating_sub(rare) * wides + rare * rares
}

/// What providers told, by model.
#[derive(Debug, Default)]
pub(crate) struct Calibrations(Vec<(String, Calibration)>);

#[derive(Clone, Copy, Debug, Default)]
struct Calibration {
    input: Ratio,
    output: Ratio,
}

/// What was told, divided by what was reckoned: a moving mean, and its mean deviation.
#[derive(Clone, Copy, Debug, Default)]
struct Ratio {
    seen: u32,
    mean: f64,
    deviation: f64,
}

impl Ratio {
    fn learn(&mut self, told: u64, reckoned: u64) {
        // Too short to say anything: the frame of a message is most of it.
        if reckoned < 32 || told == 0 {
            return;
        }
        let ratio = (told as f64 / reckoned as f64).clamp(0.05, 8.0);
        if self.seen == 0 {
            (self.mean, self.deviation) = (ratio, ratio / 4.0);
        } else {
            let pace = (1.0 / f64::from(self.seen + 1)).max(1.0 / 64.0);
            self.deviation += pace * ((ratio - self.mean).abs() - self.deviation);
            self.mean += pace * (ratio - self.mean);
        }
        self.seen = self.seen.saturating_add(1);
    }

    /// What most are below.
    fn bound(self, reckoned: u64) -> u64 {
        match self.seen {
            0..ENOUGH => reckoned,
            // Half of it at least: a caller may send what has few tokens for its bytes until that is taken for usual.
            _ => (reckoned as f64 * (self.mean + 4.0 * self.deviation)).ceil().max(reckoned as f64 / 2.0) as u64,
        }
    }

    /// What is to be expected, where anything is known.
    fn expected(self, reckoned: u64) -> Option<u64> {
        (self.seen >= ENOUGH).then(|| (reckoned as f64 * self.mean).ceil() as u64)
    }
}

impl Calibrations {
    /// Learns from an exchange that told its usage: tokens in and the text's weight, tokens out and the text's bytes.
    pub fn learn(&mut self, model: &str, input: (u64, Weight), output: (u64, u64)) {
        let place = match self.0.iter().position(|(name, _)| name == model) {
            Some(place) => place,
            None => {
                // The one that was learned first goes; it learns again if it is used.
                if self.0.len() >= MAX_MODELS {
                    self.0.remove(0);
                }
                self.0.push((model.to_owned(), Calibration::default()));
                self.0.len() - 1
            }
        };
        if let Some((_, calibration)) = self.0.get_mut(place) {
            calibration.input.learn(input.0, input.1.tokens());
            calibration.output.learn(output.0, output.1);
        }
    }

    /// At most so many tokens of a model go in with a text.
    pub fn bound(&self, model: &str, input: Weight) -> u64 {
        self.of(model).input.bound(input.tokens())
    }

    /// So many tokens of a model are to be expected of so many bytes of text that came out.
    pub fn output(&self, model: &str, bytes: u64) -> u64 {
        self.of(model).output.expected(bytes).unwrap_or(bytes.div_ceil(BYTES))
    }

    /// And of a text that went in.
    pub fn input(&self, model: &str, input: Weight) -> u64 {
        // The bound is half as much again as what is usual.
        self.of(model).input.expected(input.tokens()).unwrap_or(input.tokens().saturating_mul(2).div_ceil(3))
    }

    fn of(&self, model: &str) -> Calibration {
        self.0.iter().find(|(name, _)| name == model).map(|(_, c)| *c).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(text: &str) -> Weight {
        let mut weight = Weight::default();
        weight.add(text.as_bytes());
        weight
    }

    #[test]
    fn a_bound_holds_for_texts_of_known_length() {
        // Counted with OpenAI's cl100k_base.
        for (text, tokens) in [
            ("The quick brown fox jumps over the lazy dog.", 10),
            ("Die Würde des Menschen ist unantastbar.", 12),
            ("4111 1111 1111 1111", 11),
            ("{\"a\":1,\"b\":[2,3]}", 11),
            ("東京都は日本の首都です。", 12),
            ("𠀀𠀁", 6),
        ] {
            let bound = weight(text).tokens();
            assert!((tokens..=2 * tokens).contains(&bound), "{text}: {bound}");
        }
        assert_eq!(Weight::default().tokens(), 0);
    }

    #[test]
    fn long_texts_are_counted_as_short_ones_are() {
        let mixed = "Der Apfel, 12 Stück: 東京 𠀀! ".repeat(700);
        let mut each = Weight::default();
        for part in mixed.split_inclusive(' ') {
            each.add(part.as_bytes());
        }
        assert_eq!(weight(&mixed), each);
        for length in 0..6000 {
            assert_eq!(weight(&"a".repeat(length)), Weight(length as u64 * u64::from(LETTER)));
            assert_eq!(weight(&"7".repeat(length)), Weight(length as u64 * u64::from(SIGN)));
        }
    }

    #[test]
    fn what_is_told_makes_the_bound_narrower() {
        let text = weight(&"word ".repeat(400));
        let mut calibrations = Calibrations::default();
        assert_eq!(calibrations.bound("m", text), 625);
        assert_eq!(calibrations.output("m", 2000), 500);
        for n in 0..40 {
            calibrations.learn("m", (400 + n % 5, text), (400, 2000));
        }
        let bound = calibrations.bound("m", text);
        assert!((404..500).contains(&bound), "{bound}");
        let expected = calibrations.output("m", 2000);
        assert!((395..=405).contains(&expected), "{expected}");
        assert_eq!(calibrations.bound("another", text), 625);
        // Models that callers make up do not fill it.
        for n in 0..1000 {
            calibrations.learn(&format!("m{n}"), (400, text), (400, 2000));
        }
        assert!(calibrations.0.len() <= MAX_MODELS);
    }
}
