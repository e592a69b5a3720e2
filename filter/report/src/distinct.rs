//! How many different values there are: exact up to [`EXACT`], HyperLogLog beyond.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use cardinality_estimator::CardinalityEstimator;

/// So many are told apart one by one.
const EXACT: usize = 4096;

/// The standard error of an estimate: 1.04 / sqrt(2^14).
pub const ERROR: f64 = 0.0082;

/// 2^14 registers of 6 bits: 12 KB.
type Estimator = CardinalityEstimator<u64, DefaultHasher, 14, 6>;

/// Different values.
#[derive(Debug, Default)]
pub struct Distinct {
    few: HashSet<u64>,
    many: Option<Box<Estimator>>,
}

impl Distinct {
    /// One more value.
    pub fn add(&mut self, value: &str) {
        let hash = hash(value);
        if let Some(many) = &mut self.many {
            many.insert_hash(hash);
        } else {
            self.few.insert(hash);
            if self.few.len() > EXACT {
                let mut many = Box::new(Estimator::new());
                self.few.drain().for_each(|hash| many.insert_hash(hash));
                self.few.shrink_to_fit();
                self.many = Some(many);
            }
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.many.as_ref().map_or(self.few.len(), |many| many.estimate()) as u64
    }

    /// Whether that is no estimate.
    pub fn is_exact(&self) -> bool {
        self.many.is_none()
    }
}

/// The same in every run: two reports of the same logs agree.
fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Different callers of a table's row: small, so that there can be thousands of them. Exact for few, then within 1.6 %.
#[derive(Clone, Debug, Default)]
pub struct Callers(CardinalityEstimator<u64, DefaultHasher, 12, 6>);

impl Callers {
    /// One more caller.
    pub fn add(&mut self, caller: &str) {
        self.0.insert_hash(hash(caller));
    }

    /// Those of another row too.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.estimate() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_while_few() {
        let mut distinct = Distinct::default();
        for i in 0..20_000 {
            distinct.add(&(i % EXACT).to_string());
        }
        assert_eq!((distinct.count(), distinct.is_exact()), (EXACT as u64, true));
    }

    #[test]
    fn near_when_many() {
        let mut distinct = Distinct::default();
        let mut next = 10_000;
        for i in 1..=1_000_000 {
            distinct.add(&format!("user-{i}"));
            if i == next {
                let off = (distinct.count() as f64 - i as f64).abs() / i as f64;
                assert!(!distinct.is_exact() && off < 4.0 * ERROR, "{off} at {i}");
                next *= 10;
            }
        }
    }

    #[test]
    fn callers_of_rows_can_be_put_together() {
        let (mut a, mut b) = (Callers::default(), Callers::default());
        (0..60).for_each(|i| a.add(&i.to_string()));
        (30..90).for_each(|i| b.add(&i.to_string()));
        assert_eq!(a.count(), 60);
        a.merge(&b);
        assert_eq!(a.count(), 90);
    }
}
