//! Every detector against its own samples: values that must be found whole, texts without any.

use super::super::secrets::tokens::SAMPLES;
use super::super::types::TYPES;
use super::sample_rows::rows;
use super::{builtin, findings, found};

/// A sample without its marks: the text, and where the value stands.
fn read(sample: &str) -> (String, usize, usize) {
    let sample = sample.replace('¦', "");
    let start = sample.find('«').unwrap_or_else(|| panic!("no value in {sample}"));
    let end = sample.find('»').unwrap() - '«'.len_utf8();
    (sample.replace(['«', '»'], ""), start, end)
}

#[test]
fn values_are_found_whole() {
    let detectors = builtin();
    let mut wrong = Vec::new();
    for row in rows() {
        for sample in row.found {
            let (text, start, end) = read(sample);
            let all = findings(&detectors, &[row.kind], &text);
            if !all.iter().any(|f| (f.start, f.end) == (start, end)) {
                wrong.push(format!("{}: {sample} gave {:?}", row.kind, found(&detectors, &[row.kind], &text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn near_misses_are_missed() {
    let detectors = builtin();
    let mut wrong = Vec::new();
    for row in rows() {
        for sample in row.missed {
            let text = sample.replace('¦', "");
            let found = found(&detectors, &[row.kind], &text);
            if !found.is_empty() {
                wrong.push(format!("{sample} gave {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tokens_are_found_in_every_setting_and_near_misses_in_none() {
    let detectors = builtin();
    let mut wrong = Vec::new();
    for row in SAMPLES {
        let (kind, _) = TYPES[row.kind.id().index()];
        for (before, after) in
            [("", ""), ("token = \"", "\";"), ("use ", "."), ("\\n", "\\n"), ("(", ")"), (">", "<"), ("é", "é")]
        {
            for sample in row.found {
                let value = sample.replace('¦', "");
                let text = format!("{before}{value}{after}");
                let all = findings(&detectors, &[kind], &text);
                if !all.iter().any(|f| (f.start, f.end) == (before.len(), before.len() + value.len())) {
                    wrong.push(format!("{kind}: {text} gave {:?}", found(&detectors, &[kind], &text)));
                }
            }
            for sample in row.missed {
                let text = format!("{before}{}{after}", sample.replace('¦', ""));
                let found = found(&detectors, &[kind], &text);
                if !found.is_empty() {
                    wrong.push(format!("{text} gave {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_type_has_samples() {
    for (kind, _) in TYPES {
        let tabled = SAMPLES
            .iter()
            .any(|s| TYPES[s.kind.id().index()].0 == *kind && !s.found.is_empty() && !s.missed.is_empty());
        let own = rows().any(|r| r.kind == *kind && !r.found.is_empty() && !r.missed.is_empty());
        // Those that need a policy or a request have tests of their own.
        let other = ["CANARY", "SYSTEM_PROMPT_LEAK"].contains(kind);
        assert!(tabled || own || other, "{kind} has no samples");
    }
}

#[test]
fn published_values_are_labelled() {
    let detectors = builtin();
    for (text, kind) in [
        ("4242 4242 4242 4242", "CREDIT_CARD"),
        ("378282246310005", "CREDIT_CARD"),
        ("key AK¦IAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY"),
        ("aws_secret_access_key = wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_KEY"),
        ("bob@example.com", "EMAIL_ADDRESS"),
        ("bob@host.test", "EMAIL_ADDRESS"),
        ("192.0.2.7", "IP_ADDRESS"),
        ("127.0.0.1", "IP_ADDRESS"),
        ("2001:db8::1", "IP_ADDRESS"),
        ("(415) 555-0132", "PHONE_NUMBER"),
        ("GB29 NWBK 6016 1331 9268 19", "IBAN_CODE"),
        (
            "eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.c2ln",
            "JSON_WEB_TOKEN",
        ),
    ] {
        let text = text.replace('¦', "");
        let all = findings(&detectors, &[kind], &text);
        assert!(all.len() == 1 && all[0].test_value, "{text}: {all:?}");
    }
    for (text, kind) in
        [("4556737586899855", "CREDIT_CARD"), ("bob@acme.com", "EMAIL_ADDRESS"), ("9.9.9.9", "IP_ADDRESS")]
    {
        assert!(findings(&detectors, &[kind], text).iter().all(|f| !f.test_value), "{text}");
    }
}

#[test]
fn of_overlapping_findings_the_better_one_stays() {
    let detectors = builtin();
    for (text, expected) in [
        ("call 4556 7375 8689 9855", vec!["CREDIT_CARD:4556 7375 8689 9855"]),
        ("phone 536-22-8726", vec!["US_SSN:536-22-8726"]),
        ("postgres://app:s3cret9@db.acme.com/x", vec!["URL_CREDENTIALS:app:s3cret9@db.acme.com"]),
        ("IBAN DE89 3704 0044 0532 0130 00", vec!["IBAN_CODE:DE89 3704 0044 0532 0130 00"]),
        ("bob@acme.com 8.8.8.8", vec!["EMAIL_ADDRESS:bob@acme.com", "IP_ADDRESS:8.8.8.8"]),
    ] {
        assert_eq!(found(&detectors, &["all"], text), expected, "{text}");
    }
    // A card number is no phone number, also where cards are not looked for.
    assert!(found(&detectors, &["PHONE_NUMBER"], "call 4556 7375 8689 9855").is_empty());
    // Nor does what is not looked for hide anything that was checked.
    assert_eq!(found(&detectors, &["EMAIL_ADDRESS"], "x://a:bob@acme.com"), ["EMAIL_ADDRESS:bob@acme.com"]);
}

#[test]
fn a_key_block_hides_nothing() {
    let detectors = builtin();
    let text = format!("-----BEGIN {} KEY-----\n{}\nbob@acme.com 4556737586899855", "PRIVATE", "QUJD".repeat(20));
    let found = found(&detectors, &["all"], &text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("PRIVATE_KEY:") && found[0].ends_with("9855"));
}
