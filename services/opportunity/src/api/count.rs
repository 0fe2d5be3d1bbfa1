use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert};
use crate::domain::Periods;
use crate::domain::values::Preset;
use crate::store::list::{Asked, count};

pub async fn handle(
    api: &Api,
    call: Call<pb::CountOpportunitiesRequest>,
) -> Result<pb::CountOpportunitiesResponse, Failure> {
    let mut presets: Vec<Preset> = convert::members(&call.message.presets);
    if presets.is_empty() {
        presets = Preset::ALL.to_vec();
    }
    let mut tx = api.begin(&call).await?;
    let asked = Asked {
        by: call.member()?,
        periods: &Periods::at(api.clock.now()),
    };
    let counted = count(&mut tx, asked, &presets).await?;
    let counts = presets
        .iter()
        .zip(counted)
        .map(|(preset, count)| pb::PresetCount {
            preset: preset.number(),
            count,
        });
    Ok(pb::CountOpportunitiesResponse {
        counts: counts.collect(),
    })
}
