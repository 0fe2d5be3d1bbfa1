//! From a tonic request to a use case and back.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_proto::{Mutation, Validate};
use cosell_types::{Caller, Member, Violation, random};
use futures::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument as _, Span};

use crate::denial::Verdict;
use crate::forgery::taken_for;
use crate::{Deadline, Failure, Retry};

/// How often a use case is tried when others keep winning the same record.
const ATTEMPTS: u32 = 3;

/// How a call is told apart from all others.
#[derive(Clone, Debug)]
pub struct Tag {
    /// `x-request-id` of the client, or one made here.
    pub request_id: Arc<str>,
    /// Package, service and method, such as `cosell.review.v1.ReviewService/DecideReview`.
    pub rpc: Arc<str>,
    /// When the call arrived.
    pub received: DateTime<Utc>,
    pub(crate) verdict: Verdict,
}

/// A call that may be made.
#[derive(Clone, Debug)]
pub struct Call<M> {
    /// Who calls.
    pub caller: Caller,
    pub(crate) proven: Caller,
    /// What is asked.
    pub message: M,
    /// What is wrong with the shape of the record in the message. Only [`write_with_rules`] lets such a call through,
    /// for the use case to report it together with what the rules find.
    pub shape: Vec<Violation>,
    /// When it has to be answered.
    pub deadline: Deadline,
    /// Which call it is.
    pub tag: Tag,
}

impl<M> Call<M> {
    /// Whom the token proves to call: row-level security goes by it, and nothing else. It is the caller, but in the build
    /// with faults put in.
    pub fn proven(&self) -> &Caller {
        &self.proven
    }

    /// The same call, about something else: what a stream began with. What was asked before comes back.
    pub fn about<N>(self, message: N) -> (M, Call<N>) {
        let call = Call {
            caller: self.caller,
            proven: self.proven,
            message,
            shape: self.shape,
            deadline: self.deadline,
            tag: self.tag,
        };
        (self.message, call)
    }

    /// The person who calls. For RPCs that services may not call, which access has made sure of.
    pub fn member(&self) -> Result<&Member, Failure> {
        match &self.caller {
            Caller::Member(member) => Ok(member),
            Caller::Service(_) => Err(Failure::internal(
                "a service got past access where only members may",
            )),
        }
    }
}

/// What a streaming use case answers with.
pub type Answers<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// Runs a use case that only reads. It is dropped when the client goes away.
pub async fn read<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<M>) -> F,
) -> Result<Response<R>, Status>
where
    M: Validate,
    F: Future<Output = Result<R, Failure>>,
{
    let tag = tag_of(&request);
    let result = match open(request, permit, None) {
        Ok(call) => handle(call).await,
        Err(failure) => Err(failure),
    };
    result
        .map(Response::new)
        .map_err(|failure| failure.into_status(&tag))
}

/// Runs a use case that answers with a stream while it reads another. What it reads is its own to check, and so is how
/// long it takes: a stream outlives the deadline of its call.
pub fn stream<M, R, S>(
    request: Request<Streaming<M>>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<Streaming<M>>) -> S,
) -> Result<Response<Answers<R>>, Status>
where
    R: 'static,
    S: Stream<Item = Result<R, Failure>> + Send + 'static,
{
    let tag = tag_of(&request);
    match admit(&request, permit) {
        Ok(admitted) => {
            let call = admitted.call(request.into_inner(), tag.clone());
            let answers = handle(call).map(move |item| item.map_err(|failure| failure.into_status(&tag)));
            Ok(Response::new(Box::pin(answers)))
        }
        Err(failure) => Err(failure.into_status(&tag)),
    }
}

/// Runs a use case that reads a stream and answers once. How long it takes is its own to bound.
pub async fn upload<M, R, F>(
    request: Request<Streaming<M>>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<Streaming<M>>) -> F,
) -> Result<Response<R>, Status>
where
    F: Future<Output = Result<R, Failure>>,
{
    let tag = tag_of(&request);
    let result = match admit(&request, permit) {
        Ok(admitted) => handle(admitted.call(request.into_inner(), tag.clone())).await,
        Err(failure) => Err(failure),
    };
    result
        .map(Response::new)
        .map_err(|failure| failure.into_status(&tag))
}

/// Runs a use case that only reads and answers with a stream, which ends when the client goes away.
pub async fn download<M, R, S, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<M>) -> F,
) -> Result<Response<Answers<R>>, Status>
where
    M: Validate,
    R: 'static,
    S: Stream<Item = Result<R, Failure>> + Send + 'static,
    F: Future<Output = Result<S, Failure>>,
{
    let tag = tag_of(&request);
    let result = match open(request, permit, None) {
        Ok(call) => handle(call).await,
        Err(failure) => Err(failure),
    };
    let answers = result.map_err(|failure| failure.into_status(&tag))?;
    let answers = answers.map(move |item| item.map_err(|failure| failure.into_status(&tag)));
    Ok(Response::new(Box::pin(answers)))
}

