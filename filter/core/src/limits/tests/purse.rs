//! What a worker reserves ahead, and settles late.

use super::super::counter::Lease;
use super::super::purse::Room;
use super::*;

/// What lies in the shared store, beside who is alive.
fn stored(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let counters = desk.host.shared.iter().filter(|(key, stored)| !key.ends_with("alive") && !stored.value.is_empty());
    let mut counters: Vec<_> = counters.map(|(key, stored)| (key.clone(), stored.value.clone())).collect();
    counters.sort();
    counters
}

/// Calls until a worker's purse has something for seventeen more.
fn fill(desk: &mut Desk, who: &str, need: Need, used: Need, vm: &mut Vm) {
    for _ in 0..2 {
        let running: Vec<_> = (0..4).map(|_| desk.reserve(who, need, 1000, vm).0).collect();
        running.into_iter().for_each(|reserved| desk.settle(who, reserved, used, 1000, vm));
    }
}

#[test]
fn calls_that_follow_each_other_are_admitted_without_the_store() {
    let mut desk = Desk::new(
        r#"[{"id":"day","total_tokens":1000000,"calendar":"day"},{"id":"slots","concurrent":1000},
            {"id":"team","total_tokens":1000000,"window":"1h","per":"team"}]"#,
    );
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    desk.tick(1000, &mut other);
    let (mut changes, mut used) = (0, 0);
    for _ in 0..200 {
        let before = stored(&desk);
        let (reserved, count) = desk.reserve("alice", tokens(10, 90), 1000, &mut worker);
        let more = if used == 0 { 0 } else { 50 };
        assert_eq!(left(&count), [1_000_000 - used - 100, 999, 1_000_000 - used - 100]);
        desk.settle("alice", reserved, tokens(10, more), 1000, &mut worker);
        used += 10 + more;
        changes += u32::from(stored(&desk) != before);
    }
    // A purse for 17 calls of 100 serves for 28 of 60.
    assert!((5..12).contains(&changes), "{changes}");
    // Others see what is in use, and at most 17 calls more; after the tick, what is in use.
    let (probe, count) = desk.reserve("bob", tokens(0, 1), 1000, &mut other);
    assert!((used..used + 1700).contains(&(1_000_000 - 1 - left(&count)[2])), "{count:?}");
    desk.settle("bob", probe, tokens(0, 0), 1000, &mut other);
    desk.tick(1000, &mut other);
    desk.tick(1000, &mut worker);
    let (_, count) = desk.reserve("bob", tokens(0, 1), 1000, &mut other);
    assert_eq!(left(&count), [1_000_000 - 1, 999, 1_000_000 - used - 1]);
}

#[test]
fn a_call_from_the_purse_keeps_its_reservation_whatever_others_do() {
    let mut desk = Desk::new(r#"[{"id":"slots","concurrent":800},{"id":"day","total_tokens":80000,"calendar":"day"}]"#);
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    let mut running = Vec::new();
    fill(&mut desk, "alice", tokens(0, 100), tokens(0, 0), &mut worker);
    // Several from the purse, and one that takes more than it said: settled at once, and with it what is in the purse.
    let before = stored(&desk);
    for _ in 0..5 {
        running.push(desk.reserve("alice", tokens(0, 100), 1000, &mut worker).0);
    }
    assert_eq!(stored(&desk), before);
    let first = running.remove(0);
    desk.settle("alice", first, tokens(0, 150), 1000, &mut worker);
    desk.tick(1000, &mut worker);
    let (_, count) = desk.reserve("alice", tokens(0, 1), 1000, &mut other);
    assert_eq!(left(&count), [800 - 4 - 1, 80_000 - 150 - 400 - 1]);
    for reserved in running {
        desk.settle("alice", reserved, tokens(0, 10), 1000, &mut worker);
    }
    desk.tick(1001, &mut worker);
    let (_, count) = desk.reserve("alice", tokens(0, 1), 1001, &mut other);
    assert_eq!(left(&count), [800 - 2, 80_000 - 150 - 40 - 2]);
}

#[test]
fn what_a_call_takes_beyond_its_due_is_known_to_those_that_follow() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":80000,"calendar":"day"}]"#);
    let mut worker = desk.worker();
    fill(&mut desk, "alice", tokens(0, 100), tokens(0, 0), &mut worker);
    let before = stored(&desk);
    // All that is in the purse.
    let mut running: Vec<_> = (0..17).map(|_| desk.reserve("alice", tokens(0, 100), 1000, &mut worker).0).collect();
    assert_eq!(stored(&desk), before);
    let first = running.remove(0);
    desk.settle("alice", first, tokens(0, 80_000), 1000, &mut worker);
    for reserved in running {
        desk.settle("alice", reserved, tokens(0, 0), 1000, &mut worker);
    }
    assert_eq!(desk.reserve("alice", tokens(0, 100), 1000, &mut worker).1.exceeded.len(), 1);
}

