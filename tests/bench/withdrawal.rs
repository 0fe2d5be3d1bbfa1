//! Measures the delay until another service refuses a withdrawn role (ACC-004): from the response of SetMemberRoles to
//! the first refused call, while the member calls continuously.

use anyhow::ensure;
use cosell::demo::{self, MemberClient};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_tests::{Installation, report};
use cosell_types::{ClosedList as _, Role};
use tokio::time::Instant;

use cosell::demo::calls::{WAIT_LIMIT, request_id};

/// The limit of ACC-004.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(2);
/// The maximum number of rounds: each takes about a second, and more do not improve the result.
const MAX_ROUNDS: usize = 30;

/// Withdraws and grants the role of an ACE manager repeatedly.
pub async fn run(bench: &Installation, rounds: usize) -> anyhow::Result<()> {
    let alliance_lead = bench.services.member("alder-alliance-lead");
    let manager = bench.services.member("alder-ace-manager");
    let (mut refused, mut granted) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(MAX_ROUNDS) {
        set_role(&alliance_lead, Role::StandardUser).await?;
        let started = Instant::now();
        wait_for_reason(&manager, Some("ROLE_NOT_PERMITTED")).await?;
        refused.push(started.elapsed());
        set_role(&alliance_lead, Role::AceManager).await?;
        let started = Instant::now();
        wait_for_reason(&manager, None).await?;
        granted.push(started.elapsed());
    }
    let slowest = refused.iter().chain(&granted).max().copied().unwrap_or_default();
    report::print_durations(&mut [
        ("SetMemberRoles answered → role refused elsewhere", refused),
        ("SetMemberRoles answered → role permitted elsewhere", granted),
    ]);
    ensure!(slowest <= LIMIT, "a change of roles took longer than {LIMIT:?}");
    Ok(())
}

async fn set_role(alliance_lead: &MemberClient, role: Role) -> anyhow::Result<()> {
    let request = partner::SetMemberRolesRequest {
        member_id: "alder-ace-manager".to_owned(),
        roles: vec![role.number()],
        request_id: request_id(),
        ..Default::default()
    };
    alliance_lead.members().set_member_roles(request).await?;
    Ok(())
}

/// Calls until the response is as expected: refused with this reason, or successful.
async fn wait_for_reason(manager: &MemberClient, expected: Option<&str>) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let request = opportunity::ListOpportunitiesRequest::default();
        let answer = manager.opportunities().list_opportunities(request).await;
        let reason = answer.err().map(|status| demo::error_reason(&status));
        if reason.as_deref() == expected {
            return Ok(());
        }
        ensure!(started.elapsed() < WAIT_LIMIT, "the reason is still {reason:?}");
    }
}
