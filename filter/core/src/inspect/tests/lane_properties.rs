//! What is found in a text that arrives in pieces must not depend on the pieces, and nothing may get through.

use proptest::prelude::*;

use super::super::secrets::tokens::samples as token_samples;
use super::super::types::TYPES;
use super::super::{Group, Sight, Span};
use super::lanes::{absolute, cut, lane_findings, pushes, select};
use super::sample_rows;
use super::{Budget, Detectors, Finding, builtin, detectors, exact};

const DOCUMENT: &str = r#"{
    "patterns": [
        {"name": "employee", "pattern": "\\bEMP-\\d{3,6}\\b"},
        {"name": "case", "pattern": "(?i)case no\\. [a-z0-9 ]+", "context": ["court", "内部"]},
        {"name": "digits", "pattern": "\\b\\d{2,4}\\b", "score": 0.6},
        {"name": "vowels", "pattern": "[aeiouäé]{2,}"},
        {"name": "anything", "pattern": "<[^>]*>"},
        {"name": "line", "pattern": "(?m)^key.*$"}
    ],
    "dictionaries": [
        {"name": "projects", "words": ["falcon", "blue moon", "blue moon rising now", ".NET", "C++", "über", "İstanbul x", "内部"]},
        {"name": "parts", "words": ["al", "lc", "moo", "q"], "whole_words": false},
        {"name": "exact", "words": ["IT", "Mañana es", "机密A"], "case_sensitive": true}
    ],
    "thresholds": {"US_SSN": 0.2},
    "allow": [{"values": ["*@allowed.com", "10.*", "https://evil.test/?allowed"]}],
    "links": {"hosts": ["good.example", "*.good.example"]},
    "canaries": [{"env": "CANARY"}]
}"#;

/// The detectors of [`DOCUMENT`], and a list of values.
pub(super) fn own() -> Detectors {
    let list = exact("customers", &["C-1234-567", "998877", "DE 12 34 56", "4111 1111"]);
    detectors(&DOCUMENT.replacen('{', &format!("{{\"exact\": [{list}],"), 1))
}

/// The kinds of [`own`].
const OWN: [&str; 10] =
    ["employee", "case", "digits", "vowels", "anything", "line", "projects", "parts", "exact", "customers"];

fn samples() -> Vec<String> {
    let plain = |s: &&str| s.replace(['¦', '«', '»'], "");
    let rows = sample_rows::all().flat_map(|r| r.found.iter().chain(r.missed)).map(plain);
    rows.chain(token_samples().flat_map(|s| s.found.iter().chain(s.missed)).map(plain)).collect()
}

