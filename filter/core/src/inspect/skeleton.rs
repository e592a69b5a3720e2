//! What a name looks like.

use super::views::fold;

/// A name with every look-alike read as the ASCII character that it seems to be, and what is not drawn left out: two names with
/// one skeleton cannot be told apart by a reader. `None` where that is the name itself.
pub(crate) fn skeleton(name: &str) -> Option<String> {
    if name.is_ascii() {
        return None;
    }
    let mut out = String::with_capacity(name.len());
    for char in name.chars() {
        match fold::of(char) {
            Some((to, _)) => out.extend(to.map(char::from)),
            None => out.push(fold::lookalike(char).map_or(char, char::from)),
        }
    }
    (out != name).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (name, looks) in [
            ("s\u{435}nd_m\u{430}il", "send_mail"),
            ("ｓｅｎｄ＿ｍａｉｌ", "send_mail"),
            ("send\u{200b}_mail", "send_mail"),
            ("𝗌end_mail", "send_mail"),
            ("se\u{301}nd", "send"),
        ] {
            assert_eq!(skeleton(name).as_deref(), Some(looks), "{name}");
        }
        assert_eq!(skeleton("send_mail"), None);
        assert_eq!(skeleton("発注"), None);
    }
}
