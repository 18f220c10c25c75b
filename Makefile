# The few commands of everyday work. Each needs Rust, a C compiler (for SQLite) and make, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test lint bench

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\): ## /  make \1	/p' Makefile

run: ## Starts both services in one process; Ctrl-C stops them
	cargo run --locked

test: ## Runs all tests; the last line says how many, the lines above it what was not run and why
	@.ci/test

lint: ## Formatting, lints and documentation; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

bench: ## Measures how fast it is, in two to four minutes, behind the build
	cargo bench -p myevents --locked
