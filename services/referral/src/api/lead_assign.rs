use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, Tx, claim};
use cosell_types::{AccountId, FieldPath, MemberId, Violation, ViolationCode};

use super::visible::{conclude_lead, led};
use super::{Api, convert, status};
use crate::domain::access;

pub async fn handle(api: Api, call: Call<pb::AssignLeadRequest>) -> Result<pb::AssignLeadResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut lead, details) = led(&mut tx, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, lead.revision())?;
        let owner = new_owner(&mut tx, lead.account(), &message.owner_member_id).await?;
        let event = lead
            .assign(&owner, api.clock.now())
            .map_err(|rule| status::broken(rule, id))?;
        if let Some(event) = event {
            conclude_lead(tx, &call, &lead, &details, &event).await?;
        }
    }
    Ok(pb::AssignLeadResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}

/// The member that an id names, if it may own leads. Of members of other accounts nothing is said (REF-056).
async fn new_owner(tx: &mut Tx, account: &AccountId, id: &str) -> Result<MemberId, Failure> {
    let member = match id.parse() {
        Ok(id) => cosell_members::active_member(tx, account, &id).await?,
        Err(_) => None,
    };
    if let Some(member) = member.filter(access::may_own_leads) {
        return Ok(member.id);
    }
    let text = "is no active member of the account with one of the roles ALLIANCE_LEAD, ALLIANCE_TEAM, ACE_MANAGER, \
                ACE_USER; ListAssignableMembers lists them";
    let root = FieldPath::root();
    let wrong = Violation::new(&root.field("owner_member_id"), ViolationCode::InvalidValue, text);
    Err(Failure::invalid(vec![wrong]))
}
