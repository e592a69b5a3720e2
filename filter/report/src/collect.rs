//! One pass over the lines: sums by table and by hour.

use std::collections::BTreeMap;

use doorward_core::anomaly::instant;

use crate::distinct::{Callers, Distinct};
use crate::frequent::Frequent;
use crate::hosts::Hosts;
use crate::line::{Line, money, read};
use crate::tables::{SHAPES, Table};
use crate::usage::{CURRENCIES, Usage};

/// Between the parts of a key.
pub const SEPARATOR: char = '\u{1f}';
/// What stands for a value that a record does not have.
pub const NONE: &str = "(none)";
/// So many hours are told apart: eleven years.
const HOURS: usize = 100_000;
/// So many broken lines are named.
const NAMED: usize = 20;

/// What became of the lines.
#[derive(Debug, Default, Clone)]
pub struct Lines {
    /// All of them, empty ones aside.
    pub read: u64,
    /// With a record of the filter's.
    pub records: u64,
    /// Of HTTP exchanges without one.
    pub unrecorded: u64,
    /// Of TCP connections.
    pub connections: u64,
    /// Outside of the time that was asked for.
    pub outside: u64,
    /// Without a time that can be read.
    pub undated: u64,
    /// Not read: no JSON, cut off, too long.
    pub broken: u64,
    /// The first of these: where, and why.
    pub named: Vec<String>,
}

/// What is counted at a time.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// Sums.
    pub usage: Usage,
    /// Exchanges without a record.
    pub unrecorded: u64,
    /// Connections past the filter.
    pub ungoverned: u64,
}

impl Slot {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.usage.add(&other.usage);
        self.unrecorded = self.unrecorded.saturating_add(other.unrecorded);
        self.ungoverned = self.ungoverned.saturating_add(other.ungoverned);
    }
}

/// Which lines count.
#[derive(Debug, Default, Clone, Copy)]
pub struct Range {
    /// From this second on.
    pub since: Option<u64>,
    /// Before this second.
    pub until: Option<u64>,
}

/// Adds lines up.
#[derive(Debug)]
pub struct Collector {
    pub(crate) range: Range,
    pub(crate) lines: Lines,
    pub(crate) totals: Usage,
    pub(crate) findings: u64,
    pub(crate) tables: Vec<Frequent<Usage>>,
    pub(crate) hours: BTreeMap<u64, Slot>,
    /// Of hours beyond [`HOURS`].
    pub(crate) beyond: Slot,
    pub(crate) users: Distinct,
    pub(crate) workloads: Distinct,
    pub(crate) teams: Distinct,
    pub(crate) models: Distinct,
    pub(crate) tools: Distinct,
    pub(crate) currencies: Vec<String>,
    /// Costs that could not be read, or are of one currency too many.
    pub(crate) uncounted_costs: u64,
    hosts: Hosts,
    key: String,
    /// The day that was seen last, and its month as it is written.
    month: (u64, String),
}

impl Collector {
    /// Counts what lies in `range`; names in `hosts` are those of model providers.
    pub fn new(range: Range, hosts: Hosts) -> Self {
        Self {
            range,
            lines: Lines::default(),
            totals: Usage::default(),
            findings: 0,
            tables: SHAPES.iter().map(|shape| Frequent::new(shape.capacity)).collect(),
            hours: BTreeMap::new(),
            beyond: Slot::default(),
            users: Distinct::default(),
            workloads: Distinct::default(),
            teams: Distinct::default(),
            models: Distinct::default(),
            tools: Distinct::default(),
            currencies: Vec::new(),
            uncounted_costs: 0,
            hosts,
            key: String::new(),
            month: (0, String::new()),
        }
    }

