use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId};
use sqlx::types::Json;

use crate::domain::values::EngagementMemberState;
use crate::domain::{Engagement, EngagementEvent, EngagementId, Participant};
use crate::events;

/// The unique index that permits one engagement per opportunity (COL-004).
const OPPORTUNITY_INDEX: &str = "engagement_of_opportunity";

/// The engagement, if row-level security makes it visible.
pub async fn load_engagement(tx: &mut Tx, id: &EngagementId) -> Result<Option<Engagement>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Engagement>" FROM engagement WHERE engagement_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The engagement in which an account has shared an opportunity, locked until the transaction ends.
pub async fn lock_engagement_of_opportunity(
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

/// An engagement, locked until the transaction ends. All changes of an engagement and its invitations take this lock
/// first, so they run sequentially. The transaction has the scope of the creating account afterwards.
pub async fn lock_engagement(
    tx: &mut Tx,
    owner: &AccountId,
    id: &EngagementId,
) -> Result<Option<Engagement>, Error> {
    tx.switch_scope(&Scope::account(owner)).await?;
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

/// The member who created or accepted a current or former membership of the account. The only member without a
/// whole-pipeline role who has access to the engagement.
pub async fn load_joined_by(
    tx: &mut Tx,
    account: &AccountId,
    engagement: &str,
) -> Result<Option<MemberId>, Error> {
    let member_id = sqlx::query_scalar!(
        "SELECT by_member_id FROM engagement_member WHERE account_id = $1 AND engagement_id = $2",
        account.as_str(),
        engagement,
    )
    .fetch_optional(tx.conn())
    .await?;
    member_id
        .map(|id| id.parse().map_err(|error| Error::corrupt("by_member_id", error)))
        .transpose()
}

/// An engagement of which the account is an active member, locked until the transaction ends; `None` for other
/// accounts. The transaction has the scope of the creating account afterwards, or for `None` of this one.
pub async fn lock_engagement_of_member(
    tx: &mut Tx,
    account: &AccountId,
    id: &EngagementId,
) -> Result<Option<Engagement>, Error> {
    tx.switch_scope(&Scope::account(account)).await?;
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

/// The only function that writes an engagement: its row, the membership rows, and an event for each recipient. The
/// transaction has the scope of the creating account afterwards.
pub async fn save_engagement(
    tx: &mut Tx,
    engagement: &Engagement,
    engagement_events: &[EngagementEvent],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let Some(first) = engagement_events.first() else {
        return Ok(());
    };
    tx.switch_scope(&Scope::account(engagement.account())).await?;
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
    // A concurrent call has shared the same opportunity for the first time.
    .map_err(|error| if error.violates(OPPORTUNITY_INDEX) { Error::VersionConflict } else { error })?;
    require_written(rows.rows_affected())?;
    for event in engagement_events {
        for (account, event_number) in &event.recipients {
            tx.switch_scope(&Scope::account(account)).await?;
            if let Some(participant) = engagement.participant(account) {
                save_membership(tx, engagement, participant).await?;
            }
            append(
                tx,
                &events::engagement(engagement, event, (account, *event_number), cause),
            )
            .await?;
        }
    }
    tx.switch_scope(&Scope::account(engagement.account())).await
}

/// Saves the row that gives an account access to the engagement. An account that never joined has none.
async fn save_membership(
    tx: &mut Tx,
    engagement: &Engagement,
    participant: &Participant,
) -> Result<(), Error> {
    let has_joined = matches!(
        participant.state,
        EngagementMemberState::Active | EngagementMemberState::Left | EngagementMemberState::Removed
    );
    let (Some(joined_by), Some(opportunity), true) =
        (&participant.joined_by, participant.opportunity, has_joined)
    else {
        return Ok(());
    };
    sqlx::query!(
        "INSERT INTO engagement_member (account_id, engagement_id, owner_account_id, state, by_member_id, opportunity_id,
           create_time, end_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, engagement_id) DO UPDATE SET state = $4, by_member_id = $5, opportunity_id = $6,
           end_time = $8",
        participant.account.as_str(),
        engagement.id().as_str(),
        engagement.account().as_str(),
        participant.state.name(),
        joined_by.as_str(),
        opportunity.number(),
        engagement.create_time(),
        participant.end_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
