//! The closed lists of collaboration. Numbers and names are those of the interface; a test holds them against its
//! definition.

use cosell_types::closed_list;

closed_list! {
    /// Where an invitation stands (COL-010).
    InvitationState {
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
    MemberState {
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
    /// Why a company does not want to be part of an engagement (COL-013).
    InvitationRejectionReason {
        /// It is not clear what the customer needs.
        CustomerProblemUnclear = 1 "CUSTOMER_PROBLEM_UNCLEAR" "Customer problem unclear",
        /// It is not clear what is to be done.
        NextStepsUnclear = 2 "NEXT_STEPS_UNCLEAR" "Next steps unclear",
        /// The partner cannot help.
        UnableToSupport = 3 "UNABLE_TO_SUPPORT" "Unable to support",
        /// The partner has registered the deal itself.
        DuplicateOfPartnerReferral = 4 "DUPLICATE_OF_PARTNER_REFERRAL" "Duplicate of partner referral",
        /// Another reason; the text says which.
        Other = 5 "OTHER" "Other",
    }
}

closed_list! {
    /// Which of the two companies of an invitation somebody is.
    ParticipantType {
        /// The one that asks.
        Sender = 1 "SENDER" "",
        /// The one that is asked.
        Receiver = 2 "RECEIVER" "",
    }
}

closed_list! {
    /// What changed in an engagement.
    EngagementChange {
        /// A company was invited.
        Invited = 1 "INVITED" "",
        /// A company joined.
        Joined = 2 "JOINED" "",
        /// A company that was invited did not join.
        NotJoined = 3 "NOT_JOINED" "",
        /// A company left.
        Left = 4 "LEFT" "",
        /// A company was removed.
        Removed = 5 "REMOVED" "",
        /// A context is new or another.
        Context = 6 "CONTEXT" "",
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

closed_list! {
    /// What happened to a channel.
    ChannelChange {
        /// It was asked for.
        Requested = 1 "REQUESTED" "",
        /// AWS has granted it.
        Approved = 2 "APPROVED" "",
        /// AWS has not.
        Declined = 3 "DECLINED" "",
        /// It is there.
        Activated = 4 "ACTIVATED" "",
        /// It is over.
        Archived = 5 "ARCHIVED" "",
        /// People were added to it.
        MembersAdded = 6 "MEMBERS_ADDED" "",
        /// One of its people stands elsewhere.
        Member = 7 "MEMBER" "",
    }
}
