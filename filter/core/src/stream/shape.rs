//! The shape of an event, which those behind it repeat.
//!
//! A model's words come in hundreds of events that are the same, byte for byte, but for one string; some APIs add another of random
//! length, so that a listener learns nothing from sizes. What such an event means is known when its shape is: it is neither parsed nor
//! walked through, and only these two strings of it are looked at.
//!
//! **Why that is sound.** What is kept is an event that was read in full and had no effect but that of one piece of a text: it ended
//! nothing, called nothing, had no number of its own, nothing was found in any other string, and no list tells its text once more. An
//! event has its shape if it has the same name and the same bytes around strings that are read as the parser reads them: from the
//! quote on, so that a string cannot end early or late, and the parser would come to the same values. Nothing decides by what is in
//! these strings, but by what is found in them: the piece goes to its text, and the other one, which only a member may be that no API
//! gives a meaning, is scanned like every string.
//!
//! Strings as long as a medium's bytes are words if they have a space near their end, which base64 has not.
//!
//! Any other event takes the shape away, since it may change what the next one means. One shape is kept, of [`LONGEST`] bytes at most.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use super::filter::{Filter, Look, Passed};
use super::framing::Frame;
use super::text::{Last, With};
use super::token_lists::token_lists;
use crate::json::{Document, Node, escaped, string_at};
use crate::protocol::{Channel, Lane, Leaf, MIN_PAYLOAD, Piece, Place, Setting, tools};
use crate::redact::Scan;
use crate::reply::Denial;

/// Longer events are no repetition of a few words.
const LONGEST: usize = 4096;

/// Strings from here on may be the bytes of a medium, with their quotes.
const LONG: usize = MIN_PAYLOAD - 2;

/// Members of the outermost object that mean nothing: OpenAI's and Bedrock's padding, Ollama's time.
const PADDING: [&str; 3] = ["obfuscation", "p", "created_at"];

/// The shape of the last event.
pub(super) struct Shape {
    name: Option<Box<str>>,
    payload: Box<[u8]>,
    /// The strings that may be others, in the order in which they stand; whether it is the piece, or padding.
    strings: Vec<(Range<usize>, bool)>,
    /// What the piece belongs to.
    lane: Lane,
    channel: Channel,
}

/// An event of this shape.
struct Again<'p> {
    text: Cow<'p, str>,
    span: Range<usize>,
    /// The padding, quotes and all, where it is another.
    padding: Option<&'p [u8]>,
}

impl Shape {
    /// The shape of an event that had no effect but that of one piece of a text. `None` where what its strings say may matter.
    /// `judged`: calls of tools are.
    pub fn of(name: Option<&str>, document: &Document<'_>, leaves: &[(Leaf<'_>, Piece)], judged: bool) -> Option<Self> {
        let (bytes, root) = (document.bytes(), document.root());
        // Numbered events are all different.
        if name.map_or(0, str::len) + bytes.len() > LONGEST || root.get("sequence_number").is_some() {
            return None;
        }
        let mut piece = None;
        for (leaf, of) in leaves {
            match (leaf.place, of) {
                (Place::Value(token), Piece::Text(lane)) if piece.is_none() => {
                    is_words(&token.text()).then_some(())?;
                    piece = Some((token.inner_span(), *lane, leaf.of.channel));
                }
                (Place::Value(token), Piece::Whole) if token.inner_span().len() >= LONG => return None,
                (_, Piece::Whole) if leaf.of.tool.is_none() => {}
                _ => return None,
            }
        }
        let (piece, lane, channel) = piece.filter(|_| !has_more(root, judged))?;
        let is_plain = |span: &Range<usize>| {
            leaves.iter().any(|(leaf, of)| match leaf.place {
                Place::Value(token) => {
                    token.inner_span() == *span && leaf.of.channel == Channel::Metadata && *of == Piece::Whole
                }
                _ => false,
            })
        };
        let padding = PADDING.into_iter().find_map(|name| root.get(name)).and_then(|node| node.string());
        let padding = padding.map(|token| token.inner_span()).filter(is_plain);
        let mut strings = vec![(piece, true)];
        if let Some(padding) = padding {
            let at = usize::from(strings.iter().any(|(piece, _)| piece.start < padding.start));
            strings.insert(at, (padding, false));
        }
        Some(Self { name: name.map(Box::from), payload: bytes.into(), strings, lane, channel })
    }

    fn again<'p>(&self, name: Option<&str>, payload: &'p [u8]) -> Option<Again<'p>> {
        if self.name.as_deref() != name {
            return None;
        }
        let (mut from, mut at) = (0, 0);
        let (mut again, mut other) = (None, None);
        for (span, is_piece) in &self.strings {
            let around = self.payload.get(from..span.start)?;
            at += payload.get(at..)?.starts_with(around).then_some(around.len())?;
            let (text, end) = string_at(payload, at)?;
            match is_piece {
                true => again = Some((text, at..end)),
                false if end - at >= LONG => return None,
                false => {
                    let same = self.payload.get(span.clone()) == payload.get(at..end);
                    other = payload.get(at.checked_sub(1)?..end + 1).filter(|_| !same);
                }
            }
            (from, at) = (span.end, end);
        }
        let (text, span) = again.filter(|(text, _)| is_words(text))?;
        (self.payload.get(from..)? == payload.get(at..)?).then_some(Again { text, span, padding: other })
    }
}

