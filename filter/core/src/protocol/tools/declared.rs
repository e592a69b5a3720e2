//! The tools that a request offers to the model.
//!
//! One reader for all APIs, as for texts: members that mean the same are read wherever they stand. They are found in any case, as a
//! server may read them that does not look at it. An item that is not understood is a tool of a kind that no policy names, and so is
//! refused; that is the safe side, and what a new kind of tool deserves.

use std::borrow::Cow;
use std::ops::Range;

use super::kinds::kind;
use crate::json::{Kind, Node, items};
use crate::policy::FUNCTION;

/// A tool in a request.
#[derive(Clone, Debug)]
pub struct Offered<'d> {
    /// Its name; of what the provider runs, its kind where it has no name.
    pub name: Cow<'d, str>,
    /// `function`, or what the provider runs.
    pub kind: Cow<'static, str>,
    /// The host that the provider is to connect to; empty where there is one that cannot be told.
    pub server: Option<String>,
}

/// What holds tools: a list of them, or an object of which some members are.
#[derive(Debug)]
pub struct List<'d> {
    /// Where it stands.
    pub span: Range<usize>,
    /// Each item, or member with its key, and what it is.
    pub items: Vec<(Range<usize>, Declared<'d>)>,
}

/// What an item of a [`List`] is.
#[derive(Debug)]
pub enum Declared<'d> {
    /// One tool.
    Tool(Offered<'d>),
    /// Several.
    List(List<'d>),
    /// Which of them is to be used: goes with the last of them.
    Choice(Choice<'d>),
    /// Nothing of that kind.
    Other,
}

/// Which tool the model must use.
#[derive(Debug)]
pub struct Choice<'d> {
    /// The member's value.
    pub node: Node<'d>,
    /// The tools that it names.
    pub names: Vec<Cow<'d, str>>,
    /// What goes there instead where those are not allowed.
    pub free: &'static str,
}

impl<'d> List<'d> {
    /// Every tool.
    pub fn tools(&self, see: &mut dyn FnMut(&Offered<'d>)) {
        for (_, item) in &self.items {
            match item {
                Declared::Tool(tool) => see(tool),
                Declared::List(list) => list.tools(see),
                Declared::Choice(_) | Declared::Other => {}
            }
        }
    }

    /// The edits that take out the tools that are refused, in the order of [`List::tools`], and make choices fit what is left.
    pub fn without(&self, refused: &[bool]) -> Vec<(Range<usize>, String)> {
        let (mut names, mut verdicts) = (Vec::new(), refused.iter());
        self.tools(&mut |tool| {
            if verdicts.next().copied().unwrap_or(true) {
                names.push(tool.name.clone().into_owned());
            }
        });
        let mut verdicts = refused.iter().copied();
        let mut edits = Vec::new();
        self.cut(&names, &mut verdicts, &mut edits);
        edits
    }

    /// Whether it had tools, and whether any are left.
    fn cut(
        &self,
        names: &[String],
        refused: &mut dyn Iterator<Item = bool>,
        edits: &mut Vec<(Range<usize>, String)>,
    ) -> (bool, bool) {
        let (mut had, mut left) = (false, false);
        let mut kept: Vec<(Range<usize>, bool)> = Vec::new();
        for (span, item) in &self.items {
            let keep = match item {
                Declared::Tool(_) => {
                    let refused = refused.next().unwrap_or(true);
                    (had, left) = (true, left || !refused);
                    !refused
                }
                Declared::List(list) => {
                    let mut inner = Vec::new();
                    let (has, leaves) = list.cut(names, refused, &mut inner);
                    (had, left) = (had || has, left || leaves);
                    if !has || leaves {
                        edits.append(&mut inner);
                    }
                    !has || leaves
                }
                Declared::Choice(_) | Declared::Other => true,
            };
            kept.push((span.clone(), keep));
        }
        for ((_, keep), (_, item)) in kept.iter_mut().zip(&self.items) {
            if let Declared::Choice(choice) = item {
                match had && !left {
                    true => *keep = false,
                    false => choice.without(names, edits),
                }
            }
        }
        edits.extend(crate::json::cut(&self.span, &kept).into_iter().map(|range| (range, String::new())));
        (had, left)
    }
}

impl Choice<'_> {
    /// Makes it fit tools without those of `names`.
    fn without(&self, names: &[String], edits: &mut Vec<(Range<usize>, String)>) {
        let gone = |name: &str| names.iter().any(|gone| gone == name);
        if !self.names.iter().any(|name| gone(name)) {
            return;
        }
        // A list of those among which the model chooses is cut; one that must be used, or a list of which nothing is left, is not
        // asked for any more.
        let mut cuts = Vec::new();
        let lists = shortened(self.node, &gone, &mut cuts);
        match lists {
            Some(true) => edits.extend(cuts.into_iter().map(|range| (range, String::new()))),
            _ => edits.push((self.node.span(), self.free.to_owned())),
        }
    }
}

/// Cuts lists of named tools; whether anything is left in each of them. `None`: there is none.
fn shortened(node: Node<'_>, gone: &dyn Fn(&str) -> bool, cuts: &mut Vec<Range<usize>>) -> Option<bool> {
    match node.kind() {
        Kind::Object => {
            let mut all = None;
            for (_, value) in node.entries() {
                all = match (all, shortened(value, gone, cuts)) {
                    (all, None) => all,
                    (None, one) => one,
                    (Some(all), Some(one)) => Some(all && one),
                };
            }
            all
        }
        Kind::Array => {
            let named = |item: &Node<'_>| {
                let mut names = Vec::new();
                named(*item, true, &mut names);
                !names.iter().any(|name| gone(name))
            };
            let items: Vec<(Range<usize>, bool)> = node.items().map(|item| (item.span(), named(&item))).collect();
            cuts.extend(crate::json::cut(&node.span(), &items));
            Some(items.iter().any(|(_, keep)| *keep))
        }
        _ => None,
    }
}

