//! What every event of a stream repeats: names, ids, the model. Where nothing was found in a string, nothing is in the same
//! string at the same place of the next event, and it is not looked at again.

use crate::protocol::{Channel, Leaf, Place};

/// Strings of so many bytes are not kept: they may be bytes of a medium, which only what is around them says.
const LONGEST: usize = 64;
/// Nor are those behind so many.
const MOST: usize = 48;

/// The strings of the last events in which nothing was found, by their place.
#[derive(Default)]
pub(super) struct Known {
    strings: Vec<Option<Same>>,
    next: usize,
    /// The last event's name in which nothing was found.
    name: String,
}

#[derive(PartialEq, Eq)]
struct Same {
    text: Box<str>,
    channel: Channel,
    /// Numbers are looked at in another way.
    number: bool,
}

impl Known {
    /// An event begins.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// The name that events had, and in which nothing was found.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Nothing was found in an event's name.
    pub fn keep_name(&mut self, name: String) {
        if name.len() < LONGEST {
            self.name = name;
        }
    }

    /// Whether the event's next string is known; if not, where it goes once nothing was found in it.
    pub fn next(&mut self, leaf: &Leaf<'_>) -> Result<(), usize> {
        let at = self.next;
        self.next += 1;
        let same = self.strings.get(at).and_then(Option::as_ref).is_some_and(|same| {
            let of = same.channel == leaf.of.channel && leaf.of.tool.is_none();
            of && match leaf.place {
                Place::Value(token) | Place::Key(token, _) => !same.number && token.text() == *same.text,
                Place::Number(node) => same.number && node.number() == Some(&*same.text),
            }
        });
        if same { Ok(()) } else { Err(at) }
    }

    /// Nothing was found in the string at `at`.
    pub fn keep(&mut self, at: usize, leaf: &Leaf<'_>) {
        let (text, number) = match leaf.place {
            Place::Value(token) | Place::Key(token, _) => (token.text(), false),
            Place::Number(node) => (node.number().unwrap_or_default().into(), true),
        };
        if at >= MOST || text.len() >= LONGEST {
            return;
        }
        if self.strings.len() <= at {
            self.strings.resize_with(at + 1, || None);
        }
        if let Some(place) = self.strings.get_mut(at) {
            *place = Some(Same { text: text.as_ref().into(), channel: leaf.of.channel, number });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};
    use crate::protocol::{Api, Piece, read_event};

    #[test]
    fn only_the_same_string_at_the_same_place_is_known() {
        let mut known = Known::default();
        let mut new = |json: &str| {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            let mut new = Vec::new();
            known.begin();
            read_event(Api::OpenAiChat, None, document.root(), &mut |leaf, piece| {
                if piece == Piece::Whole
                    && let Err(at) = known.next(&leaf)
                {
                    known.keep(at, &leaf);
                    new.push(at);
                }
            });
            new
        };
        assert_eq!(new(r#"{"id":"a","created":1741570283}"#), [0, 1, 2, 3]);
        assert!(new(r#"{"id":"a","created":1741570283}"#).is_empty());
        assert_eq!(new(r#"{"id":"b","created":"1741570283"}"#), [1, 3]);
        assert_eq!(new(r#"{"created":"1741570283","id":"b"}"#), [0, 1, 2, 3]);
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(LONGEST));
        assert_eq!(new(&long), [0, 1]);
        assert_eq!(new(&long), [1]);
    }
}
