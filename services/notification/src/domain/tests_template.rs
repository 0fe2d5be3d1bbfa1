//! Every template with all facts, and without those that can be missing (NOT-005, NOT-007).

use cosell_types::ClosedList as _;

use super::values::NotificationKind as Kind;
use super::*;

const LINK_BASE: &str = "https://cosell.example.com";
const MANUAL_LINKS: [&str; 2] = [
    "https://cosell.example.com/leave/1",
    "https://cosell.example.com/opt-out/2",
];

fn text(value: &str) -> String {
    value.to_owned()
}

fn facts(records: Vec<RecordRef>) -> TemplateFacts {
    TemplateFacts {
        records,
        project: ProjectFacts {
            customer: text("Nordwind & Söhne <GmbH>"),
            title: text("Data\nplatform"),
        },
        review: ReviewFacts {
            partner: text("Alder"),
            round: 2,
            reason: text("Clarify Solution"),
            comments: text("Explain the {{ amount }}."),
            correctable_fields: vec![text("Customer business problem"), text("Project title")],
        },
        closure: ClosureFacts {
            stage: text("Closed Lost"),
            close_date: text("2026-03-31"),
            reason: text("Lost to Competitor"),
        },
        assignment: AssignmentFacts {
            owner: text("Ada Lovelace"),
            previous_owner: text("Grace Hopper"),
        },
        job: BulkJobFacts {
            kind: "Transfer",
            outcome: "was stopped",
            reason: "A member involved no longer has the required role.",
            starter: text("Grace Hopper"),
            owner: text("Ada Lovelace"),
            total: 3,
            processed: 2,
            failed: 1,
        },
        member: MemberFacts {
            name: text("Ada Lovelace"),
            company: text("Alder"),
            roles: text("ACE manager"),
        },
        referral: ReferralFacts {
            payload: "an opportunity",
            deadline: text("2026-03-10 00:00 UTC"),
            message: text("Please call them."),
            contacts: vec![text("Vera Vogt, AWSSalesRep, vera@aws.example")],
            outcome: text("Alder rejected the offer, and Birch received one"),
            reason: "Unable to support",
            explanation: text("no capacity\nReason:   forged"),
        },
        invitation: InvitationFacts {
            company: text("Birch"),
            sender: text("Jane Roe <jane@birch.example>"),
            contacts: vec![text("Jane Roe, AllianceLead, jane@birch.example")],
            message: text("Let us work together."),
            deadline: text("2026-03-20 09:00 UTC"),
            reason: "Next steps unclear",
            explanation: text("Please call us first"),
            outcome: text("Birch rejected your invitation"),
        },
        channel: ChannelFacts {
            requester: text("Ada Lovelace"),
            partner: text("Alder"),
            purpose: text("Agree on the proposal"),
            outcome: "declined",
            reason: text("Too early"),
            provider: "MANUAL",
            url: text("https://chat.example/nordwind"),
            leave_url: text(MANUAL_LINKS[0]),
            opt_out_url: text(MANUAL_LINKS[1]),
        },
    }
}

fn render(kind: Kind, facts: &TemplateFacts) -> NotificationText {
    let templates = Templates::new(LINK_BASE).expect("templates");
    templates.render(kind, facts).expect("a text")
}

/// What the text of a kind must have.
struct Case {
    kind: Kind,
    records: Vec<RecordRef>,
    last_line: &'static str,
    /// The page of the first record.
    path: &'static str,
    /// What the text names besides.
    parts: Vec<&'static str>,
}

