//! The governed calls as Markdown, from core's own table of them.

use std::fmt::Write as _;

use doorward_core::protocol::{About, Api, Body, CALLS, Call, DEFAULT_MODEL, ModelIn, Operation, Streams, about};
use doorward_core::stream::framing::Framing;

const TITLE: &str = "
## APIs

Every call that is governed. A path that is not here is unknown, and denied. Paths are compared byte by byte, behind the target's
`path_prefix`; `{model}` names the model, `{}` is any one segment, `/**` the path itself and everything below it. Of rows that fit
one path, the first counts. A target's `apis` narrows them; statements name operations.

Of every JSON body, request and answer, everything is read, whatever the API: every string, every key, every number of seven digits
and more, in members that are known and in those that are not. Left out are only the bytes of media, which a statement must allow, and
the numbers of an embedding. What the tables say of an API is what it has beyond that.
";

const REWRITTEN: &str = "
What a request is changed in beyond findings, where answers tell what was used, and which texts the values of `tokenize` come back
into. Everything else of a body stays as it came, byte for byte. An alias of `models` becomes the model's name wherever the call names
its model, in the path too. Each of `requests` (batches of Anthropic's, `batchEmbedContents`) must be allowed as if it came alone, one of
a batch as `chat`; an alias there is judged by the model's name, and sent as it is.

Values come back into texts of the model, in streams too, and into the arguments of tools that `tools` lists with `restore: true`. They do
not come back into documents, citations, metadata, tool results, keys, and what the provider signs (Anthropic's and Bedrock's thinking,
signatures). Bedrock's usage is read from headers too, where an answer does not stream. Usage that a stream does not tell, or that was
cut off, is estimated, and the record says so.

| API | Streams as | Put into the request | Values come back into | Usage |
|---|---|---|---|---|
";

const SURFACES: &str = "
What keeps state at the provider, carries many requests at once or administers a server is known by its paths only (API `surface`),
with any method. An allow must name the operation. JSON is read and redacted like any other, results that come as lines of JSON line by
line; another body of a request passes unread, which needs `media: file`. Upgrades (WebSocket) are refused but for `realtime`, of which
nothing is read then.

| Operation | Paths |
|---|---|
";

/// The section.
pub fn render() -> String {
    let mut out = TITLE.to_owned();
    let legend = Legend::of(CALLS);
    let _ = write!(out, "\n| In front of the path | One of |\n|---|---|\n");
    for (name, bases) in &legend.0 {
        let _ = writeln!(out, "| `<{name}>` | {} |", listed(bases));
    }
    out.push_str("\n| API | Operation | Call | Model | Streams |\n|---|---|---|---|---|\n");
    for row in rows(CALLS.iter().filter(|call| call.api != Api::Surface)) {
        let Some(call) = row.first() else { continue };
        let paths: Vec<String> = row.iter().map(|call| legend.call(call)).collect();
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} | {} |",
            call.api.as_str(),
            call.operation.as_str(),
            paths.join("<br>"),
            model(call),
            streams(call.streams)
        );
    }
    out.push_str(REWRITTEN);
    let mut seen: Vec<Api> = Vec::new();
    for call in CALLS {
        if !seen.contains(&call.api)
            && let Some(about) = about(call.api)
        {
            seen.push(call.api);
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} |",
                call.api.as_str(),
                joined(about.framings.iter().map(|framing| name(*framing).to_owned())),
                inserted(about),
                restored(about),
                joined(about.usage.iter().map(|member| format!("`{member}`")))
            );
        }
    }
    out.push_str(SURFACES);
    for row in rows_by_operation() {
        let Some(call) = row.first() else { continue };
        let paths: Vec<String> = row.iter().map(|call| legend.paths(call)).collect();
        let _ = writeln!(out, "| `{}` | {} |", call.operation.as_str(), paths.join(", "));
    }
    out
}

