//! How a configuration document becomes typed values.
//!
//! A document arrives as JSON text, as the serialised `google.protobuf.Struct` that Envoy hands a filter,
//! or (at a terminal) as YAML. All three become one [`Tree`]; [`from_tree`] then reads it into the serde
//! shapes of the policy and says, for a mistake, the path to it and what to do about it.

mod problem;
pub(crate) mod protobuf;
mod read;
mod shapes;
mod tree;

pub(crate) use problem::nearest;
pub use problem::{Path, Problem};
pub use protobuf::tree_from_struct;
pub use read::from_tree;
pub use shapes::{Duration, OneOrMany, SecretRef};
pub use tree::{Tree, tree_from_json};
