use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::convert::filter::pending_acceptance;
use crate::domain::Periods;
use crate::domain::values::Preset;
use crate::store::list::{QueryContext, count_by_preset};

pub async fn handle(
    api: &Api,
    call: Call<pb::CountOpportunitiesRequest>,
) -> Result<pb::CountOpportunitiesResponse, Failure> {
    let mut presets: Vec<Preset> = convert::enum_values(&call.message.presets);
    let violations: Vec<_> = presets
        .iter()
        .enumerate()
        .filter_map(|(index, preset)| pending_acceptance(*preset, &format!("presets[{index}]")))
        .collect();
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    if presets.is_empty() {
        presets = Preset::ALL.to_vec();
        presets.retain(|preset| *preset != Preset::PendingAcceptance);
    }
    let mut tx = begin(&api.db, &call).await?;
    let context = QueryContext {
        member: call.member()?,
        periods: &Periods::at(api.clock.now()),
    };
    let counts = count_by_preset(&mut tx, context, &presets).await?;
    let counts = presets.iter().zip(counts).map(|(preset, count)| pb::PresetCount {
        preset: preset.number(),
        count,
    });
    Ok(pb::CountOpportunitiesResponse {
        counts: counts.collect(),
    })
}
