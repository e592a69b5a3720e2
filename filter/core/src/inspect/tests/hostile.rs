//! Texts made to be slow. The steps of the matchers are counted: they must grow with the text, and no faster.

use super::super::work;
use super::{Budget, builtin, detectors, findings};
use crate::config::Path;
use crate::inspect::OverBudget;

/// What is repeated to fill a text.
const PIECES: &[&str] = &[
    "1",
    "0",
    "1 ",
    "1-",
    "1.",
    "1/",
    "1(",
    "(1) ",
    "12 34 ",
    "4111 ",
    "4111-",
    "4111 1111 1111 1111 ",
    "555-",
    "123.45.",
    "1\u{a0}",
    "1\u{2011}",
    "1 - ",
    "1  ",
    "+",
    "+1",
    "+1 ",
    "+49 30 ",
    "+49(0)",
    "00",
    "0049 ",
    "1x",
    "x1",
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
    "12345678 ",
    "phone 1234567 ",
    "call 12 34 56 78 ",
    "tel tel ",
    "2024-01-31 ",
    "1.1.1.1 ",
    "1.1.1.1-",
    "1.1.1.1/",
    "536-22-8726 ",
    "536-22-8726-",
    "ssn 536228726 ",
    "GB82",
    "GB82 ",
    "GB82 WEST 1234 5698 7654 3",
    "gb11",
    "DE89-",
    "@",
    "a@",
    "a@a",
    "a@a.",
    "a@1.",
    "@1.",
    ".@",
    "a.",
    "a@b.c.d.e.f.",
    "aé@",
    ":",
    "::",
    "a:",
    "1:",
    "f:",
    "::1",
    "1::",
    "::1.1.1.1",
    "ffff:",
    "IPv6:",
    "1:2:3:4:5:6:7:8 ",
    "eyJ",
    "eyJ.",
    "eyJhbGciOiJIUzI1NiJ9.",
    "eyJhbGciOiJIUzI1NiJ9.a.",
    "\\neyJ",
    "ghp_",
    "xghp_a",
    "glpat-",
    "sk-",
    "sk-T3BlbkFJ",
    "T3BlbkFJ",
    "sk-ant-api03-",
    "xoxb-1",
    "xoxb-1234567890-",
    "xapp-1-",
    "AIza",
    "AKIA",
    "AKIA ",
    "SK0",
    "SG.",
    "hf_",
    "npm_",
    "hvs.",
    "glc_",
    "eyJrIjoi",
    "EAAA",
    "dapi",
    "key-",
    "pypi-AgEIcHlwaS5vcmc",
    "sntrys_eyJpYXQiO",
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/1",
    "AccountKey=",
    "-----BEGIN",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n",
    "-----END",
    "-----BEGIN PRIVATE KEY-----a-----END ",
    "-",
    "://",
    "a://",
    "a://b:c",
    "a://b:c@",
    "a://b:cde@f ",
    "https://",
    "pwd=",
    "pwd=a;",
    "pwd=abcd;",
    "pwd=abcd;uid=",
    "password=abcde ",
    "password=abcde server= ",
    "aws_secret",
    "aws_secret ",
    "secret access key",
    "AKIAAKIAAKIAAKIAAKIA ",
    "0Q~",
    "aaa0Q~",
    ":AA",
    "1:AA",
    "12345678:AA",
    ".atlasv1.",
    "a.atlasv1.",
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
    "\u{0}",
    "é",
    "電話",
    "电话 1234567",
    "\u{2011}",
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
    "1 A\n",
    "1 Aa Rd, Aa, AA, AA, AA 12345, ",
    "口令",
    // What many check rules let pass, among words of other scripts, and in groups that many layouts have.
    "id 593298292 ",
    "ssn 536228726 a.",
    "РvVи593298292",
    "СС003.779.976И",
    "ε107 255-359",
    "h,hV(015906650{ ",
];

