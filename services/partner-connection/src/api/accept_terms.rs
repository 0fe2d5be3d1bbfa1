use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;

use super::Api;
use crate::convert;
use crate::domain::Account;
use crate::domain::access::Action;
use crate::write::{ChangeContext, change};

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptTermsRequest>,
) -> Result<pb::AcceptTermsResponse, Failure> {
    let id = call.member()?.account.as_str();
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        Action::ActAsAllianceLead,
        (id, ""),
        now,
        async |context: ChangeContext<'_>, account: &mut Account| {
            Ok(account.accept_terms(&context.caller.id, now))
        },
    );
    let account = changed.await?;
    Ok(pb::AcceptTermsResponse {
        account: Some(convert::account(&account)),
    })
}
