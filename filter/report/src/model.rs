//! A report as it is written out: the same figures in JSON, CSV, HTML and on the terminal.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::collect::{Collector, SEPARATOR, Slot, date};
use crate::controls::{Controls, InForce, evidence};
use crate::distinct::{Distinct, ERROR};
use crate::line::decimal;
use crate::tables::{SHAPES, Shape};
use crate::usage::Usage;

/// So many bars a chart has at most.
const BARS: u64 = 96;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: &'static str,
    /// When it was made.
    pub generated: Option<String>,
    /// The logs, as they were named.
    pub sources: Vec<String>,
    /// What it is about.
    pub period: Period,
    /// What became of the lines.
    pub lines: LineCounts,
    /// The currency that rows are sorted by: the first that the logs have.
    pub currency: Option<String>,
    /// Sums over all exchanges with a record.
    pub totals: Sums,
    /// Findings in all.
    pub findings: u64,
    /// How many different ones.
    pub distinct: BTreeMap<&'static str, Count>,
    /// Sums over time.
    pub series: Series,
    /// By what they are broken down.
    pub tables: BTreeMap<&'static str, TableOut>,
    /// What a policy's statements did for controls, with `--policy`.
    pub controls: Option<Controls>,
}

/// When.
#[derive(Debug, Serialize)]
pub struct Period {
    /// The time asked for.
    pub since: Option<String>,
    /// And its end, which is not in it.
    pub until: Option<String>,
    /// The first moment there is.
    pub first: Option<String>,
    /// The last one.
    pub last: Option<String>,
}

/// What became of the lines.
#[derive(Debug, Serialize)]
pub struct LineCounts {
    /// All of them.
    pub read: u64,
    /// With a record of the filter's.
    pub records: u64,
    /// HTTP exchanges without one.
    pub unrecorded: u64,
    /// TCP connections.
    pub connections: u64,
    /// Outside of the time asked for.
    pub outside_period: u64,
    /// Without a time that can be read.
    pub undated: u64,
    /// That could not be read.
    pub broken: u64,
    /// The first of these.
    pub broken_named: Vec<String>,
    /// Costs that could not be read or added.
    pub uncounted_costs: u64,
}

/// A number of different values.
#[derive(Debug, Serialize)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Whether that is no estimate.
    pub exact: bool,
    /// The standard error of an estimate, as a share.
    pub standard_error: f64,
}

/// Sums.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sums {
    /// Exchanges.
    pub requests: u64,
    /// Refused, or their answer withheld.
    pub denied: u64,
    /// Denials that were only recorded.
    pub observed: u64,
    /// Tokens in, cached ones included.
    pub input_tokens: u64,
    /// Tokens out, reasoning included.
    pub output_tokens: u64,
    /// Of those in: out of a cache.
    pub cached_tokens: u64,
    /// Of those out: reasoning.
    pub reasoning_tokens: u64,
    /// Exchanges whose tokens are estimates.
    pub estimated: u64,
    /// Money, by currency, as decimal numbers.
    pub cost: BTreeMap<String, String>,
    /// Billionths of the first currency: what rows are sorted and drawn by.
    #[serde(skip)]
    pub nanos: u64,
}

/// Sums over time.
#[derive(Debug, Serialize)]
pub struct Series {
    /// How long a slot is, in seconds.
    pub step_seconds: u64,
    /// The slots, without gaps.
    pub slots: Vec<SlotOut>,
    /// Exchanges at times too far apart to be drawn.
    pub beyond: u64,
}

/// Sums of a time.
#[derive(Debug, Serialize)]
pub struct SlotOut {
    /// When it begins.
    pub start: String,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
    /// Exchanges without a record.
    pub unrecorded: u64,
    /// Connections past the filter.
    pub ungoverned: u64,
}

/// A table.
#[derive(Debug, Serialize)]
pub struct TableOut {
    /// What it is about.
    pub title: &'static str,
    /// What the parts of a row's key are.
    pub of: &'static [&'static str],
    /// What `count` counts.
    pub counts: Option<&'static str>,
    /// From the most to the least.
    pub rows: Vec<Row>,
    /// Sums of rows that had to go to bound memory.
    pub rest: Option<Sums>,
    /// No row, listed or not, lacks more than so many exchanges, or 1,024 times as many tokens; 0 where all is exact.
    pub missing: u64,
}

/// Sums of one key.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its parts.
    pub key: Vec<String>,
    /// What the table counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
    /// Different callers: exact for few, then within 2 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callers: Option<u64>,
    /// The least that was left of a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest: Option<f64>,
    /// When first.
    pub first: Option<String>,
    /// When last.
    pub last: Option<String>,
}

