use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::{MemberId, random};

use super::Api;
use crate::domain::access::Action;
use crate::domain::{Limit, Member, Rule, is_reserved_id};
use crate::load::{load_roster_for_email, lock_account, require_still_permitted};
use crate::write::create;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::InviteMemberRequest>,
) -> Result<pb::InviteMemberResponse, Failure> {
    let message = &call.message;
    let id: MemberId = match message.member_id.as_str() {
        "" => random::prefixed("mem-"),
        requested_id => requested_id.to_owned(),
    }
    .parse()
    .map_err(Failure::internal)?;
    let now = api.clock.now();
    let created = create(&api.db, &call, id.as_str(), now, async |tx| {
        let account = lock_account(tx, &call).await?;
        let caller = require_still_permitted(tx, &call, Action::AdministerMembers).await?;
        let is_unavailable =
            is_reserved_id(&id, account.id()) || store::load_member(tx, account.id(), &id).await?.is_some();
        if is_unavailable {
            return Err(status::rule_violated(Rule::DuplicateMember("member_id")));
        }
        let person = message.person.as_ref();
        let person = convert::person_from_proto(
            person.ok_or_else(|| Failure::internal("the validated request has no person"))?,
        );
        let roster = load_roster_for_email(tx, account.id(), &person.email, None).await?;
        let emails_today =
            store::increment_email_count(tx, account.id(), &person.email, now.date_naive()).await?;
        Limit::EmailsPerDay
            .check(emails_today - 1, api.quotas.emails_per_day)
            .map_err(status::rule_violated)?;
        let invited = Member::invite(
            id.clone(),
            account.id().clone(),
            account.side(),
            person,
            convert::role_set(&message.roles),
            &caller.roles.iter().copied().collect(),
            &roster,
            &api.quotas,
            now,
        );
        invited.map_err(status::rule_violated)
    });
    let member = created.await?;
    Ok(pb::InviteMemberResponse {
        member: Some(convert::member(&member)),
    })
}
