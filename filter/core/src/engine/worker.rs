//! What one worker keeps beside the policy.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::Engine;
use crate::audit::Chain;
use crate::calls::Calls;
use crate::exchange::{self, Call, CallResult, Effect, Measure, Time};
use crate::host::{Host, HostError};
use crate::identity::{Fetch, Keys, Principal};
use crate::limits::{self, BEAT_MS, Calibrations, Counters, Grants, Shared, Vm};
use crate::policy::RoleSet;
use crate::{anomaly, session};

/// Callers whose roles are remembered at most.
const MAX_ROLES: usize = 1024;

/// What one worker keeps: key sets and verified tokens, callers' roles, and exchanges that wait.
#[derive(Debug)]
pub struct Worker {
    pub(crate) keys: Keys,
    roles: HashMap<usize, (Rc<Principal>, Rc<RoleSet>)>,
    waiting: Vec<u32>,
    /// Streams that listen, by when the proofs of their callers end: one for each such stream that is open.
    listening: BTreeSet<(u64, u32)>,
    /// Calls of single exchanges.
    pub(crate) exchanges: Calls,
    /// Calls to rate-limit services.
    pub(crate) grants: Grants,
    /// This VM's part in the counters of limits.
    pub(crate) vm: Vm,
    /// How many tokens texts are.
    pub(crate) calibrations: Calibrations,
    /// What ties its records together.
    chain: Option<Chain>,
}

impl Worker {
    /// For a worker that is about to serve `engine`.
    pub fn new(engine: &Engine) -> Self {
        Self {
            keys: Keys::new(&engine.identity, &engine.name),
            roles: HashMap::new(),
            waiting: Vec::new(),
            listening: BTreeSet::new(),
            exchanges: Calls::default(),
            grants: Grants::default(),
            vm: Vm::default(),
            calibrations: Calibrations::default(),
            chain: None,
        }
    }

    /// Called once, before the worker serves.
    ///
    /// # Errors
    /// The shared store failed.
    pub fn start(&mut self, engine: &Engine, host: &mut dyn Host) -> Result<(), HostError> {
        if engine.session_key.is_none() && engine.targets.speak_mcp() {
            exchange::prepare_sessions(&engine.name, host)?;
        }
        if engine.sessions.is_enabled() {
            session::STORE.prepare(&engine.counters_name(), host)?;
        }
        if engine.anomaly.is_enabled() {
            anomaly::STORE.prepare(&engine.counters_name(), host)?;
        }
        if engine.limits.is_empty() {
            return Ok(());
        }
        self.vm = Vm::draw(host)?;
        limits::prepare(&engine.counters_name(), host)
    }

    /// How often [`Worker::tick`] wants to be called, in milliseconds; 0 is never.
    pub fn tick_ms(&self, engine: &Engine) -> u32 {
        match engine.identity.fetches_keys() || self.exchanges.is_waiting() || self.grants.is_waiting() {
            true => 100,
            false if !engine.limits.is_empty() || !self.listening.is_empty() => BEAT_MS,
            // Nothing was recorded yet, or checkpoints come now and then.
            false if self.chain.is_some() => BEAT_MS,
            false => 0,
        }
    }

    /// Time passed. Answers the exchanges to wake.
    pub fn tick(&mut self, engine: &Engine, at: Time, host: &mut dyn Host, effects: &mut Vec<Effect>) -> Vec<u32> {
        if !engine.limits.is_empty() {
            let mut conflicts = 0;
            engine.limits.tick(&mut self.counters(engine, at, host, &mut conflicts));
            effects.extend(crate::audit::conflicts(conflicts).map(Effect::Measure));
        }
        self.checkpoint(engine, at, effects);
        let mut fetches = Vec::new();
        self.keys.tick(&engine.identity, at.millis(), host, &mut fetches);
        calls(fetches, effects);
        let mut woken = std::mem::take(&mut self.waiting);
        woken.extend(self.exchanges.tick(at));
        let late = self.grants.tick(at);
        woken.extend(late.into_iter().filter_map(|heard| self.shared(engine, at, host, effects, &mut 0).heard(heard)));
        while let Some((ends_ms, exchange)) = self.listening.first().copied().filter(|(ends, _)| *ends <= at.millis()) {
            self.listening.remove(&(ends_ms, exchange));
            woken.push(exchange);
        }
        woken
    }

    /// A call came back. Answers the exchanges to wake.
    pub fn call_done(
        &mut self,
        engine: &Engine,
        result: CallResult,
        at: Time,
        host: &mut dyn Host,
        effects: &mut Vec<Effect>,
    ) -> Vec<u32> {
        if Grants::owns(result.id) {
            let heard = self.grants.done(&result, at);
            return heard.and_then(|h| self.shared(engine, at, host, effects, &mut 0).heard(h)).into_iter().collect();
        }
        if Calls::owns(result.id) {
            return self.exchanges.done(result, at).into_iter().collect();
        }
        let body = match &result.answer {
            Some((200, body)) => Ok(body.as_slice()),
            _ => Err(()),
        };
        let outcome = if body.is_ok() { "ok" } else { "failed" };
        let issuer = usize::try_from(result.id).unwrap_or(usize::MAX);
        self.keys.fetched(&engine.identity, issuer, body, at.millis(), host);
        effects.push(Effect::Measure(Measure {
            name: "doorward_jwks_fetches_total",
            histogram: false,
            labels: vec![("result", outcome.to_owned())],
            value: 1,
        }));
        std::mem::take(&mut self.waiting)
    }

