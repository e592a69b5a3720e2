//! A topic of a policy's own: weights from texts that speak of it and texts that do not.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use doorward_core::config;
use doorward_core::inspect::injection::Features;
use doorward_core::inspect::{Detectors, DetectorsDocument, topics};
use serde::Deserialize;

use crate::data;
use crate::learn::{Example, Settings, train};

/// Train a topic of a policy's own.
///
/// Writes an entry for `detectors.topics` of a policy, and says on standard error how well it does on texts that it was not
/// trained on: each fifth of them is judged by a model of the other four. Files ending in `.jsonl` have lines of {"text": ...};
/// every line of other files is a text. A few hundred short texts of each kind are a good start; among those that do not speak of the
/// topic, the ones that are close to it teach most. Ordinary requests that come with this program count among them, too.
/// The same files give the same bytes.
#[derive(Debug, Args)]
pub struct TopicArguments {
    /// Its type, as rules and records name it: letters, digits and `_`.
    #[arg(long)]
    name: String,
    /// Files with texts that speak of it.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    positive: Vec<PathBuf>,
    /// Files with texts that do not.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    negative: Vec<PathBuf>,
    /// Kilobytes of weights (1, 2, 4, 8, 16 or 32): more for more, or more varied, examples.
    #[arg(long, value_name = "KB", default_value_t = 8)]
    size: usize,
    /// The score from which a text counts. Without, the one that does best on texts that were left out.
    #[arg(long)]
    threshold: Option<f32>,
    /// Where the entry goes. Default: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// So many texts of each kind, at least.
const LEAST: usize = 20;
/// Texts are left out in so many parts.
const PARTS: u64 = 5;
/// A precision that is lower is warned about, and recall.
const POOR: f64 = 0.7;

pub fn run(arguments: &TopicArguments) -> anyhow::Result<()> {
    let positive = read_all(&arguments.positive, "--positive")?;
    let negative = read_all(&arguments.negative, "--negative")?;
    let topic = learn(positive, negative, arguments.size, arguments.threshold)?;
    let entry = topic.entry(&arguments.name)?;
    eprint!("{}", topic.report(&arguments.name));
    match &arguments.out {
        None => print!("{entry}"),
        Some(out) => std::fs::write(out, entry).with_context(|| format!("cannot write {}", out.display()))?,
    }
    Ok(())
}

/// A trained topic.
struct Topic {
    weights: Vec<u8>,
    threshold: f32,
    /// Texts that speak of it, and of these found; texts that do not, and found: of those that were left out.
    counts: [usize; 4],
}

fn learn(positive: Vec<String>, negative: Vec<String>, size: usize, threshold: Option<f32>) -> anyhow::Result<Topic> {
    ensure!(
        size.is_power_of_two() && (1..=32).contains(&size),
        "{size} is no size\nhelp: 1, 2, 4, 8, 16 or 32 kilobytes"
    );
    ensure!(threshold.is_none_or(|t| t > 0.0 && t < 1.0), "the threshold is no score\nhelp: a number between 0 and 1");
    let mut seen: HashSet<String> = HashSet::new();
    let mut texts: Vec<Text> = Vec::new();
    for (text, speaks) in positive.into_iter().map(|t| (t, true)).chain(negative.into_iter().map(|t| (t, false))) {
        let plain = plain(&text);
        if seen.insert(plain.clone()) {
            texts.push(Text { read: topics::features(&text), part: part(&plain), text, speaks });
        } else if speaks != texts.iter().any(|t| t.speaks && self::plain(&t.text) == plain) {
            bail!(
                "a text stands among those that speak of the topic and among those that do not\nhelp: remove one: {text}"
            );
        }
    }
    for (speaks, option) in [(true, "--positive"), (false, "--negative")] {
        let count = texts.iter().filter(|t| t.speaks == speaks).count();
        ensure!(
            count >= LEAST,
            "{option} has {count} different texts, and at least {LEAST} are needed\nhelp: add examples; a few hundred are a good start"
        );
    }
    // Of what users ask every day, nothing is about anybody's topic.
    let rows = data::parse(crate::SEEDS).context("seeds.jsonl")?;
    let ordinary: Vec<Vec<Features>> =
        rows.iter().filter(|row| !row.is_attack()).map(|row| topics::features(&row.text)).collect();

    let slots = size * 1024 / 2;
    let settings = Settings {
        least: 2,
        epochs: 20,
        attacks: 0.3,
        l2: 5e-3,
        bits: slots.trailing_zeros(),
        windows: topics::windows,
        magic: topics::MAGIC,
        ..Settings::default()
    };
    let weights = |keep: &dyn Fn(&Text) -> bool| {
        let own = texts.iter().filter(|text| keep(text)).map(|t| Example { chunks: &t.read, attack: t.speaks });
        let ordinary = ordinary.iter().map(|chunks| Example { chunks, attack: false });
        train(&own.chain(ordinary).collect::<Vec<_>>(), settings).encode(settings, 0.0)
    };
    let mut scores: Vec<(f32, bool)> = Vec::new();
    for out in 0..PARTS {
        let model = weights(&|text| text.part != out);
        for text in texts.iter().filter(|text| text.part == out) {
            let score = topics::score(&model, &text.text).ok_or_else(|| anyhow!("the weights cannot be read"))?;
            scores.push((score, text.speaks));
        }
    }
    let threshold = threshold.unwrap_or_else(|| best(&scores));
    let above = |speaks: bool| scores.iter().filter(|s| s.1 == speaks && s.0 >= threshold).count();
    let all = |speaks: bool| scores.iter().filter(|s| s.1 == speaks).count();
    let counts = [all(true), above(true), all(false), above(false)];
    Ok(Topic { weights: weights(&|_| true), threshold, counts })
}

struct Text {
    text: String,
    read: Vec<Features>,
    /// The part with which it is left out.
    part: u64,
    speaks: bool,
}

/// A text without what makes no difference.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn part(plain: &str) -> u64 {
    let hash = plain.bytes().fold(7_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
    (hash >> 32) % PARTS
}

/// The threshold, in hundredths, that weighs precision twice as much as recall (F0.5).
fn best(scores: &[(f32, bool)]) -> f32 {
    let value = |threshold: f32| {
        let above = |speaks: bool| scores.iter().filter(|s| s.1 == speaks && s.0 >= threshold).count() as f64;
        let (found, wrong) = (above(true), above(false));
        let missed = scores.iter().filter(|s| s.1).count() as f64 - found;
        1.25 * found / (1.25 * found + 0.25 * missed + wrong)
    };
    let mut best = (0.0, 0.5);
    for hundredths in (30..=95_u8).rev() {
        let threshold = f32::from(hundredths) / 100.0;
        let value = value(threshold);
        if value > best.0 {
            best = (value, threshold);
        }
    }
    best.1
}

impl Topic {
    /// The entry of a policy, which is one that the filter takes.
    fn entry(&self, name: &str) -> anyhow::Result<String> {
        let weights = STANDARD.encode(&self.weights);
        let entry = serde_json::json!({"name": name, "threshold": self.threshold, "weights": weights});
        let path = config::Path::root();
        let tree = config::tree_from_json(&serde_json::json!({"topics": [entry]}).to_string())
            .map_err(|problem| anyhow!("{problem}"))?;
        let document: DetectorsDocument = config::from_tree(&tree, &path).map_err(|problem| anyhow!("{problem}"))?;
        Detectors::compile(&document, &|_| None, &path).map_err(|problem| anyhow!("{problem}"))?;
        let mut text = format!("- name: {name}\n  threshold: {}\n  weights: >-\n", self.threshold);
        for line in weights.as_bytes().chunks(120) {
            text.push_str("    ");
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        Ok(text)
    }

    fn report(&self, name: &str) -> String {
        let [positive, found, negative, wrong] = self.counts;
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let (precision, recall) = (share(found, found + wrong), share(found, positive));
        let mut report = format!(
            "{name}: {} bytes of weights, threshold {}\n\
             left out: precision {precision:.3} ({wrong} of {negative} others found), recall {recall:.3} ({found} of {positive} found)\n",
            self.weights.len(),
            self.threshold,
        );
        if precision < POOR || recall < POOR {
            report.push_str(
                "help: add examples, above all of texts that are close to the topic and do not speak of it\n",
            );
        }
        report
    }
}

fn read_all(files: &[PathBuf], option: &str) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for file in files {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{option}: cannot read {}", file.display()))?;
        texts.extend(parse(&text, file).with_context(|| format!("{option}: {}", file.display()))?);
    }
    Ok(texts)
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

fn parse(text: &str, file: &Path) -> anyhow::Result<Vec<String>> {
    let json = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl") || e.eq_ignore_ascii_case("json"));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            if !json {
                return Ok(line.trim().to_owned());
            }
            let line: Line = serde_json::from_str(line)
                .with_context(|| format!("line {}: not {{\"text\": ...}}\nhelp: texts without JSON go in a file with another ending, one on each line", number + 1))?;
            Ok(line.text)
        })
        .collect()
}

#[cfg(test)]
mod tests;
