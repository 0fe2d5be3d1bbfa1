//! Applies records of accounts.

use cosell_grpc::Failure;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_store::Tx;
use cosell_types::{ClosedList as _, Side, ViolationCode, random};

use super::batch_state::BatchState;
use super::{Provisioner, RecordOutcome, invalid_field};
use crate::domain::values::{AccountStatus, PartnerTier, ProfileVisibility};
use crate::domain::{Account, AccountFacts, Profile, Rule};
use crate::{convert, store};

impl Provisioner {
    /// Creates the account, or changes it in one revision for each difference.
    pub(super) async fn apply_account(
        &self,
        tx: &mut Tx,
        state: &mut BatchState,
        record: &pb::AccountRecord,
    ) -> Result<RecordOutcome, Failure> {
        let side = convert::closed_list_value::<Side>(record.side)?;
        let current = state.account.as_ref();
        if current.is_some_and(|account| account.side() != side) {
            return Ok(Err(invalid_field(
                "account.side",
                ViolationCode::ActionNotPermitted,
                "Must be the side that the account already has.",
            )));
        }
        let profile = match profile(record, current.and_then(Account::profile))? {
            Ok(profile) => profile,
            Err(rule) => return Ok(Err(rule)),
        };
        let facts = AccountFacts {
            status: AccountStatus::from_number(record.status).unwrap_or(AccountStatus::Active),
            legal_name: record.legal_name.clone(),
            display_name: record.display_name.clone(),
            partner_types: convert::closed_list_values(&record.partner_types)
                .into_iter()
                .collect(),
            tier: PartnerTier::from_number(record.tier).unwrap_or_default(),
            programs: record.programs.iter().cloned().collect(),
            specializations: record.specializations.iter().cloned().collect(),
        };
        let now = self.clock.now();
        let Some(mut account) = current.cloned() else {
            let id = state.account_id.clone();
            let (account, event) = Account::register(id, side, facts, record.terms_accepted, profile, now);
            store::save_account(tx, &account, event, self.cause()).await?;
            state.account = Some(account);
            return Ok(Ok(pb::ApplyResult::Created));
        };
        let mut result = pb::ApplyResult::Unchanged;
        while let Some(event) =
            account.provision_next_change(&facts, record.terms_accepted, profile.as_ref(), now)
        {
            store::save_account(tx, &account, event, self.cause()).await?;
            result = pb::ApplyResult::Updated;
        }
        state.account = Some(account);
        Ok(Ok(result))
    }
}

/// The profile that the record results in: its values where it states them, otherwise those of the current profile. A
/// new profile gets an id. None if neither has a profile.
fn profile(
    record: &pb::AccountRecord,
    current: Option<&Profile>,
) -> Result<Result<Option<Profile>, Rule>, Failure> {
    let visibility = ProfileVisibility::from_number(record.visibility);
    let text = match (&record.profile, current) {
        (Some(profile), _) => convert::profile_text_from_proto(profile)?,
        (None, Some(current)) => current.text.clone(),
        (None, None) => return Ok(Ok(None)),
    };
    let violations = text.violations();
    if !violations.is_empty() {
        let violations = violations
            .into_iter()
            .map(|violation| violation.with_parent("account.profile"));
        return Ok(Err(Rule::Invalid(violations.collect())));
    }
    let id = match current {
        Some(current) => current.id.clone(),
        None => random::prefixed("pprofile-").parse().map_err(Failure::internal)?,
    };
    let visibility = visibility
        .or(current.map(|current| current.visibility))
        .unwrap_or(ProfileVisibility::Private);
    Ok(Ok(Some(Profile { id, visibility, text })))
}
