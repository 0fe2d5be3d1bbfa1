//! Who may do what (ACC-010, REF-040).

use cosell_types::{Caller, Role, Side};

/// What can be asked of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// CreateReferral, GetReferral, ListReferrals.
    Refer,
    /// GetReferralOffer, ListReferralOffers, AcceptReferral, AcceptReferrals, RejectReferral.
    Answer,
    /// GetAcceptedOpportunity.
    ReadDeal,
}

/// The service that makes opportunities.
const OPPORTUNITY: &str = "opportunity";

/// Whether the caller may make the call.
pub fn permits(caller: &Caller, action: Action) -> bool {
    let member = match caller {
        // The opportunity service makes the partner's opportunity of what was accepted.
        Caller::Service(name) => return action == Action::ReadDeal && name.as_str() == OPPORTUNITY,
        Caller::Member(member) => member,
    };
    match action {
        Action::Refer => member.side == Side::Aws && member.has_any(&Role::SALES),
        Action::Answer => member.side == Side::Partner && member.has_any(&Role::WHOLE_PIPELINE),
        Action::ReadDeal => false,
    }
}
