//! What one exchange has shown, as fingerprints: which values of which kind, and which values at all.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// So many values of one exchange are told apart.
const MOST: usize = 512;

/// What one exchange has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Rows of `sessions.risk`, and the values that met them.
    risks: BTreeSet<(usize, u64)>,
    /// Every value that a statement found.
    found: BTreeSet<u64>,
}

impl Signs {
    /// A value was found, of a type, and it met these rows.
    pub fn add(&mut self, kind: &str, value: &str, rows: impl Iterator<Item = usize>) {
        // Fixed keys: all workers of a process must agree. Fingerprints never leave it.
        let mut hasher = DefaultHasher::new();
        (kind, value).hash(&mut hasher);
        let hash = hasher.finish();
        for row in rows {
            if self.risks.len() < MOST {
                self.risks.insert((row, hash));
            }
        }
        if self.found.len() < MOST {
            self.found.insert(hash);
        }
    }

    /// Both together.
    pub fn merge(&mut self, other: Signs) {
        for sign in other.risks {
            if self.risks.len() < MOST {
                self.risks.insert(sign);
            }
        }
        for value in other.found {
            if self.found.len() < MOST {
                self.found.insert(value);
            }
        }
    }

    /// Rows and values.
    pub fn values(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.risks.iter().copied()
    }

    /// Every value that a statement found.
    pub fn found(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.found.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_and_bounded() {
        let mut signs = Signs::default();
        for n in 0..10_000 {
            signs.add("EMAIL_ADDRESS", &format!("a{n}@b.example"), [0, 1].into_iter());
        }
        assert_eq!((signs.values().count(), signs.found().len()), (MOST, MOST));
        let mut twice = Signs::default();
        for _ in 0..2 {
            twice.add("EMAIL_ADDRESS", "a@b.example", [3].into_iter());
            twice.add("PERSON", "a@b.example", [].into_iter());
        }
        assert_eq!((twice.values().count(), twice.found().len()), (1, 2));
        let mut merged = twice.clone();
        merged.merge(twice.clone());
        assert_eq!(merged, twice);
    }
}
