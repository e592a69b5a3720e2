//! What an exchange may use at most, before it is known: by its text, and by the bound that it names for what comes out or is given.
//! And what it used, where nobody says.

use std::borrow::Cow;
use std::ops::Range;

use super::{Context, Exchange, Facts};
use crate::json::{Document, Kind, Node};
use crate::limits::{Need, Weight};
use crate::protocol::{Api, Contents, Operation, Usage, given};

impl Exchange {
    /// Estimates what a request needs at most. Where it names no bound of its own for what comes out, it gets one: `edits` and
    /// `insert` are what is written into the body.
    pub(super) fn estimate(
        &mut self,
        (document, contents): (&Document<'_>, &Contents),
        facts: &Facts,
        edits: &mut Vec<(Range<usize>, String)>,
        insert: &mut String,
        cx: &Context<'_>,
    ) {
        let Some(subject) = self.subject(&facts.roles, facts.target, cx.engine) else { return };
        if !cx.engine.limits.reserves(&subject) {
            return;
        }
        let reserve = &cx.engine.reserve;
        // All of it as it is written: what stands around texts there stands for what does in a prompt.
        let root = document.root();
        let (mut weight, mut media, mut rest) = (Weight::default(), 0u64, root.span());
        let text = |range: Range<usize>| document.bytes().get(range).unwrap_or_default();
        for payload in contents.spans() {
            if payload.start < rest.start {
                continue;
            }
            weight.add(text(rest.start..payload.start));
            (media, rest.start) = (media.saturating_add(1), payload.end);
        }
        weight.add(text(rest));
        let provided = facts.tools.provided.saturating_mul(reserve.provider_tool_tokens);
        let added = media.saturating_mul(reserve.media_tokens).saturating_add(provided);
        let name = subject.model.map_or("", |(model, _)| model);
        let most = cx.worker.calibrations.bound(name, weight);
        let sure = cx.worker.calibrations.input(name, weight).min(most);
        let nothing = yields_nothing(facts.call.operation);
        let output = match facts.call.operation {
            _ if nothing => 0,
            Operation::Batches => {
                let requests = root.get("requests").into_iter().flat_map(|r| r.items());
                let inner = requests.map(|r| r.get_folded("params").unwrap_or(r));
                inner.fold(0u64, |sum, r| {
                    sum.saturating_add(bound(r).max(reserve.max_tokens).saturating_mul(choices(r)))
                })
            }
            _ => {
                let own = own_names(facts.call.api, self.record.provider.as_deref());
                let given = bound(root);
                // Names of other APIs bound nothing here: a server that does not know them goes on for as long as it likes.
                let bounded = own.iter().any(|path| exact(root, path).is_some_and(|n| n.number().is_some()));
                let most = if bounded { given } else { given.max(reserve.max_tokens) };
                if !bounded
                    && self.tap.is_none()
                    && !self.signed
                    && let Some(path) = own.first()
                {
                    cap(root, path, most, edits, insert);
                }
                most.saturating_mul(choices(root))
            }
        };
        self.quota.weight = weight;
        self.quota.need = Need {
            usage: Usage { input: most.saturating_add(added), output, ..Usage::default() },
            floor: sure.min(most),
            open: !nothing,
        };
    }

    /// What an exchange used that does not say so, or that was cut off: an estimate from the bytes that came.
    pub(super) fn estimate_usage(&mut self, cut: bool, cx: &Context<'_>) {
        if self.record.usage.is_some_and(|told| told.input > 0) && !cut {
            return;
        }
        let model = self.record.model.clone().unwrap_or_default();
        let input = match self.quota.weight.tokens() {
            0 => self.record.request_bytes.div_ceil(4),
            _ => cx.worker.calibrations.input(&model, self.quota.weight),
        };
        let bytes = self.record.stream_bytes.max(self.quota.answer_bytes);
        let estimate = Usage { input, output: cx.worker.calibrations.output(&model, bytes), ..Usage::default() };
        let told = self.record.usage.unwrap_or_default();
        self.record.usage_estimated = told.input == 0 || cut && told.output < estimate.output;
        self.record.usage = Some(match told.input {
            0 => estimate.max(told),
            _ => Usage { output: told.output.max(estimate.output), ..told },
        });
    }
}

/// Whether no tokens come out of a call.
pub(super) fn yields_nothing(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Embeddings | Operation::Moderation | Operation::Rerank | Operation::CountTokens | Operation::Analyze
    )
}

