//! `deploy/` as files, and before a real API server: what is the same as in Compose, what is accepted, and what is refused.
//! `.ci/kubernetes-test` runs it, on a cluster of its own; `../cluster` then runs the system there.
//!
//! - [`manifests`]: what must be the same as in Compose, and the rules of every pod, read from the files alone
//! - [`combinations`]: components put together
//! - [`demo`]: that of the tutorial
//! - [`overlays`]: all of it before an API server
//! - [`refused`]: what people get wrong, and who says so
//! - [`kustomize`], [`scratch`]: how they are read, and places of a test's own
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod combinations;
mod demo;
mod kustomize;
mod manifests;
mod overlays;
mod refused;
mod scratch;

use e2e::kubectl;
