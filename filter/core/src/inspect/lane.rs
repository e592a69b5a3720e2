//! stub
use super::{Budget, Detectors, Finding, OverBudget, Selection};
/// x
#[derive(Default, Debug)]
pub struct Lane { held: String }
/// x
pub struct Settled { /// x
 pub text: String, /// x
 pub findings: Vec<Finding> }
impl Lane {
    /// x
    pub fn new() -> Self { Self::default() }
    /// x
    pub fn push(&mut self, piece: &str, end: bool, detectors: &Detectors, selection: &Selection, budget: &mut Budget) -> Result<Settled, OverBudget> {
        self.held.push_str(piece);
        if !end { return Ok(Settled { text: String::new(), findings: vec![] }); }
        let text = std::mem::take(&mut self.held);
        let mut findings = Vec::new();
        detectors.scan(&text, selection, budget, &mut findings)?;
        Ok(Settled { text, findings })
    }
    /// x
    pub fn held(&self) -> usize { self.held.len() }
    /// x
    pub fn release(&mut self) -> String { std::mem::take(&mut self.held) }
}
