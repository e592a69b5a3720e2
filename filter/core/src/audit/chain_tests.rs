use super::*;
use crate::host::MemoryHost;

type Fields = Vec<(&'static str, String)>;

fn fields(user: &str) -> Fields {
    vec![
        ("doorward.user", user.to_owned()),
        ("doorward.decision", "allow".to_owned()),
        ("doorward.team", String::new()),
    ]
}

fn key() -> ChainKey {
    ChainKey::new(&[3; 32])
}

fn fits(link: &Link, key: &ChainKey, fields: &Fields) -> bool {
    link.fits(key, &fields.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>())
}

fn records(count: u64) -> Vec<Link> {
    let mut chain = Chain::draw(&mut MemoryHost::default()).unwrap();
    (0..count).map(|n| Link::read(&chain.link(&key(), 1000 + n, &fields("alice"))).unwrap()).collect()
}

#[test]
fn each_record_is_tied_to_the_one_before() {
    let links = records(3);
    assert_eq!(links[0].before, Code::default());
    for (one, next) in links.iter().zip(&links[1..]) {
        assert_eq!((next.before, next.number, next.boot), (one.code, one.number + 1, one.boot));
    }
    assert!(links.iter().all(|link| fits(link, &key(), &fields("alice"))));
    assert_eq!(Link::read(&links[1].write()).unwrap(), links[1]);
}

#[test]
fn whatever_is_altered_shows() {
    let link = &records(2)[1];
    let mut altered = vec![fields("bob"), fields(""), fields("alice ")];
    let mut more = fields("alice");
    more.push(("doorward.reason", "x".into()));
    altered.push(more);
    let mut renamed = fields("alice");
    renamed[0].0 = "doorward.team";
    altered.push(renamed);
    // A value moved from one field to another.
    let swapped = vec![("doorward.user", "allow".to_owned()), ("doorward.decision", "alice".to_owned())];
    altered.push(swapped);
    for fields in altered {
        assert!(!fits(link, &key(), &fields), "{fields:?}");
    }
    let other = |change: fn(&mut Link)| {
        let mut link = link.clone();
        change(&mut link);
        link
    };
    let links = [
        other(|l| l.number += 1),
        other(|l| l.at_ms += 1),
        other(|l| l.boot[0] ^= 1),
        other(|l| l.before[0] ^= 1),
        other(|l| l.code[15] ^= 1),
    ];
    assert!(links.iter().all(|link| !fits(link, &key(), &fields("alice"))));
    assert!(!fits(link, &ChainKey::new(&[4; 32]), &fields("alice")));
}

#[test]
fn absent_fields_are_absent_however_a_log_writes_them() {
    let link = &records(1)[0];
    let mut dashes = fields("alice");
    dashes[2].1 = "-".into();
    dashes.reverse();
    assert!(fits(link, &key(), &dashes));
}

#[test]
fn a_field_is_erased_by_its_commitment_and_by_nothing_else() {
    let links = records(2);
    let erased = links[0].erased(&key(), "doorward.user", "alice");
    assert!(!erased.contains("alice"));
    assert!(fits(&links[0], &key(), &fields(&erased)));
    // It is that record's, that field's and that value's.
    assert!(!fits(&links[1], &key(), &fields(&erased)));
    assert!(!fits(&links[0], &key(), &fields(&links[0].erased(&key(), "doorward.team", "alice"))));
    assert!(!fits(&links[0], &key(), &fields(&links[0].erased(&key(), "doorward.user", "bob"))));
    assert!(!fits(&links[0], &key(), &fields("erased:00")));
    assert!(!fits(&links[0], &key(), &fields(&links[0].erased(&ChainKey::new(&[4; 32]), "doorward.user", "alice"))));
}

#[test]
fn checkpoints_come_by_number_and_by_time() {
    let mut chain = Chain::draw(&mut MemoryHost::default()).unwrap();
    let told = |chain: &mut Chain, at: u64| chain.checkpoint(&key(), at, 3, 60_000);
    assert_eq!(told(&mut chain, 1_000), None);
    for n in 0..2 {
        chain.link(&key(), n, &fields("a"));
    }
    assert_eq!(told(&mut chain, 2_000), None);
    chain.link(&key(), 3, &fields("a"));
    let line = format!("[info] wasm log: {} trailing", told(&mut chain, 3_000).unwrap());
    let checkpoint = Checkpoint::read(&line).unwrap();
    assert!(checkpoint.fits(&key()) && !checkpoint.fits(&ChainKey::new(&[4; 32])));
    assert_eq!((checkpoint.records, checkpoint.at_ms), (3, 3_000));
    assert!(!Checkpoint { records: 2, ..checkpoint.clone() }.fits(&key()));
    assert_eq!(told(&mut chain, 900_000), None);
    chain.link(&key(), 4, &fields("a"));
    assert!(told(&mut chain, 62_999).is_none() && told(&mut chain, 63_000).is_some());
}

#[test]
fn what_is_no_link_is_not_read() {
    let good = records(1)[0].write();
    for bad in [
        "",
        "1",
        "-",
        good.strip_prefix("1").unwrap(),
        good.get(..good.len() - 1).unwrap(),
        &format!("{good}.1"),
        &good.to_uppercase(),
        &good.replacen("1.", "2.", 1),
        &good.replacen(".0.", ".00.", 1),
    ] {
        assert_eq!(Link::read(bad), None, "{bad}");
    }
    assert!(Checkpoint::read("doorward.checkpoint=").is_none() && Checkpoint::read("nothing").is_none());
}
