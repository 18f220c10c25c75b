//! The page as browsers have it, beside services that run apart from it. No browser is needed.
//!
//! - `system`: starts both and stops them
//! - `stream`: what a stream tells; `ends`: how it ends
//! - `words`: that no word is missing in a language

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod ends;
mod stream;
mod system;
mod words;
