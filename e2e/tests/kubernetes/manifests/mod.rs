//! `deploy/` as kustomize reads it, without a cluster: it says what Compose says, and each pod is as restricted as it can be.
//!
//! - [`sources`]: files that Compose mounts arrive from the same place
//! - [`compose`]: images, ports, environment, arguments and limits
//! - [`files`]: what a container finds in its folders
//! - [`pods`]: the security of each pod, [`probes`]: and how it is asked, started and ended
//! - [`workloads`]: labels and selectors, how many, where stored

mod compose;
mod files;
mod pods;
mod probes;
mod sources;
mod workloads;
