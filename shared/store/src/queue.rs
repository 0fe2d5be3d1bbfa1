//! The queue before a connection pool (PLT-015).
//!
//! The order of arrival would let an account with a hundred waiting calls delay the one call of another. Here the
//! classes of callers take turns, and among partners their accounts: each turn serves the longest waiting call. A
//! connection never stays free while anybody waits, so that an account alone gets them all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cosell_types::CallerClass;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Portions of the partners, of AWS and of the services while all of them wait: turns of each in one round.
const TURNS: [u32; 3] = [2, 1, 1];

/// Grants permits, as many at a time as the pool has connections.
#[derive(Clone)]
pub(crate) struct FairQueue(Arc<Mutex<State>>);

struct State {
    free: usize,
    last_granted: Instant,
    queues: [ClassQueue; 3],
    /// The queue that is served next, and how many turns of the round it still has.
    next: (usize, u32),
    last_id: u64,
}

/// The waiting callers of a portion.
#[derive(Default)]
struct ClassQueue {
    /// The classes that wait, in the order of their turns.
    order: VecDeque<CallerClass>,
    waiting: HashMap<CallerClass, VecDeque<Waiting>>,
}

struct Waiting {
    id: u64,
    granted: oneshot::Sender<Permit>,
}

/// The right to use one connection. Dropping it serves the next caller.
pub(crate) struct Permit(FairQueue);

impl FairQueue {
    pub(crate) fn new(connections: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: connections,
            last_granted: Instant::now(),
            queues: Default::default(),
            next: (0, TURNS[0]),
            last_id: 0,
        })))
    }

    /// Waits for a permit. A caller that stops waiting leaves the queue.
    pub(crate) async fn acquire(&self, class: &CallerClass) -> Permit {
        let (id, granted) = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                state.last_granted = Instant::now();
                return Permit(self.clone());
            }
            state.enter(class)
        };
        let _entry = QueueEntry {
            queue: self,
            class,
            id,
        };
        granted
            .await
            .expect("a waiting caller is in the queue until it has its turn")
    }

    /// Whether a permit was granted within this time. If none was, the connections are stuck.
    pub(crate) fn has_moved_within(&self, time: Duration) -> bool {
        self.lock().last_granted.elapsed() < time
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of a waiting caller in the queue. Dropped before its turn, the caller leaves the queue.
struct QueueEntry<'a> {
    queue: &'a FairQueue,
    class: &'a CallerClass,
    id: u64,
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        self.queue.lock().leave(self.class, self.id);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        match state.next() {
            Some(waiting) => {
                state.last_granted = Instant::now();
                // A caller that leaves just now drops the permit that it receives here, which serves the next one.
                let permit = Permit(self.0.clone());
                drop(state);
                drop(waiting.granted.send(permit));
            }
            None => state.free += 1,
        }
    }
}

impl State {
    fn enter(&mut self, class: &CallerClass) -> (u64, oneshot::Receiver<Permit>) {
        let (granted, receiver) = oneshot::channel();
        self.last_id += 1;
        let queue = &mut self.queues[index_of(class)];
        let waiting = queue.waiting.entry(class.clone()).or_default();
        if waiting.is_empty() {
            queue.order.push_back(class.clone());
        }
        waiting.push_back(Waiting {
            id: self.last_id,
            granted,
        });
        (self.last_id, receiver)
    }

    fn leave(&mut self, class: &CallerClass, id: u64) {
        let queue = &mut self.queues[index_of(class)];
        let Some(waiting) = queue.waiting.get_mut(class) else {
            return;
        };
        waiting.retain(|caller| caller.id != id);
        if waiting.is_empty() {
            queue.waiting.remove(class);
            queue.order.retain(|other| other != class);
        }
    }

    /// Takes the caller whose turn it is out of the queue.
    fn next(&mut self) -> Option<Waiting> {
        // One more than there are queues: the first may have used up its turns of this round.
        for _ in 0..=self.queues.len() {
            let (queue, turns) = self.next;
            if turns > 0
                && let Some(waiting) = self.queues[queue].next()
            {
                self.next = (queue, turns - 1);
                return Some(waiting);
            }
            let following = (queue + 1) % self.queues.len();
            self.next = (following, TURNS[following]);
        }
        None
    }
}

