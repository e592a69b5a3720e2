//! `doorward init`: a first policy, and tests that hold it in place.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use doorward_cases::run::Verdict;
use doorward_core::policy::Glob;

use crate::surroundings::Surroundings;
use crate::variables::Variables;
use crate::{Outcome, check, test};

/// Write a first policy and its tests.
///
/// Asks what it has to know, or takes it from options; without a terminal it asks nothing and takes what stands in the options and their
/// defaults. With --envoy it reads which cluster leads to which provider. The policy passes `doorward check` and the tests pass `doorward test`
/// before they are written. It lets one group use some models of one provider, masks personal data, keeps secrets in, and bounds requests.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward init
  doorward init --observe --envoy envoy.yaml --issuer https://idp.example.com --group eng
  doorward init --provider anthropic --issuer https://idp.example.com --audience llm-gateway --group eng llm/
  doorward init --provider openai --group staff --models 'gpt-5*,gpt-4o' --observe </dev/null

Exit codes: 0 both files were written, 1 what was said makes no policy, 2 they could not be written.")]
pub struct InitArguments {
    /// Where to: `policy.yaml` and `policy.test.yaml` in this folder.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Whose API is governed.
    #[arg(long, value_enum)]
    pub provider: Option<Provider>,
    /// Envoy's configuration as it is: says which cluster leads to the provider.
    #[arg(long, value_name = "FILE")]
    pub envoy: Option<String>,
    /// The Envoy cluster that leads there. Default: the one of --envoy, or the provider's name.
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The identity provider: the `iss` of its tokens.
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Where its public keys are: `jwks_uri` in ISSUER/.well-known/openid-configuration. Default: /.well-known/jwks.json at the issuer's host.
    #[arg(long, value_name = "URL")]
    pub jwks: Option<String>,
    /// The audience that means this gateway: the `aud` of tokens.
    #[arg(long, value_name = "NAME")]
    pub audience: Option<String>,
    /// The group that may use the models.
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// The models that it may use (globs).
    #[arg(long, value_name = "MODEL,...", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Requests a minute for each caller.
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Record what would happen, and change nothing.
    #[arg(long)]
    pub observe: bool,
    /// Ask nothing.
    #[arg(long)]
    pub yes: bool,
    /// Write over files that are there.
    #[arg(long)]
    pub force: bool,
}

/// A provider that a first policy can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// OpenAI, and what is compatible with it.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Gemini.
    Gemini,
    /// vLLM in the house.
    Vllm,
}

impl Provider {
    /// Whose host this is.
    pub fn at(host: &str) -> Option<Self> {
        match host {
            "api.openai.com" => Some(Provider::Openai),
            "api.anthropic.com" => Some(Provider::Anthropic),
            "generativelanguage.googleapis.com" => Some(Provider::Gemini),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Provider::Openai => "openai",
            Provider::Anthropic => "anthropic",
            Provider::Gemini => "gcp.gemini",
            Provider::Vllm => "vllm",
        }
    }

    fn cluster(self) -> &'static str {
        match self {
            Provider::Gemini => "gemini",
            other => other.name(),
        }
    }

    /// Models to begin with, and one that a test asks.
    fn models(self) -> &'static str {
        match self {
            Provider::Openai => "gpt-5*",
            Provider::Anthropic => "claude-*",
            Provider::Gemini => "gemini-*",
            Provider::Vllm => "llama-*",
        }
    }

    /// A test's request of `model` with a text in it.
    fn request(self, model: &str, text: &str) -> String {
        let (model, text) = (quoted(model), quoted(text));
        match self {
            Provider::Openai | Provider::Vllm => format!(
                "{{path: /v1/chat/completions, json: {{model: {model}, messages: [{{role: user, content: {text}}}]}}}}"
            ),
            Provider::Anthropic => format!(
                "{{path: /v1/messages, json: {{model: {model}, max_tokens: 100, messages: [{{role: user, content: {text}}}]}}}}"
            ),
            Provider::Gemini => {
                let path = quoted(&format!("/v1beta/models/{}:generateContent", model.trim_matches('"')));
                format!("{{path: {path}, json: {{contents: [{{role: user, parts: [{{text: {text}}}]}}]}}}}")
            }
        }
    }

    /// Where its text stands in the body.
    fn pointer(self) -> &'static str {
        match self {
            Provider::Gemini => "/contents/0/parts/0/text",
            _ => "/messages/0/content",
        }
    }
}

/// What is known once everything was asked.
struct Answers {
    provider: Provider,
    cluster: String,
    issuer: String,
    /// The cluster that leads to the issuer's keys, their host and their path.
    keys: (String, String, String),
    audience: String,
    group: String,
    models: Vec<String>,
    rate: u32,
    observe: bool,
}

