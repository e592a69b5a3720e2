//! Tools: which of them a request may offer, and what an answer may call.

use std::borrow::Cow;
use std::ops::Range;

use super::body::{extend, inspector};
use super::head::signed;
use super::{Context, Exchange, Facts};
use crate::audit::Record;
use crate::engine::Engine;
use crate::host::Side;
use crate::inspect::Budget;
use crate::json::{Document, Edits, Kind, Limits, Node};
use crate::policy::{Access, Arguments, Declared, FUNCTION, Fitting, Globs, Question, Tool, ToolMiss};
use crate::protocol::tools::{Called, List, Offered, With, calls, declared};
use crate::redact::{RestoreMap, restore_arguments};
use crate::reply::{Denial, Reason};
use crate::stream::Judge as _;

/// What is remembered of a request's tools.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// The statements that fit the call.
    fitting: Fitting,
    /// The thresholds of the session that take tools away.
    forbids: Vec<usize>,
    /// The kinds of tools that are no functions, by their names: a call does not always tell.
    kinds: Vec<(String, String)>,
    /// How many the request offers that are the provider's own, each of a batch's counted: they use tokens beside the model's.
    pub provided: u64,
    /// Some were cut out of the request, and calls out of the answer.
    cut: bool,
    cut_calls: bool,
}

impl Tools {
    /// An answer is about to be judged from its beginning.
    pub fn start_answer(&mut self) {
        self.cut_calls = false;
    }
}

/// So many kinds are remembered.
const MAX_KINDS: usize = 64;

impl Exchange {
    /// Takes out of a request the tools that it may not offer. Answers the bytes that are left, if they differ.
    pub(super) fn offer_tools(
        &mut self,
        document: &Document<'_>,
        before: &Tools,
        question: &Question<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(Tools, Option<Vec<u8>>), Denial> {
        let root = document.root();
        let met = self.tainted(document, question, cx);
        let access = &cx.engine.access;
        if let Some(met) = &met {
            self.taint(met);
        }
        let tainted =
            |id: &str| met.as_ref().is_none_or(|met| met.iter().any(|m| m == id)) || self.tainted_before(id, false);
        let fitting = access.fitting(question, &tainted);
        let mut tools = Tools { fitting, forbids: self.forbids().to_vec(), ..Tools::default() };
        let mut edits = Edits::new();
        let mut denial = None;
        // Batches: every request has tools of its own.
        let batch = root.get_folded("requests").filter(|r| r.kind() == Kind::Array);
        let inner = batch.into_iter().flat_map(|r| r.items()).filter_map(|item| item.get_folded("params"));
        for root in std::iter::once(root).chain(inner) {
            let list = declared(root);
            let refused = self.refused(&list, &mut tools, cx.engine, &mut denial);
            if !refused.contains(&true) {
                continue;
            }
            for (range, text) in list.without(&refused) {
                // Lists do not overlap; where they would, nothing is cut, and the request refused.
                if edits.replace(range, text).is_err() {
                    return Err(Denial::new(Reason::InternalHost));
                }
            }
        }
        let Some(denial) = denial else { return Ok((tools, None)) };
        if self.tap.is_some() {
            self.unless_observed(denial, cx)?;
            return Ok((tools, None));
        }
        // What is left when the tools have been cut must be without them.
        if cx.engine.declared_tools == Declared::Deny || before.cut {
            return Err(denial);
        }
        tools.cut = true;
        if self.signed {
            return Err(signed("no tool of it can be taken out"));
        }
        self.note(Reason::ToolNotAllowed);
        Ok((tools, Some(edits.splice(document.bytes()))))
    }

    /// The statements that a conversation meets by what it carries. `None`: nobody can say, and so all of them.
    fn tainted(&self, document: &Document<'_>, question: &Question<'_>, cx: &Context<'_>) -> Option<Vec<String>> {
        let plan = cx.engine.taints.plan(question.roles, question.target, Side::Request);
        if plan.is_empty() {
            return Some(Vec::new());
        }
        let inspector = inspector(&plan, cx.engine, None);
        let outcome = inspector.json(document, Side::Request, &[], &[], &mut Budget::default());
        outcome.denial.is_none().then_some(outcome.rules)
    }

    /// Which tools of a list are refused, in its order.
    fn refused(
        &mut self,
        list: &List<'_>,
        tools: &mut Tools,
        engine: &Engine,
        denial: &mut Option<Denial>,
    ) -> Vec<bool> {
        let mut refused = Vec::new();
        let access = &engine.access;
        list.tools(&mut |offered: &Offered<'_>| {
            tools.provided = tools.provided.saturating_add(u64::from(offered.kind != FUNCTION));
            let tool = Tool {
                name: &offered.name,
                kind: &offered.kind,
                server: offered.server.as_deref(),
                arguments: Arguments::Unknown,
            };
            let answer = access.tool(&tool, &tools.fitting);
            let ids = |places: Vec<usize>| places.into_iter().map(|p| access.id(p).to_owned()).collect();
            extend(&mut self.record.observed, ids(answer.observed));
            let forbidden = engine.sessions.forbids(&tools.forbids, &offered.name);
            if answer.miss.is_some() || forbidden.is_some() {
                let rules = forbidden.map_or_else(|| ids(answer.rules), |id| vec![id.to_owned()]);
                #[cfg(feature = "trace")]
                self.record.trace.tool(crate::trace::Tool {
                    how: "offered",
                    name: offered.name.to_string(),
                    refused: true,
                    rules: rules.clone(),
                });
                extend(&mut self.record.rules, rules);
                self.record.tool("offered", &offered.name, "remove");
                denial.get_or_insert_with(|| {
                    Denial::new(Reason::ToolNotAllowed).detail(format!("the tool `{}`", shown(&offered.name)))
                });
            } else if offered.kind != FUNCTION && tools.kinds.len() < MAX_KINDS {
                tools.kinds.push((offered.name.clone().into_owned(), offered.kind.clone().into_owned()));
            }
            refused.push(answer.miss.is_some() || forbidden.is_some());
        });
        refused
    }
}

