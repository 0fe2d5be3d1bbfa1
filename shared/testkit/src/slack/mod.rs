//! A fake Slack server. It validates requests against the published definitions of Slack's Web API, stores channels and
//! messages, injects faults, and sends signed callbacks.

mod callback;
mod definitions;
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

pub use callback::{click_payload, event_payload, post, post_callback, signature};
pub use definitions::{COMMON_ERRORS, METHODS, MethodDefinition, SCOPES};
use methods::State;

/// The user id of the bot, to which the tokens belong.
pub const BOT: &str = "U0BOT";
/// The token that is accepted initially.
pub const TOKEN: &str = "xoxb-first";

/// A fault in place of the normal response to a call.
#[derive(Clone, Copy, Debug)]
pub enum InjectedFault {
    /// Responds `ok: false` with this error code.
    Error(&'static str),
    /// Responds HTTP 429 with this `Retry-After` in seconds.
    RateLimited(u64),
    /// Responds this HTTP status with an HTML page, as a proxy would.
    Status(u16),
    /// Never responds.
    Hang,
    /// The call takes effect, but the connection breaks before the response.
    LostAnswer,
    /// The call takes effect, and the response is delayed by this number of milliseconds.
    Late(u64),
}

/// A received call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method, such as `conversations.create`.
    pub method: String,
    /// The arguments; those of a form are strings.
    pub arguments: Map<String, Value>,
    /// When it was received.
    pub at: Instant,
}

/// The state of a channel.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// The channel id.
    pub id: String,
    /// The channel name.
    pub name: String,
    /// User id of the creator.
    pub creator: String,
    /// The purpose of the channel.
    pub purpose: String,
    /// Whether the channel is private.
    pub is_private: bool,
    /// Whether the channel is archived.
    pub is_archived: bool,
    /// User ids of the members.
    pub members: BTreeSet<String>,
    /// The messages, oldest first: timestamp and posted arguments.
    pub messages: Vec<(String, Map<String, Value>)>,
    /// Timestamps of the pinned messages.
    pub pins: Vec<String>,
    /// Pending invitations: id and e-mail address.
    pub invites: Vec<(String, String)>,
}

/// A running fake Slack server. Stops when dropped.
pub struct Slack {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl Slack {
    /// Starts the server on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("binding the fake Slack server")?;
        let address = listener.local_addr()?;
        let mut state = State::default();
        state.tokens.push(TOKEN.to_owned());
        state.scopes = SCOPES.map(str::to_owned).to_vec();
        state.page_size = 100;
        let state = Arc::new(Mutex::new(state));
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// The URL of the Web API.
    pub fn url(&self) -> String {
        format!("http://{}/api/", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Sets the accepted tokens.
    pub fn accept_tokens(&self, tokens: &[&str]) {
        self.state().tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// Sets the scopes of the accepted tokens, initially [`SCOPES`].
    pub fn grant_scopes(&self, scopes: &[&str]) {
        self.state().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Sets the maximum number of entries per page of lists.
    pub fn page_size(&self, entries: usize) {
        self.state().page_size = entries;
    }

    /// Injects faults into the next calls of a method: one per call, in this order.
    pub fn inject_faults(&self, method: &str, faults: &[InjectedFault]) {
        let mut state = self.state();
        let queue = state.faults.entry(method.to_owned()).or_default();
        queue.extend(faults);
    }

    /// Adds a user of another workspace; returns the user id.
    pub fn add_user(&self, email: Option<&str>, is_confirmed: bool) -> String {
        let mut state = self.state();
        let id = state.next_id("U");
        let email = email.map(str::to_owned);
        state.users.push((id.clone(), email, is_confirmed));
        id
    }

    /// Adds a user of the bot's own workspace; returns the user id.
    pub fn add_colleague(&self, email: &str) -> String {
        let id = self.add_user(Some(email), true);
        self.state().colleagues.insert(id.clone());
        id
    }

    /// Adds a private channel that another user created and of which the bot is a member; returns the channel id.
    pub fn add_channel(&self, name: &str) -> String {
        let mut state = self.state();
        let id = state.next_id("C");
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

    /// Adds a user to a channel.
    pub fn join(&self, channel: &str, user: &str) {
        let mut state = self.state();
        let mut channels = state.channels.iter_mut();
        channels
            .find(|candidate| candidate.id == channel)
            .expect("an existing channel")
            .members
            .insert(user.to_owned());
    }

    /// The current channels.
    pub fn channels(&self) -> Vec<Channel> {
        self.state().channels.clone()
    }

    /// The calls of a method received so far.
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
    // Aborts all connections when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| respond(request, &state));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

type HttpResult = Result<Response<Full<Bytes>>, std::io::Error>;

async fn respond(request: Request<Incoming>, state: &Mutex<State>) -> HttpResult {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let Some(method) = head.uri.path().strip_prefix("/api/").map(str::to_owned) else {
        return html_page(404, None);
    };
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let arguments = arguments(header(CONTENT_TYPE), &body);
    let (result, fault) = {
        let mut state = lock(state);
        state.calls.push(Call {
            method: method.clone(),
            arguments: arguments.clone().unwrap_or_default(),
            at: Instant::now(),
        });
        let fault = state.faults.get_mut(&method).and_then(VecDeque::pop_front);
        let result = if head.method != Method::POST {
            Err("invalid_post_type")
        } else {
            match fault {
                None | Some(InjectedFault::LostAnswer | InjectedFault::Late(_)) => {
                    arguments.and_then(|arguments| {
                        state.authorize(header(AUTHORIZATION))?;
                        state.call(&method, is_json(header(CONTENT_TYPE)), &arguments)
                    })
                }
                Some(InjectedFault::Error(code)) => Err(code),
                Some(_) => Err("unused"),
            }
        };
        (result, fault)
    };
    match fault {
        Some(InjectedFault::RateLimited(seconds)) => return html_page(429, Some(seconds)),
        Some(InjectedFault::Status(status)) => return html_page(status, None),
        Some(InjectedFault::Hang) => std::future::pending().await,
        Some(InjectedFault::LostAnswer) => {
            return Err(std::io::Error::other("injected fault: response lost"));
        }
        Some(InjectedFault::Late(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(InjectedFault::Error(_)) | None => {}
    }
    let mut body = result.unwrap_or_else(|code| json!({ "error": code }));
    body["ok"] = json!(body.get("error").is_none());
    let response = Response::builder()
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Full::from(body.to_string()));
    response.map_err(std::io::Error::other)
}

fn is_json(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

fn html_page(status: u16, retry_after: Option<u64>) -> HttpResult {
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
