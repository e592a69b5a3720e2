//! What goes on the record: one line of values per exchange for access logs, and measurements for stats.
//!
//! Values are single, printable ASCII texts, since Envoy writes them raw into text logs: whatever else they hold
//! is percent-encoded. Names follow OpenTelemetry's GenAI conventions where those have one.

pub mod chain;
mod mac;
pub(crate) mod message;
mod otel;
mod policy;
mod pseudonym;
mod record;
pub mod text;

pub(crate) use chain::Chain;
pub use policy::{Audit, BreakGlass};
pub use pseudonym::Pseudonyms;
pub use record::{Difference, Occurrences, Record, SessionFacts, Stamp, Tokens, conflicts};

/// Every key of the record, with what it holds. Documents and the access-log format are checked against this.
pub const KEYS: &[(&str, &str)] = &[
    ("gen_ai.operation.name", "the operation: `chat`, `embeddings`, `list_models`, ..."),
    ("gen_ai.provider.name", "the target's provider"),
    (
        "gen_ai.request.model",
        "the model that the request is made to: the one asked for, aliases resolved, or a route's",
    ),
    ("mcp.method.name", "the method of an MCP message, of the first one where there are several"),
    ("gen_ai.tool.name", "the tool that an MCP request calls"),
    ("gen_ai.response.model", "the model that answered, as it names itself"),
    ("gen_ai.usage.input_tokens", "tokens in, cached ones included; absent where the answer says nothing"),
    ("gen_ai.usage.output_tokens", "tokens out"),
    ("gen_ai.usage.cache_read.input_tokens", "of the tokens in: read from the provider's cache"),
    ("gen_ai.usage.cache_creation.input_tokens", "of the tokens in: written to the provider's cache"),
    ("gen_ai.usage.reasoning.output_tokens", "of the tokens out: reasoning"),
    ("doorward.usage.audio.input_tokens", "of the tokens in: sound"),
    ("doorward.usage.audio.output_tokens", "of the tokens out: sound"),
    ("doorward.usage.total_tokens", "tokens in and out: always a number, 0 where none are known"),
    (
        "doorward.usage.estimated",
        "`true` where the answer ended before it told its usage, or did not tell it: an estimate from its bytes",
    ),
    ("doorward.api", "the API: `openai.chat`, `anthropic.messages`, ..."),
    ("doorward.stream", "`true` where a streamed answer was asked for"),
    (
        "doorward.placeholders",
        "of `tokenize`, in the answer: `restored`, `kept` (in links) and `foreign` ones (of no value in this request), `restored=2,foreign=1`",
    ),
    ("doorward.decision", "`allow`, `deny`, or `none` where the exchange ended before one"),
    (
        "doorward.action",
        "what was done: `pass`, `edit`, `route`, `reply`, `replace`, or `observe` where a denial was only recorded",
    ),
    ("doorward.reason", "the reason code of a denial"),
    ("doorward.notes", "reason codes of what was noticed and let through, comma-separated"),
    ("doorward.rules", "the statements that made the decision, comma-separated"),
    ("doorward.observed", "observed statements that fitted, comma-separated"),
    ("doorward.user", "the user, as proven"),
    ("doorward.team", "the team, as proven"),
    ("doorward.purpose", "the purpose the credential states"),
    ("doorward.workload", "the peer's SPIFFE id"),
    ("doorward.roles", "the caller's roles, comma-separated"),
    ("doorward.auth", "how the caller was proven: `jwt`, `api_key`, `envoy_metadata`, `mtls`"),
    ("doorward.credential", "the id of the key that signed the token, or of the API key"),
    ("doorward.target", "the target's name"),
    ("doorward.route", "the statements that sent the request to another target, or would have in `observe`"),
    ("doorward.route.from", "the target that Envoy chose first, where the request went to another"),
    ("doorward.route.model", "the model that the caller asked for, aliases resolved, where a route asks another"),
    ("doorward.owner", "the target's owner"),
    ("doorward.path", "the request's path without its query"),
    ("doorward.findings", "findings on the way in and out: `in:EMAIL_ADDRESS/mask=2`, comma-separated"),
    (
        "doorward.external",
        "external detectors: `in:presidio=ok:12ms`, `failed:timeout` (or `unreachable`, `status_503`, `malformed`, `too_large`), `skipped:stream`, `skipped:observe`",
    ),
    (
        "doorward.tools",
        "tools that were taken out of the request, and calls of tools: `offered:send_mail/remove=1`, `called:query/refuse=1`, comma-separated",
    ),
    (
        "doorward.limit.global",
        "what came of charging counts that proxies share: `day=ok`, `credit`, `over_limit`, `failed:timeout` (or `unreachable`, `error`), `asked` (it ended before)",
    ),
    (
        "doorward.limit.remaining",
        "what is left of each limit that holds, reservations of calls that go on aside: `tokens-a-day=1200`, comma-separated",
    ),
    ("doorward.session", "with `sessions`: the session's digest, 16 hex digits; two callers never share one"),
    ("doorward.session.risk", "what has added up in the session, this exchange counted"),
    ("doorward.session.caller_risk", "and over all sessions of its caller"),
    ("doorward.session.seen", "the kinds of risk that the session has shown and that count still, comma-separated"),
    ("doorward.caller", "the caller's digest, which `anomaly.baselines` name them by"),
    ("doorward.anomaly", "in what the caller is far from usual: `requests`, `tokens`, `denials`, ..., comma-separated"),
    (
        "doorward.candidate",
        "with `candidate`, where it would have judged the request otherwise: its decision, `none` where the live policy refused the head and the candidate would have read on",
    ),
    ("doorward.candidate.reason", "the reason code of its denial"),
    ("doorward.candidate.rules", "the statements that made its decision, comma-separated"),
    ("doorward.candidate.findings", "its findings in the request: `in:EMAIL_ADDRESS/deny=1`, comma-separated"),
    ("doorward.candidate.digest", "its SHA-256, first 16 hex digits"),
    ("doorward.cost", "what the usage costs: decimal number and currency, `0.0026 USD`"),
    ("doorward.content.in", "keyed digest of the request's body as it came, `hmac-sha256:<hex>`"),
    ("doorward.content.out", "keyed digest of the answer's body as it came"),
    (
        "doorward.texts.in",
        "keyed digests of the request's texts, the last 48 of them, comma-separated; `doorward find` makes them of a text",
    ),
    ("doorward.texts.out", "and of the answer's"),
    ("doorward.captured.in", "with `audit.capture`: the request's body, or `withheld`; percent-encoded and cut"),
    ("doorward.captured.out", "and the answer's; of a stream, its texts as the client got them"),
    ("doorward.policy", "the policy's name"),
    ("doorward.policy.digest", "the policy's SHA-256, packs included, first 16 hex digits"),
    ("doorward.policy.packs", "the packs that the policy extends, comma-separated"),
    ("doorward.policy.weakened", "statements of packs that the policy weakens, comma-separated"),
    ("doorward.break_glass", "why nothing is enforced at this time, and until when"),
    ("doorward.duration_us", "microseconds the filter itself spent on the exchange"),
    (chain::KEY, "with `audit.chain`: what ties the record to the one before it (`doorward verify`)"),
];

