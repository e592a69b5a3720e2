//! What an exchange is a part of: its session, and what its caller usually does. Read when it comes, held against thresholds before it
//! goes on, written when it is over.

use std::rc::Rc;

use super::body::extend;
use super::{Context, Exchange, Facts};
use crate::anomaly::{self, Anomaly, Refusal, Sample, Shape};
use crate::audit::SessionFacts;
use crate::engine::Engine;
use crate::head::Headers;
use crate::host::Side;
use crate::json::{Kind, Node};
use crate::policy::RoleSet;
use crate::protocol::{Channel, Contents, Leaf, Place, walk, walk_messages};
use crate::reply::{Denial, Reason};
use crate::route::{Model, Situation};
use crate::session::{self, Caller, Sessions, Signs, Standing, route_tag, taint_tag};

/// Members of a request's body that name a session, and where they stand.
const NAMES: &[(&str, &str)] = &[
    ("", "conversation"),
    ("", "conversation_id"),
    ("", "session_id"),
    ("", "thread_id"),
    ("metadata", "session_id"),
    ("metadata", "conversation_id"),
    ("metadata", "thread_id"),
    // Anthropic's applications put their session into it.
    ("metadata", "user_id"),
    ("", "prompt_cache_key"),
    // Of an application that speaks for many people: which of them.
    ("", "safety_identifier"),
    ("", "user"),
];

/// Such an id is longer than any that an API gives out.
const LONGEST: usize = 512;

/// What an exchange is a part of.
#[derive(Debug, Default)]
pub(super) struct Course {
    roles: Option<Rc<RoleSet>>,
    /// The session's digest.
    session: u64,
    /// The body, or what is instead of it, has been looked at.
    looked: bool,
    /// The caller as they were when the request came.
    caller: Option<Box<Caller>>,
    pub signs: Signs,
    standing: Standing,
    /// Statements on tools that the conversation has met.
    taints: Vec<String>,
    /// What the request asks, and how much of it is encoded.
    asked: Option<u64>,
    encoded: u64,
}

impl Exchange {
    /// The head of a request of a proven caller: what they do at all, and which session the head names.
    pub(super) fn enter(&mut self, headers: &Headers, roles: &Rc<RoleSet>, cx: &mut Context<'_>) -> Result<(), Denial> {
        self.course.roles = Some(Rc::clone(roles));
        let Some(principal) = self.record.principal.clone() else { return Ok(()) };
        if cx.engine.sessions.is_enabled() {
            let names = std::iter::once("mcp-session-id").chain(cx.engine.sessions.headers.iter().map(String::as_str));
            // The most telling one first: what applications say themselves.
            let named = names.rev().find_map(|name| Some((name, headers.text(name)?))).filter(|(_, id)| !id.is_empty());
            let subject = cx.engine.audit.subject(&principal);
            self.course.session = Sessions::session(&subject, named);
            let namespace = cx.engine.counters_name();
            let kept = session::STORE.load(&namespace, &Sessions::key(&subject), cx.host);
            let kept = kept.map_err(|_| Denial::new(Reason::SessionUnavailable))?;
            let caller = cx.engine.sessions.decayed(kept.as_deref(), &subject, cx.at.secs());
            self.course.caller = Some(Box::new(caller));
            self.stand(cx);
        }
        self.react(roles, cx)
    }

    /// What happens to a caller who does far more than they usually do.
    fn react(&mut self, roles: &Rc<RoleSet>, cx: &mut Context<'_>) -> Result<(), Denial> {
        let Some(principal) = self.record.principal.clone().filter(|_| cx.engine.anomaly.is_enabled()) else {
            return Ok(());
        };
        let unavailable = |_| Denial::new(Reason::AnomalyUnavailable);
        let (key, now) = (Anomaly::key(&cx.engine.audit.subject(&principal)), cx.at.secs());
        let namespace = cx.engine.counters_name();
        let anomaly = &cx.engine.anomaly;
        let kept = anomaly::STORE.load(&namespace, &key, cx.host).map_err(unavailable)?;
        let reaction = anomaly.react(&anomaly.baseline(&key, kept.as_deref()), now, &principal, roles);
        self.record.anomaly.clone_from(&reaction.unusual);
        extend(&mut self.record.observed, reaction.observed);
        if !reaction.flags.is_empty() {
            extend(&mut self.record.rules, reaction.flags);
            self.note(Reason::AnomalyFlagged);
        }
        let denial = match (reaction.refused, reaction.throttle) {
            (Some((id, Refusal::Deny)), _) => Some((id, Denial::new(Reason::AnomalyDenied))),
            (Some((id, Refusal::Stale(age))), _) => {
                Some((id, Denial { max_age: Some(age), ..Denial::new(Reason::AnomalyFreshToken) }))
            }
            (None, Some((id, rate))) => {
                let wait = anomaly::STORE
                    .change(&namespace, &key, now, cx.host, &mut |kept| {
                        let mut baseline = anomaly.baseline(&key, kept);
                        let wait = baseline.throttle(now, rate);
                        (baseline.write(), wait)
                    })
                    .map_err(unavailable)?;
                wait.map(|wait| (id, Denial { retry_after: Some(wait), ..Denial::new(Reason::AnomalyThrottled) }))
            }
            (None, None) => None,
        };
        let Some((id, denial)) = denial else { return Ok(()) };
        self.record.rules = vec![id.clone()];
        self.unless_observed(denial.detail(format!("statement `{id}`")), cx)
    }

