use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{ChannelEvent, ChannelEventKind, Rule};

/// How long somebody has to come after an invitation (CHN-011).
const INVITED_FOR: TimeDelta = TimeDelta::days(14);

text_id!(
    /// A channel: `chan-` and 13 lower-case letters or digits.
    ChannelId,
    "channel id",
    "chan- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "chan-")
);

/// A person, with the account that it works for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// The person.
    pub member: MemberId,
}

/// A chat on one opportunity: the aggregate. It changes only through its methods, each of which checks everything
/// first, changes nothing when a rule is broken, and returns what happened. `steps.rs` says what the provider is to do
/// about it.
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
    pub(super) decision: Option<Decision>,
    pub(super) link: Pii<String>,
    /// The provider's id of it.
    pub(super) external_id: Option<String>,
    /// The provider was told to make it, and may have done so.
    pub(super) is_create_tried: bool,
    /// It has ended with the provider, too.
    pub(super) is_put_away: bool,
    pub(super) members: Vec<ChannelMember>,
    pub(super) last_failure: Option<String>,
    /// Before this the provider is not called again.
    pub(super) not_before: Option<DateTime<Utc>>,
}

/// What AWS has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who; none when the platform did.
    pub by: Option<MemberId>,
    /// When.
    pub time: DateTime<Utc>,
    /// Why not, in words.
    pub text: Pii<String>,
}

/// A person in a channel, or asked to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMember {
    /// Who.
    pub person: Person,
    /// Where it stands.
    pub state: ChannelMemberState,
    /// When it was asked.
    pub invite_time: Option<DateTime<Utc>>,
    /// When it came to where it stands.
    pub update_time: DateTime<Utc>,
    /// The provider's id of the invitation.
    pub invite_id: Option<String>,
    /// The provider's id of the person.
    pub user: Option<String>,
    /// The provider was told to invite before, and may have done so.
    pub is_tried: bool,
    /// The provider is to take it out.
    pub is_to_go: bool,
}

/// Who asks for a channel on what.
#[derive(Clone, Debug)]
pub struct Request {
    /// The channel.
    pub id: ChannelId,
    /// The partner account.
    pub account: AccountId,
    /// Its member who asks.
    pub by: MemberId,
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// What it is for.
    pub purpose: Pii<String>,
    /// Who keeps it.
    pub provider: ChannelProvider,
    /// Members of the account to be in it.
    pub members: Vec<MemberId>,
}

impl Channel {
    /// Asks AWS for it (CHN-003).
    pub fn request(given: Request, now: DateTime<Utc>) -> (Self, ChannelEvent) {
        let account = given.account.clone();
        let people = given.members.into_iter().map(|member| Person {
            account: account.clone(),
            member,
        });
        let channel = Self {
            id: given.id,
            account: given.account,
            opportunity: given.opportunity,
            requested_by: given.by,
            revision: 1,
            create_time: now,
            update_time: now,
            state: ChannelState::Requested,
            purpose: given.purpose,
            provider: given.provider,
            decision: None,
            link: Pii::default(),
            external_id: None,
            is_create_tried: false,
            is_put_away: false,
            members: people
                .map(|person| ChannelMember::selected(person, now))
                .collect(),
            last_failure: None,
            not_before: None,
        };
        let event = channel.event(ChannelEventKind::Requested);
        (channel, event)
    }

