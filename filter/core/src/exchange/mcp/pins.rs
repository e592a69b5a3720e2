//! What a list showed of pinned tools, for the calls that follow: one byte for each pin, in the host's shared store.

use crate::exchange::{Context, Exchange};
use crate::host::StoreError;
use crate::reply::{Denial, Reason};

/// So often a worker tries to write beside the others.
const TRIES: usize = 4;

fn key(name: &str) -> String {
    format!("doorward/{name}/mcp-pins")
}

/// The pins' states in a stored value: of this very policy, in whose order they stand.
fn states<'v>(value: &'v [u8], cx: &Context<'_>) -> Option<&'v [u8]> {
    value.strip_prefix(cx.engine.digest.as_bytes())
}

impl Exchange {
    /// Notes which pins hold and which do not.
    pub(in crate::exchange) fn note_pins(&mut self, seen: &[(usize, bool)], cx: &mut Context<'_>) {
        if seen.iter().any(|(_, holds)| !holds) {
            self.note(Reason::ToolChanged);
        }
        // Who only observes writes nothing that others go by.
        if seen.is_empty() || self.tap.is_some() {
            return;
        }
        let key = key(&cx.engine.name);
        for _ in 0..TRIES {
            let Ok(stored) = cx.host.load(&key) else { return };
            let before = stored.as_ref().and_then(|stored| states(&stored.value, cx));
            let mut now = before.map_or_else(Vec::new, <[u8]>::to_vec);
            now.resize(cx.engine.pins.count(), 0);
            for (place, holds) in seen {
                if let Some(state) = now.get_mut(*place) {
                    *state = u8::from(!holds);
                }
            }
            if before == Some(now.as_slice()) {
                return;
            }
            let value = [cx.engine.digest.as_bytes(), &now].concat();
            match cx.host.store(&key, &value, stored.map(|stored| stored.version)) {
                Err(StoreError::Conflict) => {}
                Ok(()) | Err(StoreError::Failed) => return,
            }
        }
    }

    /// Whether a tool may be called, as far as its pin says.
    pub(super) fn ask_pin(&self, target: usize, tool: &str, cx: &mut Context<'_>) -> Result<(), Denial> {
        let Some(place) = cx.engine.pins.blocks(target, tool) else { return Ok(()) };
        let stored = cx.host.load(&key(&cx.engine.name)).map_err(|_| Denial::new(Reason::InternalHost))?;
        let changed =
            |value: &[u8]| states(value, cx).and_then(|states| states.get(place)).is_some_and(|state| *state != 0);
        match stored.is_some_and(|stored| changed(&stored.value)) {
            true => Err(Denial::new(Reason::ToolChanged)),
            false => Ok(()),
        }
    }
}
