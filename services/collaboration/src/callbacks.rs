//! Applies callbacks of the channel provider: members who join, leave or opt out.

use std::sync::Arc;

use cosell_grpc::{Failure, Retry};
use cosell_store::Scope;
use cosell_types::{Pii, comparable_email};
use futures::future::try_join_all;

use crate::channel_changes::ChannelChanges;
use crate::domain::values::ChannelMemberState;
use crate::domain::{Channel, ChannelMember, MemberRef};
use crate::peers::load_email;
use crate::provider::callback::CallbackEvent;
use crate::provider::{Provider, ProviderError};
use crate::store::{self, ChannelRef};

#[derive(Clone)]
pub struct CallbackHandler {
    pub changes: ChannelChanges,
    pub provider: Arc<Provider>,
}

impl CallbackHandler {
    /// Applies an event of the provider. Idempotent, because the provider may deliver it more than once (CHN-020).
    pub async fn apply(&self, event: CallbackEvent) -> Result<(), Failure> {
        match event {
            CallbackEvent::Joined { channel, user } => self.member_joined(&channel, &user).await,
            CallbackEvent::Left { channel, user } => self.member_left(&channel, &user, true).await,
            CallbackEvent::LeaveRequested { channel, user } => self.member_left(&channel, &user, false).await,
            CallbackEvent::OptedOut { channel, user } => self.member_opted_out(&channel, &user).await,
            // The provider reports separately when the member joins.
            CallbackEvent::InviteAccepted { .. } => Ok(()),
            CallbackEvent::InviteDeclined { invite_id } => self.invite_declined(&invite_id).await,
        }
    }

    async fn member_opted_out(&self, external_id: &str, user: &str) -> Result<(), Failure> {
        let Some((_, member_ref)) = self.find_member(external_id, user).await? else {
            return Ok(());
        };
        self.changes.opt_out(&member_ref).await
    }

    async fn invite_declined(&self, invite_id: &str) -> Result<(), Failure> {
        let mut tx = self.changes.database.work.tx(&Scope::work()).await?;
        let invited = store::find_by_invite_id(&mut tx, invite_id).await?;
        drop(tx);
        let Some((channel_ref, member_ref)) = invited else {
            return Ok(());
        };
        let now = self.changes.clock.now();
        self.changes
            .apply(&channel_ref, |channel| {
                channel.member_left(&member_ref, true, now)
            })
            .await
    }

    /// Records a user whose verified address is that of a channel member. Removes any other user, except for this
    /// service itself (CHN-011).
    async fn member_joined(&self, external_id: &str, user: &str) -> Result<(), Failure> {
        let Some((channel_ref, channel)) = self.find_channel(external_id).await? else {
            return Ok(());
        };
        let now = self.changes.clock.now();
        let email = self.provider.email_of(user).await.map_err(unavailable)?;
        let is_expected = |member: &&ChannelMember| {
            !matches!(
                member.state,
                ChannelMemberState::Left | ChannelMemberState::OptedOut
            )
        };
        let members = channel.members().iter().filter(is_expected);
        if let Some(member_ref) = self.find_by_email(email.as_ref(), members).await? {
            return self
                .changes
                .apply(&channel_ref, |channel| {
                    channel.member_joined(&member_ref, Some(user), now)
                })
                .await;
        }
        if email.is_none() && self.provider.is_own(user).await.map_err(unavailable)? {
            return Ok(());
        }
        tracing::warn!(channel.id = %channel_ref.id, "uninvited user joined channel; removing the user");
        self.provider.remove(external_id, user).await.map_err(unavailable)
    }

    async fn member_left(&self, external_id: &str, user: &str, is_removed: bool) -> Result<(), Failure> {
        let now = self.changes.clock.now();
        match self.find_member(external_id, user).await? {
            Some((channel_ref, member_ref)) => {
                self.changes
                    .apply(&channel_ref, |channel| {
                        channel.member_left(&member_ref, is_removed, now)
                    })
                    .await
            }
            None => Ok(()),
        }
    }

    /// The channel member with this user ID at the provider. The ID is recorded when a member joins; otherwise the
    /// member is found by its e-mail address.
    async fn find_member(
        &self,
        external_id: &str,
        user: &str,
    ) -> Result<Option<(ChannelRef, MemberRef)>, Failure> {
        let Some((channel_ref, channel)) = self.find_channel(external_id).await? else {
            return Ok(None);
        };
        let mut members = channel.members().iter();
        let recorded = members.find(|member| member.user.as_deref() == Some(user));
        let member_ref = match recorded {
            Some(member) => Some(member.member_ref.clone()),
            None => {
                let email = self.provider.email_of(user).await.map_err(unavailable)?;
                self.find_by_email(email.as_ref(), channel.members().iter())
                    .await?
            }
        };
        Ok(member_ref.map(|member_ref| (channel_ref, member_ref)))
    }

    async fn find_by_email<'a>(
        &self,
        email: Option<&Pii<String>>,
        members: impl Iterator<Item = &'a ChannelMember> + Send,
    ) -> Result<Option<MemberRef>, Failure> {
        let Some(email) = email else {
            return Ok(None);
        };
        // Concurrent calls, because the provider waits only briefly for the response to its callback.
        let lookups = members.map(async |member| {
            let member_email = load_email(&self.changes.directory, &member.member_ref).await?;
            let is_same = member_email.is_some_and(|member_email| equal_addresses(&member_email, email));
            Ok::<_, Failure>(is_same.then(|| member.member_ref.clone()))
        });
        Ok(try_join_all(lookups).await?.into_iter().flatten().next())
    }

    async fn find_channel(&self, external_id: &str) -> Result<Option<(ChannelRef, Channel)>, Failure> {
        let mut tx = self.changes.database.work.tx(&Scope::work()).await?;
        let channel_ref = store::find_by_external_id(&mut tx, external_id).await?;
        drop(tx);
        let Some(channel_ref) = channel_ref else {
            return Ok(None);
        };
        let scope = Scope::account(&channel_ref.account);
        let mut tx = self.changes.database.events.tx(&scope).await?;
        let channel = store::load_channel(&mut tx, &channel_ref.id).await?;
        Ok(channel.map(|channel| (channel_ref, channel)))
    }
}

fn unavailable(error: ProviderError) -> Failure {
    Failure::unavailable(Retry::Never, error)
}

/// Compares e-mail addresses in their stored form (PLT-017). An empty address equals no other.
fn equal_addresses(left: &Pii<String>, right: &Pii<String>) -> bool {
    !left.is_empty() && comparable_email(left.reveal()) == comparable_email(right.reveal())
}
