//! What every statement has, whatever it is about: an id, and the controls that it serves.
//!
//! Controls (`GDPR Art. 32`) decide nothing: they are checked here and kept by nobody. `doorward report` reads them out of the
//! policy's own text, where it counts what a statement did as evidence for them.

use std::collections::HashSet;

use crate::config::{Path, Problem};
use crate::identity::usable;

/// The most controls that a statement names: it serves a few paragraphs, and no whole catalogue.
const MAX_CONTROLS: usize = 32;
/// The longest control, in bytes: it becomes a row's name.
const MAX_CONTROL_BYTES: usize = 128;

/// Ids are unique within their list and printable, since they go on the record; controls are what a reader can tell apart.
pub(crate) fn check_statement<'a>(
    id: &'a str,
    controls: &[String],
    ids: &mut HashSet<&'a str>,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    let plain =
        !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@/".contains(&b));
    if !plain {
        problems.push(
            Problem::new(path.key("id"), format!("`{id}` is no id")).help("letters, digits and `-_.@/`, at most 64"),
        );
    }
    if !ids.insert(id) {
        problems.push(Problem::new(path.key("id"), format!("a second statement `{id}`")).help("ids are unique"));
    }
    check_controls(controls, &path.key("controls"), problems);
}

fn check_controls(controls: &[String], path: &Path, problems: &mut Vec<Problem>) {
    if controls.len() > MAX_CONTROLS {
        problems.push(
            Problem::new(path.clone(), format!("more than {MAX_CONTROLS} controls"))
                .help("name those that the statement serves itself"),
        );
        return;
    }
    for (i, control) in controls.iter().enumerate() {
        if control.len() > MAX_CONTROL_BYTES || !usable(control) {
            problems.push(Problem::new(path.index(i), "is empty, too long or holds control characters").help(format!(
                "write it as auditors know it, such as `GDPR Art. 32`, in at most {MAX_CONTROL_BYTES} bytes"
            )));
        } else if controls.iter().take(i).any(|other| other == control) {
            problems
                .push(Problem::new(path.index(i), format!("`{control}` is there twice")).help("remove one of them"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(controls: &[&str]) -> Vec<String> {
        let controls: Vec<String> = controls.iter().map(|&c| c.to_owned()).collect();
        let mut problems = Vec::new();
        check_statement("a", &controls, &mut HashSet::new(), &Path::root().key("access").index(0), &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn controls_are_texts_that_people_can_tell_apart() {
        assert_eq!(wrong(&["GDPR Art. 32", "§ 203 StGB", "CC6.1"]), [""; 0]);
        assert_eq!(wrong(&[&"x".repeat(128)]), [""; 0]);
        for bad in ["", " CC6.1", "CC6.1\n", "a\u{202e}b", "a\u{7f}", &"x".repeat(129), &"é".repeat(65)] {
            let found = wrong(&["CC6.1", bad]);
            assert!(found.len() == 1 && found[0].contains("access[0].controls[1]"), "{bad:?}: {found:?}");
        }
        assert!(wrong(&["CC6.1", "CC6.2", "CC6.1"])[0].contains("`CC6.1` is there twice"));
        let many: Vec<String> = (0..33).map(|i| format!("CC{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(wrong(&many[..32]), [""; 0]);
        assert_eq!(wrong(&many).len(), 1);
    }
}
