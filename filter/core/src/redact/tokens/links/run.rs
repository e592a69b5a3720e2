//! Addresses in running text.
//!
//! A *run* has no white space, `<`, `>`, `"` or backtick; punctuation cuts it into *words*. A word with a dot inside,
//! an `@`, a `/` or a `?` looks like (a part of) a host, an address or a path. A `:` behind a word, `//` in any mix of
//! slashes, a path behind a host, and a character reference (`&#46;`) make the rest of the run a link. A link ends at
//! ASCII white space or `<`, as GitHub's Markdown has it: quotes do not end one there. Behind `<` it ends at `>`.

/// A word of this many characters is neither a label of a host name nor the local part of an address, whatever comes
/// before.
const LONGEST_LABEL: usize = 64;

/// The bytes looked at behind a placeholder. Only characters that do not count (invisible ones) get that far.
const MAX_AHEAD: usize = 512;

/// What the current word looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Word {
    /// No word yet.
    #[default]
    Empty,
    /// Letters and the like.
    Plain,
    /// The last character was a dot or `?`: a host or a query, if the word goes on.
    Mark,
    /// Like a host, a path or an address; or a value is in it.
    Host,
    /// The last character was a `:` behind a word: a link, if the run goes on.
    Colon,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    word: Word,
    /// Whether the run began behind `<`.
    angle: bool,
    link: bool,
    last: Option<char>,
}

impl Run {
    pub fn step(&mut self, char: char) {
        let last = self.last.replace(char);
        if self.link {
            if char == '<' || char.is_ascii_whitespace() || char == '\u{B}' || self.angle && char == '>' {
                self.begin(char);
            }
            return;
        }
        if is_delimiter(char) {
            return self.begin(char);
        }
        let slashes = is_slash(char) && last.is_some_and(is_slash);
        let reference = last == Some('&') && starts_reference(char);
        let path = self.word == Word::Host && matches!(char, '/' | '\\' | '?' | '#' | ':');
        if slashes || reference || path || self.word == Word::Colon {
            self.link = true;
            return;
        }
        self.word = match (char, self.word) {
            (':', Word::Empty) => Word::Empty,
            (':', _) => Word::Colon,
            ('/' | '@', _) => Word::Host,
            (_, Word::Host) if is_mark(char) => Word::Host,
            _ if is_mark(char) => Word::Mark,
            _ if is_soft(char) => Word::Empty,
            (_, Word::Mark | Word::Host) => Word::Host,
            _ => Word::Plain,
        };
    }

    /// The current word goes on from a value.
    pub fn glue(&mut self) {
        self.word = Word::Host;
    }

    pub fn plain(&self) -> bool {
        !self.link && matches!(self.word, Word::Empty | Word::Plain)
    }

    fn begin(&mut self, char: char) {
        *self = Self { word: Word::Empty, angle: char == '<', link: false, last: Some(char) };
    }
}

/// Whether a value may stand before `rest`, as far as that decides it; `None` while more text must be seen. In
/// `json` that is the source of a JSON string, where an escape may stand for anything.
pub(in super::super) fn after(rest: &str, json: bool, end: bool) -> Option<bool> {
    let mut length = 0;
    let mut last = None;
    for (at, char) in rest.char_indices() {
        match last {
            _ if at > MAX_AHEAD => return Some(false),
            // What is escaped in Markdown or JSON stands for itself, or for anything.
            Some('\\') if json && char == 'u' => return Some(false),
            Some('\\') => return Some(!matches!(char, '.' | '@' | ':' | '/' | '?' | '&')),
            Some('&') => return Some(!starts_reference(char)),
            _ if is_delimiter(char) => return Some(true),
            Some(':') => return Some(false),
            _ if matches!(char, '@' | '/') => return Some(false),
            _ if is_soft(char) && !matches!(char, '&' | '\\') => return Some(true),
            // Dots one after the other are still at the end of a sentence.
            Some(last) if is_mark(last) && !is_mark(char) && !matches!(char, ':' | '&' | '\\') => return Some(false),
            _ => {}
        }
        length += usize::from(!is_mark(char) && (char.is_ascii() || char.is_alphanumeric()));
        if length >= LONGEST_LABEL {
            return Some(true);
        }
        last = Some(char);
    }
    end.then_some(true)
}

/// What ends a run. Programs that look for links disagree on white space beyond ASCII, so that ends runs, but no links.
fn is_delimiter(char: char) -> bool {
    char.is_whitespace() || matches!(char, '<' | '>' | '"' | '`')
}

/// Browsers take one for the other.
fn is_slash(char: char) -> bool {
    matches!(char, '/' | '\\')
}

fn starts_reference(char: char) -> bool {
    char == '#' || char.is_ascii_alphabetic()
}

/// Dots, also those that IDNA (UTS 46) takes for one but `。`, which is what Chinese and Japanese sentences end with;
/// and `?`.
fn is_mark(char: char) -> bool {
    matches!(char, '.' | '?' | '\u{2024}' | '\u{FF0E}' | '\u{FF61}')
}

/// Punctuation that ends a word but not a run.
fn is_soft(char: char) -> bool {
    matches!(
        char,
        ',' | ';' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '\'' | '*' | '!' | '=' | '&' | '^' | '$' | '\\' | '~'
            | '\u{2010}'..='\u{2023}' | '\u{2025}'..='\u{2027}' | '\u{2030}'..='\u{205E}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3020}' | '\u{30FB}'
            | '\u{FF01}'..='\u{FF0D}' | '\u{FF1A}' | '\u{FF1B}' | '\u{FF1F}' | '\u{FF5B}'..='\u{FF60}' | '\u{FF62}'..='\u{FF65}'
    )
}
