//! Tags and attributes of HTML.
//!
//! [`Tag`] follows the tokenizer of the HTML standard (section 13.2.5) through tags, so that it knows where one ends;
//! what begins like one but has a name no element has (`i<n;`) is text. [`Attribute`] knows nothing of tags but looks
//! for `href=` and `src=`, for texts in which the former was led astray.

use super::markdown::ascii;

/// Elements whose content is not HTML, or HTML by other rules.
const OTHER_RULES: &[&[u8]] = &[
    b"script",
    b"style",
    b"title",
    b"textarea",
    b"xmp",
    b"iframe",
    b"noembed",
    b"noframes",
    b"noscript",
    b"plaintext",
    b"svg",
    b"math",
    b"template",
];

/// The bytes of a name that are kept: more than the longest of [`OTHER_RULES`] has.
const MAX_NAME: usize = 12;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// Behind `<`.
    Open,
    /// Behind `</`.
    EndOpen,
    /// Behind `<!`.
    Bang,
    /// What goes up to the next `>`.
    Bogus,
    /// In the name of a tag.
    Name,
    /// In a name with a `:`: of an element, or a link in angle brackets.
    Colon,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    Unquoted,
    Quoted(char),
    /// HTML by other rules: the rest of the text.
    Lost,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tag {
    state: State,
    name: [u8; MAX_NAME],
    length: usize,
}

impl Tag {
    pub fn step(&mut self, char: char) {
        let space = char.is_ascii_whitespace();
        self.state = match (self.state, char) {
            (State::Lost, _) => State::Lost,
            (State::Text | State::Open, '<') => State::Open,
            (State::Text, _) => State::Text,
            (State::Open | State::EndOpen, _) if char.is_ascii_alphabetic() => {
                self.length = 0;
                self.named(char)
            }
            (State::Open, '/') => State::EndOpen,
            (State::Open, '!') => State::Bang,
            (State::Open, '?') => State::Bogus,
            (State::Open, _) => State::Text,
            (State::Bang, '-' | '[') => State::Lost,
            (State::EndOpen | State::Bang | State::Bogus, '>') => State::Text,
            (State::EndOpen | State::Bang | State::Bogus, _) => State::Bogus,
            (State::Name, _) if space || matches!(char, '>' | '/') => {
                let name = self.name.get(..self.length).unwrap_or_default();
                match char {
                    _ if OTHER_RULES.contains(&name) => State::Lost,
                    '>' => State::Text,
                    _ => State::BeforeAttribute,
                }
            }
            (State::Name, ':') => State::Colon,
            (State::Name, '<') => State::Open,
            (State::Name, _) if char.is_ascii_alphanumeric() || matches!(char, '-' | '+' | '.' | '_') => {
                self.named(char)
            }
            (State::Name, _) => State::Text,
            (State::Quoted(quote), _) => {
                if char == quote {
                    State::BeforeAttribute
                } else {
                    State::Quoted(quote)
                }
            }
            (_, '>') => State::Text,
            (State::BeforeValue, '"' | '\'') => State::Quoted(char),
            (State::BeforeValue, _) => {
                if space {
                    State::BeforeValue
                } else {
                    State::Unquoted
                }
            }
            (State::Unquoted, _) => {
                if space {
                    State::BeforeAttribute
                } else {
                    State::Unquoted
                }
            }
            (State::Colon, _) if !space && char != '/' => State::Colon,
            (State::Colon, _) | (_, '/') => State::BeforeAttribute,
            (State::Attribute | State::AfterAttribute, '=') => State::BeforeValue,
            (State::BeforeAttribute, _) if space => State::BeforeAttribute,
            (State::Attribute | State::AfterAttribute, _) if space => State::AfterAttribute,
            (State::BeforeAttribute | State::Attribute | State::AfterAttribute, _) => State::Attribute,
        };
    }

    pub fn plain(&self) -> bool {
        matches!(self.state, State::Text | State::Open | State::Name)
    }

    fn named(&mut self, char: char) -> State {
        if let Some(slot) = self.name.get_mut(self.length) {
            *slot = ascii(char);
            self.length += 1;
        }
        State::Name
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Value {
    #[default]
    None,
    Before,
    Unquoted,
    Quoted(char),
}

/// The value of `href=` or `src=`, with or without white space and quotes.
#[derive(Clone, Debug, Default)]
pub(super) struct Attribute {
    value: Value,
    /// The last characters but white space, lower case.
    last: [u8; 4],
}

impl Attribute {
    pub fn step(&mut self, char: char) {
        let space = char.is_ascii_whitespace();
        let named = char == '=' && (self.last == *b"href" || self.last.ends_with(b"src"));
        if !space {
            self.last.rotate_left(1);
            self.last.last_mut().into_iter().for_each(|last| *last = ascii(char));
        }
        self.value = match self.value {
            _ if named => Value::Before,
            Value::Before if space || char == '\\' => Value::Before,
            Value::Before if matches!(char, '"' | '\'') => Value::Quoted(char),
            Value::Before => Value::Unquoted,
            Value::Unquoted if space || char == '>' => Value::None,
            Value::Quoted(quote) if char == quote => Value::None,
            value => value,
        };
    }

    pub fn plain(&self) -> bool {
        matches!(self.value, Value::None)
    }
}
