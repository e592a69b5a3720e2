//! What the command line takes.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use doorward_core::protocol::Channel;

use crate::render::args::RenderArguments;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Doorward at a terminal and in CI: what the filter does inside Envoy, without Envoy.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, styles = STYLES, max_term_width = 110, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 nothing is wrong, 1 something is, 2 the command could not run.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Check(CheckArguments),
    Baseline(BaselineArguments),
    Key(KeyArguments),
    Digest(DigestArguments),
    Pin(PinArguments),
    Scan(ScanArguments),
    Report(crate::usage::ReportArguments),
    Completions(crate::shell::CompletionsArguments),
    Man(crate::shell::ManArguments),
    Packs(PacksArguments),
    Verify(VerifyArguments),
    Find(FindArguments),
    Erase(EraseArguments),
    Test(crate::test::TestArguments),
    Render(RenderArguments),
    Explain(Box<crate::explain::ExplainArguments>),
    Init(crate::init::InitArguments),
    Replay(crate::replay::ReplayArguments),
    /// Print the JSON Schema of a policy, for editors: made from the same shapes as the reference.
    ///
    /// policies/schema.json is this output. An editor that speaks YAML's language server takes it from a first line
    /// `# yaml-language-server: $schema=schema.json`.
    #[command(after_help = "\
Examples:
  doorward schema > schema.json

Exit codes: 0 it was printed, 2 it could not be.")]
    Schema,
    /// Print the configuration reference, as Markdown.
    ///
    /// policies/REFERENCE.md is this output.
    #[command(after_help = "\
Examples:
  doorward reference > REFERENCE.md

Exit codes: 0 it was printed, 2 it could not be.")]
    Reference,
}

