//! What is asked of the messages of a server, whole or in a stream: who judges them stands in the exchange.

use std::ops::Range;

use crate::inspect::Budget;
use crate::json::Node;
use crate::redact::Inspector;
use crate::reply::Denial;

/// Judges the messages of an MCP server, or of another agent.
pub trait Messages {
    /// What becomes of a message by who asks, and what for.
    fn incoming(&self, message: Node<'_>) -> Incoming;

    /// What is left of the lists in a message that goes on with `cuts`, by what stands in their members.
    ///
    /// # Errors
    /// A member cannot be judged, so that the message does not go on.
    fn sift(
        &self,
        message: Node<'_>,
        cuts: Cuts,
        inspector: &Inspector<'_>,
        budget: &mut Budget,
    ) -> Result<Sifted, Denial>;
}

/// Edits, in the order of their ranges.
pub type Cuts = Vec<(Range<usize>, String)>;

/// What becomes of a message.
#[derive(Debug)]
pub enum Incoming {
    /// It goes on, with these edits.
    Pass(Cuts),
    /// It does not, and the stream does.
    Drop(Denial),
    /// The stream ends.
    Refuse(Denial),
}

/// A message whose lists have been gone through.
#[derive(Debug, Default)]
pub struct Sifted {
    /// The edits that it goes on with.
    pub cuts: Cuts,
    /// Members in which nothing at all was found: nobody need look again. As edits that take them out, in order.
    pub clean: Cuts,
}
