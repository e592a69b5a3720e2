//! Globs: `*` is any run of characters, `?` any one character, everything else itself. Case is folded (ASCII),
//! since providers differ in whether `GPT-4o` is `gpt-4o` and a deny must not depend on it.

/// A compiled glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// Case counts.
    exact: bool,
}

impl Glob {
    /// Every text is a glob.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_ascii_lowercase(), exact: false }
    }

    /// One in which case counts.
    pub fn exact(text: &str) -> Self {
        Self { text: text.to_owned(), exact: true }
    }

    /// Whether it names exactly one text, which is then this.
    pub fn literal(&self) -> Option<&str> {
        (!self.text.contains(['*', '?'])).then_some(self.text.as_str())
    }

    /// Whether `text` fits. Time is at most the product of both lengths, without backtracking beyond the last `*`.
    pub fn matches(&self, text: &str) -> bool {
        let mut pattern = self.text.chars();
        let mut text = text.chars().map(|c| if self.exact { c } else { c.to_ascii_lowercase() });
        // Where to go on when a character does not fit: behind the last `*`, one character further.
        let mut retry = None;
        loop {
            match pattern.next() {
                Some('*') => retry = Some((pattern.clone(), text.clone())),
                Some(p) => match text.next() {
                    Some(c) if p == '?' || p == c => {}
                    Some(_) => match back(&mut retry) {
                        Some(state) => (pattern, text) = state,
                        None => return false,
                    },
                    None => return false,
                },
                None => match text.next() {
                    None => return true,
                    Some(_) => match back(&mut retry) {
                        Some(state) => (pattern, text) = state,
                        None => return false,
                    },
                },
            }
        }
    }
}

fn back<P: Clone, T: Clone + Iterator>(retry: &mut Option<(P, T)>) -> Option<(P, T)> {
    let (pattern, text) = retry.as_mut()?;
    text.next()?;
    Some((pattern.clone(), text.clone()))
}

/// A list of globs of which any may fit; an empty list fits everything.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<Glob>);

impl Globs {
    /// From their texts.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        Self(texts.into_iter().map(|t| Glob::new(t)).collect())
    }

    /// From their texts, in which case counts.
    pub fn exact<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        Self(texts.into_iter().map(|t| Glob::exact(t)).collect())
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `text` fits one of them, or there are none.
    pub fn fit(&self, text: &str) -> bool {
        self.0.is_empty() || self.any(text)
    }

    /// Whether `text` fits one of them.
    pub fn any(&self, text: &str) -> bool {
        self.0.iter().any(|g| g.matches(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits() {
        for (glob, text, fits) in [
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "é", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-", false),
            ("*ab", "aab", true),
            ("*/*/x", "a/b/x", true),
            ("a**b", "ab", true),
            ("a?c", "ac", false),
            ("*a", "b", false),
        ] {
            assert_eq!(Glob::new(glob).matches(text), fits, "{glob} on {text}");
        }
        assert!(Glob::exact("a/*/B").matches("a/x/B") && !Glob::exact("a/*/B").matches("A/x/b"));
    }

    #[test]
    fn hostile_text_ends() {
        let glob = Glob::new("*a*a*a*a*a*a*a*a*b");
        assert!(!glob.matches(&"a".repeat(20_000)));
    }
}
