//! The model catalogue: aliases, the names a model answers under, and what it costs.

use std::collections::HashMap;

use super::document::{ModelDocument, PriceDocument};
use super::glob::Globs;
use super::number::Number;
use crate::config::{Path, Problem};
use crate::protocol::Usage;

/// The models that a policy knows something of. Others may be used too, where access allows them.
#[derive(Debug, Default)]
pub struct Models {
    known: Vec<Model>,
    /// Lower-case name or alias to the model.
    names: HashMap<String, usize>,
}

/// One model.
#[derive(Debug)]
pub struct Model {
    /// The provider's name for it.
    pub name: String,
    answers_as: Globs,
    price: Option<Price>,
}

/// Prices in billionths of the currency's unit per million tokens.
#[derive(Debug)]
struct Price {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    currency: String,
}

impl Models {
    /// Compiles a policy's `models`.
    pub fn compile(documents: &[ModelDocument], path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut models = Self::default();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            for name in std::iter::once(&document.name).chain(&document.aliases.0) {
                if !is_model_name(name) {
                    problems.push(
                        Problem::new(path.clone(), format!("`{name}` is no model name"))
                            .help("letters, digits and `-._:/@+`; globs go into `access`"),
                    );
                }
                if models.names.insert(name.to_ascii_lowercase(), i).is_some() {
                    problems.push(Problem::new(path.clone(), format!("the name `{name}` is there twice")));
                }
            }
            models.known.push(Model {
                name: document.name.clone(),
                answers_as: Globs::new(&document.answers_as.0),
                price: document.price.as_ref().map(|p| Price::compile(p, &path.key("price"), problems)),
            });
        }
        models
    }

    /// The model that callers mean by `name`, if the policy knows it.
    pub fn find(&self, name: &str) -> Option<&Model> {
        let found = match self.names.get(name) {
            Some(found) => found,
            None => self.names.get(&name.to_ascii_lowercase())?,
        };
        self.known.get(*found)
    }

    /// Whether an answer from `answered` is one from `asked` (aliases resolved): the same name, a dated or
    /// numbered snapshot of it, or a name the policy says it answers under.
    pub fn same(&self, asked: &str, answered: &str) -> bool {
        let (asked, answered) = (asked.to_ascii_lowercase(), answered.to_ascii_lowercase());
        let wanted = asked.strip_suffix("-latest").unwrap_or(&asked);
        // `models/gemini-2.5-pro`, `accounts/x/models/y`: some providers answer with a path.
        let bare = answered.rsplit('/').next().unwrap_or(&answered);
        if [asked.as_str(), wanted]
            .iter()
            .any(|a| [answered.as_str(), bare, family(&answered), family(bare)].contains(a))
        {
            return true;
        }
        self.find(&asked).is_some_and(|m| m.answers_as.any(&answered))
            || self.find(&answered).is_some_and(|m| m.name.eq_ignore_ascii_case(&asked))
    }

    /// What `usage` of `model` costs, in billionths of the currency's unit, and the currency.
    pub fn cost(&self, model: &str, usage: &Usage) -> Option<(u64, &str)> {
        let price = self.find(model)?.price.as_ref()?;
        let plain = usage.input.saturating_sub(usage.cache_read).saturating_sub(usage.cache_write);
        let total: u128 = [
            (plain, price.input),
            (usage.cache_read, price.cache_read),
            (usage.cache_write, price.cache_write),
            (usage.output, price.output),
        ]
        .iter()
        .map(|(tokens, price)| u128::from(*tokens) * u128::from(*price))
        .sum();
        Some((u64::try_from(total / 1_000_000).unwrap_or(u64::MAX), &price.currency))
    }
}

