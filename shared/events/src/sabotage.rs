//! Fault injection. Tests run the event path with each fault and must detect it. Without the feature `sabotage`, no
//! fault has an effect.

/// A fault to inject into the event path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// No fault.
    #[default]
    None,
    /// The relay follows the sequence of the journal instead of reading the pending events.
    SequenceCursor,
    /// Relays share the pending events with SKIP LOCKED instead of leases, in no particular order.
    SkipLocked,
    /// The consumer acknowledges before the effect is committed.
    AckFirst,
    /// The consumer applies every delivery, in any order and repeatedly.
    NoGuard,
}

impl Sabotage {
    pub(crate) fn is(self, other: Sabotage) -> bool {
        cfg!(feature = "sabotage") && self == other
    }
}

/// A point at which a test can abort the process.
pub(crate) fn crash_point(_name: &'static str) {
    #[cfg(feature = "sabotage")]
    fail::fail_point!(_name, |_| std::process::abort());
}

/// A crash point that several tasks pass; `<name>/<task>` selects one of them.
pub(crate) fn crash_point_of(_name: &'static str, _task: &str) {
    crash_point(_name);
    #[cfg(feature = "sabotage")]
    fail::fail_point!(&format!("{_name}/{_task}"), |_| std::process::abort());
}
