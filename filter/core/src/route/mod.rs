//! Which traffic goes to another target than Envoy chose first.
//!
//! Statements of two kinds decide. Those that look at no text are asked as soon as the model is known, and the first that fits is
//! taken. Those that hang on findings are asked when the body has been scanned, and beat the others: a text that must not
//! leave the house does not leave it because a cheaper model was wanted for its author. Two findings that want different
//! targets refuse the request, so order never decides where data may go. What is at its target already stays.
//!
//! A conversation sticks to its target because its earlier turns are in every request, and are scanned each time. What a session's
//! store knows of earlier exchanges comes in as [`Situation::stored`], and counts like a finding.
//!
//! What it does not do: it asks neither access nor content. The exchange judges the whole request anew for where it goes.

use std::collections::HashSet;

use crate::config::{OneOrMany, Path, Problem};
use crate::identity::Principal;
use crate::policy::{
    Conditions, Forward, Globs, Mode, RoleDocument, RoleSet, Roles, RouteDocument, Targets, Who, check_statement,
    includes, is_model_name, unknown,
};

/// The header by which Envoy finds the route. A client's own is never believed.
pub const HEADER: &str = "x-doorward-route";

/// Every statement on routes of a policy.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

/// One statement.
#[derive(Debug)]
pub struct Route {
    /// On the record when this decided.
    pub id: String,
    /// Where to.
    pub target: usize,
    /// What the header says.
    pub value: String,
    /// The model that is asked there.
    pub model: Option<String>,
    mode: Mode,
    who: Who,
    caller: Option<Conditions>,
    models: Globs,
    targets: Option<Vec<bool>>,
    /// Decided by what texts carry.
    by_findings: bool,
}

/// What a request asks, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub enum Model<'a> {
    /// This model, aliases resolved.
    Named(&'a str),
    /// None: the call has no model.
    Nothing,
    /// Nobody can read it, so it may be any.
    Unread,
}

/// A request, as statements look at it.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The caller's roles.
    pub roles: &'a RoleSet,
    /// The caller, where proven.
    pub principal: Option<&'a Principal>,
    /// Where the request is about to go.
    pub target: usize,
    /// What it asks.
    pub model: Model<'a>,
    /// The statement by which the session it belongs to was sent elsewhere before, or is to be from now on.
    pub stored: Option<usize>,
}

/// What the statements that look at no text say.
#[derive(Debug, Default)]
pub struct Choice<'a> {
    /// Where to, if elsewhere.
    pub route: Option<&'a Route>,
    /// Observed statements that fit.
    pub observed: Vec<String>,
}

