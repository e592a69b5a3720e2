//! What tools may be offered to a model, and what it may call them with.
//!
//! A tool is judged by itself, among the access statements that fit the call it belongs to: allowed if one of their allows means
//! it, with arguments within that allow's conditions, and no deny does. An allow without `tools` means every tool that the
//! caller's application runs; what a provider runs must be named by its kind. Rules are found by the tool's name, so that
//! thousands of them cost what a few do.

mod argument;
mod names;
mod place;
mod sql;

use argument::Argument;
use names::{Forms, Index};

use super::document::{AccessEffect, Mode, ToolRuleDocument, ToolUseDocument, Verdict};
use super::{Glob, Globs};
use crate::config::{OneOrMany, Path, Problem};
use crate::json::Node;

pub use super::document::Declared;
pub use place::host as url_host;

/// The kind of a tool that the caller's application runs.
pub const FUNCTION: &str = "function";

/// A tool, or a call of one.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    /// Its name; of what a provider runs, its kind.
    pub name: &'a str,
    /// [`FUNCTION`], or what kind of tool the provider runs.
    pub kind: &'a str,
    /// The host of the MCP server that the provider is to connect to, where it is one; empty where it cannot be told.
    pub server: Option<&'a str>,
    /// What it is called with.
    pub arguments: Arguments<'a>,
}

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub enum Arguments<'a> {
    /// It is offered, or not called with anything yet.
    Unknown,
    /// An object.
    Known(Node<'a>),
    /// They are no JSON that everybody reads alike.
    Unreadable,
}

/// What access says of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolAnswer {
    /// Why it is refused; `None`: allowed.
    pub miss: Option<ToolMiss>,
    /// The statements that decided, by their place.
    pub rules: Vec<usize>,
    /// Observed statements that fit, by their place.
    pub observed: Vec<usize>,
    /// Arguments may decide otherwise.
    pub open: bool,
}

/// Why a tool is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolMiss {
    /// No statement allows it, or one denies it.
    Tool,
    /// A statement would allow it, but for this argument.
    Argument(String),
}

/// The statements that fit a call, in order of their places.
#[derive(Clone, Debug, Default)]
pub struct Fitting(pub(super) Vec<Of>);

impl Fitting {
    /// Whether any of them is about some tools only, or no allow is among them that means all.
    pub fn has_rules(&self) -> bool {
        self.0.iter().any(|of| of.has_rules)
    }
}

/// A statement, as far as its tools matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of {
    /// Its place.
    pub statement: usize,
    pub effect: AccessEffect,
    pub mode: Mode,
    /// It says which tools it is about.
    pub has_rules: bool,
}

/// The rules of every access statement.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    index: Index,
    prefixes: Globs,
}

#[derive(Debug)]
struct Rule {
    /// The statement's place.
    statement: usize,
    kinds: Globs,
    servers: Globs,
    arguments: Vec<Argument>,
    /// Other arguments are not accepted.
    closed: bool,
}

impl Rules {
    /// None so far.
    pub fn new(document: &ToolUseDocument) -> Self {
        Self { prefixes: Globs::new(&document.prefixes.0), ..Self::default() }
    }

    /// Adds the rules of a statement.
    pub fn add(
        &mut self,
        statement: usize,
        documents: &OneOrMany<ToolRuleDocument>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) {
        for (i, document) in documents.0.iter().enumerate() {
            let path = path.index(i);
            let arguments = document.arguments.iter().map(|(pointer, condition)| {
                Argument::compile(pointer, condition, &path.key("arguments").key(pointer), problems)
            });
            let arguments: Vec<Argument> = arguments.collect();
            let mcp = document.kind.0.iter().any(|kind| Glob::new(kind).matches("mcp"));
            if !document.servers.0.is_empty() && !mcp {
                problems.push(
                    Problem::new(path.key("servers"), "only MCP servers that a provider connects to have hosts here")
                        .help("add `kind: mcp`"),
                );
            }
            let rule = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
            self.index.add(&document.name.0, rule);
            self.rules.push(Rule {
                statement,
                kinds: Globs::new(&document.kind.0),
                servers: Globs::new(&document.servers.0),
                arguments,
                closed: document.other_arguments == Verdict::Deny,
            });
        }
    }

