//! What came of a request, for people: from top to bottom, in the order in which it happens.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use doorward_cases::outcome::{Delivered, Outcome, Received};
use doorward_cases::suite::Shot;
use doorward_core::trace::{Near, Question};
use serde_json::Value;

use super::told::{self, Edit, edits, headers, questions, texts};

const HEAD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const DIM: Style = AnsiColor::BrightBlack.on_default();

/// The longest piece of a text that is shown among others.
const SHOWN: usize = 100;

/// Writes it all down.
pub fn human(out: &mut impl Write, shot: &Shot, outcome: &Outcome) -> io::Result<()> {
    let (place, request) = (&shot.place, &shot.request);
    let target = place.target.as_deref().unwrap_or("(no target)");
    head(out, "Request")?;
    writeln!(out, "  {} {} to target {target} (cluster {})", request.method(), shown(&request.path), place.cluster)?;
    read(out, outcome)?;
    caller(out, outcome)?;
    access(out, outcome)?;
    content(out, outcome)?;
    tools(out, outcome)?;
    rest(out, outcome)?;
    decision(out, outcome)?;
    if let Some(received) = &outcome.upstream {
        goes_on(out, outcome, received)?;
    }
    if let Some(got) = &outcome.client {
        gets(out, outcome, got)?;
    }
    Ok(())
}

fn head(out: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(out, "{HEAD}{title}{HEAD:#}")
}

fn read(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    head(out, "Read as")?;
    let of = |key: &str| Some(outcome.value(key)).filter(|value| !value.is_empty());
    let Some(api) = of("doorward.api") else {
        return writeln!(out, "  no call of an API that the target has");
    };
    write!(out, "  {api}: {}", of("gen_ai.operation.name").unwrap_or("?"))?;
    for (name, key) in [("method", "mcp.method.name"), ("tool", "gen_ai.tool.name"), ("model", "gen_ai.request.model")]
    {
        if let Some(value) = of(key) {
            write!(out, ", {name} {value}")?;
        }
    }
    writeln!(out, "{}", if of("doorward.stream").is_some() { ", streamed" } else { "" })
}

fn caller(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    head(out, "Caller")?;
    let Some(caller) = &outcome.caller else { return writeln!(out, "  nobody was proven") };
    let mut said = Vec::new();
    for (name, value) in
        [("user", &caller.user), ("team", &caller.team), ("purpose", &caller.purpose), ("workload", &caller.workload)]
    {
        if let Some(value) = value {
            said.push(format!("{name} {}", shown(value)));
        }
    }
    if !caller.groups.is_empty() {
        said.push(format!("groups {}", shown(&caller.groups.join(", "))));
    }
    for (name, values) in &caller.claims {
        said.push(format!("{name} {}", shown(&values.join(", "))));
    }
    writeln!(out, "  {}; proven by {}", said.join("; "), caller.method.as_str())?;
    match outcome.value("doorward.roles") {
        "" => writeln!(out, "  no role of the policy"),
        roles => writeln!(out, "  roles: {}", roles.replace(',', ", ")),
    }
}

fn access(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    head(out, "Access")?;
    let questions = questions(outcome);
    if questions.is_empty() {
        return writeln!(out, "  was not asked: the request was refused before");
    }
    for question in &questions {
        if questions.len() > 1 {
            writeln!(out, "  {}", about(question))?;
        }
        if question.statements.is_empty() {
            writeln!(out, "  no statements, so nothing is allowed")?;
        }
        let width = question.statements.iter().map(|s| s.id.len()).max().unwrap_or(0);
        for statement in &question.statements {
            let effect = if statement.allows { "allow" } else { "deny " };
            let observed = if statement.observed { " (observed)" } else { "" };
            let style = match (&statement.fit, statement.allows) {
                (Near::Fits, true) => GREEN,
                (Near::Fits, false) => RED,
                _ => DIM,
            };
            writeln!(out, "  {effect}  {:width$}  {style}{}{style:#}{observed}", statement.id, told::fit(statement))?;
        }
    }
    Ok(())
}

fn about(question: &Question) -> String {
    let mut said = question.operation.to_owned();
    for part in [&question.method, &question.model].into_iter().flatten() {
        said.push(' ');
        said.push_str(&shown(part));
    }
    said
}

