//! The variables that a policy's `{env: NAME}` refers to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Stands in for a secret that is not here. Long enough for every use of one.
const PLACEHOLDER: &str = "a-placeholder-of-64-bytes-for-a-secret-that-is-not-known-here...";

/// Variables of a file and of the environment, and what was asked of them.
#[derive(Debug, Default)]
pub struct Variables {
    file: BTreeMap<String, String>,
    asked: RefCell<Asked>,
}

/// The names that a policy referred to.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub set: BTreeSet<String>,
    pub missing: BTreeSet<String>,
}

impl Variables {
    /// The environment, and before it the variables of a file of NAME=VALUE lines.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no such thing.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::default()) };
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
        let mut variables = Self::default();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            // The line is not shown: it may be a secret.
            let Some((name, value)) = line.split_once('=') else { bail!("{shown}:{}: not NAME=VALUE", i + 1) };
            variables.file.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
        }
        Ok(variables)
    }

    /// The value of a variable, or something to stand in for it.
    pub fn value(&self, name: &str) -> String {
        let known = self.known(name);
        let mut asked = self.asked.borrow_mut();
        let names = if known.is_some() { &mut asked.set } else { &mut asked.missing };
        names.insert(name.to_owned());
        known.unwrap_or_else(|| PLACEHOLDER.to_owned())
    }

    /// The value of a variable that is set.
    pub fn known(&self, name: &str) -> Option<String> {
        self.file.get(name).cloned().or_else(|| std::env::var(name).ok())
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Asked {
        self.asked.take()
    }
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_goes_before_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# keys\n\nexport PATH = 'a=b'\nOTHER=\"x\"\n").unwrap();
        let variables = Variables::load(Some(file.path())).unwrap();
        assert_eq!(variables.value("PATH"), "a=b");
        assert_eq!(variables.value("OTHER"), "x");
        assert_eq!(variables.value("HOME"), std::env::var("HOME").unwrap());
        assert_eq!(variables.value("DOORWARD_UNSET"), PLACEHOLDER);
        let asked = variables.asked();
        assert_eq!(asked.missing.into_iter().collect::<Vec<_>>(), ["DOORWARD_UNSET"]);
        assert_eq!(asked.set.len(), 3);
        assert!(variables.asked().set.is_empty());
        assert!(PLACEHOLDER.len() >= 64);
    }

    #[test]
    fn a_bad_line_is_named_but_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "A=1\nhunter2\n").unwrap();
        let error = Variables::load(Some(file.path())).unwrap_err().to_string();
        assert!(error.ends_with(":2: not NAME=VALUE"), "{error}");
    }
}
