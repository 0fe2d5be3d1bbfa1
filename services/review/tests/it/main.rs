//! Integration tests of the review service over gRPC, each with its own PostgreSQL database and NATS server.

mod cases;
mod filters;
mod isolation;
mod queue;
mod submissions;
mod support;