/// Lists of bases that are too long to be repeated, by the family of the API that has them first.
struct Legend(Vec<(&'static str, &'static [&'static str])>);

impl Legend {
    fn of(calls: &'static [Call]) -> Self {
        let mut legend = Self(Vec::new());
        for call in calls.iter().filter(|call| call.bases.len() > 3) {
            if legend.name(call.bases).is_none() {
                let name = call.api.as_str();
                legend.0.push((name.split_once('.').map_or(name, |(family, _)| family), call.bases));
            }
        }
        legend
    }

    fn name(&self, bases: &[&str]) -> Option<&'static str> {
        self.0.iter().find(|(_, known)| *known == bases).map(|(name, _)| *name)
    }

    fn paths(&self, call: &Call) -> String {
        match self.name(call.bases) {
            Some(name) => format!("`<{name}>{}`", call.path),
            None => {
                let paths: Vec<String> = call.bases.iter().map(|base| format!("`{base}{}`", call.path)).collect();
                paths.join(", ")
            }
        }
    }

    fn call(&self, call: &Call) -> String {
        let says = if call.says.is_empty() { String::new() } else { format!(" as `{}`", call.says) };
        format!("{} {}{says}", call.method, self.paths(call))
    }
}

/// Calls that differ in their paths only are one row.
fn rows<'c>(calls: impl Iterator<Item = &'c Call>) -> Vec<Vec<&'c Call>> {
    let mut rows: Vec<Vec<&Call>> = Vec::new();
    for call in calls {
        let like = |row: &&mut Vec<&Call>| {
            row.first().is_some_and(|first| {
                (first.api, first.operation, first.streams) == (call.api, call.operation, call.streams)
                    && model(first) == model(call)
            })
        };
        match rows.iter_mut().find(like) {
            Some(row) => row.push(call),
            None => rows.push(vec![call]),
        }
    }
    // One API after the other, in the order of their first calls.
    let mut apis: Vec<Api> = Vec::new();
    for call in rows.iter().filter_map(|row| row.first()) {
        if !apis.contains(&call.api) {
            apis.push(call.api);
        }
    }
    rows.sort_by_key(|row| row.first().and_then(|call| apis.iter().position(|api| *api == call.api)));
    rows
}

fn rows_by_operation() -> Vec<Vec<&'static Call>> {
    let mut rows: Vec<(Operation, Vec<&Call>)> = Vec::new();
    for call in CALLS.iter().filter(|call| call.api == Api::Surface) {
        match rows.iter_mut().find(|(operation, _)| *operation == call.operation) {
            Some((_, row)) => row.push(call),
            None => rows.push((call.operation, vec![call])),
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Where a call names its model.
fn model(call: &Call) -> String {
    let in_path = call.bases.iter().filter(|base| base.contains("{model}")).count();
    let member = match call.model {
        ModelIn::Nowhere if call.api.is_message() => return "none".to_owned(),
        ModelIn::Nowhere if call.body == Body::None => {
            return "none; the list is cut to what the caller may use".to_owned();
        }
        ModelIn::Nowhere => return "of each of `requests`, `params.model`".to_owned(),
        ModelIn::Optional(member) if in_path == 0 => return format!("`{member}`, else `{DEFAULT_MODEL}`"),
        ModelIn::Optional(member) => {
            return format!("`{member}`, else the path's `{{model}}`, else `{DEFAULT_MODEL}`");
        }
        ModelIn::Body(member) => member,
    };
    match in_path {
        0 if call.api == Api::GeminiInteractions => format!("`{member}` or `agent`"),
        0 => format!("`{member}`"),
        n if n == call.bases.len() => format!("the path's `{{model}}`; `{member}`, if there, must be the same"),
        _ => format!("`{member}`, or the path's `{{model}}`; where both are there, they must be the same"),
    }
}

fn streams(streams: Streams) -> &'static str {
    match streams {
        Streams::No => "never",
        Streams::Asked(false) => "with `stream: true`",
        Streams::Asked(true) => "unless `stream: false`",
        Streams::Always => "always",
    }
}

fn name(framing: Framing) -> &'static str {
    match framing {
        Framing::Sse => "`text/event-stream`",
        Framing::Lines => "`application/x-ndjson`",
        Framing::JsonArray => "a JSON array in pieces",
        Framing::EventStream => "`application/vnd.amazon.eventstream`",
    }
}

fn inserted(about: &About) -> String {
    let store = about
        .api
        .stores_by_default()
        .then_some("`store: false`, unless the caller says something of it or `stateful: true` allows it");
    let usage = about
        .asks_for_usage
        .then_some("`stream_options.include_usage: true` in streams (`ask_for_usage`), not at `mistral_ai`");
    joined(store.into_iter().chain(usage).map(str::to_owned))
}

fn restored(about: &About) -> String {
    let texts = about.restores.iter().map(|member| format!("`{member}`"));
    joined(texts.chain(about.calls_tools.then(|| "arguments of tool calls".to_owned())))
}

fn listed(items: &[&str]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
    items.join(", ")
}

fn joined(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "–".to_owned() } else { items.join(", ") }
}