/// Whether a string is no medium's bytes, whatever stands around it: those are long, and have no spaces at their end.
fn is_words(text: &str) -> bool {
    text.len() < LONG || text.bytes().rev().take(LONG).any(|byte| byte == b' ')
}

impl Filter {
    /// Takes an event that has the shape of the one before; whether it had it.
    pub(super) fn again(
        &mut self,
        frame: &Rc<Frame>,
        payload: &[u8],
        look: &mut Look<'_>,
        passed: &mut Passed,
    ) -> bool {
        let Some(shape) = &self.shape else { return false };
        let (lane, channel) = (shape.lane, shape.channel);
        let Some(Again { text: came, span, padding }) = shape.again(frame.event(), payload) else { return false };
        // Where the text is over, the piece begins another.
        let Some(text) = self.texts.get_mut(lane).filter(|text| !text.is_call()) else { return false };
        let mut scan = Scan::new(look.inspector, look.budget, Some(look.restore));
        if padding.is_some_and(|padding| !is_clean(padding, &mut scan)) {
            return false;
        }
        self.text_bytes = self.text_bytes.saturating_add(came.len() as u64);
        if let Some(digests) = &mut self.digests {
            digests.push(lane, &came);
        }
        if channel == Channel::Assistant {
            self.scripts.push(&came);
        }
        let call = (lane.choice, lane.part);
        let into_call = self.calls.restores(call);
        let goes = text.push(&came, &With { restore: look.restore, into_call }, &mut scan);
        text.last = (text.held() > 0).then(|| Last { frame: Rc::clone(frame), inner: None, span: span.clone() });
        if into_call && !goes.is_empty() {
            self.calls.tell(call);
        }
        passed.outcome.merge(scan.finish_texts());
        if let Some(reason) = passed.outcome.denial {
            self.refuse(Denial::new(reason), passed);
        } else if self.clean(frame, look, passed) {
            match goes == came {
                true => self.writer.keep(frame, &mut passed.bytes),
                false => self.writer.splice(frame, span, &escaped(&goes), &mut passed.bytes),
            }
            self.bound(look, passed);
        }
        true
    }
}

/// Whether nothing is found in a string, which is read as what it is: a document of its own.
fn is_clean(string: &[u8], scan: &mut Scan<'_, '_>) -> bool {
    let limits = scan.limits();
    let Ok(document) = Document::parse(string, &limits) else { return false };
    let Some(token) = document.root().string() else { return false };
    let found = scan.found();
    scan.leaf(Leaf { place: Place::Value(token), of: Setting::new(Channel::Metadata) });
    scan.found() == found
}

