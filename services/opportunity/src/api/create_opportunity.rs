use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::random;

use super::Api;
use crate::domain::{Opportunity, field_warnings};
use crate::write::create;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::CreateOpportunityRequest>,
) -> Result<pb::CreateOpportunityResponse, Failure> {
    let member = call.member()?;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let mut warnings = Vec::new();
    let record = create(&api.db, &call, &id.to_string(), async |tx| {
        let opportunity = call.message.opportunity.as_ref();
        let opportunity =
            opportunity.ok_or_else(|| Failure::internal("the validated request has no opportunity"))?;
        let (details, violations) = convert::details(opportunity);
        let violations = [call.form_violations.as_slice(), &violations].concat();
        let facts = store::load_facts(tx, &api.policy, &member.account, &[&details]).await?;
        let (account, owner) = (member.account.clone(), member.id.clone());
        let created = Opportunity::create(id, account, owner, details.clone(), &facts, now);
        let (record, event) = status::ok_or_violations(violations, created, &id.to_string())?;
        warnings = field_warnings::on_change(&details, record.details());
        Ok((record, event))
    })
    .await?;
    Ok(pb::CreateOpportunityResponse {
        warnings: convert::warnings(warnings),
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
