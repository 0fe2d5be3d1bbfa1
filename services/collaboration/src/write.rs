//! The write frame of calls: claim the request id, load what the caller has access to, answer a replay, lock and check
//! access again, check the etag, apply the domain, save, commit. Handlers supply only the domain part.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_store::{Claim, Db, Scope, Tx, begin, claim, commit};
use cosell_types::AccountId;

use crate::domain::{
    Channel, ChannelEvent, Engagement, EngagementEvent, Invitation, InvitationEvent, SnapshotJob, access,
};
use crate::events::CONTEXT;
use crate::load::{
    LoadedInvitation, load_channel, load_engagement, load_invitation, load_job, lock_invitation,
};
use crate::{status, store};

/// An aggregate that calls change.
pub trait Aggregate: Sized {
    type Event;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure>;
    /// The current state, locked until the transaction ends. Fails when the caller has lost access since it was loaded.
    async fn lock<M>(self, tx: &mut Tx, call: &Call<M>) -> Result<Self, Failure>;
    fn revision(&self) -> i64;
    /// Saves the aggregate and its events; returns the names of the transitions.
    async fn save<M>(
        &mut self,
        tx: &mut Tx,
        call: &Call<M>,
        events: &[Self::Event],
        now: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, Failure>;
}

/// Changes the aggregate with this id. `apply` returns no events when nothing changes; a replay returns the current
/// state without running it.
pub async fn change<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    (id, etag): (&str, &str),
    now: DateTime<Utc>,
    apply: impl AsyncFnOnce(&mut Tx, &mut A) -> Result<Vec<A::Event>, Failure>,
) -> Result<A, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let loaded = A::load(&mut tx, call, id).await?;
    if claimed != Claim::New {
        return Ok(loaded);
    }
    let mut aggregate = loaded.lock(&mut tx, call).await?;
    etags::check(etag, aggregate.revision())?;
    let events = apply(&mut tx, &mut aggregate).await?;
    if !events.is_empty() {
        let transitions = aggregate.save(&mut tx, call, &events, now).await?;
        commit(tx, call, CONTEXT, &transitions).await?;
    }
    Ok(aggregate)
}

/// The aggregate that an earlier call with this request id created, or `None` for a new request. For handlers that call
/// another service before [`create`]: it releases the connection, and [`create`] claims the request id again.
pub async fn load_replayed<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    id: &str,
) -> Result<Option<A>, Failure> {
    let mut tx = begin(db, call).await?;
    match claim(&mut tx, call, id).await? {
        Claim::New => Ok(None),
        Claim::Replay(created) => A::load(&mut tx, call, &created).await.map(Some),
    }
}

/// Creates an aggregate under this id. A replay returns the one that the first call created.
pub async fn create<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    id: &str,
    apply: impl AsyncFnOnce(&mut Tx) -> Result<(A, Vec<&'static str>), Failure>,
) -> Result<A, Failure> {
    let mut tx = begin(db, call).await?;
    if let Claim::Replay(created) = claim(&mut tx, call, id).await? {
        return A::load(&mut tx, call, &created).await;
    }
    let (aggregate, transitions) = apply(&mut tx).await?;
    commit(tx, call, CONTEXT, &transitions).await?;
    Ok(aggregate)
}

impl Aggregate for Engagement {
    type Event = EngagementEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_engagement(tx, call, id).await
    }

    async fn lock<M>(self, tx: &mut Tx, call: &Call<M>) -> Result<Self, Failure> {
        let member = call.member()?;
        let locked = store::lock_engagement(tx, self.account(), self.id()).await?;
        locked
            .filter(|engagement| access::sees_engagement(member, engagement))
            .ok_or_else(|| status::engagement_not_found(self.id().as_str()))
    }

    fn revision(&self) -> i64 {
        Engagement::revision(self)
    }

    async fn save<M>(
        &mut self,
        tx: &mut Tx,
        call: &Call<M>,
        events: &[EngagementEvent],
        now: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, Failure> {
        store::save_engagement(tx, self, events, Cause::of(call, now)).await?;
        Ok(events.iter().map(EngagementEvent::name).collect())
    }
}

