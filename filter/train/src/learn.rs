//! Logistic regression over the features of `doorward-core`, on the window of each text that scores highest. Injections and
//! topics are learned in the same way, over features and windows of their own.
//!
//! AdaGrad on single texts with L2, in an order that is shuffled the same way each time. What the rules say of a window
//! is an offset: the model learns what they leave open. A feature counts that enough texts have. Weights become one
//! byte each; where two features want the same slot, the heavier one has it.

use std::collections::HashMap;

use doorward_core::inspect::injection::{self, Features, Model, length, of_rules};

/// Calls back with the windows of a text of so many chunks.
type Windows = fn(usize, &mut dyn FnMut(usize, usize));

/// How a model is trained.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Texts that must have a feature.
    pub least: u32,
    pub epochs: u32,
    pub rate: f32,
    pub l2: f32,
    /// What attacks weigh together, as a share of what the others do.
    pub attacks: f32,
    /// The bits of a slot's index.
    pub bits: u32,
    /// The log-odds of a text of which nothing is known. Not trained: what is unlike all that was seen is no attack.
    pub bias: f32,
    /// The windows that are judged.
    pub windows: Windows,
    /// The first letters of the weights.
    pub magic: [u8; 4],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            least: 4,
            epochs: 12,
            rate: 0.2,
            l2: 5e-4,
            attacks: 0.5,
            bits: 14,
            bias: -2.0,
            windows: injection::windows,
            magic: injection::MAGIC,
        }
    }
}

/// A text to learn from.
pub struct Example<'f> {
    pub chunks: &'f [Features],
    pub attack: bool,
}

/// A trained model, in full.
pub struct Trained {
    /// By hash.
    weights: HashMap<u32, f32>,
    bias: f32,
}

struct Window {
    /// A feature's number, and its value.
    values: Vec<(u32, f32)>,
    offset: f32,
}

/// A text, in chunks of numbered features.
struct Numbered {
    chunks: Vec<(Vec<u32>, u32, u64)>,
    attack: bool,
}

impl Numbered {
    /// The window of which the model is surest that it is an attack.
    fn window(&self, weights: &[f32], windows: Windows) -> Window {
        let mut best = (f32::MIN, 0, self.chunks.len());
        let sums: Vec<f32> = self.chunks.iter().map(|(f, _, _)| f.iter().map(|f| weights[*f as usize]).sum()).collect();
        windows(self.chunks.len(), &mut |from, to| {
            let words = self.chunks[from..to].iter().map(|c| c.1).sum();
            let rules = self.chunks[from..to].iter().fold(0, |all, c| all | c.2);
            let score = sums[from..to].iter().sum::<f32>() / length(words) + of_rules(rules, false);
            if score > best.0 {
                best = (score, from, to);
            }
        });
        let within = &self.chunks[best.1..best.2];
        let words = within.iter().map(|c| c.1).sum();
        let rules = within.iter().fold(0, |all, c| all | c.2);
        let mut numbers: Vec<u32> = within.iter().flat_map(|c| c.0.iter().copied()).collect();
        numbers.sort_unstable();
        let mut values: Vec<(u32, f32)> = Vec::new();
        for number in numbers {
            match values.last_mut() {
                Some((last, value)) if *last == number => *value += 1.0 / length(words),
                _ => values.push((number, 1.0 / length(words))),
            }
        }
        Window { values, offset: of_rules(rules, false) }
    }
}

