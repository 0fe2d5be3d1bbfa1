//! Tests of the running service: a real client, real connections, a real database and bus of its own.

mod cases;
mod isolation;
mod queue;
mod submissions;
mod support;
