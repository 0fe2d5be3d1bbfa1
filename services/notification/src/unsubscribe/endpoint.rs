//! The HTTP routes behind the links. GET only shows a page with a button, because scanners of e-mails follow links;
//! POST, which the button and mail programs send, opts out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use cosell_grpc::Failure;
use http::{HeaderMap, StatusCode};

use super::form::is_one_click;
use super::opt_out::OptOuts;
use super::page::UnsubscribePage;
use super::{UnsubscribeLinks, UnsubscribeTarget};

/// The maximum size of a request's body, in bytes.
const MAX_BODY: usize = 1024;
/// How long a request waits for the database; less than the maximum duration of a connection.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The HTTP endpoint for links.
#[derive(Clone)]
pub struct UnsubscribeEndpoint {
    /// The links whose tokens are accepted.
    pub links: UnsubscribeLinks,
    /// Applies confirmed opt-outs.
    pub opt_outs: OptOuts,
}

type Token = Result<Path<String>, PathRejection>;

impl UnsubscribeEndpoint {
    /// The routes, which must be public under the base URL of the links.
    pub fn router(self) -> Router {
        let route = get(confirm).post(opt_out).fallback(refuse_method);
        Router::new()
            .route("/unsubscribe/{token}", route)
            .fallback(show_not_found)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::new(self))
    }

    /// The target of the token. The error is the page to show.
    async fn target(&self, token: Token) -> Result<UnsubscribeTarget, UnsubscribePage> {
        let Ok(Path(token)) = token else {
            return Err(UnsubscribePage::NotFound);
        };
        let target = self.links.verify(&token).await.map_err(|error| {
            let error = format!("{error:#}");
            tracing::error!(error, "unsubscribe link could not be verified");
            UnsubscribePage::Unavailable
        })?;
        target.ok_or(UnsubscribePage::NotFound)
    }
}

async fn confirm(State(endpoint): State<Arc<UnsubscribeEndpoint>>, token: Token) -> Response {
    let page = match endpoint.target(token).await {
        Ok(target) => {
            let check = async move { endpoint.opt_outs.is_valid(&target).await };
            run(check, UnsubscribePage::Confirm).await
        }
        Err(page) => page,
    };
    page.response()
}

async fn opt_out(
    State(endpoint): State<Arc<UnsubscribeEndpoint>>,
    token: Token,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let page = match (endpoint.target(token).await, body) {
        (Err(page), _) => page,
        (Ok(_), Err(rejection)) => UnsubscribePage::InvalidBody(rejection.status()),
        (Ok(_), Ok(body)) if !is_one_click(&headers, &body) => {
            UnsubscribePage::InvalidBody(StatusCode::BAD_REQUEST)
        }
        (Ok(target), Ok(_)) => {
            let apply = async move { endpoint.opt_outs.apply(&target).await };
            run(apply, UnsubscribePage::Done).await
        }
    };
    page.response()
}

/// Runs the action of a link, and returns `page` if its member is active.
async fn run(
    action: impl Future<Output = Result<bool, Failure>> + Send + 'static,
    page: UnsubscribePage,
) -> UnsubscribePage {
    // A separate task, because a closed connection must not interrupt the action.
    let reason = match tokio::time::timeout(TIMEOUT, tokio::spawn(action)).await {
        Ok(Ok(Ok(true))) => return page,
        Ok(Ok(Ok(false))) => return UnsubscribePage::NotFound,
        Ok(Ok(Err(failure))) => failure.to_string(),
        Ok(Err(_)) => "panicked".to_owned(),
        Err(_) => "timed out".to_owned(),
    };
    tracing::warn!(reason, "action of unsubscribe link failed");
    UnsubscribePage::Unavailable
}

async fn refuse_method() -> Response {
    UnsubscribePage::MethodNotAllowed.response()
}

async fn show_not_found() -> Response {
    UnsubscribePage::NotFound.response()
}
