//! Who is told of what, and how (NOT-001, NOT-002).

use std::collections::BTreeSet;

use cosell_types::{AccountId, MemberId, Pii, Role, Side};

use super::values::Kind;

/// A person whom the platform knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub id: MemberId,
    /// The account it works for.
    pub account: AccountId,
    /// The side of that account.
    pub side: Side,
    /// Where its e-mail goes.
    pub email: Pii<String>,
    /// What it is there for.
    pub roles: Vec<Role>,
    /// Kinds that it does not want by e-mail.
    pub opt_outs: Vec<Kind>,
}

/// A person on the record who need not be a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where its e-mail goes.
    pub email: Pii<String>,
}

/// What is told, and what it is about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What happened.
    pub kind: Kind,
    /// The account that owns the record.
    pub account: &'a AccountId,
    /// Members who own, created or submitted the record, or whom the news is about.
    pub own_of: &'a [MemberId],
    /// The partner's sales contacts on the record.
    pub contacts: &'a [Contact],
    /// The reviewer who has the case; none when nobody has.
    pub reviewer: Option<&'a MemberId>,
}

/// Who gets it: members in the inbox, addresses by e-mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Members, each with whether it also gets an e-mail.
    pub members: Vec<(Member, bool)>,
    /// Contacts who get an e-mail only.
    pub contacts: Vec<Contact>,
}

/// Picks the audience among all members who might be concerned. Nobody gets the same e-mail twice, also who is both
/// a member and a contact.
pub fn audience(subject: &Subject<'_>, members: Vec<Member>) -> Audience {
    let mut addresses = BTreeSet::new();
    let mut chosen = Audience::default();
    for member in members.into_iter().filter(|member| concerns(subject, member)) {
        let refuses = member.opt_outs.contains(&subject.kind);
        // Also one who refuses is taken note of: it must not get as a contact what it does not want as a member.
        let mailed = !member.email.is_empty() && (refuses || by_email(subject.kind));
        let email = mailed && addresses.insert(member.email.clone()) && !refuses;
        chosen.members.push((member, email));
    }
    if subject.kind != Kind::ReviewRequested {
        for contact in subject.contacts {
            if !contact.email.is_empty() && addresses.insert(contact.email.clone()) {
                chosen.contacts.push(contact.clone());
            }
        }
    }
    chosen
}

fn concerns(subject: &Subject<'_>, member: &Member) -> bool {
    let partner = member.side == Side::Partner && member.account == *subject.account;
    let own = subject.own_of.contains(&member.id);
    match subject.kind {
        // The whole pipeline's keepers, and ACE users for their own records.
        Kind::ActionRequired => {
            let keepers = [Role::AllianceLead, Role::AllianceTeam, Role::AceManager];
            let has = |roles: &[Role]| member.roles.iter().any(|role| roles.contains(role));
            partner && (has(&keepers) || (own && has(&[Role::AceUser])))
        }
        Kind::OpportunitySubmitted
        | Kind::OpportunityApproved
        | Kind::OpportunityRejected
        | Kind::OpportunityReopened
        | Kind::OwnershipChanged
        | Kind::LeadAssigned
        | Kind::BulkJobFinished => partner && own,
        Kind::ConnectionInvitationCreated
        | Kind::ConnectionInvitationAccepted
        | Kind::ConnectionInvitationRejected => partner && member.roles.contains(&Role::AllianceLead),
        Kind::RolesChanged => member.account == *subject.account && own,
        // Who is invited has no inbox yet.
        Kind::MemberInvited => false,
        Kind::MemberDeactivated => {
            let heads = [Role::AllianceLead, Role::AllianceTeam];
            partner && member.roles.iter().any(|role| heads.contains(role))
        }
        // An offer is nobody's own yet.
        Kind::ReferralOfferCreated | Kind::ReferralOfferExpiresSoon | Kind::EngagementInvited => {
            let keepers = [Role::AllianceLead, Role::AllianceTeam, Role::AceManager];
            partner && member.roles.iter().any(|role| keepers.contains(role))
        }
        Kind::ReferralAnswered | Kind::EngagementAnswered | Kind::ChannelDecided | Kind::ChannelInvited => {
            member.account == *subject.account && own
        }
        Kind::ChannelRequested => member.side == Side::Aws && member.roles.contains(&Role::AccountOwner),
        // Once a reviewer has the case, it is that reviewer's.
        Kind::ReviewRequested => {
            member.side == Side::Aws
                && member.roles.contains(&Role::Reviewer)
                && subject.reviewer.is_none_or(|reviewer| *reviewer == member.id)
        }
    }
}