impl ClassQueue {
    fn next(&mut self) -> Option<Waiting> {
        let class = self.order.pop_front()?;
        let waiting = self.waiting.get_mut(&class)?;
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&class);
        } else {
            self.order.push_back(class);
        }
        first
    }
}

fn index_of(class: &CallerClass) -> usize {
    match class {
        CallerClass::Partner(_) => 0,
        CallerClass::Aws => 1,
        CallerClass::Service => 2,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    fn partner(number: u32) -> CallerClass {
        CallerClass::Partner(format!("{number:012}").parse().expect("an account"))
    }

    /// Callers that wait for one connection, in the order of their arrival.
    struct Callers {
        queue: FairQueue,
        held: Option<Permit>,
        waiting: Vec<(String, BoxFuture<'static, Permit>)>,
    }

    impl Callers {
        fn new() -> Self {
            let queue = FairQueue::new(1);
            let held = queue.acquire(&partner(9)).now_or_never();
            assert!(held.is_some(), "a free connection needs no waiting");
            Self {
                queue,
                held,
                waiting: Vec::new(),
            }
        }

        fn arrive(&mut self, name: impl Into<String>, class: CallerClass) {
            let queue = self.queue.clone();
            let mut turn = async move { queue.acquire(&class).await }.boxed();
            assert!(
                (&mut turn).now_or_never().is_none(),
                "the only connection is in use"
            );
            self.waiting.push((name.into(), turn));
        }

        /// Serves all callers, one at a time. Returns the order.
        fn serve(mut self) -> String {
            let mut order = Vec::new();
            while !self.waiting.is_empty() {
                drop(self.held.take());
                let index = self.waiting.iter_mut().position(|(_, turn)| {
                    let turn = turn.now_or_never();
                    let has_turn = turn.is_some();
                    self.held = turn.or(self.held.take());
                    has_turn
                });
                order.push(self.waiting.remove(index.expect("a caller has its turn")).0);
            }
            drop(self.held.take());
            assert!(self.queue.acquire(&partner(9)).now_or_never().is_some());
            order.join(" ")
        }
    }

    #[test]
    fn plt_015_accounts_take_turns_however_many_calls_wait() {
        let mut callers = Callers::new();
        for number in 0..5 {
            callers.arrive(format!("a{number}"), partner(1));
        }
        callers.arrive("b0", partner(2));
        callers.arrive("c0", partner(3));
        callers.arrive("b1", partner(2));
        assert_eq!(callers.serve(), "a0 b0 c0 a1 b1 a2 a3 a4");
    }

    #[test]
    fn plt_015_aws_and_services_have_their_portions() {
        let mut callers = Callers::new();
        for number in 0..12 {
            callers.arrive(format!("p{number}"), partner(number));
        }
        for number in 0..3 {
            callers.arrive(format!("aws{number}"), CallerClass::Aws);
            callers.arrive(format!("service{number}"), CallerClass::Service);
        }
        assert_eq!(
            callers.serve(),
            "p0 p1 aws0 service0 p2 p3 aws1 service1 p4 p5 aws2 service2 p6 p7 p8 p9 p10 p11"
        );
    }

    #[test]
    fn plt_015_caller_that_stops_waiting_loses_no_turn_of_others() {
        let mut callers = Callers::new();
        for name in ["a0", "a1", "a2"] {
            callers.arrive(name, partner(1));
        }
        callers.arrive("b0", partner(2));
        // One leaves while it waits, one when it has just got its turn.
        drop(callers.waiting.remove(1));
        drop(callers.held.take());
        drop(callers.waiting.remove(0));
        assert_eq!(callers.queue.lock().queues[0].waiting.len(), 1, "b0 has its turn");
        let order = {
            callers.held = None;
            callers.serve()
        };
        assert_eq!(order, "b0 a2");
    }
}
