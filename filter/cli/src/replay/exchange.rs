//! Exchanges with their texts: through both policies.

use std::collections::BTreeMap;

use doorward_cases::format::{Case, Suite};
use doorward_cases::outcome::Outcome;
use doorward_cases::play::Proxy;
use doorward_cases::run::now_ms;
use doorward_core::config::{Path, from_tree, tree_from_json};

use super::Judge;
use super::tally::{Change, Tally, Told};

/// One line of JSON.
pub fn line(line: &str, next: &Judge, before: &Judge, tally: &mut Tally) {
    let read = tree_from_json(line).and_then(|tree| from_tree::<Case>(&tree, &Path::root()));
    match read {
        Ok(read) => case(&Suite::default(), &read, next, before, tally),
        Err(_) => tally.add(Told::Unread),
    }
}

/// A case: each of its exchanges.
pub fn case(suite: &Suite, case: &Case, next: &Judge, before: &Judge, tally: &mut Tally) {
    let play = |judge: &Judge| -> anyhow::Result<Vec<Outcome>> {
        let shots = judge.stage.shots(suite, case)?;
        let mut proxy = Proxy::new(&judge.stage, &judge.engine, now_ms(suite))?;
        shots.iter().map(|shot| proxy.play(shot, &case.calls)).collect()
    };
    match (play(next), play(before)) {
        (Ok(next), Ok(before)) => {
            for (next, before) in next.iter().zip(&before) {
                tally.add(compare(before, next));
            }
        }
        // A target, a claim or a key that one of the policies has not: it could not be sent there.
        (Err(error), _) | (_, Err(error)) => {
            tally.add(Told::Untold(format!("an exchange cannot be played: {error:#}")))
        }
    }
}

fn compare(before: &Outcome, next: &Outcome) -> Told {
    let verdict = |outcome: &Outcome| match outcome.value("doorward.reason") {
        "" => outcome.value("doorward.decision").to_owned(),
        reason => format!("{} ({reason})", outcome.value("doorward.decision")),
    };
    let body =
        |outcome: &Outcome| outcome.upstream.as_ref().map(|received| (received.target.clone(), received.body.clone()));
    let got = |outcome: &Outcome| outcome.client.as_ref().map(|got| (got.status, got.body.clone()));
    let (from, to) = (verdict(before), verdict(next));
    let what = match () {
        () if from != to => None,
        () if body(before) != body(next) => Some("the request goes on otherwise"),
        () if before.value("doorward.decision") == "allow" && got(before) != got(next) => Some("the answer is another"),
        () => return Told::Same,
    };
    let team = next.value("doorward.team");
    Told::Change(Change {
        from: what.map_or(from, |_| "allow".to_owned()),
        to: what.map_or(to, str::to_owned),
        by: by(before, next),
        team: team.to_owned(),
    })
}

/// The statements that make the difference: those that decide next and did not before; where none does, those that did before.
fn by(before: &Outcome, next: &Outcome) -> Vec<String> {
    let (old, new) = (before.list("doorward.rules"), next.list("doorward.rules"));
    let only = |a: &[&str], b: &[&str]| -> Vec<String> {
        a.iter().filter(|id| !b.contains(id)).map(|id| (*id).to_owned()).collect()
    };
    let more = only(&new, &old);
    if more.is_empty() { only(&old, &new).into_iter().map(|id| format!("no longer {id}")).collect() } else { more }
}

/// Nothing is asked of others.
pub fn no_calls() -> BTreeMap<String, doorward_cases::format::Answer> {
    BTreeMap::new()
}
