//! Destinations of Markdown: `](...)`, `](<...>)`, `[x]: ...`, and `url(...)` of style sheets, which ends the same
//! way.
//!
//! Longer than CommonMark has them, never shorter: spaces do not end what stands in parentheses, since some programs
//! let them be; only the parenthesis that closes them or the end of the line does, and only the latter where it began
//! with `<`. Code spans are no excuse: whether one is closed shows too late.

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// Behind `](` or `url(`.
    Parentheses { depth: u32, begun: bool, angle: bool },
    /// Behind `]:`.
    Definition { begun: bool, angle: bool },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Markdown {
    state: State,
    /// The last characters, lower case; 0 for what is not ASCII.
    last: [u8; 3],
}

impl Markdown {
    pub fn step(&mut self, char: char) {
        let [a, b, last] = self.last;
        self.last = [b, last, ascii(char)];
        let line = matches!(char, '\n' | '\r');
        self.state = match (self.state, char, last) {
            // Also within another one, which may be none.
            (State::Parentheses { depth, .. }, '(', b']') => {
                State::Parentheses { depth: depth.saturating_add(1), begun: false, angle: false }
            }
            (_, '(', b']') => State::Parentheses { depth: 1, begun: false, angle: false },
            (State::Parentheses { depth, angle, .. }, ':', b']') => State::Parentheses { depth, begun: false, angle },
            (_, ':', b']') => State::Definition { begun: false, angle: false },
            (State::Text, '(', _) if [a, b, last] == *b"url" => {
                State::Parentheses { depth: 1, begun: false, angle: false }
            }
            (State::Parentheses { begun: true, .. }, ..) if line => State::Text,
            (State::Parentheses { depth, begun: true, angle }, '(', _) => {
                State::Parentheses { depth: depth.saturating_add(1), begun: true, angle }
            }
            (State::Parentheses { depth: 0 | 1, angle: false, .. }, ')', before) if before != b'\\' => State::Text,
            (State::Parentheses { depth, begun, angle: false }, ')', before) if before != b'\\' => {
                State::Parentheses { depth: depth - 1, begun, angle: false }
            }
            (State::Definition { begun: true, angle: true }, ..) if line => State::Text,
            (State::Definition { begun: true, angle: false }, ..) if char.is_ascii_whitespace() => State::Text,
            // Programs that read Markdown by JavaScript's `\s` skip more before a destination; it may also be one's beginning.
            (state, ..) if char.is_whitespace() || char == '\u{FEFF}' => state,
            (State::Parentheses { depth, begun: false, .. }, ..) => {
                State::Parentheses { depth: depth + u32::from(char == '('), begun: true, angle: char == '<' }
            }
            (State::Definition { begun: false, .. }, ..) => State::Definition { begun: true, angle: char == '<' },
            (state, ..) => state,
        };
    }

    pub fn plain(&self) -> bool {
        matches!(self.state, State::Text)
    }
}

pub(super) fn ascii(char: char) -> u8 {
    u8::try_from(char).ok().filter(u8::is_ascii).unwrap_or(0).to_ascii_lowercase()
}
