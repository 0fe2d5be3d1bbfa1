//! The detail message that all events of an aggregate share, for consumers that apply it regardless of the event type.

use prost::DecodeError;

/// The state of an aggregate after an event, regardless of the event type. Implemented by the type of every field
/// `detail` of an event.
pub trait EventDetail: Sized {
    /// Decodes the detail of an event; `None` if the type is not one of the aggregate's events.
    fn read(type_name: &str, payload: &[u8]) -> Option<Result<Self, DecodeError>>;
}
