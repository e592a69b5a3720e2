//! A switch to observe for a time: whether it is over, and whether it is now.

use doorward_core::anomaly::instant;
use doorward_core::config::{Path, Problem};

use super::text;
use crate::source::Node;

/// Looks at `break_glass`; `now` is in seconds since 1970.
pub fn break_glass(root: &Node, now: u64) -> Option<Problem> {
    let glass = root.get("break_glass")?;
    let (from, until) = (text(glass, "from")?, text(glass, "until")?);
    let path = Path::root().key("break_glass");
    let is_past = |moment: &str| instant(moment).is_some_and(|moment| moment <= now);
    Some(if is_past(until) {
        Problem::new(path.key("until"), format!("it is over since {until}, and does nothing"))
            .help("remove `break_glass`")
    } else if is_past(from) {
        Problem::new(path, format!("nothing is enforced until {until}, only recorded"))
            .help("remove `break_glass` as soon as it is not needed any more")
    } else {
        Problem::new(path, format!("nothing will be enforced from {from} until {until}, only recorded"))
            .help("remove `break_glass` if that is not meant")
    })
}
