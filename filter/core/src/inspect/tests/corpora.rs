//! Precision and recall on labelled data, where that is present: in `../shared/corpora` beside the project, or
//! where `DOORWARD_CORPORA` says. `DOORWARD_SHOW=TYPE` prints what that type missed and found too much.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::super::injection;
use super::{Detectors, builtin, findings};
use crate::protocol::Channel;

pub(super) fn rows(file: &str) -> Option<Vec<Value>> {
    let directory = std::env::var_os("DOORWARD_CORPORA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora")), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(directory.join(file)) else {
        println!("skipped: no {file} in {}", directory.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[derive(Default)]
struct Tally {
    gold: usize,
    hit: usize,
    predicted: usize,
    right: usize,
}

impl Tally {
    fn precision(&self) -> f64 {
        self.right as f64 / self.predicted.max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.hit as f64 / self.gold.max(1) as f64
    }
}

type Span = (usize, usize);

/// Half of the labelled value is enough.
fn covers(found: Span, gold: Span) -> bool {
    let overlap = found.1.min(gold.1).saturating_sub(found.0.max(gold.0));
    2 * overlap >= gold.1 - gold.0
}

/// The labelled spans of a row in bytes; rows count characters.
fn spans(row: &Value, text: &str) -> Vec<(String, Span)> {
    let places: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let place = |value: &Value| places[value.as_u64().unwrap() as usize];
    row["spans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| (s["type"].as_str().unwrap().to_owned(), (place(&s["start"]), place(&s["end"]))))
        .collect()
}

fn predictions(detectors: &Detectors, text: &str) -> Vec<(String, Span)> {
    findings(detectors, &["all"], text)
        .iter()
        .map(|f| (detectors.kind(f.kind).name.clone(), (f.start, f.end)))
        .collect()
}

pub(super) fn show(what: &str, kind: &str, text: &str, span: Span) {
    if std::env::var("DOORWARD_SHOW").is_ok_and(|shown| shown == kind) {
        let from = text.floor_char_boundary(span.0.saturating_sub(50));
        let to = text.ceil_char_boundary((span.1 + 20).min(text.len()));
        println!("{what} {kind} {:?} in {:?}", text.get(span.0..span.1).unwrap(), text.get(from..to).unwrap());
    }
}

/// Type, least precision, least recall.
const PII: &[(&str, f64, f64)] = &[
    ("EMAIL_ADDRESS", 0.99, 0.99),
    ("PHONE_NUMBER", 0.97, 0.96),
    ("CREDIT_CARD", 0.99, 0.98),
    ("IBAN_CODE", 0.98, 0.98),
    ("US_SSN", 0.97, 0.94),
    ("IP_ADDRESS", 0.97, 0.96),
];

#[test]
fn personal_data() {
    let Some(rows) = rows("pii.jsonl") else { return };
    let detectors = builtin();
    let mut tallies: BTreeMap<(&str, String), Tally> = BTreeMap::new();
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let gold = spans(row, text);
        let predicted = predictions(&detectors, text);
        let source = row["source"].as_str().unwrap();
        for (kind, _, _) in PII {
            if row["scope"] == "single" && row["entity"] != **kind {
                continue;
            }
            let of = |all: &[(String, Span)]| -> Vec<Span> {
                all.iter().filter(|(k, _)| k == kind).map(|(_, s)| *s).collect()
            };
            // Generated sentences such as "my SSN is .." hold other countries' numbers, labelled as those.
            let foreign = |p: &Span| gold.iter().any(|(k, g)| k != kind && g == p);
            let predicted =
                of(&predicted).into_iter().filter(|p| !(*kind == "US_SSN" && foreign(p))).collect::<Vec<_>>();
            let gold = of(&gold);
            for key in [(*kind, String::new()), (*kind, source.to_owned())] {
                let tally = tallies.entry(key).or_default();
                tally.gold += gold.len();
                tally.predicted += predicted.len();
                tally.hit += gold.iter().filter(|g| predicted.iter().any(|p| covers(*p, **g))).count();
                tally.right +=
                    predicted.iter().filter(|p| gold.iter().any(|g| covers(**p, *g) || covers(*g, **p))).count();
            }
            for g in gold.iter().filter(|g| !predicted.iter().any(|p| covers(*p, **g))) {
                show("missed", kind, text, *g);
            }
            for p in predicted.iter().filter(|p| !gold.iter().any(|g| covers(**p, *g) || covers(*g, **p))) {
                show("too much", kind, text, *p);
            }
        }
    }
    for ((kind, source), t) in &tallies {
        println!("{kind:16} {source:34} precision {:.3} recall {:.3} of {}", t.precision(), t.recall(), t.gold);
    }
    for (kind, precision, recall) in PII {
        let tally = &tallies[&(*kind, String::new())];
        assert!(tally.precision() >= *precision, "{kind}: precision {}", tally.precision());
        assert!(tally.recall() >= *recall, "{kind}: recall {}", tally.recall());
    }
}

/// The labels of the rows, and the type that covers them.
const SECRETS: &[(&str, &str)] = &[
    ("aws-access-token", "AWS_ACCESS_KEY"),
    ("github-pat", "GITHUB_TOKEN"),
    ("github-oauth", "GITHUB_TOKEN"),
    ("github-app-token", "GITHUB_TOKEN"),
    ("github-refresh-token", "GITHUB_TOKEN"),
    ("github-fine-grained-pat", "GITHUB_TOKEN"),
    ("gitlab-pat", "GITLAB_TOKEN"),
    ("gitlab-pat-routable", "GITLAB_TOKEN"),
    ("gitlab-cicd-job-token", "GITLAB_TOKEN"),
    ("gitlab-feature-flag-client-token", "GITLAB_TOKEN"),
    ("gitlab-feed-token", "GITLAB_TOKEN"),
    ("gitlab-incoming-mail-token", "GITLAB_TOKEN"),
    ("gitlab-kubernetes-agent-token", "GITLAB_TOKEN"),
    ("gitlab-oauth-app-secret", "GITLAB_TOKEN"),
    ("gitlab-ptt", "GITLAB_TOKEN"),
    ("gitlab-rrt", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token-routable", "GITLAB_TOKEN"),
    ("gitlab-scim-token", "GITLAB_TOKEN"),
    ("openai-api-key", "OPENAI_API_KEY"),
    ("anthropic-api-key", "ANTHROPIC_API_KEY"),
    ("anthropic-admin-api-key", "ANTHROPIC_API_KEY"),
    ("gcp-api-key", "GOOGLE_API_KEY"),
    ("huggingface-access-token", "HUGGINGFACE_TOKEN"),
    ("huggingface-organization-api-token", "HUGGINGFACE_TOKEN"),
    ("perplexity-api-key", "PERPLEXITY_API_KEY"),
    ("slack-bot-token", "SLACK_TOKEN"),
    ("slack-user-token", "SLACK_TOKEN"),
    ("slack-app-token", "SLACK_TOKEN"),
    ("slack-legacy-token", "SLACK_TOKEN"),
    ("slack-legacy-bot-token", "SLACK_TOKEN"),
    ("slack-legacy-workspace-token", "SLACK_TOKEN"),
    ("slack-config-access-token", "SLACK_TOKEN"),
    ("slack-config-refresh-token", "SLACK_TOKEN"),
    ("slack-webhook-url", "SLACK_WEBHOOK"),
    ("stripe-access-token", "STRIPE_KEY"),
    ("shopify-access-token", "SHOPIFY_TOKEN"),
    ("shopify-custom-access-token", "SHOPIFY_TOKEN"),
    ("shopify-private-app-access-token", "SHOPIFY_TOKEN"),
    ("shopify-shared-secret", "SHOPIFY_TOKEN"),
    ("twilio-api-key", "TWILIO_API_KEY"),
    ("sendgrid-api-token", "SENDGRID_API_KEY"),
    ("mailgun-private-api-token", "MAILGUN_API_KEY"),
    ("npm-access-token", "NPM_TOKEN"),
    ("pypi-upload-token", "PYPI_TOKEN"),
    ("rubygems-api-token", "RUBYGEMS_TOKEN"),
    ("databricks-api-token", "DATABRICKS_TOKEN"),
    ("digitalocean-pat", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-access-token", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-refresh-token", "DIGITALOCEAN_TOKEN"),
    ("vault-batch-token", "VAULT_TOKEN"),
    ("hashicorp-tf-api-token", "TERRAFORM_TOKEN"),
    ("grafana-service-account-token", "GRAFANA_TOKEN"),
    ("grafana-cloud-api-token", "GRAFANA_TOKEN"),
    ("grafana-api-key", "GRAFANA_TOKEN"),
    ("sentry-user-token", "SENTRY_TOKEN"),
    ("sentry-org-token", "SENTRY_TOKEN"),
    ("linear-api-key", "LINEAR_API_KEY"),
    ("notion-api-token", "NOTION_TOKEN"),
    ("postman-api-token", "POSTMAN_API_KEY"),
    ("doppler-api-token", "DOPPLER_TOKEN"),
    ("pulumi-api-token", "PULUMI_TOKEN"),
    ("alibaba-access-key-id", "ALIBABA_ACCESS_KEY"),
    ("new-relic-user-api-key", "NEW_RELIC_KEY"),
    ("new-relic-insert-key", "NEW_RELIC_KEY"),
    ("private-key", "PRIVATE_KEY"),
    ("age-secret-key", "PRIVATE_KEY"),
    ("azure-ad-client-secret", "AZURE_CLIENT_SECRET"),
    ("sidekiq-sensitive-url", "URL_CREDENTIALS"),
];

#[test]
fn secrets() {
    let Some(rows) = rows("secrets.jsonl") else { return };
    let detectors = builtin();
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut total = Tally::default();
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let label = row["type"].as_str().unwrap().trim_start_matches("gitleaks:");
        let Some((_, kind)) = SECRETS.iter().find(|(l, _)| *l == label) else { continue };
        let found = findings(&detectors, &["all"], text);
        let predicted = predictions(&detectors, text);
        let gold = spans(row, text);
        for tally in [tallies.entry(kind).or_default(), &mut total] {
            if row["label"] == 1 {
                tally.gold += 1;
                tally.hit +=
                    usize::from(predicted.iter().any(|(k, p)| k == kind && gold.iter().all(|(_, g)| covers(*p, *g))));
            } else {
                // Published examples are there, and labelled.
                tally.predicted +=
                    usize::from(found.iter().any(|f| detectors.kind(f.kind).name == **kind && !f.test_value));
            }
        }
        let right = predicted.iter().any(|(k, p)| k == kind && gold.iter().all(|(_, g)| covers(*p, *g)));
        if right != (row["label"] == 1) {
            show(label, kind, text, (0, text.len()));
        }
    }
    for (kind, t) in &tallies {
        println!("{kind:20} recall {:.3} of {}, hits on negative rows {}", t.recall(), t.gold, t.predicted);
    }
    println!(
        "secrets in all: recall {:.3} of {}, hits on negative rows {}",
        total.recall(),
        total.gold,
        total.predicted
    );
    assert!(total.recall() >= 0.98, "{}", total.recall());
    assert!(total.predicted <= 12, "{}", total.predicted);
}

#[test]
fn benign_text() {
    let Some(rows) = rows("benign.jsonl") else { return };
    let detectors = builtin();
    let mut by_kind: BTreeMap<String, usize> = BTreeMap::new();
    let (mut personal, mut secret, mut injected) = (0, 0, 0);
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let predicted = predictions(&detectors, text);
        for (kind, span) in &predicted {
            *by_kind.entry(kind.clone()).or_default() += 1;
            show(row["category"].as_str().unwrap(), kind, text, *span);
        }
        // Rows marked so may hold true addresses.
        let may = |kind: &str| {
            (kind == "EMAIL_ADDRESS" && row["has_email_like"] == true)
                || (kind == "IP_ADDRESS" && row["has_ipv4_like"] == true)
        };
        let is_secret =
            |kind: &str| super::super::types::TYPES.iter().any(|(k, g)| *k == kind && g.as_str() == "secrets");
        let is_injection = |kind: &str| kind == "PROMPT_INJECTION";
        personal += usize::from(predicted.iter().any(|(k, _)| !may(k) && !is_secret(k) && !is_injection(k)));
        injected += usize::from(predicted.iter().any(|(k, _)| is_injection(k)));
        secret += usize::from(predicted.iter().any(|(k, _)| is_secret(k)));
    }
    println!("benign rows {}: with personal data {personal}, with secrets {secret}; findings {by_kind:?}", rows.len());
    assert!(personal * 200 <= rows.len(), "{personal} of {} rows", rows.len());
    assert!(secret <= 5, "{secret} rows");
    assert!(injected * 100 <= rows.len(), "{injected} of {} rows", rows.len());
}

/// Of injections by source. The weights were trained on these: `CARD.md` says what they find when they were not.
#[test]
fn injections() {
    let Some(rows) = rows("injection.jsonl") else { return };
    let mut sources: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in &rows {
        let found = injection::score(row["text"].as_str().unwrap(), Channel::User).score >= 0.5;
        let (rows, hits) = sources.entry(row["source"].as_str().unwrap()).or_default();
        (*rows, *hits) = (*rows + 1, *hits + usize::from(found));
    }
    println!("{sources:?}");
    let share = |source: &str| sources.get(source).map_or(0.0, |(rows, hits)| *hits as f64 / *rows as f64);
    assert!(share("verazuo/jailbreak_llms") > 0.9 && share("purplellama/cse-en") > 0.8);
    assert!(share("NotInject") < 0.1);
}
