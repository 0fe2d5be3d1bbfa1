use std::fmt;

use cosell_grpc::Failure;
use cosell_store::{Error, Tx};
use tonic::{Code, Status};

use crate::Delivery;

/// What a service does with the events of another context.
pub trait Handler: Send + Sync + 'static {
    /// What is fetched before the effect.
    type Prepared: Send;

    /// Fetches what the effect needs from elsewhere. Runs outside any transaction, and possibly several times.
    fn prepare(&self, delivery: &Delivery) -> impl Future<Output = Result<Self::Prepared, Fault>> + Send;

    /// The effect. Commits together with the proof that the event was handled, or not at all.
    fn apply(
        &self,
        tx: &mut Tx,
        delivery: &Delivery,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Why an event could not be handled.
#[derive(Debug)]
pub enum Fault {
    /// It never will be: the event goes to the dead letters, and its aggregate waits.
    Permanent(String),
    /// Something it needs does not answer: it is tried again, without end.
    Transient(String),
    /// It should have worked: it is tried a few times more.
    Bug(String),
}

impl Fault {
    /// The event itself is wrong. The text must not repeat personal data.
    pub fn permanent(text: impl Into<String>) -> Self {
        Fault::Permanent(text.into())
    }

    /// The answer of another service to a question about the event.
    pub fn from_status(status: &Status) -> Self {
        let text = format!("{:?}: {}", status.code(), status.message());
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Unauthenticated
            | Code::Unknown => Fault::Transient(text),
            _ => Fault::Bug(text),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, text) = match self {
            Fault::Permanent(text) => ("permanent", text),
            Fault::Transient(text) => ("transient", text),
            Fault::Bug(text) => ("bug", text),
        };
        write!(f, "{class}: {text}")
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let text = failure.to_string();
        match failure.code() {
            Code::Unavailable | Code::Aborted | Code::DeadlineExceeded | Code::ResourceExhausted => {
                Fault::Transient(text)
            }
            _ => Fault::Bug(text),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}
