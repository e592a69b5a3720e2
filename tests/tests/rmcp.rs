//! MCP on a real Envoy with the official Rust SDK on both sides: two callers of one server see different tools and can call only theirs, in every
//! version of the protocol, and what a tool tells while it runs arrives while it runs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use doorward_e2e::envoy::{Cluster, Gate};
use doorward_e2e::governed::World;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock,
    CreateTaskResult, DetailedTask, GetTaskParams, GetTaskResult, Implementation, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ServerCapabilities, ServerConfig, Task,
    TaskPayload, TaskStatus, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient, RoleServer, ServerHandler,
    ServiceError,
};
use serde_json::{Value, json};

/// When tasks are made.
const NOON: &str = "2026-11-28T12:00:00Z";

/// Between two steps of `read_slowly`.
const STEP: Duration = Duration::from_millis(150);

const VERSIONS: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// A server of files that notes what ran.
#[derive(Clone, Default)]
struct Files(Arc<Mutex<Vec<String>>>);

impl Files {
    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves until the test ends; answers where.
    async fn serve(&self, config: StreamableHttpServerConfig) -> Cluster {
        let files = self.clone();
        let service = StreamableHttpService::new(
            move || Ok(files.clone()),
            Arc::new(LocalSessionManager::default()),
            config.disable_allowed_hosts(),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Cluster::at(address, false)
    }
}

fn definition(name: &'static str) -> Tool {
    let Value::Object(schema) = json!({"type": "object"}) else { panic!("no object") };
    Tool::new(name, "Of files.", schema)
}

impl ServerHandler for Files {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build())
            .with_server_info(Implementation::new("files", "1"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(["read_file", "read_slowly", "write_file"].map(definition).into()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call.name.to_string());
        if call.name == "read_later" {
            return Ok(CreateTaskResult::new(Task::new("task-1", TaskStatus::Working, NOON, NOON)).into());
        }
        let text = match &*call.name {
            "read_slowly" => {
                let token = context.meta.get_progress_token();
                for step in 1..=3 {
                    tokio::time::sleep(STEP).await;
                    if let Some(token) = &token {
                        let told = ProgressNotificationParam::new(token.clone(), f64::from(step))
                            .with_message(format!("step {step}, card 4556737586899855"));
                        context
                            .peer
                            .notify_progress(told)
                            .await
                            .map_err(|e| ErrorData::internal_error(e.to_string(), None))?;
                    }
                }
                tokio::time::sleep(STEP).await;
                "counted".to_owned()
            }
            "read_file" => "pay with 4556 7375 8689 9855".to_owned(),
            _ => "written".to_owned(),
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }

    async fn get_task(&self, asked: GetTaskParams, _: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("get {}", asked.task_id));
        let task = Task::new(asked.task_id, TaskStatus::Working, NOON, NOON);
        Ok(GetTaskResult::new(DetailedTask::new(task, TaskPayload::Working)))
    }
}

/// A client that notes what it is told, and when.
#[derive(Clone)]
struct Caller {
    version: ProtocolVersion,
    told: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl ClientHandler for Caller {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::builder().enable_tasks().build(), Implementation::new("caller", "1"))
            .with_protocol_version(self.version.clone())
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let message = told.message.unwrap_or_default();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), message));
    }
}

impl Caller {
    fn new(version: &ProtocolVersion) -> Self {
        Self { version: version.clone(), told: Arc::default() }
    }

    async fn connect(&self, gate: &Gate, token: &str) -> RunningService<RoleClient, Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(gate.url("/mcp")).auth_header(token);
        let transport = StreamableHttpClientTransport::from_config(config);
        let lifecycle = match self.version >= ProtocolVersion::NO_INITIALIZE {
            true => ClientLifecycleMode::Discover { preferred_versions: vec![self.version.clone()] },
            false => ClientLifecycleMode::Initialize,
        };
        let connected = self.clone().serve_with_lifecycle(transport, lifecycle).await;
        connected.unwrap_or_else(|error| panic!("{}: {error:?}", self.version))
    }

    fn told(&self) -> Vec<(Instant, String)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Readers may call `read_*`, writers everything; cards that come from the server are masked.
async fn world(cluster: Cluster) -> World {
    let mut world = World::new().await;
    world.policy["name"] = json!(cluster.name);
    world.policy["targets"] = json!([{"name": "files", "cluster": cluster.name, "provider": "mcp"}]);
    world.policy["roles"] = json!({"readers": {"groups": "readers"}, "writers": {"groups": "writers"}});
    world.policy["access"] = json!([
        {"id": "read", "effect": "allow", "roles": "readers", "methods": "tools/*", "tools": {"name": "read_*"}},
        {"id": "write", "effect": "allow", "roles": "writers"},
    ]);
    world.policy["content"] =
        json!([{"id": "cards", "detect": "CREDIT_CARD", "action": "mask", "direction": "response"}]);
    world.cluster = cluster;
    world
}