    /// Ties a record to the one before it, where the policy wants that.
    pub(crate) fn link(
        &mut self,
        engine: &Engine,
        at: Time,
        host: &mut dyn Host,
        values: &mut Vec<(&'static str, String)>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(settings) = &engine.audit.chain else { return };
        if self.chain.is_none() {
            // Without random bytes there is no chain, and the record without a link says so.
            self.chain = Chain::draw(host).ok();
        }
        let Some(chain) = &mut self.chain else { return };
        let link = chain.link(&settings.key, at.millis(), values);
        values.push((crate::audit::chain::KEY, link));
        self.checkpoint(engine, at, effects);
    }

    fn checkpoint(&mut self, engine: &Engine, at: Time, effects: &mut Vec<Effect>) {
        let (Some(settings), Some(chain)) = (&engine.audit.chain, &mut self.chain) else { return };
        let due = chain.checkpoint(&settings.key, at.millis(), settings.records, settings.every_ms);
        effects.extend(due.map(Effect::Checkpoint));
    }

    /// It serves no more: what waits to be settled is settled.
    ///
    /// # Errors
    /// The shared store failed: of some calls that are over, only what surely went out stays used.
    pub fn end(&mut self, engine: &Engine, at: Time, host: &mut dyn Host) -> Result<(), HostError> {
        engine.limits.pay(&mut self.counters(engine, at, host, &mut 0))
    }

    /// The counters of limits, as of now.
    pub(crate) fn counters<'a>(
        &'a mut self,
        engine: &'a Engine,
        at: Time,
        host: &'a mut dyn Host,
        conflicts: &'a mut u64,
    ) -> Counters<'a> {
        Counters { namespace: engine.counters_name(), at, vm: &mut self.vm, host, conflicts }
    }

    /// The counts that proxies share, as of now.
    pub(crate) fn shared<'a>(
        &'a mut self,
        engine: &'a Engine,
        at: Time,
        host: &'a mut dyn Host,
        effects: &'a mut Vec<Effect>,
        conflicts: &'a mut u64,
    ) -> Shared<'a> {
        let counters = Counters { namespace: engine.counters_name(), at, vm: &mut self.vm, host, conflicts };
        Shared { limits: &engine.limits, grants: &mut self.grants, counters, effects }
    }

    /// Remembers an exchange that waits for keys.
    pub(crate) fn wait(&mut self, exchange: u32) {
        if !self.waiting.contains(&exchange) {
            self.waiting.push(exchange);
        }
    }

    /// Wakes an exchange when the proof of its caller ends.
    pub(crate) fn listens(&mut self, exchange: u32, ends_ms: u64) {
        self.listening.insert((ends_ms, exchange));
    }

    /// It is over, or ended.
    pub(crate) fn listens_no_more(&mut self, exchange: u32, ends_ms: u64) {
        self.listening.remove(&(ends_ms, exchange));
    }

    /// The roles of a caller. Verified callers are shared by the token cache, so their roles are too.
    pub(crate) fn roles(&mut self, engine: &Engine, principal: &Rc<Principal>) -> Rc<RoleSet> {
        let key = Rc::as_ptr(principal) as usize;
        if let Some((_, roles)) = self.roles.get(&key) {
            return Rc::clone(roles);
        }
        let roles = Rc::new(engine.roles.of(principal));
        if Rc::strong_count(principal) == 1 {
            // Nobody else remembers this caller (a peer's certificate, or metadata, is read anew each time), so nobody will
            // come back with them.
            return roles;
        }
        if self.roles.len() >= MAX_ROLES {
            self.roles.clear();
        }
        // Holding the caller keeps its address from being reused.
        self.roles.insert(key, (Rc::clone(principal), Rc::clone(&roles)));
        roles
    }
}

/// Fetches of key sets as calls; the call's id is the issuer's place.
pub(crate) fn calls(fetches: Vec<Fetch>, effects: &mut Vec<Effect>) {
    for fetch in fetches {
        effects.push(Effect::Call(Call {
            id: u32::try_from(fetch.issuer).unwrap_or(u32::MAX),
            cluster: fetch.cluster,
            authority: fetch.authority,
            path: fetch.path,
            method: "GET",
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: u32::try_from(fetch.timeout_ms).unwrap_or(u32::MAX),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree_from_json;
    use crate::identity::Method;

    #[test]
    fn only_callers_that_come_back_are_remembered() {
        let tree = tree_from_json(
            r#"{"version":"doorward/v1","targets":[{"name":"t","cluster":"c","provider":"openai"}],
                "identity":{"mtls":{"trust_domains":["td"]},"require":{"user":false,"workload":true}},
                "roles":{"any":{"workloads":"spiffe://td/*"}}}"#,
        )
        .unwrap();
        let engine = Engine::compile(&tree, &|_| None).unwrap();
        let mut worker = Worker::new(&engine);
        let caller = || Rc::new(Principal { workload: Some("spiffe://td/a".into()), ..Principal::new(Method::Mtls) });
        for _ in 0..10 {
            let roles = worker.roles(&engine, &caller());
            assert_eq!(engine.roles.names(&roles).collect::<Vec<_>>(), ["any"]);
        }
        assert!(worker.roles.is_empty());
        let cached = caller();
        let _also_in_the_token_cache = Rc::clone(&cached);
        assert!(Rc::ptr_eq(&worker.roles(&engine, &cached), &worker.roles(&engine, &cached)));
        assert_eq!(worker.roles.len(), 1);
    }
}