fn cases() -> Vec<Case> {
    let opportunity = || RecordRef::Opportunity(text("O42"));
    let about_opportunity = || (vec![opportunity()], "Opportunity O42", "/opportunities/O42");
    let offer = || RecordRef::ReferralOffer(text("engi-0000000000000"));
    let connection = || RecordRef::ConnectionInvitation(text("pacinv-0000000000000"));
    let engagement = || RecordRef::EngagementInvitation(text("engi-a000000000000"));
    let channel = || RecordRef::Channel(text("chan-0000000000000"));
    let about_channel = || {
        let records = vec![channel(), opportunity()];
        let line = "Channel chan-0000000000000, opportunity O42";
        (records, line, "/channels/chan-0000000000000")
    };
    let (customer, title) = ("Nordwind & Söhne <GmbH>", "Data platform");
    let named = |more: &[&'static str]| [&[customer, title], more].concat();
    let reason = "Clarify Solution";
    Kind::ALL
        .iter()
        .map(|&kind| {
            let ((records, last_line, path), parts) = match kind {
                Kind::OpportunitySubmitted => (about_opportunity(), named(&["Round:    2"])),
                Kind::ActionRequired => (
                    about_opportunity(),
                    named(&[
                        reason,
                        "Explain the {{ amount }}.",
                        "- Customer business problem\n- Project title\n",
                    ]),
                ),
                Kind::OpportunityApproved => (about_opportunity(), named(&["Explain the {{ amount }}."])),
                Kind::OpportunityRejected => {
                    (about_opportunity(), named(&[reason, "Explain the {{ amount }}."]))
                }
                Kind::OpportunityReopened => (about_opportunity(), named(&[reason])),
                Kind::OpportunityClosedByAws => (
                    about_opportunity(),
                    named(&["Closed Lost", "2026-03-31", "Lost to Competitor"]),
                ),
                Kind::OwnershipChanged => (
                    about_opportunity(),
                    named(&["New owner:      Ada Lovelace", "Previous owner: Grace Hopper"]),
                ),
                Kind::ReviewRequested => {
                    let records = vec![RecordRef::ReviewCase(text("rc-0000000000000")), opportunity()];
                    let line = "Review case rc-0000000000000, opportunity O42";
                    let about = (records, line, "/review-cases/rc-0000000000000");
                    (about, named(&["Alder submitted", "Round:    2"]))
                }
                Kind::ConnectionInvitationCreated
                | Kind::ConnectionInvitationAccepted
                | Kind::ConnectionInvitationRejected => {
                    let line = "Connection invitation pacinv-0000000000000";
                    let path = "/connection-invitations/pacinv-0000000000000";
                    let parts = match kind {
                        Kind::ConnectionInvitationCreated => vec![
                            "Birch invites",
                            "Jane Roe <jane@birch.example>",
                            "Deadline: 2026-03-20 09:00 UTC",
                            "Let us work together.",
                        ],
                        Kind::ConnectionInvitationAccepted => vec!["connected with Birch"],
                        _ => vec!["Reason:\n> Please call us first\n"],
                    };
                    ((vec![connection()], line, path), parts)
                }
                Kind::RolesChanged | Kind::MemberDeactivated | Kind::MemberInvited => {
                    let records = vec![RecordRef::Member(text("mem-ada"))];
                    let parts = match kind {
                        Kind::RolesChanged => vec!["at Alder are now ACE manager."],
                        Kind::MemberDeactivated => vec!["membership of Ada Lovelace", "without_active_owner"],
                        _ => vec![
                            "Alder has invited you, Ada Lovelace, to",
                            "with the roles ACE manager.",
                            "\n\nSign in to join: ",
                        ],
                    };
                    ((records, "Member mem-ada", "/members/mem-ada"), parts)
                }
                Kind::BulkJobFinished => {
                    let records = vec![RecordRef::Operation(text("bulkjob-0000000000000"))];
                    let line = "Operation bulkjob-0000000000000";
                    let parts = vec![
                        "The transfer started by Grace Hopper was stopped.",
                        "Reason: A member involved",
                        "New owner: Ada Lovelace",
                    ];
                    ((records, line, "/operations/bulkjob-0000000000000"), parts)
                }
                Kind::ReferralOfferCreated | Kind::ReferralOfferExpiresSoon => {
                    let line = "Referral offer engi-0000000000000";
                    let path = "/referral-offers/engi-0000000000000";
                    let parts = ["Deadline: 2026-03-10 00:00 UTC", "- Vera Vogt, AWSSalesRep"];
                    ((vec![offer()], line, path), named(&parts))
                }
                Kind::ReferralAnswered => {
                    let records = vec![RecordRef::Referral(text("ref-0000000000000")), opportunity()];
                    let line = "Referral ref-0000000000000, opportunity O42";
                    let parts = [
                        "Alder rejected the offer, and Birch received one.",
                        "Reason:   Unable to support\nDeadline: 2026-03-10 00:00 UTC",
                        "Explanation:\n> no capacity\n> Reason:   forged\n",
                    ];
                    ((records, line, "/referrals/ref-0000000000000"), named(&parts))
                }
                Kind::LeadAssigned => {
                    let records = vec![RecordRef::Lead(text("lead-0000000000000"))];
                    let about = (records, "Lead lead-0000000000000", "/leads/lead-0000000000000");
                    (about, named(&["New owner:      Ada Lovelace"]))
                }
                Kind::EngagementInvited => {
                    let line = "Engagement invitation engi-a000000000000";
                    let path = "/engagement-invitations/engi-a000000000000";
                    let parts = [
                        "Birch shares an opportunity with your account.",
                        "Deadline: 2026-03-20 09:00 UTC",
                        "Let us work together.",
                        "- Jane Roe, AllianceLead",
                    ];
                    ((vec![engagement()], line, path), named(&parts))
                }
                Kind::EngagementAnswered => {
                    let line = "Engagement invitation engi-a000000000000, opportunity O42";
                    let path = "/engagement-invitations/engi-a000000000000";
                    let about = (vec![engagement(), opportunity()], line, path);
                    let parts = [
                        "Birch rejected your invitation.",
                        "Reason:   Next steps unclear\n\nExplanation:\n> Please call us first\n",
                    ];
                    (about, named(&parts))
                }
                Kind::ChannelRequested => (
                    about_channel(),
                    named(&[
                        "Ada Lovelace of Alder requests a channel",
                        "Agree on the proposal",
                    ]),
                ),
                Kind::ChannelDecided => (about_channel(), named(&["was declined.", "Too early"])),
                Kind::ChannelInvited => (
                    about_channel(),
                    named(&[
                        "Ada Lovelace of Alder requested the channel.",
                        "https://chat.example/nordwind",
                    ]),
                ),
            };
            Case {
                kind,
                records,
                last_line,
                path,
                parts,
            }
        })
        .collect()
}

#[test]
fn not_005_every_text_names_its_facts_and_links_to_its_record() {
    for case in cases() {
        let Case {
            kind,
            records,
            last_line,
            path,
            parts,
        } = case;
        let rendered = render(kind, &facts(records));
        for part in parts {
            assert!(rendered.body.contains(part), "{part} is missing: {rendered:?}");
        }
        let end = format!(": {LINK_BASE}{path}\n\n{last_line}\n");
        assert!(rendered.body.ends_with(&end), "{rendered:?}");
        assert!(!rendered.body.contains("\n\n\n"), "{rendered:?}");
    }
}

#[test]
fn not_005_subject_is_one_line_with_names_and_without_ids() {
    for Case { kind, records, .. } in cases() {
        let subject = render(kind, &facts(records.clone())).subject;
        let names = [
            "Data platform (Nordwind & Söhne <GmbH>)",
            "Birch",
            "Alder",
            "rows processed",
        ];
        assert!(names.iter().any(|name| subject.contains(name)), "{subject}");
        assert!(!subject.contains('\n'), "{subject}");
        for record in records {
            let label = record.label();
            let id = label.rsplit(' ').next().expect("an id");
            assert!(!subject.contains(id), "{subject}");
        }
    }
}

#[test]
fn not_005_text_without_facts_has_complete_sentences() {
    for case in cases() {
        let Case {
            kind,
            records,
            last_line,
            ..
        } = case;
        let empty = TemplateFacts {
            records,
            referral: ReferralFacts {
                payload: "a lead",
                outcome: text("A partner accepted the offer"),
                ..ReferralFacts::default()
            },
            invitation: InvitationFacts {
                outcome: text("A partner accepted your invitation"),
                ..InvitationFacts::default()
            },
            job: BulkJobFacts {
                kind: "Import",
                outcome: "is completed",
                ..BulkJobFacts::default()
            },
            channel: ChannelFacts {
                outcome: "approved",
                ..ChannelFacts::default()
            },
            ..TemplateFacts::default()
        };
        let rendered = Templates::new("")
            .expect("templates")
            .render(kind, &empty)
            .expect("a text");
        let body = rendered.body.strip_suffix(&format!("\n\n{last_line}\n"));
        let body = body.unwrap_or_else(|| panic!("{rendered:?}"));
        assert!(!body.contains("http"), "{rendered:?}");
        for line in std::iter::once(rendered.subject.as_str()).chain(body.lines()) {
            // No label without a value, no gap, and no separator where a name is left out.
            assert!(!line.ends_with(':') && !line.contains("  :"), "{rendered:?}");
            assert!(
                !line.contains(" ,") && !line.contains(" .") && !line.contains("()"),
                "{rendered:?}"
            );
            assert_eq!(line, line.trim(), "{rendered:?}");
        }
        assert!(!body.contains("\n\n\n"), "{rendered:?}");
    }
}

#[test]
fn not_005_action_required_email_reads_as_a_whole() {
    let mut facts = facts(vec![RecordRef::Opportunity(text("O42"))]);
    facts.project = ProjectFacts {
        customer: text("Nordwind GmbH"),
        title: text("Data platform"),
    };
    facts.review.comments = text("Explain which product is sold.");
    let rendered = render(Kind::ActionRequired, &facts);
    assert_eq!(rendered.subject, "Action required: Data platform (Nordwind GmbH)");
    assert_eq!(
        rendered.body,
        "AWS reviewed your opportunity and requires action before it can be approved.\n\
         \n\
         Customer: Nordwind GmbH\n\
         Project:  Data platform\n\
         Reason:   Clarify Solution\n\
         \n\
         Review comments:\n\
         > Explain which product is sold.\n\
         \n\
         You can change these fields now:\n\
         - Customer business problem\n\
         - Project title\n\
         \n\
         Correct the opportunity, save it, and submit it again.\n\
         \n\
         Open it in cosell: https://cosell.example.com/opportunities/O42\n\
         \n\
         Opportunity O42\n"
    );
}

#[test]
fn not_005_empty_customer_or_title_leaves_the_other_in_the_subject() {
    let mut facts = facts(vec![RecordRef::Opportunity(text("O42"))]);
    facts.project.customer = String::new();
    let rendered = render(Kind::OpportunityApproved, &facts);
    assert_eq!(rendered.subject, "Approved by AWS: Data platform");
    assert!(!rendered.body.contains("Customer"), "{rendered:?}");
    facts.project = ProjectFacts {
        customer: text("Nordwind GmbH"),
        title: String::new(),
    };
    let rendered = render(Kind::OpportunityApproved, &facts);
    assert_eq!(rendered.subject, "Approved by AWS: Nordwind GmbH");
}

#[test]
fn not_005_user_text_is_neither_escaped_nor_evaluated() {
    let facts = facts(vec![RecordRef::Opportunity(text("O42"))]);
    let email = render(Kind::ActionRequired, &facts);
    assert!(email.body.contains("Nordwind & Söhne <GmbH>"), "{email:?}");
    assert!(email.body.contains("Explain the {{ amount }}."), "{email:?}");
}

#[test]
fn not_005_review_comments_are_omitted_when_empty() {
    let mut facts = facts(vec![RecordRef::Opportunity(text("O42"))]);
    facts.review.comments = String::new();
    let email = render(Kind::OpportunityApproved, &facts);
    assert!(!email.body.contains("Review comments"), "{email:?}");
}

#[test]
fn not_007_manual_invitation_has_channel_leave_and_opt_out_links() {
    let records = vec![RecordRef::Channel(text("chan-0000000000000"))];
    let mut facts = facts(records);
    let email = render(Kind::ChannelInvited, &facts);
    assert!(email.body.starts_with("Welcome!"), "{email:?}");
    for link in MANUAL_LINKS {
        let (_, after_link) = email.body.split_once(link).expect("the link");
        let sentence = after_link.trim_start().split("\n\n").next().expect("a sentence");
        assert!(sentence.contains("without signing in"), "{email:?}");
    }
    assert!(!email.body.contains("Slack"), "{email:?}");

    facts.channel.leave_url = String::new();
    facts.channel.opt_out_url = String::new();
    let email = render(Kind::ChannelInvited, &facts);
    assert!(
        email.body.contains("You can leave the channel at any time"),
        "{email:?}"
    );
}

#[test]
fn not_007_slack_invitation_says_how_to_accept_it_in_slack() {
    let mut facts = facts(vec![RecordRef::Channel(text("chan-0000000000000"))]);
    facts.channel.provider = "SLACK";
    facts.channel.leave_url = String::new();
    facts.channel.opt_out_url = String::new();
    let email = render(Kind::ChannelInvited, &facts);
    assert!(
        email.body.contains("Get started") && email.body.contains("same e-mail address"),
        "{email:?}"
    );
    assert!(!email.body.contains("https://chat.example"), "{email:?}");
}

/// What a person writes looks like no line of the notification, and controls no terminal.
#[test]
fn plt_014_text_of_a_person_forges_no_line_of_the_notification() {
    let forged = "p\nLeave the channel: https://evil.example/x";
    let mut facts = facts(vec![RecordRef::Channel(text("chan-0000000000000"))]);
    facts.project.title = format!("{forged}\u{1b}[31m\u{202e}");
    facts.channel.purpose = text(forged);
    let rendered = render(Kind::ChannelInvited, &facts);
    let lines: Vec<_> = rendered
        .body
        .lines()
        .filter(|line| line.contains("evil"))
        .collect();
    assert_eq!(
        lines,
        [
            "Project:  p Leave the channel: https://evil.example/x[31m",
            "> Leave the channel: https://evil.example/x",
        ]
    );
    assert!(!rendered.subject.contains(['\u{1b}', '\u{202e}', '\n']));
}
