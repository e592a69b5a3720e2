use super::*;

#[test]
fn a_value_has_one_placeholder() {
    let mut assignments = Assignments::default();
    let first = assignments.assign(&deriver(), "EMAIL_ADDRESS", MAIL, Form::Label, &|_| false).unwrap().to_owned();
    let again = assignments.assign(&deriver(), "OTHER", MAIL, Form::Preserve, &|_| true).unwrap().to_owned();
    assert_eq!((first.as_str(), assignments.len()), (again.as_str(), 1));
    assert_ne!(
        assignments.assign(&deriver(), "EMAIL_ADDRESS", "Bob@acme.com", Form::Label, &|_| false).unwrap(),
        first
    );
}

#[test]
fn a_placeholder_that_is_there_by_chance_is_not_used() {
    let phone = "(415) 555-2671";
    let derived = |attempt| deriver().placeholder("PHONE_NUMBER", phone, Form::Preserve, attempt);
    let assigned = |taken: &dyn Fn(&str) -> bool| {
        let mut assignments = Assignments::default();
        assignments.assign(&deriver(), "PHONE_NUMBER", phone, Form::Preserve, taken).unwrap().to_owned()
    };
    assert_eq!(assigned(&|_| false), derived(0));
    assert_eq!(assigned(&|text| text == derived(0) || text == derived(1)), derived(2));
    assert_eq!(assigned(&|_| true), deriver().placeholder("PHONE_NUMBER", phone, Form::Label, 0));
    // One that cannot be there by chance is this value's own, and stays.
    let mut assignments = Assignments::default();
    let label = assignments.assign(&deriver(), "EMAIL_ADDRESS", MAIL, Form::Label, &|_| true).unwrap();
    assert_eq!(label, deriver().placeholder("EMAIL_ADDRESS", MAIL, Form::Label, 0));
}

#[test]
fn two_values_never_share_a_placeholder() {
    // 10,000 numbers of one layout to choose from, and a thousand of them taken.
    let mut assignments = Assignments::default();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..1000 {
        let value = format!("+1 {n:06}");
        let placeholder = assignments.assign(&deriver(), "PHONE_NUMBER", &value, Form::Preserve, &|_| false).unwrap();
        assert!(seen.insert(placeholder.to_owned()));
    }
    assert!(seen.iter().filter(|p| p.starts_with("+9 99")).count() > 990);
}

#[test]
fn there_is_an_end_to_it() {
    let mut assignments = Assignments::default();
    for n in 0..2048 {
        assignments.assign(&deriver(), "N", &n.to_string(), Form::Label, &|_| false).unwrap();
    }
    assert_eq!(assignments.assign(&deriver(), "N", "more", Form::Label, &|_| false), Err(Full));
    assert!(assignments.assign(&deriver(), "N", "7", Form::Label, &|_| false).is_ok());
    let map = assignments.build().unwrap();
    assert_eq!(map.len(), 2048);

    let mut assignments = Assignments::default();
    assert_eq!(assignments.assign(&deriver(), "N", &"x".repeat(128 * 1024), Form::Label, &|_| false), Err(Full));
    assert_eq!(assignments.assign(&deriver(), "N", "", Form::Label, &|_| false), Err(Full));
    assert!(assignments.is_empty() && assignments.build().unwrap().is_empty());
}

fn swept(values: &[&str], text: &str) -> String {
    let values: Vec<_> = values.iter().map(|value| ("K", *value, Form::Label)).collect();
    let (map, placeholders) = map(&values);
    let mut out = String::new();
    let mut at = 0;
    for (range, placeholder) in map.sweep(text) {
        out.push_str(&text[at..range.start]);
        out.push_str(&format!("<{}>", placeholders.iter().position(|p| p == placeholder).unwrap()));
        at = range.end;
    }
    out + &text[at..]
}

#[test]
fn a_value_is_found_wherever_else_it_stands() {
    assert_eq!(swept(&["bob@x.io"], "bob@x.io xbob@x.iox bob@X.io"), "<0> x<0>x bob@X.io");
    assert_eq!(swept(&["Bob"], "Bob Bobbin, _Bob_ kBob äBob (Bob)"), "<0> Bobbin, _<0>_ kBob äBob (<0>)");
    assert_eq!(swept(&["-1-"], "a-1-b"), "a<0>b");
    // One that is no word of its own hides no other.
    assert_eq!(swept(&["Bob", "Bob-x", "Bob-"], "Bob-xy Bob-x"), "<2>xy <1>");
    assert_eq!(swept(&["Bob", "Bobbin@x.io", "in"], "Bobbin@x.io Bob in"), "<1> <0> <2>");
    assert_eq!(swept(&["abcdef", "defghi", "x abc"], "x abcdefghi"), "x <0>ghi");
    assert_eq!(swept(&[], "Bob"), "Bob");
    assert_eq!(swept(&["äöü"], "äöüä äöü"), "<0>ä <0>");
}

#[test]
fn debug_shows_sizes_only() {
    let (map, _) = map(&[("K", "Bluebird", Form::Label)]);
    assert_eq!(format!("{map:?}"), "RestoreMap { len: 1 }");
    let mut restorer = Restorer::default();
    restorer.push(&map, "[K_", false);
    assert!(!format!("{restorer:?}").contains("K_"));
}
