//! Where in a server's messages the values may come back that a request had placeholders for.
//!
//! In what a server answers: in the results and errors of requests. What it asks of the caller's model or user goes on to others, and gets
//! none; nor does what is followed without being read: members that hold a URI, and ids of tasks, which are sent back as they were told.

use std::ops::Range;

use super::super::texts::{Leaf, Place};
use crate::json::{Kind, Node, fold};
use crate::protocol::Channel;

/// Places of a message, or of several in a list.
#[derive(Debug, Default)]
pub struct Returns {
    /// The answers in it, in order.
    answers: Vec<Range<usize>>,
    /// What of them gets no values, in order and apart.
    never: Vec<Range<usize>>,
    /// The texts of them that a client may show joined to each other.
    texts: Vec<Range<usize>>,
}

/// How values come back into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It may be shown joined to the one before it, as a link that began there.
    Joined,
    /// It is a text by itself.
    Apart,
}

impl Returns {
    /// Reads them.
    pub fn read(root: Node<'_>) -> Self {
        let mut returns = Self::default();
        match root.kind() {
            Kind::Array => root.items().for_each(|message| returns.message(message)),
            _ => returns.message(root),
        }
        returns
    }

    /// Of a body that is an answer itself.
    pub fn whole(root: Node<'_>) -> Self {
        let mut returns = Self { answers: vec![root.span()], ..Self::default() };
        returns.skip(root, true);
        returns
    }

    fn message(&mut self, message: Node<'_>) {
        if message.get("method").is_some() {
            return;
        }
        // In the order in which they stand.
        for (key, value) in message.entries() {
            if matches!(&*key.text(), "result" | "error") {
                self.answers.push(value.span());
                self.skip(value, true);
            }
        }
    }

    /// `shows`: not in data for a program.
    fn skip(&mut self, node: Node<'_>, shows: bool) {
        node.items().for_each(|item| self.skip(item, shows));
        for (key, value) in node.entries() {
            match (is_followed(&key.text()), value.string()) {
                (true, _) => self.never.push(value.span()),
                (false, Some(token)) if shows && key.text() == "text" => self.texts.push(token.inner_span()),
                (false, Some(_)) => {}
                (false, None) => self.skip(value, shows && key.text() != "structuredContent"),
            }
        }
    }

    /// How values come back into a leaf, if they do.
    pub fn way(&self, leaf: &Leaf<'_>) -> Option<Way> {
        let Place::Value(_) = leaf.place else { return None };
        let span = leaf.place.span();
        let within = |ranges: &[Range<usize>]| {
            let after = ranges.partition_point(|range| range.start <= span.start);
            after.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|range| span.end <= range.end)
        };
        let returns = leaf.of.channel == Channel::ToolResult && within(&self.answers) && !within(&self.never);
        returns.then(|| if within(&self.texts) { Way::Joined } else { Way::Apart })
    }
}

/// Members whose values are fetched, or sent to somebody else.
fn is_followed(name: &str) -> bool {
    let name = fold(name);
    matches!(name.as_str(), "inputrequests" | "elicitations" | "taskid")
        || ["uri", "url", "href", "src", "icons", "link", "image", "endpoint", "uris", "urls", "links"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Side;
    use crate::json::{Document, Limits};
    use crate::protocol::walk_messages;

    #[test]
    fn values_come_back_into_answers() {
        let json = r#"[{"jsonrpc":"2.0","id":"no","result":{"content":[{"type":"yes","text":"yes"},{"uri":"no","resource":{"text":"yes","Base_URL":"no"}}],
            "structuredContent":{"no":["yes",{"imageUrl":{"x":"no"}}]},"inputRequests":{"q":{"method":"m","params":{"odd":"no"}}},"_meta":{"x":"no"},"task":{"taskId":"no"}}},
            {"method":"notifications/message","params":{"data":"no"}},{"id":1,"error":{"message":"yes","data":{"elicitations":[{"message":"no"}]}}},
            {"id":1,"method":"sampling/createMessage","params":{"x":"no"},"result":"no"}]"#;
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let returns = Returns::read(document.root());
        let mut seen = 0;
        walk_messages(Side::Response, document.root(), &mut |leaf: Leaf<'_>| {
            if let Place::Value(token) = leaf.place
                && ["yes", "no"].contains(&&*token.text())
            {
                assert_eq!(returns.way(&leaf).is_some(), token.text() == "yes", "{:?}", leaf.place.span());
                seen += 1;
            }
        });
        assert_eq!(seen, 16);
    }
}