/// Members of a request beside its tools by which a provider searches the web: OpenAI, xAI, Groq, Qwen, OpenRouter.
const SEARCHES: &[&str] =
    &["web_search_options", "search_parameters", "search_settings", "enable_search", "plugins", "compound_custom"];

/// The tools of a request: its root as a list whose members are lists of tools, tools or choices.
pub fn declared(root: Node<'_>) -> List<'_> {
    let members = root.entries().map(|(key, _)| crate::json::fold(&key.text()));
    let items = members.zip(items(root)).map(|(name, (span, value))| (span, member(&name, value))).collect();
    List { span: root.span(), items }
}

/// A member of a request, by its folded name.
fn member<'d>(name: &str, value: Node<'d>) -> Declared<'d> {
    if value.is_null() {
        return Declared::Other;
    }
    match name {
        "tools" | "functions" | "mcp_servers" | "mcpservers" => list(value),
        "toolconfig" | "tool_config" => config(value),
        // What Bedrock hands on to the model's vendor as it is.
        "additionalmodelrequestfields" if value.kind() == Kind::Object => Declared::List(declared(value)),
        "tool_choice" | "toolchoice" | "function_call" => choice(value),
        // Meaningless, and refused by some, without tools.
        "parallel_tool_calls" => Declared::Choice(Choice { node: value, names: Vec::new(), free: "" }),
        _ if SEARCHES.contains(&name) && value.bool() != Some(false) && !is_off(value) => {
            Declared::Tool(Offered { name: Cow::Borrowed("web_search"), kind: kind("web_search"), server: None })
        }
        _ => Declared::Other,
    }
}

/// xAI's `{"mode": "off"}`, and an empty list of plugins.
fn is_off(value: Node<'_>) -> bool {
    let off = value.get_folded("mode").and_then(|m| m.text()).is_some_and(|m| m == "off");
    off || value.kind() == Kind::Array && value.items().next().is_none()
}

