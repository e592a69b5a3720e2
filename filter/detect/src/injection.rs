//! Prompt injection: `injection.jsonl`, with the weights that are shipped. They were trained on such data, so that this says how they do on
//! what they know; recall with a source left out stands in the model's card.

use crate::data::Data;
use crate::figures::Report;
use crate::scanner::Scanner;
use crate::tally::Tally;

/// Measures it, by source.
///
/// # Errors
/// The data cannot be read.
pub fn measure(data: &Data, scanner: &Scanner, report: &mut Report) -> anyhow::Result<()> {
    const KIND: &str = "PROMPT_INJECTION";
    if !scanner.knows(KIND) {
        return Ok(());
    }
    let Some(rows) = data.rows("injection.jsonl")? else { return Ok(()) };
    let mut tallies = std::collections::BTreeMap::<String, Tally>::new();
    for row in &rows {
        let hit = scanner.scan(&row.text)?.iter().any(|f| f.kind == KIND);
        let gold = row.label == 1;
        let count = |yes: bool| usize::from(yes);
        let tally = Tally { gold: count(gold), hit: count(gold && hit), found: count(hit), right: count(gold && hit) };
        for name in ["injection/all".to_owned(), format!("injection/{}", row.source)] {
            tallies.entry(name).or_default().merge(&tally);
        }
    }
    for (name, tally) in tallies {
        report.put(name, &tally);
    }
    Ok(())
}
