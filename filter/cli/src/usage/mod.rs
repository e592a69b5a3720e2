//! `doorward report`: what access logs tell of the use of models and tools.

mod args;
mod progress;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use doorward_core::anomaly::instant;
use doorward_core::config::Tree;
use doorward_core::engine::digest;
use doorward_core::packs::{SOURCES, extend};
use doorward_report::controls::{InForce, statements};
use doorward_report::input::{Found, Lines};
use doorward_report::{Collector, Hosts, Range, Report, csv, html, text};

pub use args::ReportArguments;
use progress::Progress;

use crate::args::Format;
use crate::source::Source;
use crate::{Outcome, input, policies, report};

/// Runs the command.
///
/// # Errors
/// A time that is none, a policy that cannot be read, an output that cannot be written.
pub fn run(arguments: &ReportArguments) -> anyhow::Result<Outcome> {
    let range = Range {
        since: arguments.since.as_deref().map(|text| moment("--since", text)).transpose()?,
        until: arguments.until.as_deref().map(|text| moment("--until", text)).transpose()?,
    };
    if let (Some(since), Some(until)) = (range.since, range.until)
        && since >= until
    {
        bail!(
            "--since is not before --until; both are UTC where they name no zone, and --until is not in the time itself"
        );
    }
    // What can be wrong is found before hours are spent on reading.
    let outputs = arguments.out.iter().map(|path| Output::of(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let policy = arguments.policy.as_deref().map(in_force).transpose()?;
    let hosts = arguments.llm_hosts.as_deref().map(input::text).transpose()?;
    let mut collector = Collector::new(range, Hosts::with(hosts.as_deref().unwrap_or_default()));
    let failed = read_all(&arguments.files, &mut collector);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|now| now.as_secs());
    let report = Report::new(&collector, &arguments.files, now, policy.as_ref());
    for output in &outputs {
        output.write(&report)?;
    }
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Human => out.write_all(text::write(&report).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    let broken = report.lines.broken;
    if broken > 0 {
        report::note(&format!("{broken} lines could not be read and are left out; the first of them:"));
        report.lines.broken_named.iter().take(5).for_each(|line| report::note(line));
    }
    if report.lines.read == 0 && !failed {
        bail!(
            "the logs are empty: name files of JSON lines in the format of envoy/access-log.json; Envoy writes them in blocks, a few seconds late"
        );
    }
    Ok(match (failed, broken) {
        (true, _) => Outcome::Failed,
        (_, 0) => Outcome::Clean,
        _ => Outcome::Problems,
    })
}

/// Reads every log; answers whether one of them could not be read to its end.
fn read_all(files: &[String], collector: &mut Collector) -> bool {
    let read = Arc::new(AtomicU64::new(0));
    let progress = Progress::of(files, &read);
    let mut failed = false;
    for file in files {
        let opened = match file.as_str() {
            input::STDIN => Lines::of(io::stdin(), &read),
            _ => Lines::open(Path::new(file), &read),
        };
        let result = opened.and_then(|mut lines| {
            progress.reading(file);
            loop {
                let number = lines.number + 1;
                if number.is_multiple_of(4096) {
                    progress.tick();
                }
                match lines.read_one()? {
                    Found::Line(line) => collector.line(line, file, number),
                    Found::TooLong(bytes) => {
                        collector.broken(file, number, &format!("longer than 1 MiB ({bytes} bytes)"));
                    }
                    Found::End => return Ok(()),
                }
            }
        });
        if let Err(error) = result {
            failed = true;
            progress.aside(|| report::failure(&anyhow!("cannot read all of `{file}`: {error}; what was read counts")));
        }
    }
    progress.end();
    failed
}

/// A day's beginning, or a moment.
fn moment(option: &str, text: &str) -> anyhow::Result<u64> {
    instant(text)
        .with_context(|| format!("{option} `{text}`: not a time; write `2026-11-01` or `2026-11-01T09:00:00Z`"))
}

/// A policy's statements with controls.
fn in_force(file: &str) -> anyhow::Result<InForce> {
    let source = Source::parse(file, input::text(file)?).map_err(|(e, _)| {
        anyhow!("{file}:{}:{}: {} (`doorward check {file}` says more)", e.mark.line, e.mark.column, e.message)
    })?;
    let (found, _) = policies::find(&source);
    let [policy] = found.as_slice() else {
        bail!("`{file}` holds {} policies; name a file with one", found.len());
    };
    let tree = policy.node.get().tree();
    let policy = match tree.get("name") {
        Some(Tree::String(name)) => name.clone(),
        _ => "default".to_owned(),
    };
    // As the filter takes it: with what its packs add, under the digest of all of it.
    let extended = extend(&tree).map_err(|problems| {
        let said = problems.first().map(ToString::to_string).unwrap_or_default();
        anyhow!("{file}: {said} (`doorward check {file}` says more)")
    })?;
    let (tree, packs) = extended.map_or((tree, Vec::new()), |extended| (extended.tree, extended.packs));
    let mut all = statements(&tree);
    for (name, version, text) in SOURCES {
        let reference = format!("{name}@{version}");
        if packs.contains(&reference) {
            let pack = Source::parse("pack.yaml", (*text).to_owned())
                .map_err(|(e, _)| anyhow!("the pack `{name}`: {}", e.message))?;
            let documents = pack.documents.iter().flat_map(|document| statements(&document.tree()));
            for statement in documents.map(|statement| statement.of_pack(&reference, &tree)) {
                // A policy that changes a pack's statement may name controls of its own for it; the pack's are the pack's.
                let own = all.iter_mut().filter(|own| own.section == statement.section && own.id == statement.id);
                own.for_each(|own| own.controls.retain(|control| !statement.controls.contains(control)));
                all.push(statement);
            }
        }
    }
    Ok(InForce { policy, digest: digest(&tree), statements: all })
}

/// A file that a report is written to, in the format of its name.
struct Output<'a> {
    path: &'a Path,
    write: fn(&Report, &mut BufWriter<File>) -> io::Result<()>,
}

impl<'a> Output<'a> {
    fn of(path: &'a Path) -> anyhow::Result<Self> {
        let write: fn(&Report, &mut BufWriter<File>) -> io::Result<()> = match path.extension().and_then(|e| e.to_str())
        {
            Some("html" | "htm") => |report, out| out.write_all(html::page(report).as_bytes()),
            Some("json") => |report, out| Ok(serde_json::to_writer_pretty(out, report)?),
            Some("csv") => |report, out| csv::write(report, out),
            _ => bail!("--out `{}`: the name ends in none of .html, .json and .csv", path.display()),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            bail!("--out `{}`: there is no folder `{}`", path.display(), folder.display());
        }
        Ok(Self { path, write })
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let written = File::create(self.path).and_then(|file| {
            let mut out = BufWriter::new(file);
            (self.write)(report, &mut out)?;
            out.flush()
        });
        written.with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}
