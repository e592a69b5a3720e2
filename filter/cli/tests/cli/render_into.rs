//! `doorward render --into`: nothing leads past the filter, and a provider's key goes to the provider alone.

use serde_json::{Value, json};

use super::render::{render, yaml};
use super::{Ran, doorward};

const HCM: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";

/// The members of a connection manager whose one route leads to the target's cluster.
fn hcm() -> Value {
    json!({
        "@type": HCM,
        "route_config": {"virtual_hosts": [{"routes": [{"route": {"cluster": "openai"}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router"}],
    })
}

fn with(mut value: Value, key: &str, more: Value) -> Value {
    value[key] = more;
    value
}

fn chain(typed_config: Value) -> Value {
    json!({"filters": [{"name": "hcm", "typed_config": typed_config}]})
}

/// The provider's cluster, with this said about how it is verified.
fn cluster(tls: Value) -> Value {
    json!({"name": "openai", "transport_socket": {"name": "tls", "typed_config": tls}})
}

fn verified() -> Value {
    let san = json!({"san_type": "DNS", "matcher": {"exact": "api.openai.com"}});
    let context = json!({"trusted_ca": {"filename": "/ca.pem"}, "match_typed_subject_alt_names": [san]});
    json!({"@type": TLS, "sni": "api.openai.com", "common_tls_context": {"validation_context": context}})
}

/// A configuration with a listener of these filter chains, and the listeners in `more`.
fn config(chains: Value, more: &[Value]) -> Value {
    let mut listeners = vec![json!({"name": "llm", "filter_chains": chains})];
    listeners.extend(more.iter().cloned());
    json!({"static_resources": {"listeners": listeners, "clusters": [cluster(verified()), {"name": "payments"}]}})
}

fn into(config: &Value, more: &str) -> Ran {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    render(&format!("--to envoy --into {} {more} render/plain.yaml", file.path().display()))
}

fn names(filters: &Value) -> Vec<&str> {
    filters.as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect()
}

const BOTH: [&str; 2] = ["doorward", "envoy.filters.http.router"];

#[test]
fn an_upgrade_with_filters_of_its_own_goes_through_the_filter_too() {
    let router = json!([{"name": "r", "typed_config": {"@type": "x/envoy.extensions.filters.http.router.v3.Router"}}]);
    let upgrades = json!([
        {"upgrade_type": "websocket", "filters": router},
        {"upgrade_type": "CONNECT"},
        {"upgrade_type": "spdy", "filters": []},
    ]);
    for key in ["upgrade_configs", "upgradeConfigs"] {
        let ran = into(&config(json!([chain(with(hcm(), key, upgrades.clone()))]), &[]), "--key openai=KEY");
        assert_eq!(ran.code, 0, "{}", ran.err);
        let made = yaml(&ran.out);
        let made = &made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(names(&made["http_filters"]), BOTH);
        let upgrades = &made["upgrade_configs"];
        assert_eq!(names(&upgrades[0]["filters"]), ["doorward", "r"], "{key}");
        assert_eq!(upgrades[0]["filters"][0], made["http_filters"][0], "another policy");
        // These go through `http_filters` as they are.
        assert_eq!((&upgrades[1]["filters"], &upgrades[2]["filters"]), (&Value::Null, &json!([])));
    }
    let nowhere = json!([{"upgrade_type": "websocket", "filters": [{"name": "envoy.filters.http.cors"}]}]);
    let ran = into(&config(json!([chain(with(hcm(), "upgrade_configs", nowhere))]), &[]), "");
    assert!(ran.code == 2 && ran.out.is_empty(), "{} {}", ran.code, ran.err);
    assert!(ran.err.contains("without a router for the upgrade `websocket`"), "{}", ran.err);
}

#[test]
fn no_route_switches_the_filter_off() {
    let off = json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true});
    // What is said of other Wasm filters is not said of this one.
    let others = json!({"envoy.filters.http.wasm": off});
    let routes = |key: &str, value: &Value| {
        let route = with(json!({"route": {"cluster": "openai"}}), key, value.clone());
        with(hcm(), "route_config", json!({"virtual_hosts": [{"routes": [route]}]}))
    };
    let ran = into(&config(json!([chain(routes("typed_per_filter_config", &others))]), &[]), "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let made = yaml(&ran.out);
    let made = &made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(names(&made["http_filters"]), BOTH);

    let ours = json!({"doorward": off});
    let host = json!({"virtual_hosts": [{"typed_per_filter_config": ours}]});
    let weighted = json!([{"name": "openai", "typed_per_filter_config": ours}]);
    let weighted = json!({"virtual_hosts": [{"routes": [{"route": {"weighted_clusters": {"clusters": weighted}}}]}]});
    let whole = json!({"typed_per_filter_config": ours});
    let mut cases: Vec<Value> =
        ["typed_per_filter_config", "typedPerFilterConfig"].map(|key| routes(key, &ours)).into();
    cases.extend([host, weighted, whole].map(|value| with(hcm(), "route_config", value)));
    cases.push(routes("filter_disabled", &json!(["doorward"])));
    for case in cases {
        let config = config(json!([chain(case.clone())]), &[]);
        let ran = into(&config, "");
        assert!(ran.code == 2 && ran.out.is_empty(), "{case}: {} {}", ran.code, ran.err);
        assert!(ran.err.contains("names `doorward`") && ran.err.contains("--name"), "{case}: {}", ran.err);
        assert_eq!(into(&config, "--name guard").code, 0, "{case}: the filter has another name then");
    }
    let named = json!([{"name": "doorward", "disabled": true}, {"name": "envoy.filters.http.router"}]);
    let ran = into(&config(json!([chain(with(hcm(), "http_filters", named))]), &[]), "");
    assert!(ran.code == 2 && ran.err.contains("names `doorward`"), "{}", ran.err);
}

#[test]
fn a_key_is_refused_where_a_way_leads_past_the_filter() {
    let discovered = json!({"config_source": {"ads": {}}});
    let unplaced = with(hcm(), "http_filters", json!([{"name": "r", "config_discovery": discovered}]));
    let proxy = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": "openai"});
    // In the very listener that has the filter.
    for second in [
        chain(unplaced.clone()),
        chain(proxy),
        json!({"filters": [{"name": "hcm", "config_discovery": discovered}]}),
        json!({"filters": [{"name": "hcm", "configDiscovery": discovered}]}),
    ] {
        let config = config(json!([chain(hcm()), second]), &[]);
        let ran = into(&config, "--key openai=KEY");
        assert!(ran.code == 2 && ran.out.is_empty(), "{second}: {} {}", ran.code, ran.err);
        assert!(ran.err.contains("the listener `llm` may lead to `openai`"), "{second}: {}", ran.err);
        assert_eq!(into(&config, "").code, 0, "{second}: without a key there is nothing to take");
    }
    let ran = into(&config(json!([chain(hcm()), chain(unplaced)]), &[]), "");
    assert!(ran.err.contains("note: the listener `llm` has a connection manager without a router"), "{}", ran.err);
    // Names that happen to be the cluster's lead nowhere.
    let mut called = config(json!([chain(hcm())]), &[]);
    called["static_resources"]["listeners"][0]["name"] = json!("openai");
    called["static_resources"]["listeners"][0]["filter_chains"][0]["name"] = json!("openai");
    let ran = into(&called, "--key openai=KEY");
    assert_eq!(ran.code, 0, "{}", ran.err);

    let route = |route: Value| json!({"virtual_hosts": [{"routes": [{"route": route}]}]});
    for (key, value, fits) in [
        ("routeConfig", route(json!({"clusterHeader": "x-c"})), false),
        ("route_config", route(json!({"cluster_header": "x-c"})), false),
        ("route_config", route(json!({"cluster_specifier_plugin": "lua"})), false),
        ("route_config", route(json!({"inlineClusterSpecifierPlugin": {}})), false),
        ("route_config", json!({"vhds": {}}), false),
        ("scopedRoutes", json!({}), false),
        ("route_config", route(json!({"cluster": "web"})), true),
    ] {
        let second = json!({"@type": HCM, key: value, "httpFilters": [{"name": "envoy.filters.http.router"}]});
        let second = json!({"name": "second", "filterChains": [{"filters": [{"typedConfig": second}]}]});
        let config = config(json!([chain(hcm())]), &[second]);
        let ran = into(&config, "--listener llm --key openai=KEY");
        assert_eq!(ran.code, if fits { 0 } else { 2 }, "{key} {value}: {}", ran.err);
        assert!(fits || ran.err.contains("the listener `second` may lead to `openai`"), "{value}: {}", ran.err);
        // Its names are Envoy's as well, so that it can have the filter.
        let both = into(&config, "--key openai=KEY");
        assert_eq!(both.code, 0, "{key} {value}: {}", both.err);
        let made = yaml(&both.out);
        let made = &made["static_resources"]["listeners"][1]["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(names(&made["http_filters"]), BOTH);
    }
    let twice = with(hcm(), "httpFilters", json!([]));
    let ran = into(&config(json!([chain(twice)]), &[]), "");
    assert!(ran.code == 2 && ran.err.contains("one name of Envoy's"), "{}", ran.err);
}

#[test]
fn what_envoy_discovers_is_said_not_to_be_seen() {
    for key in ["dynamic_resources", "dynamicResources"] {
        let config = with(config(json!([chain(hcm())]), &[]), key, json!({"lds_config": {"ads": {}}}));
        let ran = into(&config, "--key openai=KEY");
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains("note: what Envoy discovers"), "{}", ran.err);
        assert!(!into(&config, "").err.contains("discovers"), "there is no key to take");
    }
    assert!(!into(&config(json!([chain(hcm())]), &[]), "--key openai=KEY").err.contains("discovers"));
}

#[test]
fn a_key_for_whoever_answers_is_warned_of() {
    let context = |context: Value| json!({"@type": TLS, "common_tls_context": {"validation_context": context}});
    let ca = json!({"filename": "/ca.pem"});
    let (clear, nobody, anybody) = ("without TLS", "no certificate is verified", "any certificate of a trusted");
    let system = json!({"system_root_certs": {}, "match_typed_subject_alt_names": [{"san_type": "DNS"}]});
    let sds = json!({"@type": TLS, "common_tls_context": {"validation_context_sds_secret_config": {"name": "ca"}}});
    let accepts = with(
        verified()["common_tls_context"]["validation_context"].clone(),
        "trust_chain_verification",
        json!("ACCEPT_UNTRUSTED"),
    );
    for (cluster, said) in [
        (cluster(verified()), None),
        (cluster(context(system)), None),
        (cluster(with(context(json!({"trustedCa": ca})), "autoSniSanValidation", json!(true))), None),
        (cluster(context(json!({"verify_certificate_spki": ["x"]}))), None),
        (cluster(sds), None),
        (cluster(json!({"transport_socket": {"typed_config": verified()}})), None),
        (json!({"name": "openai"}), Some(clear)),
        (cluster(json!({"@type": "x/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"})), Some(clear)),
        (cluster(json!({"@type": TLS, "sni": "api.openai.com"})), Some(nobody)),
        (cluster(context(accepts)), Some(nobody)),
        (cluster(context(json!({"match_typed_subject_alt_names": [{"san_type": "DNS"}]}))), Some(nobody)),
        (cluster(context(json!({"trusted_ca": ca}))), Some(anybody)),
        (cluster(context(json!({"trusted_ca": ca, "match_typed_subject_alt_names": []}))), Some(anybody)),
    ] {
        let mut config = config(json!([chain(hcm())]), &[]);
        config["static_resources"]["clusters"][0] = cluster.clone();
        let ran = into(&config, "--key openai=KEY");
        assert_eq!(ran.code, 0, "{cluster}: {}", ran.err);
        match said {
            None => assert!(!ran.err.contains("the key of"), "{cluster}: {}", ran.err),
            Some(said) => {
                let warned = ran.err.contains("warning: the key of `openai` goes out by the cluster `openai`");
                assert!(warned && ran.err.contains(said) && ran.err.contains(": add "), "{cluster}: {}", ran.err);
            }
        }
        assert!(!into(&config, "").err.contains("the key of"), "{cluster}: there is no key");
    }
}

/// The file is there to be looked at, and a script stops.
#[test]
fn errors_of_what_was_made_are_problems() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.json");
    for (more, code) in [(json!("SANITIZE_SET"), 1), (json!("FORWARD_ONLY"), 0)] {
        let config = config(json!([chain(with(hcm(), "forward_client_cert_details", more))]), &[]);
        std::fs::write(&file, config.to_string()).unwrap();
        let ran = render(&format!("--to envoy --into {} render/forwarded.yaml", file.display()));
        assert_eq!(ran.code, code, "{}", ran.err);
        assert_eq!(ran.err.contains("error: Envoy replaces what peers say"), code == 1, "{}", ran.err);
        assert_eq!(yaml(&ran.out)["static_resources"]["listeners"][0]["name"], "llm");
    }
}

#[test]
fn what_is_no_target_may_be_a_key_and_is_not_shown() {
    let config = config(json!([chain(hcm())]), &[]);
    for (key, shown) in
        [("sk-secret-0123", false), ("sk-secret-0123=", false), ("sk-secret-0123=x", false), ("openai", true)]
    {
        let ran = into(&config, &format!("--key {key}"));
        assert!(ran.code == 2 && ran.err.contains("is not TARGET=VARIABLE"), "{key}: {}", ran.err);
        assert!(!ran.err.contains("secret-0123"), "a key is shown: {}", ran.err);
        assert_eq!(ran.err.contains("--key openai=..."), shown, "{key}: {}", ran.err);
    }
}

#[test]
fn a_first_policy_reads_either_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.json");
    let address = json!({"socketAddress": {"address": "api.anthropic.com", "portValue": 443}});
    let endpoints = json!([{"lbEndpoints": [{"endpoint": {"address": address}}]}]);
    let cluster = json!({"name": "claude", "loadAssignment": {"endpoints": endpoints}});
    let config = json!({"staticResources": {"clusters": [cluster, {"name": "other"}]}});
    std::fs::write(&file, config.to_string()).unwrap();
    let (file, made) = (file.to_str().unwrap(), folder.path().join("made"));
    let ran = doorward(&["init", "--yes", "--envoy", file, made.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let policy = std::fs::read_to_string(made.join("policy.yaml")).unwrap();
    assert!(policy.contains("cluster: \"claude\", provider: anthropic"), "{policy}");
}
