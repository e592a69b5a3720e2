//! Tools that no pin is known of, remembered as they were first seen, in the host's shared store.
//!
//! One table for each target: who lists thousands of tools fills their own. It is bounded, and forgets nothing while the process lives:
//! who could make it forget could have a tool that changed be seen for the first time. Tools beyond are not remembered. What
//! changed is flagged on the record of every exchange that shows it, and nothing else: a definition that nobody looked at is no
//! measure for refusing another. Whoever looked pins it.

use std::collections::HashMap;

use hmac_sha256::Hash;

use crate::exchange::{Context, Exchange};
use crate::host::StoreError;
use crate::reply::Reason;

/// Bytes of a tool's name as a digest, and of its definition's.
const HALF: usize = 16;
/// Tools of one target: 32 KB.
pub(super) const MOST: usize = 1024;
/// So often a worker tries to write beside the others.
const TRIES: usize = 4;

type Digest = [u8; HALF];

impl Exchange {
    /// Compares tools with what was first seen of them; remembers those that are seen for the first time.
    pub(super) fn note_first_use(&mut self, tools: &[(String, [u8; 32])], target: usize, cx: &mut Context<'_>) {
        // Who only observes writes nothing that others go by.
        let Some(target) = cx.engine.targets.get(target).filter(|_| !tools.is_empty() && self.tap.is_none()) else {
            return;
        };
        let key = format!("doorward/{}/mcp-first/{}", cx.engine.name, target.name);
        let digests: Vec<(Digest, Digest)> =
            tools.iter().map(|(name, hash)| (half(&Hash::hash(name.as_bytes())), half(hash))).collect();
        for _ in 0..TRIES {
            let Ok(stored) = cx.host.load(&key) else { return };
            let mut bytes = stored.as_ref().map_or_else(Vec::new, |stored| stored.value.clone());
            if !bytes.len().is_multiple_of(2 * HALF) {
                bytes.clear();
            }
            let pairs = bytes.chunks_exact(2 * HALF).filter_map(|pair| pair.split_at_checked(HALF));
            let mut known: HashMap<Digest, Digest> = pairs.map(|(name, hash)| (half(name), half(hash))).collect();
            let before = known.len();
            for ((name, hash), (shown, _)) in digests.iter().zip(tools) {
                match known.get(name) {
                    Some(first) if first != hash => {
                        self.note(Reason::ToolRedefined);
                        self.record.tools.entry(("listed", shown.chars().take(64).collect(), "changed")).or_insert(1);
                    }
                    Some(_) => {}
                    None if known.len() < MOST => {
                        known.insert(*name, *hash);
                        bytes.extend_from_slice(name);
                        bytes.extend_from_slice(hash);
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

fn half(bytes: &[u8]) -> Digest {
    let mut half = Digest::default();
    for (to, from) in half.iter_mut().zip(bytes) {
        *to = *from;
    }
    half
}
