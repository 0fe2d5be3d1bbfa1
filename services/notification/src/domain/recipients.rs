//! Selects the recipients of a notification in inboxes and by e-mail (NOT-001, NOT-002, NOT-003, NOT-006).

use std::collections::BTreeSet;

use cosell_types::{AccountId, MemberId, Pii, Role, Side, comparable_email};

use super::values::NotificationKind;

/// The roles that submit their own opportunities (ACC-010).
const SUBMITTERS: [Role; 2] = [Role::AceUser, Role::MarketingStaff];

/// A candidate recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id of the member.
    pub id: MemberId,
    /// The account of the member.
    pub account: AccountId,
    /// The side of that account.
    pub side: Side,
    /// Empty if the address is unknown.
    pub email: Pii<String>,
    /// All roles of the member.
    pub roles: Vec<Role>,
    /// The kinds that the member does not get by e-mail (NOT-003).
    pub opt_outs: Vec<NotificationKind>,
}

/// A recipient of e-mail that need not be a member: a sales contact or an invited person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Empty if the opportunity states none.
    pub email: Pii<String>,
}

/// The facts of an event that decide on its recipients.
#[derive(Clone, Debug)]
pub struct SelectionCriteria<'a> {
    /// The kind of the notification.
    pub kind: NotificationKind,
    /// The account whose members are notified.
    pub account: &'a AccountId,
    /// The members whose own opportunity it is, or whom the event names.
    pub concerned_members: &'a [MemberId],
    /// Contacts that get an e-mail only (NOT-002, MEMBER_INVITED).
    pub contacts: &'a [Contact],
    /// The assignee of the review case; `None` if it is unclaimed.
    pub reviewer: Option<&'a MemberId>,
    /// The addresses of the account owners in the AWS team of the opportunity (NOT-006).
    pub account_owners: &'a [Pii<String>],
}

/// The recipients of a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Members that get the notification in the inbox, each with whether it also gets an e-mail.
    pub members: Vec<(Member, bool)>,
    /// Contacts that get an e-mail only.
    pub contacts: Vec<Contact>,
}

/// Selects the recipients among the candidates and the contacts. No address is selected twice, also not that of a
/// member that is a contact as well.
pub fn select_recipients(criteria: &SelectionCriteria<'_>, candidates: Vec<Member>) -> Recipients {
    let mut addresses = BTreeSet::new();
    let mut recipients = Recipients::default();
    let members = candidates
        .into_iter()
        .filter(|member| is_recipient(criteria, member))
        .collect();
    for member in in_aws_team_or_all(criteria, members) {
        let has_opted_out = member.opt_outs.contains(&criteria.kind);
        // The address of a member that opted out is reserved too, so that it is not selected as that of a contact.
        let reserves_address = !member.email.is_empty() && (has_opted_out || is_sent_by_email(criteria.kind));
        let gets_email = reserves_address && addresses.insert(member.email.clone()) && !has_opted_out;
        recipients.members.push((member, gets_email));
    }
    if criteria.kind != NotificationKind::ReviewRequested {
        for contact in criteria.contacts {
            if contact.email.is_empty() || !addresses.insert(contact.email.clone()) {
                continue;
            }
            // The e-mail of a contact that is a recipient is that of the member, who can opt out of it (NOT-008).
            let mut members = recipients.members.iter_mut();
            match members.find(|(member, _)| member.email == contact.email) {
                Some((_, gets_email)) => *gets_email = true,
                None => recipients.contacts.push(contact.clone()),
            }
        }
    }
    recipients
}

/// The members that are account owners in the AWS team of the opportunity, if there are any; otherwise all (NOT-006).
fn in_aws_team_or_all(criteria: &SelectionCriteria<'_>, members: Vec<Member>) -> Vec<Member> {
    let is_in_team = |member: &Member| {
        let address = comparable_email(member.email.reveal());
        let mut owners = criteria.account_owners.iter();
        !address.is_empty() && owners.any(|owner| comparable_email(owner.reveal()) == address)
    };
    if members.iter().any(is_in_team) {
        members.into_iter().filter(is_in_team).collect()
    } else {
        members
    }
}

