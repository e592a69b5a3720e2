//! A token that was verified once, on the real Envoy: it is believed no longer than it, its key and the policy hold.

use doorward_e2e::client::Request;
use doorward_e2e::envoy::{Gate, Policy};
use doorward_e2e::governed::{World, chat, post, refusal};
use doorward_e2e::idp::{self, changed};
use doorward_e2e::wait::until;
use serde_json::json;

fn ask(token: &str) -> Request {
    post("/v1/chat/completions", token, chat("gpt-5", "hi").to_string())
}

#[tokio::test]
async fn what_is_remembered_ends_when_the_token_does() {
    let mut world = World::new().await;
    world.policy["identity"]["jwt"][0]["skew"] = json!("0s");
    let gate = world.gate().await;
    let token = world.idp.token("alice", json!({"groups": ["eng"], "exp": idp::now() + 3}));
    assert_eq!(gate.call(&ask(&token)).await.status, 200);
    assert_eq!(gate.call(&ask(&token)).await.status, 200, "remembered");
    let answer = until("a remembered token to expire", async || match gate.call(&ask(&token)).await {
        answer if answer.status == 401 => Ok(answer),
        answer => Err(answer.status.to_string()),
    })
    .await;
    refusal(&gate, &answer, 401, "identity.expired").await;
}

#[tokio::test]
async fn an_update_revokes_remembered_tokens() {
    let mut world = World::new().await;
    let second = world.publish_beside("second");
    for workers in [1, 4] {
        world.workers = workers;
        let mut gate = world.gate().await;
        let claims = world.idp.claims("alice");
        let claims = |jti: &str| changed(&claims, json!({"jti": jti, "groups": ["eng"]}));
        let (stolen, fine) = (world.idp.key().mint(&claims("stolen")), second.mint(&claims("fine")));
        let statuses = async |gate: &Gate, token: &str| {
            let request = ask(token);
            doorward_e2e::wait::all((0..2 * workers).map(|_| gate.call(&request))).await
        };
        for token in [&stolen, &fine] {
            assert!(statuses(&gate, token).await.iter().all(|a| a.status == 200));
        }
        for (revoked, both) in [
            (json!({"jti": "stolen"}), false),
            (json!({"jti": "stolen", "issuer": "https://idp.test"}), false),
            (json!({"sub": "alice"}), true),
            (json!({"kid": "key-1"}), false),
        ] {
            let mut policy = world.policy.clone();
            policy["identity"]["revoked"] = json!([revoked]);
            gate.update_policy(Policy::Native(policy)).await.unwrap();
            let before = world.upstream.count();
            let refused = if both { vec![&stolen, &fine] } else { vec![&stolen] };
            for token in refused {
                for answer in statuses(&gate, token).await {
                    refusal(&gate, &answer, 401, "identity.revoked").await;
                }
            }
            assert_eq!(world.upstream.count(), before);
            if !both {
                assert!(statuses(&gate, &fine).await.iter().all(|a| a.status == 200), "{revoked}");
            }
        }
        // Another issuer's token ids are none of its business.
        let mut policy = world.policy.clone();
        policy["identity"]["revoked"] = json!([{"jti": "stolen", "issuer": "https://other.test"}]);
        gate.update_policy(Policy::Native(policy)).await.unwrap();
        assert!(statuses(&gate, &stolen).await.iter().all(|a| a.status == 200));
        // A key that left the policy takes its tokens along.
        let mut policy = world.policy.clone();
        policy["identity"]["jwt"][0]["jwks"] = json!({"inline": {"keys": [second.jwk]}});
        gate.update_policy(Policy::Native(policy)).await.unwrap();
        for answer in statuses(&gate, &stolen).await {
            refusal(&gate, &answer, 401, "identity.unknown_key").await;
        }
        assert!(statuses(&gate, &fine).await.iter().all(|a| a.status == 200));
    }
}
