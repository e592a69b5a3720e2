//! Policy packs, from `policies/packs/*.yaml` to what is compiled in.
//!
//! The filter carries what it enforces, as JSON. What is for people (titles, controls, what a proxy cannot do) stays in the
//! YAML, which only a terminal reads. A pack that is not well made does not build.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "runs while building, never in the filter")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value};

/// Sections that are lists of statements with ids.
const STATEMENTS: [&str; 3] = ["access", "content", "limits"];
/// What else of a pack the filter reads.
const SETTINGS: [&str; 3] = ["answers", "detectors", "requires"];
/// What is for people.
const PROSE: [&str; 7] = ["pack", "version", "title", "source", "about", "cannot", "beside"];

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../policies/packs");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml") && !path.to_string_lossy().ends_with(".test.yaml"))
        .collect();
    files.sort();
    let (mut packs, mut sources) = (String::new(), String::new());
    for file in &files {
        let shown = file.display();
        println!("cargo::rerun-if-changed={shown}");
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let pack: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let pack = pack.as_object().unwrap_or_else(|| panic!("{shown}: not a mapping"));
        let (name, version, json) = read(pack, file).unwrap_or_else(|problem| panic!("{shown}: {problem}"));
        writeln!(packs, "    Pack {{ name: {name:?}, version: {version}, json: {json:?} }},").unwrap();
        let path = fs::canonicalize(file).unwrap();
        writeln!(sources, "    ({name:?}, {version}, include_str!({:?})),", path.display().to_string()).unwrap();
    }
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("packs.rs");
    let text = format!(
        "pub(super) static PACKS: &[Pack] = &[\n{packs}];\n\n\
         /// Every pack as it was written: name, version, YAML. Nothing that runs in Envoy refers to it.\n\
         pub static SOURCES: &[(&str, u32, &str)] = &[\n{sources}];\n"
    );
    fs::write(&out, text).unwrap_or_else(|e| panic!("{}: {e}", out.display()));
}

/// A pack's name and version, and what the filter reads of it.
fn read(pack: &Map<String, Value>, file: &Path) -> Result<(String, u64, String), String> {
    let text = |key: &str| pack.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is no text"));
    let name = text("pack")?;
    let version = pack.get("version").and_then(Value::as_u64).ok_or("`version` is no whole number")?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    if stem != name && stem != format!("{name}@{version}") {
        return Err(format!("the file of `{name}` is `{name}.yaml`, that of an older version `{name}@{version}.yaml`"));
    }
    text("title").and(text("source")).and(text("about"))?;
    if pack.get("cannot").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err("`cannot` has to say what a proxy cannot do for it".to_owned());
    }
    let mut kept = Map::new();
    for (key, value) in pack {
        match key.as_str() {
            section if STATEMENTS.contains(&section) => {
                let statements = value.as_array().ok_or_else(|| format!("`{section}` is no list"))?;
                let statements: Result<Vec<Value>, String> = statements.iter().map(|s| statement(s, name)).collect();
                kept.insert(key.clone(), Value::Array(statements?));
            }
            setting if SETTINGS.contains(&setting) => {
                kept.insert(key.clone(), value.clone());
            }
            prose if PROSE.contains(&prose) => {}
            other => return Err(format!("unknown key `{other}`")),
        }
    }
    let grants = |s: &Value| s.get("effect").and_then(Value::as_str) != Some("deny");
    if kept.get("access").and_then(Value::as_array).is_some_and(|all| all.iter().any(grants)) {
        return Err("a pack takes away and grants nothing: only `effect: deny`".to_owned());
    }
    Ok((name.to_owned(), version, Value::Object(kept).to_string()))
}

/// A statement without what is for people. Its id begins with its pack's name, so that no two packs share one.
fn statement(statement: &Value, name: &str) -> Result<Value, String> {
    let mut statement = statement.as_object().cloned().ok_or("a statement is no mapping")?;
    let id = statement.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !id.starts_with(&format!("{name}.")) {
        return Err(format!("the id `{id}` does not begin with `{name}.`"));
    }
    let controls = statement.remove("controls");
    let is_text = |c: &Value| c.as_str().is_some_and(|c| !c.is_empty());
    if !controls.as_ref().and_then(Value::as_array).is_some_and(|all| !all.is_empty() && all.iter().all(is_text)) {
        return Err(format!("`{id}` does not say which `controls` it serves"));
    }
    statement.remove("why");
    Ok(Value::Object(statement))
}
