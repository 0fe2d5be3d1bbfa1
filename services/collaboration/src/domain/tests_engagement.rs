//! Covers engagements: members, limits, contexts, shareable opportunities, and random sequences (COL-001, COL-003, COL-004,
//! COL-020, COL-021, COL-030). Provides builders for the other tests of this
//! module.

use std::collections::BTreeMap;

use cosell_types::{AccountId, ClosedList as _, RejectionReason};
use proptest::prelude::*;

use super::tests_invitation::{account, invitation, member, now, opportunity};
use super::values::EngagementMemberState;
use super::{
    AccountProfile, Engagement, EngagementContext, EngagementEvent, EngagementEventKind, MAX_MEMBERS,
    NewEngagement, Rule, SharingFacts,
};

fn context(title: &str) -> EngagementContext {
    EngagementContext {
        id: String::new(),
        company_name: "Nordwind".into(),
        industry: "Retail".to_owned(),
        website_url: "www.nordwind.example".into(),
        country_code: "DE".to_owned(),
        title: title.into(),
        business_problem: "Orders are typed in twice, every day.".into(),
        target_completion_date: None,
    }
}

pub fn new_engagement() -> (Engagement, EngagementEvent) {
    Engagement::create(
        NewEngagement {
            id: "eng-a0000000000000".parse().expect("an id"),
            account: account(0),
            profile: AccountProfile::default(),
            created_by: member("mem-sender"),
            opportunity: opportunity(7),
            title: "Together".into(),
            description: "".into(),
            context: context("A project"),
        },
        now(),
    )
}

/// An engagement whose members were invited and have accepted.
pub fn engagement_with_members(members: std::ops::Range<u64>) -> Engagement {
    let (mut engagement, _) = new_engagement();
    for number in members {
        invite(&mut engagement, number).expect("an invitation");
        answer_invitation(&mut engagement, number, EngagementMemberState::Active);
    }
    engagement
}

fn invite(engagement: &mut Engagement, number: u64) -> Result<EngagementEvent, Rule> {
    let sent = invitation(usize::try_from(number).expect("a number"), account(number), now());
    engagement.invite(&sent, AccountProfile::default(), now())
}

/// Answers the last invitation of an account, so that its member has the given state.
fn answer_invitation(
    engagement: &mut Engagement,
    number: u64,
    state: EngagementMemberState,
) -> Option<EngagementEvent> {
    let mut sent = invitation(usize::try_from(number).expect("a number"), account(number), now());
    if state == EngagementMemberState::Active {
        let accepted = sent.accept(&member("mem-receiver"), opportunity(8), now());
        accepted.expect("an acceptance");
    } else {
        let reason = RejectionReason::UnableToSupport;
        let declined = sent.reject(&member("mem-receiver"), reason, "".into(), now());
        declined.expect("a refusal");
    }
    engagement.invitation_ended(&sent, Some(account(number)), now())
}

/// An engagement in which account 1 has the given state. Account 0 created it, and account 2 is a member.
fn engagement_with_member_in(state: EngagementMemberState) -> Engagement {
    let mut engagement = engagement_with_members(2..3);
    invite(&mut engagement, 1).expect("an invitation");
    match state {
        EngagementMemberState::Invited => {}
        EngagementMemberState::Active | EngagementMemberState::NotJoined => {
            answer_invitation(&mut engagement, 1, state);
        }
        EngagementMemberState::Left => {
            answer_invitation(&mut engagement, 1, EngagementMemberState::Active);
            engagement.leave(&account(1), now()).expect("a departure");
        }
        EngagementMemberState::Removed => {
            answer_invitation(&mut engagement, 1, EngagementMemberState::Active);
            engagement
                .remove(&account(1), &account(0), now())
                .expect("a removal");
        }
    }
    assert_eq!(
        engagement
            .participant(&account(1))
            .map(|participant| participant.state),
        Some(state)
    );
    engagement
}

