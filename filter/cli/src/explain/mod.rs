//! `doorward explain`: the whole way of one request through a policy, and why.

mod request;
mod say;
mod told;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use doorward_cases::format::{Answer, Identity, Suite};
use doorward_cases::play::{Proxy, compile};
use doorward_cases::run::now_ms;
use doorward_cases::suite::{Shot, Stage};
use doorward_core::config::{Path as At, Tree, from_tree};

use crate::args::Format;
use crate::{Outcome, input, report, test};

use request::Asked;

/// Say what happens to one request, and why: what is read of it, each statement that fits or nearly does, what is found, what goes on.
///
/// The request is written as for curl, or read from a curl command, a HAR file or raw HTTP. It goes through the code that runs inside
/// Envoy, with a caller who is proven by a real credential that is made for this run. A token in the request itself is taken for what it
/// claims: its signature is not checked here, since the issuer's keys are not. Texts of the request are shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward explain --policy policies/default.yaml --target openai --user ann --group llm-users \\
      /v1/chat/completions -d '{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"mail bob@northwind.dev\"}]}'
  doorward explain --policy policy.yaml --user ann --curl request.sh
  doorward explain --policy policy.yaml --har session.har --entry 3 --format json
  doorward explain --policy envoy.yaml --api-key ci --raw request.http --answer answer.json

Exit codes: 0 the request is allowed, 1 it is denied, 2 it could not be played.")]
pub struct ExplainArguments {
    /// The policy, or a configuration that holds it.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The target that Envoy routes the request to. Default: the policy's only one.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    #[command(flatten)]
    pub caller: Caller,
    #[command(flatten)]
    pub request: request::RequestArguments,
    /// What the upstream answers: a file of JSON, or with `.yaml` an `answer` as policies/TESTS.md has it. Default: 204.
    #[arg(long, value_name = "FILE")]
    pub answer: Option<PathBuf>,
    /// Variables that `{env: NAME}` refers to, as NAME=VALUE lines; what is missing is stood in for.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// For people, or for machines.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Who sends it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Caller")]
pub struct Caller {
    /// The user of a token.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// A group of the token; can be repeated.
    #[arg(long = "group", value_name = "NAME")]
    pub groups: Vec<String>,
    /// The team of the token.
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// The purpose of the token.
    #[arg(long, value_name = "NAME")]
    pub purpose: Option<String>,
    /// A further claim, by the name that roles use; can be repeated for several values.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    pub claims: Vec<String>,
    /// The token's issuer. Default: the policy's first one.
    #[arg(long, value_name = "ISS")]
    pub issuer: Option<String>,
    /// An API key, by its id in the policy.
    #[arg(long, value_name = "ID")]
    pub api_key: Option<String>,
    /// The SPIFFE id of the client's certificate.
    #[arg(long, value_name = "SPIFFE-ID")]
    pub workload: Option<String>,
}

impl Caller {
    fn identity(&self) -> anyhow::Result<Option<Identity>> {
        let mut identity = Identity {
            user: self.user.clone(),
            groups: (!self.groups.is_empty()).then(|| self.groups.clone()),
            team: self.team.clone(),
            purpose: self.purpose.clone(),
            issuer: self.issuer.clone(),
            api_key: self.api_key.clone(),
            workload: self.workload.clone(),
            ..Identity::default()
        };
        for claim in &self.claims {
            let Some((name, value)) = claim.split_once('=') else { bail!("`--claim {claim}` is not NAME=VALUE") };
            let values = identity.claims.entry(name.to_owned()).or_insert_with(|| Tree::List(Vec::new()));
            if let Tree::List(values) = values {
                values.push(Tree::String(value.to_owned()));
            }
        }
        let says = identity.user.is_some()
            || identity.groups.is_some()
            || identity.team.is_some()
            || identity.purpose.is_some()
            || identity.issuer.is_some()
            || identity.api_key.is_some()
            || identity.workload.is_some()
            || !identity.claims.is_empty();
        Ok(says.then_some(identity))
    }
}

/// Runs the command.
///
/// # Errors
/// The request cannot be read, the policy does not compile, or the output failed.
pub fn run(arguments: &ExplainArguments) -> anyhow::Result<Outcome> {
    let policy = test::policy(&arguments.policy).with_context(|| arguments.policy.display().to_string())?;
    let asked = arguments.request.read()?;
    let variables = crate::variables::Variables::load(arguments.env_file.as_deref())?;
    let mut suite = Suite::default();
    collect_env(&policy, &variables, &mut suite);
    let stage = Stage::new(&suite, policy)?;
    let engine = compile(&stage).context(arguments.policy.display().to_string())?;
    let shot = shot(arguments, &stage, asked)?;
    // Tokens of the request end by the real clock.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or_else(|_| now_ms(&suite));
    let mut proxy = Proxy::new(&stage, &engine, now)?;
    let outcome = proxy.play(&shot, &std::collections::BTreeMap::new())?;
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Human => say::human(&mut out, &shot, &outcome)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&told::json(&shot, &outcome))?)?,
    }
    out.flush()?;
    Ok(if outcome.value("doorward.decision") == "deny" { Outcome::Problems } else { Outcome::Clean })
}

