//! The one table of reasons: stable code, HTTP status, what the caller is told, and whether trying again can help.

use crate::identity;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $retry:ident $text:literal;)*) => {
        /// Why an exchange was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            /// The caller could not be proven.
            Identity(identity::Reason),
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason but those of identity, for tables and documents.
            pub const OWN: &'static [Reason] = &[$(Reason::$name,)*];

            /// The stable code: `model.not_allowed`.
            pub fn code(self) -> &'static str {
                match self {
                    Reason::Identity(reason) => reason.as_str(),
                    $(Reason::$name => $code,)*
                }
            }

            /// The HTTP status of a local answer.
            pub fn status(self) -> u16 {
                match self {
                    Reason::Identity(reason) => reason.status(),
                    $(Reason::$name => $status,)*
                }
            }

            /// What the caller is told: what is wrong and what to do about it. Never anything they sent.
            pub fn message(self) -> &'static str {
                match self {
                    Reason::Identity(reason) => reason.description(),
                    $(Reason::$name => $text,)*
                }
            }

            /// Whether the same request may pass later.
            pub fn retryable(self) -> bool {
                match self {
                    Reason::Identity(reason) => reason.status() == 503,
                    $(Reason::$name => reasons!(@$retry),)*
                }
            }
        }
    };
    (@retry) => { true };
    (@final) => { false };
}

impl Reason {
    /// Whether it tells of what only the live policy has: counts, sessions, baselines, what it asks others and its host.
    pub(crate) fn is_of_live_alone(self) -> bool {
        let code = self.code();
        matches!(self, Reason::ContentDetectorUnavailable)
            || ["limit.", "session.", "anomaly.", "internal.", "route.", "identity."]
                .iter()
                .any(|of| code.starts_with(of))
    }
}

