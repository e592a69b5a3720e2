//! Every detector against its own samples: values that must be found whole, texts without any.

use super::super::secrets::tokens::SAMPLES;
use super::super::types::TYPES;
use super::{builtin, findings, found};

struct Row {
    kind: &'static str,
    /// The value stands between `«` and `»`; what is outside is context.
    found: &'static [&'static str],
    missed: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        kind: "EMAIL_ADDRESS",
        found: &[
            "«john.doe+tag@mail.example.co.uk»",
            "write to «o'brien@acme.com».",
            "<«a@b.io»>",
            "(\"«bob_smith@sub-domain.acme.museum»\")",
            "mailto:«bob@acme.com»?subject=x",
            "from=«bob@acme.com»&to=",
            "line\\n«bob@acme.com»",
            "«user@xn--80ak6aa92e.com»",
            "«müller@firma.de»",
            "«info@münchen.de»",
            "邮箱«wang@acme.cn»。",
            "«bob@acme.com»,«eve@acme.com»",
            "'«bob@acme.com»'",
            "Ask «bob@acme.com».Then go",
            "bob..«smith@acme.com»",
        ],
        missed: &[
            "npm i @scope/pkg43@45.14.35",
            "react@18.2.0-rc.next",
            "user@host",
            "@decorator def f(x@y): pass",
            "git@github.com:owner/repository.git",
            "ssh://git@github.com/owner",
            "logo@2x.png",
            "info@presidio.",
            "@acme.com",
            "bob@",
            "bob.@acme.com",
            "bob@-acme.com",
            "bob@acme.c",
            "user@1000.service",
        ],
    },
    Row {
        kind: "PHONE_NUMBER",
        found: &[
            "«+1 415-555-2671»",
            "«+14155552671»",
            "Call «+49 (0)30 901820» today",
            "«+44 20 7946 0958»",
            "«+33 1 42 68 53 00»,",
            "«+91-98765-43210»",
            "«0049 30 9018 2000»",
            "«(415) 555-2671»",
            "«415-555-2671»",
            "«415.555.2671» x",
            "«1-800-356-9377»",
            "«(212)555-2368x1234»",
            "«212-555-2368 ext. 12»",
            "«020 7946 0958»",
            "«01 42 68 53 00»",
            "«(030) 901820»",
            "Tel: «030/901820»",
            "Phone: «4155552671»",
            "mobile «98765 43210»",
            "WhatsApp «07700900123»",
            "手机:«13812345678»",
            "тел. «8 912 345-67-89»",
            "Тел: «8 (495) 123-45-67»",
            "Telefon\u{a0}«030\u{a0}9018\u{2011}2000»",
            "«415-555-2671»-Office",
            "reach me at «555-2671»",
        ],
        missed: &[
            "2024-01-31",
            "31.01.2024",
            "call before 2024-01-31",
            "1998-2004",
            "call 1998-2004",
            "192.168.100.200",
            "12.345678, -98.765432",
            "$1,234,567.89",
            "Order 415-555-2671",
            "part number 900-65-8685",
            "order number 4155552671",
            "550e8400-e29b-41d4-a716-446655440000",
            "1700000000",
            "1700000000123",
            "pages 5131-4824, lines 6861-7902-2320",
            "978-3-16-148410-0",
            "a+14155552671",
            "1+14155552671b",
            "01 02 03 04 05 06 07",
            "4155552671",
            "v1.415.555.2671",
            "+999 1234567",
            "sha256:4155552671abcdef",
            "Total: 649,407,091.41",
            "100 175 250",
        ],
    },
    Row {
        kind: "CREDIT_CARD",
        found: &[
            "«4556737586899855»",
            "«4556 7375 8689 9855»",
            "«4556-7375-8689-9855»",
            "«4556\u{a0}7375\u{a0}8689\u{a0}9855»",
            "«4556.7375.8689.9855»",
            "«5425233430109903» exp 04/26",
            "«2223003122003222»",
            "«378282246310005»",
            "«3782 822463 10005»",
            "«6011111111111117»",
            "«3566002020360505»",
            "card «30569309025904»",
            "visa «4222222222222»",
            "card «6304000000000000»",
            "maestro card «501800000009»",
            "pan=«4556737586899855»&x",
            "Bob,«4556737586899855»,123",
            "卡号«4556737586899855»",
            "Card number: «6205500000000000004»",
        ],
        missed: &[
            "4556737586899856",
            "4444444444444448x",
            "x4556737586899855",
            "4556737586899855a",
            "a4556737586899855",
            "1111111111111111",
            "0000000000000000",
            "Order #4556737586899855",
            "0.4556737586899855",
            "4556-7375-8689-9855-1234",
            "455673758689985512345",
            "9999 9999 9999 9995",
            "4222222222222",
            "45 56 73 75 86 89 98 55",
            "a716-4556737586899855",
        ],
    },
    Row {
        kind: "IBAN_CODE",
        found: &[
            "«GB82WEST12345698765432»",
            "«GB82 WEST 1234 5698 7654 32»",
            "«gb82 west 1234 5698 7654 32»",
            "«DE89-3704-0044-0532-0130-00».",
            "IBAN:«FR1420041010050500013M02606»",
            "«NO9386011117947»,",
            "«MT84MALT011000012345MTLCAST001S»",
            "«DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00»",
        ],
        missed: &[
            "GB82WEST12345698765433",
            "GB82WEST123456987654321",
            "XGB82WEST12345698765432",
            "GB82 west 1234 5698 7654 32",
            "ZZ82WEST12345698765432",
            "GB82123412345698765432",
            "DE89 3704",
        ],
    },
    Row {
        kind: "US_SSN",
        found: &[
            "«536-22-8726»",
            "SSN: «536 22 8726»",
            "ssn «536.22.8726»",
            "social security number «536228726»",
            "(«536-22-8726»)",
            "«536\u{2011}22\u{2011}8726»",
            "Bob,«536-22-8726»,NY",
        ],
        missed: &[
            "000-22-8726",
            "666-22-8726",
            "900-22-8726",
            "536-00-8726",
            "536-22-0000",
            "078-05-1120",
            "123-45-6789",
            "536-22.8726",
            "536228726",
            "1536-22-8726",
            "536-22-87261",
            "a536-22-8726",
            "536-22-8726-1",
            "Part no 536-22-8726",
        ],
    },
    Row {
        kind: "IP_ADDRESS",
        found: &[
            "«192.168.1.20»",
            "«8.8.8.8»",
            "http://«10.1.2.3»:8080/x",
            "https://«1.2.3.4»/",
            "client «1.2.3.4» connected",
            "«203.0.113.0/24»",
            "range «10.0.0.1»-«10.0.0.9»",
            "ip=«172.16.254.1»;",
            "from «185.220.101.4».",
            "«2001:db8:85a3::8a2e:370:7334»",
            "«2001:db8::/32»",
            "[«fe80::1%eth0»]:22",
            "«::1»",
            "«::ffff:192.168.1.1»",
            "«64:ff9b::198.51.100.1»",
            "«2345:425:2CA1:0:0:567:5673:23b5»",
            "IPv6:«2001:db8::1»",
            "user@«2001:db8::1»",
            "text::ffff:«192.0.2.1»",
        ],
        missed: &[
            "version 1.2.3.4",
            "v1.2.3.4",
            "upgrade to 10.2.3.4",
            "pkg==10.2.3.4",
            "firmware 10.54.41.55",
            "1.2.3.4.5",
            "256.1.1.1",
            "192.168.1",
            "010.001.002.003",
            "1.2.3",
            "Chrome/120.0.0.0",
            "kernel 5.15.0.91",
            "12:30:45",
            "a::b",
            "std::f32",
            "a::f32::b",
            "aa:bb:cc:dd:ee:ff",
            "00:11:22:33:44:55:66:77",
            "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "2001::db8::1",
            "gggg::1234",
            "2001:db8::256.1.1.1",
            "1:2:3:4",
            "ratio 1:2:3:4:5:6:7:8",
            ":::",
            "::",
        ],
    },
    Row {
        kind: "PRIVATE_KEY",
        found: &[
            "«-----BEGIN RSA ¦PRIVATE KEY-----\nMIIEpQIBAAKCAQEAn6/O8li+SX4m98LLYt/PKSzEmQ++ZBD7Loh9P13f4yQ92EF3\n-----END RSA PRIVATE KEY-----»\n",
            "«-----BEGIN ¦PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAC4AWkdwKYSd8\\n-----END PRIVATE KEY-----»\\n\"",
            "key: «-----BEGIN OPENSSH ¦PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt\nand the rest was cut»",
            "«-----BEGIN PGP ¦PRIVATE KEY BLOCK-----\nVersion: 1\n\nlQWGBGSVV4YBDAClvRnxezIRy2Yv7SFlzC0iFiRF/O/jePSw+XYhvcrTaqSYTGic\n-----END PGP PRIVATE KEY BLOCK-----»",
        ],
        missed: &[
            "-----BEGIN ¦PRIVATE KEY-----\nanything\n-----END PRIVATE KEY-----",
            "-----BEGIN ¦PRIVATE KEY-----",
            "a file that starts with -----BEGIN ¦PRIVATE KEY----- holds a key",
            "-----BEGIN CERTIFICATE-----\nMIIEpQIBAAKCAQEAn6/O8li+SX4m98LLYt/PKSzEmQ++ZBD7Loh9P13f4yQ92EF3\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIEpQIBAAKCAQEAn6/O8li+SX4m98LLYt/PKSzEmQ++ZBD7Loh9P13f4yQ92EF3\n-----END PUBLIC KEY-----",
        ],
    },
    Row {
        kind: "JSON_WEB_TOKEN",
        found: &[
            "Bearer «eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw»",
            "token=«eyJ¦0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.c2lnbmF0dXJl»&x",
            "«eyJ¦hbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9.»",
            "\\n«eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl»",
        ],
        missed: &[
            "eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "eyJ¦hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9",
            "eyJ¦xbGciOiJIUzI1NiJ9xx.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl",
            "eyJ¦0eXAiOiJKV1QifQ.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl",
        ],
    },
    Row {
        kind: "URL_CREDENTIALS",
        found: &[
            "postgres://«app:s3cr¦et9@db.internal»:5432/x",
            "https://«bob:hunt¦er22@example.com»/x",
            "redis://«:p4ssw¦0rd9@cache»:6379",
            "mongodb+srv://«root:a@b¦cd3@cluster0.mongodb.net»/?x",
        ],
        missed: &[
            "https://example.com/a:b@c",
            "https://user@example.com",
            "postgres://user:password@localhost/db",
            "postgres://user:${DB_PASSWORD}@db/x",
            "https://<user>:<password>@host",
            "amqp://guest:guest@localhost",
            "http://host:8080/@x",
            "https://user:****@host",
        ],
    },
    Row {
        kind: "CONNECTION_STRING",
        found: &[
            "Server=db1;User Id=sa;Password=«Tr0ub¦4dor3»;",
            "host=db user=app password=«s3cr¦et99» dbname=x",
            "Data Source=x;uid=a;pwd=«abc¦1234»;",
        ],
        missed: &[
            "password=hunter22",
            "Server=db1;Password=${PW};",
            "Server=db1;Password=;",
            "Server=x;Password=<password>;",
            "Server=x;Password=********;",
        ],
    },
    Row {
        kind: "AWS_SECRET_KEY",
        found: &[
            "aws_secret_access_key = «wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYab»",
            "\"SecretAccessKey\": \"«wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYab»\"",
            "AWS_SECRET_KEY=«wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYab»",
            "AK¦IALALEMEL33243OLIB,«wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYab»",
        ],
        missed: &[
            "wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYab",
            "aws_secret_access_key = da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "aws_secret_access_key = os.environ[\"AWS_SECRET_ACCESS_KEY\"]",
            "aws_secret_access_key = wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYzzzz0KEYabcd",
        ],
    },
    Row {
        kind: "OPENAI_API_KEY",
        found: &[
            "«sk-¦jtz0uaf5ixklfzjo0d9sT3BlbkFJa4e2a3qncoom8ra7ivsq»",
            "OPENAI_API_KEY=«sk-pr¦oj-Ab3dEf6hIj9lMn2pQr5tUv8xYz1_-AbCdEfGhT3BlbkFJkLmNoPqRsTuVwXyZ0123456789abcdefgh»",
        ],
        missed: &[
            "sk-learn-contrib-project-with-a-long-name",
            "sk-¦shortT3BlbkFJa4e2a3qncoom8ra7ivsq",
            "desk-¦jtz0uaf5ixklfzjo0d9sT3BlbkFJa4e2a3qncoom8ra7ivsq",
        ],
    },
    Row {
        kind: "AZURE_CLIENT_SECRET",
        found: &["client_secret=\"«qpF¦8Q~PCM5MhMoyTFc5TYEomnYRUKim9UJhe8a2P»\""],
        missed: &[
            "portainer.demo~2Fportainerregistrytesting~2Falpine",
            "qpF¦8Q~PCM5MhMoy",
            "xqpF¦8Q~PCM5MhMoyTFc5TYEomnYRUKim9UJhe8a2P",
        ],
    },
    Row {
        kind: "TELEGRAM_BOT_TOKEN",
        found: &[
            "«110201543:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw»",
            "https://api.telegram.org/bot«110201543:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw»/getMe",
        ],
        missed: &["110201543:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALD", "x:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"],
    },
    Row {
        kind: "TERRAFORM_TOKEN",
        found: &[
            "token = \"«zfK2aBcD3eFgH1.atla¦sv1.Qw3rTy6uIoP9aSdF2gHjK4lZxC7vBnM0qWe5rTy8uIoP1aSdF3gHjK6lZxCvBn»\"",
        ],
        missed: &["x.atla¦sv1.short"],
    },
];

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
    for row in ROWS {
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
    for row in ROWS {
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
        let own = ROWS.iter().any(|r| r.kind == *kind && !r.found.is_empty() && !r.missed.is_empty());
        assert!(tabled || own, "{kind} has no samples");
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
