//! The words of a text, folded and hashed as they are read.
//!
//! A word is a run of letters and digits. Case, the accents of Latin letters and the digits that stand for letters
//! (`1gn0re`) make no difference; a run of digits alone is [`NUMBER`] whatever its value. In scripts that write no
//! spaces (Chinese, Japanese) every character is a word. Characters that are drawn over others or not at all are left
//! out. Hashes are 32 bits: no word is kept.
//!
//! What this does not do: undo encodings or look-alike letters of other alphabets; texts come here in their plain view.

use super::markers;

/// The hash of every number.
pub(in crate::inspect) const NUMBER: u32 = 0x2545_F491;
/// Where the hash of a word starts.
pub(in crate::inspect) const SEED: u32 = 0x811C_9DC5;
/// How many characters of a word its beginnings are kept of.
const PREFIXES: usize = 10;
/// Of how many characters one beginning is kept of every word.
const STEM: u32 = 5;
/// How far a word takes the place, in which rules measure gaps: a character of an unspaced script is half a word.
pub(in crate::inspect) const STEP: u32 = 2;
/// The end of a sentence, in the same measure.
pub(in crate::inspect) const SENTENCE: u32 = 9 * STEP;

/// A word, or a marker.
#[derive(Clone, Copy)]
pub(in crate::inspect) struct Word {
    pub hash: u32,
    /// The hash of its first [`STEM`] characters, where it has more.
    pub stem: u32,
    /// Characters.
    pub len: u32,
    /// What it is, where it is a marker: a set of classes of the lexicon.
    pub marker: u64,
    /// Where it stands, in half words with the ends of sentences between.
    pub place: u32,
    pub start: usize,
    pub end: usize,
    pub script: Script,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) enum Script {
    /// Only ASCII letters.
    Plain,
    /// Other letters among them.
    Other,
    /// One character of a script without spaces.
    Unspaced,
}

pub(in crate::inspect) struct Words<'t> {
    text: &'t str,
    at: usize,
    place: u32,
    /// Only white space since the line began.
    line_start: bool,
    /// The hashes of the beginnings of the last word outside ASCII.
    prefixes: [u32; PREFIXES],
}

const fn step(hash: u32, c: u32) -> u32 {
    (hash.rotate_left(5) ^ c).wrapping_mul(0x9E37_79B1)
}

/// One hash of two.
pub(in crate::inspect) const fn pair(first: u32, second: u32) -> u32 {
    let mixed = (first.rotate_left(7) ^ second).wrapping_mul(0x85EB_CA6B);
    mixed ^ (mixed >> 15)
}

/// By byte: the folded letter of one that is a word's, [`SEPARATOR`] or [`WIDE`].
static FOLD: [u8; 256] = fold_table();
const SEPARATOR: u8 = 0;
const WIDE: u8 = 1;

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn fold_table() -> [u8; 256] {
    let mut table = [SEPARATOR; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = fold_byte(byte as u8);
        byte += 1;
    }
    table
}

const fn fold_byte(b: u8) -> u8 {
    match b {
        b'0' => b'o',
        b'1' => b'i',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'7' => b't',
        b'a'..=b'z' | b'2' | b'6' | b'8' | b'9' => b,
        b'A'..=b'Z' => b | 0x20,
        0x80.. => WIDE,
        _ => SEPARATOR,
    }
}

/// U+00C0 to U+017F without accents.
const LATIN: &[u8; 192] =
    b"aaaaaaaceeeeiiiidnooooo\0ouuuuytsaaaaaaaceeeeiiiidnooooo\0ouuuuytyaaaaaaccccccccddddeeeeeeeeeeggggg\
    ggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// U+1EA0 to U+1EF9, of Vietnamese, without accents.
const VIETNAMESE: &[u8; 90] =
    b"aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy";

/// What becomes of a character outside ASCII.
enum Wide {
    Letter(u32),
    Unspaced(u32),
    Nothing,
    Separator,
}

fn wide(c: char) -> Wide {
    let code = c as u32;
    match code {
        0xC0..=0x17F => match LATIN.get((code - 0xC0) as usize) {
            Some(0) | None => Wide::Separator,
            Some(b) => Wide::Letter(u32::from(*b)),
        },
        0x1EA0..=0x1EF9 => Wide::Letter(VIETNAMESE.get((code - 0x1EA0) as usize).map_or(code, |b| u32::from(*b))),
        // Soft hyphen, combining marks, Arabic vowel signs, zero-width characters.
        0xAD | 0x300..=0x36F | 0x64B..=0x65F | 0x200B..=0x200F | 0x2060..=0x2064 | 0xFE00..=0xFE0F | 0xFEFF => {
            Wide::Nothing
        }
        0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => Wide::Unspaced(code),
        _ if is_sign(code) => Wide::Nothing,
        _ if c.is_alphanumeric() => Wide::Letter(fold_wide(code)),
        _ => Wide::Separator,
    }
}