fn piece() -> impl Strategy<Value = String> {
    let words = [
        "the",
        "committee",
        "met",
        "on",
        "Tuesday",
        "naïve",
        "Straße",
        "вторник",
        "中文文本",
        "東京",
        "日本語です",
        "مرحبا",
        "x",
        "is",
        "DE",
        "gb",
        "phone",
        "ssn",
        "card",
        "version",
        "order",
        "address",
        "call",
        "Tel.",
        "тел.",
        "Server=x;",
        "password=",
        "pwd=abcd1;",
        "aws_secret_access_key",
        "AKIA",
        "ghp_",
        "sk-",
        "eyJ",
        "https://",
        "https://hooks.slack",
        "://",
        "bot",
        ":AA",
        "8Q~",
        ".atlasv1.",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END",
        "EMP-1234",
        "EMP-",
        "C-1234",
        "-567",
        "c1234567",
        "99 88 77",
        "998877",
        "DE.12/34_56",
        "case no. 17 b",
        "court",
        "api_token = ",
        "\"client_secret\": \"",
        "token",
        "key: ",
        "password: ",
        " is ",
        "--token ",
        "value: ",
        "Authorization: Bearer ",
        "curl -u ",
        " -u bob:",
        "adafruit_",
        "cloudflare_token=",
        "TWITTER_KEY=",
        "kraken",
        "linkedin id: ",
        "mailchimp",
        "9fQ2xW7kLz0TbV4m",
        "9fQ2xW7kLz0TbV4m=",
        "h1h6ol1meh7w6r72qtqr3x4imjdlmev0",
        "0123456789abcdef0123456789abcdef-us12",
        "3f2b8c1e-77aa-4d0b-9c3e-510f2d9a8b7c",
        "=>",
        ":=",
        "b'",
        "hunter2!9",
        "falcon",
        "blue",
        "blue  moon",
        "blue moon rising",
        ".NET",
        "C++",
        "über",
        "İstanbul x",
        "内部",
        "机密",
        "机密A",
        "Mañana es",
        "IT",
        "al",
        "moon",
        "<a",
        ">",
        "zx9-kANARIE-ü7",
        "![",
        "![x][ref]",
        "![ref]",
        "[ref]:",
        "](",
        "](<",
        ")",
        "[a](//evil.test/?q)",
        "![a](https://evil.test/a.png \"b\")",
        "![a](https://good.example/a.png)",
        "[r][ref]",
        "<img src=",
        "<img src='https://evil.test/?q'>",
        "<a href=",
        "srcset=\"//evil.test/a 1x, //evil.test/b\"",
        "url(",
        "url('//evil.test/x')",
        "https://evil.test/",
        "https://evil.test/?allowed",
        "https://good.example/?q",
        "https:/\\evil.test?q",
        "www.evil.test/#q",
        "&#x3a;",
        "\n\n",
        "`",
        "\\",
        "'",
        "\"",
        "key",
        "\\n",
        "\n",
        "ext. 12",
        "x12",
        "Name:",
        "my name is",
        "Mr.",
        "Dr. med.",
        "password is",
        "\"dateOfBirth\": \"",
        "born on",
        "May 3, 1980",
        "1980-05-03",
        "12.03.1979",
        "221B Baker",
        "Street,",
        "London",
        "SW1A 1AA",
        "Boston, MA 02115",
        "Hauptstr. 5",
        "Berliner Allee",
        "Via della",
        "12 rue de la Paix",
        "passport no.",
        "AB1234567",
        "driver’s license",
        "plate number",
        "AB51 ABC",
        "48.8584, 2.2945",
        "40.7128° N, 74.0060° W",
        "I am 42 years old",
        "密码：",
        "пароль:",
        "fn main() {\n",
        "    let x = y();\n",
        "}\n",
        "create table t (\n",
        "id int primary key,\n",
        ");\n",
        "Revenue 1,200\n",
        "CONFIDENTIAL",
        "db1.corp.internal",
        "http://intra/x",
        "bob@",
        "@acme.com",
        "bob@allowed.com",
        "10.1.2.3",
        "a@b@c.de",
        "fe80::1%eth0/64",
        "::",
        "12 34 56 78",
        "AB 12 34",
        "nino",
        "PESEL",
        "Steuer-ID",
        "national id",
        "SWIFT",
        "bic: ",
        "DEUTDEFF",
        "DE 123",
        "00:1A:2B",
        "0x5aAeb6",
        "bc1q",
        "1A1z",
        "CHE-",
        "4111 1111-1111",
        "1-1-1-1-1-1-1-1-1",
        "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7",
        "4111\u{200b}1111",
        "４１１１-1111",
        "\u{200b}",
        "\u{e0041}",
        "bоb@acme.org",
        "١٢٣",
        "ｐａｓｓｗｏｒｄ＝",
        "EMP\u{2060}-12\u{ad}34",
        "fаlcon",
        "𝐞𝐲𝐉",
        "\u{a0}",
        "\u{301}",
        "❤️",
    ];
    let runs = [
        "a",
        "1",
        "A1",
        "1 ",
        "ab:",
        "x.",
        "é",
        "中",
        "-",
        "QUJD",
        "a b ",
        " ",
        "f:",
        "moo",
        "<",
        "DE89",
        "https://evil.test/a",
        "![](",
        "[",
        "src=",
        "\u{200b}",
        "1\u{200b}",
        "４",
        "\u{e0041}",
        "\u{fe0f}",
    ];
    prop_oneof![
        4 => proptest::sample::select(samples()),
        4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        // A part of a sample.
        2 => (proptest::sample::select(samples()), 0.0..1.0, 0.0..1.0).prop_map(|(s, a, b): (String, f64, f64)| {
            let place = |share: f64| s.floor_char_boundary((s.len() as f64 * share) as usize);
            s.get(place(a.min(b))..place(a.max(b))).unwrap().to_owned()
        }),
        1 => (proptest::sample::select(runs.to_vec()), 1..400usize).prop_map(|(run, n)| run.repeat(n)),
        2 => "[ -~]{0,6}",
        2 => "[0-9 .:+()/@-]{0,12}",
        1 => "\\PC{0,4}",
    ]
}

/// What stands between pieces.
fn text() -> impl Strategy<Value = String> {
    let delimiter = proptest::sample::select(vec!["", "", " ", " ", " ", ", ", ". ", "\n", ":", "@", "(", "-", "。"]);
    proptest::collection::vec((piece(), delimiter), 0..10)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(a, b)| [a, b.to_owned()]).collect())
}

