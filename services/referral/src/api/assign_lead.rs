use cosell_grpc::{Call, Failure};
use cosell_members::require_assignable_member;
use cosell_proto::cosell::referral::v1 as pb;

use super::Api;
use crate::load::LoadedLead;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(api: Api, call: Call<pb::AssignLeadRequest>) -> Result<pb::AssignLeadResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |tx, loaded: &mut LoadedLead| {
            let owner =
                require_assignable_member(tx, loaded.lead.account(), &message.owner_member_id).await?;
            let event = loaded.lead.assign(&owner, now);
            event.map_err(|rule| status::rule_violated(rule, id))
        },
    )
    .await?;
    Ok(pb::AssignLeadResponse {
        lead: Some(convert::lead(&changed.lead, changed.details)),
    })
}
