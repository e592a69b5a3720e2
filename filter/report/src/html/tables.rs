//! Tables whose first column of figures is a bar: a chart that can be read as a table.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::controls::Controls;
use crate::model::{Report, Row, TableOut};
use crate::shown::{grouped, moment, text};

use super::parts::{cost, figure, short};

/// So many rows of a table; the JSON has them all.
const ROWS: usize = 20;

/// Usage and cost by key.
pub fn full(report: &Report, name: &str) -> Markup {
    let Some(table) = report.table(name).filter(|table| !table.rows.is_empty()) else { return html! {} };
    let currency = report.currency.as_deref();
    let by_cost = table.rows.iter().any(|row| row.sums.nanos > 0);
    let much = |row: &Row| if by_cost { row.sums.nanos } else { row.sums.requests };
    let most = table.rows.iter().map(much).max().unwrap_or(1).max(1);
    let callers = table.rows.iter().any(|row| row.callers.is_some());
    let unit = if by_cost { "cost" } else { "exchanges" };
    framed(
        table,
        html! {
            table {
                caption { (table.title) span { ", by " (unit) } }
                thead { tr {
                    @for (i, part) in table.of.iter().enumerate() { th scope="col" class=[(i > 0).then_some("part")] { (capital(part)) } }
                    th scope="col" class="bars" { span class="unseen" { "Share by " (unit) } }
                    @if by_cost { th scope="col" class="number" { "Cost, " (currency.unwrap_or_default()) } }
                    th scope="col" class="number" { "Exchanges" }
                    th scope="col" class="number" { "Denied" }
                    th scope="col" class="number" { "Tokens in" }
                    th scope="col" class="number" { "Tokens out" }
                    @if callers { th scope="col" class="number" { "Callers" } }
                } }
                tbody {
                    @for (i, row) in table.rows.iter().take(ROWS).enumerate() {
                        @let at = format!("/tables/{name}/rows/{i}");
                        tr {
                            (keys(row))
                            (bar(much(row), most))
                            @if by_cost { td class="number" { (cost(&at, &row.sums, currency)) } }
                            td class="number" { (figure(&format!("{at}/requests"), row.sums.requests)) }
                            td class="number" { (figure(&format!("{at}/denied"), row.sums.denied)) }
                            td class="number" { (short(&format!("{at}/input_tokens"), row.sums.input_tokens)) }
                            td class="number" { (short(&format!("{at}/output_tokens"), row.sums.output_tokens)) }
                            @if callers { td class="number" { (figure(&format!("{at}/callers"), row.callers.unwrap_or(0))) } }
                        }
                    }
                }
            }
        },
    )
}

