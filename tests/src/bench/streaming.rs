//! What a streamed answer costs: events of about four characters, one by one, through plain Envoy, through Doorward with every
//! built-in detector on every answer, and through Doorward that also restores what it tokenized in the request.
//!
//! The upstream pauses between two events, so that each reaches Envoy by itself: that costs most, and is how models answer.
//! Time to the first token is up to the first event with text in it. Text of which a finding may still come is held until it is
//! clear, usually for one event: the upstream's pause is in that time, and is the same for all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::events::{Format, MAIL};
use super::plan::Plan;
use super::traffic::quantile;
use super::upstream::{STREAM, Stream, Upstream};
use super::{process, variant};
use crate::envoy::{Cluster, Gate, ListenerSpec, Route, Wasm};
use crate::governed::access_log;
use crate::idp::Idp;
use crate::tools;
use crate::wait::{all, within};

/// Events with text in each answer.
pub const EVENTS: usize = 200;
/// Streams at once.
const AT_ONCE: usize = 4;
/// Between two events.
const PAUSE: Duration = Duration::from_micros(500);
/// Streams that are open while memory is measured.
pub const OPEN: usize = 200;
/// Memory is looked at when so many events of each have come, and when all have.
pub const OPEN_EVENTS: [usize; 2] = [1000, 5000];
/// How often this is done, each time with an Envoy of its own: a module's memory never shrinks, and what streams took before would
/// hide what others take.
const OPEN_ROUNDS: usize = 3;
/// Streams of as many events that go before, at this pace: V8 compiles what has run long enough, and what that took stays with the
/// process.
const WARM: usize = 10;
const WARM_PAUSE: Duration = Duration::from_millis(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The looks around a point are those of a tenth of the time; of these the median counts.
const AROUND: f64 = 0.05;
/// They come in tens, so slowly that nothing waits in Envoy's buffers: what those took once stays with the process.
const TOGETHER: usize = 10;
/// Between two such writes.
const OPEN_PAUSE: Duration = Duration::from_millis(40);
/// What the caller writes and the provider does not see.
const CALLER: &str = "ada.king@northwind.dev";

/// What stands between the listener and the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Nothing.
    Plain,
    /// Doorward: everything that is found in an answer is masked.
    Mask,
    /// The same, and what was tokenized in the request comes back.
    Restore,
}

impl Way {
    /// All, in the order in which they are shown.
    pub const ALL: [Way; 3] = [Way::Plain, Way::Mask, Way::Restore];

    /// As in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Way::Plain => "plain",
            Way::Mask => "mask",
            Way::Restore => "restore",
        }
    }

    async fn start(self, upstream: &Upstream, idp: &Idp) -> Gate {
        let clusters = Format::ALL.map(|format| Cluster::at(upstream.address, false).named(format.name()));
        let routes = Format::ALL.iter().zip(&clusters).map(|(format, to)| Route::prefix(format.path(), to)).collect();
        let mut spec = ListenerSpec::routes(routes, clusters.to_vec());
        spec.clusters.push(Cluster::at(idp.endpoint.address, false).named("idp"));
        spec.log = access_log();
        variant::serve(match self {
            Way::Plain => spec,
            _ => spec.wasm(self.wasm()),
        })
        .await
    }

    fn wasm(self) -> Wasm {
        let mut policy = variant::policy();
        policy["targets"] = json!([
            {"name": "openai", "cluster": "openai", "provider": "openai", "apis": ["openai.chat", "models"]},
            {"name": "anthropic", "cluster": "anthropic", "provider": "anthropic", "apis": "anthropic.messages"},
        ]);
        for access in policy["access"].as_array_mut().into_iter().flatten() {
            access.as_object_mut().expect("a statement").remove("targets");
        }
        let mut content = vec![json!({"id": "mask-all", "detect": "all", "action": "mask", "direction": "response"})];
        if self == Way::Restore {
            content.push(json!({"id": "pseudonyms", "detect": "pii", "action": "tokenize", "direction": "request"}));
            policy["redaction"] = json!({"tokenize_key": {"env": "DOORWARD_BENCH_KEY"}});
        }
        policy["content"] = content.into();
        let module = tools::wasm().expect("doorward.wasm is not built; run `make wasm`");
        variant::filter(module, policy).env("DOORWARD_BENCH_KEY", &"k".repeat(32))
    }
}

