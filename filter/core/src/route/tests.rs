use super::*;
use crate::config::tree_from_json;
use crate::engine::Engine;
use crate::identity::Method;

const POLICY: &str = r#"{"version":"doorward/v1",
    "targets":[{"name":"cloud","cluster":"cloud","provider":"openai"},{"name":"eu","cluster":"eu","provider":"openai"},
               {"name":"house","cluster":"house","provider":"openai"},{"name":"tools","cluster":"tools","provider":"mcp"}],
    "identity":{"mtls":{"trust_domains":["td"]},"require":{"user":false,"workload":true}},
    "roles":{"interns":{"groups":"intern"}}"#;

fn compiled(more: &str) -> Result<Engine, Vec<String>> {
    let tree = tree_from_json(&format!("{POLICY},{more}}}")).unwrap();
    Engine::compile(&tree, &|_| None).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn routes(list: &str) -> Engine {
    compiled(&format!(r#""routes":[{list}]"#)).unwrap()
}

fn situation<'a>(roles: &'a RoleSet, model: Model<'a>, target: usize) -> Situation<'a> {
    Situation { roles, principal: None, target, model, stored: None }
}

fn chosen(engine: &Engine, situation: &Situation<'_>) -> Option<String> {
    engine.routes.by_facts(situation).route.map(|r| r.id.clone())
}

#[test]
fn the_first_that_fits_is_taken_and_what_is_there_stays() {
    let engine = routes(
        r#"{"id":"small","when":{"models":"mini-*"},"to":{"target":"house"}},
           {"id":"look","when":{"targets":"cloud"},"to":{"target":"eu"},"mode":"observe"},
           {"id":"rest","when":{"targets":["cloud","house"]},"to":{"target":"eu"}}"#,
    );
    let roles = RoleSet::default();
    let at = |model, target| chosen(&engine, &situation(&roles, model, target));
    assert_eq!(at(Model::Named("mini-1"), 0).as_deref(), Some("small"));
    assert_eq!(at(Model::Named("big-1"), 0).as_deref(), Some("rest"));
    // `small` is satisfied, and `rest` does not pull away what it sent there.
    assert_eq!(at(Model::Named("mini-1"), 2), None);
    assert_eq!(at(Model::Named("big-1"), 1), None);
    // What nobody can read may be any model; what has none is none of them.
    assert_eq!(at(Model::Unread, 0).as_deref(), Some("small"));
    assert_eq!(at(Model::Nothing, 0).as_deref(), Some("rest"));
    assert_eq!(engine.routes.by_facts(&situation(&roles, Model::Nothing, 0)).observed, ["look"]);
}

#[test]
fn callers_are_told_by_proven_claims_alone() {
    let engine =
        routes(r#"{"id":"resident","when":{"claims":{"residency":"eu*"},"purposes":"care"},"to":{"target":"eu"}}"#);
    let roles = RoleSet::default();
    let mut caller = Principal { purpose: Some("care".into()), ..Principal::new(Method::Jwt) };
    let at = |caller: &Principal| {
        chosen(&engine, &Situation { principal: Some(caller), ..situation(&roles, Model::Nothing, 0) })
    };
    assert_eq!(at(&caller), None);
    caller.claims.insert("residency".into(), vec!["eu-de".into()]);
    assert_eq!(at(&caller).as_deref(), Some("resident"));
    caller.purpose = Some("sales".into());
    assert_eq!(at(&caller), None);
    assert_eq!(chosen(&engine, &situation(&roles, Model::Nothing, 0)), None);
}

#[test]
fn findings_that_want_different_targets_have_none() {
    let engine = routes(
        r#"{"id":"a","when":{"detect":"EMAIL_ADDRESS"},"to":{"target":"house"}},
           {"id":"b","when":{"detect":"IBAN_CODE"},"to":{"target":"eu"}},
           {"id":"c","when":{"detect":"CREDIT_CARD"},"to":{"target":"house"},"model":"m"}"#,
    );
    let roles = RoleSet::default();
    let at = |met: &[usize], target| {
        let found = engine.routes.by_findings(met, &situation(&roles, Model::Nothing, target));
        found.map(|route| route.map(|r| r.id.clone()))
    };
    assert_eq!(at(&[], 0), Ok(None));
    assert_eq!(at(&[0], 0), Ok(Some("a".into())));
    assert_eq!(at(&[2, 0], 0), Ok(Some("a".into())));
    assert_eq!(at(&[0], 2), Ok(None));
    assert_eq!(at(&[0, 1], 0), Err(vec!["a".into(), "b".into()]));
    // Being where one of them wants it does not help.
    assert_eq!(at(&[0, 1], 2), Err(vec!["a".into(), "b".into()]));
    // Findings alone move it: these statements are not asked before.
    assert_eq!(chosen(&engine, &situation(&roles, Model::Unread, 0)), None);
    // What a session remembers counts like a finding.
    let session = Situation { stored: Some(1), ..situation(&roles, Model::Nothing, 0) };
    assert_eq!(engine.routes.by_findings(&[], &session).unwrap().map(|r| r.id.as_str()), Some("b"));
    assert!(engine.routes.by_findings(&[0], &session).is_err());
}

#[test]
fn mistakes_are_told_with_their_path() {
    let flow = r#","envoy":{"hold_headers":false}"#;
    let route = |more: &str| format!(r#""routes":[{{"id":"r",{more}}}]"#);
    for (more, told) in [
        (route(r#""when":{"models":"m"},"to":{"target":"hous"}"#), "routes[0].to.target"),
        (route(r#""when":{"models":"m"},"to":{"target":"tools"}"#), "speaks MCP"),
        (route(r#""when":{"models":"m"},"to":{"target":"house","value":"a b"}"#), "routes[0].to.value"),
        (route(r#""when":{"models":"m"},"to":{"target":"house"},"model":"gpt-*""#), "routes[0].model"),
        (route(r#""when":{"roles":"nobody"},"to":{"target":"house"}"#), "routes[0].when.roles[0]"),
        (route(r#""when":{"targets":"clowd"},"to":{"target":"house"}"#), "routes[0].when.targets[0]"),
        (route(r#""when":{"detect":"EMAIL"},"to":{"target":"house"}"#), "routes[0].when.detect"),
        (route(r#""when":{"models":"m","channels":"user"},"to":{"target":"house"}"#), "nothing is looked for"),
        (route(r#""to":{"target":"house"}"#), "nothing is sent this way"),
        (route(r#""when":{},"to":{"target":"house"}"#), "nothing is sent this way"),
        (route(r#""when":{"models":"m"},"to":{"target":"house"}"#) + flow, "headers go ahead of bodies"),
        (
            route(r#""when":{"models":"m"},"to":{"target":"house"}"#)
                + r#","content":[{"id":"c","detect":"pii","action":"route","route":"r"}]"#,
            "routes[0].when",
        ),
        (r#""content":[{"id":"c","detect":"pii","action":"route"}]"#.into(), "does not say where to"),
        (r#""content":[{"id":"c","detect":"pii","action":"route","route":"r"}]"#.into(), "unknown route `r`"),
        (
            route(r#""to":{"target":"house"}"#)
                + r#","content":[{"id":"c","detect":"pii","action":"mask","route":"r"}]"#,
            "means nothing",
        ),
        (
            route(r#""to":{"target":"house"}"#)
                + r#","content":[{"id":"c","detect":"pii","action":"route","route":"r","direction":"response"}]"#,
            "content[0].direction",
        ),
    ] {
        let problems = compiled(&more).err().unwrap_or_else(|| panic!("{more}"));
        assert!(problems.iter().any(|p| p.contains(told)), "{more}: {problems:?}");
    }
    // What only looks on needs no held headers.
    let looks = route(r#""when":{"models":"m"},"to":{"target":"house"},"mode":"observe""#) + flow;
    assert!(!compiled(&looks).unwrap().routes.enforced());
    let taps = route(r#""when":{"models":"m"},"to":{"target":"house"}"#) + flow + r#","mode":"observe""#;
    assert!(compiled(&taps).is_ok());
}
