//! The keys that weigh most in a stream, in bounded memory, with what is kept of each.
//!
//! Up to its capacity a table is exact. Beyond, it makes room as the frequent-items sketch of Anderson, Bevan, Lang, Liberty,
//! Rhodes and Thaler does ("A High-Performance Algorithm for Identifying Frequent Items in Data Streams", 2017): the median of all
//! weights is taken from each, and keys that have none left go. What went is added up in [`Frequent::rest`], so that nothing is
//! lost from sums; what was taken in all is [`Frequent::missing`]: no key lacks more than that of its weight, whether it is listed
//! with too little or not at all.

use std::collections::HashMap;

/// What is kept of a key, and can be added up.
pub trait Merge {
    /// Adds what another key had.
    fn merge(&mut self, other: Self);
}

/// The longest key, in bytes: callers can choose names.
const LONGEST: usize = 200;

#[derive(Debug)]
struct Entry<V> {
    weight: u64,
    value: V,
}

/// Keys by weight.
#[derive(Debug)]
pub struct Frequent<V> {
    entries: HashMap<Box<str>, Entry<V>>,
    capacity: usize,
    /// What was kept of keys that had to go.
    pub rest: V,
    /// The most that any key lacks of its weight; 0 where everything is exact.
    pub missing: u64,
    /// How many keys had to go, those that came back counted again.
    pub dropped: u64,
}

impl<V: Merge + Default> Frequent<V> {
    /// At most so many keys.
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity: capacity.max(2), rest: V::default(), missing: 0, dropped: 0 }
    }

    /// Adds `weight` to a key, and lets `update` change what is kept of it.
    pub fn add(&mut self, key: &str, weight: u64, update: impl FnOnce(&mut V)) {
        let shortened;
        let key = if key.len() > LONGEST {
            shortened = shorten(key);
            shortened.as_str()
        } else {
            key
        };
        if let Some(entry) = self.entries.get_mut(key) {
            entry.weight = entry.weight.saturating_add(weight);
            update(&mut entry.value);
            return;
        }
        if self.entries.len() >= self.capacity {
            self.make_room();
        }
        let mut value = V::default();
        update(&mut value);
        self.entries.insert(key.into(), Entry { weight, value });
    }

    /// Takes the median from every weight; at least half of the keys go.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.entries.values().map(|entry| entry.weight).collect();
        let middle = weights.len() / 2;
        let (_, median, _) = weights.select_nth_unstable(middle);
        let median = *median;
        let mut gone = Vec::new();
        self.entries.retain(|_, entry| {
            let stays = entry.weight > median;
            entry.weight = entry.weight.saturating_sub(median);
            if !stays {
                gone.push(std::mem::take(&mut entry.value));
            }
            stays
        });
        self.missing = self.missing.saturating_add(median);
        self.dropped = self.dropped.saturating_add(gone.len() as u64);
        for value in gone {
            self.rest.merge(value);
        }
    }

    /// Every key that is kept, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.entries.iter().map(|(key, entry)| (&**key, &entry.value))
    }

    /// What is kept of one key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }
}

/// A long key by its beginning and a digest of all of it.
fn shorten(key: &str) -> String {
    let digest = hmac_sha256::Hash::hash(key.as_bytes());
    let mut short: String = key
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= LONGEST - 20).then_some(c)
        })
        .collect();
    short.push('~');
    for byte in digest.iter().take(8) {
        short.push_str(&format!("{byte:02x}"));
    }
    short
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default)]
    struct Sum(u64);

    impl Merge for Sum {
        fn merge(&mut self, other: Self) {
            self.0 += other.0;
        }
    }

    fn filled(capacity: usize, stream: &[(u16, u64)]) -> Frequent<Sum> {
        let mut table = Frequent::<Sum>::new(capacity);
        for (key, weight) in stream {
            table.add(&key.to_string(), *weight, |sum| sum.0 += weight);
        }
        table
    }

    #[test]
    fn exact_up_to_the_capacity() {
        let stream: Vec<(u16, u64)> = (0..1000).map(|i| (i % 50, u64::from(i))).collect();
        let table = filled(50, &stream);
        assert_eq!((table.entries.len(), table.missing, table.rest.0), (50, 0, 0));
        assert_eq!(table.get("7").unwrap().0, (0..20).map(|i| i * 50 + 7).sum::<u64>());
    }

    #[test]
    fn long_keys_stay_apart_and_short() {
        let mut table = Frequent::<Sum>::new(10);
        let long = "é".repeat(50_000);
        for end in ["a", "b", "a"] {
            table.add(&format!("{long}{end}"), 1, |sum| sum.0 += 1);
        }
        let mut sums: Vec<u64> = table.iter().map(|(_, sum)| sum.0).collect();
        sums.sort_unstable();
        assert_eq!(sums, [1, 2]);
        assert!(table.iter().all(|(key, _)| key.len() <= LONGEST));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_key_lacks_more_than_is_said(
            capacity in 2usize..40, stream in prop::collection::vec((0u16..200, 1u64..100), 0..2000),
        ) {
            let table = filled(capacity, &stream);
            let mut truth = HashMap::<u16, u64>::new();
            for (key, weight) in &stream {
                *truth.entry(*key).or_default() += weight;
            }
            prop_assert!(table.entries.len() <= capacity);
            let kept: u64 = table.iter().map(|(_, sum)| sum.0).sum();
            prop_assert_eq!(kept + table.rest.0, truth.values().sum::<u64>());
            for (key, weight) in truth {
                let seen = table.get(&key.to_string()).map_or(0, |sum| sum.0);
                prop_assert!(seen <= weight && weight - seen <= table.missing, "{} of {}, {}", seen, weight, table.missing);
            }
            // Each time at least half of the keys lose the median: the sketch's own bound.
            let all: u64 = stream.iter().map(|(_, weight)| weight).sum();
            prop_assert!(table.missing * (capacity as u64 / 2).max(1) <= all);
        }
    }
}
