//! Callbacks of Slack.

use std::net::SocketAddr;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The signature of a callback, computed as Slack does.
pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{timestamp}:{body}").as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={digits}")
}

/// The body of an interaction callback: a user clicks a button of a message.
pub fn click_payload(action: &str, channel: &str, user: &str) -> String {
    let payload = json!({
        "type": "block_actions",
        "team": { "id": "T0TEST", "domain": "cosell-test" },
        "user": { "id": user, "username": "jane", "name": "jane", "team_id": "T0TEST" },
        "api_app_id": "A0TEST",
        "container": { "type": "message", "message_ts": "1700000001.000100", "channel_id": channel },
        "channel": { "id": channel, "name": "privategroup" },
        "actions": [{ "type": "button", "action_id": action, "block_id": "a1b2", "action_ts": "1700000002.1" }],
    });
    form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}

/// The body of an event callback.
pub fn event_payload(event: &Value) -> String {
    json!({
        "type": "event_callback",
        "token": "deprecated",
        "team_id": "T0TEST",
        "api_app_id": "A0TEST",
        "event_id": "Ev0TEST",
        "event_time": 1_700_000_003,
        "event": event,
    })
    .to_string()
}

/// Sends a callback as Slack does, signed with `secret` at `timestamp`. `retry` is the number of the retry, 0 for the
/// first delivery. Returns the HTTP status and body.
pub async fn post_callback(
    to: (SocketAddr, &str),
    secret: &str,
    timestamp: i64,
    body: &str,
    retry: u32,
) -> anyhow::Result<(u16, String)> {
    let (timestamp, signature) = (timestamp.to_string(), signature(secret, timestamp, body));
    let retry = retry.to_string();
    let mut headers = vec![
        ("x-slack-request-timestamp", timestamp.as_str()),
        ("x-slack-signature", signature.as_str()),
    ];
    if retry != "0" {
        headers.push(("x-slack-retry-num", &retry));
        headers.push(("x-slack-retry-reason", "http_timeout"));
    }
    post(to, &headers, body).await
}

/// Posts a body with these headers. Returns the HTTP status and body.
pub async fn post(
    (address, path): (SocketAddr, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<(u16, String)> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::post(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Full::from(body.to_owned()))?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
