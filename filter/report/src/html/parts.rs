//! Figures, and the row of them that a page begins with.

use maud::{Markup, html};

use crate::model::{Report, Sums};
use crate::shown::{compact, grouped, money, percent, text};

/// A whole number that names its place in the JSON.
pub fn figure(at: &str, number: u64) -> Markup {
    html! { data value=(number) data-at=(at) { (grouped(number)) } }
}

/// A whole number in short; the exact one shows on pointing at it.
pub fn short(at: &str, number: u64) -> Markup {
    html! { data value=(number) data-at=(at) title=(grouped(number)) { (compact(number as f64)) } }
}

/// Money in the currency of the report.
pub fn cost(at: &str, sums: &Sums, currency: Option<&str>) -> Markup {
    let amount = currency.and_then(|currency| sums.cost.get(currency).map(|amount| (currency, amount)));
    html! {
        @if let Some((currency, amount)) = amount {
            data value=(amount) data-at={ (at) "/cost/" (pointer(currency)) } title={ (amount) " " (text(currency)) } { (money(amount)) }
        } @else { "–" }
    }
}

/// A name as a JSON pointer has it (RFC 6901).
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The figures that matter most.
pub fn tiles(report: &Report) -> Markup {
    let totals = &report.totals;
    let distinct = |name| report.distinct.get(name);
    let ungoverned = report.table("ungoverned").map_or(0, |t| t.rows.iter().filter_map(|row| row.count).sum());
    html! {
        dl class="tiles" {
            (tile("Exchanges", short("/totals/requests", totals.requests), html! {
                @if let Some(models) = distinct("models") { (figure("/distinct/models/count", models.count)) " models" }
            }))
            @if let Some(users) = distinct("users") {
                (tile("Users", html! { @if !users.exact { span class="about" { "about " } } (figure("/distinct/users/count", users.count)) }, html! {
                    @if let Some(teams) = distinct("teams") { (figure("/distinct/teams/count", teams.count)) " teams" }
                    @if let Some(workloads) = distinct("workloads").filter(|w| w.count > 0) { ", " (figure("/distinct/workloads/count", workloads.count)) " workloads" }
                }))
            }
            (tile("Tokens in", short("/totals/input_tokens", totals.input_tokens), html! { (short("/totals/output_tokens", totals.output_tokens)) " tokens out" }))
            @for (currency, amount) in &totals.cost {
                (tile(&format!("Cost, {}", text(currency)), html! {
                    data value=(amount) data-at={ "/totals/cost/" (pointer(currency)) } title=(amount) { (money(amount)) }
                }, html! { "by the policy’s prices" }))
            }
            (tile("Denied", short("/totals/denied", totals.denied), html! {
                (percent(totals.denied, totals.requests)) " of exchanges"
                @if totals.observed > 0 { "; " (figure("/totals/observed", totals.observed)) " only recorded" }
            }))
            (tile("Findings", short("/findings", report.findings), html! { "in texts, both directions" }))
            @if report.lines.connections > 0 || report.lines.unrecorded > 0 {
                (tile("Outside", html! { data value=(ungoverned) { (compact(ungoverned as f64)) } }, html! {
                    "connections past the filter; " (figure("/lines/unrecorded", report.lines.unrecorded)) " exchanges without a record"
                }))
            }
        }
    }
}

fn tile(title: &str, value: Markup, note: Markup) -> Markup {
    html! { div { dt { (title) } dd class="value" { (value) } dd class="note" { (note) } } }
}
