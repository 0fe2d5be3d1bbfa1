//! Loads records of the caller's account, and locks the accounts that a change affects. The error for a record of
//! another account equals the one for a record that does not exist.

use cosell_grpc::{Call, Failure};
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, Caller, Member as CallingMember, MemberId, Pii};

use crate::domain::access::{self, Action};
use crate::domain::values::{ConnectionType, MemberStatus};
use crate::domain::{Account, Connection, Invitation, Member, Roster, SubsidiaryLinks};
use crate::{status, store};

/// The member of an account with this id.
pub async fn load_member(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Member, Failure> {
    let not_found = || status::member_not_found(id);
    let id = id.parse().map_err(|_| not_found())?;
    let member = store::load_member(tx, account, &id).await?;
    member.ok_or_else(not_found)
}

/// The invitation with this id that an account sent or received.
pub async fn load_invitation(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Invitation, Failure> {
    let invitation = store::load_invitation(tx, account, id).await?;
    invitation.ok_or_else(|| status::invitation_not_found(id))
}

/// The connection of an account with this id.
pub async fn load_connection(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Connection, Failure> {
    let connection = store::load_connection(tx, account, id).await?;
    connection.ok_or_else(|| status::connection_not_found(id))
}

/// The caller's account, locked: constraints over several of its records are checked under this lock.
pub async fn lock_account<M>(tx: &mut Tx, call: &Call<M>) -> Result<Account, Failure> {
    let id = &call.member()?.account;
    let account = store::lock_account(tx, id).await?;
    account.ok_or_else(|| status::account_not_found(id.as_str()))
}

/// The caller with its current roles, read under the lock of its account, where they cannot change. Fails if it has
/// lost the permission since the call arrived.
pub async fn require_still_permitted<M>(
    tx: &mut Tx,
    call: &Call<M>,
    action: Action,
) -> Result<CallingMember, Failure> {
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

/// The roster that an e-mail address is checked against: the members of the account with this address or a limited
/// role, and the domains of all members. `except` is the member that gets the address.
pub async fn load_roster_for_email(
    tx: &mut Tx,
    account: &AccountId,
    email: &Pii<String>,
    except: Option<&MemberId>,
) -> Result<Roster, Failure> {
    let mut roster = store::load_roster(tx, account, &[email.reveal().clone()]).await?;
    if let Some(member) = except {
        roster.remove(member);
    }
    roster.email_domains = store::load_email_domains(tx, account, except).await?;
    Ok(roster)
}

/// The SUBSIDIARY links of `own` and `other`, in this order; empty for other connection types, which links do not
/// affect.
pub async fn load_links(
    tx: &mut Tx,
    kind: ConnectionType,
    own: &AccountId,
    other: &AccountId,
) -> Result<[SubsidiaryLinks; 2], Failure> {
    if kind != ConnectionType::Subsidiary {
        return Ok([SubsidiaryLinks::default(); 2]);
    }
    let scope = tx.scope().clone();
    let own_links = store::load_subsidiary_links(tx, own).await?;
    tx.switch_scope(&Scope::account(other)).await?;
    let other_links = store::load_subsidiary_links(tx, other).await?;
    tx.switch_scope(&scope).await?;
    Ok([own_links, other_links])
}
