//! The gRPC layer of all services: authentication, deadlines, concurrency and rate limits, validation, errors, and the
//! start and shutdown of the server. It is independent of the bounded contexts.
//!
//! A call passes [`Edge`] (trace, limits, deadline, authentication), then [`open`](call::open) (access, validation),
//! then the use case, whose [`Failure`] is encoded as a status with `google.rpc` details.

mod auth;
mod call;
mod client;
mod connection;
pub mod convert;
mod deadline;
mod denial;
mod edge;
mod etag;
mod failure;
mod first_message;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod impersonation;
mod incoming;
mod issuer;
mod jwks;
mod keyed_limit;
mod limits;
pub mod mask;
mod page;
mod response_body;
mod rpcs;
mod secure_url;
mod server;

pub use auth::{AuthArgs, MemberResolver, Verifier};
pub use call::{Call, RecordField, ResponseStream, Tag, download, read, stream, upload, write, write_record};
pub use client::{Peer, TokenSource};
pub use deadline::Deadline;
pub use denial::{Denial, DenialSink, ServiceAccess};
pub use edge::Edge;
pub use failure::{Failure, Retry, reason_name};
pub use health::{Check, Readiness};
pub use issuer::Issuer;
pub use keyed_limit::{KeyedLimit, Permit};
pub use page::{PageQuery, page_size};
pub use secure_url::is_secure_url;
pub use server::{Listeners, ServeArgs, serve};

/// Maximum size of a request message in bytes (PLT-010).
pub const MAX_REQUEST: usize = 1024 * 1024;
/// Maximum size of a response message in bytes. Pages stay below 4 MiB, the default limit of clients; a review case
/// with many rounds of large records can exceed it.
pub const MAX_RESPONSE: usize = 32 * 1024 * 1024;

/// Etags: the quoted revision of a record (PLT-003).
pub mod etags {
    pub use crate::etag::{check, of};
}