/// Check policies, alone or inside Envoy and Istio configurations.
///
/// A file is a policy in YAML or JSON, or any configuration that holds one: an Envoy bootstrap or listener, an Istio
/// EnvoyFilter or WasmPlugin. It is compiled as the filter compiles it, and read as Envoy reads it (`no` is a boolean,
/// large numbers are text). Inside Envoy's configuration, the plugin's own settings are checked against the policy too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward check policy.yaml
  doorward check --strict envoy.yaml policies/*.yaml
  doorward check --format json policy.yaml | jq '.[] | select(.severity == \"error\")'
  doorward check --env-file production.env policy.yaml

Exit codes: 0 no errors, 1 errors (with --strict also warnings), 2 a file could not be read.")]
pub struct CheckArguments {
    /// Policies, or configurations that hold them; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Warnings fail the check too.
    #[arg(long)]
    pub strict: bool,
    /// For people, or for machines: an array of {severity, file, line, column, path, message, help}.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Variables that `{env: NAME}` refers to, as NAME=VALUE lines. A variable that is neither there nor in the
    /// environment is stood in for: a policy can be checked without its secrets.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// Learn what callers usually do from access logs, as `anomaly.baselines` of a policy.
///
/// Reads lines of JSON with the record's keys as names (the shipped log format), of one proxy or of many, in any order. What comes
/// out names callers by their digests (`doorward.caller`) and holds means and deviations alone. With it in the policy, all proxies of a
/// mesh know the same, and a restart forgets nothing. The filter learns by the same code.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward baseline /var/log/envoy/access.log > baselines.yaml
  kubectl logs -l app=gateway --since=720h | doorward baseline -

Exit codes: 0 every line was read, 1 some were not, 2 nothing was learned.")]
pub struct BaselineArguments {
    /// Access logs; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub files: Vec<String>,
    /// The member that tells when (RFC 3339).
    #[arg(long, value_name = "NAME", default_value = "time")]
    pub time: String,
}

/// Pin the definitions of an MCP server's tools: what `tools/list` answers becomes `tools` of a policy.
///
/// A tool that is described otherwise later (name, title, description, schemas, annotations) is hidden from callers, or no longer called.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward pin http://localhost:8000/mcp
  doorward pin --bearer \"$TOKEN\" http://tools.internal/mcp >> policy.yaml
  curl -s https://tools.acme.com/mcp -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}' ... | doorward pin -")]
pub struct PinArguments {
    /// The answer of `tools/list` in a file, `-` for standard input, or the URL of a server (without TLS).
    #[arg(value_name = "LIST")]
    pub list: String,
    /// A token for the server.
    #[arg(long, value_name = "TOKEN")]
    pub bearer: Option<String>,
}

/// Make an API key, and the entry for it in a policy.
///
/// The key has 256 random bits of the operating system's. It is shown once and stored nowhere; the policy holds its
/// digest. The key goes to standard error and the entry to standard output, so that the entry can be appended to a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward key --id search-prod --user svc-search --group eng --team search --expires 2026-12-31
  doorward key --user alice --format json | jq -r .key | vault kv put secret/alice key=-")]
pub struct KeyArguments {
    /// The key's public name, for the record. Default: made from its digest.
    #[arg(long)]
    pub id: Option<String>,
    /// Whose key it is.
    #[arg(long)]
    pub user: Option<String>,
    /// A group it acts for; can be repeated.
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// The team it acts for.
    #[arg(long)]
    pub team: Option<String>,
    /// What it is handed out for.
    #[arg(long)]
    pub purpose: Option<String>,
    /// When it ends: `2026-12-31` (that day in UTC still counts) or `2026-12-31T18:00:00Z`. Default: never.
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// For people, or for machines: {key, id, digest, ...}, with the key, on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Make an entry of `detectors.exact` from a list of values, so that a policy can find them without holding them.
///
/// Reads values, one per line: customer numbers, contract numbers. Each has a digit, and 5 to 40 letters and digits in all;
/// case and separators (space, `-`, `.`, `_`, `/`) make no difference. The entry goes to standard output and holds keyed digests
/// (HMAC-SHA-256), which nobody can try values against without the key. Keep the list where it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward digest --name CUSTOMER_NUMBER --key-env DOORWARD_EXACT_KEY customers.txt >> policy.yaml
  psql -Atc 'select number from contracts' | doorward digest --name CONTRACT --key-env DOORWARD_EXACT_KEY

Exit codes: 0 every value has a digest, 1 some have none (they are named by line), 2 nothing could be made.")]
pub struct DigestArguments {
    /// The detector's name: letters, digits and `_`.
    #[arg(long)]
    pub name: String,
    /// Its group (pii, financial, health, business, custom). Default: custom.
    #[arg(long)]
    pub group: Option<String>,
    /// The environment variable with the key, of at least 32 bytes; the policy refers to it by the same name.
    #[arg(long, value_name = "NAME")]
    pub key_env: String,
    /// Variables as NAME=VALUE lines, looked into before the environment.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Values, one per line. Default: standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: String,
}

/// List the policy packs that a policy can extend, or show some of them.
///
/// Shows what each statement does, the controls that it serves, and what a proxy cannot do for the regulation.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward packs
  doorward packs gdpr hipaa
  doorward packs --format json | jq -r '.[] | .reference'

Exit codes: 0 shown, 2 there is no such pack.")]
pub struct PacksArguments {
    /// Packs to show, `gdpr` or `gdpr@1`. Default: a list of all.
    #[arg(value_name = "PACK")]
    pub names: Vec<String>,
    /// For people, or for machines: an array of the packs as they are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// As policies/PACKS.md has them.
    #[arg(long, conflicts_with = "format")]
    pub markdown: bool,
}

/// Verify that access logs are what the filter wrote: nothing altered, nothing left out, nothing put in.
///
/// Reads lines of JSON (the shipped log format, with all of the filter's fields) of a policy with `audit.chain`, and lines of Envoy's own log with
/// checkpoints, from any number of proxies and files, gzip or not, in any order.
///
/// It cannot show records cut off at a worker's end unless a checkpoint tells of later ones; the removal of all of a worker's records together
/// with its checkpoints; what was done by somebody with the key; and changes of fields that Envoy writes (status, bytes, addresses).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward verify --key-env DOORWARD_CHAIN_KEY access.log envoy.log
  doorward verify --whole --env-file keys.env logs/*.gz
  zcat logs/*.gz | doorward verify --key-env DOORWARD_CHAIN_KEY --format json -

Exit codes: 0 all is as it was written, 1 it is not, 2 there is nothing to verify, or no key.")]
pub struct VerifyArguments {
    /// Access logs and Envoy's logs; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub files: Vec<String>,
    /// The variable with the key of `audit.chain`.
    #[arg(long, value_name = "NAME", default_value = "DOORWARD_CHAIN_KEY")]
    pub key_env: String,
    /// Variables as NAME=VALUE lines, looked into before the environment.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// The files are all there is: workers that do not begin at their first record, and records without a chain, are problems.
    #[arg(long)]
    pub whole: bool,
    /// For people, or for machines.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Find who sent a text, or got it, by the keyed digests on the record; or what is on the record of a user.
///
/// A text is one whole message, or one part of it: white space makes no difference, anything else does. A piece of a message is not found. The
/// record holds digests of a request's last 48 texts and no text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward find --key-env DOORWARD_AUDIT_KEY --text leaked.txt access.log logs/*.gz
  pbpaste | doorward find --key-env DOORWARD_AUDIT_KEY --text - access.log
  doorward find --user alice --user-key-env DOORWARD_USER_KEY --format json logs/*.gz

Exit codes: 0 found, 1 not found, 2 it could not be looked for.")]
pub struct FindArguments {
    /// Access logs; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The text to look for, in a file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub text: Option<String>,
    /// The variable with `audit.key`; can be repeated, for keys of before.
    #[arg(long = "key-env", value_name = "NAME")]
    pub key_envs: Vec<String>,
    /// Only records of this user, as the identity provider names them; can be repeated.
    #[arg(long = "user", value_name = "USER")]
    pub users: Vec<String>,
    /// The variable with `audit.user_key`, where the record has pseudonyms; can be repeated, for keys of before.
    #[arg(long = "user-key-env", value_name = "NAME")]
    pub user_key_envs: Vec<String>,
    /// Variables as NAME=VALUE lines, looked into before the environment.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// For people, or for machines: lines of {file, line, found, record}.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Erase fields of access logs so that what is left still verifies.
///
/// A field's value gives way to its commitment (`erased:...`), of which only somebody with the key of the chain could test a guess. The log goes to standard
/// output; lines that are in no chain, or were altered, stay as they are and are counted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward erase --where doorward.user=alice --field doorward.user --field doorward.credential access.log > erased.log
  doorward erase --where doorward.policy=chat --field doorward.captured.in logs/2026-11.gz | gzip > erased.gz

Exit codes: 0 erased, 1 some lines could not be, 2 nothing was done.")]
pub struct EraseArguments {
    /// An access log; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: String,
    /// A field to erase; can be repeated.
    #[arg(long = "field", required = true, value_name = "KEY")]
    pub fields: Vec<String>,
    /// Only in records with this value, as it stands in the log; can be repeated, and all must hold.
    #[arg(long = "where", required = true, value_name = "KEY=VALUE")]
    pub conditions: Vec<String>,
    /// The variable with the key of `audit.chain`.
    #[arg(long, value_name = "NAME", default_value = "DOORWARD_CHAIN_KEY")]
    pub key_env: String,
    /// Variables as NAME=VALUE lines, looked into before the environment.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// Find personal data, payment data, secrets and prompt injections in texts.
///
/// Prints `file:line:column TYPE score "masked preview"` for each finding.
///
/// With --jsonl it reads {"id", "text"} lines and answers each with
/// {"id", "findings": [{"type", "group", "start", "end", "score"}], "injection"}, offsets in bytes of UTF-8; "injection"
/// says how much the text looks like a prompt injection, from 0 to 1, whatever is looked for. A line that cannot be read
/// or scanned is answered with {"id", "error"}, and the exit code is then 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward scan notes.txt src/*.py
  git diff | doorward scan --detectors secrets --fail
  doorward scan --policy policy.yaml prompt.txt
  echo '{\"id\": 1, \"text\": \"mail ann@corp.io\"}' | doorward scan --jsonl --detectors pii,CREDIT_CARD")]
pub struct ScanArguments {
    /// Texts; with --jsonl files of lines. Default: standard input (`-`).
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Lines of JSON in, lines of JSON out, in the same order.
    #[arg(long)]
    pub jsonl: bool,
    /// Types, groups (pii, financial, health, secrets, injection, business, custom) and names of the policy's own
    /// detectors. Default: what the policy's `content` looks for, or everything.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub detectors: Vec<String>,
    /// Use this policy's `detectors` and `content`.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<String>,
    /// Where in an exchange the texts stand: an instruction in a tool's result weighs more than one that a user types.
    #[arg(long, value_enum, default_value_t = ChannelArgument::User, value_name = "CHANNEL")]
    pub channel: ChannelArgument,
    /// Report findings from this score (0 to 1), in place of the policy's thresholds and the default of 0.5.
    #[arg(long, value_name = "MIN")]
    pub score: Option<f32>,
    /// Show the values found. They are someone's secrets.
    #[arg(long, conflicts_with = "jsonl")]
    pub show: bool,
    /// Exit with 1 when something is found.
    #[arg(long)]
    pub fail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
}

/// Where in an exchange a text stands, as in a policy's `channels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ChannelArgument {
    System,
    Developer,
    User,
    Assistant,
    ToolDescription,
    ToolCall,
    ToolResult,
    Document,
    Metadata,
}

impl From<ChannelArgument> for Channel {
    fn from(channel: ChannelArgument) -> Self {
        match channel {
            ChannelArgument::System => Channel::System,
            ChannelArgument::Developer => Channel::Developer,
            ChannelArgument::User => Channel::User,
            ChannelArgument::Assistant => Channel::Assistant,
            ChannelArgument::ToolDescription => Channel::ToolDescription,
            ChannelArgument::ToolCall => Channel::ToolCall,
            ChannelArgument::ToolResult => Channel::ToolResult,
            ChannelArgument::Document => Channel::Document,
            ChannelArgument::Metadata => Channel::Metadata,
        }
    }
}
