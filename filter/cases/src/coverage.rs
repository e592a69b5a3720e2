//! Which statements of a policy a suite has met.

use std::collections::BTreeSet;

use doorward_core::config::Tree;
use doorward_core::trace::Near;

use crate::outcome::Outcome;
use crate::value;

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Its section: `access`, `content`, `routes`, `limits`.
    pub section: &'static str,
    /// Its id.
    pub id: String,
}

/// The statements that exchanges have met.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Every statement, in the policy's order.
    pub statements: Vec<Statement>,
    met: BTreeSet<String>,
}

impl Coverage {
    /// Of a policy, nothing met yet.
    pub fn of(policy: &Tree) -> Self {
        let mut statements = Vec::new();
        for section in ["access", "content", "routes", "limits"] {
            for statement in value::items(policy.get(section)) {
                if let Some(id) = value::text_at(statement, "id") {
                    statements.push(Statement { section, id: id.to_owned() });
                }
            }
        }
        Self { statements, met: BTreeSet::new() }
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

    /// The statements that nothing has met.
    pub fn unmet(&self) -> Vec<&Statement> {
        self.statements.iter().filter(|statement| !self.met.contains(&statement.id)).collect()
    }
}
