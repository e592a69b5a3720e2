//! Escapes in text that is not, or not strictly, JSON: a model reads them, as do tools that are not strict.

/// The character that `u0020` to `u007e` stands for, at the start of `rest` and behind its backslashes. Other
/// characters cannot be a part of what is looked for, or stand as they are.
pub(super) fn read(rest: &str) -> Option<char> {
    let code = rest.get(..SIZE)?.strip_prefix("u00")?;
    let byte = code.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(code, 16).ok())??;
    (b' '..=b'~').contains(&byte).then_some(char::from(byte))
}

/// Bytes of an escape without its backslashes.
pub(super) const SIZE: usize = 5;
