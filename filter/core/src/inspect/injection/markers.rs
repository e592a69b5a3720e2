//! Signs by which a text poses as something else than text: the control tokens of chat templates, headings and lines
//! that name a role, comments of HTML.

use super::lexicon::{CHAT_TOKEN, COMMENT, ROLE_LINE, TURN};

/// A sign found.
pub(super) struct Marker {
    pub len: usize,
    pub hash: u32,
    /// Its class in the lexicon.
    pub class: u64,
}

/// Tokens of chat templates, in lower case.
const TOKENS: &[&[u8]] = &[
    b"<|im_start|>",
    b"<|im_end|>",
    b"<|im_sep|>",
    b"<|system|>",
    b"<|user|>",
    b"<|assistant|>",
    b"<|endoftext|>",
    b"<|end_of_text|>",
    b"<|begin_of_text|>",
    b"<|start_header_id|>",
    b"<|end_header_id|>",
    b"<|eot_id|>",
    b"<|eom_id|>",
    b"<|end|>",
    b"<|start|>",
    b"<|channel|>",
    b"<|message|>",
    b"<start_of_turn>",
    b"<end_of_turn>",
    b"<<sys>>",
    b"<</sys>>",
    b"[inst]",
    b"[/inst]",
    b"[system_prompt]",
    b"[/system_prompt]",
    b"[available_tools]",
    b"<|tool_call|>",
    b"<\xef\xbd\x9cuser\xef\xbd\x9c>",
    b"<\xef\xbd\x9cassistant\xef\xbd\x9c>",
];

/// What poses as a turn or a part of the prompt, in lower case.
const ROLES: &[&[u8]] = &[
    b"[system]",
    b"[/system]",
    b"<system>",
    b"</system>",
    b"<system_prompt>",
    b"</system_prompt>",
    b"<instructions>",
    b"</instructions>",
    b"<important>",
    b"[system message]",
    b"[system note]",
    b"[admin]",
    b"[instructions]",
    b"### system",
    b"### instruction",
    b"###instruction",
    b"###system",
    b"# system message",
    b"# system prompt",
    b"# instruction",
    b"## instructions for ai",
    b"--- end of",
    b"-----end of",
    b"---end of",
];

/// Words with which a line begins that poses as the system's, in lower case.
const LINES: &[&[u8]] =
    &[b"system:", b"system message:", b"system prompt:", b"system note:", b"developer:", b"admin:", b"system override"];

/// With which a turn of a conversation begins.
const TURNS: &[&[u8]] =
    &[b"user:", b"human:", b"assistant:", b"q:", b"a:", b"ai:", b"chatgpt:", b"bot:", b"question:", b"answer:"];

/// What stands at a byte that is no letter.
pub(super) fn at(bytes: &[u8], at: usize, line_start: bool) -> Option<Marker> {
    let rest = bytes.get(at..)?;
    if !may_begin(rest) {
        return None;
    }
    if rest.starts_with(b"<!--") {
        return Some(Marker { len: 4, hash: 0x1001, class: COMMENT });
    }
    if let Some(token) = longest(rest, TOKENS) {
        return Some(Marker { len: token.len(), hash: 0x1002, class: CHAT_TOKEN });
    }
    let heading = matches!(rest.first(), Some(b'#' | b'-'));
    let role = longest(rest, ROLES).filter(|_| line_start || !heading)?;
    Some(Marker { len: role.len(), hash: 0x1003, class: ROLE_LINE })
}

/// Whether the first two bytes are some sign's: those of most texts are none's.
#[inline]
fn may_begin(rest: &[u8]) -> bool {
    let [first, second, ..] = rest else { return false };
    let second = second.to_ascii_lowercase();
    match first {
        b'<' => matches!(second, b'!' | b'|' | b'<' | b'/' | b's' | b'e' | b'i' | 0xEF),
        b'[' => matches!(second, b'i' | b'/' | b's' | b'a'),
        b'#' => matches!(second, b'#' | b' '),
        b'-' => second == b'-',
        _ => false,
    }
}

/// What stands at the first letter of a line.
pub(super) fn line(bytes: &[u8], at: usize) -> Option<Marker> {
    let rest = bytes.get(at..)?;
    // The longest has its colon within so many bytes.
    let short = rest.get(..17).unwrap_or(rest);
    if !matches!(rest.first()?.to_ascii_lowercase(), b's' | b'd' | b'a' | b'u' | b'h' | b'q' | b'c' | b'b')
        || !short.contains(&b':')
            && !short.starts_with(b"system o")
            && !short.starts_with(b"SYSTEM O")
            && !short.starts_with(b"System o")
    {
        return None;
    }
    if let Some(line) = longest(rest, LINES) {
        return Some(Marker { len: line.len(), hash: 0x1004, class: ROLE_LINE });
    }
    let turn = longest(rest, TURNS)?;
    Some(Marker { len: turn.len(), hash: 0x1005, class: TURN })
}

fn longest(rest: &[u8], signs: &[&'static [u8]]) -> Option<&'static [u8]> {
    let first = rest.first()?.to_ascii_lowercase();
    let fits = |sign: &&&'static [u8]| {
        sign.first() == Some(&first) && rest.get(..sign.len()).is_some_and(|there| there.eq_ignore_ascii_case(sign))
    };
    signs.iter().find(fits).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_may_begin() {
        for sign in TOKENS.iter().chain(ROLES) {
            assert!(
                at(sign, 0, true).is_some_and(|marker| marker.len <= sign.len()),
                "{}",
                String::from_utf8_lossy(sign)
            );
        }
        for sign in LINES.iter().chain(TURNS) {
            assert!(line(sign, 0).is_some(), "{}", String::from_utf8_lossy(sign));
        }
        assert!(at(b"<!-- x", 0, false).is_some() && at(b"<p>", 0, true).is_none() && at(b"-", 0, true).is_none());
    }
}
