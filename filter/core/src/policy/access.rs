//! Who may use what.

use std::collections::HashSet;

use super::document::{AccessDocument, AccessEffect, CapDocument, Mode, Scalar};
use super::glob::Globs;
use super::number::Number;
use super::roles::{RoleSet, Roles, Who};
use super::targets::{Targets, includes};
use crate::config::{Path, Problem};
use crate::json::decimal::Decimal;
use crate::json::{Kind, Node};
use crate::protocol::{Api, Operation};

/// Every access statement of a policy.
#[derive(Debug, Default)]
pub struct Access(Vec<Statement>);

#[derive(Debug)]
struct Statement {
    id: String,
    effect: AccessEffect,
    mode: Mode,
    who: Who,
    models: Globs,
    targets: Option<Vec<bool>>,
    operations: Vec<Operation>,
    caps: Vec<Cap>,
}

#[derive(Debug)]
struct Cap {
    parameter: String,
    min: Option<Number>,
    max: Option<Number>,
    one_of: Option<Vec<Scalar>>,
    required: bool,
}

/// What is asked: everything that is known of a request so far.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The caller's roles.
    pub roles: &'a RoleSet,
    /// The target's place in the policy.
    pub target: usize,
    /// The API, for its names of parameters.
    pub api: Api,
    /// The operation.
    pub operation: Operation,
    /// The model, aliases resolved; `None` while only the head is known, or where the call has none.
    pub model: Option<&'a str>,
    /// The request's top-level object; `None` while only the head is known.
    pub parameters: Option<Node<'a>>,
}

/// What access says, and by which statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// `None`: allowed. While only the head is known: not refused yet.
    pub miss: Option<Miss>,
    /// The statements that made the decision: the denies that fit, else the allows that fit.
    pub rules: Vec<String>,
    /// Observed statements that fit.
    pub observed: Vec<String>,
}

/// Why access refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Nothing allows the call at all, or a deny fits it.
    Call,
    /// Something allows the call, with other models.
    Model,
    /// Something allows the call and model, but for this parameter's cap.
    Parameter(String),
}

/// How a statement fits a question.
enum Fit {
    Yes,
    No,
    /// It depends on what is not known yet.
    Open,
    WrongModel,
    WrongParameter(String),
}

impl Access {
    /// Compiles a policy's `access`.
    pub fn compile(
        documents: &[AccessDocument],
        roles: &Roles,
        targets: &Targets,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut statements = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            check_id(&document.id, &mut ids, &path, problems);
            let caps = document.parameters.iter().map(|(name, cap)| {
                check_cap(cap, &path.key("parameters").key(name), problems);
                Cap {
                    parameter: name.clone(),
                    min: cap.min.clone(),
                    max: cap.max.clone(),
                    one_of: cap.one_of.clone(),
                    required: cap.required,
                }
            });
            statements.push(Statement {
                caps: caps.collect(),
                id: document.id.clone(),
                effect: document.effect,
                mode: document.mode,
                who: roles.who(&document.roles, &path.key("roles"), problems),
                models: Globs::new(&document.models.0),
                targets: targets.meant(&document.targets, &document.providers, &path, problems),
                operations: document.operations.0.clone(),
            });
        }
        Self(statements)
    }

    /// Decides. With neither model nor parameters in the question, refuses only what no body could mend.
    pub fn decide(&self, question: &Question<'_>) -> Answer {
        let mut answer = Answer::default();
        let (mut allows, mut denies) = (Vec::new(), Vec::new());
        let (mut open, mut nearest) = (false, Miss::Call);
        let mut model_denied = false;
        for statement in &self.0 {
            let fit = statement.fit(question);
            if statement.mode == Mode::Observe {
                if matches!(fit, Fit::Yes) {
                    answer.observed.push(statement.id.clone());
                }
                continue;
            }
            match (statement.effect, fit) {
                (AccessEffect::Allow, Fit::Yes) => allows.push(statement.id.clone()),
                (AccessEffect::Allow, Fit::Open) => open = true,
                (AccessEffect::Allow, Fit::WrongParameter(name)) => nearest = Miss::Parameter(name),
                (AccessEffect::Allow, Fit::WrongModel) if nearest == Miss::Call => nearest = Miss::Model,
                (AccessEffect::Deny, Fit::Yes) => {
                    model_denied |= !statement.models.is_empty();
                    denies.push(statement.id.clone());
                }
                _ => {}
            }
        }
        if !denies.is_empty() {
            answer.miss = Some(if model_denied { Miss::Model } else { Miss::Call });
            answer.rules = denies;
        } else if !allows.is_empty() || open {
            answer.rules = allows;
        } else {
            answer.miss = Some(nearest);
        }
        answer
    }

    /// Whether a caller could use `model` at a target in some call, whatever the parameters.
    pub fn may_use(&self, roles: &RoleSet, target: usize, model: &str) -> bool {
        let fits = |s: &&Statement| s.who.fits(roles) && includes(s.targets.as_ref(), target) && s.models.fit(model);
        let enforced = || self.0.iter().filter(|s| s.mode == Mode::Enforce).filter(fits);
        let chats = |s: &Statement| s.operations.is_empty() || s.operations.contains(&Operation::Chat);
        enforced().any(|s| s.effect == AccessEffect::Allow && chats(s))
            && !enforced().any(|s| s.effect == AccessEffect::Deny && chats(s) && s.caps.is_empty())
    }
}

