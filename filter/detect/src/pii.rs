//! Personal data: `pii.jsonl`.
//!
//! In rows of scope `single` one type is annotated, and only that is judged; in the others every value is. Values that take a
//! language model to find (`ner`) are left out. Bare numbers without context are told apart, and by type also rows that are nothing but
//! values: nothing says what those are. All that have a check rule or context count together.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::data::{Data, Row};
use crate::figures::Report;
use crate::scanner::Scanner;
use crate::tally::{Tally, covers};

/// Labels of data, and the type that is meant.
const SAME: &[(&str, &str)] = &[("MEDICAL_LICENSE", "US_DEA"), ("DE_SSN_FAKER", "DE_SOCIAL_SECURITY")];

/// Labels that name no identifier with a rule or a context, or one that is not looked for on its own.
const NOT_JUDGED: &[&str] =
    &["DATE_TIME", "DOMAIN_NAME", "URL", "DE_PLZ", "UK_POSTCODE", "TR_PHONE_NUMBER", "PH_MOBILE_NUMBER"];

/// Types that other labels stand for, too: a finding of one over a value labelled so is right.
const STANDS_FOR: &[(&str, &[&str])] = &[
    ("PHONE_NUMBER", &["TR_PHONE_NUMBER", "PH_MOBILE_NUMBER"]),
    ("PERSON", &["PERSON", "TITLE", "PREFIX"]),
    ("ADDRESS", &["ADDRESS", "LOCATION", "ZIP_CODE"]),
    ("IL_ID", &["IL_ID"]),
];

fn meant<'a>(scanner: &Scanner, label: &'a str) -> &'a str {
    match SAME.iter().find(|(from, to)| *from == label && scanner.knows(to)) {
        Some((_, to)) => to,
        None => label,
    }
}

/// Whether no word stands beside the labelled values.
fn is_bare(row: &Row) -> bool {
    let values = row.values();
    let letters = row.text.char_indices().filter(|(_, c)| c.is_alphabetic());
    !values.is_empty() && letters.into_iter().all(|(at, _)| values.iter().any(|(_, value)| value.contains(&at)))
}

/// Measures it.
///
/// # Errors
/// The data cannot be read.
pub fn measure(data: &Data, scanner: &Scanner, report: &mut Report) -> anyhow::Result<()> {
    let Some(rows) = data.rows("pii.jsonl")? else { return Ok(()) };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for row in &rows {
        let found = scanner.scan(&row.text)?;
        let values = row.values();
        let apart = match () {
            () if row.context == "noctx" => "pii-without-context",
            // Nothing is written but values.
            () if row.scope == "single" && is_bare(row) => "pii-bare",
            () => "pii",
        };
        let overall = if apart == "pii-without-context" { apart } else { "pii" };
        let mut kinds: Vec<&str> = match row.scope.as_str() {
            "single" => vec![meant(scanner, &row.entity)],
            _ => {
                let labelled = values.iter().filter(|(span, _)| !span.ner).map(|(span, _)| meant(scanner, &span.of));
                labelled.chain(found.iter().map(|f| f.kind)).collect()
            }
        };
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds.into_iter().filter(|kind| !NOT_JUDGED.contains(kind)) {
            let of_kind = |label: &str| {
                let others = STANDS_FOR.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, labels)| labels);
                meant(scanner, label) == kind || others.contains(&label)
            };
            let gold: Vec<Range<usize>> =
                values.iter().filter(|(s, _)| of_kind(&s.of)).map(|(_, at)| at.clone()).collect();
            // A sentence made for one type may hold a value of another country, labelled as that.
            let foreign = |at: &Range<usize>| {
                values.iter().any(|(s, g)| !of_kind(&s.of) && !s.ner && covers(at, g) && covers(g, at))
            };
            let hits: Vec<Range<usize>> =
                found.iter().filter(|f| f.kind == kind).map(|f| f.at.clone()).filter(|at| !foreign(at)).collect();
            let needed: Vec<Range<usize>> =
                values.iter().filter(|(s, _)| of_kind(&s.of) && !s.ner).map(|(_, at)| at.clone()).collect();
            let mut tally = Tally::default();
            tally.add(&gold, &hits);
            // What takes a language model is right where it is found, and not missed where it is not.
            tally.gold = needed.len();
            tally.hit = needed.iter().filter(|g| hits.iter().any(|h| covers(h, g))).count();
            for key in [format!("{overall}/all"), format!("{apart}/{kind}"), format!("{apart}/{kind}/{}", row.source)] {
                tallies.entry(key).or_default().merge(&tally);
            }
            for at in needed.iter().filter(|g| !hits.iter().any(|h| covers(h, g))) {
                scanner.show("missed", kind, &row.text, at);
            }
            for at in hits.iter().filter(|h| !gold.iter().any(|g| covers(h, g) || covers(g, h))) {
                scanner.show("too much", kind, &row.text, at);
            }
        }
    }
    for (name, tally) in tallies {
        report.put(name, &tally);
    }
    Ok(())
}
