//! What an exchange read and judged on its way, for people who ask why.
//!
//! Only with the feature `trace`, which the shipped filter is built without: there is nothing of this in the module. It is written
//! down where a judgement is made, and decides nothing. It holds texts of users: it is for whoever sent them.

use std::ops::Range;

use crate::inspect::Finding;
use crate::policy::{Miss, Rule};
use crate::protocol::Channel;

/// Bodies and events of streams that are noted of one exchange: a stream may go on for hours.
const MOST: usize = 16;
/// And tools.
const MOST_TOOLS: usize = 200;

/// All that was noted of one exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What access was asked, the last time for each thing that it was asked about.
    pub questions: Vec<Question>,
    /// The content statements for what came in, and for what came back: the last judging of each.
    pub planned: Vec<(&'static str, Vec<Planned>)>,
    /// What was inspected, by direction (`in`, `out`).
    pub inspected: Vec<(&'static str, Inspected)>,
    /// Texts and tools that are not noted, since so much was.
    pub left_out: usize,
    /// Tools that access was asked about.
    pub tools: Vec<Tool>,
}

/// One question to access, and what each statement says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The operation.
    pub operation: &'static str,
    /// The JSON-RPC method.
    pub method: Option<String>,
    /// The model, aliases resolved.
    pub model: Option<String>,
    /// Whether the body was known by then.
    pub with_body: bool,
    /// Every statement.
    pub statements: Vec<Considered>,
}

/// What an access statement says of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Its id.
    pub id: String,
    /// It allows; otherwise it denies.
    pub allows: bool,
    /// It is only observed.
    pub observed: bool,
    /// It is about some tools.
    pub of_tools: bool,
    /// How it fits.
    pub fit: Near,
}

/// How a statement fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Near {
    /// Whole.
    Fits,
    /// The body decides, and is not known yet.
    Open,
    /// It is for other callers.
    Caller,
    /// It is for other targets.
    Target,
    /// It is for other operations, or this one must be named.
    Operation,
    /// It is for other methods, or this one must be named.
    Method,
    /// It is for other models.
    Model,
    /// It names models, and this call has none.
    NoModel,
    /// A deny, and the body has nothing of what it names.
    Body,
    /// Everything fits but this.
    But(Miss),
}

/// A content statement, and whether it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// What it does.
    pub action: &'static str,
    /// It is only observed.
    pub observed: bool,
    /// Why it does not apply: `direction`, `roles` or `targets`.
    pub barred: Option<&'static str>,
}

/// What one body was inspected for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspected {
    /// Its texts.
    pub texts: Vec<Text>,
    /// What was found.
    pub findings: Vec<Sight>,
}

/// A text of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where in the exchange it stands.
    pub channel: Channel,
    /// The bytes of the body, quotes aside.
    pub span: Range<usize>,
    /// `value`, `key` or `number`.
    pub kind: &'static str,
    /// It, escapes undone.
    pub text: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Where in the exchange it stands.
    pub channel: Channel,
    /// Its type.
    pub kind: String,
    /// How sure it is, from 0 to 1.
    pub score: f32,
    /// The value, encodings undone.
    pub value: String,
    /// An encoding hid it.
    pub hidden: bool,
    /// It is known to belong to nobody.
    pub test_value: bool,
    /// The statements that it meets: id, action, whether only observed.
    pub statements: Vec<(String, &'static str, bool)>,
}

/// A tool that access was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// `offered` or `called`.
    pub how: &'static str,
    /// Its name.
    pub name: String,
    /// Whether it was refused.
    pub refused: bool,
    /// The statements that decided.
    pub rules: Vec<String>,
}

impl Trace {
    /// Notes a question; one about the same thing takes the place of the one before.
    pub fn asked(&mut self, question: Question) {
        let same = |q: &&mut Question| {
            (q.operation, &q.method, q.with_body) == (question.operation, &question.method, question.with_body)
                && (q.model == question.model || q.model.is_none())
        };
        match self.questions.iter_mut().find(same) {
            Some(old) => *old = question,
            None => self.questions.push(question),
        }
    }

    /// Notes which statements apply in a direction.
    pub fn planned(&mut self, side: &'static str, statements: Vec<Planned>) {
        self.planned.retain(|(of, _)| *of != side);
        self.planned.push((side, statements));
    }

    /// Notes a tool that access was asked about.
    pub fn tool(&mut self, tool: Tool) {
        if self.tools.len() < MOST_TOOLS {
            self.tools.push(tool);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Notes what was inspected in a direction.
    pub fn inspected(&mut self, side: &'static str, inspected: Inspected) {
        if self.inspected.len() >= MOST {
            self.left_out = self.left_out.saturating_add(inspected.texts.len());
        } else if !inspected.texts.is_empty() || !inspected.findings.is_empty() {
            self.inspected.push((side, inspected));
        }
    }
}

impl Inspected {
    /// Notes a finding.
    pub fn found<'r>(
        &mut self,
        channel: Channel,
        (kind, value): (&str, &str),
        finding: &Finding,
        hidden: bool,
        rules: impl Iterator<Item = &'r Rule>,
    ) {
        let statements = rules.filter(|rule| rule.sign.is_none());
        self.findings.push(Sight {
            channel,
            kind: kind.to_owned(),
            score: finding.score,
            value: value.to_owned(),
            hidden,
            test_value: finding.test_value,
            statements: statements
                .map(|rule| (rule.id.clone(), rule.action.as_str(), rule.mode == crate::policy::Mode::Observe))
                .collect(),
        });
    }
}
