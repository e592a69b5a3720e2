//! Financial statements: lines that name a position and its amount.

use super::run::{Look, Rule};
use super::{Type, has_word};

pub(super) const RULE: Rule = Rule { kind: Type::FinancialStatement, lines: 4, signs: 4, gap: 2, score: 0.75 };

/// Positions of balance sheets, income statements, cash flows and forecasts.
#[rustfmt::skip]
const POSITIONS: &[&str] = &[
    "revenue", "revenues", "net sales", "total sales", "turnover", "cost of sales", "cost of goods sold", "cost of revenue", "cogs", "gross profit", "gross margin", "operating expenses",
    "operating income", "operating profit", "operating loss", "ebitda", "ebit", "net income", "net profit", "net loss", "net earnings", "income tax", "income taxes", "interest expense",
    "depreciation", "amortization", "earnings per share", "total assets", "current assets", "non-current assets", "fixed assets", "total liabilities", "current liabilities",
    "long-term debt", "accounts receivable", "accounts payable", "inventory", "inventories", "goodwill", "retained earnings", "shareholders' equity", "total equity", "stockholders' equity", "cash and cash equivalents",
    "free cash flow", "cash flow", "operating cash flow", "capital expenditures", "capex", "research and development", "selling, general", "sg&a", "r&d", "arr", "mrr", "profit before tax", "profit after tax", "dividends",
    "umsatz", "umsatzerl\u{f6}se", "bilanzsumme", "jahres\u{fc}berschuss", "materialaufwand", "personalaufwand", "eigenkapital", "verbindlichkeiten", "r\u{fc}ckstellungen", "umlaufverm\u{f6}gen", "anlageverm\u{f6}gen", "betriebsergebnis", "rohertrag", "abschreibungen", "forderungen",
    "chiffre d'affaires", "r\u{e9}sultat net", "capitaux propres", "total actif", "total passif", "dettes", "amortissements", "ingresos", "beneficio neto", "activo total", "pasivo total", "patrimonio neto", "ricavi", "utile netto", "patrimonio netto",
];

pub(super) fn look(line: &[u8]) -> Look {
    if line.trim_ascii().is_empty() || !line.iter().any(u8::is_ascii_digit) {
        return if line.len() < 60 { Look::Neutral } else { Look::Other };
    }
    let digits = line.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = line.iter().filter(|b| b.is_ascii_alphabetic()).count();
    // A position and its columns, not a sentence about one.
    let tabular = letters <= 48 && digits >= 2;
    if !tabular {
        return Look::Other;
    }
    if has_word(&line.to_ascii_lowercase(), POSITIONS) { Look::Sign(1) } else { Look::Neutral }
}
