use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{ChannelEvent, ChannelEventKind, Rule};

/// How long an invitation is valid (CHN-011).
const INVITATION_VALIDITY: TimeDelta = TimeDelta::days(14);

text_id!(
    /// `chan-` and 13 lower-case letters or digits.
    ChannelId,
    "channel id",
    "chan- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "chan-")
);

/// The ID of a member and of its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MemberRef {
    /// The partner account, or the AWS account.
    pub account: AccountId,
    /// Unique within the account.
    pub member: MemberId,
}

/// Aggregate: a chat channel on one opportunity. Each method checks all rules first, changes nothing when one is
/// violated, and returns the resulting events. `steps.rs` has the steps that the worker runs at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub(super) id: ChannelId,
    pub(super) account: AccountId,
    pub(super) opportunity: OpportunityId,
    pub(super) requested_by: MemberId,
    pub(super) revision: i64,
    pub(super) create_time: DateTime<Utc>,
    pub(super) update_time: DateTime<Utc>,
    pub(super) state: ChannelState,
    pub(super) purpose: Pii<String>,
    pub(super) provider: ChannelProvider,
    pub(super) decision: Option<ChannelDecision>,
    pub(super) link: Pii<String>,
    /// The channel's ID at the provider. `None` until its creation is recorded.
    pub(super) external_id: Option<String>,
    /// Whether the provider has been called to create the channel, with or without a recorded result.
    #[serde(rename = "is_create_tried")]
    pub(super) is_create_attempted: bool,
    #[serde(rename = "is_put_away")]
    pub(super) is_archived_at_provider: bool,
    pub(super) members: Vec<ChannelMember>,
    pub(super) last_failure: Option<String>,
    /// The earliest time of the next step, while a step is claimed or its retry is delayed.
    pub(super) not_before: Option<DateTime<Utc>>,
}

/// The approval or the decline of a channel request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDecision {
    /// The deciding AWS member. `None` if the platform approved the request.
    pub by: Option<MemberId>,
    /// When the request was approved or declined.
    pub time: DateTime<Utc>,
    /// The reason for a decline. Empty for an approval.
    pub text: Pii<String>,
}

/// A current, former, selected or invited member of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMember {
    /// Identifies the member; unique within the channel.
    #[serde(rename = "person")]
    pub member_ref: MemberRef,
    /// The state of the membership.
    pub state: ChannelMemberState,
    /// When the latest invitation was sent.
    pub invite_time: Option<DateTime<Utc>>,
    /// When the membership entered its current state.
    pub update_time: DateTime<Utc>,
    /// The invitation's ID at the provider, if the provider returned one.
    pub invite_id: Option<String>,
    /// The member's user ID at the provider. `None` until the member joins.
    pub user: Option<String>,
    /// Whether the provider has been called to invite the member, with or without a recorded result.
    #[serde(rename = "is_tried")]
    pub is_invite_attempted: bool,
    /// Whether the member has left and the provider must still remove its user.
    #[serde(rename = "is_to_go")]
    pub is_removal_pending: bool,
}

/// The input of [`Channel::request`].
#[derive(Clone, Debug)]
pub struct ChannelRequest {
    /// The ID of the new channel.
    pub id: ChannelId,
    /// The partner account.
    pub account: AccountId,
    /// The requesting member of the partner account.
    pub requested_by: MemberId,
    /// The opportunity that the channel is for.
    pub opportunity: OpportunityId,
    /// Stated by the requester.
    pub purpose: Pii<String>,
    /// The provider that hosts the channel.
    pub provider: ChannelProvider,
    /// The selected members of the partner account.
    pub members: Vec<MemberId>,
}

impl Channel {
    /// Requests a channel from AWS (CHN-003).
    pub fn request(request: ChannelRequest, now: DateTime<Utc>) -> (Self, ChannelEvent) {
        let account = request.account.clone();
        let member_refs = request.members.into_iter().map(|member| MemberRef {
            account: account.clone(),
            member,
        });
        let channel = Self {
            id: request.id,
            account: request.account,
            opportunity: request.opportunity,
            requested_by: request.requested_by,
            revision: 1,
            create_time: now,
            update_time: now,
            state: ChannelState::Requested,
            purpose: request.purpose,
            provider: request.provider,
            decision: None,
            link: Pii::default(),
            external_id: None,
            is_create_attempted: false,
            is_archived_at_provider: false,
            members: member_refs
                .map(|member_ref| ChannelMember::selected(member_ref, now))
                .collect(),
            last_failure: None,
            not_before: None,
        };
        let event = channel.event(ChannelEventKind::Requested);
        (channel, event)
    }

