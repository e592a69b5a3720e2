//! Lifecycle scenarios as data, run twice over one model of Envoy.
//!
//! A scenario ([`scenario`]) says what happens to HTTP streams and what must come of it: what the upstream and the
//! client received, what is on the record, what was counted. The [`model`] is Envoy's HTTP filter manager as one Wasm
//! filter sees it. The filter is one of two: doorward-core, whose effects are carried out by [`native`]; or the built
//! `doorward.wasm`, in wasmtime, with proxy-wasm's imports over the same model ([`wasm`]). Both must behave alike.

pub mod model;
pub mod native;
pub mod scenario;
pub mod tokens;
pub mod verify;
pub mod wasm;
