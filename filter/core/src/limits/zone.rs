//! Where a calendar's day begins: an offset from UTC, or a POSIX TZ rule with daylight saving time
//! (POSIX.1-2024, section 8.3: `CET-1CEST,M3.5.0,M10.5.0/3`).
//!
//! Names of the IANA data base (`Europe/Berlin`) are not read: the filter has no such tables.

use crate::calendar::{civil, days};

const DAY: i64 = 86_400;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Seconds east of Greenwich.
    standard: i64,
    summer: Option<Summer>,
}

/// When summer time is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    /// Seconds east of Greenwich.
    offset: i64,
    from: Change,
    to: Change,
}

/// `Mm.w.d/time`, by the clock in force before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    month: u32,
    /// 1 to 5; 5 is the last one of the month.
    week: u32,
    /// 0 is Sunday.
    weekday: i64,
    /// Seconds behind midnight.
    time: i64,
}

impl Zone {
    /// Greenwich.
    pub const UTC: Zone = Zone { standard: 0, summer: None };

    /// Reads `UTC`, `+05:30`, or a POSIX rule.
    pub fn read(text: &str) -> Option<Self> {
        if matches!(text, "UTC" | "Z") {
            return Some(Self::UTC);
        }
        if let Some(offset) = iso_offset(text) {
            return Some(Self { standard: offset, summer: None });
        }
        let rest = name(text)?;
        let (west, rest) = clock(rest, 24)?;
        let standard = -west;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let rest = name(rest)?;
        let (offset, rest) = match rest.strip_prefix(',') {
            Some(_) => (standard + 3600, rest),
            None => clock(rest, 24).map(|(west, rest)| (-west, rest))?,
        };
        let (from, to) = rest.strip_prefix(',')?.split_once(',')?;
        Some(Self { standard, summer: Some(Summer { offset, from: change(from)?, to: change(to)? }) })
    }

    /// Seconds east of Greenwich at `utc`, in seconds since 1970.
    pub fn offset(&self, utc: i64) -> i64 {
        let Some(summer) = &self.summer else { return self.standard };
        let (year, _, _) = civil((utc + self.standard).div_euclid(DAY));
        let from = summer.from.at(year) - self.standard;
        let to = summer.to.at(year) - summer.offset;
        let on = match from < to {
            true => (from..to).contains(&utc),
            // South of the equator, summer goes over the turn of the year.
            false => !(to..from).contains(&utc),
        };
        if on { summer.offset } else { self.standard }
    }

    /// The instant at which clocks show `local` seconds (since 1970, as if they were UTC). Of two, the first; an hour that
    /// summer time leaves out begins when it would have.
    pub fn instant(&self, local: i64) -> i64 {
        let summer = self.summer.as_ref().map_or(self.standard, |s| s.offset);
        let candidates = [local - self.standard, local - summer];
        let shows = |at: &i64| at + self.offset(*at) == local;
        let first = candidates.iter().copied().filter(shows).min();
        first.unwrap_or_else(|| candidates.iter().copied().max().unwrap_or(local))
    }
}

impl Change {
    /// In local seconds of the clock before it.
    fn at(self, year: i64) -> i64 {
        let first = days(year, self.month, 1);
        // 1970 began on a Thursday.
        let weekday = (first + 4).rem_euclid(7);
        let mut day = first + (self.weekday - weekday).rem_euclid(7) + 7 * (i64::from(self.week) - 1);
        let next = if self.month == 12 { days(year + 1, 1, 1) } else { days(year, self.month + 1, 1) };
        while day >= next {
            day -= 7;
        }
        day * DAY + self.time
    }
}

/// `+05:30`, `-0800`, `+02`: seconds east of Greenwich.
fn iso_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    if !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some(parts), 5) => parts,
        (None, 2) => (rest, "0"),
        (None, 4) => rest.split_at_checked(2)?,
        _ => return None,
    };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Behind a zone's name: letters, or anything within `<>`.
fn name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        let (name, rest) = quoted.split_once('>')?;
        return (name.len() >= 3).then_some(rest);
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    (letters >= 3).then(|| text.get(letters..)).flatten()
}

