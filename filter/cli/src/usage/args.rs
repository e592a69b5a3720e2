//! What `doorward report` takes.

use std::path::PathBuf;

use clap::Args;

use crate::args::Format;

/// Report the use of models and tools from access logs: who, which models, at what cost, what was refused and found.
///
/// Reads lines of JSON in the shipped format (envoy/access-log.json), of one proxy or of many, in any order, packed by gzip or not,
/// of any size in constant memory. Lines of TCP listeners (envoy/access-log-tcp.json) tell which model providers are reached past
/// the filter. Prints a summary; --out writes all of it as one self-contained page, as JSON or as CSV.
///
/// With --policy, what its statements and those of its packs did is counted as evidence for the controls that they serve (`controls`).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward report /var/log/envoy/access.log
  doorward report --since 2026-11-01 --until 2026-12-01 --out november.html --out november.csv logs/*.gz
  doorward report --policy policy.yaml --out evidence.html access.log
  kubectl logs -l app=gateway --since=24h | doorward report --format json - | jq .tables.team_models.rows

Exit codes: 0 every line was read, 1 some were not (they are named), 2 a file could not be read, or nothing could be reported.")]
pub struct ReportArguments {
    /// Access logs; `-` is standard input.
    #[arg(required = true, value_name = "LOG")]
    pub files: Vec<String>,
    /// Write the report there, as its name says: .html, .json or .csv. Can be repeated.
    #[arg(short, long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    /// Count exchanges from this day or moment on (`2026-11-01`, `2026-11-01T09:00:00Z`).
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Count exchanges before this day or moment.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Count what the statements of this policy and of its packs did for the controls that they serve.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<String>,
    /// More host names of model providers, for connections past the filter: one a line, `*` for a part, the provider behind a space.
    #[arg(long, value_name = "FILE")]
    pub llm_hosts: Option<String>,
    /// On standard output: a summary for people, or all of it as JSON.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}
