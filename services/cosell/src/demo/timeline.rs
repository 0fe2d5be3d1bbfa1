//! The timeline that the demo prints.

use chrono::{DateTime, Local, Utc};
use cosell_types::Clock;

/// An event of the demo.
#[derive(Clone, Debug)]
pub struct TimelineEntry {
    /// The time of the event.
    pub time: DateTime<Utc>,
    /// The id of the acting member, or the name of another actor such as the mail server.
    pub actor: String,
    /// A description; may have several lines.
    pub event: String,
}

impl TimelineEntry {
    pub(super) fn new(actor: &str, event: impl Into<String>) -> Self {
        Self {
            time: Clock::system().now(),
            actor: actor.to_owned(),
            event: event.into(),
        }
    }
}

/// Prints time, actor and event. Indents further lines of the event.
#[expect(clippy::print_stdout, reason = "the demo's timeline")]
pub fn print_entry(entry: &TimelineEntry) {
    let time = entry.time.with_timezone(&Local).format("%H:%M:%S%.3f");
    let mut lines = entry.event.lines();
    println!("{time}  {:<24} {}", entry.actor, lines.next().unwrap_or_default());
    for line in lines {
        println!("{:38} {line}", "");
    }
}
