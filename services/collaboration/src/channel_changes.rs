//! Changes channels outside of their RPCs: for the worker, for callbacks of the provider, for links, and for the
//! opt-out of a member.

use cosell_events::Cause;
use cosell_grpc::{Failure, Peer};
use cosell_store::{Database, Scope};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::Clock;

use crate::domain::{Channel, ChannelEvent, MemberRef};
use crate::events::{CONTEXT, PLATFORM};
use crate::store::{self, ChannelRef};

/// The maximum number of channels from which an opt-out removes the member's pending invitations.
const MAX_INVITED: i64 = 1000;

/// The dependencies of background changes.
#[derive(Clone)]
pub struct ChannelChanges {
    pub database: Database,
    pub clock: Clock,
    /// What the changes are counted as.
    pub trigger: Trigger,
    /// The partner-connection service, for the e-mail addresses of members.
    pub directory: Peer,
}

impl ChannelChanges {
    /// Changes the current state of a channel under its lock. `apply` returns no event when nothing is published.
    pub async fn apply(
        &self,
        channel_ref: &ChannelRef,
        apply: impl FnOnce(&mut Channel) -> Option<ChannelEvent>,
    ) -> Result<(), Failure> {
        self.apply_as(PLATFORM, channel_ref, apply).await
    }

    /// Like [`Self::apply`], with this actor of the event.
    pub async fn apply_as(
        &self,
        actor: &str,
        channel_ref: &ChannelRef,
        apply: impl FnOnce(&mut Channel) -> Option<ChannelEvent>,
    ) -> Result<(), Failure> {
        let scope = Scope::account(&channel_ref.account);
        let mut tx = self.database.events.tx(&scope).await?;
        let channel = store::lock_channel(&mut tx, &channel_ref.account, &channel_ref.id).await?;
        let Some(mut channel) = channel else {
            return Ok(());
        };
        let events: Vec<_> = apply(&mut channel).into_iter().collect();
        let cause = Cause {
            actor,
            request_id: channel_ref.id.as_str(),
            time: self.clock.now(),
        };
        store::save_channel(&mut tx, &channel, &events, cause).await?;
        tx.commit().await?;
        for event in &events {
            count_transition(CONTEXT, event.name(), self.trigger);
        }
        Ok(())
    }

    /// Whether a member has opted out of channels.
    pub async fn has_opted_out(&self, member_ref: &MemberRef) -> Result<bool, Failure> {
        let scope = Scope::account(&member_ref.account);
        let mut tx = self.database.events.tx(&scope).await?;
        let preferences = store::load_channel_preferences(&mut tx, member_ref).await?;
        Ok(preferences.opted_out)
    }

    /// Opts a member out of channels, and ends its pending invitations. Does the latter again for a member who has opted
    /// out before, because the first attempt may have been interrupted.
    pub async fn opt_out(&self, member_ref: &MemberRef) -> Result<(), Failure> {
        let scope = Scope::account(&member_ref.account);
        let mut tx = self.database.events.tx(&scope).await?;
        let preferences = store::load_channel_preferences(&mut tx, member_ref).await?;
        if preferences.opted_out {
            drop(tx);
        } else {
            store::save_channel_preferences(&mut tx, member_ref, &preferences.replaced(true)).await?;
            tx.commit().await?;
            count_transition(CONTEXT, "channel_preference", self.trigger);
        }
        self.apply_opt_out(member_ref).await
    }

    /// Ends the pending invitations of a member, if it has opted out, with the member as the actor (CHN-012).
    pub async fn apply_opt_out(&self, member_ref: &MemberRef) -> Result<(), Failure> {
        if !self.has_opted_out(member_ref).await? {
            return Ok(());
        }
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let channel_refs = store::list_channels_inviting(&mut tx, member_ref, MAX_INVITED).await?;
        drop(tx);
        let now = self.clock.now();
        for channel_ref in &channel_refs {
            self.apply_as(member_ref.member.as_str(), channel_ref, |channel| {
                channel.member_opted_out(member_ref, now)
            })
            .await?;
        }
        Ok(())
    }
}
