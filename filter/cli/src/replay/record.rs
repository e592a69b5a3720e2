//! Lines of the access log: what a policy says of a call of which there are no texts.

use std::collections::BTreeMap;

use doorward_cases::format::{Identity, Request};
use doorward_cases::play::Proxy;
use doorward_cases::suite::{Shot, Stage};
use doorward_cases::value::{items, str_of, text_at};
use doorward_core::config::{Path, Tree};
use doorward_core::policy::Miss;
use doorward_core::trace::Near;
use serde_json::{Value, json};

use super::Judge;
use super::exchange::no_calls;
use super::tally::{Change, Told};

/// Reasons of denials that hang on what a record does not have, or that no policy's statements make.
const NOT_OF_STATEMENTS: &[&str] =
    &["protocol.", "identity.", "limit.", "session.", "anomaly.", "route.", "mcp.", "internal.", "answer."];

/// Judges one record.
pub fn judge(line: &Value, next: &Judge) -> Told {
    let text = |key: &str| line.get(key).and_then(Value::as_str).filter(|text| !text.is_empty() && *text != "-");
    let was = (text("doorward.decision").unwrap_or_default(), text("doorward.reason").unwrap_or_default());
    if NOT_OF_STATEMENTS.iter().any(|of| was.1.starts_with(of)) {
        // Refused before a statement was asked, or for a count: this policy would have asked nobody either.
        return Told::Untold(format!("refused then for `{}`, which is not of the policy's statements", was.1));
    }
    let Some(place) = text("doorward.target").and_then(|target| next.stage.target(target)) else {
        return match text("doorward.target") {
            Some(target) => Told::Untold(format!("the policy has no target `{target}`")),
            None => Told::Untold("the record names no target".to_owned()),
        };
    };
    let Some(request) = request(&text) else {
        return Told::Untold("the record names no call".to_owned());
    };
    let identity = match identity(&text, &next.stage) {
        Ok(identity) => identity,
        Err(why) => return Told::Untold(why),
    };
    let shot = Shot { identity, place: place.clone(), request, answer: None, expect: Default::default(), after_ms: 0 };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let played = Proxy::new(&next.stage, &next.engine, u64::try_from(now).unwrap_or(0))
        .and_then(|mut proxy| proxy.play(&shot, &no_calls()));
    let outcome = match played {
        Ok(outcome) => outcome,
        Err(error) => return Told::Untold(format!("cannot be played: {error:#}")),
    };
    // A cap, media and state hang on the body, which is not here: an allow that lacks only that may fit, and one that
    // fits without may not.
    let asked = outcome.trace.questions.iter().flat_map(|q| &q.statements);
    for statement in asked.filter(|s| s.allows && !s.observed) {
        if let Near::But(Miss::Parameter(name)) = &statement.fit {
            return Told::Untold(format!("`{}` hangs on the parameter `{name}`", statement.id));
        }
    }
    let reason = outcome.value("doorward.reason");
    if NOT_OF_STATEMENTS.iter().any(|of| reason.starts_with(of)) {
        return Told::Untold(format!("`{reason}` of a request that is made from a record"));
    }
    let fitting: Vec<&str> = outcome.list("doorward.rules");
    for statement in items(next.stage.policy.get("access")).into_iter().filter(|s| s.get("parameters").is_some()) {
        let id = text_at(statement, "id").unwrap_or_default();
        if fitting == [id] {
            return Told::Untold(format!("`{id}` hangs on parameters"));
        }
    }
    let (mut decision, mut why, mut by) = (
        outcome.value("doorward.decision").to_owned(),
        reason.to_owned(),
        fitting.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(),
    );
    if decision == "allow" {
        match content(text("doorward.findings").unwrap_or_default(), &outcome.trace.planned, next) {
            Content::Denies(ids) => (decision, why, by) = ("deny".to_owned(), "content.denied".to_owned(), ids),
            Content::Untold(why) => return Told::Untold(why),
            Content::Passes => {}
        }
    }
    let shown = |decision: &str, reason: &str| {
        if reason.is_empty() { decision.to_owned() } else { format!("{decision} ({reason})") }
    };
    let (from, to) = (shown(was.0, was.1), shown(&decision, &why));
    if from == to {
        return Told::Same;
    }
    Told::Change(Change { from, to, by, team: text("doorward.team").unwrap_or_default().to_owned() })
}

