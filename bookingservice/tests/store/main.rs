//! One suite, every store: what `store/mod.rs` promises must hold whatever a store is made of.
//!
//! `suite.rs` has the cases, and a file for each adapter makes empty stores for them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod mongo;
#[cfg(debug_assertions)] // faults are not in release builds
mod protocol;
mod sqlite;
mod suite;

/// Makes a test of each case of the suite, on a store of its own.
macro_rules! hold_to_the_suite {
    ($adapter:ident: $($case:ident)*) => {
        mod $adapter {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                // An adapter whose server is not there has said so.
                let Some(fixture) = crate::$adapter::fixture().await else { return };
                crate::suite::$case(&fixture).await;
            })*
        }
    };
}

/// Every case, for every adapter.
macro_rules! every_case {
    ($($adapter:ident)*) => {
        $(hold_to_the_suite! { $adapter:
            a_booking_takes_the_seats_and_leaves_its_message_in_the_outbox
            an_unknown_event_a_sold_out_one_and_one_that_is_over_have_different_errors
            an_event_without_capacity_never_sells_out_and_shows_no_seats_left
            the_same_id_books_once_also_at_once
            a_key_cannot_book_something_else
            a_cancellation_releases_the_seats_once_also_at_once
            a_replay_after_a_cancellation_gives_the_cancelled_booking
            many_at_once_never_sell_more_than_there_is
            pages_follow_the_order_of_booking
            an_event_that_is_created_twice_is_not_changed
        })*
    };
}

mod held {
    every_case! { sqlite mongo }
}
