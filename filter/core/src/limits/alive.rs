//! Which VMs still run: each tells the others every second, through the shared store.
//!
//! A VM that traps runs nothing more, so it cannot give back what its calls had reserved. Its generation, a random number that
//! every VM draws when it starts, stops being told, and ten seconds later whoever looks at a counter takes it for lost.

use crate::host::{Host, HostError, StoreError};

/// How often a VM tells that it runs.
pub(crate) const BEAT_MS: u32 = 1000;

/// Seconds after which a VM that told nothing is taken for lost. A worker that is busy for so long would lose its
/// reservations, and settles what was really used all the same.
const LOST_SECS: u64 = 10;

/// Seconds after which it is forgotten.
const FORGOTTEN_SECS: u64 = 60;

/// VMs at most: those of a big machine, before and after a reload.
const MAX_VMS: usize = 512;

/// Attempts of a compare-and-swap.
const ATTEMPTS: usize = 64;

const ENTRY: usize = 12;

/// The VMs that are known to run, as of the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alive {
    /// This VM.
    own: u32,
    /// Generations, and when they told last, in seconds since 1970.
    told: Vec<(u32, u64)>,
    /// When we looked.
    looked_secs: u64,
    looked_millis: u64,
}

impl Alive {
    /// Draws this VM's generation.
    ///
    /// # Errors
    /// The host failed.
    pub fn draw(host: &mut dyn Host) -> Result<Self, HostError> {
        let mut bytes = [0; 4];
        while bytes == [0; 4] {
            host.random(&mut bytes)?;
        }
        Ok(Self { own: u32::from_le_bytes(bytes), ..Self::default() })
    }

    /// This VM's generation.
    pub fn own(&self) -> u32 {
        self.own
    }

    /// Whether a VM still runs, as far as is known.
    pub fn lives(&self, generation: u32) -> bool {
        generation == self.own
            || self.told.iter().any(|(g, told)| *g == generation && told.saturating_add(LOST_SECS) > self.looked_secs)
    }

    /// Whether it is time to tell.
    pub fn is_due(&self, now_millis: u64) -> bool {
        now_millis >= self.looked_millis.saturating_add(u64::from(BEAT_MS)) || now_millis < self.looked_millis
    }

    /// Tells that this VM runs, and looks who else does.
    ///
    /// # Errors
    /// The store failed or was too busy.
    pub fn beat(&mut self, namespace: &str, now_millis: u64, host: &mut dyn Host) -> Result<(), HostError> {
        let now = now_millis / 1000;
        let key = key(namespace);
        for _ in 0..ATTEMPTS {
            let stored = host.load(&key)?;
            let bytes = stored.as_ref().map_or(&[][..], |s| s.value.as_slice());
            let mut told: Vec<(u32, u64)> = read(bytes).filter(|(_, at)| at + FORGOTTEN_SECS > now).collect();
            if let Some((_, at)) = told.iter_mut().find(|(g, _)| *g == self.own) {
                *at = now.max(*at);
            } else if told.len() < MAX_VMS {
                told.push((self.own, now));
            } else {
                return Err(HostError::Failed);
            }
            let mut bytes = Vec::with_capacity(told.len() * ENTRY);
            for (generation, at) in &told {
                bytes.extend_from_slice(&generation.to_le_bytes());
                bytes.extend_from_slice(&at.to_le_bytes());
            }
            match host.store(&key, &bytes, stored.as_ref().map(|s| s.version)) {
                Ok(()) => {
                    (self.told, self.looked_secs, self.looked_millis) = (told, now, now_millis);
                    return Ok(());
                }
                Err(StoreError::Conflict) => {}
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
        Err(HostError::Failed)
    }

    /// Looks anew where a generation is not known: a VM that started since we looked is no lost one.
    pub fn look(&mut self, namespace: &str, now_millis: u64, host: &mut dyn Host) -> Result<(), HostError> {
        let stored = host.load(&key(namespace))?;
        self.told = read(stored.as_ref().map_or(&[][..], |s| s.value.as_slice())).collect();
        (self.looked_secs, self.looked_millis) = (now_millis / 1000, self.looked_millis);
        Ok(())
    }

    /// How many VMs there are, as of the last look; those that are gone for less than a minute among them.
    pub fn count(&self) -> u64 {
        self.told.len().max(1) as u64
    }

    /// Whether a generation was told at all.
    pub fn knows(&self, generation: u32) -> bool {
        generation == self.own || self.told.iter().any(|(g, _)| *g == generation)
    }

    #[cfg(test)]
    pub fn only(generation: u32) -> Self {
        Self { own: generation, ..Self::default() }
    }
}

/// Where the VMs of a policy tell.
pub(super) fn key(namespace: &str) -> String {
    format!("doorward/{namespace}/limits/alive")
}

fn read(bytes: &[u8]) -> impl Iterator<Item = (u32, u64)> + '_ {
    bytes.chunks_exact(ENTRY).filter_map(|entry| {
        let (generation, at) = entry.split_first_chunk::<4>()?;
        Some((u32::from_le_bytes(*generation), u64::from_le_bytes(at.try_into().ok()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::MemoryHost;

    #[test]
    fn a_vm_that_tells_nothing_any_more_is_lost() {
        let mut host = MemoryHost::default();
        let (mut a, mut b) = (Alive::draw(&mut host).unwrap(), Alive::draw(&mut host).unwrap());
        assert_ne!(a.own(), b.own());
        a.beat("p", 1_000_000, &mut host).unwrap();
        b.beat("p", 1_000_500, &mut host).unwrap();
        assert!(b.lives(a.own()));
        // Not known yet to who looked before.
        assert!(!a.knows(b.own()));
        a.look("p", 1_000_600, &mut host).unwrap();
        assert!(a.lives(b.own()));
        b.beat("p", 1_009_900, &mut host).unwrap();
        assert!(b.lives(a.own()));
        b.beat("p", 1_010_900, &mut host).unwrap();
        assert!(!b.lives(a.own()) && b.knows(a.own()));
        // It was only busy.
        a.beat("p", 1_011_000, &mut host).unwrap();
        b.beat("p", 1_011_900, &mut host).unwrap();
        assert!(b.lives(a.own()));
        b.beat("p", 1_080_000, &mut host).unwrap();
        assert!(!b.knows(a.own()));
    }
}
