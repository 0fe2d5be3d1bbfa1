//! What happens, line by line.

use chrono::{DateTime, Local, Utc};
use cosell_types::Clock;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Line {
    /// When.
    pub time: DateTime<Utc>,
    /// Who did it.
    pub who: String,
    /// What, and to what.
    pub what: String,
}

impl Line {
    pub(super) fn new(who: &str, what: impl Into<String>) -> Self {
        Self {
            time: Clock::system().now(),
            who: who.to_owned(),
            what: what.into(),
        }
    }
}

/// Prints a line: time, who, what. Further lines of `what` are set in.
#[expect(clippy::print_stdout, reason = "the demonstration's timeline")]
pub fn print(line: &Line) {
    let time = line.time.with_timezone(&Local).format("%H:%M:%S%.3f");
    let mut rows = line.what.lines();
    println!("{time}  {:<24} {}", line.who, rows.next().unwrap_or_default());
    for row in rows {
        println!("{:38} {row}", "");
    }
}
