//! The closed lists of collaboration. Numbers and names are those of the interface; a test holds them against its
//! definition.

use cosell_types::closed_list;

closed_list! {
    /// Where an invitation stands (COL-010).
    EngagementInvitationState {
        /// Waits for an answer.
        Pending = 1 "PENDING" "",
        /// The company is part of the engagement.
        Accepted = 2 "ACCEPTED" "",
        /// The company does not want it.
        Rejected = 3 "REJECTED" "REJECTED",
        /// Nobody answered in time.
        Expired = 4 "EXPIRED" "",
        /// It was taken back.
        Canceled = 5 "CANCELED" "",
    }
}

closed_list! {
    /// Where a company stands in an engagement (COL-020, COL-021).
    EngagementMemberState {
        /// It is asked to become part of it.
        Invited = 1 "INVITED" "PENDING",
        /// It is part of it.
        Active = 2 "ACTIVE" "ACCEPTED",
        /// It did not become part of it.
        NotJoined = 3 "NOT_JOINED" "REJECTED",
        /// It left.
        Left = 4 "LEFT" "WITHDRAWN",
        /// It was removed.
        Removed = 5 "REMOVED" "",
    }
}

closed_list! {
    /// Which part of an opportunity a snapshot has.
    SnapshotTemplate {
        /// For all members.
        OpportunitySummary = 1 "OPPORTUNITY_SUMMARY" "OpportunitySummaryView",
        /// What AWS says of it, for its owner.
        AwsOpportunitySummary = 2 "AWS_OPPORTUNITY_SUMMARY" "AwsOpportunitySummaryFullView",
    }
}

closed_list! {
    /// Whether a job runs (COL-041).
    SnapshotJobState {
        /// It makes snapshots.
        Running = 1 "RUNNING" "Running",
        /// It does not.
        Stopped = 2 "STOPPED" "Stopped",
    }
}

closed_list! {
    /// Where a channel stands (CHN-010).
    ChannelState {
        /// AWS is to decide.
        Requested = 1 "REQUESTED" "",
        /// AWS has granted it.
        Approved = 2 "APPROVED" "",
        /// AWS has not granted it.
        Declined = 3 "DECLINED" "",
        /// It is there.
        Active = 4 "ACTIVE" "",
        /// It is over.
        Archived = 5 "ARCHIVED" "",
    }
}

closed_list! {
    /// Where a person stands in a channel (CHN-011).
    ChannelMemberState {
        /// Will be asked.
        Selected = 1 "SELECTED" "",
        /// Was asked.
        Invited = 2 "INVITED" "",
        /// Is in it.
        Joined = 3 "JOINED" "",
        /// Has left it.
        Left = 4 "LEFT" "",
        /// Does not want to be asked.
        OptedOut = 5 "OPTED_OUT" "",
        /// Did not come in time.
        Expired = 6 "EXPIRED" "",
    }
}

closed_list! {
    /// Who keeps a channel (CHN-030).
    ChannelProvider {
        /// People of AWS, by hand.
        Manual = 1 "MANUAL" "",
        /// Slack.
        Slack = 2 "SLACK" "",
    }
}
