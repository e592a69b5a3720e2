//! The Gregorian calendar, and dates of the configuration (RFC 3339) as seconds since 1970.

/// The moment a credential ends: the given date and time, or the end of the given day in UTC.
/// `None` where it is neither.
pub(crate) fn end(text: &str) -> Option<u64> {
    moment(text, 86_400)
}

/// The moment that something begins: the given date and time, or the start of the given day in UTC.
/// `None` where it is neither.
pub(crate) fn start(text: &str) -> Option<u64> {
    moment(text, 0)
}

/// `day_seconds` are added to a date alone.
fn moment(text: &str, day_seconds: u64) -> Option<u64> {
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
    let days = days(i64::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let midnight = u64::try_from(days).ok()?.checked_mul(86_400)?;
    match time {
        None => midnight.checked_add(day_seconds),
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

/// Days since 1970 of a day of the Gregorian calendar. `month` is 1 to 12.
pub(crate) fn days(year: i64, month: u32, day: u32) -> i64 {
    // Years begin in March, so that the leap day is their last one (Howard Hinnant, "chrono-compatible date algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = i64::from((month + 9) % 12);
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1), days(2026, 11, 28)), (0, 11_017, 20_785));
        for day in (-800_000..800_000).step_by(37) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }

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
            let day = if text.len() == 10 { 86_400 } else { 0 };
            assert_eq!(start(text), Some(seconds - day), "{text}");
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
