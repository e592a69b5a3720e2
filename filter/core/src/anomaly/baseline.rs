//! What is usual for one caller, and whether what they do now is.
//!
//! For each thing that is watched there is a level of the hour and one of the day (UTC): how much so far, and the mean and
//! deviation of the logarithm of what came before. Both are exponentially weighted and robust: what lies beyond the limit counts as
//! the limit, and an hour that was flagged moves them by an eighth of what others do. Only hours in which the caller did anything are
//! learned, so that nights and weekends do not make working hours unusual.
//!
//! How much is usual in which hour of the week is kept as one byte for each, of requests alone. It raises what is expected
//! where that hour has always had more (a job on Sunday night), and halves it where three weeks have seen nothing in it or beside it.

use super::sketch::{Distinct, Names, Similar};

/// What is watched, by place.
pub const WATCHED: [&str; 9] =
    ["requests", "tokens", "cost", "denials", "names", "findings", "identifiers", "similar", "encoded"];

/// How many things are watched.
pub const N: usize = WATCHED.len();

/// Hours in a week.
pub(super) const WEEK: usize = 168;

/// Hours or days with anything in them that must have been seen before a caller is compared with their past.
const HOURS: u16 = 20;
const DAYS: u16 = 5;

/// How much one hour moves what is usual, and how much one day.
const WEIGHTS: [f32; 2] = [0.08, 0.12];

/// The least and the most that a deviation is taken to be, of logarithms.
const DEVIATIONS: (f32, f32) = (0.25, 1.0);

/// The least that is unusual, as a multiple of what is usual, by hour and by day.
const RATIOS: [f32; 2] = [4.0, 3.0];

/// So many usual days at once, in an hour and in a day, are unusual, however much a caller's hours and days differ.
const MOST_DAYS: [f32; 2] = [4.0, 6.0];

/// What nobody is flagged for in a day, as a multiple of that in an hour.
const DAY_FLOOR: f32 = 2.0;

const HOUR: u64 = 3600;

/// How to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// How long a caller must be known, in seconds.
    pub warmup: u64,
    /// Deviations that are unusual.
    pub sensitivity: f32,
    /// How long a caller counts as unusual, in seconds.
    pub hold: u64,
    /// Below these nothing is flagged, in an hour.
    pub floors: [f32; N],
    /// Above these everything is.
    pub ceilings: [f32; N],
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            warmup: 7 * 24 * HOUR,
            sensitivity: 4.5,
            hold: HOUR,
            floors: [40.0, 200_000.0, 5.0, 20.0, 8.0, 30.0, 60.0, 40.0, 200_000.0],
            ceilings: [f32::INFINITY; N],
        }
    }
}

/// What one exchange adds.
#[derive(Clone, Debug, Default)]
pub struct Sample<'a> {
    /// Tokens in and out.
    pub tokens: f32,
    /// What they cost.
    pub cost: f32,
    /// Whether it was refused.
    pub denied: bool,
    /// Digests of the model and the tools.
    pub names: &'a [u64],
    /// How much was found.
    pub findings: f32,
    /// Digests of values that were found.
    pub identifiers: &'a [u64],
    /// The similarity hash of what was asked.
    pub asked: Option<u64>,
    /// Bytes that are encoded.
    pub encoded: f32,
}

/// One level: so much so far, and what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Level {
    pub count: f32,
    /// Of the natural logarithm of 1 and the count, in thousandths.
    pub mean: u16,
    pub deviation: u16,
}

/// What is kept of one caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// When the caller was first seen, in hours since 1970; 0: never.
    pub(super) since: u32,
    pub(super) hour: u32,
    /// Hours and days that were learned.
    pub(super) hours: u16,
    pub(super) days: u16,
    /// Levels of the hour and of the day.
    pub(super) levels: [[Level; 2]; N],
    /// Of each hour of the week, how much was usual: 0 nothing, else an eighth of a logarithm each.
    pub(super) week: [u8; WEEK],
    /// What the week said of this day when it began: hours of the day itself must not make more of it usual.
    pub(super) expected: u8,
    pub(super) names: Names,
    pub(super) distinct: Distinct,
    pub(super) similar: Similar,
    /// Unusual until then, in seconds since 1970, and in what.
    pub(super) until: u32,
    pub(super) unusual: u16,
    /// What was unusual in this hour and this day.
    pub(super) flagged: [u16; 2],
    /// The requests that a throttle still lets through, and when it was asked last.
    pub(super) allowance: f32,
    pub(super) asked: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            since: 0,
            hour: 0,
            hours: 0,
            days: 0,
            levels: Default::default(),
            week: [0; WEEK],
            expected: 0,
            names: Names::default(),
            distinct: Distinct::default(),
            similar: Similar::default(),
            until: 0,
            unusual: 0,
            flagged: [0; 2],
            allowance: 0.0,
            asked: 0,
        }
    }
}

impl Level {
    fn usual(&self) -> (f32, f32) {
        (f32::from(self.mean) / 1000.0, f32::from(self.deviation) / 1000.0)
    }

