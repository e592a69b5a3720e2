//! Texts that arrive in pieces: how soon they leave, and what that costs.

use super::super::types::TYPES;
use super::super::{Group, Lane, Selection, work};
use super::lane_properties::own;
use super::lanes::{cut, pushes, select};
use super::{Budget, Detectors, builtin, corpora};

/// Further pushes until each byte is settled, by how often.
fn delays(detectors: &Detectors, selection: &Selection, rows: &[serde_json::Value]) -> Vec<usize> {
    let mut counts = vec![0usize; 4096];
    for row in rows {
        let text = row["text"].as_str().unwrap();
        let pieces = cut(text, 4);
        let pushes = pushes(detectors, selection, pieces.iter().copied().chain([""]));
        // The push that brought each byte, and the one that settled it; the end is left out.
        let brought = pieces.iter().enumerate().flat_map(|(i, piece)| std::iter::repeat_n(i, piece.len()));
        let settled = pushes.iter().enumerate().flat_map(|(i, push)| std::iter::repeat_n(i, push.text.len()));
        for (brought, settled) in brought.zip(settled).filter(|(_, settled)| *settled < pieces.len()) {
            counts[(settled - brought).min(4095)] += 1;
        }
    }
    counts
}

fn quantile(counts: &[usize], share: f64) -> usize {
    let total: usize = counts.iter().sum();
    let mut below = 0;
    counts
        .iter()
        .position(|n| {
            below += n;
            below as f64 >= total as f64 * share
        })
        .unwrap_or(0)
}

