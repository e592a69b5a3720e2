//! One limit, compiled: for which requests it holds, which counters they count in, and what they need of it.

use std::rc::Rc;

use super::What;
use super::counter::Lease;
use super::global::Global;
use super::table::Id;
use super::window::Window;
use crate::calendar;
use crate::config::{Path, Problem};
use crate::engine::Env;
use crate::identity::Principal;
use crate::policy::{
    Globs, LimitDocument, Mode, Models, Number, OnServiceFailure, Per, RoleSet, Roles, Targets, Verdict, Who, includes,
    is_model_name,
};
use crate::protocol::Usage;
use crate::shards::Parts;

/// Counts that names share which only callers give: models that the policy does not know, and tools. A caller who makes names
/// up fills no more than these.
const SLOTS: u64 = 1024;

/// Limits whose counters of one caller stand in one shard.
const TOGETHER: usize = 16;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Requests,
    Input,
    Output,
    Total,
    Cost,
    Concurrent,
}

impl Kind {
    pub fn what(self) -> What {
        match self {
            Kind::Requests => What::Requests,
            Kind::Input | Kind::Output | Kind::Total => What::Tokens,
            Kind::Cost => What::Cost,
            Kind::Concurrent => What::Concurrent,
        }
    }

    /// Whether it is known only when an exchange is over.
    pub fn is_used(self) -> bool {
        !matches!(self, Kind::Requests | Kind::Concurrent)
    }

    fn as_str(self) -> &'static str {
        match self {
            Kind::Requests => "requests",
            Kind::Input => "input_tokens",
            Kind::Output => "output_tokens",
            Kind::Total => "total_tokens",
            Kind::Cost => "cost",
            Kind::Concurrent => "concurrent",
        }
    }
}

/// One limit.
#[derive(Debug)]
pub(super) struct Limit {
    pub id: Rc<str>,
    pub kind: Kind,
    pub window: Window,
    pub mode: Mode,
    pub unpriced: Verdict,
    /// Whether it holds is known only with the body.
    pub needs_body: bool,
    /// The model that requests beyond it are made to.
    pub step_down: Option<String>,
    /// The place of the limit that does not hold where this one does.
    pub replaces: Option<usize>,
    /// Who counts for all proxies together.
    pub global: Option<Global>,
    amount: u64,
    overrides: Vec<Override>,
    currency: String,
    per: Vec<Per>,
    /// What the identities of its counters begin with, and the identity of that alone.
    parts: Parts,
    own: Id,
    /// How far its counters of a caller stand from those of the policy's first limits.
    group: u16,
    who: Who,
    targets: Option<Vec<bool>>,
    models: Globs,
    tools: Globs,
}

#[derive(Debug)]
struct Override {
    amount: u64,
    from: u64,
    until: u64,
    who: Who,
}

/// Whose request it is, and of what.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The caller.
    pub principal: &'a Principal,
    /// Their roles.
    pub roles: &'a RoleSet,
    /// All roles.
    pub all_roles: &'a Roles,
    /// The target's place in the policy.
    pub target: usize,
    /// The model, aliases resolved, and whether the policy knows it.
    pub model: Option<(&'a str, bool)>,
    /// The tools that are called over MCP.
    pub tools: &'a [String],
    /// The limits that it went past by another model, by their places: they hold for it no more.
    pub past: &'a [usize],
}

/// What a request uses, or will use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Tokens.
    pub usage: Usage,
    /// Of the tokens in, what is used in any case once the request has gone out: a conservative estimate.
    pub floor: u64,
    /// More may be used than can be told beforehand: nothing passes where nothing is left, and what was used is charged, also where
    /// nothing is to be reserved.
    pub open: bool,
}