/// One way with the events of one API.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// [`Way::name`].
    pub name: &'static str,
    /// [`Format::name`].
    pub format: &'static str,
    /// CPU of the whole Envoy process for each event with text, in microseconds, what the request costs included: the median
    /// of the rounds.
    pub event_us: f64,
    /// Least and most of the rounds.
    pub event_us_range: [f64; 2],
    /// Until the first event, in milliseconds: the median of all streams.
    pub first_event_ms: f64,
    /// Until the first event with text in it.
    pub first_text_ms: f64,
}

/// Resident memory of open streams.
#[derive(Clone, Debug, Serialize)]
pub struct Open {
    /// [`Way::name`].
    pub name: &'static str,
    /// Kilobytes (10^3 bytes) for each stream, after each of [`OPEN_EVENTS`]: the medians of the rounds.
    pub stream_kb: [f64; 2],
    /// By how much a stream grew from the one to the other: the median of the rounds.
    pub growth_kb: f64,
    /// Least and most of the rounds.
    pub growth_kb_range: [f64; 2],
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Streaming {
    /// Each way with each API.
    pub rows: Vec<Row>,
    /// Memory, where it was measured.
    pub open: Vec<Open>,
}

impl Streaming {
    /// The largest of what `figure` says of `name` over plain Envoy.
    pub fn added(&self, name: &str, figure: impl Fn(&Row) -> f64) -> f64 {
        let of = |name: &str, format: Format| {
            self.rows.iter().find(|r| r.name == name && r.format == format.name()).map_or(f64::NAN, &figure)
        };
        Format::ALL.iter().map(|format| of(name, *format) - of("plain", *format)).fold(f64::MIN, f64::max)
    }
}

/// Measures in rounds, as all of the bench does.
pub async fn measure(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Streaming, String> {
    let token = variant::token(idp, 0);
    let mut gates = Vec::new();
    for way in Way::ALL {
        let gate = way.start(upstream, idp).await;
        for format in Format::ALL {
            check(way, format, &gate, &token).await?;
        }
        gates.push((way, gate));
    }
    let mut samples: BTreeMap<(&str, Way), Samples> = BTreeMap::new();
    for _ in 0..plan.rounds {
        for format in Format::ALL {
            for (way, gate) in &gates {
                let samples = samples.entry((format.name(), *way)).or_default();
                samples.measure(plan, format, gate, &token).await?;
            }
        }
    }
    drop(gates);
    let mut rows = Vec::new();
    for ((format, way), samples) in samples {
        rows.push(samples.row(way.name(), format));
    }
    let mut open = Vec::new();
    for way in [Way::Plain, Way::Restore].into_iter().filter(|_| plan.memory) {
        open.push(memory(way, upstream, idp, &token).await?);
    }
    Ok(Streaming { rows, open })
}

#[derive(Default)]
struct Samples {
    event_us: Vec<f64>,
    first_event_ms: Vec<f64>,
    first_text_ms: Vec<f64>,
}

impl Samples {
    async fn measure(&mut self, plan: &Plan, format: Format, gate: &Gate, token: &str) -> Result<(), String> {
        let each = (plan.seconds / (PAUSE.as_secs_f64() * EVENTS as f64 * 1.3)).ceil() as usize;
        let stream = Stream { format, events: EVENTS, together: 1, pause: PAUSE, open: false };
        let before = process::cpu(gate.envoy.pid());
        let clients = (0..AT_ONCE).map(|_| async {
            let mut client = Client::connect(gate).await?;
            let mut seen = Vec::new();
            for _ in 0..each {
                seen.push(client.stream(gate, token, stream).await?);
            }
            Ok::<_, String>(seen)
        });
        let seen: Vec<Seen> = all(clients).await.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let spent = process::cpu(gate.envoy.pid()) - before;
        self.event_us.push(spent.as_secs_f64() * 1e6 / (AT_ONCE * each * EVENTS) as f64);
        self.first_event_ms.extend(seen.iter().map(|s| s.first_event.as_secs_f64() * 1e3));
        self.first_text_ms.extend(seen.iter().map(|s| s.first_text.as_secs_f64() * 1e3));
        Ok(())
    }

    fn row(mut self, name: &'static str, format: &'static str) -> Row {
        let event_us_range = [quantile(&mut self.event_us, 0.0), quantile(&mut self.event_us, 1.0)];
        Row {
            name,
            format,
            event_us: quantile(&mut self.event_us, 0.5),
            event_us_range,
            first_event_ms: quantile(&mut self.first_event_ms, 0.5),
            first_text_ms: quantile(&mut self.first_text_ms, 0.5),
        }
    }
}

/// Whether the answer is what this way makes of it.
async fn check(way: Way, format: Format, gate: &Gate, token: &str) -> Result<(), String> {
    let stream = Stream { format, events: EVENTS, together: 1, pause: Duration::from_micros(50), open: false };
    let mut client = Client::connect(gate).await?;
    client.keep = true;
    client.stream(gate, token, stream).await?;
    let body = String::from_utf8_lossy(&client.body);
    let text: String = body.split_inclusive("\n\n").filter_map(|frame| format.text(frame)).collect();
    let (masked, restored) = (!text.contains(MAIL), text.contains(CALLER));
    if (masked, restored) == (way != Way::Plain, way == Way::Restore) {
        return Ok(());
    }
    Err(format!("{} {}: the answer is not what it must be: `{body}`", way.name(), format.name()))
}

/// Memory of streams while they run: what is looked at early and late are the same streams.
async fn memory(way: Way, upstream: &Upstream, idp: &Idp, token: &str) -> Result<Open, String> {
    let (mut few, mut many, mut growth) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..OPEN_ROUNDS {
        let gate = way.start(upstream, idp).await;
        looks(&gate, token, WARM, WARM_PAUSE).await?;
        let before = settled(&gate).await;
        let [early, late] = looks(&gate, token, OPEN, OPEN_PAUSE).await?.map(|mb| (mb - before) * 1e3 / OPEN as f64);
        few.push(early);
        many.push(late);
        growth.push(late - early);
    }
    Ok(Open {
        name: way.name(),
        stream_kb: [quantile(&mut few, 0.5), quantile(&mut many, 0.5)],
        growth_kb: quantile(&mut growth, 0.5),
        growth_kb_range: [quantile(&mut growth, 0.0), quantile(&mut growth, 1.0)],
    })
}

/// Megabytes of the process after each of [`OPEN_EVENTS`] of so many streams, which the upstream's pauses keep in step.
async fn looks(gate: &Gate, token: &str, streams: usize, pause: Duration) -> Result<[f64; 2], String> {
    let [few, events] = OPEN_EVENTS;
    let stream = Stream { format: Format::OpenAi, events, together: TOGETHER, pause, open: true };
    let clients = (0..streams).map(|_| async {
        let mut client = Client::connect(gate).await?;
        client.stream(gate, token, stream).await?;
        Ok::<_, String>(client)
    });
    let (start, mut seen) = (Instant::now(), Vec::new());
    let looking = async {
        loop {
            tokio::time::sleep(LOOK).await;
            seen.push((start.elapsed(), process::memory_mb(gate.envoy.pid())));
        }
    };
    let clients: Vec<Result<Client, String>> = tokio::select! {
        clients = all(clients) => clients.into_iter().collect(),
        () = looking => Vec::new(),
    };
    clients.into_iter().collect::<Result<Vec<_>, _>>()?;
    let whole = start.elapsed();
    Ok([few as f64 / events as f64, 1.0 - AROUND].map(|share| {
        let near = |at: &Duration| (at.div_duration_f64(whole) - share).abs() < AROUND;
        quantile(&mut seen.iter().filter(|(at, _)| near(at)).map(|(_, mb)| *mb).collect::<Vec<_>>(), 0.5)
    }))
}

async fn settled(gate: &Gate) -> f64 {
    tokio::time::sleep(Duration::from_millis(1500)).await;
    process::memory_mb(gate.envoy.pid())
}

/// What a client saw of a stream.
#[derive(Clone, Copy)]
struct Seen {
    first_event: Duration,
    first_text: Duration,
}

/// A client that does no more than it must: one connection, and chunks taken apart.
struct Client {
    connection: TcpStream,
    /// Whether the body is kept.
    keep: bool,
    body: Vec<u8>,
}

impl Client {
    async fn connect(gate: &Gate) -> Result<Self, String> {
        let connection = TcpStream::connect(gate.address).await.map_err(|e| format!("connecting: {e}"))?;
        connection.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self { connection, keep: false, body: Vec::new() })
    }

    /// Sends a request and reads its stream: to the end, or until all events of one that stays open have come.
    async fn stream(&mut self, gate: &Gate, token: &str, stream: Stream) -> Result<Seen, String> {
        let body = stream.format.request(CALLER);
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nanthropic-version: 2023-06-01\r\n\
             content-type: application/json\r\n{STREAM}: {}\r\ncontent-length: {}\r\n\r\n{body}",
            stream.format.path(),
            gate.address,
            stream.header(),
            body.len()
        );
        let start = Instant::now();
        self.connection.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
        self.body.clear();
        // Only those that stay open take as long as to need no such bound.
        let read = self.read(stream, start);
        let read = if stream.open { read.await } else { within("a stream", read).await };
        read.map_err(|e| format!("{} {e}", stream.format.name()))
    }

