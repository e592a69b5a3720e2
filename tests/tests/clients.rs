//! The recipes of `envoy/clients`: official SDKs whose token is renewed while the client lives.

use std::process::Command;

use doorward_e2e::governed::{World, assert_unlogged};
use doorward_e2e::idp::now;
use doorward_e2e::{providers, tools};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_on_when_their_token_ends() {
    for (sdk, provider, handler) in [
        ("openai", "openai", providers::openai()),
        ("anthropic", "anthropic", providers::anthropic()),
        ("google", "gcp.gemini", providers::gemini()),
    ] {
        let world = World::of(handler, provider).await;
        let gate = world.gate().await;
        // What the identity provider's own program would print: another token each time. The first one is about to end.
        let folder = tools::scratch("tokens");
        let tokens = ["first", "second"].map(|user| {
            let ends = if user == "first" { 45 } else { 3600 };
            world.idp.token(user, json!({"exp": now() + ends}))
        });
        std::fs::write(folder.join("tokens"), tokens.join("\n") + "\n").expect("write tokens");
        let next = "sed -n 1p tokens; sed -i 1d tokens";
        let output = Command::new(tools::python())
            .arg(tools::root().join("tests/sdk/refresh_call.py"))
            .args([sdk, &gate.url(""), "sh", "-c", next])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(&folder)
            .output()
            .expect("start python");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{sdk}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.lines().filter(|line| line.contains("hello")).count(), 2, "{sdk}: {said}");
        for user in ["first", "second"] {
            let line = gate.log_line_where(|line| line["doorward.user"] == user).await;
            assert_eq!((&line["status"], &line["doorward.auth"]), (&json!(200), &json!("jwt")), "{sdk}: {line:#}");
        }
        assert_eq!(std::fs::read_to_string(folder.join("tokens")).expect("the rest"), "", "{sdk}");
        assert_unlogged(&gate, &[&tokens[0], &tokens[1]]);
        for seen in world.upstream.seen() {
            assert!(!seen.mentions(&tokens[0]) && !seen.mentions(&tokens[1]), "{sdk}: {seen:?}");
        }
    }
}
