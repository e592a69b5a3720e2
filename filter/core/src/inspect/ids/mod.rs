//! Identifiers that states, banks, health services and makers give: numbers and codes with a layout of their own, most with
//! check digits.
//!
//! Each is a [`Row`] of the tables in `rows`: how it is written ([`layout`]), what has to hold ([`rules`]), words that
//! name it, and how sure it is alone and when named. At each group of digits the letters before it and
//! the lengths of the first groups tell which layouts can stand there; few are read. Only for what holds all rules are
//! context words looked up, once for all rows.
//!
//! A check digit is passed by one number of ten or eleven: what has no more than that counts only where a word names it.
//! The word nearest to a number decides what it is; one that names something else (an order, a phone) takes it from what is
//! named farther off. Wallets and hardware addresses, which have no fixed layout of digits, have matchers of their own.
//!
//! What this does not do: find identifiers whose letters before the first digit are in groups (`RSS MRA 85T10..`), in
//! lower case where more than two letters stand before the first digit, or with other digits than ASCII's.

mod around;
mod form;
mod layout;
mod mac;
mod rows;
mod rules;
mod wallet;

use super::bytes::{self, ALPHA, DIGIT};
use super::context::{Words, words};
use super::numbers::hangs;
use super::types::Type;
use super::{Candidate, Selection, Sight};
use around::{Around, Lexicon};
use form::Text;
use layout::{Follows, LEADS, MAX, Match, RUNS, Variant, separator_before};
use rows::TABLES;
use rules::Rule;

pub(super) use layout::{Place, separator};
pub(super) use mac::find as mac;
pub(super) use rows::is_country;
pub(super) use rules::{mod11_10, verhoeff};
pub(super) use wallet::Shape as WalletShape;

/// An identifier.
struct Row {
    kind: Type,
    layouts: &'static [&'static str],
    rules: &'static [Rule],
    /// Words that name it.
    words: Words,
    /// Words that name its country: with one of these, a common word for an identifier names it too.
    country: Option<&'static Words>,
    /// How sure it is alone, without separators and with those of its layout; and when it is named.
    alone: (f32, f32),
    named: f32,
    /// How far behind it words are looked for.
    after: usize,
}

impl Row {
    const fn new(
        kind: Type,
        layouts: &'static [&'static str],
        rules: &'static [Rule],
        words: Words,
        alone: (f32, f32),
    ) -> Self {
        Self { kind, layouts, rules, words, country: None, alone, named: 0.9, after: AFTER }
    }

    const fn of(self, country: &'static Words) -> Self {
        Self { country: Some(country), ..self }
    }

    const fn named(self, named: f32) -> Self {
        Self { named, ..self }
    }

    const fn after(self, after: usize) -> Self {
        Self { after, ..self }
    }

    /// Whether more than its layout was checked.
    fn is_checked(&self) -> bool {
        !self.rules.is_empty()
    }
}

/// Words for identifiers of any country.
static COMMON: Words =
    words!("id ids identity identification identifier national citizen tax taxpayer fiscal tin vat ssn social");

/// Words for them beside the name of a country.
static NUMBER: Words =
    words!("number numbers no nr num code personal social security insurance registration document ssn");

/// Countries: a common word beside one of them is said of no other.
static COUNTRIES: Words = words!(
    "us usa american uk gb british irish ireland swedish sweden finnish finland danish denmark norwegian norway \
     iceland icelandic dutch netherlands belgian belgium german germany deutsche de french france fr austrian \
     austria swiss switzerland ch polish poland pl czech slovak italian italy spanish spain es portuguese \
     portugal pt greek greece romanian romania bulgarian bulgaria croatian croatia slovenian slovenia estonian \
     estonia latvian latvia lithuanian lithuania russian russia ukrainian ukraine turkish turkey tr south african \
     za israel israeli indian india australian australia au canadian canada ca singapore sg korean korea kr \
     japanese japan jp chinese china cn taiwan tw hong thai thailand malaysian malaysia indonesian indonesia \
     philippine philippines pakistan pakistani vietnamese vietnam brazilian brazil br mexican mexico mx argentina \
     argentine ar chilean chile colombian colombia nigerian nigeria egypt saudi kenya",
    "росси" "中国" "한국" "日本" "भारत"
);

/// What other numbers are.
static OTHER: Words = words!(
    "order orders invoice tracking batch ticket case isbn issn ean gtin upc barcode sku part parts serial lot \
     item items passport passports driver drivers tel telephone phone phones telefon telefono telefone mobile \
     mobil movil handy cell fax call whatsapp zip postcode timestamp epoch amount total price model catalog page \
     pages version commit build session port"
);

