//! The booking service's store by itself: the statements of a booking through the same channel and the same batches, half
//! of them under a key, without HTTP and without relay.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use bookingservice::{
    domain::{Booked, BookingDraft, NewBooking},
    metrics::BookingMetrics,
    store::{
        Store,
        sqlite::{SqliteStore, open},
    },
};
use contracts::EventCreated;
use eventservice::domain::{Event, EventRecord};
use metrics::Registry;
use sqlite::{outbox::SqliteOutbox, writer::StoreMetrics};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Callers at once; as many as the most connections over HTTP.
const CALLERS: usize = 256;
const EVENTS: usize = 20;

pub(crate) struct Bare {
    /// `eventBooked` of each booking; nobody publishes it.
    pub(crate) outbox: Arc<SqliteOutbox>,
    store: Arc<dyn Store>,
    events: Vec<Uuid>,
    _folder: TempDir,
}

impl Bare {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let registry = Registry::new();
        let database = Arc::new(open(folder.path().into(), StoreMetrics::new(&registry)?)?);
        let outbox = Arc::new(SqliteOutbox::open(database.clone(), Arc::default()).await?);
        let store = SqliteStore::open(database, outbox.clone(), BookingMetrics::new(&registry)?).await?;
        let events: Vec<_> = (0..EVENTS).map(event).collect::<anyhow::Result<_>>()?;
        let ids = events.iter().map(|event| event.id).collect();
        store.add_events(events).await.map_err(|cause| anyhow!("{cause:?}"))?;
        Ok(Self { outbox, store: Arc::new(store), events: ids, _folder: folder })
    }

    /// Tells an event service of its events.
    pub(crate) async fn known_to(&self, service: &dyn eventservice::store::Store) -> anyhow::Result<()> {
        for (number, id) in self.events.iter().enumerate() {
            let EventCreated { name, start_date, end_date, .. } = event(number)?;
            let (id, location_id, capacity) = (*id, None, None);
            let (booked_seats, seats_left) = (0, None);
            let event = Event::stored(EventRecord {
                id,
                name,
                location_id,
                start_date,
                end_date,
                capacity,
                booked_seats,
                seats_left,
            });
            service
                .create_event(event, None)
                .await
                .map_err(|cause| anyhow!("{cause:?}"))?
                .map_err(|_| anyhow!("a location"))?;
        }
        Ok(())
    }

    /// Bookings a second.
    pub(crate) async fn book(&self, duration: Duration) -> anyhow::Result<f64> {
        let (began, mut callers) = (Instant::now(), JoinSet::new());
        for number in 0..CALLERS {
            let (store, event) = (self.store.clone(), self.events[number % EVENTS]);
            callers.spawn(async move {
                let mut booked = 0;
                while began.elapsed() < duration {
                    match store.book(request(event, booked % 2 == 0)).await {
                        Ok(Ok(Booked::New(_))) => booked += 1,
                        other => return Err(anyhow!("a booking went wrong: {other:?}")),
                    }
                }
                Ok(booked)
            });
        }
        let mut booked = 0;
        while let Some(of_one) = callers.join_next().await {
            booked += of_one??;
        }
        Ok(booked as f64 / began.elapsed().as_secs_f64())
    }
}

fn event(number: usize) -> anyhow::Result<EventCreated> {
    let (start_date, end_date) = ("2100-01-01T18:00:00Z".parse()?, "2100-01-01T22:00:00Z".parse()?);
    let name = format!("Bench {number}");
    Ok(EventCreated { id: Uuid::now_v7(), name, location_id: None, start_date, end_date, capacity: None })
}

fn request(event_id: Uuid, has_key: bool) -> NewBooking {
    let (key, user_id) = (Uuid::now_v7().to_string(), Some("load-0123abcd-17".to_owned()));
    let key = has_key.then_some(key.as_str());
    NewBooking::new(BookingDraft { event_id, seats: 2, user_id, key, origin: None }, contracts::Instant::now())
        .expect("it keeps the rules")
}
