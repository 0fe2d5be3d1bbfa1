//! The steps that writes share: claim the request id, load what the caller has access to, answer a replay, lock, check
//! the etag, apply the domain rules, save, commit. Handlers supply only the call of the domain.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_store::{Claim, Db, Tx, begin, claim, commit};
use cosell_types::Member as CallingMember;

use crate::domain::access::Action;
use crate::domain::{
    Account, AccountEvent, Connection, ConnectionEvent, Invitation, InvitationEvent, Member, MemberEvent,
};
use crate::events::CONTEXT;
use crate::load::{load_connection, load_invitation, load_member, lock_account, require_still_permitted};
use crate::{status, store};

/// An aggregate that [`change`] and [`create`] load and save.
pub trait Aggregate: Sized {
    /// The domain event of a change.
    type Event;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure>;
    /// Locks the accounts whose invariants a change can affect.
    async fn lock<M>(&self, tx: &mut Tx, call: &Call<M>) -> Result<(), Failure>;
    fn revision(&self) -> i64;
    async fn save(&self, tx: &mut Tx, event: Self::Event, cause: Cause<'_>) -> Result<(), Failure>;
}

/// The transaction and the caller of a [`change`].
pub struct ChangeContext<'a> {
    pub tx: &'a mut Tx,
    /// The caller with its current roles.
    pub caller: CallingMember,
}

/// Changes the aggregate with this id. `apply` returns no event when nothing changes; a replay returns the current
/// state without running it. Permission and state are checked again under the lock.
pub async fn change<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    action: Action,
    (id, etag): (&str, &str),
    now: DateTime<Utc>,
    apply: impl AsyncFnOnce(ChangeContext<'_>, &mut A) -> Result<Option<A::Event>, Failure>,
) -> Result<A, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let current = A::load(&mut tx, call, id).await?;
    if claimed != Claim::New {
        return Ok(current);
    }
    current.lock(&mut tx, call).await?;
    let caller = require_still_permitted(&mut tx, call, action).await?;
    let mut aggregate = A::load(&mut tx, call, id).await?;
    etags::check(etag, aggregate.revision())?;
    let context = ChangeContext { tx: &mut tx, caller };
    if let Some(event) = apply(context, &mut aggregate).await? {
        aggregate.save(&mut tx, event, Cause::of(call, now)).await?;
        commit_change(tx, call).await?;
    }
    Ok(aggregate)
}

/// Creates an aggregate under this id. A replay returns the one that the first call created.
pub async fn create<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    id: &str,
    now: DateTime<Utc>,
    apply: impl AsyncFnOnce(&mut Tx) -> Result<(A, A::Event), Failure>,
) -> Result<A, Failure> {
    let mut tx = begin(db, call).await?;
    if let Claim::Replay(created_id) = claim(&mut tx, call, id).await? {
        return A::load(&mut tx, call, &created_id).await;
    }
    let (aggregate, event) = apply(&mut tx).await?;
    aggregate.save(&mut tx, event, Cause::of(call, now)).await?;
    commit_change(tx, call).await?;
    Ok(aggregate)
}

/// Commits the transaction. The transition in the metrics has the name of the RPC.
pub async fn commit_change<M: Mutation>(tx: Tx, call: &Call<M>) -> Result<(), Failure> {
    let transition = call.tag.rpc.rsplit('/').next().unwrap_or_default();
    let is_committed = commit(tx, call, CONTEXT, &[transition]).await?;
    if is_committed {
        tracing::info!(transition, "directory changed");
    }
    Ok(())
}

impl Aggregate for Account {
    type Event = AccountEvent;

    async fn load<M>(tx: &mut Tx, _: &Call<M>, id: &str) -> Result<Self, Failure> {
        let not_found = || status::account_not_found(id);
        let account_id = id.parse().map_err(|_| not_found())?;
        store::load_account(tx, &account_id).await?.ok_or_else(not_found)
    }

    async fn lock<M>(&self, tx: &mut Tx, call: &Call<M>) -> Result<(), Failure> {
        lock_account(tx, call).await.map(drop)
    }

    fn revision(&self) -> i64 {
        Account::revision(self)
    }

    async fn save(&self, tx: &mut Tx, event: AccountEvent, cause: Cause<'_>) -> Result<(), Failure> {
        Ok(store::save_account(tx, self, event, cause).await?)
    }
}

impl Aggregate for Member {
    type Event = MemberEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_member(tx, &call.member()?.account, id).await
    }

    async fn lock<M>(&self, tx: &mut Tx, call: &Call<M>) -> Result<(), Failure> {
        lock_account(tx, call).await.map(drop)
    }

    fn revision(&self) -> i64 {
        Member::revision(self)
    }

    async fn save(&self, tx: &mut Tx, event: MemberEvent, cause: Cause<'_>) -> Result<(), Failure> {
        Ok(store::save_members(tx, &[(self.clone(), event)], cause).await?)
    }
}

impl Aggregate for Invitation {
    type Event = InvitationEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_invitation(tx, &call.member()?.account, id).await
    }

    async fn lock<M>(&self, tx: &mut Tx, call: &Call<M>) -> Result<(), Failure> {
        let own = &call.member()?.account;
        store::lock_both_accounts(tx, own, &self.counterparty(own).account).await?;
        Ok(())
    }

    fn revision(&self) -> i64 {
        Invitation::revision(self)
    }

    async fn save(&self, tx: &mut Tx, event: InvitationEvent, cause: Cause<'_>) -> Result<(), Failure> {
        Ok(store::save_invitation(tx, self, event, cause).await?)
    }
}

impl Aggregate for Connection {
    type Event = ConnectionEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Self, Failure> {
        load_connection(tx, &call.member()?.account, id).await
    }

    async fn lock<M>(&self, tx: &mut Tx, call: &Call<M>) -> Result<(), Failure> {
        let own = &call.member()?.account;
        store::lock_both_accounts(tx, own, &self.counterparty(own).account).await?;
        Ok(())
    }

    fn revision(&self) -> i64 {
        Connection::revision(self)
    }

    async fn save(&self, tx: &mut Tx, event: ConnectionEvent, cause: Cause<'_>) -> Result<(), Failure> {
        Ok(store::save_connection(tx, self, event, cause).await?)
    }
}
