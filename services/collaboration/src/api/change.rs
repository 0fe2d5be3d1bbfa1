//! What changes of one kind have in common: whose they are, what is held, and when it is made durable.

use chrono::{DateTime, Utc};
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_types::Member;

use super::{Api, status, visible};
use crate::domain::{
    Channel, ChannelEvent, Engagement, EngagementEvent, Invitation, InvitationEvent, Rule, SnapshotJob,
    access,
};
use crate::store;

/// A channel that is to be changed.
pub(super) enum Held {
    /// The call was done before.
    Done(Channel),
    /// It is held by this transaction.
    Open(Tx, Channel),
}

impl Api {
    /// An invitation was rejected or canceled: both are written, and made durable.
    pub(super) async fn ended<M: Mutation>(
        &self,
        mut tx: Tx,
        call: &Call<M>,
        mut engagement: Engagement,
        invitation: &Invitation,
        event: InvitationEvent,
    ) -> Result<(), Failure> {
        let actor = call.caller.actor();
        let cause = self.cause(call, &actor);
        let by = Some(call.member()?.account.clone());
        let happened: Vec<_> = engagement
            .invitation_ended(invitation, by, cause.time)
            .into_iter()
            .collect();
        store::save_invitation(&mut tx, invitation, event, cause).await?;
        store::save_engagement(&mut tx, &engagement, &happened, cause).await?;
        let mut names = vec![event.name()];
        names.extend(happened.iter().map(EngagementEvent::name));
        self.conclude(tx, call, &names).await
    }

    /// Changes an engagement that the caller's company is part of; none is nothing to change.
    pub(super) async fn change<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
        change: impl FnOnce(&mut Engagement, &Member, DateTime<Utc>) -> Result<Option<EngagementEvent>, Failure>,
    ) -> Result<Engagement, Failure> {
        let mut tx = self.begin(call).await?;
        let claimed = claim(&mut tx, call, id).await?;
        let seen = visible::engagement(&mut tx, call, id).await?;
        if claimed != Claim::New {
            return Ok(seen);
        }
        let held = store::lock_engagement(&mut tx, seen.account(), seen.id()).await?;
        let mut engagement = held.ok_or_else(|| status::engagement_not_found(id))?;
        let member = call.member()?;
        // What it was part of a moment ago it may not be part of any more.
        if !access::sees(member, &engagement) {
            return Err(status::engagement_not_found(id));
        }
        etags::check(etag, engagement.revision())?;
        let actor = call.caller.actor();
        let cause = self.cause(call, &actor);
        if let Some(event) = change(&mut engagement, member, cause.time)? {
            let name = event.name();
            store::save_engagement(&mut tx, &engagement, &[event], cause).await?;
            self.conclude(tx, call, &[name]).await?;
        }
        Ok(engagement)
    }

    /// Changes a job of the caller's account.
    pub(super) async fn change_job<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
        change: impl FnOnce(&mut SnapshotJob, DateTime<Utc>) -> Result<(), Rule>,
    ) -> Result<SnapshotJob, Failure> {
        let mut tx = self.begin(call).await?;
        let claimed = claim(&mut tx, call, id).await?;
        let seen = visible::job(&mut tx, call, id).await?;
        if claimed != Claim::New {
            return Ok(seen);
        }
        let account = &seen.subject().account;
        tx.act_for(&Scope::account(account)).await?;
        let held = store::lock_job(&mut tx, account, seen.id()).await?;
        let mut job = held.ok_or_else(|| status::job_not_found(id))?;
        etags::check(etag, job.revision())?;
        change(&mut job, self.clock.now()).map_err(status::broken)?;
        store::save_job(&mut tx, &job).await?;
        self.conclude(tx, call, &["snapshot_job_changed"]).await?;
        Ok(job)
    }

    /// Changes a channel that the caller sees; nothing that happened is nothing to change.
    pub(super) async fn change_channel<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
        change: impl FnOnce(&mut Channel, &Member, DateTime<Utc>) -> Result<Vec<ChannelEvent>, Failure>,
    ) -> Result<Channel, Failure> {
        match self.hold_channel(call, (id, etag)).await? {
            Held::Done(channel) => Ok(channel),
            Held::Open(tx, mut channel) => {
                let happened = change(&mut channel, call.member()?, self.clock.now())?;
                self.keep_channel(tx, call, channel, happened).await
            }
        }
    }

    /// A channel that the caller sees, held until the transaction ends, unless the call was done before: that is
    /// answered whatever has changed since.
    pub(super) async fn hold_channel<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
    ) -> Result<Held, Failure> {
        let mut tx = self.begin(call).await?;
        let claimed = claim(&mut tx, call, id).await?;
        let seen = visible::channel(&mut tx, call, id).await?;
        if claimed != Claim::New {
            return Ok(Held::Done(seen));
        }
        let held = store::lock_channel(&mut tx, seen.account(), seen.id()).await?;
        let channel = held.ok_or_else(|| status::channel_not_found(id))?;
        etags::check(etag, channel.revision())?;
        Ok(Held::Open(tx, channel))
    }

    /// Writes what happened to a channel that is held, and makes it durable.
    pub(super) async fn keep_channel<M: Mutation>(
        &self,
        mut tx: Tx,
        call: &Call<M>,
        channel: Channel,
        happened: Vec<ChannelEvent>,
    ) -> Result<Channel, Failure> {
        if happened.is_empty() {
            return Ok(channel);
        }
        let actor = call.caller.actor();
        store::save_channel(&mut tx, &channel, &happened, self.cause(call, &actor)).await?;
        let names: Vec<_> = happened.iter().map(ChannelEvent::name).collect();
        self.conclude(tx, call, &names).await?;
        Ok(channel)
    }
}