impl Exchange {
    /// An answer with refusals in the places of the calls that are refused, where there are any.
    pub(super) fn without_calls(
        &mut self,
        document: &Document<'_>,
        facts: &mut Facts,
        cx: &Context<'_>,
    ) -> Result<Option<Vec<u8>>, Denial> {
        let Some(mut judge) = Judge::new(&facts.tools, &facts.restore, cx.engine) else { return Ok(None) };
        let edits = judge.whole(document.root(), document.bytes());
        let (edited, tap) = (!edits.is_empty(), self.tap.is_some());
        // What is left is judged once more: what is allowed is told then.
        let seen = judge.seen.into_iter().filter(|judged| judged.refused || !edited || tap);
        if remember(seen.collect(), &cx.engine.access, &mut self.record) {
            self.note(Reason::ToolNotAllowed);
        }
        if !edited || tap {
            return Ok(None);
        }
        let refused = || Denial::new(Reason::AnswerDenied).detail("a tool call that could not be taken out of it");
        if std::mem::replace(&mut facts.tools.cut_calls, true) {
            return Err(refused());
        }
        let mut all = Edits::new();
        for (range, text) in edits {
            all.replace(range, text).map_err(|_| refused())?;
        }
        Ok(Some(all.splice(document.bytes())))
    }
}

/// A name that a message may show.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() && c != '`' { c } else { '?' }).take(64).collect()
}

/// Judges the calls of an answer.
pub(super) struct Judge<'a> {
    engine: &'a Engine,
    tools: &'a Tools,
    restore: &'a RestoreMap,
    restoring_tools: &'a Globs,
    limits: Limits,
    /// What was judged, for the record.
    pub seen: Vec<Judged>,
    /// Whole calls are copies of calls that came in pieces, and were told then.
    pub copies: bool,
}

/// One judged call.
pub(super) struct Judged {
    name: String,
    refused: bool,
    rules: Vec<usize>,
    observed: Vec<usize>,
}

/// So many calls of one answer are told by their names.
const MAX_SEEN: usize = 256;

impl<'a> Judge<'a> {
    /// None where no statement that fits is about tools: then everything may be called.
    pub fn new(tools: &'a Tools, restore: &'a RestoreMap, engine: &'a Engine) -> Option<Self> {
        (tools.fitting.has_rules() || !tools.forbids.is_empty()).then(|| Self {
            engine,
            tools,
            restore,
            restoring_tools: &engine.restoring_tools,
            limits: engine.json_limits,
            seen: Vec::new(),
            copies: false,
        })
    }

