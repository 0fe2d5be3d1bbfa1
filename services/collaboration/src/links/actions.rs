//! Applies the actions of links, with the member as the actor (CHN-031).

use cosell_grpc::Failure;
use cosell_store::Scope;

use super::endpoint::LinkOutcome;
use super::{LinkAction, LinkTarget};
use crate::channel_changes::ChannelChanges;
use crate::domain::values::ChannelMemberState;
use crate::store::{self, ChannelRef};

/// Applies confirmed actions.
#[derive(Clone)]
pub struct LinkActions {
    pub changes: ChannelChanges,
}

impl LinkActions {
    /// Leaves the channel or opts out of all, as LeaveChannel and UpdateChannelPreferences do. Idempotent.
    pub async fn apply(&self, action: LinkAction, target: LinkTarget) -> Result<LinkOutcome, Failure> {
        let channel_ref = ChannelRef {
            account: target.account,
            id: target.channel,
        };
        let member_ref = target.member_ref;
        match action {
            LinkAction::Leave => {
                let (now, mut outcome) = (self.changes.clock.now(), LinkOutcome::NotFound);
                let left = self
                    .changes
                    .apply_as(member_ref.member.as_str(), &channel_ref, |channel| {
                        let member = channel.member(&member_ref)?;
                        if member.state != ChannelMemberState::Left && channel.is_closed() {
                            outcome = LinkOutcome::ChannelClosed;
                            return None;
                        }
                        outcome = LinkOutcome::Done;
                        channel.member_left(&member_ref, false, now)
                    });
                left.await?;
                Ok(outcome)
            }
            LinkAction::OptOut => {
                let scope = Scope::account(&channel_ref.account);
                let mut tx = self.changes.database.events.tx(&scope).await?;
                let channel = store::load_channel(&mut tx, &channel_ref.id).await?;
                drop(tx);
                if channel.is_none_or(|channel| channel.member(&member_ref).is_none()) {
                    return Ok(LinkOutcome::NotFound);
                }
                self.changes.opt_out(&member_ref).await?;
                Ok(LinkOutcome::Done)
            }
        }
    }
}
