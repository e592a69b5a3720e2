//! Asia.

use super::super::rules::{Order, Rule, digit, is_date, number, sum, value};
use super::super::{Row, Type, Words, words};

static INDIA: Words = words!("india indian", "भारत");
static SINGAPORE: Words = words!("singapore sg");
static KOREA: Words = words!("korea korean kr", "한국" "대한민국");
static CHINA: Words = words!("china chinese cn prc", "中国" "中國");
static TAIWAN: Words = words!("taiwan taiwanese tw", "台灣" "臺灣");
static HONG_KONG: Words = words!("hong kong hk", "香港");
static THAILAND: Words = words!("thai thailand th", "ไทย");
static MALAYSIA: Words = words!("malaysia malaysian my");
static INDONESIA: Words = words!("indonesia indonesian");
static PHILIPPINES: Words = words!("philippines philippine filipino bir ph");
static VIETNAM: Words = words!("vietnam vietnamese vn");
static JAPAN: Words = words!("japan japanese jp", "日本");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::InAadhaar, &["dddd dddd dddd", "dddddddddddd"],
        &[Rule::In(0, b"23456789"), Rule::Is(|s| !s.iter().eq(s.iter().rev())), Rule::Verhoeff],
        words!("aadhaar aadhar adhaar adhar uidai uid", "आधार"), (0.25, 0.5),
    ).of(&INDIA),
    Row::new(
        Type::InPan, &["uuuuuddddu"], &[Rule::In(3, b"ABCFGHJLPTK"), Rule::Within(5, 4, 1, 9999)],
        words!("pan permanent pancard", "पैन"), (0.6, 0.6),
    ).of(&INDIA),
    Row::new(
        Type::InGstin, &["dduuuuudddduxxx"],
        &[Rule::Is(|s| matches!(number(s.get(..2).unwrap_or_default()), 1..=38 | 97 | 99)), Rule::In(5, b"ABCFGHJLPT"), Rule::Is(is_gstin)],
        words!("gst gstin gstn"), (0.85, 0.85),
    ).of(&INDIA),
    Row::new(
        Type::InVoter, &["uuuddddddd"],
        &[Rule::Is(|s| s.get(3..).is_some_and(super::super::rules::luhn_of))],
        words!("epic voter voters election elector", "मतदाता"), (0.35, 0.35),
    ).of(&INDIA),
    Row::new(
        Type::InVoter, &["uuuddddddd"], &[], words!("epic voter voters election elector", "मतदाता"), (0.2, 0.2),
    ).of(&INDIA).named(0.8),
    Row::new(
        Type::SgNricFin, &["ldddddddl"], &[Rule::Is(is_nric)],
        words!("nric fin nrics singpass"), (0.65, 0.65),
    ).of(&SINGAPORE),
    Row::new(Type::SgNricFin, &["udddddddu"], &[Rule::In(0, b"STFGM")], words!("nric fin nrics singpass"), (0.3, 0.3)).of(&SINGAPORE).named(0.7),
    Row::new(
        Type::SgUen, &["ddddddddu"],
        &[Rule::Is(|s| b"XMKECAWLJDB".get((sum(s, &[10, 4, 9, 3, 8, 2, 7, 1]) % 11) as usize) == s.last())],
        words!("uen acra"), (0.45, 0.45),
    ).of(&SINGAPORE),
    Row::new(
        Type::SgUen, &["dddddddddu"],
        &[Rule::Within(0, 4, 1900, 2099), Rule::Is(|s| b"ZKCMDNERGWH".get((sum(s, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11) as usize) == s.last())],
        words!("uen acra"), (0.6, 0.6),
    ).of(&SINGAPORE),
    Row::new(Type::SgUen, &["uddxxddddu"], &[Rule::In(0, b"RST"), Rule::Is(is_entity)], words!("uen acra"), (0.65, 0.65)).of(&SINGAPORE),
    Row::new(
        Type::KrRrn, &["dddddd-ddddddd"], &[Rule::Date(0, Order::Ymd), Rule::In(6, b"1234")],
        words!("rrn resident rrns", "주민등록번호" "주민번호" "주민"), (0.3, 0.6),
    ).of(&KOREA),
    Row::new(
        Type::KrFrn, &["dddddd-ddddddd"], &[Rule::Date(0, Order::Ymd), Rule::In(6, b"5678")],
        words!("frn alien foreigner arc", "외국인등록번호" "외국인"), (0.3, 0.6),
    ).of(&KOREA),
    Row::new(
        Type::KrBrn, &["ddd-dd-ddddd"],
        &[Rule::Mixed, Rule::Is(|s| {
            let ninth = digit(s, 8) * 5;
            (10 - (sum(s, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + ninth / 10) % 10) % 10 == digit(s, 9)
        })],
        words!("brn business", "사업자등록번호" "사업자"), (0.25, 0.6),
    ).of(&KOREA),
    Row::new(
        Type::JpMyNumber, &["dddd dddd dddd", "dddddddddddd"],
        &[Rule::Mixed, Rule::Sum(&[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11, b"00987654321")],
        words!("mynumber individual kojin", "マイナンバー" "個人番号"), (0.2, 0.3),
    ).of(&JAPAN).named(0.8),
    Row::new(
        Type::CnRic, &["dddddddddddddddddd", "dddddddddddddddddy", "dddddd dddddddd dddy"],
        &[Rule::Is(|s| matches!(number(s.get(..2).unwrap_or_default()), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)),
          Rule::Date(6, Order::Yyyymmdd), Rule::Is(|s| s.get(..17).is_some_and(|d| d.iter().all(u8::is_ascii_digit))), Rule::Mod112],
        words!("ric shenfenzheng", "身份证" "身份證" "公民身份" "身分证"), (0.85, 0.85),
    ).of(&CHINA),
    // The same with a date that nobody was born on: named, it is one all the same, mistyped or made up.
    Row::new(
        Type::CnRic, &["dddddddddddddddddd", "dddddddddddddddddy"],
        &[Rule::Is(|s| matches!(number(s.get(..2).unwrap_or_default()), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)),
          Rule::Within(10, 2, 1, 12), Rule::Within(12, 2, 1, 31), Rule::Is(|s| s.get(..17).is_some_and(|d| d.iter().all(u8::is_ascii_digit))), Rule::Mod112],
        words!("ric shenfenzheng", "身份证" "身份證" "公民身份" "身分证"), (0.0, 0.0),
    ),
    Row::new(
        Type::TwId, &["uddddddddd"], &[Rule::In(1, b"1289"), Rule::Is(is_taiwanese)],
        words!("arc", "身分證" "身份證" "身分证" "統一編號" "居留證"), (0.4, 0.4),
    ).of(&TAIWAN),
    Row::new(
        Type::HkHkid, &["!udddddd(x)", "!uudddddd(x)"], &[Rule::Is(is_hkid)],
        words!("hkid", "身份證" "身份证"), (0.85, 0.85),
    ).of(&HONG_KONG),
    Row::new(Type::HkHkid, &["uddddddx", "uuddddddx"], &[Rule::Is(is_hkid)], words!("hkid", "身份證" "身份证"), (0.35, 0.35)).of(&HONG_KONG),
    Row::new(
        Type::ThTnin, &["d-dddd-ddddd-dd-d"],
        &[Rule::In(0, b"12345678"), Rule::Mixed, Rule::Sum(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 11, b"10987654321")],
        words!("tnin thai", "บัตรประชาชน" "ประจำตัวประชาชน" "เลขประจำตัว"), (0.3, 0.75),
    ).of(&THAILAND),
    Row::new(
        Type::MyNric, &["dddddd-dd-dddd"], &[Rule::Date(0, Order::Ymd), Rule::Is(|s| !matches!(number(s.get(6..8).unwrap_or_default()), 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97))],
        words!("nric mykad ic kad pengenalan mypr"), (0.25, 0.6),
    ).of(&MALAYSIA),
    Row::new(
        Type::IdNik, &["dddddddddddddddd", "dddd dddd dddd dddd"],
        &[Rule::Within(0, 2, 11, 96), Rule::Is(|s| s.get(6..).is_some_and(|d| is_date(d, Order::DmyDays))), Rule::Is(|s| !s.ends_with(b"0000"))],
        words!("nik ktp kependudukan ektp penduduk"), (0.3, 0.2),
    ).of(&INDONESIA),
    Row::new(
        Type::PhTin, &["ddd-ddd-ddd", "ddd-ddd-ddd-ddd", "ddd-ddd-ddd-ddddd"], &[],
        words!("tin tins bir"), (0.0, 0.1),
    ).of(&PHILIPPINES).named(0.75),
    // With a branch, beside words such as `tax id`.
    Row::new(
        Type::PhTin, &["!ddd-ddd-ddd-ddd", "!ddd-ddd-ddd-ddddd"], &[Rule::In(9, b"0")],
        words!("tin tins bir rdo"), (0.0, 0.35),
    ).of(&PHILIPPINES).named(0.8),
    Row::new(
        Type::PkCnic, &["ddddd-ddddddd-d"], &[Rule::In(0, b"12345678"), Rule::Mixed],
        words!("cnic nicop nadra cnics", "شناختی"), (0.1, 0.65),
    ),
    Row::new(
        Type::VnCccd, &["dddddddddddd", "ddd ddd ddd ddd"], &[Rule::Within(0, 3, 1, 96)],
        words!("cccd cmnd", "ước công dân" "ước"), (0.1, 0.1),
    ).of(&VIETNAM).named(0.8),
];

/// Base 36, with weights 1 and 2 and the sum of the digits of the products.
fn is_gstin(symbols: &[u8]) -> bool {
    let total: u32 = symbols
        .iter()
        .take(14)
        .enumerate()
        .map(|(i, s)| value(*s) * (1 + (i as u32 & 1)))
        .map(|product| product / 36 + product % 36)
        .sum();
    (36 - total % 36) % 36 == digit(symbols, 14)
}

fn is_nric(symbols: &[u8]) -> bool {
    let [first, rest @ ..] = symbols else { return false };
    let total = sum(rest, &[2, 7, 6, 5, 4, 3, 2]);
    let (table, total): (&[u8; 11], _) = match first {
        b'S' => (b"JZIHGFEDCBA", total),
        b'T' => (b"JZIHGFEDCBA", total + 4),
        b'F' => (b"XWUTRQPNMLK", total),
        b'G' => (b"XWUTRQPNMLK", total + 4),
        b'M' => (b"XWUTRQPNJLK", total + 3),
        _ => return false,
    };
    table.get((total % 11) as usize) == symbols.last()
}

/// Entities that are no companies: year, kind, number.
fn is_entity(symbols: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    let place = |s: &u8| ALPHABET.iter().position(|b| b == s).map(|p| p as u32);
    let weighted = symbols.iter().zip([4u32, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(s, w)| place(s).map(|p| p * w));
    let Some(total) = weighted.sum::<Option<u32>>() else { return false };
    ALPHABET.get(((total + 6) % 11) as usize) == symbols.last()
}

/// The letter counts as two digits, in an order of its own.
fn is_taiwanese(symbols: &[u8]) -> bool {
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some(place) = symbols.first().and_then(|s| LETTERS.iter().position(|l| l == s)) else { return false };
    let code = place as u32 + 10;
    let rest = symbols.get(1..).unwrap_or_default();
    (code / 10 + 9 * (code % 10) + sum(rest, &[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
}

/// One letter counts as if a space stood before it; A is 10, a space 36.
fn is_hkid(symbols: &[u8]) -> bool {
    let letters = symbols.iter().take_while(|s| s.is_ascii_uppercase()).count().min(2);
    let Some((head, digits)) = symbols.split_at_checked(letters) else { return false };
    let head = match head {
        [one] => 36 * 9 + value(*one) * 8,
        [one, two] => value(*one) * 9 + value(*two) * 8,
        _ => return false,
    };
    let check = match digits.last() {
        Some(b'A') => 10,
        Some(d @ b'0'..=b'9') => value(*d),
        _ => return false,
    };
    (head + sum(digits, &[7, 6, 5, 4, 3, 2]) + check).is_multiple_of(11)
}
