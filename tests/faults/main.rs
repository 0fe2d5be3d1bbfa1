//! Fault injection: servers and processes crash, and events are duplicated and reordered, while opportunities are in
//! review. No event may be lost and none applied twice.

mod bulk;
mod bus;
mod database;
mod mail;
mod process;
