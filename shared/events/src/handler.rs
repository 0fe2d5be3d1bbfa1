use std::fmt;
use std::sync::Arc;

use cosell_grpc::Failure;
use cosell_store::{Error, Tx};
use tonic::{Code, Status};

use crate::Delivery;

/// Applies the events of another context to the data of a service.
pub trait Handler: Send + Sync + 'static {
    /// The data that `prepare` fetches for `apply`.
    type Prepared: Send;
    /// Whether `prepare` reads from other services. Then it is not called for an event that cannot be applied.
    const READS_PEERS: bool;

    /// Whether the event can have an effect here. Of any other it is only noted that it was received, many at a time.
    fn has_effect(&self, _delivery: &Delivery) -> bool {
        true
    }

    /// Fetches data from other services. Runs outside of a transaction, possibly several times.
    fn prepare(
        &self,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<Self::Prepared, HandlerError>> + Send;

    /// Applies the event, in the scope of its account. The transaction also contains the position of the consumer, so that
    /// both commit or neither does, and the effects of other events. Those of an event that fails are undone alone.
    fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

impl<H: Handler> Handler for Arc<H> {
    type Prepared = H::Prepared;
    const READS_PEERS: bool = H::READS_PEERS;

    fn has_effect(&self, delivery: &Delivery) -> bool {
        H::has_effect(self, delivery)
    }

    fn prepare(
        &self,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<Self::Prepared, HandlerError>> + Send {
        H::prepare(self, delivery)
    }

    fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        H::apply(self, tx, delivery, prepared)
    }
}

/// Why an event could not be applied.
#[derive(Debug)]
pub enum HandlerError {
    /// A retry cannot succeed: the event is moved to the dead letters, and its aggregate is parked.
    Permanent(String),
    /// A dependency is unavailable: the event is retried without limit.
    Transient(String),
    /// An unexpected error: the event is retried a few times, then moved to the dead letters.
    Bug(String),
}

impl HandlerError {
    /// The event is invalid for the consumer. The text must not contain personal data.
    pub fn permanent(text: impl Into<String>) -> Self {
        HandlerError::Permanent(text.into())
    }

    /// Classifies the error status of a call to another service.
    pub fn from_status(status: &Status) -> Self {
        let text = format!("{:?}: {}", status.code(), status.message());
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Unauthenticated
            | Code::Unknown => HandlerError::Transient(text),
            _ => HandlerError::Bug(text),
        }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, text) = match self {
            HandlerError::Permanent(text) => ("permanent", text),
            HandlerError::Transient(text) => ("transient", text),
            HandlerError::Bug(text) => ("bug", text),
        };
        write!(f, "{class}: {text}")
    }
}

impl From<Failure> for HandlerError {
    fn from(failure: Failure) -> Self {
        let text = failure.to_string();
        match failure.is_transient() {
            true => HandlerError::Transient(text),
            false => HandlerError::Bug(text),
        }
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}
