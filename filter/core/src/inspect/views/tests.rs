use super::*;

fn undone(text: &str) -> Option<(String, Vec<usize>)> {
    let view = characters(text)?;
    let places = (0..view.text.len()).map(|at| view.way.exact(at..at + 1).start).collect();
    Some((view.text, places))
}

#[test]
fn escapes_are_undone_and_found_again() {
    let (plain, places) = undone("é \\\\u0041b\\n\\u0042").unwrap();
    assert_eq!(plain, "é Ab\\nB");
    assert_eq!(places, [0, 1, 2, 3, 10, 11, 12, 13]);
    for none in ["", "u0041", "\\u00", "\\u00e9", "\\u0g41", "\\u00+4", "\\u0009", "\\u12345"] {
        assert_eq!(undone(none), None, "{none}");
    }
    assert_eq!(undone(&format!("{}\\u0041", "\\".repeat(100_000))).unwrap().0, "A");
}

#[test]
fn characters_of_all_kinds_are_undone_together() {
    let view = characters("see x%40y&period;z?a+b \\u0040 100% & more &lt; %zz").unwrap();
    assert_eq!(view.text, "see x@y.z?a b \\u0040 100% & more < %zz".replace("\\u0040", "@"));
    let at = view.text.find("y.z").unwrap();
    assert_eq!(view.way.exact(at..at + 3), 8..18);
    assert_eq!(view.way.cut(at..at + 3), 4..22);
    let at = view.text.find(" @ ").unwrap() + 1;
    assert_eq!(view.way.cut(at..at + 1), 23..29);
}

#[test]
fn ordinary_text_has_no_view() {
    for text in [
        "",
        "100% sure, AT&T, R&D; a+b=c, C:\\users\\new",
        "https://example.org/path?x=1&y=2#z",
        "if a && b || c % d { println!(\"{}\\n\", x) }",
        "中文没有空格的一段很长的文字,里面没有任何编码。",
    ] {
        assert!(Views::default().next(text).is_none(), "{text}");
    }
}

#[test]
fn views_never_grow_and_lead_back() {
    let pieces = [
        "%",
        "%4",
        "%40",
        "%2540",
        "%C3%A9",
        "&",
        "&#64;",
        "&#x10FFFF",
        "&nbsp;",
        "&amp;#64;",
        "\\",
        "\\u0041",
        "?",
        "+",
        " ",
        "é",
        "Ym9iQGV4YW1wbGUub3Jn",
        "A",
        "=",
        "\n",
        "/",
        "💩",
        "UVVGQlFVRkJRVUZCUVVGQlFVRkI=",
        "\u{200b}",
        "&#8203;",
        "\u{301}",
        "４",
        "𝟒",
        "а",
        "б",
        "\u{e0041}",
        "—",
        "٤",
        "**",
        "`",
        " (at) ",
        " at bob dot org",
        "/2/345/6789",
        "4 1 1 1 1 1 1",
        "<!--",
        "-->",
        "\\x41",
        "\\udb40\\udc41",
        "626f62406578616d706c652e6f7267",
    ];
    let mut seed = 1u32;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..seed % 12 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(seed >> 8) as usize % pieces.len()]);
        }
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) >> 1;
        let mut source = text.clone();
        let mut views = Views::default();
        while let Some(view) = views.next(&source) {
            assert!(view.text.len() <= source.len(), "{source:?} {:?}", view.text);
            let mut before = 0;
            for (at, char) in view.text.char_indices() {
                let exact = view.way.exact(at..at + char.len_utf8());
                let cut = view.way.cut(at..at + char.len_utf8());
                assert!(before <= exact.start && exact.start < exact.end, "{source:?}");
                assert!(cut.start <= exact.start && exact.end <= cut.end, "{source:?}");
                assert!(source.get(exact.clone()).is_some() && source.get(cut).is_some(), "{source:?}");
                before = exact.start;
            }
            let whole = view.way.exact(0..view.text.len());
            let outside = [source.get(..whole.start), source.get(whole.end.max(whole.start)..)];
            let gone = |c| fold::of(c).is_some_and(|(to, _)| to.is_none());
            assert!(outside.into_iter().flatten().flat_map(str::chars).all(gone), "{source:?} {whole:?}");
            source = view.text;
        }
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    for piece in [
        "%",
        "%4",
        "%41",
        "&",
        "&#",
        "&#1",
        "&#x",
        "+",
        "?+",
        "%20?+",
        "\\",
        "\\u",
        "\\u0041",
        "A",
        "Aa",
        "Aa1/",
        "AAAAAAAAAAAAA ",
        "QUFB",
        "QUFBQUFBQUFBQUFB\n",
        "=",
        "A=",
        "1\u{200b}",
        "\u{200b}",
        "1\u{301}",
        "а",
        "aа",
        "аб",
        " а",
        "ｆ",
        "\u{e0041}",
        "*",
        "1**",
        "a`",
        "1<!--",
        "1\n",
        "a1B2c3D4\n",
        " a1\n1",
        "1/",
        " 1/2",
        " (at) a",
        " a at b dot c",
        " dot ",
        "1 ",
        "- ",
        "a.",
        "6a",
        "\\x4",
        "\\ud835",
    ] {
        let started = std::time::Instant::now();
        let mut text = piece.repeat((1 << 20) / piece.len());
        let mut views = Views::default();
        while let Some(view) = views.next(&text) {
            text = view.text;
        }
        assert!(started.elapsed().as_secs() < 5, "{piece}");
    }
}
