use std::collections::BTreeMap;

use chrono::TimeDelta;
use cosell_types::{AccountId, ClosedList as _, RejectionReason};
use proptest::prelude::*;

use super::tests_invitation::{account, invitation, member, now, opportunity};
use super::values::{EngagementMemberState, SnapshotJobState, SnapshotTemplate};
use super::{
    Beginning, Company, Context, Engagement, EngagementEvent, EngagementEventKind, MOST_MEMBERS, Rule,
    Shareable, SnapshotJob, Subject,
};

fn context(title: &str) -> Context {
    Context {
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

pub fn begun() -> (Engagement, EngagementEvent) {
    Engagement::begin(
        Beginning {
            id: "eng-a0000000000000".parse().expect("an id"),
            account: account(0),
            company: Company::default(),
            by: member("mem-sender"),
            opportunity: opportunity(7),
            title: "Together".into(),
            description: "".into(),
            context: context("A project"),
        },
        now(),
    )
}

/// An engagement with companies that were invited, and accepted.
pub fn with_members(members: std::ops::Range<u64>) -> Engagement {
    let (mut engagement, _) = begun();
    for number in members {
        invite(&mut engagement, number).expect("an invitation");
        answer(&mut engagement, number, EngagementMemberState::Active);
    }
    engagement
}

fn invite(engagement: &mut Engagement, number: u64) -> Result<EngagementEvent, Rule> {
    let sent = invitation(usize::try_from(number).expect("a number"), account(number), now());
    engagement.invite(&sent, Company::default(), now())
}

/// The last invitation of a company is answered, so that it stands there.
fn answer(engagement: &mut Engagement, number: u64, state: EngagementMemberState) -> Option<EngagementEvent> {
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

/// An engagement in which the company 1 stands there, beside the company 0, which began it, and the member 2.
fn where_one_is(state: EngagementMemberState) -> Engagement {
    let mut engagement = with_members(2..3);
    invite(&mut engagement, 1).expect("an invitation");
    match state {
        EngagementMemberState::Invited => {}
        EngagementMemberState::Active | EngagementMemberState::NotJoined => {
            answer(&mut engagement, 1, state);
        }
        EngagementMemberState::Left => {
            answer(&mut engagement, 1, EngagementMemberState::Active);
            engagement.leave(&account(1), now()).expect("an end");
        }
        EngagementMemberState::Removed => {
            answer(&mut engagement, 1, EngagementMemberState::Active);
            engagement
                .remove(&account(1), &account(0), now())
                .expect("an end");
        }
    }
    assert_eq!(
        engagement.participant(&account(1)).map(|one| one.state),
        Some(state)
    );
    engagement
}

#[test]
fn col_004_an_engagement_begins_with_one_company_and_one_context() {
    let (engagement, event) = begun();
    assert_eq!((engagement.revision(), engagement.involved()), (1, 1));
    assert_eq!(engagement.contexts().len(), 1);
    assert_eq!(engagement.contexts()[0].id, "1");
    assert_eq!(
        (event.kind, event.told),
        (EngagementEventKind::Created, vec![(account(0), 1)])
    );
    assert_eq!(event.members, [account(0)]);
}

/// Every state in which a company can stand, and every action about it.
#[test]
fn col_004_020_021_companies_move_from_each_state_as_they_may_and_in_no_other_way() {
    for state in EngagementMemberState::ALL.iter().copied() {
        let before = where_one_is(state);
        let is_involved = matches!(
            state,
            EngagementMemberState::Invited | EngagementMemberState::Active
        );

        let mut engagement = before.clone();
        let invited = invite(&mut engagement, 1);
        if is_involved {
            assert_eq!(invited, Err(Rule::AlreadyInvolved(account(1), state)));
            assert_eq!(engagement, before, "a refused call changes nothing");
        } else {
            assert_eq!(
                invited.map(|event| event.kind),
                Ok(EngagementEventKind::MemberInvited(account(1)))
            );
            let last = engagement.participants().last().expect("a company");
            assert_eq!(
                (&last.account, last.state),
                (&account(1), EngagementMemberState::Invited)
            );
            assert_eq!((&last.by, last.opportunity, last.end_time), (&None, None, None));
        }

        type End = fn(&mut Engagement) -> Result<EngagementEvent, Rule>;
        let ends: [(End, EngagementMemberState, EngagementEventKind); 2] = [
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
        for (end, becomes, kind) in ends {
            let mut engagement = before.clone();
            let ended = end(&mut engagement);
            if state == EngagementMemberState::Active {
                let event = ended.expect("an end");
                assert_eq!(event.kind, kind);
                // Whom it is about hears it once more.
                assert!(
                    event.told.iter().any(|(who, _)| *who == account(1)),
                    "{:?}",
                    event.told
                );
                assert!(!event.members.contains(&account(1)));
                let one = engagement.participant(&account(1)).expect("a company");
                assert_eq!((one.state, one.end_time), (becomes, Some(now())));
            } else {
                let (state, action) = (state.name(), becomes.name());
                assert_eq!(ended, Err(Rule::IllegalTransition { state, action }));
                assert_eq!(engagement, before, "a refused call changes nothing");
            }
        }
    }
}

#[test]
fn col_020_an_answer_counts_for_the_last_invitation_of_a_company_only() {
    let mut engagement = where_one_is(EngagementMemberState::NotJoined);
    let again = invitation(99, account(1), now());
    engagement
        .invite(&again, Company::default(), now())
        .expect("another one");
    let before = engagement.clone();
    assert_eq!(
        answer(&mut engagement, 1, EngagementMemberState::Active),
        None,
        "the first one"
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
    let one = engagement.participant(&account(1)).expect("a member");
    assert_eq!(
        (one.by.clone(), one.opportunity),
        (Some(member("mem-other")), Some(opportunity(9)))
    );
}

#[test]
fn col_021_who_began_it_does_not_leave_and_is_not_removed() {
    let before = with_members(1..3);
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
    let stranger = engagement.remove(&account(9), &account(0), now());
    assert_eq!(stranger, Err(Rule::NoMember(account(9))));
}

#[test]
fn col_003_ten_companies_with_those_who_are_invited() {
    let mut engagement = with_members(1..9);
    invite(&mut engagement, 9).expect("the tenth");
    assert_eq!(engagement.involved(), MOST_MEMBERS);
    let before = engagement.clone();
    assert_eq!(
        invite(&mut engagement, 10),
        Err(Rule::TooManyMembers { present: 10 })
    );
    assert_eq!(engagement, before);
    // Who does not join makes room, and who leaves.
    answer(&mut engagement, 9, EngagementMemberState::NotJoined);
    invite(&mut engagement, 10).expect("room");
    engagement.leave(&account(3), now()).expect("an end");
    invite(&mut engagement, 11).expect("room");
    assert_eq!(engagement.involved(), MOST_MEMBERS);
}

#[test]
fn col_030_five_contexts_that_are_replaced_whole() {
    let (mut engagement, _) = begun();
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
    let of = |id: &str, title: &str| Context {
        id: id.to_owned(),
        ..context(title)
    };
    for id in ["0", "6", ""] {
        let refused = engagement.update_context(of(id, "New"), &account(0), now());
        assert_eq!(refused, Err(Rule::NoContext(id.to_owned())));
    }
    let same = engagement.update_context(of("3", "Another"), &account(0), now());
    assert_eq!(same, Ok(None), "what says the same changes nothing");
    assert_eq!(engagement, before);
    let changed = engagement.update_context(of("3", "New"), &account(0), now());
    assert!(matches!(changed, Ok(Some(_))), "{changed:?}");
    assert_eq!(engagement.contexts()[2], of("3", "New"));
    assert_eq!(engagement.revision(), before.revision() + 1);
}

/// Each thing that keeps an opportunity from being shared, and which of several is said.
#[test]
fn col_001_what_is_shared_and_why_not() {
    let id = opportunity(7);
    let good = Shareable {
        is_with_aws: true,
        is_open: true,
        is_classified: false,
        is_copy: false,
    };
    assert_eq!(good.require(id), Ok(()));
    for (wrong, cause) in [
        (
            Shareable {
                is_with_aws: false,
                ..good
            },
            "REVIEW_STATUS",
        ),
        (
            Shareable {
                is_open: false,
                ..good
            },
            "STAGE",
        ),
        (
            Shareable {
                is_classified: true,
                ..good
            },
            "NATIONAL_SECURITY",
        ),
        (
            Shareable {
                is_copy: true,
                ..good
            },
            "SHARED_BY_ANOTHER",
        ),
    ] {
        assert_eq!(wrong.require(id), Err(Rule::NotShareable(id, cause)));
    }
}

fn job() -> SnapshotJob {
    let subject = Subject {
        account: account(0),
        engagement: "eng-a0000000000000".parse().expect("an id"),
        opportunity: opportunity(7),
        template: SnapshotTemplate::OpportunitySummary,
    };
    SnapshotJob::create(
        "job-0000000000000".parse().expect("an id"),
        subject,
        member("mem-sender"),
        now(),
    )
}

/// Both states, and every action.
#[test]
fn col_041_jobs_move_as_they_may_and_look_when_something_has_changed() {
    let running = job();
    let mut stopped = job();
    stopped.stop().expect("a stop");
    assert_eq!(
        (stopped.state(), stopped.due()),
        (SnapshotJobState::Stopped, None)
    );
    let later = now() + TimeDelta::hours(1);
    for (before, start, stop, delete) in [(&running, false, true, false), (&stopped, true, false, true)] {
        let state = before.state().name();
        let refused = |action| Err(Rule::IllegalTransition { state, action });
        let mut job = before.clone();
        let started = job.start(later);
        assert_eq!(started, if start { Ok(()) } else { refused("START") });
        assert_eq!(job.revision(), before.revision() + i64::from(start));
        let mut job = before.clone();
        assert_eq!(job.stop(), if stop { Ok(()) } else { refused("STOP") });
        assert_eq!(
            before.can_be_deleted(),
            if delete { Ok(()) } else { refused("DELETE") }
        );
    }
    stopped.look(later);
    assert_eq!(stopped.due(), None, "one that rests does not look");
    stopped.start(later).expect("a start");
    assert_eq!(stopped.due(), Some(later), "it looks at once");
    // What it is told while it looks is not lost.
    let mut job = running;
    let asked = job.asked();
    job.look(later);
    job.looked(asked, later);
    assert_eq!(job.due(), Some(later));
    job.looked(job.asked(), later);
    assert_eq!(
        (job.due(), job.last_success(), job.last_failure()),
        (None, Some(later), None)
    );
    job.look(later);
    job.failed("DEPENDENCY_UNAVAILABLE", later);
    assert!(job.due() > Some(later), "it looks again, a little later");
    assert_eq!(job.last_failure(), Some("DEPENDENCY_UNAVAILABLE"));
}

/// A step of a random sequence, about one of these companies.
fn happen(
    engagement: &mut Engagement,
    step: u8,
    number: u64,
    sent: &mut BTreeMap<u64, usize>,
) -> Option<EngagementEvent> {
    let company = account(number);
    match step {
        0 | 1 => {
            let id = sent.values().max().map_or(100, |last| last + 1);
            let event = engagement
                .invite(&invitation(id, company, now()), Company::default(), now())
                .ok()?;
            sent.insert(number, id);
            Some(event)
        }
        2..=4 => {
            let mut answered = invitation(*sent.get(&number)?, company.clone(), now());
            if engagement.participant(&company)?.state != EngagementMemberState::Invited {
                return None;
            }
            if step == 4 {
                answered.cancel(None, now()).expect("an end");
            } else {
                let accepted = answered.accept(&member("mem-receiver"), opportunity(8), now());
                accepted.expect("an acceptance");
            }
            engagement.invitation_ended(&answered, None, now())
        }
        5 => engagement.leave(&company, now()).ok(),
        6 => engagement.remove(&company, &account(0), now()).ok(),
        _ => engagement.add_context(context("Another"), &company, now()).ok(),
    }
}

proptest! {
    /// Whatever comes in whatever order: never more than ten companies, the one that began it is always part of it, and
    /// what each is told has the numbers 1, 2, 3 … without holes.
    #[test]
    fn col_003_020_021_whatever_comes_the_engagement_holds_together(
        steps in prop::collection::vec((0_u8..8, 0_u64..14), 1..80)
    ) {
        let (mut engagement, begun) = begun();
        let mut told: BTreeMap<AccountId, i64> = begun.told.into_iter().collect();
        let mut sent = BTreeMap::new();
        for (step, number) in steps {
            let before = engagement.clone();
            let Some(event) = happen(&mut engagement, step, number, &mut sent) else {
                prop_assert_eq!(&engagement, &before);
                continue;
            };
            prop_assert_eq!(event.revision, before.revision() + 1);
            prop_assert_eq!(engagement.revision(), event.revision);
            for (who, count) in &event.told {
                let last = told.insert(who.clone(), *count).unwrap_or(0);
                prop_assert_eq!(*count, last + 1, "{} is told without holes", who);
            }
            // All that are part of it hear it, and nobody else but whom it is about.
            let members: Vec<_> = engagement.members().map(|one| one.account.clone()).collect();
            prop_assert_eq!(&event.members, &members);
            for who in &members {
                prop_assert!(event.told.iter().any(|(one, _)| one == who));
            }
            for (who, _) in &event.told {
                prop_assert!(members.contains(who) || event.kind.gone() == Some(who));
            }
            // The one that began it hears every change.
            prop_assert_eq!(told[&account(0)], engagement.revision());
            prop_assert!(engagement.involved() <= MOST_MEMBERS);
            prop_assert!(members.contains(&account(0)));
            prop_assert!(engagement.contexts().len() <= 5);
            let companies: std::collections::BTreeSet<_> =
                engagement.participants().iter().map(|one| &one.account).collect();
            prop_assert_eq!(companies.len(), engagement.participants().len(), "each company once");
            for one in engagement.participants() {
                prop_assert_eq!(one.state == EngagementMemberState::Active, one.by.is_some() && one.end_time.is_none());
            }
        }
    }
}
