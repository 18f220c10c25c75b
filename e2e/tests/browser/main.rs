//! The page in a real browser: Debian's Chromium, without a window. `.ci/browser-test` builds it and runs this.
//!
//! - [`chromium`]: starts it; [`webdriver`]: the protocol in which it is asked
//! - [`window`]: a window as a user has it; [`checks`]: what must hold in each at its end
//! - [`place`]: the system that it looks at
//! - [`book`], [`broken`], [`operate`], [`watch`]: the tests
//! - [`pictures`]: with `UPDATE=pictures` they draw what `docs/pictures` shows of the page
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod book;
mod broken;
mod checks;
mod chromium;
mod operate;
mod pictures;
mod place;
mod watch;
mod webdriver;
mod window;

use std::time::Duration;

/// A debug build, or a browser, on a busy machine.
const STARTS: Duration = Duration::from_secs(30);