fn steps(text: &str) -> usize {
    let detectors = builtin();
    let selection = detectors.select(&["all".to_owned()], &Path::root()).unwrap();
    let mut out = Vec::new();
    work::take();
    detectors.scan(text, &selection, &mut Budget::default(), &mut out).unwrap();
    work::take()
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    const SMALL: usize = 16 * 1024;
    let mut worst = Vec::new();
    for piece in PIECES {
        let text = |bytes: usize| piece.repeat(bytes / piece.len());
        let (small, large) = (steps(&text(SMALL)), steps(&text(4 * SMALL)));
        assert!(large <= 5 * small + 4096, "{piece:?}: {small} steps, {large} for four times the text");
        worst.push((large / (4 * SMALL), *piece));
    }
    worst.sort_unstable();
    worst.reverse();
    println!("steps per byte: {:?}", &worst[..12]);
    assert!(worst[0].0 <= 80, "{:?}", worst[0]);
}

#[test]
fn a_prefix_does_not_make_the_rest_slow() {
    const SMALL: usize = 16 * 1024;
    for start in ["-----BEGIN PRIVATE KEY-----\n", "eyJ", "a@", "GB82", "+", "tel ", "http://a:b", "Server=x;pwd="] {
        for fill in ["a", "1", ".", " ", "-", "A", ":", "=", "1 ", "a."] {
            let text = |bytes: usize| format!("{start}{}", fill.repeat(bytes / fill.len()));
            let (small, large) = (steps(&text(SMALL)), steps(&text(4 * SMALL)));
            assert!(large <= 5 * small + 4096, "{start:?} {fill:?}: {small}, {large}");
        }
    }
}

#[test]
fn dictionaries_stay_linear() {
    let detectors =
        detectors(r#"{"dictionaries":[{"name":"words","words":["a b c d e f g h x","a a a a a a a a b","aa"]}]}"#);
    for piece in ["a ", "a b c d e f g h ", "a          ", "aa ", "a\n"] {
        let count = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            work::take();
            findings(&detectors, &["words"], &text);
            work::take()
        };
        let (small, large) = (count(16 * 1024), count(64 * 1024));
        assert!(large <= 5 * small + 4096, "{piece:?}: {small}, {large}");
    }
}

#[test]
fn patterns_end_with_their_budget() {
    // Quadratic for an engine that reads on to the end of the text for every match.
    let detectors =
        detectors(r#"{"patterns":[{"name":"slow","pattern":"(a.*b|a)"},{"name":"prefixed","pattern":"aaa[a-z]*?b"}]}"#);
    let text = "a".repeat(512 * 1024);
    for name in ["slow", "prefixed"] {
        let selection = detectors.select(&[name.to_owned()], &Path::root()).unwrap();
        let mut budget = Budget::new(4 << 20);
        let mut out = Vec::new();
        assert_eq!(detectors.scan(&text, &selection, &mut budget, &mut out), Err(OverBudget), "{name}");
        assert!(out.is_empty());
        assert_eq!(budget.left(), 0);
    }
}

#[test]
fn patterns_that_keep_many_states_alive_read_less() {
    let detectors = detectors(
        r#"{"patterns":[{"name":"dense","pattern":"[a-z]{1,200}[a-y]{1,200}[a-x]{1,200}0"},
                        {"name":"plain","pattern":"[A-Z]{2}\\d{6}[A-Z]?"}]}"#,
    );
    for (name, size, expected) in
        [("dense", 64 * 1024, Err(OverBudget)), ("dense", 2 * 1024, Ok(())), ("plain", 512 * 1024, Ok(()))]
    {
        let selection = detectors.select(&[name.to_owned()], &Path::root()).unwrap();
        let outcome = detectors.scan(&"a".repeat(size), &selection, &mut Budget::default(), &mut Vec::new());
        assert_eq!(outcome, expected, "{name} over {size} bytes");
    }
}

#[test]
fn many_findings_stay_cheap() {
    let text = "4556737586899855 bob@acme.com 8.8.8.8 ".repeat(10_000);
    let found = findings(&builtin(), &["all"], &text);
    assert_eq!(found.len(), 30_000);
}
