//! A request that goes elsewhere than Envoy chose first.
//!
//! Nothing that was established for the first target goes along: its access, its content statements, its assertion and what was put in
//! the body for it are forgotten, and the request as it came is judged once more for where it goes. Envoy chooses the route
//! anew because the header changes, and names the new one only once it has sent the request: its routes say for both values
//! of the header where it leads, so that one which is missing leads nowhere; a cluster can refuse what has the header by a filter
//! of its own; and an answer from anywhere else is withheld.

use std::ops::Range;

use super::body::extend;
use super::head::signed;
use super::{Context, Effect, Exchange, Facts, Tools};
use crate::head::Headers;
use crate::host::Side;
use crate::inspect::{Budget, Shingles};
use crate::policy::{Asked, Forward, Question};
use crate::protocol::{Body, Media, MediaSet, State, encoded as escaped};
use crate::redact::{Outcome, RestoreMap};
use crate::reply::{Denial, Reason};
use crate::route::{HEADER, Model, Route, Situation};

/// How a request goes to where it is judged for.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Its path as it came, the caller's credential cut out, and where in it the model stands.
    path: String,
    model_in_path: Option<Range<usize>>,
    /// What stands in front of the API's own paths at the first target.
    prefix: String,
    /// The model that is asked instead of the one the caller named.
    pub model: Option<String>,
    /// What looks at no text has been asked.
    asked: bool,
    /// Findings have sent it here.
    found: bool,
}

impl Way {
    /// Of a request with this path.
    pub fn new(path: String, model_in_path: Option<Range<usize>>, prefix: String) -> Self {
        Self { path, model_in_path, prefix, ..Self::default() }
    }

    /// Whether findings have sent it elsewhere.
    pub fn found(&self) -> bool {
        self.found
    }
}

impl Facts {
    /// Another model is asked, and what was put in the body for the one before is forgotten.
    pub(super) fn step_to(&mut self, model: String) {
        self.way.model = Some(model);
        self.budget = Budget::default();
        self.shingles = Shingles::default();
        self.restore = RestoreMap::default();
        self.tools = Tools::default();
        (self.hides_usage, self.script) = (false, None);
    }
}

impl Exchange {
    /// Sends a request elsewhere where its caller, model or claims say so. Whether it did: then everything is judged anew.
    pub(super) fn route_by_facts(
        &mut self,
        model: Model<'_>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<bool, Denial> {
        if facts.way.asked || facts.call.api.is_message() {
            return Ok(false);
        }
        facts.way.asked = true;
        let choice = cx.engine.routes.by_facts(&self.situation(model, facts, cx));
        extend(&mut self.record.observed, choice.observed);
        match choice.route {
            Some(route) => self.reroute(route, facts, cx),
            None => Ok(false),
        }
    }

    /// The same for what its texts carry, once they have been scanned.
    pub(super) fn route_by_findings(
        &mut self,
        model: Model<'_>,
        outcome: &mut Outcome,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<bool, Denial> {
        let met = std::mem::take(&mut outcome.routes);
        if outcome.denial.is_some() {
            return Ok(false);
        }
        if facts.way.found {
            // They are on the record already.
            outcome.findings.retain(|(_, action), _| *action != "route");
        }
        let places: Vec<usize> = met.iter().map(|(place, _)| *place).collect();
        let conflict =
            |ids: Vec<String>| Denial::new(Reason::RouteConflict).detail(format!("statements `{}`", ids.join("`, `")));
        let route = match cx.engine.routes.by_findings(&places, &self.situation(model, facts, cx)) {
            Ok(None) => return Ok(false),
            Ok(Some(route)) if facts.way.found => Err(vec![route.id.clone()]),
            other => other,
        };
        let route = match route {
            Ok(Some(route)) => route,
            Ok(None) => return Ok(false),
            Err(ids) => {
                self.record.rules.clone_from(&ids);
                self.unless_observed(conflict(ids), cx)?;
                return Ok(false);
            }
        };
        let ids = met.into_iter().filter(|(place, _)| cx.engine.routes.is_at(*place, route)).map(|(_, id)| id);
        extend(&mut self.record.rules, ids.collect());
        let moved = self.reroute(route, facts, cx)?;
        if moved {
            facts.way.found = true;
            for ((kind, action), count) in &outcome.findings {
                if *action == "route" {
                    let total = self.record.findings.entry(("in", kind.clone(), action)).or_default();
                    *total = total.saturating_add(*count);
                }
            }
        }
        Ok(moved)
    }

    /// Refuses what would have to go elsewhere and is read only where it cannot: a query, a path that is not known, an upgrade.
    pub(super) fn stay(
        &mut self,
        met: &mut Vec<(usize, String)>,
        situation: &Situation<'_>,
        cx: &Context<'_>,
    ) -> Result<(), Denial> {
        let places: Vec<usize> = met.drain(..).map(|(place, _)| place).collect();
        let route = match cx.engine.routes.by_findings(&places, situation) {
            Ok(Some(route)) => Some(route),
            Err(_) => return Err(Denial::new(Reason::RouteConflict)),
            Ok(None) if places.is_empty() => cx.engine.routes.by_facts(situation).route,
            Ok(None) => None,
        };
        match route {
            None => Ok(()),
            Some(route) => {
                extend(&mut self.record.rules, vec![route.id.clone()]);
                Err(Denial::new(Reason::RouteUnavailable).detail(format!("statement `{}`", route.id)))
            }
        }
    }

    /// Sends what has no body that is read elsewhere: its head is all there is to say where it goes.
    pub(super) fn route_head(
        &mut self,
        end: bool,
        model: Option<&str>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        let known = match model {
            Some(name) => Model::Named(name),
            None if end => Model::Nothing,
            None => Model::Unread,
        };
        if !self.route_by_facts(known, facts, cx)? {
            return Ok(());
        }
        let media: MediaSet = (!end).then_some(Media::File).into_iter().collect();
        let asked = Asked { parameters: None, media, state: State::None };
        let model = self.record.model.clone();
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            operation: facts.call.operation,
            method: None,
            model: model.as_deref(),
            body: (facts.call.body == Body::Any).then_some(asked),
        };
        self.ask(&question, cx)
    }