#[test]
fn col_004_new_engagement_has_one_member_and_one_context() {
    let (engagement, event) = new_engagement();
    assert_eq!((engagement.revision(), engagement.member_count()), (1, 1));
    assert_eq!(engagement.contexts().len(), 1);
    assert_eq!(engagement.contexts()[0].id, "1");
    assert_eq!(
        (event.kind, event.recipients),
        (EngagementEventKind::Created, vec![(account(0), 1)])
    );
    assert_eq!(event.members, [account(0)]);
}

/// Applies every action to a member in every state.
#[test]
fn col_004_020_021_member_in_each_state_allows_only_listed_transitions() {
    for state in EngagementMemberState::ALL.iter().copied() {
        let before = engagement_with_member_in(state);
        let is_involved = matches!(
            state,
            EngagementMemberState::Invited | EngagementMemberState::Active
        );

        let mut engagement = before.clone();
        let invited = invite(&mut engagement, 1);
        if is_involved {
            assert_eq!(invited, Err(Rule::AlreadyInvolved(account(1), state)));
            assert_eq!(
                engagement, before,
                "a refused call must not change the engagement"
            );
        } else {
            assert_eq!(
                invited.map(|event| event.kind),
                Ok(EngagementEventKind::MemberInvited(account(1)))
            );
            let last = engagement.participants().last().expect("a participant");
            assert_eq!(
                (&last.account, last.state),
                (&account(1), EngagementMemberState::Invited)
            );
            assert_eq!(
                (&last.joined_by, last.opportunity, last.end_time),
                (&None, None, None)
            );
        }

        type EndMembership = fn(&mut Engagement) -> Result<EngagementEvent, Rule>;
        let actions: [(EndMembership, EngagementMemberState, EngagementEventKind); 2] = [
            (
                |engagement| engagement.leave(&account(1), now()),
                EngagementMemberState::Left,
                EngagementEventKind::MemberLeft(account(1)),
            ),
            (
                |engagement| engagement.remove(&account(1), &account(0), now()),
                EngagementMemberState::Removed,
                EngagementEventKind::MemberRemoved(account(1)),
            ),
        ];
        for (end_membership, final_state, kind) in actions {
            let mut engagement = before.clone();
            let ended = end_membership(&mut engagement);
            if state == EngagementMemberState::Active {
                let event = ended.expect("an ended membership");
                assert_eq!(event.kind, kind);
                // The former member receives the event of its departure.
                assert!(
                    event
                        .recipients
                        .iter()
                        .any(|(recipient, _)| *recipient == account(1)),
                    "{:?}",
                    event.recipients
                );
                assert!(!event.members.contains(&account(1)));
                let former = engagement.participant(&account(1)).expect("a former member");
                assert_eq!((former.state, former.end_time), (final_state, Some(now())));
            } else {
                let (state, action) = (state.name(), final_state.name());
                assert_eq!(ended, Err(Rule::IllegalTransition { state, action }));
                assert_eq!(
                    engagement, before,
                    "a refused call must not change the engagement"
                );
            }
        }
    }
}

#[test]
fn col_020_answer_to_superseded_invitation_is_ignored() {
    let mut engagement = engagement_with_member_in(EngagementMemberState::NotJoined);
    let again = invitation(99, account(1), now());
    engagement
        .invite(&again, AccountProfile::default(), now())
        .expect("a second invitation");
    let before = engagement.clone();
    assert_eq!(
        answer_invitation(&mut engagement, 1, EngagementMemberState::Active),
        None,
        "an answer to the first invitation must be ignored"
    );
    assert_eq!(engagement, before);
    let mut accepted = again;
    accepted
        .accept(&member("mem-other"), opportunity(9), now())
        .expect("an acceptance");
    let event = engagement.invitation_ended(&accepted, Some(account(1)), now());
    assert_eq!(
        event.expect("an event").kind,
        EngagementEventKind::MemberAdded(account(1))
    );
    let joined = engagement.participant(&account(1)).expect("a member");
    assert_eq!(
        (joined.joined_by.clone(), joined.opportunity),
        (Some(member("mem-other")), Some(opportunity(9)))
    );
}

