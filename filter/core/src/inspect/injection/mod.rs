//! PROMPT_INJECTION: texts that give a model instructions against those it has.
//!
//! **How.** Three signals add up in log-odds, and each is reported:
//! 1. *rules* (`rules`) over classes of words (`lexicon`) and markers (`markers`): requests to override or to reveal
//!    instructions, roles without limits, control tokens of chat templates, words to the model inside a document, ... Of
//!    the rules of one signal the strongest counts.
//! 2. a linear *model* (`model`) over hashed words, pairs of words, beginnings of words and pairs of classes,
//!    trained by `doorward-train`; `CARD.md` says on what, and how well it does on sources that it was not trained on.
//! 3. the *channel*: an instruction in what a tool, a document or a tool's description brings weighs more than one
//!    that a user types; the model's own words weigh less, and the operator's least.
//!
//! A text is read once, in chunks of [`CHUNK`] words, and judged over windows of two and of eight chunks and as a
//! whole: an attack inside a long document scores as it does alone. The finding covers the best window. Time is linear
//! in the text; what is kept is some 24 bytes per chunk. Words whose letters are written apart are put together (`spelled`), and
//! a conversation that is made up within a text is told by its turns (`shots`).
//!
//! **What this does not do.** It does not understand: a request that is harmless by itself and only out of place (as
//! most of those in BIPIA) is seen by its address (`your answer`) at best. Encodings are undone elsewhere. A text that
//! still arrives is not judged: a stream has no finding before its text is complete.

mod lexicon;
mod markers;
pub(super) mod model;
mod read;
mod rules;
mod shots;
mod spelled;
pub(super) mod words;

#[cfg(test)]
mod tests;

use super::types::Type;
use super::{Finding, KindId};
use crate::protocol::Channel;
pub use model::{MAGIC, Model, length};
use read::Sink;
use rules::{RULES, SIGNALS, Signal};
use words::Word;

/// Words of a chunk.
pub const CHUNK: u32 = 24;
/// Chunks of the short and of the long window.
const SHORT: usize = 2;
const LONG: usize = 8;
/// However little a text looks like an injection, a rule can still say that it is one.
const FLOOR: f32 = -3.5;
/// A signal that moves the log-odds less is not reported.
const TOLD: f32 = 0.05;

static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// How much a text looks like an injection, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// From 0 to 1.
    pub score: f32,
    /// What each signal adds to the log-odds, strongest first: rules by name, `model` and `channel`.
    pub signals: Vec<(&'static str, f32)>,
    /// The bytes of the text that scored.
    pub start: usize,
    /// Where they end (exclusive).
    pub end: usize,
}

/// The kind of a finding.
pub const KIND: KindId = Type::PromptInjection.id();

/// A finding with the text's score, over what scored, whatever the threshold. Of a text without words it is empty.
pub(super) fn find(text: &str, channel: Channel) -> Finding {
    let Score { score, start, end, .. } = score(text, channel);
    Finding { kind: KIND, start, end, score, test_value: false }
}

/// Judges a text that stands in `channel`.
pub fn score(text: &str, channel: Channel) -> Score {
    score_with(Model::new(WEIGHTS), text, channel)
}

/// The same with another model, or with none.
pub fn score_with(model: Option<Model<'_>>, text: &str, channel: Channel) -> Score {
    let (score, spelled) = judge(model, text, channel);
    if !spelled {
        return score;
    }
    // What letters apart spell is judged beside what stands there.
    let view = spelled::view(text);
    let (shown, _) = judge(model, &view.text, channel);
    if shown.score <= score.score {
        return score;
    }
    let (start, end) = view.within(shown.start, shown.end);
    Score { start, end, ..shown }
}

