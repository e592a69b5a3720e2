//! HIDDEN_TEXT: text that nobody sees and a model reads, in tag characters (U+E0000 to U+E007F) or in variation selectors.
//!
//! A run of such characters is one where it has two letters, or four selectors: one selector behind a character is
//! ordinary, and so are the tags of a flag. Runs are reported in pieces of at most [`MOST`] characters. What tags say is
//! looked at beside (`views::fold`); what selectors say is not.

use super::types::Type;
use super::{Finding, Selection, Span};

/// The longest piece, in characters of at most four bytes.
pub(super) const MOST: usize = 256;

/// The longest tag sequence of a flag: a region and a subdivision, and the end.
const FLAG: usize = 7;

/// Whether nobody sees it, although it says something.
pub(super) fn is_hidden(char: char) -> bool {
    matches!(char, '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}' | '\u{fe00}'..='\u{fe0f}')
}

/// The first bytes of those characters.
pub(super) fn may_start(byte: u8) -> bool {
    matches!(byte, 0xEF | 0xF3)
}

/// Finds what is hidden so.
pub(super) fn scan(span: Span<'_>, selection: &Selection, found: &mut Vec<Finding>) {
    let kind = Type::HiddenText.id();
    if !selection.contains(kind) {
        return;
    }
    let bytes = span.text.as_bytes();
    let mut from = span.from;
    while let Some(at) = bytes.get(from..span.to).and_then(|rest| rest.iter().position(|b| may_start(*b))) {
        let start = from + at;
        from = start + 1;
        let Some(rest) = span.text.get(start..) else { continue };
        let (mut letters, mut selectors, mut count, mut last) = (0, 0, 0, ' ');
        let mut end = start;
        for char in rest.chars().take(MOST).take_while(|c| is_hidden(*c)) {
            match char {
                '\u{e0020}'..='\u{e007e}' => letters += 1,
                '\u{e0000}'..='\u{e007f}' => {}
                _ => selectors += 1,
            }
            count += 1;
            last = char;
            end += char.len_utf8();
        }
        from = from.max(end);
        let flag = count <= FLAG
            && last == '\u{e007f}'
            && span.text.get(..start).is_some_and(|before| before.ends_with('\u{1f3f4}'));
        if (letters >= 2 && !flag || selectors >= 4) && span.holds(start, end) {
            found.push(Finding { kind, start, end, score: 0.95, test_value: false });
        }
    }
}