    async fn read(&mut self, stream: Stream, start: Instant) -> Result<Seen, String> {
        let (mut chunks, mut events) = (Chunks::default(), Events::default());
        let (mut first_event, mut first_text) = (None, None);
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let came = self.connection.read(&mut buffer).await.map_err(|e| e.to_string())?;
            if came == 0 {
                return Err(format!("the stream ended early: `{}`", String::from_utf8_lossy(&self.body)));
            }
            let data = chunks.take(buffer.get(..came).unwrap_or_default())?;
            events.count(&data);
            if first_text.is_none() || self.keep {
                self.body.extend(&data);
            }
            if events.0 > 0 {
                first_event.get_or_insert_with(|| start.elapsed());
            }
            if first_text.is_none() {
                let body = String::from_utf8_lossy(&self.body);
                let mut whole = body.split_inclusive("\n\n").filter(|frame| frame.ends_with("\n\n"));
                first_text = whole.any(|frame| stream.format.text(frame).is_some()).then(|| start.elapsed());
            }
            if chunks.ended || stream.open && events.0 >= stream.events {
                // A few events that are kept open may all be held back still.
                let first_text = first_text.or_else(|| stream.open.then(|| start.elapsed()));
                let first_text = first_text
                    .ok_or_else(|| format!("a stream without text: `{}`", String::from_utf8_lossy(&self.body)))?;
                return Ok(Seen { first_event: first_event.unwrap_or_default(), first_text });
            }
        }
    }
}

