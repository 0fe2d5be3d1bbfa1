use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::{MemberId, random};

use super::{Api, convert, existing_member, own_account, roster_with, status};
use crate::domain::access::Action;
use crate::domain::{Limit, Member, Rule, is_reserved};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::InviteMemberRequest>,
) -> Result<pb::InviteMemberResponse, Failure> {
    let message = &call.message;
    let id: MemberId = match message.member_id.as_str() {
        "" => random::prefixed("mem-"),
        stated => stated.to_owned(),
    }
    .parse()
    .map_err(Failure::internal)?;
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, id.as_str()).await? {
        let member = existing_member(&mut tx, call.member()?, &done).await?;
        return Ok(pb::InviteMemberResponse {
            member: Some(convert::member(&member)),
        });
    }
    let (account, actor) = own_account(&mut tx, &call, Action::Administer).await?;
    let is_taken =
        is_reserved(&id, account.id()) || store::load_member(&mut tx, account.id(), &id).await?.is_some();
    if is_taken {
        return Err(status::broken(Rule::DuplicateMember("member_id")));
    }
    let person = message.person.as_ref();
    let person = convert::person(person.ok_or_else(|| Failure::internal("validated, but absent"))?);
    let roster = roster_with(&mut tx, account.id(), &person.email, None).await?;
    let today = api.clock.now().date_naive();
    let asked = store::ask(&mut tx, account.id(), &person.email, today).await?;
    Limit::Emails
        .check(asked - 1, api.quotas.emails_per_day)
        .map_err(status::broken)?;
    let (member, event) = Member::invite(
        id,
        account.id().clone(),
        account.side(),
        person,
        convert::roles(&message.roles),
        &actor.roles.iter().copied().collect(),
        &roster,
        &api.quotas,
        api.clock.now(),
    )
    .map_err(status::broken)?;
    api.save_member(&mut tx, &call, &member, event).await?;
    api.conclude(tx, &call).await?;
    Ok(pb::InviteMemberResponse {
        member: Some(convert::member(&member)),
    })
}
