//! What a caller may see of engagements; what it may not does not exist for it.

use cosell_grpc::{Call, Failure};
use cosell_store::{Scope, Tx};
use cosell_types::{Member, Side};

use super::status;
use crate::domain::access;
use crate::domain::{Channel, Engagement, Invitation, SnapshotJob};
use crate::store;
use crate::store::list::Reach;

/// The engagement that a member asks for.
pub async fn engagement<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Engagement, Failure> {
    let not_found = || status::engagement_not_found(id);
    let engagement_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let found = store::load_engagement(tx, &engagement_id).await?;
    found
        .filter(|engagement| access::sees(member, engagement))
        .ok_or_else(not_found)
}

/// The invitation that a member asks for, with what the receiver may know.
pub async fn invitation<M>(
    tx: &mut Tx,
    call: &Call<M>,
    id: &str,
) -> Result<(Invitation, Option<Vec<u8>>), Failure> {
    let not_found = || status::invitation_not_found(id);
    let invitation_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let found = store::load_invitation(tx, &invitation_id).await?;
    found
        .filter(|(invitation, _)| sees_invitation(member, invitation))
        .ok_or_else(not_found)
}

fn sees_invitation(member: &Member, invitation: &Invitation) -> bool {
    match member.side {
        Side::Aws => true,
        Side::Partner if member.account == *invitation.sender() => {
            access::works_on(member, invitation.sent_by())
        }
        // To its receiver it is nobody's own yet.
        Side::Partner => access::sees_whole_pipeline(member) && member.account == *invitation.receiver(),
    }
}

/// The job that a member asks for.
pub async fn job<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<SnapshotJob, Failure> {
    let not_found = || status::job_not_found(id);
    let snapshot_job_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let found = store::load_job(tx, &member.account, &snapshot_job_id).await?;
    found
        .filter(|job| access::works_on(member, job.by()))
        .ok_or_else(not_found)
}

/// The channel that a caller asks for.
pub async fn channel<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<Channel, Failure> {
    let not_found = || status::channel_not_found(id);
    let channel_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let found = store::load_channel(tx, &channel_id).await?;
    found
        .filter(|channel| access::sees_channel(member, channel))
        .ok_or_else(not_found)
}

/// What lists of engagements, channels and jobs show to a member.
pub fn reach(member: &Member) -> Reach {
    match member.side {
        Side::Aws => Reach::All,
        Side::Partner if access::sees_whole_pipeline(member) => Reach::Company(member.account.clone()),
        Side::Partner => Reach::Own(member.account.clone(), member.id.clone()),
    }
}

/// The invitation that a member has received for its company.
pub async fn received<M>(
    tx: &mut Tx,
    call: &Call<M>,
    id: &str,
) -> Result<(Invitation, Option<Vec<u8>>), Failure> {
    let (invitation, shown) = self::invitation(tx, call, id).await?;
    if *invitation.receiver() == call.member()?.account {
        Ok((invitation, shown))
    } else {
        Err(status::invitation_not_found(id))
    }
}

/// The engagement of an invitation, held until the transaction ends, and the invitation as it is now that it is held.
/// The transaction is for the receiver afterwards.
pub async fn held(tx: &mut Tx, invitation: &mut Invitation) -> Result<Engagement, Failure> {
    let gone = || Failure::internal("an invitation to an engagement that is gone");
    let engagement = store::lock_engagement(tx, invitation.sender(), invitation.engagement()).await?;
    tx.act_for(&Scope::account(invitation.receiver())).await?;
    let present = store::load_own_invitation(tx, invitation.receiver(), invitation.id()).await?;
    *invitation = present.ok_or_else(gone)?;
    engagement.ok_or_else(gone)
}
