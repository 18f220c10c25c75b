//! The bridge between real HTTP clients and the inbox's robot: both sides are the programs' own, on free ports. Time is
//! shortened where it counts, by the same rules that hold for the real one.

mod arrives;
mod fails;
mod pace;
mod world;
