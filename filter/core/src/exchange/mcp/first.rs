//! Tools that no pin is known of, remembered as they were first seen, in the host's shared store.
//!
//! One table for each target: who lists thousands of tools fills their own. It is bounded, and forgets nothing while the process lives:
//! who could make it forget could have a tool that changed be seen for the first time. Tools beyond are not remembered. What
//! changed is flagged on the record of every exchange that shows it, and nothing else: a definition that nobody looked at is no
//! measure for refusing another. Whoever looked pins it.
//!
//! A definition is told by its bytes, as they nearly always are the same, and else by its canonical form, as a pin is.

use std::collections::HashMap;

use blake2b_simd::Params;

use crate::exchange::{Context, Exchange};
use crate::host::StoreError;
use crate::json::{Document, Limits};
use crate::policy::definition_hash;
use crate::reply::Reason;

/// Bytes of each digest: nobody finds two texts that share one.
const SIZE: usize = 16;
/// Of a tool's name, of its definition as it came, and of its canonical form.
const ENTRY: usize = 3 * SIZE;
/// Tools of one target: 48 KB.
const MOST: usize = 1024;
/// So often a worker tries to write beside the others.
const TRIES: usize = 4;

type Digest = [u8; SIZE];

impl Exchange {
    /// Compares tools with what was first seen of them; remembers those that are seen for the first time.
    pub(super) fn note_first_use(&mut self, tools: &[(String, String)], target: usize, cx: &mut Context<'_>) {
        // Who only observes writes nothing that others go by.
        let Some(target) = cx.engine.targets.get(target).filter(|_| !tools.is_empty() && self.tap.is_none()) else {
            return;
        };
        let key = format!("doorward/{}/mcp-first/{}", cx.engine.name, target.name);
        let digests: Vec<(Digest, Digest)> =
            tools.iter().map(|(name, raw)| (digest(name.as_bytes()), digest(raw.as_bytes()))).collect();
        for _ in 0..TRIES {
            let Ok(stored) = cx.host.load(&key) else { return };
            let mut bytes = stored.as_ref().map_or_else(Vec::new, |stored| stored.value.clone());
            if !bytes.len().is_multiple_of(ENTRY) {
                bytes.clear();
            }
            let mut known: HashMap<Digest, (Digest, Digest)> = bytes.chunks_exact(ENTRY).filter_map(read).collect();
            let before = known.len();
            for ((name, raw), (shown, text)) in digests.iter().zip(tools) {
                match known.get(name) {
                    Some((first, _)) if first == raw => {}
                    Some((_, first)) if *first == canonical(text, &cx.engine.json_limits) => {}
                    Some(_) => {
                        self.note(Reason::ToolRedefined);
                        self.record.tool("listed", shown, "changed");
                    }
                    None if known.len() < MOST => {
                        let form = canonical(text, &cx.engine.json_limits);
                        known.insert(*name, (*raw, form));
                        [name, raw, &form].into_iter().for_each(|part| bytes.extend_from_slice(part));
                    }
                    None => {}
                }
            }
            if known.len() == before {
                return;
            }
            match cx.host.store(&key, &bytes, stored.map(|stored| stored.version)) {
                Err(StoreError::Conflict) => {}
                Ok(()) | Err(StoreError::Failed) => return,
            }
        }
    }
}

fn read(entry: &[u8]) -> Option<(Digest, (Digest, Digest))> {
    let (name, rest) = entry.split_first_chunk::<SIZE>()?;
    let (raw, rest) = rest.split_first_chunk::<SIZE>()?;
    Some((*name, (*raw, *rest.first_chunk::<SIZE>()?)))
}

fn digest(bytes: &[u8]) -> Digest {
    Params::new().hash_length(SIZE).hash(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
}

/// What was read as a part of a message is read again as a whole.
fn canonical(definition: &str, limits: &Limits) -> Digest {
    let document = Document::parse(definition.as_bytes(), limits);
    document.map_or_else(|_| Digest::default(), |document| digest(&definition_hash(document.root())))
}