/// A sign that belongs to a letter of an Indian script and is no letter itself: virama and nukta.
const fn is_sign(code: u32) -> bool {
    code >= 0x900 && code < 0xE00 && matches!(code & 0x7F, 0x3C | 0x4D)
}

/// Lower case, and one form of letters that are written in several.
const fn fold_wide(code: u32) -> u32 {
    match code {
        0x410..=0x42F | 0x391..=0x3A9 => code + 0x20,
        0x451 | 0x401 => 0x435,
        0x400..=0x40F => code + 0x50,
        0x622 | 0x623 | 0x625 => 0x627,
        0x649 => 0x64A,
        0x629 => 0x647,
        _ => code,
    }
}

impl<'t> Words<'t> {
    pub(in crate::inspect) fn new(text: &'t str) -> Self {
        Self { text, at: 0, place: 0, line_start: true, prefixes: [0; PREFIXES] }
    }

    #[inline]
    pub(in crate::inspect) fn next(&mut self) -> Option<Word> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            match FOLD.get(usize::from(byte)).copied().unwrap_or(SEPARATOR) {
                SEPARATOR => {
                    if let Some(word) = self.separator(bytes, byte) {
                        return Some(word);
                    }
                }
                WIDE => {
                    let c = self.text.get(self.at..)?.chars().next()?;
                    match wide(c) {
                        Wide::Letter(_) => return Some(self.word(bytes)),
                        Wide::Unspaced(code) => return Some(self.unspaced(c, code)),
                        Wide::Nothing => {}
                        Wide::Separator => self.punctuation(c),
                    }
                    self.at += c.len_utf8();
                }
                _ => {
                    if self.line_start
                        && let Some(marker) = markers::line(bytes, self.at)
                    {
                        return Some(self.marker(marker));
                    }
                    return Some(self.word(bytes));
                }
            }
        }
    }

    /// A byte that is no word's; a marker may start with it.
    fn separator(&mut self, bytes: &[u8], byte: u8) -> Option<Word> {
        match byte {
            b' ' | b'\t' | b'\r' => {}
            b'\n' => {
                if self.line_start {
                    self.place = self.place.wrapping_add(SENTENCE);
                }
                self.line_start = true;
            }
            b'.' | b'!' | b'?' | b';' if bytes.get(self.at + 1).is_none_or(u8::is_ascii_whitespace) => {
                self.place = self.place.wrapping_add(SENTENCE);
            }
            b'<' | b'[' | b'#' | b'-' => {
                if let Some(marker) = markers::at(bytes, self.at, self.line_start) {
                    return Some(self.marker(marker));
                }
            }
            _ => {}
        }
        self.at += 1;
        None
    }

    fn punctuation(&mut self, c: char) {
        if matches!(c, '。' | '！' | '？' | '।' | '؟') {
            self.place = self.place.wrapping_add(SENTENCE);
        }
    }

    fn marker(&mut self, marker: markers::Marker) -> Word {
        let start = self.at;
        self.at += marker.len;
        self.line_start = false;
        self.place = self.place.wrapping_add(STEP);
        Word {
            hash: marker.hash,
            stem: 0,
            len: 0,
            marker: marker.class,
            place: self.place,
            start,
            end: self.at,
            script: Script::Plain,
        }
    }

    fn unspaced(&mut self, c: char, code: u32) -> Word {
        let start = self.at;
        self.at += c.len_utf8();
        self.line_start = false;
        self.place = self.place.wrapping_add(STEP / 2);
        let hash = step(SEED, code);
        let (place, end) = (self.place, self.at);
        Word { hash, stem: 0, len: 1, marker: 0, place, start, end, script: Script::Unspaced }
    }

    /// The word that starts here. Most are ASCII throughout.
    #[inline]
    fn word(&mut self, bytes: &[u8]) -> Word {
        let start = self.at;
        let (mut hash, mut len, mut letters, mut stem) = (SEED, 0_u32, false, 0);
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            let folded = FOLD.get(usize::from(*byte)).copied().unwrap_or(SEPARATOR);
            if folded <= WIDE {
                if folded == WIDE {
                    return self.wide_word(bytes);
                }
                break;
            }
            letters |= !byte.is_ascii_digit();
            hash = step(hash, u32::from(folded));
            len += 1;
            if len == STEM {
                stem = hash;
            }
            at += 1;
        }
        let hash = if letters { hash } else { NUMBER };
        self.ended(Word { hash, stem, len, marker: 0, place: 0, start, end: at, script: Script::Plain })
    }

    /// Goes on behind a word, and says where that stands.
    #[inline]
    fn ended(&mut self, word: Word) -> Word {
        (self.at, self.line_start) = (word.end, false);
        self.place = self.place.wrapping_add(STEP);
        Word { place: self.place, ..word }
    }

    /// A word with letters outside ASCII. Its beginnings are kept.
    #[inline(never)]
    fn wide_word(&mut self, bytes: &[u8]) -> Word {
        let start = self.at;
        let (mut hash, mut len, mut letters, mut script) = (SEED, 0_u32, false, Script::Plain);
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            let folded = FOLD.get(usize::from(*byte)).copied().unwrap_or(SEPARATOR);
            let (code, size) = match folded {
                SEPARATOR => break,
                WIDE => {
                    let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                    match wide(c) {
                        Wide::Letter(code) => {
                            script = if code < 0x80 { script } else { Script::Other };
                            letters = true;
                            (code, c.len_utf8())
                        }
                        Wide::Nothing => {
                            at += c.len_utf8();
                            continue;
                        }
                        Wide::Unspaced(_) | Wide::Separator => break,
                    }
                }
                folded => {
                    letters |= !byte.is_ascii_digit();
                    (u32::from(folded), 1)
                }
            };
            at += size;
            hash = step(hash, code);
            if let Some(slot) = self.prefixes.get_mut(len as usize) {
                *slot = hash;
            }
            len += 1;
        }
        let stem = self.prefixes.get(STEM as usize - 1).copied().unwrap_or(0);
        let hash = if letters { hash } else { NUMBER };
        self.ended(Word { hash, stem, len, marker: 0, place: 0, start, end: at, script })
    }

    /// The hashes of the first two characters of `word`, which came last, of the first three, and so on.
    pub(super) fn prefixes(&self, word: &Word) -> impl Iterator<Item = u32> {
        self.prefixes.into_iter().take(word.len as usize).skip(1)
    }
}