/// A value as it may stand in a log line: ASCII without quotes, backslashes and control characters, at most 1,024
/// bytes. Everything else is percent-encoded, and `%` too, so that nothing is ambiguous.
pub fn printable(text: &str) -> String {
    printable_within(text, 1024)
}

/// The same for other sizes than 1,024 bytes: at least 16.
pub(crate) fn printable_within(text: &str, most: usize) -> String {
    if is_printable(text, most) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(most));
    for byte in text.bytes() {
        if out.len() > most.saturating_sub(6) {
            out.push_str("...");
            break;
        }
        match is_plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whether a value is what [`printable_within`] makes of it, as nearly all are.
pub(crate) fn is_printable(text: &str, most: usize) -> bool {
    text.len() <= most.saturating_sub(5) && text.bytes().all(is_plain)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..0x7f) && !matches!(byte, b'"' | b'\\' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_a_log_line() {
        assert_eq!(printable("alice@example.com"), "alice@example.com");
        assert_eq!(printable("a\"b\\c\nd%e"), "a%22b%5Cc%0Ad%25e");
        assert_eq!(printable("é"), "%C3%A9");
        let long = printable(&"\u{7f}".repeat(5000));
        assert!(long.len() <= 1024 && long.ends_with("..."));
        for length in 1010..1030 {
            let (plain, other) = ("a".repeat(length), "%".repeat(length / 3));
            let expected = if length <= 1019 { plain.clone() } else { "a".repeat(1019) + "..." };
            assert_eq!(printable(&plain), expected);
            assert_eq!(is_printable(&plain, 1024), plain == expected);
            assert!(printable(&other).len() <= 1024);
        }
    }

    #[test]
    fn keys_are_unique() {
        for (i, (key, _)) in KEYS.iter().enumerate() {
            assert!(KEYS.iter().skip(i + 1).all(|(k, _)| k != key), "{key}");
        }
    }
}