impl Price {
    fn compile(document: &PriceDocument, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut billionths = |key: &str, number: &Number| {
            billionths(number.as_f64()).unwrap_or_else(|| {
                problems.push(
                    Problem::new(path.key(key), "not a price")
                        .help("a number from 0 to 1,000,000 with at most 9 decimals, per million tokens"),
                );
                0
            })
        };
        let input = billionths("input", &document.input);
        let output = billionths("output", &document.output);
        let cache_read = document.cached_input.as_ref().map_or(input, |n| billionths("cached_input", n));
        let cache_write = document.cache_write.as_ref().map_or(input, |n| billionths("cache_write", n));
        if document.currency.len() != 3 || !document.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            problems.push(Problem::new(path.key("currency"), "not an ISO 4217 code").help("for example `USD`"));
        }
        Self { input, output, cache_read, cache_write, currency: document.currency.clone() }
    }
}

/// A price in billionths. Doubles hold it exactly up to the bound.
fn billionths(price: f64) -> Option<u64> {
    (0.0..=1_000_000.0).contains(&price).then(|| (price * 1e9).round() as u64)
}

/// A model's name without one suffix of a snapshot: `-2024-08-06`, `-20250219`, `@20250219`, `-0613`, `-001`.
fn family(name: &str) -> &str {
    const SHAPES: &[&str] = &["-dddd-dd-dd", "-dddddddd", "@dddddddd", "-dddd", "-ddd"];
    let fits = |tail: &str, shape: &str| {
        tail.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'd' { t.is_ascii_digit() } else { t == s })
    };
    SHAPES
        .iter()
        .find_map(|shape| {
            let (head, tail) = name.split_at_checked(name.len().checked_sub(shape.len())?)?;
            (!head.is_empty() && fits(tail, shape)).then_some(head)
        })
        .unwrap_or(name)
}

/// Whether a text can be a model's name. Anything else is refused before it is compared with anything.
pub fn is_model_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/@+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{from_tree, tree_from_json};

    fn models(json: &str) -> Models {
        let tree = tree_from_json(json).unwrap();
        let documents: Vec<ModelDocument> = from_tree(&tree, &Path::root()).unwrap();
        let mut problems = Vec::new();
        let models = Models::compile(&documents, &Path::root(), &mut problems);
        assert_eq!(problems, []);
        models
    }

    #[test]
    fn snapshots_and_aliases_answer_for_a_model() {
        let models = models(r#"[{"name":"gpt-4o","aliases":["fast"],"answers_as":["prod-4o-*"]}]"#);
        assert_eq!(models.find("FAST").unwrap().name, "gpt-4o");
        for (asked, answered, same) in [
            ("gpt-4o", "gpt-4o-2024-08-06", true),
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "prod-4o-7", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o", "gpt-4o-mini-2024-07-18", false),
            ("gpt-4", "gpt-4-0613", true),
            ("gpt-4-0613", "gpt-4-1106", false),
            ("gpt-4-0613", "gpt-4", false),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", true),
            ("claude-opus-4", "claude-opus-4@20250514", true),
            ("claude-opus-4", "claude-opus-3", false),
            ("gemini-2.5-pro", "models/gemini-2.5-pro", true),
            ("gemini-1.5-pro", "gemini-1.5-pro-001", true),
            ("model", "model-10", false),
            ("x", "-001", false),
        ] {
            assert_eq!(models.same(asked, answered), same, "{asked} answered by {answered}");
        }
    }

    #[test]
    fn cost_is_exact() {
        let models = models(r#"[{"name":"m","price":{"input":2.5,"output":10,"cached_input":0.25}},{"name":"free"}]"#);
        let usage = Usage { input: 1_000, output: 100, cache_read: 400, ..Usage::default() };
        // 600 x 2.5 + 400 x 0.25 + 100 x 10 = 2,600 millionths.
        assert_eq!(models.cost("M", &usage), Some((2_600_000, "USD")));
        assert_eq!(models.cost("free", &usage), None);
        assert_eq!(models.cost("other", &usage), None);
        let huge = Usage { input: u64::MAX, ..Usage::default() };
        assert!(models.cost("m", &huge).is_some());
    }

    #[test]
    fn names() {
        for (name, good) in
            [("gpt-4o", true), ("org/m:free@v1", true), ("", false), ("a b", false), ("\u{212a}", false)]
        {
            assert_eq!(is_model_name(name), good, "{name}");
        }
    }
}