#[test]
fn the_purse_is_emptied_once_a_second_however_often_ticks_come() {
    let mut desk = Desk::new(r#"[{"id":"slots","concurrent":800}]"#);
    let mut worker = desk.worker();
    let empties = |desk: &mut Desk, millis: u64, worker: &mut Vm| {
        let before = stored(desk);
        desk.at_millis(millis, worker, |limits, counters| limits.tick(counters));
        stored(desk) != before
    };
    let call = |desk: &mut Desk, worker: &mut Vm| {
        let (reserved, _) = desk.reserve("alice", tokens(0, 1), 1000, worker);
        desk.settle("alice", reserved, tokens(0, 0), 1000, worker);
    };
    call(&mut desk, &mut worker);
    assert!(empties(&mut desk, 1_000_000, &mut worker));
    call(&mut desk, &mut worker);
    assert!(!empties(&mut desk, 1_000_100, &mut worker));
    assert!(!empties(&mut desk, 1_000_700, &mut worker));
    assert!(empties(&mut desk, 1_000_800, &mut worker));
    call(&mut desk, &mut worker);
    // The clock went back.
    assert!(empties(&mut desk, 999_000, &mut worker));
}

#[test]
fn a_call_that_went_on_for_long_is_settled_at_once() {
    let mut desk = Desk::new(r#"[{"id":"slots","concurrent":800}]"#);
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    for (length, waits) in [(59, 1), (60, 0)] {
        let (reserved, _) = desk.reserve("alice", tokens(0, 1), 1000, &mut worker);
        for secs in (1000..1000 + length).step_by(5) {
            desk.tick(secs, &mut worker);
        }
        desk.settle("alice", reserved, tokens(0, 0), 1000 + length, &mut worker);
        let (probe, count) = desk.reserve("alice", tokens(0, 1), 1000 + length, &mut other);
        assert_eq!(left(&count), [799 - waits]);
        desk.settle("alice", probe, tokens(0, 0), 1000 + length, &mut other);
        desk.tick(1100, &mut worker);
        desk.tick(1100, &mut other);
    }
}

#[test]
fn who_lacks_what_calls_that_go_on_have_reserved_may_come_back_soon() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":1000,"calendar":"day","per":"all"}]"#);
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    let (reserved, _) = desk.reserve("alice", tokens(0, 500), 1000, &mut worker);
    desk.settle("alice", reserved, tokens(0, 500), 1000, &mut worker);
    let _goes_on = desk.reserve("alice", tokens(0, 300), 1000, &mut worker);
    for (asks, wait) in [(250, 1), (500, 1), (501, 86_400 - 1000)] {
        let (_, count) = desk.reserve("bob", tokens(0, asks), 1000, &mut other);
        assert_eq!(count.exceeded.first().map(|e| e.retry_after), Some(Some(wait)), "{asks}");
    }
}

#[test]
fn an_override_that_is_to_come_keeps_settlements_from_waiting_and_one_that_is_over_does_not() {
    for (from, until, waits) in
        [("1970-01-01T00:00:00Z", "1970-01-01T00:10:00Z", true), ("1970-01-02", "1970-01-03", false)]
    {
        let mut desk = Desk::new(&format!(
            r#"[{{"id":"day","total_tokens":100000,"calendar":"day","overrides":[{{"amount":3,"from":"{from}","until":"{until}"}}]}}]"#
        ));
        let mut worker = desk.worker();
        let (reserved, _) = desk.reserve("alice", tokens(0, 5), 1000, &mut worker);
        let before = stored(&desk);
        desk.settle("alice", reserved, tokens(0, 0), 1000, &mut worker);
        assert_eq!(stored(&desk) == before, waits, "{from}");
    }
}

#[test]
fn a_purse_that_no_tick_emptied_is_not_trusted_for_long() {
    let mut desk = Desk::new(r#"[{"id":"slots","concurrent":800}]"#);
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    let again = |desk: &mut Desk, secs: u64, worker: &mut Vm| {
        let (reserved, count) = desk.reserve("alice", tokens(0, 100), secs, worker);
        desk.settle("alice", reserved, tokens(0, 0), secs, worker);
        left(&count)[0]
    };
    for _ in 0..3 {
        assert_eq!(again(&mut desk, 1000, &mut worker), 799);
    }
    let _goes_on = desk.reserve("alice", tokens(0, 1), 1000, &mut other);
    // Not seen yet, as far as it knows.
    assert_eq!(again(&mut desk, 1001, &mut worker), 799);
    assert_eq!(again(&mut desk, 1002, &mut worker), 798);
    // Nor where the clock went back.
    let _goes_on = desk.reserve("alice", tokens(0, 1), 1002, &mut other);
    assert_eq!(again(&mut desk, 999, &mut worker), 797);
}

#[test]
fn who_may_have_less_is_not_admitted_from_the_purse_of_who_may_have_more() {
    let mut desk = Desk::new(
        r#"[{"id":"slots","concurrent":800,"per":"all","overrides":[{"amount":3,"from":"1970-01-01T00:16:41Z","until":"1970-01-02"}]}]"#,
    );
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    let mut running: Vec<_> = (0..4).map(|_| desk.reserve("bob", tokens(0, 1), 1000, &mut other).0).collect();
    for _ in 0..3 {
        let (reserved, count) = desk.reserve("alice", tokens(0, 1), 1000, &mut worker);
        assert_eq!(count.exceeded, []);
        desk.settle("alice", reserved, tokens(0, 0), 1000, &mut worker);
    }
    // From now on it grants three.
    assert_eq!(desk.reserve("alice", tokens(0, 1), 1001, &mut worker).1.exceeded.len(), 1);
    let ended = running.split_off(2);
    ended.into_iter().for_each(|reserved| desk.settle("bob", reserved, tokens(0, 0), 1001, &mut other));
    desk.tick(1001, &mut other);
    assert_eq!(desk.reserve("alice", tokens(0, 1), 1001, &mut worker).1.exceeded, []);
}

#[test]
fn what_a_lost_vm_had_reserved_ahead_comes_back() {
    let mut desk = Desk::new(r#"[{"id":"slots","concurrent":800},{"id":"day","total_tokens":80000,"calendar":"day"}]"#);
    let (mut worker, mut other) = (desk.worker(), desk.worker());
    fill(&mut desk, "alice", tokens(10, 90), tokens(10, 0), &mut worker);
    let _lost: Vec<_> = (0..6).map(|_| desk.reserve("alice", tokens(10, 90), 1000, &mut worker).0).collect();
    let seen = |desk: &mut Desk, secs: u64, other: &mut Vm| {
        let (reserved, count) = desk.reserve("alice", tokens(0, 1), secs, other);
        desk.settle("alice", reserved, tokens(0, 0), secs, other);
        desk.tick(secs, other);
        [left(&count)[0] + 1, left(&count)[1] + 1]
    };
    assert_eq!(seen(&mut desk, 1001, &mut other), [800 - 17, 80_000 - 1700 - 40]);
    desk.tick(1001, &mut worker);
    assert_eq!(seen(&mut desk, 1001, &mut other), [800 - 6, 80_000 - 600 - 80]);
    // What surely went out of calls that go on stays used, whether it was reserved for each of them or ahead.
    assert_eq!(seen(&mut desk, 1012, &mut other), [800, 80_000 - 60 - 80]);
}

#[test]
fn what_is_used_of_a_roomy_limit_is_settled_with_the_next_change_or_tick() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":2000,"calendar":"day"}]"#);
    let (mut first, mut second) = (desk.worker(), desk.worker());
    let (reserved, _) = desk.reserve("alice", tokens(10, 90), 1000, &mut first);
    let before = stored(&desk);
    desk.settle("alice", reserved, tokens(10, 5), 1001, &mut first);
    assert_eq!(stored(&desk), before);
    // Another worker cannot know, and holds back too much; the one that owes it knows with the next request.
    let (other, count) = desk.reserve("alice", tokens(10, 90), 1002, &mut second);
    assert_eq!(left(&count), [2000 - 200]);
    let (reserved, count) = desk.reserve("alice", tokens(10, 90), 1002, &mut first);
    assert_eq!(left(&count), [2000 - 15 - 200]);
    desk.settle("alice", reserved, tokens(10, 5), 1002, &mut first);
    desk.settle("alice", other, tokens(0, 0), 1002, &mut second);
    desk.tick(1003, &mut first);
    desk.tick(1003, &mut second);
    let third = &mut desk.worker();
    assert_eq!(left(&desk.reserve("alice", tokens(10, 90), 1003, third).1), [2000 - 30 - 100]);
    // Nothing is settled twice.
    desk.tick(1004, &mut first);
    assert_eq!(left(&desk.reserve("alice", tokens(1, 1), 1004, &mut first).1), [2000 - 30 - 100 - 2]);
}

#[test]
fn what_a_limit_is_short_of_or_a_call_took_beyond_its_due_is_settled_at_once() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":2000,"calendar":"day"}]"#);
    let mut first = desk.worker();
    let seen = |desk: &mut Desk| {
        let vm = &mut desk.worker();
        let (probe, count) = desk.reserve("alice", tokens(0, 1), 1000, vm);
        desk.settle("alice", probe, tokens(0, 0), 1000, vm);
        desk.tick(1000, vm);
        left(&count)[0] + 1
    };
    let (reserved, _) = desk.reserve("alice", tokens(0, 100), 1000, &mut first);
    desk.settle("alice", reserved, tokens(0, 300), 1000, &mut first);
    assert_eq!(seen(&mut desk), 1700);
    let (reserved, _) = desk.reserve("alice", tokens(0, 201), 1000, &mut first);
    desk.settle("alice", reserved, tokens(0, 100), 1000, &mut first);
    assert_eq!(seen(&mut desk), 1600);
    // It is no more than an eighth of what is left.
    let (reserved, _) = desk.reserve("alice", tokens(0, 177), 1000, &mut first);
    desk.settle("alice", reserved, tokens(0, 90), 1000, &mut first);
    assert_eq!(seen(&mut desk), 1600 - 177);
    desk.tick(1001, &mut first);
    assert_eq!(seen(&mut desk), 1600 - 90);
}

#[test]
fn however_many_calls_end_at_once_only_a_part_of_what_was_left_waits() {
    let mut desk = Desk::new(
        r#"[{"id":"slots","concurrent":100,"per":"all"},
            {"id":"day","total_tokens":100000,"calendar":"day","per":"all",
             "overrides":[{"amount":30,"from":"1970-01-02","until":"1970-01-03"}]}]"#,
    );
    let (mut first, mut second) = (desk.worker(), desk.worker());
    let running: Vec<_> = (0..84).map(|_| desk.reserve("alice", tokens(0, 5), 1000, &mut first).0).collect();
    for reserved in running {
        desk.settle("alice", reserved, tokens(0, 0), 1000, &mut first);
    }
    let (_, count) = desk.reserve("bob", tokens(0, 5), 1000, &mut second);
    // An eighth of a hundred slots, at most. Of the other limit nothing: there are days on which it grants so little.
    let [slots, day] = left(&count)[..] else { panic!("{count:?}") };
    assert!((87..99).contains(&slots), "{slots}");
    assert_eq!(day, 100_000 - 5);
    // It is an eighth for all workers together: each of two that know of each other has half of it.
    // It is an eighth for all workers together: each of two that know of each other has half of it.
    desk.tick(1001, &mut first);
    let running: Vec<_> = (0..60).map(|_| desk.reserve("alice", tokens(0, 5), 1001, &mut first).0).collect();
    for reserved in running {
        desk.settle("alice", reserved, tokens(0, 0), 1001, &mut first);
    }
    let (_, count) = desk.reserve("bob", tokens(0, 5), 1001, &mut second);
    assert!((92..99).contains(&left(&count)[0]), "{count:?}");
    let ahead = |vms| Room::of(800, vms, 0).ahead(Lease { amount: 10, floor: 0 });
    assert_eq!([1, 2, 5, 20].map(ahead), [9, 4, 1, 0]);
}

