//! Secrets: `secrets.jsonl`. Any secret that covers the labelled value counts: what it is called is the reader's affair, that it does
//! not leave is ours.

use std::collections::BTreeMap;

use doorward_core::inspect::Group;

use crate::data::Data;
use crate::figures::{Figure, Report};
use crate::scanner::Scanner;
use crate::tally::{Tally, covers, share};

/// Measures it.
///
/// # Errors
/// The data cannot be read.
pub fn measure(data: &Data, scanner: &Scanner, report: &mut Report) -> anyhow::Result<()> {
    let Some(rows) = data.rows("secrets.jsonl")? else { return Ok(()) };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut negative, mut false_hits) = (0, 0);
    for row in &rows {
        let found = scanner.scan(&row.text)?;
        let secrets = || found.iter().filter(|f| f.group == Group::Secrets);
        let label = row.of.rsplit(':').next().unwrap_or_default();
        if row.label == 0 {
            negative += 1;
            // Examples that are published are labelled as such.
            if let Some(hit) = secrets().find(|f| !f.test_value) {
                false_hits += 1;
                scanner.show(label, hit.kind, &row.text, &hit.at);
            }
            continue;
        }
        let values = row.values();
        let hit = secrets().any(|f| values.iter().all(|(_, at)| covers(&f.at, at)));
        let tally = Tally { gold: 1, hit: usize::from(hit), ..Tally::default() };
        tallies.entry("secrets/all".to_owned()).or_default().merge(&tally);
        tallies.entry(format!("secrets/{label}")).or_default().merge(&tally);
        if !hit {
            let at = values.first().map_or(0..0, |(_, at)| at.clone());
            scanner.show("missed", label, &row.text, &at);
        }
    }
    for (name, tally) in tallies {
        report.put(name, &tally);
    }
    let kept = share(negative - false_hits, negative);
    report.put("secrets/negative".to_owned(), Figure { precision: kept, recall: None, of: negative });
    Ok(())
}
