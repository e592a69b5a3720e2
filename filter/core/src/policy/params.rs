//! Which arguments of a tool the `Mcp-Param-*` headers of MCP repeat, where a policy says so.

use std::collections::BTreeMap;

use super::document::ToolDocument;
use super::glob::Globs;
use super::targets::{Targets, includes};
use crate::config::{OneOrMany, Path, Problem};
use crate::protocol::plain_name;

/// What a policy says of headers.
#[derive(Debug, Default)]
pub struct ParamHeaders {
    declared: Vec<Declared>,
    none: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Declared {
    tools: Globs,
    targets: Option<Vec<bool>>,
    /// JSON pointers by the plain names of headers.
    headers: BTreeMap<String, String>,
}

impl ParamHeaders {
    /// Compiles the `headers` of a policy's `tools`.
    pub fn compile(documents: &[ToolDocument], targets: &Targets, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut declared = Vec::new();
        for (i, document) in documents.iter().enumerate().filter(|(_, document)| !document.headers.is_empty()) {
            let path = path.index(i);
            let mut headers = BTreeMap::new();
            for (name, pointer) in &document.headers {
                let here = path.key("headers").key(name);
                let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
                if !token || name.to_ascii_lowercase().starts_with("mcp-param-") {
                    problems.push(
                        Problem::new(here, format!("`{name}` is not what follows `Mcp-Param-`"))
                            .help("for `Mcp-Param-Region` write `Region`"),
                    );
                } else if !pointer.starts_with('/') {
                    problems.push(
                        Problem::new(here, format!("`{pointer}` is no JSON pointer"))
                            .help("as in RFC 6901: `/location` is the argument `location`"),
                    );
                } else if headers.insert(plain_name(name), pointer.clone()).is_some() {
                    problems.push(Problem::new(here, format!("a second header `{name}`")));
                }
            }
            // Its pin has the same targets, and says so if they are not known.
            let none = OneOrMany(Vec::new());
            let before = problems.len();
            let targets = targets.meant(&document.targets, &none, &path, problems);
            if !document.pin.0.is_empty() {
                problems.truncate(before);
            }
            declared.push(Declared { tools: Globs::new(&document.name.0), targets, headers });
        }
        Self { declared, none: BTreeMap::new() }
    }

    /// JSON pointers of arguments by the plain names of the headers that repeat them; the first item that fits the tool counts.
    pub fn of(&self, target: usize, tool: Option<&str>) -> &BTreeMap<String, String> {
        let fits = |declared: &&Declared| {
            includes(declared.targets.as_ref(), target) && tool.is_some_and(|tool| declared.tools.any(tool))
        };
        self.declared.iter().find(fits).map_or(&self.none, |declared| &declared.headers)
    }
}
