//! What is measured: the names, what counts as what, and what it looks like under load.
//!
//! Source of the names: the chapter and its catalogue of metrics; `e2e::catalogue` reads them from the code.

mod counts;
mod exemplars;
mod forms;
mod labels;
mod load;
mod names;
mod overflow;
mod promtool;
mod summaries;
