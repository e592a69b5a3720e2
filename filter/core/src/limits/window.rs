//! When a limit's amount is there anew: a window that slides, or one of the calendar's.

use super::zone::Zone;
use crate::calendar::{civil, days};
use crate::config::{Duration, Path, Problem};
use crate::policy::{LimitDocument, Unit};

/// Parts of a sliding window. What was used leaves part by part, so that a window never admits more than the limit: it
/// reaches back for up to one part more than it should.
pub(super) const PARTS: usize = 8;

/// When an amount is there anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// The last so many milliseconds.
    Sliding(u64),
    /// This minute, hour, day, week or month of the calendar.
    Calendar(Unit, Zone),
    /// So many milliseconds of the clock, one window after the other.
    Tumbling(u64),
    /// Only what is going on now.
    Now,
}

/// Where an instant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the part, or the window's start in seconds: greater ones are later.
    pub index: u64,
    /// How many parts count, this one included: what was used in one that is as many behind is over.
    pub parts: usize,
    /// When what is used now is over, in seconds since 1970.
    pub end: u64,
}

impl Window {
    /// Compiles a limit's window.
    pub fn compile(document: &LimitDocument, path: &Path, problems: &mut Vec<Problem>) -> Self {
        if document.zone.is_some() && document.calendar.is_none() {
            problems.push(Problem::new(path.key("zone"), "a zone without a `calendar`").help("add `calendar: day`"));
        }
        match (&document.window, document.calendar, document.concurrent) {
            (None, None, Some(_)) => Window::Now,
            (Some(window), None, None) => {
                let millis = window.as_millis();
                let whole = millis.is_multiple_of(1000);
                if !whole || !(1000..=Duration::from_secs(31 * 86_400).as_millis()).contains(&millis) {
                    problems.push(
                        Problem::new(path.key("window"), "not a window")
                            .help("whole seconds, from `1s` to `31d`; or `calendar: month`"),
                    );
                }
                Window::Sliding(millis.max(1000))
            }
            (None, Some(unit), None) => {
                let zone = document.zone.as_deref().map_or(Some(Zone::UTC), Zone::read);
                if zone.is_none() {
                    problems.push(Problem::new(path.key("zone"), "not a time zone").help(
                        "an offset (`+02:00`) or a POSIX rule (`CET-1CEST,M3.5.0,M10.5.0/3`): the last line of a zone's file \
                         below /usr/share/zoneinfo; names such as `Europe/Berlin` are not known to the filter, and \
                         `doorward render` puts their rules in",
                    ));
                }
                Window::Calendar(unit, zone.unwrap_or(Zone::UTC))
            }
            (_, _, Some(_)) => {
                problems.push(Problem::new(path.clone(), "calls at a time have no window").help("leave `window` out"));
                Window::Now
            }
            (_, _, None) => {
                problems.push(
                    Problem::new(path.clone(), "neither one `window` nor one `calendar`")
                        .help("`window: 1h` for the last hour at any time, `calendar: hour` for the clock's"),
                );
                Window::Now
            }
        }
    }

    /// Where `millis` since 1970 lies.
    pub fn place(&self, millis: u64) -> Place {
        match self {
            Window::Sliding(length) => {
                let part = (length / PARTS as u64).max(1);
                let index = millis / part;
                let end = (index + 1 + PARTS as u64).saturating_mul(part).div_ceil(1000);
                Place { index, parts: PARTS + 1, end }
            }
            Window::Tumbling(length) => {
                let length = (length / 1000).max(1);
                let start = millis / 1000 / length * length;
                Place { index: start, parts: 1, end: start.saturating_add(length) }
            }
            Window::Calendar(unit, zone) => {
                let (start, end) = calendar(*unit, zone, millis / 1000);
                Place { index: start, parts: 1, end }
            }
            Window::Now => Place { index: 0, parts: 0, end: (millis / 1000).saturating_add(1) },
        }
    }

    /// When a part is over, in seconds since 1970: what was used in it counts no more.
    pub fn over(&self, index: u64, now_millis: u64) -> u64 {
        match self {
            Window::Sliding(length) => {
                let part = (length / PARTS as u64).max(1);
                (index + 1 + PARTS as u64).saturating_mul(part).div_ceil(1000)
            }
            Window::Calendar(..) | Window::Tumbling(_) | Window::Now => self.place(now_millis).end,
        }
    }

