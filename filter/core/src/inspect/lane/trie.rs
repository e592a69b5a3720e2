//! Where a literal may be starting: the automaton of Aho and Corasick over the anchors of secrets and patterns, read
//! for how much of one stands at the end of the text, which the prefilter of a whole text cannot say.

use std::collections::VecDeque;

/// A literal to watch for.
pub(super) struct Literal<'a> {
    pub(super) text: &'a str,
    pub(super) id: u16,
    /// The bit of its kind.
    pub(super) bit: u64,
    /// Whether it needs a place where a word can start.
    pub(super) starts_word: bool,
}

#[derive(Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// Children of each node: byte and node, in one list.
    edges: Vec<(u8, u32)>,
    root: Vec<u32>,
    outs: Vec<u16>,
    folded: bool,
}

#[derive(Clone, Copy, Default)]
struct Node {
    edges: (u32, u16),
    outs: (u32, u16),
    fail: u32,
    depth: u16,
    /// Kinds of the literals that go on from here: all, and those that may start within a word.
    more: u64,
    more_within: u64,
}

impl Trie {
    pub(super) fn new<'a>(literals: impl Iterator<Item = Literal<'a>>, folded: bool) -> Self {
        let mut nodes = vec![Node::default()];
        let mut children: Vec<Vec<(u8, u32)>> = vec![Vec::new()];
        let mut outs: Vec<Vec<u16>> = vec![Vec::new()];
        for literal in literals {
            let mut at = 0u32;
            for byte in literal.text.bytes().map(|b| if folded { b.to_ascii_lowercase() } else { b }) {
                if let Some(node) = nodes.get_mut(at as usize) {
                    node.more |= literal.bit;
                    node.more_within |= if literal.starts_word { 0 } else { literal.bit };
                }
                let depth = nodes.get(at as usize).map_or(0, |n| n.depth) + 1;
                let Some(list) = children.get_mut(at as usize) else { break };
                at = match list.iter().find(|(b, _)| *b == byte) {
                    Some((_, child)) => *child,
                    None => {
                        let child = nodes.len() as u32;
                        list.push((byte, child));
                        nodes.push(Node { depth, ..Node::default() });
                        children.push(Vec::new());
                        outs.push(Vec::new());
                        child
                    }
                };
            }
            if let Some(out) = outs.get_mut(at as usize) {
                out.push(literal.id);
            }
        }
        let mut trie = Self { nodes, edges: Vec::new(), root: vec![0; 256], outs: Vec::new(), folded };
        trie.link(children, outs);
        trie
    }

    /// Fail links and what ends at each node, from the root on.
    fn link(&mut self, children: Vec<Vec<(u8, u32)>>, mut outs: Vec<Vec<u16>>) {
        for (byte, child) in children.first().into_iter().flatten() {
            if let Some(slot) = self.root.get_mut(usize::from(*byte)) {
                *slot = *child;
            }
        }
        for (node, list) in self.nodes.iter_mut().zip(&children) {
            node.edges = (self.edges.len() as u32, list.len() as u16);
            self.edges.extend(list);
        }
        let mut queue: VecDeque<u32> = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            let fail = self.nodes.get(at as usize).map_or(0, |n| n.fail);
            for (byte, child) in children.get(at as usize).into_iter().flatten() {
                let to = if at == 0 { 0 } else { self.next(fail, *byte) };
                if let Some(node) = self.nodes.get_mut(*child as usize) {
                    node.fail = to;
                }
                let shorter = outs.get(to as usize).cloned().unwrap_or_default();
                if let Some(out) = outs.get_mut(*child as usize) {
                    out.extend(shorter);
                }
                queue.push_back(*child);
            }
        }
        for (node, list) in self.nodes.iter_mut().zip(&outs) {
            node.outs = (self.outs.len() as u32, list.len() as u16);
            self.outs.extend(list);
        }
    }

    /// The state after one byte more.
    pub(super) fn next(&self, state: u32, byte: u8) -> u32 {
        let byte = if self.folded { byte.to_ascii_lowercase() } else { byte };
        let mut at = state;
        while at != 0 {
            let Some(node) = self.nodes.get(at as usize) else { return 0 };
            let (from, count) = node.edges;
            let edges = self.edges.get(from as usize..from as usize + usize::from(count)).unwrap_or_default();
            if let Some((_, child)) = edges.iter().find(|(b, _)| *b == byte) {
                return *child;
            }
            at = node.fail;
        }
        self.root.get(usize::from(byte)).copied().unwrap_or(0)
    }

    /// The ids of the literals that end here.
    pub(super) fn ended(&self, state: u32) -> &[u16] {
        let (from, count) = self.nodes.get(state as usize).map_or((0, 0), |n| n.outs);
        self.outs.get(from as usize..from as usize + usize::from(count)).unwrap_or_default()
    }

    /// How many bytes at the end may be the start of a literal of one of `kinds`; `word(n)` says whether a word can
    /// start that many bytes before the end.
    pub(super) fn pending(&self, state: u32, kinds: u64, word: impl Fn(usize) -> bool) -> usize {
        let mut at = state;
        while at != 0 {
            let Some(node) = self.nodes.get(at as usize) else { return 0 };
            let depth = usize::from(node.depth);
            if node.more_within & kinds != 0 || (node.more & kinds != 0 && word(depth)) {
                return depth;
            }
            at = node.fail;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_pending_and_what_ended() {
        let literals = ["ghp_", "hp_x", "p_", "key-"];
        let trie = Trie::new(
            literals.iter().zip(0u16..).map(|(text, id)| Literal { text, id, bit: 1 << id, starts_word: id == 3 }),
            false,
        );
        for (text, kinds, pending, ended) in [
            ("ag", 0b1111, 1, vec![]),
            ("aghp", 0b1111, 3, vec![]),
            ("aghp", 0b0110, 2, vec![]),
            ("aghp_", 0b1111, 3, vec![0, 2]),
            ("aghp_", 0b0001, 0, vec![0, 2]),
            ("ghp_x", 0b1111, 0, vec![1]),
            ("monk", 0b1000, 0, vec![]),
            (" k", 0b1000, 1, vec![]),
        ] {
            let state = text.bytes().fold(0, |state, b| trie.next(state, b));
            let word = |n: usize| !text.as_bytes()[..text.len() - n].last().is_some_and(u8::is_ascii_alphanumeric);
            assert_eq!(trie.pending(state, kinds, word), pending, "{text}");
            assert_eq!(trie.ended(state), ended, "{text}");
        }
    }
}
