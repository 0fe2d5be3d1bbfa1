//! Proofs that the tests can fail and that the second line of defence holds, on a build with faults built in: a process
//! that ends at the worst moments, event paths without one of their guarantees, and services that take a stranger for
//! somebody else.

mod acceptance;
mod acceptances;
mod crash;
mod events;
mod logins;
mod scope;
mod sharing;
