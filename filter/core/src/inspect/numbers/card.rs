//! CREDIT_CARD: payment card numbers (ISO/IEC 7812) by issuer range, length and the Luhn check.

use super::super::bytes;
use super::super::checks::luhn;
use super::super::context::{Words, words};
use super::super::types::Type;
use super::{Candidate, Number, Sep};

static CARD: Words = words!(
    "card cards cc ccn credit debit visa mastercard amex maestro discover diners jcb unionpay pan carte \
     karte kreditkarte tarjeta carta cartao kaart creditcard cardnumber payment charge charged cvv cvc",
    "卡号" "信用卡" "银行卡" "クレジットカード" "카드" "карта" "карты"
);

/// What long numbers are that are no cards.
static OTHER: Words = words!(
    "order invoice tracking batch shipment parcel ticket case ref reference imei isbn ean gtin upc \
     barcode serial timestamp ts epoch trace span request id ids uuid build seed size bytes offset"
);

/// What the issuer identification number and length say.
#[derive(Clone, Copy, PartialEq)]
enum Issuer {
    /// A range that is issued in this length, today and widely.
    Common,
    /// A range or length that is rare or ambiguous: it takes a context word.
    Rare,
    /// No range known.
    Unknown,
}

pub(super) fn find(number: &Number<'_>, found: &mut Vec<Candidate>) {
    let Some((head, _)) = number.digits.split_first_chunk::<6>() else { return };
    let issuer = issuer(head, number.digits.len());
    if *head.first().unwrap_or(&0) == 0 || !shaped(number) || !luhn(number.digits) || number.joined() {
        return;
    }
    if number.digits.iter().all(|d| Some(d) == number.digits.first()) {
        return;
    }
    let bytes = number.chain.bytes;
    let (start, end) = (number.start(), number.end());
    if bytes::before(bytes, start) == b'.' && bytes::before(bytes, start - 1).is_ascii_digit() {
        return;
    }
    let context = CARD.before(bytes, start, 64).is_some() || number.chain.word_after(&CARD, end, 24);
    let other = OTHER.before(bytes, start, 20).is_some() || bytes::before(bytes, start) == b'#';
    let score = match (issuer, context, other) {
        (Issuer::Common, true, _) => 1.0,
        (Issuer::Common, false, false) => 0.8,
        (Issuer::Common, false, true) => 0.4,
        (Issuer::Rare, true, _) => 0.9,
        (Issuer::Rare, false, false) => 0.45,
        (Issuer::Unknown, true, false) => 0.55,
        _ => return,
    };
    let test_value = is_test_card(number.digits);
    found.push(Candidate { kind: Type::CreditCard, start, end, score, checked: issuer != Issuer::Unknown, test_value });
}

/// Groups as cards are printed: in one, in fours with a rest, 4-6-5, 4-6-4, 6-13.
fn shaped(number: &Number<'_>) -> bool {
    let mut lengths = [0usize; super::WINDOW];
    let count = number.lengths().zip(lengths.iter_mut()).map(|(length, slot)| *slot = length).count();
    let separated = number.seps().all(|sep| matches!(sep, Sep::Space | Sep::Dash | Sep::Dot | Sep::Wide));
    let shape = match lengths.get(..count).unwrap_or_default() {
        [_] | [4, 6, 5] | [4, 6, 4] | [6, 13] | [6, 10] | [4, 12] | [8, 8] => true,
        [fours @ .., rest] => fours.iter().all(|l| *l == 4) && (1..=4).contains(rest),
        [] => false,
    };
    separated && shape
}

/// By the first six digits; the ranges as the schemes publish them.
fn issuer(head: &[u8; 6], length: usize) -> Issuer {
    let iin = head.iter().fold(0, |n, d| n * 10 + u32::from(*d));
    let (two, three, four) = (iin / 10_000, iin / 1_000, iin / 100);
    let known = |common: &[usize], rare: &[usize]| {
        if common.contains(&length) {
            Issuer::Common
        } else if rare.contains(&length) {
            Issuer::Rare
        } else {
            Issuer::Unknown
        }
    };
    match (two, three, four) {
        // Visa
        (40..=49, ..) => known(&[16, 19], &[13]),
        // Mastercard
        (51..=55, ..) | (.., 2221..=2720) => known(&[16], &[]),
        // American Express
        (34 | 37, ..) => known(&[15], &[]),
        // Diners Club
        (36 | 38 | 39, ..) | (_, 300..=305, _) => known(&[14], &[16, 19]),
        // JCB, also in its old ranges of 15 digits
        (.., 3528..=3589) => known(&[16], &[17, 18, 19]),
        (.., 1800 | 2131) => known(&[], &[15]),
        // Discover
        (65, ..) | (_, 644..=649, _) | (.., 6011) => known(&[16], &[17, 18, 19]),
        // UnionPay
        (62 | 81, ..) => known(&[16], &[17, 18, 19]),
        // Mir
        (.., 2200..=2204) => known(&[16], &[17, 18, 19]),
        // Dankort
        (.., 5019) => known(&[16], &[]),
        // Maestro and other ranges of 6
        (50 | 56..=58 | 60 | 61 | 63 | 64 | 66..=69, ..) => known(&[], &[12, 13, 14, 15, 16, 17, 18, 19]),
        // UATP
        (10..=19, ..) => known(&[], &[15]),
        _ => Issuer::Unknown,
    }
}

/// Numbers that schemes and payment providers publish for tests.
fn is_test_card(digits: &[u8]) -> bool {
    const PUBLISHED: &[u64] = &[
        4111111111111111,
        4242424242424242,
        4000056655665556,
        4012888888881881,
        4222222222222,
        4000000000000002,
        4000000000000077,
        4000000000009995,
        4000002500003155,
        4917610000000000,
        4444333322221111,
        5555555555554444,
        5105105105105100,
        5200828282828210,
        5454545454545454,
        5424000000000015,
        2223003122003222,
        2223000048410010,
        2222420000001113,
        378282246310005,
        371449635398431,
        378734493671000,
        370000000000002,
        341111111111111,
        6011111111111117,
        6011000990139424,
        6011000000000012,
        6011981111111113,
        3056930009020004,
        30569309025904,
        38520000023237,
        36227206271667,
        3566002020360505,
        3530111333300000,
        6200000000000005,
        6205500000000000004,
        6304000000000000,
        6759649826438453,
        5019717010103742,
    ];
    PUBLISHED.contains(&digits.iter().fold(0u64, |n, d| n.wrapping_mul(10).wrapping_add(u64::from(*d))))
}
