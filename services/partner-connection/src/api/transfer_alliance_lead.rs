use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::domain::access::Action;
use crate::domain::{Member, MemberEvent};
use crate::load::load_member;
use crate::write::{ChangeContext, change};
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::TransferAllianceLeadRequest>,
) -> Result<pb::TransferAllianceLeadResponse, Failure> {
    let target = (call.message.member_id.as_str(), "");
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::ActAsAllianceLead,
        target,
        now,
        async |context: ChangeContext<'_>, successor: &mut Member| {
            let ChangeContext { tx, caller } = context;
            let mut previous = load_member(tx, &caller.account, caller.id.as_str()).await?;
            let mut roster = store::load_roster(tx, &caller.account, &[]).await?;
            roster.remove(previous.id());
            roster.remove(successor.id());
            let event = successor
                .become_alliance_lead(&mut previous, &roster, now)
                .map_err(status::rule_violated)?;
            // The previous alliance lead is saved first: a unique index permits only one at a time.
            let previous = [(previous, MemberEvent::RolesChanged)];
            store::save_members(tx, &previous, Cause::of(&call, now)).await?;
            Ok(Some(event))
        },
    );
    let member = changed.await?;
    Ok(pb::TransferAllianceLeadResponse {
        member: Some(convert::member(&member)),
    })
}
