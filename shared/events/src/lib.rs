//! Publishing and consuming events, with the guarantees of docs/EVENTS.md (PLT-009) under any crash: no event is lost,
//! none takes effect twice, and the events of each aggregate are applied in order.
//!
//! Publishing: [`append`] writes an event to the outbox in the transaction of the change; the [`Relay`] publishes it.
//! Consuming: a [`Consumer`] passes events to a [`Handler`], whose effects commit in one transaction with the position of
//! the consumer.

mod apply;
mod bus;
mod consumer;
mod delivery;
mod event;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod handler;
mod outbox;
mod pending;
mod redrive;
mod relay;
mod republish;
mod sabotage;
mod sweep;

pub use bus::{Bus, BusArgs};
pub use consumer::Consumer;
pub use delivery::Delivery;
pub use event::{AggregateRef, Cause, Event};
pub use handler::{Handler, HandlerError};
pub use outbox::{Lane, append, append_all};
pub use redrive::redrive;
pub use relay::Relay;
pub use republish::{JournalRange, republish};
pub use sabotage::Sabotage;
pub use sweep::sweep;
