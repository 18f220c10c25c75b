//! The services as processes of their own, on a real broker and either store: what has to be compared with the tables in
//! `platform`. What can be seen from outside alone is tested in `e2e`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod under_load;
