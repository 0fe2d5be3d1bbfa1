//! Enums that the invitations and offers of all contexts share.

use crate::closed_list;

closed_list! {
    /// The role of an account in an invitation.
    ParticipantType {
        /// The account that invites.
        Sender = 1 "SENDER" "SENDER",
        /// The account that is invited.
        Receiver = 2 "RECEIVER" "RECEIVER",
    }
}

closed_list! {
    /// The reason to reject an invitation or offer (REF-031, COL-013).
    RejectionReason {
        /// The customer's problem is unclear.
        CustomerProblemUnclear = 1 "CUSTOMER_PROBLEM_UNCLEAR" "Customer problem unclear",
        /// It is unclear what the receiver would have to do next.
        NextStepsUnclear = 2 "NEXT_STEPS_UNCLEAR" "Next steps unclear",
        /// The partner cannot support the customer.
        UnableToSupport = 3 "UNABLE_TO_SUPPORT" "Unable to support",
        /// The partner has already registered the opportunity.
        DuplicateOfPartnerReferral = 4 "DUPLICATE_OF_PARTNER_REFERRAL" "Duplicate of partner referral",
        /// Another reason, which is stated as text.
        Other = 5 "OTHER" "Other",
        /// The opportunity is a renewal.
        RenewalOpportunity = 6 "RENEWAL_OPPORTUNITY" "Renewal opportunity",
    }
}
