//! The closed lists of collaboration. A test compares their numbers and names with the enums of the proto files.

use cosell_types::closed_list;

closed_list! {
    /// State of an engagement invitation (COL-010).
    EngagementInvitationState {
        /// The receiver has not answered yet.
        Pending = 1 "PENDING" "",
        /// The receiver accepted and became a member of the engagement.
        Accepted = 2 "ACCEPTED" "",
        /// The receiver rejected the invitation.
        Rejected = 3 "REJECTED" "REJECTED",
        /// The deadline passed without an answer.
        Expired = 4 "EXPIRED" "",
        /// The sender canceled the invitation, or the connection of the accounts ended.
        Canceled = 5 "CANCELED" "",
    }
}

closed_list! {
    /// State of a membership in an engagement (COL-020, COL-021).
    EngagementMemberState {
        /// The account is invited and has not answered yet.
        Invited = 1 "INVITED" "PENDING",
        /// The account is a member.
        Active = 2 "ACTIVE" "ACCEPTED",
        /// The invitation was rejected or canceled, or it expired.
        NotJoined = 3 "NOT_JOINED" "REJECTED",
        /// The account left the engagement.
        Left = 4 "LEFT" "WITHDRAWN",
        /// The account that created the engagement removed this account.
        Removed = 5 "REMOVED" "",
    }
}

closed_list! {
    /// The part of an opportunity that a snapshot contains (COL-040).
    SnapshotTemplate {
        /// Summary of the opportunity, visible to all members.
        OpportunitySummary = 1 "OPPORTUNITY_SUMMARY" "OpportunitySummaryView",
        /// AWS summary, visible only to the owner of the opportunity and AWS.
        AwsOpportunitySummary = 2 "AWS_OPPORTUNITY_SUMMARY" "AwsOpportunitySummaryFullView",
    }
}

closed_list! {
    /// State of a snapshot job (COL-041).
    SnapshotJobState {
        /// The job creates snapshots.
        Running = 1 "RUNNING" "Running",
        /// The job is suspended.
        Stopped = 2 "STOPPED" "Stopped",
    }
}

closed_list! {
    /// State of a channel (CHN-010).
    ChannelState {
        /// AWS has not decided on the request yet.
        Requested = 1 "REQUESTED" "",
        /// The request is approved; the channel is not ready at the provider yet.
        Approved = 2 "APPROVED" "",
        /// AWS declined the request.
        Declined = 3 "DECLINED" "",
        /// The channel exists at the provider and can be used.
        Active = 4 "ACTIVE" "",
        /// The channel is closed.
        Archived = 5 "ARCHIVED" "",
    }
}

closed_list! {
    /// State of a membership in a channel (CHN-011).
    ChannelMemberState {
        /// The member is invited as soon as the channel is active.
        Selected = 1 "SELECTED" "",
        /// The member is invited and has not joined yet.
        Invited = 2 "INVITED" "",
        /// The member joined.
        Joined = 3 "JOINED" "",
        /// The member left or was removed.
        Left = 4 "LEFT" "",
        /// The member opted out of all channels before joining (CHN-012).
        OptedOut = 5 "OPTED_OUT" "",
        /// The member did not join before the invitation expired.
        Expired = 6 "EXPIRED" "",
    }
}

closed_list! {
    /// The provider that hosts a channel (CHN-030).
    ChannelProvider {
        /// AWS creates channels manually: the member who approves a channel supplies its link.
        Manual = 1 "MANUAL" "",
        /// Slack hosts the channels.
        Slack = 2 "SLACK" "",
    }
}