/// Whether an event has calls that are judged, or lists that are emptied when its text changes.
fn has_more(root: Node<'_>, judged: bool) -> bool {
    let (mut called, mut lists) = (false, Vec::new());
    if judged {
        tools::calls(root, &mut |_| {
            called = true;
            None
        });
    }
    token_lists(root, &mut lists);
    called || !lists.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Limits;
    use crate::protocol::{Api, read_event};

    fn shape(api: Api, json: &str) -> Option<Shape> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut leaves = Vec::new();
        read_event(api, Some("e"), document.root(), &mut |leaf, piece| leaves.push((leaf, piece)));
        Shape::of(Some("e"), &document, &leaves, true)
    }

    fn chunk(text: &str, rest: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]{rest}}}"#)
    }

    #[test]
    fn only_the_words_and_the_padding_may_be_others() {
        let shape = shape(Api::OpenAiChat, &chunk("Hi", r#","obfuscation":"xy""#)).unwrap();
        let again = |payload: &str| {
            let again = shape.again(Some("e"), payload.as_bytes())?;
            let padding = again.padding.map(|p| std::str::from_utf8(p).unwrap().to_owned());
            assert!(payload.get(..again.span.start)?.ends_with(r#""content":""#));
            Some((again.text.into_owned(), padding))
        };
        let found = |text: &str, padding: Option<&str>| Some((text.to_owned(), padding.map(str::to_owned)));
        assert_eq!(again(&chunk("Hi", r#","obfuscation":"xy""#)), found("Hi", None));
        assert_eq!(again(&chunk("", r#","obfuscation":"""#)), found("", Some("\"\"")));
        assert_eq!(again(&chunk(r#"\"\\\u00e9\n"#, r#","obfuscation":"\"""#)), found("\"\\é\n", Some("\"\\\"\"")));
        let (words, medium) = ("so many words ".repeat(9), "iVBORw0KGgo".repeat(9));
        assert_eq!(again(&chunk(&words, r#","obfuscation":"xy""#)), found(&words, None));
        for other in [
            chunk(&medium, r#","obfuscation":"xy""#),
            chunk("Hi", &format!(r#","obfuscation":"{medium}""#)),
            chunk("Hi", r#","obfuscation":"xy","n":1"#),
            chunk("Hi", r#","obfuscation":7"#),
            chunk("Hi", r#", "obfuscation":"xy""#),
            chunk("Hi", ""),
            chunk(r#"Hi","n":"1"#, r#","obfuscation":"xy""#),
            chunk(r#"Hi\"#, r#","obfuscation":"xy""#),
            chunk(r"\ud800", r#","obfuscation":"xy""#),
            chunk(r"\u0000", r#","obfuscation":"xy""#),
            chunk("\n", r#","obfuscation":"xy""#),
            chunk("Hi", r#","obfuscation":"xy""#) + " ",
            chunk("Hi", r#","obfuscation":"xy""#).replace("\"c\"", "\"d\""),
        ] {
            assert_eq!(again(&other), None, "{other}");
        }
        let event = chunk("Hi", r#","obfuscation":"xy""#);
        assert!(shape.again(None, event.as_bytes()).is_none() && shape.again(Some("f"), event.as_bytes()).is_none());
        assert!(shape.again(Some("e"), event.replace("Hi", "\u{1}").as_bytes()).is_none());
        let mut broken = event.into_bytes();
        let at = shape.strings[0].0.start;
        broken[at] = 0xFF;
        assert!(shape.again(Some("e"), &broken).is_none());
    }

    #[test]
    fn what_says_more_than_words_has_no_shape() {
        let chat = |rest: &str| shape(Api::OpenAiChat, &chunk("Hi", rest)).is_some();
        assert!(chat("") && chat(r#","p":"xy","usage":null"#));
        assert!(!chat(r#","sequence_number":1"#) && !chat(r#","top_tokens":[1]"#));
        assert!(
            !chat(&format!(r#","x":"{}""#, "A".repeat(62))) && !chat(&format!(r#","x":["{}"]"#, "a ".repeat(2048)))
        );
        assert!(!chat(r#","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]"#));
        for delta in [
            r#"{"content":"Hi","refusal":"no"}"#,
            r#"{"content":null}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#,
            r#"{"content":"Hi","tool_calls":[{"index":0,"function":{"name":"f"}}]}"#,
        ] {
            let json = format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
            assert!(shape(Api::OpenAiChat, &json).is_none(), "{delta}");
        }
    }
}
