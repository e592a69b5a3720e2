//! Doorward end to end: everything a test needs to put a request through a real Envoy and to see
//! exactly what came out on the other side.
//!
//! - [`envoy`]: starts Envoy, adds and changes listeners and clusters while it runs, reads its
//!   access logs and stats.
//! - [`upstream`]: HTTP/1.1 and HTTP/2 servers that record every byte and answer by script;
//!   [`providers`] speak the APIs of model providers, [`model`] is a smaller one that counts tokens.
//! - [`client`]: HTTP/1.1 and HTTP/2 clients that can send what well-behaved libraries refuse to.
//! - [`idp`]: an identity provider with keys, tokens and a JWKS endpoint; [`pki`]: certificates, [`tls`]: TLS in front of an upstream.
//! - [`bench`]: what it costs (`make bench`); [`logs`]: access logs, made up.
//! - [`sdk`]: the official Python SDKs as clients.
//!
//! The harness panics when *it* cannot do its part (no Envoy, a wait that ran out) and returns
//! values where the outcome is what a test asserts.

pub mod bench;
pub mod client;
pub mod demo;
pub mod envoy;
pub mod fields;
pub mod governed;
pub mod h1;
pub mod idp;
pub mod logs;
pub mod model;
pub mod pki;
pub mod providers;
pub mod sdk;
pub mod tls;
pub mod tools;
pub mod upstream;
pub mod wait;
