use super::*;

const DAY: u64 = 86_400;
const START: u64 = 20_454 * DAY;

fn tuning() -> Tuning {
    Tuning::default()
}

/// A caller who asks `each` times in each of eight hours of `days`.
fn worker(days: u64, each: u64) -> Baseline {
    let mut baseline = Baseline::default();
    for day in 0..days {
        for hour in 8..16 {
            for i in 0..each {
                let now = START + day * DAY + hour * 3600 + i * 3600 / each;
                assert!(!baseline.add(now, &Sample { tokens: 500.0, ..Sample::default() }, &tuning()));
            }
        }
    }
    baseline
}

/// How many of these samples it takes until the caller is unusual.
fn until(baseline: &mut Baseline, start: u64, most: u64, sample: &dyn Fn(u64) -> Sample<'static>) -> Option<u64> {
    (0..most).find(|i| baseline.add(start + i, &sample(*i), &tuning())).map(|i| i + 1)
}

#[test]
fn fifty_a_day_that_turn_into_five_thousand() {
    let mut baseline = worker(10, 6);
    let start = START + 10 * DAY + 9 * 3600;
    let flagged = until(&mut baseline, start, 5000, &|_| Sample::default()).unwrap();
    assert!(flagged < 250, "{flagged}");
    let at = start + flagged;
    assert!(baseline.is_unusual(at) && baseline.unusual(at) & 1 == 1);
    assert!(!baseline.is_unusual(at + 3601));
}

#[test]
fn what_is_flagged_does_not_become_usual() {
    let mut baseline = worker(10, 6);
    for hour in 0..10 {
        let start = START + 10 * DAY + hour * 3600;
        let flagged = until(&mut baseline, start, 3000, &|_| Sample::default());
        assert!(flagged.is_some_and(|n| n < 500), "{hour}: {flagged:?}");
    }
}

#[test]
fn hours_of_a_day_do_not_raise_the_day() {
    // Three whole days in each hour: none of them is unusual by itself to somebody whose hours differ so much.
    let mut baseline = Baseline::default();
    let tuning = Tuning { sensitivity: 20.0, ..tuning() };
    for day in 0..10 {
        for i in 0..40 {
            baseline.add(START + day * DAY + 9 * 3600 + i, &Sample::default(), &tuning);
        }
    }
    let start = START + 10 * DAY;
    let flagged = (0..24 * 120).find(|i| baseline.add(start + i * 30, &Sample::default(), &tuning));
    // Six usual days, and what rounding adds.
    assert!(flagged.is_some_and(|n| n < 280), "{flagged:?}");
}

#[test]
fn the_warm_up_has_ceilings_only() {
    let mut baseline = worker(3, 6);
    let start = START + 3 * DAY;
    assert_eq!(until(&mut baseline.clone(), start, 20_000, &|_| Sample::default()), None);
    let mut tuning = tuning();
    tuning.ceilings[0] = 100.0;
    let flagged = (0..1000).find(|i| baseline.add(start + i, &Sample::default(), &tuning));
    assert_eq!(flagged, Some(100));
}

#[test]
fn denials_values_and_queries_have_baselines_of_their_own() {
    let start = START + 10 * DAY + 9 * 3600;
    let cases: [(&str, &dyn Fn(u64) -> Sample<'static>); 4] = [
        ("denials", &|_| Sample { denied: true, ..Sample::default() }),
        ("identifiers", &|i| {
            let values: Vec<u64> = (0..20).map(|v| i * 20 + v).collect();
            Sample { identifiers: values.leak(), ..Sample::default() }
        }),
        ("similar", &|_| Sample { asked: Some(0xffff_0000), ..Sample::default() }),
        ("encoded", &|_| Sample { encoded: 100_000.0, ..Sample::default() }),
    ];
    for (what, sample) in cases {
        // Few enough requests to be none of an unusual number themselves.
        let mut baseline = worker(10, 30);
        let flagged = until(&mut baseline, start, 100, sample).unwrap_or_else(|| panic!("{what}"));
        let place = WATCHED.iter().position(|w| *w == what).unwrap();
        assert_eq!(baseline.unusual(start + flagged), 1 << place, "{what}");
    }
}

#[test]
fn what_is_learned_goes_to_others_and_outlives_a_restart() {
    let baseline = worker(10, 6);
    let text = baseline.export();
    let bytes = BASE64_STANDARD_NO_PAD.decode(&text).unwrap();
    assert_eq!(bytes.len(), LEARNED);
    let mut other = Baseline::default();
    assert!(other.adopt(&bytes) && !other.adopt(&bytes));
    let start = START + 12 * DAY + 9 * 3600;
    let fresh = until(&mut Baseline::default(), start, 5000, &|_| Sample::default());
    assert_eq!(fresh, None);
    let flagged = until(&mut other, start, 5000, &|_| Sample::default());
    assert!(flagged.is_some_and(|n| n < 250), "{flagged:?}");
    // Who knows more keeps it.
    assert!(!worker(12, 6).adopt(&bytes));
    assert!(!Baseline::default().adopt(&bytes[1..]));
    assert_eq!(Baseline::read(&baseline.write()), baseline);
    assert_eq!(Baseline::read(b"no baseline"), Baseline::default());
    assert!(baseline.write().len() < 600, "{}", baseline.write().len());
}

#[test]
fn a_clock_that_goes_back_learns_nothing() {
    let mut baseline = worker(10, 6);
    let before = baseline.export();
    baseline.roll(START, &tuning());
    assert_eq!(baseline.export(), before);
}

#[test]
fn a_throttle_lets_so_many_a_minute_through() {
    let mut baseline = Baseline::default();
    let now = START;
    let passed = |baseline: &mut Baseline, now: u64| (0..100).filter(|_| baseline.throttle(now, 6).is_none()).count();
    assert_eq!(passed(&mut baseline, now), 6);
    assert_eq!(baseline.throttle(now, 6), Some(10));
    assert_eq!(passed(&mut baseline, now + 10), 1);
    assert_eq!(passed(&mut baseline, now + 600), 6);
}
