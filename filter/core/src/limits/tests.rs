use super::*;
use crate::config::{from_tree, tree_from_json};
use crate::host::MemoryHost;

fn limits(json: &str) -> RequestLimits {
    let documents: Vec<LimitDocument> = from_tree(&tree_from_json(json).unwrap(), &Path::root()).unwrap();
    let mut problems = Vec::new();
    let limits =
        RequestLimits::compile(&documents, &Roles::default(), &Targets::default(), &Path::root(), &mut problems);
    assert_eq!(problems, []);
    limits
}

fn at(secs: u64) -> Time {
    Time(secs * 1_000_000_000)
}

#[test]
fn counts_each_caller_apart_and_says_when_to_come_back() {
    let limits = limits(
        r#"[{"id":"rpm","requests":2,"window":"1m"},{"id":"seen","requests":1,"window":"1m","mode":"observe"}]"#,
    );
    let mut host = MemoryHost::default();
    let roles = RoleSet::default();
    let mut count = |who: &str, secs| limits.count("ns", who, &roles, (0, None), at(secs), &mut host).unwrap();
    assert_eq!(count("alice", 610).remaining, Some(1));
    let second = count("alice", 611);
    assert_eq!((second.remaining, second.exceeded), (Some(0), None));
    assert_eq!(second.observed, ["seen"]);
    assert_eq!(count("alice", 615).exceeded, Some((vec!["rpm".into()], 45)));
    assert_eq!(count("bob", 615).exceeded, None);
    assert_eq!(count("alice", 660).exceeded, None);
}

#[test]
fn every_worker_counts() {
    /// Another worker stores between our load and our store, a few times.
    struct Busy(MemoryHost, u32);
    impl Host for Busy {
        fn load(&mut self, key: &str) -> Result<Option<crate::host::Stored>, HostError> {
            self.0.load(key)
        }
        fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError> {
            if self.1 > 0 {
                self.1 -= 1;
                let other = self.0.load(key).unwrap().unwrap();
                self.0.store(key, &other.value, None)?;
            }
            self.0.store(key, value, version)
        }
        fn verify(&mut self, check: crate::host::SignatureCheck<'_>) -> Result<bool, HostError> {
            self.0.verify(check)
        }
        fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
            self.0.random(out)
        }
        fn attribute(&mut self, attribute: crate::host::Attribute<'_>) -> Option<String> {
            self.0.attribute(attribute)
        }
        fn body(&mut self, side: crate::host::Side) -> Result<Vec<u8>, HostError> {
            self.0.body(side)
        }
    }
    let limits = limits(r#"[{"id":"rpm","requests":100,"window":"1m"}]"#);
    let mut host = Busy(MemoryHost::default(), 0);
    prepare("ns", &mut host).unwrap();
    for n in 1..=5 {
        host.1 = 3;
        let count = limits.count("ns", "alice", &RoleSet::default(), (0, None), at(0), &mut host).unwrap();
        assert_eq!(count.remaining, Some(100 - n));
    }
    host.1 = u32::MAX;
    assert!(limits.count("ns", "alice", &RoleSet::default(), (0, None), at(0), &mut host).is_err());
}

#[test]
fn odd_limits_are_refused() {
    for json in [
        r#"[{"id":"a","requests":0,"window":"1m"}]"#,
        r#"[{"id":"a","requests":1,"window":"1500ms"}]"#,
        r#"[{"id":"a","requests":1,"window":"32d"}]"#,
        r#"[{"id":"a","requests":1,"window":0}]"#,
        r#"[{"id":"a","requests":1,"window":"1m"},{"id":"a","requests":2,"window":"1m"}]"#,
        r#"[{"id":"a b","requests":1,"window":"1m"}]"#,
        r#"[{"id":"a","requests":1,"window":"1m","roles":["nobody"]}]"#,
    ] {
        let documents: Vec<LimitDocument> = from_tree(&tree_from_json(json).unwrap(), &Path::root()).unwrap();
        let mut problems = Vec::new();
        RequestLimits::compile(&documents, &Roles::default(), &Targets::default(), &Path::root(), &mut problems);
        assert_eq!(problems.len(), 1, "{json}: {problems:?}");
    }
}
