//! Where a value must not be restored: in links, and in what may become one.
//!
//! An answer is shown by programs nobody here knows: as Markdown, as HTML, as text in which anything that looks like
//! an address becomes a link. Whoever has a value stand in an address learns it, with an image without a click, with a
//! host name by the look-up alone. So four readers follow the text as it is *sent* (restored values included), each by
//! its own grammar and bounded by a few bytes of state, and a value is restored only where all of them read plain
//! text:
//!
//! - [`run`]: addresses in running text, also without a scheme. Inside a link nothing is restored up to its end, and
//!   nothing behind something that looks like the beginning of a host, a path or a mail address. At most one value is
//!   restored in one word.
//! - [`run::after`]: what follows a placeholder directly. `[X].evil.example`, `[X]/`, `[X]@`, `[X]:8080` would make
//!   the value a part of a host, so the word behind a placeholder is waited for, at most 64 characters of it (a DNS
//!   label is at most 63 long, RFC 1035 section 2.3.4).
//! - [`markdown`]: destinations of links, images and reference definitions, also relative ones; `url(`.
//! - [`html`]: everything inside a tag, and `href=` and `src=` wherever they stand. From a comment, a CDATA section or
//!   a `<script>`, `<style>`, `<title>` and the like on nothing is restored any more: there, HTML is read by other
//!   rules.
//!
//! They read on their own because a text can look harmless to one grammar thanks to another: in
//! `<a title=" ![x](http://evil.example/">[X])` the value stands behind a tag for a reader of HTML, and in an image for
//! one of Markdown without HTML. Where they are in doubt they say link: `to:[X]`, `a/[X]`, `x.[X]` and whatever follows
//! `<b and` stay as they are. White space, or most punctuation, between such a thing and a placeholder is enough to
//! have it restored.
//!
//! What it does not do: it does not protect an answer that a program *executes*. A page that runs a model's scripts
//! gives everything away, restored or not.

mod html;
mod markdown;
mod run;

/// The readers, somewhere in a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    run: run::Run,
    markdown: markdown::Markdown,
    tag: html::Tag,
    attribute: html::Attribute,
    last: Option<char>,
    /// Set in JSON text.
    escape: Option<Escape>,
}

/// Where in an escape of JSON text the last character was.
#[derive(Clone, Copy, Debug, Default)]
enum Escape {
    #[default]
    None,
    Backslash,
    /// `\u`, and that many zeros.
    Unicode(u8),
    /// An ASCII character was written `\u00..`: nobody does that but to hide it, so it hides the rest of the text.
    Lost,
}

impl Links {
    /// In JSON text, every string of which is a text of its own.
    pub fn json() -> Self {
        Self { escape: Some(Escape::None), ..Self::default() }
    }

    /// Reads on.
    pub fn text(&mut self, text: &str) {
        for char in text.chars() {
            if let Some(char) = self.decoded(char) {
                self.step(char);
            }
        }
        self.last = text.chars().next_back().or(self.last);
    }

    fn step(&mut self, char: char) {
        self.run.step(char);
        self.markdown.step(char);
        self.tag.step(char);
        self.attribute.step(char);
    }

    /// What the character stands for, if not for the beginning of an escape.
    fn decoded(&mut self, char: char) -> Option<char> {
        let Some(escape) = self.escape else { return Some(char) };
        let (escape, decoded) = match (escape, char) {
            (Escape::Lost, _) | (Escape::Unicode(2), '0'..='7') => (Escape::Lost, None),
            (Escape::Unicode(zeros @ 0..=1), '0') => (Escape::Unicode(zeros + 1), None),
            (Escape::None | Escape::Unicode(_), '\\') => (Escape::Backslash, None),
            (Escape::None | Escape::Unicode(_), '"') => {
                *self = Self::json();
                (Escape::None, None)
            }
            (Escape::Backslash, 'u') => (Escape::Unicode(0), None),
            (Escape::Backslash, 'n' | 'r' | 'f') => (Escape::None, Some('\n')),
            (Escape::Backslash, 't') => (Escape::None, Some('\t')),
            _ => (Escape::None, Some(char)),
        };
        self.escape = Some(escape);
        decoded
    }

    /// Reads a value that was restored: nothing may be restored next to it.
    pub fn value(&mut self, value: &str) {
        value.chars().for_each(|char| self.step(char));
        self.last = value.chars().next_back().or(self.last);
        self.run.glue();
    }

    /// The last character.
    pub fn last(&self) -> Option<char> {
        self.last
    }

    /// Whether a value may stand here, as far as can be told from what was before.
    pub fn plain(&self) -> bool {
        let read = matches!(self.escape, None | Some(Escape::None));
        read && self.run.plain() && self.markdown.plain() && self.tag.plain() && self.attribute.plain()
    }
}

pub(super) use run::after;
