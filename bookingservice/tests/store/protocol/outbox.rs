//! How released seats are published, and what happens to messages whose process dies, or loses an answer, after they were published:
//! each is delivered at least once, and in the end none is left.

use std::time::Duration;

use bookingservice::store::{Store, mongo::janitor::Pace};
use contracts::{BookingCancelled, Contract, EventBooked, SeatsChanged};
use futures_util::future::join_all;
use messaging::Entry;
use mongo::faults::{Fault, Faults};
use mongodb::bson::Document;
use trace::{Step, Stories, Traced};
use uuid::Uuid;

use super::world::{DIED, Replica, World, eventually, once};
use crate::suite::{new, request};

const LOST: [Fault; 3] = [Fault::LostRequest, Fault::LostAnswer, Fault::Late(150)];

/// The messages after a cancellation, in this order.
const PUBLISHED: [&str; 3] = [EventBooked::NAME, BookingCancelled::NAME, SeatsChanged::NAME];

/// What a relay would publish now.
async fn pending(replica: &Replica, max: usize) -> Vec<Entry> {
    replica.store.outbox().pending(max).await.unwrap()
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.message.name.as_str()).collect()
}

/// Forgets what was published, as the relay does; `None` where the process has died over it.
async fn mark_published(replica: &Replica, entries: &[Entry]) -> Option<bool> {
    let (outbox, ids) = (replica.store.outbox(), entries.iter().map(|entry| entry.message.id).collect::<Vec<_>>());
    tokio::time::timeout(DIED, outbox.mark_published(&ids)).await.ok().map(|sent| sent.is_ok())
}

/// Whether no message waits, and no event has unpublished seats.
async fn nothing_waits(replica: &Replica) -> bool {
    let waits = |document: &Document| document.get_array("outbox").is_ok_and(|outbox| !outbox.is_empty());
    !replica.documents("bookings").await.iter().any(waits)
        && !replica.documents("events").await.iter().any(|event| event.contains_key("seats_unpublished"))
}

