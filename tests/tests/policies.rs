//! Every test that a shipped policy carries, played on the real Envoy: the files that `doorward test` plays offline, with the same
//! expectations, compared by the same code.
//!
//! Each case has a listener and a policy name of its own, so that it begins with counts of its own. What cannot be waited for (`after`,
//! `now`) is left to the offline run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorward_cases::check::check;
use doorward_cases::format::{Answer, Case};
use doorward_cases::outcome::{Delivered, Outcome, Received};
use doorward_cases::suite::{ENDING, File, Place, Shot, Stage};
use doorward_cases::value::{entry_mut, items, set, text_at};
use doorward_core::config::Tree;
use doorward_e2e::client::{Request, Target, http1};
use doorward_e2e::envoy::{Cluster, Envoy, Gate, ListenerSpec, Route, Tls, Wasm};
use doorward_e2e::fields::Fields;
use doorward_e2e::governed::{access_log, capabilities, record};
use doorward_e2e::pki::Ca;
use doorward_e2e::upstream::{Script, Told, Upstream};
use doorward_e2e::{idp, tools};

/// Names the target that a request goes to, for the listener's routes.
const WAY: &str = "x-test-way";

#[tokio::test]
async fn policies_hold_what_their_tests_say() {
    let mut files = Vec::new();
    for folder in ["policies", "examples"] {
        collect(&tools::root().join(folder), &mut files);
    }
    let (mut played, mut wrong) = (0, Vec::new());
    for path in &files {
        let file = File::read(path).unwrap_or_else(|e| panic!("{e:#}"));
        let name = path.strip_prefix(tools::root()).unwrap_or(path).display().to_string();
        if file.suite.now.is_some() {
            println!("offline only: {name} says when it is");
            continue;
        }
        let stage = Stage::new(&file.suite, policy(&file.policy)).unwrap_or_else(|e| panic!("{name}: {e:#}"));
        for case in &file.suite.cases {
            if let Some(why) = &case.offline {
                println!("offline only: {name}: {}: {why}", case.name);
                continue;
            }
            let shots = stage.shots(&file.suite, case).unwrap_or_else(|e| panic!("{name}: {}: {e:#}", case.name));
            let waits = shots.iter().position(|shot| shot.after_ms > 0).unwrap_or(shots.len());
            let shots = &shots[..waits];
            let differs = Scene::set(&stage, case, shots, played).await.play(&stage, shots).await;
            wrong.extend(differs.into_iter().map(|line| format!("{name}: {}: {line}", case.name)));
            played += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {played} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(files.len() >= 24 && played >= 150, "{played} cases of {} files", files.len());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut below: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    below.sort();
    for path in below {
        if path.is_dir() {
            collect(&path, files);
        } else if path.to_string_lossy().ends_with(ENDING) {
            files.push(path);
        }
    }
}

/// The policy of a file, which may be an Envoy configuration around it.
fn policy(path: &Path) -> Tree {
    fn find(tree: &Tree) -> Option<&Tree> {
        if text_at(tree, "version").is_some_and(|version| version.starts_with("doorward/")) {
            return Some(tree);
        }
        match tree {
            Tree::Map(entries) => entries.iter().find_map(|(_, value)| find(value)),
            Tree::List(items) => items.iter().find_map(find),
            _ => None,
        }
    }
    let text = std::fs::read_to_string(path).expect("a policy");
    let tree: Tree = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    find(&tree).unwrap_or_else(|| panic!("{}: no policy", path.display())).clone()
}

/// A listener for one case, and what stands behind it.
struct Scene {
    gate: Gate,
    ca: Option<Ca>,
    /// The targets' upstreams, by the clusters that the policy names.
    upstreams: Vec<(Place, Upstream)>,
    /// The detectors that the policy asks.
    _asked: Vec<Upstream>,
}

impl Scene {
    async fn set(stage: &Stage, case: &Case, shots: &[Shot], number: usize) -> Self {
        let mut places = stage.targets.clone();
        places.extend(shots.iter().map(|shot| shot.place.clone()).filter(|place| place.target.is_none()));
        let (mut upstreams, mut clusters) = (Vec::new(), Vec::new());
        for place in places {
            let upstream = Upstream::http1().await;
            clusters.push(Cluster::to(&upstream));
            upstreams.push((place, upstream));
        }
        let mut policy = stage.policy.clone();
        // Counts are kept by the policy's name.
        set(&mut policy, "name", Tree::String(format!("case-{number}")));
        if let Some(Tree::List(targets)) = entry_mut(&mut policy, "targets") {
            for (target, cluster) in targets.iter_mut().zip(&clusters) {
                if target.get("cluster").is_some() {
                    set(target, "cluster", Tree::String(cluster.name.clone()));
                }
            }
        }
        let mut asked = Vec::new();
        for external in externals(&mut policy) {
            let Some(name) = text_at(external, "cluster").map(str::to_owned) else { continue };
            let script = case.calls.get(&name).map_or_else(Script::reset, script);
            let upstream = Upstream::with(Arc::new(move |_| script.clone())).await;
            let cluster = Cluster::to(&upstream);
            set(external, "cluster", Tree::String(cluster.name.clone()));
            clusters.push(cluster);
            asked.push(upstream);
        }
        // Where the filter sends it beats where the test does.
        let own = |target: &str| upstreams.iter().position(|(place, _)| place.target.as_deref() == Some(target));
        let mut routes: Vec<Route> = Vec::new();
        for (value, target) in &stage.ways {
            if let Some(i) = own(target) {
                let route = Route::prefix("/", &clusters[i]).header("x-doorward-route", value);
                routes.push(named(route, &upstreams[i].0));
            }
        }
        for (i, (place, _)) in upstreams.iter().enumerate() {
            routes.push(named(Route::prefix("/", &clusters[i]).header(WAY, &i.to_string()), place));
        }
        let mut spec = ListenerSpec::routes(routes, clusters);
        let holds = policy.get("envoy").and_then(|envoy| envoy.get("hold_headers")) != Some(&Tree::Bool(false));
        let mut wasm = Wasm::new(
            tools::wasm().expect("doorward.wasm is not built; run `make wasm`"),
            doorward_cases::value::json(&policy),
        );
        wasm.hold = holds;
        wasm.vm_id = Some("doorward-policies".to_owned());
        wasm.capabilities = Some(capabilities());
        let mut names = Vec::new();
        variables(&policy, &mut names);
        wasm.environment = names.into_iter().map(|name| (name.clone(), stage.variable(&name))).collect();
        spec = spec.wasm(wasm);
        spec.log = access_log();
        let peers = shots.iter().any(|shot| shot.identity.as_ref().is_some_and(|identity| identity.workload.is_some()));
        let ca = peers.then(Ca::new);
        if let Some(ca) = &ca {
            spec = spec.tls(Tls::mutual(ca).optional());
        }
        let gate = Envoy::shared(1).await.listener(spec).await;
        let gate = gate.unwrap_or_else(|refused| panic!("{}: {refused}", case.name));
        Self { gate, ca, upstreams, _asked: asked }
    }

    /// Plays the exchanges; answers what differs.
    async fn play(&self, stage: &Stage, shots: &[Shot]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (number, shot) in shots.iter().enumerate() {
            match self.exchange(stage, shot).await {
                Ok(outcome) => {
                    let differs = check(&shot.expect, &outcome).into_iter();
                    wrong.extend(differs.map(|line| format!("exchange {}: {line}", number + 1)));
                }
                Err(error) => wrong.push(format!("exchange {}: {error}", number + 1)),
            }
        }
        wrong
    }

    async fn exchange(&self, stage: &Stage, shot: &Shot) -> Result<Outcome, String> {
        let proof = stage.proof(shot, idp::now()).map_err(|e| format!("{e:#}"))?;
        if proof.metadata.is_some() {
            return Err("Envoy's own `jwt_authn` is not a part of this listener: say `offline`".to_owned());
        }
        let message = shot.request.message().map_err(|e| format!("{e:#}"))?;
        let at = self.upstreams.iter().position(|(place, _)| *place == shot.place).expect("the target's upstream");
        let mut request = Request::new(shot.request.method(), &shot.request.path).header(WAY, at.to_string());
        for (name, value) in message.headers.iter().chain(proof.header.iter()) {
            request = match name.as_str() {
                "host" => request.authority(value),
                name => request.header(name, value),
            };
        }
        let body = message.body();
        if !body.is_empty() {
            request = request.body(&body);
        }
        let answer = shot.answer.as_ref().map_or_else(|| Script::status(204).told(Told::AsGiven), script);
        let before: Vec<usize> = self.upstreams.iter().map(|(_, upstream)| upstream.count()).collect();
        for (_, upstream) in &self.upstreams {
            upstream.clear();
            upstream.enqueue(answer.clone());
        }
        let tls = self.ca.as_ref().map(|ca| {
            let identity = proof.peer.as_deref().map(|id| ca.workload(id));
            ca.client(identity.as_ref())
        });
        let target = Target { address: self.gate.address, tls };
        let mut connection = http1::Connection::open(&target).await.map_err(|e| e.to_string())?;
        let got = connection.call(&request).await.map_err(|e| format!("no answer: {e}"))?;
        let line = self.gate.log_line_of(&request.request_id).await;
        let arrived = self.upstreams.iter().zip(before).find_map(|((place, upstream), before)| {
            let seen = upstream.seen().into_iter().nth(before)?;
            Some(Received {
                target: place.target.clone(),
                path: seen.target.clone(),
                headers: pairs(&seen.fields),
                body: seen.body,
            })
        });
        let values = record(&line).into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
        let answered = shot.answer.as_ref().and_then(|answer| answer.message().ok()).map(|m| m.body());
        Ok(Outcome {
            upstream: arrived,
            client: Some(Delivered { status: got.status, headers: pairs(&got.fields), body: got.body }),
            record: values.filter(|(_, value)| value != "-").collect::<BTreeMap<_, _>>(),
            sent: body,
            answered: answered.unwrap_or_default(),
            ..Outcome::default()
        })
    }
}

fn named(route: Route, place: &Place) -> Route {
    match &place.route {
        Some(name) => route.named(name),
        None => route,
    }
}

fn pairs(fields: &Fields) -> Vec<(String, String)> {
    let pair =
        |(name, value): &(String, Vec<u8>)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned());
    fields.0.iter().map(pair).collect()
}

/// An answer as an upstream writes it.
fn script(answer: &Answer) -> Script {
    let message = answer.message().unwrap_or_else(|e| panic!("{e:#}"));
    let told = if answer.events.is_some() { Told::Chunked } else { Told::Length };
    let script = message
        .headers
        .iter()
        .fold(Script::status(answer.status()), |script, (name, value)| script.header(name, value));
    let script = if message.pieces.is_empty() && answer.status() == 204 {
        script.told(Told::AsGiven)
    } else {
        script.told(told)
    };
    message.pieces.iter().fold(script, |script, piece| script.data(piece))
}

/// The detectors outside that a policy asks.
fn externals(policy: &mut Tree) -> Vec<&mut Tree> {
    match entry_mut(policy, "detectors").and_then(|detectors| entry_mut(detectors, "external")) {
        Some(Tree::List(all)) => all.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// The names of the variables that a policy refers to.
fn variables(tree: &Tree, names: &mut Vec<String>) {
    if let Tree::Map(entries) = tree {
        if let [(key, Tree::String(name))] = entries.as_slice()
            && key == "env"
        {
            names.push(name.clone());
        }
        entries.iter().for_each(|(_, value)| variables(value, names));
    }
    if let Tree::List(_) = tree {
        items(Some(tree)).into_iter().for_each(|item| variables(item, names));
    }
}
