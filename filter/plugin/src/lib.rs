//! `doorward.wasm`: [`doorward_core`] behind Envoy's proxy-wasm host.
//!
//! This crate decides nothing. It turns the host's callbacks into core's events ([`vm`]), answers core's questions
//! through host calls ([`host`]) and carries out core's effects ([`effects`]). What it does decide is how to fail:
//! a stream it cannot serve is refused, and nothing the host or a client does makes it panic, because a trap
//! fails every stream of the worker.
//!
//! It speaks ABI 0.2.1 itself ([`abi`]) rather than through the proxy-wasm SDK, whose dispatcher panics on an unknown
//! context, whose header maps panic on bytes above 0x7F, and which cannot give a local reply its details.

#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod abi;
#[cfg(feature = "bench")]
mod bench;
mod config;
mod effects;
mod host;
mod metadata;
mod metrics;
mod pairs;
mod property;
mod protobuf;
mod state;
mod stream;
mod vm;
mod watch;

use abi::{Level, calls};

/// Runs once per VM, before anything else; host calls other than logging are refused here.
fn start() {
    // The default hook prints the panic's message, and a message can carry what the code was looking at.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or(("unknown", 0), |l| (l.file(), l.line()));
        calls::log(Level::Critical, &format!("panicked at {}:{}", place.0, place.1));
    }));
}