impl Statement {
    fn fit(&self, question: &Question<'_>) -> Fit {
        if !self.who.fits(question.roles) || !includes(self.targets.as_ref(), question.target) {
            return Fit::No;
        }
        if question.operation == Operation::ListModels {
            // The list is filtered to what the caller may use, so whoever may use any model may list. A deny of
            // some models filters them out; only a deny that names the operation denies the list.
            let named = self.operations.contains(&Operation::ListModels);
            return match self.effect {
                AccessEffect::Allow => Fit::Yes,
                AccessEffect::Deny if named => Fit::Yes,
                AccessEffect::Deny => Fit::No,
            };
        }
        if !self.operations.is_empty() && !self.operations.contains(&question.operation) {
            return Fit::No;
        }
        match question.model {
            Some(model) if !self.models.fit(model) => return Fit::WrongModel,
            None if !self.models.is_empty() => return Fit::Open,
            _ => {}
        }
        match question.parameters {
            None if self.caps.is_empty() => Fit::Yes,
            None => Fit::Open,
            Some(parameters) => {
                let deny = self.effect == AccessEffect::Deny;
                match self.caps.iter().find(|cap| !cap.holds(parameters, question.api, deny)) {
                    None => Fit::Yes,
                    Some(cap) => Fit::WrongParameter(cap.parameter.clone()),
                }
            }
        }
    }
}

impl Cap {
    /// Whether the request is within the cap. Where the API has two names for the parameter, an allow's cap must hold for
    /// both, and a deny's for one of them. A value that cannot be compared counts against the caller: it is outside an
    /// allow's cap and inside a deny's.
    fn holds(&self, parameters: Node<'_>, api: Api, deny: bool) -> bool {
        let mut there = false;
        for name in api.parameter_names(&self.parameter) {
            // As a server written in Go reads it: `TEMPERATURE` is `temperature`.
            let Some(value) = parameters.get_folded(name).filter(|v| !v.is_null()) else { continue };
            there = true;
            if self.within(value).unwrap_or(deny) == deny {
                return deny;
            }
        }
        // A deny on `n` of 2 and more must not deny every request that has no `n`.
        !deny && (there || !self.required)
    }

    /// `None`: a bound on what is no number, or a list of values of other types.
    fn within(&self, value: Node<'_>) -> Option<bool> {
        if self.min.is_some() || self.max.is_some() {
            let number = Decimal::parse(value.number()?)?;
            if self.min.as_ref().is_some_and(|min| number < *min.exact())
                || self.max.as_ref().is_some_and(|max| number > *max.exact())
            {
                return Some(false);
            }
        }
        let Some(accepted) = &self.one_of else { return Some(true) };
        let mut compared = accepted.iter().map(|a| same(a, value));
        if compared.clone().any(|same| same == Some(true)) {
            return Some(true);
        }
        compared.all(|same| same.is_some()).then_some(false)
    }
}

/// `None`: they are not of one type. Many servers read `"true"` and 1 as `true`, or `"2"` as 2, so nobody can say.
fn same(accepted: &Scalar, value: Node<'_>) -> Option<bool> {
    let number = || value.number().and_then(Decimal::parse);
    match (accepted, value.kind()) {
        (Scalar::Bool(b), Kind::Bool) => Some(value.bool() == Some(*b)),
        (Scalar::Text(t), Kind::String) => Some(value.text().is_some_and(|v| v == *t)),
        (Scalar::Number(n), Kind::Number) => number().map(|v| v == *n.exact()),
        // Envoy's YAML reader makes `0.5` a string.
        (Scalar::Text(t), Kind::Number) => Some(number()? == Decimal::parse(t)?),
        _ => None,
    }
}

fn check_cap(cap: &CapDocument, path: &Path, problems: &mut Vec<Problem>) {
    if cap.min.is_none() && cap.max.is_none() && cap.one_of.is_none() && !cap.required {
        problems.push(
            Problem::new(path.clone(), "a cap that caps nothing")
                .help("add `max`, `min`, `one_of` or `required: true`"),
        );
    }
    if let (Some(min), Some(max)) = (&cap.min, &cap.max)
        && min.exact() > max.exact()
    {
        problems.push(Problem::new(path.clone(), "`min` is above `max`, so nothing fits"));
    }
}

/// Ids are unique within their list and printable, since they go on the record.
pub(crate) fn check_id<'a>(id: &'a str, ids: &mut HashSet<&'a str>, path: &Path, problems: &mut Vec<Problem>) {
    let plain =
        !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@/".contains(&b));
    if !plain {
        problems.push(
            Problem::new(path.key("id"), format!("`{id}` is no id")).help("letters, digits and `-_.@/`, at most 64"),
        );
    }
    if !ids.insert(id) {
        problems.push(Problem::new(path.key("id"), format!("a second statement `{id}`")).help("ids are unique"));
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
