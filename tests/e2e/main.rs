//! All services at once, through their public interface.

mod access;
mod directory;
mod edge;
mod journey;
mod readiness;
mod telemetry;
