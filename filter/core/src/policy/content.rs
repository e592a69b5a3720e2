//! What to look for in texts, and what to do about it.

use std::collections::HashSet;
use std::rc::Rc;

use super::document::{
    AccessDocument, Action, ContentDocument, Direction, Mode, Placeholder, RiskDocument, RouteDocument, StreamMode,
    Verdict,
};
use super::roles::{RoleSet, Roles, Who};
use super::statement::check_statement;
use super::targets::{Targets, includes};
use crate::config::{Path, Problem};
use crate::host::Side;
use crate::inspect::{Detectors, KindId, Selection};
use crate::protocol::Channel;

/// Every content statement of a policy.
#[derive(Debug, Default)]
pub struct Content(Vec<Rc<Rule>>);

/// One content statement.
#[derive(Debug)]
pub struct Rule {
    /// On the record when this decided.
    pub id: String,
    /// What is done.
    pub action: Action,
    /// Whether it is done, or only recorded.
    pub mode: Mode,
    /// What a placeholder of `tokenize` looks like.
    pub placeholder: Placeholder,
    /// For `route`: the place of the statement that says where to.
    pub route: Option<usize>,
    /// The row of `sessions.risk` that it feeds: nothing else comes of it.
    pub sign: Option<usize>,
    on_failure: Verdict,
    stream: StreamMode,
    detect: Selection,
    directions: Vec<Direction>,
    channels: Vec<Channel>,
    who: Who,
    targets: Option<Vec<bool>>,
}

/// The statements that apply to one side of one exchange, by channel.
#[derive(Debug, Default)]
pub struct Plan {
    channels: [Vec<Rc<Rule>>; Channel::ALL.len()],
    selections: [Selection; Channel::ALL.len()],
}

