//! Tests of the running service: a real client, a real connection, a real database of its own.

mod accounts;
mod connections;
mod directory;
mod eligibility;
mod expiry;
mod invitations;
mod isolation;
mod members;
mod preferences;
mod races;
mod search;
mod support;
