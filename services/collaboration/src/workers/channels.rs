//! Runs the due steps of channels at their provider: create, welcome, invite, remove, archive. A step whose result was
//! not recorded, for example after a crash, is run again.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cosell_grpc::Failure;
use cosell_service::ScheduledWork;
use cosell_store::{Error, Scope, Tx};
use cosell_types::Pii;
use tokio_util::sync::CancellationToken;

use crate::channel_changes::ChannelChanges;
use crate::domain::values::ChannelProvider;
use crate::domain::{Channel, ChannelEvent, ChannelStep, MemberRef, StepFailure};
use crate::peers::load_email;
use crate::provider::{InviteOutcome, Provider, ProviderError};
use crate::store::{self, ChannelRef, DueChannel};

/// The maximum number of steps of one channel before the next channel is processed.
const MAX_STEPS: usize = 50;

pub struct ChannelWorker {
    pub changes: ChannelChanges,
    pub provider: Arc<Provider>,
}

impl ScheduledWork for ChannelWorker {
    type Row = DueChannel;

    async fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueChannel>,
        limit: i64,
    ) -> Result<Vec<DueChannel>, Error> {
        store::list_due_channels(tx, now, last, limit).await
    }

    fn id<'a>(&self, due: &'a DueChannel) -> &'a str {
        due.channel_ref.id.as_str()
    }

    /// Runs the due steps of a channel sequentially.
    async fn process(&self, due: &DueChannel, stop: &CancellationToken) -> Result<(), Failure> {
        let channel_ref = &due.channel_ref;
        let ChannelChanges { database, clock, .. } = &self.changes;
        for _ in 0..MAX_STEPS {
            let mut tx = database.events.tx(&Scope::account(&channel_ref.account)).await?;
            let Some(channel) = store::load_channel(&mut tx, &channel_ref.id).await? else {
                return Ok(());
            };
            drop(tx);
            let now = clock.now();
            let Some((step, _)) = channel
                .next_step()
                .filter(|(_, time)| *time <= now && !stop.is_cancelled())
            else {
                return Ok(());
            };
            self.run_step(channel_ref, &channel, &step).await?;
        }
        Ok(())
    }
}