/// What content statements make of the findings of then.
enum Content {
    Passes,
    Denies(Vec<String>),
    Untold(String),
}

fn content(findings: &str, planned: &[(&'static str, Vec<doorward_core::trace::Planned>)], next: &Judge) -> Content {
    let found: Vec<&str> = findings
        .split(',')
        .filter_map(|finding| finding.strip_prefix("in:")?.split('/').next())
        .map(|kind| kind.strip_suffix(".test").unwrap_or(kind))
        .collect();
    let detectors = next.engine.detectors();
    let applying = planned.iter().filter(|(side, _)| *side == "in").flat_map(|(_, all)| all);
    let mut denying = Vec::new();
    for statement in applying.filter(|s| s.barred.is_none() && !s.observed && s.action == "deny") {
        let written =
            items(next.stage.policy.get("content")).into_iter().find(|s| text_at(s, "id") == Some(&statement.id));
        let Some(written) = written else { continue };
        let names: Vec<String> =
            items(written.get("detect")).into_iter().filter_map(str_of).map(str::to_owned).collect();
        let Ok(selection) = detectors.select(&names, &Path::root()) else { continue };
        let meets = detectors.kinds().any(|(id, kind)| selection.contains(id) && found.contains(&kind.name.as_str()));
        if meets && written.get("channels").is_some() {
            return Content::Untold(format!("`{}` looks into some channels only", statement.id));
        }
        if meets {
            denying.push(statement.id.clone());
        }
    }
    if denying.is_empty() { Content::Passes } else { Content::Denies(denying) }
}

/// A request as the record describes it.
fn request<'t>(text: &dyn Fn(&str) -> Option<&'t str>) -> Option<Request> {
    let path = text("doorward.path")?.to_owned();
    let api = text("doorward.api")?;
    let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    if api == "models" {
        return Some(Request { path, ..Request::default() });
    }
    let body = match (text("mcp.method.name"), text("gen_ai.request.model")) {
        (Some(method), _) => {
            let params = text("gen_ai.tool.name").map_or(json!({}), |tool| json!({"name": tool, "arguments": {}}));
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        }
        // Gemini's and Bedrock's paths name the model.
        (None, Some(model)) if !path.contains(model) => json!({"model": model, "messages": []}),
        (None, _) => json!({"messages": []}),
    };
    Some(Request { path, headers, text: Some(body.to_string()), method: Some("POST".to_owned()), ..Request::default() })
}

/// The caller as the record names them; groups and claims are such as give them the roles that they had.
fn identity<'t>(text: &dyn Fn(&str) -> Option<&'t str>, stage: &Stage) -> Result<Option<Identity>, String> {
    let roles: Vec<&str> = text("doorward.roles").unwrap_or_default().split(',').filter(|r| !r.is_empty()).collect();
    let mut identity = Identity {
        user: text("doorward.user").map(str::to_owned),
        team: text("doorward.team").map(str::to_owned),
        purpose: text("doorward.purpose").map(str::to_owned),
        workload: text("doorward.workload").map(str::to_owned),
        ..Identity::default()
    };
    match text("doorward.auth") {
        None => return Ok(None),
        Some("api_key") => {
            let id = text("doorward.credential").ok_or("the record names no API key")?;
            return Ok(Some(Identity {
                api_key: Some(id.to_owned()),
                workload: identity.workload,
                ..Identity::default()
            }));
        }
        Some("mtls") => return Ok(Some(Identity { workload: identity.workload, ..Identity::default() })),
        Some(_) => {}
    }
    let mut groups = Vec::new();
    for role in roles {
        let Some(definition) = stage.policy.get("roles").and_then(|all| all.get(role)) else { continue };
        let Some(first) = items(Some(definition)).first().copied() else { continue };
        if let Some(group) = items(first.get("groups")).into_iter().find_map(str_of) {
            groups.push(group.replace(['*', '?'], "x"));
        }
        if let Some(Tree::Map(claims)) = first.get("claims") {
            for (name, values) in claims {
                if let Some(value) = items(Some(values)).into_iter().find_map(str_of) {
                    identity.claims.insert(name.clone(), Tree::String(value.replace(['*', '?'], "x")));
                }
            }
        }
    }
    if !groups.is_empty() {
        identity.groups = Some(groups);
    }
    Ok(Some(identity))
}
