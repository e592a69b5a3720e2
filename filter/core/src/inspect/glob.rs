//! Globs over values: `*` stands for any run of characters, `?` for one; case does not matter (ASCII).

/// Whether `pattern` fits the whole of `value`. Time is at most the product of both lengths.
pub(super) fn matches(pattern: &str, value: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let value: Vec<char> = value.chars().collect();
    let (mut p, mut v) = (0, 0);
    // Where the last `*` stands and where in the value it was tried last.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(c) = value.get(v) {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, v));
                p += 1;
            }
            Some(q) if *q == '?' || q.eq_ignore_ascii_case(c) => {
                p += 1;
                v += 1;
            }
            _ => match retry {
                Some((star, tried)) => {
                    retry = Some((star, tried + 1));
                    p = star + 1;
                    v = tried + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs() {
        for (pattern, value, fits) in [
            ("*@acme.com", "Bob@ACME.com", true),
            ("*@acme.com", "bob@acme.com.evil", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "", true),
            ("*", "", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbx", false),
            ("ü*", "über", true),
        ] {
            assert_eq!(matches(pattern, value), fits, "{pattern} {value}");
        }
    }
}
