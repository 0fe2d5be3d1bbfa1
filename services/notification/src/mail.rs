//! Sends queued e-mails. Promise: at least once. A second copy goes out where the mail server's "accepted" did not
//! come to be written down; all copies have the same Message-ID, by which mail programs show one (NOT-004).

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
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

use crate::config::{Options, SmtpSecurity};
use crate::events;
use crate::store::{self, Outcome, Queued};

const POLL: Duration = Duration::from_millis(200);
/// Most e-mails taken at a time.
const BATCH: i64 = 8;
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// E-mails that could not be delivered are given up after this long.
const GIVE_UP: TimeDelta = TimeDelta::days(3);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// Sends e-mails through one mail server.
pub struct Sender {
    database: Database,
    clock: Clock,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Sender {
    /// A sender for these options.
    pub fn new(database: Database, clock: Clock, options: &Options) -> anyhow::Result<Self> {
        let host = options.smtp_host.as_str();
        type Smtp = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match options.smtp_security {
            SmtpSecurity::None => Smtp::builder_dangerous(host),
            SmtpSecurity::StartTls => Smtp::starttls_relay(host).context("the mail server")?,
            SmtpSecurity::Tls => Smtp::relay(host).context("the mail server")?,
        };
        let mut builder = builder.port(options.smtp_port).timeout(Some(ATTEMPT / 2));
        if let (Some(user), Some(path)) = (&options.smtp_user, &options.smtp_password_file) {
            let password =
                std::fs::read_to_string(path).context("reading the password for the mail server")?;
            builder = builder.credentials(Credentials::new(user.clone(), password.trim().to_owned()));
        }
        let from = options
            .mail_from
            .parse()
            .context("the address that mail comes from")?;
        Ok(Self {
            database,
            clock,
            transport: builder.build(),
            from,
        })
    }

    /// Sends what is due until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.turn().await {
                Ok(0) => POLL,
                Ok(_) => Duration::ZERO,
                Err(failure) => {
                    tracing::warn!(%failure, "the mail queue could not be worked on");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn turn(&self) -> Result<usize, Failure> {
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let lease = TimeDelta::from_std(2 * ATTEMPT).unwrap_or_default();
        let due = store::take_due(&mut tx, self.clock.now(), lease, BATCH).await?;
        tx.commit().await?;
        let taken = due.len();
        // All at once: none may wait for others until its lease runs out. One that is cut at the end of the process is
        // due again then.
        let sending = due.iter().map(|mail| async move {
            let outcome = self.attempt(mail).await;
            self.finish(mail, outcome).await
        });
        for finished in join_all(sending).await {
            finished?;
        }
        Ok(taken)
    }

    async fn attempt(&self, mail: &Queued) -> Outcome {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(error) => {
                // The address cannot be written as one; no attempt will change that.
                tracing::warn!(mail_id = mail.id, %error, "the e-mail cannot be put together");
                return Outcome::Failed(None);
            }
        };
        let sent = tokio::time::timeout(ATTEMPT, self.transport.send(message)).await;
        let error = match sent {
            Ok(Ok(_)) => return Outcome::Sent,
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let code = error
            .as_ref()
            .and_then(|error| error.status())
            .map(|code| i32::from(u16::from(code)));
        let refused = error.as_ref().is_some_and(SmtpError::is_permanent) && !code.is_some_and(is_about_us);
        let now = self.clock.now();
        if refused || now - mail.create_time > GIVE_UP {
            tracing::warn!(
                mail_id = mail.id,
                code,
                attempts = mail.attempts,
                "the e-mail is given up"
            );
            Outcome::Failed(code)
        } else {
            tracing::info!(
                mail_id = mail.id,
                code,
                attempts = mail.attempts,
                "the e-mail is tried again later"
            );
            Outcome::Later(again(now, mail.attempts), code)
        }
    }

    fn message(&self, mail: &Queued) -> anyhow::Result<Message> {
        let domain = self.from.email.domain().to_owned();
        let message = Message::builder()
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .from(self.from.clone())
            // The text of a parse error could repeat the address.
            .to(mail
                .recipient
                .reveal()
                .parse()
                .map_err(|_| anyhow::anyhow!("the recipient is no address"))?)
            .date(self.clock.now().into())
            .subject(mail.subject.reveal().as_str())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.reveal().clone())?;
        Ok(message)
    }

    async fn finish(&self, mail: &Queued, outcome: Outcome) -> Result<(), Failure> {
        let label = match outcome {
            Outcome::Sent => "sent",
            Outcome::Later(..) => "later",
            Outcome::Failed(_) => "failed",
        };
        metrics::MAIL_ATTEMPTS.add(1, &[KeyValue::new("outcome", label)]);
        let now = self.clock.now();
        let mut tx = self.database.events.tx(&Scope::account(&mail.account)).await?;
        let is_first = store::finish(&mut tx, mail, outcome, now).await?;
        if let (Outcome::Failed(code), true) = (outcome, is_first) {
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

/// Whether a refusal is about how this service is known to the mail server, and not about the e-mail: what an operator
/// can mend must not cost any mail (RFC 4954; 521 of RFC 7504).
fn is_about_us(code: i32) -> bool {
    matches!(code, 500..=504 | 521 | 530 | 534 | 535 | 538)
}

/// One second, two, four … up to a quarter of an hour, each a little off so that not all come at once.
fn again(now: DateTime<Utc>, attempts: i32) -> DateTime<Utc> {
    let exponent = u32::try_from(attempts.clamp(1, 11) - 1).unwrap_or_default();
    let pause = TimeDelta::seconds(1 << exponent).min(LONGEST_PAUSE);
    let spread = TimeDelta::milliseconds((random::jitter() * 200.0) as i64);
    now + pause + spread
}
