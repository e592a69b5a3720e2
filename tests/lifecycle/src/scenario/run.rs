//! Runs a scenario's steps against a proxy with a filter in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::steps::put;
use super::{AnswerStep, Common, Ends, Message, Mode, RequestStep, Scenario, Step, check, observe, policy};
use crate::model::{Abi, Fields, Proxy, Setup, Side, Vm};
use crate::native::Native;
use crate::tokens::NOW;
use crate::wasm::Wasm;

/// What the filter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// doorward-core.
    Core,
    /// The built module.
    Wasm,
}

impl Runner {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Runner::Core => "core",
            Runner::Wasm => "wasm",
        }
    }
}

/// One run.
#[derive(Debug)]
pub struct Outcome {
    /// What can be seen from outside.
    pub seen: Value,
    /// What is not as expected.
    pub wrong: Vec<String>,
    /// The filter's log.
    pub logs: Vec<String>,
}

struct Run<'s> {
    common: &'s Common,
    scenario: &'s Scenario,
    mode: Mode,
    observe: bool,
    proxy: Proxy<'static>,
    names: BTreeMap<String, u32>,
    wrong: Vec<String>,
}

/// Runs a scenario once. Under observation its expectations give way to one: nothing that passed was changed.
pub fn run(common: &Common, scenario: &Scenario, mode: Mode, runner: Runner, observe: bool) -> Outcome {
    let make = move |abi: Abi| -> Box<dyn Vm> {
        match runner {
            Runner::Core => Box::new(Native::new(abi)),
            Runner::Wasm => Box::new(Wasm::new(abi)),
        }
    };
    let setup = Setup {
        now_ns: NOW * 1_000_000_000,
        workers: scenario.workers,
        stop_iteration: scenario.stop_iteration.unwrap_or(mode == Mode::Hold),
        buffer_limit: scenario.buffer_limit,
        clusters: vec!["idp".to_owned(), "analyzer".to_owned()],
        env: common.env.clone(),
    };
    let proxy = Proxy::new(setup, Box::new(make));
    let mut run = Run { common, scenario, mode, observe, proxy, names: BTreeMap::new(), wrong: Vec::new() };
    let first = policy(common, &scenario.base, &scenario.policy, mode, observe);
    if !run.proxy.configure(first.as_bytes()) {
        run.wrong.push("the scenario's policy is refused".to_owned());
        return run.outcome(Vec::new());
    }
    for (number, step) in scenario.steps.iter().enumerate() {
        run.step(number + 1, step);
    }
    let open: Vec<String> =
        run.names.iter().filter(|(_, id)| !run.proxy.host().streams[id].over).map(|(name, _)| name.clone()).collect();
    for name in &open {
        run.proxy.client_abort(run.names[name]);
    }
    run.outcome(open)
}

