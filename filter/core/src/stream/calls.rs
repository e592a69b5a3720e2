//! The tools that a stream calls, and whether values come back into their arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::Globs;

/// More calls than this are not told apart: no values come back into them.
const MAX_CALLS: usize = 1024;

/// The calls of a stream, by choice and part.
#[derive(Default)]
pub(super) struct Calls {
    /// Whether values come back into the tool that is called.
    restored: BTreeMap<(u32, u32), bool>,
    /// The calls whose arguments have gone on with values in them, while more of the call may come.
    told: BTreeSet<(u32, u32)>,
}

impl Calls {
    /// A tool that is called. A name that comes twice, or in pieces: clients join them, or go by the first, or by the last.
    pub fn name(&mut self, call: (u32, u32), name: &str, restoring_tools: &Globs) {
        let fits = restoring_tools.any(name);
        if name.is_empty() {
            return;
        }
        if let Some(known) = self.restored.get_mut(&call) {
            *known &= fits;
        } else if self.restored.len() < MAX_CALLS {
            self.restored.insert(call, fits);
        }
    }

    /// Whether values come back into the arguments of `call`.
    pub fn restores(&self, call: (u32, u32)) -> bool {
        self.restored.get(&call).copied().unwrap_or(false)
    }

    /// Arguments of `call` have gone on with values in them.
    pub fn tell(&mut self, call: (u32, u32)) {
        if self.told.len() < MAX_CALLS {
            self.told.insert(call);
        }
    }

    /// Whether `call` got another name behind its arguments, so that values went where they must not.
    pub fn is_renamed(&self, call: (u32, u32)) -> bool {
        self.told.contains(&call) && !self.restores(call)
    }
}