#[test]
fn what_waits_in_a_vm_that_is_lost_is_charged_with_what_surely_went_out() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":5000,"calendar":"day"}]"#);
    let (mut first, mut second) = (desk.worker(), desk.worker());
    let (reserved, _) = desk.reserve("alice", tokens(30, 70), 1000, &mut first);
    desk.settle("alice", reserved, tokens(30, 50), 1000, &mut first);
    let (_, count) = desk.reserve("alice", tokens(0, 1), 1011, &mut second);
    assert_eq!(left(&count), [5000 - 30 - 1]);
    // It was only busy: what it owes beyond that comes with its next tick, once.
    desk.tick(1012, &mut first);
    desk.tick(1013, &mut first);
    let (_, count) = desk.reserve("alice", tokens(0, 1), 1013, &mut second);
    assert_eq!(left(&count), [5000 - 80 - 2]);
}

#[test]
fn no_number_of_callers_keeps_a_counter_that_is_always_in_use_from_waiting() {
    let mut desk = Desk::new(
        r#"[{"id":"all","total_tokens":1000000,"calendar":"day","per":"all"},
            {"id":"own","total_tokens":1000000,"calendar":"day"}]"#,
    );
    let mut worker = desk.worker();
    for round in 0..3 {
        for caller in 0..100 {
            let who = format!("caller-{round}-{caller}");
            let (reserved, count) = desk.reserve(&who, tokens(1, 9), 1000 + round, &mut worker);
            assert_eq!((count.exceeded.len(), left(&count)[1]), (0, 1_000_000 - 10));
            desk.settle(&who, reserved, tokens(1, 1), 1000 + round, &mut worker);
        }
        assert!(worker.purse.counters() <= 64);
        // What all have in common is in the purse, for sixteen calls and one.
        let (mut other, now) = (desk.worker(), 1000 + round);
        let (probe, count) = desk.reserve("probe", tokens(0, 1), now, &mut other);
        let most = 1_000_000 - (round + 1) * 200 - 1;
        assert!((most - 17 * 10..most).contains(&left(&count)[0]), "{count:?}");
        desk.settle("probe", probe, tokens(0, 0), now, &mut other);
        desk.tick(now, &mut other);
        desk.tick(now, &mut worker);
        let mut other = desk.worker();
        let (probe, count) = desk.reserve("probe", tokens(0, 1), now, &mut other);
        assert_eq!(left(&count)[0], 1_000_000 - (round + 1) * 200 - 1);
        desk.settle("probe", probe, tokens(0, 0), now, &mut other);
        desk.tick(now, &mut other);
    }
    desk.tick(1010, &mut worker);
    assert_eq!(worker.purse.counters(), 0);
}

