//! Which script a text is written in, so that an answer in another one than its question can be noted: one of the few
//! things that show from outside that a model follows somebody else's instructions.
//!
//! Letters are counted, by blocks of Unicode; a text can come in pieces. Digits, punctuation, spaces and marks that
//! combine with letters count for nothing.
//!
//! **What this does not do.** It does not tell languages apart that share a script, and Japanese that is mostly Han
//! is Han.

use crate::tally;

/// A script, or a part of one that is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Script {
    /// Latin.
    Latin,
    /// Cyrillic.
    Cyrillic,
    /// Greek and Coptic.
    Greek,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Chinese characters.
    Han,
    /// Hiragana and katakana.
    Kana,
    /// Korean.
    Hangul,
    /// Devanagari.
    Devanagari,
    /// Thai.
    Thai,
    /// Any other.
    Other,
}

/// With fewer letters nothing can be said.
const LEAST: u64 = 64;
/// So many percent of the letters make a script dominant.
const SHARE: u64 = 60;

impl Script {
    /// Every script, in the order of their numbers.
    pub const ALL: [Script; 11] = [
        Script::Latin,
        Script::Cyrillic,
        Script::Greek,
        Script::Arabic,
        Script::Hebrew,
        Script::Han,
        Script::Kana,
        Script::Hangul,
        Script::Devanagari,
        Script::Thai,
        Script::Other,
    ];

    /// Its name: `latin`, `cyrillic`, ...
    pub const fn as_str(self) -> &'static str {
        match self {
            Script::Latin => "latin",
            Script::Cyrillic => "cyrillic",
            Script::Greek => "greek",
            Script::Arabic => "arabic",
            Script::Hebrew => "hebrew",
            Script::Han => "han",
            Script::Kana => "kana",
            Script::Hangul => "hangul",
            Script::Devanagari => "devanagari",
            Script::Thai => "thai",
            Script::Other => "other",
        }
    }

    /// The script of a letter; `None` for what is none.
    pub fn of(c: char) -> Option<Self> {
        if !c.is_alphabetic() {
            return None;
        }
        Some(match c {
            '\0'..='\u{24F}'
            | '\u{1E00}'..='\u{1EFF}'
            | '\u{2C60}'..='\u{2C7F}'
            | '\u{A720}'..='\u{A7FF}'
            | '\u{FB00}'..='\u{FB06}'
            | '\u{FF21}'..='\u{FF5A}' => Script::Latin,
            '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Script::Greek,
            '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A640}'..='\u{A69F}' => {
                Script::Cyrillic
            }
            '\u{590}'..='\u{5FF}' | '\u{FB1D}'..='\u{FB4F}' => Script::Hebrew,
            '\u{600}'..='\u{6FF}'
            | '\u{750}'..='\u{77F}'
            | '\u{8A0}'..='\u{8FF}'
            | '\u{FB50}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFC}' => Script::Arabic,
            '\u{900}'..='\u{97F}' | '\u{A8E0}'..='\u{A8FF}' => Script::Devanagari,
            '\u{E00}'..='\u{E7F}' => Script::Thai,
            '\u{1100}'..='\u{11FF}'
            | '\u{3130}'..='\u{318F}'
            | '\u{A960}'..='\u{A97F}'
            | '\u{AC00}'..='\u{D7FF}'
            | '\u{FFA0}'..='\u{FFDC}' => Script::Hangul,
            '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' => Script::Kana,
            '\u{3005}'..='\u{3007}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}' => Script::Han,
            _ => Script::Other,
        })
    }
}

/// How many letters of each script a text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    counts: [u64; Script::ALL.len()],
}

impl Scripts {
    /// Counts the letters of a piece of the text.
    pub fn push(&mut self, piece: &str) {
        // Nearly all text is ASCII, or has long runs of it.
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let ascii = tally::ascii(rest.as_bytes());
            let letters = tally::count(rest.as_bytes().get(..ascii).unwrap_or_default(), |b| b.is_ascii_alphabetic());
            self.add(Script::Latin, letters);
            at += ascii;
            for c in rest.get(ascii..).unwrap_or_default().chars().take_while(|c| !c.is_ascii()) {
                if let Some(script) = Script::of(c) {
                    self.add(script, 1);
                }
                at += c.len_utf8();
            }
        }
    }

    fn add(&mut self, script: Script, letters: u64) {
        if let Some(count) = self.counts.get_mut(script as usize) {
            *count = count.saturating_add(letters);
        }
    }

    /// Letters of one script.
    pub fn count(&self, script: Script) -> u64 {
        self.counts.get(script as usize).copied().unwrap_or(0)
    }

    /// Letters in all.
    pub fn letters(&self) -> u64 {
        self.counts.iter().fold(0, |all, count| all.saturating_add(*count))
    }

    /// The script of at least 60 % of the letters, if there are 64 or more. What is of none of the known scripts is
    /// dominated by none.
    pub fn dominant(&self) -> Option<Script> {
        let letters = self.letters();
        if letters < LEAST {
            return None;
        }
        let dominates = |script: &Script| self.count(*script).saturating_mul(100) >= letters.saturating_mul(SHARE);
        Script::ALL.into_iter().find(dominates).filter(|script| *script != Script::Other)
    }
}

/// The letters of a whole text.
pub fn script(text: &str) -> Scripts {
    let mut scripts = Scripts::default();
    scripts.push(text);
    scripts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts() {
        for (text, expected) in [
            ("The committee met on Tuesday. ", Some(Script::Latin)),
            ("Größe, façade, naïve, Łódź, tiếng Việt. ", Some(Script::Latin)),
            ("Комитет собрался во вторник. ", Some(Script::Cyrillic)),
            ("Η επιτροπή συνεδρίασε την Τρίτη. ", Some(Script::Greek)),
            ("اجتمعت اللجنة يوم الثلاثاء. ", Some(Script::Arabic)),
            ("הוועדה נפגשה ביום שלישי. ", Some(Script::Hebrew)),
            ("委员会在星期二开会。", Some(Script::Han)),
            ("ひらがなとカタカナだけです。", Some(Script::Kana)),
            ("위원회는 화요일에 모였다. ", Some(Script::Hangul)),
            ("समिति मंगलवार को मिली। ", Some(Script::Devanagari)),
            ("คณะกรรมการประชุมวันอังคาร ", Some(Script::Thai)),
            ("კომიტეტი შეიკრიბა სამშაბათს. ", None),
            ("1234 5678, 90! ", None),
            ("halfhalf половина ", None),
        ] {
            assert_eq!(script(&text.repeat(16)).dominant(), expected, "{text}");
        }
        assert_eq!(script(&"a".repeat(63)).dominant(), None);
        assert_eq!(script(&"a".repeat(64)).dominant(), Some(Script::Latin));
        let mixed = script(&format!("{}{}", "a".repeat(60), "б".repeat(40)));
        assert_eq!((mixed.dominant(), mixed.letters()), (Some(Script::Latin), 100));
        assert_eq!(script(&format!("{}{}", "a".repeat(59), "б".repeat(41))).dominant(), None);
        for (number, script) in Script::ALL.into_iter().enumerate() {
            assert_eq!(script as usize, number, "{}", script.as_str());
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(pieces in proptest::collection::vec("\\PC{0,8}|[a-z ]{0,40}", 0..8)) {
            let text = pieces.concat();
            let mut scripts = Scripts::default();
            pieces.iter().for_each(|piece| scripts.push(piece));
            prop_assert_eq!(scripts, script(&text));
            prop_assert_eq!(scripts.letters(), text.chars().filter(|c| c.is_alphabetic()).count() as u64);
        }
    }
}
