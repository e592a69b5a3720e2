//! What is counted of a set of exchanges.

use crate::distinct::Callers;
use crate::frequent::Merge;

/// So many currencies are told apart; a policy has one.
pub const CURRENCIES: usize = 4;

/// Sums over exchanges.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Exchanges.
    pub requests: u64,
    /// Of these: refused, or their answer withheld.
    pub denied: u64,
    /// Of these: a denial was only recorded.
    pub observed: u64,
    /// What the table counts, where that is not exchanges: findings, calls of tools.
    pub count: u64,
    /// Tokens in, cached ones included.
    pub input: u64,
    /// Tokens out, reasoning included.
    pub output: u64,
    /// Of the tokens in: read from the provider's cache.
    pub cached: u64,
    /// Of the tokens out: reasoning.
    pub reasoning: u64,
    /// Exchanges whose tokens are estimates.
    pub estimated: u64,
    /// Billionths, by currency.
    pub cost: [u64; CURRENCIES],
    /// The first moment, in seconds since 1970; 0 where none is known.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The least that was left of a limit.
    pub lowest: Option<f64>,
    /// Different callers, where the table has them.
    pub callers: Option<Callers>,
}

impl Usage {
    /// What the table ranks an exchange by: the exchange itself, and every 1,024 tokens.
    pub fn weight(&self) -> u64 {
        1 + self.input.saturating_add(self.output) / 1024
    }

    /// Adds the sums of `other`, its callers aside.
    pub fn add(&mut self, other: &Self) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.requests, other.requests);
        sum(&mut self.denied, other.denied);
        sum(&mut self.observed, other.observed);
        sum(&mut self.count, other.count);
        sum(&mut self.input, other.input);
        sum(&mut self.output, other.output);
        sum(&mut self.cached, other.cached);
        sum(&mut self.reasoning, other.reasoning);
        sum(&mut self.estimated, other.estimated);
        for (a, b) in self.cost.iter_mut().zip(other.cost) {
            sum(a, b);
        }
        if other.first > 0 && (self.first == 0 || other.first < self.first) {
            self.first = other.first;
        }
        self.last = self.last.max(other.last);
        self.lowest = match (self.lowest, other.lowest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

impl Merge for Usage {
    fn merge(&mut self, other: Self) {
        self.add(&other);
        match (&mut self.callers, other.callers) {
            (Some(callers), Some(others)) => callers.merge(&others),
            (mine, others) => *mine = mine.take().or(others),
        }
    }
}
