//! All services at once, through their public interface.

mod access;
mod commands;
mod directory;
mod edge;
mod first_calls;
mod isolation;
mod journey;
mod leads;
mod matrix;
mod policies;
mod python;
mod readiness;
mod relations;
mod rights;
mod telemetry;
mod together;
mod wider;
