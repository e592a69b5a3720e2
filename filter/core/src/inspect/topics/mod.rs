//! Topics: what a policy wants to know a text is about, as linear models whose weights the policy brings.
//!
//! **How.** A text is read once, sentence by sentence (`read`); words, pairs of them and parts of long words are
//! features, and a topic's weights ([`Model`]) say what each speaks for. Windows of one to four and of eight sentences and the
//! whole text are judged, by the sum of their weights over the root of their words. Of a window that scores high enough, the
//! sentences that speak for the topic are found; neighbours are one finding. `doorward-train topic` makes the weights of
//! examples, over the very features that are read here.
//!
//! Time is linear in the text and in the number of topics; what is kept are the last eight sentences and the findings.
//!
//! **What this does not do.** It knows words and not what is meant: who writes around the words of a topic is not found, nor is
//! who buries one sentence of it under what speaks against it. A text that still arrives is not judged.

mod compile;
mod read;

#[cfg(test)]
mod tests;

use super::injection::Features;
use super::injection::model::Model;
use super::{Finding, KindId, Selection};
pub(super) use compile::compile;

/// Topics of one policy at most.
pub const MAX_TOPICS: usize = 16;
/// The first letters of a topic's weights.
pub const MAGIC: [u8; 4] = *b"DWTM";
/// A topic's table has two to the power of so many slots, of two bytes each: up to 32 KB.
pub const BITS: std::ops::RangeInclusive<u32> = 6..=14;

/// Sentences of the windows that are judged beside the whole text.
const WINDOWS: [usize; 5] = [1, 2, 3, 4, RECENT];
/// Sentences that are kept.
const RECENT: usize = 8;

/// The compiled topics of a policy.
#[derive(Default)]
pub(super) struct Topics(Vec<Topic>);

/// One of them.
struct Topic {
    kind: KindId,
    threshold: f32,
    weights: Vec<u8>,
}

impl Topic {
    fn judge(&self, thresholds: &[f32]) -> Option<Judge<'_>> {
        let model = Model::read(&self.weights, MAGIC)?;
        let threshold = thresholds.get(self.kind.index()).copied().unwrap_or(self.threshold);
        Some(Judge::new(self.kind, model, threshold))
    }
}

impl Topics {
    /// Whether findings of this kind are a topic's.
    pub(super) fn finds(&self, kind: KindId) -> bool {
        self.0.iter().any(|topic| topic.kind == kind)
    }

    /// The scores from which topics count, as they say it themselves.
    pub(super) fn thresholds(&self) -> impl Iterator<Item = (KindId, f32)> {
        self.0.iter().map(|topic| (topic.kind, topic.threshold))
    }

    /// Appends where `text` speaks of the topics in `selection`, those of one apart from one another. `thresholds` are by kind.
    pub(super) fn scan(&self, text: &str, selection: &Selection, thresholds: &[f32], found: &mut Vec<Finding>) {
        let wanted = self.0.iter().filter(|topic| selection.contains(topic.kind));
        let judges: Vec<Judge<'_>> = wanted.filter_map(|topic| topic.judge(thresholds)).collect();
        if judges.is_empty() {
            return;
        }
        let Reader { judges, recent, .. } = Reader::read(judges, text);
        judges.into_iter().for_each(|judge| judge.finish(&recent, found));
    }
}

/// The highest score of a window of `text`, by a topic's weights as they are decoded. `None`: they are no weights.
pub fn score(weights: &[u8], text: &str) -> Option<f32> {
    let model = Model::read(weights, MAGIC)?;
    // Of a threshold that none meets, nothing is kept.
    let reader = Reader::read(vec![Judge::new(KindId(0), model, 1.0)], text);
    let judge = reader.judges.first().filter(|judge| judge.words > 0);
    Some(judge.map_or(0.0, |judge| chance(judge.best.max(judge.whole()))))
}

/// The sentences of a text, for training.
pub fn features(text: &str) -> Vec<Features> {
    struct Collected(Vec<Features>, Features);
    impl read::Sink for Collected {
        fn feature(&mut self, hash: u32) {
            self.1.hashes.push(hash);
        }

        fn word(&mut self, _: usize, _: usize) {
            self.1.words += 1;
        }

        fn sentence(&mut self) {
            self.0.push(std::mem::take(&mut self.1));
        }
    }
    let mut collected = Collected(Vec::new(), Features::default());
    read::read(text, &mut collected);
    collected.0
}

/// Calls `window` with the sentences that each window of a text of `sentences` sentences has: the first, and the one behind the last.
pub fn windows(sentences: usize, window: &mut dyn FnMut(usize, usize)) {
    for length in WINDOWS {
        for from in 0..(sentences + 1).saturating_sub(length) {
            window(from, from + length);
        }
    }
    window(0, sentences);
}

fn chance(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[derive(Clone, Copy, Default)]
struct Sentence {
    /// Which of the text's it is, and where it is kept.
    number: usize,
    slot: usize,
    start: usize,
    end: usize,
    words: u32,
}

/// The last sentences.
#[derive(Default)]
struct Recent {
    kept: [Sentence; RECENT],
    /// How many there were.
    count: usize,
}

impl Recent {
    /// Takes up a sentence, in the place of one that is answered.
    fn push(&mut self, sentence: Sentence) -> Option<Sentence> {
        let (number, slot) = (self.count, self.count % RECENT);
        self.count += 1;
        let place = self.kept.get_mut(slot)?;
        let oldest = std::mem::replace(place, Sentence { number, slot, ..sentence });
        (number >= RECENT).then_some(oldest)
    }

    /// In their order.
    fn sentences(&self) -> impl DoubleEndedIterator<Item = &Sentence> {
        (self.count.saturating_sub(RECENT)..self.count).filter_map(|number| self.kept.get(number % RECENT))
    }
}

/// A run of sentences that speak of a topic: the number of the last, and where they stand.
struct Run {
    last: usize,
    start: usize,
    end: usize,
    log_odds: f32,
}

/// One topic, while a text is read.
struct Judge<'w> {
    kind: KindId,
    model: Model<'w>,
    /// The log-odds from which a window counts.
    least: f32,
    /// The weights of the last sentences, and of the one that is open.
    sums: [i32; RECENT],
    open: i32,
    /// Which of the last sentences speak of it, by the best window that each is in.
    marks: [Option<f32>; RECENT],
    /// Of all of them, with their words, and where those stand that speak for the topic.
    total: i64,
    words: u32,
    span: Option<(usize, usize)>,
    best: f32,
    runs: Vec<Run>,
}

