//! Limits one process to about a tenth of one processor by stopping it (SIGSTOP) most of the time.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How long the process runs and rests in each cycle of a tenth of a second.
const RUNS: Duration = Duration::from_millis(10);
const RESTS: Duration = Duration::from_millis(90);

/// Limits a process to about a tenth of a processor until dropped.
pub struct Throttle {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Throttle {
    /// Starts throttling a process.
    pub fn start(process: u32) -> Self {
        let (end, ended) = mpsc::channel();
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process id");
        pin(process);
        let thread = thread::spawn(move || {
            let mut is_running = true;
            loop {
                let (signal, pause) = if is_running {
                    (Signal::STOP, RESTS)
                } else {
                    (Signal::CONT, RUNS)
                };
                if kill_process(pid, signal).is_err() {
                    return;
                }
                is_running = !is_running;
                if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    let _ = kill_process(pid, Signal::CONT);
                    return;
                }
            }
        });
        Self {
            end: Some(end),
            thread: Some(thread),
        }
    }
}

/// Pins all threads of a process to one processor; threads that they start later inherit the affinity.
fn pin(process: u32) {
    let usable = sched_getaffinity(None).expect("the usable processors");
    let first = (0..CpuSet::MAX_CPU).find(|cpu| usable.is_set(*cpu));
    let mut one = CpuSet::new();
    one.set(first.expect("a processor"));
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    for thread in threads.flatten() {
        let id = thread.file_name().to_str().and_then(|name| name.parse().ok());
        // Fails for a thread that has ended meanwhile, which does no harm.
        let _ = sched_setaffinity(id.and_then(Pid::from_raw), &one);
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
