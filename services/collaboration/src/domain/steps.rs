//! The steps that the worker runs at the provider of a channel, sequentially (CHN-020). Each result is recorded when
//! the step is done. A step that was done and not recorded is repeated; provider operations are idempotent.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::Pii;

use super::channel::Channel;
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{ChannelEvent, MemberRef};

/// How long a claim excludes other replicas; longer than any step takes. After a crash the step is due again then.
const CLAIM_DURATION: TimeDelta = TimeDelta::seconds(90);
/// The delay after a transient failure for which the provider states none.
const TRANSIENT_RETRY_DELAY: TimeDelta = TimeDelta::seconds(30);
/// The delay after a refusal, whose cause an operator must fix.
const REFUSAL_RETRY_DELAY: TimeDelta = TimeDelta::minutes(5);

/// A step of the channel worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelStep {
    /// Create the channel.
    Create,
    /// Post and pin the welcome message, which makes the channel active.
    PostWelcomeMessage,
    /// Invite a member. `true` if an earlier attempt may have invited it.
    Invite(MemberRef, bool),
    /// Remove a member who left, by its user ID at the provider.
    Remove(MemberRef, String),
    /// Archive the channel.
    Archive,
    /// Expire an invitation; the provider is not called.
    Expire(MemberRef),
}

/// The class of a failed step, which sets the delay of its retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepFailure {
    /// A transient failure, with the delay that the provider states.
    Transient(Option<TimeDelta>),
    /// The provider refused the call.
    Refused,
}

impl Channel {
    /// The next step, and the time from which it is due.
    pub fn next_step(&self) -> Option<(ChannelStep, DateTime<Utc>)> {
        let step = self.pending_step()?;
        let time = match &step {
            ChannelStep::Expire(member_ref) => {
                let invite_time = self.member(member_ref).and_then(|member| member.invite_time);
                Self::invitation_deadline(invite_time.unwrap_or(self.create_time))
            }
            // Due at once; the creation time is always in the past.
            _ => self.not_before.unwrap_or(self.create_time),
        };
        Some((step, time))
    }

    fn pending_step(&self) -> Option<ChannelStep> {
        let is_manual = self.provider == ChannelProvider::Manual;
        match self.state {
            ChannelState::Requested | ChannelState::Declined => None,
            ChannelState::Approved if self.external_id.is_none() => Some(ChannelStep::Create),
            ChannelState::Approved => Some(ChannelStep::PostWelcomeMessage),
            ChannelState::Active => self.next_member_step(),
            ChannelState::Archived if is_manual || self.is_archived_at_provider => None,
            ChannelState::Archived if self.external_id.is_some() => Some(ChannelStep::Archive),
            // The result of an attempted creation is unknown: the step finds or creates the channel, to archive it.
            ChannelState::Archived => self.is_create_attempted.then_some(ChannelStep::Create),
        }
    }

    /// Removals first, then invitations, then expiries, the oldest invitation first.
    fn next_member_step(&self) -> Option<ChannelStep> {
        let members = || self.members.iter();
        let mut removals = members().filter_map(|member| {
            let user = member.user.clone().filter(|_| member.is_removal_pending)?;
            Some(ChannelStep::Remove(member.member_ref.clone(), user))
        });
        removals
            .next()
            .or_else(|| {
                let member = members().find(|member| member.state == ChannelMemberState::Selected)?;
                let member_ref = member.member_ref.clone();
                Some(ChannelStep::Invite(member_ref, member.is_invite_attempted))
            })
            .or_else(|| {
                let invited = members().filter(|member| member.state == ChannelMemberState::Invited);
                let oldest = invited.min_by_key(|member| member.invite_time)?;
                Some(ChannelStep::Expire(oldest.member_ref.clone()))
            })
    }

