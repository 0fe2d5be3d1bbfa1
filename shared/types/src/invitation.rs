//! Lists that invitations and offers of all contexts share.

use crate::closed_list;

closed_list! {
    /// One of the two companies of an invitation.
    ParticipantType {
        /// The company that invites.
        Sender = 1 "SENDER" "SENDER",
        /// The company that is invited.
        Receiver = 2 "RECEIVER" "RECEIVER",
    }
}

closed_list! {
    /// The reason to reject an invitation or offer (REF-031, COL-013).
    RejectionReason {
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
        /// It renews what the customer has.
        RenewalOpportunity = 6 "RENEWAL_OPPORTUNITY" "Renewal opportunity",
    }
}
