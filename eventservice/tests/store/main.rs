//! One suite, every store: what `store/mod.rs` promises must hold whatever a store is made of.
//!
//! `suite.rs` has the cases, and a file for each adapter makes empty stores for them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod away;
mod mongo;
mod older;
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
            an_event_is_stored_as_it_was_given_and_its_message_is_in_the_outbox
            an_event_at_an_unknown_location_is_refused_and_leaves_nothing
            a_location_is_stored_as_it_was_given_and_its_message_is_in_the_outbox
            the_highest_version_wins_in_any_order
            an_update_of_an_unknown_event_is_said_to_be_one
            events_come_in_the_order_they_begin_also_where_many_begin_at_once
            filters_hold_together
            the_beginning_of_a_greek_word_finds_it
            a_name_is_found_in_whichever_form_its_accents_are_written
            locations_come_in_the_order_they_were_made
        })*
    };
}

mod held {
    every_case! { sqlite mongo }
}
