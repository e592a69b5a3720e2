use super::*;
use crate::config::{from_tree, tree_from_json};
use crate::json::{Document, Limits};
use crate::policy::document::{RoleDocument, TargetDocument};

struct World {
    access: Access,
    roles: Roles,
}

fn world(access: &str) -> Result<World, Vec<Problem>> {
    let mut problems = Vec::new();
    let path = Path::root();
    let read = |json: &str| tree_from_json(json).unwrap();
    let roles: std::collections::BTreeMap<String, crate::config::OneOrMany<RoleDocument>> = from_tree(
        &read(r#"{"eng":{"groups":"eng"},"ops":[{"users":"op-*"},{"groups":["sre"],"teams":"infra"}]}"#),
        &path,
    )
    .unwrap();
    let roles = Roles::compile(&roles, &path, &mut problems);
    let targets: Vec<TargetDocument> = from_tree(
        &read(
            r#"[{"name":"a","cluster":"ca","provider":"openai"},{"name":"b","cluster":"cb","provider":"anthropic"}]"#,
        ),
        &path,
    )
    .unwrap();
    let targets = Targets::compile(&targets, &path, &mut problems);
    let documents: Vec<AccessDocument> = from_tree(&read(access), &path).map_err(|p| vec![p])?;
    let access = Access::compile(&documents, &Default::default(), &roles, &targets, &path.key("access"), &mut problems);
    if problems.is_empty() { Ok(World { access, roles }) } else { Err(problems) }
}

impl World {
    fn ask(&self, group: &str, target: usize, model: &str, body: &str) -> Answer {
        let principal = caller(group);
        let document = Document::parse(body.as_bytes(), &Limits::default()).unwrap();
        self.access.decide(&Question {
            roles: &self.roles.of(&principal),
            target,
            operation: Operation::Chat,
            method: None,
            model: Some(model),
            body: Some(Asked {
                parameters: Some(document.root()),
                media: crate::protocol::media(document.root()),
                state: crate::protocol::state(crate::protocol::Api::OpenAiChat, document.root()),
            }),
        })
    }

    fn ask_head(&self, group: &str, operation: Operation) -> Answer {
        self.access.decide(&Question {
            roles: &self.roles.of(&caller(group)),
            target: 0,
            operation,
            method: None,
            model: None,
            body: None,
        })
    }
}

fn caller(group: &str) -> crate::identity::Principal {
    let mut principal = crate::identity::Principal::new(crate::identity::Method::Jwt);
    principal.groups = vec![group.to_owned()];
    principal
}

#[test]
fn nothing_matches_denies_and_deny_beats_allow() {
    let world = world(
        r#"[{"id":"deny-o1","effect":"deny","models":"o1*"},
            {"id":"all","effect":"allow","roles":"eng","models":["gpt-*","o1*"]}]"#,
    )
    .unwrap();
    let allowed = world.ask("eng", 0, "gpt-4o", "{}");
    assert_eq!((allowed.miss, allowed.rules, allowed.observed), (None, vec!["all".into()], vec![]));
    let denied = world.ask("eng", 0, "o1-mini", "{}");
    assert_eq!((denied.miss, denied.rules), (Some(Miss::Model), vec!["deny-o1".into()]));
    assert_eq!(world.ask("eng", 0, "claude", "{}").miss, Some(Miss::Model));
    assert_eq!(world.ask("other", 0, "gpt-4o", "{}").miss, Some(Miss::Call));
    let nobody = super::tests::world("[]").unwrap();
    assert_eq!(nobody.ask("eng", 0, "m", "{}").miss, Some(Miss::Call));
}

#[test]
fn observed_statements_never_count() {
    let world = world(
        r#"[{"id":"trial","effect":"allow","mode":"observe"},
            {"id":"eng","effect":"allow","roles":"eng"},
            {"id":"no-gpt","effect":"deny","mode":"observe","models":"gpt-*"}]"#,
    )
    .unwrap();
    let other = world.ask("other", 0, "gpt-4o", "{}");
    assert_eq!((other.miss, other.observed), (Some(Miss::Call), vec!["trial".into(), "no-gpt".into()]));
    assert_eq!(world.ask("eng", 0, "gpt-4o", "{}").miss, None);
}

