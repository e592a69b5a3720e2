//! stub, to be replaced
use serde::Deserialize;
use crate::json::Node;
/// What a request may carry that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// Pictures.
    Image,
    /// File.
    File,
}
/// A set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaSet(u8);
impl MediaSet {
    /// x
    pub fn is_empty(&self) -> bool { self.0 == 0 }
    /// x
    pub fn insert(&mut self, m: Media) { self.0 |= 1 << m as u8; }
    /// x
    pub fn contains(&self, m: Media) -> bool { self.0 >> (m as u8) & 1 == 1 }
    /// x
    pub fn iter(&self) -> impl Iterator<Item = Media> + use<> { let s = *self; [Media::Image, Media::File].into_iter().filter(move |m| s.contains(*m)) }
}
impl FromIterator<Media> for MediaSet {
    fn from_iter<I: IntoIterator<Item = Media>>(i: I) -> Self { let mut s = Self::default(); for m in i { s.insert(m); } s }
}
/// x
pub fn media(_root: Node<'_>) -> MediaSet { MediaSet::default() }
