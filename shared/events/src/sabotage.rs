//! Faults built in on purpose. Tests run the event path with each of them and must see it fail; a build without the
//! feature `sabotage` has none of them, whatever value is passed.

/// A fault to build in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// The relay follows the journal's sequence instead of asking what is pending.
    SequenceCursor,
    /// Relays share the work with SKIP LOCKED instead of holding a lease, in no particular order.
    SkipLocked,
    /// The consumer acknowledges before the effect is committed.
    AckFirst,
    /// The consumer applies whatever comes, in whatever order and however often.
    NoGuard,
}

impl Sabotage {
    pub(crate) fn is(self, other: Sabotage) -> bool {
        cfg!(feature = "sabotage") && self == other
    }
}

/// A place where a test can make the process stop dead.
pub(crate) fn crash_point(_name: &'static str) {
    #[cfg(feature = "sabotage")]
    fail::fail_point!(_name, |_| std::process::abort());
}

/// The same for one of several that come to the place, as `name/whose`.
pub(crate) fn crash_point_of(_name: &'static str, _whose: &str) {
    crash_point(_name);
    #[cfg(feature = "sabotage")]
    fail::fail_point!(&format!("{_name}/{_whose}"), |_| std::process::abort());
}
