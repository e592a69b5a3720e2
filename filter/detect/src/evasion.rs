//! Evasions: `evasion.jsonl`. Of what is found in the plain form, how much is found in the transformed one, by type. Benign texts are not
//! to be flagged for being transformed.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::Data;
use crate::figures::{Figure, Report};
use crate::scanner::Scanner;
use crate::tally::{Tally, share};

/// Measures it.
///
/// # Errors
/// The data cannot be read.
pub fn measure(data: &Data, scanner: &Scanner, report: &mut Report) -> anyhow::Result<()> {
    let Some(rows) = data.rows("evasion.jsonl")? else { return Ok(()) };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut benign, mut flagged) = (0, 0);
    for row in &rows {
        let plain: BTreeSet<&str> = scanner.scan(&row.original)?.iter().map(|f| f.kind).collect();
        let found = scanner.scan(&row.text)?;
        let kinds: BTreeSet<&str> = found.iter().map(|f| f.kind).collect();
        if row.kind == "benign" {
            benign += 1;
            if let Some(hit) = found.iter().find(|f| !plain.contains(f.kind)) {
                flagged += 1;
                scanner.show(&row.transform, hit.kind, &row.text, &hit.at);
            }
            continue;
        }
        let tally = Tally { gold: plain.len(), hit: plain.intersection(&kinds).count(), ..Tally::default() };
        for name in [format!("evasion/{}", row.kind), format!("evasion/{}/{}", row.kind, row.transform)] {
            tallies.entry(name).or_default().merge(&tally);
        }
        for kind in plain.difference(&kinds) {
            scanner.show(&row.transform, kind, &row.text, &(0..row.text.len()));
        }
    }
    for (name, tally) in tallies {
        report.put(name, &tally);
    }
    let kept = share(benign - flagged, benign);
    report.put("evasion/benign".to_owned(), Figure { precision: kept, recall: None, of: benign });
    Ok(())
}
