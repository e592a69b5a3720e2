//! Which traffic goes to another Envoy route than the one it came by.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Mode;
use crate::config::OneOrMany;
use crate::protocol::Channel;

/// Traffic that goes to another target than Envoy chose first. Needs `envoy.hold_headers`, and routes in Envoy that match the header
/// `x-doorward-route`. Where a body's texts decide (`detect`, or a content statement with `action: route`), they beat every other
/// statement, and two that want different targets refuse the request; of the others the first that fits is taken. A request must be
/// allowed where it came and where it goes. Batches go elsewhere only under the models that they name; messages of MCP
/// and A2A do not, and are refused where they carry what would have to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteDocument {
    /// On the record when this decided.
    pub id: String,
    /// What traffic: all conditions must hold. Left out, only what content statements with `action: route` send here.
    #[serde(default)]
    pub when: Option<RouteWhenDocument>,
    /// Where it goes.
    pub to: RouteToDocument,
    /// The model that it asks there, under the name that it has there. Default: the one that was asked for.
    #[serde(default)]
    pub model: Option<String>,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
}

/// Conditions on a request.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteWhenDocument {
    /// Its body carries one of these types or groups of findings: `medical`, `EMAIL_ADDRESS`, a custom detector's name. The whole
    /// conversation counts, as it is in the body, and so does what encodings hide.
    #[serde(default)]
    pub detect: OneOrMany<String>,
    /// Where in the body a finding counts. Default: everywhere.
    #[serde(default)]
    pub channels: OneOrMany<Channel>,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The target that it is about to go to: the one that Envoy chose, unless another statement sends it elsewhere first.
    #[serde(default)]
    pub targets: OneOrMany<String>,
    /// The model asked for, aliases resolved (globs). What cannot be read may ask for any.
    #[serde(default)]
    pub models: OneOrMany<String>,
    /// The purpose that the credential states (globs).
    #[serde(default)]
    pub purposes: OneOrMany<String>,
    /// Further claims of the caller, such as a residency: name to accepted values (globs).
    #[serde(default)]
    pub claims: BTreeMap<String, OneOrMany<String>>,
}

/// Where traffic goes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteToDocument {
    /// The target's name. An answer from anywhere else is withheld.
    pub target: String,
    /// What `x-doorward-route` says, by which Envoy finds the route. Default: the target's name.
    #[serde(default)]
    pub value: Option<String>,
}
