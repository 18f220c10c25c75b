//! The OpenAPI document of a service, made from its handlers.
//!
//! | file | idea |
//! |---|---|
//! | [`page`] | where it is served, and the page at `/docs` |
//! | [`limits`] | the limits of the validation, written into it |
//! | [`responses`] | answers that many handlers have in common |
//!
//! Read next: `http/mod.rs` of a service, which describes its own.

pub mod limits;
pub mod page;
pub mod responses;
