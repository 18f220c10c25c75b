//! The services as processes of their own, on a real broker and either store: what has to be compared with the tables in
//! `platform`. What can be seen from outside alone is tested in `e2e`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, unreachable_pub, reason = "of a library that this test is no part of")]
#[path = "../../../e2e/src/binary.rs"]
mod binary;
#[expect(dead_code, reason = "no server of its own is used here")]
#[path = "../../../platform/tests/servers/mongo.rs"]
mod mongo_server;
#[expect(dead_code, reason = "nothing is broken here")]
#[path = "../../../platform/tests/servers/rabbitmq.rs"]
mod rabbitmq;
#[path = "../servers/services.rs"]
mod services;
mod under_load;
