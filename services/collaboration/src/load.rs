//! Loads engagements, invitations, jobs and channels that the caller has access to. The error for a record without
//! access is the same as for one that does not exist.

use cosell_grpc::{Call, Failure};
use cosell_store::{Scope, Tx};
use cosell_types::{Member, Side};

use crate::domain::access;
use crate::domain::{Channel, Engagement, Invitation, SnapshotJob};
use crate::status;
use crate::store;
use crate::store::list::VisibilityScope;

pub async fn load_engagement<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Engagement, Failure> {
    let not_found = || status::engagement_not_found(id);
    let engagement_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let engagement = store::load_engagement(tx, &engagement_id).await?;
    engagement
        .filter(|engagement| access::sees_engagement(member, engagement))
        .ok_or_else(not_found)
}

pub async fn load_invitation<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<LoadedInvitation, Failure> {
    let not_found = || status::invitation_not_found(id);
    let invitation_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let stored = store::load_invitation(tx, &invitation_id).await?;
    let (invitation, content) = stored
        .filter(|(invitation, _)| sees_invitation(member, invitation))
        .ok_or_else(not_found)?;
    Ok(LoadedInvitation { invitation, content })
}

fn sees_invitation(member: &Member, invitation: &Invitation) -> bool {
    match member.side {
        Side::Aws => true,
        Side::Partner if member.account == *invitation.sender() => {
            access::sees_records_of(member, invitation.sent_by())
        }
        // A received invitation has no owner yet (COL-013).
        Side::Partner => member.sees_whole_pipeline() && member.account == *invitation.receiver(),
    }
}

pub async fn load_job<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<SnapshotJob, Failure> {
    let not_found = || status::job_not_found(id);
    let snapshot_job_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let job = store::load_job(tx, &member.account, &snapshot_job_id).await?;
    job.filter(|job| access::sees_records_of(member, job.created_by()))
        .ok_or_else(not_found)
}

pub async fn load_channel<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Channel, Failure> {
    let not_found = || status::channel_not_found(id);
    let channel_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let channel = store::load_channel(tx, &channel_id).await?;
    channel
        .filter(|channel| access::sees_channel(member, channel))
        .ok_or_else(not_found)
}

/// The engagements, channels and jobs that lists show to a member.
pub fn visibility_scope(member: &Member) -> VisibilityScope {
    match member.side {
        Side::Aws => VisibilityScope::All,
        Side::Partner if member.sees_whole_pipeline() => VisibilityScope::Account(member.account.clone()),
        Side::Partner => VisibilityScope::Member(member.account.clone(), member.id.clone()),
    }
}

/// An engagement invitation and its content: the data of the opportunity that sender and receiver can read (COL-011).
pub struct LoadedInvitation {
    pub invitation: Invitation,
    pub content: Option<Vec<u8>>,
}

/// An invitation that the caller's account has received.
pub async fn load_received_invitation<M>(
    tx: &mut Tx,
    call: &Call<M>,
    id: &str,
) -> Result<LoadedInvitation, Failure> {
    let loaded = load_invitation(tx, call, id).await?;
    if *loaded.invitation.receiver() == call.member()?.account {
        Ok(loaded)
    } else {
        Err(status::invitation_not_found(id))
    }
}

/// Locks the engagement of an invitation, and loads the invitation again under the lock. The transaction has the scope
/// of the receiver afterwards.
pub async fn lock_invitation(tx: &mut Tx, invitation: &mut Invitation) -> Result<Engagement, Failure> {
    let missing = || Failure::internal("the engagement of an invitation does not exist");
    let engagement = store::lock_engagement(tx, invitation.sender(), invitation.engagement()).await?;
    tx.switch_scope(&Scope::account(invitation.receiver())).await?;
    let current = store::load_received_invitation(tx, invitation.receiver(), invitation.id()).await?;
    *invitation = current.ok_or_else(missing)?;
    engagement.ok_or_else(missing)
}