fn selection() -> impl Strategy<Value = Vec<String>> {
    let names = TYPES.iter().map(|(name, _)| (*name).to_owned());
    let single = proptest::sample::select(names.chain(OWN.map(str::to_owned)).collect::<Vec<_>>());
    let group = proptest::sample::select(vec!["pii", "financial", "secrets", "custom", "exfiltration"]);
    prop_oneof![
        1 => Just(vec!["all".to_owned()]),
        1 => Just(["all", "exfiltration", "business"].map(str::to_owned).to_vec()),
        1 => Just(vec!["business".to_owned()]),
        2 => Just(vec!["exfiltration".to_owned()]),
        2 => Just(["pii", "financial", "secrets"].map(str::to_owned).to_vec()),
        1 => group.prop_map(|name| vec![name.to_owned()]),
        3 => proptest::collection::vec(single, 1..3),
    ]
}

/// A lane cuts what is longer than it keeps, and a finding with it.
fn across_a_bound(text: &str) -> bool {
    text.len() > 2048
}

thread_local! {
    static DETECTORS: Detectors = own();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_found_does_not_depend_on_the_pieces(
        text in text(),
        names in selection(),
        places in proptest::collection::vec(0.0..1.0, 0..6),
        size in 1..9usize,
    ) {
        DETECTORS.with(|detectors| {
            let selection = select(detectors, &names.iter().map(String::as_str).collect::<Vec<_>>());
            let whole = lane_findings(detectors, &selection, &text);
            let mut places: Vec<usize> =
                places.iter().map(|p: &f64| text.floor_char_boundary((text.len() as f64 * p) as usize)).collect();
            places.sort_unstable();
            let mut random = Vec::new();
            let mut from = 0;
            for to in places.into_iter().chain([text.len()]) {
                random.push(text.get(from..to).unwrap());
                from = to;
            }
            let mut ended_apart = cut(&text, size);
            ended_apart.push("");
            for pieces in [cut(&text, 1), ended_apart, random] {
                let pushes = pushes(detectors, &selection, pieces.iter().copied());
                let settled: String = pushes.iter().map(|p| p.text.as_str()).collect();
                prop_assert_eq!(&settled, &text);
                prop_assert_eq!(&absolute(&pushes, &text), &whole, "{:?} in pieces {:?}", text, pieces);
            }
            // What is read for the same way in both is found the same.
            let of = |all: Vec<Finding>| -> Vec<Finding> {
                let group = |f: &Finding| detectors.kind(f.kind).group;
                all.into_iter().filter(|f| [Group::Exfiltration, Group::Business].contains(&group(f))).collect()
            };
            let mut scan = Vec::new();
            detectors.scan(&text, &selection, &mut Budget::default(), &mut scan).unwrap();
            if !across_a_bound(&text) {
                prop_assert_eq!(of(scan), of(whole), "{:?}", text);
            }
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    /// Nothing of what a scan without context behind values finds is let go of, whatever stands around it.
    #[test]
    fn nothing_is_let_go_of(text in text()) {
        let (builtin, own) = (builtin(), own());
        // Numbers together: an address that is not looked for does not take the digits of a number behind it.
        let secrets = TYPES.iter().filter(|(kind, group)| {
            *group == Group::Secrets && !["PRIVATE_KEY", "TERRAFORM_TOKEN"].contains(kind)
        });
        let secrets = secrets.map(|(kind, _)| (&builtin, vec![*kind])).chain([(&builtin, vec!["HIDDEN_TEXT"])]);
        let numbers = [(&builtin, vec!["EMAIL_ADDRESS"]), (&builtin, vec!["pii", "financial", "health"])];
        let words = OWN.map(|name| (&own, vec![name]));
        for (detectors, names) in secrets.chain(numbers).chain(words) {
            let selection = select(detectors, &names);
            let mut scan = Vec::new();
            let span = Span { text: &text, from: 0, to: text.len(), sight: Sight::Left };
            detectors.scan_span(span, &selection, &mut Budget::default(), &mut scan).unwrap();
            if scan.is_empty() {
                continue;
            }
            let lane = lane_findings(detectors, &selection, &text);
            // A pattern without a literal start may match more than it is kept for.
            let reach = |f: &Finding| detectors.reach(f.kind).max_len.unwrap_or(usize::MAX);
            // A lane's part starts where the one before it ended: a word that is glued to a value stands alone there, and of
            // two kinds that read the same digits the other one may be the surer. The value is found all the same.
            let same = |l: &Finding, f: &Finding| l.kind == f.kind || l.score > f.score;
            for f in scan.iter().filter(|f| f.end - f.start <= reach(f)) {
                prop_assert!(
                    lane.iter().any(|l| same(l, f) && l.start <= f.start && f.end <= l.end),
                    "{names:?}: {:?} in {:?}: {:?}", text.get(f.start..f.end), text, lane
                );
            }
        }
    }
}
