//! The closed lists of review. Numbers and names are those of the interface; a test holds them against its definition.

use cosell_types::closed_list;

closed_list! {
    /// Where a case stands (REV-002).
    State {
        /// Waiting in the queue.
        Submitted = 1 "SUBMITTED" "",
        /// The assignee has started.
        InReview = 2 "IN_REVIEW" "",
        /// Sent back to the partner.
        ActionRequired = 3 "ACTION_REQUIRED" "",
        /// Validated; final.
        Approved = 4 "APPROVED" "",
        /// Rejected; final.
        Rejected = 5 "REJECTED" "",
        /// Taken back by the partner.
        Withdrawn = 6 "WITHDRAWN" "",
    }
}

closed_list! {
    /// What a reviewer can decide (REV-010).
    Decision {
        /// The opportunity is validated.
        Approve = 1 "APPROVE" "",
        /// The partner has to correct it.
        ActionRequired = 2 "ACTION_REQUIRED" "",
        /// The opportunity is refused for good.
        Reject = 3 "REJECT" "",
    }
}

closed_list! {
    /// Why a submission was sent back or rejected (REV-011).
    ReviewReason {
        /// The record came from a bulk upload that has to be answered first.
        BulkUploadResponse = 1 "BULK_UPLOAD_RESPONSE" "Bulk Upload Response",
        /// The expected revenue is not plausible or not explained.
        ClarifyRevenue = 2 "CLARIFY_REVENUE" "Clarify Revenue",
        /// It is not clear what is to be sold.
        ClarifySolution = 3 "CLARIFY_SOLUTION" "Clarify Solution",
        /// Stage, dates and amounts contradict each other.
        ForecastConflict = 4 "FORECAST_CONFLICT" "Forecast Conflict",
        /// Another reason; the remarks say which.
        Other = 5 "OTHER" "Other",
        /// Another reason that AWS keeps to itself.
        OtherInternalReview = 6 "OTHER_INTERNAL_REVIEW" "Other - Internal Review",
    }
}
