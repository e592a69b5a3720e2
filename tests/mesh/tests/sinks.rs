//! Where records go: each shipped access-log sink is valid, and real exchanges arrive there with all their fields.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use doorward_e2e::envoy::{Cluster, ListenerSpec};
use doorward_e2e::governed::{World, access_log, chat, post};
use doorward_e2e::tools;
use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::{
    AccessLogService, AccessLogServiceServer,
};
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::LogEntries;
use envoy_types::pb::envoy::service::accesslog::v3::{StreamAccessLogsMessage, StreamAccessLogsResponse};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tonic::{Request, Response, Status, Streaming};

const CLUSTER: &str = "access-logs";

/// A shipped sink.
fn sink(name: &str) -> Value {
    let path = tools::root().join("envoy/access-logs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The fields of the record, among the members of the shipped format.
fn fields() -> Vec<String> {
    let ours = |key: &&String| ["doorward.", "gen_ai.", "mcp."].iter().any(|prefix| key.starts_with(prefix));
    access_log().as_object().expect("an object").keys().filter(ours).cloned().collect()
}

/// What Envoy says of a configuration.
fn validated(configuration: &Value) -> Result<(), String> {
    let folder = tools::scratch("sinks");
    let path: PathBuf = folder.join("envoy.json");
    std::fs::write(&path, configuration.to_string()).expect("a file");
    let output =
        Command::new(tools::envoy()).args(["--mode", "validate", "-c"]).arg(&path).output().expect("envoy starts");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A whole configuration around a sink.
fn bootstrap(name: &str, sink: &Value) -> Value {
    let clusters = sink["clusters"].as_array().cloned().unwrap_or_default();
    let filter = if name == "tcp.yaml" {
        json!({"name": "envoy.filters.network.tcp_proxy", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "t", "cluster": "c", "access_log": sink["access_log"],
        }})
    } else {
        json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "h", "access_log": sink["access_log"],
            "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "c"}}]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
        }})
    };
    let clusters: Vec<Value> = clusters.into_iter().chain([json!({"name": "c", "type": "STATIC"})]).collect();
    let mut listener = json!({"name": "l", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [filter]}]});
    if !sink["listener_filters"].is_null() {
        listener["listener_filters"] = sink["listener_filters"].clone();
    }
    json!({"static_resources": {"listeners": [listener], "clusters": clusters}})
}

#[test]
fn every_sink_is_valid() {
    let mut names: Vec<String> = std::fs::read_dir(tools::root().join("envoy/access-logs"))
        .expect("the folder")
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    assert_eq!(names, ["file.yaml", "grpc.yaml", "otlp.yaml", "tcp.yaml"]);
    for name in &names {
        let mut configuration = bootstrap(name, &sink(name));
        validated(&configuration).unwrap_or_else(|e| panic!("{name}: {e}"));
        // A validation that finds nothing wrong with this one would say nothing.
        let filter = &mut configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0];
        filter["typed_config"]["access_log"][0]["typed_config"]["no_such_field"] = json!(1);
        assert!(validated(&configuration).is_err_and(|e| e.contains("no_such_field")), "{name}");
    }
}

#[test]
fn every_sink_has_every_field() {
    let format = access_log();
    let file = sink("file.yaml");
    assert_eq!(file["access_log"][0]["typed_config"]["log_format"]["json_format"], format);
    let grpc = sink("grpc.yaml");
    let tags = grpc["access_log"][0]["typed_config"]["common_config"]["custom_tags"].as_array().expect("tags");
    let tags: BTreeMap<_, _> = tags.iter().map(|tag| (tag["tag"].as_str(), &tag["value"])).collect();
    let otlp = sink("otlp.yaml");
    let attributes = otlp["access_log"][0]["typed_config"]["attributes"]["values"].as_array().expect("attributes");
    let attributes: BTreeMap<_, _> =
        attributes.iter().map(|a| (a["key"].as_str(), &a["value"]["string_value"])).collect();
    for field in fields() {
        assert_eq!(tags.get(&Some(field.as_str())), Some(&&format[&field]), "{field}");
        assert_eq!(attributes.get(&Some(field.as_str())), Some(&&format[&field]), "{field}");
    }
    let tcp: Value = serde_json::from_str(
        &std::fs::read_to_string(tools::root().join("envoy/access-log-tcp.json")).expect("a file"),
    )
    .expect("JSON");
    assert_eq!(sink("tcp.yaml")["access_log"][0]["typed_config"]["log_format"]["json_format"], tcp);
}

