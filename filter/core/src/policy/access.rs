//! Who may use what.

use std::collections::HashSet;

use super::document::{AccessDocument, AccessEffect, CapDocument, Mode, Scalar, ToolUseDocument};
use super::glob::Globs;
use super::number::Number;
use super::roles::{RoleSet, Roles, Who};
use super::statement::check_statement;
use super::targets::{Targets, includes};
use super::tools::{Fitting, Of, Rules, Tool, ToolAnswer};
use crate::config::{Path, Problem};
use crate::json::decimal::Decimal;
use crate::json::{Kind, Node};
use crate::protocol::{MediaSet, Operation, State, given, is_known_method};

/// Every access statement of a policy.
#[derive(Debug, Default)]
pub struct Access {
    statements: Vec<Statement>,
    tools: Rules,
}

#[derive(Debug)]
struct Statement {
    id: String,
    effect: AccessEffect,
    mode: Mode,
    who: Who,
    models: Globs,
    targets: Option<Vec<bool>>,
    operations: Vec<Operation>,
    media: MediaSet,
    stateful: bool,
    caps: Vec<Cap>,
    methods: Globs,
    /// It is about some tools: their rules are in [`Access`].
    has_tools: bool,
    /// It fits only conversations with certain findings.
    tainted: bool,
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
    /// The operation.
    pub operation: Operation,
    /// The JSON-RPC method, where the call is one.
    pub method: Option<&'a str>,
    /// The model, aliases resolved; `None` while it is not known yet, or where the call has none.
    pub model: Option<&'a str>,
    /// What the body says; `None` while only the head is known.
    pub body: Option<Asked<'a>>,
}

/// What a request's body says, as far as access looks at it.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The top-level object; none where the body is no JSON.
    pub parameters: Option<Node<'a>>,
    /// What it carries that cannot be read.
    pub media: MediaSet,
    /// What it says of state at the provider.
    pub state: State,
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
    /// What each statement says.
    #[cfg(feature = "trace")]
    pub considered: Vec<crate::trace::Considered>,
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
    /// Something allows the call and model, but for what it carries that cannot be read.
    Media(MediaSet),
    /// Something allows the call and model, but for the state at the provider that this member asks for.
    State(&'static str),
}

/// Why a statement is about something else.
#[derive(Clone, Copy)]
enum Why {
    Caller,
    Target,
    Operation,
    Method,
    NoModel,
    Body,
}

/// How a statement fits a question.
#[cfg_attr(not(feature = "trace"), expect(dead_code, reason = "only those who ask why hear why"))]
enum Fit {
    Yes,
    No(Why),
    /// It depends on what is not known yet.
    Open,
    WrongModel,
    /// Everything fits but what the body asks for.
    Wrong(Miss),
}

