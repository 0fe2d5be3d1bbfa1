//! Events out and in, with the guarantees of docs/EVENTS.md (PLT-009): none lost, none applied twice, those of each
//! aggregate in order, whatever crashes.
//!
//! Out: [`append`] writes an event in the transaction of the change; the [`Relay`] publishes it. In: a [`Consumer`]
//! hands each event to a [`Handler`], whose effect commits together with the proof that it happened.

mod bus;
mod consumer;
mod delivery;
mod event;
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
pub use event::{About, Cause, Event};
pub use handler::{Fault, Handler};
pub use outbox::{Lane, append, append_all};
pub use redrive::redrive;
pub use relay::Relay;
pub use republish::{Range, republish};
pub use sabotage::Sabotage;
pub use sweep::sweep;
