//! One provider behind several policies, and what every row of its APIs must do under each.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use doorward_e2e::envoy::Gate;
use doorward_e2e::governed::World;
use doorward_e2e::sdk::{Call, Outcome, Sdk};
use doorward_e2e::upstream::{Arrival, Handler, Seen, Upstream};
use doorward_e2e::wait::until;
use serde_json::{Value, json};

use crate::raw;
use crate::row::{Ask, Row, calls_in};

/// A value that leaves as a placeholder and comes back.
pub const MAIL: &str = "jürgen.x@northwind.dev";
/// Whether somebody saw it.
const MAIL_PART: &str = "northwind";
/// A value that is masked in answers.
pub const CARD: &str = "5425 2334 3010 9903";
/// A value that no answer may hold.
pub const TOKEN: &str = "ghp_0123456789abcdefABCDEF0123456789abcd";

/// The SDK hands an error within a stream over as it comes.
pub const TOLD: &str = "";

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// An SDK, and the exceptions that it raises for 403, for 400, and for an error within a stream; [`TOLD`] where it raises
    /// none there.
    Sdk(Sdk, [&'static str; 3]),
    /// HTTP without an SDK: rows are paths.
    Raw,
}

/// Checks every item; panics at the end, so that one that fails does not hide what others do.
fn every<T>(what: &str, items: impl IntoIterator<Item = T>, check: impl Fn(T)) {
    let failed = items.into_iter().filter_map(|item| catch_unwind(AssertUnwindSafe(|| check(item))).err()).count();
    FAILED.with(|all| all.set(all.get() + failed));
    if failed > 0 {
        eprintln!("{failed} failed: {what}");
    }
}

/// A result without what says how it was transported.
fn bare(mut result: Value) -> Value {
    if let Some(members) = result.as_object_mut() {
        members.remove("sdk_http_response");
    }
    result
}

thread_local! {
    /// How many checks of this test failed: a test is one thread.
    static FAILED: Cell<usize> = const { Cell::new(0) };
}

/// A gate in front of an upstream of its own.
pub struct Place {
    pub world: World,
    pub gate: Gate,
    token: String,
}

/// Calls that are made together, in one interpreter.
#[derive(Default)]
struct Script {
    calls: Vec<(String, String, Call, &'static str)>,
}

/// A provider behind policies.
pub struct Stage {
    client: Client,
    /// Without Doorward.
    direct: Upstream,
    /// Nothing is looked for.
    plain: Place,
    /// E-mail addresses are tokenized, and restored for the tool `send`.
    tokenize: Place,
    /// Cards are masked in answers.
    mask: Place,
    /// Secrets are denied in answers.
    deny: Place,
    /// Of the tools, only `find` may be used, and for names with a `J`.
    tools: Place,
    /// The models that a caller may see, and under which base.
    models: Option<(&'static str, Value)>,
}

impl Place {
    /// `world` with more in its policy.
    pub async fn open(world: World) -> Self {
        let (gate, token) = (world.gate().await, world.alice());
        Self { world, gate, token }
    }

    /// What reached the upstream. In flow mode the head of a refused request does, and nothing behind it.
    pub fn arrived(&self) -> Vec<Seen> {
        self.world.upstream.seen().into_iter().filter(|seen| seen.arrival == Arrival::Complete).collect()
    }

    /// The log lines of what reached the upstream, in that order.
    pub async fn lines(&self) -> Vec<(Seen, Value)> {
        let mut lines = Vec::new();
        for seen in self.arrived() {
            let id = seen.fields.get("x-request-id").expect("Envoy numbers requests");
            let line = self.gate.log_line_of(&id).await;
            lines.push((seen, line));
        }
        lines
    }
}

impl Script {
    fn say(&mut self, base: &str, key: &str, row: &Row, ask: &Ask, model: &str, text: &str) {
        let base = format!("{base}{}", row.base);
        let name = row.name.replace("{model}", model);
        self.calls.push((base, key.to_owned(), Call::of(&name, ask(model, text)), row.delta));
    }

    async fn run(self, client: Client) -> Vec<Outcome> {
        match client {
            Client::Sdk(sdk, _) => {
                let calls: Vec<_> = self.calls.iter().map(|(b, k, c, _)| (b.as_str(), k.as_str(), c.clone())).collect();
                sdk.calls_to(&calls).await
            }
            Client::Raw => {
                let mut outcomes = Vec::new();
                for (base, key, call, delta) in self.calls {
                    outcomes.push(raw::call(&base, &key, call, delta).await);
                }
                outcomes
            }
        }
    }
}

impl Stage {
    /// The provider `name`, in the words of OpenTelemetry, behind every policy; `set` changes how they are governed.
    pub async fn open(client: Client, handler: fn() -> Handler, name: &str, set: impl Fn(World) -> World) -> Self {
        let world = async || set(World::of(handler(), name).await);
        let content = async |statement: Value| {
            let world = world().await.with("content", json!([statement]));
            Place::open(world.with("tools", json!([{"name": "send", "restore": true}]))).await
        };
        let rules = json!([{"name": "find", "arguments": {"/name": {"glob": "J*", "required": true}}}]);
        Self {
            client,
            direct: Upstream::with(handler()).await,
            plain: Place::open(world().await).await,
            tokenize: content(json!({"id": "tokenize", "detect": "EMAIL_ADDRESS", "action": "tokenize"})).await,
            mask: content(json!({"id": "mask", "detect": "CREDIT_CARD", "action": "mask", "direction": "response"}))
                .await,
            deny: content(json!({"id": "deny", "detect": "secrets", "action": "deny", "direction": "response"})).await,
            tools: Place::open(world().await.with_tools(rules)).await,
            models: None,
        }
    }

    /// Has a list of models, of which callers see these.
    pub fn models(mut self, base: &'static str, models: &[&str]) -> Self {
        self.models = Some((base, json!(models)));
        self
    }

    /// Everything, over all rows.
    pub async fn check(&self, rows: &[Row]) {
        let speaking: Vec<&Row> = rows.iter().filter(|row| row.text.is_some()).collect();
        let with_tools: Vec<(&Row, &Ask)> = rows.iter().filter_map(|row| Some((row, row.tools.as_ref()?))).collect();
        let direct = format!("http://{}", self.direct.address);
        let [plain, tokenize, mask, deny, tools] = [&self.plain, &self.tokenize, &self.mask, &self.deny, &self.tools]
            .map(|place| (place.gate.url(""), &place.token));
        let said = format!("write to {MAIL} now");
        let paid = format!("pay with {CARD} today");
        let thought = format!("THINK and {paid}");
        let told = format!("reply: The key is {TOKEN} and it works.");
        let called = format!(
            "Looking first.\nCALL find {{\"name\": \"Jürgen\", \"of\": \"{MAIL}\"}}\nCALL send {{\"to\": \"{MAIL}\"}}"
        );
        // One interpreter makes all calls; what came of them is told apart by how many there are of each kind.
        let mut script = Script::default();
        for row in rows {
            script.say(&direct, "caller-key", row, &row.ask, row.model, &said);
        }
        for row in rows {
            script.say(&plain.0, plain.1, row, &row.ask, row.model, &said);
        }
        for row in rows {
            script.say(&plain.0, plain.1, row, &row.ask, "other-1", &said);
        }
        for row in rows {
            script.say(&tokenize.0, tokenize.1, row, &row.ask, row.model, &said);
        }
        for row in &speaking {
            script.say(&mask.0, mask.1, row, &row.ask, row.model, &paid);
        }
        for row in &speaking {
            script.say(&deny.0, deny.1, row, &row.ask, row.model, &told);
        }
        for row in &speaking {
            script.say(&mask.0, mask.1, row, &row.ask, row.model, &thought);
        }
        for (row, ask) in &with_tools {
            script.say(&direct, "caller-key", row, ask, row.model, &called);
            script.say(&plain.0, plain.1, row, ask, row.model, &called);
            script.say(&tokenize.0, tokenize.1, row, ask, row.model, &called);
        }
        for (row, ask) in &with_tools {
            script.say(&tools.0, tools.1, row, ask, row.model, &called);
        }
        for (row, ask) in &with_tools {
            script.say(&tools.0, tools.1, row, ask, row.model, "CALL find {\"name\": \"Kurt\"}");
        }
        if let Some((base, _)) = &self.models {
            let base = format!("{}{base}", plain.0);
            script.calls.push((base, plain.1.clone(), Call::Models, ""));
        }
        let mut outcomes = script.run(self.client).await.into_iter();
        let mut next = |n: usize| -> Vec<Outcome> { outcomes.by_ref().take(n).collect() };
        let without = next(rows.len());
        self.allowed(rows, &without, &next(rows.len())).await;
        self.denied(rows, &next(rows.len())).await;
        self.restored(rows, &next(rows.len()), &said).await;
        self.masked(&speaking, &next(speaking.len()), &paid).await;
        self.cut_off(&speaking, &next(speaking.len())).await;
        self.thought(&speaking, &next(speaking.len())).await;
        self.called(&with_tools, &next(3 * with_tools.len())).await;
        let allowed = next(with_tools.len());
        self.least_tools(&with_tools, &allowed, &next(with_tools.len())).await;
        if let Some((_, models)) = &self.models {
            assert_eq!(next(1)[0].ok.as_ref(), Some(models));
        }
        assert_eq!(FAILED.with(Cell::get), 0, "see above");
    }

    /// The client gets what it gets without Doorward, and the record has what the API tells.
    async fn allowed(&self, rows: &[Row], without: &[Outcome], with: &[Outcome]) {
        let lines = self.plain.lines().await;
        every("allowed", rows.iter().enumerate(), |(index, row)| {
            let (without, with) = (&without[index], &with[index]);
            let name = row.name;
            assert!(with.ok.is_some(), "{name}: {with:?}");
            assert_eq!(with.ok.clone().map(bare), without.ok.clone().map(bare), "{name}");
            let (seen, line) = &lines[index];
            assert!(!seen.mentions(&self.plain.token), "{name}: the caller's credential went on");
            let text = |key: &str| line[key].as_str();
            assert_eq!(text("doorward.api"), Some(row.api), "{name}: {line:#}");
            assert_eq!(text("doorward.decision"), Some("allow"), "{name}: {line:#}");
            assert_eq!(text("doorward.stream"), row.streams.then_some("true"), "{name}: {line:#}");
            assert_eq!(text("gen_ai.request.model"), Some(row.model), "{name}: {line:#}");
            let usage = row.usage.map(|(input, output)| (input.to_string(), output.to_string()));
            let recorded = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"].map(text);
            assert_eq!(
                recorded,
                [usage.as_ref().map(|u| u.0.as_str()), usage.as_ref().map(|u| u.1.as_str())],
                "{name}: {line:#}"
            );
            assert_eq!(line["doorward.usage.estimated"], Value::Null, "{name}: {line:#}");
        });
    }

    /// Another model: the SDK's own exception, and nothing goes on.
    async fn denied(&self, rows: &[Row], outcomes: &[Outcome]) {
        every("denied", rows.iter().zip(outcomes), |(row, outcome)| {
            let class = row.denied.unwrap_or(match self.client {
                Client::Sdk(_, classes) => classes[0],
                Client::Raw => "Status",
            });
            assert_eq!(
                (outcome.error.as_deref(), outcome.status),
                (Some(class), Some(403)),
                "{}: {outcome:?}",
                row.name
            );
            assert!(outcome.body.to_string().contains("[model.not_allowed]"), "{}: {outcome:?}", row.name);
        });
        let with_tools = rows.iter().filter(|row| row.tools.is_some()).count();
        let lists = usize::from(self.models.is_some());
        assert_eq!(self.plain.arrived().len(), rows.len() + with_tools + lists, "a refused request went on");
        until("a log line of every refused request", async || {
            let lines = self.plain.gate.log_lines();
            let refused = lines.iter().filter(|line| line["doorward.reason"] == "model.not_allowed").count();
            if refused == rows.len() { Ok(()) } else { Err(refused.to_string()) }
        })
        .await;
    }

    /// An address that the upstream never sees stands in the answer.
    async fn restored(&self, rows: &[Row], outcomes: &[Outcome], said: &str) {
        let lines = self.tokenize.lines().await;
        every("restored", rows.iter().zip(outcomes).zip(&lines), |((row, outcome), (seen, line))| {
            let Some(result) = &outcome.ok else { panic!("{}: {outcome:?}", row.name) };
            assert!(!seen.mentions(MAIL_PART), "{}: {}", row.name, seen.text());
            assert!(seen.mentions("[EMAIL_ADDRESS_"), "{}: {}", row.name, seen.text());
            assert_eq!(line["doorward.findings"], "in:EMAIL_ADDRESS/tokenize=1", "{}: {line:#}", row.name);
            if row.text.is_none() {
                return;
            }
            assert_eq!(row.words(result), format!("{}{said}", row.before), "{}", row.name);
            // Nor does any copy of the text have the placeholder.
            assert!(!result.to_string().contains("EMAIL_ADDRESS_"), "{}: {result:#}", row.name);
            assert!(line["doorward.placeholders"].as_str().is_some_and(|p| p.starts_with("restored=")), "{line:#}");
        });
    }

    /// A value that only answers are searched for.
    async fn masked(&self, rows: &[&Row], outcomes: &[Outcome], paid: &str) {
        let lines = self.mask.lines().await;
        every("masked", rows.iter().zip(outcomes).zip(&lines), |((row, outcome), (seen, line))| {
            let Some(result) = &outcome.ok else { panic!("{}: {outcome:?}", row.name) };
            assert!(seen.mentions(CARD), "{}: {}", row.name, seen.text());
            let expected = format!("{}{}", row.before, paid.replace(CARD, "[CREDIT_CARD]"));
            assert_eq!(row.words(result), expected, "{}", row.name);
            assert!(!result.to_string().contains("5425"), "{}: {result:#}", row.name);
            assert!(
                line["doorward.findings"].as_str().is_some_and(|f| f.starts_with("out:CREDIT_CARD/mask=")),
                "{line:#}"
            );
        });
    }

    /// A value that no answer may hold: the client learns of it, and nothing of the value arrives.
    async fn cut_off(&self, rows: &[&Row], outcomes: &[Outcome]) {
        let lines = self.deny.lines().await;
        every("cut off", rows.iter().zip(outcomes).zip(&lines), |((row, outcome), (_, line))| {
            let all = format!("{outcome:?}");
            assert!(!all.contains("ghp_") && !all.contains("works"), "{}: {all}", row.name);
            assert_eq!(line["doorward.reason"], "answer.denied", "{}: {line:#}", row.name);
            assert_eq!(line["doorward.decision"], "deny", "{}: {line:#}", row.name);
            assert_eq!(line["doorward.action"], "replace", "{}: {line:#}", row.name);
            if row.streams {
                let partial = outcome.ok.as_ref().unwrap_or(&outcome.partial);
                let class = match self.client {
                    Client::Sdk(_, classes) => row.denied.map_or(classes[2], |_| TOLD),
                    Client::Raw => "Event",
                };
                assert_eq!(outcome.error.as_deref().unwrap_or(TOLD), class, "{}: {outcome:?}", row.name);
                let finish = partial["finish"].as_str().unwrap_or_default().to_lowercase();
                assert!(class != TOLD || finish.starts_with("error"), "{}: {outcome:?}", row.name);
                assert_eq!(partial["text"], "The key is ", "{}: {outcome:?}", row.name);
            } else if let Client::Sdk(_, classes) = self.client {
                assert_eq!(outcome.status, Some(400), "{}: {outcome:?}", row.name);
                let class = row.denied.map_or(classes[1], |_| "BadRequestError");
                assert_eq!(outcome.error.as_deref(), Some(class), "{}: {outcome:?}", row.name);
            } else {
                assert_eq!(outcome.status, Some(400), "{}: {outcome:?}", row.name);
            }
        });
    }

    /// What the model thinks is no way around: the value is masked there too, or, where the provider signed the thought, refused.
    async fn thought(&self, rows: &[&Row], outcomes: &[Outcome]) {
        let lines = self.mask.lines().await.split_off(rows.len());
        every("thought", rows.iter().zip(outcomes).zip(&lines), |((row, outcome), (seen, line))| {
            assert!(seen.mentions(CARD), "{}: {}", row.name, seen.text());
            let all = format!("{outcome:?}");
            assert!(!all.contains("5425"), "{}: {all}", row.name);
            let masked = outcome.ok.is_some() && all.contains("[CREDIT_CARD]");
            assert!(masked || line["doorward.reason"] == "answer.denied", "{}: {all} {line:#}", row.name);
        });
    }

    /// Tool calls arrive whole; only the tool that may have it gets the value.
    async fn called(&self, rows: &[(&Row, &Ask)], outcomes: &[Outcome]) {
        every("called", rows.iter().zip(outcomes.chunks(3)), |((row, _), outcomes)| {
            let [without, with, restored] = outcomes else { panic!("three calls for {}", row.name) };
            // Arguments wait for their end, so that the pieces they come in are others.
            let of = |outcome: &Outcome| {
                let mut result = outcome.ok.clone().unwrap_or_else(|| panic!("{}: {outcome:?}", row.name));
                if let Some(streamed) = result.as_object_mut().filter(|_| row.streams) {
                    streamed.remove("events");
                }
                bare(result)
            };
            assert_eq!(of(with), of(without), "{}", row.name);
            let Some(result) = &restored.ok else { panic!("{}: {restored:?}", row.name) };
            let calls = calls_in(result);
            let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["find", "send"], "{}: {result:#}", row.name);
            assert_eq!(calls[0].1["name"], "Jürgen", "{}: {result:#}", row.name);
            let kept = calls[0].1["of"].as_str().unwrap_or_default();
            assert!(kept.starts_with("[EMAIL_ADDRESS_") && kept.ends_with(']'), "{}: {result:#}", row.name);
            assert_eq!(calls[1].1, json!({"to": MAIL}), "{}: {result:#}", row.name);
            assert!(result.to_string().contains("Looking first."), "{}: {result:#}", row.name);
        });
        let unseen = self.tokenize.world.upstream.seen().iter().all(|seen| !seen.mentions(MAIL_PART));
        assert!(unseen, "the upstream saw an address");
    }

    /// A tool that is not allowed is not offered, and a call of it never arrives; nor does one with arguments that are not.
    async fn least_tools(&self, rows: &[(&Row, &Ask)], allowed: &[Outcome], argued: &[Outcome]) {
        let lines = self.tools.lines().await;
        let (first, second) = lines.split_at(rows.len().min(lines.len()));
        every("least tools", rows.iter().zip(allowed).zip(first), |(((row, _), outcome), (seen, line))| {
            let Some(result) = &outcome.ok else { panic!("{}: {outcome:?}", row.name) };
            let offered = |name: &str| {
                seen.mentions(&format!("\"name\":\"{name}\"")) || seen.mentions(&format!("\"name\": \"{name}\""))
            };
            assert!(offered("find") && !offered("send"), "{}: {}", row.name, seen.text());
            let calls = calls_in(result);
            assert_eq!(calls.len(), 1, "{}: {result:#}", row.name);
            assert_eq!((calls[0].0.as_str(), &calls[0].1["of"]), ("find", &json!(MAIL)), "{}", row.name);
            let told = result.to_string();
            assert!(told.contains("Looking first.") && told.contains("tool.not_allowed"), "{}: {result:#}", row.name);
            let tools = line["doorward.tools"].as_str().unwrap_or_default();
            let expected = "called:find/allow=1,called:send/refuse=1,offered:send/remove=1";
            assert_eq!(tools, expected, "{}: {line:#}", row.name);
        });
        every("least arguments", rows.iter().zip(argued).zip(second), |(((row, _), outcome), (_, line))| {
            let Some(result) = &outcome.ok else { panic!("{}: {outcome:?}", row.name) };
            assert!(calls_in(result).is_empty(), "{}: {result:#}", row.name);
            let told = result.to_string();
            assert!(told.contains("tool.argument, /name") && !told.contains("Kurt"), "{}: {result:#}", row.name);
            assert_eq!(line["doorward.notes"], "tool.not_allowed", "{}: {line:#}", row.name);
        });
    }
}