impl ChannelWorker {
    async fn run_step(
        &self,
        channel_ref: &ChannelRef,
        channel: &Channel,
        step: &ChannelStep,
    ) -> Result<(), Failure> {
        let now = self.changes.clock.now();
        if let ChannelStep::Expire(member_ref) = step {
            return self
                .changes
                .apply(channel_ref, |channel| channel.member_expired(member_ref, now))
                .await;
        }
        let provider = match channel.provider() {
            ChannelProvider::Manual => &Provider::Manual,
            // The operator has changed the provider since the channel was requested.
            ChannelProvider::Slack if self.provider.is_manual() => {
                return self
                    .record_failure(channel_ref, &ProviderError::refused("provider_not_set_up"))
                    .await;
            }
            ChannelProvider::Slack => &*self.provider,
        };
        let email = match step {
            ChannelStep::Invite(member_ref, _) => {
                match self.load_invitee_email(channel_ref, member_ref).await? {
                    Some(email) => email,
                    None => return Ok(()),
                }
            }
            _ => Pii::default(),
        };
        if !self.claim_step(channel_ref, step).await? {
            return Ok(());
        }
        let external_id = channel.external_id().unwrap_or_default();
        let purpose = channel.purpose().reveal();
        let outcome: Result<RecordResult<'_>, _> = match step {
            ChannelStep::Create => provider
                .create(&provider_name(channel), purpose)
                .await
                .map(|created| {
                    record_result(move |channel, _| {
                        if let Some(created) = created {
                            channel.created_at_provider(created.external_id, created.link.into());
                        }
                        None
                    })
                }),
            ChannelStep::PostWelcomeMessage => provider
                .post_welcome_message(external_id, purpose)
                .await
                .map(|()| record_result(Channel::welcome_message_posted)),
            ChannelStep::Invite(member_ref, is_retry) => provider
                .invite(external_id, &email, *is_retry)
                .await
                .map(|outcome| {
                    record_result(move |channel, now| match outcome {
                        InviteOutcome::Invited(invite_id) => {
                            channel.member_invited(member_ref, invite_id, now)
                        }
                        InviteOutcome::AlreadyMember(user) => {
                            channel.member_already_present(member_ref, user.as_deref(), now)
                        }
                    })
                }),
            ChannelStep::Remove(member_ref, user) => provider.remove(external_id, user).await.map(|()| {
                record_result(|channel, _| {
                    channel.member_removed(member_ref);
                    None
                })
            }),
            ChannelStep::Archive => provider.archive(external_id).await.map(|()| {
                record_result(|channel, _| {
                    channel.archived_at_provider();
                    None
                })
            }),
            ChannelStep::Expire(_) => return Ok(()),
        };
        let now = self.changes.clock.now();
        match (outcome, step) {
            (Ok(record), _) => {
                self.changes
                    .apply(channel_ref, |channel| record(channel, now))
                    .await
            }
            // The provider refuses to invite this member permanently; the step must not block the other members.
            (Err(error), ChannelStep::Invite(member_ref, _)) if error.is_member_refusal() => {
                tracing::warn!(channel.id = %channel_ref.id, %error, "provider refused to invite member to channel");
                self.changes
                    .apply(channel_ref, |channel| {
                        channel.member_not_invitable(member_ref, now)
                    })
                    .await
            }
            // The provider refuses to remove this member; the step must not block the other members.
            (Err(error), ChannelStep::Remove(member_ref, _)) if error.is_removal_refusal() => {
                tracing::warn!(channel.id = %channel_ref.id, %error, "provider refused to remove member from channel");
                self.changes
                    .apply(channel_ref, |channel| {
                        channel.member_removal_refused(member_ref, error.code());
                        None
                    })
                    .await
            }
            (Err(error), _) => self.record_failure(channel_ref, &error).await,
        }
    }

    /// Claims the step for this replica. False when the step is not due any more.
    async fn claim_step(&self, channel_ref: &ChannelRef, step: &ChannelStep) -> Result<bool, Failure> {
        let now = self.changes.clock.now();
        let mut is_claimed = false;
        self.changes
            .apply(channel_ref, |channel| {
                is_claimed = channel.claim_step(step, now);
                None
            })
            .await?;
        Ok(is_claimed)
    }

    /// The e-mail address of a member to invite. `None` if the member has opted out or left the directory, which is
    /// then recorded in the channel.
    async fn load_invitee_email(
        &self,
        channel_ref: &ChannelRef,
        member_ref: &MemberRef,
    ) -> Result<Option<Pii<String>>, Failure> {
        let now = self.changes.clock.now();
        if self.changes.has_opted_out(member_ref).await? {
            self.changes
                .apply(channel_ref, |channel| channel.member_opted_out(member_ref, now))
                .await?;
            return Ok(None);
        }
        match load_email(&self.changes.directory, member_ref).await {
            Ok(None) => {
                self.changes
                    .apply(channel_ref, |channel| {
                        channel.member_not_invitable(member_ref, now)
                    })
                    .await?;
                Ok(None)
            }
            email => email,
        }
    }

    async fn record_failure(&self, channel_ref: &ChannelRef, error: &ProviderError) -> Result<(), Failure> {
        let failure = match error {
            ProviderError::RateLimited { retry_after } => {
                StepFailure::Transient(TimeDelta::from_std(*retry_after).ok())
            }
            ProviderError::Unavailable(_) => StepFailure::Transient(None),
            ProviderError::Refused { .. } => StepFailure::Refused,
        };
        let code = error.code();
        tracing::warn!(channel.id = %channel_ref.id, code, "channel step failed");
        let now = self.changes.clock.now();
        self.changes
            .apply(channel_ref, |channel| {
                channel.step_failed(code, &failure, now);
                None
            })
            .await
    }
}

/// Records the result of a step in the channel.
type RecordResult<'a> = Box<dyn FnOnce(&mut Channel, DateTime<Utc>) -> Option<ChannelEvent> + Send + 'a>;

fn record_result<'a>(
    record: impl FnOnce(&mut Channel, DateTime<Utc>) -> Option<ChannelEvent> + Send + 'a,
) -> RecordResult<'a> {
    Box::new(record)
}

/// The name of the channel at the provider: the same for every attempt, and without data of the opportunity.
fn provider_name(channel: &Channel) -> String {
    format!("cosell-{}", channel.id())
}