#[test]
fn one_allow_must_fit_whole() {
    let world = world(
        r#"[{"id":"small","effect":"allow","models":"big","parameters":{"max_tokens":{"max":100}}},
            {"id":"other","effect":"allow","models":"tiny","parameters":{"n":{"max":1}}}]"#,
    )
    .unwrap();
    assert_eq!(world.ask("x", 0, "big", r#"{"max_tokens":100,"n":5}"#).miss, None);
    assert_eq!(world.ask("x", 0, "big", r#"{"max_tokens":101}"#).miss, Some(Miss::Parameter("max_tokens".into())));
    assert_eq!(world.ask("x", 0, "tiny", r#"{"max_tokens":101}"#).miss, None);
}

#[test]
fn caps_compare_exactly() {
    let world = world(
        r#"[{"id":"cap","effect":"allow","parameters":{"max_tokens":{"min":0,"max":18446744073709551615},
            "n":{"max":100}, "stream":{"one_of":[false]}}}]"#,
    )
    .unwrap();
    for (body, fits) in [
        (r#"{"n":100}"#, true),
        (r#"{"n":100.0}"#, true),
        (r#"{"n":1e2}"#, true),
        (r#"{"n":100.00000000000000000000001}"#, false),
        (r#"{"n":1e9}"#, false),
        (r#"{"N":1e9}"#, false),
        (r#"{"n":1E+999999999}"#, false),
        (r#"{"n":-0}"#, true),
        (r#"{"n":"1"}"#, false),
        (r#"{"n":true}"#, false),
        (r#"{"n":[1]}"#, false),
        (r#"{"n":null}"#, true),
        (r#"{"max_tokens":-0.0}"#, true),
        (r#"{"max_tokens":-1}"#, false),
        (r#"{"max_completion_tokens":-1}"#, false),
        (r#"{"max_tokens":18446744073709551616}"#, true),
        (r#"{"max_tokens":36893488147419103232}"#, false),
        (r#"{"stream":false}"#, true),
        (r#"{"stream":true}"#, false),
    ] {
        // 2^64 - 1 is no double: a policy's number is the nearest one, 2^64.
        assert_eq!(world.ask("x", 0, "m", body).miss.is_none(), fits, "{body}");
    }
}

#[test]
fn a_deny_with_caps_hits_what_is_within_them_and_what_it_cannot_compare() {
    let world =
        world(r#"[{"id":"all","effect":"allow"},{"id":"many","effect":"deny","parameters":{"n":{"min":2}}}]"#).unwrap();
    for (body, allowed) in
        [("{}", true), (r#"{"n":1}"#, true), (r#"{"n":2}"#, false), (r#"{"n":"2"}"#, false), (r#"{"n":null}"#, true)]
    {
        assert_eq!(world.ask("x", 0, "m", body).miss.is_none(), allowed, "{body}");
    }
}

#[test]
fn a_deny_meets_either_name_of_a_parameter() {
    let world = world(
        r#"[{"id":"all","effect":"allow"},{"id":"long","effect":"deny","parameters":{"max_tokens":{"min":5000}}}]"#,
    )
    .unwrap();
    for (body, allowed) in [
        (r#"{"max_tokens":1,"max_completion_tokens":4999}"#, true),
        (r#"{"max_tokens":1,"max_completion_tokens":5000}"#, false),
        (r#"{"max_completion_tokens":1,"max_tokens":5000}"#, false),
        (r#"{"max_completion_tokens":5000}"#, false),
    ] {
        assert_eq!(world.ask("x", 0, "m", body).miss.is_none(), allowed, "{body}");
    }
}

#[test]
fn values_of_another_type_cannot_be_compared() {
    let world = world(
        r#"[{"id":"all","effect":"allow","parameters":{"tier":{"one_of":["flex"]}}},
            {"id":"store","effect":"deny","parameters":{"store":{"one_of":[true]}}},
            {"id":"two","effect":"deny","parameters":{"n":{"one_of":["2"]}}}]"#,
    )
    .unwrap();
    for (body, allowed) in [
        (r#"{"store":false,"n":1,"tier":"flex"}"#, true),
        (r#"{"store":true}"#, false),
        (r#"{"store":"true"}"#, false),
        (r#"{"store":1}"#, false),
        (r#"{"store":[true]}"#, false),
        (r#"{"n":"3"}"#, true),
        (r#"{"n":2.0}"#, false),
        (r#"{"n":"2"}"#, false),
        (r#"{"n":[2]}"#, false),
        (r#"{"tier":["flex"]}"#, false),
    ] {
        assert_eq!(world.ask("x", 0, "m", body).miss.is_none(), allowed, "{body}");
    }
}

#[test]
fn the_head_refuses_only_what_no_body_mends() {
    let world = world(
        r#"[{"id":"eng","effect":"allow","roles":"eng","models":"gpt-*"},
            {"id":"no-list","effect":"deny","roles":"ops","operations":"list_models"}]"#,
    )
    .unwrap();
    assert_eq!(world.ask_head("eng", Operation::Chat).miss, None);
    assert_eq!(world.ask_head("other", Operation::Chat).miss, Some(Miss::Call));
    assert_eq!(world.ask_head("eng", Operation::ListModels).miss, None);
    assert_eq!(world.ask_head("other", Operation::ListModels).miss, Some(Miss::Call));
    let eng = world.roles.of(&caller("eng"));
    assert!(world.access.may_use(&eng, 0, "gpt-4o") && !world.access.may_use(&eng, 0, "o1"));
}

#[test]
fn targets_and_providers_narrow() {
    let world = world(r#"[{"id":"a","effect":"allow","providers":"anthropic"}]"#).unwrap();
    assert_eq!(world.ask("x", 0, "m", "{}").miss, Some(Miss::Call));
    assert_eq!(world.ask("x", 1, "m", "{}").miss, None);
}

#[test]
fn roles_are_any_of_all_of() {
    let world = world("[]").unwrap();
    let mut principal = caller("sre");
    let names = |p: &crate::identity::Principal| {
        let set = world.roles.of(p);
        world.roles.names(&set).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&principal), [] as [&str; 0]);
    principal.team = Some("infra".into());
    assert_eq!(names(&principal), ["ops"]);
    principal.groups = vec!["eng".into()];
    principal.user = Some("op-7".into());
    assert_eq!(names(&principal), ["eng", "ops"]);
}

#[test]
fn mistakes_are_named() {
    for (json, path, help) in [
        (r#"[{"id":"a","effect":"allow","roles":"enk"}]"#, "access[0].roles[0]", "did you mean `eng`?"),
        (r#"[{"id":"a","effect":"allow","targets":["zzzzzz"]}]"#, "access[0].targets[0]", "known here: `a`, `b`"),
        (r#"[{"id":"a","effect":"allow"},{"id":"a","effect":"deny"}]"#, "access[1].id", "ids are unique"),
        (r#"[{"id":"a","effect":"allow","parameters":{"n":{}}}]"#, "access[0].parameters.n", "add `max`"),
    ] {
        let Err(problems) = world(json) else { panic!("{json} compiles") };
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(problem.path.to_string(), path);
        assert!(problem.help.as_deref().unwrap_or_default().contains(help), "{problem}");
    }
}