/// Whether members get this kind by e-mail too. What only confirms their own doing, or fills a queue that is worked
/// through anyway, is for the inbox.
fn by_email(kind: Kind) -> bool {
    match kind {
        Kind::ActionRequired
        | Kind::OpportunityApproved
        | Kind::OpportunityRejected
        | Kind::ConnectionInvitationCreated
        | Kind::ConnectionInvitationAccepted
        | Kind::ConnectionInvitationRejected
        | Kind::RolesChanged
        | Kind::MemberDeactivated
        | Kind::OwnershipChanged
        | Kind::OpportunityReopened
        | Kind::ReferralOfferCreated
        | Kind::ReferralOfferExpiresSoon
        | Kind::ReferralAnswered
        | Kind::LeadAssigned
        | Kind::EngagementInvited
        | Kind::EngagementAnswered
        | Kind::ChannelRequested
        | Kind::ChannelDecided
        | Kind::ChannelInvited
        | Kind::BulkJobFinished => true,
        Kind::OpportunitySubmitted | Kind::ReviewRequested | Kind::MemberInvited => false,
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

    /// Everybody: each role once in the owning account, a lead elsewhere, two reviewers.
    fn everybody() -> Vec<Member> {
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

    fn told(kind: Kind, own_of: &[&str], reviewer: Option<&str>) -> Vec<String> {
        let account = ACCOUNT.parse().expect("an account id");
        let own_of: Vec<MemberId> = own_of.iter().map(|id| id.parse().expect("a member id")).collect();
        let reviewer: Option<MemberId> = reviewer.map(|id| id.parse().expect("a member id"));
        let subject = Subject {
            kind,
            account: &account,
            own_of: &own_of,
            contacts: &[],
            reviewer: reviewer.as_ref(),
        };
        let chosen = audience(&subject, everybody());
        let mark = |email: bool| if email { "+mail" } else { "" };
        chosen
            .members
            .iter()
            .map(|(member, email)| format!("{}{}", member.id, mark(*email)))
            .collect()
    }

    #[test]
    fn not_001_action_required_goes_to_the_keepers_and_to_ace_users_for_their_own() {
        assert_eq!(
            told(Kind::ActionRequired, &["ace_user", "technical_staff"], None),
            [
                "alliance_lead+mail",
                "alliance_team+mail",
                "ace_manager+mail",
                "ace_user+mail"
            ]
        );
    }

    #[test]
    fn not_001_status_changes_go_to_those_whose_record_it_is() {
        for kind in [
            Kind::OpportunityApproved,
            Kind::OpportunityRejected,
            Kind::OpportunityReopened,
            Kind::OwnershipChanged,
            Kind::BulkJobFinished,
        ] {
            assert_eq!(told(kind, &["marketing_staff"], None), ["marketing_staff+mail"]);
        }
        assert_eq!(
            told(Kind::OpportunitySubmitted, &["ace_user"], None),
            ["ace_user"]
        );
    }

    #[test]
    fn not_001_reviews_go_to_all_reviewers_until_one_has_the_case() {
        assert_eq!(
            told(Kind::ReviewRequested, &[], None),
            ["reviewer", "second_reviewer"]
        );
        assert_eq!(
            told(Kind::ReviewRequested, &[], Some("second_reviewer")),
            ["second_reviewer"]
        );
    }

    #[test]
    fn not_001_contacts_get_one_email_each_and_none_twice() {
        let account = ACCOUNT.parse().expect("an account id");
        let contact = |email: &str| Contact { email: email.into() };
        let contacts = [
            contact("alliance_lead@example.com"),
            contact("new@example.com"),
            contact("new@example.com"),
        ];
        let mut subject = Subject {
            kind: Kind::ActionRequired,
            account: &account,
            own_of: &[],
            contacts: &contacts,
            reviewer: None,
        };
        assert_eq!(
            audience(&subject, everybody()).contacts,
            [contact("new@example.com")]
        );
        subject.kind = Kind::ReviewRequested;
        assert_eq!(audience(&subject, everybody()).contacts, []);
    }

    #[test]
    fn not_003_who_opted_out_still_has_it_in_the_inbox() {
        let account = ACCOUNT.parse().expect("an account id");
        let mut lead = member("lead", ACCOUNT, Role::AllianceLead);
        lead.opt_outs = vec![Kind::ActionRequired];
        let subject = Subject {
            kind: Kind::ActionRequired,
            account: &account,
            own_of: &[],
            contacts: &[],
            reviewer: None,
        };
        assert_eq!(audience(&subject, vec![lead.clone()]).members, [(lead, false)]);
    }
}
