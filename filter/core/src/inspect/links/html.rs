//! URLs in HTML and in style sheets: attributes that name one, wherever they stand, and `url(...)`, `image-set(...)`
//! and `@import`.
//!
//! Only for what an attribute means is it looked which tag it stands in: `href` is followed on a click in `<a>` and
//! `<area>`, and at once in `<link>`, `<image>` and the like; `data` is a URL in `<object>`, and `url=` in `<meta>`.
//! Two readers say which tag that is, one that knows quotes and one that does not, so that neither can be led astray;
//! where they differ, it is fetched at once.

use super::super::lane::step::{NONE, Step};
use super::value::{Ends, Judge, Value};

#[derive(Debug, Default)]
pub(super) struct Html {
    /// The last name: its bytes in lower case, the last one lowest.
    word: u128,
    /// White space followed it.
    after: bool,
    /// `<` stands before it.
    led: bool,
    /// The last character.
    last: u8,
    /// The tag that is open, for a reader that knows quotes.
    tag: Option<Tag>,
    quote: Option<u8>,
    /// What follows is the value of an attribute.
    equals: bool,
    /// The same for one that does not.
    opener: Option<Tag>,
    attribute: Attribute,
    style: Attribute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Anchor,
    Object,
    Meta,
    Other,
}

/// A URL in the value of an attribute, or in a style sheet.
#[derive(Debug, Default)]
enum Attribute {
    #[default]
    Idle,
    /// Behind `=` or `(`; where a backslash stands, if that is last.
    Before(Kind, Option<usize>),
    In(Value, Kind),
    /// Between two items of a `srcset`.
    Between(Kind, Option<u8>),
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    image: bool,
    /// Several URLs.
    set: bool,
    style: bool,
}

impl Html {
    /// `paragraph`: the character ended one.
    pub(super) fn step(&mut self, step: &Step<'_>, paragraph: bool, judge: &mut Judge<'_>) {
        let byte = step.byte;
        self.attribute.step(step, judge);
        self.style.step(step, judge);
        // `\n` written as two characters separates.
        let escape = self.last == b'\\' && matches!(byte, b'n' | b'r' | b't');
        if !escape && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_' | b'@')) {
            if self.after || self.word == 0 {
                (self.word, self.led) = (0, self.last == b'<');
                self.after = false;
            }
            self.word = self.word << 8 | u128::from(byte.to_ascii_lowercase());
            self.equals = false;
            self.last = byte;
            return;
        }
        self.last = byte;
        if self.word != 0 && self.led {
            self.led = false;
            let tag = Tag::of(self.word);
            self.opener = Some(tag);
            self.tag.get_or_insert(tag);
        }
        if byte.is_ascii_whitespace() || escape {
            self.after = true;
            if paragraph {
                (self.tag, self.quote, self.opener) = (None, None, None);
            }
            return;
        }
        let word = std::mem::take(&mut self.word);
        let after = std::mem::take(&mut self.after);
        match byte {
            b'=' => {
                if let Some(kind) = self.named(word) {
                    self.attribute.start(kind, step, judge);
                }
            }
            b'(' if !after && (is_named(word, b"url") || is_named(word, b"image-set")) => {
                self.style.start(STYLE, step, judge);
            }
            b'"' | b'\'' if is_named(word, b"@import") => {
                self.style.start(STYLE, step, judge);
                self.style.step(step, judge);
            }
            _ => {}
        }
        self.track(byte);
    }

    /// Follows tags.
    fn track(&mut self, byte: u8) {
        if self.tag.is_some() {
            match (self.quote, byte) {
                (Some(quote), _) if byte == quote => self.quote = None,
                (Some(_), _) => {}
                (None, b'>') => self.tag = None,
                (None, b'"' | b'\'') if self.equals => self.quote = Some(byte),
                (None, _) => {}
            }
        }
        self.equals = byte == b'=';
        if byte == b'>' {
            self.opener = None;
        }
    }

    /// What the attribute `word` names, if it names a URL.
    fn named(&self, word: u128) -> Option<Kind> {
        let within = |tag: Tag| self.tag == Some(tag) || self.opener == Some(tag);
        let any = |names: &[&[u8]]| names.iter().any(|name| is_named(word, name));
        let elsewhere = |tag: Option<Tag>| tag.is_some_and(|tag| tag != Tag::Anchor);
        if any(&[b"url"]) && within(Tag::Meta) {
            // In the middle of a value, as in a style sheet.
            return Some(STYLE);
        }
        let image = if any(&[b"src", b"srcset", b"imagesrcset", b"poster", b"background", b"lowsrc", b"dynsrc"])
            || any(&[b"data"]) && within(Tag::Object)
        {
            true
        } else if any(&[b"href"]) {
            elsewhere(self.tag) || elsewhere(self.opener)
        } else if any(&[b"action", b"formaction", b"ping", b"cite"]) {
            false
        } else {
            return None;
        };
        Some(Kind { image, set: any(&[b"srcset", b"imagesrcset", b"ping"]), style: false })
    }

    /// The text is over at `end`.
    pub(super) fn end(&mut self, bytes: &[u8], end: usize, judge: &mut Judge<'_>) {
        self.attribute.end(bytes, end, judge);
        self.style.end(bytes, end, judge);
    }

    pub(super) fn open(&self) -> usize {
        self.attribute.open().min(self.style.open())
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.attribute.moved(|place| place.saturating_sub(by));
        self.style.moved(|place| place.saturating_sub(by));
    }

    pub(super) fn cut(&mut self, at: usize) {
        self.attribute.moved(|place| place.max(at));
        self.style.moved(|place| place.max(at));
    }
}

