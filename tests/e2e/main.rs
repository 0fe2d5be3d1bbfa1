//! All services at once, through their public interface.

mod access;
mod directory;
mod edge;
mod isolation;
mod journey;
mod readiness;
mod relations;
mod telemetry;
