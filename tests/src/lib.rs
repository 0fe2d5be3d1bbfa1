//! What the tests over all services share: private servers, the services on them, calls by anybody, and the repository
//! as text.

mod child;
pub mod repository;
mod world;

pub use child::Child;
pub use world::{InProcess, RECOVERY, World};
