//! The bridge, with real HTTP clients on one side and the inbox's robot on the other, on free ports. The tests about the pace shorten
//! the robot's minute.

mod arrives;
mod fails;
mod pace;
mod world;
