//! A panic is one log line. Where somebody catches it and knows more (which request it was), that line is his; else it is
//! the panic hook's.

use std::{
    any::Any,
    cell::RefCell,
    future::poll_fn,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    pin::pin,
    task::Poll,
};

/// What the hook is to do on this thread.
#[derive(Default)]
enum Hook {
    /// Log: nobody else will.
    #[default]
    Log,
    /// Leave the text here for [`caught`].
    Keep(Option<String>),
}

thread_local! {
    /// Global to the thread, since that is all a panic hook can see.
    static HOOK: RefCell<Hook> = RefCell::default();
}

/// Has every panic of the process logged. Only `main` calls it, by [`LogConfig::install`](crate::telemetry::LogConfig).
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let text = panic.to_string();
        let kept = HOOK.with_borrow_mut(|hook| match hook {
            // A second panic, where the first was caught further inside, must not hide it.
            Hook::Keep(place @ None) => {
                *place = Some(text.clone());
                true
            }
            Hook::Keep(Some(_)) | Hook::Log => false,
        });
        if !kept {
            tell(&text);
        }
    }));
}

fn tell(panic: &str) {
    let thread = std::thread::current();
    tracing::error!(thread = thread.name().unwrap_or("?"), "a panic, which is a bug of ours: {panic}");
}

/// Runs the future; a panic in it becomes an error with the place and the message, which the caller must log.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // Around each poll and not around the whole: between two polls the thread has other work.
        let before = HOOK.replace(Hook::Keep(None));
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        let Hook::Keep(kept) = HOOK.replace(before) else { unreachable!("every poll within puts back what it found") };
        match polled {
            Ok(polled) => {
                if let Some(text) = kept {
                    tell(&text); // it was caught further inside, and whoever did so does not know of us
                }
                polled.map(Ok)
            }
            Err(panic) => Poll::Ready(Err(kept.unwrap_or_else(|| message(&*panic)))),
        }
    })
    .await
}

/// Without a hook of ours there is the message alone.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