/// Sends two exchanges through a gate that logs to `sink` and to a receiver at `address`; answers the record of each as the file has it.
async fn exchanges(name: &str, address: SocketAddr) -> Vec<BTreeMap<String, String>> {
    let world = World::new().await;
    let mut entries = sink(name)["access_log"].as_array().cloned().expect("entries");
    // Tests share an Envoy, and each has a receiver of its own.
    let receiver = Cluster::at(address, true);
    let service = &mut entries[0]["typed_config"]["common_config"]["grpc_service"]["envoy_grpc"];
    assert_eq!(service["cluster_name"], CLUSTER);
    service["cluster_name"] = json!(receiver.name);
    let folder = tools::scratch("records");
    let log = folder.join("access.log");
    let mut file = sink("file.yaml")["access_log"][0].clone();
    file["typed_config"]["path"] = json!(log);
    entries.push(file);
    let mut spec = ListenerSpec::to(world.cluster.clone()).wasm(world.wasm());
    spec.clusters.push(receiver);
    spec.hcm = json!({"access_log": entries});
    let gate = world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
    for (body, status) in [(chat("gpt-5-mini", "mail ann@corp.io"), 200), (chat("other", "x"), 403)] {
        let answer = gate.call(&post("/v1/chat/completions", &world.alice(), body.to_string())).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    for _ in 0..200 {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if text.ends_with('\n') && text.lines().count() == 2 {
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            return lines.map(|line| present(&line)).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no two lines in {}", log.display());
}

/// The fields that a line of the file has.
fn present(line: &Value) -> BTreeMap<String, String> {
    let value = |field: &String| Some((field.clone(), line[field].as_str()?.to_owned()));
    fields().iter().filter_map(value).collect()
}

async fn received<T>(receiver: &mut UnboundedReceiver<T>, count: usize) -> Vec<T> {
    let mut all = Vec::new();
    while all.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(20), receiver.recv()).await;
        all.push(next.expect("in time").expect("the receiver runs"));
    }
    all
}

/// Entries of a gRPC access-log service: tags, and the status that Envoy tells.
struct Als(UnboundedSender<(BTreeMap<String, String>, u32)>);

#[tonic::async_trait]
impl AccessLogService for Als {
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            let Some(LogEntries::HttpLogs(logs)) = message.log_entries else { continue };
            for entry in logs.log_entry {
                let tags = entry.common_properties.map(|common| common.custom_tags).unwrap_or_default();
                let status = entry.response.and_then(|response| response.response_code).map_or(0, |code| code.value);
                self.0.send((tags.into_iter().collect(), status)).ok();
            }
        }
        Ok(Response::new(StreamAccessLogsResponse {}))
    }
}