/// How many events came.
#[derive(Default)]
struct Events(usize, u8);

impl Events {
    fn count(&mut self, data: &[u8]) {
        for byte in data {
            let ended = *byte == b'\n' && self.1 == b'\n';
            self.0 += usize::from(ended);
            self.1 = if ended { 0 } else { *byte };
        }
    }
}

/// The head of an answer with status 200, and the chunks of its body.
#[derive(Default)]
struct Chunks {
    pending: Vec<u8>,
    headed: bool,
    /// Bytes of the chunk at hand that are still to come, the line end behind it included.
    left: usize,
    ended: bool,
}

impl Chunks {
    /// The bytes of the body in what came.
    fn take(&mut self, came: &[u8]) -> Result<Vec<u8>, String> {
        self.pending.extend(came);
        let mut data = Vec::new();
        if !self.headed {
            let Some(end) = self.pending.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(data) };
            if !self.pending.starts_with(b"HTTP/1.1 200") {
                return Err(format!("not answered with 200: {}", String::from_utf8_lossy(&self.pending)));
            }
            self.pending.drain(..end + 4);
            self.headed = true;
        }
        let mut at = 0;
        loop {
            let rest = self.pending.get(at..).unwrap_or_default();
            if self.left > 0 {
                let take = self.left.min(rest.len());
                // The line end is none of it.
                data.extend_from_slice(rest.get(..take.min(self.left.saturating_sub(2))).unwrap_or_default());
                (at, self.left) = (at + take, self.left - take);
                if self.left > 0 {
                    break;
                }
                continue;
            }
            let Some(end) = rest.windows(2).position(|w| w == b"\r\n") else { break };
            if rest.starts_with(b"0\r\n") && rest.len() < 5 {
                // The line end that is the end has not come.
                break;
            }
            let size = std::str::from_utf8(rest.get(..end).unwrap_or_default()).ok();
            let size = size.and_then(|s| usize::from_str_radix(s, 16).ok()).ok_or("a chunk without a size")?;
            at += end + 2;
            if size == 0 {
                self.ended = true;
                break;
            }
            self.left = size + 2;
        }
        self.pending.drain(..at);
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_taken_apart_however_they_come() {
        let answer = b"HTTP/1.1 200 OK\r\na: b\r\n\r\n4\r\nab\n\n\r\n3\r\ncd\n\r\n1\r\n\n\r\n0\r\n\r\n";
        for size in 1..answer.len() {
            let (mut chunks, mut events, mut body) = (Chunks::default(), Events::default(), Vec::new());
            for piece in answer.chunks(size) {
                let data = chunks.take(piece).unwrap();
                events.count(&data);
                body.extend(data);
            }
            assert_eq!((body.as_slice(), events.0, chunks.ended), (&b"ab\n\ncd\n\n"[..], 2, true), "{size}");
        }
        assert!(Chunks::default().take(b"HTTP/1.1 403 Forbidden\r\n\r\n").is_err());
    }
}
