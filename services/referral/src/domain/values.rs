//! The closed lists of referrals. A test compares their numbers and names with the proto enums.

use cosell_types::closed_list;

closed_list! {
    /// The state of a referral (REF-010).
    ReferralState {
        /// A receiver has a pending offer, or the referral is being routed to the next one.
        Offered = 1 "OFFERED" "",
        /// A receiver accepted its offer; final.
        Accepted = 2 "ACCEPTED" "",
        /// No receiver accepted its offer; final.
        Exhausted = 3 "EXHAUSTED" "",
    }
}

closed_list! {
    /// The state of an offer (REF-010).
    ReferralOfferState {
        /// The partner has not answered yet.
        Pending = 1 "PENDING" "",
        /// The partner accepted the offer; final.
        Accepted = 2 "ACCEPTED" "",
        /// The partner rejected the offer; final.
        Rejected = 3 "REJECTED" "",
        /// The deadline passed without an answer; final.
        Expired = 4 "EXPIRED" "",
    }
}

closed_list! {
    /// The type of the offered resource (REF-050).
    PayloadType {
        /// An opportunity.
        OpportunityInvitation = 1 "OPPORTUNITY_INVITATION" "OpportunityInvitation",
        /// A lead.
        LeadInvitation = 2 "LEAD_INVITATION" "LeadInvitation",
    }
}

closed_list! {
    /// The state of a lead, which the partner sets (REF-053).
    LeadState {
        /// The partner has not qualified the lead yet.
        Unqualified = 1 "UNQUALIFIED" "Unqualified",
        /// The lead is a sales opportunity.
        Qualified = 2 "QUALIFIED" "Qualified",
        /// The lead is not a sales opportunity.
        Disqualified = 3 "DISQUALIFIED" "Disqualified",
        /// Another state, which the partner describes in a text.
        Other = 4 "OTHER" "",
    }
}
