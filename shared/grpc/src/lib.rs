//! What every gRPC service of cosell shares: how a call comes in, who makes it, how long it may take, how it is
//! refused, and how the process starts and stops. Nothing here knows a bounded context.
//!
//! A call passes [`Edge`] (trace, overload, deadline, identity), then [`open`](call::open) (access, validation), then
//! the use case, whose [`Failure`] becomes a status with `google.rpc` details.

mod auth;
mod call;
mod client;
pub mod convert;
mod deadline;
mod denial;
mod edge;
mod etag;
mod failure;
mod forgery;
mod health;
mod incoming;
mod issuer;
mod jwks;
pub mod mask;
mod page;
mod server;

pub use auth::{AuthArgs, Resolve, Verifier};
pub use call::{Answers, Call, Record, Tag, download, read, stream, upload, write, write_with_rules};
pub use client::{Peer, TokenSource};
pub use deadline::Deadline;
pub use denial::{Audit, Denial, Gate};
pub use edge::Edge;
pub use failure::{Failure, Retry, reason_name};
pub use health::{Check, Readiness};
pub use issuer::Issuer;
pub use page::{PageQuery, page_size};
pub use server::{Listeners, ServeArgs, serve};

/// Largest request that a service takes, in bytes (PLT-010).
pub const MAX_REQUEST: usize = 1024 * 1024;
/// Largest answer, in bytes. Pages stay below the 4 MiB that clients take by default; a review case with many rounds
/// of large records does not.
pub const MAX_RESPONSE: usize = 32 * 1024 * 1024;

/// Etags: the revision of a record, quoted (PLT-003).
pub mod etags {
    pub use crate::etag::{check, of};
}
