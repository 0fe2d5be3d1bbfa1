//! Integration tests of the partner connection service over gRPC, each with its own PostgreSQL database.

mod accounts;
mod connections;
mod directory;
mod eligibility;
mod expiry;
mod invitations;
mod isolation;
mod marketing;
mod members;
mod preferences;
mod races;
mod search;
mod support;