impl Report {
    /// Out of what was collected.
    pub fn new(collected: &Collector, sources: &[String], generated: Option<u64>, policy: Option<&InForce>) -> Self {
        let currencies = &collected.currencies;
        let lines = &collected.lines;
        let moments = || collected.hours.values().map(|slot| &slot.usage);
        // Of connections and unrecorded exchanges only the hour is kept.
        let hours = collected.hours.keys();
        let first = moments().map(|u| u.first).filter(|at| *at > 0).min().or(hours.clone().next().copied());
        let last = moments().map(|u| u.last).max().filter(|at| *at > 0).or(hours.clone().last().copied());
        let distinct = [
            ("users", &collected.users),
            ("workloads", &collected.workloads),
            ("teams", &collected.teams),
            ("models", &collected.models),
            ("tools", &collected.tools),
        ];
        let tables = SHAPES.iter().zip(&collected.tables).map(|(shape, rows)| {
            let mut out: Vec<Row> = rows.iter().map(|(key, usage)| row(shape, key, usage, currencies)).collect();
            sort(shape, &mut out);
            let rest = (rows.dropped > 0).then(|| sums(&rows.rest, currencies));
            let missing = rows.missing;
            (shape.name, TableOut { title: shape.title, of: shape.of, counts: shape.counts, rows: out, rest, missing })
        });
        Self {
            format: "doorward-report/1",
            generated: generated.and_then(date),
            sources: sources.to_vec(),
            period: Period {
                since: collected.range.since.and_then(date),
                until: collected.range.until.and_then(date),
                first: first.and_then(date),
                last: last.and_then(date),
            },
            lines: LineCounts {
                read: lines.read,
                records: lines.records,
                unrecorded: lines.unrecorded,
                connections: lines.connections,
                outside_period: lines.outside,
                undated: lines.undated,
                broken: lines.broken,
                broken_named: lines.named.clone(),
                uncounted_costs: collected.uncounted_costs,
            },
            currency: currencies.first().cloned(),
            totals: sums(&collected.totals, currencies),
            findings: collected.findings,
            distinct: distinct.into_iter().map(|(name, values)| (name, count(values))).collect(),
            series: series(collected),
            tables: tables.collect(),
            controls: policy.map(|policy| evidence(collected, policy)),
        }
    }

    /// A table by its name in JSON.
    pub fn table(&self, name: &str) -> Option<&TableOut> {
        self.tables.get(name)
    }
}

fn count(values: &Distinct) -> Count {
    let exact = values.is_exact();
    Count { count: values.count(), exact, standard_error: if exact { 0.0 } else { ERROR } }
}

fn sums(usage: &Usage, currencies: &[String]) -> Sums {
    let cost = currencies.iter().zip(usage.cost).filter(|(_, nanos)| *nanos > 0);
    Sums {
        requests: usage.requests,
        denied: usage.denied,
        observed: usage.observed,
        input_tokens: usage.input,
        output_tokens: usage.output,
        cached_tokens: usage.cached,
        reasoning_tokens: usage.reasoning,
        estimated: usage.estimated,
        cost: cost.map(|(currency, nanos)| (currency.clone(), decimal(nanos))).collect(),
        nanos: usage.cost.first().copied().unwrap_or(0),
    }
}

fn row(shape: &Shape, key: &str, usage: &Usage, currencies: &[String]) -> Row {
    Row {
        key: key.split(SEPARATOR).map(str::to_owned).collect(),
        count: shape.counts.map(|_| if usage.count > 0 { usage.count } else { usage.requests }),
        sums: sums(usage, currencies),
        callers: usage.callers.as_ref().map(|callers| callers.count()),
        lowest: usage.lowest,
        first: (usage.first > 0).then(|| date(usage.first)).flatten(),
        last: (usage.last > 0).then(|| date(usage.last)).flatten(),
    }
}

/// From the most to the least; months in their order.
fn sort(shape: &Shape, rows: &mut [Row]) {
    let months = shape.of.first() == Some(&"month");
    rows.sort_by(|a, b| {
        let month = |row: &Row| if months { row.key.first().cloned() } else { None };
        // What something cost says nothing of how often it was refused.
        let by_cost = |row: &Row| if shape.by_cost { row.sums.nanos } else { 0 };
        let much = |row: &Row| (row.count.unwrap_or(0), by_cost(row), row.sums.requests);
        month(a).cmp(&month(b)).then(much(b).cmp(&much(a))).then_with(|| a.key.cmp(&b.key))
    });
}

fn series(collected: &Collector) -> Series {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    let (mut beyond, mut step_seconds) = (collected.beyond.usage.requests, HOUR);
    let mut slots = Vec::new();
    if let (Some((&first, _)), Some((&last, _))) = (collected.hours.first_key_value(), collected.hours.last_key_value())
    {
        let steps = [HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY];
        let fits = |step: &u64| last / step - first / step < BARS;
        step_seconds = steps.into_iter().find(fits).unwrap_or(28 * DAY);
        // A clock that was wrong must not make a chart of a thousand years.
        let start = (first / step_seconds).max((last / step_seconds).saturating_sub(BARS - 1));
        let mut sums_of: BTreeMap<u64, Slot> = BTreeMap::new();
        for (hour, slot) in &collected.hours {
            if hour / step_seconds < start {
                beyond = beyond.saturating_add(slot.usage.requests);
            } else {
                sums_of.entry(hour / step_seconds).or_default().add(slot);
            }
        }
        for place in start..=last / step_seconds {
            let slot = sums_of.remove(&place).unwrap_or_default();
            slots.push(SlotOut {
                start: date(place * step_seconds).unwrap_or_default(),
                sums: sums(&slot.usage, &collected.currencies),
                unrecorded: slot.unrecorded,
                ungoverned: slot.ungoverned,
            });
        }
    }
    Series { step_seconds, slots, beyond }
}
