//! Calls to the opportunity service.

use cosell_grpc::{Failure, Peer, Retry};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_types::{FieldPath, Violation, ViolationCode};
use tonic::Code;

/// Validates a referred opportunity in the opportunity service. Returns the violations that would prevent its creation
/// (REF-003). The call has the identity of this service and reads no data of any account.
pub async fn check_opportunity(
    peer: &Peer,
    opportunity: &opportunity::Opportunity,
    sender_contacts: &[opportunity::Contact],
) -> Result<Vec<Violation>, Failure> {
    let message = opportunity::CheckReferredOpportunityRequest {
        opportunity: Some(opportunity.clone()),
        sender_contacts: sender_contacts.to_vec(),
    };
    let request = peer.request(message)?;
    let response = OpportunityInternalServiceClient::new(peer.channel())
        .check_referred_opportunity(request)
        .await;
    let response = response.map_err(|status| match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Failure::unavailable(Retry::Never, status)
        }
        _ => Failure::internal(status),
    })?;
    let root = FieldPath::root();
    let violations = response.into_inner().violations.into_iter().map(|violation| {
        let details = violation.field.unwrap_or_default();
        let field = format!("referral.{}", details.field);
        let code = ViolationCode::from_name(&details.code).unwrap_or(ViolationCode::InvalidValue);
        Violation {
            partner_central_field: details.partner_central_field,
            rejected: details.rejected_value,
            allowed: details.allowed_values,
            pattern: details.pattern,
            ..Violation::new(&root.field(&field), code, violation.description)
        }
    });
    Ok(violations.collect())
}