    /// What takes the place of a call of `name`, of this `kind`, with these arguments, if it is refused. They are judged as the client gets them.
    fn judged(&mut self, name: &str, kind: &str, arguments: &str) -> Option<String> {
        let parsed = Document::parse(arguments.as_bytes(), &self.limits);
        let arguments = match &parsed {
            _ if arguments.trim_ascii().is_empty() => Document::parse(b"{}", &self.limits).map(|_| None),
            Ok(document) if document.root().kind() == Kind::Object => Ok(Some(document.root())),
            _ => return self.judge(name, kind, Arguments::Unreadable),
        };
        let empty = Document::parse(b"{}", &self.limits);
        match (arguments, &empty) {
            (Ok(Some(node)), _) => self.judge(name, kind, Arguments::Known(node)),
            (Ok(None), Ok(empty)) => self.judge(name, kind, Arguments::Known(empty.root())),
            _ => self.judge(name, kind, Arguments::Unreadable),
        }
    }

    fn judge(&mut self, name: &str, kind: &str, arguments: Arguments<'_>) -> Option<String> {
        let known = self.tools.kinds.iter().find(|(known, _)| known == name);
        let kind = known.map_or(kind, |(_, kind)| kind.as_str());
        let access = &self.engine.access;
        // The provider connected to a server of its own long ago; what is called here is run by the application.
        let answer = access.tool(&Tool { name, kind, server: None, arguments }, &self.tools.fitting);
        let forbidden = name.is_empty() || self.engine.sessions.forbids(&self.tools.forbids, name).is_some();
        let miss = if forbidden { Some(ToolMiss::Tool) } else { answer.miss };
        if self.seen.len() < MAX_SEEN {
            self.seen.push(Judged {
                name: name.to_owned(),
                refused: miss.is_some(),
                rules: answer.rules,
                observed: answer.observed,
            });
        }
        let name = shown(name);
        match miss? {
            ToolMiss::Tool => Some(format!("[The call of the tool \"{name}\" was refused: tool.not_allowed]")),
            ToolMiss::Argument(pointer) => {
                Some(format!("[The call of the tool \"{name}\" was refused: tool.argument, {pointer}]"))
            }
        }
    }
}

impl crate::stream::Judge for Judge<'_> {
    fn call(&mut self, name: &str, arguments: &str) -> Option<String> {
        self.judged(name, FUNCTION, arguments)
    }

    fn whole(&mut self, root: Node<'_>, bytes: &[u8]) -> Vec<(Range<usize>, String)> {
        calls(root, &mut |called: &Called<'_>| {
            let text: Cow<'_, str> = match called.arguments {
                With::Text(token) => token.text(),
                With::Value(node) => String::from_utf8_lossy(bytes.get(node.span()).unwrap_or_default()),
                With::Nothing => Cow::Borrowed(""),
            };
            let restored = match self.restoring_tools.any(&called.name) && !self.restore.is_empty() {
                true => restore_arguments(self.restore, &text, &self.limits).0.into_owned(),
                false => text.into_owned(),
            };
            let told = self.seen.len();
            let refusal = self.judged(&called.name, &called.kind, &restored);
            if self.copies && called.kind == FUNCTION {
                self.seen.truncate(told);
            }
            refusal
        })
    }
}

/// Puts judged calls on the record; whether any was refused.
pub(super) fn remember(seen: Vec<Judged>, access: &Access, record: &mut Record) -> bool {
    let mut refused = false;
    for judged in seen {
        let ids = |places: &[usize]| places.iter().map(|p| access.id(*p).to_owned()).collect();
        extend(&mut record.observed, ids(&judged.observed));
        if judged.refused {
            extend(&mut record.rules, ids(&judged.rules));
        }
        #[cfg(feature = "trace")]
        record.trace.tool(crate::trace::Tool {
            how: "called",
            name: judged.name.clone(),
            refused: judged.refused,
            rules: ids(&judged.rules),
        });
        record.tool("called", &judged.name, if judged.refused { "refuse" } else { "allow" });
        refused |= judged.refused;
    }
    refused
}