fn is_recipient(criteria: &SelectionCriteria<'_>, member: &Member) -> bool {
    let is_of_account = member.account == *criteria.account;
    let is_of_partner = member.side == Side::Partner && is_of_account;
    let is_concerned = criteria.concerned_members.contains(&member.id);
    let has_any = |roles: &[Role]| member.roles.iter().any(|role| roles.contains(role));
    match criteria.kind {
        NotificationKind::ActionRequired => {
            is_of_partner && (has_any(&Role::WHOLE_PIPELINE) || (is_concerned && has_any(&SUBMITTERS)))
        }
        NotificationKind::OpportunitySubmitted
        | NotificationKind::OpportunityApproved
        | NotificationKind::OpportunityRejected
        | NotificationKind::OpportunityReopened
        | NotificationKind::OpportunityClosedByAws
        | NotificationKind::OwnershipChanged
        | NotificationKind::LeadAssigned
        | NotificationKind::BulkJobFinished => is_of_partner && is_concerned,
        NotificationKind::ConnectionInvitationCreated
        | NotificationKind::ConnectionInvitationAccepted
        | NotificationKind::ConnectionInvitationRejected => is_of_partner && has_any(&[Role::AllianceLead]),
        // An invited person has no inbox yet.
        NotificationKind::MemberInvited => false,
        NotificationKind::MemberDeactivated => {
            is_of_partner && has_any(&[Role::AllianceLead, Role::AllianceTeam])
        }
        // Offers and invitations have no owner yet.
        NotificationKind::ReferralOfferCreated
        | NotificationKind::ReferralOfferExpiresSoon
        | NotificationKind::EngagementInvited => is_of_partner && has_any(&Role::WHOLE_PIPELINE),
        NotificationKind::RolesChanged
        | NotificationKind::ReferralAnswered
        | NotificationKind::EngagementAnswered
        | NotificationKind::ChannelDecided
        | NotificationKind::ChannelInvited => is_of_account && is_concerned,
        NotificationKind::ChannelRequested => member.side == Side::Aws && has_any(&[Role::AccountOwner]),
        NotificationKind::ReviewRequested => {
            member.side == Side::Aws
                && has_any(&[Role::Reviewer])
                && criteria.reviewer.is_none_or(|reviewer| *reviewer == member.id)
        }
    }
}

/// Whether members also get this kind by e-mail. Confirmations of a member's own action and additions to the review
/// queue go to the inbox only.
fn is_sent_by_email(kind: NotificationKind) -> bool {
    match kind {
        NotificationKind::ActionRequired
        | NotificationKind::OpportunityApproved
        | NotificationKind::OpportunityRejected
        | NotificationKind::ConnectionInvitationCreated
        | NotificationKind::ConnectionInvitationAccepted
        | NotificationKind::ConnectionInvitationRejected
        | NotificationKind::RolesChanged
        | NotificationKind::MemberDeactivated
        | NotificationKind::OwnershipChanged
        | NotificationKind::OpportunityReopened
        | NotificationKind::OpportunityClosedByAws
        | NotificationKind::ReferralOfferCreated
        | NotificationKind::ReferralOfferExpiresSoon
        | NotificationKind::ReferralAnswered
        | NotificationKind::LeadAssigned
        | NotificationKind::EngagementInvited
        | NotificationKind::EngagementAnswered
        | NotificationKind::ChannelRequested
        | NotificationKind::ChannelDecided
        | NotificationKind::ChannelInvited
        | NotificationKind::BulkJobFinished => true,
        NotificationKind::OpportunitySubmitted
        | NotificationKind::ReviewRequested
        | NotificationKind::MemberInvited => false,
    }
}

#[cfg(test)]
mod tests {
    use cosell_types::ClosedList as _;

    use super::*;

    const ACCOUNT: &str = "111111111111";

    fn member(id: &str, account: &str, role: Role) -> Member {
        Member {
            id: id.parse().expect("a member id"),
            account: account.parse().expect("an account id"),
            side: role.side(),
            email: format!("{id}@example.com").into(),
            roles: vec![role],
            opt_outs: Vec::new(),
        }
    }

    /// All possible recipients: every role once in the owning account or at AWS, the alliance lead of another account,
    /// a second reviewer, and a second ACE user.
    fn all_members() -> Vec<Member> {
        let mut all: Vec<_> = Role::ALL
            .iter()
            .map(|&role| {
                let account = if role.side() == Side::Partner {
                    ACCOUNT
                } else {
                    "999999999999"
                };
                member(&role.name().to_lowercase(), account, role)
            })
            .collect();
        all.push(member("other_lead", "222222222222", Role::AllianceLead));
        all.push(member("second_reviewer", "999999999999", Role::Reviewer));
        all.push(member("second_ace_user", ACCOUNT, Role::AceUser));
        all
    }

    fn recipients(kind: NotificationKind, concerned_members: &[&str], reviewer: Option<&str>) -> Vec<String> {
        let account = ACCOUNT.parse().expect("an account id");
        let concerned_members: Vec<MemberId> = concerned_members
            .iter()
            .map(|id| id.parse().expect("a member id"))
            .collect();
        let reviewer: Option<MemberId> = reviewer.map(|id| id.parse().expect("a member id"));
        let criteria = SelectionCriteria {
            kind,
            account: &account,
            concerned_members: &concerned_members,
            contacts: &[],
            reviewer: reviewer.as_ref(),
            account_owners: &[],
        };
        let recipients = select_recipients(&criteria, all_members());
        let mark = |gets_email: bool| if gets_email { "+mail" } else { "" };
        recipients
            .members
            .iter()
            .map(|(member, gets_email)| format!("{}{}", member.id, mark(*gets_email)))
            .collect()
    }

    #[test]
    fn not_001_action_required_notifies_managers_and_owners_who_can_submit() {
        assert_eq!(
            recipients(
                NotificationKind::ActionRequired,
                &["ace_user", "marketing_staff", "technical_staff"],
                None
            ),
            [
                "alliance_lead+mail",
                "alliance_team+mail",
                "ace_manager+mail",
                "ace_user+mail",
                "marketing_staff+mail"
            ]
        );
    }