/// How far context words are looked for, and other words; and behind a number.
const BEFORE: usize = 64;
const NEAR: usize = 24;
const AFTER: usize = 24;
/// What common words add, and other words take; and how sure it must be alone for the former.
const HINT: f32 = 0.2;
const HINTED: f32 = 0.35;
const DOUBT: f32 = 0.35;

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The layouts by what they start with.
pub(super) struct Index {
    rows: Vec<&'static Row>,
    lexicon: Lexicon,
    variants: Vec<Variant>,
    /// By letters before the first digits and how many of these.
    cells: Vec<Cell>,
}

/// Variants, each in its order, by what stands behind the first digits.
#[derive(Clone, Default)]
struct Cell {
    /// Nothing that belongs to it.
    whole: Vec<u16>,
    /// A separator: those that go on behind one, and those that are whole.
    separated: Vec<u16>,
    /// A letter.
    lettered: Vec<u16>,
}

impl Index {
    pub(super) fn new() -> Self {
        let rows: Vec<&'static Row> = rows().collect();
        let layouts = rows.iter().enumerate().flat_map(|(i, row)| row.layouts.iter().map(move |l| (i as u16, *l)));
        let variants: Vec<Variant> = layouts.flat_map(|(row, layout)| Variant::of(row, layout)).collect();
        let mut cells = vec![Cell::default(); (LEADS + 1) * (RUNS + 1)];
        for (variant, id) in variants.iter().zip(0u16..) {
            for (lead, run, follows) in variant.heads() {
                let Some(cell) = cells.get_mut(lead * (RUNS + 1) + run) else { continue };
                match follows {
                    Follows::Nothing => {
                        cell.whole.push(id);
                        cell.separated.push(id);
                    }
                    Follows::Separator => cell.separated.push(id),
                    Follows::Letter => cell.lettered.push(id),
                }
            }
        }
        Self { lexicon: Lexicon::new(&rows), rows, variants, cells }
    }

    fn cell(&self, lead: usize, run: usize) -> Option<&Cell> {
        self.cells.get(lead * (RUNS + 1) + run.min(RUNS))
    }

    fn row(&self, variant: &Variant) -> Option<&'static Row> {
        self.rows.get(usize::from(variant.row)).copied()
    }

    /// The places of every layout that is not found where groups of digits are, with its kind.
    pub(super) fn watched(&self) -> impl Iterator<Item = (Type, Vec<Place>)> + '_ {
        let watched = self.variants.iter().filter(|variant| !variant.digits);
        let rows = watched.filter_map(|variant| Some((self.row(variant)?.kind, variant.places().collect())));
        rows.chain(mac::LAYOUTS.iter().map(|layout| (Type::MacAddress, layout.bytes().map(Place::of).collect())))
    }
}

/// The kinds that are found by their digits alone, and whether other layouts lead to them too.
pub(super) fn kinds() -> impl Iterator<Item = (Type, bool, bool)> {
    rows().map(|row| {
        let of = |digits: bool| row.layouts.iter().any(|l| Variant::of(0, l).any(|v| v.digits == digits));
        (row.kind, of(true), of(false))
    })
}

/// The longest value of a kind, in bytes, and how far before it is looked.
pub(super) fn reach(kind: Type) -> (usize, usize) {
    let longest = match kind {
        Type::Crypto => wallet::LONGEST,
        Type::MacAddress => 17,
        _ => {
            let layouts = rows().filter(|row| row.kind == kind).flat_map(|row| row.layouts);
            layouts.flat_map(|l| Variant::of(0, l)).map(|v| v.longest()).max().unwrap_or(0)
        }
    };
    (longest, BEFORE + 2)
}

/// What is looked for, and where.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) index: &'s Index,
    pub(super) selection: &'s Selection,
    pub(super) sight: Sight,
}

impl Scope<'_> {
    pub(super) fn has(&self, kind: Type) -> bool {
        self.selection.contains(kind.id())
    }
}

/// Looks for identifiers whose first digits are those from `at` to `end`.
pub(super) fn find(bytes: &[u8], (at, end): (usize, usize), scope: Scope<'_>, found: &mut Vec<Candidate>) {
    let lead = ALPHA.run_back(bytes, at, LEADS + 1);
    let run = end - at;
    if scope.has(Type::MacAddress) {
        mac::dashed(bytes, at, found);
    }
    if lead <= LEADS {
        from(bytes, at - lead, (lead, run), end, scope, found);
    }
    if lead > 0 {
        return;
    }
    // `DE 123456789`
    let Some((_, width)) = separator_before(bytes, at) else { return };
    let lead = ALPHA.run_back(bytes, at - width, LEADS + 1);
    if (1..=LEADS).contains(&lead) {
        from(bytes, at - width - lead, (lead, run), end, scope, found);
    }
}