impl Content {
    /// Compiles a policy's `content`, and what its `routes` look for.
    pub fn compile(
        documents: &[ContentDocument],
        routes: &[RouteDocument],
        detectors: &Detectors,
        roles: &Roles,
        targets: &Targets,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut rules = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            check_statement(&document.id, &document.controls.0, &mut ids, &path, problems);
            let detect = detectors.select(&document.detect.0, &path.key("detect")).unwrap_or_else(|problem| {
                problems.push(problem);
                Selection::default()
            });
            if document.stream == StreamMode::Tail && document.action != Action::Flag {
                problems.push(
                    Problem::new(
                        path.key("stream"),
                        format!("`tail` cannot {}: the text has gone by then", document.action.as_str()),
                    )
                    .help("use `window`, or `action: flag`"),
                );
            }
            if document.on_failure.is_some() && !detectors.externals().iter().any(|e| e.kinds().meets(&detect)) {
                problems.push(
                    Problem::new(path.key("on_failure"), "none of its detectors is external, and no other fails")
                        .help("remove it, or name a detector of `detectors.external` in `detect`"),
                );
            }
            let route = route(document, routes, &path, problems);
            let only_looks = route.and_then(|r| routes.get(r)).is_some_and(|r| r.mode == Mode::Observe);
            rules.push(Rc::new(Rule {
                id: document.id.clone(),
                action: document.action,
                mode: if only_looks { Mode::Observe } else { document.mode },
                placeholder: document.placeholder,
                route,
                sign: None,
                on_failure: document.on_failure.unwrap_or_default(),
                stream: document.stream,
                detect,
                directions: match document.action {
                    Action::Route => vec![Direction::Request],
                    _ => document.direction.0.clone(),
                },
                channels: document.channels.0.clone(),
                who: roles.who(&document.roles, &path.key("roles"), problems),
                targets: targets.meant(&document.targets, &Default::default(), &path, problems),
            }));
        }
        for (i, document) in routes.iter().enumerate() {
            let Some(when) = document.when.as_ref().filter(|when| !when.detect.0.is_empty()) else { continue };
            let path = Path::root().key("routes").index(i).key("when");
            let detect = detectors.select(&when.detect.0, &path.key("detect"));
            rules.push(Rc::new(Rule {
                id: document.id.clone(),
                action: Action::Route,
                mode: document.mode,
                placeholder: Placeholder::default(),
                route: Some(i),
                sign: None,
                on_failure: Verdict::default(),
                stream: StreamMode::default(),
                detect: detect.unwrap_or_else(|problem| {
                    problems.push(problem);
                    Selection::default()
                }),
                directions: vec![Direction::Request],
                channels: when.channels.0.clone(),
                // Mistakes in these are told by the routes themselves.
                who: roles.who(&when.roles, &path, &mut Vec::new()),
                targets: targets.meant(&when.targets, &Default::default(), &path, &mut Vec::new()),
            }));
        }
        Self(rules)
    }

    /// Compiles what access statements look for in a conversation: rules that only tell that they are met.
    pub fn taints(
        documents: &[AccessDocument],
        detectors: &Detectors,
        roles: &Roles,
        targets: &Targets,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut rules = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let Some(taint) = &document.tainted_by else { continue };
            let detect = detectors.select(&taint.detect.0, &path.index(i).key("tainted_by").key("detect"));
            rules.push(Rc::new(Rule {
                id: document.id.clone(),
                action: Action::Flag,
                mode: Mode::Enforce,
                placeholder: Placeholder::default(),
                route: None,
                sign: None,
                on_failure: Verdict::default(),
                stream: StreamMode::default(),
                detect: detect.unwrap_or_else(|problem| {
                    problems.push(problem);
                    Selection::default()
                }),
                directions: vec![Direction::Request],
                channels: taint.channels.0.clone(),
                // Mistakes in these are told by access itself.
                who: roles.who(&document.roles, path, &mut Vec::new()),
                targets: targets.meant(&document.targets, &document.providers, path, &mut Vec::new()),
            }));
        }
        Self(rules)
    }

    /// Adds what `sessions` look for: rules that only tell what was seen.
    pub fn watch(
        &mut self,
        risks: &[RiskDocument],
        detectors: &Detectors,
        roles: &Roles,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) {
        for (i, risk) in risks.iter().enumerate().filter(|(_, risk)| !risk.detect.0.is_empty()) {
            let detect = detectors.select(&risk.detect.0, &path.index(i).key("detect"));
            self.0.push(Rc::new(Rule {
                id: risk.id.clone(),
                action: Action::Flag,
                mode: Mode::Enforce,
                placeholder: Placeholder::default(),
                route: None,
                sign: Some(i),
                // A detector that fails refuses where a content statement says so.
                on_failure: Verdict::Allow,
                stream: StreamMode::Tail,
                detect: detect.unwrap_or_else(|problem| {
                    problems.push(problem);
                    Selection::default()
                }),
                directions: risk.direction.0.clone(),
                channels: risk.channels.0.clone(),
                who: roles.who(&Default::default(), path, problems),
                targets: None,
            }));
        }
    }

    /// What replaces whatever statements look for, and what is somebody's or lets somebody in even where none does: for texts that are
    /// recorded.
    pub fn redacting(&self, detectors: &Detectors) -> Plan {
        let names = ["pii", "financial", "health", "secrets", "custom"].map(str::to_owned);
        let own = detectors.select(&names, &Path::root()).unwrap_or_default();
        let detect = self.0.iter().fold(own, |all, rule| all.union(&rule.detect));
        let rule = Rc::new(Rule {
            id: String::new(),
            action: Action::Mask,
            mode: Mode::Enforce,
            placeholder: Placeholder::default(),
            route: None,
            sign: None,
            on_failure: Verdict::Allow,
            stream: StreamMode::default(),
            detect: detect.clone(),
            directions: Vec::new(),
            channels: Vec::new(),
            who: Who::default(),
            targets: None,
        });
        Plan {
            channels: std::array::from_fn(|_| vec![Rc::clone(&rule)]),
            selections: std::array::from_fn(|_| detect.clone()),
        }
    }

    /// Whether any statement hashes values.
    pub fn hashes(&self) -> bool {
        self.0.iter().any(|r| r.action == Action::Hash)
    }

    /// Whether any statement replaces values by placeholders.
    pub fn tokenizes(&self) -> bool {
        self.0.iter().any(|r| r.action == Action::Tokenize)
    }

    /// Every statement, and why it does not apply to one side of an exchange, for people.
    #[cfg(feature = "trace")]
    pub fn considered(&self, roles: &RoleSet, target: usize, side: Side) -> Vec<crate::trace::Planned> {
        let direction = match side {
            Side::Request => Direction::Request,
            Side::Response => Direction::Response,
        };
        let statements = self.0.iter().filter(|rule| rule.sign.is_none());
        let planned = |rule: &Rc<Rule>| crate::trace::Planned {
            id: rule.id.clone(),
            action: rule.action.as_str(),
            observed: rule.mode == Mode::Observe,
            barred: rule.barred(direction, roles, target),
        };
        statements.map(planned).collect()
    }

    /// The statements for one side of an exchange.
    pub fn plan(&self, roles: &RoleSet, target: usize, side: Side) -> Plan {
        let direction = match side {
            Side::Request => Direction::Request,
            Side::Response => Direction::Response,
        };
        let mut plan = Plan::default();
        for rule in &self.0 {
            if rule.barred(direction, roles, target).is_some() {
                continue;
            }
            let per_channel = Channel::ALL.iter().zip(plan.channels.iter_mut().zip(&mut plan.selections));
            for (channel, (rules, selection)) in per_channel {
                if rule.channels.is_empty() || rule.channels.contains(channel) {
                    rules.push(Rc::clone(rule));
                    *selection = selection.union(&rule.detect);
                }
            }
        }
        plan
    }
}

