//! Runs the use case of an RPC: checks access, validates the message, retries conflicts, and encodes failures.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_proto::{Mutation, Validate};
use cosell_types::{Caller, Member, Violation, random};
use futures::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument as _, Span};

use crate::denial::RecordedDenial;
use crate::impersonation::effective_caller;
use crate::limits::CallPermit;
use crate::{Deadline, Failure, Retry};

/// Attempts of a write that fails with a retryable failure.
const MAX_ATTEMPTS: u32 = 3;

/// Identifies a call.
#[derive(Clone, Debug)]
pub struct Tag {
    /// `x-request-id` of the client, or a generated one.
    pub request_id: Arc<str>,
    /// Package, service and method, such as `cosell.review.v1.ReviewService/DecideReview`.
    pub rpc: Arc<str>,
    /// When the call was received.
    pub received: DateTime<Utc>,
    pub(crate) denial: RecordedDenial,
}

/// An authorized call with its message.
#[derive(Clone, Debug)]
pub struct Call<M> {
    /// The caller, with its roles.
    pub caller: Caller,
    pub(crate) token_caller: Caller,
    actor: String,
    /// The request message.
    pub message: M,
    /// Violations of the `buf.validate` rules within the record of the message. Empty except with [`write_record`],
    /// whose use case reports them together with violations of domain rules.
    pub form_violations: Vec<Violation>,
    /// When the call must be answered.
    pub deadline: Deadline,
    /// Identity of the call.
    pub tag: Tag,
    /// Held until the use case has ended, also if the call was answered before, as at its deadline.
    permit: Option<CallPermit>,
}

impl<M> Call<M> {
    /// The caller of the token, which only row-level security uses. It differs from `caller` only in the
    /// fault-injection build, by impersonation.
    pub fn token_caller(&self) -> &Caller {
        &self.token_caller
    }

    /// The caller's name in events and audit rows: a member id, or `service:` and a name.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Replaces the message, such as a stream by its first message. Returns the previous message and the call.
    pub fn replace_message<N>(self, message: N) -> (M, Call<N>) {
        let call = Call {
            caller: self.caller,
            token_caller: self.token_caller,
            actor: self.actor,
            message,
            form_violations: self.form_violations,
            deadline: self.deadline,
            tag: self.tag,
            permit: self.permit,
        };
        (self.message, call)
    }

    /// The calling member. Fails for a service: only for RPCs that access control does not permit to services.
    pub fn member(&self) -> Result<&Member, Failure> {
        match &self.caller {
            Caller::Member(member) => Ok(member),
            Caller::Service(_) => Err(Failure::internal(
                "access control permitted a service to call an RPC for members",
            )),
        }
    }
}

/// The response stream of a use case.
pub type ResponseStream<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// Runs a use case that only reads. It is dropped when the client disconnects.
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

/// Runs a bidirectional-streaming use case. It must validate the messages and limit its duration itself: a stream
/// outlives the deadline of its call.
pub fn stream<M, R, S>(
    request: Request<Streaming<M>>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<Streaming<M>>) -> S,
) -> Result<Response<ResponseStream<R>>, Status>
where
    R: 'static,
    S: Stream<Item = Result<R, Failure>> + Send + 'static,
{
    let tag = tag_of(&request);
    match authorize(&request, permit) {
        Ok(authorized) => {
            let call = authorized.call(request.into_inner(), tag.clone());
            let responses = handle(call).map(move |item| item.map_err(|failure| failure.into_status(&tag)));
            Ok(Response::new(Box::pin(responses)))
        }
        Err(failure) => Err(failure.into_status(&tag)),
    }
}

/// Runs a client-streaming use case. It must validate the messages and limit its duration itself.
pub async fn upload<M, R, F>(
    request: Request<Streaming<M>>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<Streaming<M>>) -> F,
) -> Result<Response<R>, Status>
where
    F: Future<Output = Result<R, Failure>>,
{
    let tag = tag_of(&request);
    let result = match authorize(&request, permit) {
        Ok(authorized) => handle(authorized.call(request.into_inner(), tag.clone())).await,
        Err(failure) => Err(failure),
    };
    result
        .map(Response::new)
        .map_err(|failure| failure.into_status(&tag))
}

/// Runs a server-streaming use case that only reads. The stream is dropped when the client disconnects.
pub async fn download<M, R, S, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl FnOnce(Call<M>) -> F,
) -> Result<Response<ResponseStream<R>>, Status>
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
    let responses = result.map_err(|failure| failure.into_status(&tag))?;
    let responses = responses.map(move |item| item.map_err(|failure| failure.into_status(&tag)));
    Ok(Response::new(Box::pin(responses)))
}

/// Runs a use case that writes. It runs in its own task, so that it completes if the client disconnects; the client
/// gets the response with the same request id. It is retried after version conflicts and lost connections, provided
/// that it cannot take effect twice.
pub async fn write<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    run_in_task(request, permit, None, handle).await
}