#[test]
fn col_021_creator_cannot_leave_or_be_removed() {
    let before = engagement_with_members(1..3);
    for action in ["LEFT", "REMOVED"] {
        let mut engagement = before.clone();
        let refused = if action == "LEFT" {
            engagement.leave(&account(0), now())
        } else {
            engagement.remove(&account(0), &account(0), now())
        };
        assert_eq!(
            refused,
            Err(Rule::IllegalTransition {
                state: "ACTIVE",
                action
            })
        );
        assert_eq!(engagement, before);
    }
    let mut engagement = before;
    let not_member = engagement.remove(&account(9), &account(0), now());
    assert_eq!(not_member, Err(Rule::MemberNotFound(account(9))));
}

#[test]
fn col_003_engagement_has_at_most_ten_members_including_invited() {
    let mut engagement = engagement_with_members(1..9);
    invite(&mut engagement, 9).expect("a tenth member");
    assert_eq!(engagement.member_count(), MAX_MEMBERS);
    let before = engagement.clone();
    assert_eq!(
        invite(&mut engagement, 10),
        Err(Rule::TooManyMembers { present: 10 })
    );
    assert_eq!(engagement, before);
    // Accounts that do not join, and members that leave, no longer count.
    answer_invitation(&mut engagement, 9, EngagementMemberState::NotJoined);
    invite(&mut engagement, 10).expect("an invitation below the limit");
    engagement.leave(&account(3), now()).expect("a departure");
    invite(&mut engagement, 11).expect("an invitation below the limit");
    assert_eq!(engagement.member_count(), MAX_MEMBERS);
}

#[test]
fn col_030_engagement_has_at_most_five_contexts_replaced_as_a_whole() {
    let (mut engagement, _) = new_engagement();
    for number in 2..=5 {
        let added = engagement.add_context(context("Another"), &account(0), now());
        assert_eq!(
            added.expect("a context").kind,
            EngagementEventKind::ContextCreated(number.to_string())
        );
        let last = engagement.contexts().last().expect("a context");
        assert_eq!(last.id, number.to_string());
    }
    let before = engagement.clone();
    let refused = engagement.add_context(context("One more"), &account(0), now());
    assert_eq!(refused, Err(Rule::TooManyContexts { limit: 5 }));
    let context_with = |id: &str, title: &str| EngagementContext {
        id: id.to_owned(),
        ..context(title)
    };
    for id in ["0", "6", ""] {
        let refused = engagement.update_context(context_with(id, "New"), &account(0), now());
        assert_eq!(refused, Err(Rule::ContextNotFound(id.to_owned())));
    }
    let same = engagement.update_context(context_with("3", "Another"), &account(0), now());
    assert_eq!(
        same,
        Ok(None),
        "an unchanged context must not change the engagement"
    );
    assert_eq!(engagement, before);
    let changed = engagement.update_context(context_with("3", "New"), &account(0), now());
    assert!(matches!(changed, Ok(Some(_))), "{changed:?}");
    assert_eq!(engagement.contexts()[2], context_with("3", "New"));
    assert_eq!(engagement.revision(), before.revision() + 1);
}

/// Each condition that prevents sharing has its own cause.
#[test]
fn col_001_unshareable_opportunity_is_refused_with_cause() {
    let id = opportunity(7);
    let shareable = SharingFacts {
        has_shareable_review_status: true,
        is_open: true,
        is_national_security: false,
        is_shared_copy: false,
    };
    assert_eq!(shareable.require_shareable(id), Ok(()));
    for (unshareable, cause) in [
        (
            SharingFacts {
                has_shareable_review_status: false,
                ..shareable
            },
            "REVIEW_STATUS",
        ),
        (
            SharingFacts {
                is_open: false,
                ..shareable
            },
            "STAGE",
        ),
        (
            SharingFacts {
                is_national_security: true,
                ..shareable
            },
            "NATIONAL_SECURITY",
        ),
        (
            SharingFacts {
                is_shared_copy: true,
                ..shareable
            },
            "SHARED_BY_ANOTHER",
        ),
    ] {
        assert_eq!(
            unshareable.require_shareable(id),
            Err(Rule::NotShareable(id, cause))
        );
    }
}