/// Judges a text as it stands, and says whether there are runs of single letters in it.
fn judge(model: Option<Model<'_>>, text: &str, channel: Channel) -> (Score, bool) {
    let mut chunks = Chunks { model, chunks: Vec::new(), open: Chunk::default(), single: 0, spelled: false };
    read::read(text, &mut chunks);
    let (brought, shift) = weight(channel);
    let mut best = Best { log_odds: f32::MIN, model: 0.0, rules: 0, start: 0, end: text.len() };
    windows(chunks.chunks.len(), &mut |from, to| {
        let within = chunks.chunks.get(from..to).unwrap_or_default();
        let (mut sum, mut words, mut short, mut hits) = (0, 0, 0, 0);
        for chunk in within {
            sum += chunk.sum;
            words += chunk.words;
            short += chunk.short;
            hits |= chunk.rules;
        }
        // Letters one by one, or bytes in hexadecimal: what they spell is judged where it is put together.
        let spelled = 4 * short >= 3 * words;
        let model = model.filter(|_| !spelled);
        let modelled = model.map_or(FLOOR, |model| model.log_odds(i64::from(sum), words).max(FLOOR));
        let log_odds = modelled + of_rules(hits, brought);
        if log_odds > best.log_odds {
            let start = within.first().map_or(0, |c| c.start);
            let end = within.last().map_or(text.len(), |c| c.end);
            best = Best { log_odds, model: modelled, rules: hits, start, end };
        }
    });
    if chunks.chunks.is_empty() {
        return (Score { score: 0.0, signals: Vec::new(), start: 0, end: 0 }, false);
    }
    let mut signals: Vec<(&'static str, f32)> = vec![("model", best.model), ("channel", shift)];
    for (signal, value) in Signal::ALL.iter().zip(by_signal(best.rules, brought)) {
        signals.push((signal.as_str(), value));
    }
    signals.retain(|(_, value)| value.abs() >= TOLD);
    crate::sort::cold(&mut signals, |a, b| a.1 > b.1);
    let score = 1.0 / (1.0 + (-(best.log_odds + shift)).exp());
    (Score { score, signals, start: best.start, end: best.end }, chunks.spelled)
}

struct Best {
    log_odds: f32,
    model: f32,
    rules: u64,
    start: usize,
    end: usize,
}

/// Whether what stands in the channel was brought by somebody else than who talks, and what its log-odds are moved by.
fn weight(channel: Channel) -> (bool, f32) {
    match channel {
        Channel::ToolResult | Channel::Document | Channel::ToolDescription => (true, 0.3),
        Channel::User | Channel::ToolCall | Channel::Metadata => (false, 0.0),
        Channel::Assistant => (false, -2.0),
        Channel::System | Channel::Developer => (false, -3.0),
    }
}

/// What rules add to the log-odds, by signal: the strongest of each.
fn by_signal(mut hits: u64, brought: bool) -> [f32; SIGNALS] {
    let mut strongest = [0.0_f32; SIGNALS];
    while hits != 0 {
        let index = hits.trailing_zeros() as usize;
        hits &= hits - 1;
        if let Some(rule) = RULES.get(index)
            && let Some(slot) = strongest.get_mut(rule.signal as usize)
        {
            *slot = slot.max(if brought { rule.brought } else { rule.typed });
        }
    }
    strongest
}

/// The same, together.
pub fn of_rules(hits: u64, brought: bool) -> f32 {
    if hits == 0 { 0.0 } else { by_signal(hits, brought).iter().sum() }
}

/// Calls `window` with the chunks that each window of a text of `chunks` chunks has: the first, and the one behind the last.
pub fn windows(chunks: usize, window: &mut dyn FnMut(usize, usize)) {
    for length in [SHORT, LONG] {
        for from in 0..chunks.saturating_sub(length) {
            window(from, from + length);
        }
        if chunks > length {
            window(chunks - length, chunks);
        }
    }
    window(0, chunks);
}

#[derive(Clone, Copy, Default)]
struct Chunk {
    sum: i32,
    words: u32,
    /// Those of one or two letters or digits.
    short: u32,
    rules: u64,
    start: usize,
    end: usize,
}

struct Chunks<'w> {
    model: Option<Model<'w>>,
    chunks: Vec<Chunk>,
    open: Chunk,
    /// Single letters in a row, and whether there were enough.
    single: usize,
    spelled: bool,
}

impl Chunks<'_> {
    fn close(&mut self) {
        let chunk = std::mem::take(&mut self.open);
        if chunk.words > 0 {
            self.chunks.push(chunk);
        }
    }
}

impl Sink for Chunks<'_> {
    #[inline]
    fn feature(&mut self, hash: u32) {
        if let Some(model) = &self.model {
            self.open.sum += model.weight(hash);
        }
    }

    #[inline]
    fn word(&mut self, word: &Word, rules: u64) {
        if self.open.words == 0 {
            self.open.start = word.start;
        }
        self.open.end = word.end;
        self.open.words += 1;
        self.open.short += u32::from(word.end - word.start <= 2);
        self.open.rules |= rules;
        self.single = if spelled::is_single(word) { self.single + 1 } else { 0 };
        self.spelled |= self.single >= spelled::LEAST;
        if self.open.words == CHUNK {
            self.close();
        }
    }

    fn end(&mut self, rules: u64) {
        self.close();
        if let Some(last) = self.chunks.last_mut() {
            last.rules |= rules;
        }
    }
}

/// What a chunk of a text is known by, for training.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// The hashes of its features, each as often as it comes.
    pub hashes: Vec<u32>,
    /// Words.
    pub words: u32,
    /// The rules that it completes, as [`of_rules`] takes them.
    pub rules: u64,
}

/// The chunks of a text.
pub fn features(text: &str) -> Vec<Features> {
    struct Collected(Vec<Features>, Features);
    impl Sink for Collected {
        fn feature(&mut self, hash: u32) {
            self.1.hashes.push(hash);
        }

        fn word(&mut self, _: &Word, rules: u64) {
            self.1.words += 1;
            self.1.rules |= rules;
            if self.1.words == CHUNK {
                self.0.push(std::mem::take(&mut self.1));
            }
        }

        fn end(&mut self, rules: u64) {
            if self.1.words > 0 {
                self.0.push(std::mem::take(&mut self.1));
            }
            if let Some(last) = self.0.last_mut() {
                last.rules |= rules;
            }
        }
    }
    let mut collected = Collected(Vec::new(), Features::default());
    read::read(text, &mut collected);
    collected.0
}
