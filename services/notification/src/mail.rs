//! Sends queued e-mails at least once. An e-mail is sent again if its acceptance by the mail server was not recorded;
//! all attempts have the same Message-ID, so that mail programs show one copy (NOT-004).

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use cosell_events::{Cause, append};
use cosell_grpc::Failure;
use cosell_store::{Database, Scope};
use cosell_telemetry::metrics;
use cosell_types::{Clock, random};
use futures::future::join_all;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

use crate::config::{Options, SmtpSecurity};
use crate::events;
use crate::store::{self, AttemptOutcome, QueuedMail};
use crate::unsubscribe::{UnsubscribeLinks, UnsubscribeTarget};

/// With these headers, mail programs offer to opt out with one click (RFC 2369, RFC 8058).
const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");
const LIST_UNSUBSCRIBE_POST: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");
/// With this header, automatic responders do not answer (RFC 3834, 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// E-mails that are sent concurrently.
const BATCH: i64 = 8;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// An e-mail whose attempt fails when it is older than this is given up.
const MAX_AGE: TimeDelta = TimeDelta::days(3);
const MAX_BACKOFF: TimeDelta = TimeDelta::minutes(15);

/// Sends the queued e-mails through one mail server.
pub struct MailSender {
    database: Database,
    clock: Clock,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The links to opt out, if they are configured.
    links: Option<UnsubscribeLinks>,
}

impl MailSender {
    pub fn new(
        database: Database,
        clock: Clock,
        options: &Options,
        links: Option<UnsubscribeLinks>,
    ) -> anyhow::Result<Self> {
        let host = options.smtp_host.as_str();
        type Smtp = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match options.smtp_security {
            SmtpSecurity::None => Smtp::builder_dangerous(host),
            SmtpSecurity::StartTls => Smtp::starttls_relay(host).context("invalid COSELL_SMTP_HOST")?,
            SmtpSecurity::Tls => Smtp::relay(host).context("invalid COSELL_SMTP_HOST")?,
        };
        let mut builder = builder.port(options.smtp_port).timeout(Some(ATTEMPT_TIMEOUT / 2));
        if let (Some(user), Some(path)) = (&options.smtp_user, &options.smtp_password_file) {
            let password =
                std::fs::read_to_string(path).context("failed to read the password for the mail server")?;
            builder = builder.credentials(Credentials::new(user.clone(), password.trim().to_owned()));
        }
        let from = options.mail_from.parse().context("invalid COSELL_MAIL_FROM")?;
        Ok(Self {
            database,
            clock,
            transport: builder.build(),
            from,
            links,
        })
    }

