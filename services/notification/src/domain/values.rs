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
    }
}
