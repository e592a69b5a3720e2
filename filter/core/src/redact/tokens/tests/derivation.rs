use super::*;

fn label(value: &str) -> String {
    deriver().placeholder("EMAIL_ADDRESS", value, Form::Label, 0)
}

fn preserve(kind: &str, value: &str) -> String {
    deriver().placeholder(kind, value, Form::Preserve, 0)
}

/// Computed with Python's `hmac` from the description of the format.
#[test]
fn placeholders_are_what_another_implementation_derives() {
    assert_eq!(label(MAIL), "[EMAIL_ADDRESS_ctr4gxz4e4ns]");
    assert_eq!(deriver().placeholder("EMAIL_ADDRESS", MAIL, Form::Label, 1), "[EMAIL_ADDRESS_q7pxp0cypy1y]");
    assert_eq!(preserve("EMAIL_ADDRESS", MAIL), "u42ztk21r7p@mail.example");
    assert_eq!(preserve("CREDIT_CARD", "4556 7375 8689 9855"), "9131 5418 3663 0851");
    assert_eq!(preserve("PHONE_NUMBER", "+49 (30) 901820-55"), "+99 (92) 385669-65");
}

#[test]
fn everything_that_goes_in_counts() {
    let other = [
        Deriver::new(b"another key", SUBJECT).placeholder("EMAIL_ADDRESS", MAIL, Form::Label, 0),
        Deriver::new(KEY, "https://idp.example user-2").placeholder("EMAIL_ADDRESS", MAIL, Form::Label, 0),
        deriver().placeholder("EMAIL", MAIL, Form::Label, 0),
        deriver().placeholder("EMAIL_ADDRESS", MAIL, Form::Label, 1),
        label("Bob@acme.com"),
        label("bob@acme.com "),
    ];
    let tail = |text: &str| text[text.len() - 13..].to_owned();
    let mut tails: Vec<_> = other.iter().map(|text| tail(text)).chain([tail(&label(MAIL))]).collect();
    tails.sort();
    tails.dedup();
    assert_eq!(tails.len(), 7);
    // What ends one part cannot begin the next.
    let shifted = Deriver::new(KEY, "a").placeholder("AB", "c", Form::Label, 0);
    assert_ne!(tail(&shifted), tail(&Deriver::new(KEY, "aA").placeholder("B", "c", Form::Label, 0)));
    assert_ne!(tail(&shifted), tail(&Deriver::new(KEY, "a").placeholder("A", "Bc", Form::Label, 0)));
}

#[test]
fn a_label_needs_no_escaping() {
    let odd = deriver().placeholder("A\"]\\é\n", "x", Form::Label, 0);
    assert!(odd.starts_with("[A_") && odd.len() == 16, "{odd}");
    let long = deriver().placeholder(&"N".repeat(500), "x", Form::Label, 0);
    assert_eq!(long.len(), 48 + 15);
}

fn luhn(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let doubled = digits.enumerate().map(|(at, d)| if at % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { d });
    doubled.sum::<u32>() % 10 == 0
}

fn layout(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

#[test]
fn a_card_stays_a_card_that_nobody_has() {
    let cards = ["4556737586899855", "4556 7375 8689 9855", "3714-496353-98431", "4222222222222", "9131541836630851"];
    for card in cards {
        for attempt in 0..50 {
            let other = deriver().placeholder("CREDIT_CARD", card, Form::Preserve, attempt);
            assert_eq!(layout(&other), layout(card));
            assert!(luhn(&other) && other.starts_with('9') && other != card, "{other}");
        }
    }
    for none in ["4556", "4556 7375 8689 985x", &"4".repeat(20)] {
        assert!(preserve("CREDIT_CARD", none).starts_with("[CREDIT_CARD_"), "{none}");
    }
}

#[test]
fn a_telephone_number_keeps_its_layout() {
    let phones = [
        "+49 30 901820",
        "(415) 555-2671",
        "(+1) 415.555.2671",
        "0049 30 901820",
        "030 / 901820",
        "415-555-2671 ext. 12",
        "901820",
    ];
    for phone in phones {
        for attempt in 0..50 {
            let other = deriver().placeholder("PHONE_NUMBER", phone, Form::Preserve, attempt);
            assert_eq!(layout(&other), layout(phone));
            assert_ne!(other, phone);
            let digits: String = other.chars().filter(char::is_ascii_digit).collect();
            match phone {
                "+49 30 901820" | "(+1) 415.555.2671" => assert!(digits.starts_with("999"), "{other}"),
                "0049 30 901820" => assert!(digits.starts_with("00999"), "{other}"),
                "030 / 901820" => assert!(digits.starts_with('0'), "{other}"),
                _ => assert!(!digits.starts_with('0'), "{other}"),
            }
        }
    }
    for none in ["110", "+49 110", "1-800-FLOWERS", "٠٣٠ ٩٠١٨٢٠", &"1".repeat(40)] {
        assert!(preserve("PHONE_NUMBER", none).starts_with("[PHONE_NUMBER_"), "{none}");
    }
}

#[test]
fn a_mail_address_is_in_a_reserved_domain() {
    let other = preserve("EMAIL_ADDRESS", MAIL);
    let local = other.strip_suffix("@mail.example").unwrap();
    assert!(local.len() == 11 && local.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    assert_eq!(preserve("US_SSN", "536-22-8726"), deriver().placeholder("US_SSN", "536-22-8726", Form::Label, 0));
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", deriver()), "Deriver { .. }");
}
