//! 20 rounds of `kill -9` under load: of either service, of either replica, of the broker. In the end everything that was
//! answered must be there, once, and both services must agree.
//!
//! A round counts only if the kill hit something: requests that were never answered, or for the broker bookings in its
//! absence. The database is not killed: the stand-in keeps nothing on disk. `ROUNDS_SEED=…` kills the same ones again, although what
//! each kill meets differs.

use std::time::{Duration, Instant};

use e2e::{eventually, load::Load};
use fastrand::Rng;

use crate::{
    clients::Clients,
    tools::{load, verify},
    world::World,
};

const ROUNDS: usize = 20;
const ROUNDS_MAX: usize = 40;

/// The broker takes seconds to start, so it is killed in one of so many rounds.
const BROKER_EVERY: u64 = 6;

/// Bookings that a kill of the broker must meet.
const WITHOUT_BROKER: usize = 20;

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// A lost request is noticed at once, or was none.
const NOTICED: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
enum Victim {
    Events(usize),
    Bookings(usize),
    Broker,
}

impl Victim {
    /// Each kind comes early once, so that none is left out by chance.
    fn choose(round: usize, dice: &mut Rng) -> Self {
        let number = dice.usize(..2);
        match (round, dice.u64(..BROKER_EVERY)) {
            (0, _) | (3.., 0) => Self::Broker,
            (1, _) | (3.., 1..=2) => Self::Events(number),
            _ => Self::Bookings(number),
        }
    }
}

/// Everything that runs.
struct Running {
    world: World,
    load: Load,
    clients: Clients,
}

impl Running {
    /// Kills it and starts it again; says whether that hit something.
    async fn kill(&mut self, victim: Victim) -> bool {
        match victim {
            Victim::Broker => {
                let broker = &self.world.servers.broker;
                broker.remembers_its_queues();
                let booked = self.load.recorded("booked");
                broker.kill();
                self.booked(booked + WITHOUT_BROKER).await;
                broker.start();
                broker.runs().await;
                true
            }
            Victim::Events(number) => {
                let before = self.clients.lost();
                self.world.events[number].kill();
                let hit = self.noticed(|running| running.clients.lost() > before).await;
                self.world.events[number].start_again();
                hit
            }
            Victim::Bookings(number) => {
                let before = self.load.recorded("unanswered_");
                self.world.bookings[number].kill();
                let hit = self.noticed(|running| running.load.recorded("unanswered_") > before).await;
                self.world.bookings[number].start_again();
                hit
            }
        }
    }

    async fn noticed(&self, what: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        while !what(self) {
            if began.elapsed() > NOTICED {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// Waits until the load has booked so much.
    async fn booked(&self, count: usize) {
        eventually(STEP_TIMEOUT, "the load books", async || (self.load.recorded("booked") > count).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_of_any_process_lose_double_and_oversell_nothing() {
    let Some(world) = World::start_to_kill(2).await else { return };
    let (seed, mut dice) = testing::dice::seeded("ROUNDS_SEED");
    let (folder, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let load = load(&world, folder.path(), &["--connections", "32"]);
    let clients = Clients::start(world.events.iter().map(|replica| replica.rest.clone()));
    let mut running = Running { world, load, clients };

    let (mut counted, mut hits) = (0, [0; 3]);
    for round in 0..ROUNDS_MAX {
        running.booked(running.load.recorded("booked") + 20).await;
        tokio::time::sleep(Duration::from_millis(dice.u64(..200))).await; // a random moment
        let victim = Victim::choose(round, &mut dice);
        if running.kill(victim).await {
            counted += 1;
            hits[match victim {
                Victim::Events(_) => 0,
                Victim::Bookings(_) => 1,
                Victim::Broker => 2,
            }] += 1;
        }
        if counted == ROUNDS {
            break;
        }
    }
    let Running { world, mut load, clients } = running;
    load.stop();
    let (lost, created) = (clients.lost(), clients.stop().await);
    println!(
        "{counted} kills that hit something (event services, booking services, broker: {hits:?}) in {:?}; {} and {lost} \
         requests without an answer, {} bookings, {} cancellations and {} events to be found again",
        began.elapsed(),
        load.recorded("unanswered_"),
        load.recorded("booked"),
        load.recorded("cancelled"),
        created.len()
    );
    assert_eq!(counted, ROUNDS, "inconclusive: too few kills hit something: {hits:?} (ROUNDS_SEED={seed})");

    world.ready().await;
    print!("{}", verify(&world, &["--against", load.record(), "--exclusive", "--patience", "60"]));
    for event in created {
        world.events[0].rest.get(&format!("/events/{event}")).await.expect(200);
        world.bookings[0].rest.get(&format!("/events/{event}")).await.expect(200);
    }
}