const STYLE: Kind = Kind { image: true, set: false, style: true };

impl Tag {
    fn of(word: u128) -> Self {
        let is = |name: &[u8]| word == number(name);
        match () {
            () if is(b"a") || is(b"area") => Tag::Anchor,
            () if is(b"object") => Tag::Object,
            () if is(b"meta") => Tag::Meta,
            () => Tag::Other,
        }
    }
}

fn number(name: &[u8]) -> u128 {
    name.iter().fold(0, |word, byte| word << 8 | u128::from(*byte))
}

/// Whether `word` is `name`, or ends with it behind what is no letter or digit: `xlink:href`, `data-src`.
fn is_named(word: u128, name: &[u8]) -> bool {
    let bits = 8 * name.len();
    if word & ((1 << bits) - 1) != number(name) {
        return false;
    }
    let before = u8::try_from(word >> bits & 0xFF).unwrap_or(0);
    !before.is_ascii_alphanumeric() && before != b'_'
}

impl Attribute {
    fn start(&mut self, kind: Kind, step: &Step<'_>, judge: &mut Judge<'_>) {
        self.end(step.bytes, step.at, judge);
        if kind.image || judge.wanted.links {
            *self = Attribute::Before(kind, None);
        }
    }

    fn step(&mut self, step: &Step<'_>, judge: &mut Judge<'_>) {
        let byte = step.byte;
        match self {
            Attribute::Idle => return,
            Attribute::Before(kind, slash) => {
                let kind = *kind;
                match byte {
                    b if b.is_ascii_whitespace() && slash.is_none() => return,
                    // Quotes in a string of a program, or of JSON.
                    b'\\' if slash.is_none() => {
                        *slash = Some(step.at);
                        return;
                    }
                    b'"' | b'\'' => {
                        *self = match kind.set {
                            true => Attribute::Between(kind, Some(byte)),
                            false => {
                                let value = Value::new(step.end, Ends::Quote(byte), kind.image);
                                Attribute::In(value.styled(kind.style), kind)
                            }
                        };
                        return;
                    }
                    _ => {
                        let start = slash.unwrap_or(step.at);
                        let ends = match kind {
                            Kind { style: true, .. } => Ends::Style,
                            Kind { set: true, .. } => Ends::Item(None),
                            _ => Ends::Unquoted,
                        };
                        *self = Attribute::In(Value::new(start, ends, kind.image), kind);
                    }
                }
            }
            Attribute::Between(kind, quote) => match byte {
                _ if quote.map_or(matches!(byte, b'>'), |quote| byte == quote) => {
                    *self = Attribute::Idle;
                    return;
                }
                b',' => return,
                b if b.is_ascii_whitespace() => {
                    if quote.is_none() {
                        *self = Attribute::Idle;
                    }
                    return;
                }
                _ => {
                    let (kind, quote) = (*kind, *quote);
                    *self = Attribute::In(Value::new(step.at, Ends::Item(quote), kind.image), kind);
                }
            },
            Attribute::In(..) => {}
        }
        let Attribute::In(value, kind) = self else { return };
        if let Some(end) = value.step(step) {
            let (kind, ends) = (*kind, value.ends);
            self.end(step.bytes, end, judge);
            if let Ends::Item(quote) = ends
                && quote != Some(byte)
                && byte != b'>'
                && (quote.is_some() || byte == b',')
            {
                *self = Attribute::Between(kind, quote);
            }
        } else {
            judge.long(value, step);
        }
    }

    fn end(&mut self, bytes: &[u8], end: usize, judge: &mut Judge<'_>) {
        if let Attribute::In(value, _) = std::mem::take(self) {
            judge.ended(&value, bytes, end);
        }
    }

    fn open(&self) -> usize {
        match self {
            Attribute::In(value, _) => value.open(),
            Attribute::Before(_, Some(slash)) => *slash,
            _ => NONE,
        }
    }

    fn moved(&mut self, to: impl Fn(usize) -> usize) {
        match self {
            Attribute::In(value, _) => value.start = to(value.start),
            Attribute::Before(_, Some(slash)) => *slash = to(*slash),
            _ => {}
        }
    }
}
