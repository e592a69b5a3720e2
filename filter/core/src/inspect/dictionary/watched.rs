//! What a text that arrives in pieces is watched for on behalf of dictionaries: how long first words are and what leads
//! them, where phrases go on, and the first bytes of entries that stand within words.

use super::super::reach::Reach;
use super::super::secrets::reach::ByteSet;
use super::super::{KindId, Selection};
use super::{Dictionary, DictionaryBuilder, MAX_SPACE, SEED, filter_place, hash_char};

/// What a text that arrives is watched for.
#[derive(Default)]
pub(in super::super) struct Watched {
    /// The most characters of an entry's first word, in lower case; 0 without entries.
    pub(in super::super) longest: usize,
    /// What may lead a word, and the most bytes of it.
    pub(in super::super) leads: ByteSet,
    pub(in super::super) lead: usize,
    /// The entries that stand within words.
    pub(in super::super) heads: Option<Heads>,
    /// The longest value, in bytes.
    most: usize,
}

/// The first bytes of entries that stand within words.
pub(in super::super) struct Heads {
    one: ByteSet,
    /// By a hash of two bytes, and of three.
    more: Vec<u64>,
    folded: bool,
    pub(in super::super) shortest: usize,
    pub(in super::super) longest: usize,
}

impl Watched {
    pub(super) fn new(builder: &DictionaryBuilder) -> Self {
        let mut watched = Self::default();
        for entry in &builder.entries {
            let first = entry.body.get(..entry.first).unwrap_or_default();
            watched.longest = watched.longest.max(first.chars().flat_map(char::to_lowercase).count());
            watched.lead = watched.lead.max(entry.lead.len());
            entry.lead.bytes().for_each(|b| watched.leads.insert(b));
            // A letter may have another length in another case: at most three bytes for one.
            let spaces = entry.body.bytes().filter(|b| *b == b' ').count();
            watched.most = watched.most.max(entry.lead.len() + 3 * (entry.body.len() + spaces * MAX_SPACE));
        }
        watched.heads = Heads::new(builder);
        watched.most = watched.most.max(watched.heads.as_ref().map_or(0, |heads| heads.longest));
        watched
    }
}

impl Heads {
    const BITS: usize = 1 << 16;

    fn new(builder: &DictionaryBuilder) -> Option<Self> {
        let words = || builder.exact.iter().chain(&builder.folded).map(|(word, _)| word.as_bytes());
        let shortest = words().map(<[u8]>::len).min()?;
        let longest = words().map(<[u8]>::len).max()?;
        let folded = !builder.folded.is_empty();
        let mut heads = Self { one: ByteSet::default(), more: vec![0; Self::BITS / 64], folded, shortest, longest };
        for word in words() {
            for length in 1..=word.len().min(3) {
                heads.add(word.get(..length).unwrap_or_default());
            }
            // A shorter entry is over behind its last byte; whatever follows confirms it.
            if word.len() < 3 {
                heads.add_any(word);
            }
        }
        Some(heads)
    }

    fn add(&mut self, head: &[u8]) {
        if let [byte] = head {
            self.one.insert(self.fold(*byte));
            if self.folded {
                self.one.insert(byte.to_ascii_uppercase());
            }
            return;
        }
        let place = self.place(head);
        if let Some(word) = self.more.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn add_any(&mut self, word: &[u8]) {
        for byte in 0..=255u8 {
            let mut head = word.to_vec();
            head.push(byte);
            self.add(&head);
        }
    }

    fn fold(&self, byte: u8) -> u8 {
        if self.folded { byte.to_ascii_lowercase() } else { byte }
    }

    fn place(&self, head: &[u8]) -> usize {
        let hash = head.iter().fold(SEED, |hash, b| hash_char(hash, char::from(self.fold(*b))));
        (hash ^ (hash >> 16)) as usize % Self::BITS
    }

    /// Whether an entry may start with these bytes, one to three.
    pub(in super::super) fn may_start(&self, head: &[u8]) -> bool {
        match head {
            [byte] => self.one.contains(*byte),
            head => {
                let place = self.place(head);
                self.more.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
            }
        }
    }
}

impl Dictionary {
    pub(in super::super) const SEED: u32 = SEED;

    pub(in super::super) fn watched(&self) -> &Watched {
        &self.watched
    }

    pub(in super::super) fn is_selected(&self, selection: &Selection) -> bool {
        self.kinds.iter().any(|kind| selection.contains(*kind))
    }

    pub(in super::super) fn reach(&self, kind: KindId) -> Option<Reach> {
        self.kinds.contains(&kind).then_some(Reach { max_len: Some(self.watched.most), left: 4 })
    }

    /// Whether an entry's first word may have this hash.
    pub(in super::super) fn knows(&self, hash: u32) -> bool {
        let (index, bit) = filter_place(hash);
        self.filter.get(index).is_some_and(|word| word & bit != 0)
    }

    /// The entries whose first word has this hash and that go on behind it, and where.
    pub(in super::super) fn phrases(&self, hash: u32) -> impl Iterator<Item = (usize, usize)> {
        let first = self.entries.partition_point(|e| e.hash < hash);
        self.entries
            .iter()
            .enumerate()
            .skip(first)
            .take_while(move |(_, e)| e.hash == hash)
            .map(|(index, entry)| (index, entry.first))
            .filter(|(index, next)| self.entries.get(*index).is_some_and(|e| *next < e.body.len()))
    }

    /// The text of an entry from its first word on, and whether case matters.
    pub(in super::super) fn body(&self, entry: usize) -> (&str, bool) {
        self.entries.get(entry).map_or(("", true), |entry| (&entry.body, entry.exact))
    }
}