impl Access {
    /// Compiles a policy's `access`.
    pub fn compile(
        documents: &[AccessDocument],
        tool_use: &ToolUseDocument,
        roles: &Roles,
        targets: &Targets,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut statements = Vec::new();
        let mut tools = Rules::new(tool_use);
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            check_statement(&document.id, &document.controls.0, &mut ids, &path, problems);
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
            let caps: Vec<Cap> = caps.collect();
            let of_tools = document.effect == AccessEffect::Deny && !document.tools.0.is_empty();
            if document.tainted_by.is_some() && !of_tools {
                problems.push(
                    Problem::new(path.key("tainted_by"), "only a deny of some tools can hang on what a conversation carries")
                        .help("add `effect: deny` and `tools`; what refuses requests by what they carry is `content` with `action: deny`"),
                );
            }
            tools.add(i, &document.tools, &path.key("tools"), problems);
            statements.push(Statement {
                caps,
                has_tools: !document.tools.0.is_empty(),
                tainted: document.tainted_by.is_some(),
                methods: Globs::new(&document.methods.0),
                id: document.id.clone(),
                effect: document.effect,
                mode: document.mode,
                who: roles.who(&document.roles, &path.key("roles"), problems),
                models: Globs::new(&document.models.0),
                targets: targets.meant(&document.targets, &document.providers, &path, problems),
                operations: document.operations.0.clone(),
                media: document.media.0.iter().copied().collect(),
                stateful: document.stateful,
            });
        }
        Self { statements, tools }
    }

    /// Decides. With neither model nor parameters in the question, refuses only what no body could mend.
    pub fn decide(&self, question: &Question<'_>) -> Answer {
        let mut answer = Answer::default();
        let (mut allows, mut denies) = (Vec::new(), Vec::new());
        let (mut open, mut nearest) = (false, Miss::Call);
        let mut model_denied = false;
        for statement in &self.statements {
            let fit = statement.fit(question);
            #[cfg(feature = "trace")]
            answer.considered.push(statement.considered(&fit));
            if statement.is_of_tools() {
                // It refuses tools, not the call.
                continue;
            }
            if statement.mode == Mode::Observe {
                if matches!(fit, Fit::Yes) {
                    answer.observed.push(statement.id.clone());
                }
                continue;
            }
            match (statement.effect, fit) {
                (AccessEffect::Allow, Fit::Yes) => allows.push(statement.id.clone()),
                (AccessEffect::Allow, Fit::Open) => open = true,
                (AccessEffect::Allow, Fit::Wrong(miss)) => nearest = miss,
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

    /// The statements that fit a call, by which its tools are judged; of those that hang on what the conversation carries, the
    /// ones that `met` says.
    pub fn fitting(&self, question: &Question<'_>, met: &dyn Fn(&str) -> bool) -> Fitting {
        let fits = |(place, s): (usize, &Statement)| {
            let of = Of { statement: place, effect: s.effect, mode: s.mode, has_rules: s.has_tools };
            // A deny of the call as such has been heard.
            let about = s.has_tools || s.effect == AccessEffect::Allow;
            let holds = !s.tainted || met(&s.id);
            (about && holds && matches!(s.fit(question), Fit::Yes)).then_some(of)
        };
        Fitting(self.statements.iter().enumerate().filter_map(fits).collect())
    }

    /// Judges a tool of a call, or a call of one, by the statements that fit it.
    pub fn tool(&self, tool: &Tool<'_>, fitting: &Fitting) -> ToolAnswer {
        self.tools.decide(tool, &fitting.0)
    }

    /// A statement's id.
    pub fn id(&self, statement: usize) -> &str {
        self.statements.get(statement).map_or("", |s| s.id.as_str())
    }

    /// Whether what allows a request also allows it to leave state at the provider.
    pub fn stateful(&self, question: &Question<'_>) -> bool {
        let allows = |s: &&Statement| s.effect == AccessEffect::Allow && s.mode == Mode::Enforce && s.stateful;
        self.statements.iter().filter(allows).any(|s| matches!(s.fit(question), Fit::Yes))
    }

    /// Whether a caller could use `model` at a target in some call, whatever the parameters.
    pub fn may_use(&self, roles: &RoleSet, target: usize, model: &str) -> bool {
        let fits = |s: &&Statement| s.who.fits(roles) && includes(s.targets.as_ref(), target) && s.models.fit(model);
        let enforced = || self.statements.iter().filter(|s| s.mode == Mode::Enforce).filter(fits);
        let uses = |s: &Statement| {
            s.operations.is_empty() || {
                let calls_a_model = |o: &Operation| {
                    !o.must_be_named() && !matches!(o, Operation::ListModels | Operation::Mcp | Operation::A2a)
                };
                s.operations.iter().any(calls_a_model)
            }
        };
        let whole = |s: &Statement| s.operations.is_empty() || s.operations.contains(&Operation::Chat);
        enforced().any(|s| s.effect == AccessEffect::Allow && uses(s))
            && !enforced().any(|s| s.effect == AccessEffect::Deny && whole(s) && !s.looks_at_body() && !s.is_of_tools())
    }
}

impl Statement {
    fn fit(&self, question: &Question<'_>) -> Fit {
        if !self.who.fits(question.roles) {
            return Fit::No(Why::Caller);
        }
        if !includes(self.targets.as_ref(), question.target) {
            return Fit::No(Why::Target);
        }
        if question.operation == Operation::ListModels {
            // The list is filtered to what the caller may use, so whoever may use any model may list. A deny of
            // some models filters them out; only a deny that names the operation denies the list.
            let named = self.operations.contains(&Operation::ListModels);
            return match self.effect {
                AccessEffect::Allow => Fit::Yes,
                AccessEffect::Deny if named => Fit::Yes,
                AccessEffect::Deny => Fit::No(Why::Operation),
            };
        }
        // What keeps state or carries many requests is never meant by the way.
        let named = self.operations.contains(&question.operation);
        let meant = named
            || self.operations.is_empty() && (self.effect == AccessEffect::Deny || !question.operation.must_be_named());
        if !meant {
            return Fit::No(Why::Operation);
        }
        // What names models does not mean a call that has none, before its body comes as little as after.
        if matches!(question.operation, Operation::Mcp | Operation::A2a) && !self.models.is_empty() {
            return Fit::No(Why::NoModel);
        }
        match question.method {
            Some(method) if !self.methods.fit(method) => return Fit::No(Why::Method),
            // What nobody has heard of is never meant by the way, either.
            Some(method)
                if self.methods.is_empty() && self.effect == AccessEffect::Allow && !is_known_method(method) =>
            {
                return Fit::No(Why::Method);
            }
            None if !self.methods.is_empty() => {
                return if question.body.is_some() { Fit::No(Why::Method) } else { Fit::Open };
            }
            _ => {}
        }
        match question.model {
            Some(model) if !self.models.fit(model) => return Fit::WrongModel,
            // What names models does not mean a call that has none.
            None if !self.models.is_empty() && question.body.is_some() => return Fit::WrongModel,
            None if !self.models.is_empty() => return Fit::Open,
            _ => {}
        }
        match question.body {
            None if self.looks_at_body() => Fit::Open,
            None => Fit::Yes,
            Some(asked) => self.fit_body(asked),
        }
    }

    /// What it says of a question, for people.
    #[cfg(feature = "trace")]
    fn considered(&self, fit: &Fit) -> crate::trace::Considered {
        use crate::trace::Near;
        crate::trace::Considered {
            id: self.id.clone(),
            allows: self.effect == AccessEffect::Allow,
            observed: self.mode == Mode::Observe,
            of_tools: self.has_tools,
            fit: match fit {
                Fit::Yes => Near::Fits,
                Fit::Open => Near::Open,
                Fit::WrongModel => Near::Model,
                Fit::Wrong(miss) => Near::But(miss.clone()),
                Fit::No(why) => match why {
                    Why::Caller => Near::Caller,
                    Why::Target => Near::Target,
                    Why::Operation => Near::Operation,
                    Why::Method => Near::Method,
                    Why::NoModel => Near::NoModel,
                    Why::Body => Near::Body,
                },
            },
        }
    }

    /// Whether it denies some tools, and not calls.
    fn is_of_tools(&self) -> bool {
        self.has_tools && self.effect == AccessEffect::Deny
    }

    /// Whether a body decides if the statement fits.
    fn looks_at_body(&self) -> bool {
        !self.caps.is_empty() || self.effect == AccessEffect::Deny && (!self.media.is_empty() || self.stateful)
    }

    /// An allow must cover all that the body asks for. A deny fits what has something of what it names.
    fn fit_body(&self, asked: Asked<'_>) -> Fit {
        let deny = self.effect == AccessEffect::Deny;
        let state = match asked.state {
            State::Asked(member) => Some(member),
            State::None | State::Default => None,
        };
        if deny && (!self.media.is_empty() || self.stateful) {
            let meets = self.media.iter().any(|m| asked.media.contains(m)) || self.stateful && state.is_some();
            if !meets {
                return Fit::No(Why::Body);
            }
        }
        if !deny {
            if let Some(member) = state.filter(|_| !self.stateful) {
                return Fit::Wrong(Miss::State(member));
            }
            let beyond: MediaSet = asked.media.iter().filter(|m| !self.media.contains(*m)).collect();
            if !beyond.is_empty() {
                return Fit::Wrong(Miss::Media(beyond));
            }
        }
        let Some(parameters) = asked.parameters else {
            // Nobody can say what a body that is no JSON asks for.
            return match self.caps.first() {
                Some(cap) if !deny => Fit::Wrong(Miss::Parameter(cap.parameter.clone())),
                _ => Fit::Yes,
            };
        };
        match self.caps.iter().find(|cap| !cap.holds(parameters, deny)) {
            None => Fit::Yes,
            Some(cap) => Fit::Wrong(Miss::Parameter(cap.parameter.clone())),
        }
    }
}

impl Cap {
    /// Whether the request is within the cap. Where the parameter has several names, an allow's cap must hold for each that
    /// is there, and a deny's for one of them. A value that cannot be compared counts against the caller: it is outside an
    /// allow's cap and inside a deny's.
    fn holds(&self, parameters: Node<'_>, deny: bool) -> bool {
        let (mut there, mut met) = (false, false);
        given(parameters, &self.parameter, &mut |value| {
            if !value.is_null() {
                there = true;
                met |= self.within(value).unwrap_or(deny) == deny;
            }
        });
        match met {
            true => deny,
            // A deny on `n` of 2 and more must not deny every request that has no `n`.
            false => !deny && (there || !self.required),
        }
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
pub(super) fn same(accepted: &Scalar, value: Node<'_>) -> Option<bool> {
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

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
