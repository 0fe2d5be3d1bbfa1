//! Tests on a build with injected faults, which show that the checks detect them and that row-level security holds on
//! its own: processes that abort at crash points, event delivery without one of its guarantees, services that accept
//! forged callers, and abandoned database logins.

mod acceptance_crash;
mod crash;
mod engagement_acceptance;
mod events;
mod impersonation;
mod logins;
mod referral_acceptance;
