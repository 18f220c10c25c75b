//! A step whose answer is lost has happened, or has not, or happens later, and the request cannot know. It tries again and
//! comes to its end; or it says that it does not know, and never "no such event" or "sold out".

use std::time::{Duration, Instant};

use bookingservice::{
    domain::{Booked, Refused},
    store::{Store, Unavailable},
};
use mongo::faults::{Fault, Faults};
use uuid::Uuid;

use super::world::{World, always, once};
use crate::suite::{new, request, under_a_key};

const LOST: [Fault; 3] = [Fault::LostRequest, Fault::LostAnswer, Fault::Late(150)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_survives_any_one_lost_answer_and_is_counted_at_most_once() {
    let Some(world) = World::new() else { return };
    let sound = world.replica(Faults::none()).await;
    for step in ["reserve", "insert"] {
        for fault in LOST {
            let event = sound.event(10).await;
            let (unlucky, request) = (world.replica(once(step, fault)).await, under_a_key(event, 3));
            let booking = new(unlucky.book(&request).await.unwrap().unwrap());
            unlucky.late_steps_done().await;
            sound.complete_all().await;
            assert_eq!(sound.store.booking(request.id()).await.unwrap(), Some(booking), "{step} {fault:?}");
            assert_eq!(sound.messages_of(request.id()).await, ["eventBooked"], "{step} {fault:?}");
            let seats = sound.store.event(event).await.unwrap().unwrap().record().booked;
            assert_eq!(seats, 3, "{step} {fault:?}");
            let again = sound.store.book(request).await.unwrap();
            assert!(matches!(again, Ok(Booked::Replay(_))), "{step} {fault:?}: {again:?}");
            assert!(unlucky.metric("myevents_bookings_accepted_total") <= 1.0, "{step} {fault:?}");
        }
    }
    assert_eq!(sound.metric("myevents_bookings_accepted_total"), 0.0, "what another process has made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_survives_any_one_lost_answer_and_gives_the_seats_back_once() {
    let Some(world) = World::new() else { return };
    let sound = world.replica(Faults::none()).await;
    for step in ["request_cancel", "mark_cancelled", "release"] {
        for fault in LOST {
            let event = sound.event(10).await;
            let booking = new(sound.store.book(request(event, 3)).await.unwrap());
            let unlucky = world.replica(once(step, fault)).await;
            unlucky.cancel(booking.id()).await.unwrap().unwrap().unwrap();
            unlucky.late_steps_done().await;
            sound.complete_all().await;
            let messages = sound.messages_of(booking.id()).await;
            assert_eq!(messages, ["eventBooked", "bookingCancelled"], "{step} {fault:?}");
            let stored = sound.store.event(event).await.unwrap().unwrap();
            assert_eq!((stored.left(), stored.record().booked), (Some(10), 0), "{step} {fault:?}");
            assert!(unlucky.metric("myevents_bookings_cancelled_total") <= 1.0, "{step} {fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_may_have_written_never_says_sold_out_or_no_such_event() {
    let Some(world) = World::new() else { return };
    let sound = world.replica(Faults::none()).await;
    let full = sound.event(2).await;
    new(sound.store.book(request(full, 2)).await.unwrap());
    for event in [full, Uuid::now_v7()] {
        let unlucky = world.replica(once("reserve", Fault::LostRequest)).await;
        let answer = unlucky.book(&request(event, 1)).await.unwrap();
        assert_eq!(answer, Err(Unavailable::OutcomeUnknown));
    }
    // Without a lost write the answers are certain.
    assert_eq!(sound.store.book(request(full, 1)).await.unwrap(), Err(Refused::SoldOut { seats_left: 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_answers_are_all_lost_gives_up_within_3_seconds_and_leaks_nothing() {
    let Some(world) = World::new() else { return };
    let sound = world.replica(Faults::none()).await;
    for step in ["reserve", "insert"] {
        for fault in LOST {
            let event = sound.event(100).await;
            let (unlucky, request) = (world.replica(always(step, fault)).await, under_a_key(event, 3));
            let began = Instant::now();
            let answer = unlucky.book(&request).await.unwrap();
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            // Where the answers alone were lost, the next look finds the booking, or the hold to make it from.
            let known = matches!(&answer, Ok(Ok(Booked::New(_))));
            assert!(known || answer == Err(Unavailable::OutcomeUnknown), "{step} {fault:?}: {answer:?}");
            unlucky.late_steps_done().await;
            sound.complete_all().await;
            let stored = sound.store.booking(request.id()).await.unwrap();
            assert!(stored.is_some() || !known, "{step} {fault:?}: a booking that was answered is gone");
        }
    }
}
