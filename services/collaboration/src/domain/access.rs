//! Who may do what (ACC-010, COL-005, COL-050). The role decides whether a call may be made at all; who of a company
//! works on an engagement decides whether the caller learns that it exists.

use cosell_types::{Caller, Member, MemberId, Role, Side};

use super::{Channel, Engagement, Person};

/// What can be asked of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// ShareOpportunity, and all changes of engagements and jobs.
    Work,
    /// AcceptEngagementInvitation, RejectEngagementInvitation.
    Answer,
    /// ListEngagementInvitations.
    ListInvitations,
    /// All other reads but those of jobs.
    Read,
    /// GetChannel.
    ReadChannel,
    /// ApproveChannel, DeclineChannel, AddChannelMembers, ArchiveChannel.
    Decide,
    /// JoinChannel, LeaveChannel, and the preferences of channels.
    Chat,
}

/// The service that tells people where the channel is to which they are asked.
const NOTIFICATION: &str = "notification";

/// Whether the caller may make the call.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        Caller::Service(name) => return action == Action::ReadChannel && name.as_str() == NOTIFICATION,
        Caller::Member(member) => member,
    };
    let is_aws = member.side == Side::Aws && member.has_any(&Role::SALES);
    let sees_all = member.side == Side::Partner && member.has_any(&Role::WHOLE_PIPELINE);
    let sees_own = member.side == Side::Partner && member.has_any(&Role::OWN_RECORDS);
    match action {
        Action::Work => sees_all || sees_own,
        Action::Answer => sees_all,
        Action::ListInvitations => sees_all || is_aws,
        Action::Read | Action::ReadChannel | Action::Chat => sees_all || sees_own || is_aws,
        Action::Decide => member.side == Side::Aws && member.has_any(&[Role::AccountOwner]),
    }
}

/// Whether the member sees all that its company does.
pub fn sees_whole_pipeline(member: &Member) -> bool {
    member.has_any(&Role::WHOLE_PIPELINE)
}

/// Whether the member works on what a member of its company began or accepted.
pub fn works_on(member: &Member, by: &MemberId) -> bool {
    sees_whole_pipeline(member) || member.id == *by
}

/// Whether the member sees the engagement: AWS those whose deal it sees, partners those that their company is part of and that they work on.
pub fn sees(member: &Member, engagement: &Engagement) -> bool {
    match member.side {
        Side::Aws => !engagement.is_limited(),
        Side::Partner => engagement
            .members()
            .find(|one| one.account == member.account)
            .is_some_and(|one| one.by.as_ref().is_some_and(|by| works_on(member, by))),
    }
}

/// Whether the member sees the channel: AWS all, partners those of their company that they asked for, are in, or see as
/// all of its pipeline (CHN-005).
pub fn sees_channel(member: &Member, channel: &Channel) -> bool {
    let is_own = member.account == *channel.account();
    match member.side {
        Side::Aws => true,
        Side::Partner => {
            is_own && (works_on(member, channel.requested_by()) || channel.member(&person(member)).is_some())
        }
    }
}

/// The member as one of the people of a channel.
pub fn person(member: &Member) -> Person {
    Person {
        account: member.account.clone(),
        member: member.id.clone(),
    }
}

/// Whether somebody of the partner can be in a channel of its company (CHN-003).
pub fn can_chat(member: &Member) -> bool {
    member.has_any(&Role::WHOLE_PIPELINE) || member.has_any(&Role::OWN_RECORDS) || member.side == Side::Aws
}
