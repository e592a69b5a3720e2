//! `doorward render`: several files as one policy, and what is made of it, by what it says and by the schemas that Istio publishes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Ran, doorward, root};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn render(arguments: &str) -> Ran {
    let arguments = arguments.replace("@DIGEST", &format!("@sha256:{DIGEST}"));
    let mut all = vec!["render"];
    all.extend(arguments.split_whitespace());
    doorward(&all)
}

fn rendered(arguments: &str) -> Value {
    let ran = render(arguments);
    assert_eq!(ran.code, 0, "{arguments}: {}", ran.err);
    yaml(&ran.out)
}

pub(super) fn yaml(text: &str) -> Value {
    let documents = serde_saphyr::from_multiple::<Value>(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    documents.into_iter().next().unwrap()
}

const IN_ISTIO: &str = "--selector app=egress --namespace istio-system --module oci://r.test/doorward@DIGEST";

#[test]
fn files_of_several_owners_are_one_policy() {
    let fragment = rendered("--to envoy render/base.yaml --owned payments=render/payments.yaml");
    let config = &fragment["http_connection_manager"]["http_filters"][0]["typed_config"]["config"];
    let policy = &config["configuration"]["value"];
    let ids = |list: &str| -> Vec<&str> {
        policy[list].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect()
    };
    assert_eq!(ids("access"), ["eng", "payments-eng"]);
    assert_eq!(ids("limits"), ["day", "payments-day"]);
    // The filter knows no names of time zones, but their rules.
    assert_eq!(policy["limits"][0]["zone"], "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_eq!(policy["limits"][1]["zone"], "EST5EDT,M3.2.0,M11.1.0");
    assert_eq!(config["vm_config"]["environment_variables"]["host_env_keys"], json!(["DOORWARD_TOKENIZE_KEY"]));
    assert_eq!(config["failure_policy"], "FAIL_RELOAD");
    assert_eq!(config["vm_config"]["vm_id"], "doorward-prod");
    assert_eq!(fragment["listener"], Value::Null, "Envoy's own buffer is enough for it");
}

/// Each with every line that has to be said, and no other error.
#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let flow =
        "--topology waypoint --target-ref Gateway/waypoint --module oci://r.test/doorward@DIGEST render/workloads.yaml";
    let cases = [
        // Two files that say different things: both are named.
        (
            "--to envoy render/base.yaml render/other.yaml".to_owned(),
            vec![
                ("`name` is another one in render/base.yaml:2", "render/other.yaml:2:7 (name)"),
                (
                    "a second `issuer: https://idp.test`; the first is in render/base.yaml:8",
                    "render/other.yaml:5:14 (identity.jwt[0].issuer)",
                ),
                ("`roles.eng` is another one in render/base.yaml:11", "render/other.yaml:8:8 (roles.eng)"),
                ("a second `id: eng`; the first is in render/base.yaml:13", "render/other.yaml:11:8 (access[1].id)"),
                ("no time zone is `Europe/Atlantis`", "render/other.yaml:13:50 (limits[0].zone)"),
            ],
        ),
        // A mistake of the second file is shown in the second file, by its own numbering.
        (
            "--to envoy render/base.yaml render/wrong.yaml".to_owned(),
            vec![("unknown role `engg`", "render/wrong.yaml:4:37 (access[1].roles")],
        ),
        // An owner who reaches for what is not theirs.
        (
            "--to envoy render/base.yaml --owned payments=render/grasping.yaml".to_owned(),
            vec![
                ("`mode` is for files of the platform's", "render/grasping.yaml:2:1 (mode)"),
                ("`targets` is for files of the platform's", "render/grasping.yaml:3:1 (targets)"),
                // Counters stand under the policy's name: another name would begin them all anew.
                ("`name` is for files of the platform's", "render/grasping.yaml:15:1 (name)"),
                ("no `targets`, so it would hold for everybody's", "render/grasping.yaml:6:3 (access[0].targets)"),
                ("`openai` is no target of `payments`", "render/grasping.yaml:7:43 (access[1].targets)"),
                ("`weakens` in a file of `payments`", "render/grasping.yaml:9:89 (content[0].weakens)"),
                ("`to-us` is no statement of `payments`'s own", "render/grasping.yaml:9:54 (content[0].route)"),
                ("`openai` is no target of `payments`", "render/grasping.yaml:11:76 (routes[0].to.target)"),
                ("`day` is no statement of `payments`'s own", "render/grasping.yaml:13:58 (limits[0].replaces)"),
                ("`global` in a file of `payments`", "render/grasping.yaml:14:63 (limits[1].global)"),
            ],
        ),
        // A place that shows no peer, and where headers have gone ahead.
        (
            format!("--to traffic-extension --phase AUTHN {flow}"),
            vec![
                (
                    "`home` cannot send requests elsewhere in a TrafficExtension",
                    "render/workloads.yaml:18:3 (routes[0])",
                ),
                (
                    "`health` cannot send requests elsewhere in a TrafficExtension",
                    "render/workloads.yaml:19:3 (routes[1])",
                ),
                ("what a text carries cannot choose a route", "render/workloads.yaml:16:36 (content[0].action)"),
                (
                    "workloads are to be proven by their certificates, and a waypoint",
                    "render/workloads.yaml:7:3 (identity.mtls)",
                ),
                ("the role asks for a workload, and a waypoint sees no peer", "(roles.jobs[0].workloads)"),
                ("the limit counts workloads apart, and a waypoint", "(limits[0].per)"),
                ("in phase AUTHN nobody has verified a token yet", "(identity.envoy_metadata)"),
            ],
        ),
        (
            format!("--to envoy-filter --topology gateway {IN_ISTIO} render/workloads.yaml"),
            vec![
                ("and a gateway without --mutual sees no peer", "(identity.mtls)"),
                ("the role asks for a workload", "(roles.jobs[0].workloads)"),
                ("the limit counts workloads apart", "(limits[0].per)"),
            ],
        ),
    ];
    // What Istio says of the peer is there at a waypoint, and nowhere else.
    let at = "--module oci://r.test/doorward@DIGEST render/waypoint.yaml";
    let waypoint = render(&format!("--to traffic-extension --topology waypoint --target-ref Gateway/waypoint {at}"));
    assert_eq!(waypoint.code, 0, "{}", waypoint.err);
    assert!(waypoint.err.contains("set per_connection_buffer_limit_bytes to 4065536"), "{}", waypoint.err);
    let elsewhere = format!("--to traffic-extension --topology sidecar-inbound --selector app=llm {at}");
    // Who is behind a listed peer shows where the peer itself does, and where the header is let through.
    let at = "--module oci://r.test/doorward@DIGEST render/forwarded.yaml";
    let gateway = render(&format!("--to envoy-filter --topology gateway --mutual --selector a=b {at}"));
    assert_eq!(gateway.code, 0, "{}", gateway.err);
    assert!(gateway.err.contains("forwardClientCertDetails: APPEND_FORWARD"), "{}", gateway.err);
    let policy = yaml(&gateway.out);
    assert!(policy.to_string().contains("spiffe://cluster.local/ns/edge/sa/gateway"), "{policy}");
    let inbound = render(&format!("--to traffic-extension --topology sidecar-inbound --selector app=llm {at}"));
    assert_eq!((inbound.code, inbound.err.as_str()), (0, ""));
    let hidden = |place: &str, arguments: &str| {
        let roles = "the role asks for a workload";
        (
            format!("{arguments} {at}"),
            vec![(place.to_owned(), "(identity.mtls)"), (roles.to_owned(), "(roles.jobs.workloads)")],
        )
    };
    let hidden = [
        hidden("and a waypoint sees no peer", "--to traffic-extension --topology waypoint --target-ref Gateway/w"),
        hidden("and an outbound sidecar sees no peer", "--to envoy-filter --topology sidecar-outbound --selector a=b"),
        hidden("and a gateway without --mutual sees no peer", "--to envoy-filter --topology gateway --selector a=b"),
    ];
    for (arguments, said) in hidden {
        let ran = render(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{arguments}: {}", ran.err);
        for (message, place) in &said {
            assert!(ran.err.contains(message.as_str()) && ran.err.contains(place), "{arguments}: {}", ran.err);
        }
    }
    let cases = cases
        .into_iter()
        .chain([(elsewhere, vec![("only a waypoint has what Istio says of the peer", "(identity.mtls.from)")])]);
    for (arguments, said) in cases {
        let ran = render(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{arguments}: {}", ran.err);
        for (message, place) in &said {
            let told = ran.err.split("error: ").any(|issue| issue.contains(message) && issue.contains(place));
            assert!(told, "{arguments}: `{message}` at `{place}` in\n{}", ran.err);
        }
        assert_eq!(ran.err.matches("error: ").count(), said.len(), "{arguments}:\n{}", ran.err);
    }
}

#[test]
fn what_is_not_said_is_asked_for() {
    for (arguments, asked) in [
        ("--to wasm-plugin --selector a=b render/base.yaml", "needs --module"),
        ("--to wasm-plugin --selector a=b --module oci://r.test/doorward:latest render/base.yaml", "has no digest"),
        ("--to wasm-plugin --selector a=b --module oci://r.test/doorward@sha256:12 render/base.yaml", "is no SHA-256"),
        ("--to wasm-plugin --module oci://r.test/doorward@DIGEST render/base.yaml", "say which pods"),
        ("--to envoy-filter --selector a=b --module oci://r.test/doorward@DIGEST render/base.yaml", "needs --topology"),
        (
            "--to envoy-filter --topology waypoint --target-ref Gateway/w --module oci://r.test/doorward@DIGEST render/base.yaml",
            "not for waypoints",
        ),
        ("--to envoy-gateway --module oci://r.test/doorward@DIGEST render/base.yaml", "say --target-ref"),
        ("--to envoy --module https://r.test/doorward.wasm render/base.yaml", "reads the module from a file"),
        ("--to envoy --helm extraObjects render/base.yaml", "--helm is for Kubernetes"),
        // Helm would run what the policy says: `{{` is a template of its charts.
        (
            "--to wasm-plugin --helm extraDeploy --selector a=b --module oci://r.test/doorward@DIGEST render/base.yaml",
            "read as a template",
        ),
        ("--to envoy --owned payments render/base.yaml", "is not OWNER=FILE"),
        ("--to envoy --into check/envoy-routes.yaml render/none.yaml", "cannot read `render/none.yaml`"),
        ("--to envoy --into render/base.yaml render/base.yaml", "has no listener with an HTTP connection manager"),
    ] {
        let ran = render(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}: {}", ran.err);
        assert!(ran.err.contains(asked), "{arguments}: {}", ran.err);
    }
}

#[test]
fn resources_say_what_they_can() {
    let extension = rendered(&format!("--to traffic-extension --topology sidecar-inbound {IN_ISTIO} render/base.yaml"));
    let spec = &extension["spec"];
    assert_eq!(spec["selector"], json!({"matchLabels": {"app": "egress"}}));
    assert_eq!((&spec["phase"], &spec["priority"]), (&json!("AUTHZ"), &json!(100)));
    assert_eq!(spec["wasm"]["failStrategy"], "FAIL_RELOAD");
    assert_eq!(spec["wasm"]["sha256"], DIGEST);
    // Headers go ahead there, and the policy knows.
    assert_eq!(spec["wasm"]["pluginConfig"]["envoy"], json!({"hold_headers": false}));
    assert_eq!(spec["match"], json!([{"mode": "SERVER"}]));
    let env = json!([{"name": "DOORWARD_TOKENIZE_KEY", "valueFrom": "HOST"}]);
    assert_eq!(spec["wasm"]["vmConfig"]["env"], env);

    let gateway = rendered(
        "--to envoy-gateway --topology gateway --target-ref Gateway/eg --module oci://r.test/doorward@DIGEST render/base.yaml",
    );
    let wasm = &gateway["spec"]["wasm"][0];
    assert_eq!(wasm["code"]["image"]["url"], format!("r.test/doorward@sha256:{DIGEST}"));
    assert_eq!((&wasm["failOpen"], &wasm["env"]), (&json!(false), &json!({"hostKeys": ["DOORWARD_TOKENIZE_KEY"]})));
    assert_eq!(gateway["spec"]["targetRefs"][0]["name"], "eg");

    let filter = rendered(&format!("--to envoy-filter --topology gateway --mutual {IN_ISTIO} render/workloads.yaml"));
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    let applied: Vec<&str> = patches.iter().map(|p| p["applyTo"].as_str().unwrap()).collect();
    assert_eq!(applied, ["EXTENSION_CONFIG", "HTTP_FILTER", "NETWORK_FILTER", "LISTENER", "BOOTSTRAP"]);
    let config = &patches[0]["patch"]["value"]["typed_config"]["config"];
    assert_eq!(config["allow_on_headers_stop_iteration"], true);
    assert_eq!(patches[3]["patch"]["value"]["per_connection_buffer_limit_bytes"], 4_065_536);

    let values = rendered(&format!("--to wasm-plugin --helm extraObjects {IN_ISTIO} render/plain.yaml"));
    assert_eq!(values["extraObjects"][0]["kind"], "WasmPlugin");
}

/// What is made passes the check of what is written by hand.
#[test]
fn what_is_rendered_is_checked_as_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, name) in [
        (format!("--to wasm-plugin {IN_ISTIO} render/base.yaml"), "plugin.yaml"),
        (format!("--to envoy-filter --topology gateway --mutual {IN_ISTIO} render/workloads.yaml"), "filter.yaml"),
        ("--to envoy render/base.yaml --owned payments=render/payments.yaml".to_owned(), "fragment.yaml"),
    ] {
        let ran = render(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let file = folder.path().join(name);
        std::fs::write(&file, &ran.out).unwrap();
        let checked = doorward(&["check", file.to_str().unwrap()]);
        assert_eq!(checked.code, 0, "{}\n{}", checked.out, ran.out);
        // The digest in the first lines is the one that will stand on the record.
        let digest = checked.out.split("digest ").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(ran.out.contains(&format!("digest {digest}.")), "{}", checked.out);
    }
}

/// The schemas of Istio's resources: `DOORWARD_ISTIO_CRDS`, or a folder `shared/crds` beside the project.
fn schemas() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("DOORWARD_ISTIO_CRDS") {
        return Some(PathBuf::from(file));
    }
    let beside = |folder: &Path| folder.join("shared/crds/istio.yaml");
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(beside).find(|file| file.is_file())
}

#[test]
fn resources_fit_the_schemas_that_istio_publishes() {
    let Some(file) = schemas() else {
        eprintln!("SKIPPED: no schemas; set DOORWARD_ISTIO_CRDS to the file of Istio's custom resource definitions");
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let definitions = serde_saphyr::from_multiple::<Value>(&text).unwrap();
    let istio = |more: &str| format!("{more} {IN_ISTIO}");
    let mut kinds = Vec::new();
    for arguments in [
        istio("--to wasm-plugin render/base.yaml --owned payments=render/payments.yaml"),
        istio("--to traffic-extension --topology sidecar-outbound --pull-secret s render/base.yaml"),
        istio("--to envoy-filter --topology sidecar-inbound render/workloads.yaml"),
        "--to traffic-extension --topology waypoint --target-ref Service/llm --module oci://r.test/d@DIGEST render/base.yaml"
            .to_owned(),
        "--to envoy-filter --topology gateway --target-ref Gateway/eg --module /m.wasm render/base.yaml".to_owned(),
    ] {
        let resource = rendered(&arguments);
        let kind = resource["kind"].as_str().unwrap().to_owned();
        let schema = strict(&definitions, &resource);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&resource).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{arguments}: {errors:#?}");
        // The validator sees what is wrong, or its silence would mean nothing.
        let mut wrong = resource.clone();
        wrong["spec"]["unheardOf"] = json!(1);
        assert!(!validator.is_valid(&wrong), "{kind}");
        kinds.push(kind);
    }
    kinds.dedup();
    assert_eq!(kinds, ["WasmPlugin", "TrafficExtension", "EnvoyFilter", "TrafficExtension", "EnvoyFilter"]);
}

/// What is shipped by hand, where its kind has a schema at hand.
#[test]
fn shipped_resources_fit_the_schemas_that_istio_publishes() {
    let Some(file) = schemas() else {
        eprintln!("SKIPPED: no schemas; set DOORWARD_ISTIO_CRDS to the file of Istio's custom resource definitions");
        return;
    };
    let definitions = serde_saphyr::from_multiple::<Value>(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut fitted = 0;
    for entry in std::fs::read_dir(root("envoy/istio")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for resource in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            let known = definitions.iter().any(|d| !d.is_null() && d["spec"]["names"]["kind"] == resource["kind"]);
            if !known {
                continue;
            }
            let validator = jsonschema::validator_for(&strict(&definitions, &resource)).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&resource).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{} {}: {errors:#?}", path.display(), resource["metadata"]["name"]);
            fitted += 1;
        }
    }
    assert!(fitted >= 5, "{fitted}");
}

/// The schema of a resource's kind and version, as the API server takes it with strict field validation: what a schema does not
/// name is an error.
fn strict(definitions: &[Value], resource: &Value) -> Value {
    let (group, version) = resource["apiVersion"].as_str().unwrap().split_once('/').unwrap();
    let of = |d: &&Value| d["spec"]["names"]["kind"] == resource["kind"] && d["spec"]["group"] == group;
    let definition = definitions.iter().find(of).unwrap_or_else(|| panic!("no definition of {}", resource["kind"]));
    let versions = definition["spec"]["versions"].as_array().unwrap();
    let found = versions.iter().find(|v| v["name"] == version).unwrap_or_else(|| panic!("no version {version}"));
    let mut schema = found["schema"]["openAPIV3Schema"].clone();
    close(&mut schema["properties"]["spec"]);
    schema
}

fn close(schema: &mut Value) {
    let keeps = schema["x-kubernetes-preserve-unknown-fields"] == true;
    if let Some(object) = schema.as_object_mut() {
        if object.contains_key("properties") && !keeps && !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            properties.values_mut().for_each(close);
        }
        if let Some(items) = object.get_mut("items") {
            close(items);
        }
    }
}

/// A configuration with one listener, and these clusters.
fn ordinary(clusters: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let text = format!(
        "static_resources:\n  listeners:\n  - name: llm\n    filter_chains: [{{filters: [{{typed_config: {{\"@type\": {hcm}, \
         http_filters: [{{name: envoy.filters.http.router}}]}}}}]}}]\n  clusters:\n{clusters}"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

fn keyed(clusters: &str, more: &str) -> Ran {
    let file = ordinary(clusters);
    render(&format!("--to envoy --into {} {more} render/plain.yaml", file.path().display()))
}

#[test]
fn a_key_is_put_on_its_clusters_and_on_no_other() {
    let clusters = "  - {name: openai}\n  - {name: other}\n";
    let ran = keyed(clusters, "--key openai=OPENAI_API_KEY");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rendered = yaml(&ran.out);
    let resources = &rendered["static_resources"];
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let filters = &resources["clusters"][0]["typed_extension_protocol_options"][options]["http_filters"];
    let names: Vec<&str> = filters.as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["envoy.filters.http.credential_injector", "envoy.filters.http.upstream_codec"]);
    assert_eq!(filters[0]["typed_config"]["overwrite"], true, "a caller's own would go on");
    let generic = &filters[0]["typed_config"]["credential"]["typed_config"];
    assert_eq!((&generic["header"], &generic["header_value_prefix"]), (&json!("authorization"), &json!("Bearer ")));
    let value = json!({"secret": {"environment_variable": "OPENAI_API_KEY"}});
    let secret = json!({"name": generic["credential"]["name"], "generic_secret": value});
    assert_eq!(resources["secrets"], json!([secret]));
    assert_eq!(resources["clusters"][1], json!({"name": "other"}));
    // The way to the issuer's keys was missing, and says whom it trusts.
    let idp = &resources["clusters"][2];
    let tls = &idp["transport_socket"]["typed_config"];
    assert_eq!((&idp["name"], &tls["sni"]), (&json!("idp"), &json!("idp.test")));
    let names = &tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"];
    assert_eq!(*names, json!([{"san_type": "DNS", "matcher": {"exact": "idp.test"}}]));
    assert!(ran.err.contains("the cluster `idp` was added: TLS to idp.test:443"), "{}", ran.err);
    // What is there already stays, and what leads nowhere is told.
    let ran = keyed("  - {name: idp}\n", "");
    assert_eq!(yaml(&ran.out)["static_resources"]["clusters"], json!([{"name": "idp"}]));
    assert!(ran.err.contains("no cluster of this configuration is `openai`"), "{}", ran.err);
}

#[test]
fn a_key_that_would_go_astray_is_refused() {
    let plain = "  - {name: openai}\n";
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let injected = format!(
        "  - {{name: openai, typed_extension_protocol_options: {{{options}: {{http_filters: [{{name: envoy.filters.http.credential_injector}}]}}}}}}\n"
    );
    for (clusters, key, said) in [
        (plain, "--key openai", "is not TARGET=VARIABLE"),
        (plain, "--key openai=sk-an-actual-key", "is not TARGET=VARIABLE"),
        (plain, "--key openai=0a1b2c3d4e5f", "is not TARGET=VARIABLE"),
        (plain, "--key opennai=KEY", "no target of the policy is `opennai`"),
        (plain, "--key payments=KEY", "no cluster of the file is `payments`"),
        (plain, "--key openai=KEY --key openai=OTHER", "has a key already"),
        (&injected, "--key openai=KEY", "has a key already"),
        ("  - {name: openai, http2_protocol_options: {}}\n", "--key openai=KEY", "which Envoy has deprecated"),
    ] {
        let ran = keyed(clusters, key);
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains(said), "{key}: {} {}", ran.code, ran.err);
        assert!(!ran.err.contains("actual-key") && !ran.err.contains("0a1b2c"), "a key is shown: {}", ran.err);
    }
    // A listener without the filter that leads to the cluster would carry the key for anybody.
    let hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let filter = |routes: &str| {
        format!(
            "[{{filters: [{{typed_config: {{\"@type\": {hcm}, {routes}, http_filters: [{{name: envoy.filters.http.router}}]}}}}]}}]"
        )
    };
    for (routes, fits) in [
        ("route_config: {virtual_hosts: [{routes: [{route: {cluster: openai}}]}]}", false),
        (
            "route_config: {virtual_hosts: [{routes: [{route: {weighted_clusters: {clusters: [{name: openai}]}}}]}]}",
            false,
        ),
        ("rds: {route_config_name: later}", false),
        ("route_config: {virtual_hosts: [{routes: [{route: {cluster: web}}]}]}", true),
    ] {
        let file = ordinary(plain);
        let text = std::fs::read_to_string(file.path()).unwrap();
        let second = format!("  - name: second\n    filter_chains: {}\n  clusters:\n", filter(routes));
        std::fs::write(file.path(), text.replace("  clusters:\n", &second)).unwrap();
        let into = format!("--to envoy --into {} --key openai=KEY render/plain.yaml", file.path().display());
        let ran = render(&format!("{into} --listener llm"));
        assert_eq!(ran.code, if fits { 0 } else { 2 }, "{routes}: {}", ran.err);
        assert!(fits || ran.err.contains("the listener `second` may lead to `openai`"), "{routes}: {}", ran.err);
        // With the filter in both it is nobody's.
        assert_eq!(render(&into).code, 0);
    }
    let alone = render("--to envoy --key openai=KEY render/plain.yaml");
    assert!(alone.code == 2 && alone.err.contains("--into"), "{}", alone.err);
}
