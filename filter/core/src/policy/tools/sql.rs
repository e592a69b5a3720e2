//! Which kind of statement an SQL text is.
//!
//! A statement's kind is its first word; behind `with`, that of a query unless something in it changes data. What databases read
//! differently cannot be said: a backslash within a string, dollar quotes, comments that MySQL runs, a second statement.
//!
//! **What this does not do.** A `select` may call functions, and what those may do is up to the database's own grants.

/// Words that make a statement more than a query, wherever they stand outside of strings and names in quotes.
const CHANGES: [&str; 17] = [
    "insert", "update", "delete", "merge", "drop", "alter", "create", "truncate", "grant", "revoke", "call", "exec",
    "execute", "copy", "into", "replace", "attach",
];
/// Those that are also functions.
const FUNCTIONS: [&str; 2] = ["replace", "insert"];

/// The kind of a statement, in lower case; `None` where it cannot be said.
pub(super) fn kind(text: &str) -> Option<String> {
    let words = words(text)?;
    let first = words.first()?.0.clone();
    let changes = words.iter().skip(1).find(|(word, call)| {
        let word = word.as_str();
        CHANGES.contains(&word) && !(*call && FUNCTIONS.contains(&word))
    });
    match first.as_str() {
        "select" | "values" | "table" | "show" | "describe" | "explain" if changes.is_some() => None,
        "with" => match changes {
            None => Some("select".to_owned()),
            Some(_) => None,
        },
        _ => Some(first),
    }
}

/// The words outside of strings, names in quotes and comments, in lower case, and whether a parenthesis follows.
fn words(text: &str) -> Option<Vec<(String, bool)>> {
    let bytes = text.as_bytes();
    let mut words: Vec<(String, bool)> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match (byte, next) {
            (b'\'' | b'"' | b'`', _) => at = quoted(bytes, at, byte)?,
            (b'[', _) => at = quoted(bytes, at, b']')?,
            // Without white space behind it MySQL reads two signs; and a CR alone ends a comment for some.
            (b'-', b'-') => {
                let line = text.get(at + 2..)?.split('\n').next().unwrap_or_default();
                let line = line.strip_suffix('\r').unwrap_or(line);
                if !line.is_empty() && !line.starts_with([' ', '\t']) || line.contains('\r') {
                    return None;
                }
                at += 2 + line.len();
            }
            // MySQL runs what stands in `/*!`; nested ones end differently.
            (b'/', b'*') => {
                let rest = text.get(at + 2..)?;
                let end = rest.find("*/")?;
                let inner = rest.get(..end)?;
                if inner.starts_with(['!', 'M', '+']) || inner.contains("/*") {
                    return None;
                }
                at += end + 4;
            }
            (b'#' | b'$' | b'\\', _) => return None,
            (b';', _) => {
                let rest = text.get(at + 1..)?;
                return rest.trim().is_empty().then_some(words);
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80;
                let length = bytes.iter().skip(at).take_while(|b| part(b)).count();
                words.push((text.get(at..at + length)?.to_lowercase(), false));
                at += length;
            }
            (b'(', _) => {
                if let Some(word) = words.last_mut().filter(|_| before(bytes, at)) {
                    word.1 = true;
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    Some(words)
}

/// Whether a word stands right before `at`.
fn before(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric)
}

/// Where a string or a name in quotes ends: a doubled quote does not end it. A backslash may, or may not.
fn quoted(bytes: &[u8], start: usize, end: u8) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => return None,
            b if b == end && bytes.get(at + 1) == Some(&end) => at += 2,
            b if b == end => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (sql, expected) in [
            ("SELECT * FROM orders WHERE id = 1", Some("select")),
            ("  select 1;  ", Some("select")),
            ("-- all of them\nselect 'drop table x; --' from t", Some("select")),
            ("select replace(name, 'a', 'b') from t", Some("select")),
            ("with a as (select 1) select * from a", Some("select")),
            ("with a as (delete from t returning *) select * from a", None),
            ("select 1; drop table t", None),
            ("select * into outfile '/tmp/x' from t", None),
            ("select 'a\\'; drop table t; --'", None),
            ("select /*! 1; drop table t */ 1", None),
            ("select $$;$$; drop table t", None),
            ("select \"update\" from t", Some("select")),
            ("select [delete] from t", Some("select")),
            ("/* a */ delete from t", Some("delete")),
            ("explain analyze delete from t", None),
            ("se/**/lect 1", Some("se")),
            ("ѕelect 1", Some("ѕelect")),
            ("(select 1)", Some("select")),
            ("select 1--1; drop table t", None),
            ("select 1 -- a\rdrop table t", None),
            ("select 1 --\r\nfrom t", Some("select")),
            ("select 'open", None),
            ("", None),
        ] {
            assert_eq!(kind(sql).as_deref(), expected, "{sql}");
        }
    }
}
