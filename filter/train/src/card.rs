//! How well the model does on sources that it was not trained on, and the card that says so.
//!
//! Each family of sources with attacks or hard negatives is left out once, with every row that repeats it; a fifth of
//! the benign rows (by source) is left out with it, and gives the threshold of 1 % false positives. The score is the
//! whole one, rules and channel with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

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

/// What a left-out source scored.
pub struct Group {
    pub rows: usize,
    pub attack: bool,
    /// By what the bias is shifted: the share above the threshold of 1 % false positives, and above 0.5.
    scores: Vec<(f32, f32)>,
}

pub struct Measured {
    /// What is added to the bias so that 0.5 is a good threshold.
    pub shift: f32,
    groups: BTreeMap<String, Vec<f32>>,
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
    // The highest bias that keeps false positives low.
    let mut shift = 3.0;
    loop {
        let measured = at(shift);
        let hard = measured.groups.get("NotInject").map_or(0.0, |scores| above(scores, 0.5));
        if shift < -6.0 || (above(&measured.benign, 0.5) <= FALSE && hard <= HARD_FALSE) {
            return measured;
        }
        shift -= 0.25;
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

/// The model card.
pub fn write(rows: &[Row], measured: &Measured, settings: Settings, trained: &Trained, weights: &[u8]) -> String {
    let mut card = String::new();
    let _ = writeln!(card, "shift {} benign .5 {:.4} one {:.3} tool {:.4} one {:.3} feats {} bytes {} {settings:?} rows {}", measured.shift, above(&measured.benign, 0.5), one_percent(&measured.benign), above(&measured.benign_brought, 0.5), one_percent(&measured.benign_brought), trained.len(), weights.len(), rows.len());
    let (one, one_b) = (one_percent(&measured.benign), one_percent(&measured.benign_brought));
    for (name, scores) in &measured.groups {
        let b = &measured.brought[name];
        let _ = writeln!(card, "{name:40} {:5} {:5} >1% {:.3} >.5 {:.3}  tool >1% {:.3} >.5 {:.3}", scores.len(), measured.attack[name], above(scores, one), above(scores, 0.5), above(b, one_b), above(b, 0.5));
    }
    card
}
