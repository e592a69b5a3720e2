//! Ordinary text: `benign.jsonl`. What is found in it is found wrongly, but for true addresses in the rows that may hold them.

use std::collections::BTreeMap;

use doorward_core::inspect::Group;

use crate::data::Data;
use crate::figures::{Figure, Report};
use crate::scanner::Scanner;
use crate::tally::share;

/// Measures it: as precision, the share of rows without a finding.
///
/// # Errors
/// The data cannot be read.
pub fn measure(data: &Data, scanner: &Scanner, report: &mut Report) -> anyhow::Result<()> {
    let Some(rows) = data.rows("benign.jsonl")? else { return Ok(()) };
    let mut hits: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        let found = scanner.scan(&row.text)?;
        let may =
            |kind: &str| kind == "EMAIL_ADDRESS" && row.has_email_like || kind == "IP_ADDRESS" && row.has_ipv4_like;
        let mut names: Vec<String> = Vec::new();
        for finding in found.iter().filter(|f| !may(f.kind)) {
            scanner.show(&row.category, finding.kind, &row.text, &finding.at);
            let personal = matches!(finding.group, Group::Pii | Group::Financial | Group::Health);
            names.push(if personal { "pii".to_owned() } else { finding.group.to_string() });
            names.push(format!("type/{}", finding.kind));
        }
        names.sort_unstable();
        names.dedup();
        names.into_iter().for_each(|name| *hits.entry(name).or_default() += 1);
    }
    for name in ["pii", "secrets", "injection"] {
        hits.entry(name.to_owned()).or_default();
    }
    for (name, count) in hits {
        report.put(
            format!("benign/{name}"),
            Figure { precision: share(rows.len() - count, rows.len()), recall: None, of: count },
        );
    }
    Ok(())
}
