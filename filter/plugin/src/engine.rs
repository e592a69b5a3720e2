//! Core's engine.
use doorward_core::config::{Problem, Tree};
use doorward_core::exchange::{CallResult, Effect, Event, Flow, Time};
use doorward_core::host::Host;

#[derive(Debug)]
pub struct Engine;
impl Engine {
    pub fn compile(_tree: &Tree, _env: &dyn Fn(&str) -> Option<String>) -> Result<Engine, Vec<Problem>> {
        Ok(Engine)
    }
    pub fn holds_headers(&self) -> bool {
        false
    }
}
#[derive(Debug)]
pub struct Worker;
impl Worker {
    pub fn new(_engine: &Engine) -> Worker {
        Worker
    }
    pub fn tick_ms(&self, _engine: &Engine) -> u32 {
        0
    }
    pub fn tick(&mut self, _: &Engine, _: Time, _: &mut dyn Host, _: &mut Vec<Effect>) -> Vec<u32> {
        Vec::new()
    }
    pub fn call_done(&mut self, _: &Engine, _: CallResult, _: Time, _: &mut dyn Host, _: &mut Vec<Effect>) -> Vec<u32> {
        Vec::new()
    }
}
#[derive(Debug)]
pub struct Exchange;
impl Exchange {
    pub fn new(_id: u32) -> Exchange {
        Exchange
    }
    pub fn on(
        &mut self,
        _: Event<'_>,
        _: Time,
        _: &Engine,
        _: &mut Worker,
        _: &mut dyn Host,
        _: &mut Vec<Effect>,
    ) -> Flow {
        Flow::Continue
    }
}
