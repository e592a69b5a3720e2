//! Texts within a text: what base64, hexadecimal digits, percent-encoding, HTML character references, backslash escapes,
//! look-alike characters and markup hide.
//!
//! A [`View`] is a text with one kind of encoding undone everywhere, and the way back. [`STAGES`] are undone one after
//! the other, each in what the one before left, so that encodings within encodings are seen through: characters twice
//! (`%2540`, `&amp;#64;`), then base64 twice, with characters behind each. Characters come first because their runs may
//! be a part of a base64 run (`%2B`, `\u003d`), but no run of theirs is made of base64's letters. Every view is to be
//! scanned, since one more decoding can destroy what the one before showed.
//!
//! Text in hexadecimal digits goes with base64. At the end what breaks values up is taken out ([`noise`]).
//!
//! Before and behind each of them look-alike characters are folded ([`fold`]), so that `％４０` and `&#8203;` are no
//! cover either.
//!
//! What is found in a view is cut where it stands as a backslash escape, and together with the whole encoded run that it
//! touches otherwise: the run of base64, or the run of URL characters (RFC 3986) around percent-encoding and
//! references. A cut within such a run could leave half an encoding behind, which then reads differently.
//!
//! Work: a stage looks at each byte a bounded number of times and nothing grows by decoding, so that a text of n bytes
//! has at most [`STAGES`] views of n bytes; ordinary text has none, and costs a few passes that
//! look for a place to start.
//!
//! What this does not do: quoted-printable, compression, ciphers, references by name to letters, more rounds than
//! these; and what [`base64`], [`fold`] and [`noise`] say.

mod base64;
mod escape;
pub(super) mod fold;
mod hex;
mod html;
mod noise;
mod percent;
mod through;
mod way;

use std::ops::Range;

use percent::UrlRun;
pub use through::{Sighting, see_through};
pub(super) use way::Way;

/// A text with encodings undone.
struct View {
    /// What it says.
    pub text: String,
    /// The way back to the text that it was made of.
    pub way: Way,
    /// Only what something was undone within counts.
    pub noise: bool,
}

/// What is undone at once.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Fold,
    Characters,
    Hex,
    Base64,
    Noise,
}

/// What is undone, in this order.
#[rustfmt::skip]
const STAGES: &[Stage] = &[
    Stage::Fold, Stage::Characters, Stage::Characters, Stage::Fold,
    Stage::Hex, Stage::Base64, Stage::Characters, Stage::Fold,
    Stage::Hex, Stage::Base64, Stage::Characters, Stage::Fold,
    Stage::Noise,
];

/// The views of a text, one after the other.
#[derive(Default)]
struct Views {
    stage: usize,
    /// By stage: there is none of it in what the last view shows.
    none: [bool; 5],
}

impl Views {
    /// The next view: of `text`, which is what the last one shows, or at first the text itself.
    fn next(&mut self, text: &str) -> Option<View> {
        while let Some(stage) = STAGES.get(self.stage) {
            self.stage += 1;
            let (view, none): (fn(&str) -> Option<View>, _) = match stage {
                Stage::Fold => (fold::view, &mut self.none[0]),
                Stage::Characters => (characters, &mut self.none[1]),
                Stage::Hex => (hex::view, &mut self.none[2]),
                Stage::Base64 => (base64::view, &mut self.none[3]),
                Stage::Noise => (noise::view, &mut self.none[4]),
            };
            if *none {
                continue;
            }
            let view = view(text);
            if view.is_some() {
                self.none = [false; 5];
                return view;
            }
            *none = true;
        }
        None
    }
}

/// Undoes what is written character by character: escapes, percent-encoding, character references.
fn characters(text: &str) -> Option<View> {
    let bytes = text.as_bytes();
    let mut builder = Builder::new(text);
    let mut run = UrlRun::default();
    let mut from = 0;
    while let Some(at) = trigger(bytes, from) {
        let rest = text.get(at..).unwrap_or_default();
        from = at + 1;
        if rest.starts_with('\\') {
            // As a whole, so that no run of them is looked at twice.
            let slashes = rest.bytes().take_while(|b| *b == b'\\').count();
            from = at + slashes;
            if let Some((char, size)) = escape::read(rest.get(slashes..).unwrap_or_default()) {
                from += size;
                builder.push(at..from, char.encode_utf8(&mut [0; 4]));
            }
            continue;
        }
        let read = match rest.as_bytes() {
            [b'%', ..] => percent::read(rest.as_bytes()),
            [b'&', ..] => html::read(rest),
            _ => Some((' ', 1)),
        };
        let Some((char, size)) = read else { continue };
        if at >= run.range.end {
            run = UrlRun::around(bytes, at);
        }
        if rest.starts_with('+') && !run.spaces(at) {
            if !run.encoded {
                from = run.range.end;
            }
            continue;
        }
        from = at + size;
        builder.push(at..from, char.encode_utf8(&mut [0; 4]));
        builder.cut(&run.range);
    }
    builder.finish()
}

/// Blocks are judged whole; written so that compilers turn it into vector instructions.
const BLOCK: usize = 32;

/// The first place at or after `from` at which something may be encoded.
fn trigger(bytes: &[u8], from: usize) -> Option<usize> {
    let is_trigger = |b: &u8| matches!(b, b'%' | b'&' | b'+' | b'\\');
    let rest = bytes.get(from..)?;
    let (blocks, _) = rest.as_chunks::<BLOCK>();
    let quiet = |block: &&[u8; BLOCK]| !block.iter().fold(false, |found, b| found | is_trigger(b));
    let quiet = blocks.iter().take_while(quiet).count() * BLOCK;
    Some(from + quiet + rest.get(quiet..)?.iter().position(is_trigger)?)
}

/// Whether texts have the character: no control characters but the white space among them.
fn is_text(char: char) -> bool {
    !char.is_control() || matches!(char, '\t' | '\n' | '\r')
}

/// A view in the making.
struct Builder<'t> {
    source: &'t str,
    /// How much of the source is in the view.
    copied: usize,
    view: Option<View>,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str) -> Self {
        Self { source, copied: 0, view: None }
    }

    /// What stands at `at` says `plain`.
    fn push(&mut self, at: Range<usize>, plain: &str) {
        let Self { source, copied, view } = self;
        let View { text, way, .. } = view.get_or_insert_with(|| View {
            text: String::with_capacity(source.len()),
            way: Way::default(),
            noise: false,
        });
        text.push_str(source.get(*copied..at.start).unwrap_or_default());
        let decoded = text.len();
        text.push_str(plain);
        *copied = at.end;
        way.push(decoded..text.len(), at);
    }

    /// What was pushed last is a part of `run`.
    fn cut(&mut self, run: &Range<usize>) {
        if let Some(view) = &mut self.view {
            view.way.push_run(run);
        }
    }

    fn finish(self) -> Option<View> {
        let mut view = self.view?;
        view.text.push_str(self.source.get(self.copied..).unwrap_or_default());
        Some(view)
    }
}

#[cfg(test)]
mod tests;
