//! Tests of the engine as a whole.

mod configuration;
mod corpora;
mod evasion;
mod exfiltration;
mod hostile;
mod id_rows;
mod label_rows;
mod labels;
mod lane_cost;
mod lane_folded;
mod lane_properties;
mod lanes;
mod leak;
mod made_up;
mod properties;
mod sample_rows;
mod samples;
mod secret_rows;
mod speed;

use super::{Budget, Detectors, DetectorsDocument, Finding};
use crate::config::{Path, from_tree, tree_from_json};

/// The detectors of a `detectors:` document in JSON.
pub(super) fn detectors(json: &str) -> Detectors {
    compile(json).unwrap_or_else(|problem| panic!("{problem}"))
}

fn compile(json: &str) -> Result<Detectors, String> {
    let path = Path::root().key("detectors");
    let document: DetectorsDocument = from_tree(&tree_from_json(json).unwrap(), &path).map_err(|p| p.to_string())?;
    Detectors::compile(&document, &|name| env(name), &path).map_err(|p| p.to_string())
}

/// The key of listed values in tests.
pub(super) const EXACT: &str = "0123456789abcdef0123456789abcdef";

/// `exact:` of some values, as a document has it.
pub(super) fn exact(name: &str, values: &[&str]) -> String {
    use base64::Engine as _;
    let digests = super::exact::Digests::of(EXACT.as_bytes(), values.iter().copied());
    let bytes = base64::engine::general_purpose::STANDARD.encode(&digests.bytes);
    let (least, most) = (digests.least, digests.most);
    format!(
        r#"{{"name": "{name}", "key": {{"env": "EXACT"}}, "least": {least}, "most": {most}, "digests": "{bytes}"}}"#
    )
}

/// Secrets of tests.
fn env(name: &str) -> Option<String> {
    let value = match name {
        "CANARY" => "Zx9-Kanarie-Ü7",
        "SHORT" => "seven77",
        "EXACT" => EXACT,
        _ => return None,
    };
    Some(value.to_owned())
}

pub(super) fn builtin() -> Detectors {
    detectors("{}")
}

/// What the detectors named by `names` find.
fn findings(detectors: &Detectors, names: &[&str], text: &str) -> Vec<Finding> {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let selection = detectors.select(&names, &Path::root()).unwrap();
    let mut out = Vec::new();
    detectors.scan(text, &selection, &mut Budget::default(), &mut out).unwrap();
    out
}

/// The same as `TYPE:value`.
fn found(detectors: &Detectors, names: &[&str], text: &str) -> Vec<String> {
    findings(detectors, names, text)
        .iter()
        .map(|f| format!("{}:{}", detectors.kind(f.kind).name, text.get(f.start..f.end).unwrap()))
        .collect()
}

/// What `names` select.
pub(super) fn select_named(detectors: &Detectors, names: &[&str]) -> super::Selection {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    detectors.select(&names, &Path::root()).unwrap()
}
