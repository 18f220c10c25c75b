//! A folder that the program has made: events, bookings under keys, cancellations; and the record of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use load::record::Line;
use rusqlite::{Connection, Params};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::helpers::{DEADLINE, Job, MyEvents, client, create_event, eventually, new_folder, view_shows};

/// Who books.
pub(super) const USER: &str = "verifier";

/// The folder, stopped.
pub(super) struct Made {
    place: TempDir,
    pub(super) folder: PathBuf,
    /// 10 seats: a booking of 2 that was cancelled, one of 3.
    pub(super) tango: String,
    /// 10 seats: bookings of 1 and 4.
    pub(super) waltz: String,
    /// What `load --record` would have written.
    pub(super) record: PathBuf,
}

impl Made {
    pub(super) async fn new() -> Self {
        let (place, folder) = new_folder();
        let run = MyEvents::start(&folder, &[]).await;
        let tango = create_event(&run, "Tango", (24, 48), 10).await;
        let waltz = create_event(&run, "Waltz", (24, 48), 10).await;
        let mut record = String::new();
        let mut ids = Vec::new();
        for (number, (event, seats)) in [(&tango, 2), (&tango, 3), (&waltz, 1), (&waltz, 4)].into_iter().enumerate() {
            let asked = json!({ "key": format!("key-{number}"), "user": USER, "event": event, "seats": seats });
            let id = book(&run, &asked).await;
            let mut line = json!({ "line": "booked", "at": "now", "booking": id, "status": 201, "cancelled": false });
            line.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
            record += &text(line);
            ids.push(id);
        }
        let cancelled = client().delete(format!("{}/bookings/{}", run.bookings(), ids[0])).send().await.unwrap();
        assert_eq!(cancelled.status(), 200);
        let line = json!({ "line": "cancelled", "at": "now", "booking": ids[0], "event": tango, "seats": 2 });
        record += &text(line);
        record += &text(json!({ "line": "ended", "at": "now", "users": USER }));
        view_shows(&run, &tango, 3).await;
        view_shows(&run, &waltz, 5).await;
        run.stop().await;
        let file = place.path().join("record");
        fs::write(&file, record).unwrap();
        Self { place, folder, tango, waltz, record: file }
    }

    /// A copy to be damaged.
    pub(super) fn copy(&self, name: &str) -> Damaged {
        let folder = self.place.path().join(name);
        fs::create_dir(&folder).unwrap();
        for file in ["eventservice.db", "bookingservice.db"] {
            fs::copy(self.folder.join(file), folder.join(file)).unwrap();
        }
        Damaged { folder }
    }
}

/// A line as it is written: the kind first.
fn text(line: Value) -> String {
    serde_json::to_string(&serde_json::from_value::<Line>(line).unwrap()).unwrap() + "\n"
}

/// Books when the event has arrived; gives the booking's id.
async fn book(run: &MyEvents, asked: &Value) -> String {
    let url = format!("{}/events/{}/bookings", run.bookings(), asked["event"].as_str().unwrap());
    let body = json!({ "seats": asked["seats"], "user_id": asked["user"] });
    let booking: Value = eventually(DEADLINE, "a booking", async || {
        let request = client().post(&url).header("Idempotency-Key", asked["key"].as_str().unwrap());
        let answer = request.json(&body).send().await.unwrap();
        (answer.status() == 201).then_some(answer)
    })
    .await
    .json()
    .await
    .unwrap();
    booking["id"].as_str().unwrap().to_owned()
}

/// A folder in which something is not as it should be.
pub(super) struct Damaged {
    pub(super) folder: PathBuf,
}

impl Damaged {
    pub(super) fn file(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.db"))
    }

    pub(super) fn open(&self, service: &str) -> Connection {
        Connection::open(self.file(service)).unwrap()
    }

    /// Runs statements on a service's file. References between tables are not looked at: that is the damage.
    pub(super) fn change(&self, service: &str, sql: &str) {
        self.open(service).execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    /// Runs one statement with values.
    pub(super) fn execute(&self, service: &str, sql: &str, values: impl Params) {
        assert_eq!(self.open(service).execute(sql, values).unwrap(), 1, "{sql}");
    }

    /// Makes the seats of both services follow from the bookings: the store agrees with itself again, though not with what
    /// clients were told.
    pub(super) fn recompute_seats(&self) {
        let bookings = self.open("bookingservice");
        let of = "FROM bookings WHERE event = events.number";
        let sql = format!(
            "UPDATE events SET booked_seats = (SELECT coalesce(sum(seats), 0) {of} AND cancelled_at IS NULL),
                               version = (SELECT count(*) + count(cancelled_at) {of});
             UPDATE events SET seats_left = coalesce(capacity, (1 << 53) - 1) - booked_seats;
             ATTACH '{}' AS shown;
             UPDATE shown.events SET (booked_seats, version, seats_left) =
                 (SELECT booked_seats, version, iif(capacity IS NULL, NULL, seats_left) FROM main.events sold
                  WHERE sold.id = shown.events.id);",
            self.file("eventservice").display()
        );
        bookings.execute_batch(&sql).unwrap();
    }

    /// `verify --data-dir`.
    pub(super) fn verify(&self, arguments: &[&str]) -> Job {
        verify(&self.folder, arguments)
    }
}

/// `verify --data-dir`.
pub(super) fn verify(folder: &Path, arguments: &[&str]) -> Job {
    Job::run(["verify", "--data-dir", folder.to_str().unwrap()].iter().chain(arguments))
}

/// The id as SQL.
pub(super) fn blob(id: &str) -> String {
    format!("x'{}'", id.replace('-', ""))
}