/// Log records of an OpenTelemetry collector: attributes, and the body.
struct Collector(UnboundedSender<(BTreeMap<String, String>, String)>);

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let text = |value: Option<opentelemetry_proto::tonic::common::v1::AnyValue>| match value.and_then(|v| v.value) {
            Some(Any::StringValue(text)) => text,
            other => format!("{other:?}"),
        };
        let resources = request.into_inner().resource_logs;
        for record in resources.into_iter().flat_map(|r| r.scope_logs).flat_map(|s| s.log_records) {
            let attributes = record.attributes.into_iter().map(|a| (a.key, text(a.value))).collect();
            self.0.send((attributes, text(record.body))).ok();
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

async fn free() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr()).expect("a port")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_access_log_service_gets_every_field() {
    let (send, mut receive) = unbounded_channel();
    let address = free().await;
    let server = tonic::transport::Server::builder().add_service(AccessLogServiceServer::new(Als(send)));
    let task = tokio::spawn(server.serve(address));
    let expected = exchanges("grpc.yaml", address).await;
    let mut entries = received(&mut receive, 2).await;
    entries.sort_by_key(|(_, status)| *status);
    assert_eq!(entries.iter().map(|(_, status)| *status).collect::<Vec<_>>(), [200, 403]);
    for ((tags, _), expected) in entries.iter().zip(&expected) {
        assert!(expected.contains_key("doorward.policy.digest"), "{expected:?}");
        assert_eq!(tags, expected);
    }
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opentelemetry_collector_gets_every_field() {
    let (send, mut receive) = unbounded_channel();
    let address = free().await;
    let server = tonic::transport::Server::builder().add_service(LogsServiceServer::new(Collector(send)));
    let task = tokio::spawn(server.serve(address));
    let expected = exchanges("otlp.yaml", address).await;
    let mut records = received(&mut receive, 2).await;
    records.sort_by(|a, b| a.0["http.response.status_code"].cmp(&b.0["http.response.status_code"]));
    for ((attributes, body), (expected, status)) in records.iter().zip(expected.iter().zip(["200", "403"])) {
        let of = |field: &String| Some((field.clone(), attributes.get(field).filter(|text| *text != "-")?.clone()));
        assert_eq!(&fields().iter().filter_map(of).collect::<BTreeMap<_, _>>(), expected);
        assert!(fields().iter().all(|field| attributes.contains_key(field)));
        assert_eq!(body, &format!("POST /v1/chat/completions {status}"));
    }
    task.abort();
}

/// The receivers share nothing; a sink that is away must not hold traffic up.
#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_away_holds_nothing_up() {
    let nobody = free().await;
    let started = std::time::Instant::now();
    let expected = Arc::new(exchanges("grpc.yaml", nobody).await);
    assert!(expected.len() == 2 && started.elapsed() < Duration::from_secs(30));
}

/// An Envoy of the test's own, stopped with it.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn connections_past_the_filter_tell_whom_they_reach() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let to = upstream.local_addr().expect("its address").port();
    // Nobody has to understand TLS for a name to be seen.
    std::thread::spawn(move || upstream.incoming().for_each(drop));
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let folder = tools::scratch("passed");
    let log = folder.join("access.log");
    let mut sink = sink("tcp.yaml");
    sink["access_log"][0]["typed_config"]["path"] = json!(log);
    let mut configuration = bootstrap("tcp.yaml", &sink);
    let resources = &mut configuration["static_resources"];
    resources["listeners"][0]["address"]["socket_address"]["port_value"] = json!(port);
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": to}});
    resources["clusters"][0]["load_assignment"] =
        json!({"cluster_name": "c", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]});
    let path = folder.join("envoy.json");
    std::fs::write(&path, configuration.to_string()).expect("a file");
    let mut envoy = Command::new(tools::envoy());
    envoy.args(["--use-dynamic-base-id", "--concurrency", "1", "-l", "error", "-c"]).arg(&path);
    let _running = Running(envoy.spawn().expect("envoy starts"));
    let hello = "import socket, ssl, sys
context = ssl.create_default_context()
try:
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), 1) as s:
        context.wrap_socket(s, server_hostname=sys.argv[2]).close()
except OSError:
    pass";
    let mut lines = String::new();
    for _ in 0..100 {
        for name in ["api.openai.com", "example.com"] {
            let status = Command::new(tools::report()).args(["-c", hello, &port.to_string(), name]).status();
            assert!(status.expect("python starts").success());
        }
        lines = std::fs::read_to_string(&log).unwrap_or_default();
        if lines.lines().filter(|line| line.contains("api.openai.com")).count() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = Command::new(tools::cli()).args(["report", "--format", "json"]).arg(&log).output().expect("it starts");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {lines}"));
    let rows = found["tables"]["ungoverned"]["rows"].as_array().expect("rows");
    let keys: Vec<&Value> = rows.iter().map(|row| &row["key"]).collect();
    assert_eq!(json!(keys), json!([["api.openai.com", "openai", "127.0.0.1"]]), "{lines}");
}