    /// The name of the model that is asked where a caller says `asked`; it goes on the record.
    pub(super) fn named(&mut self, asked: &str, facts: &Facts, cx: &Context<'_>) -> String {
        let name = self.resolve(facts.way.model.as_deref().unwrap_or(asked), cx);
        if facts.way.model.is_some() {
            self.record.asked_model = Some(cx.engine.models.find(asked).map_or(asked, |m| &m.name).to_owned());
        }
        name
    }

    /// What statements look at.
    pub(super) fn situation<'s>(&'s self, model: Model<'s>, facts: &'s Facts, cx: &Context<'_>) -> Situation<'s> {
        let stored = self.stored_route(cx.engine);
        let principal = self.record.principal.as_deref();
        Situation { roles: &facts.roles, principal, target: facts.target, model, stored }
    }

    /// Sends the request to a route's target. What only looks on records it, and sends nothing anywhere.
    fn reroute(&mut self, route: &Route, facts: &mut Facts, cx: &mut Context<'_>) -> Result<bool, Denial> {
        extend(&mut self.record.rules, vec![route.id.clone()]);
        extend(&mut self.record.routes, vec![route.id.clone()]);
        if self.tap.is_some() {
            return Ok(false);
        }
        let targets = &cx.engine.targets;
        let (Some(from), Some(to)) = (targets.get(facts.target), targets.get(route.target)) else {
            return Err(Denial::new(Reason::InternalHost));
        };
        if self.signed {
            return Err(signed("it cannot go elsewhere"));
        }
        if !to.apis.is_empty() && !to.apis.contains(&facts.call.api) {
            let detail = format!("the target `{}` does not have the API `{}`", to.name, facts.call.api.as_str());
            return Err(Denial::new(Reason::RouteUnavailable).detail(detail));
        }
        self.count(&facts.roles, to.index, false, cx)?;
        self.record.from.get_or_insert_with(|| from.name.clone());
        self.record.target = Some(to.name.clone());
        self.record.owner = to.owner.clone();
        self.record.provider = Some(to.provider.clone());
        facts.target = to.index;
        facts.way.model = route.model.clone();
        facts.budget = Budget::default();
        facts.shingles = Shingles::default();
        facts.restore = RestoreMap::default();
        facts.tools = Tools::default();
        (facts.hides_usage, facts.script) = (false, None);

        cx.effects.push(Effect::SetHeader(Side::Request, HEADER, route.value.as_bytes().to_vec()));
        // What the first target was to be told of the caller is for nobody else's eyes.
        match from.forward {
            Forward::None => {}
            Forward::Assertion => {
                cx.effects.push(Effect::RemoveHeader(Side::Request, super::forward::ASSERTION.into()));
            }
            Forward::SameAudience => {
                cx.effects.push(Effect::RemoveHeader(Side::Request, "authorization".into()));
            }
        }
        facts.is_told = self.forward(&Headers::default(), to.index, cx);
        self.send_path(facts, cx);
        // The query was inspected for the first target.
        let query = facts.way.path.split_once('?').map(|(_, query)| query.to_owned());
        match query.filter(|query| !query.is_empty()) {
            Some(query) => self.check_query(&query, facts, cx).map(|()| true),
            None => Ok(true),
        }
    }

    /// Sets the path for the target and the model that are asked now, where it is not the one that the host has.
    pub(super) fn send_path(&mut self, facts: &Facts, cx: &mut Context<'_>) {
        let prefix = cx.engine.targets.get(facts.target).map(|t| t.path_prefix.as_str()).unwrap_or_default();
        if let Some(path) = self.path_for(prefix, facts, cx) {
            cx.effects.push(Effect::SetHeader(Side::Request, ":path", path.into_bytes()));
        }
    }

    /// The path at a target with this prefix, where it is not the one that the host has.
    fn path_for(&mut self, prefix: &str, facts: &Facts, cx: &Context<'_>) -> Option<String> {
        let model = facts.path_model.as_deref();
        if model.is_none() && prefix == facts.way.prefix {
            return None;
        }
        let mut path = facts.way.path.clone();
        if let (Some(span), Some(model)) = (&facts.way.model_in_path, model) {
            let name = self.named(model, facts, cx);
            path.replace_range(span.clone(), &escaped(&name));
        }
        Some(match path.strip_prefix(facts.way.prefix.as_str()) {
            Some(rest) => format!("{prefix}{rest}"),
            None => path,
        })
    }
}
