//! What several targets share.

use std::future::Future;

use cosell_types::{Caller, Member, Side, Violation};
use tokio::runtime::{Builder, Runtime};

/// The longest text of an error. Lists of allowed values are the longest part of it.
const MAX_TEXT: usize = 4096;

/// The time of all clocks, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

/// Runs a future on the runtime of this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Asserts that the text of an error has a limited length.
pub fn assert_bounded(text: &str) {
    assert!(text.len() <= MAX_TEXT, "a text of {} bytes", text.len());
}

/// Asserts that each violation has a code with a text of limited length.
pub fn assert_described(violations: &[Violation]) {
    for violation in violations {
        assert!(!violation.description.is_empty(), "{}", violation.field);
        assert_bounded(&violation.description);
        assert_bounded(&violation.field);
        assert_bounded(&violation.rejected);
    }
}

/// A member of a partner account.
pub fn member(id: &str) -> Caller {
    Caller::Member(Member {
        id: id.parse().expect("a member id"),
        account: "111111111111".parse().expect("an account id"),
        side: Side::Partner,
        roles: Vec::new(),
        sees_all_opportunities: false,
    })
}

/// The lines before the first empty line, and what follows it.
pub fn split_head(data: &[u8]) -> (Vec<&str>, &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let lines = head.split(|byte| *byte == b'\n');
    (
        lines.filter_map(|line| std::str::from_utf8(line).ok()).collect(),
        body,
    )
}