reasons! {
    /// No target names the cluster or route, and the policy denies what is ungoverned.
    TargetUngoverned "target.ungoverned" 403 final
        "This destination is not covered by the policy. Ask the platform team to add it as a target.";
    /// The request went to another target than it was judged for: a route hangs on a header that was removed.
    TargetChanged "target.changed" 502 final
        "The request was routed elsewhere than it was judged for, and the answer was withheld. Tell the platform team.";
    /// The path is no governed call of the target.
    ProtocolUnknownPath "protocol.unknown_path" 403 final
        "This path is not a governed API call here. Check the base URL and the path, byte by byte.";
    /// The path is known, with other methods.
    ProtocolMethod "protocol.method" 405 final "This call does not exist with that HTTP method.";
    /// An upgrade (WebSocket) or CONNECT.
    ProtocolUpgrade "protocol.upgrade" 403 final
        "Protocol upgrades and CONNECT are not governed and therefore refused. Use plain HTTP requests.";
    /// A header that decides something is repeated or malformed.
    ProtocolHeaders "protocol.headers" 400 final
        "A header that decides how the request is read is repeated or malformed. Send it once.";
    /// Not JSON in UTF-8.
    ProtocolContentType "protocol.content_type" 415 final
        "The body must be `content-type: application/json` in UTF-8.";
    /// A compressed request.
    ProtocolEncoding "protocol.encoding" 415 final
        "Compressed request bodies cannot be inspected. Send the body without `content-encoding`.";
    /// The body is no JSON that every server reads in the same way.
    ProtocolUnreadable "protocol.unreadable" 400 final
        "The body is not JSON that can be read in one way only.";
    /// The body is larger than the policy reads.
    ProtocolTooLarge "protocol.too_large" 413 final
        "The body is larger than this gateway inspects. Send less at once.";
    /// A streamed answer was asked for.
    ProtocolStream "protocol.stream_unsupported" 400 final
        "This call does not stream its answer here. Send the request with `stream` false.";
    /// The request names no model, or one with unusual characters.
    ProtocolModel "protocol.model" 400 final
        "The request must name its model, in letters, digits and `-._:/@+`.";
    /// No access statement allows the model.
    ModelNotAllowed "model.not_allowed" 403 final
        "Your roles do not allow this model. List the models you may use, or ask for access.";
    /// An access statement would allow the request but for a parameter's cap.
    ParameterNotAllowed "parameter.not_allowed" 403 final
        "A parameter is beyond what your roles allow. Lower it.";
    /// No access statement allows the tool, or one denies it.
    ToolNotAllowed "tool.not_allowed" 403 final
        "Your roles do not allow this tool. Leave it out, or ask for access.";
    /// An access statement would allow the call of the tool but for an argument.
    ToolArgument "tool.argument" 403 final
        "An argument of the tool is beyond what your roles allow.";
    /// An access statement would allow the request but for what it carries that cannot be read.
    MediaNotAllowed "media.not_allowed" 403 final
        "The request carries content that cannot be inspected, and your roles do not allow it. Send text instead.";
    /// An access statement would allow the request but for the state at the provider that it asks for.
    StateNotAllowed "state.not_allowed" 403 final
        "The request leaves or uses state at the provider, which your roles do not allow. Send the whole conversation instead.";
    /// No access statement allows the operation, or one denies it.
    AccessDenied "access.denied" 403 final "Your roles do not allow this call. Ask for access.";
    /// A tool's definition is not the one that the policy pins.
    ToolChanged "tool.changed" 403 final
        "The server describes this tool otherwise than when it was approved. Tell the platform team.";
    /// A tool without a pin is described otherwise than when it was first seen. Noted, never refused.
    ToolRedefined "tool.redefined" 403 final
        "The server describes this tool otherwise than when it was first seen. Tell the platform team.";
    /// A member of a server's list held a finding that the policy refuses, and was left out. Noted: the rest of the list is delivered.
    ListPoisoned "list.poisoned" 403 final
        "Something that the server listed held data that must not be delivered, and was left out.";
    /// No access statement allows a method of MCP, or one denies it.
    MethodNotAllowed "method.not_allowed" 403 final
        "Your roles do not allow this method. Ask for access.";
    /// A caller's token does not name the upstream that the policy would hand it to. Noted, never refused: it stays here.
    ForwardAudience "forward.audience" 403 final
        "The token is not meant for the server behind this gateway. Ask the issuer for one that names both.";
    /// A header of an MCP request does not say what its body says, or is missing.
    McpHeaders "mcp.header_mismatch" 400 final
        "A header does not agree with the message, or is missing. Send what the protocol's version asks for.";
    /// A version of MCP that is not spoken here.
    McpVersion "mcp.version" 400 final
        "This version of the protocol is not spoken here. Choose one of those that are.";
    /// An MCP session that is not this caller's.
    McpSession "mcp.session" 404 final
        "There is no such session of yours. Begin another one.";
    /// A task that is not this caller's. No 404: to clients of MCP that says that their session is gone, which they begin anew.
    McpTask "mcp.task" 400 final
        "There is no such task of yours. Name it as it was told to you.";
    /// A finding that the policy refuses.
    ContentDenied "content.denied" 400 final
        "The text holds data that must not be sent here. Remove it and try again.";
    /// A text that could not be inspected within bounds.
    ContentUnscannable "content.unscannable" 400 final
        "A text could not be inspected within the policy's bounds of work and time. Send less, or simpler, text, or try later.";
    /// A detector outside of the filter did not say anything of a text that it must see.
    ContentDetectorUnavailable "content.detector_unavailable" 503 retry
        "A detector that must see the text is not available. Try again.";
    /// Only the gateway says which route a request takes.
    RouteAsserted "route.asserted" 400 final
        "Only the gateway sets `x-doorward-` headers. Send the request without them.";
    /// A request that has to go elsewhere, and cannot as it is.
    RouteUnavailable "route.unavailable" 403 final
        "What this request carries or asks for is served elsewhere, and it cannot go there as it is.";
    /// Statements that want a request to go to different targets.
    RouteConflict "route.conflict" 403 final
        "The request carries data that may go to no one place together. Send it in parts.";
    /// A finding in the answer that the policy refuses.
    AnswerDenied "answer.denied" 400 final
        "The model's answer held data that must not be delivered, and was withheld.";
    /// An answer that could not be inspected.
    AnswerUnscannable "answer.unscannable" 502 final
        "The upstream's answer could not be inspected, and was withheld.";
    /// Only noted: the answer is in another script than the request.
    AnswerLanguage "answer.language" 502 final "The answer is in another script than the request.";
    /// Only noted: the answer is longer than usual.
    AnswerSize "answer.size" 502 final "The answer is longer than the policy expects.";
    /// The answer comes from another model than was asked for.
    ModelMismatch "model.mismatch" 502 final
        "The upstream answered with another model than was asked for, and the answer was withheld.";
    /// A request rate is used up.
    LimitRequests "limit.requests" 429 retry "The request limit is used up. Wait until the window ends.";
    /// A budget of tokens is used up.
    LimitTokens "limit.tokens" 429 retry
        "The token budget does not suffice for this request. Wait, lower `max_tokens`, or send less text.";
    /// A budget of money is used up.
    LimitCost "limit.cost" 429 retry
        "The budget does not suffice for this request. Wait, lower `max_tokens`, or use a cheaper model.";
    /// Too many calls at a time.
    LimitConcurrent "limit.concurrent" 429 retry "Too many calls are going on at a time. Wait until one is over.";
    /// The request may use more than the whole limit.
    LimitTooLarge "limit.too_large" 429 final
        "The request may use more than its whole limit allows. Lower `max_tokens`, or send less text.";
    /// A budget of money holds, and the model has no price.
    LimitUnpriced "limit.unpriced" 403 final
        "The model has no price in the policy, and a budget holds. Choose another model, or tell the platform team.";
    /// The counters could not be read or written.
    LimitUnavailable "limit.unavailable" 503 retry "The limit's counters are not available. Try again.";
    /// What a session has shown by now is beyond a threshold.
    SessionDenied "session.denied" 403 final
        "What has been shown in this session by now, taken together, must not go on here. Begin another one without it, or ask for access.";
    /// Only noted: a session is beyond a threshold.
    SessionFlagged "session.flagged" 403 final "What has been shown in this session by now is beyond a threshold.";
    /// What is kept of sessions could not be read or written.
    SessionUnavailable "session.unavailable" 503 retry "What is known of the session is not available. Try again.";
    /// The caller does far more than they usually do.
    AnomalyDenied "anomaly.denied" 403 final
        "This is far from what you usually do, and has been stopped. Tell the platform team if it is meant.";
    /// The same, and a token that was issued just now is asked for.
    AnomalyFreshToken "anomaly.fresh_token" 401 final
        "This is far from what you usually do. Sign in again, and send a token that was issued just now.";
    /// The same, and the caller is slowed down.
    AnomalyThrottled "anomaly.throttled" 429 retry
        "This is far from what you usually do, and has been slowed down. Wait, or tell the platform team if it is meant.";
    /// Only noted: the caller does far more than they usually do.
    AnomalyFlagged "anomaly.flagged" 403 final "This is far from what the caller usually does.";
    /// What is kept of callers could not be read or written.
    AnomalyUnavailable "anomaly.unavailable" 503 retry "What is known of the caller is not available. Try again.";
    /// The host did not hand over what it held.
    InternalHost "internal.host" 500 retry "The gateway could not read the request. Try again.";
}
