//! The detectors, all of them, at their default thresholds.

use std::ops::Range;

use anyhow::anyhow;
use doorward_core::config::Path;
use doorward_core::inspect::{Budget, Detectors, DetectorsDocument, Group, Selection};
use doorward_core::protocol::Channel;

use crate::say;

/// Detectors, and what is to be shown of what they do.
pub struct Scanner {
    detectors: Detectors,
    all: Selection,
    show: Option<String>,
}

/// Something found.
pub struct Found<'a> {
    /// Its type.
    pub kind: &'a str,
    /// What that is about.
    pub group: Group,
    /// Where it stands, in bytes.
    pub at: Range<usize>,
    /// It is known to belong to nobody.
    pub test_value: bool,
}

impl Scanner {
    /// Everything built in.
    ///
    /// # Errors
    /// The detectors do not compile.
    pub fn new(show: Option<&str>) -> anyhow::Result<Self> {
        let document = DetectorsDocument::default();
        let detectors = Detectors::compile(&document, &|_| None, &Path::root()).map_err(|e| anyhow!("{e}"))?;
        let all = detectors.select(&["all".to_owned()], &Path::root()).map_err(|e| anyhow!("{e}"))?;
        Ok(Self { detectors, all, show: show.map(str::to_owned) })
    }

    /// Whether a type is built in.
    pub fn knows(&self, kind: &str) -> bool {
        self.detectors.kinds().any(|(_, k)| k.name == kind)
    }

    /// What `text` holds. A text that cannot be scanned is an error: built-in detectors have no budget to exceed.
    ///
    /// # Errors
    /// A bound was reached.
    pub fn scan(&self, text: &str) -> anyhow::Result<Vec<Found<'_>>> {
        let mut sightings = Vec::new();
        let scanned =
            self.detectors.scan_through(Channel::User, text, &self.all, &mut Budget::default(), &mut sightings);
        scanned.map_err(|_| anyhow!("a text of {} bytes is over the budget", text.len()))?;
        let found = sightings.iter().filter(|sighting| !sighting.part).map(|sighting| {
            let finding = sighting.finding;
            let kind = self.detectors.kind(finding.kind);
            Found {
                kind: &kind.name,
                group: kind.group,
                at: finding.start..finding.end,
                test_value: finding.test_value,
            }
        });
        Ok(found.collect())
    }

    /// Prints a value that was missed or found too much, with what is around it, where that is asked for.
    pub fn show(&self, what: &str, kind: &str, text: &str, at: &Range<usize>) {
        if self.show.as_deref() != Some(kind) {
            return;
        }
        let from = text.floor_char_boundary(at.start.saturating_sub(50));
        let to = text.ceil_char_boundary((at.end + 20).min(text.len()));
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        say(&format!("{what} {kind} {:?} in {:?}", part(at.clone()), part(from..to)));
    }
}