impl Run<'_> {
    fn outcome(mut self, pending: Vec<String>) -> Outcome {
        let host = self.proxy.host();
        if self.observe {
            self.wrong.extend(check::transparent(&host, &self.names));
        } else if self.wrong.is_empty() {
            let scenario = self.scenario;
            let by_mode = match self.mode {
                Mode::Hold => &scenario.hold,
                Mode::Flow => &scenario.flow,
            };
            let own = [&scenario.expect, by_mode].map(|e| ("a", e));
            for (name, expect) in own.into_iter().chain(scenario.others.iter().map(|(n, e)| (n.as_str(), e))) {
                match self.names.get(name) {
                    Some(id) => {
                        let open = pending.iter().any(|p| p == name);
                        self.wrong.extend(check::stream(
                            &format!("stream {name}"),
                            &host.streams[id],
                            expect,
                            Some(open),
                        ));
                    }
                    None if name == "a" => {}
                    None => self.wrong.push(format!("no stream {name}")),
                }
            }
            for name in pending.iter().filter(|name| {
                let told = if *name == "a" {
                    scenario.expect.pending.or(by_mode.pending)
                } else {
                    scenario.others.get(*name).and_then(|e| e.pending)
                };
                told != Some(true)
            }) {
                self.wrong.push(format!("stream {name} is still open: nobody will ever end it"));
            }
            self.wrong.extend(check::totals("totals", &host, &scenario.totals));
        }
        self.wrong.extend(host.mistakes.iter().map(|m| format!("a call that the host refuses: {m}")));
        Outcome {
            seen: observe::everything(&host, &self.names, &pending),
            wrong: self.wrong.clone(),
            logs: host.logs.clone(),
        }
    }

    fn step(&mut self, number: usize, step: &Step) {
        let name = step.on.as_deref().unwrap_or("a");
        if let Some(request) = &step.request {
            self.request(name, request);
        } else if let Some(status) = step.earlier_filter {
            let head =
                RequestStep { like: Some("chat".to_owned()), ..RequestStep::default() }.message(self.common).head;
            let id = self.open(name);
            self.proxy.earlier_filter_answers(id, head, status);
        } else if let Some(ms) = step.wait {
            self.proxy.wait(ms);
        } else if let Some(answer) = &step.call_answer {
            if self.proxy.outstanding_call().is_some() || !self.observe {
                let mut head = Fields::of(&[("content-type", "application/json")]);
                head.set(":status", answer.status.to_string().as_bytes());
                self.proxy.call_ends(None, Some((head, answer.body.bytes())));
            }
        } else if step.call_fails.is_some() {
            if self.proxy.outstanding_call().is_some() || !self.observe {
                self.proxy.call_ends(None, None);
            }
        } else if let Some(configure) = &step.configure {
            let base = configure.base.as_deref().unwrap_or(&self.scenario.base);
            let mut patch = self.scenario.policy.clone();
            super::merge(&mut patch, &configure.policy);
            let text = match &configure.raw {
                Some(raw) => raw.clone(),
                None => policy(self.common, base, &patch, self.mode, self.observe),
            };
            let taken = self.proxy.configure(text.as_bytes());
            if taken != configure.taken {
                let said = if taken { "taken" } else { "refused" };
                self.wrong.push(format!("step {number}: the configuration is {said}"));
            }
        } else if let Some(totals) = &step.totals {
            if !self.observe {
                let wrong = check::totals(&format!("step {number}"), &self.proxy.host(), totals);
                self.wrong.extend(wrong);
            }
        } else {
            let id = *self.names.get(name).unwrap_or_else(|| panic!("step {number}: no stream {name} yet"));
            self.on_stream(number, id, step);
        }
    }

    fn on_stream(&mut self, number: usize, id: u32, step: &Step) {
        let proxy = &mut self.proxy;
        let list = |list| {
            let mut fields = Fields::default();
            put(&mut fields, list);
            fields
        };
        if let Some(bytes) = &step.chunk {
            proxy.frame(id, Side::Request, &bytes.bytes(), false);
        } else if step.end.is_some() {
            proxy.frame(id, Side::Request, &[], true);
        } else if let Some(trailers) = &step.trailers {
            proxy.end_with_trailers(id, Side::Request, list(trailers));
        } else if step.abort.is_some() {
            proxy.client_abort(id);
        } else if let Some(answer) = &step.answer {
            self.answer(id, answer);
        } else if let Some(bytes) = &step.answer_chunk {
            proxy.frame(id, Side::Response, &bytes.bytes(), false);
        } else if step.answer_end.is_some() {
            proxy.frame(id, Side::Response, &[], true);
        } else if let Some(trailers) = &step.answer_trailers {
            proxy.end_with_trailers(id, Side::Response, list(trailers));
        } else if let Some(status) = step.informational {
            proxy.informational(id, status);
        } else if let Some(cluster) = &step.rerouted {
            proxy.rerouted(id, cluster);
        } else if step.upstream_reset.is_some() {
            proxy.upstream_reset(id);
        } else if step.time_out.is_some() {
            proxy.time_out(id);
        } else if let Some(expect) = &step.expect {
            if !self.observe {
                let stream = self.proxy.host().streams[&id].clone();
                let open = Some(!stream.over);
                self.wrong.extend(check::stream(&format!("step {number}"), &stream, expect, open));
            }
        } else {
            panic!("step {number} says nothing");
        }
    }

    fn open(&mut self, name: &str) -> u32 {
        let mut properties: BTreeMap<String, Vec<u8>> = [("xds/cluster_name", "openai"), ("request/id", "id-1")]
            .map(|(k, v)| (k.to_owned(), v.as_bytes().to_vec()))
            .into();
        let own = self.scenario.properties.get(name).into_iter().flatten();
        properties.extend(own.map(|(k, v)| (k.clone(), v.as_bytes().to_vec())));
        let worker = self.scenario.worker_of.get(name).copied().unwrap_or(0);
        let id = self.proxy.open(worker, properties);
        assert!(self.names.insert(name.to_owned(), id).is_none(), "two requests on stream {name}");
        id
    }

    fn request(&mut self, name: &str, step: &RequestStep) {
        let message = step.message(self.common);
        let id = self.open(name);
        let end = message.is_head_only();
        self.proxy.request_head(id, message.head.clone(), end);
        self.rest(id, Side::Request, &message, &step.chunks);
    }

    fn answer(&mut self, id: u32, step: &AnswerStep) {
        let message = step.message(self.common);
        let end = message.is_head_only();
        self.proxy.response_head(id, message.head.clone(), end);
        self.rest(id, Side::Response, &message, &step.chunks);
    }

    fn rest(&mut self, id: u32, side: Side, message: &Message, chunks: &[usize]) {
        if message.is_head_only() {
            return;
        }
        let body = message.body.as_deref().unwrap_or_default();
        let ends = message.ends;
        let sizes: &[usize] = if chunks.is_empty() { &[usize::MAX] } else { chunks };
        let mut rest = body;
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (frame, after) = rest.split_at((*size).clamp(1, rest.len()));
            rest = after;
            self.proxy.frame(id, side, frame, ends == Ends::WithData && rest.is_empty());
        }
        match ends {
            Ends::Alone => self.proxy.frame(id, side, &[], true),
            Ends::WithData if body.is_empty() => self.proxy.frame(id, side, &[], true),
            Ends::Trailers => self.proxy.end_with_trailers(id, side, Fields::of(&[("x-trailer", "last")])),
            Ends::WithData | Ends::Open => {}
        }
    }
}
