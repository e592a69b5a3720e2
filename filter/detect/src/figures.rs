//! Figures: kept, compared and printed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::say;
use crate::tally::Tally;

/// One line: what the share is of, and how many there are. Three digits are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// How much of what is found is right.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub precision: Option<f64>,
    /// How much of what is there is found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recall: Option<f64>,
    /// How many there are.
    pub of: usize,
}

impl From<&Tally> for Figure {
    fn from(tally: &Tally) -> Self {
        let round = |share: f64| (share * 1000.0).round() / 1000.0;
        Self { precision: tally.precision().map(round), recall: tally.recall().map(round), of: tally.gold }
    }
}

/// Figures by name: `pii/CREDIT_CARD`, `pii/CREDIT_CARD/SOURCE`, ...
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures(BTreeMap<String, Figure>);

impl Figures {
    /// Those of a file; none where there is no file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Keeps them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = String::from("{\n");
        let lines: Result<Vec<String>, _> = self
            .0
            .iter()
            .map(|(name, figure)| {
                Ok::<_, serde_json::Error>(format!(
                    " {}: {}",
                    serde_json::to_string(name)?,
                    serde_json::to_string(figure)?
                ))
            })
            .collect();
        text.push_str(&lines?.join(",\n"));
        text.push_str("\n}\n");
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<Figure> {
        self.0.get(name).copied()
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Figure)> {
        self.0.iter().map(|(name, figure)| (name.as_str(), *figure))
    }
}

/// The figures of this run beside those before.
pub struct Report {
    before: Figures,
    now: Figures,
}

impl Report {
    /// A report without figures so far.
    pub fn new(before: Figures) -> Self {
        Self { before, now: Figures::default() }
    }

    /// Takes a figure.
    pub fn put(&mut self, name: String, figure: impl Into<Figure>) {
        self.now.0.insert(name, figure.into());
    }

    /// Those of this run.
    pub fn figures(&self) -> &Figures {
        &self.now
    }

    /// One line for each; what is worse than before is marked.
    pub fn print(&self) {
        say(&format!("{:58} {:>15} {:>15} {:>6}", "", "precision", "recall", "of"));
        let (mut better, mut worse) = (0, 0);
        for (name, figure) in self.now.iter() {
            let before = self.before.get(name);
            let mut mark = ' ';
            let mut cell = |now: Option<f64>, was: Option<Option<f64>>| {
                let change = now.zip(was.flatten()).map_or(0.0, |(now, was)| now - was);
                match now {
                    None => String::new(),
                    Some(now) if change.abs() < 0.0005 => format!("{now:.3}       "),
                    Some(now) => {
                        if change < 0.0 {
                            (worse, mark) = (worse + 1, '!');
                        } else {
                            better += 1;
                        }
                        format!("{now:.3} {change:+.3}")
                    }
                }
            };
            let precision = cell(figure.precision, before.map(|b| b.precision));
            let recall = cell(figure.recall, before.map(|b| b.recall));
            let new = if before.is_none() { " new" } else { "" };
            say(&format!("{mark} {name:56} {precision:>15} {recall:>15} {:>6}{new}", figure.of));
        }
        let gone = self.before.iter().filter(|(name, _)| self.now.get(name).is_none()).count();
        say(&format!("{better} better, {worse} worse than before, {gone} not measured this time"));
    }
}
