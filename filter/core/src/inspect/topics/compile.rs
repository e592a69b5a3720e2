//! From the document to compiled topics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::compile::score;
use super::super::document::TopicDocument;
use super::super::injection::model::{Model, VERSION};
use super::super::{Detectors, Group};
use super::{BITS, MAGIC, MAX_TOPICS, Topic, Topics};
use crate::config::{Path, Problem};

/// Where weights come from.
const MAKE: &str = "`doorward-train topic` writes such an entry";

/// Compiles `documents`, which stand at `path`, and takes up their names in `detectors`.
pub(in crate::inspect) fn compile(
    documents: &[TopicDocument],
    detectors: &mut Detectors,
    path: &Path,
) -> Result<Topics, Problem> {
    if documents.len() > MAX_TOPICS {
        return Err(Problem::new(path.clone(), format!("more than {MAX_TOPICS} topics"))
            .help("each is asked about every text; let one topic stand for several"));
    }
    let mut topics = Vec::new();
    for (i, document) in documents.iter().enumerate() {
        let path = path.index(i);
        let kind = detectors.name(&document.name, Some(Group::Business), &path)?;
        let threshold = score(document.threshold, &path.key("threshold"))?;
        let weights = weights(&document.weights, &path.key("weights"))?;
        topics.push(Topic { kind, threshold, weights });
    }
    Ok(Topics(topics))
}

/// The longest text of weights, in bytes: base64 of the largest table, and the line feeds between.
const LONGEST: usize = 48 << 10;

fn weights(text: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    let refused = |what: &str| Problem::new(path.clone(), what.to_owned()).help(MAKE);
    if text.len() > LONGEST {
        return Err(refused("more weights than a topic can have"));
    }
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(text).map_err(|_| refused("not base64"))?;
    let [a, b, c, d, version, bits, ..] = bytes.as_slice() else { return Err(refused("no weights of a topic")) };
    if [*a, *b, *c, *d] != MAGIC {
        return Err(refused("no weights of a topic"));
    }
    if *version != VERSION {
        return Err(Problem::new(path.clone(), format!("weights of version {version}; this is version {VERSION}"))
            .help("train the topic again with the `doorward-train` of this version"));
    }
    if !BITS.contains(&u32::from(*bits)) || Model::read(&bytes, MAGIC).is_none() {
        return Err(refused("the weights are damaged, or not all there"));
    }
    Ok(bytes)
}
