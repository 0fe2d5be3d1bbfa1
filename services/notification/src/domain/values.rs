//! The closed list of notification. A test compares its numbers and names with the proto enum.

use cosell_types::closed_list;

closed_list! {
    /// The kind of a notification (NOT-001).
    NotificationKind {
        /// An opportunity of the partner was submitted for review.
        OpportunitySubmitted = 1 "OPPORTUNITY_SUBMITTED" "",
        /// AWS returned a submission for correction.
        ActionRequired = 2 "ACTION_REQUIRED" "",
        /// AWS approved a submission.
        OpportunityApproved = 3 "OPPORTUNITY_APPROVED" "",
        /// AWS rejected a submission.
        OpportunityRejected = 4 "OPPORTUNITY_REJECTED" "",
        /// A round was opened in the review queue.
        ReviewRequested = 5 "REVIEW_REQUESTED" "",
        /// Another partner invites the account to connect.
        ConnectionInvitationCreated = 6 "CONNECTION_INVITATION_CREATED" "",
        /// A partner accepted a connection invitation.
        ConnectionInvitationAccepted = 7 "CONNECTION_INVITATION_ACCEPTED" "",
        /// A partner rejected a connection invitation.
        ConnectionInvitationRejected = 8 "CONNECTION_INVITATION_REJECTED" "",
        /// The roles of the recipient changed.
        RolesChanged = 9 "ROLES_CHANGED" "",
        /// A membership ended.
        MemberDeactivated = 10 "MEMBER_DEACTIVATED" "",
        /// A person was invited to join an account. Sent by e-mail to that person only.
        MemberInvited = 11 "MEMBER_INVITED" "",
        /// An opportunity was assigned to another member.
        OwnershipChanged = 12 "OWNERSHIP_CHANGED" "",
        /// AWS reopened a closed opportunity.
        OpportunityReopened = 13 "OPPORTUNITY_REOPENED" "",
        /// A bulk job has ended.
        BulkJobFinished = 14 "BULK_JOB_FINISHED" "",
        /// AWS offers an opportunity or a lead.
        ReferralOfferCreated = 15 "REFERRAL_OFFER_CREATED" "",
        /// An offer of AWS expires at the end of this business day.
        ReferralOfferExpiresSoon = 16 "REFERRAL_OFFER_EXPIRES_SOON" "",
        /// An offer was accepted or rejected, or it expired.
        ReferralAnswered = 17 "REFERRAL_ANSWERED" "",
        /// A lead was assigned to another member.
        LeadAssigned = 18 "LEAD_ASSIGNED" "",
        /// Another partner shares an opportunity with the account.
        EngagementInvited = 19 "ENGAGEMENT_INVITED" "",
        /// An engagement invitation was accepted or rejected, or it expired.
        EngagementAnswered = 20 "ENGAGEMENT_ANSWERED" "",
        /// A partner requested a channel.
        ChannelRequested = 21 "CHANNEL_REQUESTED" "",
        /// AWS approved or declined a channel.
        ChannelDecided = 22 "CHANNEL_DECIDED" "",
        /// A member was invited to a channel.
        ChannelInvited = 23 "CHANNEL_INVITED" "",
        /// AWS closed an opportunity in its own sales process.
        OpportunityClosedByAws = 24 "OPPORTUNITY_CLOSED_BY_AWS" "",
    }
}
