//! What is taken away, killed, repeated or shuffled in the middle of the journey changes nothing about its end: nothing
//! is lost, nothing applied twice.

mod bulk;
mod bus;
mod database;
mod mail;
mod process;