/// A booking that was made and cancelled by this process.
async fn cancelled(replica: &Replica) -> Uuid {
    let event = replica.event(10).await;
    let booking = new(replica.store.book(request(event, 3)).await.unwrap()).id();
    replica.store.cancel(booking, None).await.unwrap().unwrap();
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_that_came_back_are_published_however_many_messages_wait() {
    let Some(world) = World::new() else { return };
    let replica = world.replica(Faults::none()).await;
    let event = replica.event(100).await;
    for _ in 0..20 {
        new(replica.store.book(request(event, 1)).await.unwrap());
    }
    cancelled(&replica).await;
    // The bus is away: of ten that are asked for, none is ever sent.
    for _ in 0..3 {
        let batch = pending(&replica, 10).await;
        assert_eq!(batch.len(), 10);
        assert_eq!(names(&batch)[..2], [SeatsChanged::NAME, EventBooked::NAME]);
    }
    // And however many seats came back, messages go out, too.
    for _ in 0..10 {
        cancelled(&replica).await;
    }
    let batch = pending(&replica, 10).await;
    let seats = names(&batch).into_iter().filter(|name| *name == SeatsChanged::NAME).count();
    assert_eq!((batch.len(), seats), (10, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_and_the_seats_that_it_releases_are_one_story() {
    let Some(world) = World::new() else { return };
    let replica = world.replica(Faults::none()).await;
    let event = replica.event(10).await;
    let booking = new(replica.store.book(request(event, 3)).await.unwrap()).id();
    let stories = Stories::default();
    let cancellation = Traced::received(&stories, "DELETE", None, "");
    replica.store.cancel(booking, cancellation.origin(None)).await.unwrap().unwrap();

    // The bus is away, and the event changes meanwhile, so that its message is another one.
    let of_seats = |entries: &[Entry]| entries.iter().find(|e| e.message.name == SeatsChanged::NAME).unwrap().clone();
    let offered = of_seats(&pending(&replica, 100).await).message;
    new(replica.store.book(request(event, 1)).await.unwrap());
    let batch = pending(&replica, 100).await;
    let told = || batch.iter().map(|entry| (entry.message.id, entry.message.traceparent.as_deref()));
    assert_ne!(of_seats(&batch).message.id, offered.id);
    stories.published(told());
    stories.confirmed(told());
    stories.applied(told().find(|(id, _)| *id == of_seats(&batch).message.id).unwrap());

    let [story] = &stories.of_trace(cancellation.trace)[..] else { panic!("one story") };
    let own = |name| batch.iter().find(|entry| entry.message.name == name).unwrap().message.id;
    assert_eq!(story.message_ids, [BookingCancelled::NAME, SeatsChanged::NAME].map(own));
    let after = [Step::Stored, Step::Published, Step::Confirmed, Step::Applied];
    assert!(after.iter().all(|step| story.at(*step).is_some()), "{story:?}");

    // It changes once more before the message is marked as published: what is published then is not of the cancellation.
    new(replica.store.book(request(event, 1)).await.unwrap());
    assert_eq!(mark_published(&replica, &batch).await, Some(true));
    eventually(Duration::from_secs(5), "the seats are published again", async || {
        let again = pending(&replica, 100).await;
        again.iter().any(|e| e.message.name == SeatsChanged::NAME && e.message.traceparent.is_none())
    })
    .await;
    assert_eq!(stories.of_trace(cancellation.trace), std::slice::from_ref(story));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_by_a_process_that_died_is_forgotten_or_published_again_by_another() {
    let cases = ["seats_published", "outbox.mark_published"]
        .into_iter()
        .flat_map(|step| [(step, Fault::CrashBefore), (step, Fault::CrashAfter)]);
    // The messages are left over only after some seconds, so all cases run at once, each in a database of its own.
    join_all(cases.map(async |(step, fault)| {
        let Some(world) = World::new() else { return };
        let dying = world.replica(once(step, fault)).await;
        cancelled(&dying).await;
        let published = pending(&dying, 100).await;
        assert_eq!(names(&published), PUBLISHED, "{step} {fault:?}");
        assert_eq!(mark_published(&dying, &published).await, None, "{step} {fault:?} did not kill it");

        let alive = world.running(Faults::none(), Pace::default()).await;
        let mut again = Vec::new();
        eventually(Duration::from_secs(15), "all that was left goes out", async || {
            let entries = pending(&alive, 100).await;
            assert_eq!(mark_published(&alive, &entries).await, Some(true));
            again.extend(entries);
            alive.store.outbox().is_leader() && nothing_waits(&alive).await
        })
        .await;
        // Messages are marked as published before seats are, so those that are left show where the process died. They have the same
        // ids: otherwise readers would take them for new ones.
        let left = match (step, fault) {
            ("outbox.mark_published", Fault::CrashBefore) => &published[..],
            ("seats_published", Fault::CrashAfter) => &[],
            _ => &published[2..],
        };
        let ids = |entries: &[Entry]| {
            let mut ids: Vec<_> = entries.iter().map(|entry| entry.message.id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&again), ids(left), "{step} {fault:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_and_whose_removal_lost_its_answer_goes_in_the_end_and_newer_seats_are_published() {
    let cases =
        ["seats_published", "outbox.mark_published"].into_iter().flat_map(|step| LOST.map(|fault| (step, fault)));
    join_all(cases.map(async |(step, fault)| {
        let Some(world) = World::new() else { return };
        let unlucky = world.replica(once(step, fault)).await;
        let event = cancelled(&unlucky).await;
        let published = pending(&unlucky, 100).await;
        assert_eq!(names(&published), PUBLISHED, "{step} {fault:?}");
        assert_eq!(mark_published(&unlucky, &published).await, Some(false), "{step} {fault:?} was not lost");
        // Seats are released once more before the late step happens: they must not count as published.
        let booking = new(unlucky.store.book(request(event, 2)).await.unwrap()).id();
        unlucky.store.cancel(booking, None).await.unwrap().unwrap();

        let mut again = Vec::new();
        eventually(Duration::from_secs(10), "all goes out", async || {
            let entries = pending(&unlucky, 100).await;
            again.extend(entries.iter().map(|entry| entry.message.clone()));
            mark_published(&unlucky, &entries).await == Some(true) && nothing_waits(&unlucky).await
        })
        .await;
        let stored = unlucky.store.event(event).await.unwrap().unwrap();
        let newest = again.iter().filter(|message| message.name == SeatsChanged::NAME).map(|message| {
            let seats = SeatsChanged::from_json(&message.body).unwrap();
            (seats.version, seats.seats_left)
        });
        assert_eq!(newest.max(), Some((stored.record().version, Some(10))), "{step} {fault:?}");
        // What was confirmed is not published twice by a process that lives.
        let messages = published.iter().filter(|entry| entry.message.name != SeatsChanged::NAME);
        for entry in messages {
            assert!(again.iter().all(|message| message.id != entry.message.id), "{step} {fault:?}: {entry:?}");
        }
    }))
    .await;
}
