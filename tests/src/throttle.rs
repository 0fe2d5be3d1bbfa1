use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long the process runs out of each tenth of a second. With two worker threads that is a tenth of a processor.
const RUNS: Duration = Duration::from_millis(5);
const RESTS: Duration = Duration::from_millis(95);

/// Lets a process have about a tenth of a processor, by stopping it most of the time, until dropped.
pub struct Throttle {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Throttle {
    /// Begins.
    pub fn start(process: u32) -> Self {
        let (end, ended) = mpsc::channel();
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process id");
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

impl Drop for Throttle {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
