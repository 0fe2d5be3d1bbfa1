use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_types::Member as CallingMember;

use super::Api;
use crate::domain::Member;
use crate::domain::access::{Action, MEMBER_ADMINISTRATORS};
use crate::load::load_roster_for_email;
use crate::write::{ChangeContext, change};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateMemberRequest>,
) -> Result<pb::UpdateMemberResponse, Failure> {
    let message = &call.message;
    let id = message.member_id.as_str();
    // Members may update themselves, administrators every member of their account (DIR-014).
    let require_access = |caller: &CallingMember| {
        let has_access = caller.id.as_str() == id || caller.has_any_role(&MEMBER_ADMINISTRATORS);
        has_access
            .then_some(())
            .ok_or_else(|| status::member_not_found(id))
    };
    require_access(call.member()?)?;
    let now = api.clock.now();
    let target = (id, message.etag.as_str());
    let changed = change(
        &api.db,
        &call,
        Action::UpdateMember,
        target,
        now,
        async |context: ChangeContext<'_>, member: &mut Member| {
            require_access(&context.caller)?;
            let person = message.person.as_ref();
            let person = convert::person_from_proto(
                person.ok_or_else(|| Failure::internal("the validated request has no person"))?,
            );
            let account = &context.caller.account;
            let roster = load_roster_for_email(context.tx, account, &person.email, Some(member.id())).await?;
            let event = member.update_details(person, &roster, &api.quotas, now);
            event.map_err(status::rule_violated)
        },
    );
    let member = changed.await?;
    Ok(pb::UpdateMemberResponse {
        member: Some(convert::member(&member)),
    })
}