fn list(value: Node<'_>) -> Declared<'_> {
    match value.kind() {
        Kind::Array => {
            let items = items(value).into_iter().map(|(span, item)| (span, tool(item))).collect();
            Declared::List(List { span: value.span(), items })
        }
        // One where a list should be: some servers take it.
        _ => tool(value),
    }
}

/// Bedrock's and Gemini's configuration: tools, and which to use.
fn config(value: Node<'_>) -> Declared<'_> {
    if value.kind() != Kind::Object {
        return Declared::Other;
    }
    let names = value.entries().map(|(key, _)| crate::json::fold(&key.text()));
    let items = names.zip(items(value)).map(|(name, (span, value))| {
        let what = match name.as_str() {
            "tools" => list(value),
            "toolchoice" | "tool_choice" | "functioncallingconfig" | "function_calling_config" => choice(value),
            _ => Declared::Other,
        };
        (span, what)
    });
    Declared::List(List { span: value.span(), items: items.collect() })
}

/// An item of a list of tools.
fn tool(item: Node<'_>) -> Declared<'_> {
    let unknown = || Declared::Tool(Offered { name: Cow::Borrowed(""), kind: Cow::Borrowed("unknown"), server: None });
    if item.kind() != Kind::Object {
        return unknown();
    }
    let text = |node: Node<'_>, name: &str| node.get_folded(name).and_then(|n| n.text()).map(Cow::into_owned);
    if let Some(of) = text(item, "type") {
        // OpenAI puts a function's own members one further in; the item's own name goes before where it has both.
        let inner = ["function", "custom"].into_iter().filter_map(|name| item.get_folded(name));
        let names: Vec<String> =
            std::iter::once(item).chain(inner).filter_map(|n| text(n, "name")).filter(|n| !n.is_empty()).collect();
        if names.windows(2).any(|two| matches!(two, [a, b] if a != b)) {
            return unknown();
        }
        // OpenAI's namespaces hold functions.
        if let Some(inner) = item.get_folded("tools").filter(|t| t.kind() == Kind::Array) {
            let items = items(inner).into_iter().map(|(span, item)| (span, tool(item))).collect();
            let list = List { span: inner.span(), items };
            let tools = crate::json::items(item).into_iter().find(|(_, value)| value.id() == inner.id());
            let span = tools.map_or(inner.span(), |(span, _)| span);
            return Declared::List(List { span: item.span(), items: vec![(span, Declared::List(list))] });
        }
        // Anthropic's servers are of type `url`.
        let kind = if of == "url" { Cow::Borrowed("mcp") } else { kind(&of) };
        let name = names.into_iter().next().unwrap_or_else(|| kind.clone().into_owned());
        return Declared::Tool(Offered { name: Cow::Owned(name), server: server(item, &kind), kind });
    }
    if let Some(name) = item.get_folded("name").and_then(|n| n.text()) {
        // Anthropic's own, and the older functions of OpenAI.
        let url = item.get_folded("url").is_some();
        let kind = Cow::Borrowed(if url { "mcp" } else { FUNCTION });
        return Declared::Tool(Offered { name, server: server(item, &kind), kind });
    }
    if let Some(function) = item.get_folded("function").filter(|f| f.kind() == Kind::Object) {
        return tool(function);
    }
    // Gemini and Bedrock: each member is a kind of tool, or a list of functions.
    let names = item.entries().map(|(key, _)| crate::json::fold(&key.text()));
    let members: Vec<_> = names
        .zip(items(item))
        .map(|(name, (span, value))| {
            let what = match name.as_str() {
                _ if value.is_null() => Declared::Other,
                "functiondeclarations" | "function_declarations" => list(value),
                "toolspec" => tool(value),
                "systemtool" => match text(value, "name") {
                    Some(name) => Declared::Tool(Offered { kind: kind(&name), name: Cow::Owned(name), server: None }),
                    None => unknown(),
                },
                "cachepoint" => Declared::Other,
                name => {
                    let kind = kind(name);
                    let server = server(value, &kind);
                    Declared::Tool(Offered { name: Cow::Owned(kind.clone().into_owned()), kind, server })
                }
            };
            (span, what)
        })
        .collect();
    match members.is_empty() {
        true => unknown(),
        false => Declared::List(List { span: item.span(), items: members }),
    }
}

/// The host of an MCP server.
fn server(item: Node<'_>, kind: &str) -> Option<String> {
    if kind != "mcp" {
        return None;
    }
    let url = ["server_url", "url", "serverurl", "uri"].into_iter().find_map(|name| item.get_folded(name));
    Some(url.and_then(|u| u.text()).and_then(|u| crate::policy::url_host(&u)).unwrap_or_default())
}

/// Which tool must be used: the names anywhere in it, and what the provider runs by its type.
fn choice(value: Node<'_>) -> Declared<'_> {
    let mut names = Vec::new();
    named(value, false, &mut names);
    let of = value.get("type").and_then(|t| t.text());
    if let Some(of) =
        of.filter(|of| !["function", "tool", "auto", "any", "none", "required", "allowed_tools"].contains(&&**of))
    {
        names.push(Cow::Owned(kind(&of).into_owned()));
    }
    // OpenAI and Mistral say `auto`; Anthropic, Gemini and Bedrock an object; what a string says, Cohere and others say in words.
    let free = match value.kind() {
        Kind::String => "",
        _ if value.get_folded("mode").is_some() => r#"{"mode":"AUTO"}"#,
        _ if value.get("type").and_then(|t| t.text()).is_some_and(|t| t == "tool" || t == "any" || t == "auto") => {
            r#"{"type":"auto"}"#
        }
        _ if value.get("type").is_some() || value.get("name").is_some() => "\"auto\"",
        _ => r#"{"auto":{}}"#,
    };
    Declared::Choice(Choice { node: value, names, free })
}

fn named<'d>(node: Node<'d>, is_name: bool, names: &mut Vec<Cow<'d, str>>) {
    match node.kind() {
        Kind::Object => {
            for (key, value) in node.entries() {
                let key = crate::json::fold(&key.text());
                named(value, matches!(key.as_str(), "name" | "allowedfunctionnames" | "allowed_function_names"), names);
            }
        }
        Kind::Array => node.items().for_each(|item| named(item, is_name, names)),
        Kind::String if is_name => names.extend(node.text()),
        _ => {}
    }
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;
