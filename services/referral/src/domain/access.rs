//! Access to the RPCs and visibility of leads (ACC-010, REF-040, REF-055).

use cosell_types::{Caller, Member, Role, Side};

use super::Lead;

/// The RPCs of this service, grouped by the access that they require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateReferral, GetReferral, ListReferrals.
    Refer,
    /// GetReferralOffer, ListReferralOffers, AcceptReferralOffer, BatchAcceptReferralOffers, RejectReferralOffer.
    Answer,
    /// GetLead, ListLeads, SetLeadState, AddLeadInteraction, AssignLead, ConvertLead.
    Lead,
    /// GetAcceptedOpportunity, GetConvertedLead.
    ReadContent,
}

/// The service that creates the opportunities of accepted offers and converted leads.
const OPPORTUNITY: &str = "opportunity";

/// Whether the caller has access to the RPCs of the action.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        Caller::Service(name) => return action == Action::ReadContent && name.as_str() == OPPORTUNITY,
        Caller::Member(member) => member,
    };
    match action {
        Action::Refer => member.side == Side::Aws && member.has_any_role(&Role::SALES),
        Action::Answer => member.side == Side::Partner && member.has_any_role(&Role::WHOLE_PIPELINE),
        Action::Lead => {
            member.side == Side::Partner
                && (member.has_any_role(&Role::WHOLE_PIPELINE) || member.has_any_role(&Role::OWN_RECORDS))
        }
        Action::ReadContent => false,
    }
}

/// Whether all leads of its account are visible to the member, or only those that it owns (REF-055).
pub fn can_view_all_leads(member: &Member) -> bool {
    member.has_any_role(&Role::WHOLE_PIPELINE)
}

/// Whether the lead is visible to the member (REF-055).
pub fn can_view_lead(member: &Member, lead: &Lead) -> bool {
    member.account == *lead.account() && (can_view_all_leads(member) || member.id == *lead.owner())
}

/// Whether leads can be assigned to the member (REF-056).
pub fn can_own_leads(member: &Member) -> bool {
    member.has_any_role(&Role::OWNERS)
}
