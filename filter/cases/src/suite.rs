//! A file of tests together with its policy, ready to be played.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use doorward_core::config::{Path as At, Tree, from_tree};

use crate::format::{Answer, Case, Expect, Got, Identity, NameOr, Request, Sent, Step, Suite};
use crate::identity::{Callers, Proof};
use crate::value;

/// How the name of a file of tests ends.
pub const ENDING: &str = ".test.yaml";

/// Stands in for a secret that a suite does not give. Long enough for every use of one.
const STAND_IN: &str = "a-secret-of-a-test-suite-that-is-none-and-64-bytes-long-at-least";

/// A file of tests that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub suite: Suite,
    /// The policy that it is about.
    pub policy: PathBuf,
}

impl File {
    /// Reads a file of tests.
    ///
    /// # Errors
    /// It cannot be read, says what no suite can say, or has a test that cannot fail.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
        let tree: Tree = serde_saphyr::from_str(&text).map_err(|e| anyhow!("{shown}: {e}"))?;
        let suite: Suite = from_tree(&tree, &At::root()).map_err(|problem| anyhow!("{shown}: {problem}"))?;
        check(&suite).map_err(|e| anyhow!("{shown}: {e:#}"))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let policy = match &suite.policy {
            Some(named) => folder.join(named),
            None => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let stem = name.strip_suffix(ENDING).ok_or_else(|| {
                    anyhow!(
                        "{shown}: the name does not end in `{ENDING}`, so it must name its policy: add `policy: FILE`"
                    )
                })?;
                folder.join(format!("{stem}.yaml"))
            }
        };
        if !policy.is_file() {
            bail!("{shown}: there is no policy `{}`: name it with `policy: FILE`", policy.display());
        }
        Ok(Self { path: path.to_owned(), suite, policy })
    }
}

fn check(suite: &Suite) -> anyhow::Result<()> {
    if suite.cases.is_empty() {
        bail!("cases: no tests");
    }
    if let Some(now) = &suite.now
        && doorward_core::anomaly::instant(now).is_none()
    {
        bail!("now: `{now}` is no time: write `2026-12-01T10:00:00Z` (RFC 3339)");
    }
    let mut names = HashSet::new();
    for (i, case) in suite.cases.iter().enumerate() {
        if case.name.trim().is_empty() {
            bail!("cases[{i}].name: a test without a name: say what it shows");
        }
        if !names.insert(case.name.as_str()) {
            bail!("cases[{i}].name: `{}` is there twice", case.name);
        }
        let expectations = case.expect.iter().chain(case.steps.iter().filter_map(|s| s.expect.as_ref()));
        if !expectations.into_iter().any(Expect::says_something) {
            bail!("cases[{i}] (`{}`): nothing is expected, so it cannot fail: add `expect`", case.name);
        }
    }
    Ok(())
}

/// A suite and its policy, with the runner's keys in it.
pub struct Stage {
    /// The policy.
    pub policy: Tree,
    /// Who can call.
    pub callers: Callers,
    /// The targets, in the policy's order.
    pub targets: Vec<Place>,
    /// Which target a value of the routing header means.
    pub ways: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
}

/// Where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The target's name; none for what no target governs.
    pub target: Option<String>,
    /// Envoy's cluster.
    pub cluster: String,
    /// Envoy's route, where the target is named by it.
    pub route: Option<String>,
    /// The target's provider.
    pub provider: String,
}

/// One exchange to be played.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The caller.
    pub identity: Option<Identity>,
    /// Where the request goes.
    pub place: Place,
    /// What is sent.
    pub request: Request,
    /// What the upstream answers.
    pub answer: Option<Answer>,
    /// What has to come of it.
    pub expect: Expect,
    /// Milliseconds since the exchange before.
    pub after_ms: u64,
}

impl Stage {
    /// Prepares a policy for a suite.
    ///
    /// # Errors
    /// The policy's `identity` cannot be read.
    pub fn new(suite: &Suite, mut policy: Tree) -> anyhow::Result<Self> {
        let callers = Callers::of(&mut policy).context("the policy")?;
        let targets: Vec<Place> = value::items(policy.get("targets")).into_iter().map(place).collect();
        let mut ways: BTreeMap<String, String> =
            targets.iter().filter_map(|t| t.target.clone()).map(|name| (name.clone(), name)).collect();
        for to in value::items(policy.get("routes")).into_iter().filter_map(|route| route.get("to")) {
            if let (Some(value), Some(target)) = (value::text_at(to, "value"), value::text_at(to, "target")) {
                ways.insert(value.to_owned(), target.to_owned());
            }
        }
        Ok(Self { policy, callers, targets, ways, env: suite.env.clone() })
    }

    /// The value of a variable that the policy refers to.
    pub fn variable(&self, name: &str) -> String {
        self.env.get(name).cloned().unwrap_or_else(|| STAND_IN.to_owned())
    }

