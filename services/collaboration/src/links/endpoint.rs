//! The HTTP routes behind the links. GET only shows a page with a button, because scanners of e-mails follow links;
//! POST, which the button sends, acts.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use cosell_grpc::Failure;
use cosell_types::Clock;
use futures::future::BoxFuture;

use super::page::LinkPage;
use super::{ChannelLinks, LinkAction, LinkError, LinkTarget};

/// The maximum size of a request's body, in bytes: the form has no fields.
const MAX_BODY: usize = 4096;
/// How long a request waits for the action; less than the maximum duration of a connection.
const ACTION_TIMEOUT: Duration = Duration::from_secs(8);

/// The result of a confirmed action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// It is done, now or before.
    Done,
    /// The channel to leave is closed.
    ChannelClosed,
    /// The channel does not exist, or the member was never selected for it.
    NotFound,
}

/// Applies a confirmed action. Must be idempotent.
pub type LinkReceiver =
    Arc<dyn Fn(LinkAction, LinkTarget) -> BoxFuture<'static, Result<LinkOutcome, Failure>> + Send + Sync>;

/// The HTTP endpoint for links.
#[derive(Clone)]
pub struct LinkEndpoint {
    links: ChannelLinks,
    clock: Clock,
    receiver: LinkReceiver,
}

/// An action of this endpoint, as the state of its routes.
type Route = (Arc<LinkEndpoint>, LinkAction);
type Token = Result<Path<String>, PathRejection>;

impl LinkEndpoint {
    /// An endpoint that accepts tokens of these links.
    pub fn new(links: ChannelLinks, clock: Clock, receiver: LinkReceiver) -> Self {
        Self {
            links,
            clock,
            receiver,
        }
    }

    /// The routes, which must be public under the base URL of the links.
    pub fn router(self) -> Router {
        let endpoint = Arc::new(self);
        let mut router = Router::new();
        for action in [LinkAction::Leave, LinkAction::OptOut] {
            let route = get(confirm)
                .post(perform)
                .fallback(refuse_method)
                .with_state((endpoint.clone(), action));
            router = router.route(&format!("/channel-links/{}/{{token}}", action.name()), route);
        }
        router.layer(DefaultBodyLimit::max(MAX_BODY))
    }

    /// The target of the token. The error is the page to show.
    async fn target(&self, action: LinkAction, token: Token) -> Result<LinkTarget, LinkPage> {
        let Ok(Path(token)) = token else {
            return Err(LinkPage::Invalid);
        };
        let verified = self.links.verify(action, &token, self.clock.now()).await;
        let target = verified.map_err(|error| {
            let error = format!("{error:#}");
            tracing::error!(error, "channel link could not be verified");
            LinkPage::Unavailable
        })?;
        target.map_err(|error| match error {
            LinkError::Invalid => LinkPage::Invalid,
            LinkError::Expired => LinkPage::Expired,
        })
    }

    async fn act(&self, action: LinkAction, target: LinkTarget) -> LinkPage {
        // A separate task, because a closed connection must not interrupt the action.
        let task = tokio::spawn((self.receiver)(action, target));
        let reason = match tokio::time::timeout(ACTION_TIMEOUT, task).await {
            Ok(Ok(Ok(LinkOutcome::Done))) => return LinkPage::Done(action),
            Ok(Ok(Ok(LinkOutcome::ChannelClosed))) => return LinkPage::ChannelClosed,
            Ok(Ok(Ok(LinkOutcome::NotFound))) => return LinkPage::Invalid,
            Ok(Ok(Err(failure))) => failure.to_string(),
            Ok(Err(_)) => "panicked".to_owned(),
            Err(_) => "timed out".to_owned(),
        };
        tracing::warn!(reason, "action of channel link failed");
        LinkPage::Unavailable
    }
}

/// Verifies the token only: whether its channel exists is not looked up before the confirmation.
async fn confirm(State((endpoint, action)): State<Route>, token: Token) -> Response {
    match endpoint.target(action, token).await {
        Ok(_) => LinkPage::Confirm(action).response(),
        Err(page) => page.response(),
    }
}

async fn perform(
    State((endpoint, action)): State<Route>,
    token: Token,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Err(rejection) = body {
        return LinkPage::InvalidBody(rejection.status()).response();
    }
    match endpoint.target(action, token).await {
        Ok(target) => endpoint.act(action, target).await.response(),
        Err(page) => page.response(),
    }
}

async fn refuse_method() -> Response {
    LinkPage::MethodNotAllowed.response()
}