    /// Sends due e-mails until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.send_batch().await {
                Ok(0) => POLL_INTERVAL,
                Ok(_) => Duration::ZERO,
                Err(failure) => {
                    tracing::warn!(%failure, "mail queue was not processed; retrying");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends the e-mails that are due, at most [`BATCH`]. Returns their number.
    async fn send_batch(&self) -> Result<usize, Failure> {
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let lease = TimeDelta::from_std(2 * ATTEMPT_TIMEOUT).unwrap_or_default();
        let mails = store::claim_due_mails(&mut tx, self.clock.now(), lease, BATCH).await?;
        tx.commit().await?;
        let count = mails.len();
        // Concurrently, so that none waits for the others beyond its lease. An e-mail that the end of the process
        // interrupts is due again when its lease expires.
        let sending = mails.iter().map(|mail| async move {
            let outcome = self.send(mail).await;
            self.record(mail, outcome).await
        });
        for finished in join_all(sending).await {
            finished?;
        }
        Ok(count)
    }

    async fn send(&self, mail: &QueuedMail) -> AttemptOutcome {
        let unsubscribe_url = self.unsubscribe_url(mail).await;
        let message = match self.build_message(mail, unsubscribe_url) {
            Ok(message) => message,
            Err(error) => {
                // The recipient address is invalid, so every attempt would fail.
                tracing::warn!(mail_id = mail.id, %error, "e-mail was given up: the message could not be built");
                return AttemptOutcome::Failed(None);
            }
        };
        let sent = tokio::time::timeout(ATTEMPT_TIMEOUT, self.transport.send(message)).await;
        let error = match sent {
            Ok(Ok(_)) => return AttemptOutcome::Sent,
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let code = error
            .as_ref()
            .and_then(|error| error.status())
            .map(|code| i32::from(u16::from(code)));
        let is_permanent =
            error.as_ref().is_some_and(SmtpError::is_permanent) && !code.is_some_and(is_refusal_of_service);
        let now = self.clock.now();
        if is_permanent || now - mail.create_time > MAX_AGE {
            tracing::warn!(
                mail_id = mail.id,
                code,
                attempts = mail.attempts,
                "e-mail was given up"
            );
            AttemptOutcome::Failed(code)
        } else {
            tracing::info!(
                mail_id = mail.id,
                code,
                attempts = mail.attempts,
                "e-mail was not delivered; retrying"
            );
            AttemptOutcome::Retry(next_attempt_time(now, mail.attempts), code)
        }
    }

    /// The link with which the recipient opts out of the kind of this e-mail; `None` if it is not a member (NOT-008).
    async fn unsubscribe_url(&self, mail: &QueuedMail) -> Option<String> {
        let (links, member, kind) = (self.links.as_ref()?, mail.member.clone()?, mail.kind?);
        let target = UnsubscribeTarget {
            account: mail.account.clone(),
            member,
            kind,
        };
        let url = links.url(&target).await;
        url.inspect_err(|error| {
            // The notification is worth more than the link, which the next e-mails have again.
            let error = format!("{error:#}");
            tracing::error!(
                mail_id = mail.id,
                error,
                "unsubscribe link was left out of an e-mail"
            );
        })
        .ok()
    }

    fn build_message(&self, mail: &QueuedMail, unsubscribe_url: Option<String>) -> anyhow::Result<Message> {
        let domain = self.from.email.domain().to_owned();
        let mut builder = Message::builder();
        if let Some(url) = unsubscribe_url {
            let one_click = "List-Unsubscribe=One-Click".to_owned();
            builder = builder
                .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE, format!("<{url}>")))
                .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE_POST, one_click));
        }
        let message = builder
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .from(self.from.clone())
            // The error of the parser is dropped because it could contain the address.
            .to(mail
                .recipient
                .reveal()
                .parse()
                .map_err(|_| anyhow::anyhow!("the recipient address is invalid"))?)
            .date(self.clock.now().into())
            // Mail programs would decode an encoded word that a member wrote (RFC 2047, PLT-014).
            .subject(mail.subject.reveal().replace("=?", "= ?"))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.reveal().clone())?;
        Ok(message)
    }

    /// Records the outcome of an attempt. An e-mail that failed permanently publishes one event.
    async fn record(&self, mail: &QueuedMail, outcome: AttemptOutcome) -> Result<(), Failure> {
        let label = match outcome {
            AttemptOutcome::Sent => "sent",
            AttemptOutcome::Retry(..) => "later",
            AttemptOutcome::Failed(_) => "failed",
        };
        metrics::MAIL_ATTEMPTS.add(1, &[KeyValue::new("outcome", label)]);
        let now = self.clock.now();
        let mut tx = self.database.events.tx(&Scope::account(&mail.account)).await?;
        let is_recorded = store::save_outcome(&mut tx, mail, outcome, now).await?;
        if let (AttemptOutcome::Failed(code), true) = (outcome, is_recorded) {
            let cause = Cause {
                actor: "service:notification",
                request_id: "",
                time: now,
            };
            append(&mut tx, &events::email_failed(mail, code, cause)).await?;
        }
        tx.commit().await
    }
}

/// Whether the mail server refuses this service and not the e-mail, for example because of a wrong password. The e-mail
/// is retried, because an operator can correct that (RFC 4954; 521 of RFC 7504).
fn is_refusal_of_service(code: i32) -> bool {
    matches!(code, 500..=504 | 521 | 530 | 534 | 535 | 538)
}

/// Exponential backoff: 1, 2, 4 … seconds up to [`MAX_BACKOFF`], plus jitter.
fn next_attempt_time(now: DateTime<Utc>, attempts: i32) -> DateTime<Utc> {
    let exponent = u32::try_from(attempts.clamp(1, 11) - 1).unwrap_or_default();
    let backoff = TimeDelta::seconds(1 << exponent).min(MAX_BACKOFF);
    let jitter = TimeDelta::milliseconds((random::jitter() * 200.0) as i64);
    now + backoff + jitter
}