#[test]
fn text_leaves_soon() {
    let Some(rows) = corpora::rows("benign.jsonl") else { return };
    let detectors = builtin();
    let others = TYPES.iter().filter(|(_, group)| ![Group::Exfiltration, Group::Business].contains(group));
    let names: Vec<&str> = others.map(|(name, _)| *name).collect();
    let but = |without: &[&str]| names.iter().copied().filter(|n| !without.contains(n)).collect::<Vec<_>>();
    for (what, names, median, most) in [
        ("all", names.clone(), 1, 8),
        ("all but EMAIL_ADDRESS", but(&["EMAIL_ADDRESS"]), 0, 8),
        ("secrets", vec!["secrets"], 0, 8),
        ("financial", vec!["financial"], 0, 8),
        ("EMAIL_ADDRESS", vec!["EMAIL_ADDRESS"], 1, 8),
        ("exfiltration", vec!["exfiltration"], 0, 8),
        ("EXTERNAL_IMAGE", vec!["EXTERNAL_IMAGE"], 0, 0),
        ("all and exfiltration", vec!["all", "exfiltration"], 1, 12),
    ] {
        let counts = delays(&detectors, &select(&detectors, &names), &rows);
        let [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(|share| quantile(&counts, share));
        let at_once = 100 * counts[0] / counts.iter().sum::<usize>();
        let mean =
            counts.iter().enumerate().map(|(d, n)| d * n).sum::<usize>() as f64 / counts.iter().sum::<usize>() as f64;
        println!(
            "{what}: delay in pushes of 4 bytes: {at_once} % at once, median {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, mean {mean:.2}"
        );
        assert!(p50 <= median && p99 <= most, "{what}");
    }
}

/// Of words nobody can say whether an `@` follows: only what is over when its piece is can leave with it. All of that does.
#[test]
fn words_that_are_over_leave_at_once() {
    let Some(rows) = corpora::rows("benign.jsonl") else { return };
    let detectors = builtin();
    let counts = delays(&detectors, &select(&detectors, &["EMAIL_ADDRESS"]), &rows);
    let (mut bytes, mut over) = (0usize, 0usize);
    for row in &rows {
        let pieces = cut(row["text"].as_str().unwrap(), 4);
        // The last one ends its text, and is not counted.
        for piece in pieces.split_last().map_or(&[][..], |(_, before)| before) {
            bytes += piece.len();
            let open =
                |c: char| c.is_ascii_alphanumeric() || "._%+-'&".contains(c) || ('\u{c0}'..='\u{17f}').contains(&c);
            over += piece.trim_end_matches(open).len();
        }
    }
    let (possible, done) = (over as f64 / bytes as f64, counts[0] as f64 / counts.iter().sum::<usize>() as f64);
    println!("settled at once: {:.1} %, of {:.1} % that can be", 100.0 * done, 100.0 * possible);
    assert!(done > 0.97 * possible);
}

#[test]
fn hostile_texts_stay_linear() {
    let detectors = builtin();
    let selection = select(&detectors, &["all", "exfiltration"]);
    let pieces = [
        "![",
        "](",
        "![](",
        "![a](b ",
        "[a]: ",
        "[a]: //b ![a]",
        "<img src=",
        "src='",
        "src=\"a\" srcset=\"b, c\" ",
        "url(",
        "<a ",
        "h",
        "https://",
        "https://a.bc/?d ",
        "https://a.bc/?d,",
        "www.",
        "&#x3a;",
        "\\",
        "a",
        "1",
        "A",
        "1 ",
        "1-",
        "f:",
        "a:",
        "é",
        "中",
        "-",
        " ",
        "@",
        "a@",
        "a@b.",
        "a.",
        "+",
        "(",
        "GB82 ",
        "gt11 ",
        "DE89",
        "eyJ",
        "\\neyJ",
        "ghp_",
        "glsoat-",
        "sk-",
        "token=",
        "token=a1",
        "api_key: ",
        "key=key:",
        "passwd=a1!b2c3 ",
        "twitter=",
        "twitter_token = ",
        "kraken_key=",
        "secret is ",
        "--token ",
        "Authorization: Bearer ",
        "Authorization: Bearer a1B2c3D4e5F6 ",
        " -u",
        " -u a:b1cde ",
        "curl -u a:b1cde ",
        "ZXlK",
        "ops_eyJ",
        "value: ",
        "TOKEN\n value: ",
        "sk-a ",
        "AKIA",
        "AKIAKIA ",
        "aws_secret ",
        "aws_secret",
        "password=",
        "pwd=a ",
        "://",
        "a://b",
        "https://",
        "https://hooks.slack.com/",
        ":AA",
        "1:AA",
        "-----BEGIN",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD-----END",
        "1  ",
        "4111 1111 1111 1111 ",
        "536-22-8726 ",
        "1.1.1.1 ",
        "555-2671 ext ",
        "0Q~",
        "A1",
        "A1 ",
        "AB 12 34 56 ",
        "AB123456C ",
        "AB-",
        "1EG4-TE5-MK",
        "X1234567",
        "ABCDE1234",
        "12345678Z ",
        "123-456-789 ",
        "nino 12345678 ",
        "756.1234.5678.97 ",
        "00-1A-",
        "00:1A:2B:3C:4D:5E ",
        "001a.2b3c.",
        "0x1",
        "0x52908400098527886E0F7030069857D2E4169EE7 ",
        "1A1z",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy ",
        "bc1q",
        "bic ",
        "swift: DEUTDEF",
        "x12 ",
        "2001:db8::1 ",
        "\u{200b}",
        "1\u{200b}",
        "４",
        "aа",
        "\u{e0041}",
        "name: ",
        "Name: A ",
        "Mr. A B C D ",
        "dob ",
        "dateOfBirthDateOf",
        "password: a",
        "address: 1 A A A A ",
        "1 A ",
        "1 A A A A A ",
        "Aa Aa-",
        "Via A A A ",
        "passport number ",
        "date of ",
        "lat: 1.",
        "1\u{b0} N ",
        "密码",
        "A B\n",
        "x = y;\n",
        "create table a (int,\n",
        "revenue 12\n",
        "CONFIDENTIAL ",
        "a.internal ",
    ];
    // With a policy's own patterns and words beside.
    let own = own();
    let everything = select(&own, &["all", "exfiltration", "business"]);
    for piece in pieces.into_iter().chain(["moo", "blue moon "]) {
        for (what, detectors, selection) in [("built in", &detectors, &selection), ("with own", &own, &everything)] {
            let steps = |bytes: usize| {
                let text = piece.repeat(bytes / piece.len());
                work::take();
                let _ = pushes(detectors, selection, cut(&text, 4).into_iter());
                work::take()
            };
            let (small, large) = (steps(16 * 1024), steps(64 * 1024));
            assert!(large <= 5 * small + 65536, "{piece:?}, {what}: {small} steps, {large} for four times the text");
        }
    }
}

#[test]
fn what_is_held_is_bounded() {
    let detectors = own();
    let selection = select(&detectors, &["all", "exfiltration", "business"]);
    let pieces = [
        "](",
        "![](//a",
        "src='",
        "url(",
        "https://a,",
        "a",
        "1",
        "1 ",
        "f:",
        "moo",
        "al",
        "<",
        "x",
        "blue ",
        "blue moon ",
        "中",
        "eyJ",
        "QUJD",
        "q",
    ];
    for start in ["", "-----BEGIN PRIVATE KEY-----\n", "eyJ", "<", "key ", "Server=x;password=", "![x](", "https://"] {
        for piece in pieces {
            let mut lane = Lane::new();
            let mut budget = Budget::new(u64::MAX);
            let text = format!("{start}{}", piece.repeat(65536 / piece.len()));
            for piece in cut(&text, 4) {
                lane.push(piece, false, &detectors, &selection, &mut budget).unwrap();
                assert!(lane.held() <= 17 * 1024, "{start:?} {piece:?}");
                assert!(lane.kept() <= lane.held() + 1100);
            }
        }
    }
    // What is not read of a text is held back with it.
    for (piece, most) in [
        ("４", 3),
        ("1\u{200b}", 4),
        ("1\u{200b}\u{200b}\u{200b}\u{200b}", 13),
        ("1\u{200b}\u{2060}\u{200b}\u{200b}\u{200b}\u{200b}", 13),
        ("\u{200b}", 13),
    ] {
        let mut lane = Lane::new();
        let mut budget = Budget::new(u64::MAX);
        for piece in cut(&format!("1{}", piece.repeat(1 << 18 >> 2)), 64) {
            lane.push(piece, false, &detectors, &selection, &mut budget).unwrap();
            assert!(lane.held() <= 17 * 1024 * most + 4096, "{piece:?} {}", lane.held());
        }
    }
}
