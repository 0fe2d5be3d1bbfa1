//! All services at once, through their public interface.

mod access;
mod journey;