impl Limit {
    pub fn compile(
        (place, document): (usize, &LimitDocument),
        roles: &Roles,
        targets: &Targets,
        env: Env<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let whole = [
            (Kind::Requests, document.requests),
            (Kind::Input, document.input_tokens),
            (Kind::Output, document.output_tokens),
            (Kind::Total, document.total_tokens),
            (Kind::Concurrent, document.concurrent),
        ];
        let cost = document.cost.as_ref().map(|cost| {
            billionths(cost).unwrap_or_else(|| {
                problems.push(
                    Problem::new(path.key("cost"), "not an amount of money")
                        .help("a number from 0 to 1,000,000,000 with at most 9 decimals"),
                );
                0
            })
        });
        let mut given = whole.into_iter().chain([(Kind::Cost, cost)]).filter_map(|(kind, n)| Some((kind, n?)));
        let (kind, amount) = given.next().unwrap_or((Kind::Requests, 1));
        let others = given.count();
        let none = whole.iter().all(|(_, n)| n.is_none()) && cost.is_none();
        if none || others > 0 {
            problems.push(
                Problem::new(path.clone(), if none { "a limit of nothing" } else { "a limit of several things" }).help(
                    "exactly one of `requests`, `input_tokens`, `output_tokens`, `total_tokens`, `cost`, `concurrent`",
                ),
            );
        }
        if amount == 0 && !none {
            problems
                .push(Problem::new(path.key(kind.as_str()), "a limit of none").help("use a deny in `access` instead"));
        }
        let per = if document.per.0.is_empty() { vec![Per::Principal] } else { document.per.0.clone() };
        if per.contains(&Per::All) && per.len() > 1 {
            problems.push(
                Problem::new(path.key("per"), "`all` beside others")
                    .help("leave `all` out: the others say what counts apart"),
            );
        }
        let (models, tools) = (Globs::new(&document.models.0), Globs::new(&document.tools.0));
        let by_tool = !tools.is_empty() || per.contains(&Per::Tool);
        if by_tool && kind.is_used() {
            problems.push(
                Problem::new(path.clone(), "tokens of tools")
                    .help("calls of tools are counted by `requests` or `concurrent`"),
            );
        }
        if let Some(model) = &document.step_down {
            let path = path.key("step_down");
            if !is_model_name(model) {
                problems.push(Problem::new(path.clone(), format!("`{model}` is no model name")));
            }
            if kind == Kind::Concurrent || by_tool {
                problems.push(
                    Problem::new(path, "calls at a time and calls of tools have no cheaper model")
                        .help("leave `step_down` out"),
                );
            }
        }
        let overrides: Vec<Override> = document
            .overrides
            .iter()
            .enumerate()
            .map(|(i, o)| {
                let path = path.key("overrides").index(i);
                let mut date = |key: &str, read: Option<u64>| {
                    read.unwrap_or_else(|| {
                        problems.push(
                            Problem::new(path.key(key), "not a date")
                                .help("write `2026-12-31` or `2026-12-31T18:00:00Z` (RFC 3339), in quotes"),
                        );
                        0
                    })
                };
                let from = o.from.as_deref().map_or(0, |from| date("from", calendar::start(from)));
                let until = date("until", calendar::end(&o.until));
                let amount = match kind {
                    Kind::Cost => billionths(&o.amount),
                    _ => whole_number(&o.amount),
                };
                if amount.is_none() {
                    problems.push(Problem::new(path.key("amount"), "not an amount of this limit"));
                }
                let who = roles.who(&o.roles, &path.key("roles"), problems);
                Override { amount: amount.unwrap_or(0), from, until, who }
            })
            .collect();
        let window = Window::compile(document, path, problems);
        // The window is part of the identity: another window is another counter.
        let in_words = match &window {
            Window::Sliding(millis) => format!("{}/{millis}", kind.as_str()),
            window => format!("{}/{window:?}", kind.as_str()),
        };
        let parts = Parts::default().with(document.id.as_bytes()).with(in_words.as_bytes());
        Self {
            id: document.id.as_str().into(),
            kind,
            own: parts.clone().identity(),
            parts,
            window,
            mode: document.mode,
            unpriced: document.unpriced,
            // Odd and wide, so that the groups of callers who are neighbours lie apart.
            group: u16::try_from(place / TOGETHER).unwrap_or(u16::MAX).wrapping_mul(0x9E37),
            needs_body: document.step_down.is_some() || by_tool || !models.is_empty() || per.contains(&Per::Model),
            step_down: document.step_down.clone(),
            replaces: None,
            global: (document.global.as_ref())
                .map(|global| Global::compile(global, kind, env, &path.key("global"), problems)),
            amount,
            overrides,
            currency: document.currency.clone().unwrap_or_else(|| "USD".to_owned()),
            per,
            who: roles.who(&document.roles, &path.key("roles"), problems),
            targets: targets.meant(&document.targets, &Default::default(), path, problems),
            models,
            tools,
        }
    }