impl<'w> Judge<'w> {
    fn new(kind: KindId, model: Model<'w>, threshold: f32) -> Self {
        Self {
            kind,
            model,
            // Every text meets a threshold of 0, and none one of 1.
            least: (threshold / (1.0 - threshold)).ln(),
            sums: [0; RECENT],
            open: 0,
            marks: [None; RECENT],
            total: 0,
            words: 0,
            span: None,
            best: f32::MIN,
            runs: Vec::new(),
        }
    }

    /// A sentence is over, and is the last of `recent`.
    fn sentence(&mut self, recent: &Recent) {
        let sum = std::mem::take(&mut self.open);
        let Some(now) = recent.sentences().next_back() else { return };
        if let (Some(slot), Some(mark)) = (self.sums.get_mut(now.slot), self.marks.get_mut(now.slot)) {
            (*slot, *mark) = (sum, None);
        }
        self.total = self.total.saturating_add(i64::from(sum));
        self.words = self.words.saturating_add(now.words);
        if sum > 0 {
            let start = self.span.map_or(now.start, |(start, _)| start);
            self.span = Some((start, now.end));
        }
        let (mut weight, mut words, mut length) = (0_i64, 0_u32, 0);
        for sentence in recent.sentences().rev() {
            weight += i64::from(self.sum(sentence));
            words = words.saturating_add(sentence.words);
            length += 1;
            if !WINDOWS.contains(&length) {
                continue;
            }
            let log_odds = self.model.log_odds(weight, words);
            self.best = self.best.max(log_odds);
            if log_odds >= self.least {
                self.mark(recent, length, log_odds);
            }
        }
    }

    fn sum(&self, sentence: &Sentence) -> i32 {
        self.sums.get(sentence.slot).copied().unwrap_or(0)
    }

    /// The last `length` sentences speak of it together: those do of which each says something. Where none does, all do.
    fn mark(&mut self, recent: &Recent, length: usize, log_odds: f32) {
        let any = recent.sentences().rev().take(length).any(|s| self.sum(s) > 0);
        for sentence in recent.sentences().rev().take(length) {
            let speaks = !any || self.sum(sentence) > 0;
            if let Some(mark) = self.marks.get_mut(sentence.slot).filter(|_| speaks) {
                *mark = Some(mark.map_or(log_odds, |best| best.max(log_odds)));
            }
        }
    }

    /// No window reaches the sentence any more. Those that touch become one run.
    fn leave(&mut self, sentence: &Sentence) {
        let Some(log_odds) = self.marks.get_mut(sentence.slot).and_then(Option::take) else { return };
        let Sentence { number, start, end, .. } = *sentence;
        match self.runs.last_mut().filter(|run| run.last + 1 == number) {
            Some(run) => (run.last, run.end, run.log_odds) = (number, end, run.log_odds.max(log_odds)),
            None => self.runs.push(Run { last: number, start, end, log_odds }),
        }
    }

    /// What the text says as a whole.
    fn whole(&self) -> f32 {
        self.model.log_odds(self.total, self.words)
    }

    fn finish(mut self, recent: &Recent, found: &mut Vec<Finding>) {
        recent.sentences().for_each(|sentence| self.leave(sentence));
        let log_odds = self.whole();
        // Its sentences say too little by themselves, and enough together.
        if self.runs.is_empty()
            && log_odds >= self.least
            && let Some((start, end)) = self.span
        {
            self.runs.push(Run { last: recent.count, start, end, log_odds });
        }
        let kind = self.kind;
        let finding = |run: Run| {
            let Run { start, end, log_odds, .. } = run;
            Finding { kind, start, end, score: chance(log_odds), test_value: false }
        };
        found.extend(self.runs.into_iter().map(finding));
    }
}

/// Every topic, while a text is read.
struct Reader<'w> {
    judges: Vec<Judge<'w>>,
    recent: Recent,
    open: Sentence,
}

impl<'w> Reader<'w> {
    fn read(judges: Vec<Judge<'w>>, text: &str) -> Self {
        let mut reader = Self { judges, recent: Recent::default(), open: Sentence::default() };
        read::read(text, &mut reader);
        reader
    }
}

impl read::Sink for Reader<'_> {
    #[inline]
    fn feature(&mut self, hash: u32) {
        for judge in &mut self.judges {
            judge.open += judge.model.weight(hash);
        }
    }

    #[inline]
    fn word(&mut self, start: usize, end: usize) {
        if self.open.words == 0 {
            self.open.start = start;
        }
        self.open.end = end;
        self.open.words += 1;
    }

    fn sentence(&mut self) {
        let sentence = std::mem::take(&mut self.open);
        if let Some(oldest) = self.recent.push(sentence) {
            self.judges.iter_mut().for_each(|judge| judge.leave(&oldest));
        }
        self.judges.iter_mut().for_each(|judge| judge.sentence(&self.recent));
    }
}