    /// Looks at the body of a request: which session it names, and what it asks. Once, however often it is judged.
    pub(super) fn look(&mut self, root: Node<'_>, facts: &Facts, cx: &Context<'_>) {
        if std::mem::replace(&mut self.course.looked, true) {
            return;
        }
        let rpc = facts.call.api.is_rpc();
        if let Some(principal) = self.record.principal.as_deref().filter(|_| cx.engine.sessions.is_enabled())
            && let Some((kind, id)) = named(root).filter(|_| !rpc)
        {
            self.course.session = Sessions::session(&cx.engine.audit.subject(principal), Some((&kind, &id)));
            self.stand(cx);
        }
        if !cx.engine.anomaly.is_enabled() {
            return;
        }
        let contents = Contents::payloads(root);
        let mut shape = Shape::default();
        let mut leaf = |leaf: Leaf<'_>| match (leaf.place, leaf.of.channel) {
            // What comes before an answer of the model was looked at when it was new.
            (_, Channel::Assistant) if !rpc => shape = Shape::default(),
            (Place::Value(token), Channel::User | Channel::ToolCall | Channel::ToolResult | Channel::Document)
                if contents.payload(&token).is_none() =>
            {
                shape.text(&token.text());
            }
            _ => {}
        };
        match rpc {
            true => walk_messages(Side::Request, root, &mut leaf),
            false => walk(Side::Request, root, &mut leaf),
        }
        (self.course.asked, self.course.encoded) = (shape.asked(), shape.encoded());
    }

    /// How the session stands, with what this exchange has shown so far.
    fn stand(&mut self, cx: &Context<'_>) {
        let (Some(caller), Some(roles)) = (&self.course.caller, &self.course.roles) else { return };
        let mut caller = caller.as_ref().clone();
        let session = self.course.session;
        cx.engine.sessions.count(&mut caller, session, cx.at.secs(), &self.course.signs);
        self.course.standing = cx.engine.sessions.standing(&caller, session, roles);
    }

    /// Takes what was found in a request into account. Whether tools are taken away by it that were not before: then it is judged anew.
    pub(super) fn tighten(&mut self, signs: &Signs, cx: &Context<'_>) -> bool {
        if self.course.caller.is_none() {
            return false;
        }
        self.course.signs.merge(signs.clone());
        let before = self.course.standing.forbids.len();
        self.stand(cx);
        self.course.standing.forbids.len() > before
    }

    /// The place of the route that the session is to take.
    pub(super) fn stored_route(&self, engine: &Engine) -> Option<usize> {
        let course = &self.course;
        if let Some((route, _)) = course.standing.route {
            return Some(route);
        }
        let kept = course.caller.as_ref().filter(|_| engine.sessions.keep_route)?.session(course.session).route;
        engine.routes.place(|id| kept != 0 && route_tag(id) == kept)
    }

    /// The thresholds that take tools away.
    pub(super) fn forbids(&self) -> &[usize] {
        &self.course.standing.forbids
    }

    /// Holds a request against thresholds, right before it goes on.
    pub(super) fn weigh(&mut self, cx: &mut Context<'_>) -> Result<(), Denial> {
        if self.course.caller.is_none() {
            return Ok(());
        }
        self.stand(cx);
        let standing = self.course.standing.clone();
        extend(&mut self.record.observed, standing.observed);
        if !standing.flags.is_empty() {
            extend(&mut self.record.rules, standing.flags);
            self.note(Reason::SessionFlagged);
        }
        if let Some(first) = standing.denying.first() {
            let detail = format!("statement `{first}`");
            self.record.rules = standing.denying;
            return self.unless_observed(Denial::new(Reason::SessionDenied).detail(detail), cx);
        }
        let Some((_, threshold)) = standing.route.filter(|_| self.tap.is_none()) else { return self.stays(cx) };
        extend(&mut self.record.rules, vec![threshold]);
        self.stays(cx)
    }

    /// Refuses what its session has to go elsewhere with, and has not.
    fn stays(&self, cx: &Context<'_>) -> Result<(), Denial> {
        let (Some(facts), None) = (&self.facts, &self.tap) else { return Ok(()) };
        let principal = self.record.principal.as_deref();
        let stored = self.stored_route(cx.engine);
        let situation =
            Situation { roles: &facts.roles, principal, target: facts.target, model: Model::Unread, stored };
        match cx.engine.routes.by_findings(&[], &situation) {
            Ok(None) => Ok(()),
            Ok(Some(route)) => Err(Denial::new(Reason::RouteUnavailable).detail(format!("statement `{}`", route.id))),
            Err(_) => Err(Denial::new(Reason::RouteConflict)),
        }
    }

    /// Remembers statements that a conversation has met.
    pub(super) fn taint(&mut self, met: &[String]) {
        if self.course.caller.is_some() {
            extend(&mut self.course.taints, met.to_vec());
        }
    }

    /// Whether an earlier exchange has met a statement: of the session, or of any of the caller's where a call has no conversation.
    pub(super) fn tainted_before(&self, statement: &str, anywhere: bool) -> bool {
        self.course.caller.as_ref().is_some_and(|caller| {
            let tag = taint_tag(statement);
            caller.session(self.course.session).has_seen(tag) || anywhere && caller.all.has_seen(tag)
        })
    }

    /// The exchange is over: what it adds is kept.
    pub(super) fn settle_course(&mut self, cx: &mut Context<'_>) {
        let Some(principal) = self.record.principal.clone() else { return };
        let subject = cx.engine.audit.subject(&principal);
        self.record.caller = Some(Anomaly::caller(&subject));
        let (key, now) = (Sessions::key(&subject), cx.at.secs());
        let namespace = cx.engine.counters_name();
        let (sessions, course) = (&cx.engine.sessions, &self.course);
        if let (Some(_), Some(roles)) = (&course.caller, &course.roles) {
            let refused = self.record.denial.map(Reason::code);
            let sent = self.record.from.as_ref().and(self.record.routes.last());
            let sent = sent.filter(|_| sessions.keep_route && self.facts.as_ref().is_some_and(|f| f.way.found()));
            let changed = session::STORE.change(&namespace, &key, now, cx.host, &mut |kept| {
                let mut caller = sessions.decayed(kept, &subject, now);
                sessions.count(&mut caller, course.session, now, &course.signs);
                if let Some(reason) = refused {
                    sessions.refused(&mut caller, course.session, reason);
                }
                for statement in &course.taints {
                    caller.mark(course.session, taint_tag(statement));
                }
                if let Some(route) = sent {
                    caller.send(course.session, route_tag(route));
                }
                (caller.write(), sessions.standing(&caller, course.session, roles))
            });
            match changed {
                Ok(Standing { risk, caller_risk, seen, .. }) => {
                    self.record.session = Some(SessionFacts { id: course.session, risk, caller_risk, seen });
                }
                Err(_) => self.note(Reason::SessionUnavailable),
            }
        }
        self.settle_anomaly(now, cx);
    }

    fn settle_anomaly(&mut self, now: u64, cx: &mut Context<'_>) {
        let Some(principal) = self.record.principal.clone().filter(|_| cx.engine.anomaly.is_enabled()) else { return };
        let key = Anomaly::key(&cx.engine.audit.subject(&principal));
        let (record, course, anomaly) = (&self.record, &self.course, &cx.engine.anomaly);
        let usage = record.usage.unwrap_or_default();
        let tools = record.tools.keys().map(|(_, name, _)| name.as_str()).chain(record.tool.as_deref());
        let names: Vec<u64> = record.model.as_deref().into_iter().chain(tools).map(anomaly::name).collect();
        let identifiers: Vec<u64> = course.signs.found().collect();
        // What we refuse ourselves is no probing of the caller's.
        let own = [Reason::AnomalyDenied, Reason::AnomalyFreshToken, Reason::AnomalyThrottled];
        let sample = Sample {
            tokens: usage.input.saturating_add(usage.output) as f32,
            cost: record.cost.as_ref().map_or(0.0, |(billionths, _)| *billionths as f32 / 1e9),
            denied: record.denial.is_some_and(|reason| !own.contains(&reason)),
            names: &names,
            findings: record.findings.values().fold(0u32, |sum, n| sum.saturating_add(*n)) as f32,
            identifiers: &identifiers,
            asked: course.asked,
            encoded: course.encoded as f32,
        };
        let namespace = cx.engine.counters_name();
        let changed = anomaly::STORE.change(&namespace, &key, now, cx.host, &mut |kept| {
            let mut baseline = anomaly.baseline(&key, kept);
            let unusual = anomaly.add(&mut baseline, now, &sample);
            (baseline.write(), if unusual { anomaly.unusual(&baseline, now) } else { Vec::new() })
        });
        match changed {
            Ok(unusual) => {
                for what in unusual {
                    if !self.record.anomaly.contains(&what) {
                        self.record.anomaly.push(what);
                    }
                }
            }
            Err(_) => self.note(Reason::AnomalyUnavailable),
        }
    }
}

/// The session that a body names: where, and its id.
fn named(root: Node<'_>) -> Option<(String, String)> {
    NAMES.iter().find_map(|(outer, name)| {
        let object = if outer.is_empty() { root } else { root.get(outer)? };
        let node = object.get(name)?;
        // OpenAI's `conversation` is an id, or an object with one.
        let node = if node.kind() == Kind::Object { node.get("id")? } else { node };
        let id = node.text().filter(|id| !id.is_empty() && id.len() <= LONGEST)?;
        Some((format!("{outer}.{name}"), id.into_owned()))
    })
}
