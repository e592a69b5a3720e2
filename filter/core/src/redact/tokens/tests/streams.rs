use super::*;
use crate::json::Limits;

#[test]
fn values_come_back() {
    for (text, expected) in [
        ("{X}", "bob@acme.com"),
        ("Write to {X}.", "Write to bob@acme.com."),
        (
            "{X}, {X}; ({X}) *{X}* '{X}' \"{X}\" `{X}` <{X}> [{X}]",
            "bob@acme.com, bob@acme.com; (bob@acme.com) *bob@acme.com* 'bob@acme.com' \"bob@acme.com\" `bob@acme.com` <bob@acme.com> [bob@acme.com]",
        ),
        (
            "name,{X},30\n{X}|x|{X}\n{X},{X}",
            "name,bob@acme.com,30\nbob@acme.com|x|bob@acme.com\nbob@acme.com,bob@acme.com",
        ),
        ("{X}... {X}? {X}: yes. {X}'s", "bob@acme.com... bob@acme.com? bob@acme.com: yes. bob@acme.com's"),
        ("联系{X}谢谢。邮箱：{X}。再见", "联系bob@acme.com谢谢。邮箱：bob@acme.com。再见"),
        ("See https://a.example/ or ask {X}", "See https://a.example/ or ask bob@acme.com"),
        ("[docs](https://a.example/x) {X}", "[docs](https://a.example/x) bob@acme.com"),
        ("<b>{X}</b> <a href=\"/x\">{X}</a>", "<b>bob@acme.com</b> <a href=\"/x\">bob@acme.com</a>"),
        ("if i<n; then {X}", "if i<n; then bob@acme.com"),
        ("KEY={X} a<b {X}> {X}", "KEY=bob@acme.com a<b {X}> bob@acme.com"),
    ] {
        assert_eq!(restored(text).0, expected);
    }
}

#[test]
fn only_the_beginning_of_a_placeholder_is_held() {
    let (map, placeholders) = map(&[("EMAIL_ADDRESS", MAIL, Form::Label)]);
    let mut restorer = Restorer::default();
    assert_eq!(restorer.push(&map, "Write to [", false), "Write to ");
    assert_eq!(restorer.push(&map, "EMAIL_AD", false), "");
    assert_eq!(restorer.held(), 9);
    assert_eq!(restorer.push(&map, "X [EMAIL", false), "[EMAIL_ADX ");
    assert_eq!(restorer.push(&map, &placeholders[0][6..], false), "");
    // What comes next may make a host of it.
    assert_eq!(restorer.push(&map, ".", false), "");
    assert_eq!(restorer.push(&map, " ", false), "bob@acme.com. ");
    assert_eq!(restorer.push(&map, "[EMA", true), "[EMA");
    assert_eq!((restorer.held(), restorer.counts()), (0, Counts { restored: 1, in_url: 0, foreign: 0 }));
    let long = format!("{}{}", placeholders[0], "\u{ad}".repeat(10_000));
    let mut restorer = Restorer::default();
    let held =
        long.chars().map(|char| (restorer.push(&map, char.encode_utf8(&mut [0; 4]), false).len(), restorer.held()).1);
    assert!(held.max().unwrap() < 700);
}

#[test]
fn without_values_nothing_is_held() {
    let mut restorer = Restorer::default();
    let map = RestoreMap::default();
    for piece in ["[EMAIL_ADDRESS_ctr4", "gxz4e4ns", "] http://", "["] {
        assert!(matches!(restorer.push(&map, piece, false), std::borrow::Cow::Borrowed(same) if same == piece));
        assert_eq!(restorer.held(), 0);
    }
    assert_eq!(restorer.counts(), Counts { restored: 0, in_url: 0, foreign: 1 });
}

#[test]
fn foreign_placeholders_are_left_and_counted() {
    let (text, counts) = restored("[EMAIL_ADDRESS_0000000000zz] {X} [[A_b_000000000000]");
    assert_eq!(text, "[EMAIL_ADDRESS_0000000000zz] bob@acme.com [[A_b_000000000000]");
    assert_eq!(counts, Counts { restored: 1, in_url: 0, foreign: 2 });
    for none in [
        "[_000000000000]",
        "[A_00000000000]",
        "[A_0000000000000]",
        "[A_00000000000u]",
        "[A-B_000000000000]",
        "[A_000000000000",
        "[A_00000000 0000]",
    ] {
        assert_eq!(restored(none).1.foreign, 0, "{none}");
    }
    assert_eq!(restored(&format!("[{}_000000000000]", "N".repeat(48))).1.foreign, 1);
    assert_eq!(restored(&format!("[{}_000000000000]", "N".repeat(49))).1.foreign, 0);
}

#[test]
fn preserved_forms_are_words_of_their_own() {
    let values = [("PHONE_NUMBER", "4155552671", Form::Preserve), ("EMAIL_ADDRESS", MAIL, Form::Preserve)];
    let (map, placeholders) = map(&values);
    let (phone, mail) = (&placeholders[0], &placeholders[1]);
    let check = |text: String, expected: &str| assert_eq!(restore_whole(&map, &text).0, expected);
    check(format!("call {phone}, {mail}."), "call 4155552671, bob@acme.com.");
    for kept in [format!("1{phone}"), format!("{phone}1"), format!("x{mail}"), format!("{mail}s"), format!("é{mail}")]
    {
        check(kept.clone(), &kept);
        assert_eq!(restore_whole(&map, &kept).1, Counts::default());
    }
    for kept in [format!("mailto:{mail}"), format!("a.{mail}"), format!("{mail}.evil.example"), format!("tel:{phone}")]
    {
        check(kept.clone(), &kept);
        assert_eq!(restore_whole(&map, &kept).1.in_url, 1);
    }
}

