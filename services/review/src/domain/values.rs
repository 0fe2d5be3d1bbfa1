//! The closed lists of review. A test compares their numbers and names with the proto enums.

use cosell_types::closed_list;

closed_list! {
    /// The state of a case (REV-002).
    CaseState {
        /// The current round waits in the queue.
        Submitted = 1 "SUBMITTED" "",
        /// The assignee has started the review.
        InReview = 2 "IN_REVIEW" "",
        /// Returned to the partner for correction.
        ActionRequired = 3 "ACTION_REQUIRED" "",
        /// Final, unless the partner had withdrawn the round (REV-006).
        Approved = 4 "APPROVED" "",
        /// Final, unless the partner had withdrawn the round (REV-006).
        Rejected = 5 "REJECTED" "",
        /// The partner withdrew the current round.
        Withdrawn = 6 "WITHDRAWN" "",
    }
}

impl CaseState {
    /// Whether the current round waits for a decision, so that the case is at the head of the queue (REV-020).
    pub fn awaits_decision(self) -> bool {
        matches!(self, CaseState::Submitted | CaseState::InReview)
    }
}

closed_list! {
    /// The decision of a reviewer (REV-010).
    Decision {
        /// AWS approves the opportunity.
        Approve = 1 "APPROVE" "",
        /// The partner must correct the opportunity and submit it again.
        ActionRequired = 2 "ACTION_REQUIRED" "",
        /// AWS rejects the opportunity permanently.
        Reject = 3 "REJECT" "",
    }
}

closed_list! {
    /// The reason for ACTION_REQUIRED or REJECT (REV-011).
    ReviewReason {
        /// The opportunity is from a bulk upload that requires a response first.
        BulkUploadResponse = 1 "BULK_UPLOAD_RESPONSE" "Bulk Upload Response",
        /// The expected revenue is implausible or unexplained.
        ClarifyRevenue = 2 "CLARIFY_REVENUE" "Clarify Revenue",
        /// The solution is unclear.
        ClarifySolution = 3 "CLARIFY_SOLUTION" "Clarify Solution",
        /// Stage, dates and amounts contradict each other.
        ForecastConflict = 4 "FORECAST_CONFLICT" "Forecast Conflict",
        /// Another reason; the review comments state it.
        Other = 5 "OTHER" "Other",
        /// Another reason that AWS does not disclose.
        OtherInternalReview = 6 "OTHER_INTERNAL_REVIEW" "Other - Internal Review",
    }
}
