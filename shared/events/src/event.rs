use chrono::{DateTime, Utc};
use cosell_grpc::Call;
use cosell_types::{AccountId, random};
use heck::ToSnakeCase as _;
use prost::{Message, Name};
use uuid::Uuid;

/// An event to append: one change of one aggregate, at one version.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) event_id: Uuid,
    pub(crate) account: AccountId,
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: String,
    pub(crate) version: i64,
    pub(crate) type_name: String,
    pub(crate) subject: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) actor: String,
    pub(crate) request_id: String,
    pub(crate) time: DateTime<Utc>,
}

/// The aggregate that an event concerns.
#[derive(Clone, Copy, Debug)]
pub struct AggregateRef<'a> {
    /// The publishing context, as in the NATS subject.
    pub context: &'static str,
    /// The type of the aggregate.
    pub aggregate: &'static str,
    /// The account that the aggregate belongs to.
    pub account: &'a AccountId,
    /// The id of the aggregate.
    pub id: &'a str,
    /// The version of the aggregate after the event: 1, 2, 3 … without gaps.
    pub version: i64,
}

/// The actor, request and time of the change that an event reports.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// A member id, or `service:` and a name.
    pub actor: &'a str,
    /// The request id of the call that started the change, directly or through events.
    pub request_id: &'a str,
    /// Time of the change.
    pub time: DateTime<Utc>,
}

impl<'a> Cause<'a> {
    /// The cause of a change by a call.
    pub fn of<M>(call: &'a Call<M>, time: DateTime<Utc>) -> Self {
        Self {
            actor: call.actor(),
            request_id: &call.tag.request_id,
            time,
        }
    }
}

impl Event {
    /// Creates an event. The name of the message in snake case is the last token of the subject.
    pub fn new<M: Message + Name>(about: AggregateRef<'_>, cause: Cause<'_>, message: &M) -> Self {
        Event {
            event_id: random::uuid(cause.time),
            account: about.account.clone(),
            aggregate_type: about.aggregate,
            aggregate_id: about.id.to_owned(),
            version: about.version,
            type_name: M::full_name(),
            subject: format!(
                "cosell.{}.v1.{}.{}.{}",
                about.context,
                about.account,
                // A dot would start another token; the header has the unescaped id.
                about.id.replace('.', "%2E"),
                M::NAME.to_snake_case()
            ),
            payload: message.encode_to_vec(),
            actor: cause.actor.to_owned(),
            request_id: cause.request_id.to_owned(),
            time: cause.time,
        }
    }
}
