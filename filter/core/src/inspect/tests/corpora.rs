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

pub(super) type Span = (usize, usize);

/// Half of the labelled value is enough.
pub(super) fn covers(found: Span, gold: Span) -> bool {
    let overlap = found.1.min(gold.1).saturating_sub(found.0.max(gold.0));
    2 * overlap >= gold.1 - gold.0
}

/// The labelled spans of a row in bytes; rows count characters.
pub(super) fn spans(row: &Value, text: &str) -> Vec<(String, Span)> {
    let places: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let place = |value: &Value| places[value.as_u64().unwrap() as usize];
    row["spans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| (s["type"].as_str().unwrap().to_owned(), (place(&s["start"]), place(&s["end"]))))
        .collect()
}

pub(super) fn predictions(detectors: &Detectors, text: &str) -> Vec<(String, Span)> {
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
    ("1password-secret-key", "ONEPASSWORD_TOKEN"),
    ("1password-service-account-token", "ONEPASSWORD_TOKEN"),
    ("adafruit-api-key", "ADAFRUIT_API_KEY"),
    ("adobe-client-id", "ADOBE_CLIENT_SECRET"),
    ("adobe-client-secret", "ADOBE_CLIENT_SECRET"),
    ("age-secret-key", "PRIVATE_KEY"),
    ("airtable-api-key", "AIRTABLE_API_KEY"),
    ("airtable-personnal-access-token", "AIRTABLE_API_KEY"),
    ("algolia-api-key", "ALGOLIA_API_KEY"),
    ("alibaba-access-key-id", "ALIBABA_ACCESS_KEY"),
    ("alibaba-secret-key", "ALIBABA_ACCESS_KEY"),
    ("anthropic-admin-api-key", "ANTHROPIC_API_KEY"),
    ("anthropic-api-key", "ANTHROPIC_API_KEY"),
    ("artifactory-api-key", "JFROG_API_KEY"),
    ("artifactory-reference-token", "JFROG_API_KEY"),
    ("asana-client-id", "ASANA_CLIENT_SECRET"),
    ("asana-client-secret", "ASANA_CLIENT_SECRET"),
    ("atlassian-api-token", "ATLASSIAN_API_TOKEN"),
    ("authress-service-client-access-key", "AUTHRESS_ACCESS_KEY"),
    ("aws-access-token", "AWS_ACCESS_KEY"),
    ("aws-amazon-bedrock-api-key-long-lived", "AWS_BEDROCK_API_KEY"),
    ("aws-amazon-bedrock-api-key-short-lived", "AWS_BEDROCK_API_KEY"),
    ("azure-ad-client-secret", "AZURE_CLIENT_SECRET"),
    ("beamer-api-token", "BEAMER_API_TOKEN"),
    ("bitbucket-client-id", "BITBUCKET_CLIENT_SECRET"),
    ("bitbucket-client-secret", "BITBUCKET_CLIENT_SECRET"),
    ("bittrex-access-key", "BITTREX_API_KEY"),
    ("bittrex-secret-key", "BITTREX_API_KEY"),
    ("cisco-meraki-api-key", "CISCO_MERAKI_API_KEY"),
    ("clickhouse-cloud-api-secret-key", "CLICKHOUSE_API_KEY"),
    ("clojars-api-token", "CLOJARS_API_TOKEN"),
    ("cloudflare-api-key", "CLOUDFLARE_API_KEY"),
    ("cloudflare-global-api-key", "CLOUDFLARE_API_KEY"),
    ("cloudflare-origin-ca-key", "CLOUDFLARE_API_KEY"),
    ("codecov-access-token", "CODECOV_ACCESS_TOKEN"),
    ("cohere-api-token", "COHERE_API_KEY"),
    ("coinbase-access-token", "COINBASE_ACCESS_TOKEN"),
    ("confluent-access-token", "CONFLUENT_API_KEY"),
    ("confluent-secret-key", "CONFLUENT_API_KEY"),
    ("contentful-delivery-api-token", "CONTENTFUL_API_TOKEN"),
    ("curl-auth-header", "HTTP_AUTHORIZATION"),
    ("curl-auth-user", "HTTP_AUTHORIZATION"),
    ("databricks-api-token", "DATABRICKS_TOKEN"),
    ("datadog-access-token", "DATADOG_API_KEY"),
    ("defined-networking-api-token", "DEFINED_NETWORKING_API_TOKEN"),
    ("digitalocean-access-token", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-pat", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-refresh-token", "DIGITALOCEAN_TOKEN"),
    ("discord-api-token", "DISCORD_TOKEN"),
    ("discord-client-id", "DISCORD_TOKEN"),
    ("discord-client-secret", "DISCORD_TOKEN"),
    ("doppler-api-token", "DOPPLER_TOKEN"),
    ("droneci-access-token", "DRONECI_ACCESS_TOKEN"),
    ("dropbox-api-token", "DROPBOX_API_TOKEN"),
    ("duffel-api-token", "DUFFEL_API_TOKEN"),
    ("dynatrace-api-token", "DYNATRACE_API_TOKEN"),
    ("easypost-api-token", "EASYPOST_API_KEY"),
    ("easypost-test-api-token", "EASYPOST_API_KEY"),
    ("etsy-access-token", "ETSY_ACCESS_TOKEN"),
    ("facebook-access-token", "FACEBOOK_ACCESS_TOKEN"),
    ("facebook-page-access-token", "FACEBOOK_ACCESS_TOKEN"),
    ("facebook-secret", "FACEBOOK_ACCESS_TOKEN"),
    ("fastly-api-token", "FASTLY_API_TOKEN"),
    ("finicity-api-token", "FINICITY_API_TOKEN"),
    ("finicity-client-secret", "FINICITY_API_TOKEN"),
    ("finnhub-access-token", "FINNHUB_API_KEY"),
    ("flickr-access-token", "FLICKR_ACCESS_TOKEN"),
    ("flutterwave-encryption-key", "FLUTTERWAVE_KEY"),
    ("flutterwave-public-key", "FLUTTERWAVE_KEY"),
    ("flutterwave-secret-key", "FLUTTERWAVE_KEY"),
    ("flyio-access-token", "FLYIO_TOKEN"),
    ("frameio-api-token", "FRAMEIO_API_TOKEN"),
    ("freemius-secret-key", "FREEMIUS_SECRET_KEY"),
    ("freshbooks-access-token", "FRESHBOOKS_ACCESS_TOKEN"),
    ("gcp-api-key", "GOOGLE_API_KEY"),
    ("generic-api-key", "GENERIC_SECRET"),
    ("github-app-token", "GITHUB_TOKEN"),
    ("github-fine-grained-pat", "GITHUB_TOKEN"),
    ("github-oauth", "GITHUB_TOKEN"),
    ("github-pat", "GITHUB_TOKEN"),
    ("github-refresh-token", "GITHUB_TOKEN"),
    ("gitlab-cicd-job-token", "GITLAB_TOKEN"),
    ("gitlab-deploy-token", "GITLAB_TOKEN"),
    ("gitlab-feature-flag-client-token", "GITLAB_TOKEN"),
    ("gitlab-feed-token", "GITLAB_TOKEN"),
    ("gitlab-incoming-mail-token", "GITLAB_TOKEN"),
    ("gitlab-kubernetes-agent-token", "GITLAB_TOKEN"),
    ("gitlab-oauth-app-secret", "GITLAB_TOKEN"),
    ("gitlab-pat", "GITLAB_TOKEN"),
    ("gitlab-pat-routable", "GITLAB_TOKEN"),
    ("gitlab-ptt", "GITLAB_TOKEN"),
    ("gitlab-rrt", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token-routable", "GITLAB_TOKEN"),
    ("gitlab-scim-token", "GITLAB_TOKEN"),
    ("gitlab-session-cookie", "GITLAB_TOKEN"),
    ("gitter-access-token", "GITTER_ACCESS_TOKEN"),
    ("gocardless-api-token", "GOCARDLESS_API_TOKEN"),
    ("grafana-api-key", "GRAFANA_TOKEN"),
    ("grafana-cloud-api-token", "GRAFANA_TOKEN"),
    ("grafana-service-account-token", "GRAFANA_TOKEN"),
    ("harness-api-key", "HARNESS_API_KEY"),
    ("hashicorp-tf-api-token", "TERRAFORM_TOKEN"),
    ("hashicorp-tf-password", "GENERIC_SECRET"),
    ("heroku-api-key", "HEROKU_API_KEY"),
    ("heroku-api-key-v2", "HEROKU_API_KEY"),
    ("hubspot-api-key", "HUBSPOT_API_KEY"),
    ("huggingface-access-token", "HUGGINGFACE_TOKEN"),
    ("huggingface-organization-api-token", "HUGGINGFACE_TOKEN"),
    ("infracost-api-token", "INFRACOST_API_TOKEN"),
    ("intercom-api-key", "INTERCOM_API_KEY"),
    ("intra42-client-secret", "INTRA42_CLIENT_SECRET"),
    ("jfrog-api-key", "JFROG_API_KEY"),
    ("jfrog-identity-token", "JFROG_API_KEY"),
    ("jwt", "JSON_WEB_TOKEN"),
    ("jwt-base64", "JSON_WEB_TOKEN"),
    ("kraken-access-token", "KRAKEN_ACCESS_TOKEN"),
    ("kubernetes-secret-yaml", "KUBERNETES_SECRET"),
    ("kucoin-access-token", "KUCOIN_API_KEY"),
    ("kucoin-secret-key", "KUCOIN_API_KEY"),
    ("launchdarkly-access-token", "LAUNCHDARKLY_ACCESS_TOKEN"),
    ("linear-api-key", "LINEAR_API_KEY"),
    ("linear-client-secret", "LINEAR_API_KEY"),
    ("linkedin-client-id", "LINKEDIN_CLIENT_SECRET"),
    ("linkedin-client-secret", "LINKEDIN_CLIENT_SECRET"),
    ("lob-api-key", "LOB_API_KEY"),
    ("lob-pub-api-key", "LOB_API_KEY"),
    ("looker-client-id", "LOOKER_CLIENT_SECRET"),
    ("looker-client-secret", "LOOKER_CLIENT_SECRET"),
    ("mailchimp-api-key", "MAILCHIMP_API_KEY"),
    ("mailgun-private-api-token", "MAILGUN_API_KEY"),
    ("mailgun-pub-key", "MAILGUN_API_KEY"),
    ("mailgun-signing-key", "MAILGUN_API_KEY"),
    ("mapbox-api-token", "MAPBOX_API_TOKEN"),
    ("mattermost-access-token", "MATTERMOST_ACCESS_TOKEN"),
    ("maxmind-license-key", "MAXMIND_LICENSE_KEY"),
    ("messagebird-api-token", "MESSAGEBIRD_API_TOKEN"),
    ("messagebird-client-id", "MESSAGEBIRD_API_TOKEN"),
    ("microsoft-teams-webhook", "MICROSOFT_TEAMS_WEBHOOK"),
    ("netlify-access-token", "NETLIFY_ACCESS_TOKEN"),
    ("new-relic-browser-api-token", "NEW_RELIC_KEY"),
    ("new-relic-insert-key", "NEW_RELIC_KEY"),
    ("new-relic-user-api-id", "NEW_RELIC_KEY"),
    ("new-relic-user-api-key", "NEW_RELIC_KEY"),
    ("notion-api-token", "NOTION_TOKEN"),
    ("npm-access-token", "NPM_TOKEN"),
    ("nuget-config-password", "GENERIC_SECRET"),
    ("nytimes-access-token", "NYTIMES_ACCESS_TOKEN"),
    ("octopus-deploy-api-key", "OCTOPUS_DEPLOY_API_KEY"),
    ("okta-access-token", "OKTA_ACCESS_TOKEN"),
    ("openai-api-key", "OPENAI_API_KEY"),
    ("openshift-user-token", "OPENSHIFT_TOKEN"),
    ("perplexity-api-key", "PERPLEXITY_API_KEY"),
    ("plaid-api-token", "PLAID_API_TOKEN"),
    ("plaid-client-id", "PLAID_API_TOKEN"),
    ("plaid-secret-key", "PLAID_API_TOKEN"),
    ("planetscale-api-token", "PLANETSCALE_TOKEN"),
    ("planetscale-oauth-token", "PLANETSCALE_TOKEN"),
    ("planetscale-password", "PLANETSCALE_TOKEN"),
    ("postman-api-token", "POSTMAN_API_KEY"),
    ("prefect-api-token", "PREFECT_API_TOKEN"),
    ("private-key", "PRIVATE_KEY"),
    ("privateai-api-token", "PRIVATEAI_API_KEY"),
    ("pulumi-api-token", "PULUMI_TOKEN"),
    ("pypi-upload-token", "PYPI_TOKEN"),
    ("rapidapi-access-token", "RAPIDAPI_ACCESS_TOKEN"),
    ("readme-api-token", "README_API_TOKEN"),
    ("rubygems-api-token", "RUBYGEMS_TOKEN"),
    ("scalingo-api-token", "SCALINGO_API_TOKEN"),
    ("sendbird-access-id", "SENDBIRD_API_TOKEN"),
    ("sendbird-access-token", "SENDBIRD_API_TOKEN"),
    ("sendgrid-api-token", "SENDGRID_API_KEY"),
    ("sendinblue-api-token", "SENDINBLUE_API_KEY"),
    ("sentry-access-token", "SENTRY_TOKEN"),
    ("sentry-org-token", "SENTRY_TOKEN"),
    ("sentry-user-token", "SENTRY_TOKEN"),
    ("settlemint-application-access-token", "SETTLEMINT_ACCESS_TOKEN"),
    ("settlemint-personal-access-token", "SETTLEMINT_ACCESS_TOKEN"),
    ("settlemint-service-access-token", "SETTLEMINT_ACCESS_TOKEN"),
    ("shippo-api-token", "SHIPPO_API_TOKEN"),
    ("shopify-access-token", "SHOPIFY_TOKEN"),
    ("shopify-custom-access-token", "SHOPIFY_TOKEN"),
    ("shopify-private-app-access-token", "SHOPIFY_TOKEN"),
    ("shopify-shared-secret", "SHOPIFY_TOKEN"),
    ("sidekiq-secret", "SIDEKIQ_SECRET"),
    ("sidekiq-sensitive-url", "URL_CREDENTIALS"),
    ("slack-app-token", "SLACK_TOKEN"),
    ("slack-bot-token", "SLACK_TOKEN"),
    ("slack-config-access-token", "SLACK_TOKEN"),
    ("slack-config-refresh-token", "SLACK_TOKEN"),
    ("slack-legacy-bot-token", "SLACK_TOKEN"),
    ("slack-legacy-token", "SLACK_TOKEN"),
    ("slack-legacy-workspace-token", "SLACK_TOKEN"),
    ("slack-user-token", "SLACK_TOKEN"),
    ("slack-webhook-url", "SLACK_WEBHOOK"),
    ("snyk-api-token", "SNYK_API_TOKEN"),
    ("sonar-api-token", "SONAR_API_TOKEN"),
    ("sourcegraph-access-token", "SOURCEGRAPH_ACCESS_TOKEN"),
    ("square-access-token", "SQUARE_TOKEN"),
    ("squarespace-access-token", "SQUARESPACE_ACCESS_TOKEN"),
    ("stripe-access-token", "STRIPE_KEY"),
    ("sumologic-access-id", "SUMOLOGIC_ACCESS_KEY"),
    ("sumologic-access-token", "SUMOLOGIC_ACCESS_KEY"),
    ("telegram-bot-api-token", "TELEGRAM_BOT_TOKEN"),
    ("travisci-access-token", "TRAVISCI_ACCESS_TOKEN"),
    ("twilio-api-key", "TWILIO_API_KEY"),
    ("twitch-api-token", "TWITCH_API_TOKEN"),
    ("twitter-access-secret", "TWITTER_ACCESS_TOKEN"),
    ("twitter-access-token", "TWITTER_ACCESS_TOKEN"),
    ("twitter-api-key", "TWITTER_ACCESS_TOKEN"),
    ("twitter-api-secret", "TWITTER_ACCESS_TOKEN"),
    ("twitter-bearer-token", "TWITTER_ACCESS_TOKEN"),
    ("typeform-api-token", "TYPEFORM_API_TOKEN"),
    ("vault-batch-token", "VAULT_TOKEN"),
    ("vault-service-token", "VAULT_TOKEN"),
    ("yandex-access-token", "YANDEX_API_KEY"),
    ("yandex-api-key", "YANDEX_API_KEY"),
    ("yandex-aws-access-token", "YANDEX_API_KEY"),
    ("zendesk-secret-key", "ZENDESK_SECRET_KEY"),
];

/// Any secret over the labelled value counts as found; how many have the vendor's own type is told beside.
#[test]
fn secrets() {
    let Some(rows) = rows("secrets.jsonl") else { return };
    let detectors = builtin();
    let is_secret = |kind: &str| super::super::types::TYPES.iter().any(|(k, g)| *k == kind && g.as_str() == "secrets");
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut total = Tally::default();
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let label = row["type"].as_str().unwrap().trim_start_matches("gitleaks:");
        let kind = SECRETS.iter().find(|(l, _)| *l == label).map_or("", |(_, kind)| *kind);
        let found: Vec<_> = findings(&detectors, &["secrets"], text)
            .into_iter()
            .map(|f| (detectors.kind(f.kind).name.as_str(), (f.start, f.end), f.test_value))
            .filter(|(k, ..)| is_secret(k))
            .collect();
        let gold = spans(row, text);
        let covered = |(_, span, _): &(&str, Span, bool)| gold.iter().all(|(_, g)| covers(*span, *g));
        let hit = found.iter().any(covered);
        for tally in [tallies.entry(label).or_default(), &mut total] {
            if row["label"] == 1 {
                tally.gold += 1;
                tally.hit += usize::from(hit);
                tally.right += usize::from(found.iter().any(|f| f.0 == kind && covered(f)));
            } else {
                // Published examples are there, and labelled.
                tally.predicted += usize::from(found.iter().any(|f| !f.2));
            }
        }
        if hit != (row["label"] == 1) {
            show(
                if hit { "too much" } else { "missed" },
                "secrets",
                text,
                gold.first().map_or((0, text.len()), |g| g.1),
            );
        }
    }
    let own = |t: &Tally| t.right as f64 / t.gold.max(1) as f64;
    for (label, t) in &tallies {
        let (recall, own) = (t.recall(), own(t));
        println!(
            "{label:44} recall {recall:.3} ({own:.3} as its type) of {}, hits on negative rows {}",
            t.gold, t.predicted
        );
    }
    let (recall, negative) = (total.recall(), total.predicted);
    println!(
        "secrets: recall {recall:.4} ({:.4} as their type) of {}, hits on negative rows {negative}",
        own(&total),
        total.gold
    );
    assert!(own(&total) >= 0.98, "{}", own(&total));
    assert!(recall >= 0.99, "{recall}");
    assert!(negative <= 40, "{negative}");
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
