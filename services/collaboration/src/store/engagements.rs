use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, written};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId};
use sqlx::types::Json;

use crate::domain::values::EngagementMemberState;
use crate::domain::{Engagement, EngagementEvent, EngagementId, Participant};
use crate::events;

/// The index that keeps the engagements of an opportunity apart.
const OF_OPPORTUNITY: &str = "engagement_of_opportunity";

/// An engagement, whoever began it, as far as row-level security shows it.
pub async fn load_engagement(tx: &mut Tx, id: &EngagementId) -> Result<Option<Engagement>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Engagement>" FROM engagement WHERE engagement_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The engagement in which an account has shared an opportunity, held until the transaction ends.
pub async fn load_engagement_of(
    tx: &mut Tx,
    account: &AccountId,
    opportunity: OpportunityId,
) -> Result<Option<Engagement>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Engagement>" FROM engagement
           WHERE account_id = $1 AND opportunity_id = $2 FOR UPDATE"#,
        account.as_str(),
        opportunity.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// An engagement, held until the transaction ends: whatever changes of it, and of its invitations, changes one after
/// the other. The transaction is for the account afterwards that began it.
pub async fn lock_engagement(
    tx: &mut Tx,
    owner: &AccountId,
    id: &EngagementId,
) -> Result<Option<Engagement>, Error> {
    tx.act_for(&Scope::account(owner)).await?;
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Engagement>" FROM engagement
           WHERE account_id = $1 AND engagement_id = $2 FOR UPDATE"#,
        owner.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Who of a company works on an engagement that it is or was part of, beside those who see the whole pipeline.
pub async fn works_for(
    tx: &mut Tx,
    account: &AccountId,
    engagement: &str,
) -> Result<Option<MemberId>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT by_member_id FROM engagement_member WHERE account_id = $1 AND engagement_id = $2",
        account.as_str(),
        engagement,
    )
    .fetch_optional(tx.conn())
    .await?;
    found
        .map(|id| id.parse().map_err(|error| Error::corrupt("by_member_id", error)))
        .transpose()
}

/// An engagement that a company is part of, held until the transaction ends; none when it is no part of it. The
/// transaction is for the account afterwards that began it, or for this one.
pub async fn engagement_with(
    tx: &mut Tx,
    account: &AccountId,
    id: &EngagementId,
) -> Result<Option<Engagement>, Error> {
    tx.act_for(&Scope::account(account)).await?;
    let row = sqlx::query!(
        "SELECT owner_account_id FROM engagement_member
         WHERE account_id = $1 AND engagement_id = $2 AND state = 'ACTIVE'",
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let owner = row
        .owner_account_id
        .parse()
        .map_err(|error| Error::corrupt("id", error))?;
    lock_engagement(tx, &owner, id).await
}

/// The only way to write an engagement: its row, those of its companies, and an event for each that is told, or none of
/// them. The transaction is for the account afterwards that began it.
pub async fn save_engagement(
    tx: &mut Tx,
    engagement: &Engagement,
    happened: &[EngagementEvent],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let Some(first) = happened.first() else {
        return Ok(());
    };
    tx.act_for(&Scope::account(engagement.account())).await?;
    let rows = sqlx::query!(
        "INSERT INTO engagement AS row (account_id, engagement_id, opportunity_id, revision, create_time, record,
           is_limited)
         VALUES ($1, $2, $3, $4, $5, $6, $8)
         ON CONFLICT (account_id, engagement_id) DO UPDATE SET revision = $4, record = $6, is_limited = $8
           WHERE row.revision = $7::bigint - 1",
        engagement.account().as_str(),
        engagement.id().as_str(),
        engagement.opportunity().number(),
        engagement.revision(),
        engagement.create_time(),
        Json(engagement) as _,
        first.revision,
        engagement.is_limited(),
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)
    // Somebody else of the company has shared the opportunity for the first time, too.
    .map_err(|error| if error.violates(OF_OPPORTUNITY) { Error::Overtaken } else { error })?;
    written(rows.rows_affected())?;
    for event in happened {
        for (account, told) in &event.told {
            tx.act_for(&Scope::account(account)).await?;
            if let Some(participant) = engagement.participant(account) {
                save_member(tx, engagement, participant).await?;
            }
            append(
                tx,
                &events::engagement(engagement, event, (account, *told), cause),
            )
            .await?;
        }
    }
    tx.act_for(&Scope::account(engagement.account())).await
}

/// The row by which a company reaches the engagement.
async fn save_member(tx: &mut Tx, engagement: &Engagement, company: &Participant) -> Result<(), Error> {
    let is_or_was = matches!(
        company.state,
        EngagementMemberState::Active | EngagementMemberState::Left | EngagementMemberState::Removed
    );
    let (Some(by), Some(opportunity), true) = (&company.by, company.opportunity, is_or_was) else {
        return Ok(());
    };
    sqlx::query!(
        "INSERT INTO engagement_member (account_id, engagement_id, owner_account_id, state, by_member_id, opportunity_id,
           create_time, end_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, engagement_id) DO UPDATE SET state = $4, by_member_id = $5, opportunity_id = $6,
           end_time = $8",
        company.account.as_str(),
        engagement.id().as_str(),
        engagement.account().as_str(),
        company.state.name(),
        by.as_str(),
        opportunity.number(),
        engagement.create_time(),
        company.end_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