fn shot(arguments: &ExplainArguments, stage: &Stage, asked: Asked) -> anyhow::Result<Shot> {
    let place = match &arguments.target {
        Some(name) => stage.target(name).cloned().with_context(|| format!("the policy has no target `{name}`"))?,
        None => match stage.targets.as_slice() {
            [only] => only.clone(),
            several => {
                let names: Vec<&str> = several.iter().filter_map(|place| place.target.as_deref()).collect();
                bail!("the policy has several targets: say which with --target ({})", names.join(", "));
            }
        },
    };
    let identity = match (arguments.caller.identity()?, asked.credential) {
        (Some(identity), credential) => {
            if credential.is_some() {
                report::note("the credential in the request gives way to the caller that was named");
            }
            Some(identity)
        }
        (None, None) => None,
        (None, Some((header, credential))) => {
            let header = (header != "authorization").then_some(header);
            match request::claims(&credential) {
                Some(claims) => {
                    report::note("the token's signature was not checked: its claims were signed anew for this run");
                    let issuer = claims.get("iss").and_then(doorward_cases::value::str_of).map(str::to_owned);
                    let known = issuer.clone().filter(|iss| stage.callers.knows(iss));
                    Some(Identity { token: claims, issuer: known, header, ..Identity::default() })
                }
                None => {
                    report::note("the API key in the request is not looked up: name its id with --api-key");
                    Some(Identity { credential: Some(credential), header, ..Identity::default() })
                }
            }
        }
    };
    let answer = match (&arguments.answer, asked.answer) {
        (None, answer) => answer,
        (Some(path), _) => Some(answer(path)?),
    };
    Ok(Shot { identity, place, request: asked.request, answer, expect: Default::default(), after_ms: 0 })
}

fn answer(path: &std::path::Path) -> anyhow::Result<Answer> {
    let name = path.to_string_lossy();
    let text = input::text(&name)?;
    if !name.ends_with(".yaml") {
        let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
        return Ok(Answer { text: Some(text), headers, ..Answer::default() });
    }
    let tree = crate::source::Source::parse(&name, text).map_err(|(e, _)| anyhow::anyhow!("{name}: {}", e.message))?;
    let tree = tree.documents.first().map(|node| node.tree()).context("an empty file")?;
    from_tree(&tree, &At::root()).map_err(|problem| anyhow::anyhow!("{name}: {problem}"))
}

/// The variables that the policy refers to, as far as they are known.
fn collect_env(tree: &Tree, variables: &crate::variables::Variables, suite: &mut Suite) {
    match tree {
        Tree::Map(entries) => {
            if let [(key, Tree::String(name))] = entries.as_slice()
                && key == "env"
                && let Some(value) = variables.known(name)
            {
                suite.env.insert(name.clone(), value);
            }
            entries.iter().for_each(|(_, value)| collect_env(value, variables, suite));
        }
        Tree::List(items) => items.iter().for_each(|item| collect_env(item, variables, suite)),
        _ => {}
    }
}
