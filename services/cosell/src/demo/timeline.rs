//! The timeline of the demo.

use std::fmt;

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

/// Time, actor and event. Further lines of the event are indented.
impl fmt::Display for TimelineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.with_timezone(&Local).format("%H:%M:%S%.3f");
        let mut lines = self.event.lines();
        write!(
            f,
            "{time}  {:<24} {}",
            self.actor,
            lines.next().unwrap_or_default()
        )?;
        for line in lines {
            write!(f, "\n{:38} {line}", "")?;
        }
        Ok(())
    }
}
