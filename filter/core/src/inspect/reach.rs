//! How far each kind of finding reaches: how long a value can be, and how much of what stands before it its
//! detector looks at. A text that arrives in pieces ([`super::Lane`]) is kept that long and no longer.
//!
//! The bytes behind a value that decide where it ends (a digit more, a letter that touches it) are at most a few
//! and are waited for; they are not part of the reach.

use super::types::{TYPES, Type};
use super::{Detectors, KindId, business, dictionary, hidden, ids, links, secrets};

/// How far a kind of finding reaches in a text that arrives in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The longest value, in bytes; `None` where there is no longest, and a value is reported piece by piece.
    pub max_len: Option<usize>,
    /// How many bytes before a value are looked at, at most.
    pub left: usize,
}

/// Groups of a number are at most eight, with up to four separators of up to three bytes between two.
const SEPARATORS: usize = 7 * 12;
/// ` ,extension .:` and six digits.
const EXTENSION: usize = 19;
/// A context word is judged with the character before it.
const WORD: usize = 2;

/// By built-in type.
fn builtin(kind: Type) -> Reach {
    let (max_len, left) = match kind {
        // RFC 5321, 4.5.3.1; `://` before.
        Type::EmailAddress => (64 + 1 + 253, 3),
        // `+(`, `00` and 15 digits; the words of `phone_context`.
        Type::PhoneNumber => (2 + 2 + 15 + SEPARATORS + EXTENSION, 48 + WORD),
        Type::UsSsn => (9 + SEPARATORS, 64 + WORD),
        // Version 6: a text form of 45, a zone of 16, a prefix length of 4 digits.
        Type::IpAddress => (48 + 17 + 5, 40 + WORD),
        Type::CreditCard => (19 + SEPARATORS, 64 + WORD),
        // 34 symbols, each with a separator.
        Type::IbanCode => (34 * 4, 3),
        Type::SourceCode | Type::SqlSchema | Type::FinancialStatement => (business::RUN, 0),
        Type::InternalHost | Type::ConfidentialityMarking => (business::LINE, 0),
        _ if super::labels::finds(kind) => (super::labels::MAX_VALUE, super::labels::BACK),
        // URLs that are longer are found in parts.
        Type::ExternalImage | Type::ExternalLink => (links::MAX_URL, 2),
        Type::HiddenText => (4 * hidden::MOST, 4),
        // A letter may have another length in another case: at most three bytes for one.
        Type::Canary => (3 * dictionary::MAX_WORD, 0),
        Type::SystemPromptLeak => return Reach { max_len: None, left: 0 },
        // Judged in whole texts only.
        Type::PromptInjection => return Reach { max_len: Some(0), left: 0 },
        Type::PrivateKey => return Reach { max_len: None, left: 0 },
        secret if secret.id() >= Type::PrivateKey.id() || secret == Type::SwiftBic => {
            return secrets::reach::of(secret);
        }
        identifier => ids::reach(identifier),
    };
    Reach { max_len: Some(max_len), left }
}

impl Detectors {
    /// How far findings of this kind reach: those of topics not at all, which are judged in whole texts. That of an id of other
    /// detectors is arbitrary.
    pub fn reach(&self, kind: KindId) -> Reach {
        const NONE: Reach = Reach { max_len: Some(0), left: 0 };
        if kind.index() < TYPES.len() {
            return Type::of(kind).map_or(NONE, builtin);
        }
        let exact = || self.exact.longest(kind).map(|longest| Reach { max_len: Some(longest), left: 0 });
        self.patterns.reach(kind).or_else(|| self.dictionary.reach(kind)).or_else(exact).unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::detectors;
    use super::*;

    #[test]
    fn every_kind_declares_its_reach() {
        let detectors = detectors(
            r#"{"patterns": [{"name": "p", "pattern": "EMP-\\d{6}", "context": ["staff"]}, {"name": "q", "pattern": "a+"}],
                "dictionaries": [{"name": "d", "words": ["ab cd"]}]}"#,
        );
        let reach = |name: &str| {
            let (id, _) = detectors.kinds().find(|(_, k)| k.name == name).unwrap();
            detectors.reach(id)
        };
        for (_, kind) in detectors.kinds() {
            let Reach { max_len, left } = reach(&kind.name);
            assert_eq!(max_len.is_none(), ["PRIVATE_KEY", "SYSTEM_PROMPT_LEAK"].contains(&kind.name.as_str()));
            let whole = kind.name == "PROMPT_INJECTION";
            assert!(whole || max_len.is_none_or(|max| (5..=8192).contains(&max)) && left <= super::super::lane::LEFT);
        }
        assert_eq!(reach("p"), Reach { max_len: Some(10), left: 64 });
        assert_eq!(reach("q"), Reach { max_len: Some(1024), left: 1 });
        assert_eq!(reach("GITHUB_TOKEN").max_len, Some(11 + 255));
    }
}
