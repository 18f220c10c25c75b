//! The rules of the design that somebody would forget, held over the sources.
//!
//! - [`arrows`]: which crate may use which
//! - [`circles`]: no two files of a crate use each other; [`uses`]: which file uses which
//! - [`words`]: what may be said where
//! - [`files`]: how large a file may be, and how it opens
//! - [`images`]: that each image can be built
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod arrows;
mod circles;
mod files;
mod images;
mod uses;
mod words;
