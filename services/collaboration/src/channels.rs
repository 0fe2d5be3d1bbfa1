//! What is done about channels besides answering calls: the provider is told what to do, and tells what happened. Any
//! number of replicas may do so at once, and after a stop of any length: the row says what is due, what was done and
//! not noted is done again, and what is told twice is heard once.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use cosell_events::Cause;
use cosell_grpc::{Failure, Peer, Retry};
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::partner_service_client::PartnerServiceClient;
use cosell_store::{Database, Scope};
use cosell_types::{Clock, Pii};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::api::note;
use crate::domain::values::ChannelMemberState;
use crate::domain::{Channel, ChannelEvent, Hindrance, Person, Step};
use crate::events::PLATFORM;
use crate::provider::callback::Told;
use crate::provider::{Provider, ProviderError};
use crate::store::{self, DueChannel, Known};

const BATCH: i64 = 100;
const EVERY: Duration = Duration::from_secs(1);
/// How much is done about one channel before the next one has its turn.
const STEPS: usize = 50;
/// Channels in which one person is waited for, at most.
const WAITING: i64 = 1000;

/// What the work on channels needs.
#[derive(Clone)]
pub struct ChannelWork {
    /// Where channels are noted.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// Who keeps them.
    pub provider: Arc<Provider>,
    /// Who knows the addresses of people.
    pub directory: Peer,
}