/// Applies one step of a random sequence to one of the accounts.
fn apply_step(
    engagement: &mut Engagement,
    step: u8,
    number: u64,
    sent: &mut BTreeMap<u64, usize>,
) -> Option<EngagementEvent> {
    let partner = account(number);
    match step {
        0 | 1 => {
            let id = sent.values().max().map_or(100, |last| last + 1);
            let event = engagement
                .invite(&invitation(id, partner, now()), AccountProfile::default(), now())
                .ok()?;
            sent.insert(number, id);
            Some(event)
        }
        2..=4 => {
            let mut answered = invitation(*sent.get(&number)?, partner.clone(), now());
            if engagement.participant(&partner)?.state != EngagementMemberState::Invited {
                return None;
            }
            if step == 4 {
                answered.cancel(None, now()).expect("a cancellation");
            } else {
                let accepted = answered.accept(&member("mem-receiver"), opportunity(8), now());
                accepted.expect("an acceptance");
            }
            engagement.invitation_ended(&answered, None, now())
        }
        5 => engagement.leave(&partner, now()).ok(),
        6 => engagement.remove(&partner, &account(0), now()).ok(),
        _ => engagement.add_context(context("Another"), &partner, now()).ok(),
    }
}

proptest! {
    /// For any sequence of steps: an engagement never has more than ten members, its creator is always one of them, and
    /// the event numbers of each account have no gaps.
    #[test]
    fn col_003_020_021_engagement_invariants_hold_for_any_sequence(
        steps in prop::collection::vec((0_u8..8, 0_u64..14), 1..80)
    ) {
        let (mut engagement, created) = new_engagement();
        let mut event_numbers: BTreeMap<AccountId, i64> = created.recipients.into_iter().collect();
        let mut sent = BTreeMap::new();
        for (step, number) in steps {
            let before = engagement.clone();
            let Some(event) = apply_step(&mut engagement, step, number, &mut sent) else {
                prop_assert_eq!(&engagement, &before);
                continue;
            };
            prop_assert_eq!(event.revision, before.revision() + 1);
            prop_assert_eq!(engagement.revision(), event.revision);
            for (recipient, count) in &event.recipients {
                let last = event_numbers.insert(recipient.clone(), *count).unwrap_or(0);
                prop_assert_eq!(*count, last + 1, "events of {} must have no gaps", recipient);
            }
            // All members receive the event, and otherwise only the account that it is about.
            let members: Vec<_> = engagement.members().map(|member| member.account.clone()).collect();
            prop_assert_eq!(&event.members, &members);
            for member in &members {
                prop_assert!(event.recipients.iter().any(|(recipient, _)| recipient == member));
            }
            for (recipient, _) in &event.recipients {
                prop_assert!(members.contains(recipient) || event.kind.former_member() == Some(recipient));
            }
            // The creator receives every event.
            prop_assert_eq!(event_numbers[&account(0)], engagement.revision());
            prop_assert!(engagement.member_count() <= MAX_MEMBERS);
            prop_assert!(members.contains(&account(0)));
            prop_assert!(engagement.contexts().len() <= 5);
            let distinct: std::collections::BTreeSet<_> =
                engagement.participants().iter().map(|participant| &participant.account).collect();
            prop_assert_eq!(distinct.len(), engagement.participants().len(), "each account must participate once");
            for participant in engagement.participants() {
                let is_active = participant.joined_by.is_some() && participant.end_time.is_none();
                prop_assert_eq!(participant.state == EngagementMemberState::Active, is_active);
            }
        }
    }
}
