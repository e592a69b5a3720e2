//! Nothing but tests: what they need is too much to build for every other test of Envoy.