/// Runs the command.
///
/// # Errors
/// A file is there already, or cannot be written.
pub fn run(arguments: &InitArguments) -> anyhow::Result<Outcome> {
    let (policy, tests) = (arguments.folder.join("policy.yaml"), arguments.folder.join("policy.test.yaml"));
    for file in [&policy, &tests] {
        if file.exists() && !arguments.force {
            bail!("`{}` is there already: name another folder, or say --force", file.display());
        }
    }
    let around = arguments.envoy.as_deref().map(Surroundings::read).transpose()?;
    let answers = ask(arguments, around.as_ref())?;
    let text = policy_text(&answers);
    // Nothing is written that the filter would not take.
    let checked = check::Checked::of("policy.yaml", text.clone(), &Variables::default());
    if checked.sound.is_empty() {
        for issue in &checked.issues {
            anstream::eprintln!("{}", issue.human(&checked.text));
        }
        return Ok(Outcome::Problems);
    }
    std::fs::create_dir_all(&arguments.folder)
        .with_context(|| format!("cannot make `{}`", arguments.folder.display()))?;
    for (file, text) in [(&policy, text), (&tests, tests_text(&answers))] {
        std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let file = doorward_cases::suite::File::read(&tests)?;
    let report = doorward_cases::run::run(&file.suite, test::policy(&policy)?, &|_| true)?;
    let failed: Vec<_> = report.cases.iter().filter(|case| case.verdict != Verdict::Pass).collect();
    for case in &failed {
        anstream::eprintln!("FAIL  {}: {:?}", case.name, case.verdict);
    }
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "{}: checked\n{}: {} of {} tests pass",
        policy.display(),
        tests.display(),
        report.cases.len() - failed.len(),
        report.cases.len()
    )?;
    writeln!(out, "Next: `{}`.", next(arguments, &policy))?;
    out.flush()?;
    Ok(if failed.is_empty() { Outcome::Clean } else { Outcome::Problems })
}

/// The command that puts the policy into Envoy.
fn next(arguments: &InitArguments, policy: &std::path::Path) -> String {
    let into = arguments.envoy.as_deref().unwrap_or("envoy.yaml");
    format!("doorward render --to envoy --into {into} {} > with-doorward.yaml", policy.display())
}

fn ask(arguments: &InitArguments, around: Option<&Surroundings>) -> anyhow::Result<Answers> {
    let asks = !arguments.yes && io::stdin().is_terminal();
    let leads = around.map(|around| around.provider(arguments.provider, arguments.cluster.as_deref())).transpose()?;
    let told = arguments.provider.or(leads.as_ref().and_then(|(provider, _)| *provider));
    let provider = match told {
        Some(provider) => provider,
        None => {
            let name = question(asks, "Whose API is governed (openai, anthropic, gemini, vllm)?", "openai")?;
            Provider::from_str(&name, true)
                .map_err(|_| anyhow::anyhow!("`{name}` is none of openai, anthropic, gemini, vllm"))?
        }
    };
    let cluster = arguments.cluster.clone().or(leads.map(|(_, cluster)| cluster));
    let or = |given: &Option<String>, asked: &str, default: &str| match given {
        Some(given) => Ok(given.clone()),
        None => question(asks, asked, default),
    };
    let models = match arguments.models.as_slice() {
        [] => {
            let said = question(asks, "Which models, with * for any run of characters?", provider.models())?;
            said.split(',').map(|model| model.trim().to_owned()).filter(|model| !model.is_empty()).collect()
        }
        models => models.to_vec(),
    };
    let issuer =
        or(&arguments.issuer, "The identity provider's URL (`iss` of its tokens)?", "https://idp.example.com")?;
    let usual = format!("https://{}/.well-known/jwks.json", split(&issuer).0);
    let jwks = or(&arguments.jwks, "Where its public keys are (`jwks_uri` of its openid-configuration)?", &usual)?;
    if !jwks.starts_with("https://") {
        bail!("`{jwks}` is no https:// URL: whoever could change the keys on their way would be anybody");
    }
    let (host, path) = split(&jwks);
    let idp = around.and_then(|around| around.cluster_to(host)).unwrap_or_else(|| "idp".to_owned());
    Ok(Answers {
        provider,
        cluster: cluster.unwrap_or_else(|| provider.cluster().to_owned()),
        keys: (idp, host.to_owned(), path.to_owned()),
        issuer,
        audience: or(&arguments.audience, "The audience that means this gateway (`aud`)?", "llm-gateway")?,
        group: or(&arguments.group, "The group that may use the models?", "llm-users")?,
        models,
        rate: arguments.rate.unwrap_or(600),
        observe: arguments.observe,
    })
}

