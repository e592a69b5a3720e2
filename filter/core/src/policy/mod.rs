//! The policy: what is written ([`Document`]), compiled into what decides ([`Policy`]).
//!
//! No match denies, deny beats allow, order never matters. Every decision carries the ids of the statements that
//! made it and a reason. An observed statement never affects the outcome.

mod access;
mod content;
mod document;
mod glob;
mod models;
mod number;
mod params;
mod pins;
mod roles;
mod statement;
mod targets;
mod tools;

pub use access::{Access, Answer, Asked, Miss, Question};
pub use content::{Content, Plan, Rule};
pub use document::{
    Action, AnomalyActionDocument, AnomalyDocument, AnswersDocument, AtMaxHold, AuditDocument, BaselineDocument,
    BreakGlassDocument, Capture, ContentDocument, Direction, Document, FirstUse, Forward, GlobalDocument,
    LimitDocument, LimitHeaders, Mode, Of, OnChange, OnServiceFailure, OpenTelemetry, Per, Placeholder, PriceDocument,
    React, Refund, ReserveDocument, RiskDocument, RoleDocument, RouteDocument, RouteToDocument, RouteWhenDocument,
    SessionsDocument, StreamMode, ThresholdDocument, Tighten, ToolDocument, Transport, Ungoverned, Unit, UserNames,
    Verdict, WatchDocument,
};
pub use glob::{Glob, Globs};
pub use models::{Model, Models, is_model_name};
pub use number::Number;
pub use params::ParamHeaders;
pub(crate) use pins::hash as definition_hash;
pub use pins::{Pinned, Pins, digest as pin_of};
pub(crate) use roles::Conditions;
pub use roles::{RoleSet, Roles, Who};
pub(crate) use statement::check_statement;
pub(crate) use targets::includes;
pub use targets::{Target, Targets};
pub use tools::{Arguments, Declared, FUNCTION, Fitting, Tool, ToolAnswer, ToolMiss, url_host};

use crate::config::{Path, Problem};

/// A reference to something that is not there.
pub(crate) fn unknown<'a>(path: Path, what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let problem = Problem::new(path, format!("unknown {what} `{name}`"));
    match crate::config::nearest(name, known.clone()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => {
            let list: Vec<String> = known.take(8).map(|k| format!("`{k}`")).collect();
            problem.help(if list.is_empty() {
                format!("no {what} is defined")
            } else {
                format!("known here: {}", list.join(", "))
            })
        }
    }
}
