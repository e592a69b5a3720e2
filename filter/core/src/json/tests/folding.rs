//! Case folding against the tables of regex-syntax, which has them from the Unicode database.

use std::collections::{HashMap, HashSet};

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::super::fold;

/// All characters that differ from `char` only in case, by Unicode's simple case folding.
fn orbit(char: char) -> Vec<char> {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(char, char)]);
    class.case_fold_simple();
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

/// Characters that the tables of regex-syntax do not know; std may be a version of Unicode ahead.
fn unassigned() -> HashSet<char> {
    match regex_syntax::parse(r"\p{Cn}").unwrap().into_kind() {
        HirKind::Class(Class::Unicode(class)) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
        _ => panic!("no class"),
    }
}

#[test]
fn joins_exactly_what_unicode_joins() {
    let mut groups: HashMap<String, Vec<char>> = HashMap::new();
    for char in '\0'..=char::MAX {
        groups.entry(fold(&char.to_string())).or_default().push(char);
    }
    let unassigned = unassigned();
    for char in ('\0'..=char::MAX).filter(|char| !unassigned.contains(char)) {
        let folded = fold(&char.to_string());
        let mut expected = orbit(char);
        if ['i', 'I', 'İ', 'ı'].contains(&char) {
            expected = vec!['I', 'i', 'İ', 'ı'];
        }
        let mut group = groups[&folded].clone();
        group.retain(|char| !unassigned.contains(char));
        assert_eq!(group, expected, "{char:?} U+{:04X}", u32::from(char));
    }
}

#[test]
fn folding_twice_changes_nothing() {
    for char in '\0'..=char::MAX {
        let once = fold(&char.to_string());
        assert_eq!(fold(&once), once, "U+{:04X}", u32::from(char));
    }
}