    /// Learns what the count came to. `most` is what it counts as at most, as a logarithm, `n` how many came before.
    fn learn(&mut self, weight: f32, n: u16, most: f32) {
        let (mean, deviation) = self.usual();
        let x = self.count.max(0.0).ln_1p().min(most.max(mean));
        // At first a plain mean.
        let weight = if n == 0 { 1.0 } else { weight.max(1.0 / (f32::from(n) + 1.0)) };
        let moved = x - mean;
        let deviation = match n {
            0 => 0.5,
            // The mean absolute deviation of a normal distribution is 0.8 of its standard deviation.
            _ => deviation + weight.min(0.25) * (1.25 * moved.abs() - deviation),
        };
        let fixed = |value: f32| (value * 1000.0).round().clamp(0.0, f32::from(u16::MAX)) as u16;
        (self.mean, self.deviation) = (fixed(mean + weight * moved), fixed(deviation));
    }
}

impl Baseline {
    /// Adds one exchange. Answers whether the caller is unusual with it.
    pub fn add(&mut self, now: u64, sample: &Sample<'_>, tuning: &Tuning) -> bool {
        self.roll(now, tuning);
        let names = sample.names.iter().filter(|name| self.names.add(**name)).count();
        let identifiers = sample.identifiers.iter().fold(0.0, |sum, value| sum + self.distinct.add(*value));
        let similar = sample.asked.is_some_and(|hash| self.similar.add(hash));
        let added = [
            1.0,
            sample.tokens,
            sample.cost,
            f32::from(u8::from(sample.denied)),
            names as f32,
            sample.findings,
            identifiers,
            f32::from(u8::from(similar)),
            sample.encoded,
        ];
        for (levels, more) in self.levels.iter_mut().zip(added) {
            for level in levels.iter_mut() {
                level.count = (level.count + more.max(0.0)).min(1e15);
            }
        }
        let mut unusual = 0;
        for (what, more) in added.into_iter().enumerate().filter(|(_, more)| *more > 0.0) {
            for span in [0, 1] {
                let count = self.count(what, span);
                if count > self.limit(what, span, tuning) && more > 0.0 {
                    unusual |= 1 << what;
                    if let Some(flagged) = self.flagged.get_mut(span) {
                        *flagged |= 1 << what;
                    }
                }
            }
        }
        if unusual != 0 {
            if !self.is_unusual(now) {
                self.unusual = 0;
            }
            self.unusual |= unusual;
            self.until = seconds(now.saturating_add(tuning.hold));
        }
        unusual != 0
    }

    /// Whether the caller is unusual, or was a moment ago.
    pub fn is_unusual(&self, now: u64) -> bool {
        u64::from(self.until) > now
    }

    /// In what, as bits by place.
    pub fn unusual(&self, now: u64) -> u16 {
        if self.is_unusual(now) { self.unusual } else { 0 }
    }

    /// Whether enough is known to compare the caller with their past.
    pub fn is_known(&self, tuning: &Tuning) -> bool {
        let known = u64::from(self.hour.saturating_sub(self.since)) * HOUR;
        self.since > 0 && (self.hours >= HOURS || self.days >= DAYS) && known >= tuning.warmup
    }

    fn count(&self, what: usize, span: usize) -> f32 {
        self.levels.get(what).and_then(|levels| levels.get(span)).map_or(0.0, |level| level.count)
    }

    /// Beyond how much a count is unusual.
    fn limit(&self, what: usize, span: usize, tuning: &Tuning) -> f32 {
        let floor = tuning.floors.get(what).copied().unwrap_or(f32::INFINITY);
        let ceiling = match span {
            0 => tuning.ceilings.get(what).copied().unwrap_or(f32::INFINITY),
            _ => f32::INFINITY,
        };
        if !self.is_known(tuning) {
            return ceiling;
        }
        let floor = if span == 0 { floor } else { floor * DAY_FLOOR };
        (self.bound(what, span, tuning).exp() - 1.0).max(floor).min(ceiling)
    }

    /// The logarithm of that, floors aside.
    fn bound(&self, what: usize, span: usize, tuning: &Tuning) -> f32 {
        let level =
            |what: usize| self.levels.get(what).and_then(|levels| levels.get(span)).copied().unwrap_or_default();
        let (mean, deviation) = level(what).usual();
        let (requests, _) = level(0).usual();
        // What the hour of the week says of requests goes for the rest, too.
        let shift = match (span, self.expected()) {
            (0, Expected::Requests(usual)) => (usual - requests).max(0.0),
            (0, Expected::Nothing) => -std::f32::consts::LN_2,
            (0, Expected::Unknown) => 0.0,
            _ => (f32::from(self.expected) / 8.0 - requests).max(0.0),
        };
        let (least, most) = DEVIATIONS;
        let ratio = RATIOS.get(span).copied().unwrap_or(4.0).ln();
        let bound = mean + shift + (tuning.sensitivity * deviation.clamp(least, most)).max(ratio);
        // However much hours and days differ: so many whole days are never usual, in an hour or in a day.
        let day = self.levels.get(what).and_then(|levels| levels.get(1)).map_or(0.0, |level| level.usual().0);
        let whole = if span == 0 { day.max(mean + shift) } else { mean + shift };
        bound.min(whole + MOST_DAYS.get(span).copied().unwrap_or(4.0).ln())
    }

