//! What is done about channels besides answering calls: the provider is told what to do, and tells what happened. Any
//! number of replicas may do so at once, and after a stop of any length: the row says what is due, what was done and
//! not noted is done again, and what is told twice is heard once.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cosell_events::Cause;
use cosell_grpc::{Failure, Peer, Retry};
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_service::Work;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::{Clock, Pii};
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::api::note;
use crate::domain::values::{ChannelMemberState, ChannelProvider};
use crate::domain::{Channel, ChannelEvent, ChannelMember, Hindrance, Person, Step};
use crate::events::PLATFORM;
use crate::provider::callback::Told;
use crate::provider::{Invited, Provider, ProviderError};
use crate::store::{self, DueChannel, Known};

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

impl Work for ChannelWork {
    type Due = DueChannel;

    async fn find(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueChannel>,
        most: i64,
    ) -> Result<Vec<DueChannel>, Error> {
        store::due_channels(tx, now, last, most).await
    }

    fn id<'a>(&self, due: &'a DueChannel) -> &'a str {
        due.known.id.as_str()
    }

    /// One thing after the other, as long as one is due.
    async fn see_to(&self, due: &DueChannel, stop: &CancellationToken) -> Result<(), Failure> {
        let known = &due.known;
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
}

impl ChannelWork {
    async fn take(&self, known: &Known, channel: &Channel, step: &Step) -> Result<(), Failure> {
        let now = self.clock.now();
        // That is nobody's to do, and waits for no provider.
        if let Step::Expire(person) = step {
            return self.change(known, |channel| channel.expired(person, now)).await;
        }
        let provider = match channel.provider() {
            ChannelProvider::Manual => &Provider::Manual,
            // The operator has set up another one since.
            ChannelProvider::Slack if self.provider.is_manual() => {
                return self
                    .failed(known, &ProviderError::refused("provider_not_set_up"))
                    .await;
            }
            ChannelProvider::Slack => &*self.provider,
        };
        let email = match step {
            Step::Invite(person, _) => match self.to_be_asked(known, person).await? {
                Some(email) => email,
                None => return Ok(()),
            },
            _ => Pii::default(),
        };
        if !self.is_taken(known, step).await? {
            return Ok(());
        }
        let external = channel.external_id().unwrap_or_default();
        let about = channel.purpose().reveal();
        let done: Result<Note<'_>, _> = match step {
            Step::Create => provider.create(&name(channel), about).await.map(|made| {
                note_that(move |channel, _| {
                    if let Some(made) = made {
                        channel.created(made.external_id, made.link.into());
                    }
                    None
                })
            }),
            Step::Greet => provider
                .greet(external, about)
                .await
                .map(|()| note_that(Channel::greeted)),
            Step::Invite(person, again) => provider.invite(external, &email, *again).await.map(|invited| {
                note_that(move |channel, now| match invited {
                    Invited::Asked(invite_id) => channel.invited(person, invite_id, now),
                    Invited::Present(user) => channel.found(person, user.as_deref(), now),
                })
            }),
            Step::Remove(person, user) => provider.remove(external, user).await.map(|()| {
                note_that(|channel, _| {
                    channel.removed(person);
                    None
                })
            }),
            Step::Archive => provider.archive(external).await.map(|()| {
                note_that(|channel, _| {
                    channel.put_away();
                    None
                })
            }),
            Step::Expire(_) => return Ok(()),
        };
        let now = self.clock.now();
        match (done, step) {
            (Ok(done), _) => self.change(known, |channel| done(channel, now)).await,
            // This address the provider does not take, whoever asks; the others are asked.
            (Err(error), Step::Invite(person, _)) if error.is_about_a_person() => {
                tracing::warn!(channel.id = %known.id, %error, "a person cannot be asked to a channel");
                self.change(known, |channel| channel.not_taken(person, now)).await
            }
            // Nor does it take this one out, which keeps nobody else from the channel.
            (Err(error), Step::Remove(person, _))
                if error.is_about_a_person() || error.is_refusal("restricted_action") =>
            {
                tracing::warn!(channel.id = %known.id, %error, "a person cannot be taken out of a channel");
                self.change(known, |channel| {
                    channel.not_removed(person, error.word());
                    None
                })
                .await
            }
            (Err(error), _) => self.failed(known, &error).await,
        }
    }

    /// Notes that this process does it, so that no other one does at the same time, and that it may have been done
    /// should what follows be cut. False when it is not to be done any more.
    async fn is_taken(&self, known: &Known, step: &Step) -> Result<bool, Failure> {
        let now = self.clock.now();
        let mut is_taken = false;
        self.change(known, |channel| {
            is_taken = channel.take(step, now);
            None
        })
        .await?;
        Ok(is_taken)
    }

    /// The address of a person who is to be asked. None when it is not to be any more, which is noted.
    async fn to_be_asked(&self, known: &Known, person: &Person) -> Result<Option<Pii<String>>, Failure> {
        let now = self.clock.now();
        if self.has_opted_out(person).await? {
            self.change(known, |channel| channel.opted_out(person, now))
                .await?;
            return Ok(None);
        }
        match self.email(person).await {
            Ok(None) => {
                self.change(known, |channel| channel.not_taken(person, now))
                    .await?;
                Ok(None)
            }
            answer => answer,
        }
    }

    async fn has_opted_out(&self, person: &Person) -> Result<bool, Failure> {
        let mut tx = self.database.events.tx(&Scope::account(&person.account)).await?;
        Ok(store::channel_preferences(&mut tx, person).await?.opted_out)
    }

    /// The address of a person, by the directory; empty when it does not work for the company any more.
    async fn email(&self, person: &Person) -> Result<Option<Pii<String>>, Failure> {
        let question = partner::GetMemberRequest {
            member_id: person.member.to_string(),
            account_id: person.account.to_string(),
        };
        let request = self.directory.request(question)?;
        let answer = MemberServiceClient::new(self.directory.channel())
            .get_member(request)
            .await;
        let found = match answer {
            Ok(answer) => answer.into_inner().member.unwrap_or_default(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(Failure::unavailable(Retry::Never, status)),
        };
        Ok(Some(found.person.unwrap_or_default().email.into()))
    }

    async fn failed(&self, known: &Known, error: &ProviderError) -> Result<(), Failure> {
        let hindrance = match error {
            ProviderError::RateLimited { retry_after } => {
                Hindrance::Later(TimeDelta::from_std(*retry_after).ok())
            }
            ProviderError::Unavailable(_) => Hindrance::Later(None),
            ProviderError::Refused { .. } => Hindrance::Refused,
        };
        let why = error.word();
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
                let preferences = store::channel_preferences(&mut tx, &person).await?;
                if !preferences.opted_out {
                    store::set_channel_preferences(&mut tx, &person, &preferences.replaced(true)).await?;
                    tx.commit().await?;
                }
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

    /// Goes through the channels in which a person is waited for, if it does not want to be asked any more (CHN-012).
    pub async fn opted_out(&self, person: &Person) -> Result<(), Failure> {
        if !self.has_opted_out(person).await? {
            return Ok(());
        }
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
    /// nobody else stays, but this service itself (CHN-011).
    async fn came(&self, external: &str, user: &str) -> Result<(), Failure> {
        let Some((known, channel)) = self.meant(external).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let email = self.provider.email_of(user).await.map_err(unavailable)?;
        let can_come = |member: &&ChannelMember| {
            !matches!(
                member.state,
                ChannelMemberState::Left | ChannelMemberState::OptedOut
            )
        };
        let people = channel.members().iter().filter(can_come);
        if let Some(person) = self.who_is(email.as_ref(), people).await? {
            return self
                .change(&known, |channel| channel.joined(&person, Some(user), now))
                .await;
        }
        if email.is_none() && self.provider.is_own(user).await.map_err(unavailable)? {
            return Ok(());
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

    /// Who of a channel is meant by the provider's id: it was noted when the person came, or else the address says so.
    async fn person_of(&self, external: &str, user: &str) -> Result<Option<(Known, Person)>, Failure> {
        let Some((known, channel)) = self.meant(external).await? else {
            return Ok(None);
        };
        let mut members = channel.members().iter();
        let noted = members.find(|one| one.user.as_deref() == Some(user));
        let found = match noted {
            Some(member) => Some(member.person.clone()),
            None => {
                let email = self.provider.email_of(user).await.map_err(unavailable)?;
                self.who_is(email.as_ref(), channel.members().iter()).await?
            }
        };
        Ok(found.map(|person| (known, person)))
    }

    /// Who of these people has the address.
    async fn who_is<'a>(
        &self,
        email: Option<&Pii<String>>,
        people: impl Iterator<Item = &'a ChannelMember> + Send,
    ) -> Result<Option<Person>, Failure> {
        let Some(email) = email else {
            return Ok(None);
        };
        // At once: whoever says that somebody came waits for the answer.
        let asked = people.map(async |member| {
            let known = self.email(&member.person).await?;
            let is_it = known.is_some_and(|known| is_same(&known, email));
            Ok::<_, Failure>(is_it.then(|| member.person.clone()))
        });
        Ok(try_join_all(asked).await?.into_iter().flatten().next())
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

/// What is noted of a step that the provider has done.
type Note<'a> = Box<dyn FnOnce(&mut Channel, DateTime<Utc>) -> Option<ChannelEvent> + Send + 'a>;

fn note_that<'a>(
    note: impl FnOnce(&mut Channel, DateTime<Utc>) -> Option<ChannelEvent> + Send + 'a,
) -> Note<'a> {
    Box::new(note)
}

fn unavailable(error: ProviderError) -> Failure {
    Failure::unavailable(Retry::Never, error)
}

/// What the channel is called with the provider: of one channel always the same, and nothing of the deal.
fn name(channel: &Channel) -> String {
    format!("cosell-{}", channel.id())
}

/// An address is that of a person, however it is written.
fn is_same(one: &Pii<String>, other: &Pii<String>) -> bool {
    !one.is_empty() && one.reveal().trim().eq_ignore_ascii_case(other.reveal().trim())
}