/// Runs a use case that writes. It runs in a task of its own, so that a client that goes away cannot stop it between
/// two statements; its answer is found again with the same request id. Where others won the same record, or the
/// connection broke, it runs again as far as that cannot act twice.
pub async fn write<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Clone + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    shielded(request, permit, None, handle).await
}

/// The field of a message that holds a whole record.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Its name.
    pub field: &'static str,
    /// What the original calls a path of the record.
    pub original: fn(&str) -> String,
}

impl Record {
    /// What of the record the violation is about.
    fn part<'a>(&self, violation: &'a Violation) -> Option<&'a str> {
        violation.field.strip_prefix(self.field)?.strip_prefix('.')
    }

    /// The violations, each with the original's path where it is about the record.
    pub fn with_originals(&self, mut found: Vec<Violation>) -> Vec<Violation> {
        for violation in &mut found {
            if let Some(path) = self.part(violation) {
                violation.original = (self.original)(path);
            }
        }
        found
    }
}

/// As [`write`], for a message that holds a whole record: the use case sees the record even when its shape is wrong,
/// so that the client is told of everything at once (PLT-007).
pub async fn write_with_rules<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: Record,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Clone + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    shielded(request, permit, Some(record), handle).await
}

async fn shielded<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: Option<Record>,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Clone + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    let tag = tag_of(&request);
    let result = match open(request, permit, record) {
        Ok(call) => {
            let task = tokio::spawn(attempt(call, handle).instrument(Span::current()));
            task.await.unwrap_or_else(|panic| Err(Failure::internal(panic)))
        }
        Err(failure) => Err(failure),
    };
    result
        .map(Response::new)
        .map_err(|failure| failure.into_status(&tag))
}

async fn attempt<M, R, F>(call: Call<M>, handle: impl Fn(Call<M>) -> F) -> Result<R, Failure>
where
    M: Mutation + Clone,
    F: Future<Output = Result<R, Failure>>,
{
    let repeatable = !call.message.request_id().is_empty();
    let mut tried = 1;
    loop {
        let failure = match handle(call.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let again = match failure.may_retry() {
            Retry::Never => false,
            Retry::Transaction => true,
            Retry::IfRepeatable => repeatable,
        };
        if !again || tried == ATTEMPTS || call.deadline.left().is_zero() {
            return Err(failure);
        }
        tracing::debug!(%failure, tried, "the use case runs again");
        tokio::time::sleep(Duration::from_millis(10 << tried).mul_f64(random::jitter())).await;
        tried += 1;
    }
}

/// Checks, in this order, that the caller may call this RPC at all and that the message is valid in itself; what is
/// wrong within the record is left to the use case.
fn open<M: Validate>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: Option<Record>,
) -> Result<Call<M>, Failure> {
    let tag = tag_of(&request);
    let Admitted {
        caller,
        proven,
        deadline,
    } = admit(&request, permit)?;
    let message = request.into_inner();
    let mut shape = message.violations();
    if let Some(record) = record {
        shape = record.with_originals(shape);
    }
    let within = |violation| record.is_some_and(|record| record.part(violation).is_some());
    if shape.iter().all(within) {
        Ok(Call {
            caller,
            proven,
            message,
            shape,
            deadline,
            tag,
        })
    } else {
        Err(Failure::invalid(shape))
    }
}

/// Who calls and by when.
struct Admitted {
    caller: Caller,
    proven: Caller,
    deadline: Deadline,
}

impl Admitted {
    fn call<M>(self, message: M, tag: Tag) -> Call<M> {
        Call {
            caller: self.caller,
            proven: self.proven,
            message,
            shape: Vec::new(),
            deadline: self.deadline,
            tag,
        }
    }
}

/// Lets the caller in, if it may call this RPC at all.
fn admit<M>(request: &Request<M>, permit: impl FnOnce(&Caller) -> bool) -> Result<Admitted, Failure> {
    let tag = tag_of(request);
    let extensions = request.extensions();
    let proven = extensions
        .get::<Caller>()
        .cloned()
        .ok_or_else(Failure::token_invalid)?;
    let caller = taken_for(request.metadata(), &proven);
    let deadline = extensions
        .get::<Deadline>()
        .copied()
        .ok_or_else(|| Failure::internal("no edge"))?;
    if !permit(&caller) {
        return Err(Failure::role_not_permitted(&tag.rpc));
    }
    Ok(Admitted {
        caller,
        proven,
        deadline,
    })
}

fn tag_of<M>(request: &Request<M>) -> Tag {
    request.extensions().get::<Tag>().cloned().unwrap_or_else(|| Tag {
        request_id: "".into(),
        rpc: "".into(),
        received: DateTime::UNIX_EPOCH,
        verdict: Verdict::default(),
    })
}
