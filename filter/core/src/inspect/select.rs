//! Which kinds a statement looks for.

use super::types::{Tag, Type};
use super::{Detectors, Group, KindId, business};
use crate::config::{Path, Problem, nearest};

/// The name of all groups but two.
const EVERYTHING: &str = "all";

/// A set of kinds of one [`Detectors`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    words: Vec<u64>,
}

impl Selection {
    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Selection) -> Selection {
        let (long, short) = if self.words.len() >= other.words.len() { (self, other) } else { (other, self) };
        let mut words = long.words.clone();
        words.iter_mut().zip(&short.words).for_each(|(a, b)| *a |= b);
        Selection { words }
    }

    /// Whether `id` is in it.
    pub fn contains(&self, id: KindId) -> bool {
        self.words.get(id.index() / 64).is_some_and(|word| word >> (id.index() % 64) & 1 == 1)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether a kind from `first` to `last` is in it.
    pub(super) fn intersects(&self, first: KindId, last: KindId) -> bool {
        (first.0..=last.0).step_by(64).any(|start| self.bits(KindId(start), last) != 0)
    }

    /// The kinds from `first` to `last` and no more than 64 of them, a bit for each. It is asked of every text, however short.
    pub(super) fn bits(&self, first: KindId, last: KindId) -> u64 {
        let (place, shift) = (first.index() / 64, first.index() % 64);
        let word = |place| self.words.get(place).copied().unwrap_or_default();
        // In two steps: a shift by 64 would be none at all.
        let bits = word(place) >> shift | word(place + 1) << 1 << (63 - shift);
        match last.index().saturating_sub(first.index()) {
            count @ 0..63 => bits & ((2 << count) - 1),
            _ => bits,
        }
    }

    /// Whether a kind is in both.
    pub fn meets(&self, other: &Selection) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    pub(super) fn insert(&mut self, id: KindId) {
        let index = id.index() / 64;
        if self.words.len() <= index {
            self.words.resize(index + 1, 0);
        }
        if let Some(word) = self.words.get_mut(index) {
            *word |= 1 << (id.index() % 64);
        }
    }
}

impl Detectors {
    /// The kinds named by `names`: types (`CREDIT_CARD`), the policy's own names, groups (`pii`, `secrets`, ...), what
    /// several types have in common (`national_id`, `pii.eu`, `credentials`, ...) and `all`, which is every group but `exfiltration`, what is
    /// built in of `business` and topics: ordinary answers have links and code, and who wants those looked at says so.
    ///
    /// # Errors
    /// A name that is none of these, at its index below `path`.
    pub fn select(&self, names: &[String], path: &Path) -> Result<Selection, Problem> {
        let mut selection = Selection::default();
        for (i, name) in names.iter().enumerate() {
            let group = Group::ALL.into_iter().find(|g| g.as_str() == name);
            let tag = Tag::ALL.into_iter().find(|t| t.as_str() == name);
            let external = self.externals.iter().find(|e| e.name == *name);
            if let Some(external) = external {
                selection = selection.union(external.kinds());
            }
            let mut known = group.is_some() || tag.is_some() || external.is_some() || name == EVERYTHING;
            for (id, kind) in self.kinds() {
                if kind.name == *name
                    || Some(kind.group) == group
                    || (name == EVERYTHING && !self.asked_for(id, kind.group))
                    || tag.is_some_and(|tag| Type::is_tagged(id, tag))
                {
                    selection.insert(id);
                    known = true;
                }
            }
            if !known {
                return Err(self.unknown(name, path.index(i)));
            }
        }
        Ok(selection)
    }

    /// Whether a kind is looked for only where its name or its group's is given: what ordinary texts have, too, if seldom.
    fn asked_for(&self, id: KindId, group: Group) -> bool {
        group == Group::Exfiltration || business::finds(id) || id == Type::HiddenText.id() || self.topics.finds(id)
    }

    /// What several types have in common, by its name in a policy, and the kinds of each.
    pub fn tags(&self) -> impl Iterator<Item = (&'static str, Vec<KindId>)> {
        let of = |tag| self.kinds().map(|(id, _)| id).filter(|id| Type::is_tagged(*id, tag)).collect();
        Tag::ALL.into_iter().map(move |tag| (tag.as_str(), of(tag)))
    }

    /// The names that [`Detectors::select`] knows beside those of kinds.
    pub(super) fn group_names() -> impl Iterator<Item = &'static str> {
        Group::ALL.into_iter().map(Group::as_str).chain(Tag::ALL.into_iter().map(Tag::as_str)).chain([EVERYTHING])
    }

    fn unknown(&self, name: &str, path: Path) -> Problem {
        let groups: Vec<&str> = Self::group_names().collect();
        let names = self
            .kinds
            .iter()
            .map(|k| k.name.as_str())
            .chain(self.externals.iter().map(|e| e.name.as_str()))
            .chain(groups);
        let problem = Problem::new(path, format!("unknown detector `{name}`"));
        match nearest(name, names) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => {
                problem.help("name a type such as `EMAIL_ADDRESS`, a group such as `pii`, or a detector of this policy")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_kinds_is_what_each_of_them_is() {
        let mut selection = Selection::default();
        for id in [0, 1, 5, 62, 63, 64, 65, 120, 127, 128, 190] {
            selection.insert(KindId(id));
        }
        for first in 0..260u16 {
            for last in first..260 {
                let chosen: Vec<u16> = (first..=last).filter(|id| selection.contains(KindId(*id))).collect();
                assert_eq!(selection.intersects(KindId(first), KindId(last)), !chosen.is_empty(), "{first} to {last}");
                if last - first < 64 {
                    let bits = chosen.iter().fold(0u64, |bits, id| bits | 1 << (id - first));
                    assert_eq!(selection.bits(KindId(first), KindId(last)), bits, "{first} to {last}");
                }
            }
        }
    }
}
