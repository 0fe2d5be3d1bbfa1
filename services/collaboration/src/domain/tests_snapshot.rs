//! Covers the transitions of snapshot jobs (COL-041).

use chrono::TimeDelta;
use cosell_types::ClosedList as _;

use super::tests_invitation::{account, member, now, opportunity};
use super::values::{SnapshotJobState, SnapshotTemplate};
use super::{Rule, SnapshotJob, SnapshotSubject};

fn new_job() -> SnapshotJob {
    let subject = SnapshotSubject {
        account: account(0),
        engagement: "eng-a0000000000000".parse().expect("an id"),
        opportunity: opportunity(7),
        template: SnapshotTemplate::OpportunitySummary,
    };
    SnapshotJob::create(
        "job-0000000000000".parse().expect("an id"),
        subject,
        member("mem-sender"),
        now(),
    )
}

/// Applies every action in both states, and checks when a job is due.
#[test]
fn col_041_job_allows_only_listed_transitions_and_is_due_after_changes() {
    let running = new_job();
    let mut stopped = new_job();
    stopped.stop().expect("a stop");
    assert_eq!(
        (stopped.state(), stopped.due_time()),
        (SnapshotJobState::Stopped, None)
    );
    let later = now() + TimeDelta::hours(1);
    for (before, start, stop, delete) in [(&running, false, true, false), (&stopped, true, false, true)] {
        let state = before.state().name();
        let refused = |action| Err(Rule::IllegalTransition { state, action });
        let mut job = before.clone();
        let started = job.start(later);
        assert_eq!(started, if start { Ok(()) } else { refused("START") });
        assert_eq!(job.revision(), before.revision() + i64::from(start));
        let mut job = before.clone();
        assert_eq!(job.stop(), if stop { Ok(()) } else { refused("STOP") });
        assert_eq!(
            before.require_deletable(),
            if delete { Ok(()) } else { refused("DELETE") }
        );
    }
    stopped.request_run(later);
    assert_eq!(stopped.due_time(), None, "a stopped job must not be due");
    stopped.start(later).expect("a start");
    assert_eq!(
        stopped.due_time(),
        Some(later),
        "a started job must be due immediately"
    );
    // A change during a run makes the job due again.
    let mut job = running;
    let observed = job.requested_runs();
    job.request_run(later);
    job.run_succeeded(observed, later);
    assert_eq!(job.due_time(), Some(later));
    job.run_succeeded(job.requested_runs(), later);
    assert_eq!(
        (job.due_time(), job.last_success(), job.last_failure()),
        (None, Some(later), None)
    );
    job.request_run(later);
    job.run_failed("DEPENDENCY_UNAVAILABLE", later);
    assert!(job.due_time() > Some(later), "a failed run must be retried later");
    assert_eq!(job.last_failure(), Some("DEPENDENCY_UNAVAILABLE"));
}