    /// Whether it holds for a request, as far as that is known.
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        self.who.fits(subject.roles)
            && includes(self.targets.as_ref(), subject.target)
            && (self.models.is_empty() || subject.model.is_some_and(|(model, _)| self.models.any(model)))
            && (self.tools.is_empty() || subject.tools.iter().any(|tool| self.tools.any(tool)))
            && (!self.per.contains(&Per::Tool) || !subject.tools.is_empty())
    }

    /// Whether it refuses by its own count.
    pub fn refuses(&self) -> bool {
        self.mode == Mode::Enforce && self.global.as_ref().is_none_or(|g| g.on_failure != OnServiceFailure::Allow)
    }

    /// How much it grants now.
    pub fn amount(&self, subject: &Subject<'_>, now: u64) -> u64 {
        let holds = |o: &&Override| (o.from..o.until).contains(&now) && o.who.fits(subject.roles);
        self.overrides.iter().find(holds).map_or(self.amount, |o| o.amount)
    }

    /// What it grants to those to whom it grants the least, now or later.
    pub fn least(&self, now: u64) -> u64 {
        let overrides = self.overrides.iter().filter(|o| now < o.until);
        overrides.map(|o| o.amount).fold(self.amount, u64::min)
    }

    /// The counters that a request counts in, and how often.
    pub fn keys(&self, subject: &Subject<'_>) -> impl Iterator<Item = (Id, u64)> {
        let one = subject.tools.is_empty() && !self.per.contains(&Per::Role);
        let one = one.then(|| (self.key(subject, &self.caller(subject), "", 0), 1));
        let all = if one.is_some() { Vec::new() } else { self.all_keys(subject) };
        one.into_iter().chain(all)
    }

    /// Those of each role and tool.
    fn all_keys(&self, subject: &Subject<'_>) -> Vec<(Id, u64)> {
        let roles: Vec<&str> = match self.per.contains(&Per::Role) {
            true => subject.all_roles.names_for(&self.who, subject.roles).collect(),
            false => vec![""],
        };
        let meant = |tool: &&String| self.tools.is_empty() || self.tools.any(tool);
        let calls = subject.tools.iter().filter(meant);
        let by_tool = self.per.contains(&Per::Tool);
        // How often each slot of a tool's name is called.
        let mut tools: Vec<(u64, u64)> = Vec::new();
        for call in calls {
            let slot = if by_tool { slot(call) } else { 0 };
            match tools.iter_mut().find(|(s, _)| *s == slot) {
                Some((_, times)) => *times = times.saturating_add(1),
                None => tools.push((slot, 1)),
            }
        }
        if tools.is_empty() || !by_tool && self.tools.is_empty() {
            tools = vec![(0, 1)];
        }
        let caller = self.caller(subject);
        let mut keys = Vec::with_capacity(roles.len() * tools.len());
        for role in roles {
            for (tool, times) in &tools {
                keys.push((self.key(subject, &caller, role, *tool), *times));
            }
        }
        keys
    }

    /// The caller's identity, where the limit counts callers apart.
    fn caller(&self, subject: &Subject<'_>) -> Id {
        match self.per.contains(&Per::Principal) {
            true => subject.principal.digest(),
            false => Id::default(),
        }
    }

    fn key(&self, subject: &Subject<'_>, caller: &Id, role: &str, tool: u64) -> Id {
        if self.per == [Per::Principal] {
            return self.key_of(caller);
        }
        let parts = self.per.iter().fold(self.parts.clone(), |parts, per| match per {
            Per::Principal => parts.with(caller),
            Per::Team => parts.with(&named(&subject.principal.team)),
            Per::Role => parts.with(role.as_bytes()),
            Per::Workload => parts.with(&named(&subject.principal.workload)),
            Per::Model => parts.with(&match subject.model {
                Some((model, true)) => model.to_ascii_lowercase().into_bytes(),
                Some((model, false)) => format!("/{}", slot(model)).into_bytes(),
                None => Vec::new(),
            }),
            Per::Tool => parts.with(&tool.to_le_bytes()),
            Per::Target => parts.with(&subject.target.to_le_bytes()),
            Per::All => parts.with(b""),
        });
        parts.identity()
    }

    /// Where callers are all that is told apart. The limit and the caller have been digested, each by itself: together they are
    /// whatever two such digests make.
    ///
    /// Counters of one caller stand in one shard (the first two bytes choose it) and are changed at once: one for each of
    /// [`TOGETHER`] limits, so that no caller fills a shard, for others, too. What else is told apart may be any number.
    fn key_of(&self, caller: &Id) -> Id {
        let mut id = (u128::from_le_bytes(self.own) ^ u128::from_le_bytes(*caller)).to_le_bytes();
        if let (Some(start), Some(home)) = (id.first_chunk_mut(), caller.first_chunk()) {
            *start = u16::from_le_bytes(*home).wrapping_add(self.group).to_le_bytes();
        }
        id
    }

    /// What must be reserved; `None` where a price is not known.
    pub fn lease(&self, need: &Need, subject: &Subject<'_>, models: &Models) -> Option<Lease> {
        let usage = &need.usage;
        let floor = Usage { input: need.floor, ..Usage::default() };
        Some(match self.kind {
            Kind::Requests => Lease::default(),
            Kind::Concurrent => Lease { amount: 1, floor: 0 },
            Kind::Input => Lease { amount: usage.input, floor: need.floor },
            Kind::Output => Lease { amount: usage.output, floor: 0 },
            Kind::Total => Lease { amount: usage.input.saturating_add(usage.output), floor: need.floor },
            // What goes in may be written to the provider's cache, at a price of its own.
            Kind::Cost => {
                Lease { amount: self.most(usage, subject, models)?, floor: self.price(&floor, subject, models)? }
            }
        })
    }

    /// What was used.
    pub fn used(&self, used: &Need, subject: &Subject<'_>, models: &Models) -> Option<u64> {
        let usage = &used.usage;
        Some(match self.kind {
            Kind::Requests | Kind::Concurrent => 0,
            Kind::Input => usage.input,
            Kind::Output => usage.output,
            Kind::Total => usage.input.saturating_add(usage.output),
            Kind::Cost => self.price(usage, subject, models)?,
        })
    }

    fn most(&self, usage: &Usage, subject: &Subject<'_>, models: &Models) -> Option<u64> {
        let written = Usage { cache_write: usage.input, ..*usage };
        Some(self.price(usage, subject, models)?.max(self.price(&written, subject, models)?))
    }

    fn price(&self, usage: &Usage, subject: &Subject<'_>, models: &Models) -> Option<u64> {
        let Some((model, _)) = subject.model else {
            // Calls without a model cost nothing that is counted in tokens.
            return Some(0);
        };
        let (cost, currency) = models.cost(model, usage)?;
        (currency == self.currency).then_some(cost)
    }

    /// Seconds until what was used up to the part `frees` is over.
    pub fn wait(&self, frees: Option<u64>, now_millis: u64) -> Option<u64> {
        let over = self.window.over(frees?, now_millis);
        Some(over.saturating_sub(now_millis / 1000).max(1))
    }
}

/// A name of the identity provider's, apart from none.
fn named(value: &Option<String>) -> Vec<u8> {
    value.as_ref().map_or_else(Vec::new, |value| format!("={value}").into_bytes())
}

fn slot(name: &str) -> u64 {
    let [a, b, ..] = Parts::default().with(name.to_ascii_lowercase().as_bytes()).identity();
    1 + u64::from(u16::from_le_bytes([a, b])) % SLOTS
}

fn whole_number(number: &Number) -> Option<u64> {
    let value = number.as_f64();
    (value.fract() == 0.0 && (1.0..=9e15).contains(&value)).then_some(value as u64)
}

/// Money in billionths. Doubles hold it to a millionth up to the bound.
fn billionths(number: &Number) -> Option<u64> {
    (0.0..=1_000_000_000.0).contains(&number.as_f64()).then(|| (number.as_f64() * 1e9).round() as u64)
}