    /// The target of a name.
    pub fn target(&self, name: &str) -> Option<&Place> {
        self.targets.iter().find(|place| place.target.as_deref() == Some(name))
    }

    /// The exchanges of a case.
    ///
    /// # Errors
    /// It does not say what is sent or where to, or names what is not there.
    pub fn shots(&self, suite: &Suite, case: &Case) -> anyhow::Result<Vec<Shot>> {
        let one = [Step::default()];
        let steps: &[Step] = if case.steps.is_empty() { &one } else { &case.steps };
        let mut shots = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let times = step.times.unwrap_or(1);
            if times == 0 || times > 10_000 {
                bail!("step {}: `times` is 1 to 10000", number + 1);
            }
            let shot = self.shot(suite, case, step).with_context(|| format!("step {}", number + 1))?;
            for time in 0..times {
                let after_ms = if time == 0 { shot.after_ms } else { 0 };
                shots.push(Shot { after_ms, ..shot.clone() });
            }
        }
        Ok(shots)
    }

    fn shot(&self, suite: &Suite, case: &Case, step: &Step) -> anyhow::Result<Shot> {
        let identity = match step.identity.as_ref().or(case.identity.as_ref()) {
            None => None,
            Some(NameOr::Own(identity)) => Some(identity.clone()),
            Some(NameOr::Name(name)) => {
                let known = || suite.identities.keys().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                let found = suite.identities.get(name);
                Some(
                    found
                        .cloned()
                        .ok_or_else(|| anyhow!("no `{name}` among `identities`; known there: {}", known()))?,
                )
            }
        };
        let request = step.request.as_ref().or(case.request.as_ref()).context("no `request`")?;
        if !request.path.starts_with('/') {
            bail!("request.path: `{}` does not begin with `/`", request.path);
        }
        let cluster = step.cluster.as_ref().or(case.cluster.as_ref());
        let place = match (step.target.as_ref().or(case.target.as_ref()), cluster) {
            (Some(_), Some(_)) => bail!("`target` and `cluster`: say one of them"),
            (None, Some(cluster)) => Place { cluster: cluster.clone(), ..Place::default() },
            (Some(name), None) => {
                let known = || self.targets.iter().filter_map(|t| Some(format!("`{}`", t.target.as_ref()?)));
                let found = self.target(name).cloned();
                found.ok_or_else(|| {
                    anyhow!(
                        "the policy has no target `{name}`; known there: {}",
                        known().collect::<Vec<_>>().join(", ")
                    )
                })?
            }
            (None, None) => match self.targets.as_slice() {
                [only] => only.clone(),
                _ => bail!("the policy has several targets: say which with `target`"),
            },
        };
        Ok(Shot {
            identity,
            place,
            request: request.clone(),
            answer: step.answer.as_ref().or(case.answer.as_ref()).cloned(),
            expect: step.expect.as_ref().or(case.expect.as_ref()).cloned().unwrap_or_default(),
            after_ms: step.after.map_or(0, |after| after.as_millis()),
        })
    }

    /// What proves the caller of an exchange at a time, in seconds since 1970.
    ///
    /// # Errors
    /// The policy has no issuer, claim or key for what the identity says.
    pub fn proof(&self, shot: &Shot, now: u64) -> anyhow::Result<Proof> {
        match &shot.identity {
            None => Ok(Proof::default()),
            Some(identity) => self.callers.proof(identity, now),
        }
    }
}

/// Where a target's requests go: to a cluster and a route that fit its globs.
fn place(target: &Tree) -> Place {
    let first = |key: &str| {
        let glob = value::items(target.get(key)).into_iter().find_map(value::str_of)?;
        Some(glob.replace(['*', '?'], "x"))
    };
    Place {
        target: value::text_at(target, "name").map(str::to_owned),
        cluster: first("cluster").unwrap_or_else(|| "upstream".to_owned()),
        route: first("route"),
        provider: value::text_at(target, "provider").unwrap_or_default().to_owned(),
    }
}

impl Expect {
    /// Whether anything could differ from it.
    pub fn says_something(&self) -> bool {
        let upstream = match &self.upstream {
            None => false,
            Some(NameOr::Name(_)) => true,
            Some(NameOr::Own(sent)) => sent.says_something(),
        };
        self.decision.is_some()
            || self.action.is_some()
            || self.reason.is_some()
            || self.rules.is_some()
            || self.observed.is_some()
            || self.findings.is_some()
            || self.notes.is_some()
            || !self.record.is_empty()
            || upstream
            || self.client.as_ref().is_some_and(Got::says_something)
    }
}

impl Sent {
    fn says_something(&self) -> bool {
        // That something arrives is an expectation by itself.
        true
    }
}

impl Got {
    fn says_something(&self) -> bool {
        self.status.is_some()
            || self.unchanged
            || self.json.is_some()
            || self.says.is_some()
            || !(self.headers.is_empty()
                && self.at.is_empty()
                && self.absent.is_empty()
                && self.contains.is_empty()
                && self.lacks.is_empty())
    }
}
