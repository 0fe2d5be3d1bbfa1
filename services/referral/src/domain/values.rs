//! The closed lists of referrals. Numbers and names are those of the interface; a test holds them against its definition.

use cosell_types::closed_list;

closed_list! {
    /// Whether a partner has taken a deal (REF-010).
    ReferralState {
        /// A partner is to answer, or the next one is about to be asked.
        Offered = 1 "OFFERED" "",
        /// A partner has it.
        Accepted = 2 "ACCEPTED" "",
        /// No partner of the list took it.
        Exhausted = 3 "EXHAUSTED" "",
    }
}

closed_list! {
    /// Where an offer stands (REF-010).
    ReferralOfferState {
        /// Waits for an answer.
        Pending = 1 "PENDING" "",
        /// The partner has the deal.
        Accepted = 2 "ACCEPTED" "",
        /// The partner did not want it.
        Rejected = 3 "REJECTED" "",
        /// Nobody answered in time.
        Expired = 4 "EXPIRED" "",
    }
}

closed_list! {
    /// What AWS offers (REF-050).
    PayloadType {
        /// An opportunity.
        OpportunityInvitation = 1 "OPPORTUNITY_INVITATION" "OpportunityInvitation",
        /// A lead.
        LeadInvitation = 2 "LEAD_INVITATION" "LeadInvitation",
    }
}

closed_list! {
    /// What has become of a lead (REF-053).
    LeadState {
        /// Nobody has found out yet.
        Unqualified = 1 "UNQUALIFIED" "Unqualified",
        /// There is a deal in it.
        Qualified = 2 "QUALIFIED" "Qualified",
        /// There is none.
        Disqualified = 3 "DISQUALIFIED" "Disqualified",
        /// Something else, in the partner's words.
        Other = 4 "OTHER" "",
    }
}
