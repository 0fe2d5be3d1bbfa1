//! A delivered event, decoded from CloudEvents 1.0 in binary mode.

use async_nats::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use cosell_proto::EventDetail;
use cosell_types::AccountId;
use prost::{Message, Name};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Cause, HandlerError};

/// A delivery of an event.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `ce-id`: the id of the event, the same in each delivery.
    pub event_id: Uuid,
    /// The account that the aggregate belongs to.
    pub account: AccountId,
    /// The id of the aggregate.
    pub aggregate_id: String,
    /// The version of the aggregate after the event.
    pub version: i64,
    /// `ce-type`: the full name of the message.
    pub type_name: String,
    /// Time of the change that the event reports.
    pub time: DateTime<Utc>,
    /// The actor of the change: a member id, or `service:` and a name.
    pub actor: String,
    /// The request id of the call that started the change.
    pub request_id: String,
    /// The trace context of the producer.
    pub traceparent: Option<String>,
    pub(crate) subject: String,
    pub(crate) payload: Bytes,
}

pub(crate) mod names {
    pub const ID: &str = "ce-id";
    pub const TYPE: &str = "ce-type";
    pub const TIME: &str = "ce-time";
    pub const SEQUENCE: &str = "ce-sequence";
    pub const SUBJECT: &str = "ce-subject";
    pub const ACCOUNT: &str = "ce-accountid";
    pub const ACTOR: &str = "ce-actor";
    pub const REQUEST: &str = "ce-requestid";
    pub const TRACEPARENT: &str = "traceparent";
}

impl Delivery {
    /// Decodes the envelope; the error names the missing or invalid header.
    pub(crate) fn read(
        subject: &str,
        headers: Option<&HeaderMap>,
        payload: Bytes,
    ) -> Result<Self, &'static str> {
        let headers = headers.ok_or("no headers")?;
        let get = |name| headers.get(name).map(|value| value.as_str());
        Ok(Self {
            event_id: get(names::ID)
                .and_then(|id| Uuid::try_parse(id).ok())
                .ok_or("ce-id")?,
            account: get(names::ACCOUNT)
                .and_then(|id| id.parse().ok())
                .ok_or("ce-accountid")?,
            aggregate_id: get(names::SUBJECT).ok_or("ce-subject")?.to_owned(),
            version: get(names::SEQUENCE)
                .and_then(|version| version.parse().ok())
                .ok_or("ce-sequence")?,
            type_name: get(names::TYPE).ok_or("ce-type")?.to_owned(),
            time: get(names::TIME)
                .and_then(|time| time.parse().ok())
                .ok_or("ce-time")?,
            actor: get(names::ACTOR).unwrap_or_default().to_owned(),
            request_id: get(names::REQUEST).unwrap_or_default().to_owned(),
            traceparent: get(names::TRACEPARENT).map(str::to_owned),
            subject: subject.to_owned(),
            payload,
        })
    }

    /// Whether the event is of this type.
    pub fn is<M: Name>(&self) -> bool {
        self.type_name == M::full_name()
    }

    /// Decodes the message of the event. Fails permanently if it is malformed.
    pub fn message<M: Message + Name + Default>(&self) -> Result<M, HandlerError> {
        M::decode(self.payload.clone())
            .map_err(|error| HandlerError::permanent(format!("decoding {}: {error}", M::NAME)))
    }

    /// Decodes the detail of the event; `None` if the event is not one of the detail's aggregate.
    pub fn detail<T: EventDetail>(&self) -> Result<Option<T>, HandlerError> {
        T::read(&self.type_name, &self.payload)
            .transpose()
            .map_err(|error| HandlerError::permanent(format!("decoding {}: {error}", self.type_name)))
    }

    /// The cause of events that are appended when this one is applied.
    pub fn cause(&self, now: DateTime<Utc>) -> Cause<'_> {
        Cause {
            actor: &self.actor,
            request_id: &self.request_id,
            time: now,
        }
    }

    /// The value of the column `headers` of a dead letter.
    pub(crate) fn stored_headers(&self) -> Value {
        json!({
            "actor": self.actor,
            "request_id": self.request_id,
            "traceparent": self.traceparent,
            "time": self.time,
        })
    }
}
