//! What the figures should be.

use crate::figures::{Figure, Figures};
use crate::say;

/// The least precision and recall under a name.
const GOALS: &[(&str, Option<f64>, Option<f64>)] = &[
    ("pii/all", Some(0.97), Some(0.95)),
    ("pii/PHONE_NUMBER", Some(0.93), Some(0.90)),
    ("pii/EMAIL_ADDRESS", Some(0.99), Some(0.99)),
    ("pii/CREDIT_CARD", Some(0.99), Some(0.98)),
    ("benign/pii", Some(0.995), None),
    ("secrets/all", None, Some(0.98)),
    ("evasion/pii", None, Some(0.85)),
    ("evasion/secret", None, Some(0.85)),
    ("evasion/benign", Some(1.0), None),
];

/// At most so many benign rows may have a secret.
const BENIGN_SECRETS: usize = 5;

/// No type may be found less often.
const LEAST_RECALL: f64 = 0.85;

/// Prints which of them hold; whether all do.
pub fn print(figures: &Figures) -> bool {
    let mut held = true;
    let mut goal = |what: String, holds: bool| {
        held &= holds;
        say(&format!("{} {what}", if holds { "holds: " } else { "MISSED:" }));
    };
    for (name, precision, recall) in GOALS {
        let Some(Figure { precision: is, recall: found, .. }) = figures.get(name) else { continue };
        if let (Some(least), Some(is)) = (precision, is) {
            goal(format!("{name}: precision {is:.3}, at least {least}"), is >= *least);
        }
        if let (Some(least), Some(found)) = (recall, found) {
            goal(format!("{name}: recall {found:.3}, at least {least}"), found >= *least);
        }
    }
    if let Some(benign) = figures.get("benign/secrets") {
        goal(format!("benign/secrets: {} rows, at most {BENIGN_SECRETS}", benign.of), benign.of <= BENIGN_SECRETS);
    }
    let types = figures.iter().filter(|(name, _)| name.starts_with("pii/") && name.matches('/').count() == 1);
    let low: Vec<String> = types
        .filter_map(|(name, figure)| {
            let recall = figure.recall.filter(|recall| *recall < LEAST_RECALL)?;
            Some(format!("{} {recall:.2}", name.trim_start_matches("pii/")))
        })
        .collect();
    goal(
        format!(
            "types found less often than {LEAST_RECALL}: {}",
            if low.is_empty() { "none".to_owned() } else { low.join(", ") }
        ),
        low.is_empty(),
    );
    held
}