/// Trains on `examples`.
pub fn train(examples: &[Example<'_>], settings: Settings) -> Trained {
    let mut texts: HashMap<u32, u32> = HashMap::new();
    for example in examples {
        let mut hashes: Vec<u32> = example.chunks.iter().flat_map(|c| c.hashes.iter().copied()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.into_iter().for_each(|hash| *texts.entry(hash).or_default() += 1);
    }
    let mut known: Vec<u32> = texts.iter().filter(|(_, n)| **n >= settings.least).map(|(hash, _)| *hash).collect();
    known.sort_unstable();
    let numbers: HashMap<u32, u32> = known.iter().zip(0..).map(|(hash, number)| (*hash, number)).collect();
    let numbered: Vec<Numbered> = examples
        .iter()
        .map(|example| Numbered {
            chunks: example
                .chunks
                .iter()
                .map(|c| (c.hashes.iter().filter_map(|h| numbers.get(h).copied()).collect(), c.words, c.rules))
                .collect(),
            attack: example.attack,
        })
        .collect();

    let attacks = examples.iter().filter(|e| e.attack).count().max(1) as f32;
    let others = (examples.len() as f32 - attacks).max(1.0);
    let heavy = settings.attacks * others / attacks;
    let (mut weights, mut squares) = (vec![0.0_f32; known.len()], vec![0.05_f32; known.len()]);
    let bias = settings.bias;
    // Averaged over the later epochs.
    let (mut sum, mut summed) = (vec![0.0_f32; known.len()], 0.0);
    let mut order: Vec<usize> = (0..numbered.len()).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for epoch in 0..settings.epochs {
        for i in (1..order.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            order.swap(i, (state % (i as u64 + 1)) as usize);
        }
        for index in &order {
            let text = &numbered[*index];
            let window = text.window(&weights, settings.windows);
            let score: f32 = window.values.iter().map(|(f, v)| weights[*f as usize] * v).sum();
            let chance = 1.0 / (1.0 + (-(score + bias + window.offset)).exp());
            let wrong = (chance - f32::from(text.attack)) * if text.attack { heavy } else { 1.0 };
            for (feature, value) in &window.values {
                let feature = *feature as usize;
                let gradient = wrong * value + settings.l2 * weights[feature];
                squares[feature] += gradient * gradient;
                weights[feature] -= settings.rate * gradient / squares[feature].sqrt();
            }
        }
        if epoch >= settings.epochs / 2 {
            sum.iter_mut().zip(&weights).for_each(|(sum, w)| *sum += w);
            summed += 1.0;
        }
    }
    let weights = known.iter().zip(&sum).map(|(hash, sum)| (*hash, sum / summed)).collect();
    Trained { weights, bias }
}

impl Trained {
    /// The model as `doorward-core` reads it; `shift` is added to the bias.
    pub fn encode(&self, settings: Settings, shift: f32) -> Vec<u8> {
        let mut sizes: Vec<f32> = self.weights.values().map(|w| w.abs()).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let largest = sizes.get(sizes.len() * 999 / 1000).copied().unwrap_or(1.0).max(1e-6);
        let unit = largest / 127.0;
        let mut slots = vec![0_u8; 2 << settings.bits];
        let mut weights: Vec<(u32, i8)> = self
            .weights
            .iter()
            .map(|(hash, w)| (*hash, (w / unit).round().clamp(-127.0, 127.0) as i8))
            .filter(|(_, w)| *w != 0)
            .collect();
        weights.sort_unstable_by_key(|(hash, w)| (std::cmp::Reverse(w.unsigned_abs()), *hash));
        for (hash, weight) in weights {
            let (slot, check) = Model::slot(hash, settings.bits);
            if slots[2 * slot + 1] == 0 {
                slots[2 * slot] = check;
                slots[2 * slot + 1] = weight as u8;
            }
        }
        let mut bytes = settings.magic.to_vec();
        bytes.extend([1, settings.bits as u8, 0, 0]);
        bytes.extend(unit.to_le_bytes());
        bytes.extend((self.bias + shift).to_le_bytes());
        bytes.extend(slots);
        bytes
    }

    /// How many weights there are, before slots are shared.
    pub fn len(&self) -> usize {
        self.weights.len()
    }
}

#[cfg(test)]
mod tests {
    use doorward_core::inspect::injection::{features, score_with};
    use doorward_core::protocol::Channel;

    use super::*;

    #[test]
    fn what_was_learned_is_what_is_read() {
        let texts = ["sunny weather in the hills", "grim goblins march at dawn"];
        let read: Vec<Vec<Features>> = texts.iter().map(|text| features(text)).collect();
        let examples: Vec<Example<'_>> =
            (0..20).map(|i| Example { chunks: &read[i % 2], attack: i % 2 == 1 }).collect();
        let settings = Settings::default();
        let weights = train(&examples, settings).encode(settings, 0.0);
        assert_eq!(weights, train(&examples, settings).encode(settings, 0.0));
        let model = Model::new(&weights);
        let score = |text: &str| score_with(model, text, Channel::User).score;
        assert!(score(texts[1]) > 0.8 && score(texts[0]) < 0.2);
        // Of what is unknown nothing is said.
        assert!((score("qwx zzv") - 0.12).abs() < 0.05, "{}", score("qwx zzv"));
    }
}