    /// Approves the request and selects members of AWS. A manual channel becomes active at once, with the link
    /// (CHN-010, CHN-030).
    pub fn approve(
        &mut self,
        by: Option<&MemberId>,
        aws_members: Vec<MemberRef>,
        link: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Vec<ChannelEvent>, Rule> {
        self.require_state(&[ChannelState::Requested], "APPROVE")?;
        self.set_decision(ChannelState::Approved, by, Pii::default(), now);
        self.select_members(aws_members, now);
        let mut events = vec![self.record_event(ChannelEventKind::Approved, now)];
        if self.provider == ChannelProvider::Manual {
            self.link = link;
            events.push(self.activate(now));
        }
        Ok(events)
    }

    /// Declines the request, with a reason.
    pub fn decline(
        &mut self,
        by: &MemberId,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<ChannelEvent, Rule> {
        self.require_state(&[ChannelState::Requested], "DECLINE")?;
        self.set_decision(ChannelState::Declined, Some(by), text, now);
        Ok(self.record_event(ChannelEventKind::Declined, now))
    }

    /// Selects members. Ignores those who are already selected, invited or joined; no event if all are (CHN-011).
    pub fn add_members(
        &mut self,
        member_refs: Vec<MemberRef>,
        now: DateTime<Utc>,
    ) -> Result<Option<ChannelEvent>, Rule> {
        self.require_state(&[ChannelState::Approved, ChannelState::Active], "ADD_MEMBERS")?;
        if !self.select_members(member_refs, now) {
            return Ok(None);
        }
        Ok(Some(self.record_event(ChannelEventKind::MembersAdded, now)))
    }

    /// Closes the channel; the worker archives it at the provider (CHN-013).
    pub fn archive(&mut self, now: DateTime<Utc>) -> Result<ChannelEvent, Rule> {
        let open = [
            ChannelState::Requested,
            ChannelState::Approved,
            ChannelState::Active,
        ];
        self.require_state(&open, "ARCHIVE")?;
        self.state = ChannelState::Archived;
        self.not_before = None;
        Ok(self.record_event(ChannelEventKind::Archived, now))
    }

    /// Records that a member joined, with its user ID at the provider. No event if the member was not invited or the
    /// join is already recorded (CHN-011).
    pub fn member_joined(
        &mut self,
        member_ref: &MemberRef,
        user: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        if self.state != ChannelState::Active {
            return None;
        }
        let member = self
            .members
            .iter_mut()
            .find(|member| member.member_ref == *member_ref)?;
        if !matches!(
            member.state,
            ChannelMemberState::Selected | ChannelMemberState::Invited | ChannelMemberState::Expired
        ) {
            return None;
        }
        member.user = user.map(str::to_owned);
        self.set_member_state(member_ref, ChannelMemberState::Joined, now)
    }

    /// Records that a member leaves. With `is_removed` the provider has removed the user; otherwise the worker does. No
    /// event if the member has left before or the channel is closed (CHN-011).
    pub fn member_left(
        &mut self,
        member_ref: &MemberRef,
        is_removed: bool,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        let is_closed = self.is_closed();
        let member = self
            .members
            .iter_mut()
            .find(|member| member.member_ref == *member_ref)?;
        if is_removed {
            member.is_removal_pending = false;
        }
        let is_current = matches!(
            member.state,
            ChannelMemberState::Selected | ChannelMemberState::Invited | ChannelMemberState::Joined
        );
        if is_closed || !is_current {
            return None;
        }
        member.is_removal_pending = !is_removed && member.user.is_some();
        self.set_member_state(member_ref, ChannelMemberState::Left, now)
    }

    /// Ends the pending invitation of a member who has opted out of all channels. No event if none is pending
    /// (CHN-012).
    pub fn member_opted_out(&mut self, member_ref: &MemberRef, now: DateTime<Utc>) -> Option<ChannelEvent> {
        let state = self.member(member_ref)?.state;
        let is_pending = matches!(state, ChannelMemberState::Selected | ChannelMemberState::Invited);
        if !is_pending || self.is_closed() {
            return None;
        }
        self.set_member_state(member_ref, ChannelMemberState::OptedOut, now)
    }

    /// Whether the channel is in a final state (CHN-010).
    pub fn is_closed(&self) -> bool {
        matches!(self.state, ChannelState::Declined | ChannelState::Archived)
    }

    /// The membership of a member, in any state.
    pub fn member(&self, member_ref: &MemberRef) -> Option<&ChannelMember> {
        self.members
            .iter()
            .find(|member| member.member_ref == *member_ref)
    }

    pub(super) fn invitation_deadline(invite_time: DateTime<Utc>) -> DateTime<Utc> {
        invite_time + INVITATION_VALIDITY
    }

    pub(super) fn activate(&mut self, now: DateTime<Utc>) -> ChannelEvent {
        self.state = ChannelState::Active;
        self.record_event(ChannelEventKind::Activated, now)
    }

    fn member_index(&self, member_ref: &MemberRef) -> Option<usize> {
        self.members
            .iter()
            .position(|member| member.member_ref == *member_ref)
    }

    pub(super) fn set_member_state(
        &mut self,
        member_ref: &MemberRef,
        state: ChannelMemberState,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        let member = self
            .members
            .iter_mut()
            .find(|member| member.member_ref == *member_ref)?;
        member.state = state;
        member.update_time = now;
        let member_ref = member_ref.clone();
        let kind = match state {
            ChannelMemberState::Selected => ChannelEventKind::MembersAdded,
            ChannelMemberState::Invited => ChannelEventKind::MemberInvited(member_ref),
            ChannelMemberState::Joined => ChannelEventKind::MemberJoined(member_ref),
            ChannelMemberState::Left => ChannelEventKind::MemberLeft(member_ref),
            ChannelMemberState::OptedOut => ChannelEventKind::MemberOptedOut(member_ref),
            ChannelMemberState::Expired => ChannelEventKind::MemberExpired(member_ref),
        };
        Some(self.record_event(kind, now))
    }

    /// Selects members who are new, or whose membership or invitation has ended. Whether any was selected.
    fn select_members(&mut self, member_refs: Vec<MemberRef>, now: DateTime<Utc>) -> bool {
        let mut is_changed = false;
        for member_ref in member_refs {
            match self.member_index(&member_ref) {
                None => {
                    self.members.push(ChannelMember::selected(member_ref, now));
                    is_changed = true;
                }
                Some(index) => {
                    let Some(member) = self.members.get_mut(index) else {
                        continue;
                    };
                    let is_ended = matches!(
                        member.state,
                        ChannelMemberState::Left | ChannelMemberState::OptedOut | ChannelMemberState::Expired
                    );
                    if is_ended {
                        *member = ChannelMember {
                            is_invite_attempted: member.is_invite_attempted,
                            ..ChannelMember::selected(member_ref, now)
                        };
                        is_changed = true;
                    }
                }
            }
        }
        is_changed
    }

    fn set_decision(
        &mut self,
        state: ChannelState,
        by: Option<&MemberId>,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) {
        self.state = state;
        self.decision = Some(ChannelDecision {
            by: by.cloned(),
            time: now,
            text,
        });
    }

    fn require_state(&self, states: &[ChannelState], action: &'static str) -> Result<(), Rule> {
        if states.contains(&self.state) {
            return Ok(());
        }
        Err(Rule::IllegalTransition {
            state: self.state.name(),
            action,
        })
    }

    fn record_event(&mut self, kind: ChannelEventKind, now: DateTime<Utc>) -> ChannelEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        self.event(kind)
    }

    fn event(&self, kind: ChannelEventKind) -> ChannelEvent {
        ChannelEvent {
            kind,
            state: self.state,
            revision: self.revision,
        }
    }
}

impl ChannelMember {
    fn selected(member_ref: MemberRef, now: DateTime<Utc>) -> Self {
        Self {
            member_ref,
            state: ChannelMemberState::Selected,
            invite_time: None,
            update_time: now,
            invite_id: None,
            user: None,
            is_invite_attempted: false,
            is_removal_pending: false,
        }
    }
}

#[expect(missing_docs, reason = "fields are documented once, in channel.proto")]
impl Channel {
    pub fn id(&self) -> &ChannelId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn opportunity(&self) -> OpportunityId {
        self.opportunity
    }

    pub fn requested_by(&self) -> &MemberId {
        &self.requested_by
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn state(&self) -> ChannelState {
        self.state
    }

    pub fn purpose(&self) -> &Pii<String> {
        &self.purpose
    }

    pub fn provider(&self) -> ChannelProvider {
        self.provider
    }

    pub fn decision(&self) -> Option<&ChannelDecision> {
        self.decision.as_ref()
    }

    pub fn link(&self) -> &Pii<String> {
        &self.link
    }

    /// The channel's ID at the provider. `None` until its creation is recorded.
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    pub fn members(&self) -> &[ChannelMember] {
        &self.members
    }

    pub fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }
}
