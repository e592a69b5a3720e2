//! Accounts, banks and securities.

use super::super::rules::{Rule, TEN, digit, number, value};
use super::super::{Row, Type, Words, words};

static UK: Words = words!("uk british sterling bacs");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::AbaRoutingNumber, &["ddddddddd", "dddd-dddd-d"],
        &[Rule::Is(|s| matches!(number(s.get(..2).unwrap_or_default()), 0..=12 | 21..=32 | 61..=72 | 80)),
          Rule::Mixed, Rule::Zero(&[3, 7, 1, 3, 7, 1, 3, 7, 1], 10)],
        words!("routing aba rtn transit"), (0.2, 0.45),
    ),
    // Outside the ranges of the Federal Reserve, only where it is called one.
    Row::new(
        Type::AbaRoutingNumber, &["ddddddddd", "dddd-dddd-d"], &[Rule::Mixed, Rule::Zero(&[3, 7, 1, 3, 7, 1, 3, 7, 1], 10)],
        words!("routing aba rtn"), (0.0, 0.1),
    ).named(0.8),
    Row::new(
        Type::UsBankNumber,
        &["dddddddd", "ddddddddd", "dddddddddd", "ddddddddddd", "dddddddddddd", "ddddddddddddd", "dddddddddddddd", "ddddddddddddddd",
          "dddddddddddddddd", "ddddddddddddddddd"],
        &[], words!("account accounts acct acc acctno checking savings"), (0.0, 0.0),
    ).named(0.6),
    Row::new(Type::UkBankAccount, &["!dd-dd-dd"], &[], words!("sort sortcode"), (0.0, 0.1)).of(&UK).named(0.8),
    Row::new(Type::UkBankAccount, &["dddddd"], &[], words!("sort sortcode"), (0.0, 0.0)).named(0.6),
    Row::new(Type::UkBankAccount, &["!dd-dd-dd dddddddd"], &[], words!("sort sortcode account acct"), (0.0, 0.5)).named(0.9),
    Row::new(
        Type::Clabe, &["dddddddddddddddddd", "ddd ddd ddddddddddd d"],
        &[Rule::Mixed, Rule::Sum(&[3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7], 10, TEN)],
        words!("clabe clabes interbancaria"), (0.3, 0.4),
    ),
    Row::new(
        Type::Isin, &["uuxxxxxxxxxd"], &[Rule::Is(is_isin)],
        words!("isin isins"), (0.55, 0.55),
    ),
    Row::new(Type::Cusip, &["dxxxxxxxd", "uxxxxxxxd"], &[Rule::Is(is_cusip)], words!("cusip cusips"), (0.2, 0.2)),
    Row::new(
        Type::Lei, &["xxxxxxxxxxxxxxxxxxdd"],
        &[Rule::Is(|s| s.iter().any(u8::is_ascii_alphabetic)), Rule::Mod97],
        words!("lei leis"), (0.6, 0.6),
    ),
];

/// Luhn over the symbols as numbers: A is 10.
fn is_isin(symbols: &[u8]) -> bool {
    /// Those that are no countries: the euro bonds of the clearing houses and others.
    const OTHERS: &[&[u8; 2]] = &[b"XS", b"XA", b"XB", b"XC", b"XD", b"EU"];
    let (mut total, mut double) = (0, false);
    let mut add = |d: u32| {
        let v = if double { 2 * d } else { d };
        total += v / 10 + v % 10;
        double = !double;
    };
    for symbol in symbols.iter().rev() {
        let v = value(*symbol);
        add(v % 10);
        if v > 9 {
            add(v / 10);
        }
    }
    let country = symbols.first_chunk::<2>().is_some_and(|c| OTHERS.contains(&c) || is_country(c));
    let digits = symbols.iter().filter(|s| s.is_ascii_digit()).count();
    total % 10 == 0 && country && digits >= 4
}

fn is_cusip(symbols: &[u8]) -> bool {
    let total: u32 = symbols
        .iter()
        .take(8)
        .enumerate()
        .map(|(i, s)| value(*s) * (1 + (i as u32 & 1)))
        .map(|v| v / 10 + v % 10)
        .sum();
    let digits = symbols.iter().filter(|s| s.is_ascii_digit()).count();
    digits >= 4 && (10 - total % 10) % 10 == digit(symbols, 8)
}

/// ISO 3166-1, two letters each.
const COUNTRIES: &[u8] = b"\
    ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCX\
    CYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIR\
    ISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNE\
    NFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTF\
    TGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

pub(in super::super::super) fn is_country(code: &[u8; 2]) -> bool {
    let (pairs, _) = COUNTRIES.as_chunks::<2>();
    pairs.contains(code)
}
