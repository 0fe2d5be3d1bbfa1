//! Converts violated rules to failures, each with its reason.

use cosell_grpc::Failure;
use cosell_proto::cosell::referral::v1::ErrorReason;
use cosell_types::ClosedList as _;
use tonic::Code;

use crate::domain::Rule;

const DOMAIN: &str = "referral.cosell";

fn failure(code: Code, reason: ErrorReason, message: impl Into<String>) -> Failure {
    Failure::new(code, DOMAIN, reason.as_str_name(), message)
}

/// The failure of a call on a referral that does not exist.
pub fn referral_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReferralNotFound,
        format!("Referral {id} does not exist."),
    )
    .with_resource("referral", id)
}

/// The failure of a call on an offer that does not exist or is not visible to the caller.
pub fn offer_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::ReferralOfferNotFound,
        format!("Referral offer {id} does not exist or is not visible to the caller."),
    )
    .with_resource("referral_offer", id)
}

/// The failure of a call on a lead that does not exist or is not visible to the caller.
pub fn lead_not_found(id: &str) -> Failure {
    failure(
        Code::NotFound,
        ErrorReason::LeadNotFound,
        format!("Lead {id} does not exist or is not visible to the caller."),
    )
    .with_resource("lead", id)
}

/// The failure of a call on this referral, offer or lead that violates the rule.
pub fn rule_violated(rule: Rule, id: &str) -> Failure {
    match rule {
        Rule::Invalid(violations) => Failure::invalid(violations),
        Rule::IllegalTransition { state, action } => {
            let text = format!(
                "{} is not allowed on referral offer {id}: its state is {}. Only a PENDING offer can be answered.",
                action.name(),
                state.name()
            );
            failure(Code::FailedPrecondition, ErrorReason::IllegalTransition, text)
                .with_resource("referral_offer", id)
                .with("state", state.name())
                .with("action", action.name())
        }
        Rule::Ineligible(account, cause) => {
            let text = format!(
                "Account {account} is not eligible for referrals: {}. Remove it from the receivers.",
                cause.name()
            );
            failure(Code::FailedPrecondition, ErrorReason::ReceiverNotEligible, text)
                .with("account_id", account)
                .with("cause", cause.name())
        }
        Rule::Converted(opportunity) => {
            let text = format!(
                "Lead {id} cannot be changed: it was converted to opportunity {opportunity}. Change the opportunity."
            );
            failure(Code::FailedPrecondition, ErrorReason::LeadConverted, text)
                .with_resource("lead", id)
                .with("opportunity_id", opportunity)
        }
        Rule::Disqualified => {
            let text = format!("Lead {id} cannot be converted: it is DISQUALIFIED. Set another state first.");
            failure(Code::FailedPrecondition, ErrorReason::LeadDisqualified, text).with_resource("lead", id)
        }
    }
}
