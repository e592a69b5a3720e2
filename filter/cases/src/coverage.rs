//! Which statements of a policy a suite has met: the policy's own, thresholds of sessions among them, and apart from them those of the packs that
//! it extends, which have tests of their own. What `anomaly` does takes weeks to come to, and is left out.

use std::collections::BTreeSet;

use doorward_core::config::Tree;
use doorward_core::packs::extend;
use doorward_core::trace::Near;

use crate::outcome::Outcome;
use crate::value;

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Its section: `access`, `content`, `routes`, `limits`, `sessions`.
    pub section: &'static str,
    /// Its id.
    pub id: String,
}

/// The statements that exchanges have met.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Every statement of the policy's own, in its order.
    pub statements: Vec<Statement>,
    /// Those of each pack that it extends (`gdpr@1`) and does not change.
    pub packs: Vec<(String, Vec<Statement>)>,
    met: BTreeSet<String>,
}

/// Sections of statements.
const SECTIONS: [&str; 4] = ["access", "content", "routes", "limits"];

impl Coverage {
    /// Of a policy, nothing met yet.
    pub fn of(policy: &Tree) -> Self {
        let mut statements: Vec<Statement> =
            SECTIONS.iter().flat_map(|section| of_section(policy, section, section)).collect();
        if let Some(sessions) = policy.get("sessions") {
            statements.extend(of_section(sessions, "thresholds", "sessions"));
        }
        // A pack that is not known is told where the policy is compiled.
        let extended = extend(policy).ok().flatten();
        let packs = extended.into_iter().flat_map(|extended| {
            let all: Vec<Statement> =
                SECTIONS.iter().flat_map(|section| of_section(&extended.tree, section, section)).collect();
            let own = statements.clone();
            extended.packs.into_iter().map(move |pack| {
                // Ids of a pack begin with its name.
                let prefix = pack.split_once('@').map_or_else(String::new, |(name, _)| format!("{name}."));
                let its = all.iter().filter(|s| s.id.starts_with(&prefix) && !own.contains(s)).cloned().collect();
                (pack, its)
            })
        });
        let packs = packs.collect();
        Self { statements, packs, met: BTreeSet::new() }
    }

    /// Counts what the record of an exchange names: statements that decided, fitted while observed, sent it elsewhere, or (limits)
    /// counted it.
    pub fn add(&mut self, outcome: &Outcome) {
        for key in ["doorward.rules", "doorward.observed", "doorward.route"] {
            self.met.extend(outcome.list(key).into_iter().map(str::to_owned));
        }
        // A statement that fitted where another decided is met, too.
        let asked = outcome.trace.questions.iter().filter(|q| q.with_body).flat_map(|q| &q.statements);
        self.met.extend(asked.filter(|s| !s.of_tools && s.fit == Near::Fits).map(|s| s.id.clone()));
        self.met.extend(outcome.trace.tools.iter().flat_map(|tool| tool.rules.iter().cloned()));
        let counted = outcome.list("doorward.limit.remaining").into_iter().filter_map(|item| item.rsplit_once('='));
        self.met.extend(counted.map(|(id, _)| id.to_owned()));
    }

    /// The statements of the policy's own that nothing has met.
    pub fn unmet(&self) -> Vec<&Statement> {
        self.missing(&self.statements)
    }

    /// The others of these.
    pub fn missing<'s>(&self, statements: &'s [Statement]) -> Vec<&'s Statement> {
        statements.iter().filter(|statement| !self.met.contains(&statement.id)).collect()
    }
}

fn of_section(tree: &Tree, key: &str, section: &'static str) -> Vec<Statement> {
    let ids = value::items(tree.get(key)).into_iter().filter_map(|statement| value::text_at(statement, "id"));
    ids.map(|id| Statement { section, id: id.to_owned() }).collect()
}