impl Rule {
    /// By what it does not apply to one side of an exchange, if so.
    fn barred(&self, direction: Direction, roles: &RoleSet, target: usize) -> Option<&'static str> {
        if !(self.directions.is_empty() || self.directions.contains(&direction)) {
            Some("direction")
        } else if !self.who.fits(roles) {
            Some("roles")
        } else if !includes(self.targets.as_ref(), target) {
            Some("targets")
        } else {
            None
        }
    }
}

impl Plan {
    /// Whether nothing is looked for anywhere.
    pub fn is_empty(&self) -> bool {
        self.selections.iter().all(Selection::is_empty)
    }

    /// What is looked for in a channel.
    pub fn selection(&self, channel: Channel) -> Option<&Selection> {
        self.selections.get(channel.index()).filter(|s| !s.is_empty())
    }

    /// Whether any of `kinds` is looked for in a channel.
    pub fn looks_for(&self, channel: Channel, kinds: &Selection) -> bool {
        self.selection(channel).is_some_and(|selection| selection.meets(kinds))
    }

    /// The statements that refuse where nobody looked for one of `kinds` in the channels that `among` names.
    pub fn refusing(&self, kinds: &Selection, among: impl Fn(Channel) -> bool) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for (_, rules) in Channel::ALL.iter().zip(&self.channels).filter(|(channel, _)| among(**channel)) {
            let refuses =
                |r: &&Rc<Rule>| r.mode == Mode::Enforce && r.on_failure == Verdict::Deny && r.detect.meets(kinds);
            for rule in rules.iter().filter(refuses) {
                if !ids.contains(&rule.id) {
                    ids.push(rule.id.clone());
                }
            }
        }
        ids
    }

    /// How a stream's text in a channel is looked at: as the strictest of its statements wants. Observed ones only look on.
    pub fn stream_mode(&self, channel: Channel) -> StreamMode {
        let rules = self.channels.get(channel.index()).map(Vec::as_slice).unwrap_or_default();
        let mode = |rule: &Rc<Rule>| match rule.mode {
            Mode::Enforce => rule.stream,
            Mode::Observe => StreamMode::Tail,
        };
        rules.iter().map(mode).max().unwrap_or(StreamMode::Tail)
    }

    /// The statements that a finding of `kind` in `channel` meets.
    pub fn rules(&self, channel: Channel, kind: KindId) -> impl Iterator<Item = &Rule> {
        let rules = self.channels.get(channel.index()).map(Vec::as_slice).unwrap_or_default();
        rules.iter().map(Rc::as_ref).filter(move |r| r.detect.contains(kind))
    }
}

/// The place of the route that a statement names. Only `action: route` names one, and only for requests.
fn route(
    document: &ContentDocument,
    routes: &[RouteDocument],
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let problem = match (&document.route, document.action) {
        (None, Action::Route) => Problem::new(path.key("route"), "`action: route` does not say where to")
            .help("add `route: <id of one of the policy's routes>`"),
        (Some(_), action) if action != Action::Route => {
            Problem::new(path.key("route"), format!("`route` means nothing to `action: {}`", action.as_str()))
                .help("say `action: route`, or remove it")
        }
        (Some(_), _) if document.direction.0.contains(&Direction::Response) => {
            Problem::new(path.key("direction"), "an answer has come, and cannot go elsewhere")
                .help("remove `direction`: `action: route` is for requests")
        }
        (Some(id), _) => match routes.iter().position(|r| r.id == *id) {
            Some(place) => return Some(place),
            None => super::unknown(path.key("route"), "route", id, routes.iter().map(|r| r.id.as_str())),
        },
        (None, _) => return None,
    };
    problems.push(problem);
    None
}
