//! Detectors outside of the filter: an HTTP service over a cluster of the host's.
//!
//! Core asks nobody itself. [`Texts`] collects what such a detector is to see of one body and writes the request;
//! [`External::read`] takes the answer to findings in those texts. In between, the exchange waits. Both
//! run on the same body, so nothing of it is kept meanwhile.
//!
//! Everything is bounded: texts and bytes that are sent, the answer's size, shape and number of findings. What is over a
//! bound, or cannot be read in full, is a [`Failure`]; a part of an answer is never taken for all of it.
//!
//! What this does not do: ask about a text that still arrives, or see through encodings.

mod answer;
mod compile;
mod document;
mod texts;

#[cfg(test)]
mod tests;

use std::fmt;

pub use answer::Found;
pub use document::{ExternalApi, ExternalDocument};
pub use texts::Texts;

use super::{KindId, Selection};
use crate::host::Side;

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Findings of one answer at most.
const MAX_FINDINGS: usize = 4096;

/// Different texts of one call at most.
const MAX_TEXTS: usize = 1024;

/// One compiled external detector.
pub struct External {
    /// Its name in the policy.
    pub name: String,
    /// The host's cluster.
    pub cluster: String,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// Milliseconds that a call may take.
    pub timeout_ms: u32,
    api: ExternalApi,
    language: String,
    min_score: f32,
    max_bytes: usize,
    /// Headers of the call, secrets among them.
    headers: Vec<(String, String)>,
    /// Its types and what they are here; empty where all are taken as `kind`.
    entities: Vec<(String, KindId)>,
    kind: Option<KindId>,
    kinds: Selection,
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External").field("name", &self.name).finish_non_exhaustive()
    }
}

impl External {
    /// The kinds of its findings.
    pub fn kinds(&self) -> &Selection {
        &self.kinds
    }

    /// The headers of a call, but for the pseudo headers.
    pub fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(self.headers.iter().cloned());
        headers
    }

    fn kind_of(&self, name: &str) -> Option<KindId> {
        self.kind.or_else(|| self.entities.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind))
    }
}

/// Why an external detector said nothing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is more text than it is sent.
    TooLarge,
    /// No answer in time.
    Timeout,
    /// No answer: the cluster is not there, or nobody behind it.
    Unreachable,
    /// An answer with this status.
    Status(u16),
    /// An answer that is not what its API answers, or more of it than is read.
    Malformed,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::TooLarge => f.write_str("too_large"),
            Failure::Timeout => f.write_str("timeout"),
            Failure::Unreachable => f.write_str("unreachable"),
            Failure::Status(status) => write!(f, "status_{status}"),
            Failure::Malformed => f.write_str("malformed"),
        }
    }
}

/// A side's name in a webhook's request.
fn direction(side: Side) -> &'static str {
    match side {
        Side::Request => "request",
        Side::Response => "response",
    }
}
