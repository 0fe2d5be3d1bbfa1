//! Loads of benchmarks and drills: calls in turn, and calls at a fixed rate, whether earlier ones are answered or not.
//!
//! The client encodes and decodes as little as possible, because it shares the processors with the services.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use h2::client::SendRequest;
use http::Request;
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tonic::{Code, Status};

use crate::{ServiceProcess, report};

/// The deadline of a call, after which its answer is of no use.
const DEADLINE: Duration = Duration::from_secs(1);
/// Calls that wait for their answer at most; further ones are not sent.
const MAX_WAITING: usize = 4_000;

const LOWEST_PRIORITY: i32 = 19;

/// Parts of a phase.
const PARTS: usize = 5;
/// The address for calls.
pub fn address(services: &ServiceProcess) -> anyhow::Result<SocketAddr> {
    Ok(services.info.address.trim_start_matches("http://").parse()?)
}

/// The `authorization` header of a member.
pub fn authorization(services: &ServiceProcess, member: &str) -> anyhow::Result<String> {
    let token = std::fs::read_to_string(services.info.tokens.join(member))?;
    Ok(format!("Bearer {}", token.trim()))
}

/// What a member calls.
#[derive(Clone)]
pub struct Target {
    server: SocketAddr,
    authorization: String,
    uri: String,
    message: Arc<dyn Fn(usize) -> Bytes + Send + Sync>,
}

/// The connections of a member.
#[derive(Clone)]
pub struct Caller {
    connections: Vec<SendRequest<Bytes>>,
    target: Target,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// OK, with a message.
    Answered,
    /// RESOURCE_EXHAUSTED.
    Refused,
    /// Another status; `None` if there is none, or not in time.
    Failed(Option<Code>),
}

/// The calls of a phase.
#[derive(Default)]
pub struct Calls {
    /// Durations of answered calls, in the order of their answers.
    pub answered: Vec<Duration>,
    /// Calls that a limit refused.
    pub refused: usize,
    /// The statuses of calls that failed for another reason.
    pub failed: Vec<Option<Code>>,
    /// Calls that were not sent because too many waited.
    pub unsent: usize,
}

impl Calls {
    fn add(&mut self, (outcome, time): (Outcome, Duration)) {
        match outcome {
            Outcome::Answered => self.answered.push(time),
            Outcome::Refused => self.refused += 1,
            Outcome::Failed(code) => self.failed.push(code),
        }
    }

    /// The number of calls that were answered or refused.
    pub fn responses(&self) -> usize {
        self.answered.len() + self.refused
    }

    /// The 99th percentile of the durations of answered calls, in ms.
    pub fn whole_p99(&self) -> f64 {
        report::to_ms(report::percentile(&mut self.answered.clone(), 99))
    }

    /// The 99th percentile of the durations of answered calls, in ms: the median of those of five successive parts, so
    /// that what disturbs the machine for a moment counts once.
    pub fn p99(&self) -> f64 {
        let size = self.answered.len().div_ceil(PARTS).max(1);
        let parts = self.answered.chunks(size);
        let mut highs: Vec<_> = parts
            .map(|part| report::to_ms(report::percentile(&mut part.to_vec(), 99)))
            .collect();
        highs.sort_by(f64::total_cmp);
        highs.get(highs.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Adds the calls of a later phase.
    pub fn append(&mut self, mut other: Calls) {
        self.answered.append(&mut other.answered);
        self.refused += other.refused;
        self.failed.append(&mut other.failed);
        self.unsent += other.unsent;
    }
}

impl Target {
    /// Calls of an RPC, `<package>.<service>/<method>`, with the message of each number.
    pub fn new<M: Message>(
        services: &ServiceProcess,
        member: &str,
        rpc: &str,
        message: impl Fn(usize) -> M + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            server: address(services)?,
            authorization: authorization(services, member)?,
            uri: format!("http://cosell/{rpc}"),
            message: Arc::new(move |number| frame(&message(number))),
        })
    }

    /// Opens this many connections.
    pub async fn connect(&self, connections: usize) -> anyhow::Result<Caller> {
        let mut requests = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(self.server).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = h2::client::handshake(stream).await?;
            tokio::spawn(connection);
            requests.push(sender);
        }
        Ok(Caller {
            connections: requests,
            target: self.clone(),
        })
    }
}

