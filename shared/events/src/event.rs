use chrono::{DateTime, Utc};
use cosell_types::{AccountId, random};
use heck::ToSnakeCase as _;
use prost::{Message, Name};
use uuid::Uuid;

/// A public event about to be appended: one fact about one aggregate, at one version.
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

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The publishing context, as in the subject.
    pub context: &'static str,
    /// The kind of aggregate.
    pub aggregate: &'static str,
    /// The account that the aggregate belongs to.
    pub account: &'a AccountId,
    /// The aggregate.
    pub id: &'a str,
    /// Its version after the event: 1, 2, 3 … without holes.
    pub version: i64,
}

/// Who caused an event, and by which request.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// A member, or `service:` and a name.
    pub actor: &'a str,
    /// The request id of the call, or of the call behind the event behind it.
    pub request_id: &'a str,
    /// When.
    pub time: DateTime<Utc>,
}

impl Event {
    /// An event with its public message, whose name ends the subject.
    pub fn new<M: Message + Name>(about: About<'_>, cause: Cause<'_>, message: &M) -> Self {
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
                // A dot would begin another token; the header has the id as it is.
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
