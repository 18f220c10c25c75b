//! A panic is logged as one line. Code that catches a panic by [`catch_panic`] logs it itself, since it knows more, for example
//! the request. Any other panic is logged by the panic hook.

use std::{
    any::Any,
    cell::RefCell,
    future::poll_fn,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    pin::pin,
    task::Poll,
};

/// What the hook does on this thread.
#[derive(Default)]
enum Hook {
    /// Logs the panic.
    #[default]
    Log,
    /// Keeps the text here for [`catch_panic`].
    Keep(Option<String>),
}

thread_local! {
    /// Global to the thread, since a panic hook gets no argument of ours.
    static HOOK: RefCell<Hook> = RefCell::default();
}

/// Sets the panic hook, which logs every panic of the process. Only `main` calls this, by
/// [`LogConfig::install`](crate::telemetry::LogConfig).
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let text = panic.to_string();
        let kept = HOOK.with_borrow_mut(|hook| {
            // A second panic must not replace a first one that was caught further inside.
            let Hook::Keep(place @ None) = hook else { return false };
            *place = Some(text.clone());
            true
        });
        if !kept {
            log_panic(&text);
        }
    }));
}

fn log_panic(panic: &str) {
    let thread = std::thread::current();
    tracing::error!(thread = thread.name().unwrap_or("?"), "a panic, which is a bug of ours: {panic}");
}

/// Runs the future. A panic in it becomes an error with the place and the message, which the caller must log.
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // Around each poll, since the thread does other work between two polls.
        let before = HOOK.replace(Hook::Keep(None));
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        let Hook::Keep(kept) = HOOK.replace(before) else { unreachable!("every inner poll restores what it found") };
        match polled {
            Ok(polled) => {
                if let Some(text) = kept {
                    log_panic(&text); // it was caught further inside, by code that did not log it
                }
                polled.map(Ok)
            }
            Err(panic) => Poll::Ready(Err(kept.unwrap_or_else(|| message(&*panic)))),
        }
    })
    .await
}

/// The message of a panic, for a process without our hook.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
