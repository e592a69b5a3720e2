//! YAML with places, read as Envoy reads it.
//!
//! Stricter than Envoy in one thing: a repeated key is an error. Merge keys (`<<`) are not merged, as in Envoy.

use std::collections::HashMap;

use doorward_core::config::Tree;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Entry, Mark, Node, Unreadable, Value, scalar};

/// Deeper nesting is refused; Envoy's own limit for a message is 100.
const MAX_DEPTH: usize = 100;
/// More values than this, aliases expanded, are refused.
const MAX_NODES: usize = 500_000;

/// Reads every document of a YAML file. An empty file has none.
pub fn read(text: &str) -> Result<Vec<Node>, Unreadable> {
    let mut reader =
        Reader { parser: Parser::new_from_str(text), lines: text.lines().collect(), anchors: HashMap::new(), nodes: 0 };
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => documents.push(reader.node(event, span, 0)?),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    lines: Vec<&'a str>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Unreadable> {
        match self.parser.next_event() {
            Some(result) => result.map_err(|e| syntax(&e)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Unreadable> {
        let mark = self.mark(span);
        let before = self.nodes;
        self.count(1, mark)?;
        if depth > MAX_DEPTH {
            return Err(unreadable(mark, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let (anchor, value) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(unreadable(mark, "an alias within what it stands for".to_owned()));
                };
                self.count(size, mark)?;
                return Ok(Node { mark, ..node });
            }
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref(), mark)),
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Value::List(items))
            }
            Event::MappingStart(anchor, _) => (anchor, Value::Map(self.entries(depth)?)),
            other => return Err(unreadable(mark, format!("unexpected {other:?}"))),
        };
        let node = Node { mark, value };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Unreadable> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (key, mark, ignored) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(key, _, _, tag), span) => {
                    (key.into_owned(), self.mark(span), tag.is_some_and(|tag| is_tag(&tag, "ignore")))
                }
                (_, span) => return Err(unreadable(self.mark(span), "a key that is not text".to_owned())),
            };
            if entries.iter().any(|e| e.key == key) {
                return Err(unreadable(mark, format!("the key `{key}` is there twice")));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            // `!ignore` marks what a file keeps for its anchors only.
            if !ignored {
                entries.push(Entry { key, mark, node });
            }
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> Value {
        match style {
            ScalarStyle::Plain if tag.is_none_or(|tag| !is_tag(tag, "")) => Value::Scalar(scalar::plain(text)),
            ScalarStyle::Literal => match self.block(text, mark) {
                Some(first) => Value::Block { text: text.to_owned(), first },
                None => Value::Scalar(Tree::String(text.to_owned())),
            },
            _ => Value::Scalar(Tree::String(text.to_owned())),
        }
    }

    /// Where the first line of a literal block stands.
    fn block(&self, text: &str, mark: Mark) -> Option<Mark> {
        let blank = text.lines().take_while(|line| line.is_empty()).count();
        let first = text.lines().nth(blank)?;
        // The parser marks the first line of the content, or one of the blank lines before it.
        let line = (mark.line..=mark.line + blank + 1)
            .find(|line| self.lines.get(line - 1).is_some_and(|l| l.trim_start() == first.trim_start()))?;
        let written = self.lines.get(line - 1)?;
        let indent = written.chars().count().checked_sub(first.chars().count())?;
        Some(Mark { line: line.checked_sub(blank)?, column: indent + 1, width: 1 })
    }

    fn count(&mut self, nodes: usize, mark: Mark) -> Result<(), Unreadable> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(unreadable(mark, format!("more than {MAX_NODES} values")));
        }
        Ok(())
    }

    fn mark(&self, span: Span) -> Mark {
        let (line, column) = (span.start.line().max(1), span.start.col() + 1);
        let one_line = span.end.line() == span.start.line();
        let rest = self.lines.get(line - 1).map_or(0, |l| l.trim_end().chars().count().saturating_sub(column - 1));
        let width = if one_line { span.end.col().saturating_sub(span.start.col()) } else { rest };
        Mark { line, column, width: width.min(rest).max(1) }
    }
}

fn is_tag(tag: &Tag, suffix: &str) -> bool {
    (tag.handle == "!" && tag.suffix == suffix) || (tag.handle.is_empty() && tag.suffix == format!("!{suffix}"))
}

fn syntax(error: &ScanError) -> Unreadable {
    let marker = error.marker();
    let mark = Mark { line: marker.line().max(1), column: marker.col() + 1, width: 1 };
    let mut problem = unreadable(mark, format!("not valid YAML: {}", error.info()));
    if error.info().contains("tab") {
        problem.help = Some("indent with spaces".to_owned());
    }
    problem
}

fn unreadable(mark: Mark, message: String) -> Unreadable {
    Unreadable { mark, message, help: None }
}
