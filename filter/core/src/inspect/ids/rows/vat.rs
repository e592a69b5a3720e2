//! Numbers of value added tax with the prefix of their country: the European Union (annex of the VIES service's
//! questions and answers) and the United Kingdom.

use super::super::rules::{Rule, TEN, digit, long_number, luhn_of, mod11_10, number, sum, value};
use super::super::{Row, Type, words};
use super::northern_europe::is_pps;
use super::southern_europe::{has_office, is_afm, is_cif, is_nie, is_nif};

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::DeVatId, &["DE ddddddddd", "DE ddd ddd ddd"], &[Rule::Is(|s| s.get(2..).is_some_and(mod11_10))],
        words!("ust ustid ustidnr umsatzsteuer umsatzsteueridentifikationsnummer uid vat mwst steuer"), (0.75, 0.7),
    ),
    Row::new(
        Type::EuVatId,
        &[
            "AT Udddddddd", "BE dddddddddd", "BE dddd.ddd.ddd", "BG ddddddddd", "BG dddddddddd", "CY ddddddddu", "CZ dddddddd",
            "CZ ddddddddd", "CZ dddddddddd", "DK dddddddd", "DK dd dd dd dd", "EE ddddddddd", "EL ddddddddd", "ES xdddddddx",
            "FI dddddddd", "FR xxddddddddd", "FR xx ddd ddd ddd", "HR ddddddddddd", "HU dddddddd", "IE dddddddu", "IE ddddddduu",
            "IE dxdddddu", "IT ddddddddddd", "LT ddddddddd", "LT dddddddddddd", "LU dddddddd", "LV ddddddddddd", "MT dddddddd",
            "NL dddddddddBdd", "NL ddddddddd Bdd", "PL dddddddddd", "PT ddddddddd", "RO dddddddddd", "RO ddddddddd", "RO dddddddd",
            "SE dddddddddddd", "SI dddddddd", "SK dddddddddd",
        ],
        &[Rule::Is(is_european)],
        words!("vat vatin ust uid tva iva btw moms mwst nif dph dic alv afm pdv tax vies", "ΑΦΜ" "ДДС"), (0.6, 0.6),
    ),
    Row::new(
        Type::UkVatNumber, &["GB ddddddddd", "GB ddd dddd dd", "XI ddddddddd"],
        &[Rule::Is(|s| s.get(2..).is_some_and(is_british))],
        words!("vat"), (0.65, 0.7),
    ),
];

fn is_british(digits: &[u8]) -> bool {
    // Since 2009 also with 55 more, or 42.
    let total = sum(digits, &[8, 7, 6, 5, 4, 3, 2]) + digits.get(7..9).map_or(0, number);
    total > 0 && matches!(total % 97, 0 | 42 | 55)
}

/// What stands behind the prefix holds its country's rule.
fn is_european(symbols: &[u8]) -> bool {
    let Some((country, s)) = symbols.split_at_checked(2) else { return false };
    let zero = |weights: &[u8], modulus: u32| sum(s, weights).is_multiple_of(modulus);
    let last = digit(s, s.len() - 1);
    let fits = match country {
        b"AT" => {
            let digits = s.get(1..).unwrap_or_default();
            let doubled = super::super::rules::cross_sum(digits, &[1, 2, 1, 2, 1, 2, 1]);
            TEN.get(((doubled + 4) % 10) as usize) == digits.last()
        }
        b"BE" => s.get(..8).map_or(0, number) % 97 + s.get(8..).map_or(0, number) == 97 && digit(s, 0) < 2,
        b"BG" if s.len() == 9 => {
            let check = match sum(s, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
                10 => sum(s, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10,
                n => n,
            };
            check == last
        }
        b"BG" => {
            sum(s, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == last
                || sum(s, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 == (11 - last) % 11
                || sum(s, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == last
        }
        b"CY" => {
            const ODD: &[u32; 10] = &[1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
            let at = |i: usize| digit(s, i) as usize;
            let odd: u32 = [0, 2, 4, 6].iter().map(|i| ODD.get(at(*i)).copied().unwrap_or(0)).sum();
            let even: u32 = [1, 3, 5, 7].iter().map(|i| digit(s, *i)).sum();
            s.last() == Some(&(b'A' + ((odd + even) % 26) as u8))
        }
        b"CZ" if s.len() == 8 => {
            let check = (11 - sum(s, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            (if check == 0 { 1 } else { check }) % 10 == last
        }
        b"CZ" if s.len() == 10 => number(s.get(..9).unwrap_or_default()) % 11 % 10 == last,
        b"CZ" => super::super::rules::is_date(s, super::super::rules::Order::YmdWomen),
        b"DK" => zero(&[2, 7, 6, 5, 4, 3, 2, 1], 11),
        b"EE" => zero(&[3, 7, 1, 3, 7, 1, 3, 7, 1], 10),
        b"EL" => is_afm(s),
        b"ES" => is_cif(s) || is_nif(s.get(..8).unwrap_or_default(), s) || is_nie(s),
        b"FI" => zero(&[7, 9, 10, 5, 8, 4, 2, 1], 11),
        b"FR" => {
            let key = s.get(..2).unwrap_or_default();
            let siren = s.get(2..).unwrap_or_default();
            let numeric = key.iter().all(u8::is_ascii_digit);
            luhn_of(siren) && (!numeric || (12 + 3 * (number(siren) % 97)) % 97 == number(key))
        }
        b"HR" => mod11_10(s),
        b"HU" => zero(&[9, 7, 3, 1, 9, 7, 3, 1], 10),
        b"IE" => is_pps(s) || s.get(1).is_some_and(|b| !b.is_ascii_digit()),
        b"IT" => luhn_of(s) && has_office(s),
        b"LT" if s.len() == 9 => {
            let check = match sum(s, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11 {
                10 => sum(s, &[3, 4, 5, 6, 7, 8, 9, 1]) % 11 % 10,
                n => n,
            };
            check == last
        }
        b"LT" => {
            let check = match sum(s, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]) % 11 {
                10 => sum(s, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4]) % 11 % 10,
                n => n,
            };
            check == last
        }
        b"LU" => s.get(..6).map_or(0, number) % 89 == s.get(6..).map_or(0, number),
        b"LV" => digit(s, 0) < 4 || sum(s, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3,
        b"MT" => zero(&[3, 4, 6, 7, 8, 9, 10, 1], 37),
        b"NL" => {
            let bsn = (sum(s, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * digit(s, 8)).is_multiple_of(11);
            bsn || super::super::super::checks::mod97(symbols.iter().copied()) == 1
        }
        b"PL" => sum(s, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == last,
        b"PT" => b"00987654321".get((sum(s, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) as usize) == s.last(),
        b"RO" => {
            let (digits, weights) = (s.get(..s.len() - 1).unwrap_or_default(), [2u32, 3, 5, 7, 1, 2, 3, 5, 7]);
            let total: u32 = digits.iter().rev().zip(weights).map(|(d, w)| value(*d) * w).sum();
            total * 10 % 11 % 10 == last
        }
        b"SE" => s.ends_with(b"01") && s.get(..10).is_some_and(luhn_of),
        b"SI" => match 11 - sum(s, &[8, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => false,
            n => n % 10 == last,
        },
        b"SK" => long_number(s).is_multiple_of(11),
        _ => false,
    };
    fits && s.iter().any(|b| Some(b) != s.first())
}