    /// The window of a count that others keep, who know nothing of parts of windows: each has a beginning and an end.
    pub fn on_the_clock(&self) -> Self {
        match self {
            Window::Sliding(length) => Window::Tumbling(*length),
            window => window.clone(),
        }
    }
}

/// The first second of the calendar's window that `now` lies in, and of the next one.
fn calendar(unit: Unit, zone: &Zone, now: u64) -> (u64, u64) {
    let utc = i64::try_from(now).unwrap_or(i64::MAX / 4);
    let local = utc + zone.offset(utc);
    let day = local.div_euclid(86_400);
    let (start, end) = match unit {
        // Zones are whole minutes apart from each other, and hours are the clock's own.
        Unit::Minute => return edges(local, 60, utc),
        Unit::Hour => return edges(local, 3600, utc),
        Unit::Day => (day, day + 1),
        Unit::Week => {
            // 1970 began on a Thursday; weeks begin on Monday (ISO 8601).
            let monday = day - (day + 3).rem_euclid(7);
            (monday, monday + 7)
        }
        Unit::Month => {
            let (year, month, _) = civil(day);
            let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
            (days(year, month, 1), next)
        }
    };
    let at = |day: i64| u64::try_from(zone.instant(day * 86_400)).unwrap_or_default();
    (at(start), at(end))
}

/// The edges of a window of the clock, by what is left of it.
fn edges(local: i64, length: i64, utc: i64) -> (u64, u64) {
    let start = utc - local.rem_euclid(length);
    let at = |t: i64| u64::try_from(t).unwrap_or_default();
    (at(start), at(start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: u32, day: u32, hour: u64, minute: u64) -> u64 {
        u64::try_from(days(year, month, day)).unwrap() * 86_400 + hour * 3600 + minute * 60
    }

    #[test]
    fn months_and_days_are_the_zones() {
        let berlin = Zone::read("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let month = Window::Calendar(Unit::Month, berlin.clone());
        // October 2026 begins in summer time and ends in winter time.
        let place = month.place(at(2026, 10, 15, 12, 0) * 1000);
        assert_eq!((place.index, place.end), (at(2026, 9, 30, 22, 0), at(2026, 10, 31, 23, 0)));
        // Half past eleven in the evening, UTC, is the next day there.
        let day = Window::Calendar(Unit::Day, berlin.clone());
        assert_eq!(day.place(at(2026, 12, 31, 23, 30) * 1000).index, at(2026, 12, 31, 23, 0));
        // Days of 23 and of 25 hours.
        for (month, of_month, hours) in [(3, 29, 23), (10, 25, 25), (6, 1, 24)] {
            let place = day.place(at(2026, month, of_month, 12, 0) * 1000);
            assert_eq!(place.end - place.index, hours * 3600);
        }
        let week = Window::Calendar(Unit::Week, Zone::UTC);
        // 2026-11-28 is a Saturday.
        assert_eq!(week.place(at(2026, 11, 28, 1, 0) * 1000).index, at(2026, 11, 23, 0, 0));
        let hour = Window::Calendar(Unit::Hour, Zone::read("+05:30").unwrap());
        assert_eq!(hour.place(at(2026, 11, 28, 1, 10) * 1000).index, at(2026, 11, 28, 0, 30));
    }

    #[test]
    fn windows_follow_each_other_without_gaps() {
        for unit in [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month] {
            let window = Window::Calendar(unit, Zone::read("EST5EDT,M3.2.0,M11.1.0").unwrap());
            let mut now = at(2026, 1, 1, 5, 0);
            for _ in 0..400 {
                let place = window.place(now * 1000);
                assert!((place.index..place.end).contains(&now), "{unit:?} {now}");
                assert_eq!(window.place((place.end - 1) * 1000).index, place.index);
                now = place.end;
            }
        }
    }

    #[test]
    fn a_sliding_window_reaches_back_for_all_of_itself() {
        let window = Window::Sliding(8000);
        let (then, now) = (window.place(100_999), window.place(108_998));
        // Not yet eight seconds later, it still counts; when it is over, it does not.
        assert!(now.index - then.index < PARTS as u64 + 1);
        assert_eq!(then.end, 109);
        assert_eq!(window.place(109_000).index - then.index, PARTS as u64 + 1);
    }
}
