//! Dates of the configuration (RFC 3339) as seconds since 1970.

/// The moment a credential ends: the given date and time, or the end of the given day in UTC.
/// `None` where it is neither.
pub(super) fn end(text: &str) -> Option<u64> {
    let (date, time) = match text.split_at_checked(10)? {
        (date, "") => (date, None),
        (date, time) => (date, Some(time)),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some()
        || year < 1970
        || !(1..=12).contains(&month)
        || !(1..=month_days(year, month)).contains(&day)
    {
        return None;
    }
    let midnight = days_since_1970(year, month, day).checked_mul(86_400)?;
    match time {
        None => midnight.checked_add(86_400),
        Some(time) => {
            let (seconds, offset) = time_of_day(time)?;
            u64::try_from(i64::try_from(midnight + seconds).ok()? - offset).ok()
        }
    }
}

/// `T09:30:00Z` or `t09:30:00.5+02:00` as seconds of the day and the offset in seconds.
fn time_of_day(text: &str) -> Option<(u64, i64)> {
    let text = text.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = text.split_at_checked(8)?;
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    // A leap second counts as the one before it.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            fraction.get(digits..).filter(|_| digits > 0)?
        }
    };
    let offset = match rest.strip_prefix(['+', '-']) {
        None if rest.eq_ignore_ascii_case("z") => 0,
        None => return None,
        Some(offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 3600 + minutes * 60) as i64;
            if rest.starts_with('-') { -seconds } else { seconds }
        }
    };
    Some((hour * 3600 + minute * 60 + second.min(59), offset))
}

fn number(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Years from 1970, months from 1, days from 1.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let leaps = |y: u64| y / 4 - y / 100 + y / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let months: u64 = (1..month).map(|m| month_days(year, m)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::end;

    #[test]
    fn reads_dates() {
        for (text, seconds) in [
            ("1970-01-01", 86_400),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2024-02-29T12:34:56z", 1_709_210_096),
            ("2026-12-31", 1_798_761_600),
            ("2026-12-31T23:59:60Z", 1_798_761_599),
            ("2026-06-01T02:00:00.123+02:00", 1_780_272_000),
            ("2026-05-31 19:00:00-05:00", 1_780_272_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(end(text), Some(seconds), "{text}");
        }
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-10",
            "2026-1-01",
            "1969-12-31",
            "2026-01-01T",
            "2026-01-01T00:00:00",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+2:00",
            "2026-01-01T00:00Z",
            "1970-01-01T00:00:00+01:00",
            "2026-01-01x",
            "２026-01-01",
            "+026-01-01",
            "2026-01-01T00:00:00Zz",
        ] {
            assert_eq!(end(bad), None, "{bad}");
        }
    }
}
