//! `verify` is not blind: real folders, made by the real program, are damaged by hand one thing at a time, and each damage
//! is found. An undamaged one passes.
//!
//! - `made`: the folder to be damaged, and what is known of it
//! - `stopped`, `pages`: damages of a stopped folder; `running`: the same while it runs
//! - `against`: damages that only the record of a load run can show
//! - `unchecked`: what cannot be checked, which is neither good nor bad

mod against;
mod made;
mod pages;
mod running;
mod stopped;
mod unchecked;
