//! `doorward render`: policy files as what Envoy, Istio, Envoy Gateway or Helm reads.
//!
//! The files are merged ([`merge`]), held to what their owners may say ([`owners`]), fitted to the place ([`place`],
//! [`zones`]), compiled as the filter compiles them, and only then written ([`envoy`], [`kubernetes`]).

pub mod args;
mod clusters;
mod envoy;
mod kubernetes;
pub mod leads;
mod merge;
mod module;
mod owners;
mod place;
mod plugin;
pub mod spelling;
mod tls;
pub mod tree;
mod zones;

use std::io::Write as _;

use anyhow::{anyhow, bail};
use doorward_core::engine::Engine;

use self::args::{RenderArguments, To};
use self::merge::{Merged, Part};
use self::module::Module;
use self::plugin::Rendered;
use crate::report::{Issue, Severity};
use crate::source::Source;
use crate::variables::Variables;
use crate::{Outcome, check, input, lint, policies, report};

/// Runs the command.
///
/// # Errors
/// A file cannot be read, the arguments do not go together, or the output failed.
pub fn run(arguments: &RenderArguments) -> anyhow::Result<Outcome> {
    if arguments.into.is_some() && arguments.to != To::Envoy {
        bail!("--into is for --to envoy");
    }
    if !arguments.key.is_empty() && arguments.into.is_none() {
        bail!("--key puts a key on a cluster of --into FILE");
    }
    let module = Module::of(arguments)?;
    let variables = Variables::load(arguments.env_file.as_deref())?;
    let (merged, mut issues) = Merged::of(parts(arguments)?);
    issues.extend(owners::check(&merged));
    let (merged, fitted) = fit(merged, arguments);
    issues.extend(fitted);
    let policy = merged.root.tree();
    let compiled = if issues.is_empty() { Some(Engine::compile(&policy, &|n| Some(variables.value(n)))) } else { None };
    let asked = variables.asked();
    let engine = match compiled {
        Some(Ok(engine)) => Some(engine),
        Some(Err(problems)) => {
            issues.extend(problems.iter().map(|p| merged.issue(Severity::Error, p)));
            None
        }
        None => None,
    };
    if engine.is_some() {
        let warnings = lint::policy(&merged.root, &check::today());
        issues.extend(warnings.iter().map(|w| merged.issue(Severity::Warning, w)));
    }
    say(&merged, &issues);
    let Some(engine) = engine else { return Ok(Outcome::Problems) };
    let rendered = Rendered {
        arguments,
        module,
        policy,
        name: engine.name().to_owned(),
        digest: engine.digest().to_owned(),
        variables: asked.set.union(&asked.missing).cloned().collect(),
    };
    let text = written(&rendered, &merged)?;
    if !arguments.key.is_empty() && tree::text_of(&rendered.policy, "mode") == Some("observe") {
        report::note("while the policy only observes nobody is refused: whoever reaches this listener uses the key");
    }
    // Written all the same, for whoever wants to see where the error is.
    let fits = arguments.into.is_none() || around(&text, &variables);
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(if fits { Outcome::Clean } else { Outcome::Problems })
}

/// What `doorward check` says of the whole that was made: a cluster that is not there, a buffer that is too small. What it says of the
/// policy alone was said already. Answers whether it is free of errors.
fn around(text: &str, variables: &Variables) -> bool {
    let checked = check::Checked::around("with-doorward.yaml", text.to_owned(), variables);
    for issue in &checked {
        let _ = writeln!(anstream::stderr(), "{}", issue.human(text));
    }
    checked.iter().all(|issue| issue.severity != Severity::Error)
}

/// What is said goes beside the output, which is a file.
fn say(merged: &Merged, issues: &[Issue]) {
    for issue in issues {
        let _ = writeln!(anstream::stderr(), "{}", issue.human(merged.text_of(issue)));
    }
}

fn parts(arguments: &RenderArguments) -> anyhow::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for file in &arguments.files {
        parts.push(part(file, None)?);
    }
    for owned in &arguments.owned {
        let Some((owner, file)) = owned.split_once('=').filter(|(owner, file)| !owner.is_empty() && !file.is_empty())
        else {
            bail!("`{owned}` is not OWNER=FILE");
        };
        parts.push(part(file, Some(owner.to_owned()))?);
    }
    Ok(parts)
}

fn part(file: &str, owner: Option<String>) -> anyhow::Result<Part> {
    let source = Source::parse(file, input::text(file)?)
        .map_err(|(problem, _)| anyhow!("{file}:{}:{}: {}", problem.mark.line, problem.mark.column, problem.message))?;
    let [root] = source.documents.as_slice() else {
        bail!("`{file}` has {} documents, not one", source.documents.len())
    };
    if !policies::is_policy(root) {
        bail!("`{file}` is no policy: it starts with `version: doorward/v1`");
    }
    Ok(Part { file: file.to_owned(), owner, root: root.clone(), text: source.text })
}

/// Fits the policy to its place.
fn fit(merged: Merged, arguments: &RenderArguments) -> (Merged, Vec<Issue>) {
    let mut problems = Vec::new();
    let mut root = merged.root.clone();
    zones::resolve(&mut root, &mut problems);
    place::check(&root, arguments, &mut problems);
    place::hold(&mut root, arguments.to, &mut problems);
    let issues = problems.iter().map(|problem| merged.issue(Severity::Error, problem)).collect();
    (merged.with(root), issues)
}

fn written(rendered: &Rendered<'_>, merged: &Merged) -> anyhow::Result<String> {
    let arguments = rendered.arguments;
    let files: Vec<&str> = merged.parts().iter().map(|part| part.file.as_str()).collect();
    // A name can hold what would end a comment.
    let files: String = files.join(", ").chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let head = format!(
        "# Made by `doorward render` {} of {files}; change those.\n# Policy `{}`, digest {}.\n",
        env!("CARGO_PKG_VERSION"),
        rendered.name,
        rendered.digest
    );
    if let Some(note) = place::forwarded(&merged.root, arguments) {
        report::note(&note);
    }
    let body = match (arguments.to, &arguments.into) {
        (To::Envoy, _) if arguments.helm.is_some() => bail!("--helm is for Kubernetes resources"),
        (To::Envoy, Some(file)) => envoy::into(file, arguments.listener.as_deref(), rendered)?,
        (To::Envoy, None) => envoy::fragment(rendered),
        _ => {
            let resource = kubernetes::resource(rendered)?;
            if let (false, Some(bytes)) = (arguments.to.holds(), rendered.buffer()) {
                report::note(&format!(
                    "bodies are larger than Envoy's buffer, and {} cannot raise it: set per_connection_buffer_limit_bytes to {bytes} by other means",
                    arguments.to.kind()
                ));
            }
            match &arguments.helm {
                None => tree::yaml(&resource),
                Some(key) => helm(key, resource)?,
            }
        }
    };
    Ok(head + &body)
}

/// As values of a chart that takes further objects.
fn helm(key: &str, resource: doorward_core::config::Tree) -> anyhow::Result<String> {
    let text = tree::yaml(&tree::map([(key, tree::list([resource]))]));
    // Charts commonly run such values through `tpl`: braces would be read as a template.
    if text.contains("{{") {
        bail!(
            "the policy has `{{{{`, which Helm would read as a template: render without --helm, and apply the resource"
        );
    }
    Ok(text)
}