/// `[+-]hh[:mm[:ss]]` in seconds, and what follows.
fn clock(text: &str, most: i64) -> Option<(i64, &str)> {
    let end = text.bytes().position(|b| !(b.is_ascii_digit() || b"+-:".contains(&b))).unwrap_or(text.len());
    let (clock, rest) = text.split_at_checked(end)?;
    let (sign, clock) = match clock.as_bytes().first()? {
        b'-' => (-1, clock.get(1..)?),
        b'+' => (1, clock.get(1..)?),
        _ => (1, clock),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in clock.split(':') {
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) || unit == 0 {
            return None;
        }
        let part: i64 = part.parse().ok()?;
        if part > if unit == 3600 { most } else { 59 } {
            return None;
        }
        seconds += part * unit;
        unit /= 60;
    }
    Some((sign * seconds, rest))
}

fn change(text: &str) -> Option<Change> {
    let (date, time) = text.split_once('/').unwrap_or((text, "2"));
    let mut parts = date.strip_prefix('M')?.split('.');
    let mut part = |least: u32, most: u32| -> Option<u32> {
        let part: u32 = parts.next()?.parse().ok()?;
        (least..=most).contains(&part).then_some(part)
    };
    let (month, week, weekday) = (part(1, 12)?, part(1, 5)?, part(0, 6)?);
    let (time, rest) = clock(time, 167)?;
    (parts.next().is_none() && rest.is_empty()).then_some(Change { month, week, weekday: i64::from(weekday), time })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(year: i64, month: u32, day: u32, hour: i64) -> i64 {
        days(year, month, day) * DAY + hour * 3600
    }

    #[test]
    fn summer_time_north_and_south() {
        let berlin = Zone::read("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-03-29 01:00 UTC, 2026-10-25 01:00 UTC.
        for (at, offset) in [
            (utc(2026, 1, 1, 0), 3600),
            (utc(2026, 3, 29, 1) - 1, 3600),
            (utc(2026, 3, 29, 1), 7200),
            (utc(2026, 10, 25, 1) - 1, 7200),
            (utc(2026, 10, 25, 1), 3600),
        ] {
            assert_eq!(berlin.offset(at), offset, "{at}");
        }
        let sydney = Zone::read("AEST-10AEDT,M10.1.0,M4.1.0/3").unwrap();
        // 2026-04-05 03:00 daylight time and 2026-10-04 02:00 standard time, both 16:00 UTC of the day before.
        for (at, hours) in [
            (utc(2026, 1, 1, 0), 11),
            (utc(2026, 4, 4, 16) - 1, 11),
            (utc(2026, 4, 4, 16), 10),
            (utc(2026, 10, 3, 16) - 1, 10),
            (utc(2026, 10, 3, 16), 11),
        ] {
            assert_eq!(sydney.offset(at), hours * 3600, "{at}");
        }
        let new_york = Zone::read("EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(new_york.offset(utc(2026, 7, 1, 0)), -4 * 3600);
        assert_eq!(new_york.offset(utc(2026, 12, 1, 0)), -5 * 3600);
    }

    #[test]
    fn clocks_that_skip_or_repeat_an_hour() {
        let berlin = Zone::read("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let local = |day, hour: i64| days(2026, 10, day) * DAY + hour * 3600;
        // 02:00 is there twice; the first one counts.
        assert_eq!(berlin.instant(local(25, 2)), utc(2026, 10, 25, 0));
        assert_eq!(berlin.instant(local(25, 3)), utc(2026, 10, 25, 2));
        assert_eq!(berlin.instant(local(25, 0)), utc(2026, 10, 24, 22));
        // 02:00 is left out: it is when 03:00 is.
        assert_eq!(berlin.instant(days(2026, 3, 29) * DAY + 2 * 3600), utc(2026, 3, 29, 1));
        for month in 1..=12 {
            for day in 1..=28 {
                let local = days(2027, month, day) * DAY;
                let instant = berlin.instant(local);
                assert_eq!(instant + berlin.offset(instant), local);
            }
        }
    }

    #[test]
    fn offsets_and_what_is_none() {
        for (text, seconds) in [
            ("UTC", 0),
            ("+05:30", 19_800),
            ("-0800", -28_800),
            ("+02", 7200),
            ("JST-9", 32_400),
            ("<+0330>-3:30", 12_600),
        ] {
            assert_eq!(Zone::read(text).map(|z| z.offset(0)), Some(seconds), "{text}");
        }
        for text in [
            "",
            "Europe/Berlin",
            "CET",
            "+5",
            "+25:00",
            "+01:60",
            "CET-1CEST",
            "CET-1CEST,M13.1.0,M10.5.0",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,M3.5.0,M10.5.0/3x",
            "CET-1CEST,J60,J300",
        ] {
            assert_eq!(Zone::read(text), None, "{text}");
        }
    }
}
