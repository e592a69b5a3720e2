//! A report in short, for a terminal.

use std::fmt::Write as _;

use crate::model::{Report, Row, TableOut};
use crate::shown::{compact, grouped, moment, money, percent, text};

/// So many rows of a table.
const ROWS: usize = 8;

/// The lines.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    let totals = &report.totals;
    let between = match (&report.period.first, &report.period.last) {
        (Some(first), Some(last)) => format!("{} to {} UTC", moment(first), moment(last)),
        _ => "no moment known".to_owned(),
    };
    let _ = writeln!(out, "Use of models, {between}\n");
    let denied = percent(totals.denied, totals.requests);
    let _ = writeln!(
        out,
        "{} exchanges, {} denied ({denied}), {} denials only recorded, {} findings",
        grouped(totals.requests),
        grouped(totals.denied),
        grouped(totals.observed),
        grouped(report.findings)
    );
    let distinct: Vec<String> = report
        .distinct
        .iter()
        .map(|(what, n)| format!("{}{} {what}", if n.exact { "" } else { "about " }, grouped(n.count)))
        .collect();
    let _ = writeln!(out, "{}", distinct.join(", "));
    let (input, output) = (compact(totals.input_tokens as f64), compact(totals.output_tokens as f64));
    let costs: Vec<String> = totals.cost.iter().map(|(c, amount)| format!("{} {}", money(amount), text(c))).collect();
    let costs = if costs.is_empty() { "no prices".to_owned() } else { costs.join(" and ") };
    let _ = writeln!(out, "{input} tokens in, {output} out; {costs}");
    for name in ["teams", "users", "models", "denials", "findings", "ungoverned"] {
        if let Some(rows) = report.table(name).filter(|table| !table.rows.is_empty()) {
            table(&mut out, report, rows);
        }
    }
    if report.lines.unrecorded > 0 {
        let _ = writeln!(out, "\n{} HTTP exchanges have no record: see `unrecorded`", grouped(report.lines.unrecorded));
    }
    if let Some(controls) = &report.controls {
        let acted = controls.evidence.iter().filter(|e| e.acted + e.observed > 0).count();
        let _ = writeln!(
            out,
            "\n{} of {} pairs of control and statement acted; {} exchanges under policy {} {}",
            acted,
            controls.evidence.len(),
            grouped(controls.exchanges),
            text(&controls.policy),
            controls.digest
        );
    }
    out
}

fn table(out: &mut String, report: &Report, table: &TableOut) {
    let _ = writeln!(out, "\n{}", table.title);
    let names: Vec<String> = table.rows.iter().take(ROWS).map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(60);
    for (row, name) in table.rows.iter().zip(&names) {
        let what = table.counts.unwrap_or("exchanges");
        let count = grouped(row.count.unwrap_or(row.sums.requests));
        let cost = report.currency.as_ref().and_then(|c| Some((c, row.sums.cost.get(c)?)));
        let cost = cost.map(|(c, amount)| format!("  {} {}", money(amount), text(c))).unwrap_or_default();
        let cost = if table.counts.is_some() { String::new() } else { cost };
        let _ = writeln!(out, "  {name:width$}  {count:>12} {what}{cost}");
    }
    if table.rows.len() > ROWS {
        let _ = writeln!(out, "  and {} more", grouped((table.rows.len() - ROWS) as u64));
    }
}

fn name(row: &Row) -> String {
    row.key.iter().map(|part| text(part)).collect::<Vec<_>>().join("  ")
}