/// How many tokens come out at most for each answer, by what the request says; 0 where it says nothing.
fn bound(root: Node<'_>) -> u64 {
    most(root, "max_tokens").unwrap_or_default()
}

/// How many answers it asks for.
fn choices(root: Node<'_>) -> u64 {
    most(root, "n").unwrap_or(1).max(1)
}

/// The greatest of what a parameter is given as: nobody knows which of several a server takes.
fn most(root: Node<'_>, name: &str) -> Option<u64> {
    let mut most = None;
    given(root, name, &mut |node| {
        // There are servers that read `"9"` as 9.
        let text = node.number().map(Cow::Borrowed).or_else(|| node.text());
        let Some(text) = text.as_deref().map(str::trim) else { return };
        // Nearly all are whole.
        let number = text.parse().ok().or_else(|| {
            let number = text.parse::<f64>().ok()?;
            // What is below 0 means no bound in some servers (Ollama's -1).
            Some(if number >= 0.0 { number.ceil() as u64 } else { u64::from(u32::MAX) })
        });
        most = most.max(number);
    });
    most
}

/// The names, as paths, under which an API takes a bound on what comes out; the first is the one that is written.
fn own_names(api: Api, provider: Option<&str>) -> &'static [&'static str] {
    let openai = matches!(provider, Some("openai" | "azure.ai.openai"));
    match api {
        Api::OpenAiChat if openai => &["max_completion_tokens", "max_tokens"],
        Api::OpenAiChat => &["max_tokens", "max_completion_tokens"],
        Api::OpenAiCompletions | Api::AnthropicMessages | Api::CohereChat => &["max_tokens"],
        Api::OpenAiResponses => &["max_output_tokens"],
        // Members of protobuf messages may be written either way.
        Api::GeminiGenerate => &[
            "generationConfig.maxOutputTokens",
            "generationConfig.max_output_tokens",
            "generation_config.maxOutputTokens",
            "generation_config.max_output_tokens",
        ],
        Api::GeminiInteractions => &["generation_config.max_output_tokens"],
        Api::BedrockConverse => &["inferenceConfig.maxTokens"],
        Api::OllamaChat | Api::OllamaGenerate => &["options.num_predict"],
        Api::TgiGenerate => &["parameters.max_new_tokens"],
        _ => &[],
    }
}

/// The member at a path of names, as they are written.
fn exact<'d>(root: Node<'d>, path: &str) -> Option<Node<'d>> {
    path.split('.').try_fold(root, |node, name| node.get(name))
}

/// Bounds what comes out, at a path of one name or two.
fn cap(root: Node<'_>, path: &str, tokens: u64, edits: &mut Vec<(Range<usize>, String)>, insert: &mut String) {
    let Some((outer, inner)) = path.split_once('.') else {
        return super::body::replace_or_insert(root, path, &tokens.to_string(), edits, insert);
    };
    match root.get(outer).filter(|o| !o.is_null()) {
        // What is no object is for the server to refuse.
        Some(other) if other.kind() != Kind::Object => {}
        None => super::body::replace_or_insert(root, outer, &format!("{{\"{inner}\":{tokens}}}"), edits, insert),
        Some(object) => match object.get(inner) {
            Some(node) => edits.push((node.span(), tokens.to_string())),
            None => {
                let start = object.span().start.saturating_add(1);
                let comma = if object.entries().next().is_some() { "," } else { "" };
                edits.push((start..start, format!("\"{inner}\":{tokens}{comma}")));
            }
        },
    }
}
