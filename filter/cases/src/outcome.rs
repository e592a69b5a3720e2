//! What came of an exchange, wherever it was played.

use std::collections::BTreeMap;

use doorward_core::identity::Principal;
use doorward_core::trace::Trace;

/// What can be seen of an exchange from outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What the upstream received; nothing where the request did not go on.
    pub upstream: Option<Received>,
    /// What the caller got.
    pub client: Option<Delivered>,
    /// The record's values by key.
    pub record: BTreeMap<String, String>,
    /// The request's body as the caller sent it.
    pub sent: Vec<u8>,
    /// The answer's body as the upstream sent it.
    pub answered: Vec<u8>,
    /// The request's headers as the filter saw them.
    pub asked: Vec<(String, String)>,
    /// The caller, as proven; offline only.
    pub caller: Option<Principal>,
    /// What was judged on the way; offline only.
    pub trace: Trace,
}

/// What an upstream received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The target that it stands for.
    pub target: Option<String>,
    /// The path, and query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a caller got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Outcome {
    /// A value of the record.
    pub fn value(&self, key: &str) -> &str {
        self.record.get(key).map_or("", String::as_str)
    }

    /// The items of a value that is a list.
    pub fn list(&self, key: &str) -> Vec<&str> {
        self.value(key).split(',').filter(|item| !item.is_empty()).collect()
    }
}

/// The value of a header.
pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
