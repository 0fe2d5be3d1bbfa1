//! The closed list of notification. Numbers and names are those of the interface; a test holds them against its
//! definition.

use cosell_types::closed_list;

closed_list! {
    /// What a notification is about (NOT-001).
    Kind {
        /// A record of the partner was submitted for review.
        OpportunitySubmitted = 1 "OPPORTUNITY_SUBMITTED" "",
        /// AWS sent a submission back for correction.
        ActionRequired = 2 "ACTION_REQUIRED" "",
        /// AWS validated a submission.
        OpportunityApproved = 3 "OPPORTUNITY_APPROVED" "",
        /// AWS rejected a submission.
        OpportunityRejected = 4 "OPPORTUNITY_REJECTED" "",
        /// A submission waits in the review queue.
        ReviewRequested = 5 "REVIEW_REQUESTED" "",
        /// Another company asks to connect.
        ConnectionInvitationCreated = 6 "CONNECTION_INVITATION_CREATED" "",
        /// A company took an invitation to connect.
        ConnectionInvitationAccepted = 7 "CONNECTION_INVITATION_ACCEPTED" "",
        /// A company refused an invitation to connect.
        ConnectionInvitationRejected = 8 "CONNECTION_INVITATION_REJECTED" "",
        /// The member has other roles.
        RolesChanged = 9 "ROLES_CHANGED" "",
        /// A member no longer works for the company.
        MemberDeactivated = 10 "MEMBER_DEACTIVATED" "",
        /// A person was asked to join a company; by e-mail to that person only.
        MemberInvited = 11 "MEMBER_INVITED" "",
        /// A record was given to another member.
        OwnershipChanged = 12 "OWNERSHIP_CHANGED" "",
        /// AWS opened a deal again.
        OpportunityReopened = 13 "OPPORTUNITY_REOPENED" "",
        /// A job on many records has ended.
        BulkJobFinished = 14 "BULK_JOB_FINISHED" "",
        /// AWS offers the partner a deal or a lead.
        ReferralOfferCreated = 15 "REFERRAL_OFFER_CREATED" "",
        /// An offer of AWS ends with this business day.
        ReferralOfferExpiresSoon = 16 "REFERRAL_OFFER_EXPIRES_SOON" "",
        /// A partner answered an offer or let its time pass.
        ReferralAnswered = 17 "REFERRAL_ANSWERED" "",
        /// A lead was given to another member.
        LeadAssigned = 18 "LEAD_ASSIGNED" "",
        /// Another partner shares a deal with the company.
        EngagementInvited = 19 "ENGAGEMENT_INVITED" "",
        /// A partner answered an invitation or let its time pass.
        EngagementAnswered = 20 "ENGAGEMENT_ANSWERED" "",
        /// A partner asks for a channel.
        ChannelRequested = 21 "CHANNEL_REQUESTED" "",
        /// AWS has granted a channel, or has not.
        ChannelDecided = 22 "CHANNEL_DECIDED" "",
        /// A member is asked to a channel.
        ChannelInvited = 23 "CHANNEL_INVITED" "",
    }
}