/// The text of a result.
fn text(result: &CallToolResult) -> Value {
    serde_json::to_value(result).expect("JSON")["content"][0]["text"].clone()
}

async fn callers_see_and_call_what_is_theirs(world: World, files: &Files) {
    let gate = world.gate().await;
    let (reader, writer) = (world.token("rita", &["readers"]), world.token("willy", &["writers"]));
    for version in &VERSIONS {
        for (token, reads) in [(&reader, true), (&writer, false)] {
            let caller = Caller::new(version);
            let client = caller.connect(&gate, token).await;
            let negotiated = client.peer_info().map(|info| info.protocol_version.clone());
            assert_eq!(negotiated.as_ref(), Some(version));
            let seen = client.list_all_tools().await.expect("a list");
            let seen: HashSet<&str> = seen.iter().map(|tool| &*tool.name).collect();
            let mut theirs = HashSet::from(["read_file", "read_slowly"]);
            if !reads {
                theirs.insert("write_file");
            }
            assert_eq!(seen, theirs, "{version}");
            let read = client.call_tool(CallToolRequestParams::new("read_file")).await.expect("a result");
            assert_eq!(text(&read), "pay with [CREDIT_CARD]", "{version}");
            let written = client.call_tool(CallToolRequestParams::new("write_file")).await;
            match (written, reads) {
                (Ok(result), false) => assert_eq!(text(&result), "written", "{version}"),
                // A refusal is HTTP's 403 with a challenge, which this SDK tells as it stands.
                (Err(ServiceError::TransportSend(error)), true) => {
                    let told = format!("{error:?}");
                    assert!(
                        told.contains("InsufficientScope") && told.contains("tool.not_allowed"),
                        "{version}: {told}"
                    );
                }
                odd => panic!("{version}: {odd:?}"),
            }
            // A refusal ends nothing: the same client goes on.
            let slow = client.call_tool(CallToolRequestParams::new("read_slowly")).await.expect("a result");
            let over = Instant::now();
            assert_eq!(text(&slow), "counted", "{version}");
            let told = caller.told();
            let texts: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
            let masked = |step: u32| format!("step {step}, card [CREDIT_CARD]");
            assert_eq!(texts, [masked(1), masked(2), masked(3)], "{version}");
            let first = told.first().map_or(over, |(at, _)| *at);
            assert!(over - first >= STEP * 2, "{version}: the first step was told {:?} before the end", over - first);
            client.cancel().await.expect("it ends");
            let calls =
                if reads { vec!["read_file", "read_slowly"] } else { vec!["read_file", "write_file", "read_slowly"] };
            assert_eq!(files.ran(), calls, "{version}");
        }
    }
}

#[tokio::test]
async fn callers_see_and_call_what_is_theirs_while_heads_are_held() {
    let files = Files::default();
    let cluster = files.serve(StreamableHttpServerConfig::default()).await;
    callers_see_and_call_what_is_theirs(world(cluster).await, &files).await;
}

#[tokio::test]
async fn callers_see_and_call_what_is_theirs_in_flow_mode_and_over_four_workers() {
    let files = Files::default();
    let cluster = files.serve(StreamableHttpServerConfig::default().with_legacy_session_mode(false)).await;
    callers_see_and_call_what_is_theirs(world(cluster).await.flow().workers(4), &files).await;
}

#[tokio::test]
async fn tasks_are_their_makers() {
    let files = Files::default();
    let cluster = files.serve(StreamableHttpServerConfig::default()).await;
    let world = world(cluster).await;
    let gate = world.gate().await;
    let caller = Caller::new(&ProtocolVersion::V_2026_07_28);
    let maker = caller.connect(&gate, &world.token("willy", &["writers"])).await;
    let other = caller.connect(&gate, &world.token("wanda", &["writers"])).await;
    let made = maker.call_tool_once(CallToolRequestParams::new("read_later")).await.expect("a task");
    let CallToolResponse::Task(made) = made else { panic!("{made:?}") };
    let id = made.task.task_id;
    assert!(id.starts_with("task-1.") && id.len() == 29, "{id}");
    let state = maker.get_task(GetTaskParams::new(&id)).await.expect("its state");
    assert_eq!(state.task.task.task_id, id);
    for (client, id) in [(&other, id.as_str()), (&other, "task-1"), (&maker, "task-1")] {
        let refused = client.get_task(GetTaskParams::new(id)).await.expect_err("it is not theirs");
        assert!(format!("{refused:?}").contains("mcp.task"), "{refused:?}");
    }
    assert_eq!(files.ran(), ["read_later", "get task-1"]);
}
