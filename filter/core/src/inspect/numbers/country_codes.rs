//! Country codes (ITU-T E.164) and how many digits a national number has behind them.

/// The least and most digits of a national number behind the country code that `digits` (values 0 to 9)
/// starts with, and the length of the code.
pub(super) fn national(digits: &[u8]) -> Option<(usize, (usize, usize))> {
    let one = u16::from(*digits.first()?);
    let two = one * 10 + u16::from(*digits.get(1)?);
    let three = two * 10 + u16::from(*digits.get(2)?);
    let code = match one {
        1 | 7 => return Some((1, (10, 10))),
        0 => return None,
        _ => two,
    };
    // Ranges are wide where numbers vary, and count special services.
    let range = match code {
        20 => (7, 10),
        27 => (9, 10),
        30 => (10, 12),
        31 => (7, 11),
        32 => (8, 9),
        33 => (9, 9),
        34 => (9, 9),
        36 => (8, 9),
        39 => (6, 12),
        40 | 41 => (9, 10),
        43 => (6, 13),
        44 => (7, 10),
        45 => (8, 8),
        46 => (7, 10),
        47 => (5, 8),
        48 => (9, 9),
        49 => (6, 13),
        51 => (8, 9),
        52 => (10, 11),
        53 => (6, 10),
        54 => (10, 11),
        55 => (8, 11),
        56 => (9, 11),
        57 => (8, 11),
        58 => (10, 10),
        60 => (7, 10),
        61 => (6, 10),
        62 => (7, 13),
        63 => (8, 13),
        64 => (8, 10),
        65 => (8, 11),
        66 => (8, 13),
        81 => (8, 13),
        82 => (8, 14),
        84 => (7, 12),
        86 => (7, 12),
        90 => (7, 13),
        91 => (8, 13),
        92 => (8, 12),
        93 | 94 => (9, 9),
        95 => (6, 10),
        98 => (8, 10),
        _ => {
            let known = matches!(
                three,
                211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299
                    | 350..=359 | 370..=383 | 385..=387 | 389 | 420 | 421 | 423 | 500..=509 | 590..=599
                    | 670 | 672..=683 | 685..=692 | 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878
                    | 880..=883 | 886 | 888 | 960..=968 | 970..=977 | 979 | 992..=996 | 998
            );
            return known.then_some((3, (4, 12)));
        }
    };
    Some((2, range))
}
