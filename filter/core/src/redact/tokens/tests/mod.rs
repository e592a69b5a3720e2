//! What reversible redaction promises.
#![allow(clippy::string_slice)]

mod attacks;
mod derivation;
mod maps;
mod properties;
mod streams;

use super::*;

pub(super) const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(super) const SUBJECT: &str = "https://idp.example user-1";
pub(super) const MAIL: &str = "bob@acme.com";

pub(super) fn deriver() -> Deriver<'static> {
    Deriver::new(KEY, SUBJECT)
}

/// A map of these kinds and values, and their placeholders.
pub(super) fn map(values: &[(&str, &str, Form)]) -> (RestoreMap, Vec<String>) {
    let mut assignments = Assignments::default();
    let placeholders = values
        .iter()
        .map(|(kind, value, form)| assignments.assign(&deriver(), kind, value, *form, &|_| false).unwrap().to_owned())
        .collect();
    (assignments.build().unwrap(), placeholders)
}

/// The text restored, with the counts, `X` standing for the placeholder of a mail address.
pub(super) fn restored(text: &str) -> (String, Counts) {
    let (map, placeholders) = map(&[("EMAIL_ADDRESS", MAIL, Form::Label)]);
    let text = text.replace("{X}", &placeholders[0]);
    let (restored, counts) = restore_whole(&map, &text);
    (restored.replace(&placeholders[0], "{X}"), counts)
}
