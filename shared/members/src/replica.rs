//! The tables of the replica, and the events that update them.

use cosell_events::{Delivery, Handler, HandlerError};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, Member, MemberId, Role, Side};

/// The context whose events update the replica.
pub const CONTEXT: &str = "partner";

/// The handler that updates the replica, for services that consume these events for nothing else.
#[derive(Clone, Debug)]
pub struct DirectoryReplicaHandler;

impl Handler for DirectoryReplicaHandler {
    type Prepared = ();
    const READS_PEERS: bool = false;

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        apply_directory_event(tx, delivery).await
    }
}

/// Applies an event of a member or an account to the replica; ignores other events.
pub async fn apply_directory_event(tx: &mut Tx, delivery: &Delivery) -> Result<(), HandlerError> {
    if let Some(member) = delivery.detail::<pb::MemberEventDetail>()? {
        let id: MemberId = member
            .member_id
            .parse()
            .map_err(|_| HandlerError::permanent("member_id"))?;
        let access = MemberAccess::new(
            member.status() == pb::MemberStatus::Active,
            &member.roles,
            member.sees_all_opportunities,
        );
        upsert_member(tx, &delivery.account, &id, member.revision, &access).await?;
    } else if let Some(account) = delivery.detail::<pb::AccountEventDetail>()? {
        let side = Side::from_number(account.side).ok_or_else(|| HandlerError::permanent("side"))?;
        let is_active = account.status() == pb::AccountStatus::Active;
        let state = AccountState {
            side,
            is_active,
            terms_accepted: account.terms_accepted,
            facts: facts(&account.partner_types, account.tier()),
        };
        upsert_account(tx, &delivery.account, account.revision, &state).await?;
    }
    Ok(())
}

/// The state of an account in the replica.
#[derive(Clone, Debug)]
pub(crate) struct AccountState {
    pub side: Side,
    pub is_active: bool,
    pub terms_accepted: bool,
    pub facts: AccountFacts,
}

/// Properties of a partner account, as names of the proto enum values without prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// The partner types, such as `ISV`.
    pub partner_types: Vec<String>,
    /// The tier in the AWS partner program, such as `ADVANCED`.
    pub tier: String,
}

pub(crate) fn facts(partner_types: &[i32], tier: pb::PartnerTier) -> AccountFacts {
    let partner_types = partner_types
        .iter()
        .filter_map(|number| pb::PartnerType::try_from(*number).ok());
    let name = |name: &str, prefix: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let tier = match tier {
        // An account that was registered before tiers existed.
        pb::PartnerTier::Unspecified => pb::PartnerTier::Registered,
        tier => tier,
    };
    AccountFacts {
        partner_types: partner_types
            .map(|partner_type| name(partner_type.as_str_name(), "PARTNER_TYPE_"))
            .collect(),
        tier: name(tier.as_str_name(), "PARTNER_TIER_"),
    }
}

/// Properties of an account; `None` if the replica does not have it yet.
pub async fn account_facts(tx: &mut Tx, account: &AccountId) -> Result<Option<AccountFacts>, Error> {
    let facts = sqlx::query_as!(
        AccountFacts,
        "SELECT partner_types, tier FROM directory_account WHERE account_id = $1",
        account.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(facts)
}

/// The state of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Whether it is a partner account.
    pub is_partner: bool,
    /// Whether it is active.
    pub is_active: bool,
    /// Whether it has accepted the terms of the program.
    pub terms_accepted: bool,
    /// The tier in the AWS partner program, such as `ADVANCED`.
    pub tier: String,
}

/// The state of an account; `None` if the replica does not have it yet.
pub async fn account_summary(tx: &mut Tx, account: &AccountId) -> Result<Option<AccountSummary>, Error> {
    let state = sqlx::query_as!(
        AccountSummary,
        r#"SELECT side = 'PARTNER' AS "is_partner!", is_active, terms_accepted, tier
           FROM directory_account WHERE account_id = $1"#,
        account.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(state)
}

/// A member with its roles; `None` unless the member and its account are active.
pub async fn active_member(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
) -> Result<Option<Member>, Error> {
    let state = load(tx, account, member).await?;
    let active = state.filter(|state| state.access.is_active && state.account.is_active);
    Ok(active.map(|state| Member {
        id: member.clone(),
        account: account.clone(),
        side: state.account.side,
        roles: state.access.roles,
        sees_all_opportunities: state.access.sees_all_opportunities,
    }))
}

/// The state of a member and its account in the replica.
#[derive(Clone, Debug)]
pub(crate) struct MemberState {
    pub account: AccountState,
    pub access: MemberAccess,
}

/// What the directory grants to a member.
#[derive(Clone, Debug)]
pub(crate) struct MemberAccess {
    pub is_active: bool,
    pub roles: Vec<Role>,
    /// See [`Member::sees_all_opportunities`].
    pub sees_all_opportunities: bool,
}

impl MemberAccess {
    /// Reads the numbers of the proto enum; a role of a later release is ignored.
    pub(crate) fn new(is_active: bool, roles: &[i32], sees_all_opportunities: bool) -> Self {
        let roles = roles.iter().filter_map(|number| Role::from_number(*number));
        Self {
            is_active,
            roles: roles.collect(),
            sees_all_opportunities,
        }
    }
}

/// Loads a member with its account; `None` if the replica lacks either.
pub(crate) async fn load(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
) -> Result<Option<MemberState>, Error> {
    let row = sqlx::query!(
        "SELECT m.is_active, m.roles, m.sees_all_opportunities, a.side, a.is_active AS account_is_active, a.terms_accepted, a.partner_types,
           a.tier
         FROM directory_member m JOIN directory_account a ON a.account_id = m.account_id
         WHERE m.account_id = $1 AND m.member_id = $2",
        account.as_str(),
        member.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let side = Side::from_name(&row.side).ok_or_else(|| Error::corrupt("side", &row.side))?;
    Ok(Some(MemberState {
        account: AccountState {
            side,
            is_active: row.account_is_active,
            terms_accepted: row.terms_accepted,
            facts: AccountFacts {
                partner_types: row.partner_types,
                tier: row.tier,
            },
        },
        access: MemberAccess {
            is_active: row.is_active,
            roles: row
                .roles
                .iter()
                .filter_map(|name| Role::from_name(name))
                .collect(),
            sees_all_opportunities: row.sees_all_opportunities,
        },
    }))
}

/// Stores a member, unless the replica has a newer revision.
pub(crate) async fn upsert_member(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    revision: i64,
    access: &MemberAccess,
) -> Result<(), Error> {
    let roles: Vec<_> = access.roles.iter().map(|role| role.name().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO directory_member (account_id, member_id, revision, is_active, roles, sees_all_opportunities)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = $3, is_active = $4, roles = $5,
           sees_all_opportunities = $6
         WHERE directory_member.revision < $3",
        account.as_str(),
        member.as_str(),
        revision,
        access.is_active,
        &roles,
        access.sees_all_opportunities,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Stores an account, unless the replica has a newer revision.
pub(crate) async fn upsert_account(
    tx: &mut Tx,
    account: &AccountId,
    revision: i64,
    state: &AccountState,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO directory_account (account_id, revision, side, is_active, terms_accepted, partner_types, tier)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id) DO UPDATE SET revision = $2, side = $3, is_active = $4, terms_accepted = $5,
           partner_types = $6, tier = $7
         WHERE directory_account.revision < $2",
        account.as_str(),
        revision,
        state.side.name(),
        state.is_active,
        state.terms_accepted,
        &state.facts.partner_types,
        state.facts.tier,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
