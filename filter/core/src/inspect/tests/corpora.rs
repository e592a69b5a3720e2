//! Precision and recall on labelled data, where that is present: in `../shared/corpora` beside the project, or
//! where `DOORWARD_CORPORA` says. `DOORWARD_SHOW=TYPE` prints what that type missed and found too much.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::{Detectors, builtin, findings};

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

/// Identifiers whose rows have a check rule, a layout or a word that names them, and how many of these are found at least.
/// Rows of bare digits that nothing names are anybody's.
const IDENTIFIERS: &[(&str, f64)] = &[
    ("AR_DNI", 0.95),
    ("AT_VNR", 0.95),
    ("BE_NN", 0.95),
    ("BR_CNPJ", 0.95),
    ("BR_CPF", 0.95),
    ("CA_SIN", 0.9),
    ("CH_AHV", 0.95),
    ("DE_TAX_ID", 0.85),
    ("DK_CPR", 0.95),
    ("ES_NIE", 0.95),
    ("ES_NIF", 0.95),
    ("FI_PERSONAL_IDENTITY_CODE", 0.95),
    ("FR_NIF", 0.95),
    ("FR_NIR", 0.95),
    ("HR_OIB", 0.95),
    ("IE_PPS", 0.95),
    ("IL_ID", 0.95),
    ("IN_GSTIN", 0.85),
    ("IS_KENNITALA", 0.95),
    ("IT_FISCAL_CODE", 0.9),
    ("NL_BSN", 0.95),
    ("NO_FNR", 0.95),
    ("PK_CNIC", 0.95),
    ("PL_NIP", 0.95),
    ("PL_PESEL", 0.95),
    ("PT_NIF", 0.95),
    ("RO_CNP", 0.95),
    ("SE_ORGANISATIONSNUMMER", 0.9),
    ("SE_PERSONNUMMER", 0.85),
    ("SI_EMSO", 0.95),
    ("SG_UEN", 0.95),
    ("US_ATIN", 0.95),
    ("US_EIN", 0.95),
    ("US_ITIN", 0.95),
    ("US_PTIN", 0.95),
    ("ZA_ID_NUMBER", 0.85),
];

#[test]
fn identifiers() {
    let Some(rows) = rows("pii.jsonl") else { return };
    let detectors = builtin();
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut total = Tally::default();
    for row in rows.iter().filter(|row| row["scope"] == "single" && row["context"] != "noctx") {
        let Some((kind, _)) = IDENTIFIERS.iter().find(|(kind, _)| row["entity"] == **kind) else { continue };
        // Some rows say that there is something, and not where.
        if row["label"] == 1 && row["spans"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let text = row["text"].as_str().unwrap();
        let all = predictions(&detectors, text);
        let predicted: Vec<Span> = all.into_iter().filter(|(k, _)| k == kind).map(|(_, s)| s).collect();
        let gold: Vec<Span> = spans(row, text).into_iter().filter(|(k, _)| k == kind).map(|(_, s)| s).collect();
        for tally in [tallies.entry(kind).or_default(), &mut total] {
            tally.gold += gold.len();
            tally.predicted += predicted.len();
            tally.hit += gold.iter().filter(|g| predicted.iter().any(|p| covers(*p, **g))).count();
            tally.right += predicted.iter().filter(|p| gold.iter().any(|g| covers(**p, *g))).count();
        }
        for g in gold.iter().filter(|g| !predicted.iter().any(|p| covers(*p, **g))) {
            show("missed", kind, text, *g);
        }
        for p in predicted.iter().filter(|p| !gold.iter().any(|g| covers(**p, *g))) {
            show("too much", kind, text, *p);
        }
    }
    for (kind, t) in &tallies {
        println!("{kind:28} precision {:.3} recall {:.3} of {}", t.precision(), t.recall(), t.gold);
    }
    println!("identifiers in all: precision {:.3} recall {:.3} of {}", total.precision(), total.recall(), total.gold);
    for (kind, recall) in IDENTIFIERS {
        let tally = &tallies[kind];
        assert!(tally.precision() >= 0.97, "{kind}: precision {}", tally.precision());
        assert!(tally.recall() >= *recall, "{kind}: recall {}", tally.recall());
    }
    assert!(total.precision() >= 0.97 && total.recall() >= 0.95);
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
    let (mut personal, mut secret) = (0, 0);
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
        personal += usize::from(predicted.iter().any(|(k, _)| !may(k) && !is_secret(k)));
        secret += usize::from(predicted.iter().any(|(k, _)| is_secret(k)));
    }
    println!("benign rows {}: with personal data {personal}, with secrets {secret}; findings {by_kind:?}", rows.len());
    assert!(personal * 200 <= rows.len(), "{personal} of {} rows", rows.len());
    assert!(secret <= 5, "{secret} rows");
}
