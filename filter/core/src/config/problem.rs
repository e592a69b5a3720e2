//! A mistake in a configuration: where, what, and how to mend it.
//!
//! There are hundreds of places that say one, and none is in a hurry: their common parts are kept out of line.

use std::fmt;

/// The way from the document's root to a value: `limits[2].window`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The value under `key` of the mapping at this path.
    #[inline(never)]
    pub fn key(&self, key: &str) -> Self {
        let mut text = self.0.clone();
        let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-@".contains(&b));
        if plain {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        } else {
            text.push_str(&format!("[{key:?}]"));
        }
        Self(text)
    }

    /// This path, below `outer`.
    pub(crate) fn below(&self, outer: &Path) -> Self {
        match (self.0.as_str(), outer.0.as_str()) {
            ("", _) => outer.clone(),
            (_, "") => self.clone(),
            (inner, outer) if inner.starts_with('[') => Self(format!("{outer}{inner}")),
            (inner, outer) => Self(format!("{outer}.{inner}")),
        }
    }

    /// The item at `index` (from 0) of the list at this path.
    #[inline(never)]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "document" } else { &self.0 })
    }
}

/// One mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub path: Path,
    /// What is wrong: lower case, input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at `path`.
    #[cold]
    #[inline(never)]
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Self { path, message: message.into(), help: None }
    }

    /// The same problem with a remedy.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        if let Some(help) = &self.help {
            write!(f, " (help: {help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The candidate nearest to `word` in spelling, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of(word, &mut candidates.into_iter())
}

#[cold]
#[inline(never)]
fn nearest_of<'a>(word: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let limit = word.chars().count() / 3 + 1;
    candidates
        .map(|c| (distance(&word, &c.to_ascii_lowercase()), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cb, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let up = *cell;
            let value = (diagonal + usize::from(ca != *cb)).min(up + 1).min(left + 1);
            diagonal = up;
            left = value;
            *cell = value;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(nearest("modles", ["models", "roles", "targets"]), Some("models"));
        assert_eq!(nearest("xyz", ["models", "roles"]), None);
    }

    #[test]
    fn paths_read_like_code() {
        let path = Path::root().key("limits").index(2).key("per user").key("x");
        assert_eq!(path.to_string(), "limits[2][\"per user\"].x");
        assert_eq!(Path::root().to_string(), "document");
    }
}