impl Routes {
    /// Compiles a policy's `routes`. `named` are the ids that content statements refer to, `carried_out` says whether the policy
    /// carries verdicts out at all, and `held` whether headers wait for bodies.
    pub fn compile(
        documents: &[RouteDocument],
        (roles, targets): (&Roles, &Targets),
        named: &[&str],
        (carried_out, held): (bool, bool),
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut routes = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            check_statement(&document.id, &document.controls.0, &mut ids, &path, problems);
            if carried_out && !held && document.mode == Mode::Enforce {
                problems.push(
                    Problem::new(path.clone(), "headers go ahead of bodies here, so nothing can be sent elsewhere")
                        .help("let headers wait (`envoy: {hold_headers: true}`, and Envoy's flag), or say `mode: observe`"),
                );
            }
            let is_named = named.contains(&document.id.as_str());
            if is_named && document.when.is_some() {
                problems.push(
                    Problem::new(path.key("when"), "a route that content statements name has no conditions of its own")
                        .help("remove `when`: what a content statement finds must go there without further ado"),
                );
            }
            let empty = Default::default();
            let when = document.when.as_ref().unwrap_or(&empty);
            let claims = RoleDocument {
                purposes: when.purposes.clone(),
                claims: when.claims.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                ..RoleDocument::default()
            };
            let has_claims = !claims.purposes.0.is_empty() || !claims.claims.is_empty();
            let lists = [&when.detect, &when.roles, &when.targets, &when.models];
            if !is_named && !has_claims && lists.iter().all(|l| l.0.is_empty()) {
                problems.push(
                    Problem::new(path.clone(), "nothing is sent this way: it has no conditions, and no content statement names it")
                        .help("add `when: {detect: [...]}`, or a content statement with `action: route` and this id as its `route`"),
                );
            }
            if when.detect.0.is_empty() && !when.channels.0.is_empty() {
                problems.push(
                    Problem::new(path.key("when").key("channels"), "channels of findings, and nothing is looked for")
                        .help("add `detect`"),
                );
            }
            routes.push(Route {
                id: document.id.clone(),
                target: destination(document, targets, &path, problems),
                value: document.to.value.clone().unwrap_or_else(|| document.to.target.clone()),
                model: document.model.clone(),
                mode: document.mode,
                who: roles.who(&when.roles, &path.key("when").key("roles"), problems),
                caller: has_claims.then(|| Conditions::compile(&claims, &path.key("when"), problems)),
                models: Globs::new(&when.models.0),
                targets: targets.meant(&when.targets, &OneOrMany::default(), &path.key("when"), problems),
                by_findings: is_named || !when.detect.0.is_empty(),
            });
        }
        Self(routes)
    }

    /// Whether the statement at a place leads where `route` does.
    pub fn is_at(&self, place: usize, route: &Route) -> bool {
        self.0.get(place).is_some_and(|other| other.target == route.target)
    }

    /// The place of the statement whose id this is.
    pub fn place(&self, is: impl Fn(&str) -> bool) -> Option<usize> {
        self.0.iter().position(|route| is(&route.id))
    }

    /// Whether a request may be sent elsewhere at all.
    pub fn enforced(&self) -> bool {
        self.0.iter().any(|r| r.mode == Mode::Enforce)
    }

    /// What the statements that look at no text say: the first that fits.
    pub fn by_facts(&self, situation: &Situation<'_>) -> Choice<'_> {
        let mut choice = Choice::default();
        for route in self.0.iter().filter(|r| !r.by_findings && r.fits(situation)) {
            match route.mode {
                Mode::Observe => choice.observed.push(route.id.clone()),
                Mode::Enforce => {
                    choice.route = Some(route).filter(|r| r.target != situation.target);
                    break;
                }
            }
        }
        choice
    }

    /// What findings say that `met` these statements.
    ///
    /// # Errors
    /// The ids of statements that want different targets.
    pub fn by_findings(&self, met: &[usize], situation: &Situation<'_>) -> Result<Option<&Route>, Vec<String>> {
        let mut fitting: Vec<&Route> = Vec::new();
        for (place, route) in self.0.iter().enumerate() {
            let meets = met.contains(&place) && route.fits(situation) || situation.stored == Some(place);
            if meets && route.mode == Mode::Enforce {
                fitting.push(route);
            }
        }
        let Some(first) = fitting.first().copied() else { return Ok(None) };
        if fitting.iter().any(|route| route.target != first.target) {
            return Err(fitting.iter().map(|route| route.id.clone()).collect());
        }
        Ok(Some(first).filter(|route| route.target != situation.target))
    }
}

impl Route {
    fn fits(&self, situation: &Situation<'_>) -> bool {
        let model = match situation.model {
            Model::Named(name) => self.models.fit(name),
            Model::Nothing => self.models.is_empty(),
            Model::Unread => true,
        };
        let caller = match (&self.caller, situation.principal) {
            (None, _) => true,
            (Some(conditions), Some(principal)) => conditions.hold(principal),
            (Some(_), None) => false,
        };
        model && caller && self.who.fits(situation.roles) && includes(self.targets.as_ref(), situation.target)
    }
}

/// The target that a statement means, which must be one that traffic can be sent to.
fn destination(document: &RouteDocument, targets: &Targets, path: &Path, problems: &mut Vec<Problem>) -> usize {
    let to = path.key("to");
    let value = document.to.value.as_ref().unwrap_or(&document.to.target);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@".contains(&b);
    if value.is_empty() || value.len() > 128 || !value.bytes().all(plain) {
        problems.push(
            Problem::new(to.key("value"), format!("`{value}` cannot stand in a header that routes match"))
                .help("say `value`, in letters, digits and `-_.:/@`, at most 128"),
        );
    }
    if let Some(model) = document.model.as_ref().filter(|model| !is_model_name(model)) {
        problems.push(
            Problem::new(path.key("model"), format!("`{model}` is no model name"))
                .help("one name, in letters, digits and `-._:/@+`"),
        );
    }
    let Some(target) = targets.all().iter().find(|t| t.name == document.to.target) else {
        let known = targets.all().iter().map(|t| t.name.as_str());
        problems.push(unknown(to.key("target"), "target", &document.to.target, known));
        return usize::MAX;
    };
    if target.apis.iter().any(|api| api.is_message()) {
        problems.push(
            Problem::new(to.key("target"), format!("`{}` speaks MCP or A2A, and has no models", target.name))
                .help("messages between agents and tools stay where they are"),
        );
    }
    if target.forward == Forward::SameAudience {
        problems.push(
            Problem::new(
                to.key("target"),
                format!("`{}` is told callers' tokens, which belong to whom they were sent to", target.name),
            )
            .help("say `forward: assertion` there, or `none`"),
        );
    }
    target.index
}

#[cfg(test)]
mod tests;
