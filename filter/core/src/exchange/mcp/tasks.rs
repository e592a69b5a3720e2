//! Tasks belong to who made them: wherever a server names one, its id gets a tag ([`super::seal`]), and wherever a client does, the tag is
//! checked and taken off.
//!
//! A client may run tasks for the server, too, and names them itself. Those ids come in its answers, and come back in requests of the
//! server: neither is touched.
//!
//! What it does not do: say whose the tasks in the answer to `tasks/list` are. A server that is told nothing of its callers cannot, either, so
//! that such a list is emptied. What a server tells a stream of one caller about another's task gets this caller's tag.

use std::ops::Range;

use super::inner;
use super::seal::{Of, Seal, is_id};
use crate::json::{Kind, Node, cut, escaped, fold};
use crate::protocol::{Asking, NoMessage, exact};

/// What is spliced into a message.
pub(super) type Edits = Vec<(Range<usize>, String)>;

/// Where metadata says which task a message belongs to.
const RELATED: &str = "io.modelcontextprotocol/related-task";
/// Members of parameters that hold what is none of the protocol's own: arguments of a tool, answers of a user.
const FOREIGN: &[&str] = &["arguments", "inputResponses", "_meta"];

/// Ids in what a server sends.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// None where nothing is tied.
    pub seal: &'a Seal,
    /// The server knows who asks, and lists their tasks.
    pub knows_caller: bool,
}

impl Told<'_> {
    /// Tags those of a result.
    ///
    /// # Errors
    /// One is not what the protocol has for an id.
    pub fn result(self, result: Node<'_>, edits: &mut Edits) -> Result<(), NoMessage> {
        self.task(result, edits)?;
        if let Some(task) = result.get("task") {
            self.task(task, edits)?;
        }
        if let Some(tasks) = result.get("tasks") {
            if tasks.kind() != Kind::Array {
                return Err("a list of tasks is no list");
            }
            if self.knows_caller {
                tasks.items().try_for_each(|task| self.task(task, edits))?;
            } else {
                let none: Vec<_> = tasks.items().map(|task| (task.span(), false)).collect();
                edits.extend(cut(&tasks.span(), &none).into_iter().map(|range| (range, String::new())));
            }
        }
        self.questions(result, edits)?;
        self.related(Some(result), edits)
    }

    /// Questions that a result, or a task, holds.
    fn questions(self, node: Node<'_>, edits: &mut Edits) -> Result<(), NoMessage> {
        let questions = node.get("inputRequests").into_iter().flat_map(|questions| questions.entries());
        questions.into_iter().try_for_each(|(_, question)| self.related(question.get("params"), edits))
    }

    /// Tags those of a notification.
    ///
    /// # Errors
    /// As for results.
    pub fn notification(self, method: &str, params: Option<Node<'_>>, edits: &mut Edits) -> Result<(), NoMessage> {
        if let Some(params) = params.filter(|_| method.starts_with("notifications/tasks")) {
            self.task(params, edits)?;
            if let Some(task) = params.get("task") {
                self.task(task, edits)?;
            }
            self.questions(params, edits)?;
        }
        self.related(params, edits)
    }

    /// Tags the task that a message says it belongs to.
    ///
    /// # Errors
    /// As for results.
    pub fn related(self, of: Option<Node<'_>>, edits: &mut Edits) -> Result<(), NoMessage> {
        match related(of)? {
            Some(task) => self.task(task, edits),
            None => Ok(()),
        }
    }

    fn task(self, node: Node<'_>, edits: &mut Edits) -> Result<(), NoMessage> {
        let Some(id) = id_of(node)? else { return Ok(()) };
        let text = id.text().filter(|text| is_id(text)).ok_or("the id of a task is none")?;
        let end = inner(id).end;
        edits.push((end..end, format!(".{}", self.seal.tag(Of::Task, &text))));
        Ok(())
    }
}

/// Why a client's message does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It names a task that is not its sender's.
    Foreign,
    /// It is not to be read in one way.
    Unreadable(NoMessage),
}

/// Takes the tags off the ids of a client's request or notification.
///
/// # Errors
/// One has no tag, or another caller's.
pub(super) fn open(asking: &Asking<'_>, seal: &Seal, edits: &mut Edits) -> Result<(), Refused> {
    let Some(params) = asking.params else { return Ok(()) };
    // Of its own tasks a client speaks as it likes.
    if !asking.method().starts_with("notifications/tasks") {
        for (key, value) in params.entries() {
            if !FOREIGN.contains(&&*key.text()) {
                named(&key.text(), value, seal, edits)?;
            }
        }
    }
    match related(Some(params)).map_err(Refused::Unreadable)? {
        Some(task) => match id_of(task).map_err(Refused::Unreadable)? {
            Some(id) => untag(id, seal, edits),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// Takes the tag off the task that a client's answer says it belongs to. One without is a task of its own.
pub(super) fn open_answer(result: Node<'_>, seal: &Seal, edits: &mut Edits) -> Result<(), Refused> {
    let related = related(Some(result)).map_err(Refused::Unreadable)?;
    let Some(task) = related else { return Ok(()) };
    let Some(id) = id_of(task).map_err(Refused::Unreadable)? else { return Ok(()) };
    let _ = untag(id, seal, edits);
    Ok(())
}

/// Whatever is called a task's id, or a list of them, below one parameter. JSON's own bound on depth is this one's, too.
fn named(key: &str, value: Node<'_>, seal: &Seal, edits: &mut Edits) -> Result<(), Refused> {
    let folded = fold(key);
    if matches!(folded.replace('_', "").as_str(), "taskid" | "taskids") {
        return match (key, value.kind()) {
            ("taskId", Kind::String) => untag(value, seal, edits),
            ("taskIds", Kind::Array) => value.items().try_for_each(|id| untag(id, seal, edits)),
            _ => Err(Refused::Unreadable("the id of a task is none")),
        };
    }
    value.items().try_for_each(|item| named("", item, seal, edits))?;
    value.entries().try_for_each(|(key, value)| named(&key.text(), value, seal, edits))
}

fn untag(id: Node<'_>, seal: &Seal, edits: &mut Edits) -> Result<(), Refused> {
    let text = id.text().ok_or(Refused::Foreign)?;
    let own = seal.open(Of::Task, &text).ok_or(Refused::Foreign)?;
    edits.push((inner(id), escaped(own)));
    Ok(())
}

/// The task that a message says it belongs to.
fn related(of: Option<Node<'_>>) -> Result<Option<Node<'_>>, NoMessage> {
    let Some(meta) = of.and_then(|of| of.get("_meta")) else { return Ok(None) };
    exact(meta, &[RELATED])?;
    Ok(meta.get(RELATED))
}

fn id_of(node: Node<'_>) -> Result<Option<Node<'_>>, NoMessage> {
    exact(node, &["taskId"])?;
    Ok(node.get("taskId"))
}