/// Looks for those that start at `start` with so many letters and so many digits behind them, which end at `end`.
fn from(
    bytes: &[u8],
    start: usize,
    (lead, run): (usize, usize),
    end: usize,
    scope: Scope<'_>,
    found: &mut Vec<Candidate>,
) {
    let (start, lead) = match bytes::escape_before(bytes, start + 1) && lead > 0 {
        // `\nAB123456C`
        true => (start + 1, lead - 1),
        false => (start, lead),
    };
    if !starts_free(bytes, start) {
        return;
    }
    if start + lead + run == end && matches!(lead, 0 | 2) && scope.has(Type::Crypto) {
        wallet::find(bytes, start, scope.sight, found);
    }
    let Some(cell) = scope.index.cell(lead, run) else { return };
    let (cell, second) = match separator(bytes.get(end..).unwrap_or_default()) {
        Some((_, width)) if !cell.separated.is_empty() => (&cell.separated, DIGIT.run(bytes, end + width, RUNS)),
        Some(_) => return,
        None if bytes::at(bytes, end).is_ascii_alphanumeric() => (&cell.lettered, 0),
        None => (&cell.whole, 0),
    };
    // Digits that are not in groups are the same for every layout.
    let run_of_digits = bytes.get(start..end).filter(|digits| digits.len() == run && run <= MAX);
    let (mut around, mut text) = (None, None);
    for id in cell {
        let Some(variant) = scope.index.variants.get(usize::from(*id)) else { continue };
        super::work::add(1);
        if !variant.may_read(second) {
            continue;
        }
        let Some(row) = scope.index.row(variant) else { continue };
        // What is not looked for may take numbers from others, but only where numbers are watched.
        if !(scope.has(row.kind) || variant.digits && scope.has(Type::PhoneNumber)) {
            continue;
        }
        let read = match run_of_digits.filter(|_| variant.digits && !variant.formed) {
            Some(digits) => Some((Match::compact(end), digits)),
            None => variant.read(text.get_or_insert_with(|| Text::at(bytes, start))),
        };
        let Some((read, symbols)) = read else { continue };
        if !ends_free(bytes, start, &read) || !row.rules.iter().all(|rule| rules::holds(rule, symbols)) {
            continue;
        }
        let around = around.get_or_insert_with(|| Around::read(&scope.index.lexicon, bytes, start));
        let score = around.score(row, variant.row, &read, bytes, scope.sight);
        found.push(Candidate {
            kind: row.kind,
            start,
            end: read.end,
            score,
            checked: row.is_checked(),
            test_value: false,
        });
    }
}

/// Whether nothing before makes a value that starts at `start` a part of something else.
fn starts_free(bytes: &[u8], start: usize) -> bool {
    let before = bytes::before(bytes, start);
    let earlier = bytes::before(bytes, start.saturating_sub(1));
    match before {
        b'_' | b'$' | b'@' | b'%' | b'&' | b'~' | b'+' | b'^' => false,
        b'.' | b'/' | b':' | b',' => !earlier.is_ascii_digit(),
        b'-' => !hangs(bytes, start) && earlier != b'-',
        _ => !before.is_ascii_alphanumeric() || bytes::escape_before(bytes, start),
    }
}

/// Whether it is no part of something longer: nothing goes on behind it, and no group of digits before or behind it is
/// joined to it as its own are to each other.
fn ends_free(bytes: &[u8], start: usize, read: &Match) -> bool {
    let next = bytes::at(bytes, read.end);
    if next.is_ascii_alphanumeric() || matches!(next, b'_' | b'@') {
        return false;
    }
    if read.formed
        && let Some((sep, width)) = separator_before(bytes, start)
        && sep == read.seps.0
        && bytes::before(bytes, start - width).is_ascii_digit()
    {
        return false;
    }
    let Some((sep, width)) = separator(bytes.get(read.end..).unwrap_or_default()) else { return true };
    let beyond = bytes::at(bytes, read.end + width);
    match sep {
        b'-' if beyond.is_ascii_alphanumeric() => false,
        b'.' | b'/' | b':' if beyond.is_ascii_digit() => false,
        sep => !(read.formed && sep == read.seps.1 && beyond.is_ascii_digit()),
    }
}
