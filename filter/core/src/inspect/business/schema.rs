//! Database schemas: statements that make or change tables, with their columns.

use super::run::{Look, Rule};
use super::{Type, has_word};

pub(super) const RULE: Rule = Rule { kind: Type::SqlSchema, lines: 1, signs: 4, gap: 4, score: 0.8 };

const TYPES: &[&str] = &[
    "int",
    "integer",
    "bigint",
    "smallint",
    "tinyint",
    "serial",
    "bigserial",
    "varchar",
    "varchar2",
    "nvarchar",
    "char",
    "text",
    "boolean",
    "bool",
    "date",
    "datetime",
    "timestamp",
    "timestamptz",
    "decimal",
    "numeric",
    "number",
    "float",
    "double",
    "real",
    "uuid",
    "json",
    "jsonb",
    "blob",
    "clob",
    "bytea",
    "primary",
    "foreign",
    "references",
    "constraint",
    "unique",
];

/// `depth` counts the parentheses that are open.
pub(super) fn look(line: &[u8], open: bool, depth: &mut i32) -> Look {
    if !open && line.windows(5).all(|w| !matches!(w.first(), Some(b't' | b'T')) || !w.eq_ignore_ascii_case(b"table")) {
        return Look::Other;
    }
    let lower = line.to_ascii_lowercase();
    let starts = [
        "create table",
        "create temporary table",
        "create temp table",
        "create or replace table",
        "create external table",
        "alter table",
        "create unlogged table",
    ];
    let begins = has_word(&lower, &starts);
    if !begins && !open {
        return Look::Other;
    }
    if begins {
        *depth = 0;
    }
    for byte in &lower {
        *depth += match byte {
            b'(' => 1,
            b')' => -1,
            _ => 0,
        };
    }
    let types = TYPES.iter().map(|word| super::places(&lower, word).take(8).count()).sum::<usize>().min(16) as u8;
    let alters = has_word(
        &lower,
        &["add column", "drop column", "alter column", "modify column", "add constraint", "rename column"],
    );
    let signs = types + if begins { 2 } else { 0 } + if alters { 2 } else { 0 };
    let over = lower.ends_with(b";") || *depth <= 0 && lower.contains(&b')');
    if over {
        *depth = 0;
        return Look::Last(signs);
    }
    if signs > 0 || matches!(lower.trim_ascii(), b"(" | b"") { Look::Sign(signs) } else { Look::Neutral }
}