/// How often, by how many, and when.
pub fn brief(report: &Report, name: &str) -> Markup {
    let Some(table) = report.table(name).filter(|table| !table.rows.is_empty()) else { return html! {} };
    let much = |row: &Row| row.count.unwrap_or(row.sums.requests);
    let most = table.rows.iter().map(much).max().unwrap_or(1).max(1);
    let callers = table.rows.iter().any(|row| row.callers.is_some());
    let lowest = table.rows.iter().any(|row| row.lowest.is_some());
    let unit = table.counts.unwrap_or("exchanges");
    framed(
        table,
        html! {
            table {
                caption { (table.title) }
                thead { tr {
                    @for (i, part) in table.of.iter().enumerate() { th scope="col" class=[(i > 0).then_some("part")] { (capital(part)) } }
                    th scope="col" class="bars" { span class="unseen" { "Share by " (unit) } }
                    th scope="col" class="number" { (capital(unit)) }
                    @if callers { th scope="col" class="number" { "Callers" } }
                    @if lowest { th scope="col" class="number" { "Least left" } }
                    th scope="col" class="when" { "First" }
                    th scope="col" class="when" { "Last" }
                } }
                tbody {
                    @for (i, row) in table.rows.iter().take(ROWS).enumerate() {
                        @let at = format!("/tables/{name}/rows/{i}");
                        @let member = if row.count.is_some() { "count" } else { "requests" };
                        tr {
                            (keys(row))
                            (bar(much(row), most))
                            td class="number" { (figure(&format!("{at}/{member}"), much(row))) }
                            @if callers { td class="number" { (figure(&format!("{at}/callers"), row.callers.unwrap_or(0))) } }
                            @if lowest { td class="number" { @if let Some(left) = row.lowest { (left) } } }
                            @for when in [&row.first, &row.last] {
                                td class="when" { @if let Some(when) = when { time datetime=(when) { (moment(when)) } } }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Which models each team uses.
pub fn per_team(report: &Report) -> Markup {
    const TEAMS: usize = 12;
    const MODELS: usize = 6;
    let (Some(teams), Some(pairs)) = (report.table("teams"), report.table("team_models")) else { return html! {} };
    if pairs.rows.is_empty() {
        return html! {};
    }
    let currency = report.currency.as_deref();
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(pairs.title) {
            table {
                caption { (pairs.title) }
                thead { tr {
                    th scope="col" { "Team and model" }
                    @if currency.is_some() { th scope="col" class="number" { "Cost, " (currency.unwrap_or_default()) } }
                    th scope="col" class="number" { "Exchanges" } th scope="col" class="number" { "Callers" }
                } }
                @for team in teams.rows.iter().take(TEAMS).filter_map(|row| row.key.first()) {
                    @let own = || pairs.rows.iter().enumerate().filter(|(_, row)| row.key.first() == Some(team));
                    tbody class="group" {
                        tr { th scope="rowgroup" colspan=(if currency.is_some() { 4 } else { 3 }) { (text(team)) } }
                        @for (i, row) in own().take(MODELS) {
                            @let at = format!("/tables/team_models/rows/{i}");
                            tr {
                                td class="name" { (row.key.get(1).map(|model| text(model)).unwrap_or_default()) }
                                @if currency.is_some() { td class="number" { (cost(&at, &row.sums, currency)) } }
                                td class="number" { (figure(&format!("{at}/requests"), row.sums.requests)) }
                                td class="number" { (figure(&format!("{at}/callers"), row.callers.unwrap_or(0))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Cost, or exchanges where nothing has a price, by team and month.
pub fn months(report: &Report) -> Markup {
    const TEAMS: usize = 20;
    const MONTHS: usize = 12;
    let (Some(teams), Some(cells)) = (report.table("teams"), report.table("team_months")) else { return html! {} };
    let all: BTreeSet<&String> = cells.rows.iter().filter_map(|row| row.key.first()).collect();
    // The newest first: it is the one that a narrow screen shows.
    let months: Vec<&String> = all.iter().rev().take(MONTHS).copied().collect();
    if months.is_empty() {
        return html! {};
    }
    let currency = report.currency.as_deref();
    let what = currency.map_or_else(|| "Exchanges".to_owned(), |currency| format!("Cost in {}", text(currency)));
    html! {
        div class="scroll" tabindex="0" role="region" aria-label={ (what) " by team and month" } {
            table {
                caption { (what) " by team and month" }
                thead { tr { th scope="col" { "Team" } @for month in &months { th scope="col" class="number" { (month) } } } }
                tbody { @for team in teams.rows.iter().take(TEAMS).filter_map(|row| row.key.first()) {
                    tr {
                        th scope="row" { (text(team)) }
                        @for month in &months {
                            @let cell = cells.rows.iter().enumerate().find(|(_, row)| row.key.first() == Some(*month) && row.key.get(1) == Some(team));
                            td class="number" { @if let Some((i, row)) = cell {
                                @let at = format!("/tables/team_months/rows/{i}");
                                @if currency.is_some() { (cost(&at, &row.sums, currency)) } @else { (figure(&format!("{at}/requests"), row.sums.requests)) }
                            } @else { "–" } }
                        }
                    }
                } }
            }
        }
    }
}

/// Evidence for controls.
pub fn controls(found: &Controls) -> Markup {
    html! {
        p {
            "Policy " b { (text(&found.policy)) } ", digest " code { (found.digest) } ": " (figure("/controls/exchanges", found.exchanges)) " exchanges were judged under exactly this policy"
            @if let (Some(first), Some(last)) = (&found.first, &found.last) { ", from " (moment(first)) " to " (moment(last)) " UTC" }
            "; " (figure("/controls/others", found.others)) " under others. Statements are counted by their ids, in all policies that have them."
            @if found.missing > 0 { " None acted more than " (grouped(found.missing)) " times oftener than is said." }
        }
        @if found.evidence.is_empty() { p { "No statement of this policy names a control." } }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="Evidence by control" {
                table {
                    caption { "Evidence by control" }
                    thead { tr {
                        th scope="col" { "Control" } th scope="col" class="part" { "Statement" } th scope="col" class="part" { "Section" } th scope="col" class="part" { "Mode" }
                        th scope="col" class="number" { "Acted" } th scope="col" class="number" { "Denied" }
                        th scope="col" class="number" { "Looked on" } th scope="col" class="when" { "First" } th scope="col" class="when" { "Last" }
                    } }
                    tbody { @for (i, row) in found.evidence.iter().enumerate() {
                        @let at = format!("/controls/evidence/{i}");
                        tr {
                            th scope="row" class="name" { (text(&row.control)) span class="parts" { (text(&row.statement)) } }
                            td class="name part" { (text(&row.statement)) }
                            td class="part" { (row.section) @if let Some(pack) = &row.pack { ", " (text(pack)) } }
                            td class="part" { (row.mode) }
                            td class="number" { (figure(&format!("{at}/acted"), row.acted)) }
                            td class="number" { (figure(&format!("{at}/denied"), row.denied)) }
                            td class="number" { (figure(&format!("{at}/observed"), row.observed)) }
                            @for when in [&row.first, &row.last] {
                                td class="when" { @if let Some(when) = when { time datetime=(when) { (moment(when)) } } @else { "never" } }
                            }
                        }
                    } }
                }
            }
        }
    }
}

fn framed(table: &TableOut, content: Markup) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(table.title) { (content) }
        @if table.rows.len() > ROWS { p class="more" { "The first " (ROWS) " of " (grouped(table.rows.len() as u64)) " rows" } }
    }
}

fn keys(row: &Row) -> Markup {
    html! {
        @for (i, part) in row.key.iter().enumerate() {
            @if i == 0 {
                th scope="row" class="name" {
                    // A narrow screen breaks an address behind its `@`.
                    @for (n, piece) in text(part).split_inclusive('@').enumerate() { @if n > 0 { wbr; } (piece) }
                    // A narrow screen shows the other parts here, in place of their columns.
                    @if row.key.len() > 1 { span class="parts" { (others(row)) } }
                }
            } @else {
                td class="name part" { (text(part)) }
            }
        }
    }
}

fn others(row: &Row) -> String {
    row.key.iter().skip(1).map(|part| text(part)).collect::<Vec<_>>().join(" · ")
}

fn bar(much: u64, most: u64) -> Markup {
    let width = format!("{:.1}", (much as f64 / most as f64 * 100.0).clamp(if much > 0 { 0.8 } else { 0.0 }, 100.0));
    html! {
        td class="bars" { svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" { rect class="c1" width=(width) height="10" {} } }
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
