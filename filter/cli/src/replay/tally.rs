//! What would change, counted by statement and team.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

/// What is told of one exchange.
#[derive(Debug)]
pub enum Told {
    /// Nothing would change.
    Same,
    /// Something would.
    Change(Change),
    /// Nobody can tell, and why.
    Untold(String),
    /// The line is neither a record nor an exchange.
    Unread,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What was decided.
    pub from: String,
    /// What would be.
    pub to: String,
    /// The statements that make the difference.
    pub by: Vec<String>,
    /// The caller's team.
    pub team: String,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Tally {
    same: usize,
    unread: usize,
    changes: BTreeMap<(String, String, Vec<String>), BTreeMap<String, usize>>,
    untold: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, told: Told) {
        match told {
            Told::Same => self.same += 1,
            Told::Unread => self.unread += 1,
            Told::Untold(why) => *self.untold.entry(why).or_default() += 1,
            Told::Change(Change { from, to, by, team }) => {
                *self.changes.entry((from, to, by)).or_default().entry(team).or_default() += 1;
            }
        }
    }

    /// How many were read.
    pub fn read(&self) -> usize {
        self.same + self.changes() + self.untold.values().sum::<usize>()
    }

    /// How many would change.
    pub fn changes(&self) -> usize {
        self.changes.values().flat_map(BTreeMap::values).sum()
    }

    /// For people.
    pub fn human(&self, out: &mut impl Write) -> io::Result<()> {
        let untold: usize = self.untold.values().sum();
        writeln!(
            out,
            "{} read: {} the same, {} would change, {untold} cannot be told",
            self.read(),
            self.same,
            self.changes()
        )?;
        for ((from, to, by), teams) in &self.changes {
            let count: usize = teams.values().sum();
            let by = if by.is_empty() { "no statement allows it".to_owned() } else { by.join(", ") };
            writeln!(out, "{count:>7}  {from} -> {to}: {by}")?;
            for (team, count) in teams {
                let team = if team.is_empty() { "no team" } else { team };
                writeln!(out, "         {count:>7}  {team}")?;
            }
        }
        for (why, count) in &self.untold {
            writeln!(out, "{count:>7}  cannot be told: {why}")?;
        }
        if self.unread > 0 {
            writeln!(out, "{:>7}  lines are neither records nor exchanges", self.unread)?;
        }
        Ok(())
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|((from, to, by), teams)| json!({"from": from, "to": to, "statements": by, "teams": teams, "count": teams.values().sum::<usize>()}))
            .collect();
        let untold: Vec<Value> = self.untold.iter().map(|(why, count)| json!({"why": why, "count": count})).collect();
        json!({"read": self.read(), "unread": self.unread, "same": self.same, "changes": changes, "untold": untold})
    }
}
