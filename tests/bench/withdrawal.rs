//! How soon a role that was withdrawn is refused by another service (ACC-004): from the answer of SetMemberRoles to the
//! first call that is refused, while its holder keeps calling.

use anyhow::ensure;
use cosell::demo::{self, Person};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_types::{ClosedList as _, Role};
use tokio::time::Instant;

use crate::{Bench, report};
use cosell::demo::calls::{PATIENCE, request_id};

/// The longest that ACC-004 allows.
const BAR: std::time::Duration = std::time::Duration::from_secs(2);
/// A withdrawal takes about a second, and needs no more of them than this.
const MOST_ROUNDS: usize = 30;

/// Withdraws and grants the role of a manager again and again.
pub async fn run(bench: &Bench, rounds: usize) -> anyhow::Result<()> {
    let lead = bench.services.person("alder-alliance-lead");
    let manager = bench.services.person("alder-ace-manager");
    let (mut refused, mut granted) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(MOST_ROUNDS) {
        set(&lead, Role::StandardUser).await?;
        let started = Instant::now();
        until(&manager, Some("ROLE_NOT_PERMITTED")).await?;
        refused.push(started.elapsed());
        set(&lead, Role::AceManager).await?;
        let started = Instant::now();
        until(&manager, None).await?;
        granted.push(started.elapsed());
    }
    let slowest = refused.iter().chain(&granted).max().copied().unwrap_or_default();
    report::times(&mut [
        ("SetMemberRoles answered → role refused elsewhere", refused),
        ("SetMemberRoles answered → role let in elsewhere", granted),
    ]);
    ensure!(slowest <= BAR, "a change of roles took longer than {BAR:?}");
    Ok(())
}

async fn set(lead: &Person, role: Role) -> anyhow::Result<()> {
    let request = partner::SetMemberRolesRequest {
        member_id: "alder-ace-manager".to_owned(),
        roles: vec![role.number()],
        request_id: request_id(),
        ..Default::default()
    };
    lead.members().set_member_roles(request).await?;
    Ok(())
}

/// Calls until the answer is as expected: a refusal for this reason, or none.
async fn until(manager: &Person, expected: Option<&str>) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let request = opportunity::ListOpportunitiesRequest::default();
        let answer = manager.opportunities().list_opportunities(request).await;
        let reason = answer.err().map(|status| demo::reason(&status));
        if reason.as_deref() == expected {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "still {reason:?}");
    }
}