    /// What the week says of this hour.
    fn expected(&self) -> Expected {
        let at = self.hour as usize % WEEK;
        let of = |place: usize| self.week.get(place % WEEK).copied().unwrap_or(0);
        match of(at) {
            0 if self.hour.saturating_sub(self.since) >= 3 * WEEK as u32
                && of(at + 1) == 0
                && of(at + WEEK - 1) == 0 =>
            {
                Expected::Nothing
            }
            0 => Expected::Unknown,
            usual => Expected::Requests(f32::from(usual) / 8.0),
        }
    }

    /// The logarithm of the requests that the week says of this day.
    fn expected_day(&self) -> f32 {
        let first = (self.hour - self.hour % 24) as usize % WEEK;
        let hours = (0..24).filter_map(|hour| self.week.get((first + hour) % WEEK));
        hours.map(|usual| (f32::from(*usual) / 8.0).exp() - 1.0).sum::<f32>().ln_1p()
    }

    /// Moves on to the hour of `now`: what the hours before came to is learned.
    pub fn roll(&mut self, now: u64, tuning: &Tuning) {
        let hour = u32::try_from(now / HOUR).unwrap_or(u32::MAX);
        if self.since == 0 {
            (self.since, self.hour) = (hour.max(1), hour);
            return;
        }
        if hour <= self.hour {
            // A clock that went back opens no new hour.
            return;
        }
        self.learn_hour(tuning);
        let passed = hour - self.hour;
        for idle in 1..passed.min(WEEK as u32 + 1) {
            self.learn_week((self.hour + idle) as usize % WEEK, 0.0);
        }
        if hour / 24 > self.hour / 24 {
            self.learn_day(tuning);
            self.hour = hour;
            self.expected = (self.expected_day() * 8.0).clamp(0.0, 255.0) as u8;
        }
        self.hour = hour;
    }

    fn learn_hour(&mut self, tuning: &Tuning) {
        let requests = self.count(0, 0);
        let bounds = self.bounds(0, tuning);
        if self.flagged[0] & 1 == 0 {
            let requests = requests.ln_1p().min(bounds.first().copied().unwrap_or(0.0));
            self.learn_week(self.hour as usize % WEEK, requests);
        }
        self.learn(0, self.hours, bounds);
        self.hours = self.hours.saturating_add(u16::from(requests > 0.0));
        self.distinct = Distinct::default();
    }

    fn learn_day(&mut self, tuning: &Tuning) {
        let bounds = self.bounds(1, tuning);
        let some = self.count(0, 1) > 0.0;
        self.learn(1, self.days, bounds);
        self.days = self.days.saturating_add(u16::from(some));
        self.names = Names::default();
    }

    /// What counts are taken for at most.
    fn bounds(&self, span: usize, tuning: &Tuning) -> [f32; N] {
        let known = self.is_known(tuning);
        std::array::from_fn(|what| match known {
            true => {
                let floor = tuning.floors.get(what).copied().unwrap_or(0.0);
                self.bound(what, span, tuning).max(floor.ln_1p())
            }
            false => f32::INFINITY,
        })
    }

    fn learn(&mut self, span: usize, n: u16, bounds: [f32; N]) {
        let some = self.count(0, span) > 0.0;
        let flagged = self.flagged.get(span).copied().unwrap_or(0);
        let weight = WEIGHTS.get(span).copied().unwrap_or(0.1);
        for (what, (levels, most)) in self.levels.iter_mut().zip(bounds).enumerate() {
            let Some(level) = levels.get_mut(span) else { continue };
            if some {
                let weight = if flagged >> what & 1 == 1 { weight / 8.0 } else { weight };
                level.learn(weight, n, most);
            }
            level.count = 0.0;
        }
        if let Some(flagged) = self.flagged.get_mut(span) {
            *flagged = 0;
        }
    }

    fn learn_week(&mut self, at: usize, requests: f32) {
        let Some(usual) = self.week.get_mut(at) else { return };
        let x = (requests * 8.0).min(255.0);
        let old = f32::from(*usual);
        // What was once seen is halved by each week without it.
        let new =
            if old == 0.0 || x > old { old + (x - old) * if old == 0.0 { 1.0 } else { 0.5 } } else { (old + x) / 2.0 };
        *usual = new.round() as u8;
        if *usual == 1 && x == 0.0 {
            *usual = 0;
        }
    }
}

/// What the week says of an hour.
enum Expected {
    /// Not much yet, or not the same each week.
    Unknown,
    /// Nothing ever happens then.
    Nothing,
    /// The logarithm of so many requests.
    Requests(f32),
}

pub(super) fn seconds(secs: u64) -> u32 {
    u32::try_from(secs).unwrap_or(u32::MAX)
}
