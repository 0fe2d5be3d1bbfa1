use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, Tx, claim};
use cosell_types::{AccountId, FieldPath, MemberId, Role, Violation, ViolationCode};

use super::{Api, conclude, convert, status, visible};
use crate::domain::Opportunity;

pub async fn handle(
    api: Api,
    call: Call<pb::AssignOpportunityRequest>,
) -> Result<pb::AssignOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &record));
    }
    etags::check(&message.etag, record.revision())?;
    let owner = new_owner(&mut tx, record.account(), &message.owner_member_id).await?;
    let event = record
        .assign(&member.id, &owner, None, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    Ok(respond(&api, &record))
}

/// The member that an id names, if it may own records. Of members of other accounts nothing is said.
pub async fn new_owner(tx: &mut Tx, account: &AccountId, id: &str) -> Result<MemberId, Failure> {
    let member = match id.parse() {
        Ok(id) => cosell_members::active_member(tx, account, &id).await?,
        Err(_) => None,
    };
    if let Some(member) = member.filter(|member| member.has_any(&Role::OWNERS)) {
        return Ok(member.id);
    }
    let text = "is no active member of the account with one of the roles ALLIANCE_LEAD, ALLIANCE_TEAM, ACE_MANAGER, \
                ACE_USER; ListAssignableMembers lists them";
    let at = FieldPath::root();
    let at = at.field("owner_member_id");
    Err(Failure::invalid(vec![Violation::new(
        &at,
        ViolationCode::InvalidValue,
        text,
    )]))
}

fn respond(api: &Api, record: &Opportunity) -> pb::AssignOpportunityResponse {
    pb::AssignOpportunityResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