fn content(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let texts = texts(outcome);
    if !texts.is_empty() {
        head(out, "Texts")?;
        let mut keys = 0;
        for placed in &texts {
            if placed.text.kind == "key" {
                keys += 1;
                continue;
            }
            let at = placed.pointer.clone().unwrap_or_else(|| format!("byte {}", placed.text.span.start));
            writeln!(out, "  {:<16}  {at}  {}", placed.text.channel.as_str(), quoted(&placed.text.text))?;
        }
        writeln!(out, "  {DIM}and the names of {keys} members{DIM:#}")?;
    }
    for (side, statements) in outcome.trace.planned.iter().filter(|(_, statements)| !statements.is_empty()) {
        head(out, if *side == "in" { "Content of the request" } else { "Content of the answer" })?;
        let found: Vec<_> =
            outcome.trace.inspected.iter().filter(|(of, _)| of == side).flat_map(|(_, i)| &i.findings).collect();
        for finding in &found {
            let hidden = if finding.hidden { ", hidden by an encoding" } else { "" };
            let test = if finding.test_value { ", a published test value" } else { "" };
            let channel = finding.channel.as_str();
            writeln!(
                out,
                "  found {} ({:.2}) in {channel}: {}{hidden}{test}",
                finding.kind,
                finding.score,
                quoted(&finding.value)
            )?;
            for (id, action, observed) in &finding.statements {
                let observed = if *observed { " (only observed)" } else { "" };
                writeln!(out, "    {action} by {id}{observed}")?;
            }
        }
        let width = statements.iter().map(|s| s.id.len()).max().unwrap_or(0);
        for statement in statements {
            let met = found.iter().any(|f| f.statements.iter().any(|(id, ..)| *id == statement.id));
            let why = match statement.barred {
                Some("direction") => "not: it is for the other direction",
                Some("roles") => "not: the caller has none of its roles",
                Some(_) => "not: it is for other targets",
                None if met => "met",
                None => "applies; nothing of what it looks for was found",
            };
            let style = if met { GREEN } else { DIM };
            writeln!(out, "  {:<8}  {:width$}  {style}{why}{style:#}", statement.action, statement.id)?;
        }
    }
    if outcome.trace.left_out > 0 {
        writeln!(out, "  {DIM}and {} more texts and tools, judged and not told{DIM:#}", outcome.trace.left_out)?;
    }
    Ok(())
}

fn tools(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    if outcome.trace.tools.is_empty() {
        return Ok(());
    }
    head(out, "Tools")?;
    for tool in &outcome.trace.tools {
        let done = match (tool.how, tool.refused) {
            ("offered", _) => "taken out of the request",
            (_, true) => "the call is refused",
            (_, false) => "the call is allowed",
        };
        let by = if tool.rules.is_empty() {
            "no statement allows it as it is".to_owned()
        } else {
            format!("by {}", tool.rules.join(", "))
        };
        writeln!(out, "  {} {}: {done}, {by}", tool.how, shown(&tool.name))?;
    }
    Ok(())
}

/// What the record says beside: limits, routes, sessions, what was noticed.
fn rest(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let rows = [
        ("left of limits", "doorward.limit.remaining"),
        ("route", "doorward.route"),
        ("routed from", "doorward.route.from"),
        ("session risk", "doorward.session.risk"),
        ("unusual", "doorward.anomaly"),
        ("detectors outside", "doorward.external"),
        ("noticed", "doorward.notes"),
    ];
    let rows: Vec<_> = rows.iter().filter(|(_, key)| !outcome.value(key).is_empty()).collect();
    if !rows.is_empty() {
        head(out, "Beside")?;
    }
    for (name, key) in rows {
        writeln!(out, "  {name}: {}", outcome.value(key).replace(',', ", "))?;
    }
    Ok(())
}

fn decision(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    head(out, "Decision")?;
    let (decision, action) = (outcome.value("doorward.decision"), outcome.value("doorward.action"));
    let style = if decision == "deny" { RED } else { GREEN };
    write!(out, "  {style}{decision}{style:#}")?;
    let reason = outcome.value("doorward.reason");
    if !reason.is_empty() {
        write!(out, ", {reason}")?;
    }
    write!(out, "; done: {action}")?;
    match outcome.value("doorward.rules") {
        "" => writeln!(out, "; no statement decided"),
        rules => writeln!(out, "; by {}", rules.replace(',', ", ")),
    }
}

fn goes_on(out: &mut impl Write, outcome: &Outcome, received: &Received) -> io::Result<()> {
    head(out, "Goes on")?;
    writeln!(out, "  to {}: {}", received.target.as_deref().unwrap_or("the cluster"), shown(&received.path))?;
    let (set, removed) = headers(&outcome.asked, &received.headers);
    for (name, value) in set {
        writeln!(out, "  set      {name}: {}", shown(&value))?;
    }
    for name in removed {
        writeln!(out, "  removed  {name}")?;
    }
    changed(out, &outcome.sent, &received.body)
}

fn gets(out: &mut impl Write, outcome: &Outcome, got: &Delivered) -> io::Result<()> {
    head(out, "The caller gets")?;
    writeln!(out, "  {}", got.status)?;
    if got.body.is_empty() {
        return Ok(());
    }
    if outcome.upstream.is_some() && !outcome.answered.is_empty() {
        return changed(out, &outcome.answered, &got.body);
    }
    writeln!(out, "  {}", visible(&String::from_utf8_lossy(&got.body)))
}

/// What was changed of a body, and the body as it is then.
fn changed(out: &mut impl Write, from: &[u8], to: &[u8]) -> io::Result<()> {
    if to.is_empty() {
        return Ok(());
    }
    if from == to {
        writeln!(out, "  {DIM}byte by byte as it came{DIM:#}")?;
    }
    let value = |value: Option<Value>| value.map_or("nothing".to_owned(), |v| shown(&v.to_string()));
    for Edit { pointer, from, to } in edits(from, to) {
        writeln!(out, "  edited   {pointer}: {} -> {}", value(from), value(to))?;
    }
    writeln!(out, "  {}", visible(&String::from_utf8_lossy(to)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}

/// A text in short.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", visible(text.get(..at).unwrap_or_default())),
        None => visible(text),
    }
}

/// Text of a request can hold what a terminal obeys.
fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