/// The folded characters of a word of `text` that stands from `start` to `end`: what its hash is made of.
pub(in crate::inspect) fn letters(text: &str, start: usize, end: usize) -> impl Iterator<Item = u32> {
    text.get(start..end).unwrap_or_default().chars().filter_map(|c| {
        if c.is_ascii() {
            return Some(u32::from(fold_byte(c as u8)));
        }
        match wide(c) {
            Wide::Letter(code) | Wide::Unspaced(code) => Some(code),
            Wide::Nothing | Wide::Separator => None,
        }
    })
}

/// The hash of a word that is written folded already, or of two with a `_` between.
#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
pub(super) const fn hash_of(word: &[u8]) -> u32 {
    let (mut hash, mut first, mut at) = (SEED, 0, 0);
    let mut is_pair = false;
    while at < word.len() {
        let b = word[at];
        let (code, size) = match b {
            b'_' => {
                (is_pair, first, hash) = (true, hash, SEED);
                at += 1;
                continue;
            }
            0xF0.. => (
                ((b as u32 & 7) << 18)
                    | ((word[at + 1] as u32 & 63) << 12)
                    | ((word[at + 2] as u32 & 63) << 6)
                    | (word[at + 3] as u32 & 63),
                4,
            ),
            0xE0.. => (((b as u32 & 15) << 12) | ((word[at + 1] as u32 & 63) << 6) | (word[at + 2] as u32 & 63), 3),
            0xC0.. => (((b as u32 & 31) << 6) | (word[at + 1] as u32 & 63), 2),
            _ => (fold_byte(b) as u32, 1),
        };
        if !is_sign(code) {
            hash = step(hash, fold_wide(code));
        }
        at += size;
    }
    if is_pair { pair(first, hash) } else { hash }
}

/// The hash of characters of an unspaced script in a row.
pub(in crate::inspect) const fn join(hash: u32, code: u32) -> u32 {
    step(hash, code)
}
