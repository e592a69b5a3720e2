//! What stands around a number that may be a phone number.

use super::super::bytes;
use super::super::context::{Words, words};
use super::Chain;

/// Words that name a phone number.
static NAMES: Words = words!(
    "phone phones telephone tel telf tlf mobile mob cell cellphone cellular fax whats whatsapp sms landline \
     hotline helpline voicemail telefon telefono telefone telefoon fono celular movil handy handynummer \
     rufnummer telefonnummer mobilnummer mobil mobiel gsm telefax switchboard ph viber msisdn cellulare \
     telefonu telefonszam puhelin puhelinnumero telefonnumer numer dial phonenumber phoneno sdt",
    "电话" "手机" "電話" "手機" "携帯" "전화" "휴대폰" "телефон" "Телефон" "тел." "Тел." "тел:" "Тел:" "тел " "Тел " "моб." "Моб." "τηλέφωνο"
    "τηλ" "फोन" "هاتف" "جوال" "טלפון" "โทร"
);

/// Words that often come before a phone number, and before other things.
static HINTS: Words = words!(
    "call calls called calling caller reach reached contact contacts text texted texting ring answering \
     number desk office home message messages direct emergency registered numero nummer anrufen \
     erreichbar appeler appelez llamar llame chiamare ligar bel ext extension",
    "联系" "連絡" "звоните" "номер"
);

/// Words that stand behind one: `... office`, `... fax`.
static LABELS_AFTER: Words = words!("office fax home cell mobile phone tel work whatsapp landline direct");

/// What other numbers are.
static OTHER: Words = words!(
    "order orders invoice batch part parts lines pages page pp isbn issn doi sku serial account acct card \
     ssn routing iban zip version id ids case ticket ref reference tracking error code codes port pid \
     rows bytes build range date time timestamp ts amount total price usd eur model item items product \
     patent coordinates lat lon lng latitude longitude score years expires epoch commit hash seed imei \
     passport licence license policy size offset vol volume issue article rfc section table figure nhs \
     npi vat tax tin social security cpf cnpj pesel nip regon bsn dni nif nie cif cuit rut curp rfc aadhaar pan pps ppsn nino \
     utr ein itin atin sin tfn abn acn vin swift bic securite sociale fiscal fiscale steuer personnummer cnp oib medicare dea mbi"
);

/// What the surroundings say about a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// It is called a phone number.
    Named,
    /// It may be one.
    Hinted,
    Nothing,
    /// It is called something else.
    Other,
}

/// How far to look back, and ahead.
const BEFORE: usize = 48;
const AFTER: usize = 14;
/// So near to each other, two words are one name.
const COMPOUND: usize = 14;

pub(super) fn around(chain: &Chain<'_>, start: usize, end: usize) -> Around {
    let bytes = chain.bytes;
    let [name, hint, other] = Words::nearest([&NAMES, &HINTS, &OTHER], bytes, start, BEFORE);
    let other = hash_before(bytes, start).or(other);
    // A word right before the number outweighs one farther off.
    let nearer = |word: Option<usize>| word.filter(|w| other.is_none_or(|o| *w <= o));
    // `order number 123` is an order: a mere hint does not outweigh the word it goes with.
    let hint = hint.filter(|w| other.is_none_or(|o| w + COMPOUND < o));
    if nearer(name).is_some() || chain.word_after(&LABELS_AFTER, end, AFTER) {
        Around::Named
    } else if hint.is_some() {
        Around::Hinted
    } else if other.is_some() && name.is_none() {
        Around::Other
    } else {
        Around::Nothing
    }
}

/// `#12345` is an order or an issue.
fn hash_before(bytes: &[u8], start: usize) -> Option<usize> {
    (bytes::before(bytes, start) == b'#').then_some(0)
}
