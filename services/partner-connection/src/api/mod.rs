//! The RPCs: one file each, in which the handler is the use case. `<service>.rs` lists those of one
//! gRPC service.

mod accept_invitation;
mod accept_membership;
mod accept_terms;
mod account_service;
mod apply_directory;
mod cancel_connection;
mod cancel_invitation;
mod connection_service;
mod convert;
mod create_invitation;
mod deactivate_member;
mod get_account;
mod get_connection;
mod get_invitation;
mod get_member;
mod get_partner;
mod get_preferences;
mod invite_member;
mod list_assignable;
mod list_connections;
mod list_invitations;
mod list_members;
mod list_partners;
mod member_service;
mod reject_invitation;
mod set_member_roles;
mod set_visibility;
mod status;
mod transfer_alliance_lead;
mod update_member;
mod update_preferences;
mod update_profile;

use std::sync::Arc;

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_store::{Claim, Db, Scope, Tx, claim};
use cosell_telemetry::metrics;
use cosell_types::{AccountId, Caller, Clock, Member as CallingMember, MemberId, Pii, ServiceName};
use opentelemetry::KeyValue;
use tonic::{Response, Status};

use crate::domain::access::{self, Action};
use crate::domain::values::MemberStatus;
use crate::domain::{
    Account, AccountEvent, Connection, Invitation, InvitationEvent, Member, MemberEvent, Quotas, Roster, Rule,
};
use crate::{events, store};

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) quotas: Quotas,
    pub(crate) provisioners: Arc<[ServiceName]>,
}

type Answer<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// The caller's own account, locked: whatever has to hold over several of its records is checked under this lock. And
/// the caller as it stands now: what it might do when the call came may have been taken from it since.
async fn own_account<M>(
    tx: &mut Tx,
    call: &Call<M>,
    action: Action,
) -> Result<(Account, CallingMember), Failure> {
    let caller = call.member()?;
    let account = store::lock_account(tx, &caller.account).await?;
    let account = account.ok_or_else(|| status::no_account(caller.account.as_str()))?;
    Ok((account, still_permitted(tx, call, action).await?))
}

/// The caller as it stands under the lock of its account, where nobody changes it; refused if it may no longer make the
/// call.
async fn still_permitted<M>(tx: &mut Tx, call: &Call<M>, action: Action) -> Result<CallingMember, Failure> {
    let caller = call.member()?;
    let member = store::load_member(tx, &caller.account, &caller.id).await?;
    let member = member.filter(|member| member.facts().status == MemberStatus::Active);
    let roles = member.map(|member| member.facts().roles.iter().copied().collect());
    let caller = CallingMember {
        roles: roles.unwrap_or_default(),
        ..caller.clone()
    };
    if access::permits(&Caller::Member(caller.clone()), action) {
        Ok(caller)
    } else {
        Err(Failure::role_not_permitted(&call.tag.rpc))
    }
}

/// The members of an account around an address that somebody is to have, but for that one; and the domains of all.
async fn roster_with(
    tx: &mut Tx,
    account: &AccountId,
    email: &Pii<String>,
    but: Option<&MemberId>,
) -> Result<Roster, Failure> {
    let mut roster = store::roster(tx, account, &[email.reveal().clone()]).await?;
    if let Some(member) = but {
        roster.remove(member);
    }
    roster.domains = store::domains(tx, account, but).await?;
    Ok(roster)
}

/// A member of the caller's account.
async fn existing_member(tx: &mut Tx, caller: &CallingMember, id: &str) -> Result<Member, Failure> {
    let not_found = || status::no_member(id);
    let id = id.parse().map_err(|_| not_found())?;
    let member = store::load_member(tx, &caller.account, &id).await?;
    member.ok_or_else(not_found)
}

/// An invitation that an account sent or received.
async fn existing_invitation(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Invitation, Failure> {
    let found = store::load_invitation(tx, account, id).await?;
    found.ok_or_else(|| status::no_invitation(id))
}

/// A connection of an account.
async fn existing_connection(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Connection, Failure> {
    let found = store::load_connection(tx, account, id).await?;
    found.ok_or_else(|| status::no_connection(id))
}

/// Answers an invitation or takes it back, and tells both companies.
async fn answer_invitation<M: Mutation>(
    api: &Api,
    call: &Call<M>,
    id: &str,
    etag: &str,
    change: impl FnOnce(&mut Invitation) -> Result<InvitationEvent, Rule>,
) -> Result<Invitation, Failure> {
    let own = &call.member()?.account;
    let mut tx = api.begin(call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let mut invitation = existing_invitation(&mut tx, own, id).await?;
    if claimed != Claim::New {
        return Ok(invitation);
    }
    let other = invitation.other(own).account.clone();
    store::lock_both(&mut tx, own, &other).await?;
    still_permitted(&mut tx, call, Action::Represent).await?;
    invitation = existing_invitation(&mut tx, own, id).await?;
    etags::check(etag, invitation.revision())?;
    let event = change(&mut invitation).map_err(status::broken)?;
    let actor = call.caller.actor();
    store::save_invitation(&mut tx, &invitation, event, api.cause(call, &actor)).await?;
    api.conclude(tx, call).await?;
    Ok(invitation)
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }

    fn cause<'a, M>(&self, call: &'a Call<M>, actor: &'a str) -> Cause<'a> {
        Cause {
            actor,
            request_id: &call.tag.request_id,
            time: self.clock.now(),
        }
    }

    async fn save_account<M: Mutation>(
        &self,
        mut tx: Tx,
        call: &Call<M>,
        account: &Account,
        event: AccountEvent,
    ) -> Result<(), Failure> {
        let actor = call.caller.actor();
        store::save_account(&mut tx, account, event, self.cause(call, &actor)).await?;
        self.conclude(tx, call).await
    }

    async fn save_member<M: Mutation>(
        &self,
        tx: &mut Tx,
        call: &Call<M>,
        member: &Member,
        event: MemberEvent,
    ) -> Result<(), Failure> {
        let actor = call.caller.actor();
        let saved = store::save_members(tx, &[(member.clone(), event)], self.cause(call, &actor)).await;
        Ok(saved?)
    }

    /// Makes the changes durable, unless the call only asked whether it would work.
    async fn conclude<M: Mutation>(&self, tx: Tx, call: &Call<M>) -> Result<(), Failure> {
        if call.message.validate_only() {
            return Ok(());
        }
        tx.commit().await?;
        let verb = call.tag.rpc.rsplit('/').next().unwrap_or_default();
        let transition = format!("{}.{verb}", events::CONTEXT);
        tracing::info!(transition, "the directory has changed");
        metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", transition)]);
        Ok(())
    }
}
