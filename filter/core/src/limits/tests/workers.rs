//! Three workers, whatever they do: what the shared store says of each is what its calls and its purse hold.

use super::super::table::Table;
use super::*;

/// A call of one worker that goes on: what it may use, and what it will.
struct Running {
    worker: usize,
    who: Principal,
    uses: u64,
    reserved: Reserved,
}

/// Workers over a store that is busy at times, and fails at times.
struct Office {
    limits: Limits,
    models: Models,
    host: Busy,
    workers: Vec<Vm>,
    told: Vec<u64>,
    secs: u64,
    running: Vec<Running>,
}

impl Office {
    fn new(json: &str) -> Self {
        let mut host = Busy(MemoryHost::default(), 0);
        prepare("p", &mut host).unwrap();
        let workers: Vec<_> = (0..3).map(|_| Vm::draw(&mut host).unwrap()).collect();
        let (limits, models) = (compile(json).0, Models::default());
        Self { limits, models, host, told: vec![0; workers.len()], workers, secs: 1000, running: Vec::new() }
    }

    fn with<T>(&mut self, worker: usize, act: impl FnOnce(&Limits, &Models, &mut Counters<'_>) -> T) -> T {
        let (vm, host, conflicts) = (&mut self.workers[worker], &mut self.host, &mut 0);
        let mut counters = Counters { namespace: "p".into(), at: at(self.secs), vm, host, conflicts };
        act(&self.limits, &self.models, &mut counters)
    }

    fn tick(&mut self, worker: usize) {
        self.told[worker] = self.secs;
        self.with(worker, |limits, _, counters| limits.tick(counters));
    }

    /// Time passed: nobody is so late that others take them for lost.
    fn pass(&mut self, secs: u64) {
        self.secs += secs;
        for worker in 0..self.workers.len() {
            if self.told[worker] + 5 < self.secs {
                self.tick(worker);
            }
        }
    }

    fn begin(&mut self, worker: usize, caller: usize, need: Need, uses: u64) {
        let (who, roles) = (user(&format!("caller-{caller}")), Roles::default());
        let outcome = self.with(worker, |limits, models, counters| {
            limits.reserve(&subject(&who, &RoleSet::default(), &roles), &need, models, counters)
        });
        if let Ok((reserved, count)) = outcome
            && count.exceeded.is_empty()
        {
            self.running.push(Running { worker, who: (*who).clone(), uses, reserved });
        }
    }

    /// Answers what the call used. Whether its settlement could be stored or not, it is not lost.
    fn end(&mut self, place: usize) -> u64 {
        let Running { worker, who, uses, reserved } = self.running.swap_remove(place);
        let (none, roles) = (RoleSet::default(), Roles::default());
        let _ = self.with(worker, |limits, models, counters| {
            let subject = subject(&who, &none, &roles);
            limits.settle(reserved, &tokens(0, uses), &subject, models, counters)
        });
        uses
    }

    /// All counters of which anything is known.
    fn counters(&self) -> Vec<(Id, Counter)> {
        let mut ids: Vec<Id> =
            self.running.iter().flat_map(|call| call.reserved.0.iter().map(|held| held.id)).collect();
        let who: Vec<_> = (0..4).map(|caller| user(&format!("caller-{caller}"))).collect();
        let (none, roles) = (RoleSet::default(), Roles::default());
        for who in &who {
            let subject = subject(who, &none, &roles);
            ids.extend(self.limits.0.iter().flat_map(|limit| limit.keys(&subject)).map(|(id, _)| id));
        }
        ids.sort_unstable();
        ids.dedup();
        let shards = self.host.0.shared.iter().filter(|(key, s)| !key.ends_with("alive") && !s.value.is_empty());
        let tables: Vec<_> = shards.map(|(_, stored)| Table::read(stored.value.clone())).collect();
        let find = |id: Id| (id, tables.iter().map(|table| table.find(&id)).find(|c| *c != Counter::default()));
        ids.into_iter().map(find).map(|(id, counter)| (id, counter.unwrap_or_default())).collect()
    }

    /// What the store says that a worker holds is what its calls and its purse hold, and is nowhere more than what was granted.
    fn check(&self) {
        for (id, counter) in self.counters() {
            for (place, vm) in self.workers.iter().enumerate() {
                let (mut calls, mut lease) = vm.purse.held(&id);
                for call in self.running.iter().filter(|call| call.worker == place) {
                    for held in call.reserved.0.iter().filter(|held| held.id == id) {
                        (calls, lease) = (calls + 1, lease.and(held.lease));
                    }
                }
                assert_eq!(counter.held(vm.generation()), (calls, lease));
            }
        }
    }
}

proptest::proptest! {
    /// Whatever workers do in whatever order, however calls end, and whatever the store does meanwhile: it knows of all that calls
    /// and purses hold, what is admitted never adds up to more than the limit, and when all is over, what is used is what calls used.
    #[test]
    fn however_calls_end_they_are_settled_once(
        steps in proptest::collection::vec((0usize..3, 0usize..4, 1u64..120, 0u64..140, 0u8..16), 1..250),
    ) {
        const ALL: u64 = 6_000;
        let mut office = Office::new(
            r#"[{"id":"all","total_tokens":6000,"calendar":"day","per":"all",
                 "overrides":[{"amount":4000,"from":"1970-01-01T00:17:00Z","until":"1970-01-01T00:17:10Z"}]},
                {"id":"own","total_tokens":4000,"calendar":"day"},
                {"id":"in","input_tokens":3000,"calendar":"day","per":"all","mode":"observe"},
                {"id":"slots","concurrent":60,"per":"all"}]"#,
        );
        let (mut used, mut beyond) = (0u64, 0u64);
        for (worker, caller, asks, uses, what) in steps {
            match what {
                0 => {
                    office.pass(uses % 3);
                    office.tick(worker);
                }
                1 => office.host.1 = u32::try_from(uses % 4).unwrap(),
                2 => office.host.1 = u32::MAX,
                3..=7 if !office.running.is_empty() => {
                    let place = usize::try_from(asks).unwrap() % office.running.len();
                    let asked = office.running[place].reserved.0.iter().map(|held| held.lease.amount).max().unwrap_or(0);
                    let uses = office.end(place);
                    (used, beyond) = (used + uses, beyond + uses.saturating_sub(asked));
                }
                _ => {
                    // A call in eight takes more than it said.
                    let uses = if what == 15 { uses } else { uses.min(asks) };
                    let before = office.running.len();
                    office.begin(worker, caller, tokens(asks / 3, asks - asks / 3), uses);
                    let all = |call: &Running| call.reserved.0.first().map_or(0, |held| held.lease.amount);
                    let held: u64 = office.running.iter().map(all).sum();
                    // What others took beyond their due was not there when a purse was filled.
                    let fits = office.running.len() == before || used - beyond + held <= ALL;
                    proptest::prop_assert!(fits, "{used} and {held}");
                }
            }
            if what > 2 {
                office.host.1 = 0;
            }
            if office.host.1 == 0 {
                office.check();
            }
        }
        office.host.1 = 0;
        while !office.running.is_empty() {
            used += office.end(0);
        }
        office.pass(1);
        for worker in 0..3 {
            office.tick(worker);
        }
        office.check();
        proptest::prop_assert!(office.workers.iter().all(|vm| vm.purse.shards().is_empty()));
        proptest::prop_assert!(office.counters().iter().all(|(_, counter)| counter.is_idle()));
        let roles = Roles::default();
        let who = user("anybody");
        let id = office.limits.0[0].keys(&subject(&who, &RoleSet::default(), &roles)).next().unwrap().0;
        let all = office.counters().into_iter().find(|(other, _)| *other == id).unwrap().1;
        proptest::prop_assert_eq!(all.used(), used);
    }
}
