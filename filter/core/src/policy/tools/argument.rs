//! Conditions on the arguments of a call.

use regex_lite::{Regex, RegexBuilder};

use super::{place, sql};
use crate::config::{Path, Problem};
use crate::json::decimal::Decimal;
use crate::json::{Document, Kind, Limits, Node};
use crate::policy::access::same;
use crate::policy::document::{ArgumentDocument, Scalar};
use crate::policy::{Globs, Number};

/// Longer texts match no pattern: what a pattern costs grows with both.
const MAX_TEXT: usize = 4096;
/// The greatest program of a pattern, in bytes.
const MAX_PROGRAM: usize = 64 * 1024;
/// JSON inside of strings is looked into so deep.
const DEPTH: usize = 3;

/// What an argument must be.
#[derive(Debug)]
pub(super) struct Argument {
    /// As the policy writes it: on the record.
    pub pointer: String,
    steps: Vec<String>,
    one_of: Option<Vec<Scalar>>,
    glob: Globs,
    pattern: Option<Regex>,
    min: Option<Number>,
    max: Option<Number>,
    min_length: Option<u32>,
    max_length: Option<u32>,
    hosts: Globs,
    under: Vec<String>,
    sql: Vec<String>,
    required: bool,
}

impl Argument {
    pub fn compile(pointer: &str, document: &ArgumentDocument, path: &Path, problems: &mut Vec<Problem>) -> Self {
        if !pointer.starts_with('/') || pointer.len() < 2 {
            problems.push(
                Problem::new(path.clone(), format!("`{pointer}` is no JSON pointer"))
                    .help("it starts with `/`: `/to`, `/query/limit`, `/recipients/*`"),
            );
        }
        let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let pattern = document.pattern.as_ref().and_then(|pattern| {
            // By itself first, or a `)` of its own would end the group around it.
            let whole = |_| RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_PROGRAM).build();
            let built = RegexBuilder::new(pattern).size_limit(MAX_PROGRAM).build().and_then(whole);
            built
                .map_err(|e| {
                    problems.push(Problem::new(path.key("pattern"), e.to_string()).help(
                        "see the syntax of the regex-lite crate; it has no look-around, no back-references and no `\\p{..}`",
                    ));
                })
                .ok()
        });
        for (i, folder) in document.under.0.iter().enumerate() {
            if place::is_under(folder, folder) != Some(true) {
                problems.push(
                    Problem::new(path.key("under").index(i), format!("`{folder}` is no folder"))
                        .help("an absolute path, such as `/srv/share`"),
                );
            }
        }
        for (i, kind) in document.sql.0.iter().enumerate() {
            if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_lowercase()) {
                problems.push(
                    Problem::new(path.key("sql").index(i), format!("`{kind}` is no kind of statement"))
                        .help("the first word of a statement in lower case: `select`, `insert`, ..."),
                );
            }
        }
        let argument = Self {
            pointer: pointer.to_owned(),
            steps: pointer.split('/').skip(1).map(unescaped).collect(),
            one_of: (!document.one_of.0.is_empty()).then(|| document.one_of.0.clone()),
            glob: Globs::new(&document.glob.0),
            pattern,
            min: document.min.clone(),
            max: document.max.clone(),
            min_length: document.min_length,
            max_length: document.max_length,
            hosts: Globs::new(&document.hosts.0),
            under: document.under.0.clone(),
            sql: document.sql.0.clone(),
            required: document.required,
        };
        if argument.is_free() && document.pattern.is_none() && !argument.required {
            problems.push(Problem::new(path.clone(), "a condition that asks for nothing").help(
                "add `one_of`, `glob`, `pattern`, `max`, `max_length`, `hosts`, `under`, `sql` or `required: true`",
            ));
        }
        if let (Some(min), Some(max)) = (&argument.min, &argument.max)
            && min.exact() > max.exact()
        {
            problems.push(Problem::new(path.clone(), "`min` is above `max`, so nothing fits"));
        }
        argument
    }

    fn is_free(&self) -> bool {
        self.one_of.is_none()
            && self.glob.is_empty()
            && self.pattern.is_none()
            && self.min.is_none()
            && self.max.is_none()
            && self.min_length.is_none()
            && self.max_length.is_none()
            && self.hosts.is_empty()
            && self.under.is_empty()
            && self.sql.is_empty()
    }

    /// Whether it names a member of the arguments themselves.
    pub fn names(&self, member: &str) -> bool {
        self.steps.first().is_some_and(|step| step == "*" || step.eq_ignore_ascii_case(member))
    }

    /// Whether the condition holds. In an allow for every value that the pointer leads to; in a deny for any one of them.
    pub fn holds(&self, arguments: Node<'_>, deny: bool) -> bool {
        let mut values = Values { deny, there: false, decided: false };
        self.walk(arguments, &self.steps, DEPTH, &mut values);
        match (values.decided, values.there) {
            (true, _) => deny,
            (false, true) => !deny,
            (false, false) => !deny && !self.required,
        }
    }

    fn walk(&self, node: Node<'_>, steps: &[String], depth: usize, values: &mut Values) {
        if values.decided {
            return;
        }
        let Some((step, rest)) = steps.split_first() else {
            if node.is_null() && !values.deny {
                return;
            }
            values.there = true;
            values.decided = self.within(node).unwrap_or(values.deny) == values.deny;
            return;
        };
        match node.kind() {
            Kind::Object if step == "*" => node.entries().for_each(|(_, value)| self.walk(value, rest, depth, values)),
            Kind::Object => {
                if let Some(value) = node.get_folded(step) {
                    self.walk(value, rest, depth, values);
                }
            }
            Kind::Array if step == "*" => node.items().for_each(|item| self.walk(item, rest, depth, values)),
            Kind::Array => {
                // What stands in a list where an object was meant may be read as that object.
                let at = step.parse().ok().filter(|_| step.bytes().all(|b| b.is_ascii_digit()));
                match at.and_then(|at: usize| node.items().nth(at)) {
                    Some(item) => self.walk(item, rest, depth, values),
                    None => node.items().for_each(|item| self.walk(item, steps, depth.saturating_sub(1), values)),
                }
            }
            Kind::String if depth > 0 => {
                let text = node.text().unwrap_or_default();
                if !text.trim_start().starts_with(['{', '[', '"']) {
                    return;
                }
                match Document::parse(text.as_bytes(), &Limits::default()) {
                    Ok(inner) => self.walk(inner.root(), steps, depth - 1, values),
                    // What is nearly JSON may be read by somebody more lenient.
                    Err(_) => (values.there, values.decided) = (true, true),
                }
            }
            _ => {}
        }
    }

    /// `None`: it cannot be compared.
    fn within(&self, value: Node<'_>) -> Option<bool> {
        let text = value.text();
        let mut all = true;
        if let Some(accepted) = &self.one_of {
            let mut compared = accepted.iter().map(|a| same(a, value));
            all &= match compared.clone().any(|same| same == Some(true)) {
                true => true,
                false if compared.all(|same| same.is_some()) => false,
                false => return None,
            };
        }
        if self.min.is_some() || self.max.is_some() {
            let number = Decimal::parse(value.number()?)?;
            all &= self.min.as_ref().is_none_or(|min| number >= *min.exact());
            all &= self.max.as_ref().is_none_or(|max| number <= *max.exact());
        }
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = match value.kind() {
                Kind::String => text.as_ref()?.chars().count(),
                Kind::Array => value.items().count(),
                Kind::Object => value.entries().count(),
                _ => return None,
            };
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            all &= self.min_length.is_none_or(|min| length >= min) && self.max_length.is_none_or(|max| length <= max);
        }
        if !self.glob.is_empty() {
            all &= self.glob.any(text.as_ref()?);
        }
        if let Some(pattern) = &self.pattern {
            let text = text.as_ref()?;
            if text.len() > MAX_TEXT {
                return None;
            }
            all &= pattern.is_match(text);
        }
        if !self.hosts.is_empty() {
            all &= self.hosts.any(&place::host(text.as_ref()?)?);
        }
        if !self.under.is_empty() {
            let text = text.as_ref()?;
            let under: Vec<Option<bool>> = self.under.iter().map(|folder| place::is_under(text, folder)).collect();
            all &= match under.contains(&Some(true)) {
                true => true,
                false if under.contains(&None) => return None,
                false => false,
            };
        }
        if !self.sql.is_empty() {
            let kind = sql::kind(text.as_ref()?)?;
            all &= self.sql.contains(&kind);
        }
        Some(all)
    }
}