/// Host (with its port) and path of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

fn question(asks: bool, asked: &str, default: &str) -> anyhow::Result<String> {
    if !asks {
        return Ok(default.to_owned());
    }
    let mut err = anstream::stderr().lock();
    write!(err, "{asked} [{default}] ")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("cannot read the answer")?;
    let line = line.trim();
    Ok(if line.is_empty() { default.to_owned() } else { line.to_owned() })
}

/// A text as YAML and JSON both read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

fn policy_text(answers: &Answers) -> String {
    let Answers { provider, cluster, issuer, keys, audience, group, models, rate, observe } = answers;
    let (idp, host, path) = keys;
    let mode = if *observe {
        "# Everything is recorded, nothing is changed. `mode: enforce` carries it out.\nmode: observe\n"
    } else {
        ""
    };
    format!(
        "\
# Every key: policies/REFERENCE.md. Is it sound: `doorward check policy.yaml`. Does it do what it should: `doorward test policy.test.yaml`.
version: doorward/v1
name: first
{mode}
# What is governed: what Envoy routes to this cluster. Everything else through the same listener is refused.
targets:
- {{name: {cluster}, cluster: {cluster}, provider: {provider}}}

# Who is calling. The issuer's public keys are fetched through this Envoy cluster.
identity:
  jwt:
  - issuer: {issuer}
    audiences: {audience}
    jwks: {{cluster: {idp}, authority: {host}, path: {path}}}
    claims: {{user: sub, groups: groups}}

roles:
  users: {{groups: {group}}}

# What no statement allows is denied.
access:
- {{id: users-models, effect: allow, roles: users, models: {models}}}

# What texts may carry, in requests and answers.
content:
- {{id: mask-pii, detect: [EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, IBAN_CODE], action: mask}}
- {{id: no-secrets, detect: secrets, action: deny}}

limits:
- {{id: requests-per-minute, requests: {rate}, window: 1m}}
",
        cluster = quoted(cluster),
        provider = provider.name(),
        issuer = quoted(issuer),
        audience = quoted(audience),
        idp = quoted(idp),
        host = quoted(host),
        path = quoted(path),
        group = quoted(group),
        models = list(models),
    )
}

/// A model that hardly anybody means.
const OTHER: &str = "some-other-model";

/// Tests of the policy: one for each thing that it promises.
fn tests_text(answers: &Answers) -> String {
    let Answers { provider, group, models, observe, .. } = answers;
    let model = models.first().map_or("model", String::as_str).replace(['*', '?'], "x");
    let ann = format!("{{user: ann, groups: [{}]}}", quoted(group));
    let (hello, mail) = (provider.request(&model, "Say hello"), provider.request(&model, "Mail bob@northwind.dev"));
    let secret = provider.request(&model, "Use AKIAIQ7RX4PJH6ZN2WVB");
    let other = provider.request(OTHER, "Say hello");
    let bounded = !models.iter().any(|model| Glob::new(model).matches(OTHER));
    // Under observation everything goes on as it came; what is decided is the same.
    let (refused, masked) = match observe {
        true => (String::new(), String::new()),
        false => (
            ", upstream: nothing".to_owned(),
            format!(", upstream: {{at: {{{}: \"Mail [EMAIL_ADDRESS]\"}}, lacks: [northwind]}}", provider.pointer()),
        ),
    };
    let modes = if *observe { ", in `observe` and in `enforce`" } else { "" };
    let another = match bounded {
        true => format!(
            "- name: nor is another model allowed\n  identity: {ann}\n  request: {other}\n  expect: {{decision: deny, reason: model.not_allowed{refused}}}\n"
        ),
        false => String::new(),
    };
    format!(
        "\
# What policy.yaml promises{modes}. What a test can say: policies/TESTS.md.
cases:
- name: the group may use the models
  identity: {ann}
  request: {hello}
  expect: {{decision: allow, rules: [users-models]}}
- name: others may not
  identity: {{user: eve, groups: [visitors]}}
  request: {hello}
  expect: {{decision: deny, reason: access.denied{refused}}}
- name: nor may anybody without a token
  request: {hello}
  expect: {{decision: deny, reason: identity.missing{refused}}}
{another}- name: an address is masked before the model sees it
  identity: {ann}
  request: {mail}
  expect: {{decision: allow, rules: [users-models, mask-pii]{masked}}}
- name: a secret stays in
  identity: {ann}
  request: {secret}
  expect: {{decision: deny, reason: content.denied, rules: [no-secrets]{refused}}}
"
    )
}
