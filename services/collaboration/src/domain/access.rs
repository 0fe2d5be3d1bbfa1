//! Access control (ACC-010, COL-005, COL-050). The caller's role decides which RPCs it can call; visibility decides
//! which engagements, invitations, jobs and channels exist for it.

use cosell_types::{Caller, Member, MemberId, Role, Side};

use super::{Channel, Engagement, MemberRef};

/// A group of RPCs that the same roles can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// ShareOpportunity, RequestChannel, all changes of engagements, all RPCs of snapshot jobs.
    ManageEngagements,
    /// AcceptEngagementInvitation, RejectEngagementInvitation.
    AnswerInvitation,
    /// ListEngagementInvitations.
    ListInvitations,
    /// All other reads.
    Read,
    /// GetChannel.
    ReadChannel,
    /// GetChannelInvitation, GetEngagementInvitationForAccount.
    ReadForAccount,
    /// ApproveChannel, DeclineChannel, AddChannelMembers, ArchiveChannel.
    ManageChannels,
    /// JoinChannel, LeaveChannel, GetChannelPreferences, UpdateChannelPreferences.
    UseChannels,
}

/// The service that sends the link of a channel to its invited members, and notifies of engagement invitations.
const NOTIFICATION: &str = "notification";

/// Whether the caller can call the RPCs of this action.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        Caller::Service(name) => {
            let is_read = matches!(action, Action::ReadChannel | Action::ReadForAccount);
            return is_read && name.as_str() == NOTIFICATION;
        }
        Caller::Member(member) => member,
    };
    let is_aws = member.side == Side::Aws && member.has_any_role(&Role::SALES);
    let sees_all = member.sees_whole_pipeline();
    match action {
        Action::ManageEngagements => member.has_pipeline_role(),
        Action::AnswerInvitation => sees_all,
        Action::ListInvitations => sees_all || is_aws,
        Action::Read | Action::ReadChannel | Action::UseChannels => member.has_pipeline_role() || is_aws,
        Action::ReadForAccount => false,
        Action::ManageChannels => member.side == Side::Aws && member.has_any_role(&[Role::AccountOwner]),
    }
}

/// Whether the member sees what this creator, itself or another member of its account, created or accepted.
pub fn sees_records_of(member: &Member, creator: &MemberId) -> bool {
    member.sees_whole_pipeline() || member.id == *creator
}

/// Whether the member sees the engagement. AWS sees all but limited ones; a partner those of which its account is an
/// active member, as far as it sees the records of the member who joined for the account (COL-020, COL-050).
pub fn sees_engagement(member: &Member, engagement: &Engagement) -> bool {
    match member.side {
        Side::Aws => !engagement.is_limited(),
        Side::Partner => engagement
            .members()
            .find(|participant| participant.account == member.account)
            .and_then(|participant| participant.joined_by.as_ref())
            .is_some_and(|joined_by| sees_records_of(member, joined_by)),
    }
}

/// Whether the member sees the channel. AWS sees all; a partner those of its account that it requested or is a member
/// of, or all with a whole-pipeline role (CHN-005).
pub fn sees_channel(member: &Member, channel: &Channel) -> bool {
    let is_own = member.account == *channel.account();
    match member.side {
        Side::Aws => true,
        Side::Partner => {
            let is_member = || channel.member(&member_ref(member)).is_some();
            is_own && (sees_records_of(member, channel.requested_by()) || is_member())
        }
    }
}

/// The reference to the member in a channel.
pub fn member_ref(member: &Member) -> MemberRef {
    MemberRef {
        account: member.account.clone(),
        member: member.id.clone(),
    }
}

/// Whether the member can be selected for a channel (CHN-003).
pub fn can_join_channels(member: &Member) -> bool {
    member.has_pipeline_role() || member.side == Side::Aws
}
