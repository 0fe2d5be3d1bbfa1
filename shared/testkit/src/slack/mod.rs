//! A Slack that demands what the documentation of its Web API says, keeps what it is told, and can be told to fail;
//! and that calls back, with a signature.

mod callback;
mod methods;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use callback::{call_back, clicked, happened, post, signature};
use methods::State;

/// The user that the tokens belong to.
pub const BOT: &str = "U0BOT";
/// The token that is accepted from the start.
pub const TOKEN: &str = "xoxb-first";

/// What the next call of a method meets instead of its usual answer.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// `ok: false` with this code.
    Error(&'static str),
    /// HTTP 429 with so many seconds of `Retry-After`.
    RateLimited(u64),
    /// This HTTP status, with a page of some proxy.
    Status(u16),
    /// No answer at all.
    Hang,
    /// The call takes effect, and the connection breaks before the answer.
    LostAnswer,
    /// The call takes effect, and is answered after so many milliseconds.
    Late(u64),
}

/// A call that was received.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method, such as `conversations.create`.
    pub method: String,
    /// Its arguments; those of a form are strings.
    pub arguments: Map<String, Value>,
    /// When it came.
    pub at: Instant,
}

/// A channel as it is.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub creator: String,
    /// What it is for.
    pub purpose: String,
    /// Whether only members see it.
    pub is_private: bool,
    /// Whether it is ended.
    pub is_archived: bool,
    /// Who is in it.
    pub members: BTreeSet<String>,
    /// Its messages, oldest first: their times and what was posted.
    pub messages: Vec<(String, Map<String, Value>)>,
    /// Times of the messages that are pinned.
    pub pins: Vec<String>,
    /// Open invitations: their ids and addresses.
    pub invites: Vec<(String, String)>,
}

/// A running Slack. Stops when dropped.
pub struct Slack {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl Slack {
    /// Starts it on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening")?;
        let address = listener.local_addr()?;
        let mut state = State::default();
        state.tokens.push(TOKEN.to_owned());
        state.page = 100;
        let state = Arc::new(Mutex::new(state));
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// The address of the Web API.
    pub fn url(&self) -> String {
        format!("http://{}/api/", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Accepts these tokens and no others.
    pub fn accept_tokens(&self, tokens: &[&str]) {
        self.state().tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// Lists hold at most so many entries a page.
    pub fn page_size(&self, entries: usize) {
        self.state().page = entries;
    }

    /// The next calls of a method meet this trouble, one each, in this order.
    pub fn trouble(&self, method: &str, trouble: &[Trouble]) {
        let mut state = self.state();
        let queue = state.trouble.entry(method.to_owned()).or_default();
        queue.extend(trouble);
    }

    /// Adds a person, and returns the id.
    pub fn add_user(&self, email: Option<&str>, is_confirmed: bool) -> String {
        let mut state = self.state();
        let id = state.next("U");
        let email = email.map(str::to_owned);
        state.users.push((id.clone(), email, is_confirmed));
        id
    }

    /// Adds a person of the own workspace, and returns the id.
    pub fn add_colleague(&self, email: &str) -> String {
        let id = self.add_user(Some(email), true);
        self.state().colleagues.insert(id.clone());
        id
    }

    /// Adds a private channel that somebody else made and the bot is in.
    pub fn add_channel(&self, name: &str) -> String {
        let mut state = self.state();
        let id = state.next("C");
        state.channels.push(Channel {
            id: id.clone(),
            name: name.to_owned(),
            creator: "U0OTHER".to_owned(),
            is_private: true,
            members: BTreeSet::from([BOT.to_owned()]),
            ..Channel::default()
        });
        id
    }

    /// Lets a person into a channel.
    pub fn join(&self, channel: &str, user: &str) {
        let mut state = self.state();
        let found = state.channels.iter_mut().find(|one| one.id == channel);
        found
            .expect("a channel that exists")
            .members
            .insert(user.to_owned());
    }

    /// The channels there are.
    pub fn channels(&self) -> Vec<Channel> {
        self.state().channels.clone()
    }

    /// The calls of a method so far.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        let state = self.state();
        let calls = state.calls.iter().filter(|call| call.method == method);
        calls.cloned().collect()
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    // Ends all connections when it is dropped.
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        open.spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while open.try_join_next().is_some() {}
    }
}

type Answer = Result<Response<Full<Bytes>>, std::io::Error>;

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let Some(method) = head.uri.path().strip_prefix("/api/").map(str::to_owned) else {
        return plain(404, None);
    };
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let arguments = arguments(header(CONTENT_TYPE), &body);
    let (result, trouble) = {
        let mut state = lock(state);
        state.calls.push(Call {
            method: method.clone(),
            arguments: arguments.clone().unwrap_or_default(),
            at: Instant::now(),
        });
        let trouble = state.trouble.get_mut(&method).and_then(VecDeque::pop_front);
        let result = if head.method != Method::POST {
            Err("invalid_post_type")
        } else {
            match trouble {
                None | Some(Trouble::LostAnswer | Trouble::Late(_)) => arguments.and_then(|arguments| {
                    state.authorize(header(AUTHORIZATION))?;
                    state.act(&method, &arguments)
                }),
                Some(Trouble::Error(code)) => Err(code),
                Some(_) => Err("unused"),
            }
        };
        (result, trouble)
    };
    match trouble {
        Some(Trouble::RateLimited(seconds)) => return plain(429, Some(seconds)),
        Some(Trouble::Status(status)) => return plain(status, None),
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::LostAnswer) => return Err(std::io::Error::other("the answer is lost")),
        Some(Trouble::Late(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(Trouble::Error(_)) | None => {}
    }
    let mut body = result.unwrap_or_else(|code| json!({ "error": code }));
    body["ok"] = json!(body.get("error").is_none());
    let response = Response::builder()
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Full::from(body.to_string()));
    response.map_err(std::io::Error::other)
}

fn plain(status: u16, retry_after: Option<u64>) -> Answer {
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    response
        .body(Full::from("<html>no JSON here</html>"))
        .map_err(std::io::Error::other)
}

fn arguments(kind: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, &'static str> {
    let kind = kind.ok_or("missing_post_type")?;
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => Ok(form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect()),
        "application/json" => serde_json::from_slice(body).map_err(|_| "invalid_json"),
        _ => Err("invalid_post_type"),
    }
}
