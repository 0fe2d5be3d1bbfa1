//! The records of the directory that a batch changes.

use std::collections::BTreeMap;

use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_store::Tx;
use cosell_types::{AccountId, MemberId, comparable_email};

use super::record::{Record, member_record};
use crate::domain::{Account, Member, MemberEvent, Roster};
use crate::store;

/// The account of a batch and the members that its records name, under the account's lock. Each record updates it, so
/// that the next one sees the effect.
pub struct BatchState {
    pub account_id: AccountId,
    /// None until a record creates the account.
    pub account: Option<Account>,
    pub members: BTreeMap<MemberId, Member>,
    pub roster: Roster,
    unsaved_members: Vec<(Member, MemberEvent)>,
}

impl BatchState {
    /// Loads and locks the account, and loads the members that the batch names.
    pub async fn load(tx: &mut Tx, account_id: AccountId, batch: &[Record]) -> Result<Self, Failure> {
        let account = store::lock_account(tx, &account_id).await?;
        let member_ids: Vec<_> = batch
            .iter()
            .filter_map(|record| Some(member_record(record)?.member_id.clone()))
            .collect();
        let members = store::load_members(tx, &account_id, &member_ids).await?;
        let emails: Vec<_> = batch
            .iter()
            .filter_map(|record| Some(comparable_email(&member_record(record)?.person.as_ref()?.email)))
            .collect();
        let roster = store::load_roster(tx, &account_id, &emails).await?;
        Ok(Self {
            account_id,
            account,
            members: members
                .into_iter()
                .map(|member| (member.id().clone(), member))
                .collect(),
            roster,
            unsaved_members: Vec::new(),
        })
    }

    /// Adds a revision of a member to those that are saved together. A statement can write each member only once, so an
    /// unsaved earlier revision of the member is saved first.
    pub async fn add_member_revision(
        &mut self,
        tx: &mut Tx,
        member: Member,
        event: MemberEvent,
        cause: Cause<'_>,
    ) -> Result<(), Failure> {
        let mut unsaved = self.unsaved_members.iter();
        if unsaved.any(|(earlier, _)| earlier.id() == member.id()) {
            self.save_members(tx, cause).await?;
        }
        self.members.insert(member.id().clone(), member.clone());
        self.unsaved_members.push((member, event));
        Ok(())
    }

    /// Saves all unsaved revisions of members in one statement.
    pub async fn save_members(&mut self, tx: &mut Tx, cause: Cause<'_>) -> Result<(), Failure> {
        let unsaved = std::mem::take(&mut self.unsaved_members);
        Ok(store::save_members(tx, &unsaved, cause).await?)
    }
}
