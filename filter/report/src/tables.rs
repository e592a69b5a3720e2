//! What a report breaks exchanges down by.

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    Teams,
    Users,
    Workloads,
    Auth,
    Models,
    Targets,
    Operations,
    Methods,
    Tools,
    TeamModels,
    TeamMonths,
    Routes,
    Denials,
    Rules,
    Observed,
    Findings,
    External,
    Notes,
    Limits,
    Refusals,
    Anomalies,
    Unusual,
    Risks,
    Policies,
    Ungoverned,
    Unrecorded,
}

/// How a table is made.
#[derive(Debug)]
pub struct Shape {
    #[cfg_attr(not(test), expect(dead_code, reason = "the order of shapes is checked by it"))]
    pub table: Table,
    /// Its name in JSON and CSV.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What the parts of a key are.
    pub of: &'static [&'static str],
    /// What is counted, where that is not exchanges.
    pub counts: Option<&'static str>,
    /// Whether rows are sorted by what they cost, where there are prices.
    pub by_cost: bool,
    /// How many keys are kept.
    pub capacity: usize,
    /// Whether rows count their callers.
    pub callers: bool,
}

const fn shape(table: Table, name: &'static str, title: &'static str, of: &'static [&'static str]) -> Shape {
    Shape { table, name, title, of, counts: None, by_cost: false, capacity: 1024, callers: false }
}

impl Shape {
    const fn counting(mut self, what: &'static str) -> Self {
        self.counts = Some(what);
        self
    }

    const fn by_cost(mut self) -> Self {
        self.by_cost = true;
        self
    }

    const fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    const fn callers(mut self) -> Self {
        self.callers = true;
        self
    }
}

/// Every table, in [`Table`]'s order.
pub const SHAPES: [Shape; 26] = [
    shape(Table::Teams, "teams", "Teams", &["team"]).by_cost().callers(),
    shape(Table::Users, "users", "Users", &["user", "team"]).by_cost().capacity(8192),
    shape(Table::Workloads, "workloads", "Workloads", &["workload"]).by_cost().capacity(2048),
    shape(Table::Auth, "auth", "How callers are proven", &["proof"]).callers(),
    shape(Table::Models, "models", "Models", &["model", "provider"]).by_cost().callers(),
    shape(Table::Targets, "targets", "Targets", &["target", "provider", "owner"]).by_cost().callers(),
    shape(Table::Operations, "operations", "APIs and operations", &["API", "operation"]).by_cost().callers(),
    shape(Table::Methods, "mcp_methods", "MCP methods", &["method"]).callers(),
    shape(Table::Tools, "tools", "Tools", &["tool", "how", "action"]).counting("times").capacity(4096),
    shape(Table::TeamModels, "team_models", "Models by team", &["team", "model"]).by_cost().capacity(4096).callers(),
    shape(Table::TeamMonths, "team_months", "Teams by month", &["month", "team"]).by_cost().capacity(4096),
    shape(Table::Routes, "routes", "Routes taken", &["statement"]),
    shape(Table::Denials, "denials", "Denials by reason", &["reason", "action"]).callers(),
    shape(Table::Rules, "rules", "Statements that decided", &["statement"]).capacity(4096).callers(),
    shape(Table::Observed, "observed", "Statements that only looked on", &["statement"]).callers(),
    shape(Table::Findings, "findings", "Findings", &["type", "direction", "action"]).counting("findings").callers(),
    shape(Table::External, "external", "External detectors", &["detector", "direction", "outcome"]),
    shape(Table::Notes, "notes", "Noticed and let through", &["note"]).callers(),
    shape(Table::Limits, "limits", "Limits that held", &["limit"]),
    shape(Table::Refusals, "limit_refusals", "Refused by limits", &["limit", "reason"]).callers(),
    shape(Table::Anomalies, "anomalies", "Unusual behaviour by kind", &["kind"]).callers(),
    shape(Table::Unusual, "unusual_callers", "Callers far from usual", &["caller", "kind"]).capacity(4096),
    shape(Table::Risks, "session_risks", "Risks that sessions showed", &["risk"]).callers(),
    shape(Table::Policies, "policies", "Policies in force", &["policy", "digest"]),
    shape(Table::Ungoverned, "ungoverned", "Model hosts reached past the filter", &["host", "provider", "client"])
        .counting("connections")
        .capacity(4096),
    shape(Table::Unrecorded, "unrecorded", "Exchanges without a record", &["details", "cluster"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_their_order() {
        for (i, shape) in SHAPES.iter().enumerate() {
            assert_eq!(shape.table as usize, i, "{}", shape.name);
            assert!(SHAPES.iter().skip(i + 1).all(|other| other.name != shape.name && other.title != shape.title));
        }
    }
}