impl Aggregate for Channel {
    type Event = ChannelEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_channel(tx, call, id).await
    }

    async fn lock<M>(self, tx: &mut Tx, call: &Call<M>) -> Result<Self, Failure> {
        let member = call.member()?;
        let locked = store::lock_channel(tx, self.account(), self.id()).await?;
        locked
            .filter(|channel| access::sees_channel(member, channel))
            .ok_or_else(|| status::channel_not_found(self.id().as_str()))
    }

    fn revision(&self) -> i64 {
        Channel::revision(self)
    }

    async fn save<M>(
        &mut self,
        tx: &mut Tx,
        call: &Call<M>,
        events: &[ChannelEvent],
        now: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, Failure> {
        store::save_channel(tx, self, events, Cause::of(call, now)).await?;
        Ok(events.iter().map(ChannelEvent::name).collect())
    }
}

/// The only event of a snapshot job; it is not published.
pub struct JobChanged;

impl Aggregate for SnapshotJob {
    type Event = JobChanged;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_job(tx, call, id).await
    }

    async fn lock<M>(self, tx: &mut Tx, call: &Call<M>) -> Result<Self, Failure> {
        let (member, account) = (call.member()?, &self.subject().account);
        tx.switch_scope(&Scope::account(account)).await?;
        let locked = store::lock_job(tx, account, self.id()).await?;
        locked
            .filter(|job| access::sees_records_of(member, job.created_by()))
            .ok_or_else(|| status::job_not_found(self.id().as_str()))
    }

    fn revision(&self) -> i64 {
        SnapshotJob::revision(self)
    }

    async fn save<M>(
        &mut self,
        tx: &mut Tx,
        _: &Call<M>,
        _: &[JobChanged],
        _: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, Failure> {
        store::save_job(tx, self).await?;
        Ok(vec!["snapshot_job_changed"])
    }
}

/// Which of the two accounts of an invitation may end it: only the sender can cancel it, only the receiver reject it.
pub trait Party {
    fn account(invitation: &Invitation) -> &AccountId;
}

/// The sender of an invitation.
pub struct Sender;
/// The receiver of an invitation.
pub struct Receiver;

impl Party for Sender {
    fn account(invitation: &Invitation) -> &AccountId {
        invitation.sender()
    }
}

impl Party for Receiver {
    fn account(invitation: &Invitation) -> &AccountId {
        invitation.receiver()
    }
}

/// An invitation that a party ends, with its engagement, whose participant ends with it.
pub struct EndingInvitation<P> {
    pub loaded: LoadedInvitation,
    engagement: Option<Engagement>,
    party: PhantomData<P>,
}

impl<P> EndingInvitation<P> {
    pub fn invitation(&mut self) -> &mut Invitation {
        &mut self.loaded.invitation
    }
}

impl<P: Party> Aggregate for EndingInvitation<P> {
    type Event = InvitationEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        let loaded = load_invitation(tx, call, id).await?;
        if *P::account(&loaded.invitation) != call.member()?.account {
            return Err(status::invitation_not_found(id));
        }
        Ok(Self {
            loaded,
            engagement: None,
            party: PhantomData,
        })
    }

    async fn lock<M>(mut self, tx: &mut Tx, _: &Call<M>) -> Result<Self, Failure> {
        self.engagement = Some(lock_invitation(tx, &mut self.loaded.invitation).await?);
        Ok(self)
    }

    fn revision(&self) -> i64 {
        self.loaded.invitation.revision()
    }

    async fn save<M>(
        &mut self,
        tx: &mut Tx,
        call: &Call<M>,
        events: &[InvitationEvent],
        now: DateTime<Utc>,
    ) -> Result<Vec<&'static str>, Failure> {
        let cause = Cause::of(call, now);
        let invitation = &self.loaded.invitation;
        let mut transitions = Vec::new();
        for event in events {
            store::save_invitation(tx, invitation, *event, cause).await?;
            transitions.push(event.name());
        }
        if let Some(engagement) = &mut self.engagement {
            let by = Some(call.member()?.account.clone());
            let ended: Vec<_> = engagement
                .invitation_ended(invitation, by, now)
                .into_iter()
                .collect();
            store::save_engagement(tx, engagement, &ended, cause).await?;
            transitions.extend(ended.iter().map(EngagementEvent::name));
        }
        Ok(transitions)
    }
}