    /// Judges a tool among the statements that fit its call.
    pub fn decide(&self, tool: &Tool<'_>, fits: &[Of]) -> ToolAnswer {
        let mut answer = ToolAnswer::default();
        let (mut allows, mut denies, mut miss) = (Vec::new(), Vec::new(), ToolMiss::Tool);
        // Enforced allows that ask nothing of arguments, and what asks something.
        let (mut free, mut asking, mut refusing) = (false, false, false);
        let at =
            |statement: usize| fits.binary_search_by_key(&statement, |f| f.statement).ok().and_then(|i| fits.get(i));
        // What a statement without rules means.
        for fit in fits.iter().filter(|f| !f.has_rules && f.effect == AccessEffect::Allow && tool.kind == FUNCTION) {
            match fit.mode {
                Mode::Enforce => {
                    free = true;
                    allows.push(fit.statement);
                }
                Mode::Observe => answer.observed.push(fit.statement),
            }
        }
        let forms = Forms::new(tool.name, &self.prefixes);
        let mut meet = |rule: u32, own: bool| {
            let Some(rule) = self.rules.get(rule as usize) else { return };
            let Some(fit) = at(rule.statement) else { return };
            let deny = fit.effect == AccessEffect::Deny;
            if !(own || deny) || !rule.means(tool, deny) {
                return;
            }
            if fit.mode == Mode::Enforce {
                match (rule.looks_at_arguments(), deny) {
                    (true, true) => refusing = true,
                    (true, false) => asking = true,
                    (false, _) => free |= !deny,
                }
            }
            let meets = match tool.arguments {
                Arguments::Unknown if rule.looks_at_arguments() && deny => return,
                Arguments::Unknown => Ok(()),
                Arguments::Known(node) => rule.accepts(node, deny),
                Arguments::Unreadable if deny || !rule.looks_at_arguments() => Ok(()),
                Arguments::Unreadable => Err("/".to_owned()),
            };
            match (fit.mode, deny, meets) {
                (Mode::Observe, _, Ok(())) => answer.observed.push(rule.statement),
                (Mode::Observe, ..) | (_, true, Err(_)) => {}
                (_, true, Ok(())) => denies.push(rule.statement),
                (_, false, Ok(())) => allows.push(rule.statement),
                (_, false, Err(pointer)) => miss = ToolMiss::Argument(pointer),
            }
        };
        for form in &forms.own {
            self.index.find(form, &mut |rule| meet(rule, true));
        }
        for form in &forms.others {
            self.index.find(form, &mut |rule| meet(rule, false));
        }
        answer.open = refusing || asking && !free;
        (answer.rules, answer.miss) = match (denies.is_empty(), allows.is_empty()) {
            (false, _) => (denies, Some(ToolMiss::Tool)),
            (true, false) => (allows, None),
            (true, true) => (Vec::new(), Some(miss)),
        };
        for list in [&mut answer.rules, &mut answer.observed] {
            list.sort_unstable();
            list.dedup();
        }
        answer
    }
}

impl Rule {
    /// Whether it is about the tool, arguments aside.
    fn means(&self, tool: &Tool<'_>, deny: bool) -> bool {
        let kind = match (self.kinds.is_empty(), deny) {
            (true, true) => true,
            (true, false) => tool.kind == FUNCTION,
            (false, _) => self.kinds.any(tool.kind),
        };
        kind && match tool.server {
            _ if self.servers.is_empty() => true,
            Some("") => deny,
            Some(server) => self.servers.any(server),
            None => false,
        }
    }

    fn looks_at_arguments(&self) -> bool {
        self.closed || !self.arguments.is_empty()
    }

    /// Whether an allow accepts the arguments, or a deny refuses them; if not, which of them is the reason.
    fn accepts(&self, arguments: Node<'_>, deny: bool) -> Result<(), String> {
        if let Some(argument) = self.arguments.iter().find(|a| !a.holds(arguments, deny)) {
            return Err(argument.pointer.clone());
        }
        let named = |name: &str| self.arguments.iter().any(|a| a.names(name));
        let other = arguments.entries().find(|(key, _)| !named(&key.text()));
        match other {
            Some(_) if self.closed && !deny => Err("/*".to_owned()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