/// An uncompressed message with its prefix.
fn frame(message: &impl Message) -> Bytes {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], length.to_be_bytes().as_slice(), &message].concat().into()
}

impl Caller {
    /// Makes one call.
    pub async fn call(&self, number: usize) -> (Outcome, Duration) {
        let started = Instant::now();
        let outcome = match timeout(DEADLINE, self.send(number)).await {
            Ok(Ok(Code::Ok)) => Outcome::Answered,
            Ok(Ok(Code::ResourceExhausted)) => Outcome::Refused,
            Ok(Ok(code)) => Outcome::Failed(Some(code)),
            Ok(Err(_)) | Err(_) => Outcome::Failed(None),
        };
        (outcome, started.elapsed())
    }

    async fn send(&self, number: usize) -> anyhow::Result<Code> {
        let request = Request::post(&self.target.uri)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", "1S")
            .header("authorization", &self.target.authorization)
            .body(())?;
        let sender = &self.connections[number % self.connections.len()];
        let (response, mut body) = sender.clone().ready().await?.send_request(request, false)?;
        body.send_data((self.target.message)(number), true)?;
        let response = response.await?;
        if let Some(status) = Status::from_header_map(response.headers()) {
            return Ok(status.code());
        }
        let mut body = response.into_body();
        while let Some(data) = body.data().await {
            body.flow_control().release_capacity(data?.len())?;
        }
        let trailers = body.trailers().await?.context("no trailers")?;
        Ok(Status::from_header_map(&trailers).map_or(Code::Unknown, |status| status.code()))
    }
}

/// Calls `per_second` times a second for `time`, the callers in turns.
pub async fn call_at_rate(callers: &[Caller], per_second: f64, time: Duration) -> Calls {
    let mut calls = Calls::default();
    let mut waiting = FuturesUnordered::new();
    // Several calls a tick: timers have a resolution of a millisecond.
    let mut ticks = interval(Duration::from_millis(2));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let started = Instant::now();
    let mut sent = 0_usize;
    loop {
        tokio::select! {
            Some(ended) = waiting.next() => calls.add(ended),
            _ = ticks.tick() => {
                let elapsed = started.elapsed();
                if elapsed >= time {
                    break;
                }
                while (sent as f64) < elapsed.as_secs_f64() * per_second {
                    if waiting.len() < MAX_WAITING {
                        let caller = callers[sent % callers.len()].clone();
                        let number = sent / callers.len();
                        waiting.push(async move { caller.call(number).await });
                    } else {
                        calls.unsent += 1;
                    }
                    sent += 1;
                }
            }
        }
    }
    while let Some(ended) = waiting.next().await {
        calls.add(ended);
    }
    calls
}

/// Calls like [`call_at_rate`], on a thread of the lowest priority: a client on another machine would take no processor
/// time from the services.
pub async fn call_at_low_priority(
    target: &Target,
    connections: usize,
    per_second: f64,
    time: Duration,
) -> anyhow::Result<Calls> {
    let target = target.clone();
    let (ended, calls) = oneshot::channel();
    std::thread::spawn(move || {
        let calling = || {
            rustix::process::nice(LOWEST_PRIORITY)?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let caller = target.connect(connections).await?;
                anyhow::Ok(call_at_rate(&[caller], per_second, time).await)
            })
        };
        let _ = ended.send(calling());
    });
    calls.await?
}

/// Calls with this many callers at a time for `time`, each after the answer to its last call.
pub async fn call_in_turn(callers: &[Caller], concurrency: usize, time: Duration) -> Calls {
    let started = Instant::now();
    let each = (0..concurrency).map(|index| {
        let caller = callers[index % callers.len()].clone();
        async move {
            let mut calls = Calls::default();
            let mut number = index;
            while started.elapsed() < time {
                calls.add(caller.call(number).await);
                number += 1;
            }
            calls
        }
    });
    let mut all = Calls::default();
    for calls in futures::future::join_all(each).await {
        all.append(calls);
    }
    all
}
