//! Members of lists, by what stands in them.
//!
//! A server's tools, prompts and resources come described by whoever runs it, and a model reads that as it reads its instructions. A member
//! that holds a finding which the policy denies is left out by itself: one poisoned tool does not take the others along. What is left out
//! is on the record.
//!
//! What it does not do: it looks at every text by itself, so that what is spread over several of a definition's texts is not put together.
//! Who knows a tool that is not shown may still call it: that is for access to say.

use std::ops::Range;

use super::incoming::{MessageJudge, unreadable};
use crate::exchange::{Context, Exchange};
use crate::inspect::Budget;
use crate::json::Node;
use crate::policy::FirstUse;
use crate::protocol::{Channel, Listed, is_taken_out, lists, results, subtree};
use crate::redact::{Inspector, Outcome, Scan};
use crate::reply::{Denial, Reason};
use crate::sort;
use crate::stream::{Cuts, Incoming, Messages, Sifted};

/// What was seen in lists.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Sifting {
    /// Tools that were left out, by their names.
    tools: Vec<String>,
    /// Whether anything was.
    poisoned: bool,
    /// What was found in it.
    outcome: Outcome,
    /// Tools without a pin, and their definitions as they came.
    pub unpinned: Vec<(String, String)>,
}

/// What a member of a list is.
enum Member {
    /// Nothing was found in it.
    Clean,
    /// Something was, which is for the whole message to judge.
    Open,
    /// It does not go on.
    Poisoned,
}

impl Messages for MessageJudge<'_> {
    fn incoming(&self, message: Node<'_>) -> Incoming {
        self.judged(message)
    }

    fn sift(
        &self,
        message: Node<'_>,
        mut cuts: Cuts,
        inspector: &Inspector<'_>,
        budget: &mut Budget,
    ) -> Result<Sifted, Denial> {
        let scans = inspector.plan.selection(Channel::ToolDescription).is_some();
        let remembers = self.engine.first_use == FirstUse::Flag;
        if !scans && !remembers {
            return Ok(Sifted { cuts, ..Sifted::default() });
        }
        let (mut clean, mut denial) = (Vec::new(), None);
        // How lists are cut where something in them is left out, and how they were.
        let (mut left, mut before) = (Cuts::new(), Cuts::new());
        for result in results(message) {
            let mut poisoned = false;
            let shown = |member: &Node<'_>| !is_taken_out(&member.span(), &cuts);
            let mut may = |listed: Listed, name: &str, member: Node<'_>| {
                if !shown(&member) {
                    return false;
                }
                if scans {
                    match self.examined(listed, name, member, inspector, budget) {
                        Ok(Member::Clean) => clean.push((member.span(), String::new())),
                        Ok(Member::Open) => {}
                        Ok(Member::Poisoned) => {
                            poisoned = true;
                            return false;
                        }
                        Err(error) => {
                            denial.get_or_insert(error);
                            return false;
                        }
                    }
                }
                if remembers && listed == Listed::Tool && !self.engine.pins.has(self.target, name) {
                    self.sifting.borrow_mut().unpinned.push((name.to_owned(), member.raw().to_owned()));
                }
                true
            };
            let anew = lists(result, &mut may).map_err(unreadable)?;
            if poisoned {
                left.extend(anew);
                before.extend(lists(result, &mut |_, _, member| shown(&member)).map_err(unreadable)?);
            }
        }
        if let Some(denial) = denial {
            return Err(denial);
        }
        if !left.is_empty() {
            // What else the message goes on with, like the tags of tasks, stays.
            let place = |(range, _): &(Range<usize>, String)| (range.start, range.end);
            cuts.retain(|cut| before.binary_search_by_key(&place(cut), place).is_err());
            cuts.extend(left);
            sort::cold(&mut cuts, |a, b| place(a) < place(b));
        }
        Ok(Sifted { cuts, clean })
    }
}

impl MessageJudge<'_> {
    /// Looks at everything that a member says.
    fn examined(
        &self,
        listed: Listed,
        name: &str,
        member: Node<'_>,
        inspector: &Inspector<'_>,
        budget: &mut Budget,
    ) -> Result<Member, Denial> {
        let mut scan = Scan::new(inspector, budget, None);
        // Strings that may be a picture's bytes are looked at like any other: what a member may hold, a server says.
        subtree(member, Channel::ToolDescription, &mut |leaf| scan.leaf(leaf));
        let found = scan.found();
        let outcome = scan.finish_texts();
        match outcome.denial {
            None if found == 0 => Ok(Member::Clean),
            None => Ok(Member::Open),
            Some(Reason::ContentDenied) => {
                let mut sifting = self.sifting.borrow_mut();
                sifting.poisoned = true;
                // A name may hold what was found.
                if listed == Listed::Tool {
                    let plain = inspector.text(name, Channel::ToolDescription, budget).findings.is_empty();
                    sifting.tools.push(if plain { name } else { "?" }.to_owned());
                }
                let rules = outcome.denying.clone();
                sifting.outcome.merge(Outcome { denial: None, edited: None, rules, denying: Vec::new(), ..outcome });
                Ok(Member::Poisoned)
            }
            Some(reason) => Err(Denial::new(reason)),
        }
    }
}

impl Exchange {
    /// Puts on the record what was seen in lists, and remembers the tools that nobody pinned.
    pub(in crate::exchange) fn note_sifting(&mut self, sifting: Sifting, target: usize, cx: &mut Context<'_>) {
        if sifting.poisoned {
            self.note(Reason::ListPoisoned);
            for name in &sifting.tools {
                self.record.tool("listed", name, "remove");
            }
            // It refuses nothing.
            let _ = self.remember("out", sifting.outcome);
        }
        self.note_first_use(&sifting.unpinned, target, cx);
    }
}
