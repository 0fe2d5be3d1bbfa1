use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, show_preferences};
use crate::domain::values::Kind;
use crate::store::{opt_outs, set_opt_outs};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdatePreferencesRequest>,
) -> Result<pb::UpdatePreferencesResponse, Failure> {
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    if claim(&mut tx, &call, "").await? == Claim::New {
        let kinds: Vec<_> = call
            .message
            .email_opt_outs
            .iter()
            .filter_map(|number| Kind::from_number(*number))
            .collect();
        set_opt_outs(&mut tx, &member.account, &member.id, &kinds).await?;
    }
    let now = opt_outs(&mut tx, &member.account, &member.id).await?;
    tx.commit().await?;
    Ok(pb::UpdatePreferencesResponse {
        preferences: Some(show_preferences(&now)),
    })
}
