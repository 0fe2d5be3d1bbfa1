//! Scheduled work, one worker per file. Safe to run in several replicas: each row states when its work is due, and only
//! the first replica that changes the row does the work.

mod offers;

pub use offers::OfferWorker;
