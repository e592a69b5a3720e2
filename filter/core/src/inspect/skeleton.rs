//! What a name looks like.

mod table;

use super::views::fold;

/// A name with every look-alike read as the ASCII character that it seems to be, and what is not drawn left out: two names with
/// one skeleton cannot be told apart by a reader. Where marks turn the direction of writing round, the name read backwards is another.
/// Empty where a name has none but itself.
pub(crate) fn skeletons(name: &str) -> Vec<String> {
    if name.is_ascii() {
        return Vec::new();
    }
    let (mut out, mut turns) = (String::with_capacity(name.len()), false);
    for char in name.chars() {
        turns |= matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match fold::of(char) {
            // Tags: letters for machines, which no reader sees.
            Some(_) if matches!(char, '\u{e0000}'..='\u{e007f}') => {}
            Some((to, _)) => out.extend(to.map(char::from)),
            None => out.push(fold::lookalike(char).map(char::from).or_else(|| table::latin(char)).unwrap_or(char)),
        }
    }
    let turned = turns.then(|| out.chars().rev().collect());
    (out != name).then_some(out).into_iter().chain(turned).collect()
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
            ("s\u{e9}nd", "send"),
            ("send\u{e0061}", "send"),
            ("\u{a4e2}\u{a4f0}\u{a4e0}\u{a4d3}", "SEND"),
        ] {
            assert_eq!(skeletons(name), [looks], "{name}");
        }
        assert_eq!(skeletons("\u{202e}dnes"), ["dnes", "send"]);
        assert_eq!(skeletons("send_mail"), Vec::<String>::new());
        assert_eq!(skeletons("発注"), Vec::<String>::new());
    }
}