    /// Claims a due step, so that no other replica runs it. False when the step is not due any more.
    pub fn claim_step(&mut self, step: &ChannelStep, now: DateTime<Utc>) -> bool {
        let is_next = self
            .next_step()
            .is_some_and(|(next, time)| next == *step && time <= now);
        if !is_next {
            return false;
        }
        self.not_before = Some(now + CLAIM_DURATION);
        match step {
            ChannelStep::Create => self.is_create_attempted = true,
            ChannelStep::Invite(member_ref, _) => {
                if let Some(member) = self
                    .members
                    .iter_mut()
                    .find(|member| member.member_ref == *member_ref)
                {
                    member.is_invite_attempted = true;
                }
            }
            ChannelStep::PostWelcomeMessage
            | ChannelStep::Remove(..)
            | ChannelStep::Archive
            | ChannelStep::Expire(_) => {}
        }
        true
    }

    /// Records the created channel's ID at the provider and its link (CHN-020).
    pub fn created_at_provider(&mut self, external_id: String, link: Pii<String>) {
        self.external_id = Some(external_id);
        self.link = link;
        self.complete_step();
    }

    /// Activates the channel. No event if it was archived in the meantime.
    pub fn welcome_message_posted(&mut self, now: DateTime<Utc>) -> Option<ChannelEvent> {
        self.complete_step();
        if self.state != ChannelState::Approved {
            return None;
        }
        Some(self.activate(now))
    }

    /// Records a sent invitation. No event if the member or the channel changed state in the meantime.
    pub fn member_invited(
        &mut self,
        member_ref: &MemberRef,
        invite_id: Option<String>,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        self.complete_step();
        let member = self
            .members
            .iter_mut()
            .find(|member| member.member_ref == *member_ref)?;
        member.invite_id = invite_id;
        if self.state != ChannelState::Active || member.state != ChannelMemberState::Selected {
            return None;
        }
        member.invite_time = Some(now);
        self.set_member_state(member_ref, ChannelMemberState::Invited, now)
    }

    /// Records that the provider found the member to invite already in the channel.
    pub fn member_already_present(
        &mut self,
        member_ref: &MemberRef,
        user: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        self.complete_step();
        self.member_joined(member_ref, user, now)
    }

    /// Expires the invitation of a member whom the provider refuses to invite, or who is not in the directory any more.
    pub fn member_not_invitable(
        &mut self,
        member_ref: &MemberRef,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        self.complete_step();
        self.member_expired(member_ref, now)
    }

    /// Expires the pending invitation of a member. No event if none is pending or the channel is not active.
    pub fn member_expired(&mut self, member_ref: &MemberRef, now: DateTime<Utc>) -> Option<ChannelEvent> {
        let state = self.member(member_ref)?.state;
        let is_pending = matches!(state, ChannelMemberState::Selected | ChannelMemberState::Invited);
        if !is_pending || self.state != ChannelState::Active {
            return None;
        }
        self.set_member_state(member_ref, ChannelMemberState::Expired, now)
    }

    /// Records that the provider removed the user of a member who left.
    pub fn member_removed(&mut self, member_ref: &MemberRef) {
        self.complete_step();
        if let Some(member) = self
            .members
            .iter_mut()
            .find(|member| member.member_ref == *member_ref)
        {
            member.is_removal_pending = false;
        }
    }

    /// Records that the provider refuses to remove a user. The step is not retried, so that it does not block the
    /// others.
    pub fn member_removal_refused(&mut self, member_ref: &MemberRef, code: &str) {
        self.member_removed(member_ref);
        self.last_failure = Some(code.to_owned());
    }

    /// Records that the channel is archived at the provider.
    pub fn archived_at_provider(&mut self) {
        self.complete_step();
        self.is_archived_at_provider = true;
    }

    /// Records a failed step with the provider's error code, and delays its retry.
    pub fn step_failed(&mut self, code: &str, failure: &StepFailure, now: DateTime<Utc>) {
        self.last_failure = Some(code.to_owned());
        self.not_before = Some(match failure {
            StepFailure::Transient(delay) => now + delay.unwrap_or(TRANSIENT_RETRY_DELAY),
            StepFailure::Refused => now + REFUSAL_RETRY_DELAY,
        });
    }

    fn complete_step(&mut self) {
        self.last_failure = None;
        self.not_before = None;
    }
}
