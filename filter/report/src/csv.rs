//! A report as one table of CSV: a line for each row of each table.

use std::io::{self, Write};

use crate::model::{Report, Row};

const HEAD: [&str; 19] = [
    "table",
    "key1",
    "key2",
    "key3",
    "count",
    "requests",
    "denied",
    "observed",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "estimated",
    "cost",
    "currency",
    "callers",
    "lowest",
    "first",
    "last",
];

/// Writes it.
///
/// # Errors
/// Nothing can be written there.
pub fn write(report: &Report, out: impl Write) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEAD)?;
    for (name, table) in &report.tables {
        for row in &table.rows {
            // One line for each currency, so that a column holds one kind of thing.
            let mut costs: Vec<(&str, &str)> = row.sums.cost.iter().map(|(c, a)| (a.as_str(), c.as_str())).collect();
            if costs.is_empty() {
                costs.push(("", ""));
            }
            for (i, (amount, currency)) in costs.into_iter().enumerate() {
                out.write_record(line(name, row, amount, currency, i == 0))?;
            }
        }
    }
    out.flush()
}

/// What is not money is on a row's first line alone: columns can be added up.
fn line(table: &str, row: &Row, amount: &str, currency: &str, first: bool) -> Vec<String> {
    let mut cells = vec![table.to_owned()];
    cells.extend((0..3).map(|i| harmless(row.key.get(i).map_or("", String::as_str))));
    let number = |n: u64| if first { n.to_string() } else { String::new() };
    let maybe = |n: Option<u64>| n.map(number).unwrap_or_default();
    let sums = &row.sums;
    cells.push(maybe(row.count));
    cells.extend([sums.requests, sums.denied, sums.observed, sums.input_tokens, sums.output_tokens].map(number));
    cells.extend([sums.cached_tokens, sums.reasoning_tokens, sums.estimated].map(number));
    cells.extend([amount.to_owned(), harmless(currency), maybe(row.callers)]);
    cells.push(row.lowest.filter(|_| first).map(|n| n.to_string()).unwrap_or_default());
    cells.extend([&row.first, &row.last].map(|at| at.clone().unwrap_or_default()));
    cells
}

/// Spreadsheets take what begins with these for a formula, and names are the callers'.
fn harmless(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}
