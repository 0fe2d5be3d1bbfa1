//! What the provider is to do about a channel, one thing after the other (CHN-020). Each is noted once it is done; what
//! was done and not noted is done again, which providers take for the first time.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::Pii;

use super::channel::Channel;
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{ChannelEvent, Person};

/// How long a step that was taken is left to whoever took it; longer than any takes. After a crash it is taken anew.
const TAKEN: TimeDelta = TimeDelta::seconds(90);
/// How long after a failure the provider is called again, unless it says so itself.
const AGAIN: TimeDelta = TimeDelta::seconds(30);
/// The same after a refusal, which somebody has to mend.
const MENDED: TimeDelta = TimeDelta::minutes(5);

/// What the provider is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the channel.
    Create,
    /// Post the first message.
    Greet,
    /// Ask a person. With true, it may have been asked before.
    Invite(Person, bool),
    /// Take a person out, by the provider's id of it.
    Remove(Person, String),
    /// Put the channel away.
    Archive,
    /// Nothing: the time of an invitation is over.
    Expire(Person),
}

/// Why the provider could not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It may work later, not before this has passed where that was said.
    Later(Option<TimeDelta>),
    /// It refuses what was asked.
    Refused,
}

impl Channel {
    /// What is to be done next, and when.
    pub fn next(&self) -> Option<(Step, DateTime<Utc>)> {
        let step = self.to_do()?;
        let time = match &step {
            Step::Expire(person) => {
                let invited = self.member(person).and_then(|member| member.invite_time);
                Self::end_of_invitation(invited.unwrap_or(self.create_time))
            }
            // At once: whatever it is, it became due after the channel was created.
            _ => self.not_before.unwrap_or(self.create_time),
        };
        Some((step, time))
    }

    fn to_do(&self) -> Option<Step> {
        let by_provider = self.provider != ChannelProvider::Manual;
        match self.state {
            ChannelState::Requested | ChannelState::Declined => None,
            ChannelState::Approved if self.external_id.is_none() => Some(Step::Create),
            ChannelState::Approved => Some(Step::Greet),
            ChannelState::Active => self.about_people(),
            ChannelState::Archived if !by_provider || self.is_put_away => None,
            ChannelState::Archived if self.external_id.is_some() => Some(Step::Archive),
            // Whether it was made nobody knows: it is found, and put away.
            ChannelState::Archived => self.is_create_tried.then_some(Step::Create),
        }
    }

    /// Who is to go goes first, then who is to come comes; at last those whose time is over.
    fn about_people(&self) -> Option<Step> {
        let going = self.members.iter().filter(|one| one.is_to_go);
        let mut going = going.filter_map(|one| Some(Step::Remove(one.person.clone(), one.user.clone()?)));
        let selected = |one: &&super::ChannelMember| one.state == ChannelMemberState::Selected;
        let invited = self
            .members
            .iter()
            .filter(|one| one.state == ChannelMemberState::Invited);
        going
            .next()
            .or_else(|| {
                let next = self.members.iter().find(selected)?;
                Some(Step::Invite(next.person.clone(), next.is_tried))
            })
            .or_else(|| {
                let next = invited.min_by_key(|one| one.invite_time)?;
                Some(Step::Expire(next.person.clone()))
            })
    }

    /// Takes a step that is due, so that nobody else does so at the same time. Whether it is still to be done.
    pub fn take(&mut self, step: &Step, now: DateTime<Utc>) -> bool {
        let is_next = self
            .next()
            .is_some_and(|(next, time)| next == *step && time <= now);
        if !is_next {
            return false;
        }
        self.not_before = Some(now + TAKEN);
        match step {
            Step::Create => self.is_create_tried = true,
            Step::Invite(who, _) => {
                if let Some(member) = self.members.iter_mut().find(|one| one.person == *who) {
                    member.is_tried = true;
                }
            }
            Step::Greet | Step::Remove(..) | Step::Archive | Step::Expire(_) => {}
        }
        true
    }

    /// The provider has made it, under this id, and there (CHN-020).
    pub fn created(&mut self, external_id: String, link: Pii<String>) {
        self.external_id = Some(external_id);
        self.link = link;
        self.done();
    }

    /// The first message is there: so is the channel. None when it is over meanwhile.
    pub fn greeted(&mut self, now: DateTime<Utc>) -> Option<ChannelEvent> {
        self.done();
        if self.state != ChannelState::Approved {
            return None;
        }
        Some(self.activate(now))
    }

    /// A person was asked. None when it is not to be any more.
    pub fn invited(
        &mut self,
        who: &Person,
        invite_id: Option<String>,
        now: DateTime<Utc>,
    ) -> Option<ChannelEvent> {
        self.done();
        let member = self.members.iter_mut().find(|one| one.person == *who)?;
        member.invite_id = invite_id;
        if self.state != ChannelState::Active || member.state != ChannelMemberState::Selected {
            return None;
        }
        member.invite_time = Some(now);
        self.moved(who, ChannelMemberState::Invited, now)
    }

    /// A person who was to be asked is in it already.
    pub fn found(&mut self, who: &Person, user: Option<&str>, now: DateTime<Utc>) -> Option<ChannelEvent> {
        self.done();
        self.joined(who, user, now)
    }

    /// A person cannot be asked: the provider does not take it, or it works for the company no more.
    pub fn not_taken(&mut self, who: &Person, now: DateTime<Utc>) -> Option<ChannelEvent> {
        self.done();
        self.expired(who, now)
    }

    /// A person did not come in time. None when it has come, or the channel is over.
    pub fn expired(&mut self, who: &Person, now: DateTime<Utc>) -> Option<ChannelEvent> {
        let state = self.member(who)?.state;
        let waits = matches!(state, ChannelMemberState::Selected | ChannelMemberState::Invited);
        if !waits || self.state != ChannelState::Active {
            return None;
        }
        self.moved(who, ChannelMemberState::Expired, now)
    }

    /// A person was taken out.
    pub fn removed(&mut self, who: &Person) {
        self.done();
        if let Some(member) = self.members.iter_mut().find(|one| one.person == *who) {
            member.is_to_go = false;
        }
    }

    /// The provider does not take a person out, and why: it is left to go by itself, and keeps nobody from the channel.
    pub fn not_removed(&mut self, who: &Person, why: &str) {
        self.removed(who);
        self.last_failure = Some(why.to_owned());
    }

    /// The provider has put it away.
    pub fn put_away(&mut self) {
        self.done();
        self.is_put_away = true;
    }

    /// The provider could not do it, and why, in a word of its own.
    pub fn failed(&mut self, why: &str, hindrance: &Hindrance, now: DateTime<Utc>) {
        self.last_failure = Some(why.to_owned());
        self.not_before = Some(match hindrance {
            Hindrance::Later(pause) => now + pause.unwrap_or(AGAIN),
            Hindrance::Refused => now + MENDED,
        });
    }

    fn done(&mut self) {
        self.last_failure = None;
        self.not_before = None;
    }
}