/// The field of a message that contains a complete record.
#[derive(Clone, Copy, Debug)]
pub struct RecordField {
    /// Name of the field.
    pub field: &'static str,
    /// Maps a path in the record to that of the AWS Partner Central API.
    pub partner_central_path: fn(&str) -> String,
}

impl RecordField {
    /// The path of the violation within the record; `None` if it is outside of the record.
    fn path_within<'a>(&self, violation: &'a Violation) -> Option<&'a str> {
        violation.field.strip_prefix(self.field)?.strip_prefix('.')
    }

    /// Adds the AWS Partner Central paths to violations within the record.
    pub fn with_partner_central_fields(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        for violation in &mut violations {
            if let Some(path) = self.path_within(violation) {
                violation.partner_central_field = (self.partner_central_path)(path);
            }
        }
        violations
    }
}

/// Like [`write`], for a message that contains a complete record: the use case also receives a record that violates
/// `buf.validate` rules, so that all violations are reported at once (PLT-007).
pub async fn write_record<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: RecordField,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    run_in_task(request, permit, Some(record), handle).await
}

async fn run_in_task<M, R, F>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: Option<RecordField>,
    handle: impl Fn(Call<M>) -> F + Send + 'static,
) -> Result<Response<R>, Status>
where
    M: Validate + Mutation + Send + Sync + 'static,
    R: Send + 'static,
    F: Future<Output = Result<R, Failure>> + Send + 'static,
{
    let tag = tag_of(&request);
    let result = match open(request, permit, record) {
        Ok(call) => {
            let task = tokio::spawn(run_with_retries(call, handle).instrument(Span::current()));
            task.await.unwrap_or_else(|panic| Err(Failure::internal(panic)))
        }
        Err(failure) => Err(failure),
    };
    result
        .map(Response::new)
        .map_err(|failure| failure.into_status(&tag))
}

async fn run_with_retries<M, R, F>(call: Call<M>, handle: impl Fn(Call<M>) -> F) -> Result<R, Failure>
where
    M: Mutation,
    F: Future<Output = Result<R, Failure>>,
{
    let has_request_id = !call.message.request_id().is_empty();
    let mut attempt = 1;
    loop {
        let failure = match handle(call.clone()).await {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        let may_retry = match failure.may_retry() {
            Retry::Never => false,
            Retry::Transaction => true,
            Retry::IfIdempotent => has_request_id,
        };
        if !may_retry || attempt == MAX_ATTEMPTS || call.deadline.left().is_zero() {
            return Err(failure);
        }
        tracing::debug!(%failure, attempt, "attempt failed; retrying");
        tokio::time::sleep(Duration::from_millis(10 << attempt).mul_f64(random::jitter())).await;
        attempt += 1;
    }
}

/// Checks access to the RPC, then validates the message. Violations within `record` are left to the use case.
fn open<M: Validate>(
    request: Request<M>,
    permit: impl FnOnce(&Caller) -> bool,
    record: Option<RecordField>,
) -> Result<Call<M>, Failure> {
    let tag = tag_of(&request);
    let authorized = authorize(&request, permit)?;
    let message = request.into_inner();
    let mut violations = message.violations();
    if let Some(record) = record {
        violations = record.with_partner_central_fields(violations);
    }
    let is_within_record = |violation| record.is_some_and(|record| record.path_within(violation).is_some());
    if violations.iter().all(is_within_record) {
        Ok(Call {
            form_violations: violations,
            ..authorized.call(message, tag)
        })
    } else {
        Err(Failure::invalid(violations))
    }
}

/// The caller and deadline of a call with access to its RPC.
struct Authorized {
    caller: Caller,
    token_caller: Caller,
    deadline: Deadline,
    permit: Option<CallPermit>,
}

impl Authorized {
    fn call<M>(self, message: M, tag: Tag) -> Call<M> {
        Call {
            actor: self.caller.actor(),
            caller: self.caller,
            token_caller: self.token_caller,
            message,
            form_violations: Vec::new(),
            deadline: self.deadline,
            tag,
            permit: self.permit,
        }
    }
}

/// Checks access to the RPC, regardless of the record.
fn authorize<M>(request: &Request<M>, permit: impl FnOnce(&Caller) -> bool) -> Result<Authorized, Failure> {
    let tag = tag_of(request);
    let extensions = request.extensions();
    let token_caller = extensions
        .get::<Caller>()
        .cloned()
        .ok_or_else(Failure::token_invalid)?;
    let caller = effective_caller(request.metadata(), &token_caller);
    let deadline = extensions
        .get::<Deadline>()
        .copied()
        .ok_or_else(|| Failure::internal("the call did not pass the edge"))?;
    if !permit(&caller) {
        return Err(Failure::role_not_permitted(&tag.rpc));
    }
    Ok(Authorized {
        caller,
        token_caller,
        deadline,
        permit: extensions.get::<CallPermit>().cloned(),
    })
}

fn tag_of<M>(request: &Request<M>) -> Tag {
    request.extensions().get::<Tag>().cloned().unwrap_or_else(|| Tag {
        request_id: "".into(),
        rpc: "".into(),
        received: DateTime::UNIX_EPOCH,
        denial: RecordedDenial::default(),
    })
}