    /// A line of `file`.
    pub fn line(&mut self, bytes: &[u8], file: &str, number: u64) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        match read(bytes) {
            Ok(line) => self.count(&line),
            Err(why) => self.broken(file, number, &why),
        }
    }

    /// A line that cannot be read.
    pub fn broken(&mut self, file: &str, number: u64, why: &str) {
        self.lines.read += 1;
        self.lines.broken += 1;
        if self.lines.named.len() < NAMED {
            self.lines.named.push(format!("{file}:{number}: {why}"));
        }
    }

    fn count(&mut self, line: &Line<'_>) {
        self.lines.read += 1;
        let at = line.time.get().and_then(instant);
        let Range { since, until } = self.range;
        if at.is_none() {
            self.lines.undated += 1;
        }
        // What does not say when it was is in no range.
        let inside = match at {
            Some(at) => since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until),
            None => since.is_none() && until.is_none(),
        };
        if !inside {
            self.lines.outside += 1;
            return;
        }
        if line.decision.get().is_some() {
            self.lines.records += 1;
            self.record(line, at);
        } else if line.sni.get().is_some() && line.method.get().is_none() {
            self.lines.connections += 1;
            self.connection(line, at);
        } else {
            self.lines.unrecorded += 1;
            let usage = moment(at);
            let details = [line.details.or(NONE), line.upstream_cluster.or(NONE)];
            self.add(Table::Unrecorded, &details, &usage, None);
            self.at(at, &Slot { unrecorded: 1, ..Slot::default() });
        }
    }

    /// A TLS connection that the filter did not see into.
    fn connection(&mut self, line: &Line<'_>, at: Option<u64>) {
        let host = line.sni.or(NONE);
        let Some(provider) = self.hosts.provider(host).map(str::to_owned) else { return };
        let address = line.client.or(NONE);
        // A port is not who it is.
        let address = address.rsplit_once(':').map_or(address, |(ip, _)| ip);
        let who = line.peer.get().unwrap_or(address);
        self.add(Table::Ungoverned, &[&host.to_ascii_lowercase(), &provider, who], &moment(at), None);
        self.at(at, &Slot { ungoverned: 1, ..Slot::default() });
    }

    fn record(&mut self, line: &Line<'_>, at: Option<u64>) {
        let mut usage = moment(at);
        if line.decision.get() == Some("deny") {
            match line.action.get() {
                Some("observe") => usage.observed = 1,
                _ => usage.denied = 1,
            }
        }
        usage.input = line.input.number();
        usage.output = line.output.number();
        usage.cached = line.cached.number();
        usage.reasoning = line.reasoning.number();
        usage.estimated = u64::from(line.estimated.get() == Some("true"));
        if let Some(cost) = line.cost.get() {
            self.cost(cost, &mut usage);
        }
        self.totals.add(&usage);
        self.at(at, &Slot { usage: usage.clone(), ..Slot::default() });

        let (user, team, workload) = (line.user.get(), line.team.or(NONE), line.workload.get());
        let caller = user.or(workload).unwrap_or(NONE);
        let caller = (caller != NONE).then_some(caller);
        if let Some(user) = user {
            self.users.add(user);
            self.add(Table::Users, &[user, team], &usage, None);
        }
        if let Some(workload) = workload {
            self.workloads.add(workload);
            self.add(Table::Workloads, &[workload], &usage, None);
        }
        if let Some(team) = line.team.get() {
            self.teams.add(team);
        }
        self.add(Table::Teams, &[team], &usage, caller);
        self.add(Table::Auth, &[line.auth.or(NONE)], &usage, caller);
        let provider = line.provider.or(NONE);
        if let Some(model) = line.model.get() {
            self.models.add(model);
            self.add(Table::Models, &[model, provider], &usage, caller);
            self.add(Table::TeamModels, &[team, model], &usage, caller);
        }
        self.add(Table::Targets, &[line.target.or(NONE), provider, line.owner.or(NONE)], &usage, caller);
        self.add(Table::Operations, &[line.api.or(NONE), line.operation.or(NONE)], &usage, caller);
        if let Some(method) = line.mcp_method.get() {
            self.add(Table::Methods, &[method], &usage, caller);
        }
        if let Some(month) = self.month(at) {
            self.add(Table::TeamMonths, &[&month, team], &usage, None);
        }
        self.tools(line, &usage);
        self.decisions(line, &usage, caller);
        self.behaviour(line, &usage, caller);
        if let Some(policy) = line.policy.get() {
            self.add(Table::Policies, &[policy, line.digest.or(NONE)], &usage, None);
        }
    }

    fn tools(&mut self, line: &Line<'_>, usage: &Usage) {
        if let Some(tool) = line.tool.get() {
            self.tools.add(tool);
            let action = line.action.or(NONE);
            self.add(Table::Tools, &[tool, "mcp", action], &Usage { count: 1, ..usage.clone() }, None);
        }
        for entry in line.tools.list() {
            // `called:query/refuse=1`
            let Some((how, name, action, count)) = occurrence(entry) else { continue };
            self.tools.add(name);
            self.add(Table::Tools, &[name, how, action], &Usage { count, ..usage.clone() }, None);
        }
    }

    fn decisions(&mut self, line: &Line<'_>, usage: &Usage, caller: Option<&str>) {
        let reason = line.reason.get();
        if let Some(reason) = reason {
            self.add(Table::Denials, &[reason, line.action.or(NONE)], usage, caller);
        }
        let limited = reason.filter(|reason| reason.starts_with("limit."));
        for rule in line.rules.list() {
            self.add(Table::Rules, &[rule], usage, caller);
            if let Some(reason) = limited {
                self.add(Table::Refusals, &[rule, reason], usage, caller);
            }
        }
        for rule in line.observed.list() {
            self.add(Table::Observed, &[rule], usage, caller);
        }
        for note in line.notes.list() {
            self.add(Table::Notes, &[note], usage, caller);
        }
        for route in line.routes.list() {
            self.add(Table::Routes, &[route], usage, None);
        }
        for finding in line.findings.list() {
            let Some((side, kind, action, count)) = occurrence(finding) else { continue };
            self.findings = self.findings.saturating_add(count);
            self.add(Table::Findings, &[kind, side, action], &Usage { count, ..usage.clone() }, caller);
        }
        for asked in line.external.list() {
            let parts = asked.split_once(':').and_then(|(side, rest)| Some((side, rest.split_once('=')?)));
            let Some((side, (name, outcome))) = parts else { continue };
            // `ok:12ms` is one outcome, whatever it took.
            let outcome = outcome.strip_prefix("ok").map_or(outcome, |_| "ok");
            self.add(Table::External, &[name, side, outcome], usage, None);
        }
        for left in line.remaining.list() {
            let Some((limit, left)) = left.rsplit_once('=') else { continue };
            let lowest = left.parse::<f64>().ok().filter(|left| left.is_finite());
            self.add(Table::Limits, &[limit], &Usage { lowest, ..usage.clone() }, None);
        }
    }

    fn behaviour(&mut self, line: &Line<'_>, usage: &Usage, caller: Option<&str>) {
        for kind in line.anomaly.list() {
            self.add(Table::Anomalies, &[kind], usage, caller);
            self.add(Table::Unusual, &[caller.unwrap_or(NONE), kind], usage, None);
        }
        for risk in line.seen.list() {
            self.add(Table::Risks, &[risk], usage, caller);
        }
    }

    fn cost(&mut self, text: &str, usage: &mut Usage) {
        let Some((billionths, currency)) = money(text) else {
            self.uncounted_costs += 1;
            return;
        };
        let place = self.currencies.iter().position(|known| known == currency);
        let place = place.unwrap_or(self.currencies.len());
        if place == self.currencies.len() && place < CURRENCIES {
            self.currencies.push(currency.chars().take(16).collect());
        }
        match usage.cost.get_mut(place) {
            Some(cost) => *cost = billionths,
            None => self.uncounted_costs += 1,
        }
    }

    fn add(&mut self, table: Table, parts: &[&str], usage: &Usage, caller: Option<&str>) {
        self.key.clear();
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                self.key.push(SEPARATOR);
            }
            if part.contains(SEPARATOR) {
                self.key.push_str(&part.replace(SEPARATOR, " "));
            } else {
                self.key.push_str(part);
            }
        }
        let counts_callers = SHAPES.get(table as usize).is_some_and(|shape| shape.callers);
        if let Some(rows) = self.tables.get_mut(table as usize) {
            rows.add(&self.key, usage.weight(), |sums| {
                sums.add(usage);
                if counts_callers {
                    let callers = sums.callers.get_or_insert_with(Callers::default);
                    if let Some(caller) = caller {
                        callers.add(caller);
                    }
                }
            });
        }
    }

    fn at(&mut self, at: Option<u64>, slot: &Slot) {
        let Some(at) = at else { return };
        let hour = at - at % 3600;
        if self.hours.len() >= HOURS && !self.hours.contains_key(&hour) {
            self.beyond.add(slot);
        } else {
            self.hours.entry(hour).or_default().add(slot);
        }
    }

    fn month(&mut self, at: Option<u64>) -> Option<String> {
        let day = at? / 86_400;
        if self.month.0 != day || self.month.1.is_empty() {
            self.month = (day, date(at?)?.get(..7)?.to_owned());
        }
        Some(self.month.1.clone())
    }
}

/// One exchange at a moment.
fn moment(at: Option<u64>) -> Usage {
    Usage { requests: 1, first: at.unwrap_or(0), last: at.unwrap_or(0), ..Usage::default() }
}

/// `in:EMAIL_ADDRESS/mask=2` in its parts. Names of tools may have slashes.
fn occurrence(text: &str) -> Option<(&str, &str, &str, u64)> {
    let (side, rest) = text.split_once(':')?;
    let (rest, count) = rest.rsplit_once('=')?;
    let (name, action) = rest.rsplit_once('/')?;
    Some((side, name, action, count.parse().ok()?))
}

/// Seconds since 1970 as RFC 3339 has them, in UTC.
pub fn date(seconds: u64) -> Option<String> {
    Some(jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?.to_string())
}
