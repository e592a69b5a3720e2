//! What must hold of a configuration's way from any bytes to a policy, or to what is wrong with them.

use doorward_core::config::{Tree, tree_from_json, tree_from_struct};
use doorward_core::engine::Engine;

/// Panics when something does not hold.
pub fn policy(data: &[u8]) {
    // As Envoy hands it over: JSON text, or a serialised `google.protobuf.Struct`.
    if let Ok(tree) = tree_from_struct(data) {
        compile(&tree);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(tree) = tree_from_json(text)
    {
        compile(&tree);
    }
}

const KEY: &str = "a-fuzzing-key-of-at-least-32-bytes-and-then-some-more-of-them-......";

fn compile(tree: &Tree) {
    let env = |name: &str| (name == "KEY").then(|| KEY.to_owned());
    match (Engine::compile(tree, &env), Engine::compile(tree, &env)) {
        (Ok(one), Ok(two)) => assert_eq!(one.digest(), two.digest()),
        (Err(one), Err(two)) => {
            let said = |problems: &[doorward_core::config::Problem]| -> Vec<String> {
                problems.iter().map(ToString::to_string).collect()
            };
            let said = (said(&one), said(&two));
            assert!(!one.is_empty(), "refused, and nobody says why");
            assert_eq!(said.0, said.1);
            assert!(said.0.iter().all(|text| !text.contains(KEY)), "a secret in an error");
        }
        _ => panic!("one policy is taken and refused"),
    }
}
