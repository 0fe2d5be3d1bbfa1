//! The replica's rows, and the events that feed them.

use cosell_events::{Delivery, Fault, Handler};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, Member, MemberId, Role, Side};

/// The context whose events feed the replica.
pub const CONTEXT: &str = "partner";

/// Feeds the replica, in services that want nothing else of these events.
#[derive(Clone, Debug)]
pub struct FromPartner;

impl Handler for FromPartner {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        take_over(tx, delivery).await
    }
}

/// Takes over what an event says of a member or an account; other events are none of its business.
pub async fn take_over(tx: &mut Tx, delivery: &Delivery) -> Result<(), Fault> {
    if let Some(member) = delivery.detail::<pb::MemberEventDetail>()? {
        let id: MemberId = member
            .member_id
            .parse()
            .map_err(|_| Fault::permanent("member_id"))?;
        let is_active = member.status() == pb::MemberStatus::Active;
        upsert_member(
            tx,
            &delivery.account,
            &id,
            member.revision,
            is_active,
            &member.roles,
        )
        .await?;
    } else if let Some(account) = delivery.detail::<pb::AccountEventDetail>()? {
        let side = Side::from_number(account.side).ok_or_else(|| Fault::permanent("side"))?;
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

/// What is known of an account.
#[derive(Clone, Debug)]
pub(crate) struct AccountState {
    pub side: Side,
    pub is_active: bool,
    pub terms_accepted: bool,
    pub facts: Facts,
}

/// What the directory says of a company, by the names of its lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What kind of partner it is, such as `ISV`.
    pub partner_types: Vec<String>,
    /// How far it has come in the programme, such as `ADVANCED`.
    pub tier: String,
}

pub(crate) fn facts(kinds: &[i32], tier: pb::PartnerTier) -> Facts {
    let kinds = kinds
        .iter()
        .filter_map(|kind| pb::PartnerType::try_from(*kind).ok());
    let name = |name: &str, prefix: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let tier = match tier {
        // From before there were tiers.
        pb::PartnerTier::Unspecified => pb::PartnerTier::Registered,
        tier => tier,
    };
    Facts {
        partner_types: kinds
            .map(|kind| name(kind.as_str_name(), "PARTNER_TYPE_"))
            .collect(),
        tier: name(tier.as_str_name(), "PARTNER_TIER_"),
    }
}

/// What the directory says of an account; none when it is not known here yet.
pub async fn account_facts(tx: &mut Tx, account: &AccountId) -> Result<Option<Facts>, Error> {
    let facts = sqlx::query_as!(
        Facts,
        "SELECT partner_types, tier FROM directory_account WHERE account_id = $1",
        account.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(facts)
}

/// Where a company stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It is a partner, and not AWS.
    pub is_partner: bool,
    /// It is active.
    pub is_active: bool,
    /// It has accepted the terms of the programme.
    pub terms_accepted: bool,
    /// How far it has come in the programme, such as `ADVANCED`.
    pub tier: String,
}

/// Where an account stands; none when it is not known here yet.
pub async fn account_standing(tx: &mut Tx, account: &AccountId) -> Result<Option<Standing>, Error> {
    let standing = sqlx::query_as!(
        Standing,
        r#"SELECT side = 'PARTNER' AS "is_partner!", is_active, terms_accepted, tier
           FROM directory_account WHERE account_id = $1"#,
        account.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(standing)
}

/// A member, as long as it and its account are active.
pub async fn active_member(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
) -> Result<Option<Member>, Error> {
    let known = load(tx, account, member).await?;
    let active = known.filter(|known| known.is_active && known.account.is_active);
    Ok(active.map(|known| Member {
        id: member.clone(),
        account: account.clone(),
        side: known.account.side,
        roles: known.roles,
    }))
}

/// What is known of a member and its account.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub account: AccountState,
    pub is_active: bool,
    pub roles: Vec<Role>,
}

/// A member, unless it or its account is not known yet.
pub(crate) async fn load(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
) -> Result<Option<Known>, Error> {
    let row = sqlx::query!(
        "SELECT m.is_active, m.roles, a.side, a.is_active AS account_is_active, a.terms_accepted, a.partner_types,
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
    Ok(Some(Known {
        account: AccountState {
            side,
            is_active: row.account_is_active,
            terms_accepted: row.terms_accepted,
            facts: Facts {
                partner_types: row.partner_types,
                tier: row.tier,
            },
        },
        is_active: row.is_active,
        roles: row
            .roles
            .iter()
            .filter_map(|name| Role::from_name(name))
            .collect(),
    }))
}

/// Takes a member over, unless something newer is known.
pub(crate) async fn upsert_member(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    revision: i64,
    is_active: bool,
    roles: &[i32],
) -> Result<(), Error> {
    let roles: Vec<_> = roles
        .iter()
        .filter_map(|number| Role::from_number(*number))
        .map(|role| role.name().to_owned())
        .collect();
    sqlx::query!(
        "INSERT INTO directory_member (account_id, member_id, revision, is_active, roles)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = $3, is_active = $4, roles = $5
         WHERE directory_member.revision < $3",
        account.as_str(),
        member.as_str(),
        revision,
        is_active,
        &roles,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes an account over, unless something newer is known.
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