    /// Grants it, with people of AWS. Where it is kept by hand it is there with its link (CHN-010, CHN-020).
    pub fn approve(
        &mut self,
        by: Option<&MemberId>,
        people: Vec<Person>,
        link: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Vec<ChannelEvent>, Rule> {
        self.require(&[ChannelState::Requested], "APPROVE")?;
        self.decide(ChannelState::Approved, by, Pii::default(), now);
        self.select(people, now);
        let mut happened = vec![self.step(ChannelEventKind::Approved, now)];
        if self.provider == ChannelProvider::Manual {
            self.link = link;
            happened.push(self.activate(now));
        }
        Ok(happened)
    }

    /// Does not grant it.
    pub fn decline(
        &mut self,
        by: &MemberId,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<ChannelEvent, Rule> {
        self.require(&[ChannelState::Requested], "DECLINE")?;
        self.decide(ChannelState::Declined, Some(by), text, now);
        Ok(self.step(ChannelEventKind::Declined, now))
    }

    /// Adds people; those who are in it already stay as they are. None when all are (CHN-011).
    pub fn add(&mut self, people: Vec<Person>, now: DateTime<Utc>) -> Result<Option<ChannelEvent>, Rule> {
        self.require(&[ChannelState::Approved, ChannelState::Active], "ADD_MEMBERS")?;
        if !self.select(people, now) {
            return Ok(None);
        }
        Ok(Some(self.step(ChannelEventKind::MembersAdded, now)))
    }

    /// Ends it (CHN-013).
    pub fn archive(&mut self, now: DateTime<Utc>) -> Result<ChannelEvent, Rule> {
        let open = [
            ChannelState::Requested,
            ChannelState::Approved,
            ChannelState::Active,
        ];
        self.require(&open, "ARCHIVE")?;
        self.state = ChannelState::Archived;
        self.not_before = None;
        Ok(self.step(ChannelEventKind::Archived, now))
    }

    /// A person came. None when that is known, or when it is nobody who was asked (CHN-011).
    pub fn joined(&mut self, who: &Person, user: Option<&str>, now: DateTime<Utc>) -> Option<ChannelEvent> {
        if self.state != ChannelState::Active {
            return None;
        }
        let member = self.members.iter_mut().find(|one| one.person == *who)?;
        if !matches!(
            member.state,
            ChannelMemberState::Selected | ChannelMemberState::Invited | ChannelMemberState::Expired
        ) {
            return None;
        }
        member.user = user.map(str::to_owned);
        self.moved(who, ChannelMemberState::Joined, now)
    }

    /// A person leaves: it was taken out by the provider already, or is to be. None when it is not in it, or all is over
    /// (CHN-011).
    pub fn left(&mut self, who: &Person, is_out: bool, now: DateTime<Utc>) -> Option<ChannelEvent> {
        let is_over = self.is_over();
        let member = self.members.iter_mut().find(|one| one.person == *who)?;
        if is_out {
            member.is_to_go = false;
        }
        let is_there = matches!(
            member.state,
            ChannelMemberState::Selected | ChannelMemberState::Invited | ChannelMemberState::Joined
        );
        if is_over || !is_there {
            return None;
        }
        member.is_to_go = !is_out && member.user.is_some();
        self.moved(who, ChannelMemberState::Left, now)
    }

    /// A person does not want to be asked to any channel. None when it was not waiting for anything here (CHN-012).
    pub fn opted_out(&mut self, who: &Person, now: DateTime<Utc>) -> Option<ChannelEvent> {
        let state = self.member(who)?.state;
        let waits = matches!(state, ChannelMemberState::Selected | ChannelMemberState::Invited);
        if !waits || self.is_over() {
            return None;
        }
        self.moved(who, ChannelMemberState::OptedOut, now)
    }

    /// Whether nothing happens in it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ChannelState::Declined | ChannelState::Archived)
    }

    /// Where a person stands in it.
    pub fn member(&self, who: &Person) -> Option<&ChannelMember> {
        self.members.iter().find(|one| one.person == *who)
    }

    /// When an invitation that was sent at a time is over.
    pub(super) fn end_of_invitation(time: DateTime<Utc>) -> DateTime<Utc> {
        time + INVITED_FOR
    }

    pub(super) fn activate(&mut self, now: DateTime<Utc>) -> ChannelEvent {
        self.state = ChannelState::Active;
        self.step(ChannelEventKind::Activated, now)
    }

    fn place(&self, who: &Person) -> Option<usize> {
        self.members.iter().position(|one| one.person == *who)
    }

    /// One of the people stands elsewhere.
    pub(super) fn moved(
        &mut self,
        who: &Person,
        state: ChannelMemberState,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        let member = self.members.iter_mut().find(|one| one.person == *who)?;
        member.state = state;
        member.update_time = now;
        let who = who.clone();
        let kind = match state {
            ChannelMemberState::Selected => ChannelEventKind::MembersAdded,
            ChannelMemberState::Invited => ChannelEventKind::MemberInvited(who),
            ChannelMemberState::Joined => ChannelEventKind::MemberJoined(who),
            ChannelMemberState::Left => ChannelEventKind::MemberLeft(who),
            ChannelMemberState::OptedOut => ChannelEventKind::MemberOptedOut(who),
            ChannelMemberState::Expired => ChannelEventKind::MemberExpired(who),
        };
        Some(self.step(kind, now))
    }

    /// Selects people who are not in it, or are no more. Whether there are any.
    fn select(&mut self, people: Vec<Person>, now: DateTime<Utc>) -> bool {
        let mut is_news = false;
        for person in people {
            match self.place(&person) {
                None => {
                    self.members.push(ChannelMember::selected(person, now));
                    is_news = true;
                }
                Some(at) => {
                    let Some(member) = self.members.get_mut(at) else {
                        continue;
                    };
                    let is_gone = matches!(
                        member.state,
                        ChannelMemberState::Left | ChannelMemberState::OptedOut | ChannelMemberState::Expired
                    );
                    if is_gone {
                        *member = ChannelMember {
                            is_tried: member.is_tried,
                            ..ChannelMember::selected(person, now)
                        };
                        is_news = true;
                    }
                }
            }
        }
        is_news
    }

    fn decide(&mut self, state: ChannelState, by: Option<&MemberId>, text: Pii<String>, now: DateTime<Utc>) {
        self.state = state;
        self.decision = Some(Decision {
            by: by.cloned(),
            time: now,
            text,
        });
    }

    fn require(&self, states: &[ChannelState], action: &'static str) -> Result<(), Rule> {
        if states.contains(&self.state) {
            return Ok(());
        }
        Err(Rule::IllegalTransition {
            state: self.state.name(),
            action,
        })
    }

    fn step(&mut self, kind: ChannelEventKind, now: DateTime<Utc>) -> ChannelEvent {
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
    fn selected(person: Person, now: DateTime<Utc>) -> Self {
        Self {
            person,
            state: ChannelMemberState::Selected,
            invite_time: None,
            update_time: now,
            invite_id: None,
            user: None,
            is_tried: false,
            is_to_go: false,
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

    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    pub fn link(&self) -> &Pii<String> {
        &self.link
    }

    /// The provider's id of it.
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
