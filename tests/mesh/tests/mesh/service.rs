//! A rate-limit service: Envoy's protocol by tonic and the types of `envoy-types`, the decisions by Limitador.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use doorward_e2e::envoy::Cluster;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::Code;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::{
    RateLimitService, RateLimitServiceServer,
};
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use limitador::AsyncRateLimiter;
use limitador::counter::Counter;
use limitador::limit::{Context, Limit};
use tonic::{Request, Response, Status};

use crate::redis::{Counters, Redis, Shared};

/// A running service; it ends, its connections with it, when it is killed.
pub struct Service {
    pub address: SocketAddr,
    redis: Arc<Redis>,
    limits: Vec<Limit>,
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
    asked: Arc<AtomicU64>,
    /// How long it thinks, in milliseconds.
    pub delay_ms: Arc<AtomicU64>,
    /// It adds what was used whether it fits or not, and adds nothing where it is asked with 0.
    pub reports: Arc<AtomicBool>,
}

impl Service {
    /// With these limits: id, most, and the names of the descriptor's entries that tell counts apart.
    pub fn start(redis: &Arc<Redis>, limits: &[(&str, u64, &[&str])]) -> Self {
        let limit = |(id, most, variables): &(&str, u64, &[&str])| {
            let condition = format!("descriptors[0].limit == '{id}'");
            let variables: Vec<_> = variables.iter().map(|v| format!("descriptors[0].{v}")).collect();
            Limit::with_id(
                *id,
                "mesh",
                *most,
                172_800,
                [condition.try_into().expect("a condition")],
                variables.into_iter().map(|v| v.try_into().expect("a variable")),
            )
        };
        Self::with(redis, limits.iter().map(limit).collect())
    }

    /// With the limits of a file of Limitador's.
    pub fn of_file(redis: &Arc<Redis>, path: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the file");
        Self::with(redis, serde_saphyr::from_str(&text).expect("Limitador's limits"))
    }

    /// With limits of Limitador's own.
    pub fn with(redis: &Arc<Redis>, limits: Vec<Limit>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let service = Self {
            address: listener.local_addr().expect("its address"),
            redis: Arc::clone(redis),
            limits,
            runtime: Mutex::default(),
            asked: Arc::default(),
            delay_ms: Arc::default(),
            reports: Arc::default(),
        };
        drop(listener);
        service.restart();
        service
    }

    pub fn restart(&self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let counters = Arc::new(Counters::of(Arc::clone(&self.redis)));
        let limiter = AsyncRateLimiter::new_with_storage(Box::new(Shared(Arc::clone(&counters))));
        for limit in &self.limits {
            limiter.add_limit(limit.clone());
        }
        let (asked, delay_ms) = (Arc::clone(&self.asked), Arc::clone(&self.delay_ms));
        let engine = Engine { limiter, counters, asked, delay_ms, reports: Arc::clone(&self.reports) };
        let address = self.address;
        runtime.spawn(async move {
            let server = tonic::transport::Server::builder().add_service(RateLimitServiceServer::new(engine));
            server.serve(address).await.expect("the service runs");
        });
        *self.runtime.lock().expect("the service") = Some(runtime);
    }

    pub fn kill(&self) {
        if let Some(runtime) = self.runtime.lock().expect("the service").take() {
            runtime.shutdown_background();
        }
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn cluster(&self, name: &str) -> Cluster {
        Cluster::at(self.address, true).named(name)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Engine {
    limiter: AsyncRateLimiter,
    counters: Arc<Counters>,
    asked: Arc<AtomicU64>,
    delay_ms: Arc<AtomicU64>,
    reports: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl RateLimitService for Engine {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst))).await;
        let request = request.into_inner();
        let namespace = request.domain.clone().into();
        let mut code = Code::Ok;
        for descriptor in &request.descriptors {
            let hits = match (&descriptor.hits_addend, request.hits_addend) {
                (Some(hits), _) => hits.value,
                (None, hits) => u64::from(hits.max(1)),
            };
            let entries: HashMap<String, String> =
                descriptor.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
            let mut context = Context::default();
            context.list_binding("descriptors".to_owned(), vec![entries]);
            self.counters.failed.store(false, Ordering::SeqCst);
            if descriptor.is_negative_hits {
                for limit in self.limiter.get_limits(&namespace).into_iter().filter(|l| l.applies(&context)) {
                    let counter = Counter::new(limit, &context).expect("its variables").expect("a counter");
                    self.counters.take_back(&counter, hits).await;
                }
                continue;
            }
            if self.reports.load(Ordering::SeqCst) {
                // Whether anything is left, and what was used: two questions, as of Envoy's own filter.
                let limited = match hits {
                    0 => self.limiter.is_rate_limited(&namespace, &context, 1).await.map(|checked| checked.limited),
                    _ => self.limiter.update_counters(&namespace, &context, hits).await.map(|()| false),
                };
                if limited.map_err(|e| Status::internal(e.to_string()))? {
                    code = Code::OverLimit;
                }
                continue;
            }
            let checked = self.limiter.check_rate_limited_and_update(&namespace, &context, hits).await;
            let limited = checked.map_err(|e| Status::internal(e.to_string()))?.limited;
            if limited && self.counters.failed.load(Ordering::SeqCst) {
                return Err(Status::unavailable("no counters"));
            }
            if limited {
                code = Code::OverLimit;
            }
        }
        Ok(Response::new(RateLimitResponse { overall_code: code.into(), ..RateLimitResponse::default() }))
    }
}