#[test]
fn a_settlement_that_waits_outlives_a_busy_store_and_is_paid_once() {
    let (limits, _) = compile(r#"[{"id":"day","total_tokens":2000,"calendar":"day"}]"#);
    let mut host = Busy(MemoryHost::default(), 0);
    prepare("p", &mut host).unwrap();
    let (mut vm, mut conflicts) = (Vm::draw(&mut host).unwrap(), 0);
    let (who, roles, all_roles) = (user("alice"), RoleSet::default(), Roles::default());
    let (subject, models) = (subject(&who, &roles, &all_roles), Models::default());
    let mut ask = |host: &mut Busy, settle: bool, tick: bool| {
        let mut counters = Counters { namespace: "p".into(), at: at(60), vm: &mut vm, host, conflicts: &mut conflicts };
        if tick {
            limits.tick(&mut counters);
        }
        let (reserved, count) = limits.reserve(&subject, &tokens(0, 50), &models, &mut counters)?;
        if settle {
            limits.settle(reserved, &tokens(0, 5), &subject, &models, &mut counters).unwrap();
        }
        Ok::<_, HostError>(left(&count))
    };
    assert_eq!(ask(&mut host, true, false), Ok(vec![1950]));
    host.1 = u32::MAX;
    assert_eq!(ask(&mut host, true, true), Err(HostError::Failed));
    host.1 = 2;
    assert_eq!(ask(&mut host, true, false), Ok(vec![1945]));
    host.1 = 2;
    assert_eq!(ask(&mut host, false, true), Ok(vec![1940]));
}