impl ChannelWork {
    /// Tells the provider what is due, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(failure) = self.sweep(&stop).await {
                tracing::warn!(%failure, "channels could not be seen to; tried again in a moment");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn sweep(&self, stop: &CancellationToken) -> Result<(), Failure> {
        let mut last: Option<DueChannel> = None;
        while !stop.is_cancelled() {
            let mut tx = self.database.work.tx(&Scope::work()).await?;
            let found = store::due_channels(&mut tx, self.clock.now(), last.as_ref(), BATCH).await?;
            drop(tx);
            for due in &found {
                if let Err(failure) = self.see_to(&due.known, stop).await {
                    tracing::warn!(%failure, channel.id = %due.known.id, "a channel could not be seen to; tried again in a moment");
                }
            }
            last = found.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// One thing after the other, as long as one is due.
    async fn see_to(&self, known: &Known, stop: &CancellationToken) -> Result<(), Failure> {
        for _ in 0..STEPS {
            let mut tx = self.database.events.tx(&Scope::account(&known.account)).await?;
            let Some(channel) = store::load_channel(&mut tx, &known.id).await? else {
                return Ok(());
            };
            drop(tx);
            let now = self.clock.now();
            let Some((step, _)) = channel
                .next()
                .filter(|(_, time)| *time <= now && !stop.is_cancelled())
            else {
                return Ok(());
            };
            self.take(known, &channel, &step).await?;
        }
        Ok(())
    }

    async fn take(&self, known: &Known, channel: &Channel, step: &Step) -> Result<(), Failure> {
        let external = channel.external_id().unwrap_or_default();
        let now = self.clock.now();
        match step {
            Step::Create => match self
                .provider
                .create(&name(channel), channel.purpose().reveal())
                .await
            {
                Ok(created) => {
                    self.change(known, |channel| {
                        if let Some(created) = created {
                            channel.created(created.external_id, created.link.into());
                        }
                        None
                    })
                    .await
                }
                Err(error) => self.failed(known, &error).await,
            },
            Step::Greet => match self.provider.greet(external, channel.purpose().reveal()).await {
                Ok(()) => self.change(known, |channel| Some(channel.greeted(now))).await,
                Err(error) => self.failed(known, &error).await,
            },
            Step::Invite(person, again) => self.invite(known, external, person, *again).await,
            Step::Remove(person, user) => match self.provider.remove(external, user).await {
                Ok(()) => {
                    self.change(known, |channel| {
                        channel.removed(person);
                        None
                    })
                    .await
                }
                Err(error) => self.failed(known, &error).await,
            },
            Step::Archive => match self.provider.archive(external).await {
                Ok(()) => {
                    self.change(known, |channel| {
                        channel.put_away();
                        None
                    })
                    .await
                }
                Err(error) => self.failed(known, &error).await,
            },
            Step::Expire(person) => self.change(known, |channel| channel.expired(person, now)).await,
        }
    }

    async fn invite(
        &self,
        known: &Known,
        external: &str,
        person: &Person,
        again: bool,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let mut tx = self.database.events.tx(&Scope::account(&person.account)).await?;
        let is_out = store::has_opted_out(&mut tx, person).await?;
        drop(tx);
        if is_out {
            return self.change(known, |channel| channel.opted_out(person, now)).await;
        }
        let email = match self.email(person).await {
            Ok(email) => email,
            Err(failure) if failure.code() == Code::NotFound => {
                // It does not work for the company any more.
                return self.change(known, |channel| channel.expired(person, now)).await;
            }
            Err(failure) => return Err(failure),
        };
        // Noted first: if what follows is cut, the next time it is looked whether it was done.
        self.change(known, |channel| {
            channel.tries(person);
            None
        })
        .await?;
        match self.provider.invite(external, &email, again).await {
            Ok(invited) => {
                self.change(known, |channel| channel.invited(person, invited.invite_id, now))
                    .await
            }
            // This address the provider does not take, whoever asks; the others are asked.
            Err(error) if !error.may_pass() => {
                tracing::warn!(channel.id = %known.id, %error, "a person cannot be asked to a channel");
                self.change(known, |channel| channel.expired(person, now)).await
            }
            Err(error) => self.failed(known, &error).await,
        }
    }

    /// The address of a person, by the directory.
    async fn email(&self, person: &Person) -> Result<Pii<String>, Failure> {
        let question = partner::GetMemberRequest {
            member_id: person.member.to_string(),
            account_id: person.account.to_string(),
        };
        let request = self.directory.request(question)?;
        let answer = PartnerServiceClient::new(self.directory.channel())
            .get_member(request)
            .await;
        let answer = answer.map_err(|status| match status.code() {
            Code::NotFound => crate::api::person_not_found(person.member.as_str()),
            _ => Failure::unavailable(Retry::Never, status),
        })?;
        let found = answer.into_inner().member.unwrap_or_default();
        Ok(found.person.unwrap_or_default().email.into())
    }

    /// Whether it is the address of a person. One that works for the company no more has none.
    async fn is_address(&self, person: &Person, email: &Pii<String>) -> Result<bool, Failure> {
        match self.email(person).await {
            Ok(known) => Ok(is_same(&known, email)),
            Err(failure) if failure.code() == Code::NotFound => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn failed(&self, known: &Known, error: &ProviderError) -> Result<(), Failure> {
        let (why, hindrance) = match error {
            ProviderError::RateLimited { retry_after } => (
                "rate_limited",
                Hindrance::Later(TimeDelta::from_std(*retry_after).ok()),
            ),
            ProviderError::Unavailable(_) => ("unavailable", Hindrance::Later(None)),
            ProviderError::Refused { code } => (code.as_str(), Hindrance::Refused),
        };
        tracing::warn!(channel.id = %known.id, why, "the provider could not do what is due; tried again later");
        let now = self.clock.now();
        self.change(known, |channel| {
            channel.failed(why, &hindrance, now);
            None
        })
        .await
    }

    /// Changes a channel, which may have changed meanwhile.
    async fn change(
        &self,
        known: &Known,
        change: impl FnOnce(&mut Channel) -> Option<ChannelEvent>,
    ) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&known.account)).await?;
        let Some(mut channel) = store::lock_channel(&mut tx, &known.account, &known.id).await? else {
            return Ok(());
        };
        let happened: Vec<_> = change(&mut channel).into_iter().collect();
        let cause = Cause {
            actor: PLATFORM,
            request_id: known.id.as_str(),
            time: self.clock.now(),
        };
        store::save_channel(&mut tx, &channel, &happened, cause).await?;
        tx.commit().await?;
        for event in &happened {
            note(event.name());
        }
        Ok(())
    }

    /// Takes what the provider tells; the second time it changes nothing (CHN-020).
    pub async fn hear(&self, told: Told) -> Result<(), Failure> {
        let now = self.clock.now();
        match told {
            Told::Joined { channel, user } => self.came(&channel, &user).await,
            Told::Left { channel, user } => self.went(&channel, &user, true).await,
            Told::WantsToLeave { channel, user } => self.went(&channel, &user, false).await,
            Told::OptedOut { channel, user } => {
                let Some((_, person)) = self.person_of(&channel, &user).await? else {
                    return Ok(());
                };
                let scope = Scope::account(&person.account);
                let mut tx = self.database.events.tx(&scope).await?;
                store::opt_out(&mut tx, &person, true).await?;
                tx.commit().await?;
                self.opted_out(&person).await
            }
            // Whether the person is in the channel is told apart from this.
            Told::InviteAccepted { .. } => Ok(()),
            Told::InviteDeclined { invite_id } => {
                let mut tx = self.database.work.tx(&Scope::work()).await?;
                let found = store::by_invitation(&mut tx, &invite_id).await?;
                drop(tx);
                match found {
                    Some((known, person)) => {
                        self.change(&known, |channel| channel.left(&person, true, now))
                            .await
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// Goes through the channels in which a person is waited for who does not want to be asked any more (CHN-012).
    pub async fn opted_out(&self, person: &Person) -> Result<(), Failure> {
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let waiting = store::waiting_for(&mut tx, person, WAITING).await?;
        drop(tx);
        let now = self.clock.now();
        for known in &waiting {
            self.change(known, |channel| channel.opted_out(person, now))
                .await?;
        }
        Ok(())
    }

    /// Somebody has come: it is who was asked when its address is that one's, which the provider has made sure of;
    /// nobody else stays (CHN-011).
    async fn came(&self, external: &str, user: &str) -> Result<(), Failure> {
        let Some((known, channel)) = self.meant(external).await? else {
            return Ok(());
        };
        let unavailable = |error: ProviderError| Failure::unavailable(Retry::Never, error);
        let Some(email) = self.provider.email_of(user).await.map_err(unavailable)? else {
            return Ok(());
        };
        let now = self.clock.now();
        for member in channel.members() {
            let can_come = !matches!(
                member.state,
                ChannelMemberState::Left | ChannelMemberState::OptedOut
            );
            let person = &member.person;
            if can_come && self.is_address(person, &email).await? {
                return self
                    .change(&known, |channel| channel.joined(person, Some(user), now))
                    .await;
            }
        }
        tracing::warn!(channel.id = %known.id, "somebody came into a channel who was not asked, and is taken out");
        self.provider.remove(external, user).await.map_err(unavailable)
    }

    async fn went(&self, external: &str, user: &str, is_out: bool) -> Result<(), Failure> {
        let now = self.clock.now();
        match self.person_of(external, user).await? {
            Some((known, person)) => {
                self.change(&known, |channel| channel.left(&person, is_out, now))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Who of a channel is meant by the provider's id: it was noted when the person came.
    async fn person_of(&self, external: &str, user: &str) -> Result<Option<(Known, Person)>, Failure> {
        let Some((known, channel)) = self.meant(external).await? else {
            return Ok(None);
        };
        let mut members = channel.members().iter();
        let found = members.find(|one| one.user.as_deref() == Some(user));
        Ok(found.map(|one| (known, one.person.clone())))
    }

    async fn meant(&self, external: &str) -> Result<Option<(Known, Channel)>, Failure> {
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let found = store::by_external_id(&mut tx, external).await?;
        drop(tx);
        let Some(known) = found else {
            return Ok(None);
        };
        let mut tx = self.database.events.tx(&Scope::account(&known.account)).await?;
        let channel = store::load_channel(&mut tx, &known.id).await?;
        Ok(channel.map(|channel| (known, channel)))
    }
}

/// What the channel is called with the provider: of one channel always the same, and nothing of the deal.
fn name(channel: &Channel) -> String {
    format!("cosell-{}", channel.id())
}

/// An address is that of a person, however it is written.
fn is_same(one: &Pii<String>, other: &Pii<String>) -> bool {
    !one.is_empty() && one.reveal().trim().eq_ignore_ascii_case(other.reveal().trim())
}
