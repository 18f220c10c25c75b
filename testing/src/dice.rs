//! Dice that can be thrown again: the seed is printed, and can be given.

use fastrand::Rng;

/// Random numbers from the seed in the environment variable `name`, or from a new one. The same seed gives the same numbers; what
/// else a test meets (threads, clocks, ids) is not repeated by it.
pub fn seeded(name: &str) -> (u64, Rng) {
    let given = std::env::var(name).ok();
    let given =
        given.map(|seed| seed.parse().unwrap_or_else(|_| panic!("{name} is {seed:?}: it must be a whole number")));
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("the same dice again: {name}={seed}");
    (seed, Rng::with_seed(seed))
}