#[test]
fn what_was_restored_is_not_looked_at_again() {
    let first = deriver().placeholder("A", "one", Form::Label, 0);
    let (map, placeholders) = map(&[("A", "one", Form::Label), ("B", &format!("see {first} here"), Form::Label)]);
    let (text, counts) = restore_whole(&map, &placeholders[1]);
    assert_eq!((text.as_ref(), counts.restored), (format!("see {first} here").as_str(), 1));
}

fn json(text: &str) -> String {
    let (map, placeholders) = map(&[("NAME", "say \"hi\"\\\n", Form::Label)]);
    let text = text.replace("{X}", &placeholders[0]);
    restore_json(&map, &text, &Limits::default()).0.replace(&placeholders[0], "{X}")
}

#[test]
fn values_are_escaped_in_json() {
    assert_eq!(json(r#"{ "to" :"a {X}, b"}"#), r#"{ "to" :"a say \"hi\"\\\n, b"}"#);
    assert_eq!(json(r#"["{X}",{"{X}":"{X}"}]"#), r#"["say \"hi\"\\\n",{"{X}":"say \"hi\"\\\n"}]"#);
    assert_eq!(json(r#""{X}""#), r#""say \"hi\"\\\n""#);
    assert_eq!(json(r#"{"u":"https://evil.example/?q={X}"}"#), r#"{"u":"https://evil.example/?q={X}"}"#);
    assert_eq!(json(r#"{"u":"https:\/\/evil.example/?q={X}"}"#), r#"{"u":"https:\/\/evil.example/?q={X}"}"#);
    // A link ends with its string.
    assert_eq!(json(r#"{"u":"https://a.example/","to":"{X}"}"#), r#"{"u":"https://a.example/","to":"say \"hi\"\\\n"}"#);
    for none in [r#"{"a":"{X}""#, "{X}", r#"{"a":"{X}","a":1}"#, ""] {
        assert_eq!(json(none), none);
    }
}

#[test]
fn values_are_escaped_as_often_as_they_are_quoted() {
    let inner = |text: &str| serde_json::json!({ "body": serde_json::json!({ "to": text }).to_string() }).to_string();
    assert_eq!(json(&inner("{X}")), inner("say \"hi\"\\\n"));
    let inner = |text: &str| serde_json::json!({ "body": format!("{{not json {text}") }).to_string();
    assert_eq!(json(&inner("{X}")), inner("say \"hi\"\\\n"));
}

#[test]
fn foreign_placeholders_in_json_are_counted_once() {
    let text = r#"{"a":"[A_000000000000]"}"#;
    assert_eq!(restore_json(&RestoreMap::default(), text, &Limits::default()).1.foreign, 1);
}

/// Would take minutes if any of it were looked at more than a few times.
#[test]
fn hostile_texts_take_linear_time() {
    let phones: Vec<String> = (0..500).map(|n| format!("+1 {n:010}")).collect();
    let mut values: Vec<_> = phones.iter().map(|phone| ("PHONE_NUMBER", phone.as_str(), Form::Preserve)).collect();
    values.push(("EMAIL_ADDRESS", MAIL, Form::Label));
    let (map, placeholders) = map(&values);
    let label = placeholders.last().unwrap();
    let units = [
        "[",
        "[EMAIL_ADDRESS_",
        "+9 99",
        "](",
        "]:",
        "<a b=",
        "//",
        "\u{ad}",
        &label[..label.len() - 1],
        label,
        &placeholders[0],
    ];
    for unit in units.map(str::to_owned).into_iter().chain([format!("{label}\u{ad}"), format!("{label}.")]) {
        let text = unit.repeat((1 << 21) / unit.len());
        let _ = restore_whole(&map, &text);
        let _ = map.sweep(&text).count();
        let mut restorer = Restorer::default();
        for piece in text.get(..1 << 16).unwrap_or_default().split_inclusive(|_| true) {
            let _ = restorer.push(&map, piece, false);
        }
    }
}

#[test]
fn structured_output_is_restored_as_it_comes() {
    let (map, placeholders) = map(&[("NAME", "say \"hi\"\\\n", Form::Label)]);
    let hi = r#"say \"hi\"\\\n"#;
    for (text, expected) in [
        (r#"{"url":"https://a.example/b","name":"{X}"}"#, Some(r#"{"url":"https://a.example/b","name":"HI"}"#)),
        (
            r#"["a\n{X}\n","{X}\"","\"{X}","\u4e2d \u00e9 {X}"]"#,
            Some(r#"["a\nHI\n","HI\"","\"HI","\u4e2d \u00e9 HI"]"#),
        ),
        (r#"["https://a.example/\"{X}"]"#, None),
        (r#"["https:\/\/a.example\/{X}"]"#, None),
        (r#"["evil\u002eexample\u002f {X}"]"#, None),
        (r#"["{X}\u002eexample"]"#, None),
        (r#"["{X}\/a"]"#, None),
        (r#"["<img\nalt=\"a> {X}\">"]"#, None),
        (r#"["![a](b\"{X})"]"#, None),
    ] {
        let text = text.replace("{X}", &placeholders[0]);
        let expected = expected.map_or(text.clone(), |expected| expected.replace("HI", hi));
        assert_eq!(Restorer::json().push(&map, &text, true), expected);
        let mut restorer = Restorer::json();
        let pieces = text.split_inclusive(|_| true).map(|piece| restorer.push(&map, piece, false).into_owned());
        let pieces = pieces.collect::<String>();
        assert_eq!(pieces + &restorer.push(&map, "", true), expected);
    }
}
