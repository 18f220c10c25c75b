//! 20 rounds of `kill -9` at a random moment, under load, on one data folder. In the end everything that was answered must
//! be there, once, and both services must agree.
//!
//! A round counts only if the kill hit at least 16 requests on their way, and at least 5 of them must leave messages in an
//! outbox: else nothing was tried, and the test fails as inconclusive.

use std::time::{Duration, Instant};

use e2e::{
    Api,
    flash_sale::FlashSale,
    ports,
    server::{Plan, Server},
    start_page::Addresses,
};

use tokio::runtime::Runtime;

use crate::tools::{assert_clean, load, verify, verify_folder};

const ROUNDS: usize = 20;
const ROUNDS_MAX: usize = 40;
const UNANSWERED_MIN: usize = 16;
const LEFT_OVER_MIN: usize = 5;
const RUSHED_MIN: usize = 5;

/// Clients of the flash sale in each round.
const BUYERS: usize = 16;

#[test]
fn twenty_kills_under_load_lose_double_and_oversell_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { addresses: Some(addresses()), ..Plan::default() };
    let mut server = Server::start(folder.path(), &plan).expect("it starts");
    let record = folder.path().join("record");
    let mut load = load(&server.addresses, &record);
    let runtime = Runtime::new().unwrap();

    let (_, mut dice) = testing::dice::seeded("ROUNDS_SEED");
    let (mut counted, mut left_over, mut unanswered_sales) = (0, 0, 0);
    for _ in 0..ROUNDS_MAX {
        let (booked, unanswered) = (load.recorded("booked"), load.recorded("unanswered_"));
        wait("the load books again", || load.recorded("booked") > booked + 200);
        let flash_sale = runtime.block_on(FlashSale::begin(BUYERS, &server.events(), &[server.bookings()]));
        std::thread::sleep(Duration::from_millis(dice.u64(..200))); // a random moment
        server.kill();
        server = Server::start(folder.path(), &plan).expect("it starts on what was left");
        unanswered_sales += usize::from(runtime.block_on(finish(flash_sale, server.events(), server.bookings())) > 0);
        wait("the load has noticed", || load.recorded("booked") > booked + 300);
        if load.recorded("unanswered_") >= unanswered + UNANSWERED_MIN {
            counted += 1;
            left_over += usize::from(server.log().contains("an earlier run left messages in the outbox"));
        }
        if counted >= ROUNDS {
            break;
        }
    }
    let acknowledged = load.recorded("booked") + load.recorded("cancelled");
    println!(
        "{counted} rounds, {left_over} with messages left, {unanswered_sales} amid the last seats of an event, {acknowledged} answers \
         to be found again"
    );
    load.stop();
    assert!(counted >= ROUNDS, "inconclusive: only {counted} kills hit {UNANSWERED_MIN} requests on their way");
    assert!(left_over >= LEFT_OVER_MIN, "inconclusive: only {left_over} kills left messages in an outbox");
    assert!(
        unanswered_sales >= RUSHED_MIN,
        "inconclusive: only {unanswered_sales} kills came while the last seats were sold"
    );

    let against = ["--against", record.to_str().unwrap(), "--exclusive"];
    assert_clean(&verify(&server, &against));
    server.kill();
    assert_clean(&verify_folder(folder.path()));
}

/// Says how many requests the kill left without an answer.
async fn finish(mut flash_sale: FlashSale, events: Api, bookings: Api) -> usize {
    let unanswered = flash_sale.broken_off().await;
    flash_sale.is_shown(&events, &bookings).await;
    flash_sale.finish(&[bookings]).await;
    unanswered
}

fn addresses() -> Addresses {
    let mut urls = ports::reserved().map(|port| format!("http://127.0.0.1:{port}"));
    let mut next = || urls.next().expect("four of so many are free");
    Addresses { events: next(), bookings: next(), events_ops: next(), bookings_ops: next(), page: next() }
}

#[track_caller]
fn wait(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
