//! A report as one page: no script, nothing from elsewhere, and a content security policy that says so.
//!
//! Figures are `data` elements that name their place in the JSON by a pointer (`data-at`), so that both can be compared.

mod charts;
mod parts;
mod tables;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::model::Report;
use crate::shown::{grouped, moment, text};

use parts::{figure, tiles};
use tables::{brief, controls, full, months, per_team};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let digest = BASE64_STANDARD.encode(hmac_sha256::Hash::hash(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'");
    let period = match (&report.period.first, &report.period.last) {
        (Some(first), Some(last)) => format!("{} to {} UTC", moment(first), moment(last)),
        _ => "no moment known".to_owned(),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Use of models, " (period) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#content" { "To the figures" }
                header {
                    p class="product" { "Doorward" }
                    h1 { "Use of models and tools" }
                    p class="period" { (period) }
                    (asked(report))
                    nav aria-label="Sections" {
                        @for (id, title) in SECTIONS {
                            @if *id != "controls" || report.controls.is_some() { a href={ "#" (id) } { (title) } }
                        }
                    }
                }
                main id="content" {
                    (tiles(report))
                    (section("time", charts::all(report)))
                    (section("who", who(report)))
                    (section("what", what(report)))
                    (section("cost", html! { (per_team(report)) (months(report)) }))
                    (section("denials", denials(report)))
                    (section("findings", findings(report)))
                    (section("limits", limits(report)))
                    (section("outside", outside(report)))
                    @if let Some(found) = &report.controls { (section("controls", controls(found))) }
                    (section("method", method(report)))
                }
                footer { p { "Made by " code { "doorward report" } @if let Some(at) = &report.generated { ", " (moment(at)) " UTC" } } }
            }
        }
    };
    page.into_string()
}

const SECTIONS: &[(&str, &str)] = &[
    ("time", "Over time"),
    ("who", "Who"),
    ("what", "Models and tools"),
    ("cost", "Teams in detail"),
    ("denials", "Denials"),
    ("findings", "Findings"),
    ("limits", "Limits and anomalies"),
    ("outside", "Outside governance"),
    ("controls", "Controls"),
    ("method", "How this was counted"),
];

fn section(id: &str, content: Markup) -> Markup {
    let title = SECTIONS.iter().find(|(name, _)| *name == id).map_or(id, |(_, title)| title);
    html! { section aria-labelledby=(id) { h2 id=(id) { (title) } (content) } }
}

/// The time that was asked for, where that was one.
fn asked(report: &Report) -> Markup {
    let period = &report.period;
    html! {
        @if period.since.is_some() || period.until.is_some() {
            p class="asked" {
                "Asked for:"
                @if let Some(since) = &period.since { " from " (moment(since)) }
                @if let Some(until) = &period.until { " until before " (moment(until)) }
                " UTC"
            }
        }
    }
}

fn who(report: &Report) -> Markup {
    html! {
        (full(report, "teams")) (full(report, "users")) (full(report, "workloads")) (brief(report, "auth"))
    }
}

fn what(report: &Report) -> Markup {
    html! {
        (full(report, "models")) (full(report, "targets")) (full(report, "operations")) (brief(report, "tools"))
        (brief(report, "mcp_methods")) (brief(report, "routes"))
    }
}

fn denials(report: &Report) -> Markup {
    html! { (brief(report, "denials")) (brief(report, "rules")) (brief(report, "observed")) (brief(report, "notes")) }
}

fn findings(report: &Report) -> Markup {
    html! { (brief(report, "findings")) (brief(report, "external")) (brief(report, "session_risks")) }
}

fn limits(report: &Report) -> Markup {
    html! {
        (brief(report, "limit_refusals")) (brief(report, "limits")) (brief(report, "anomalies"))
        (brief(report, "unusual_callers"))
    }
}

fn outside(report: &Report) -> Markup {
    html! {
        p {
            "Connections to names of model providers, by the name in the TLS handshake, that passed an Envoy without its filter; "
            "and HTTP exchanges whose log line has no record: a listener without the filter, a filter that failed, a request that was "
            "refused before it."
        }
        (brief(report, "ungoverned")) (brief(report, "unrecorded"))
    }
}

fn method(report: &Report) -> Markup {
    let lines = &report.lines;
    let estimated = report.distinct.values().any(|count| !count.exact);
    let rows = [
        ("Lines read", "read", lines.read),
        ("Records of the filter's", "records", lines.records),
        ("HTTP exchanges without a record", "unrecorded", lines.unrecorded),
        ("TCP connections", "connections", lines.connections),
        ("Outside of the time asked for", "outside_period", lines.outside_period),
        ("Without a time that can be read", "undated", lines.undated),
        ("Broken lines", "broken", lines.broken),
    ];
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Lines of the logs" {
            table {
                caption { "Lines of the logs" }
                thead { tr { th scope="col" { "Lines" } th scope="col" class="number" { "Count" } } }
                tbody { @for (title, name, count) in rows {
                    tr { th scope="row" { (title) } td class="number" { (figure(&format!("/lines/{name}"), count)) } }
                } }
            }
        }
        ul {
            @for line in &lines.broken_named { li class="broken" { (text(line)) } }
            @if lines.uncounted_costs > 0 { li { (grouped(lines.uncounted_costs)) " costs could not be read or added" } }
            @if report.series.beyond > 0 { li { (grouped(report.series.beyond)) " exchanges lie too far back for the charts" } }
            li { "Tokens that a provider did not tell are estimates: those of " (figure("/totals/estimated", report.totals.estimated)) " exchanges" }
            @if estimated { li { "Counts marked “about” are estimates (HyperLogLog, standard error 0.8 %)" } }
            @for (name, table) in report.tables.iter().filter(|(_, table)| table.missing > 0) {
                li { "“" (table.title) "” had more rows than are kept: none lacks more than " (figure(&format!("/tables/{name}/missing"), table.missing))
                    " exchanges, or 1,024 times as many tokens" }
            }
            li { "Callers of a row are counted exactly while few, then within 2 %" }
            li { "All times are UTC" }
        }
        @if !report.sources.is_empty() {
            details { summary { "Logs" } ul { @for source in &report.sources { li class="broken" { (text(source)) } } } }
        }
    }
}
