//! What kind of tool it is, whatever an API calls it.

use std::borrow::Cow;

use crate::json::fold;
use crate::policy::FUNCTION;

/// Kinds, by what their names begin with (folded, without `_` and `-`). The first that fits counts.
const KINDS: &[(&str, &str)] = &[
    ("function", FUNCTION),
    ("custom", FUNCTION),
    ("websearch", "web_search"),
    ("googlesearch", "web_search"),
    ("enterprisewebsearch", "web_search"),
    ("browsersearch", "web_search"),
    ("searchparameters", "web_search"),
    ("searchsettings", "web_search"),
    ("enablesearch", "web_search"),
    ("webfetch", "web_fetch"),
    ("urlcontext", "web_fetch"),
    ("visitwebsite", "web_fetch"),
    ("browserautomation", "web_fetch"),
    ("codeinterpreter", "code_execution"),
    ("codeexecution", "code_execution"),
    ("computer", "computer_use"),
    ("filesearch", "file_search"),
    ("retrieval", "file_search"),
    ("documentlibrary", "file_search"),
    ("vertexaisearch", "file_search"),
    ("bash", "bash"),
    ("localshell", "bash"),
    ("shell", "bash"),
    ("texteditor", "text_editor"),
    ("strreplace", "text_editor"),
    ("applypatch", "text_editor"),
    ("imagegeneration", "image_generation"),
    ("memory", "memory"),
    ("googlemaps", "maps"),
    ("mcp", "mcp"),
];

/// The kind that policies know a type by: `web_search_20250305` and `googleSearch` are `web_search`. What nobody knows is a kind of
/// its own.
pub(super) fn kind(of: &str) -> Cow<'static, str> {
    let folded = fold(of).replace(['_', '-', ' '], "");
    match KINDS.iter().find(|(known, _)| folded.starts_with(known)) {
        // `function` is a word, not how a word begins.
        Some((known, FUNCTION)) if folded != *known => Cow::Owned(of.to_ascii_lowercase()),
        Some((_, kind)) => Cow::Borrowed(kind),
        None => Cow::Owned(of.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn kinds() {
        for (of, expected) in [
            ("function", "function"),
            ("custom", "function"),
            ("function_plus", "function_plus"),
            ("web_search_20250305", "web_search"),
            ("WEB_SEARCH_preview", "web_search"),
            ("googleSearchRetrieval", "web_search"),
            ("computer_use_preview", "computer_use"),
            ("computer_20250124", "computer_use"),
            ("mcp_toolset", "mcp"),
            ("mcp_server", "mcp"),
            ("urlContext", "web_fetch"),
            ("Teleport", "teleport"),
            ("", ""),
        ] {
            assert_eq!(kind(of), expected, "{of}");
        }
    }
}
