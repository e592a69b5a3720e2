//! Lists of tools, prompts and resources in a result, cut to what a caller may use.
//!
//! They are recognised by their members and not by what was asked: a stream that is taken up again tells results without their
//! requests.

use std::ops::Range;

use super::{NoMessage, exact};
use crate::json::{Kind, Node, cut};

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Tools.
    Tool,
    /// Prompts.
    Prompt,
    /// Resources, or templates of their URIs.
    Resource,
}

/// Says of a member of a list whether a caller may see it: what it is, what it is called, and how it is defined.
pub type May<'a, 'd> = &'a mut dyn FnMut(Listed, &str, Node<'d>) -> bool;

/// The lists that a result may have, and which member names what is in them.
const LISTS: [(&str, &str, Listed); 4] = [
    ("tools", "name", Listed::Tool),
    ("prompts", "name", Listed::Prompt),
    ("resources", "uri", Listed::Resource),
    ("resourceTemplates", "uriTemplate", Listed::Resource),
];

/// The edits that cut the lists of a result. What is said of caching is made true of one caller only.
///
/// # Errors
/// A list cannot be read in one way only.
pub fn lists<'d>(result: Node<'d>, may: May<'_, 'd>) -> Result<Vec<(Range<usize>, String)>, NoMessage> {
    let (mut edits, mut any) = (Vec::new(), false);
    for (member, named, listed) in LISTS {
        let Some(list) = result.get(member) else { continue };
        if list.kind() != Kind::Array {
            return Err("a list of what a server has is no list");
        }
        any = true;
        let mut items = Vec::new();
        for item in list.items() {
            exact(item, &["name", "uri", "uriTemplate", "description", "inputSchema", "annotations"])?;
            // What has no name cannot be allowed.
            let keep = item.get(named).and_then(|name| name.text()).is_some_and(|name| may(listed, &name, item));
            items.push((item.span(), keep));
        }
        edits.extend(cut(&list.span(), &items).into_iter().map(|range| (range, String::new())));
    }
    // What was cut or redacted for one caller is no other's: shared caches are not to hand it on.
    match result.get("cacheScope") {
        Some(scope) if scope.text().as_deref() != Some("private") => {
            edits.push((scope.span(), "\"private\"".to_owned()));
        }
        None if any && result.get("ttlMs").is_some() => {
            let start = result.span().start.saturating_add(1);
            edits.push((start..start, "\"cacheScope\":\"private\",".to_owned()));
        }
        _ => {}
    }
    crate::sort::cold(&mut edits, |a, b| a.0.start < b.0.start);
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Edits, Limits};

    fn cut_to(json: &str, tools: &[&str]) -> Result<String, NoMessage> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut may = |listed: Listed, name: &str, _: Node<'_>| match listed {
            Listed::Tool => tools.contains(&name),
            Listed::Prompt => tools.contains(&"prompts"),
            Listed::Resource => false,
        };
        let mut edits = Edits::new();
        for (range, text) in lists(document.root(), &mut may)? {
            edits.replace(range, text).unwrap();
        }
        Ok(String::from_utf8(edits.splice(json.as_bytes())).unwrap())
    }

    #[test]
    fn lists_are_cut() {
        let all =
            r#"{"tools":[{"name":"a"},{"name":"b","x":1},{"title":"no name"},"odd",{"name":"c"}],"nextCursor":"n"}"#;
        assert_eq!(cut_to(all, &["b"]).unwrap(), r#"{"tools":[{"name":"b","x":1}],"nextCursor":"n"}"#);
        assert_eq!(cut_to(all, &[]).unwrap(), r#"{"tools":[],"nextCursor":"n"}"#);
        let others =
            r#"{"prompts":[{"name":"p"}],"resources":[{"uri":"u"}],"resourceTemplates":[{"uriTemplate":"t"}]}"#;
        assert_eq!(cut_to(others, &[]).unwrap(), r#"{"prompts":[],"resources":[],"resourceTemplates":[]}"#);
        assert!(cut_to(others, &["prompts"]).unwrap().contains(r#""prompts":[{"name":"p"}]"#));
    }

    #[test]
    fn what_one_caller_sees_is_cached_for_no_other() {
        let public = r#"{"tools":[],"cacheScope":"public","ttlMs":5}"#;
        assert_eq!(cut_to(public, &[]).unwrap(), r#"{"tools":[],"cacheScope":"private","ttlMs":5}"#);
        let unsaid = r#"{"tools":[],"ttlMs":5}"#;
        assert_eq!(cut_to(unsaid, &[]).unwrap(), r#"{"cacheScope":"private","tools":[],"ttlMs":5}"#);
        let read = r#"{"contents":[],"cacheScope":1}"#;
        assert_eq!(cut_to(read, &[]).unwrap(), r#"{"contents":[],"cacheScope":"private"}"#);
        assert_eq!(cut_to(r#"{"tools":[]}"#, &[]).unwrap(), r#"{"tools":[]}"#);
    }

    #[test]
    fn lists_that_can_be_read_in_two_ways_are_none() {
        for json in
            [r#"{"tools":{"0":{"name":"a"}}}"#, r#"{"tools":[{"Name":"a","name":"b"}]}"#, r#"{"tools":[{"NAME":"a"}]}"#]
        {
            let Ok(document) = Document::parse(json.as_bytes(), &Limits::default()) else { continue };
            assert!(lists(document.root(), &mut |_, _, _| true).is_err(), "{json}");
        }
    }
}