    #[test]
    fn not_001_status_change_notifies_members_with_own_record() {
        for kind in [
            NotificationKind::OpportunityApproved,
            NotificationKind::OpportunityRejected,
            NotificationKind::OpportunityReopened,
            NotificationKind::OpportunityClosedByAws,
            NotificationKind::OwnershipChanged,
            NotificationKind::BulkJobFinished,
        ] {
            assert_eq!(
                recipients(kind, &["marketing_staff"], None),
                ["marketing_staff+mail"]
            );
        }
        assert_eq!(
            recipients(NotificationKind::OpportunitySubmitted, &["ace_user"], None),
            ["ace_user"]
        );
    }

    #[test]
    fn not_001_review_request_notifies_assignee_or_all_reviewers() {
        assert_eq!(
            recipients(NotificationKind::ReviewRequested, &[], None),
            ["reviewer", "second_reviewer"]
        );
        assert_eq!(
            recipients(NotificationKind::ReviewRequested, &[], Some("second_reviewer")),
            ["second_reviewer"]
        );
    }

    #[test]
    fn not_001_contact_receives_one_email_and_none_sent_to_a_member() {
        let account = ACCOUNT.parse().expect("an account id");
        let contact = |email: &str| Contact { email: email.into() };
        let contacts = [
            contact("alliance_lead@example.com"),
            contact("new@example.com"),
            contact("new@example.com"),
        ];
        let mut criteria = SelectionCriteria {
            kind: NotificationKind::ActionRequired,
            account: &account,
            concerned_members: &[],
            contacts: &contacts,
            reviewer: None,
            account_owners: &[],
        };
        assert_eq!(
            select_recipients(&criteria, all_members()).contacts,
            [contact("new@example.com")]
        );
        criteria.kind = NotificationKind::ReviewRequested;
        assert_eq!(select_recipients(&criteria, all_members()).contacts, []);
    }

    #[test]
    fn not_008_contact_who_is_a_recipient_gets_the_email_as_a_member() {
        let account = ACCOUNT.parse().expect("an account id");
        let submitter = member("submitter", ACCOUNT, Role::AceUser);
        let contact = |email: &str| Contact { email: email.into() };
        let contacts = [contact("submitter@example.com"), contact("new@example.com")];
        let concerned_members = [submitter.id.clone()];
        let criteria = SelectionCriteria {
            // Members get this kind by e-mail only as contacts.
            kind: NotificationKind::OpportunitySubmitted,
            account: &account,
            concerned_members: &concerned_members,
            contacts: &contacts,
            reviewer: None,
            account_owners: &[],
        };
        let recipients = select_recipients(&criteria, vec![submitter.clone()]);
        assert_eq!(recipients.members, [(submitter.clone(), true)]);
        assert_eq!(recipients.contacts, [contact("new@example.com")]);
        let mut opted_out = submitter;
        opted_out.opt_outs = vec![criteria.kind];
        let recipients = select_recipients(&criteria, vec![opted_out.clone()]);
        assert_eq!(recipients.members, [(opted_out, false)]);
        assert_eq!(recipients.contacts, [contact("new@example.com")]);
    }

    fn channel_request_recipients(account_owners: &[&str]) -> Vec<String> {
        let account = ACCOUNT.parse().expect("an account id");
        let account_owners: Vec<_> = account_owners.iter().map(|email| (*email).into()).collect();
        let criteria = SelectionCriteria {
            kind: NotificationKind::ChannelRequested,
            account: &account,
            concerned_members: &[],
            contacts: &[],
            reviewer: None,
            account_owners: &account_owners,
        };
        let mut members = all_members();
        members.push(member("second_owner", "999999999999", Role::AccountOwner));
        let recipients = select_recipients(&criteria, members);
        let ids = recipients.members.iter().map(|(member, _)| member.id.to_string());
        ids.collect()
    }

    #[test]
    fn not_006_channel_request_notifies_account_owner_of_the_aws_team() {
        assert_eq!(
            channel_request_recipients(&["nobody@example.com", "Second_Owner@example.com"]),
            ["second_owner"]
        );
    }

    #[test]
    fn not_006_channel_request_without_owner_in_team_notifies_all_owners() {
        let all = ["account_owner", "second_owner"];
        assert_eq!(channel_request_recipients(&[]), all);
        // A contact who is not an account owner of the platform, and one who is not a member.
        assert_eq!(
            channel_request_recipients(&["sales_representative@example.com", "nobody@example.com", ""]),
            all
        );
    }

    #[test]
    fn not_003_opted_out_member_still_has_inbox_entry() {
        let account = ACCOUNT.parse().expect("an account id");
        let mut lead = member("lead", ACCOUNT, Role::AllianceLead);
        lead.opt_outs = vec![NotificationKind::ActionRequired];
        let criteria = SelectionCriteria {
            kind: NotificationKind::ActionRequired,
            account: &account,
            concerned_members: &[],
            contacts: &[],
            reviewer: None,
            account_owners: &[],
        };
        assert_eq!(
            select_recipients(&criteria, vec![lead.clone()]).members,
            [(lead, false)]
        );
    }
}
