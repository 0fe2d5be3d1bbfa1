//! Applies records of members.

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Tx;
use cosell_types::{ClosedList as _, MemberId, ViolationCode};

use super::batch_state::BatchState;
use super::{Provisioner, RecordOutcome, invalid_field};
use crate::convert;
use crate::domain::values::MemberStatus;
use crate::domain::{Member, MemberEvent, MemberFacts, Quotas, Roster, Rule, is_reserved_id};

impl Provisioner {
    /// Creates the member, or changes it in one revision for each difference.
    pub(super) async fn apply_member(
        &self,
        tx: &mut Tx,
        state: &mut BatchState,
        record: &pb::MemberRecord,
    ) -> Result<RecordOutcome, Failure> {
        let Some(account) = &state.account else {
            return Ok(Err(invalid_field(
                "member.account_id",
                ViolationCode::InvalidValue,
                "Must be an account of the directory. The record of the account must precede its members.",
            )));
        };
        let member_id: MemberId = record.member_id.parse().map_err(Failure::internal)?;
        if is_reserved_id(&member_id, &state.account_id) {
            return Ok(Err(invalid_field(
                "member.member_id",
                ViolationCode::InvalidValue,
                "Must not be the id of the account or have the format of another kind of id.",
            )));
        }
        let person = record.person.clone().unwrap_or_default();
        let current = state.members.get(&member_id);
        let current_status = current.map_or(MemberStatus::Active, |member| member.facts().status);
        let facts = MemberFacts {
            status: MemberStatus::from_number(record.status).unwrap_or(current_status),
            roles: convert::role_set(&record.roles),
            person: convert::person_from_proto(&person),
        };
        let now = self.clock.now();
        let quotas = &self.quotas.for_provisioning();
        // The rules check against the other members, so the member leaves the roster until they have.
        let roster = &mut state.roster;
        roster.remove(&member_id);
        let outcome = match current {
            None => Member::register(
                member_id.clone(),
                state.account_id.clone(),
                account.side(),
                facts,
                roster,
                quotas,
                now,
            )
            .map(|revision| (vec![revision], pb::ApplyResult::Created)),
            Some(member) => provision(member, &facts, roster, quotas, now),
        };
        let latest = outcome.as_ref().ok().and_then(|(revisions, _)| revisions.last());
        let resulting = latest.map(|(member, _)| member).or(current);
        if let Some(facts) = resulting.map(Member::facts)
            && facts.status != MemberStatus::Deactivated
        {
            roster.add(member_id, facts.roles.iter().copied(), facts.person.email.clone());
        }
        let (revisions, result) = match outcome {
            Ok(applied) => applied,
            Err(rule) => return Ok(Err(rule)),
        };
        for (member, event) in revisions {
            state.add_member_revision(tx, member, event, self.cause()).await?;
        }
        Ok(Ok(result))
    }
}

/// The revisions of the member until it equals the record, each with its event.
fn provision(
    member: &Member,
    facts: &MemberFacts,
    roster: &Roster,
    quotas: &Quotas,
    now: DateTime<Utc>,
) -> Result<(Vec<(Member, MemberEvent)>, pb::ApplyResult), Rule> {
    let mut member = member.clone();
    let mut revisions = Vec::new();
    while let Some(event) = member.provision_next_change(facts, roster, quotas, now)? {
        revisions.push((member.clone(), event));
    }
    let result = if revisions.is_empty() {
        pb::ApplyResult::Unchanged
    } else {
        pb::ApplyResult::Updated
    };
    Ok((revisions, result))
}