/// What came of the values that a pointer leads to.
struct Values {
    deny: bool,
    there: bool,
    /// One of them decides: it is beyond an allow, or meets a deny.
    decided: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(pointer: &str, conditions: serde_json::Value) -> Argument {
        let tree = crate::config::tree_from_json(&conditions.to_string()).unwrap();
        let document: ArgumentDocument = crate::config::from_tree(&tree, &Path::root()).unwrap();
        let mut problems = Vec::new();
        let argument = Argument::compile(pointer, &document, &Path::root(), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        argument
    }

    #[test]
    fn conditions_hold() {
        use serde_json::json;
        let cases = [
            ("/to", json!({"glob": "*@acme.com"}), r#"{"to":"a@ACME.com"}"#, true, true),
            ("/to", json!({"glob": "*@acme.com"}), r#"{"to":"a@evil.com"}"#, false, false),
            ("/to", json!({"glob": "*@acme.com"}), r#"{"TO":"a@evil.com"}"#, false, false),
            ("/to", json!({"glob": "*@acme.com"}), r#"{"to":["a@acme.com"]}"#, false, true),
            ("/to/*", json!({"glob": "*@acme.com"}), r#"{"to":["a@acme.com","b@evil.com"]}"#, false, true),
            ("/to", json!({"glob": "*@acme.com"}), r#"{}"#, true, false),
            ("/to", json!({"required": true}), r#"{}"#, false, false),
            ("/to", json!({"glob": "*@acme.com"}), r#"{"to":null}"#, true, true),
            ("/n", json!({"max": 10}), r#"{"n":10.0}"#, true, true),
            ("/n", json!({"max": 10}), r#"{"n":1e2}"#, false, false),
            ("/n", json!({"max": 10}), r#"{"n":"7"}"#, false, true),
            ("/q/limit", json!({"max": 10}), r#"{"q":"{\"limit\":99}"}"#, false, false),
            ("/q/limit", json!({"max": 10}), r#"{"q":"{\"limit\":9}"}"#, true, true),
            ("/q/limit", json!({"max": 10}), r#"{"q":"{\"limit\":9,\"limit\":99}"}"#, false, true),
            ("/q/limit", json!({"max": 10}), r#"{"q":[{"limit":99}]}"#, false, false),
            ("/a", json!({"one_of": ["x", 1, true]}), r#"{"a":1}"#, true, true),
            ("/a", json!({"one_of": ["x", "y"]}), r#"{"a":"z"}"#, false, false),
            ("/a", json!({"pattern": "[a-z]{2}"}), r#"{"a":"abc"}"#, false, false),
            ("/a", json!({"pattern": "a|b"}), r#"{"a":"b"}"#, true, true),
            ("/a", json!({"max_length": 2}), r#"{"a":"ééé"}"#, false, false),
            ("/a", json!({"max_length": 2, "min_length": 1}), r#"{"a":[1,2]}"#, true, true),
            ("/url", json!({"hosts": "*.acme.com"}), r#"{"url":"https://x.acme.com/a"}"#, true, true),
            ("/url", json!({"hosts": "*.acme.com"}), r#"{"url":"https://evil.com/.acme.com"}"#, false, false),
            ("/url", json!({"hosts": "*.acme.com"}), r#"{"url":"https://x.acme.com@evil.com"}"#, false, true),
            ("/p", json!({"under": ["/a", "/b"]}), r#"{"p":"/b/c"}"#, true, true),
            ("/p", json!({"under": ["/a", "/b"]}), r#"{"p":"/b/../c"}"#, false, false),
            ("/s", json!({"sql": "select"}), r#"{"s":"drop table t"}"#, false, false),
            ("/s", json!({"sql": "select"}), r#"{"s":"select 1; drop table t"}"#, false, true),
        ];
        for (pointer, conditions, arguments, allowed, denied) in cases {
            let argument = argument(pointer, conditions.clone());
            let document = Document::parse(arguments.as_bytes(), &Limits::default()).unwrap();
            let holds = |deny| argument.holds(document.root(), deny);
            assert_eq!((holds(false), holds(true)), (allowed, denied), "{pointer} {conditions} {arguments}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (pointer, conditions, expected) in [
            ("to", r#"{"glob":"x"}"#, "`to` is no JSON pointer"),
            ("/to", "{}", "a condition that asks for nothing"),
            ("/to", r#"{"pattern":"("}"#, "open group"),
            ("/to", r#"{"pattern":"a)|(b"}"#, "without matching"),
            ("/to", r#"{"under":"share"}"#, "`share` is no folder"),
            ("/to", r#"{"sql":"SELECT"}"#, "`SELECT` is no kind of statement"),
            ("/to", r#"{"min":2,"max":1}"#, "`min` is above `max`"),
        ] {
            let tree = crate::config::tree_from_json(conditions).unwrap();
            let document: ArgumentDocument = crate::config::from_tree(&tree, &Path::root()).unwrap();
            let mut problems = Vec::new();
            Argument::compile(pointer, &document, &Path::root(), &mut problems);
            assert!(problems.iter().any(|p| p.to_string().contains(expected)), "{expected}: {problems:?}");
        }
    }
}
